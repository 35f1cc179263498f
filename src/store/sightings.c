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

int book_first_seen(struct book *b, struct str id, int64_t *ret, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT coalesce(min(first), 0) FROM problem WHERE id = ?");
        query_text(&q, id);
        int r = query_next(&q, err);
        if (r > 0)
                *ret = column_number(&q);
        return r < 0 ? r : 0;
}
