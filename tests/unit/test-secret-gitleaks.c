/* Users' kinds of secrets in gitleaks' format: what they find, what their allow lists take away, what is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "secret-scan.h"

#define CONFIG_HEAD                                                                                                    \
        "title = \"ours\"\n"                                                                                           \
        "[extend]\nuseDefault = true\ndisabledRules = [\"generic-variable\", \"generic-secret\"]\n"                    \
        "[allowlist]\ndescription = \"global\"\npaths = ['''^vendor/''']\nstopwords = [\"SHOWN\"]\n"

static const char config_text[] =
        CONFIG_HEAD "[[rules]]\n"
                    "id = \"corp-token\"\ndescription = \"A token of ours\"\n"
                    "regex = '''(?i)corp_(?P<kind>[a-z]{3})_([0-9a-z]{16})\\b'''\nsecretGroup = 2\nentropy = 3.0\n"
                    "keywords = [\"corp_\"]\ntags = [\"corp\"]\n"
                    "  [[rules.allowlists]]\n  regexTarget = \"line\"\n  regexes = ['''# fine$''']\n"
                    "  [[rules.allowlists]]\n  condition = \"AND\"\n  paths = ['''\\.cfg$''']\n  regexes = ['''^0''']\n"
                    "[[rules]]\n"
                    "id = \"no-keyword\"\nregex = '''zz[0-9]{8}\\z'''\n"
                    "[[rules]]\n"
                    "id = \"by-path\"\npath = '''(^|/)id_old$'''\n"
                    "[[rules]]\n"
                    "id = \"path-and-regex\"\npath = '''\\.ini$'''\nregex = '''pw=(\\S+)'''\nkeywords = [\"PW=\"]\n";

struct seen {
        size_t n;
        char ids[16][32], values[16][64];
        uint64_t lines[16];
};

static void on_found(void *arg, const struct secret_found *f)
{
        struct seen *s = arg;
        assert_true(s->n < 16);
        snprintf(s->ids[s->n], sizeof(s->ids[0]), "%s", f->rule->id);
        snprintf(s->values[s->n], sizeof(s->values[0]), "%.*s", STR_FMT(f->value));
        s->lines[s->n++] = f->line;
}

static struct secret_config *parse(struct str text)
{
        struct secret_config *c = NULL;
        struct error err = ERROR_NONE;
        if (secret_config_parse(text, &c, &err) < 0)
                fail_msg("%s", err.text);
        return c;
}

static void look(struct scan_bench *b, const char *path, const char *text, struct seen *ret)
{
        *ret = (struct seen){ 0 };
        scan_bench_run(b, str_of(path), str_of(text), on_found, ret);
}

static void test_rules(void **state)
{
        struct secret_config *c = parse(STR(config_text));
        struct scan_bench b;
        struct seen s;
        for (size_t i = 0; i < c->problems.n; i++)
                print_error("%.*s\n", STR_FMT(c->problems.v[i]));
        assert_int_equal(c->problems.n, 0);
        assert_int_equal(c->n_rules, 4);
        scan_bench_init_with(&b, c);

        look(&b, "a", "x\nKEY: CORP_abc_1a2b3c4d5e6f7g8h;\n", &s);
        assert_int_equal(s.n, 1);
        assert_string_equal(s.ids[0], "corp-token");
        assert_string_equal(s.values[0], "1a2b3c4d5e6f7g8h");
        assert_int_equal(s.lines[0], 2);
        look(&b, "a", "corp_abc_aaaaaaaaaaaaaaab", &s); /* entropy */
        assert_int_equal(s.n, 0);
        look(&b, "a", "corp_abc_1a2b3c4d5e6f7g8h # fine", &s); /* the line is allowed */
        assert_int_equal(s.n, 0);
        look(&b, "a.cfg", "corp_abc_0a2b3c4d5e6f7g8h", &s); /* both agree */
        assert_int_equal(s.n, 0);
        look(&b, "a.cfg", "corp_abc_1a2b3c4d5e6f7g8h", &s); /* the path alone is not enough */
        assert_int_equal(s.n, 1);
        look(&b, "vendor/a", "corp_abc_1a2b3c4d5e6f7g8h", &s); /* global path */
        assert_int_equal(s.n, 0);
        look(&b, "a", "corp_abc_1a2shown5e6f7g8h", &s); /* global stop word */
        assert_int_equal(s.n, 0);

        look(&b, "a", "x zz12345678", &s);
        assert_int_equal(s.n, 1);
        look(&b, "a", "x zz12345678\n", &s); /* \z is the very end */
        assert_int_equal(s.n, 0);
        look(&b, "root/id_old", "anything", &s);
        assert_int_equal(s.n, 1);
        assert_string_equal(s.ids[0], "by-path");
        look(&b, "etc/x.ini", "pw=abc pw=def", &s);
        assert_int_equal(s.n, 2);
        assert_string_equal(s.values[1], "def");
        look(&b, "etc/x.txt", "pw=abc", &s);
        assert_int_equal(s.n, 0);
        look(&b, "etc/x", "MY_PASSWORD=k7Jw92hQx81mZ\n", &s); /* a rule of ours that was turned off */
        assert_int_equal(s.n, 0);
        scan_bench_done(&b);
        secret_config_free(c);
}

/* What is wrong is said with its line, all of it at once. */
static void test_problems(void **state)
{
        static const char text[] = "colour = \"red\"\n"
                                   "[extend]\npath = \"other.toml\"\n"
                                   "[[rules]]\nregex = '''(['''\nkeywords = [\"x\", 7]\nsecretGroup = 3\n"
                                   "[[rules]]\nid = \"a\"\nregex = '''a'''\nentropy = \"much\"\n"
                                   "[[rules]]\nid = \"a\"\nregex = '''b(?=c)'''\n"
                                   "[[rules]]\nid = \"empty\"\n"
                                   "[rules.allowlist]\nregexTarget = \"file\"\ncondition = \"XOR\"\n";
        static const char *const wanted[] = { "line 1: unknown key colour",
                                              "line 2: [extend] path",
                                              "line 4: a rule needs an id",
                                              "line 5: the pattern cannot be used: ",
                                              "line 6: keywords should hold strings",
                                              "line 6: a keyword has 2 to 256 bytes",
                                              "line 7: secretGroup is no group",
                                              "line 11: rule a: entropy should be a number",
                                              "line 12: there is another rule with this id: a",
                                              "line 15: rule empty: a rule needs a regex or a path",
                                              "line 17: rule empty: regexTarget is secret, match or line, not file",
                                              "line 17: rule empty: condition is AND or OR, not XOR" };
        struct secret_config *c = parse(STR(text));
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                bool is_there = false;
                for (size_t k = 0; k < c->problems.n; k++)
                        is_there = is_there || str_starts(c->problems.v[k], str_of(wanted[i]));
                if (!is_there) {
                        for (size_t k = 0; k < c->problems.n; k++)
                                print_error("%.*s\n", STR_FMT(c->problems.v[k]));
                        fail_msg("missing: %s", wanted[i]);
                }
        }
        secret_config_free(c);
        struct error err = ERROR_NONE;
        assert_int_equal(secret_config_parse(STR("[[rules]\n"), &c, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "line 1"));
}

/* A pattern that explodes is given up and counted; the others go on. */
static void test_explosion(void **state)
{
        struct secret_config *c = parse(STR("[[rules]]\nid = \"bad\"\nregex = '''(a+)+$'''\n"
                                            "[[rules]]\nid = \"good\"\nregex = '''b{5}'''\n"));
        struct scan_bench b;
        struct seen s = { 0 };
        struct secret_file file = { .path = STR("x") };
        scan_bench_init_with(&b, c);
        struct str text = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac bbbbb c");
        struct content_window w = { .bytes = text, .is_first = true, .is_last = true };
        secrets_scan(b.scanner, &file, &w, on_found, &s);
        assert_int_equal(file.limits, 1);
        assert_false(file.has_given_up);
        assert_int_equal(s.n, 1);
        assert_string_equal(s.ids[0], "good");
        for (int i = 0; i < SECRETS_LIMITS_MAX; i++)
                secrets_scan(b.scanner, &file, &w, on_found, &s);
        assert_true(file.has_given_up);
        scan_bench_done(&b);
        secret_config_free(c);
}

/* Every prefix and every flipped bit of a configuration. */
static void test_torture(void **state)
{
        char copy[sizeof(config_text)];
        for (size_t n = 0; n < sizeof(config_text) - 1; n++) {
                struct secret_config *c = NULL;
                if (secret_config_parse(str_span(config_text, n), &c, NULL) == 0)
                        secret_config_free(c);
        }
        for (size_t bit = 0; bit < (sizeof(config_text) - 1) * 8; bit++) {
                struct secret_config *c = NULL;
                memcpy(copy, config_text, sizeof(copy));
                copy[bit / 8] ^= (char)(1 << bit % 8);
                if (secret_config_parse(str_span(copy, sizeof(copy) - 1), &c, NULL) == 0)
                        secret_config_free(c);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_explosion),
                cmocka_unit_test(test_torture),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
