/* YAML: trees and places, aliases and merges, what is refused, what scalars mean, and that hostile input ends. */
#include "read/yaml.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define is(s, text) assert_true(str_is((s), (text)))

static struct arena arena;
static struct error err;

static int clean_up(void **state)
{
        arena_done(&arena);
        return 0;
}

static const struct yaml_node *read_one(struct str s)
{
        struct yaml y;
        err = ERROR_NONE;
        if (yaml_read(s, &arena, &y, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(y.n, 1);
        return y.documents[0];
}

static void refused(struct str s, const char *words)
{
        struct yaml y;
        err = ERROR_NONE;
        assert_int_equal(yaml_read(s, &arena, &y, &err), -EBADMSG);
        if (strcmp(err.text, words) != 0)
                fail_msg("got \"%s\", wanted \"%s\"", err.text, words);
}

static void test_tree(void **state)
{
        const struct yaml_node *root = read_one(STR("a: 1\n"
                                                    "list:\n"
                                                    "  - x\n"
                                                    "  - 'two words'\n"
                                                    "text: |\n"
                                                    "  one\n"
                                                    "  two\n"
                                                    "flow: {k: [1,\n"
                                                    "    2]}\n"
                                                    "empty:\n"
                                                    "tagged: !!str 5\n"));
        assert_int_equal(root->kind, YAML_MAPPING);
        assert_int_equal(root->n, 6);
        assert_int_equal(root->line, 1);
        assert_int_equal(root->end_line, 11);
        is(root->pairs[1].key->text, "list");
        assert_int_equal(root->pairs[1].key->line, 2);

        const struct yaml_node *list = yaml_get(root, "list");
        assert_int_equal(list->kind, YAML_SEQUENCE);
        assert_int_equal(list->n, 2);
        assert_int_equal(list->line, 3);
        assert_int_equal(list->column, 3);
        assert_int_equal(list->end_line, 4);
        is(yaml_text(list->items[1]), "two words");
        assert_int_equal(list->items[1]->column, 5);
        assert_false(list->items[1]->plain);
        assert_true(list->items[0]->plain);

        const struct yaml_node *text = yaml_get(root, "text");
        is(yaml_text(text), "one\ntwo\n");
        assert_false(text->plain);
        assert_int_equal(text->line, 5);
        assert_int_equal(text->end_line, 7);
        assert_int_equal(yaml_get(root, "flow")->line, 8);
        assert_int_equal(yaml_get(root, "flow")->end_line, 9);
        assert_true(yaml_is_null(yaml_get(root, "empty")));
        struct yaml y;
        assert_int_equal(yaml_read(STR("a: !!binary eA==\n"), &arena, &y, NULL), 0);
        assert_ptr_equal(y.binary, yaml_get(y.documents[0], "a"));
        assert_int_equal(yaml_read(STR("a: !binary eA==\n"), &arena, &y, NULL), 0);
        assert_null(y.binary);
        assert_string_equal(yaml_get(root, "tagged")->tag, "tag:yaml.org,2002:str");
        assert_false(yaml_get(root, "tagged")->plain);

        assert_null(yaml_get(root, "absent"));
        assert_null(yaml_get(list, "x"));
        assert_null(yaml_get(NULL, "x"));
        assert_null(yaml_text(list).p);
        assert_null(yaml_text(NULL).p);
}

static void test_documents(void **state)
{
        struct yaml y;
        assert_int_equal(yaml_read(STR("# nothing\n"), &arena, &y, NULL), 0);
        assert_int_equal(y.n, 0);
        assert_int_equal(yaml_read(STR_NONE, &arena, &y, NULL), 0);
        assert_int_equal(y.n, 0);
        assert_int_equal(yaml_read(STR("---\n---\na: &x 1\n...\n--- text\n"), &arena, &y, NULL), 0);
        assert_int_equal(y.n, 3);
        assert_true(yaml_is_null(y.documents[0]));
        is(yaml_text(yaml_get(y.documents[1], "a")), "1");
        is(yaml_text(y.documents[2]), "text");
        assert_int_equal(y.documents[2]->line, 5);
        refused(STR("a: &x 1\n---\nb: *x\n"), "line 3, column 4: an alias without an anchor of that name before it");
}

static void test_encodings(void **state)
{
        is(yaml_text(yaml_get(read_one(STR("\xef\xbb\xbf"
                                           "a: \xc3\xa9\n")),
                              "a")),
           "\xc3\xa9");
        is(yaml_text(yaml_get(read_one(STR("\xff\xfe"
                                           "a\0:\0 \0\xe9\0\n\0")),
                              "a")),
           "\xc3\xa9");
        is(yaml_text(yaml_get(read_one(STR("\xfe\xff"
                                           "\0a\0:\0 \0\xe9\0\n")),
                              "a")),
           "\xc3\xa9");
        refused(STR("a: \xff\n"), "line 1, column 1: invalid leading UTF-8 octet");
        refused(STR("a: 1\nb: \0\n"), "line 1, column 1: control characters are not allowed");
}

static void test_json(void **state)
{
        const struct yaml_node *root = read_one(
                STR("{\n\t\"a\": [1, true, null, -2.5e3],\r\n\t\"b\": {\"c\": \"\\u00e9\\n\\/\"},\"d\":\"true\"}"));
        const struct yaml_node *a = yaml_get(root, "a");
        int64_t v = 0;
        bool yes = false;
        assert_int_equal(a->n, 4);
        assert_true(yaml_int(a->items[0], &v) && v == 1);
        assert_true(yaml_bool(a->items[1], &yes) && yes);
        assert_true(yaml_is_null(a->items[2]));
        assert_true(yaml_int(a->items[3], &v) && v == -2500);
        is(yaml_text(yaml_get(yaml_get(root, "b"), "c")), "\xc3\xa9\n/");
        assert_false(yaml_bool(yaml_get(root, "d"), &yes));
}

static void test_aliases(void **state)
{
        const struct yaml_node *root = read_one(STR("a: &x {k: 1}\nb: *x\nc: &x 2\nd: [*x, *x]\n"));
        assert_ptr_equal(yaml_get(root, "a"), yaml_get(root, "b"));
        is(yaml_text(yaml_get(root, "d")->items[1]), "2");
        assert_int_equal(yaml_get(root, "b")->line, 1);
        refused(STR("a: *nope\n"), "line 1, column 4: an alias without an anchor of that name before it");
        refused(STR("a: &x\n  b: *x\n"), "line 2, column 6: an alias inside the very node that it stands for");
}

static void test_merge(void **state)
{
        struct yaml y;
        struct str s = STR("x: &x {a: 1, b: 1}\n"
                           "y: &y {b: 2, c: 2}\n"
                           "one:\n"
                           "  <<: *x\n"
                           "  a: own\n"
                           "two:\n"
                           "  z: 0\n"
                           "  <<: [*x, *y, {d: 3}]\n"
                           "late:\n"
                           "  a: own\n"
                           "  <<: *x\n"
                           "quoted: {'<<': 1}\n");
        assert_int_equal(yaml_read(s, &arena, &y, NULL), 0);
        const struct yaml_node *root = y.documents[0], *one = yaml_get(root, "one"), *two = yaml_get(root, "two");
        assert_int_equal(one->n, 2);
        is(one->pairs[0].key->text, "b");
        is(yaml_text(yaml_get(one, "a")), "own");
        assert_int_equal(two->n, 5);
        is(yaml_text(yaml_get(two, "b")), "1");
        is(yaml_text(yaml_get(two, "c")), "2");
        is(yaml_text(yaml_get(two, "d")), "3");
        is(two->pairs[0].key->text, "z");
        is(yaml_text(yaml_get(yaml_get(root, "quoted"), "<<")), "1");
        /* go-yaml v2 lets the merge win here, version 3 the key of the mapping. */
        is(yaml_text(yaml_get(yaml_get(root, "late"), "a")), "own");
        assert_int_equal(y.n_duplicates, 1);
        is(y.duplicates[0].key, "a");
        assert_true(y.duplicates[0].is_merged);
        assert_int_equal(y.duplicates[0].first_line, 10);
        assert_int_equal(y.duplicates[0].line, 11);

        refused(STR("a: &m <<\nb:\n  *m : {c: 1}\n"), "line 3, column 3: an alias that stands for a merge key (<<)");
        refused(STR("a:\n  <<: 5\n"),
                "line 2, column 3: a merge key (<<) of something that is neither a mapping nor a list of mappings");
        refused(STR("a:\n  <<: [{}, x]\n"),
                "line 2, column 3: a merge key (<<) of something that is neither a mapping nor a list of mappings");
}

static void test_duplicates(void **state)
{
        struct yaml y;
        assert_int_equal(yaml_read(STR("a: 1\nb:\n  c: 1\n  d: 2\n  \"c\": 3\na: 2\n"), &arena, &y, NULL), 0);
        assert_int_equal(y.n_duplicates, 2);
        is(y.duplicates[0].key, "c");
        assert_int_equal(y.duplicates[0].first_line, 3);
        assert_int_equal(y.duplicates[0].line, 5);
        assert_int_equal(y.duplicates[0].column, 3);
        assert_false(y.duplicates[0].is_merged);
        is(y.duplicates[1].key, "a");
        is(yaml_text(yaml_get(y.documents[0], "a")), "2");

        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
        for (int i = 0; i < 101; i++)
                buf_puts(&b, "a: 1\n");
        assert_int_equal(yaml_read(buf_str(&b), &arena, &y, NULL), 0);
        assert_int_equal(y.n_duplicates, 100);
        buf_puts(&b, "a: 1\n");
        refused(buf_str(&b), "line 102, column 1: more than 100 repeated keys up to here");
}

static void test_malformed(void **state)
{
        refused(STR("a: 1\n\tb: 2\n"),
                "line 2, column 1: while scanning a plain scalar: found a tab character that violates indentation");
        refused(STR("\ta: 1\n"), "line 1, column 1: while scanning for the next token: found character that cannot "
                                 "start any token");
        refused(STR("a: [1, 2\nb: 3\n"),
                "line 2, column 2: while parsing a flow sequence: did not find expected ',' or ']'");
        refused(STR("a: 'x\n"), "line 2, column 1: while scanning a quoted scalar: found unexpected end of stream");
        refused(STR("a: b: c\n"), "line 1, column 5: mapping values are not allowed in this context");
}

/* Every cut and every flipped bit of a small stream does no harm; ASan and UBSan look on. */
static void test_cut_and_flipped(void **state)
{
        static const char text[] = "a: &x [1, 'q', {b: c}]\n<<: {k: *x}\n--- !!map\n? |\n  t\n: \"\\u00e9\"\n";
        struct yaml y;
        for (size_t n = 0; n < sizeof(text); n++) {
                _cleanup_(freep) char *copy = xmalloc(n + 1);
                memcpy(copy, text, n);
                (void)yaml_read(str_span(copy, n), &arena, &y, &err);
                for (unsigned bit = 0; bit < 8; bit++) {
                        memcpy(copy, text, sizeof(text) - 1 < n ? sizeof(text) - 1 : n);
                        if (n)
                                copy[n - 1] ^= (char)(1u << bit);
                        (void)yaml_read(str_span(copy, n), &arena, &y, &err);
                }
        }
}

static void test_bools(void **state)
{
        static const struct {
                const char *text;
                int want; /* -1: no boolean */
        } cases[] = {
                { "true", 1 },        { "True", 1 },     { "TRUE", 1 },
                { "yes", 1 },         { "Yes", 1 },      { "on", 1 },
                { "y", 1 },           { "Y", 1 },        { "false", 0 },
                { "no", 0 },          { "NO", 0 },       { "off", 0 },
                { "n", 0 },           { "tRUE", -1 },    { "yEs", -1 },
                { "1", -1 },          { "", -1 },        { "~", -1 },
                { "'true'", -1 },     { "\"no\"", -1 },  { "!!bool 'true'", 1 },
                { "!!str true", -1 }, { "!x true", -1 }, { "[true]", -1 },
                { "! true", -1 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool v = false;
                struct str s = arena_printf(&arena, "k: %s\n", cases[i].text);
                int got = yaml_bool(yaml_get(read_one(s), "k"), &v) ? v : -1;
                if (got != cases[i].want)
                        fail_msg("%s: %d", cases[i].text, got);
        }
        assert_false(yaml_bool(NULL, &(bool){ false }));
}

static void test_ints(void **state)
{
        static const struct {
                const char *text;
                bool is_int;
                int64_t want;
        } cases[] = {
                { "0", true, 0 },
                { "80", true, 80 },
                { "-1", true, -1 },
                { "+7", true, 7 },
                { "0x1F", true, 31 },
                { "0o17", true, 15 },
                { "017", true, 15 },
                { "0b101", true, 5 },
                { "1_000", true, 1000 },
                { "08", true, 8 },
                { "80.0", true, 80 },
                { "1e3", true, 1000 },
                { "9223372036854775807", true, INT64_MAX },
                { "-9223372036854775808", true, INT64_MIN },
                { "9223372036854775808", false, 0 },
                { "18446744073709551616", false, 0 },
                { "1.5", false, 0 },
                { "1e30", false, 0 },
                { "0x", false, 0 },
                { "-_", false, 0 },
                { "_1", false, 0 },
                { "'80'", false, 0 },
                { "80a", false, 0 },
                { "", false, 0 },
                { ".inf", false, 0 },
                { "inf", false, 0 },
                { "0x1p3", false, 0 },
                { "!!int '80'", true, 80 },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int64_t v = 0;
                struct str s = arena_printf(&arena, "k: %s\n", cases[i].text);
                bool is_int = yaml_int(yaml_get(read_one(s), "k"), &v);
                if (is_int != cases[i].is_int || v != cases[i].want)
                        fail_msg("%s: %d %lld", cases[i].text, is_int, (long long)v);
        }
}

static void test_nulls(void **state)
{
        const struct yaml_node *n = read_one(STR("[~, null, Null, NULL, '', 'null', nULL, [], !!null x, 0]"));
        for (size_t i = 0; i < n->n; i++)
                assert_int_equal(yaml_is_null(n->items[i]), i < 4);
        assert_true(yaml_is_null(NULL));
}

/* Nine levels of nine aliases are 9^9 nodes: refused at the alias that passes the limit. */
static void test_billion_laughs(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(1 << 16);
        buf_puts(&b, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (int i = 1; i < 9; i++)
                buf_printf(&b, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
                           i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        refused(buf_str(&b), "line 7, column 10: more than 1,000,000 nodes, counted with what aliases stand for");

        buf_clear(&b);
        buf_puts(&b, "a0: &a0 {k: v}\n");
        for (int i = 1; i < 30; i++)
                buf_printf(&b, "a%d: &a%d {<<: *a%d, x: *a%d, y%d: *a%d}\n", i, i, i - 1, i - 1, i, i - 1);
        struct yaml y;
        assert_int_equal(yaml_read(buf_str(&b), &arena, &y, &err), -EBADMSG);

        buf_clear(&b);
        buf_puts(&b, "a0: &a0 [x]\n");
        for (int i = 1; i < 100; i++)
                buf_printf(&b, "a%d: &a%d [*a%d]\n", i, i, i - 1);
        refused(buf_str(&b), "line 100, column 12: nested deeper than 100 levels by an alias");
}

static void test_long_texts_of_aliases(void **state)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(4 << 20);
        buf_puts(&b, "- &a ");
        for (int i = 0; i < 1 << 20; i++)
                buf_putc(&b, 'x');
        for (int i = 0; i < 64; i++)
                buf_puts(&b, "\n- *a");
        refused(buf_str(&b), "line 65, column 3: more than 64 MiB of text, counted with what aliases stand for");
}

#define HOSTILE_BYTES (5u << 20)

/*
 * 1 MiB, or 5 of what is worst, that makes YAML readers take quadratic time. That each ends is the assertion: quadratic
 * time would be hours.
 */
static void test_hostile_ends(void **state)
{
        static const struct {
                const char *name, *head, *repeated;
                bool is_worst;
        } cases[] = {
                { "flow sequences in each other", "", "[", true },
                { "flow mappings in each other", "", "{a: ", true },
                { "block sequences in each other", "", "- " },
                { "complex keys in each other", "", "? " },
                { "a plain key", "", "k" },
                { "plain keys of words", "", "k k\n" },
                { "a wide flow sequence below 99 others", NULL, "a,", true },
                { "anchors", "", "- &a x\n" },
                { "anchors and aliases", "- &b y\n", "- *b\n", true },
                { "tag directives", "", "%TAG !a! b\n", true },
                { "tag directives in UTF-16", "\xff\xfe", "%\0T\0A\0G\0 \0!\0a\0!\0 \0b\0\n\0" },
                { "documents", "", "---\n" },
                { "comments", "", "#\n" },
                { "a comment", "#", "#" },
                { "empty lines", "a: |\n", "\n" },
                { "quotes", "'", "''" },
                { "escapes", "\"", "\\P" },
                { "colons", "", ": " },
                { "question marks", "{", "? a," },
                { "repeated keys", "", "a: 1\n" },
                { "percent signs", "", "%" },
                { "a tag", "!<", "%61" },
                { "empty mappings", "[", "{}," },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buf b = BUF_INIT(HOSTILE_BYTES + 1000);
                for (int k = 0; !cases[i].head && k < 99; k++)
                        buf_putc(&b, '[');
                buf_puts(&b, cases[i].head ? cases[i].head : "");
                bool is_wide = str_starts(str_of(cases[i].head), STR("\xff\xfe"));
                size_t n = is_wide ? 22 : strlen(cases[i].repeated);
                while (b.n < (cases[i].is_worst ? HOSTILE_BYTES : HOSTILE_BYTES / 5))
                        buf_add(&b, cases[i].repeated, n);
                struct yaml y;
                err = ERROR_NONE;
                int r = yaml_read(buf_str(&b), &arena, &y, &err);
                print_message("# %s: %s\n", cases[i].name, r < 0 ? err.text : "read");
                assert_true(r == 0 || r == -EBADMSG);
                arena_done(&arena);
                buf_done(&b);
        }
        struct buf b = BUF_INIT(YAML_BYTES_MAX + 2);
        while (b.n <= YAML_BYTES_MAX)
                buf_putc(&b, '#');
        struct yaml y;
        assert_int_equal(yaml_read(buf_str(&b), &arena, &y, &err), -EFBIG);
        buf_done(&b);
}

/* A long tag prefix that each node repeats: what libyaml makes of 5 MiB would be gigabytes. */
static void test_long_tags(void **state)
{
        struct buf b = BUF_INIT(HOSTILE_BYTES);
        buf_puts(&b, "%TAG !a! !");
        while (b.n < HOSTILE_BYTES / 2)
                buf_putc(&b, 'p');
        buf_puts(&b, "\n---\n");
        while (b.n < HOSTILE_BYTES - 10)
                buf_puts(&b, "- !a!b\n");
        refused(buf_str(&b), "line 28, column 3: more than 64 MiB of text, counted with what aliases stand for");
        buf_done(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_tree, clean_up),
                cmocka_unit_test_teardown(test_documents, clean_up),
                cmocka_unit_test_teardown(test_encodings, clean_up),
                cmocka_unit_test_teardown(test_json, clean_up),
                cmocka_unit_test_teardown(test_aliases, clean_up),
                cmocka_unit_test_teardown(test_merge, clean_up),
                cmocka_unit_test_teardown(test_duplicates, clean_up),
                cmocka_unit_test_teardown(test_malformed, clean_up),
                cmocka_unit_test_teardown(test_cut_and_flipped, clean_up),
                cmocka_unit_test_teardown(test_bools, clean_up),
                cmocka_unit_test_teardown(test_ints, clean_up),
                cmocka_unit_test_teardown(test_nulls, clean_up),
                cmocka_unit_test_teardown(test_billion_laughs, clean_up),
                cmocka_unit_test_teardown(test_long_texts_of_aliases, clean_up),
                cmocka_unit_test_teardown(test_hostile_ends, clean_up),
                cmocka_unit_test_teardown(test_long_tags, clean_up),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
