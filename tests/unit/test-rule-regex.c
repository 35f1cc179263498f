/* The regular expression engine against regexec(3), and against expressions that blow others up. */
#include "base/buf.h"
#include "rule/regex.h"

#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* 1 or 0; -1: does not compile. */
static int match(const char *pattern, const char *text)
{
        struct arena arena = ARENA_INIT;
        char words[160];
        size_t at;
        struct rule_regex *re = rule_regex_new(&arena, str_of(pattern), words, &at);
        int r = -1;
        if (re) {
                void *scratch = calloc(1, rule_regex_scratch_size(re) + 1);
                r = rule_regex_match(re, str_of(text), scratch);
                assert_int_equal(rule_regex_match(re, str_of(text), scratch), r);
                free(scratch);
        }
        arena_done(&arena);
        return r;
}

static void write_pattern(struct buf *to, unsigned *seed, int depth)
{
        static const char *const atoms[] = { "a", "b", ".", "[ab]", "[^a]", "c" };
        static const char *const repeats[] = { "*", "+", "?", "{2}", "{1,2}", "{2,}" };
        int kind = depth > 3 || to->n > 60 ? 0 : rand_r(seed) % 6;
        if (kind == 1) {
                write_pattern(to, seed, depth + 1);
                write_pattern(to, seed, depth + 1);
        } else if (kind == 2) {
                buf_putc(to, '(');
                write_pattern(to, seed, depth + 1);
                buf_putc(to, '|');
                write_pattern(to, seed, depth + 1);
                buf_putc(to, ')');
        } else if (kind == 3) {
                buf_putc(to, '(');
                write_pattern(to, seed, depth + 1);
                buf_printf(to, ")%s", repeats[rand_r(seed) % 6]);
        } else {
                buf_puts(to, atoms[rand_r(seed) % 6]);
        }
}

static void test_oracle(void **state)
{
        unsigned seed = 7;
        for (int round = 0; round < 3000; round++) {
                struct buf pattern = BUF_INIT(1000), whole = BUF_INIT(1010);
                regex_t re;
                write_pattern(&pattern, &seed, 0);
                buf_printf(&whole, "^(%s)$", pattern.p);
                assert_int_equal(regcomp(&re, whole.p, REG_EXTENDED | REG_NOSUB), 0);
                for (int t = 0; t < 12; t++) {
                        char text[12];
                        size_t length = (unsigned)rand_r(&seed) % 10;
                        for (size_t i = 0; i < length; i++)
                                text[i] = "abc"[rand_r(&seed) % 3];
                        text[length] = '\0';
                        int ours = match(pattern.p, text), theirs = regexec(&re, text, 0, NULL, 0) == 0;
                        if (ours != theirs)
                                fail_msg("\"%s\" of \"%s\": %d, regexec says %d", pattern.p, text, ours, theirs);
                }
                regfree(&re);
                buf_done(&pattern);
                buf_done(&whole);
        }
}

static void test_syntax(void **state)
{
        static const char *const malformed[] = { "(a",    "a)",  "[a",      "*a",     "a**b|+",
                                                 "[z-a]", "\\",  "a{2000}", "a{3,2}", "[[:nope:]]",
                                                 "\\1",   "\\y", "\xff",    "(?=a)",  "a|*" };
        static const struct {
                const char *pattern, *text;
                int matches;
        } cases[] = {
                { "", "", 1 },
                { "a|", "", 1 },
                { "a{,2}", "a{,2}", 1 },
                { "\\.\\*", ".*", 1 },
                { "\\d+", "123", 1 },
                { "[\\d.]+", "1.2", 1 },
                { "\\w\\s\\D", "a b", 1 },
                { "[]a]+", "]a", 1 },
                { "[^]a]", "b", 1 },
                { "é+", "éé", 1 },
                { "[à-ü]", "é", 1 },
                { "[^x]", "日", 1 },
                { "a\\x41", "aA", 1 },
                { ".", "\xff", 1 },
                { "\xef\xbf\xbd", "\xfe", 1 },
                { "(?:ab)+", "abab", 1 },
                { "^ab$", "ab", 1 },
                { "(^a|^b)c", "bc", 1 },
                { "a$b", "ab", 0 },
                { "a\n^b", "a\nb", 1 },
                { "a.b", "a\nb", 0 },
                { "a[^x]b", "a\nb", 1 },
                { "[[:space:]]x", "\tx", 1 },
                { "a-z", "a-z", 1 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
                if (match(malformed[i], "") != -1)
                        fail_msg("\"%s\" should not compile", malformed[i]);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (match(cases[i].pattern, cases[i].text) != cases[i].matches)
                        fail_msg("\"%s\" of \"%s\" should give %d", cases[i].pattern, cases[i].text, cases[i].matches);
}

/* Expressions that take others exponential time or memory: an answer or a refusal, soon (the runner's time limit). */
static void test_bombs(void **state)
{
        _cleanup_(freep) char *text = malloc(100001);
        memset(text, 'a', 100000);
        text[100000] = '\0';
        assert_int_equal(match("(a*)*b", text), 0);
        assert_int_equal(match("(a|a)*b", text), 0);
        assert_int_equal(match("(a|aa)+", text), 1);
        assert_int_equal(match("(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x", text), 0);
        assert_int_equal(match("(.*a.{20}|.*b.{20})", text), 1);
        assert_int_equal(match("((a{100}){100}){100}", "a"), -1);
        assert_int_equal(match("((((){1000}){1000}){1000}){1000}", "a"), -1);
        assert_int_equal(match("((((((((((a*)*)*)*)*)*)*)*)*)*)*b", text), 0);
        text[3000] = '\0';
        memset(text, '(', 3000);
        assert_int_equal(match(text, ""), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_oracle),
                cmocka_unit_test(test_syntax),
                cmocka_unit_test(test_bombs),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
