/* decide/decide.c: precedence, and the properties that must hold for any findings, rules and waivers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decide-fixture.h"

/* --- precedence --- */

static const char contradicting[] =
        "- rule: Allows\n  desc: x\n  condition: finding.kind = malware\n  action: allow\n"
        "- rule: Warns\n  desc: x\n  condition: finding.kind = malware\n  action: warn\n"
        "- rule: Denies\n  desc: x\n  condition: finding.kind = malware\n  action: deny\n"
        "- rule: Denies too\n  desc: x\n  condition: finding.kind = malware\n  action: deny\n"
        "- rule: Speaks\n  desc: x\n  condition: finding.kind = malware\n  action: allow\n";

static void test_deny_wins(void **state)
{
        struct policy *p = policy_of_text(contradicting);
        struct random_finding x = { .f = { .kind = STR("malware"), .id = STR("malware") } };
        struct subject_artefact a = { .now = TODAY };
        struct outcome o;
        assert_true(decide_all(p, &a, STAGE_SCAN, &x, NULL, 1, &o));
        assert_int_equal(o.action, ACTION_DENY);
        assert_int_equal(o.rule, 2); /* the first that denies */
        assert_int_equal(o.n_hits, 5);
        assert_int_equal(policy_n_enabled(p), 5);
        policy_free(p);
}

static void test_rules_of_the_artefact(void **state)
{
        struct policy *p = policy_of_text(
                "- rule: Latest\n  desc: x\n  condition: image.tag = latest\n  action: deny\n"
                "- rule: Mixed\n  desc: x\n  condition: image.tag = latest and finding.kind = secret\n"
                "  action: warn\n"
                "- rule: Later\n  desc: x\n  stage: admit\n  condition: image.tag = latest\n  action: warn\n");
        struct subject_artefact a = { .now = TODAY, .tag = STR("latest") };
        struct decider *d = decider_new(p, &a, STAGE_SCAN, (struct str_list){ 0 });
        const uint32_t *rules;
        assert_true(policy_rule_is_of_artefact(p, 0));
        assert_false(policy_rule_is_of_artefact(p, 1));
        assert_int_equal(decider_artefact(d, &rules), 1);
        assert_int_equal(rules[0], 0);
        struct subject_finding secret = { .kind = STR("secret"), .id = STR("secret") };
        struct decision x;
        decider_finding(d, &secret, DECIDE_NONE, &x); /* the rule about the artefact is not asked for each finding */
        assert_int_equal(x.n_hits, 1);
        assert_int_equal(x.rule, 1);
        decider_free(d);
        d = decider_new(p, &a, STAGE_ADMIT, (struct str_list){ 0 });
        assert_int_equal(decider_artefact(d, &rules), 2);
        decider_free(d);
        policy_free(p);
}

static void test_explanation(void **state)
{
        struct policy *p =
                policy_of_text("- rule: Both\n  desc: x\n  condition: vuln.severity >= high and vuln.fixable = true\n"
                               "  action: deny\n");
        struct fact_vulnerability v = { .severity = SEVERITY_HIGH };
        struct subject_finding f = { .kind = STR("vulnerability"), .id = STR("CVE-1"), .vulnerability = &v };
        struct subject_artefact a = { .now = TODAY };
        struct decider *d = decider_new(p, &a, STAGE_SCAN, (struct str_list){ 0 });
        struct arena arena = ARENA_INIT;
        const struct rule_step *steps;
        size_t n = decider_explain(d, &f, 0, &arena, &steps), is_true = 0, is_false = 0;
        for (size_t i = 0; i < n; i++)
                if (steps[i].kind == STEP_CHECK)
                        *(steps[i].is_true ? &is_true : &is_false) += 1;
        assert_int_equal(is_true, 1);
        assert_int_equal(is_false, 1);
        arena_done(&arena);
        decider_free(d);
        policy_free(p);
}

/* --- properties, over the policies that ship --- */

struct world {
        struct subject_artefact artefact;
        struct random_finding v[N_RANDOM];
        size_t order[N_RANDOM];
        struct outcome one[N_RANDOM], two[N_RANDOM];
};

static void make_world(struct dice *d, struct world *w)
{
        w->artefact = random_artefact(d);
        for (size_t i = 0; i < N_RANDOM; i++)
                random_finding(d, &w->v[i]);
}

static struct policy *shipped(size_t i)
{
        const struct policy_file file = { str_of(profiles[i].name), profiles[i].text };
        return policy_of(&file, 1, NULL, 0);
}

static void test_order_of_findings(void **state)
{
        struct dice d = { 1 };
        static struct world w;
        for (size_t i = 0; i < n_profiles; i++) {
                struct policy *p = shipped(i);
                for (unsigned round = 0; round < 50; round++) {
                        make_world(&d, &w);
                        shuffle(&d, w.order, N_RANDOM);
                        bool one = decide_all(p, &w.artefact, STAGE_SCAN, w.v, NULL, N_RANDOM, w.one);
                        bool two = decide_all(p, &w.artefact, STAGE_SCAN, w.v, w.order, N_RANDOM, w.two);
                        assert_int_equal(one, two);
                        assert_memory_equal(w.one, w.two, sizeof(w.one));
                }
                policy_free(p);
        }
}

static void test_more_findings_never_allow(void **state)
{
        struct dice d = { 2 };
        static struct world w;
        size_t seen[2] = { 0 };
        for (size_t i = 0; i < n_profiles; i++) {
                struct policy *p = shipped(i);
                for (unsigned round = 0; round < 50; round++) {
                        make_world(&d, &w);
                        bool before = decide_all(p, &w.artefact, STAGE_SCAN, w.v, NULL, 0, w.one);
                        for (size_t n = 1; n <= N_RANDOM; n++) {
                                bool after = decide_all(p, &w.artefact, STAGE_SCAN, w.v, NULL, n, w.one);
                                assert_false(before && !after);
                                seen[after]++;
                                before = after;
                        }
                }
                policy_free(p);
        }
        assert_true(seen[0] > 50 && seen[1] > 50);
}

static void test_stages_agree(void **state)
{
        static const enum stage stages[] = { STAGE_BUILD, STAGE_ADMIT, STAGE_RUN };
        struct dice d = { 3 };
        static struct world w;
        for (size_t i = 0; i < n_profiles; i++) {
                if (strcmp(profiles[i].name, "strict") == 0)
                        continue; /* it names stages */
                struct policy *p = shipped(i);
                for (unsigned round = 0; round < 30; round++) {
                        make_world(&d, &w);
                        bool scan = decide_all(p, &w.artefact, STAGE_SCAN, w.v, NULL, N_RANDOM, w.one);
                        enum stage stage = stages[round % ARRAY_SIZE(stages)];
                        assert_int_equal(decide_all(p, &w.artefact, stage, w.v, NULL, N_RANDOM, w.two), scan);
                        assert_memory_equal(w.one, w.two, sizeof(w.one));
                }
                policy_free(p);
        }
}

/* The rules of a file as files of their own, in another order. */
static struct policy *shuffled(struct dice *d, const struct profile *x)
{
        struct policy_file files[64];
        size_t order[64], n = 0;
        struct str rest = x->text;
        ptrdiff_t at;
        while ((at = str_find(str_from(rest, 1), STR("\n- rule:"))) >= 0) {
                files[n++] = (struct policy_file){ STR("part.yaml"), str_upto(rest, (size_t)at + 1) };
                rest = str_from(rest, (size_t)at + 1);
        }
        files[n++] = (struct policy_file){ STR("part.yaml"), rest };
        shuffle(d, order, n);
        struct policy_file in_order[64];
        for (size_t i = 0; i < n; i++)
                in_order[i] = files[order[i]];
        return policy_of(in_order, n, NULL, 0);
}

static void test_order_of_rules(void **state)
{
        struct dice d = { 4 };
        static struct world w;
        for (size_t i = 0; i < n_profiles; i++) {
                if (strcmp(profiles[i].name, "audit") == 0)
                        continue; /* its list must come before the rule that uses it */
                struct policy *p = shipped(i), *q = shuffled(&d, &profiles[i]);
                assert_int_equal(policy_n_rules(p), policy_n_rules(q));
                for (unsigned round = 0; round < 50; round++) {
                        make_world(&d, &w);
                        assert_int_equal(decide_all(p, &w.artefact, STAGE_SCAN, w.v, NULL, N_RANDOM, w.one),
                                         decide_all(q, &w.artefact, STAGE_SCAN, w.v, NULL, N_RANDOM, w.two));
                        for (size_t k = 0; k < N_RANDOM; k++) {
                                assert_int_equal(w.one[k].action, w.two[k].action);
                                assert_int_equal(w.one[k].n_hits, w.two[k].n_hits);
                        }
                }
                policy_free(p);
                policy_free(q);
        }
}

/* --- waivers --- */

static struct waiver plain_waiver(const char *finding)
{
        return (struct waiver){ .id = STR("W-1"),
                                .finding = str_of(finding),
                                .owner = STR("alice"),
                                .requester = STR("alice"),
                                .reason = STR("because"),
                                .response = STR("accept"),
                                .created = TODAY - DAY,
                                .expires = TODAY + DAY,
                                .place = { .file = STR("w.yaml"), .line = 1 },
                                .condition_place = { .file = STR("w.yaml"), .line = 2, .column = 3 },
                                .is_from_file = true };
}

static struct outcome waived(const char *settings, const struct waiver *w, const struct subject_artefact *a,
                             const struct random_finding *x)
{
        const struct policy_file files[] = {
                profiles[0].text.n ? (struct policy_file){ STR("default"), profile_find(STR("default"))->text }
                                   : (struct policy_file){ 0 },
                { STR("settings.yaml"), str_of(settings) }
        };
        struct policy *p = policy_of(files, *settings ? 2 : 1, w, 1);
        struct outcome o;
        (void)decide_all(p, a, STAGE_SCAN, x, NULL, 1, &o);
        policy_free(p);
        return o;
}

static void test_when_a_waiver_holds(void **state)
{
        struct subject_artefact a = { .now = TODAY,
                                      .digest = STR("sha256:aa"),
                                      .is_reference = true,
                                      .registry = STR("docker.io"),
                                      .repository = STR("library/web") };
        struct random_finding x = { .v = { .id = STR("DSA-1"),
                                           .cve = STR("CVE-1"),
                                           .severity = SEVERITY_CRITICAL,
                                           .matched_name = STR("openssl") } };
        x.f = (struct subject_finding){ .kind = STR("vulnerability"),
                                        .id = STR("CVE-1"),
                                        .severity = SEVERITY_CRITICAL,
                                        .vulnerability = &x.v,
                                        .path = STR("var/x") };
        struct waiver w = plain_waiver("cve-1");
#define HOLDS(settings)      assert_int_equal(waived(settings, &w, &a, &x).waiver, 0)
#define DOUBT(settings, why) assert_int_equal(waived(settings, &w, &a, &x).doubt, why)
#define NOT_FOR_IT()                                                                                                   \
        assert_int_equal(waived("", &w, &a, &x).doubtful, DECIDE_NONE),                                                \
                assert_int_equal(waived("", &w, &a, &x).waiver, DECIDE_NONE)
        HOLDS("");
        w.finding = STR("DSA-1"); /* another name of the same */
        HOLDS("");
        w.finding = STR("CVE-2");
        NOT_FOR_IT();
        w = plain_waiver("CVE-1");
        w.expires = TODAY + 1;
        HOLDS("");
        w.expires = TODAY;
        DOUBT("", WAIVER_HAS_EXPIRED);
        w = plain_waiver("CVE-1");
        w.created = TODAY + DAY;
        DOUBT("", WAIVER_NOT_YET);
        w.created = TODAY + DAY / 2; /* the same day */
        HOLDS("");
        w.is_pending = true;
        DOUBT("", WAIVER_IS_PENDING);
        w = plain_waiver("CVE-1");
        w.control = STR("waf:2");
        DOUBT("", WAIVER_NO_CONTROL);
        w.control = STR("waf:1");
        HOLDS("");

        w = plain_waiver("CVE-1");
        w.ends_on = (struct waiver_end){ .fix = true, .kev = true, .epss = 50000, .exposed = true };
        HOLDS("");
        x.f.fix = x.v.fixed = STR("2.0");
        DOUBT("", WAIVER_FIXED);
        x.f.fix = x.v.fixed = STR_NONE;
        x.v.kev = TODAY;
        DOUBT("", WAIVER_EXPLOITED);
        x.v.kev = 0;
        x.v.epss = 49999;
        HOLDS("");
        x.v.epss = 50000;
        DOUBT("", WAIVER_LIKELY);
        x.v.epss = 0;
        a.exposed = ANSWER_YES;
        DOUBT("", WAIVER_EXPOSED);
        a.exposed = ANSWER_UNKNOWN;

        w = plain_waiver("CVE-1");
        DOUBT("- settings: {four_eyes: true}\n", WAIVER_ONE_PERSON);
        w.approver = STR("ALICE");
        DOUBT("- settings: {four_eyes: true}\n", WAIVER_ONE_PERSON);
        w.approver = STR("bob");
        HOLDS("- settings: {four_eyes: true}\n");
        w.created = TODAY;
        w.expires = TODAY + 31 * DAY;
        HOLDS("- settings: {max_days: {critical: 30}}\n");
        w.expires += 1;
        DOUBT("- settings: {max_days: {critical: 30}}\n", WAIVER_TOO_LONG);
        HOLDS("- settings: {max_days: {high: 30}}\n");

        w = plain_waiver("CVE-1");
        w.scope.repository = STR("web");
        HOLDS("");
        w.scope.repository = STR("library/web");
        HOLDS("");
        w.scope.repository = STR("docker.io/library/web");
        HOLDS("");
        w.scope.repository = STR("eb");
        NOT_FOR_IT();
        w.scope.repository = STR("evil.example/library/web");
        NOT_FOR_IT();
        w.scope = (struct waiver_scope){ .package = STR("openssl") };
        HOLDS("");
        w.scope.package = STR("openss");
        NOT_FOR_IT();
        w.scope = (struct waiver_scope){ .path = STR("/var/") };
        HOLDS("");
        w.scope.path = STR("/var");
        NOT_FOR_IT();
        w.scope = (struct waiver_scope){ .digest = STR("sha256:aa") };
        HOLDS("");
        w.scope.digest = STR("sha256:a");
        NOT_FOR_IT();
}

static void decide_waived(const struct waiver *waivers, size_t n, struct world *w, struct outcome *ret)
{
        const struct policy_file file = { STR("strict"), profile_find(STR("default"))->text };
        struct policy *p = policy_of(&file, 1, waivers, n);
        (void)decide_all(p, &w->artefact, STAGE_SCAN, w->v, NULL, N_RANDOM, ret);
        policy_free(p);
}

/* Out to YAML and in again: the same waiver decides the same. */
static void test_waivers_survive_writing(void **state)
{
        struct dice d = { 5 };
        static struct world w;
        size_t covered = 0;
        for (unsigned round = 0; round < 200; round++) {
                char ids[8][32];
                struct waiver out[8], *in;
                struct buf text = BUF_INIT(1 << 20);
                struct arena arena = ARENA_INIT;
                struct problems problems = { 0 };
                size_t n;
                make_world(&d, &w);
                for (unsigned i = 0; i < 8; i++) {
                        out[i] = random_waiver(&d, i, ids[i]);
                        if (out[i].expires <= out[i].created)
                                out[i].created = out[i].expires - 1;
                        assert_null(waiver_flaw(&out[i]));
                        waiver_print(&out[i], &text);
                }
                waivers_read(STR("w.yaml"), buf_str(&text), &arena, &in, &n, &problems);
                if (problems.n)
                        fail_msg("%.*s\n%s", STR_FMT(problems.v[0].words), text.p);
                assert_int_equal(n, 8);
                decide_waived(out, 8, &w, w.one);
                decide_waived(in, n, &w, w.two);
                for (size_t k = 0; k < N_RANDOM; k++) {
                        covered += w.one[k].waiver != DECIDE_NONE;
                        assert_memory_equal(&w.one[k], &w.two[k], sizeof(w.one[k]));
                }
                problems_done(&problems);
                arena_done(&arena);
                buf_done(&text);
        }
        assert_true(covered > 100);
}

/* --- what is said of waivers --- */

static size_t notes_of(const struct waiver *w, size_t n_findings, unsigned *ret_kinds)
{
        const struct policy_file file = { STR("default"), profile_find(STR("default"))->text };
        struct policy *p = policy_of(&file, 1, w, 1);
        struct subject_artefact a = { .now = TODAY, .digest = STR("sha256:aa") };
        struct decider *d = decider_new(p, &a, STAGE_SCAN, (struct str_list){ 0 });
        struct arena arena = ARENA_INIT;
        struct waiver_note *notes;
        for (size_t i = 0; i < n_findings; i++) {
                struct subject_finding f = { .kind = STR("malware"), .id = STR("malware"), .severity = SEVERITY_HIGH };
                struct decision x;
                decider_finding(d, &f, DECIDE_NONE, &x);
        }
        size_t n = decider_waivers(d, &arena, &notes);
        *ret_kinds = 0;
        for (size_t i = 0; i < n; i++)
                *ret_kinds |= 1u << notes[i].kind;
        decider_free(d);
        arena_done(&arena);
        policy_free(p);
        return n;
}

static void test_notes(void **state)
{
        struct waiver w = plain_waiver("malware");
        unsigned kinds;
        assert_int_equal(notes_of(&w, 1, &kinds), 0);
        assert_int_equal(notes_of(&w, 0, &kinds), 1);
        assert_int_equal(kinds, 1u << NOTE_UNUSED);
        assert_int_equal(notes_of(&w, WAIVER_FINDINGS_MAX, &kinds), 0);
        assert_int_equal(notes_of(&w, WAIVER_FINDINGS_MAX + 1, &kinds), 1);
        assert_int_equal(kinds, 1u << NOTE_BROAD);
        w.expires = TODAY - DAY;
        assert_int_equal(notes_of(&w, 1, &kinds), 1);
        assert_int_equal(kinds, 1u << NOTE_EXPIRED);

        w = plain_waiver("");
        w.condition = STR("not vuln.kev = true"); /* of everything of which nothing is known */
        notes_of(&w, 1, &kinds);
        assert_int_equal(kinds, 1u << NOTE_BROAD);
        w.scope.digest = STR("sha256:aa");
        assert_int_equal(notes_of(&w, 1, &kinds), 0);
        w = plain_waiver("");
        w.condition = STR("finding.kind exists");
        notes_of(&w, 5, &kinds);
        assert_int_equal(kinds, 1u << NOTE_BROAD);

        w = plain_waiver("malware"); /* of the ledger, for whatever artefact: silence */
        w.is_from_file = false;
        assert_int_equal(notes_of(&w, 0, &kinds), 0);
        w.scope.digest = STR("sha256:aa");
        assert_int_equal(notes_of(&w, 0, &kinds), 1);
}

/* --- --fail-on --- */

static void fail_on(const char *words, const char *condition)
{
        struct buf text = BUF_INIT(4096);
        struct error err = ERROR_NONE;
        int r = policy_fail_on(str_of(words), &text, &err);
        if (!condition) {
                assert_true(r < 0 && err.text[0]);
        } else {
                assert_int_equal(r, 0);
                assert_non_null(strstr(text.p, condition));
                policy_free(policy_of_text(text.p));
        }
        buf_done(&text);
}

static void test_fail_on(void **state)
{
        fail_on("high", "condition: finding.kind = vulnerability and vuln.severity >= high\n");
        fail_on("any", "condition: finding.kind = vulnerability\n");
        fail_on("KEV", "and vuln.kev = true\n");
        fail_on("high, fixable,kev", "and vuln.severity >= high and vuln.fixable = true and vuln.kev = true\n");
        fail_on("", NULL);
        fail_on("high,critical", NULL);
        fail_on("high,", NULL);
        fail_on("serious", NULL);
        fail_on("unknown", NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_deny_wins),
                cmocka_unit_test(test_rules_of_the_artefact),
                cmocka_unit_test(test_explanation),
                cmocka_unit_test(test_order_of_findings),
                cmocka_unit_test(test_more_findings_never_allow),
                cmocka_unit_test(test_stages_agree),
                cmocka_unit_test(test_order_of_rules),
                cmocka_unit_test(test_when_a_waiver_holds),
                cmocka_unit_test(test_waivers_survive_writing),
                cmocka_unit_test(test_notes),
                cmocka_unit_test(test_fail_on),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
