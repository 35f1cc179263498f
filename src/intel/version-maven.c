/*
 * Maven: ComparableVersion as Maven 3 had it up to 3.8.6, from which the advisory feeds' order comes (later ones read
 * ".x1" as "-x1").
 *
 * A version is a list of items, numbers and words, in which a hyphen, or a change between digits and other characters,
 * opens a list within the list, up to the end. Kept flat here: items and the mark OPEN. Items that mean nothing (0, "",
 * final, ga, release) are dropped before an OPEN and at the end. At each place: word < OPEN < number.
 *
 * Two things differ from ComparableVersion. Lists that hold nothing but a list are that list ("1-ga-1" equals "1-1", as
 * the POM reference says). And its order goes round in circles (1.0.alpha < 1 < 1.foo < 1.0.alpha), so that nothing
 * could be sorted by it; here, where the kinds of items differ, what is below the version that ends there (a word such
 * as alpha comes next, whatever zeros stand before it) is below what is above it.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

enum kind { WORD, OPEN, NUMBER, END };

struct item {
        enum kind kind;
        struct str text;
        bool before_digit; /* a word directly followed by a digit: there "a" is alpha */
};

struct maven {
        struct str left;
        bool open;     /* an OPEN comes next */
        size_t kept_n; /* items that start with more than this left are known not to be dropped */
};

/* Known words in their order; their places below and above RELEASE decide about what is before and after a release. */
static const char *const words[] = { "alpha", "beta", "milestone", "rc", "snapshot", "", "sp" };
enum { RELEASE = 5, OTHER_WORD = ARRAY_SIZE(words) };

static struct maven maven_from(struct str s) { return (struct maven){ .left = s, .kept_n = SIZE_MAX }; }

/* The next item of a version that is not at its end, with no OPEN pending. */
static struct item item_next(struct maven *v)
{
        struct item t = { .kind = NUMBER, .text = part_take_digits(&v->left) };
        if (!t.text.n && v->left.n && v->left.p[0] != '.' && v->left.p[0] != '-') {
                size_t n = 0;
                while (n < v->left.n && !is_digit(v->left.p[n]) && v->left.p[n] != '.' && v->left.p[n] != '-')
                        n++;
                t = (struct item){ .kind = WORD, .text = str_upto(v->left, n) };
                v->left = str_from(v->left, n);
                t.before_digit = v->left.n && is_digit(v->left.p[0]);
        }
        if (v->left.n && !part_take(&v->left, ".")) {
                (void)part_take(&v->left, "-");
                v->open = true;
        }
        return t;
}

static size_t word_rank(const struct item *t)
{
        static const struct {
                const char *name;
                size_t rank;
                bool needs_digit;
        } aliases[] = { { "ga", RELEASE, false },
                        { "final", RELEASE, false },
                        { "release", RELEASE, false },
                        { "cr", 3, false },
                        { "a", 0, true },
                        { "b", 1, true },
                        { "m", 2, true } };
        for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
                if ((t->before_digit || !aliases[i].needs_digit) && str_eq_nocase(t->text, str_of(aliases[i].name)))
                        return aliases[i].rank;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (str_eq_nocase(t->text, str_of(words[i])))
                        return i;
        return OTHER_WORD;
}

/* Whether a version that goes on with this item is below (< 0) or above one that ends; 0: the item means nothing. */
static int item_sign(const struct item *t)
{
        if (t->kind == NUMBER)
                return part_compare_numbers(t->text, STR_NONE);
        size_t rank = word_rank(t);
        return (rank > RELEASE) - (rank < RELEASE);
}

static int rest_sign(struct maven v)
{
        while (v.left.n) {
                struct item t = item_next(&v);
                int sign = item_sign(&t);
                if (sign)
                        return sign;
        }
        return 0;
}

/* Drops the items that mean nothing, if an OPEN or the end follows them. */
static void drop_nothings(struct maven *v)
{
        if (v->left.n > v->kept_n)
                return;
        struct maven at = *v;
        while (at.left.n && !at.open) {
                struct item t = item_next(&at);
                if (item_sign(&t) != 0) {
                        v->kept_n = at.left.n;
                        return;
                }
        }
        *v = at;
}

static struct item maven_next(struct maven *v)
{
        bool opened = false;
        for (;;) {
                opened |= v->open;
                v->open = false;
                drop_nothings(v);
                if (!v->open)
                        break;
        }
        if (!v->left.n)
                return (struct item){ .kind = END };
        if (opened)
                return (struct item){ .kind = OPEN };
        return item_next(v);
}

static int compare_words(const struct item *a, const struct item *b)
{
        size_t x = word_rank(a), y = word_rank(b);
        if (x != y)
                return x < y ? -1 : 1;
        return x == OTHER_WORD ? part_compare_nocase(a->text, b->text) : 0;
}

static int maven_compare(struct str a, struct str b)
{
        struct maven x = maven_from(a), y = maven_from(b);
        for (;;) {
                struct maven x_was = x, y_was = y;
                struct item m = maven_next(&x), n = maven_next(&y);
                int r = 0;
                if (m.kind != n.kind) {
                        int p = rest_sign(x_was), q = rest_sign(y_was);
                        if (p != q || p == 0)
                                return sign_of(p - q);
                        return m.kind < n.kind ? -1 : 1;
                }
                if (m.kind == END)
                        return 0;
                if (m.kind == NUMBER)
                        r = part_compare_numbers(m.text, n.text);
                else if (m.kind == WORD)
                        r = compare_words(&m, &n);
                if (r)
                        return r;
        }
}

static bool maven_is_valid(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || memchr("\\/:\"<>|?*[](),", s.p[i], 14))
                        return false;
        return s.n > 0;
}

const struct version_scheme version_scheme_maven = {
        .name = "maven",
        .summary = "Maven's ComparableVersion",
        .ecosystems = (const char *const[]){ "Maven", NULL },
        .aliases = (const char *const[]){ "java", "gradle", NULL },
        .compare = maven_compare,
        .is_valid = maven_is_valid,
};
