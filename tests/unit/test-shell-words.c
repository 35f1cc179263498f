/* Shell scripts: which commands there are, with which words, how they are joined. */
#include "base/buf.h"
#include "read/shell-words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/*
 * A script as one line: commands in [], joined by ; & (AND) / (OR) |, words separated by spaces, those that are not
 * literal with a $ before them, assignments in {}, redirections in <>, deeper ones with a number before them.
 */
static struct str shape(const char *text, struct arena *a)
{
        static const char joins[] = { [SHELL_THEN] = ';', [SHELL_AND] = '&', [SHELL_OR] = '/', [SHELL_PIPE] = '|' };
        struct shell_script s;
        struct buf b = BUF_INIT(1 << 20);
        shell_read(str_of(text), a, &s);
        for (size_t i = 0; i < s.n; i++) {
                const struct shell_command *c = &s.commands[i];
                const char *space = "";
                buf_putc(&b, joins[c->join]);
                if (c->depth)
                        buf_printf(&b, "%u", c->depth);
                buf_putc(&b, '[');
                for (size_t k = 0; k < c->n_assignments; k++, space = " ")
                        buf_printf(&b, "%s{%.*s}", space, STR_FMT(c->assignments[k].value));
                for (size_t k = 0; k < c->n_words; k++, space = " ")
                        buf_printf(&b, "%s%s%.*s", space, c->words[k].is_literal ? "" : "$",
                                   STR_FMT(c->words[k].value));
                for (size_t k = 0; k < c->n_redirects; k++, space = " ")
                        buf_printf(&b, "%s<%s %.*s>%.*s", space, c->redirects[k].op,
                                   STR_FMT(c->redirects[k].target.value), STR_FMT(c->redirects[k].body));
                buf_puts(&b, "]");
        }
        if (s.why)
                buf_printf(&b, "!%s", s.why);
        struct str ret = arena_str(a, buf_str(&b));
        buf_done(&b);
        return ret;
}

static const struct {
        const char *script, *shape;
} cases[] = {
        { "", "" },
        { "a b  'c d' \"e f\" g\\ h", ";[a b c d e f g h]" },
        { "a;b\nc&d", ";[a];[b];[c];[d]" },
        { "a && b || c | d |& e", ";[a]&[b]/[c]|[d]|[e]" },
        { "a # b\nc#d", ";[a];[c#d]" },
        { "A=1 B+=2 c D=3", ";[{A=1} {B+=2} c D=3]" },
        { "A=(1 2) b", ";[{A=} b]" },
        { "a <b >>c 2>&1 &>d 3< e", ";[a << b> <>> c> <>& 1> <&> d> << e>]" },
        { "a \"$b\" ${c:-\"x y\"} $1 $@ $ \"\\$x\" '$y' $'z\\'w'", ";[a $$b $${c:-\"x y\"} $$1 $$@ $ $x $y z'w]" },
        { "a $(b | c) `d \\`e\\``", ";1[b]|1[c];1[d `e`];[a $$(b | c) $`d \\`e\\``]" },
        { "a $((1 + (2))) <(b)", ";1[b];[a $$((1 + (2))) $<(b)]" },
        { "if a; then b; elif c; then d; else e; fi | f", ";[a];[b];[c];[d];[e]|[f]" },
        { "while a; do b; done < c; until d; do e; done", ";[a];[b];[d];[e]" },
        { "for i in $(a) b; do c $i; done && d", ";1[a];[c $$i]&[d]" },
        { "for ((i = 0; i < 3; i++)); do a; done", ";[a]" },
        { "case $x in a | \"b\") c ;; (d) e & ;; *) ;; esac; f", ";[c];[e];[f]" },
        { "case a in esac", "" },
        { "case a in b) case c in d) e;; esac;; f) g; esac", ";[e];[g]" },
        { "(a; b) && { c; } || ! d", ";[a];[b]&[c]/[d]" },
        { "f() { a; }; function g { b; }; function h () { c; }", ";[a];[b];[c]" },
        { "[[ a == b && -n $c ]] && d", ";[[[ a == b -n $$c ]]]&[d]" },
        { "((a > b)) && c", "&[c]" },
        { "cat <<A <<-'B'; d\nx $y\nA\n\tz\n\tB\ne", ";[cat <<< A>x $y\n <<<- B>\tz\n];[d];[e]" },
        { "cat <<A | sh\nx\nA", ";[cat <<< A>x\n]|[sh]" },
        { "while a; do b; done <<A\nx y\nA\nc", ";[a];[b];[c]" },
        { "a \\\n b", ";[a b]" },
        { "echo if then; if", ";[echo if then]" },
        { "a 'b", "!a single quote without its partner" },
        { "a \"b", "!a double quote without its partner" },
        { "a $(b", ";1[b]!a substitution without its closing parenthesis" },
        { "a `b", "!a backtick without its partner" },
        { "a ${b", "!an expansion without its end" },
        { "a)", ";[a]!a closing parenthesis that nothing opened" },
        { "[[ a && ", "!a [[ without its ]]" },
        { "a >", "!a redirection to nowhere" },
        { "a b (c)", "!an opening parenthesis where none can stand" },
};

static void test_cases(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct arena a = ARENA_INIT;
                struct str got = shape(cases[i].script, &a);
                if (!str_is(got, cases[i].shape))
                        fail_msg("%s\n  gives %.*s\n  not   %s", cases[i].script, STR_FMT(got), cases[i].shape);
                arena_done(&a);
        }
}

static void test_pipelines(void **state)
{
        struct arena a = ARENA_INIT;
        struct shell_script s;
        shell_read(STR("a | b | c && d | (e; f)"), &a, &s);
        assert_int_equal(s.n, 6);
        assert_true(s.has_pipe && s.pipe_offset == 2);
        assert_true(s.commands[0].feeds_pipe && s.commands[1].feeds_pipe && !s.commands[2].feeds_pipe);
        assert_int_equal(s.commands[2].position, 2);
        assert_int_equal(s.commands[0].pipeline, s.commands[2].pipeline);
        assert_int_not_equal(s.commands[3].pipeline, s.commands[2].pipeline);
        assert_int_equal(s.commands[4].position, 1);
        assert_int_equal(s.commands[5].position, 0);
        arena_done(&a);
}

static void test_places(void **state)
{
        struct arena a = ARENA_INIT;
        struct shell_script s;
        shell_read(STR("x=1 ab \"c$(d e)\" f"), &a, &s);
        assert_int_equal(s.n, 2);
        assert_int_equal(s.commands[0].words[1].offset, 13);
        assert_int_equal(s.commands[1].words[0].offset, 4);
        assert_int_equal(s.commands[1].words[1].offset, 7);
        assert_int_equal(s.commands[1].words[1].end, 16);
        assert_int_equal(s.commands[1].end, 18);
        arena_done(&a);
}

static void test_deep(void **state)
{
        struct arena a = ARENA_INIT;
        struct shell_script s;
        struct buf b = BUF_INIT(8 << 20);
        for (unsigned i = 0; i < 100000; i++)
                buf_puts(&b, "$(a ");
        shell_read(buf_str(&b), &a, &s);
        assert_non_null(s.why);
        buf_clear(&b);
        for (unsigned i = 0; i <= SHELL_WORDS_MAX; i++)
                buf_puts(&b, "a ");
        shell_read(buf_str(&b), &a, &s);
        assert_string_equal(s.why, "more than 100,000 words");
        buf_done(&b);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_pipelines),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_deep),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
