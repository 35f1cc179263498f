/* Stanzas: fields, continuation lines, places, defects and where they end. */
#include "read/deb822.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define is(s, text) assert_true(str_is((s), (text)))

static void test_stanzas(void **state)
{
        struct str text = STR("\n\nPackage: a\nVersion:1.0 \nDescription: one\n two\n .\n three\n\n\nPACKAGE: "
                              "b\r\nx-y:\r\n\r\nPackage: c\n");
        struct deb822 d = deb822_from(text);
        struct deb822_stanza s;
        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        assert_int_equal(s.line, 3);
        assert_int_equal(s.offset, 2);
        assert_int_equal(s.n, 3);
        is(deb822_get(&s, "package"), "a");
        is(deb822_get(&s, "Version"), "1.0");
        is(deb822_get(&s, "Description"), "one\n two\n .\n three");
        assert_int_equal(s.fields[2].line, 5);
        assert_null(deb822_get(&s, "Status").p);
        assert_false(s.is_cut);

        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        assert_int_equal(s.line, 11);
        is(deb822_get(&s, "Package"), "b");
        assert_int_equal(deb822_get(&s, "X-Y").n, 0);
        assert_non_null(deb822_get(&s, "X-Y").p);

        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        is(deb822_get(&s, "Package"), "c");
        assert_false(s.is_cut);
        assert_int_equal(deb822_next(&d, &s), DEB822_END);
        assert_int_equal(deb822_next(&d, &s), DEB822_END);
}

static void test_empty(void **state)
{
        struct deb822_stanza s;
        struct deb822 d = deb822_from(STR_NONE);
        assert_int_equal(deb822_next(&d, &s), DEB822_END);
        d = deb822_from(STR("\n\r\n\n"));
        assert_int_equal(deb822_next(&d, &s), DEB822_END);
}

/* A defect is its stanza's: what can be read of it is there, and the next one is whole. */
static void test_defects(void **state)
{
        static const struct {
                const char *text, *why;
                uint64_t line;
        } cases[] = {
                { "Package: a\nnonsense\nVersion: 1\n\nPackage: b\n", "a line without a colon", 2 },
                { " lost\nPackage: a\nVersion: 1\n\nPackage: b\n", "a continuation line without a field", 1 },
                { "Package: a\n#no: x\n more\nVersion: 1\n\nPackage: b\n", "not a field name before the colon", 2 },
                { "Package: a\nb c: x\nVersion: 1\n\nPackage: b\n", "not a field name before the colon", 2 },
                { "Package: a\n: x\nVersion: 1\n\nPackage: b\n", "not a field name before the colon", 2 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct deb822 d = deb822_from(str_of(cases[i].text));
                struct deb822_stanza s;
                assert_int_equal(deb822_next(&d, &s), DEB822_MALFORMED);
                assert_string_equal(s.why, cases[i].why);
                assert_int_equal(s.why_line, cases[i].line);
                is(deb822_get(&s, "Package"), "a");
                is(deb822_get(&s, "Version"), "1");
                assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
                is(deb822_get(&s, "Package"), "b");
                assert_int_equal(deb822_next(&d, &s), DEB822_END);
        }
}

static void test_cut(void **state)
{
        struct deb822_stanza s;
        struct deb822 d = deb822_from(STR("Package: a\nVers"));
        assert_int_equal(deb822_next(&d, &s), DEB822_MALFORMED);
        assert_true(s.is_cut);
        d = deb822_from(STR("Package: a\n\nPackage: b\nVersion: 1"));
        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        assert_false(s.is_cut);
        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        assert_true(s.is_cut);
}

static void test_repeated(void **state)
{
        struct deb822_stanza s;
        struct deb822 d = deb822_from(STR("Package: a\nVersion: 1\nversion: 2\n"));
        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        assert_true(deb822_is_repeated(&s, "Version"));
        assert_false(deb822_is_repeated(&s, "Package"));
        assert_false(deb822_is_repeated(&s, "Status"));
        is(deb822_get(&s, "Version"), "1");
}

/* n bytes of a stanza "Package: a", a description that fills it, and "Version: 1"; then "Package: b". */
static void test_too_long(void **state)
{
        size_t n = DEB822_STANZA_MAX + 100;
        char *text = malloc(n);
        static const char start[] = "Package: a\nDescription: x\n", end[] = "\nVersion: 1\n\nPackage: b\n";
        memset(text, 'x', n);
        memcpy(text, start, sizeof(start) - 1);
        for (size_t i = sizeof(start) - 1; i + 80 < n; i += 80)
                memcpy(text + i, "\n ", 2);
        memcpy(text + n - sizeof(end) + 1, end, sizeof(end) - 1);
        struct deb822 d = deb822_from(str_span(text, n));
        static struct deb822_stanza s;
        text[sizeof(start) - 1] = ' ';
        assert_int_equal(deb822_next(&d, &s), DEB822_MALFORMED);
        assert_string_equal(s.why, "a stanza longer than 1 MiB");
        is(deb822_get(&s, "Package"), "a");
        assert_null(deb822_get(&s, "Version").p);
        assert_int_equal(deb822_next(&d, &s), DEB822_STANZA);
        is(deb822_get(&s, "Package"), "b");
        free(text);
}

static void test_too_many_fields(void **state)
{
        char text[4096];
        size_t n = 0;
        for (unsigned i = 0; i < DEB822_FIELDS_MAX + 1; i++) {
                memcpy(text + n, "a: b\n", 5);
                n += 5;
        }
        struct deb822 d = deb822_from(str_span(text, n));
        static struct deb822_stanza s;
        assert_int_equal(deb822_next(&d, &s), DEB822_MALFORMED);
        assert_int_equal(s.n, DEB822_FIELDS_MAX);
        assert_int_equal(s.why_line, DEB822_FIELDS_MAX + 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stanzas),         cmocka_unit_test(test_empty),
                cmocka_unit_test(test_defects),         cmocka_unit_test(test_cut),
                cmocka_unit_test(test_repeated),        cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_too_many_fields),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
