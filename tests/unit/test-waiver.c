/* decide/waiver*.c: files of waivers, good, wrong and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decide-fixture.h"

#define GOOD "- waiver: W-1\n  finding: CVE-2024-5535\n  owner: alice\n  reason: not reachable\n  until: 2026-12-31\n"

struct read {
        struct arena arena;
        struct problems problems;
        struct waiver *v;
        size_t n;
};

static void read_text(struct read *r, struct str text)
{
        *r = (struct read){ 0 };
        waivers_read(STR("w.yaml"), text, &r->arena, &r->v, &r->n, &r->problems);
}

static void read_done(struct read *r)
{
        problems_done(&r->problems);
        arena_done(&r->arena);
}

static void test_good(void **state)
{
        struct read r;
        read_text(&r, STR("# ours\n" GOOD "  scope: {repository: shop/web, package: openssl}\n  control: waf:9301\n"
                          "  ends_on: [fix, epss=0.25]\n  created: 2026-11-01\n  approver: bob\n"
                          "- waiver: W-2\n  condition: >\n    vuln.severity < high\n    and package.name = curl\n"
                          "  owner: carol\n  reason: \"low\"\n  until: 2026-12-31T10:00:00Z\n"));
        assert_int_equal(r.problems.n, 0);
        assert_int_equal(r.n, 2);
        const struct waiver *w = &r.v[0];
        assert_true(str_is(w->id, "W-1") && str_is(w->response, "mitigate") && str_is(w->requester, "alice"));
        assert_true(str_is(w->scope.repository, "shop/web") && str_is(w->scope.package, "openssl"));
        assert_true(w->ends_on.fix && w->ends_on.epss == 25000 && !w->ends_on.kev);
        assert_int_equal(w->expires, INT64_C(20819) * DAY); /* 2027-01-01 */
        assert_int_equal(w->place.line, 2);
        w++;
        assert_true(str_is(w->condition, "vuln.severity < high and package.name = curl") &&
                    str_is(w->response, "accept"));
        assert_int_equal(w->condition_place.line, 13);
        assert_int_equal(w->expires, INT64_C(20818) * DAY + 36000);
        read_done(&r);
        read_text(&r, STR(""));
        assert_int_equal(r.problems.n, 0);
        assert_int_equal(r.n, 0);
        read_done(&r);
}

/* Each is refused, in words that have this in them, at this line; and gives no waiver. */
static void test_wrong(void **state)
{
        static const struct {
                const char *text, *words;
                uint32_t line;
        } wrong[] = {
                { "- waiver: W-1\n  finding: CVE-1\n  owner: a\n  until: 2026-12-31\n", "has no reason", 1 },
                { "- waiver: W-1\n  finding: CVE-1\n  reason: a\n  until: 2026-12-31\n", "has no owner", 1 },
                { "- waiver: W-1\n  finding: CVE-1\n  owner: a\n  reason: b\n", "has no end", 1 },
                { "- waiver: W-1\n  owner: a\n  reason: b\n  until: 2026-12-31\n", "says nothing about what it waives",
                  1 },
                { "- finding: CVE-1\n  owner: a\n  reason: b\n  until: 2026-12-31\n", "needs an id", 1 },
                { "- waiver: a b\n  finding: CVE-1\n  owner: a\n  reason: b\n  until: 2026-12-31\n", "needs an id", 1 },
                { GOOD "  reasn: c\n", "did you mean reason?", 6 },
                { GOOD "  reason: c\n", "was given in line 4", 6 },
                { GOOD "  until2: 1\n", "has no \"until2\"", 6 },
                { GOOD GOOD, "is that of the waiver in line 1", 6 },
                { GOOD "  created: yesterday\n", "is no date", 6 },
                { GOOD "  created: 2027-06-01\n", "ends before it begins", 1 },
                { GOOD "  response: hope\n", "none of update, replace, mitigate, accept", 1 },
                { GOOD "  response: mitigate\n", "give control", 1 },
                { GOOD "  ends_on: control\n", "names none", 1 },
                { GOOD "  ends_on: [fix, never]\n", "ends_on takes", 6 },
                { GOOD "  ends_on: epss=2\n", "ends_on takes", 6 },
                { GOOD "  ends_on: epss=0\n", "ends_on takes", 6 },
                { GOOD "  scope: web\n", "scope is a mapping", 6 },
                { GOOD "  scope: {}\n", "scope is a mapping", 6 },
                { GOOD "  scope: {host: web}\n", "scope has no part \"host\"", 6 },
                { GOOD "  scope: {repo: a, repository: b}\n", "scope has no part", 6 },
                { GOOD "  approver: [bob]\n", "approver has no text", 6 },
                { GOOD "  approver: ~\n", "approver has no text", 6 },
                { GOOD "  approver: \"bo\\nb\"\n", "is not one line", 6 },
                { GOOD "  approver: \"bo\\u2028b\"\n", "is not one line", 6 },
                { GOOD "  approver: \"bo\\0b\"\n", "is not one line", 6 },
                { "waiver: W-1\n", "is a list", 1 },
                { "- W-1\n", "is no waiver", 1 },
                { "- waiver: W-1\n  finding: \"CVE-1' or x\"\n  owner: a\n  reason: b\n  until: 2026-12-31\n",
                  "names no finding", 1 },
                { "- waiver: W-1\n   bad: [\n", "line", 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                struct read r;
                bool told = false;
                read_text(&r, str_of(wrong[i].text));
                for (size_t k = 0; k < r.problems.n; k++)
                        told = told || (r.problems.v[k].place.line == wrong[i].line &&
                                        str_find(r.problems.v[k].words, str_of(wrong[i].words)) >= 0);
                if (!told)
                        fail_msg("%s: wanted \"%s\" in line %u; %zu problems, the first: %.*s in line %u",
                                 wrong[i].text, wrong[i].words, wrong[i].line, r.problems.n,
                                 STR_FMT(r.problems.n ? r.problems.v[0].words : STR("-")),
                                 r.problems.n ? r.problems.v[0].place.line : 0);
                assert_true(r.problems.n_errors > 0);
                read_done(&r);
        }
}

/* Every beginning of a file, and every file with one bit turned, does no harm; what is read is whole. */
static void test_damaged(void **state)
{
        static const char text[] = GOOD "  scope: {repository: 'shop/web'}\n  ends_on: [fix, epss=0.25]\n";
        char copy[sizeof(text)];
        for (size_t n = 0; n < sizeof(text); n++) {
                struct read r;
                read_text(&r, str_span(text, n));
                for (size_t i = 0; i < r.n; i++)
                        assert_null(waiver_flaw(&r.v[i]));
                read_done(&r);
        }
        for (size_t bit = 0; bit < 8 * (sizeof(text) - 1); bit++) {
                struct read r;
                memcpy(copy, text, sizeof(text));
                copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
                read_text(&r, str_span(copy, sizeof(text) - 1));
                for (size_t i = 0; i < r.n; i++)
                        assert_null(waiver_flaw(&r.v[i]));
                read_done(&r);
        }
}

static void test_limits(void **state)
{
        struct buf text = BUF_INIT(64u << 20);
        struct read r;
        buf_puts(&text, "- waiver: W-1\n  finding: CVE-1\n  owner: a\n  until: 2026-12-31\n  reason: ");
        for (size_t i = 0; i < WAIVER_TEXT_MAX + 1; i++)
                buf_putc(&text, 'x');
        read_text(&r, buf_str(&text));
        assert_int_equal(r.n, 0);
        assert_int_equal(r.problems.n_errors, 1);
        read_done(&r);
        buf_clear(&text);
        for (size_t i = 0; i < WAIVERS_MAX + 1; i++)
                buf_printf(&text, "- waiver: W-%zu\n  finding: CVE-1\n  owner: a\n  until: 2026-12-31\n  reason: x\n",
                           i);
        read_text(&r, buf_str(&text));
        assert_int_equal(r.n, 0);
        assert_int_equal(r.problems.n_errors, 1);
        assert_true(str_find(r.problems.v[0].words, STR("the limit is")) >= 0);
        read_done(&r);
        buf_clear(&text); /* each of nine levels nine times the one before */
        buf_puts(&text, "- &a0 {waiver: x}\n");
        for (unsigned i = 1; i < 10; i++) {
                buf_printf(&text, "- &a%u [", i);
                for (unsigned k = 0; k < 9; k++)
                        buf_printf(&text, "%s*a%u", k ? "," : "", i - 1);
                buf_puts(&text, "]\n");
        }
        read_text(&r, buf_str(&text));
        assert_int_equal(r.n, 0);
        assert_true(r.problems.n_errors > 0);
        read_done(&r);
        buf_done(&text);
}

static void test_parts(void **state)
{
        struct waiver_end e;
        struct waiver_scope s = { 0 };
        int64_t t;
        struct buf b = BUF_INIT(1024);
        assert_true(waiver_end_parse(STR("fix, kev,epss=0.5,control,exposed"), &e));
        waiver_end_print(&e, &b);
        assert_string_equal(b.p, "fix,kev,control,exposed,epss=0.50000");
        assert_true(waiver_end_parse(STR("epss=1"), &e) && e.epss == WAIVER_EPSS_ONE);
        assert_true(waiver_end_parse(STR("epss=.000019"), &e) && e.epss == 1);
        assert_true(waiver_end_parse(STR("none"), &e) && !e.epss);
        static const char *const no[] = { "",      "epss", "epss=", "epss=-1", "epss=1.1", "epss=0.5x", "epss=0.000001",
                                          "fix=1", "fix,", ",fix",  "none,fix" };
        for (size_t i = 0; i < ARRAY_SIZE(no); i++)
                assert_false(waiver_end_parse(str_of(no[i]), &e));
        assert_true(waiver_scope_parse(STR("repo:ghcr.io:443/a/b"), &s) && str_is(s.repository, "ghcr.io:443/a/b"));
        assert_true(waiver_scope_parse(STR("path:/opt/"), &s));
        assert_false(waiver_scope_parse(STR("path:/again"), &s));
        assert_false(waiver_scope_parse(STR("package:"), &s));
        assert_false(waiver_scope_parse(STR("openssl"), &s));
        char text[WAIVER_UNTIL_TEXT_MAX];
        assert_true(waiver_until_parse(STR("2026-12-31"), &t));
        assert_string_equal(waiver_until_print(t, text), "2026-12-31");
        assert_true(waiver_until_parse(STR("2026-12-31T00:00:01Z"), &t));
        assert_string_equal(waiver_until_print(t, text), "2026-12-31T00:00:01Z");
        assert_true(waiver_until_parse(STR("2026-12-31T00:00:00Z"), &t)); /* the last day is the one before */
        assert_string_equal(waiver_until_print(t, text), "2026-12-30");
        assert_false(waiver_until_parse(STR("2026-13-31"), &t));
        buf_done(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),   cmocka_unit_test(test_wrong), cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_limits), cmocka_unit_test(test_parts),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
