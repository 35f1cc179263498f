/*
 * The story of an artefact or a waiver: which records concern it. Records name their subjects, and those are derived
 * into the table `concern`; which waivers concern an artefact is asked here, of what it is called and what was found.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

VEC_TYPE(text_vec, struct str);
VEC_TYPE(number_vec, uint64_t);

struct about { /* an artefact */
        struct str key, digest;
        struct text_vec names; /* name and references */
        struct book_sighting *sightings;
        size_t n_sightings;
};

static int read_names(struct book *b, struct str key, struct arena *arena, struct about *ret, struct error *err)
{
        _cleanup_(query_end) struct query q =
                query_of(b, "SELECT digest, name FROM artefact WHERE key = ?1 UNION ALL SELECT digest, reference FROM "
                            "artefact JOIN tag USING (artefact) WHERE key = ?1");
        query_text(&q, key);
        int r;
        while ((r = query_next(&q, err)) > 0) {
                ret->digest = column_text(&q, arena);
                *vec_push(&ret->names) = column_text(&q, arena);
        }
        return r;
}

static bool fits_scope(const struct book_waiver *w, const struct about *a)
{
        bool is_named = w->scope.repository.n == 0;
        for (size_t i = 0; i < a->names.n && !is_named; i++)
                is_named = book_repository_fits(a->names.v[i], w->scope.repository);
        return is_named &&
               (!w->scope.digest.n || str_eq(w->scope.digest, a->digest) || str_eq(w->scope.digest, a->key));
}

static bool waiver_concerns(const struct book_waiver *w, const struct about *a)
{
        /* A condition alone is not evaluated here: it concerns what its scope names. */
        bool names_finding = w->finding.n || w->scope.package.n || w->scope.path.n;
        bool fits = fits_scope(w, a);
        for (size_t i = 0; i < a->n_sightings; i++) {
                const struct book_finding *f = &a->sightings[i].finding;
                if (str_eq(f->waiver, w->id))
                        return true;
                if (fits && names_finding &&
                    (!w->finding.n || str_eq(w->finding, f->id) || str_eq(w->finding, f->key)) &&
                    (!w->scope.package.n || str_eq(w->scope.package, f->package)) &&
                    (!w->scope.path.n || str_eq(w->scope.path, f->path)))
                        return true;
        }
        return fits && !names_finding && (w->scope.digest.n || w->scope.repository.n);
}

static int collect_subject(struct book *b, struct str subject, struct number_vec *to, struct error *err)
{
        _cleanup_(query_end) struct query q = query_of(b, "SELECT sequence FROM concern WHERE subject = ?");
        query_text(&q, subject);
        int r;
        while ((r = query_next(&q, err)) > 0)
                *vec_push(to) = (uint64_t)column_number(&q);
        return r;
}

static int collect_waivers(struct book *b, struct str key, struct arena *arena, struct number_vec *to,
                           struct error *err)
{
        struct book_waiver_list waivers;
        struct about a = { .key = key };
        int r = read_names(b, key, arena, &a, err);
        if (r == 0 && a.names.n)
                r = book_sightings_of(b, key, arena, &a.sightings, &a.n_sightings, err);
        if (r == 0)
                r = book_waivers(b, arena, &waivers, err);
        for (size_t i = 0; r == 0 && a.names.n && i < waivers.n; i++)
                if (waiver_concerns(&waivers.v[i], &a))
                        r = collect_subject(b, waivers.v[i].id, to, err);
        vec_done(&a.names);
        return r;
}

static int by_number(const void *pa, const void *pb)
{
        uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
        return (a > b) - (a < b);
}

static int read_records(struct book *b, struct number_vec *numbers, struct arena *arena, struct book_history *ret,
                        struct error *err)
{
        int r = 0;
        if (numbers->n)
                qsort(numbers->v, numbers->n, sizeof(*numbers->v), by_number);
        ret->v = arena_array(arena, numbers->n, sizeof(*ret->v));
        for (size_t i = 0; i < numbers->n && r == 0; i++)
                if (i == 0 || numbers->v[i] != numbers->v[i - 1])
                        r = book_record(b, numbers->v[i], arena, &ret->v[ret->n++], err);
        return r;
}

int book_history(struct book *b, const struct str *keys, size_t n_keys, struct arena *arena, struct book_history *ret,
                 struct error *err)
{
        struct number_vec numbers = { 0 };
        *ret = (struct book_history){ 0 };
        int r = snapshot_begin(b, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_keys && r == 0; i++) {
                r = collect_subject(b, keys[i], &numbers, err);
                if (r == 0)
                        r = collect_waivers(b, keys[i], arena, &numbers, err);
        }
        if (r == 0)
                r = read_records(b, &numbers, arena, ret, err);
        vec_done(&numbers);
        return snapshot_end(b, r);
}
