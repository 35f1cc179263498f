/*
 * Every format over the reports of report-fixture.h, against golden files; UPDATE_GOLDEN=1 writes them anew. Beside
 * that: nothing hostile gets through, and the bytes are the same every time.
 */
#include "base/fs.h"
#include "base/utf8.h"
#include "report-fixture.h"
#include "report/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct golden {
        const char *file;
        const char *reporter; /* or the id to explain */
        const struct report *report;
        struct report_options options;
};

static const struct golden goldens[] = {
        { "full-80.txt", "table", &fixture_full, { .width = 80, .elapsed_ms = 412 } },
        { "full-120.txt", "table", &fixture_full, { .width = 120, .elapsed_ms = 412 } },
        { "full-120-colour.txt", "table", &fixture_full, { .width = 120, .colour = true } },
        { "full-pipe.txt", "table", &fixture_full, { .width = 0 } },
        { "full-80-verbose.txt", "table", &fixture_full, { .width = 80, .verbose = true } },
        { "full-pipe-verbose.txt", "table", &fixture_full, { .verbose = true } },
        { "empty-80.txt", "table", &fixture_empty, { .width = 80 } },
        { "explain-80.txt", "cve-2024-5535", &fixture_full, { .width = 80 } },
        { "explain-alias-pipe.txt", "dla-3942-1", &fixture_full, { 0 } },
        { "explain-colour.txt", "DEBIAN-CVE-2021-3156", &fixture_full, { .width = 100, .colour = true } },
        { "explain-eol.txt", "end-of-life", &fixture_full, { .width = 80 } },
        { "explain-set-aside.txt", "CVE-2024-2961", &fixture_full, { .width = 80 } },
        { "explain-waiver.txt", "CVE-2023-0465", &fixture_full, { .width = 80 } },
        { "explain-doubt.txt", "CVE-2024-25062", &fixture_full, { .width = 80 } },
        { "explain-stated.txt", "CVE-2023-38545", &fixture_full, { .width = 80 } },
        { "explain-kind.txt", "misconfiguration", &fixture_full, { .width = 80 } },
        { "explain-hostile.txt", "MAL-2026-" HOSTILE_HTML, &fixture_full, { .width = 80 } },
        { "full.json", "json", &fixture_full, { 0 } },
        { "empty.json", "json", &fixture_empty, { 0 } },
        { "full.html", "html", &fixture_full, { 0 } },
        { "empty.html", "html", &fixture_empty, { 0 } },
        { "full.sarif", "sarif", &fixture_full, { 0 } },
        { "empty.sarif", "sarif", &fixture_empty, { 0 } },
        { "full.cdx.json", "cyclonedx", &fixture_full, { 0 } },
        { "empty.cdx.json", "cyclonedx", &fixture_empty, { 0 } },
        { "full.openvex.json", "openvex", &fixture_full, { .author = "Example " HOSTILE_BYTES } },
        { "empty.openvex.json", "openvex", &fixture_empty, { 0 } },
        { "full.vex.cdx.json", "cyclonedx-vex", &fixture_full, { .author = "Example Team" } },
        { "empty.vex.cdx.json", "cyclonedx-vex", &fixture_empty, { 0 } },
};

static struct str render(const struct golden *g)
{
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);
        assert_non_null(to);
        const struct reporter *const *r = reporters;
        while (*r && strcmp((*r)->name, g->reporter) != 0)
                r++;
        if (*r)
                assert_int_equal((*r)->write(g->report, &g->options, to), 0);
        else
                assert_int_equal(report_explain(g->report, str_of(g->reporter), &g->options, to), 0);
        fclose(to);
        return str_span(text, size);
}

static void golden_files(void **state)
{
        bool update = *env_or("UPDATE_GOLDEN", "");
        for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
                struct str got = render(&goldens[i]);
                char path[4096];
                snprintf(path, sizeof(path), "%s/golden/report/%s", TESTS_DIR, goldens[i].file);
                if (update) {
                        FILE *to = fopen(path, "w");
                        assert_non_null(to);
                        assert_int_equal(fwrite(got.p, 1, got.n, to), got.n);
                        assert_int_equal(fclose(to), 0);
                } else {
                        struct buf want = BUF_INIT((size_t)16 << 20);
                        struct error err = ERROR_NONE;
                        if (read_file(path, &want, &err) < 0)
                                fail_msg("%s", err.text);
                        if (!str_eq(got, buf_str(&want)))
                                fail_msg("%s differs; see it with UPDATE_GOLDEN=1 and git diff", path);
                        buf_done(&want);
                }
                free((void *)got.p);
        }
}

static size_t count(struct str s, const char *what)
{
        size_t n = 0;
        for (ptrdiff_t at; (at = str_find(s, str_of(what))) >= 0; n++)
                s = str_from(s, (size_t)at + 1);
        return n;
}

/* Nothing that an image says reaches a terminal as a control, or a page as markup. */
static void nothing_hostile_gets_through(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
                const struct golden *g = &goldens[i];
                struct str got = render(g), left = got;
                bool is_json = got.n && got.p[0] == '{', is_html = str_starts(got, STR("<!DOCTYPE html>"));
                while (left.n) {
                        uint32_t c = 0;
                        size_t n = utf8_decode(left, &c);
                        assert_true(n); /* valid UTF-8 throughout */
                        if (c == 033) {
                                assert_true(g->options.colour && left.n > 2 && left.p[1] == '[');
                                left = str_from(left, 2);
                                while (left.n && strchr("0123456789;", left.p[0]))
                                        left = str_from(left, 1);
                                assert_true(left.n && left.p[0] == 'm');
                                c = 'm';
                                n = 1;
                        }
                        assert_true(c == '\n' || c >= 0x20);
                        assert_false(c >= 0x7f && c < 0xa0);
                        assert_false((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e));
                        assert_true(!is_json || c < 0x7f);
                        left = str_from(left, n);
                }
                if (is_html) {
                        assert_int_equal(count(got, "<script"), 1); /* our own */
                        assert_int_equal(count(got, "<img"), 0);
                        assert_int_equal(count(got, "<style"), 1);
                        assert_int_equal(count(got, "src="), count(got, "src=x onerror=alert(2)&gt;"));
                        assert_int_equal(count(got, "url("), 0);
                        assert_int_equal(count(got, "href=\"http"), count(got, "href=\"https://www.cve.org/"));
                }
                free((void *)got.p);
        }
}

static void the_same_bytes_every_time(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(goldens); i++) {
                struct str one = render(&goldens[i]), two = render(&goldens[i]);
                assert_true(str_eq(one, two));
                free((void *)one.p);
                free((void *)two.p);
        }
}

static void no_line_is_wider_than_the_terminal(void **state)
{
        for (unsigned width = 60; width <= 200; width += 7)
                for (int verbose = 0; verbose < 2; verbose++) {
                        struct golden g = { "", "table", &fixture_full, { .width = width, .verbose = verbose } };
                        struct str got = render(&g), left = got;
                        while (left.n) {
                                struct str line = str_line(&left);
                                if (text_width(line) > width)
                                        fail_msg("%u columns of %u: %.*s", text_width(line), width, STR_FMT(line));
                                assert_false(str_ends(line, STR(" ")));
                        }
                        free((void *)got.p);
                }
}

static void a_full_disk_is_an_error(void **state)
{
        struct report_options o = { 0 };
        for (const struct reporter *const *r = reporters; *r; r++) {
                FILE *full = fopen("/dev/full", "w");
                assert_non_null(full);
                assert_int_equal((*r)->write(&fixture_full, &o, full), -ENOSPC);
                fclose(full);
        }
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        assert_int_equal(report_explain(&fixture_full, STR("CVE-2024-5535"), &o, full), -ENOSPC);
        fclose(full);
}

static void explains_only_what_there_is(void **state)
{
        struct report_options o = { 0 };
        FILE *to = fopen("/dev/null", "w");
        assert_non_null(to);
        assert_int_equal(report_explain(&fixture_full, STR("CVE-1999-0001"), &o, to), -ENOENT);
        assert_int_equal(report_explain(&fixture_full, STR(""), &o, to), -ENOENT);
        assert_int_equal(report_explain(&fixture_empty, STR("CVE-2024-5535"), &o, to), -ENOENT);
        assert_int_equal(report_explain(&fixture_full, STR("ghsa-4FC7-mvrr-wv2c"), &o, to), 0);
        fclose(to);
}

/* Forty moves: ten lines, and how to see the rest. */
static void shows_no_wall_of_rows(void **state)
{
        struct move moves[40];
        struct report r = fixture_full;
        for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
                moves[i] = fixture_moves[i % 6];
        r.moves = moves;
        r.n_moves = ARRAY_SIZE(moves);
        struct golden g = { "", "table", &r, { .width = 80 } };
        struct str got = render(&g);
        assert_int_equal(count(got, "\n  update "), 10);
        assert_int_equal(count(got, "…30 more (-v shows all)"), 1);
        free((void *)got.p);
        g.options.verbose = true;
        got = render(&g);
        assert_int_equal(count(got, "\n  update "), 40);
        free((void *)got.p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(golden_files),
                cmocka_unit_test(nothing_hostile_gets_through),
                cmocka_unit_test(the_same_bytes_every_time),
                cmocka_unit_test(no_line_is_wider_than_the_terminal),
                cmocka_unit_test(a_full_disk_is_an_error),
                cmocka_unit_test(explains_only_what_there_is),
                cmocka_unit_test(shows_no_wall_of_rows),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
