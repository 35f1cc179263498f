/* See store.h. */
#include "source/store.h"

#include "base/fs.h"
#include "read/store.h"
#include "source/digest.h"
#include "source/file.h"
#include "source/reference.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_hex(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
                        return false;
        return true;
}

bool store_is_id(struct str id) { return id.n == 64 && is_hex(id); }

bool store_is_id_prefix(struct str text, struct str id)
{
        return text.n >= 4 && text.n <= 64 && is_hex(text) && str_starts(id, text);
}

int store_read_file(int root_fd, const char *path, struct buf *ret, struct error *err)
{
        int r = read_regular(root_fd, path, ret);
        return r < 0 ? error_errno(err, r, "cannot read %s", path) : 0;
}

int store_document(int root_fd, const char *path, enum document_kind kind, struct arena *arena, struct document *ret,
                   struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(STORE_DOCUMENT_MAX);
        int r = store_read_file(root_fd, path, &bytes, err);
        if (r < 0)
                return r;
        r = document_read(kind, buf_str(&bytes), arena, ret, err);
        return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

/* --- layers --- */

static int open_directory(const struct store *s, struct str dir, struct error *err)
{
        char path[512];
        if (dir.n >= sizeof(path))
                return error_set(err, -ENAMETOOLONG, "a directory of the store has too long a name");
        memcpy(path, dir.p, dir.n);
        path[dir.n] = 0;
        int fd = open_in_root(s->root_fd, path, O_PATH | O_DIRECTORY);
        if (fd < 0)
                return error_errno(err, fd, "the store %.*s cannot give %s", STR_FMT(s->root), path);
        return fd;
}

int store_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct store *s = a->state;
        _cleanup_(closep) int dir = open_directory(s, s->layers[i].dir, err), below = -1;
        if (dir < 0)
                return dir;
        if (s->layers[i].below.n) {
                below = open_directory(s, s->layers[i].below, err);
                if (below < 0)
                        return below;
        }
        struct treepack what = { .root_fd = dir, .below_fd = below, .mode = s->mode, .process_fd = -1 };
        return packed_open(&what, ret, err);
}

void store_close(struct artefact *a)
{
        struct store *s = a->state;
        s->root_fd = close_fd(s->root_fd);
}

/* --- images --- */

/* 3: by this very name, digest or id; 2: by what a short name stands for; 1: by the start of the id; 0: not. */
static int fits(const struct fact_stored *image, struct str asked)
{
        struct str name, tag, digest, id = image->id;
        reference_split(asked, &name, &tag, &digest);
        if (str_starts(id, STR("sha256:")))
                id = str_from(id, 7);
        if (str_eq(asked, image->digest) || str_eq(asked, image->id) || str_eq(asked, id))
                return 3;
        int best = store_is_id_prefix(asked, id) ? 1 : 0;
        for (size_t i = 0; i < image->names.n; i++) {
                struct str have = image->names.v[i], have_name, have_tag, have_digest;
                if (str_eq(asked, have))
                        return 3;
                reference_split(have, &have_name, &have_tag, &have_digest);
                /* "web@sha256:..." where the store keeps the digest beside the names */
                bool is_same_digest =
                        digest.n && !tag.n && str_eq(digest, image->digest) && reference_matches(name, have_name);
                if (is_same_digest || reference_matches(asked, have))
                        best = 2;
        }
        return best;
}

int store_choose_image(const struct document *images, const char *asked, size_t *ret_i, struct error *err)
{
        _cleanup_(buf_done) struct buf names = BUF_INIT(600);
        int best = 0;
        size_t n = 0;
        for (size_t i = 0; i < images->n_stored; i++) {
                const struct fact_stored *image = &images->stored[i];
                int fit = fits(image, str_of(asked));
                if (!fit || fit < best)
                        continue;
                if (fit > best) {
                        best = fit;
                        n = 0;
                        buf_clear(&names);
                        *ret_i = i;
                }
                n++;
                struct str name = image->names.n ? image->names.v[0] : str_upto(image->id, 19);
                buf_printf(&names, "%s%.*s", n > 1 ? ", " : "", STR_FMT(str_upto(name, 200)));
        }
        if (n == 0)
                return -ENOENT;
        if (n > 1)
                return error_set(err, -EINVAL, "several images fit \"%s\": %s", asked, names.p);
        return 0;
}
