/* Version orders: pairs of our own for each scheme, and what an order must be for any bytes at all. */
#include "intel/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static int sign_of(int r) { return (r > 0) - (r < 0); }

/* Chains in ascending order; '=' joins equal versions. */
static const struct {
        const char *scheme, *chain;
} chains[] = {
        { "debian",
          "1~~ < 1~~a < 1~ < 1 = 1-0 = 0:1 = 1-00 < 1-0a < 1-0+b1 < 1a < 1+ < 1. = 1.0 < 1.1 < 01.2 < 1:0~ < 2:0" },
        { "debian", "1.0-1 < 1.0-1+deb12u1 < 1.0-1.1 < 1.0-2~bpo12+1 < 1.0-2 < 1.0-1-1 < 1.0.0-1" },
        { "debian", "9 < 99999999999999999999999999999998 < 99999999999999999999999999999999" },
        { "redhat", "1~~ < 1~rc1 < 1 = 1. = 1_ < 1-~ < 1- = 1-." },
        { "redhat", "1 < 1-1.el8 < 1-1.el9 < 1^ < 1^git1 < 1a < 1.a1.1 < 1.0 = 1.00 < 1.0.1" },
        { "redhat", "2.9 < 2.10 < 2.10.el9 < 2.10.1 < 1:0 < 01:1 = 1:1 < 2:0" },
        { "alpine",
          "1_alpha < 1_alpha2 < 1_beta < 1_pre < 1_rc1_alpha < 1_rc1 < 1_rc1_p1 < 1_rc2 < 1 < 1-r0 = 1~abc-r0 = 1-r00 "
          "< 1-r1 < 1_cvs < "
          "1_svn < 1_git < 1_hg < 1_p < 1_p1 < 1a < 1b < 1.0 < 1.01 < 1.011 < 1.02 < 1.1 < 1.2 < 1.10 = 1.10 < 01.11" },
        { "semver", "0 = v0.0.0 < 1.0.0-0 < 1.0.0-1 < 1.0.0-10 < 1.0.0-10a < 1.0.0-A < 1.0.0-a < 1.0.0-a.0 < 1.0.0-a.a "
                    "< 1 = 1.0 = v1.0.0 = "
                    "1.0.0+b = 1.0.0.0 < 1.0.0.1 < 1.0.1 < 1.10" },
        { "pypi", "xyz < 1-foo < 1-1-1 < 1.0.0.0.x < 1.dev1 < 1a1.dev1 < 1a1 < 1.ALPHA.2 < 1b < 1rc1 = 1-c1 = "
                  "1.preview_1 < 1 = 1.0 = v1.0.0 = 0!1 < "
                  "1+a < 1+a.b < 1+a.1 < 1+ab < 1+0" },
        { "maven", "1-alpha < 1-a1 = 1-alpha-1 < 1-beta < 1-m1 < 1-rc = 1-cr < 1-SNAPSHOT < 1 = 1.0 = 1-ga = 1.final = "
                   "1-release < "
                   "1-sp < 1-foo < 1-foo1 < 1-foo2 < 1-foo10 < 1-1 = 1-ga-1 < 1-2 < 1.1 < 1.2 < 1.10" },
        { "rubygems", "1.a < 1.a.1 < 1.b < 1-1 = 1.pre.1 < 1.rc < 1 = 1.0 = 1.0.0 < 1.0.1.a < 1.0.1 < 1.1 < 10" },
        { "packagist", "dev-main < 1-foo < 1-dev < 1alpha = 1a < 1-a1 < 1-beta < 1RC1 = v1.rc.1 < 1 = 1# < 1.0-RC1 < "
                       "1.0 < 1.0.0 < 1.0-p1 = 1.0-patch1 < "
                       "1.1 < 1-p1" },
        { "nuget", "1.0.0-A = 1.0.0-a < 1.0.0-b = 1-B < 1 = 1.0.0.0 = 1.0.0+x < 1.0.0.1 < 1.0.1" },
        { "hex", "1.0.0-dev < 1.0.0-rc.0 < 1.0.0-rc.10 < 1.0.0 = 1.0.0+b < 1.0.1" },
        { "pub", "1.0.0-a < 1.0.0-a+1 < 1.0.0 < 1.0.0+9 < 1.0.0+10 < 1.0.0+a < 1.0.0+a.b < 1.0.1" },
        { "cran", "0.9 < 1 < 1.0 = 1-0 < 1.0-1 < 1.1 < 1.01.1 = 1.1.1 < 1.10" },
        { "hackage", "0.9 < 1 < 1.0 < 1.0.0 < 1.0.1 = 1.0.01 < 1.1 < 1.10" },
};

static void test_chains(void **state)
{
        (void)state;
        for (size_t c = 0; c < ARRAY_SIZE(chains); c++) {
                const struct version_scheme *scheme = version_scheme_find(str_of(chains[c].scheme));
                assert_non_null(scheme);
                struct str versions[64], rest = str_of(chains[c].chain);
                int rank[64];
                size_t n = 0;
                for (int at = 0; rest.n;) {
                        struct str word = str_cut(&rest, ' ');
                        if (str_is(word, "<")) {
                                at++;
                        } else if (word.n && !str_is(word, "=")) {
                                assert_true(n < ARRAY_SIZE(versions));
                                versions[n] = word;
                                rank[n++] = at;
                        }
                }
                for (size_t i = 0; i < n; i++)
                        for (size_t k = 0; k < n; k++) {
                                int want = sign_of(rank[i] - rank[k]);
                                int got = sign_of(scheme->compare(versions[i], versions[k]));
                                if (got != want)
                                        fail_msg("%s: %.*s and %.*s: %d, not %d", scheme->name, STR_FMT(versions[i]),
                                                 STR_FMT(versions[k]), got, want);
                        }
        }
}

static uint64_t seed = 88172645463325252;

static size_t random_below(size_t n)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (size_t)(seed % n);
}

/* Pieces that mean something to some scheme, and bytes that mean nothing to any. */
static const char *const pieces[] = {
        "0",   "00",  "1",    "2",     "10",    "01",   "9999999999999999999999",
        ".",   ".",   ".",    "-",     "-",     "_",    "+",
        "~",   "^",   ":",    "!",     "#",     "a",    "b",
        "c",   "m",   "p",    "alpha", "beta",  "rc",   "RC",
        "pre", "dev", "post", "ga",    "final", "sp",   "SNAPSHOT",
        "-r",  "_p",  "_rc",  "v",     "foo",   "\xff", " ",
        "1:",  "0-",  "0.",
};

struct text {
        char p[96];
        size_t n;
};

static struct str make(struct text *t, size_t max_pieces)
{
        t->n = 0;
        for (size_t left = random_below(max_pieces + 1); left; left--) {
                struct str piece = str_of(pieces[random_below(ARRAY_SIZE(pieces))]);
                if (piece.n > sizeof(t->p) - t->n)
                        break;
                memcpy(t->p + t->n, piece.p, piece.n);
                t->n += piece.n;
        }
        return str_span(t->p, t->n);
}

static void test_any_bytes_have_a_total_order(void **state)
{
        (void)state;
        enum { POOL = 40, ROUNDS = 30 };
        static struct text texts[POOL];
        for (size_t i = 0; version_schemes[i]; i++) {
                const struct version_scheme *scheme = version_schemes[i];
                for (size_t round = 0; round < ROUNDS; round++) {
                        struct str v[POOL];
                        int8_t order[POOL][POOL];
                        for (size_t k = 0; k < POOL; k++)
                                v[k] = make(&texts[k], 2 + round % 5);
                        for (size_t a = 0; a < POOL; a++)
                                for (size_t b = 0; b < POOL; b++)
                                        order[a][b] = (int8_t)sign_of(scheme->compare(v[a], v[b]));
                        for (size_t a = 0; a < POOL; a++)
                                for (size_t b = 0; b < POOL; b++) {
                                        if (order[a][b] != -order[b][a] || (a == b && order[a][b] != 0))
                                                fail_msg("%s: \"%.*s\" and \"%.*s\": %d, the other way round %d",
                                                         scheme->name, STR_FMT(v[a]), STR_FMT(v[b]), order[a][b],
                                                         order[b][a]);
                                        for (size_t c = 0; c < POOL; c++)
                                                if (order[a][b] <= 0 && order[b][c] <= 0 &&
                                                    order[a][c] != (order[a][b] && order[b][c]
                                                                            ? -1
                                                                            : MIN(order[a][b], order[b][c])))
                                                        fail_msg("%s: \"%.*s\" %d \"%.*s\" %d \"%.*s\", but %d",
                                                                 scheme->name, STR_FMT(v[a]), order[a][b],
                                                                 STR_FMT(v[b]), order[b][c], STR_FMT(v[c]),
                                                                 order[a][c]);
                                }
                }
        }
}

static void test_long_versions(void **state)
{
        (void)state;
        static const char *const repeated[] = { "0",  "1",  ".",  "-", "0.",  "0-", "a",
                                                "a1", "-0", "_p", "~", "ga-", "0a", ".0-a" };
        static char a[200000], b[200000];
        for (size_t i = 0; version_schemes[i]; i++)
                for (size_t k = 0; k < ARRAY_SIZE(repeated); k++) {
                        size_t len = strlen(repeated[k]);
                        for (size_t n = 0; n < sizeof(a); n++)
                                a[n] = b[n] = repeated[k][n % len];
                        struct str x = str_span(a, sizeof(a)), y = str_span(b, sizeof(b));
                        assert_int_equal(version_schemes[i]->compare(x, y), 0);
                        b[sizeof(b) - 1] = '7';
                        assert_int_equal(sign_of(version_schemes[i]->compare(x, y)),
                                         -sign_of(version_schemes[i]->compare(y, x)));
                        (void)version_schemes[i]->is_valid(x);
                }
}

static void test_validity(void **state)
{
        (void)state;
        static const struct {
                const char *scheme, *version;
                bool valid;
        } cases[] = {
                { "debian", "1:2.3-4~deb12u1", true },
                { "debian", "a1", false },
                { "debian", "", false },
                { "debian", "1_2", false },
                { "redhat", "1:2.3-4.el9", true },
                { "redhat", "1-", false },
                { "redhat", "1 2", false },
                { "alpine", "1.2b_rc1~ab-r3", true },
                { "alpine", "1.2B", false },
                { "alpine", "", false },
                { "semver", "v1.2.3-a.b+c", true },
                { "semver", "1.2", false },
                { "semver", "1.2.3-", false },
                { "pypi", "1!2.0rc1.post2.dev3+a.b", true },
                { "pypi", "1.0-foo", false },
                { "pypi", "1.0+", false },
                { "maven", "1.0-foo", true },
                { "maven", "[1,2)", false },
                { "rubygems", "1.0.rc1", true },
                { "rubygems", "1..0", false },
                { "packagist", "dev-main", true },
                { "packagist", "x", false },
                { "nuget", "1.2.3.4-a", true },
                { "nuget", "1.2.3.4.5", false },
                { "hex", "1.0.0", true },
                { "pub", "1.0", false },
                { "cran", "1.0-1", true },
                { "cran", "1..0", false },
                { "hackage", "1.2.3.4", true },
                { "hackage", "1-2", false },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (version_scheme_find(str_of(cases[i].scheme))->is_valid(str_of(cases[i].version)) != cases[i].valid)
                        fail_msg("%s: %s", cases[i].scheme, cases[i].version);
}

static void test_find(void **state)
{
        (void)state;
        static const char *const pairs[][2] = {
                { "deb", "debian" },         { "Debian:12", "debian" },    { "Ubuntu:22.04:LTS", "debian" },
                { "apk", "alpine" },         { "rpm", "redhat" },          { "npm", "semver" },
                { "crates.io", "semver" },   { "Go", "semver" },           { "pep440", "pypi" },
                { "gem", "rubygems" },       { "composer", "packagist" },  { "Hex", "hex" },
                { "AlmaLinux:9", "redhat" }, { "ALPINE:v3.20", "alpine" }, { "Red Hat:enterprise_linux:9", "redhat" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                const struct version_scheme *s = version_scheme_find(str_of(pairs[i][0]));
                assert_non_null(s);
                assert_string_equal(s->name, pairs[i][1]);
        }
        assert_null(version_scheme_find(STR("debia")));
        assert_null(version_scheme_find(STR_NONE));
        for (size_t i = 0; version_schemes[i + 1]; i++)
                assert_true(strcmp(version_schemes[i]->name, version_schemes[i + 1]->name) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_chains),        cmocka_unit_test(test_any_bytes_have_a_total_order),
                cmocka_unit_test(test_long_versions), cmocka_unit_test(test_validity),
                cmocka_unit_test(test_find),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
