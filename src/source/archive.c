/*
 * Image archives: what `docker save` and `podman save` write (manifest.json, Docker's image specification 1.2, with
 * "ID/layer.tar" or "blobs/sha256/..." members), and OCI layouts in a tar (image-layout.md). Newer Dockers write both
 * in one file; then manifest.json, which has the tags, is what docker-archive reads, index.json what oci-archive reads.
 *
 * An uncompressed archive is walked once by a worker and its layers are read where they lie, side by side. A compressed
 * one is a stream: somebody reads it once and gives the members to `resolve`.
 */
#include "source/archive.h"
#include "source/file.h"
#include "source/image.h"
#include "source/members.h"
#include "source/reference.h"
#include "source/sources.h"

#include "read/oci.h"
#include "read/stream.h"
#include "source/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct archive {
        int fd;
        uint64_t size;
        struct str ref, platform;
        struct members members;
};

/* --- documents --- */

static int read_member(const struct archive *x, struct str name, struct buf *ret, struct error *err)
{
        const struct fact_member *m;
        int r = members_find(&x->members, name, &m, err);
        if (r < 0)
                return r;
        if (m->content.n) {
                buf_add_str(ret, m->content);
                return buf_is_full(ret)
                               ? error_set(err, -EFBIG, "member %.*s is too large", STR_FMT(str_upto(name, 200)))
                               : 0;
        }
        if (m->size > ret->max)
                return error_set(err, -EFBIG, "member %.*s has %llu bytes, more than the %zu allowed",
                                 STR_FMT(str_upto(name, 200)), (unsigned long long)m->size, ret->max);
        if (x->fd < 0 && m->size)
                return error_set(err, -EBADMSG, "member %.*s is not JSON", STR_FMT(str_upto(name, 200)));
        r = x->fd < 0 ? 0 : read_part(x->fd, m->offset, m->size, ret);
        if (r == -ENODATA)
                return error_set(err, -EBADMSG, "the archive is cut short in member %.*s",
                                 STR_FMT(str_upto(name, 200)));
        return r < 0 ? error_errno(err, r, "cannot read member %.*s", STR_FMT(str_upto(name, 200))) : 0;
}

static struct str blob_name(struct arena *arena, struct str digest)
{
        return digest_is_valid(digest) ? arena_printf(arena, "blobs/%.*s/%.*s", STR_FMT(digest_algorithm(digest)),
                                                      STR_FMT(digest_hex(digest)))
                                       : STR_NONE;
}

static int fetch_blob(void *arg, const struct fact_descriptor *d, struct buf *ret, struct error *err)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct str name = d->path.n ? d->path : blob_name(&arena, d->digest);
        if (!name.n)
                return error_set(err, -EBADMSG, "\"%.*s\" is not a digest", STR_FMT(str_upto(d->digest, 200)));
        return read_member(arg, name, ret, err);
}

/* --- manifest.json --- */

struct choice {
        size_t first, n; /* the image's descriptors */
};

static void list_tags(const struct document *d, struct buf *text)
{
        for (size_t i = 0; i < d->n_descriptors && text->n < 400; i++)
                if (str_is(d->descriptors[i].role, "manifest"))
                        buf_printf(text, "%s%.*s", text->n ? ", " : "", STR_FMT(str_upto(d->descriptors[i].ref, 150)));
}

/* The images lie one after the other in the descriptors, each with its group. */
static size_t image_end(const struct document *d, size_t at)
{
        uint64_t group = d->descriptors[at].group;
        while (at < d->n_descriptors && d->descriptors[at].group == group)
                at++;
        return at;
}

static bool has_tag(const struct document *d, size_t from, size_t to, struct str ref)
{
        for (size_t i = from; i < to; i++)
                if (str_is(d->descriptors[i].role, "manifest") && reference_matches(ref, d->descriptors[i].ref))
                        return true;
        return false;
}

static int choose_image(const struct document *d, struct str ref, struct choice *ret, struct error *err)
{
        size_t n_images = 0, n_fit = 0;
        for (size_t at = 0, end; at < d->n_descriptors; at = end) {
                end = image_end(d, at);
                n_images++;
                if (ref.n && !has_tag(d, at, end, ref))
                        continue;
                if (!n_fit++)
                        *ret = (struct choice){ .first = at, .n = end - at };
        }
        if (n_fit == 1)
                return 0;
        _cleanup_(buf_done) struct buf tags = BUF_INIT(1024);
        list_tags(d, &tags);
        const char *there = tags.n ? tags.p : "(no tags)";
        if (!n_images)
                return error_set(err, -ENOENT, "manifest.json lists no image");
        if (!n_fit)
                return error_set(err, -ENOENT, "no image of the archive is called \"%.*s\"; there is: %s", STR_FMT(ref),
                                 there);
        return error_set(err, -EINVAL, "the archive holds %zu images%s; name one, as FILE:TAG: %s", n_images,
                         ref.n ? " and several have that name" : "", there);
}

/* Members are named by what they hold, "<hex>.json" or "blobs/sha256/<hex>": the digest that this promises, or "". */
static struct str digest_in_name(struct arena *arena, struct str path)
{
        struct str base = str_from(path, (size_t)(str_rfind_char(path, '/') + 1));
        if (str_ends(base, STR(".json")))
                base.n -= 5;
        struct str digest = arena_printf(arena, "sha256:%.*s", STR_FMT(base));
        return digest_is_valid(digest) ? digest : STR_NONE;
}

static int read_config(struct artefact *a, const struct archive *x, struct str path, struct document *ret,
                       struct error *err)
{
        _cleanup_(buf_done) struct buf bytes = BUF_INIT(OCI_DOCUMENT_MAX);
        int r = read_member(x, path, &bytes, err);
        struct str promised = digest_in_name(&a->arena, path);
        if (r == 0 && promised.n)
                r = digest_check(promised, buf_str(&bytes), err);
        if (r == 0)
                r = document_read(DOCUMENT_CONFIG, buf_str(&bytes), &a->arena, ret, err);
        if (r < 0)
                return error_prefix(err, r, "configuration %.*s", STR_FMT(str_upto(path, 200)));
        char digest[DIGEST_TEXT_MAX];
        digest_sha256(buf_str(&bytes), digest);
        a->image_id = arena_str(&a->arena, str_of(digest));
        a->digest = a->image_id;
        return 0;
}

static int load_docker(struct artefact *a, struct archive *x, struct str bytes, struct error *err)
{
        struct document d, config;
        struct choice c = { 0 };
        int r = document_read(DOCUMENT_ARCHIVE, bytes, &a->arena, &d, err);
        if (r < 0)
                return error_prefix(err, r, "manifest.json");
        r = choose_image(&d, x->ref, &c, err);
        if (r < 0)
                return r;
        const struct fact_descriptor *all = &d.descriptors[c.first];
        if (!str_is(all[0].role, "config"))
                return error_set(err, -EBADMSG, "manifest.json names no configuration");
        r = read_config(a, x, all[0].path, &config, err);
        if (r < 0)
                return r;
        size_t n_tags = 0;
        while (1 + n_tags < c.n && str_is(all[1 + n_tags].role, "manifest"))
                n_tags++;
        a->tags = (struct str_list){ .v = arena_array(&a->arena, n_tags, sizeof(struct str)), .n = n_tags };
        for (size_t i = 0; i < n_tags; i++)
                a->tags.v[i] = all[1 + i].ref;
        image_fill(a, all + 1 + n_tags, c.n - 1 - n_tags, &config);
        for (size_t i = 0; i < a->n_layers; i++)
                if (str_starts(a->layers[i].member, STR("blobs/sha256/")))
                        a->layers[i].digest = digest_in_name(&a->arena, a->layers[i].member);
        return 0;
}

/* --- index.json --- */

static int load_oci(struct artefact *a, struct archive *x, struct str bytes, struct error *err)
{
        struct document index;
        int r = document_read(DOCUMENT_INDEX, bytes, &a->arena, &index, err);
        if (r < 0)
                return error_prefix(err, r, "index.json");
        struct image_fetch fetch = { .read = fetch_blob, .arg = x };
        r = image_from_index(a, &index, x->ref, x->platform, &fetch, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < a->n_layers; i++)
                a->layers[i].member = blob_name(&a->arena, a->layers[i].digest);
        if (x->ref.n) {
                a->tags = (struct str_list){ .v = arena_new(&a->arena, struct str), .n = 1 };
                a->tags.v[0] = x->ref;
        }
        return 0;
}

/* --- both --- */

/* The member that a layer is, once its links are followed. */
static void settle_layers(struct artefact *a, const struct archive *x)
{
        for (size_t i = 0; i < a->n_layers; i++) {
                struct error why = ERROR_NONE;
                const struct fact_member *m;
                if (members_find(&x->members, a->layers[i].member, &m, &why) < 0) {
                        /* Of a stream nobody opens layers, so nobody else would say it. */
                        if (a->is_stream)
                                artefact_note(a, arena_printf(&a->arena, "layer %zu", i + 1), "corrupt", "%s",
                                              why.text);
                        continue;
                }
                a->layers[i].member = m->name;
                if (!a->layers[i].size)
                        a->layers[i].size = m->size;
        }
}

static int load(struct artefact *a, struct archive *x, struct error *err)
{
        static const struct {
                const char *name;
                int (*load)(struct artefact *, struct archive *, struct str, struct error *);
                const struct source *source;
        } kinds[] = {
                { "manifest.json", load_docker, &source_docker_archive },
                { "index.json", load_oci, &source_oci_archive },
        };
        size_t first = a->source == &source_oci_archive;
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
                size_t i = k ^ first;
                const struct fact_member *m;
                struct error why = ERROR_NONE;
                int r = members_find(&x->members, str_of(kinds[i].name), &m, &why);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return error_set(err, r, "%s", why.text);
                _cleanup_(buf_done) struct buf bytes = BUF_INIT(OCI_DOCUMENT_MAX);
                r = read_member(x, str_of(kinds[i].name), &bytes, err);
                if (r == 0)
                        r = kinds[i].load(a, x, buf_str(&bytes), err);
                if (r == 0) {
                        a->source = kinds[i].source;
                        settle_layers(a, x);
                }
                return r;
        }
        if (x->members.incomplete.text[0])
                return error_set(err, -EBADMSG, "no manifest.json and no index.json in it: %s",
                                 x->members.incomplete.text);
        return error_set(err, -EBADMSG,
                         "not an image archive: it has neither manifest.json (docker save) nor index.json (OCI)");
}

static bool is_compressed(int fd)
{
        char magic[8] = { 0 };
        ssize_t n = pread(fd, magic, sizeof(magic), 0);
        return n > 0 && compression_sniff(str_span(magic, (size_t)n)) != COMPRESSION_NONE;
}

/* 0: no; else whether a tar or a compressed file of that name is there. */
static int recognise_file(const char *target, int score)
{
        _cleanup_(freep) char *path = NULL;
        const char *ref;
        if (!split_target(target, &path, &ref))
                return 0;
        _cleanup_(closep) int fd = open_regular(AT_FDCWD, path, NULL);
        if (fd < 0)
                return 0;
        char magic[5] = { 0 };
        bool is_tar = pread(fd, magic, sizeof(magic), 257) == sizeof(magic) && memcmp(magic, "ustar", 5) == 0;
        return is_tar || is_compressed(fd) ? score : 0;
}

static int docker_archive_recognise(const char *target) { return recognise_file(target, 80); }

static int oci_archive_recognise(const char *target) { return recognise_file(target, 70); }

static void archive_done(struct archive *x)
{
        x->fd = close_fd(x->fd);
        members_done(&x->members);
}

static int archive_open(const char *target, const struct source_options *o, struct artefact *ret, struct error *err)
{
        _cleanup_(freep) char *path = NULL;
        const char *ref;
        if (!split_target(target, &path, &ref))
                return error_set(err, -ENOENT, "there is no file %s", target);
        struct archive *x = arena_new(&ret->arena, struct archive);
        x->ref = arena_str(&ret->arena, str_of(ref));
        x->platform = arena_str(&ret->arena, o->platform);
        x->fd = open_regular(AT_FDCWD, path, &x->size);
        if (x->fd == -ENXIO)
                return error_set(err, x->fd, "%s is no regular file: save the archive into one first", path);
        if (x->fd < 0)
                return error_errno(err, x->fd, "cannot open %s", path);
        ret->name = arena_str(&ret->arena, str_of(target));
        ret->is_stream = is_compressed(x->fd);
        int r = ret->is_stream ? 0 : members_index(x->fd, x->size, &ret->arena, &x->members, err);
        if (r == 0 && !ret->is_stream)
                r = load(ret, x, err);
        if (r < 0) {
                archive_done(x);
                return error_prefix(err, r, "%s", path);
        }
        ret->state = x;
        return 0;
}

static int archive_open_layer(struct artefact *a, size_t i, struct layer_input *ret, struct error *err)
{
        const struct archive *x = a->state;
        struct layer_input in = { .is_seekable = true, .size = x->size };
        if (!a->is_stream) {
                const struct fact_member *m;
                int r = members_find(&x->members, a->layers[i].member, &m, err);
                if (r < 0)
                        return r;
                in.offset = m->offset;
                in.size = m->size;
        }
        in.fd = fcntl(x->fd, F_DUPFD_CLOEXEC, 3);
        if (in.fd < 0)
                return error_errno(err, -errno, "cannot duplicate a descriptor");
        *ret = in;
        return 0;
}

/* Members of a stream: their offsets are of the inflated archive, so nothing is read at them. */
static int resolve_members(struct artefact *a, struct archive *x, const struct stream_members *m, struct error *err)
{
        for (size_t i = 0; i < m->n; i++)
                if (!members_add(&x->members, &a->arena, &m->v[i])) {
                        (void)error_set(&x->members.incomplete, -EFBIG, "it has more than %u members", MEMBERS_MAX);
                        break;
                }
        int r = load(a, x, err);
        return r < 0 ? error_prefix(err, r, "%.*s", STR_FMT(a->target)) : 0;
}

static int archive_resolve(struct artefact *a, const struct stream_members *m, struct error *err)
{
        struct archive *x = a->state;
        x->fd = close_fd(x->fd);
        return resolve_members(a, x, m, err);
}

int archive_resolve_stream(struct artefact *a, const struct stream_members *m, struct error *err)
{
        const struct source *source = a->source;
        struct archive x = { .fd = -1 };
        int r = resolve_members(a, &x, m, err);
        a->source = source;
        archive_done(&x);
        return r;
}

static void archive_close(struct artefact *a) { archive_done(a->state); }

const struct source source_docker_archive = {
        .name = "docker-archive",
        .prefix = "docker-archive:",
        .summary = "archive of docker save or podman save, compressed or not",
        .example = "docker-archive:./web.tar:web:1.2",
        .recognise = docker_archive_recognise,
        .open = archive_open,
        .open_layer = archive_open_layer,
        .resolve = archive_resolve,
        .close = archive_close,
};

const struct source source_oci_archive = {
        .name = "oci-archive",
        .prefix = "oci-archive:",
        .summary = "OCI image layout in a tar, compressed or not",
        .example = "oci-archive:./web.oci.tar:1.2",
        .recognise = oci_archive_recognise,
        .open = archive_open,
        .open_layer = archive_open_layer,
        .resolve = archive_resolve,
        .close = archive_close,
};
