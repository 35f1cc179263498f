/* rpm's databases of all kinds into packages and the files that they claim; the input is the fuzzers' corpora. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collect.h"
#include "read/rpmdb.h"

extern const struct analyzer analyzer_rpm_database, analyzer_rpm_manifest;

#define SHA256_OF_NOTHING "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14"

static const char *const databases[] = { "rpmdb-bdb/little", "rpmdb-bdb/big", "rpmdb-ndb/small", "rpmdb-sqlite/small",
                                         "rpmdb-sqlite/wal" };

/* Reads a file of the corpus; the caller frees. */
static struct str load(const char *name)
{
        char path[1024];
        snprintf(path, sizeof(path), "%s/fuzz/corpus/%s", TESTS_DIR, name);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        char *p = xmalloc(65536);
        size_t n = fread(p, 1, 65536, f);
        fclose(f);
        return str_span(p, n);
}

static struct collect run(struct str bytes)
{
        struct collect c = { 0 };
        collect_run(&c, &analyzer_rpm_database, "var/lib/rpm/Packages", bytes);
        return c;
}

static void test_packages(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
                struct str bytes = load(databases[i]);
                struct collect c = run(bytes);
                assert_int_equal(c.unread.n, 0);
                assert_int_equal(c.packages.n, 3); /* and a public key, which is none */
                const struct fact_package *p = c.packages.v;
                assert_str(p[0].type, "rpm");
                assert_str(p[0].name, "base");
                assert_str(p[0].version, "2:1.0-1.el9");
                assert_str(p[0].arch, "x86_64");
                assert_str(p[0].source, "base-src");
                assert_str(p[0].source_version, "2:1.0-1.el9");
                assert_str(p[0].vendor, "Example Project");
                assert_str(p[0].module, "base:1:9:abc");
                assert_str(p[0].licence, "MIT");
                assert_str(p[0].database, "var/lib/rpm/Packages");
                assert_str(p[1].name, "old");
                assert_str(p[1].version, "0.9^git1-3");
                assert_str(p[1].source, "old");
                assert_str(p[1].source_version, "0.9^git1-3");
                assert_str(p[2].name, "plain");
                assert_str(p[2].source_version, "3-1");
                collect_done(&c);
                free((void *)bytes.p);
        }
}

static void test_files(void **state)
{
        static const struct {
                const char *package, *path, *algorithm;
                bool config;
        } files[] = {
                { "base", "etc/base.conf", "sha256", true }, { "base", "usr/bin/base", "sha256", false },
                { "base", "usr/bin/b", "", false },          { "base", "var/log/base.log", "", false },
                { "old", "opt/old", "md5", false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
                struct str bytes = load(databases[i]);
                struct collect c = run(bytes);
                assert_int_equal(c.owned.n, ARRAY_SIZE(files));
                for (size_t k = 0; k < c.owned.n; k++) {
                        const struct fact_owned *o = &c.owned.v[k];
                        assert_str(o->package, files[k].package);
                        assert_str(o->path, files[k].path);
                        assert_str(o->algorithm, files[k].algorithm);
                        assert_int_equal(o->config, files[k].config);
                        assert_int_equal(o->digest.n, !files[k].algorithm[0] ? 0 : k == 4 ? 16 : 32);
                }
                assert_memory_equal(c.owned.v[0].digest.p, SHA256_OF_NOTHING, 8);
                collect_done(&c);
                free((void *)bytes.p);
        }
}

/* Whatever is done to a database, the answer is its packages, or a defect that is told. */
static void expect_told(struct str bytes, const char *what)
{
        struct collect c = run(bytes);
        if (c.packages.n < 3 && c.unread.n == 0)
                fail_msg("%s: %zu packages, and nothing told", what, c.packages.n);
        for (size_t i = 0; i < c.unread.n; i++)
                assert_true(c.unread.v[i].code.n > 0 && c.unread.v[i].detail.n > 0);
        collect_done(&c);
}

static void test_torture(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(databases) - 1; i++) {
                struct str bytes = load(databases[i]);
                char *p = (char *)bytes.p, what[64];
                bool is_slow = rpmdb_recognise(bytes) == RPMDB_SQLITE;
                for (size_t n = 0; n < bytes.n; n += is_slow ? 7 : 1) {
                        snprintf(what, sizeof(what), "%s, %zu bytes of it", databases[i], n);
                        expect_told(str_upto(bytes, n), what);
                }
                for (size_t bit = 0; bit < bytes.n * 8; bit += is_slow ? 11 : 1) {
                        p[bit / 8] ^= (char)(1 << bit % 8);
                        struct collect c = run(bytes);
                        collect_done(&c);
                        p[bit / 8] ^= (char)(1 << bit % 8);
                }
                free(p);
        }
}

static void test_cut_in_half(void **state)
{
        static const struct {
                const char *name;
                size_t keep, packages;
        } cases[] = {
                { "rpmdb-bdb/little", 512 * 5, 2 }, /* the first value's pages, and the hash pages */
                { "rpmdb-ndb/small", 4096 + 800, 1 },
                { "rpmdb-sqlite/small", 512 * 5, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct str bytes = load(cases[i].name);
                struct collect c = run(str_upto(bytes, cases[i].keep));
                assert_true(c.unread.n >= 1);
                if (c.packages.n < cases[i].packages)
                        fail_msg("%s: %zu packages", cases[i].name, c.packages.n);
                collect_done(&c);
                free((void *)bytes.p);
        }
}

static void expect_defect(struct str bytes, const char *words)
{
        struct collect c = run(bytes);
        bool found = false;
        for (size_t i = 0; i < c.unread.n; i++)
                found |= str_find(c.unread.v[i].detail, str_of(words)) >= 0;
        if (!found)
                fail_msg("not told: %s (but %.*s)", words, STR_FMT(c.unread.n ? c.unread.v[0].detail : STR("nothing")));
        collect_done(&c);
}

static void test_hostile(void **state)
{
        /* Berkeley DB: page 3 is the first overflow page; its next_pgno stands at 16. */
        struct str b = load("rpmdb-bdb/little");
        char *p = (char *)b.p;
        p[512 * 3 + 16] = 3;
        expect_defect(b, "chains of overflow pages meet");
        p[512 * 3 + 16] = 0;
        expect_defect(b, "a chain of overflow pages leads out of the database");
        p[512 * 3 + 16] = 1;
        expect_defect(b, "a chain leads to what is no overflow page");
        p[512 + 20] = (char)0xff; /* the number of a hash page's entries */
        p[512 + 21] = (char)0xff;
        expect_defect(b, "a hash page's table of values is damaged");
        p[20] = 7; /* the size of pages */
        expect_defect(b, "the size of pages is none that exists");
        free(p);

        struct str n = load("rpmdb-ndb/small");
        p = (char *)n.p;
        p[4096 + 100] ^= 1;
        expect_defect(n, "a package's record has a wrong checksum");
        memcpy(p + 32 + 16, p + 32, 16); /* two slots for one record */
        memcpy(p + 32 + 32, p + 32, 16);
        memcpy(p + 32 + 48, p + 32, 16);
        for (size_t slot = 4; slot < 200; slot++)
                memcpy(p + 32 + 16 * slot, p + 32, 16);
        expect_defect(n, "records lie over each other");
        p[32 + 8] = p[32 + 9] = (char)0xff; /* behind the end */
        expect_defect(n, "a package's record lies behind the end of the file");
        p[4] = 9;
        expect_defect(n, "not version 0 of an ndb database");
        free(p);

        struct str h = load("rpm-header/header-1");
        p = (char *)h.p;
        struct rpm_header header;
        assert_true(rpm_header_parse(h, &header));
        assert_null(header.defect);
        p[8 + 16 * 2 + 11] = 0; /* the offset of the second entry after the region */
        assert_true(rpm_header_parse(h, &header));
        assert_string_equal(header.defect, "entries of a header overlap");
        p[8 + 16 * 2 + 8] = 0x7f;
        assert_true(rpm_header_parse(h, &header));
        assert_string_equal(header.defect, "an entry of a header lies outside its data");
        p[0] = 1; /* 16 million entries */
        assert_false(rpm_header_parse(h, &header));
        free(p);
        expect_defect(STR("SQLite format 3\0and nothing else"), "the file ends inside its header");
        expect_defect(STR("not a database of any kind"), "not a Berkeley DB hash, ndb or SQLite database of rpm");
        expect_defect(STR_NONE, "not a Berkeley DB hash, ndb or SQLite database of rpm");
}

static void test_source_names(void **state)
{
        static const struct {
                const char *file, *name, *version;
        } cases[] = {
                { "a-1-2.src.rpm", "a", "1-2" },    { "perl-Foo-Bar-1.0-2.el9.nosrc.rpm", "perl-Foo-Bar", "1.0-2.el9" },
                { "(none)", NULL, NULL },           { "a-1.src.rpm", NULL, NULL },
                { "-1-2.src.rpm", NULL, NULL },     { "a--2.src.rpm", NULL, NULL },
                { "a-1-.src.rpm", NULL, NULL },     { ".src.rpm", NULL, NULL },
                { "a-1-2.x86_64.rpm", NULL, NULL }, { "", NULL, NULL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct str name, version;
                assert_int_equal(rpm_source_parse(str_of(cases[i].file), &name, &version), cases[i].name != NULL);
                if (cases[i].name) {
                        assert_str(name, cases[i].name);
                        assert_str(version, cases[i].version);
                }
        }
}

static void test_manifest(void **state)
{
        static const char text[] =
                "mariner-release\t2.0-4.cm2\t1653816591\t1653628955\tMicrosoft Corporation\t(none)\t580\tnoarch\t0\t"
                "mariner-release-2.0-4.cm2.src.rpm\n"
                "openssl-libs\t1.1.1k-15.cm2\t1653816591\t1653628955\t(none)\t(none)\t580\tx86_64\t1\topenssl-1.1.1k-"
                "15.cm2.src.rpm\n"
                "short line\n"
                "\n"
                "gpg-pubkey\t1-1\t1\t1\t(none)\t(none)\t0\t(none)\t0\t(none)\n";
        struct collect c = { 0 };
        collect_run(&c, &analyzer_rpm_manifest, "var/lib/rpmmanifest/container-manifest-2", str_of(text));
        assert_int_equal(c.packages.n, 2);
        assert_str(c.packages.v[0].name, "mariner-release");
        assert_str(c.packages.v[0].version, "2.0-4.cm2");
        assert_str(c.packages.v[0].vendor, "Microsoft Corporation");
        assert_str(c.packages.v[0].arch, "noarch");
        assert_str(c.packages.v[1].version, "1:1.1.1k-15.cm2");
        assert_str(c.packages.v[1].source, "openssl");
        assert_str(c.packages.v[1].source_version, "1:1.1.1k-15.cm2");
        assert_str(c.packages.v[1].vendor, "");
        assert_int_equal(c.packages.v[1].line, 2);
        assert_int_equal(c.unread.n, 1);
        assert_str(c.unread.v[0].detail, "line 3: not a package of ten fields; 1 such lines");
        collect_done(&c);
        collect_torture(&analyzer_rpm_manifest, "var/lib/rpmmanifest/container-manifest-2", str_of(text));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_packages),    cmocka_unit_test(test_files),   cmocka_unit_test(test_torture),
                cmocka_unit_test(test_cut_in_half), cmocka_unit_test(test_hostile), cmocka_unit_test(test_source_names),
                cmocka_unit_test(test_manifest),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
