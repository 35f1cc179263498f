/* Dockerfiles: lines, directives, forms, heredocs, stages, expansion and its scopes, places, limits. */
#include "base/buf.h"
#include "read/dockerfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;
static struct dockerfile d;

/* In a heap copy of exact size, so that a sanitizer sees a read past the end; it lives until the next one. */
static void read_text(struct str text)
{
        static char *copy;
        free(copy);
        copy = malloc(text.n ? text.n : 1);
        if (text.n)
                memcpy(copy, text.p, text.n);
        arena_done(&arena);
        dockerfile_read(str_span(copy, text.n), &arena, &d);
        if (!text.n) {
                free(copy);
                copy = NULL;
        }
}

static void reads(const char *text) { read_text(str_of(text)); }

#define is(s, text)                                                                                                    \
        do {                                                                                                           \
                struct str _s = (s);                                                                                   \
                if (!str_is(_s, (text)))                                                                               \
                        fail_msg("\"%.*s\" is not \"%s\"", STR_FMT(_s), (text));                                       \
        } while (0)

static const struct dockerfile_instruction *at(size_t i)
{
        assert_true(i < d.n_instructions);
        return &d.instructions[i];
}

static void is_place(size_t offset, unsigned line, unsigned column)
{
        uint32_t l, c;
        dockerfile_place(&d, offset, &l, &c);
        assert_int_equal(l, line);
        assert_int_equal(c, column);
}

static void test_lines(void **state)
{
        reads("\xef\xbb\xbf# a\r\n\r\n  from\ta:1  as  Base \r\n\nrun one \\\r\n  # inside\r\n\r\n  two \\ "
              "\nthree\nRUN x\\\\\nRUN y");
        assert_int_equal(d.n_instructions, 4);
        assert_int_equal(d.n_problems, 0);
        assert_int_equal(d.n_comments, 2);
        assert_true(d.comments[1].is_inside);
        assert_int_equal(at(0)->keyword, DOCKERFILE_FROM);
        is(at(0)->words[2].value, "Base");
        assert_int_equal(at(1)->line, 5);
        assert_int_equal(at(1)->end_line, 9);
        is(str_from(at(1)->line_text.text, at(1)->command_at), "one   two three");
        is_place(dockerfile_offset(&at(1)->line_text, at(1)->command_at + 6), 8, 3);
        is_place(dockerfile_offset(&at(1)->line_text, at(1)->line_text.text.n), 9, 6);
        is(at(2)->line_text.text, "RUN x\\\\");
        assert_int_equal(at(3)->line, 11);
}

static void test_directives(void **state)
{
        reads("# syntax = docker/dockerfile:1\n#escape=`\nFROM a`\n b\nRUN c\\\n");
        is(d.syntax, "docker/dockerfile:1");
        assert_int_equal(d.escape, '`');
        assert_int_equal(d.n_instructions, 2);
        reads("# comment\n# escape=`\nFROM a\n");
        assert_int_equal(d.escape, '\\');
        assert_int_equal(d.n_comments, 2);
        reads("\n# escape=`\nFROM a\n");
        assert_int_equal(d.escape, '\\');
        reads("# escape=x\nFROM a\n");
        assert_int_equal(d.n_problems, 1);
}

static void test_forms(void **state)
{
        reads("FROM a\nCMD [ \"a\\u00e4\\n\", \"b c\" ] \nCMD [\"a\",]\nCMD ['a']\nCMD [\"a\"] x\nCMD []\nSHELL "
              "x\nVOLUME a b\n"
              "COPY [\"a b\",\"/c\"]\nHEALTHCHECK --interval=5s --retries=3 CMD [\"x\"]\nHEALTHCHECK cmd x "
              "y\nHEALTHCHECK NONE\n"
              "USER a b \nEXPOSE 1 2/udp\n");
        is(at(1)->words[0].value, "a\xc3\xa4\n");
        is(at(1)->words[1].value, "b c");
        assert_true(at(1)->is_exec);
        for (size_t i = 2; i < 5; i++)
                assert_true(!at(i)->is_exec && at(i)->command_at != DOCKERFILE_NONE);
        assert_true(at(5)->is_exec && at(5)->n_words == 0);
        assert_int_equal(d.n_problems, 1); /* SHELL */
        assert_int_equal(at(7)->n_words, 2);
        is(at(8)->words[0].value, "a b");
        is(at(9)->flags[1].name.value, "retries");
        is(dockerfile_flag(at(9), "interval")->value.value, "5s");
        assert_null(dockerfile_flag(at(9), "timeout"));
        assert_true(at(9)->is_exec);
        is(str_from(at(10)->line_text.text, at(10)->command_at), "x y");
        is(at(11)->words[0].value, "NONE");
        is(at(12)->words[0].value, "a b");
        assert_int_equal(at(13)->n_words, 2);
}

static void test_flags(void **state)
{
        reads("FROM --platform=$BUILDPLATFORM a\nCOPY --link --chown='1:2' --exclude=*.a --exclude=\"b c\" x y "
              "/z/\nRUN --mount=type=bind,from=x,target=/y -- --not\n"
              "COPY --from=a --from=b x y\n");
        is(at(0)->flags[0].value.text, "$BUILDPLATFORM");
        assert_false(at(0)->flags[0].value.is_known);
        assert_int_equal(at(1)->n_flags, 4);
        assert_false(at(1)->flags[0].has_value);
        is(at(1)->flags[1].value.value, "1:2");
        is(at(1)->flags[3].value.value, "b c");
        assert_int_equal(at(1)->n_words, 3);
        is(str_from(at(2)->line_text.text, at(2)->command_at), "--not");
        is(dockerfile_flag(at(3), "from")->value.value, "b");
        is_place(at(1)->flags[1].value.offset, 2, 21);
}

static void test_heredocs(void **state)
{
        reads("FROM a\nRUN <<EOF cat > /x\n a\nEOF\nCOPY <<-\"A\" <<B /d/\n\tx $y\n\t\tA\nz\nB\nRUN cat << EOF\nRUN "
              "echo \"<<X\"\nONBUILD RUN 3<<C\nC\n");
        assert_int_equal(d.n_problems, 0);
        assert_int_equal(d.n_instructions, 6);
        is(at(1)->heredocs[0].name, "EOF");
        is(at(1)->heredocs[0].body.text, " a\n");
        assert_false(at(1)->heredocs[0].is_quoted);
        assert_int_equal(at(1)->end_line, 4);
        assert_int_equal(at(2)->n_heredocs, 2);
        assert_true(at(2)->heredocs[0].is_quoted && at(2)->heredocs[0].strips_tabs);
        is(at(2)->heredocs[0].body.text, "\tx $y\n");
        is(at(2)->heredocs[1].body.text, "z\n");
        is_place(dockerfile_offset(&at(2)->heredocs[1].body, 0), 8, 1);
        assert_int_equal(at(3)->n_heredocs, 0);
        assert_int_equal(at(4)->n_heredocs, 0);
        assert_true(at(5)->is_onbuild && at(5)->n_heredocs == 1 && at(5)->heredocs[0].body.text.n == 0);
        reads("FROM a\nRUN <<EOF\nx\n");
        assert_int_equal(d.n_problems, 1);
        is(at(1)->heredocs[0].body.text, "x\n");
}

static void test_stages(void **state)
{
        reads("ARG V=1\nFROM a:$V AS one\nFROM ONE as two\nFROM scratch\nCOPY --from=one x y\nONBUILD FROM z\nFROM b "
              "c\n");
        assert_int_equal(d.n_stages, 4);
        is(d.stages[0].image.value, "a:1");
        assert_int_equal(d.stages[1].parent, 0);
        assert_int_equal(d.stages[2].parent, DOCKERFILE_NONE);
        assert_int_equal(dockerfile_stage_named(&d, STR("One"), 4), 0);
        assert_int_equal(dockerfile_stage_named(&d, STR("two"), 1), DOCKERFILE_NONE);
        assert_int_equal(dockerfile_stage_of_copy(&d, STR("1"), 2), 1);
        assert_int_equal(dockerfile_stage_of_copy(&d, STR("2"), 2), DOCKERFILE_NONE);
        assert_int_equal(at(0)->stage, DOCKERFILE_NONE);
        assert_int_equal(at(4)->stage, 2);
        assert_int_equal(d.n_problems, 1); /* FROM b c */
        reads("RUN x\n");
        assert_int_equal(d.n_problems, 1); /* no FROM */
}

/* What the value of X becomes. */
static const struct {
        const char *before, *word, *value;
        bool is_known;
} expansions[] = {
        { "ENV A=b", "$A", "b", true },
        { "ENV A=b", "${A}c$A", "bcb", true },
        { "ENV A=b", "\\$A", "$A", true },
        { "ENV A=b", "'$A'", "$A", true },
        { "ENV A=b", "\"$A 'c'\"", "b 'c'", true },
        { "ENV A=b", "\"\\$A \\x\"", "$A \\x", true },
        { "ENV A=b", "$B", "", true }, /* FROM scratch: nobody else sets it */
        { "ENV A=b", "${B:-$A}", "b", true },
        { "ENV A=b", "${A:-c}", "b", true },
        { "ENV A=", "${A:-c}${A-d}", "c", true },
        { "ENV A=", "${A:+c}${A+d}", "d", true },
        { "ENV A=b", "${A:?no}", "b", true },
        { "ENV A=b", "${B:?no}", "${B:?no}", false },
        { "ENV A=foo.tar.gz", "${A#*.}", "tar.gz", true },
        { "ENV A=foo.tar.gz", "${A##*.}", "gz", true },
        { "ENV A=foo.tar.gz", "${A%.*}", "foo.tar", true },
        { "ENV A=foo.tar.gz", "${A%%.*}", "foo", true },
        { "ENV A=banana", "${A/an/AN}", "bANana", true },
        { "ENV A=banana", "${A//a?/_}", "b__a", true },
        { "ENV A=banana", "${A//n}", "baaa", true },
        { "ENV A=b", "${A", "b", true },
        { "ENV A=b", "$", "$", true },
        { "ENV A=b", "${}", "${}", false },
        { "ENV A=b", "$1", "$1", true },
        { "ARG A=b", "$A", "b", true },
        { "ARG A", "$A", "$A", false },
        { "ARG A", "${A:-c}", "c", true },
        { "ENV A=b\nARG A=c", "$A", "b", true },
        { "ARG A=c\nENV A=b", "$A", "b", true },
        { "ARG G", "$G", "global", true },
        { "RUN true", "$G", "", true },
        { "ARG G=own", "$G", "own", true },
        { "ARG TARGETARCH", "$TARGETARCH", "$TARGETARCH", false },
        { "ENV A=1\nENV A=2 B=$A", "$B", "1", true },
        { "ONBUILD ENV A=1", "$A", "", true },
};

static void test_expansion(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(expansions); i++) {
                char text[512];
                snprintf(text, sizeof(text), "ARG G=global\nFROM scratch\n%s\nENV X=%s\n", expansions[i].before,
                         expansions[i].word);
                reads(text);
                const struct dockerfile_word *w = &at(d.n_instructions - 1)->pairs[0].value;
                if (!str_is(w->value, expansions[i].value) || w->is_known != expansions[i].is_known)
                        fail_msg("%s, %s: \"%.*s\"%s", expansions[i].before, expansions[i].word, STR_FMT(w->value),
                                 w->is_known ? "" : ", not known");
        }
        reads("FROM a AS b\nENV A=1\nARG C=2\nFROM b\nENV X=$A$C\nFROM c\nENV X=$A\n");
        is(at(4)->pairs[0].value.value, "12");
        is(at(6)->pairs[0].value.value, "$A"); /* it may come from the image */
        assert_false(at(6)->pairs[0].value.is_known);
}

static void test_pairs(void **state)
{
        reads("FROM a\nENV A=\"b c\" D=e\\ f\nENV OLD  new value \nLABEL \"x y\"=z\nARG A B=c D\nENV\n");
        is(at(1)->pairs[0].value.value, "b c");
        is(at(1)->pairs[1].value.value, "e f");
        is(at(2)->pairs[0].value.value, "new value");
        assert_int_equal(at(2)->n_pairs, 1);
        is(at(3)->pairs[0].name.text, "\"x y\"");
        assert_int_equal(at(4)->n_pairs, 3);
        assert_false(at(4)->pairs[2].has_value);
        assert_int_equal(d.n_problems, 1); /* ENV without arguments */
}

static void test_limits(void **state)
{
        struct buf b = BUF_INIT(16 << 20);
        buf_puts(&b, "FROM a\n");
        for (unsigned i = 0; i < DOCKERFILE_INSTRUCTIONS_MAX; i++)
                buf_puts(&b, "USER x\n");
        read_text(buf_str(&b));
        assert_true(d.is_cut);
        assert_int_equal(d.n_instructions, DOCKERFILE_INSTRUCTIONS_MAX);
        assert_int_equal(d.n_problems, 1);
        buf_clear(&b);
        for (unsigned i = 0; i <= DOCKERFILE_MAX; i++)
                buf_putc(&b, '#');
        read_text(buf_str(&b));
        assert_true(d.is_cut && d.n_instructions == 0);
        buf_clear(&b);
        buf_puts(&b, "FROM scratch\nENV A=xxxxxxxxxxxxxxxx\n");
        for (unsigned i = 0; i < 100; i++)
                buf_puts(&b, "ENV A=$A$A\n");
        read_text(buf_str(&b));
        assert_false(at(d.n_instructions - 1)->pairs[0].value.is_known);
        assert_true(at(d.n_instructions - 1)->pairs[0].value.value.n <= DOCKERFILE_VALUE_MAX);
        buf_done(&b);
}

/* Every prefix and every turned bit of a file that has everything: no harm. */
static void test_torture(void **state)
{
        char text[] =
                "# escape=\\\nARG A=b\nFROM a:${A:-c} AS x\nRUN --mount=type=cache <<E cat \\\n # c\n \"$(x)\"\ny\nE\n"
                "ENV B=\"${A%b}\" C=\\ d\nONBUILD COPY [\"a\", \"\\u0041\"]\nHEALTHCHECK CMD [\"a\"]\n";
        for (size_t n = 0; n < sizeof(text); n++)
                read_text(str_span(text, n));
        for (size_t bit = 0; bit < (sizeof(text) - 1) * 8; bit++) {
                text[bit / 8] ^= (char)(1 << bit % 8);
                read_text(str_span(text, sizeof(text) - 1));
                text[bit / 8] ^= (char)(1 << bit % 8);
        }
        read_text(STR_NONE);
        assert_int_equal(d.n_instructions, 0);
}

static int done(void **state)
{
        arena_done(&arena);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),     cmocka_unit_test(test_directives), cmocka_unit_test(test_forms),
                cmocka_unit_test(test_flags),     cmocka_unit_test(test_heredocs),   cmocka_unit_test(test_stages),
                cmocka_unit_test(test_expansion), cmocka_unit_test(test_pairs),      cmocka_unit_test(test_limits),
                cmocka_unit_test(test_torture),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, done);
}
