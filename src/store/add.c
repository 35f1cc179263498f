/* Writing what was seen and decided: scans, observations, decisions, rematches. Each is one record and one transaction.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdlib.h>

static int check_artefact(struct book *b, const struct book_artefact *a, struct error *err)
{
        if (!a->digest.n && (!a->kind.n || !a->name.n))
                return error_set(err, -EINVAL, "ledger %s: an artefact needs a digest, or a kind and a name", b->path);
        return 0;
}

/* "debian 11" */
static void put_os_words(json_t *o, const struct fact_os *os, struct arena *arena)
{
        if (os->id.n)
                body_put(o, "os",
                         arena_printf(arena, "%.*s%s%.*s", STR_FMT(os->id), os->version.n ? " " : "",
                                      STR_FMT(os->version)));
}

static json_t *scan_body(const struct book_scan *s, const uint8_t packages[static BOOK_HASH_BYTES],
                         const uint8_t findings[static BOOK_HASH_BYTES], const uint8_t programs[static BOOK_HASH_BYTES],
                         struct arena *arena)
{
        json_t *o = json_object();
        json_object_set_new(o, "artefact", body_artefact(&s->artefact, arena));
        put_os_words(o, &s->os, arena);
        json_object_set_new(o, "data", body_data(&s->data));
        body_put(o, "policy", s->policy);
        body_put(o, "verdict", s->verdict);
        body_put_true(o, "complete", s->is_complete);
        body_put_digest(o, "packages", packages);
        body_put_digest(o, "findings", findings);
        if (s->has_programs)
                body_put_digest(o, "programs", programs);
        return o;
}

static int add_scan(struct book *b, const struct book_stamp *stamp, const struct book_scan *s,
                    struct book_scan_outcome *ret, struct error *err)
{
        uint8_t packages[BOOK_HASH_BYTES], findings[BOOK_HASH_BYTES], programs[BOOK_HASH_BYTES] = { 0 };
        struct arena arena = ARENA_INIT;
        *ret = (struct book_scan_outcome){ 0 };
        int r = content_put_packages(b, &s->os, s->packages, s->n_packages, packages, err);
        if (r == 0)
                r = content_put_findings(b, s->findings, s->n_findings, findings, err);
        if (r == 0 && s->has_programs)
                r = content_put_programs(b, s->programs, s->n_programs, programs, err);
        if (r == 0)
                r = record_append(b, stamp, RECORD_SCAN, body_artefact_key(&s->artefact, &arena),
                                  scan_body(s, packages, findings, programs, &arena), ret, &ret->sequence, err);
        arena_done(&arena);
        return r;
}

int book_add_scan(struct book *b, const struct book_stamp *stamp, const struct book_scan *s,
                  struct book_scan_outcome *ret, struct error *err)
{
        int r = check_artefact(b, &s->artefact, err);
        if (r == 0)
                r = write_begin(b, err);
        return r < 0 ? r : write_end(b, add_scan(b, stamp, s, ret, err), err);
}

int book_add_observation(struct book *b, const struct book_stamp *stamp, const struct book_artefact *a,
                         uint64_t *ret_sequence, struct error *err)
{
        struct arena arena = ARENA_INIT;
        int r = check_artefact(b, a, err);
        if (r == 0) {
                json_t *o = json_object();
                json_object_set_new(o, "artefact", body_artefact(a, &arena));
                r = record_append_alone(b, stamp, RECORD_OBSERVATION, body_artefact_key(a, &arena), o, ret_sequence,
                                        err);
        }
        arena_done(&arena);
        return r;
}

int book_add_decision(struct book *b, const struct book_stamp *stamp, const struct book_decision *d,
                      uint64_t *ret_sequence, struct error *err)
{
        if (!d->artefact.n || !d->verdict.n)
                return error_set(err, -EINVAL, "ledger %s: a decision needs an artefact and a verdict", b->path);
        json_t *o = json_object();
        body_put(o, "name", d->name);
        body_put(o, "stage", d->stage);
        body_put(o, "verdict", d->verdict);
        body_put(o, "policy", d->policy);
        body_put(o, "rule", d->rule);
        body_put(o, "reason", d->reason);
        if (d->waivers.n)
                json_object_set_new(o, "waivers", body_texts(&d->waivers));
        return record_append_alone(b, stamp, RECORD_DECISION, d->artefact, o, ret_sequence, err);
}

/* --- rematches: what was found once, and for each artefact the numbers of what concerns it --- */

static int by_finding(const void *pa, const void *pb)
{
        const struct book_affected *a = *(const struct book_affected *const *)pa,
                                   *b = *(const struct book_affected *const *)pb;
        int r = str_cmp(a->id, b->id);
        if (r == 0)
                r = str_cmp(a->package, b->package);
        if (r == 0)
                r = str_cmp(a->version, b->version);
        if (r == 0)
                r = str_cmp(a->fix, b->fix);
        if (r == 0)
                r = (a->severity > b->severity) - (a->severity < b->severity);
        if (r == 0)
                r = a->is_exploited - b->is_exploited;
        return r;
}

static int by_finding_and_artefact(const void *pa, const void *pb)
{
        int r = by_finding(pa, pb);
        return r ? r
                 : str_cmp((*(const struct book_affected *const *)pa)->artefact,
                           (*(const struct book_affected *const *)pb)->artefact);
}

static json_t *found_body(const struct book_affected *a)
{
        json_t *o = json_object();
        body_put(o, "id", a->id);
        body_put(o, "package", a->package);
        body_put(o, "version", a->version);
        body_put(o, "fix", a->fix);
        json_object_set_new(o, "severity", json_string(severity_name(a->severity)));
        body_put_true(o, "exploited", a->is_exploited);
        return o;
}

static void put_affected(json_t *o, const struct book_affected *const *sorted, size_t n)
{
        json_t *found = json_array(), *affected = json_object();
        for (size_t i = 0; i < n; i++) {
                struct arena arena = ARENA_INIT;
                if (i == 0 || by_finding(&sorted[i], &sorted[i - 1]) != 0)
                        json_array_append_new(found, found_body(sorted[i]));
                struct str clean = body_clean(sorted[i]->artefact, &arena);
                char *key = arena_cstr(&arena, clean);
                json_t *numbers = json_object_get(affected, key);
                if (!numbers) {
                        numbers = json_array();
                        json_object_set_new_nocheck(affected, key, numbers);
                }
                json_array_append_new(numbers, json_integer((json_int_t)json_array_size(found) - 1));
                arena_done(&arena);
        }
        json_object_set_new(o, "found", found);
        json_object_set_new(o, "affected", affected);
}

int book_add_rematch(struct book *b, const struct book_stamp *stamp, const struct book_rematch *m,
                     uint64_t *ret_sequence, struct error *err)
{
        _cleanup_(freep) const struct book_affected **sorted = xcalloc(m->n_affected + 1, sizeof(*sorted));
        json_t *o = json_object();
        for (size_t i = 0; i < m->n_affected; i++)
                sorted[i] = &m->affected[i];
        qsort(sorted, m->n_affected, sizeof(*sorted), by_finding_and_artefact);
        json_object_set_new(o, "data", body_data(&m->data));
        body_put(o, "asked", m->asked);
        body_put_number(o, "artefacts", (int64_t)m->artefacts);
        body_put_number(o, "packages", (int64_t)m->packages);
        put_affected(o, sorted, m->n_affected);
        return record_append_alone(b, stamp, RECORD_REMATCH, m->asked.n ? m->asked : STR("rematch"), o, ret_sequence,
                                   err);
}
