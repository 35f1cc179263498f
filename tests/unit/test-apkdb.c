/* Lines of apk's database, ends of packages, and checksums. */
#include "read/apkdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_lines(void **state)
{
        struct apkdb a = apkdb_from(STR("\n\nP:musl\nV:1.2\nnonsense\nF:\n\n\nP:zlib\r\nT:a: b"));
        static const struct {
                int outcome;
                char letter;
                const char *value;
                uint64_t line;
                size_t offset;
        } expected[] = {
                { APKDB_FIELD, 'P', "musl", 3, 2 },   { APKDB_FIELD, 'V', "1.2", 4, 9 },
                { APKDB_MALFORMED, 0, NULL, 5, 0 },   { APKDB_FIELD, 'F', "", 6, 24 },
                { APKDB_PACKAGE, 0, NULL, 7, 0 },     { APKDB_FIELD, 'P', "zlib", 9, 29 },
                { APKDB_FIELD, 'T', "a: b", 10, 37 }, { APKDB_PACKAGE, 0, NULL, 10, 0 },
                { APKDB_END, 0, NULL, 10, 0 },        { APKDB_END, 0, NULL, 10, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                struct apkdb_field f = { 0 };
                assert_int_equal(apkdb_next(&a, &f), expected[i].outcome);
                assert_int_equal(a.line, expected[i].line);
                if (expected[i].outcome != APKDB_FIELD)
                        continue;
                assert_int_equal(f.letter, expected[i].letter);
                assert_int_equal(f.offset, expected[i].offset);
                assert_true(str_is(f.value, expected[i].value));
        }
        assert_true(a.is_cut);
        a = apkdb_from(STR("P:a\n"));
        struct apkdb_field f;
        assert_int_equal(apkdb_next(&a, &f), APKDB_FIELD);
        assert_int_equal(apkdb_next(&a, &f), APKDB_PACKAGE);
        assert_false(a.is_cut);
        a = apkdb_from(STR_NONE);
        assert_int_equal(apkdb_next(&a, &f), APKDB_END);
}

/* Of the empty file: SHA-1, SHA-256 and MD5, as openssl base64 and hexdump give them. */
static void test_checksums(void **state)
{
        static const struct {
                const char *text, *algorithm;
                size_t n;
                uint8_t first, last;
        } cases[] = {
                { "Q12jmj7l5rSw0yVb/vlWAYkK/YBwk=", "sha1", 20, 0xda, 0x09 },
                { "Q247DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "sha256", 32, 0xe3, 0x55 },
                { "X1da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha1", 20, 0xda, 0x09 },
                { "d41d8cd98f00b204e9800998ecf8427e", "md5", 16, 0xd4, 0x7e },
        };
        uint8_t bytes[32];
        const char *algorithm;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(apkdb_checksum(str_of(cases[i].text), &algorithm, bytes), cases[i].n);
                assert_string_equal(algorithm, cases[i].algorithm);
                assert_int_equal(bytes[0], cases[i].first);
                assert_int_equal(bytes[cases[i].n - 1], cases[i].last);
        }
        static const char *const bad[] = {
                "",
                "Q1",
                "Q12jmj7l5rSw0yVb/vlWAYkK/YBwk",
                "Q12jmj7l5rSw0yVb/vlWAYkK/YBwkA",
                "Q12jmj7l5rSw0yVb/vlWAYkK/YBwk==",
                "Q1!jmj7l5rSw0yVb/vlWAYkK/YBwk=",
                "Q32jmj7l5rSw0yVb/vlWAYkK/YBwk=",
                "d41d8cd98f00b204e9800998ecf8427",
                "d41d8cd98f00b204e9800998ecf8427g",
                "X1da39a3",
        };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(apkdb_checksum(str_of(bad[i]), &algorithm, bytes), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_checksums) };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
