/* Lists of hashes: every form of a line, sizes, what is refused with its line, and look-ups in a list of many. */
#include "intel/hash-list.h"

#include "base/buf.h"
#include "read/digest.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MD5    "900150983cd24fb0d6963f7d28e17f72" /* of "abc" */
#define SHA1   "a9993e364706816aba3e25717850c26c9cd0d89d"
#define SHA256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct str digest(enum digest_kind kind, struct str text)
{
        static uint8_t d[DIGEST_MAX];
        digest_of(kind, text, d);
        return str_span(d, digest_size(kind));
}

static struct hash_list *list_of(const char *text)
{
        struct hash_list *l = hash_list_new();
        struct error err = ERROR_NONE;
        if (hash_list_add(l, str_of(text), "f", &err) < 0)
                fail_msg("%s", err.text);
        hash_list_seal(l);
        return l;
}

static void test_forms(void **state)
{
        static const struct {
                const char *line, *name;
                enum hash_kind kind;
                enum digest_kind digest;
        } forms[] = {
                { MD5, "", HASH_MD5, DIGEST_MD5 },
                { "# remark\n\n" SHA1 "\r\n", "", HASH_SHA1, DIGEST_SHA1 },
                { SHA256 "  some/file", "some/file", HASH_SHA256, DIGEST_SHA256 },
                { SHA256 " *some/file", "some/file", HASH_SHA256, DIGEST_SHA256 },
                { MD5 ":3:Family.Name", "Family.Name", HASH_MD5, DIGEST_MD5 },
                { SHA256 ":*:Family.Name:73", "Family.Name", HASH_SHA256, DIGEST_SHA256 },
                { "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "", HASH_SHA256, DIGEST_SHA256 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                struct hash_list *l = list_of(forms[i].line);
                struct str name;
                assert_int_equal(hash_list_count(l, forms[i].kind), 1);
                assert_true(hash_list_find(l, forms[i].kind, digest(forms[i].digest, STR("abc")), 3, &name));
                assert_true(str_is(name, forms[i].name));
                assert_false(hash_list_find(l, forms[i].kind, digest(forms[i].digest, STR("abd")), 3, &name));
                assert_false(hash_list_find(l, forms[i].kind, STR("short"), 3, &name));
                hash_list_free(l);
        }
}

/* The size must be the file's, where the list gives one; of several records of one digest any may fit. */
static void test_sizes(void **state)
{
        struct hash_list *l = list_of(MD5 ":4:Other\n" MD5 ":3:This\n" MD5 ":5:Another\n");
        struct str name;
        assert_true(hash_list_find(l, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 3, &name));
        assert_true(str_is(name, "This"));
        assert_false(hash_list_find(l, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 6, &name));
        hash_list_free(l);
}

/* A digest need not be made of what has no size of the list; where one line tells none, all must be. */
static void test_may_have(void **state)
{
        struct hash_list *l = list_of(MD5 ":4:Other\n" MD5 ":70000000000:This\n" SHA1 ":*:Any\n");
        size_t others = 0;
        assert_true(hash_list_may_have(l, HASH_MD5, 4));
        assert_true(hash_list_may_have(l, HASH_MD5, 70000000000));
        for (uint64_t size = 5; size < 1000; size++)
                others += hash_list_may_have(l, HASH_MD5, size);
        assert_true(others < 10);
        assert_true(hash_list_may_have(l, HASH_SHA1, 5));
        assert_false(hash_list_may_have(l, HASH_SHA256, 4));
        hash_list_free(l);
        l = list_of(SHA256 "\n" SHA256 ":3:Name\n");
        assert_true(hash_list_may_have(l, HASH_SHA256, 5));
        hash_list_free(l);
}

static void test_refused(void **state)
{
        static const char *const lines[] = {
                "x", "900150983cd24fb0d6963f7d28e17f7", MD5 "0", MD5 "x", MD5 ":x:Name", MD5 "::Name", "zz" MD5 "zz"
        };
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct hash_list *l = hash_list_new();
                struct error err = ERROR_NONE;
                char text[256];
                snprintf(text, sizeof(text), "%s\n%s\n", SHA1, lines[i]);
                assert_int_equal(hash_list_add(l, str_of(text), "f", &err), -EINVAL);
                assert_memory_equal(err.text, "f:2: no digest", 14);
                hash_list_free(l);
        }
        struct hash_list *l = hash_list_new();
        struct str name;
        assert_true(hash_list_add_file(l, "/nonexistent/list", NULL) < 0);
        hash_list_seal(l);
        assert_false(hash_list_find(l, HASH_MD5, digest(DIGEST_MD5, STR("abc")), 3, &name));
        hash_list_free(l);
}

static void test_many(void **state)
{
        enum { N = 100000 };
        struct hash_list *l = hash_list_new();
        struct buf text = BUF_INIT((size_t)N * 100);
        struct str name;
        for (unsigned i = 0; i < N; i++) {
                struct str d = digest(DIGEST_SHA256, str_span(&i, sizeof(i)));
                for (size_t k = 0; k < d.n; k++)
                        buf_printf(&text, "%02x", (uint8_t)d.p[k]);
                buf_printf(&text, "  n%u\n", i);
        }
        assert_int_equal(hash_list_add(l, buf_str(&text), "f", NULL), 0);
        hash_list_seal(l);
        for (unsigned i = 0; i < 2 * N; i += 7) {
                char wanted[32];
                snprintf(wanted, sizeof(wanted), "n%u", i);
                bool found = hash_list_find(l, HASH_SHA256, digest(DIGEST_SHA256, str_span(&i, sizeof(i))), 1, &name);
                assert_int_equal(found, i < N);
                assert_true(!found || str_is(name, wanted));
        }
        buf_done(&text);
        hash_list_free(l);
}

/* The same lines give the same digest; whatever else they say, another. */
static void test_digest(void **state)
{
        static const char *const texts[] = { "", MD5, SHA1, SHA256, MD5 ":3:a", MD5 ":4:a", MD5 ":3:b", MD5 "\n" SHA1 };
        uint8_t digests[ARRAY_SIZE(texts)][DIGEST_MAX], again[DIGEST_MAX];
        struct digest d;
        digest_init(&d, DIGEST_SHA256);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                for (unsigned times = 0; times < 2; times++) {
                        struct hash_list *l = list_of(texts[i]);
                        hash_list_digest(l, &d);
                        digest_end(&d, times ? again : digests[i]);
                        hash_list_free(l);
                }
                assert_memory_equal(digests[i], again, DIGEST_MAX);
                for (size_t k = 0; k < i; k++)
                        assert_memory_not_equal(digests[i], digests[k], DIGEST_MAX);
        }
        digest_done(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),   cmocka_unit_test(test_sizes), cmocka_unit_test(test_may_have),
                cmocka_unit_test(test_refused), cmocka_unit_test(test_many),  cmocka_unit_test(test_digest),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests_name("hash-list", tests, NULL, NULL);
}
