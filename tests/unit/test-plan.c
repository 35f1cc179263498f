/* flow/plan.c: the plan is the smallest one, by trying everything on small cases, and what it promises is so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "db-fixture.h"
#include "decide-fixture.h"

#include "flow/again.h"
#include "flow/plan.h"

#define SOURCES  3
#define VERSIONS 6 /* 1 to 6 */

static const char *const names[SOURCES] = { "alpha", "beta", "gamma" };

/* Advisories at random: each of one package, from a version on, with or without a fix, serious or not. */
static void random_advisories(struct dice *d, struct buf *to)
{
        size_t n = 1 + roll(d, 7);
        for (size_t i = 0; i < n; i++) {
                unsigned from = (unsigned)roll(d, 4), until = from + 1 + (unsigned)roll(d, VERSIONS - from);
                bool has_fix = roll(d, 8) != 0 && until <= VERSIONS, is_serious = roll(d, 3) != 0;
                buf_printf(to,
                           "{\"id\":\"CVE-2025-%zu\",\"modified\":\"2026-01-01T00:00:00Z\",\"severity\":[{\"type\":"
                           "\"CVSS_V3\",\"score\":\"%s\"}],"
                           "\"affected\":[{\"package\":{\"ecosystem\":\"Debian:12\",\"name\":\"%s\"},\"ranges\":[{"
                           "\"type\":\"ECOSYSTEM\","
                           "\"events\":[{\"introduced\":\"%u\"}",
                           i + 1,
                           is_serious ? "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
                                      : "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N",
                           names[roll(d, SOURCES)], from);
                if (has_fix)
                        buf_printf(to, ",{\"fixed\":\"%u\"}", until);
                buf_puts(to, "]}]}]}\n");
        }
}

struct world {
        struct fixture db;
        struct policy *policy;
        struct scan_options o;
        struct report_package packages[SOURCES + 1]; /* the last is a second one of the first source */
        struct scan scan;
        char versions[SOURCES + 1][8];
};

static const char *const binaries[SOURCES + 1] = { "alpha-bin", "beta", "gamma", "libalpha" };

static void set_version(struct report_package *p, const char *version)
{
        p->p.version = p->p.source_version = str_of(version);
}

static void world_init(struct world *w, struct dice *d, const char *policy)
{
        _cleanup_(buf_done) struct buf records = BUF_INIT(1 << 20);
        *w = (struct world){ 0 };
        random_advisories(d, &records);
        fixture_init(&w->db, records.p);
        w->policy = policy_of_text(policy);
        w->o = (struct scan_options){ .db = w->db.db, .db_source = STR("test"), .policy = w->policy, .today = TODAY };
        w->scan.report = (struct report){ .today = TODAY, .has_os = true, .complete = true };
        w->scan.report.os = (struct fact_os){ .id = STR("debian"), .version = STR("12") };
        for (size_t i = 0; i <= SOURCES; i++) {
                const char *source = i < SOURCES ? names[i] : names[0];
                unsigned version = i < SOURCES ? 1 + (unsigned)roll(d, 3) : (unsigned)(w->versions[0][0] - '0');
                snprintf(w->versions[i], sizeof(w->versions[i]), "%u", version);
                w->packages[i].p = (struct fact_package){ .type = STR("deb"),
                                                          .name = str_of(binaries[i]),
                                                          .source = str_of(source) };
                w->packages[i].layer = NONE;
                set_version(&w->packages[i], w->versions[i]);
        }
        w->scan.report.packages = w->packages;
        w->scan.report.n_packages = SOURCES + 1;
        struct error err = ERROR_NONE;
        assert_int_equal(scan_rematch(&w->scan, &w->o, NULL, 0, &err), 0);
}

static void world_done(struct world *w)
{
        arena_done(&w->scan.arena);
        policy_free(w->policy);
        fixture_done(&w->db);
}

/* Whether it is denied with these versions of the sources. */
static bool is_denied_with(const struct world *w, const unsigned *versions)
{
        struct report_package packages[SOURCES + 1];
        char text[SOURCES][8];
        struct scan again;
        struct error err = ERROR_NONE;
        memcpy(packages, w->packages, sizeof(packages));
        for (size_t i = 0; i <= SOURCES; i++) {
                size_t k = i % SOURCES;
                snprintf(text[k], sizeof(text[k]), "%u", versions[k]);
                set_version(&packages[i], text[k]);
        }
        const struct scan_change change = { .packages = packages };
        assert_int_equal(scan_again(&w->scan, &w->o, &change, &again, &err), 0);
        bool denied = again.report.denied;
        scan_again_done(&again);
        return denied;
}

/* The assignment that passes with the fewest packages moved, and of these the lowest versions; false: none passes. */
static bool best(const struct world *w, unsigned *ret)
{
        unsigned now[SOURCES], v[SOURCES], best_cost = UINT32_MAX;
        for (size_t i = 0; i < SOURCES; i++)
                now[i] = (unsigned)(w->versions[i][0] - '0');
        for (v[0] = now[0]; v[0] <= VERSIONS; v[0]++)
                for (v[1] = now[1]; v[1] <= VERSIONS; v[1]++)
                        for (v[2] = now[2]; v[2] <= VERSIONS; v[2]++) {
                                unsigned cost = 0;
                                for (size_t i = 0; i < SOURCES; i++)
                                        cost += (v[i] > now[i] ? 1000 : 0) + v[i];
                                if (cost < best_cost && !is_denied_with(w, v)) {
                                        best_cost = cost;
                                        memcpy(ret, v, sizeof(v));
                                }
                        }
        return best_cost != UINT32_MAX;
}

static unsigned planned(const struct plan *p, size_t source, const struct world *w)
{
        for (size_t i = 0; i < p->n_updates; i++)
                if (str_is(p->updates[i].name, names[source]))
                        return (unsigned)(p->updates[i].to.p[0] - '0');
        return (unsigned)(w->versions[source][0] - '0');
}

static const char denies_serious[] = "- rule: Serious\n  desc: x\n  condition: vuln.severity >= high\n  action: deny\n";

static void test_smallest(void **state)
{
        struct dice d = { 11 };
        size_t moved = 0, hopeless = 0, nothing = 0;
        for (unsigned round = 0; round < 150; round++) {
                struct world w;
                struct plan p;
                struct error err = ERROR_NONE;
                unsigned wanted[SOURCES];
                world_init(&w, &d, denies_serious);
                assert_int_equal(plan_make(&w.scan, &w.o, &p, &err), 0);
                bool is_possible = best(&w, wanted);
                assert_int_equal(p.passes, is_possible);
                assert_int_equal(p.n_left == 0, is_possible);
                for (size_t i = 0; is_possible && i < SOURCES; i++)
                        assert_int_equal(planned(&p, i, &w), wanted[i]);
                moved += p.n_updates;
                hopeless += !is_possible;
                nothing += !p.n_updates && is_possible;
                plan_done(&p);
                world_done(&w);
        }
        assert_true(moved > 50 && hopeless > 5 && nothing > 5);
}

static void one_advisory(struct buf *to, const char *name, const char *fixed)
{
        buf_printf(to,
                   "{\"id\":\"CVE-2025-1\",\"modified\":\"2026-01-01T00:00:00Z\",\"severity\":[{\"type\":\"CVSS_V3\","
                   "\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/"
                   "A:H\"}],\"affected\":[{\"package\":{\"ecosystem\":\"Debian:12\","
                   "\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":"
                   "\"%s\"}]}]}]}\n",
                   name, fixed);
}

/* The exact versions of binary packages, as far as they follow the source's, and commands that a shell can be given. */
static void test_commands(void **state)
{
        static const struct {
                const char *source, *source_version, *name, *version, *fixed, *command;
        } cases[] = {
                { "openssl", "3.0-1", "libssl3", "3.0-1", "3.0-2",
                  "apt-get update && apt-get install -y --only-upgrade libssl3=3.0-2" },
                { "openssl", "3.0-1", "libssl3", "3.0-1+b2", "1:3.0-2",
                  "apt-get update && apt-get install -y --only-upgrade libssl3=1:3.0-2" },
                { "gcc-12", "12.2", "libgcc-s1", "12.2-own", "12.3",
                  "apt-get update && apt-get install -y --only-upgrade libgcc-s1" },
                { "linux-signed-amd64", "6.1.90+1", "linux-image-amd64", "6.1.90+1", "6.1.90-2",
                  "apt-get update && apt-get install -y --only-upgrade linux-image-amd64=6.1.90+2" },
                { "x", "1", "x;reboot", "1", "2", NULL },
                { "x", "1", "-o", "1", "2", NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(buf_done) struct buf records = BUF_INIT(1 << 20);
                struct world w = { 0 };
                struct plan p;
                struct error err = ERROR_NONE;
                struct arena arena = ARENA_INIT;
                one_advisory(&records,
                             str_starts(str_of(cases[i].source), STR("linux-signed")) ? "linux" : cases[i].source,
                             cases[i].fixed);
                fixture_init(&w.db, records.p);
                w.policy = policy_of_text(denies_serious);
                w.o = (struct scan_options){
                        .db = w.db.db, .db_source = STR("test"), .policy = w.policy, .today = TODAY
                };
                w.scan.report = (struct report){
                        .today = TODAY, .has_os = true, .complete = true, .packages = w.packages, .n_packages = 1
                };
                w.scan.report.os = (struct fact_os){ .id = STR("debian"), .version = STR("12") };
                w.packages[0].p = (struct fact_package){ .type = STR("deb"),
                                                         .name = str_of(cases[i].name),
                                                         .version = str_of(cases[i].version),
                                                         .source = str_of(cases[i].source),
                                                         .source_version = str_of(cases[i].source_version) };
                assert_int_equal(scan_rematch(&w.scan, &w.o, NULL, 0, &err), 0);
                assert_true(w.scan.report.denied);
                assert_int_equal(plan_make(&w.scan, &w.o, &p, &err), 0);
                assert_true(p.passes);
                struct str command = plan_command(&p, "deb", &arena);
                if (!str_is(command, cases[i].command ? cases[i].command : ""))
                        fail_msg("%.*s", STR_FMT(command));
                assert_false(plan_command(&p, "rpm", &arena).n);
                arena_done(&arena);
                plan_done(&p);
                world_done(&w);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_smallest), cmocka_unit_test(test_commands) };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
