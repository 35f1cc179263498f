/* The importers: what each makes of its feed, well-formed or not, packed or not. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "db-fixture.h"
#include "intel/db-locate.h"
#include "intel/import-tsv.h"
#include "intel/json-split.h"

/* A database of one feed; kind NULL: it has to be recognised. */
static void init(struct fixture *f, const char *kind, struct str bytes)
{
        struct error err = ERROR_NONE;
        *f = (struct fixture){ 0 };
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        if (fixture_import(f, b, kind, "test", bytes, &err) < 0)
                fail_msg("%s", err.text);
        fixture_open(f, b);
}

static int import_only(struct fixture *f, const char *kind, struct str bytes, struct error *err)
{
        *f = (struct fixture){ 0 };
        *err = ERROR_NONE;
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        return fixture_import(f, b, kind, "test", bytes, err);
}

static void test_kinds_are_recognised(void **state)
{
        static const struct {
                const char *kind, *text;
        } feeds[] = {
                { "osv", "{\"id\":\"A-1\",\"modified\":\"2024-01-01T00:00:00Z\"}\n" },
                { "osv", "{\n  \"schema_version\": \"1.6.0\",\n  \"id\": \"A-1\"\n}\n" },
                { "kev", "{\"title\":\"KEV\",\"catalogVersion\":\"1\",\"vulnerabilities\":[]}" },
                { "epss", "#model_version:v1,score_date:2024-01-02T00:00:00+0000\ncve,epss,percentile\n" },
                { "alpine-secdb", "{\"reponame\":\"main\",\"distroversion\":\"v3.20\",\"packages\":[]}" },
                { "debian-tracker", "{\"bash\": {\"CVE-2014-6271\": {\"releases\": {}}}}" },
                { "facts", "# content: x\n# columns: ecosystem package introduced fixed last_affected ids\n" },
                { "scores", "# content: x\n# columns: cve cvss_vector severity severity_source epss epss_percentile "
                            "kev_date kev_ransomware\n" },
        };
        struct error err;
        struct fixture f;
        for (size_t i = 0; i < ARRAY_SIZE(feeds); i++) {
                if (import_only(&f, NULL, str_of(feeds[i].text), &err) < 0)
                        fail_msg("%s: %s", feeds[i].kind, err.text);
                assert_str(f.feed.kind, feeds[i].kind);
                fixture_done(&f);
        }
        static const char *const others[] = { "", "hello\n", "[1, 2]", "\0\1\2", "{\"a\": 1}", "PK\3\4" };
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                assert_true(import_only(&f, NULL, str_of(others[i]), &err) < 0);
                assert_true(err.text[0]);
                fixture_done(&f);
        }
}

static void test_facts(void **state)
{
        struct fixture f;
        init(&f, NULL,
             STR("# content: test\n# generated: 2024-02-03 (a note)\n# licence: none\n# not read: a package\n"
                 "# columns: ecosystem package introduced fixed last_affected ids\n"
                 "Debian:11\topenssl\t0\t1.1.1w-1\t-\tCVE-2024-1111 CVE-2024-2222\n"
                 "npm\tp\t1.0.0\t-\t1.5.0\tGHSA-1=CVE-2024-3333=X-3\n"
                 "npm\tq\t1.0.0\t2.0.0\t-\tGHSA-1=CVE-2024-3333=X-3\n"
                 "npm\tp\t1.0.0\n"
                 "-\tp\t0\t-\t-\tX-4\n"));
        assert_int_equal(f.feed.records, 4);
        assert_str(f.feed.skipped_why, "malformed 2, not read when the table was made 1");
        assert_str(f.feed.licence, "none");
        assert_int_equal(f.feed.date, 1706918400);
        assert_int_equal(fixture_match(&f, "Debian:11", "openssl", "1.1.1k-1"), 2);
        assert_str(f.found[1].id, "CVE-2024-2222");
        assert_int_equal(fixture_match(&f, "npm", "p", "1.5.0"), 1);
        assert_str(f.found[0].cve, "CVE-2024-3333");
        assert_str(f.found[0].last_affected, "1.5.0");
        assert_str(f.found[0].aliases.v[0], "X-3");
        assert_int_equal(fixture_match(&f, "npm", "q", "1.5.1"), 1);
        assert_int_equal(fixture_lookup(&f, "X-3"), 2);
        fixture_done(&f);
        struct error err;
        assert_int_equal(import_only(&f, "facts", STR("# columns: a b c\n"), &err), -EBADMSG);
        fixture_done(&f);
}

static void test_scores(void **state)
{
        struct fixture f = { 0 };
        struct error err = ERROR_NONE;
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        assert_int_equal(
                fixture_import(&f, b, NULL, "facts",
                               STR("# columns: ecosystem package introduced fixed last_affected ids\n"
                                   "npm\tp\t0\t-\t-\tCVE-2024-1111 CVE-2024-2222 CVE-2024-3333 CVE-2024-4444\n"),
                               &err),
                0);
        assert_int_equal(
                fixture_import(&f, b, NULL, "scores",
                               STR("# columns: cve cvss_vector severity severity_source epss epss_percentile kev_date "
                                   "kev_ransomware\n"
                                   "CVE-2024-1111\tCVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\t-\t-\t0.5\t0.9\t-\t-\n"
                                   "CVE-2024-2222\t-\thigh\tAlmaLinux\t0.00604\t1.00000\t2024-01-01\tKnown\n"
                                   "CVE-2024-3333\t-\tsevere\t-\t-\t-\t-\t-\n"
                                   "CVE-2024-4444\t-\t-\t-\t1.5\t-\t-\t-\n"),
                               &err),
                0);
        assert_int_equal(f.feed.skipped, 2);
        assert_int_equal(
                fixture_import(&f, b, NULL, "epss",
                               STR("#model_version:v1,score_date:2024-05-06T00:00:00+0000\ncve,epss,percentile\n"
                                   "CVE-2024-3333,0.123456,0.98\nCVE-2024-1111,0,00\nnot,0.1,0.1\nCVE-2024-1,1,1\nCVE-"
                                   "2024-5555,1,1\n"),
                               &err),
                0);
        assert_int_equal(f.feed.records, 3);
        assert_int_equal(f.feed.skipped, 2);
        assert_int_equal(f.feed.date, 1714953600);
        assert_int_equal(fixture_import(&f, b, NULL, "kev",
                                        STR("{\"catalogVersion\":\"1\",\"dateReleased\":\"2024-07-01T10:00:00.1Z\","
                                            "\"vulnerabilities\":["
                                            "{\"cveID\":\"CVE-2024-3333\",\"dateAdded\":\"2024-06-07\","
                                            "\"knownRansomwareCampaignUse\":\"Unknown\"},"
                                            "{\"cveID\":\"CVE-2024-4444\",\"dateAdded\":\"2024-06-07\","
                                            "\"knownRansomwareCampaignUse\":\"Known\"},"
                                            "{\"cveID\":\"CVE-2024-4444\"},7]}"),
                                        &err),
                         0);
        assert_int_equal(f.feed.records, 2);
        assert_int_equal(f.feed.skipped, 2);
        fixture_open(&f, b);
        assert_int_equal(fixture_match(&f, "npm", "p", "1.0.0"), 4);
        const struct fact_vulnerability *v = f.found;
        assert_str(v[0].severity_source, "cvss-3.1");
        assert_int_equal(v[0].cvss_score, 98);
        assert_int_equal(v[0].epss, 50000); /* a zero says nothing */
        assert_int_equal(v[1].severity, SEVERITY_HIGH);
        assert_str(v[1].severity_source, "AlmaLinux");
        assert_int_equal(v[1].epss, 604);
        assert_int_equal(v[1].epss_percentile, 100000);
        assert_int_equal(v[1].kev, 1704067200);
        assert_true(v[1].ransomware);
        assert_int_equal(v[2].epss, 12345);
        assert_int_equal(v[2].kev, 1717718400);
        assert_false(v[2].ransomware);
        assert_int_equal(v[2].severity, SEVERITY_UNKNOWN);
        assert_true(v[3].ransomware);
        assert_int_equal(db_date(f.db), 1719828000);
        fixture_done(&f);
}

static void test_fractions(void **state)
{
        static const struct {
                const char *text;
                int64_t value; /* < 0: none */
        } rows[] = { { "0", 0 },        { "1", 100000 },   { "1.0", 100000 }, { "0.1", 10000 },    { "0.00001", 1 },
                     { "0.000009", 0 }, { "1.00001", -1 }, { "2", -1 },       { "", -1 },          { ".5", -1 },
                     { "0.", -1 },      { "-0.1", -1 },    { "0.5x", -1 },    { "0.123456x", -1 }, { "1e-5", -1 } };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t value = 7;
                bool ok = fraction_parse(str_of(rows[i].text), &value);
                if (ok != (rows[i].value >= 0) || (ok && value != (uint64_t)rows[i].value))
                        fail_msg("%s", rows[i].text);
        }
}

static void test_debian(void **state)
{
        struct fixture f;
        init(&f, NULL,
             STR("{\"bash\": {\"CVE-2014-6271\": {\"scope\": \"remote\", \"releases\": {"
                 "\"bullseye\": {\"status\": \"resolved\", \"fixed_version\": \"4.3-9.1\", \"urgency\": \"high\"},"
                 "\"bookworm\": {\"status\": \"resolved\", \"fixed_version\": \"0\", \"urgency\": \"high**\"},"
                 "\"trixie\": {\"status\": \"open\", \"urgency\": \"not yet assigned\"},"
                 "\"sid\": {\"status\": \"open\", \"urgency\": \"low\"}}},\n"
                 "\"TEMP-0841856-B18BAF\": {\"releases\": {\"bullseye\": {\"status\": \"undetermined\"}}}},\n"
                 "\"zlib\": {\"CVE-2016-9840\": {\"releases\": {\"bullseye\": {\"status\": \"resolved\", "
                 "\"fixed_version\": \"0\"}}},"
                 "\"CVE-2016-9841\": {\"releases\": [,]}, \"CVE-2016-9842\": 7, \"CVE-2014-6271\": "
                 "{\"releases\":{\"trixie\":{\"status\":\"open\"}}}},"
                 "\"empty\": {}}\n"));
        assert_int_equal(f.feed.records, 2);
        assert_str(f.feed.skipped_why, "malformed 2, no release affected 1, not determined yet 1");
        assert_int_equal(fixture_match(&f, "Debian:11", "bash", "4.3-9"), 1);
        assert_str(f.found[0].id, "CVE-2014-6271");
        assert_str(f.found[0].fixed, "4.3-9.1");
        assert_int_equal(f.found[0].severity, SEVERITY_HIGH);
        assert_str(f.found[0].severity_source, "Debian");
        assert_int_equal(fixture_match(&f, "Debian:11", "bash", "4.3-9.1"), 0);
        assert_int_equal(fixture_match(&f, "Debian:12", "bash", "4.3-9"), 0);
        assert_int_equal(fixture_match(&f, "Debian:13", "bash", "9"), 1);
        assert_str(f.found[0].fixed, "");
        assert_int_equal(fixture_match(&f, "Debian:13", "zlib", "9"), 1);
        fixture_done(&f);
        struct error err;
        static const char *const cut[] = { "{",          "{\"a\"",      "{\"a\":{\"CVE-2024-1\":{}",
                                           "{\"a\":{}",  "{\"a\":[]}",  "{\"a\":{}}x",
                                           "{\"a\" {}}", "{\"a\":{},}", "{,}" };
        for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
                assert_int_equal(import_only(&f, "debian-tracker", str_of(cut[i]), &err), -EBADMSG);
                fixture_done(&f);
        }
}

static void test_alpine(void **state)
{
        struct fixture f;
        init(&f, NULL,
             STR("{\"distroversion\":\"v3.20\",\"reponame\":\"main\",\"packages\":[{\"pkg\":{\"name\":\"curl\","
                 "\"secfixes\":{"
                 "\"8.0.1-r0\":[\"CVE-2024-1111 XSA-1\",\"CVE-2024-2222 (+ regression "
                 "fix)\"],\"0\":[\"CVE-2024-3333\"],"
                 "\"7.0-r1\":[\"XSA-2\",7,\"\"],\"6.0-r0\":null}}},{\"pkg\":{\"secfixes\":{}}},7]}"));
        assert_int_equal(f.feed.records, 3);
        assert_int_equal(f.feed.skipped, 2);
        assert_int_equal(fixture_match(&f, "Alpine:v3.20", "curl", "6.9-r0"), 3);
        assert_str(f.found[0].id, "CVE-2024-1111");
        assert_str(f.found[2].id, "XSA-2");
        assert_str(f.found[2].fixed, "7.0-r1");
        assert_int_equal(fixture_match(&f, "Alpine:v3.20", "curl", "7.0-r1"), 2);
        assert_int_equal(fixture_match(&f, "Alpine:v3.19", "curl", "7.0-r1"), 0);
        fixture_done(&f);
        init(&f, "alpine-secdb",
             STR("{\"urlprefix\":\"https://"
                 "packages.wolfi.dev\",\"packages\":[{\"pkg\":{\"name\":\"p\",\"secfixes\":{\"1.0-r0\":[\"CVE-2024-"
                 "1111\"]}}}]}"));
        assert_int_equal(fixture_match(&f, "Wolfi", "p", "0.9-r0"), 1);
        fixture_done(&f);
}

/* An archive of the kind that `set` chooses, with these members. */
static void pack(struct buf *to, int (*format)(struct archive *), int (*filter)(struct archive *),
                 const char *const (*members)[2], size_t n)
{
        static char bytes[1 << 20];
        size_t used = 0;
        struct archive *a = archive_write_new();
        assert_int_equal(format(a), ARCHIVE_OK);
        assert_int_equal(filter(a), ARCHIVE_OK);
        assert_int_equal(archive_write_open_memory(a, bytes, sizeof(bytes), &used), ARCHIVE_OK);
        for (size_t i = 0; i < n; i++) {
                struct archive_entry *e = archive_entry_new();
                archive_entry_set_pathname(e, members[i][0]);
                archive_entry_set_filetype(e, AE_IFREG);
                archive_entry_set_perm(e, 0644);
                archive_entry_set_size(e, (la_int64_t)strlen(members[i][1]));
                assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
                archive_write_data(a, members[i][1], strlen(members[i][1]));
                archive_entry_free(e);
        }
        assert_int_equal(archive_write_close(a), ARCHIVE_OK);
        archive_write_free(a);
        buf_clear(to);
        buf_add(to, bytes, used);
}

#define RECORD(id, package)                                                                                            \
        "{\"id\":\"" id "\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"" package                     \
        "\"},\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"}]}]}]}"

static void test_containers(void **state)
{
        static const char *const members[][2] = {
                { "README.md", "# not a feed {" },
                { "a/A-1.json", RECORD("A-1", "p") },
                { "a/broken.json", "{\"id\": \"A-2\"" },
                { "a/pretty.json", "{\n  \"id\": \"A-3\", "
                                   "\"affected\":\n[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"p\"},\"versions\":["
                                   "\"1.0.0\"]}]\n}\n" },
                { "lines.jsonl", RECORD("A-4", "p") "\r\n\n" RECORD("A-5", "p") },
        };
        static const char *const one[][2] = { { "x", RECORD("A-1", "p") "\n" RECORD("A-2", "p") "\n" } };
        struct fixture f;
        struct error err;
        _cleanup_(buf_done) struct buf packed = BUF_INIT(1 << 20);
        struct {
                int (*format)(struct archive *), (*filter)(struct archive *);
        } kinds[] = {
                { archive_write_set_format_pax_restricted, archive_write_add_filter_none },
                { archive_write_set_format_ustar, archive_write_add_filter_gzip },
                { archive_write_set_format_gnutar, archive_write_add_filter_xz },
                { archive_write_set_format_pax_restricted, archive_write_add_filter_zstd },
                { archive_write_set_format_zip, archive_write_add_filter_none },
        };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                pack(&packed, kinds[i].format, kinds[i].filter, members, ARRAY_SIZE(members));
                init(&f, NULL, buf_str(&packed));
                assert_int_equal(f.feed.records, 4);
                assert_int_equal(f.feed.skipped, 1);
                assert_true(strstr(f.last_unread, "test: a/broken.json record 1: not JSON") == f.last_unread);
                assert_int_equal(fixture_match(&f, "npm", "p", "1.0.0"), 4);
                fixture_done(&f);
        }
        int (*filters[])(struct archive *) = { archive_write_add_filter_gzip, archive_write_add_filter_xz,
                                               archive_write_add_filter_zstd, archive_write_add_filter_bzip2,
                                               archive_write_add_filter_none };
        for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
                pack(&packed, archive_write_set_format_raw, filters[i], one, 1);
                init(&f, NULL, buf_str(&packed));
                assert_int_equal(f.feed.records, 2);
                fixture_done(&f);
                /* Cut off anywhere: an error or fewer records, never a crash; compressed ones know that they are cut.
                 */
                for (size_t n = 0; n < packed.n; n++) {
                        int r = import_only(&f, "osv", str_upto(buf_str(&packed), n), &err);
                        if (r >= 0 && n && filters[i] != archive_write_add_filter_none && f.feed.records == 2 &&
                            n + 16 < packed.n)
                                fail_msg("filter %zu cut at %zu went unnoticed", i, n);
                        fixture_done(&f);
                }
        }
}

static void test_hostile_osv(void **state)
{
        struct fixture f;
        struct error err;
        size_t n = 100u << 20;
        char *bytes = malloc(n);
        assert_non_null(bytes);
        memset(bytes, '[', n);
        memcpy(bytes, "{\"id\":", 6);
        memcpy(bytes + n - 100, "\n" RECORD("A-1", "p"), 99);
        bytes[n - 1] = '\n';
        /* 100 MB of nesting in one record; the one after it is not lost */
        assert_int_equal(import_only(&f, "osv", str_span(bytes, n), &err), 0);
        assert_true(strstr(f.last_unread, "longer than 8 MiB") || f.unread == 2);
        assert_int_equal(f.feed.skipped + f.feed.records, 2);
        fixture_done(&f);
        /* as much nesting as fits a record */
        assert_int_equal(import_only(&f, "osv", str_upto(str_span(bytes, n), 8u << 20), &err), 0);
        assert_true(strstr(f.last_unread, "not JSON") != NULL);
        fixture_done(&f);
        /* and inside the Debian tracker */
        memcpy(bytes, "{\"a\":{\"CVE-2024-1111\":", 23);
        assert_int_equal(import_only(&f, "debian-tracker", str_span(bytes, n - 200), &err), -EBADMSG);
        assert_true(strstr(err.text, "cut off") != NULL);
        fixture_done(&f);
        free(bytes);
}

static void count_member(void *arg, struct str outer, struct str inner, struct str value, bool is_too_long)
{
        (*(size_t *)arg)++;
}

/* Cut into pieces of any size, the splitter finds the same. */
static void test_split(void **state)
{
        static const char text[] =
                "{\"a\\\"b\" : { \"x\":{\"k\":\"}\\\\\"},\"y\":[1,{}] , \"z\":\"a,}b\"},\"c\":{},\"d\":{\"e\":1}}\n";
        for (size_t piece = 1; piece < sizeof(text); piece++) {
                struct json_split s;
                size_t n = 0;
                json_split_init(&s, 1000, count_member, &n);
                for (size_t at = 0; at < sizeof(text) - 1; at += piece)
                        assert_true(json_split_take(&s, str_span(text + at, MIN(piece, sizeof(text) - 1 - at))));
                assert_true(json_split_is_complete(&s));
                assert_int_equal(n, 4);
                json_split_done(&s);
        }
}

static void test_embedded(void **state)
{
        struct error err = ERROR_NONE;
        struct db *db;
        struct db_feed feed;
        if (db_open_embedded(&db, &err) < 0 || db_verify(db, &err) < 0)
                fail_msg("%s", err.text);
        assert_true(db_feeds(db) >= 3);
        assert_true(db_feed(db, 0, &feed));
        assert_str(feed.name, "debian");
        assert_str(feed.source, "embedded");
        assert_true(db_date(db) > 1700000000);
        assert_true(db_knows_ecosystem(db, STR("Debian:11")));
        assert_true(db_knows_ecosystem(db, STR("Debian:12")));
        assert_false(db_knows_only_exploited(db, STR("Debian:12")));
        assert_true(db_knows_only_exploited(db, STR("AlmaLinux:9")));
        assert_false(db_knows_only_exploited(db, STR("AlmaLinux:7")));
        struct fixture f = { .db = db };
        struct db_query q = { STR("Debian:11"), STR("openssl"), STR("1.1.1k-1") };
        assert_true(db_match(db, &q, &f.arena, fixture_found, &f) > 5);
        fixture_done(&f);
}

static void test_locate(void **state)
{
        struct error err = ERROR_NONE;
        struct db *db;
        struct str source;
        char directory[] = "/tmp/sekisho-locate-XXXXXX";
        assert_non_null(mkdtemp(directory));
        setenv("XDG_CACHE_HOME", directory, 1);
        unsetenv("SEKISHO_DB");
        assert_int_equal(db_locate("embedded", &db, &source, &err), 0);
        assert_str(source, "embedded");
        db_close(db);
        assert_int_equal(db_locate("/nonexistent", &db, &source, &err), -ENOENT);

        struct fixture f;
        fixture_init(&f, RECORD("A-1", "p") "\n");
        _cleanup_(buf_done) struct buf path = BUF_INIT(4096);
        assert_true(db_path_user(&path));
        char *parent = strndup(path.p, (size_t)(strrchr(path.p, '/') - path.p));
        assert_int_equal(make_dirs(parent, 0700), 0);
        struct output o;
        assert_int_equal(output_open(&o, path.p, &err), 0);
        assert_int_equal(fwrite(f.bytes, 1, f.size, o.stream), f.size);
        assert_int_equal(output_commit(&o, &err), 0);
        assert_int_equal(db_locate(NULL, &db, &source, &err), 0);
        assert_str(source, path.p);
        db_close(db);
        /* A damaged one is not passed over. */
        assert_int_equal(truncate(path.p, (off_t)f.size - 1), 0);
        assert_int_equal(db_locate(NULL, &db, &source, &err), -EBADMSG);
        assert_true(strstr(err.text, "--db embedded") != NULL);
        setenv("SEKISHO_DB", "embedded", 1);
        assert_int_equal(db_locate(NULL, &db, &source, &err), 0);
        db_close(db);
        unsetenv("SEKISHO_DB");
        fixture_done(&f);
        unlink(path.p);
        rmdir(parent);
        rmdir(directory);
        free(parent);
}

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds_are_recognised),
                cmocka_unit_test(test_facts),
                cmocka_unit_test(test_scores),
                cmocka_unit_test(test_fractions),
                cmocka_unit_test(test_debian),
                cmocka_unit_test(test_alpine),
                cmocka_unit_test(test_containers),
                cmocka_unit_test(test_hostile_osv),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_embedded),
                cmocka_unit_test(test_locate),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
