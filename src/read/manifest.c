/* See manifest.h. */
#include "read/manifest.h"

#include "base/vec.h"
#include "read/digest.h"
#include "read/json.h"

#include <errno.h>

struct reading {
        struct arena *arena;
        struct manifest *m;
        VEC(struct manifest_file) files;
        struct error *err;
        size_t line;
};

static int wrong(const struct reading *r, const char *what)
{
        return error_set(r->err, -EBADMSG, "line %zu: %s", r->line, what);
}

/* False if it is there and no number that it can be. */
static bool number_of(const json_t *o, const char *key, uint64_t *ret)
{
        const json_t *v = json_object_get(o, key);
        *ret = json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v) : 0;
        return !v || (json_is_integer(v) && json_integer_value(v) >= 0);
}

static int texts_of(const struct reading *r, const json_t *o, const char *key, struct str **ret, size_t *ret_n)
{
        const json_t *list = json_object_get(o, key);
        size_t n = json_array_size(list);
        if (list && !json_is_array(list))
                return wrong(r, "not a list where there should be one");
        if (n > MANIFEST_LAYERS_MAX)
                return error_set(r->err, -EFBIG, "line %zu: more than %u texts in a list", r->line,
                                 MANIFEST_LAYERS_MAX);
        *ret = arena_array(r->arena, n, sizeof(**ret));
        for (size_t i = 0; i < n; i++) {
                const json_t *v = json_array_get(list, i);
                if (json_is_string(v))
                        (*ret)[i] = arena_str(r->arena, str_span(json_string_value(v), json_string_length(v)));
        }
        *ret_n = n;
        return 0;
}

static int read_head(struct reading *r, const json_t *o)
{
        uint64_t version;
        if (!number_of(o, "sekisho_manifest", &version) || version == 0)
                return wrong(r, "this is no manifest: it does not begin with {\"sekisho_manifest\": 1, ...");
        if (version != MANIFEST_VERSION)
                return error_set(r->err, -EBADMSG, "its version is %llu, this program reads %d",
                                 (unsigned long long)version, MANIFEST_VERSION);
        r->m->target = json_text_of(o, "target", r->arena);
        r->m->name = json_text_of(o, "name", r->arena);
        r->m->digest = json_text_of(o, "digest", r->arena);
        r->m->image_id = json_text_of(o, "image_id", r->arena);
        int e = texts_of(r, o, "tags", &r->m->tags, &r->m->n_tags);
        return e < 0 ? e : texts_of(r, o, "layers", &r->m->layers, &r->m->n_layers);
}

/* A path that leads nowhere but down. */
static bool is_path(struct str path)
{
        if (path.n == 0 || path.p[0] == '/' || path.n > 4096 || memchr(path.p, '\0', path.n))
                return false;
        for (struct str rest = path; rest.p;) {
                struct str name = str_cut(&rest, '/');
                if (name.n == 0 || str_is(name, ".") || str_is(name, ".."))
                        return false;
        }
        return true;
}

/* "path", or "path_hex" where its bytes are no UTF-8. */
static bool path_of(const struct reading *r, const json_t *o, struct str *ret)
{
        struct str hex = json_text_of(o, "path_hex", r->arena);
        *ret = json_text_of(o, "path", r->arena);
        if (hex.n) {
                uint8_t *p = arena_alloc(r->arena, hex.n / 2 + 1);
                if (ret->n || hex.n % 2 || !str_hex(hex, hex.n / 2, p))
                        return false;
                *ret = str_span(p, hex.n / 2);
        }
        return is_path(*ret);
}

static int read_file_line(struct reading *r, const json_t *o)
{
        struct manifest_file f = { 0 };
        if (r->files.n == MANIFEST_FILES_MAX)
                return error_set(r->err, -EFBIG, "more than %u files", MANIFEST_FILES_MAX);
        if (!path_of(r, o, &f.path))
                return wrong(r, "no path, or one that is absolute or leads up");
        if (r->files.n && str_cmp(r->files.v[r->files.n - 1].path, f.path) >= 0)
                return wrong(r, "the paths are not sorted, or one stands there twice");
        if (!str_hex(json_text_of(o, "sha256", r->arena), sizeof(f.sha256), f.sha256))
                return wrong(r, "no SHA-256 of the content");
        if (!number_of(o, "size", &f.size) || !number_of(o, "layer", &f.layer))
                return wrong(r, "a number that is none");
        f.kind = json_text_of(o, "kind", r->arena);
        f.package = json_text_of(o, "package", r->arena);
        *vec_push(&r->files) = f;
        return 0;
}

static int read_end(const struct reading *r, const json_t *o, struct str before)
{
        uint64_t n;
        uint8_t said[32], is[DIGEST_MAX];
        if (!number_of(o, "end", &n) || n != r->files.n)
                return error_set(r->err, -EBADMSG, "line %zu: it says that there are %llu files, and has %zu", r->line,
                                 (unsigned long long)n, r->files.n);
        digest_of(DIGEST_SHA256, before, is);
        if (!str_hex(json_text_of(o, "sha256", r->arena), sizeof(said), said) || memcmp(said, is, sizeof(said)) != 0)
                return wrong(r, "the digest of what stands before is another: the file was changed");
        return 1;
}

/* 0, 1 after the last line, or an error. */
static int read_line(struct reading *r, struct str line, struct str before)
{
        _cleanup_(json_dropp) json_t *o = NULL;
        int result = json_document(line, MANIFEST_LINE_MAX, &o, r->err);
        if (result < 0)
                return error_prefix(r->err, result, "line %zu", r->line);
        if (!json_is_object(o))
                return wrong(r, "no JSON object");
        if (r->line == 1)
                return read_head(r, o);
        return json_object_get(o, "end") ? read_end(r, o, before) : read_file_line(r, o);
}

int manifest_parse(struct str text, struct arena *arena, struct manifest *ret, struct error *err)
{
        *ret = (struct manifest){ 0 };
        struct reading r = { .arena = arena, .m = ret, .err = err };
        int result = 0;
        if (text.n > MANIFEST_BYTES_MAX)
                return error_set(err, -EFBIG, "larger than %u bytes", MANIFEST_BYTES_MAX);
        for (struct str rest = text; result == 0 && rest.n;) {
                struct str before = str_upto(text, text.n - rest.n), line = str_line(&rest);
                r.line++;
                result = read_line(&r, line, before);
                if (result == 1 && rest.n)
                        result = wrong(&r, "something stands behind the last line");
        }
        if (result == 0)
                result = error_set(err, -EBADMSG, "it ends after %zu lines, without its last one", r.line);
        if (result == 1) {
                ret->files = arena_array(arena, r.files.n, sizeof(*ret->files));
                if (r.files.n)
                        memcpy(ret->files, r.files.v, r.files.n * sizeof(*ret->files));
                ret->n_files = r.files.n;
                result = 0;
        }
        vec_done(&r.files);
        return result;
}

const struct manifest_file *manifest_find(const struct manifest *m, struct str path)
{
        size_t from = 0, to = m->n_files;
        while (from < to) {
                size_t at = from + (to - from) / 2;
                int c = str_cmp(path, m->files[at].path);
                if (c == 0)
                        return &m->files[at];
                if (c < 0)
                        to = at;
                else
                        from = at + 1;
        }
        return NULL;
}
