/* See remember.h. The ledger has structs of its own: what a report holds can change without changing what was recorded.
 */
#include "flow/remember.h"

static struct str subject_of(const struct finding *f)
{
        return f->vulnerability ? f->vulnerability->matched_name : f->path;
}

struct str finding_key(const struct finding *f, struct arena *arena)
{
        struct str subject = subject_of(f);
        if (!subject.n && f->layer != NONE)
                return arena_printf(arena, "%.*s layer %zu", STR_FMT(f->id), f->layer + 1);
        return arena_printf(arena, "%.*s%s%.*s", STR_FMT(f->id), subject.n ? " " : "", STR_FMT(subject));
}

static struct str state_of(const struct finding *f)
{
        static const char *const aside[SET_ASIDES] = { [SET_ASIDE_BY_VEX] = "vex", [SET_ASIDE_BY_WAIVER] = "waived" };
        if (f->set_aside != SET_ASIDE_NOT)
                return str_of(aside[f->set_aside]);
        return !f->rule ? STR("noted") : f->rule->denies ? STR("denied") : STR("warned");
}

static struct book_finding finding_of(const struct finding *f, struct arena *arena)
{
        const struct fact_vulnerability *v = f->vulnerability;
        return (struct book_finding){
                .key = finding_key(f, arena),
                .kind = str_of(finding_kind_name(f->kind)),
                .id = f->id,
                .package = v ? v->matched_name : STR_NONE,
                .version = v ? v->installed : STR_NONE,
                .fix = f->fix,
                .path = f->path,
                .severity = f->severity,
                .is_fixable = v && v->fixed.n,
                .is_exploited = v && v->kev,
                .response = str_of(response_name(f->response)),
                .state = state_of(f),
                .waiver = f->waiver ? f->waiver->id : STR_NONE,
                .rule = f->rule ? f->rule->name : STR_NONE,
        };
}

static struct str verdict_of(const struct report *r)
{
        return r->denied ? STR("deny") : r->n_rules ? STR("warn") : STR("allow");
}

int remember_scan(struct book *b, const struct book_stamp *stamp, const struct report *r, struct str host,
                  struct book_scan_outcome *ret, struct error *err)
{
        struct arena arena = ARENA_INIT;
        struct book_package *packages = arena_array(&arena, r->n_packages, sizeof(*packages));
        struct book_finding *findings = arena_array(&arena, r->n_findings, sizeof(*findings));
        struct book_program *programs = arena_array(&arena, r->n_programs, sizeof(*programs));
        for (size_t i = 0; i < r->n_packages; i++)
                packages[i].p = r->packages[i].p;
        for (size_t i = 0; i < r->n_programs; i++)
                programs[i] = (struct book_program){ r->programs[i].package, r->programs[i].path };
        for (size_t i = 0; i < r->n_findings; i++)
                findings[i] = finding_of(&r->findings[i], &arena);
        const struct book_scan scan = {
                .artefact = { .digest = r->digest,
                              .image_id = r->image_id,
                              .kind = r->kind,
                              .name = r->name.n ? r->name : r->target,
                              .target = r->target,
                              .container = r->container,
                              .host = str_is(r->kind, "registry") ? STR_NONE : host,
                              .tags = r->tags },
                .os = r->has_os ? r->os : (struct fact_os){ .id = STR_NONE },
                .data = { .source = r->data_source, .digest = r->data_digest, .date = r->data_date },
                .policy = r->policy,
                .verdict = verdict_of(r),
                .is_complete = r->complete,
                .packages = packages,
                .n_packages = r->n_packages,
                .findings = findings,
                .n_findings = r->n_findings,
                .programs = programs,
                .n_programs = r->n_programs,
                .has_programs = r->has_programs,
        };
        int e = book_add_scan(b, stamp, &scan, ret, err);
        arena_done(&arena);
        return e;
}
