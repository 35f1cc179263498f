/* When findings were seen: on one artefact, and anywhere. */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

VEC_TYPE(sighting_vec, struct book_sighting);

static int is_there(struct book *b, struct str key, int64_t *ret_last, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT scanned FROM artefact WHERE key = ?");
        query_text(&q, key);
        int r = query_next(&q, err);
        if (r == 0)
                return error_set(err, -ENOENT, "ledger %s knows no artefact %.*s", b->path, STR_FMT(key));
        if (r > 0)
                *ret_last = column_number(&q);
        return r < 0 ? r : 0;
}

static int read_sightings(struct book *b, struct str key, int64_t scanned, struct arena *arena,
                          struct sighting_vec *found, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(
                b, "SELECT sighting.first, gone IS NULL, coalesce(gone, 0), f.key, f.kind, f.id, f.package, f.version, "
                   "f.fix, f.path, f.severity, f.fixable, f.exploited, f.response, f.state, f.waiver, f.rule "
                   "FROM sighting JOIN finding f USING (finding) WHERE artefact = (SELECT artefact FROM artefact WHERE "
                   "key = ?) ORDER BY gone IS NOT NULL, f.severity DESC, f.key, f.version");
        query_text(&q, key);
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct book_sighting *s = vec_push(found);
                s->first = column_number(&q);
                s->is_open = column_number(&q) != 0;
                s->last = column_number(&q);
                if (s->is_open)
                        s->last = scanned;
                finding_read(&q, arena, &s->finding);
        }
        return r;
}

int book_sightings_of(struct book *b, struct str key, struct arena *arena, struct book_sighting **ret, size_t *ret_n,
                      struct error *err)
{
        struct sighting_vec found = { 0 };
        int64_t scanned = 0;
        int r = is_there(b, key, &scanned, err);
        if (r == 0)
                r = read_sightings(b, key, scanned, arena, &found, err);
        if (r == 0) {
                *ret = arena_array(arena, found.n, sizeof(**ret));
                *ret_n = found.n;
                if (found.n)
                        memcpy(*ret, found.v, found.n * sizeof(**ret));
        }
        vec_done(&found);
        return r;
}

int book_sightings(struct book *b, struct str key, struct arena *arena, struct book_sighting **ret, size_t *ret_n,
                   struct error *err)
{
        int r = snapshot_begin(b, err);
        return r < 0 ? r : snapshot_end(b, book_sightings_of(b, key, arena, ret, ret_n, err));
}

static int by_key(const void *pa, const void *pb)
{
        const struct book_finding *a = pa, *b = pb;
        int r = str_cmp(a->key, b->key);
        return r ? r : str_cmp(a->version, b->version);
}

static int list_named(struct book *b, const struct book_record *scan, int64_t *ret, struct error *err)
{
        uint8_t digest[BOOK_HASH_BYTES];
        _cleanup_(body_freep) json_t *body = body_parse(scan->body);
        if (!body || !str_is(scan->kind, record_kind_name(RECORD_SCAN)) || !body_get_digest(body, "findings", digest))
                return error_set(err, -EINVAL, "record %llu is no scan", (unsigned long long)scan->sequence);
        _cleanup_(query_end) struct query q = query_of(b, "SELECT list FROM finding_list WHERE digest = ?");
        query_bytes(&q, str_span(digest, BOOK_HASH_BYTES));
        int r = query_next(&q, err);
        if (r == 0)
                return sql_damaged(b, err, "the findings that record %llu names are not there",
                                   (unsigned long long)scan->sequence);
        if (r > 0)
                *ret = column_number(&q);
        return r < 0 ? r : 0;
}

static int findings_of(struct book *b, const struct book_record *scan, struct arena *arena, struct book_finding **ret,
                       size_t *ret_n, struct error *err)
{
        int64_t list = 0;
        uint32_t *rows = NULL;
        size_t n = 0;
        int r = list_named(b, scan, &list, err);
        if (r == 0)
                r = content_list_members(b, list, arena, &rows, &n, err);
        struct book_finding *found = arena_array(arena, n, sizeof(*found));
        for (size_t i = 0; i < n && r == 0; i++)
                r = content_finding(b, rows[i], arena, &found[i], err);
        if (r < 0)
                return r;
        if (n)
                qsort(found, n, sizeof(*found), by_key);
        *ret = found;
        *ret_n = n;
        return 0;
}

int book_findings_of(struct book *b, const struct book_record *scan, struct arena *arena, struct book_finding **ret,
                     size_t *ret_n, struct error *err)
{
        int r = snapshot_begin(b, err);
        return r < 0 ? r : snapshot_end(b, findings_of(b, scan, arena, ret, ret_n, err));
}

int book_first_seen(struct book *b, struct str id, int64_t *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT coalesce(min(first), 0) FROM problem WHERE id = ?");
        query_text(&q, id);
        int r = query_next(&q, err);
        if (r > 0)
                *ret = column_number(&q);
        return r < 0 ? r : 0;
}
