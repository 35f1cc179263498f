/*
 * See rematch.h. Ten thousand images hold some million packages, but only so many different ones, and many binary
 * packages are one question to the database (their source). So each different question is asked once, with the list of
 * those artefacts that have it; an answer is new for an artefact if its last scan did not have it.
 */
#include "flow/rematch.h"

#include "base/map.h"
#include "base/vec.h"
#include "intel/match.h"

#include <errno.h>
#include <stdlib.h>

#define NO_QUESTION UINT64_MAX

struct question {
        struct db_query query;
        VEC(uint32_t) artefacts; /* ascending */
};

VEC_TYPE(question_vec, struct question);
VEC_TYPE(hit_vec, struct rematch_hit);
VEC_TYPE(index_vec, size_t);

struct known { /* what a list of findings holds: sorted hashes of id and package */
        uint64_t *v;
        size_t n;
};

struct matcher {
        const struct stock *stock;
        struct arena *arena;
        struct str id;
        struct question_vec questions;
        struct map64 question_of_package; /* operating system and package -> index, or NO_QUESTION */
        struct map64 question_of_query;
        struct known *known; /* of each list of findings */
        struct hit_vec hits;
        struct set64 affected;
        const struct question *asking;
};

/* --- questions --- */

static uint64_t hash_query(const struct db_query *q)
{
        return hash_str_more(hash_str_more(hash_str(q->ecosystem), q->name), q->version);
}

/* The question that a package of an operating system is; NO_QUESTION if nothing can be asked about it. */
static uint64_t question_of(struct matcher *m, size_t os, uint32_t package)
{
        bool is_new;
        static const struct fact_os none;
        struct db_query query;
        uint64_t *place = map64_put(&m->question_of_package, (uint64_t)(os + 1) << 32 | package, &is_new);
        if (!is_new)
                return *place;
        *place = NO_QUESTION;
        if (!package_query(os == SIZE_MAX ? &none : &m->stock->oses[os], &m->stock->packages[package], m->arena,
                           &query))
                return NO_QUESTION;
        uint64_t *same = map64_put(&m->question_of_query, hash_query(&query), &is_new);
        if (is_new) {
                *same = m->questions.n;
                *vec_push(&m->questions) = (struct question){ .query = query };
        }
        return *place = *same;
}

/* Returns whether anything can be asked about the artefact. */
static bool add_artefact(struct matcher *m, uint32_t artefact)
{
        const struct stock_list *l = &m->stock->lists[m->stock->artefacts[artefact].list];
        bool any = false;
        for (size_t i = 0; i < l->n; i++) {
                uint64_t question = question_of(m, l->os, l->packages[i]);
                if (question == NO_QUESTION)
                        continue;
                struct question *q = &m->questions.v[question];
                if (!q->artefacts.n || q->artefacts.v[q->artefacts.n - 1] != artefact)
                        *vec_push(&q->artefacts) = artefact;
                any = true;
        }
        return any;
}

/* --- what is known already --- */

static int by_hash(const void *pa, const void *pb)
{
        uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;
        return (a > b) - (a < b);
}

static uint64_t hash_finding(struct str id, struct str package) { return hash_str_more(hash_str(id), package); }

static void read_known(struct matcher *m)
{
        const struct stock *s = m->stock;
        uint64_t *hashes = xreallocarray(NULL, s->n_findings + 1, sizeof(*hashes));
        for (size_t i = 0; i < s->n_findings; i++)
                hashes[i] = hash_finding(s->findings[i].id, s->findings[i].package);
        m->known = arena_array(m->arena, s->n_finding_lists, sizeof(*m->known));
        for (size_t i = 0; i < s->n_finding_lists; i++) {
                const struct stock_finding_list *l = &s->finding_lists[i];
                m->known[i] = (struct known){ arena_array(m->arena, l->n, sizeof(uint64_t)), l->n };
                for (size_t k = 0; k < l->n; k++)
                        m->known[i].v[k] = hashes[l->findings[k]];
                if (l->n)
                        qsort(m->known[i].v, l->n, sizeof(uint64_t), by_hash);
        }
        free(hashes);
}

static bool has(const struct known *k, uint64_t hash)
{
        return k->n && bsearch(&hash, k->v, k->n, sizeof(hash), by_hash);
}

/* A feed may give an advisory another main name than it had at the last scan. */
static bool is_known(const struct known *k, const struct fact_vulnerability *v)
{
        if (has(k, hash_finding(v->cve.n ? v->cve : v->id, v->matched_name)) ||
            has(k, hash_finding(v->id, v->matched_name)))
                return true;
        for (size_t i = 0; i < v->aliases.n; i++)
                if (has(k, hash_finding(v->aliases.v[i], v->matched_name)))
                        return true;
        return false;
}

/* --- answers --- */

static bool is_named(const struct fact_vulnerability *v, struct str id)
{
        bool is = str_eq_nocase(v->id, id) || str_eq_nocase(v->cve, id);
        for (size_t i = 0; i < v->aliases.n && !is; i++)
                is = str_eq_nocase(v->aliases.v[i], id);
        return is;
}

static void keep_hit(struct matcher *m, const struct fact_vulnerability *v, const struct index_vec *artefacts)
{
        struct arena *a = m->arena;
        struct rematch_hit *hit = vec_push(&m->hits);
        *hit = (struct rematch_hit){ .id = arena_str(a, v->cve.n ? v->cve : v->id),
                                     .package = arena_str(a, v->matched_name),
                                     .version = arena_str(a, v->installed),
                                     .fix = arena_str(a, v->fixed),
                                     .summary = arena_str(a, v->summary),
                                     .severity = v->severity,
                                     .is_exploited = v->kev != 0,
                                     .epss = v->epss,
                                     .artefacts = arena_array(a, artefacts->n, sizeof(size_t)),
                                     .n_artefacts = artefacts->n };
        memcpy(hit->artefacts, artefacts->v, artefacts->n * sizeof(size_t));
        for (size_t i = 0; i < artefacts->n; i++)
                (void)set64_add(&m->affected, artefacts->v[i]);
}

static void on_vulnerability(void *arg, const struct fact_vulnerability *v)
{
        struct matcher *m = arg;
        struct index_vec artefacts = { 0 };
        if (m->id.n && !is_named(v, m->id))
                return;
        for (size_t i = 0; i < m->asking->artefacts.n; i++) {
                size_t artefact = m->asking->artefacts.v[i];
                if (m->id.n || !is_known(&m->known[m->stock->artefacts[artefact].findings], v))
                        *vec_push(&artefacts) = artefact;
        }
        if (artefacts.n)
                keep_hit(m, v, &artefacts);
        vec_done(&artefacts);
}

static int ask_all(struct matcher *m, const struct db *db, struct error *err)
{
        struct arena answers = ARENA_INIT;
        int r = 0;
        for (size_t i = 0; i < m->questions.n && r >= 0; i++) {
                m->asking = &m->questions.v[i];
                r = db_match(db, &m->asking->query, &answers, on_vulnerability, m);
                arena_done(&answers);
        }
        return r < 0 ? error_set(err, r,
                                 "the advisory database is damaged: build or update it again, or use --db embedded")
                     : 0;
}

static int worst_first(const void *pa, const void *pb)
{
        const struct rematch_hit *a = pa, *b = pb;
        if (a->is_exploited != b->is_exploited)
                return a->is_exploited ? -1 : 1;
        if (a->severity != b->severity)
                return a->severity > b->severity ? -1 : 1;
        if (a->epss != b->epss)
                return a->epss > b->epss ? -1 : 1;
        int r = str_cmp(a->id, b->id);
        if (r == 0)
                r = str_cmp(a->package, b->package);
        return r ? r : str_cmp(a->version, b->version);
}

static void ignore(void *arg, const struct fact_vulnerability *v)
{
        (void)arg;
        (void)v;
}

/* Whether the database has it, under any name; people type ids in lower case too. */
static bool is_in(const struct db *db, struct str id, struct arena *arena)
{
        char *upper = arena_cstr(arena, id);
        for (size_t i = 0; i < id.n; i++)
                if (upper[i] >= 'a' && upper[i] <= 'z')
                        upper[i] -= 'a' - 'A';
        return db_lookup(db, id, arena, ignore, NULL) > 0 ||
               db_lookup(db, str_span(upper, id.n), arena, ignore, NULL) > 0;
}

static void matcher_done(struct matcher *m)
{
        for (size_t i = 0; i < m->questions.n; i++)
                vec_done(&m->questions.v[i].artefacts);
        vec_done(&m->questions);
        vec_done(&m->hits);
        map64_done(&m->question_of_package);
        map64_done(&m->question_of_query);
        set64_done(&m->affected);
}

int rematch_run(const struct stock *s, const struct db *db, struct str id, struct arena *arena, struct rematch *ret,
                struct error *err)
{
        struct matcher m = { .stock = s, .arena = arena, .id = id };
        *ret = (struct rematch){ 0 };
        ret->is_known = id.n && is_in(db, id, arena);
        read_known(&m);
        for (uint32_t i = 0; i < s->n_artefacts; i++)
                if (!add_artefact(&m, i) && s->lists[s->artefacts[i].list].n)
                        ret->n_blind++;
        int r = ask_all(&m, db, err);
        if (r == 0) {
                if (m.hits.n)
                        qsort(m.hits.v, m.hits.n, sizeof(*m.hits.v), worst_first);
                ret->hits = arena_array(arena, m.hits.n, sizeof(*ret->hits));
                ret->n_hits = m.hits.n;
                if (m.hits.n)
                        memcpy(ret->hits, m.hits.v, m.hits.n * sizeof(*ret->hits));
                ret->n_affected = m.affected.n + m.affected.has_zero;
                ret->n_queries = m.questions.n;
        }
        matcher_done(&m);
        return r;
}

int rematch_record(struct book *b, const struct book_stamp *stamp, const struct stock *s, const struct rematch *m,
                   const struct book_data *data, struct str id, uint64_t *ret_sequence, struct error *err)
{
        size_t n = 0;
        for (size_t i = 0; i < m->n_hits; i++)
                n += m->hits[i].n_artefacts;
        _cleanup_(freep) struct book_affected *affected = xcalloc(n + 1, sizeof(*affected));
        n = 0;
        for (size_t i = 0; i < m->n_hits; i++) {
                const struct rematch_hit *h = &m->hits[i];
                for (size_t k = 0; k < h->n_artefacts; k++)
                        affected[n++] = (struct book_affected){ .artefact = s->artefacts[h->artefacts[k]].key,
                                                                .id = h->id,
                                                                .package = h->package,
                                                                .version = h->version,
                                                                .fix = h->fix,
                                                                .severity = h->severity,
                                                                .is_exploited = h->is_exploited };
        }
        const struct book_rematch record = { .data = *data,
                                             .asked = id,
                                             .artefacts = s->n_artefacts,
                                             .packages = s->n_packages,
                                             .affected = affected,
                                             .n_affected = n };
        return book_add_rematch(b, stamp, &record, ret_sequence, err);
}
