/* The inventory: every artefact that was ever seen, with its last verdict, its tags and its places. */
#include "store/internal.h"

#include <stdlib.h>

VEC_TYPE(item_vec, struct book_item);
VEC_TYPE(tag_vec, struct book_tag);
VEC_TYPE(place_vec, struct book_place);

static void read_item(struct query *q, struct arena *arena, struct book_item *ret)
{
        *ret = (struct book_item){ .key = column_text(q, arena) };
        struct book_artefact *a = &ret->artefact;
        struct str *const texts[] = { &a->digest, &a->image_id,  &a->kind, &a->name,
                                      &a->target, &a->container, &a->host, &ret->os };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                *texts[i] = column_text(q, arena);
        ret->first = column_number(q);
        ret->last = column_number(q);
        ret->scanned = column_number(q);
        ret->n_scans = (uint64_t)column_number(q);
        ret->data.source = column_text(q, arena);
        ret->data.digest = column_text(q, arena);
        ret->data.date = column_number(q);
        ret->policy = column_text(q, arena);
        ret->verdict = column_text(q, arena);
        ret->is_complete = column_number(q) != 0;
        ret->n_packages = (uint64_t)column_number(q);
        for (size_t i = 0; i < SEVERITY_COUNTS; i++) {
                ret->counts[i] = (uint64_t)column_number(q);
                ret->n_findings += ret->counts[i];
        }
        ret->n_fixable = (uint64_t)column_number(q);
        ret->n_exploited = (uint64_t)column_number(q);
        ret->n_waived = (uint64_t)column_number(q);
}

/* By artefact; *ret_numbers gets the artefact of each. */
static int read_items(struct book *b, struct arena *arena, struct item_vec *items, struct map64 *by_number,
                      struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(
                b, "SELECT key, a.digest, image_id, kind, name, target, container, host, a.os, first, last, scanned, "
                   "scans, data_source, data_digest, data_date, policy, verdict, complete, coalesce(l.n, 0), unknown, "
                   "none, low, medium, high, critical, fixable, exploited, waived, artefact FROM artefact a LEFT JOIN "
                   "package_list l ON l.list = a.package_list ORDER BY artefact");
        int r;
        while ((r = query_next(&q, err)) > 0) {
                struct book_item *item = vec_push(items);
                read_item(&q, arena, item);
                *map64_put(by_number, (uint64_t)column_number(&q), NULL) = items->n - 1;
        }
        return r;
}

/*
 * Hands each run of rows of one artefact to its item: what is between from and the vector's end. Items point into the
 * vector only when it does not grow any more, so here they get a copy in the arena.
 */
static int read_tags(struct book *b, struct arena *arena, struct item_vec *items, const struct map64 *by_number,
                     struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(
                b, "SELECT artefact, reference, host, first, last, current FROM tag ORDER BY artefact, reference, "
                   "last DESC, host");
        struct tag_vec run = { 0 };
        int64_t artefact = 0;
        int r;
        do {
                r = query_next(&q, err);
                int64_t next = r > 0 ? column_number(&q) : 0;
                const uint64_t *item = next != artefact && run.n ? map64_get(by_number, (uint64_t)artefact) : NULL;
                if (item) {
                        struct book_tag *to = arena_array(arena, run.n, sizeof(*to));
                        memcpy(to, run.v, run.n * sizeof(*to));
                        items->v[*item].tags = to;
                        items->v[*item].n_tags = run.n;
                }
                if (next != artefact)
                        vec_clear(&run);
                artefact = next;
                if (r > 0) {
                        struct book_tag *t = vec_push(&run);
                        t->reference = column_text(&q, arena);
                        t->host = column_text(&q, arena);
                        t->first = column_number(&q);
                        t->last = column_number(&q);
                        t->is_current = column_number(&q) != 0;
                }
        } while (r > 0);
        vec_done(&run);
        return r;
}

static int read_places(struct book *b, struct arena *arena, struct item_vec *items, const struct map64 *by_number,
                       struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(
                b, "SELECT artefact, host, container, first, last FROM place ORDER BY artefact, host, container");
        struct place_vec run = { 0 };
        int64_t artefact = 0;
        int r;
        do {
                r = query_next(&q, err);
                int64_t next = r > 0 ? column_number(&q) : 0;
                const uint64_t *item = next != artefact && run.n ? map64_get(by_number, (uint64_t)artefact) : NULL;
                if (item) {
                        struct book_place *to = arena_array(arena, run.n, sizeof(*to));
                        memcpy(to, run.v, run.n * sizeof(*to));
                        items->v[*item].places = to;
                        items->v[*item].n_places = run.n;
                }
                if (next != artefact)
                        vec_clear(&run);
                artefact = next;
                if (r > 0) {
                        struct book_place *p = vec_push(&run);
                        p->host = column_text(&q, arena);
                        p->container = column_text(&q, arena);
                        p->first = column_number(&q);
                        p->last = column_number(&q);
                }
        } while (r > 0);
        vec_done(&run);
        return r;
}

static int last_seen_first(const void *pa, const void *pb)
{
        const struct book_item *a = pa, *b = pb;
        if (a->last != b->last)
                return a->last > b->last ? -1 : 1;
        return str_cmp(a->key, b->key);
}

int book_inventory(struct book *b, struct arena *arena, struct book_inventory *ret, struct error *err)
{
        struct item_vec items = { 0 };
        struct map64 by_number = { 0 };
        *ret = (struct book_inventory){ 0 };
        int r = snapshot_begin(b, err);
        if (r < 0)
                return r;
        r = read_items(b, arena, &items, &by_number, err);
        if (r == 0)
                r = read_tags(b, arena, &items, &by_number, err);
        if (r == 0)
                r = read_places(b, arena, &items, &by_number, err);
        r = snapshot_end(b, r);
        if (r == 0 && items.n) {
                qsort(items.v, items.n, sizeof(*items.v), last_seen_first);
                ret->v = arena_array(arena, items.n, sizeof(*ret->v));
                ret->n = items.n;
                memcpy(ret->v, items.v, items.n * sizeof(*ret->v));
        }
        vec_done(&items);
        map64_done(&by_number);
        return r;
}
