/* From what a person typed to the artefacts that it means. */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

#define PREFIX_MIN 4 /* hexadecimal digits */
#define NAMED_MAX  3 /* keys named in an error */

VEC_TYPE(key_vec, struct str);

static int by_text(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

static int collect(struct query *q, struct arena *arena, struct key_vec *keys, struct error *err)
{
        int r;
        while ((r = query_next(q, err)) > 0)
                *vec_push(keys) = column_text(q, arena);
        query_end(q);
        return r;
}

static int find_named(struct book *b, struct str what, struct arena *arena, struct key_vec *keys, struct error *err)
{
        struct query q = query_of(
                b,
                "SELECT key FROM artefact WHERE key = ?1 OR name = ?1 OR target = ?1 OR (container = ?1 AND ?1 <> '') "
                "UNION SELECT key FROM artefact JOIN tag USING (artefact) WHERE reference = ?1 "
                "UNION SELECT key FROM artefact JOIN place USING (artefact) WHERE place.container = ?1 AND ?1 <> ''");
        query_text(&q, what);
        return collect(&q, arena, keys, err);
}

static bool is_hex(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
                        return false;
        return true;
}

static int find_digest(struct book *b, struct str what, struct arena *arena, struct key_vec *keys, struct error *err)
{
        struct str hex = str_without(what, STR("sha256:"));
        if (hex.n < PREFIX_MIN || hex.n > 2 * BOOK_HASH_BYTES || !is_hex(hex))
                return 0;
        /* All that begins with it stands between it and it with a letter after the last digit. */
        struct str from = arena_printf(arena, "sha256:%.*s", STR_FMT(hex)),
                   to = arena_printf(arena, "sha256:%.*sg", STR_FMT(hex));
        struct query q = query_of(b, "SELECT key FROM artefact WHERE digest >= ?1 AND digest < ?2 "
                                     "UNION SELECT key FROM artefact WHERE image_id >= ?1 AND image_id < ?2");
        query_text(&q, from);
        query_text(&q, to);
        return collect(&q, arena, keys, err);
}

static int ambiguous(struct book *b, struct str what, const struct key_vec *keys, struct error *err)
{
        _cleanup_(buf_done) struct buf words = BUF_INIT(512);
        for (size_t i = 0; i < keys->n && i < NAMED_MAX; i++)
                buf_printf(&words, "%s%.*s", i ? ", " : "", STR_FMT(str_upto(keys->v[i], 80)));
        return error_set(err, -EEXIST,
                         "\"%.*s\" is the beginning of %zu digests in ledger %s: %.*s%s; give more digits",
                         STR_FMT(what), keys->n, b->path, STR_FMT(buf_str(&words)), keys->n > NAMED_MAX ? ", ..." : "");
}

/* Without "@digest" and ":tag". */
static struct str repository_of(struct str reference)
{
        struct str s = str_cut(&reference, '@');
        ptrdiff_t colon = str_rfind_char(s, ':'), slash = str_rfind_char(s, '/');
        return colon > slash ? str_upto(s, (size_t)colon) : s;
}

bool book_repository_fits(struct str reference, struct str wanted)
{
        struct str repository = repository_of(reference);
        if (str_eq(reference, wanted) || str_eq(repository, wanted))
                return true;
        for (struct str rest = reference; rest.p;) { /* the host, or directories, left out */
                (void)str_cut(&rest, '/');
                if (rest.p && (str_eq(rest, wanted) || str_eq(repository_of(rest), wanted)))
                        return true;
        }
        return false;
}

static int find_alike(struct book *b, struct str what, struct arena *arena, struct key_vec *keys, struct error *err)
{
        _cleanup_(query_end) struct query q =
                query_of(b, "SELECT key, name FROM artefact UNION SELECT key, reference FROM artefact JOIN tag USING "
                            "(artefact) ORDER BY 1");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct str key = column_text(&q, NULL), name = column_text(&q, NULL);
                bool is_new = keys->n == 0 || !str_eq(keys->v[keys->n - 1], key);
                if (is_new && book_repository_fits(name, what))
                        *vec_push(keys) = arena_str(arena, key);
        }
        return r;
}

static int find_artefacts(struct book *b, struct str what, struct arena *arena, struct key_vec *keys, struct error *err)
{
        int r = what.n ? find_named(b, what, arena, keys, err) : 0;
        if (r == 0 && keys->n == 0) {
                r = find_digest(b, what, arena, keys, err);
                if (r == 0 && keys->n > 1)
                        return ambiguous(b, what, keys, err);
        }
        if (r == 0 && keys->n == 0 && what.n)
                r = find_alike(b, what, arena, keys, err);
        return r;
}

int book_find(struct book *b, struct str what, struct arena *arena, struct book_found *ret, struct error *err)
{
        struct key_vec keys = { 0 };
        struct book_waiver w;
        *ret = (struct book_found){ 0 };
        bool may_be_waiver = str_starts(what, STR("W-")) || str_starts(what, STR("w-"));
        int r = may_be_waiver ? book_waiver_get(b, what, arena, &w, NULL) : -ENOENT;
        ret->is_waiver = r == 0;
        if (r == 0)
                *vec_push(&keys) = w.id;
        else if (r == -ENOENT)
                r = find_artefacts(b, what, arena, &keys, err);
        else
                r = book_waiver_get(b, what, arena, &w, err);
        if (r == 0 && keys.n) {
                qsort(keys.v, keys.n, sizeof(*keys.v), by_text);
                ret->keys = arena_array(arena, keys.n, sizeof(*ret->keys));
                ret->n = keys.n;
                memcpy(ret->keys, keys.v, keys.n * sizeof(*ret->keys));
        }
        vec_done(&keys);
        return r;
}
