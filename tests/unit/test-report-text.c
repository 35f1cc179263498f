/* Text of reports: what is hostile becomes harmless, what is counted has its unit, what is cut fits. */
#include "base/utf8.h"
#include "report/text.h"
#include "report/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static int clear(void **state)
{
        arena_done(&arena);
        return 0;
}

#define assert_text(got, want)                                                                                         \
        do {                                                                                                           \
                struct str got_ = (got);                                                                               \
                assert_string_equal(arena_cstr(&arena, got_), (want));                                                 \
        } while (0)

static void decodes_only_well_formed_utf8(void **state)
{
        static const struct {
                const char *bytes;
                size_t n;
                uint32_t c;
        } cases[] = {
                { "a", 1, 'a' },
                { "\xc3\xa9", 2, 0xe9 },
                { "\xe2\x82\xac", 3, 0x20ac },
                { "\xf0\x9f\x98\x80", 4, 0x1f600 },
                { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
                { "\xc0\xaf", 0, 0 },         /* too long for what it says */
                { "\xe0\x80\xaf", 0, 0 },     /* the same */
                { "\xed\xa0\x80", 0, 0 },     /* half of a UTF-16 pair */
                { "\xf4\x90\x80\x80", 0, 0 }, /* beyond Unicode */
                { "\xf8\x88\x80\x80", 0, 0 },
                { "\x80", 0, 0 },
                { "\xe2\x82", 0, 0 }, /* cut off */
                { "\xe2(\xac", 0, 0 },
                { "", 0, 0 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint32_t c = 0;
                assert_int_equal(utf8_decode(str_of(cases[i].bytes), &c), cases[i].n);
                assert_int_equal(c, cases[i].c);
        }
}

static void agrees_with_itself_on_all_code_points(void **state)
{
        for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
                char b[4];
                size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
                uint32_t left = c, got = 0;
                for (size_t i = n; i-- > 1; left >>= 6)
                        b[i] = (char)(0x80 | (left & 0x3f));
                b[0] = (char)((0xf0u << (4 - n)) | left);
                bool surrogate = c >= 0xd800 && c <= 0xdfff;
                assert_int_equal(utf8_decode(str_span(b, n), &got), surrogate ? 0 : n);
                assert_true(surrogate || got == c);
        }
}

static void cleans(void **state)
{
        struct str plain = STR("libssl1.1 – café 日本");
        assert_ptr_equal(text_clean(&arena, plain).p, plain.p); /* nothing to do, nothing copied */
        assert_text(text_clean(&arena, STR("a\033[2Jb\r\n\tc\x7f")), "a?[2Jb???c?");
        assert_text(text_clean(&arena, STR("\xc2\x9b"
                                           "31m")),
                    "?31m"); /* the one-byte CSI of C1 */
        assert_text(text_clean(&arena, STR("x\xe2\x80\xae"
                                           "gpj.exe")),
                    "x?gpj.exe"); /* right-to-left override */
        assert_text(text_clean(&arena, STR("z\xe2\x80\x8bw\xef\xbb\xbf")), "z?w?");
        assert_text(text_clean(&arena, STR("caf\xe9\xff")), "caf\\xe9\\xff");
        assert_text(text_utf8(&arena, STR("a\033b\xff")), "a\033b\\xff");
        assert_text(text_clean(&arena, str_span("a\0b", 3)), "a?b");
        assert_int_equal(text_clean(&arena, STR_NONE).n, 0);
}

static void cleans_any_bytes_into_valid_text(void **state)
{
        uint32_t seed = 12345;
        for (int round = 0; round < 20000; round++) {
                char bytes[24];
                size_t n = (seed >> 3) % sizeof(bytes);
                for (size_t i = 0; i < n; i++) {
                        seed = seed * 1664525 + 1013904223;
                        bytes[i] = (char)(seed >> 24);
                }
                struct str s = text_clean(&arena, str_span(bytes, n));
                for (struct str left = s; left.n;) {
                        uint32_t c = 0;
                        size_t k = utf8_decode(left, &c);
                        assert_true(k && c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0));
                        left = str_from(left, k);
                }
                assert_true(str_eq(text_clean(&arena, s), s));
        }
}

static void measures_and_cuts(void **state)
{
        assert_int_equal(text_width(STR("abc…")), 4);
        assert_int_equal(text_width(STR("日本")), 4);
        assert_int_equal(text_width(STR("e\xcc\x81")), 1);
        assert_text(text_cut(&arena, STR("openssl"), 7), "openssl");
        assert_text(text_cut(&arena, STR("openssl"), 6), "opens…");
        assert_text(text_cut(&arena, STR("open ssl"), 6), "open…");
        assert_text(text_cut(&arena, STR("日本語"), 5), "日本…");
        assert_text(text_cut(&arena, STR("日本語"), 4), "日…");
        assert_text(text_cut(&arena, STR("openssl"), 1), "…");
        assert_int_equal(text_cut(&arena, STR("openssl"), 0).n, 0);
        assert_int_equal(text_cut(&arena, STR_NONE, 0).n, 0);
        for (unsigned w = 1; w < 40; w++)
                assert_true(text_width(text_cut(&arena, STR("a日b本c語d e\xcc\x81 f and more of it"), w)) <= w);
}

static void breaks_lines(void **state)
{
        assert_int_equal(text_break(STR("one two three"), 7), 7);
        assert_int_equal(text_break(STR("one two three"), 6), 3);
        assert_int_equal(text_break(STR("one two three"), 13), 13);
        assert_int_equal(text_break(STR("one two three"), 12), 7);
        assert_int_equal(text_break(STR("/a/long/path then"), 5), 12);
        assert_int_equal(text_break(STR("/a/long/path"), 5), 12);
        assert_int_equal(text_break(STR_NONE, 5), 0);
}

static void counts(void **state)
{
        assert_text(text_number(&arena, 0), "0");
        assert_text(text_number(&arena, 999), "999");
        assert_text(text_number(&arena, 9412), "9,412");
        assert_text(text_number(&arena, UINT64_MAX), "18,446,744,073,709,551,615");
        assert_text(text_count(&arena, 1, "finding", "findings"), "1 finding");
        assert_text(text_count(&arena, 0, "finding", "findings"), "0 findings");
        assert_text(text_count(&arena, 2000, "finding", "findings"), "2,000 findings");
        assert_text(text_size(&arena, 1), "1 byte");
        assert_text(text_size(&arena, 999), "999 bytes");
        assert_text(text_size(&arena, 1000), "1.0 kB");
        assert_text(text_size(&arena, 283185152), "283 MB");
        assert_text(text_size(&arena, 9999999), "9.9 MB");
        assert_text(text_size(&arena, UINT64_MAX), "18 EB");
        assert_text(text_elapsed(&arena, 412), "0.41 s");
        assert_text(text_elapsed(&arena, 59999), "59.9 s");
        assert_text(text_elapsed(&arena, 72000), "1 min 12 s");
        assert_text(text_probability(&arena, 0), "0.00");
        assert_text(text_probability(&arena, 42), "<0.01");
        assert_text(text_probability(&arena, 12345), "0.12");
        assert_text(text_probability(&arena, 26871), "0.27");
        assert_text(text_probability(&arena, 99999), "1.00");
        assert_text(text_age(&arena, 86400, 86400), "1970-01-02 (today)");
        assert_text(text_age(&arena, 86400, 2 * 86400), "1970-01-02 (1 day old)");
        assert_text(text_age(&arena, 86400, 5 * 86400), "1970-01-02 (4 days old)");
        assert_text(text_age(&arena, 2 * 86400 - 1, 5 * 86400), "1970-01-02 (4 days old)");
        assert_text(text_age(&arena, 9 * 86400, 5 * 86400), "1970-01-10 (today)");
        assert_text(text_age(&arena, 0, 5 * 86400), "of unknown date");
}

static void quotes(void **state)
{
        assert_text(text_uri_path(&arena, STR("usr/lib/lib c++.so")), "usr/lib/lib%20c%2B%2B.so");
        assert_text(text_uri_path(&arena, STR("a\033\xff%")), "a%1B%FF%25");
        assert_text(text_shell(&arena, STR("registry:host/repo@sha256:1f")), "registry:host/repo@sha256:1f");
        assert_text(text_shell(&arena, STR("it's; rm")), "'it'\\''s; rm'");
        assert_text(text_shell(&arena, STR_NONE), "''");
        assert_text(text_short_digest(&arena, STR("sha256:3f1c29a0b4de5566")), "sha256:3f1c29a0b4de…");
        assert_text(text_short_digest(&arena, STR("sha256:3f1c29a0b4de")), "sha256:3f1c29a0b4de");
        assert_text(text_short_digest(&arena, STR("none")), "none");
        assert_text(text_capital(&arena, STR("update it")), "Update it");
}

static void knows_pages_only_of_ids_that_are_ids(void **state)
{
        assert_text(advisory_url(&arena, STR("CVE-2024-5535")), "https://www.cve.org/CVERecord?id=CVE-2024-5535");
        assert_text(advisory_url(&arena, STR("GHSA-4fc7-mvrr-wv2c")),
                    "https://github.com/advisories/GHSA-4fc7-mvrr-wv2c");
        assert_int_equal(advisory_url(&arena, STR("CVE-2024-5535\"><script>")).n, 0);
        assert_int_equal(advisory_url(&arena, str_span("CVE-2024\0", 9)).n, 0);
        assert_int_equal(advisory_url(&arena, STR("ALPINE-13661")).n, 0);
        assert_int_equal(advisory_url(&arena, STR_NONE).n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(decodes_only_well_formed_utf8, clear),
                cmocka_unit_test_teardown(agrees_with_itself_on_all_code_points, clear),
                cmocka_unit_test_teardown(cleans, clear),
                cmocka_unit_test_teardown(cleans_any_bytes_into_valid_text, clear),
                cmocka_unit_test_teardown(measures_and_cuts, clear),
                cmocka_unit_test_teardown(breaks_lines, clear),
                cmocka_unit_test_teardown(counts, clear),
                cmocka_unit_test_teardown(quotes, clear),
                cmocka_unit_test_teardown(knows_pages_only_of_ids_that_are_ids, clear),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
