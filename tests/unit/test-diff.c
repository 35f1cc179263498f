/* base/diff.c: expected diffs, and for random texts that what is told gives the one text from the other. */
#include "base/diff.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct diff_text plain(const char *s) { return (struct diff_text){ str_of(s), str_of(s) }; }

static void expected(void **state)
{
        static const struct {
                const char *before, *after, *diff;
        } cases[] = {
                { "", "", "" },
                { "a\nb\n", "a\nb\n", "" },
                { "", "a\n", "@@ -0,0 +1,1 @@\n+a\n" },
                { "a\n", "", "@@ -1,1 +0,0 @@\n-a\n" },
                { "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n" },
                { "a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n" },
                { "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n",
                  "@@ -7,3 +7,4 @@\n 7\n 8\n 9\n+10\n" },
                { "x\n1\n2\n3\n4\n5\n6\n7\ny\n", "1\n2\n3\n4\n5\n6\n7\n",
                  "@@ -1,4 +1,3 @@\n-x\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-y\n" },
                { "x\n1\n2\n3\n4\n5\n6\ny\n", "1\n2\n3\n4\n5\n6\n", /* six lines between them: one hunk */
                  "@@ -1,8 +1,6 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n-y\n" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(buf_done) struct buf b = BUF_INIT(4096);
                assert_true(diff_unified(plain(cases[i].before), plain(cases[i].after), &b));
                if (!str_is(buf_str(&b), cases[i].diff))
                        fail_msg("%zu: %s", i, b.n ? b.p : "nothing");
        }
}

/* The text that the hunks make of `before`, read as patch(1) does. */
static void apply(struct str before, struct str hunks, struct buf *ret)
{
        size_t line = 1;
        while (hunks.n) {
                unsigned long a, n;
                struct str head = str_cut(&hunks, '\n');
                assert_int_equal(sscanf(head.p, "@@ -%lu,%lu ", &a, &n), 2);
                for (size_t until = n ? a : a + 1; line < until; line++) {
                        struct str l = str_cut(&before, '\n');
                        buf_add(ret, l.p, l.n);
                        buf_putc(ret, '\n');
                }
                while (hunks.n && hunks.p[0] != '@') {
                        struct str l = str_cut(&hunks, '\n');
                        bool is_open = hunks.n && hunks.p[0] == '\\';
                        if (is_open)
                                str_cut(&hunks, '\n');
                        if (l.p[0] != '+') {
                                assert_true(str_eq(str_cut(&before, '\n'), str_from(l, 1)));
                                line++;
                        }
                        if (l.p[0] != '-') {
                                buf_add_str(ret, str_from(l, 1));
                                buf_puts(ret, is_open ? "" : "\n");
                        }
                }
        }
        buf_add_str(ret, before);
}

static struct str random_text(struct arena *arena, unsigned lines, unsigned letters)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1u << 20);
        for (unsigned i = 0; i < lines; i++)
                buf_printf(&b, "%u\n", (unsigned)rand() % letters);
        if (b.n && rand() % 4 == 0)
                b.n--;
        return arena_str(arena, buf_str(&b));
}

static void random_texts(void **state)
{
        srand(7);
        for (int i = 0; i < 3000; i++) {
                struct arena arena = ARENA_INIT;
                _cleanup_(buf_done) struct buf b = BUF_INIT(1u << 20), made = BUF_INIT(1u << 20);
                unsigned most = i % 50 == 0 ? 1000 : 30; /* now and then more edits than are counted */
                struct str before = random_text(&arena, (unsigned)rand() % most, 1 + (unsigned)rand() % 10);
                struct str after = random_text(&arena, (unsigned)rand() % most, 1 + (unsigned)rand() % 10);
                assert_true(diff_unified((struct diff_text){ before, before }, (struct diff_text){ after, after }, &b));
                apply(before, buf_str(&b), &made);
                if (!str_eq(buf_str(&made), after))
                        fail_msg("%.*s\n--\n%.*s\n--\n%.*s", STR_FMT(before), STR_FMT(after), STR_FMT(buf_str(&b)));
                arena_done(&arena);
        }
}

/* Compared is the text, shown the other; what is too long ends with a whole line. */
static void shown(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(4096), small = BUF_INIT(30);
        struct diff_text before = { STR("a\nsecret-1\n"), STR("a\n<8 characters>\n") };
        struct diff_text after = { STR("a\nsecret-2\n"), STR("a\n<8 characters>\n") };
        assert_true(diff_unified(before, after, &b));
        assert_true(str_is(buf_str(&b), "@@ -1,2 +1,2 @@\n a\n-<8 characters>\n+<8 characters>\n"));
        assert_false(diff_unified(before, after, &small));
        assert_true(str_is(buf_str(&small), "@@ -1,2 +1,2 @@\n a\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(expected),
                cmocka_unit_test(random_texts),
                cmocka_unit_test(shown),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
