/* See running.h. */
#include "cli/running.h"

#include "report/text.h"
#include "sense/mapped-file.h"

#include <stdlib.h>

VEC_TYPE(finding_vec, struct running_finding);

/* ----------------------------------------------------------------------------------------------------- reading ---- */

static int loaded_first(const void *pa, const void *pb)
{
        const struct running_finding *a = pa, *b = pb;
        if (a->container != b->container) /* both of one array */
                return a->container < b->container ? -1 : 1;
        if (a->use.use != b->use.use)
                return a->use.use > b->use.use ? -1 : 1;
        if (a->finding->severity != b->finding->severity)
                return a->finding->severity > b->finding->severity ? -1 : 1;
        return str_cmp(a->finding->key, b->finding->key);
}

static void add_finding(const struct running_set *set, const struct book_item *item, const struct book_finding *f,
                        struct running_item *ret, struct finding_vec *found)
{
        enum package_use most = USE_UNKNOWN;
        for (size_t i = 0; i < set->n; i++) {
                if (set->v[i].item != item)
                        continue;
                struct running_use use = running_use_of(&set->v[i], f->package);
                most = MAX(most, use.use);
                *vec_push(found) = (struct running_finding){ &set->v[i], f, use };
        }
        ret->counts[most]++;
}

int running_item_read(struct book *b, const struct running_set *set, const struct book_item *item, struct arena *arena,
                      struct running_item *ret, struct error *err)
{
        struct finding_vec found = { 0 };
        struct book_sighting *sightings = NULL;
        size_t n = 0;
        *ret = (struct running_item){ 0 };
        for (size_t i = 0; i < set->n; i++) {
                ret->n_containers += set->v[i].item == item;
                ret->n_known += set->v[i].item == item && set->v[i].has_programs;
        }
        if (!ret->n_containers)
                return 0;
        int r = book_sightings(b, item->key, arena, &sightings, &n, err);
        for (size_t i = 0; i < n && r == 0; i++)
                if (sightings[i].is_open && str_is(sightings[i].finding.kind, "vulnerability"))
                        add_finding(set, item, &sightings[i].finding, ret, &found);
        if (found.n)
                qsort(found.v, found.n, sizeof(*found.v), loaded_first);
        ret->n = found.n;
        ret->v = arena_array(arena, found.n, sizeof(*ret->v));
        if (found.n)
                memcpy(ret->v, found.v, found.n * sizeof(*ret->v));
        vec_done(&found);
        return r;
}

/* ----------------------------------------------------------------------------------------------------- showing ---- */

struct str running_words(struct arena *arena, const struct running_item *r)
{
        uint64_t all = 0;
        for (size_t i = 0; i < PACKAGE_USES; i++)
                all += r->counts[i];
        if (!r->n_containers)
                return STR_NONE;
        if (!r->n_known)
                return STR("not known");
        return arena_printf(arena, "%llu of %llu", (unsigned long long)r->counts[USE_LOADED], (unsigned long long)all);
}

struct str running_doubt(struct arena *arena, const struct running *r)
{
        if (!r->item)
                return arena_printf(arena, "its image is not in the ledger: sekisho scan --record container:%.*s",
                                    STR_FMT(text_shell(arena, running_name(r))));
        if (!r->is_watched)
                return STR("no agent watches it: sekisho agent --loaded " MAPPED_DIR);
        if (!r->has_programs)
                return STR("its last scan did not keep the programs of packages: scan it again");
        return STR_NONE;
}

static json_t *finding_document(const struct running_finding *f)
{
        json_t *o = doc_object();
        doc_set(o, "id", doc_text(f->finding->id));
        doc_set(o, "package", doc_text(f->finding->package));
        doc_set(o, "version", doc_text(f->finding->version));
        doc_set(o, "severity", doc_cstr(severity_name(f->finding->severity)));
        doc_set(o, "exploited", doc_bool(f->finding->is_exploited));
        doc_set(o, "state", doc_str(f->finding->state));
        doc_set(o, "use", doc_cstr(package_use_name(f->use.use)));
        doc_set(o, "use_proof", doc_str(f->use.why));
        return o;
}

json_t *running_document(const struct running_set *set, const struct book_item *item, const struct running_item *r,
                         struct arena *arena)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < set->n; i++) {
                const struct running *c = &set->v[i];
                json_t *o, *vulnerabilities;
                if (c->item != item)
                        continue;
                o = doc_object();
                vulnerabilities = doc_array();
                doc_set(o, "container", doc_text(c->c.id));
                doc_set(o, "name", doc_str(c->c.name));
                doc_set(o, "engine", doc_cstr(c->c.engine));
                doc_set(o, "watched_since", doc_time(c->is_watched ? c->since : 0));
                doc_set(o, "not_known", doc_str(running_doubt(arena, c)));
                for (size_t k = 0; k < r->n; k++)
                        if (r->v[k].container == c)
                                doc_add(vulnerabilities, finding_document(&r->v[k]));
                doc_set(o, "vulnerabilities", vulnerabilities);
                doc_add(array, o);
        }
        return array;
}

void running_print(struct arena *arena, const struct running_item *r)
{
        struct screen s = screen_on_stdout(arena);
        struct grid g = { .columns = 5, .indent = 2, .flexible = 4, .most = { 0, 24, 32, 24, 0 } };
        for (size_t i = 0; i < r->n; i++) {
                const struct running_finding *f = &r->v[i];
                bool is_bad = f->finding->is_exploited || f->finding->severity == SEVERITY_CRITICAL;
                if (f->use.use != USE_LOADED)
                        continue;
                grid_add(&s, &g, is_bad ? PAINT_BAD : PAINT_PLAIN,
                         f->finding->is_exploited ? STR("exploited") : str_of(severity_name(f->finding->severity)));
                grid_add(&s, &g, PAINT_STRONG, text_clean(arena, f->finding->id));
                grid_add(&s, &g, PAINT_NAME, text_clean(arena, f->finding->package));
                grid_add(&s, &g, PAINT_PLAIN, text_clean(arena, running_name(f->container)));
                grid_add(&s, &g, PAINT_PLAIN, text_clean(arena, f->use.why));
        }
        grid_print(&s, &g);
}
