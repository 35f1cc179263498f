/* See analysis.h. */
#include "report/analysis.h"

#include "report/document.h"
#include "report/identity.h"
#include "report/text.h"
#include "report/view.h"

struct str vex_author(const struct report_options *o) { return o->author ? str_of(o->author) : STR("sekisho"); }

static struct analysis stated(const struct report *r, struct arena *a, const struct finding *f)
{
        const struct fact_vex *s = f->vex;
        struct analysis x = { .status = arena_cstr(a, s->status),
                              .justification = s->justification,
                              .justification_word = s->justification_word,
                              .impact = s->impact,
                              .action = s->action,
                              .notes = s->detail,
                              .responses = s->responses,
                              .timestamp = s->timestamp,
                              .is_decided = true };
        if (!x.notes.n && s->author.n)
                x.notes = arena_printf(a, "stated by %.*s%s%.*s", STR_FMT(s->author), s->document.n ? " in " : "",
                                       STR_FMT(s->document));
        if (str_is(s->status, "affected") && !x.action.n)
                x.action = text_capital(a, finding_advice(r, a, f));
        return x;
}

struct analysis finding_analysis(const struct report *r, struct arena *a, const struct finding *f)
{
        if (f->set_aside == SET_ASIDE_BY_WAIVER)
                return (struct analysis){ .status = "affected",
                                          .action = f->set_aside_why.n ? f->set_aside_why
                                                                       : text_capital(a, finding_advice(r, a, f)),
                                          .notes = arena_printf(a, "accepted by %.*s", STR_FMT(f->set_aside_by)),
                                          .is_decided = true };
        if (f->vex)
                return stated(r, a, f);
        if (f->fix.n)
                return (struct analysis){ .status = "affected", .action = text_capital(a, finding_advice(r, a, f)) };
        return (struct analysis){ .status = "under_investigation" };
}

/* CycloneDX has finer words than OpenVEX. The document's own is kept where it is one of CycloneDX's. */
static const char *cyclonedx_justification(const struct analysis *x)
{
        static const char *const own[] = {
                "code_not_present",     "code_not_reachable",     "requires_configuration",
                "requires_dependency",  "requires_environment",   "protected_by_compiler",
                "protected_at_runtime", "protected_at_perimeter", "protected_by_mitigating_control"
        };
        static const char *const others[][2] = {
                { "component_not_present", "code_not_present" },
                { "vulnerable_code_not_present", "code_not_present" },
                { "vulnerable_code_not_in_execute_path", "code_not_reachable" },
                { "vulnerable_code_cannot_be_controlled_by_adversary", "requires_environment" },
                { "inline_mitigations_already_exist", "protected_by_mitigating_control" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(own); i++)
                if (str_is(x->justification_word, own[i]))
                        return own[i];
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (str_is(x->justification, others[i][0]))
                        return others[i][1];
        return NULL;
}

static const char *cyclonedx_state(const char *status)
{
        static const char *const states[][2] = { { "not_affected", "not_affected" },
                                                 { "affected", "exploitable" },
                                                 { "fixed", "resolved" },
                                                 { "under_investigation", "in_triage" } };
        for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                if (strcmp(status, states[i][0]) == 0)
                        return states[i][1];
        return "in_triage";
}

static json_t *responses(const struct finding *f, const struct analysis *x)
{
        static const char *const known[] = { "can_not_fix", "will_not_fix", "update", "rollback",
                                             "workaround_available" };
        json_t *array = doc_array();
        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                bool said = !x->is_decided && f->fix.n && strcmp(known[i], "update") == 0;
                for (size_t k = 0; k < x->responses.n && !said; k++)
                        said = str_is(x->responses.v[k], known[i]);
                if (said)
                        doc_add(array, doc_cstr(known[i]));
        }
        return array;
}

json_t *cyclonedx_analysis(const struct report *r, struct arena *a, const struct finding *f)
{
        struct analysis x = finding_analysis(r, a, f);
        json_t *o = doc_object(), *array = responses(f, &x);
        const char *justification = cyclonedx_justification(&x);
        struct str detail = !x.impact.n                               ? x.notes
                            : !x.notes.n || str_eq(x.notes, x.impact) ? x.impact
                            : f->vex && !f->vex->detail.n
                                    ? x.impact
                                    : arena_printf(a, "%.*s\n%.*s", STR_FMT(x.impact), STR_FMT(x.notes));
        doc_set(o, "state", doc_cstr(cyclonedx_state(x.status)));
        if (justification && strcmp(x.status, "not_affected") == 0)
                doc_set(o, "justification", doc_cstr(justification));
        if (json_array_size(array))
                doc_set(o, "response", array);
        else
                json_decref(array);
        if (detail.n)
                doc_set(o, "detail", doc_text(detail));
        if (x.timestamp)
                doc_set(o, "lastUpdated", doc_time(x.timestamp));
        return o;
}

struct str vex_uuid(const struct report *r, struct arena *a, const char *format, struct str author)
{
        struct arena one = ARENA_INIT;
        struct identity_parts parts;
        identity_begin(&parts);
        identity_add(&parts, str_of(format));
        identity_add(&parts, author);
        identity_add(&parts, report_uuid(r, a));
        identity_add(&parts, text_day(a, r->today, ""));
        for (size_t i = 0; i < r->n_findings; i++, arena_done(&one)) {
                const struct finding *f = &r->findings[i];
                if (f->kind != FINDING_VULNERABILITY)
                        continue;
                struct analysis x = finding_analysis(r, &one, f);
                identity_add(&parts, finding_fingerprint(r, &one, f));
                identity_add(&parts, str_of(x.status));
                identity_add(&parts, x.justification);
                identity_add(&parts, x.impact);
                identity_add(&parts, x.action);
                identity_add(&parts, x.notes);
        }
        return identity_uuid(&parts, a);
}
