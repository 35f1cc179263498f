/* The advisory database: how versions are evaluated, what is merged, and that a damaged file costs nothing but answers.
 */
#include "intel/db-format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "db-fixture.h"

#define RECORD(id, rest) "{\"id\":\"" id "\",\"modified\":\"2024-01-02T00:00:00Z\"," rest "}\n"
#define AFFECTED(ecosystem, name, rest)                                                                                \
        "\"affected\":[{\"package\":{\"ecosystem\":\"" ecosystem "\",\"name\":\"" name "\"}," rest "}]"
#define EVENTS(list)    "\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[" list "]}]"
#define NPM(id, events) RECORD(id, AFFECTED("npm", "p", EVENTS(events)))

/* A row: events, a version, whether it is affected. */
static const struct {
        const char *events, *version;
        int affected;
} ranges[] = {
        { "{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}", "1.9.9", 1 },
        { "{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}", "2.0.0", 0 },
        { "{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}", "0.0.0-alpha", 1 },
        { "{\"introduced\":\"1.0.0\"},{\"fixed\":\"2.0.0\"}", "0.9.0", 0 },
        { "{\"introduced\":\"1.0.0\"},{\"fixed\":\"2.0.0\"}", "1.0.0", 1 },
        /* unsorted, by text order wrong too */
        { "{\"fixed\":\"10.0.0\"},{\"introduced\":\"9.0.0\"}", "9.5.0", 1 },
        { "{\"fixed\":\"10.0.0\"},{\"introduced\":\"9.0.0\"}", "10.0.0", 0 },
        { "{\"fixed\":\"10.0.0\"},{\"introduced\":\"9.0.0\"}", "8.0.0", 0 },
        { "{\"introduced\":\"3.0.0\"},{\"fixed\":\"3.1.0\"},{\"introduced\":\"1.0.0\"},{\"fixed\":\"1.5.0\"}", "1.4.0",
          1 },
        { "{\"introduced\":\"3.0.0\"},{\"fixed\":\"3.1.0\"},{\"introduced\":\"1.0.0\"},{\"fixed\":\"1.5.0\"}", "2.0.0",
          0 },
        { "{\"introduced\":\"3.0.0\"},{\"fixed\":\"3.1.0\"},{\"introduced\":\"1.0.0\"},{\"fixed\":\"1.5.0\"}", "3.0.9",
          1 },
        /* last_affected belongs to the range */
        { "{\"introduced\":\"1.0.0\"},{\"last_affected\":\"2.0.0\"}", "2.0.0", 1 },
        { "{\"introduced\":\"1.0.0\"},{\"last_affected\":\"2.0.0\"}", "2.0.1", 0 },
        { "{\"introduced\":\"5.0.0\"},{\"last_affected\":\"5.0.0\"}", "5.0.0", 1 },
        { "{\"last_affected\":\"5.0.0\"},{\"introduced\":\"5.0.0\"}", "5.0.0", 1 },
        { "{\"last_affected\":\"5.0.0\"},{\"introduced\":\"5.0.0\"}", "5.0.1", 0 },
        /* both, which the schema forbids: the first that ends it */
        { "{\"introduced\":\"0\"},{\"fixed\":\"3.0.0\"},{\"last_affected\":\"2.0.0\"}", "2.0.0", 1 },
        { "{\"introduced\":\"0\"},{\"fixed\":\"3.0.0\"},{\"last_affected\":\"2.0.0\"}", "2.5.0", 0 },
        { "{\"introduced\":\"0\"},{\"fixed\":\"1.0.0\"},{\"fixed\":\"3.0.0\"}", "2.0.0", 0 },
        /* no end */
        { "{\"introduced\":\"1.0.0\"}", "99.0.0", 1 },
        { "{\"introduced\":\"1.0.0\"}", "0.9.9", 0 },
        { "{\"fixed\":\"1.0.0\"}", "0.9.0", 0 },
        /* an end and a start at one version */
        { "{\"introduced\":\"1.0.0\"},{\"fixed\":\"2.0.0\"},{\"introduced\":\"2.0.0\"},{\"fixed\":\"3.0.0\"}", "2.0.0",
          1 },
        { "{\"introduced\":\"2.0.0\"},{\"fixed\":\"2.0.0\"}", "2.0.0", 0 },
        { "{\"introduced\":\"2.0.0\"},{\"fixed\":\"2.0.0\"}", "2.5.0", 0 },
        /* limit */
        { "{\"introduced\":\"1.0.0\"},{\"limit\":\"2.0.0\"}", "1.9.0", 1 },
        { "{\"introduced\":\"1.0.0\"},{\"limit\":\"2.0.0\"}", "2.0.0", 0 },
        { "{\"introduced\":\"1.0.0\"},{\"fixed\":\"3.0.0\"},{\"limit\":\"2.0.0\"}", "2.5.0", 0 },
        { "{\"introduced\":\"1.0.0\"},{\"fixed\":\"1.5.0\"},{\"limit\":\"2.0.0\"}", "1.6.0", 0 },
        { "{\"introduced\":\"3.0.0\"},{\"limit\":\"2.0.0\"}", "3.0.0", 0 },
        { "{\"introduced\":\"1.0.0\"},{\"limit\":\"2.0.0\"},{\"limit\":\"4.0.0\"}", "3.0.0", 1 },
        { "{\"introduced\":\"1.0.0\"},{\"limit\":\"2.0.0\"},{\"limit\":\"*\"}", "9.0.0", 1 },
        /* several events in one object, which the schema forbids */
        { "{\"introduced\":\"1.0.0\",\"fixed\":\"2.0.0\"}", "1.5.0", 1 },
        { "{\"introduced\":\"1.0.0\",\"fixed\":\"2.0.0\"}", "2.0.0", 0 },
        /* what is no version is still ordered, and events that are none are left out */
        { "{\"introduced\":\"0\"},{\"fixed\":\"not a version\"}", "1.0.0", 0 },
        { "{\"introduced\":\"1.0.0\"},{\"fixed\":7},{\"fixed\":\"\"}", "1.5.0", 1 },
};

static void test_ranges(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
                struct fixture f;
                char record[1024];
                snprintf(record, sizeof(record), NPM("X-1", "%s"), ranges[i].events);
                fixture_init(&f, record);
                if (fixture_match(&f, "npm", "p", ranges[i].version) != ranges[i].affected)
                        fail_msg("%s with %s", ranges[i].version, ranges[i].events);
                fixture_done(&f);
        }
}

static void test_facts(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(&f, RECORD("GHSA-1",
                                "\"aliases\":[\"CVE-2024-1234\"],\"summary\":\"Bad\\nthing\","
                                "\"severity\":[{\"type\":\"CVSS_V4\",\"score\":\"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/"
                                "VC:H/VI:H/VA:H/SC:N/SI:N/SA:N\"},"
                                "{\"type\":\"CVSS_V3\",\"score\":\"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"}],"
                                "\"published\":\"2024-01-01T00:00:00Z\"," AFFECTED(
                                        "npm", "p", EVENTS("{\"introduced\":\"1.0.0\"},{\"fixed\":\"2.0.0\"}"))));
        assert_int_equal(fixture_match(&f, "npm", "p", "1.2.0"), 1);
        const struct fact_vulnerability *v = &f.found[0];
        assert_str(v->id, "GHSA-1");
        assert_str(v->cve, "CVE-2024-1234");
        assert_int_equal(v->aliases.n, 0);
        assert_int_equal(v->severity, SEVERITY_CRITICAL);
        assert_str(v->severity_source, "cvss-3.1");
        assert_int_equal(v->cvss_score, 98);
        assert_str(v->cvss_vector, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
        assert_str(v->summary, "Bad thing");
        assert_str(v->introduced, "1.0.0");
        assert_str(v->fixed, "2.0.0");
        assert_str(v->installed, "1.2.0");
        assert_str(v->comparison, "1.0.0 <= 1.2.0 < 2.0.0");
        assert_str(v->ecosystem, "npm");
        assert_str(v->matched_name, "p");
        assert_str(v->feed, "test");
        assert_int_equal(v->published, 1704067200);
        assert_int_equal(fixture_match(&f, "npm", "P", "1.2.0"), 0);
        assert_int_equal(fixture_match(&f, "npm", "q", "1.2.0"), 0);
        assert_int_equal(fixture_match(&f, "Go", "p", "1.2.0"), 0);
        assert_int_equal(fixture_lookup(&f, "CVE-2024-1234"), 1);
        assert_str(f.found[0].id, "GHSA-1");
        assert_int_equal(fixture_lookup(&f, "GHSA-1"), 1);
        assert_int_equal(fixture_lookup(&f, "GHSA-2"), 0);
        struct db_feed feed;
        assert_int_equal(db_feeds(f.db), 1);
        assert_true(db_feed(f.db, 0, &feed));
        assert_str(feed.name, "test");
        assert_int_equal(feed.records, 1);
        assert_int_equal(feed.date, 1704067200);
        assert_int_equal(db_date(f.db), 1704067200);
        assert_int_equal(db_advisories(f.db), 1);
        assert_true(db_knows_ecosystem(f.db, STR("npm")));
        assert_false(db_knows_only_exploited(f.db, STR("npm")));
        assert_false(db_knows_ecosystem(f.db, STR("Debian:11")));
        assert_false(db_knows_only_exploited(f.db, STR("Debian:11")));
        fixture_done(&f);
}

static void test_versions_list(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(
                &f,
                RECORD("A-1", AFFECTED("PyPI", "My.Package_x", "\"versions\":[\"10.0\",\"9.0\",\"1.0rc1\",\"9.0\"]"))
                        RECORD("A-2", AFFECTED("Nowhere", "p", "\"versions\":[\"b\",\"a\",\"10\",\"9\"]"))
                                RECORD("A-3", AFFECTED("Nowhere", "p", EVENTS("{\"introduced\":\"0\"}")))
                                        RECORD("A-4", AFFECTED("npm", "q",
                                                               EVENTS("{\"introduced\":\"1.0.0\"},{\"fixed\":\"2.0."
                                                                      "0\"}") ",\"versions\":[\"5.0.0\"]")));
        assert_int_equal(fixture_match(&f, "PyPI", "my-package-x", "9.0.0"), 1); /* equal in PEP 440 */
        assert_str(f.found[0].comparison, "9.0.0 is in the advisory's list of affected versions");
        assert_str(f.found[0].matched_name, "my-package-x");
        assert_int_equal(fixture_match(&f, "pypi", "MY_PACKAGE.X", "1.0.rc1"), 1);
        assert_int_equal(fixture_match(&f, "PyPI", "my-package-x", "9.1"), 0);
        assert_int_equal(fixture_match(&f, "Nowhere", "p", "9"), 1);
        assert_str(f.found[0].id, "A-2");
        assert_int_equal(fixture_match(&f, "Nowhere", "p", "9.0"), 0);
        assert_int_equal(fixture_match(&f, "npm", "q", "5.0.0"), 1);
        assert_int_equal(fixture_match(&f, "npm", "q", "1.1.0"), 1);
        assert_str(f.found[0].fixed, "2.0.0");
        assert_int_equal(fixture_match(&f, "npm", "q", "3.0.0"), 0);
        assert_int_equal(f.feed.records, 3);
        assert_int_equal(f.feed.skipped, 1);
        assert_str(f.feed.skipped_why, "ranges of an ecosystem whose versions cannot be compared 1");
        fixture_done(&f);
}

static void test_skipped(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(
                &f,
                RECORD("A-1",
                       "\"withdrawn\":\"2024-01-01T00:00:00Z\"," AFFECTED("npm", "p", EVENTS("{\"introduced\":\"0\"}")))
                        RECORD("A-2",
                               "\"affected\":[{\"ranges\":[{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]}]}]")
                                RECORD("A-3",
                                       "\"affected\":[]") "{\"id\":\n"
                                                          "[]\n"
                                                          "\n"
                                                          "{\"modified\":\"2024-01-01T00:00:00Z\"}\n" RECORD(
                                                                  "A-4", "\"affected\":{}")
                                                                  RECORD("A-5",
                                                                         AFFECTED("npm", "p",
                                                                                  "\"ranges\":[{\"type\":\"GIT\","
                                                                                  "\"events\":[{\"introduced\":\"0\"}]}"
                                                                                  "],\"versions\":[\"1.0.0\"]")));
        assert_int_equal(f.feed.records, 1);
        assert_int_equal(f.feed.skipped, 7);
        assert_str(f.feed.skipped_why, "withdrawn 1, malformed 4, only ranges of git commits 1, no package named 1");
        assert_int_equal(f.unread, 4);
        assert_string_equal(f.last_unread, "test record 8: not an OSV record: \"affected\" is not a list");
        assert_int_equal(fixture_match(&f, "npm", "p", "1.0.0"), 1);
        assert_str(f.found[0].id, "A-5");
        fixture_done(&f);
}

static void test_aliases(void **state)
{
        (void)state;
        struct fixture f;
        /* The same vulnerability three times: twice by CVE, once only through GHSA-9's other name. */
        fixture_init(
                &f, RECORD("PYSEC-1", "\"aliases\":[\"CVE-2024-9999\",\"GHSA-9\"]," AFFECTED(
                                              "PyPI", "p", EVENTS("{\"introduced\":\"0\"}")))
                            RECORD("GHSA-9", "\"aliases\":[\"CVE-2024-9999\"],\"summary\":\"Nine\"," AFFECTED(
                                                     "PyPI", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"3.0\"}")))
                                    RECORD("OTHER-9",
                                           "\"aliases\":[\"GHSA-9\"]," AFFECTED(
                                                   "PyPI", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"2.0\"}")))
                                            RECORD("GHSA-8", "\"aliases\":[\"CVE-2024-8888\"]," AFFECTED(
                                                                     "PyPI", "p", EVENTS("{\"introduced\":\"0\"}"))));
        assert_int_equal(fixture_match(&f, "PyPI", "p", "1.0"), 2);
        assert_str(f.found[0].id, "GHSA-8");
        assert_str(f.found[1].id, "GHSA-9");
        assert_str(f.found[1].cve, "CVE-2024-9999");
        assert_str(f.found[1].fixed, "3.0");
        assert_str(f.found[1].summary, "Nine");
        assert_int_equal(f.found[1].aliases.n, 2);
        assert_str(f.found[1].aliases.v[0], "OTHER-9");
        assert_str(f.found[1].aliases.v[1], "PYSEC-1");
        assert_int_equal(fixture_match(&f, "PyPI", "p", "5.0"), 2);
        assert_str(f.found[1].id, "PYSEC-1");
        assert_str(f.found[1].fixed, "");
        fixture_done(&f);
}

static void test_errata(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(
                &f,
                RECORD("ALSA-2024:1",
                       "\"summary\":\"Important: p security "
                       "update\",\"related\":[\"CVE-2024-2222\",\"CVE-2024-1111\",\"CVE-2024-2222\"]," AFFECTED(
                               "AlmaLinux:9", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"2.0-1.el9\"}")))
                        RECORD("ALSA-2024:2",
                               "\"summary\":\"Low: p security update\",\"related\":[\"CVE-2024-2222\"]," AFFECTED(
                                       "AlmaLinux:9", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"3.0-1.el9\"}")))
                                RECORD("X-1", "\"aliases\":[\"CVE-2024-1111\"],\"severity\":[{\"type\":\"CVSS_V3\","
                                              "\"score\":\"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L\"}]," AFFECTED(
                                                      "npm", "p", EVENTS("{\"introduced\":\"0\"}"))));
        assert_int_equal(fixture_match(&f, "AlmaLinux:9", "p", "1.0-1.el9"), 2);
        assert_str(f.found[0].id, "ALSA-2024:1");
        assert_str(f.found[0].cve, "CVE-2024-1111");
        assert_str(f.found[0].severity_source, "cvss-3.1"); /* the CVE's own, lent by X-1 */
        assert_int_equal(f.found[0].severity, SEVERITY_LOW);
        assert_str(f.found[1].id, "ALSA-2024:2");
        assert_str(f.found[1].cve, "CVE-2024-2222");
        assert_str(f.found[1].fixed, "3.0-1.el9");
        assert_str(f.found[1].severity_source, "AlmaLinux");
        assert_int_equal(fixture_match(&f, "AlmaLinux:9", "p", "2.0-1.el9"), 1);
        assert_int_equal(fixture_match(&f, "AlmaLinux:8", "p", "1.0-1.el9"), 0);
        assert_int_equal(fixture_lookup(&f, "CVE-2024-1111"), 2);
        assert_int_equal(fixture_lookup(&f, "ALSA-2024:1"), 2);
        fixture_done(&f);
}

static void test_words(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(&f, RECORD("UBUNTU-CVE-2024-1111",
                                "\"upstream\":[\"CVE-2024-1111\"],\"severity\":[{\"type\":\"Ubuntu\",\"score\":"
                                "\"negligible\"}]," AFFECTED("Ubuntu:22.04:LTS", "p", EVENTS("{\"introduced\":\"0\"}")))
                                 RECORD("GHSA-2", "\"database_specific\":{\"severity\":\"MODERATE\"}," AFFECTED(
                                                          "Ubuntu:22.04:LTS", "p", EVENTS("{\"introduced\":\"0\"}")))
                                         RECORD("GHSA-3",
                                                "\"summary\":\"Low: is no severity here\"," AFFECTED(
                                                        "Ubuntu:22.04:LTS", "p", EVENTS("{\"introduced\":\"0\"}"))));
        assert_int_equal(fixture_match(&f, "Ubuntu:22.04:LTS", "p", "1"), 3);
        assert_int_equal(f.found[0].severity, SEVERITY_MEDIUM);
        assert_str(f.found[0].severity_source, "GitHub");
        assert_int_equal(f.found[1].severity, SEVERITY_UNKNOWN);
        assert_str(f.found[2].cve, "CVE-2024-1111");
        assert_int_equal(f.found[2].severity, SEVERITY_LOW);
        assert_str(f.found[2].severity_source, "Ubuntu");
        fixture_done(&f);
}

static void test_modules(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(&f, RECORD("ALSA-2024:1",
                                "\"related\":[\"CVE-2024-1111\"]," AFFECTED(
                                        "AlmaLinux:9", "nodejs",
                                        EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"1:20.8.2-1.module_el9.7.0+1\"}"))));
        assert_int_equal(fixture_match(&f, "AlmaLinux:9", "nodejs", "1:20.1.0-1.module_el9.6.0+9"), 1);
        assert_int_equal(fixture_match(&f, "AlmaLinux:9", "nodejs", "1:18.1.0-1.module_el9.6.0+9"), 0);
        assert_int_equal(fixture_match(&f, "AlmaLinux:9", "nodejs", "1:16.1.0-1.el9"), 0);
        fixture_done(&f);
}

static void test_suffixes(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(
                &f,
                RECORD("D-1", AFFECTED("Debian:11", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"2-1\"}"))) RECORD(
                        "D-2", AFFECTED("Debian", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"2-1\"}")))
                        RECORD("D-3", AFFECTED("Debian:12", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"0\"}"))));
        assert_int_equal(fixture_match(&f, "Debian:11", "p", "1-1"), 2); /* one without a release is about all */
        assert_int_equal(fixture_match(&f, "Debian:12", "p", "1-1"), 1);
        assert_int_equal(fixture_match(&f, "Debian", "p", "1-1"), 1);
        assert_int_equal(fixture_match(&f, "Debian:11", "p", "2-1"), 0);
        assert_int_equal(fixture_match(&f, "Debian:11", "p", "2~rc1-1"), 2);
        fixture_done(&f);
}

static void test_editions(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(
                &f,
                "{\"id\":\"A\",\"modified\":\"2024-01-02T00:00:00Z\"," AFFECTED(
                        "npm", "p",
                        EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}")) "}\n"
                                                                                "{\"id\":\"A\",\"modified\":\"2024-01-"
                                                                                "03T00:00:00Z\"," AFFECTED(
                                                                                        "npm", "p",
                                                                                        EVENTS("{\"introduced\":\"0\"}"
                                                                                               ",{\"fixed\":\"1.0."
                                                                                               "0\"}")) "}\n"
                                                                                                        "{\"id\":"
                                                                                                        "\"A\","
                                                                                                        "\"modified\":"
                                                                                                        "\"2024-01-"
                                                                                                        "01T00:00:"
                                                                                                        "00Z\""
                                                                                                        "," AFFECTED(
                                                                                                                "npm",
                                                                                                                "p",
                                                                                                                EVENTS("{\"introduced\":\"0\"}")) "}\n");
        assert_int_equal(fixture_match(&f, "npm", "p", "0.5.0"), 1);
        assert_int_equal(fixture_match(&f, "npm", "p", "1.5.0"), 0);
        assert_int_equal(db_advisories(f.db), 1);
        fixture_done(&f);
}

/* The whole of what a database answers, to see that damage makes errors and no crashes. */
static void ask_everything(struct str bytes)
{
        struct fixture f = { 0 };
        if (db_open_memory(bytes, &f.db, NULL) < 0)
                return;
        (void)db_verify(f.db, NULL);
        struct db_query q[] = { { STR("npm"), STR("p"), STR("1.0.0") },
                                { STR("PyPI"), STR("q"), STR("1.0") },
                                { STR("AlmaLinux:9"), STR("r"), STR("1-1") } };
        for (size_t i = 0; i < ARRAY_SIZE(q); i++, f.n = 0)
                (void)db_match(f.db, &q[i], &f.arena, fixture_found, &f);
        (void)db_lookup(f.db, STR("CVE-2024-1111"), &f.arena, fixture_found, &f);
        struct db_feed feed;
        for (size_t i = 0; i <= db_feeds(f.db) && i < 16; i++)
                (void)db_feed(f.db, i, &feed);
        (void)db_knows_ecosystem(f.db, STR("npm"));
        db_close(f.db);
        arena_done(&f.arena);
}

static void test_damage(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(&f,
                     RECORD("GHSA-1", "\"aliases\":[\"CVE-2024-1111\"]," AFFECTED(
                                              "npm", "p", EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"2.0.0\"}")))
                             RECORD("PYSEC-1", "\"aliases\":[\"CVE-2024-2222\"]," AFFECTED(
                                                       "PyPI", "q", "\"versions\":[\"1.0\",\"2.0\"]"))
                                     RECORD("ALSA-1", "\"related\":[\"CVE-2024-1111\",\"CVE-2024-3333\"]," AFFECTED(
                                                              "AlmaLinux:9", "r", EVENTS("{\"introduced\":\"0\"}"))));
        struct error err = ERROR_NONE;
        struct db *db;
        for (size_t n = 0; n < f.size; n++) {
                char *cut = malloc(n + 1); /* of that size, so that a sanitizer sees a read past the end */
                memcpy(cut, f.bytes, n);
                assert_true(db_open_memory(str_span(cut, n), &db, &err) < 0);
                free(cut);
        }
        for (size_t i = 0; i < f.size; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        char *copy = malloc(f.size);
                        memcpy(copy, f.bytes, f.size);
                        copy[i] ^= (char)(1u << bit);
                        int r = db_open_memory(str_span(copy, f.size), &db, &err);
                        if (i < DB_HEADER_SIZE) {
                                assert_true(r < 0);
                        } else {
                                assert_int_equal(r, 0);
                                assert_int_equal(db_verify(db, &err), -EBADMSG);
                                db_close(db);
                                ask_everything(str_span(copy, f.size));
                        }
                        free(copy);
                }
        fixture_done(&f);
}

static void test_empty(void **state)
{
        (void)state;
        struct fixture f;
        fixture_init(&f, "");
        assert_int_equal(fixture_match(&f, "npm", "p", "1.0.0"), 0);
        assert_int_equal(db_advisories(f.db), 0);
        fixture_done(&f);
}

static void test_open(void **state)
{
        (void)state;
        struct db *db;
        struct error err = ERROR_NONE;
        assert_int_equal(db_open("/nonexistent/db", &db, &err), -ENOENT);
        assert_true(strstr(err.text, "/nonexistent/db") != NULL);
        assert_int_equal(db_open("/", &db, &err), -EINVAL);
        assert_int_equal(db_open("/dev/null", &db, &err), -EINVAL);
        char other[DB_HEADER_SIZE + 8] = "something else";
        assert_int_equal(db_open_memory(str_span(other, sizeof(other)), &db, &err), -EBADMSG);
}

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ranges),   cmocka_unit_test(test_facts),   cmocka_unit_test(test_versions_list),
                cmocka_unit_test(test_skipped),  cmocka_unit_test(test_aliases), cmocka_unit_test(test_errata),
                cmocka_unit_test(test_modules),  cmocka_unit_test(test_words),   cmocka_unit_test(test_suffixes),
                cmocka_unit_test(test_editions), cmocka_unit_test(test_damage),  cmocka_unit_test(test_empty),
                cmocka_unit_test(test_open),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
