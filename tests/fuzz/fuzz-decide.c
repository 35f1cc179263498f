/*
 * decide(policy x waivers x facts): the input is a policy, a line "%%", waivers, a line "%%", and bytes out of which
 * findings are made. Whatever the policy says: the order of findings does not matter, and one more never allows.
 */
#include "decide/decide.h"

#include <stdlib.h>

#define FINDINGS 12
#define TODAY    (INT64_C(20600) * 86400)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct made {
        struct subject_finding f;
        struct fact_vulnerability v;
        struct fact_package p;
        struct subject_package packages[1];
        struct subject_layer layer;
        struct subject_file file;
};

static int by_bytes(struct str a, struct str b) { return str_cmp(a, b); }

static uint8_t byte(struct str *s)
{
        uint8_t b = s->n ? (uint8_t)s->p[0] : 0;
        *s = str_from(*s, 1);
        return b;
}

static struct str text(struct str *s) /* up to 7 bytes of the input */
{
        size_t n = byte(s) % 8;
        struct str t = str_upto(*s, n);
        *s = str_from(*s, n);
        return t;
}

static void make(struct str *s, struct made *m)
{
        static const char *const kinds[] = {
                "vulnerability", "malware", "secret", "modified", "end-of-life", "unread"
        };
        *m = (struct made){ 0 };
        m->f.kind = str_of(kinds[byte(s) % ARRAY_SIZE(kinds)]);
        m->f.id = text(s);
        m->f.path = text(s);
        m->f.severity = (enum severity)(byte(s) % (SEVERITY_CRITICAL + 1));
        m->f.secret_confidence = text(s);
        m->layer = (struct subject_layer){ .number = byte(s), .in_base = (enum answer)(byte(s) % 3) };
        m->f.layer = &m->layer;
        m->file.path = text(s);
        m->file.is_executable = byte(s) & 1;
        m->f.file = byte(s) & 1 ? &m->file : NULL;
        if (!str_is(m->f.kind, "vulnerability"))
                return;
        m->v = (struct fact_vulnerability){ .id = m->f.id,
                                            .severity = m->f.severity,
                                            .epss = byte(s) * 400u,
                                            .kev = byte(s) & 1 ? TODAY : 0,
                                            .fixed = text(s),
                                            .cvss_vector = text(s),
                                            .published = TODAY - byte(s) * INT64_C(86400) };
        m->f.fix = m->v.fixed;
        m->f.vulnerability = &m->v;
        m->f.order = by_bytes;
        m->p = (struct fact_package){ .name = text(s), .version = text(s), .source = text(s) };
        m->packages[0] = (struct subject_package){ &m->p, text(s), &m->layer };
        m->f.packages = m->packages;
        m->f.n_packages = 1;
}

/* Denied with the first n, in this order or the other way round. */
static bool denied(const struct policy *p, const struct subject_artefact *a, const struct made *v, size_t n,
                   bool backwards)
{
        struct decider *d = decider_new(p, a, STAGE_SCAN, (struct str_list){ 0 });
        struct arena arena = ARENA_INIT;
        const uint32_t *rules;
        struct waiver_note *notes;
        bool result = false;
        (void)decider_artefact(d, &rules);
        for (size_t i = 0; i < n; i++) {
                struct decision x;
                decider_finding(d, &v[backwards ? n - 1 - i : i].f, DECIDE_NONE, &x);
                if ((x.rule == DECIDE_NONE) != (x.action == ACTION_NONE) || x.n_hits > policy_n_rules(p))
                        abort();
                result = result || (action_denies(x.action) && x.waiver == DECIDE_NONE);
                if (x.rule != DECIDE_NONE) {
                        const struct rule_step *steps;
                        (void)decider_explain(d, &v[backwards ? n - 1 - i : i].f, x.rule, &arena, &steps);
                }
        }
        (void)decider_waivers(d, &arena, &notes);
        arena_done(&arena);
        decider_free(d);
        return result;
}

static struct str part(struct str *rest)
{
        ptrdiff_t at = str_find(*rest, STR("\n%%\n"));
        struct str head = at < 0 ? *rest : str_upto(*rest, (size_t)at + 1);
        *rest = at < 0 ? STR_NONE : str_from(*rest, (size_t)at + 4);
        return head;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str rest = str_span(data, size);
        struct policy_file file = { STR("fuzz.yaml"), part(&rest) };
        struct str waiver_text = part(&rest);
        struct arena arena = ARENA_INIT;
        struct problems problems = { 0 };
        struct waiver *waivers;
        struct policy *p = NULL;
        struct made v[FINDINGS];
        size_t n;
        waivers_read(STR("w.yaml"), waiver_text, &arena, &waivers, &n, &problems);
        problems_done(&problems);
        struct policy_input in = { STR("fuzz"), &file, 1, waivers, n };
        if (policy_compile(&in, &p, &problems) == 0) {
                struct subject_artefact a = {
                        .now = TODAY, .name = text(&rest), .tag = text(&rest), .is_reference = true
                };
                for (size_t i = 0; i < FINDINGS; i++)
                        make(&rest, &v[i]);
                bool before = false;
                for (size_t i = 0; i <= FINDINGS; i++) {
                        bool now = denied(p, &a, v, i, false);
                        if (now != denied(p, &a, v, i, true) || (before && !now))
                                abort();
                        before = now;
                }
        }
        problems_done(&problems);
        policy_free(p);
        arena_done(&arena);
        return 0;
}
