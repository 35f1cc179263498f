/*
 * Alpine's order: apk-package(5) and apk-tools' version.c.
 *
 *         number{.number}...{letter}{_suffix{number}}...{~hash}{-r number}
 *
 * A version is read as a list of tokens, and two versions are ordered by the first tokens that differ. Where their
 * kinds differ: a suffix that marks a version before the release (alpha, beta, pre, rc) is below the end; of the others
 * the one that the grammar has earlier is above ("1.1" above "1_p1" above "1-r1" above "1"). Numbers after the first
 * are compared as text when one of them starts with a zero. The hash is not ordered and skipped.
 *
 * Where the grammar breaks, the rest is one last token: just below the end, ordered by its bytes; after -r only that
 * there is a rest counts.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

enum kind { BEFORE_RELEASE, REST, END, REVISION, SUFFIX_NUMBER, AFTER_RELEASE, LETTER, NUMBER };

enum stage { IN_NUMBERS, IN_SUFFIXES, IN_SUFFIX_NUMBER, AT_REVISION, AT_END };

struct alpine {
        struct str left;
        enum stage stage;
        bool is_first, had_revision;
};

struct token {
        enum kind kind;
        struct str text;
        int weight; /* of suffixes: their place in the list */
};

static const char *const suffixes[] = { "alpha", "beta", "pre", "rc", "cvs", "svn", "git", "hg", "p" };
enum { N_BEFORE_RELEASE = 4 };

static struct alpine alpine_from(struct str s) { return (struct alpine){ .left = s, .is_first = true }; }

/* "_beta" at the front of s; longer names come before their beginnings ("pre" before "p"). */
static bool take_suffix(struct str *s, struct token *ret)
{
        for (size_t i = 0; s->n && s->p[0] == '_' && i < ARRAY_SIZE(suffixes); i++) {
                struct str rest = str_from(*s, 1);
                if (!part_take(&rest, suffixes[i]) || (rest.n && is_lower(rest.p[0])))
                        continue;
                *s = rest;
                *ret = (struct token){ .kind = i < N_BEFORE_RELEASE ? BEFORE_RELEASE : AFTER_RELEASE,
                                       .weight = (int)i };
                return true;
        }
        return false;
}

static void skip_hash(struct str *s)
{
        if (!s->n || s->p[0] != '~')
                return;
        size_t n = 1;
        while (n < s->n && (is_digit(s->p[n]) || (s->p[n] >= 'a' && s->p[n] <= 'f')))
                n++;
        if (n > 1)
                *s = str_from(*s, n);
}

static struct token alpine_next(struct alpine *v)
{
        struct token t = { .kind = END };
        if (v->stage == IN_NUMBERS) {
                struct str at = v->left;
                if (v->is_first || part_take(&at, "."))
                        t.text = part_take_digits(&at);
                if (t.text.n) {
                        v->left = at;
                        t.kind = NUMBER;
                        v->is_first = false;
                        return t;
                }
                v->stage = IN_SUFFIXES;
                if (v->left.n && is_lower(v->left.p[0])) {
                        t = (struct token){ .kind = LETTER, .text = str_upto(v->left, 1) };
                        v->left = str_from(v->left, 1);
                        return t;
                }
        }
        if (v->stage == IN_SUFFIX_NUMBER) {
                v->stage = IN_SUFFIXES;
                t.text = part_take_digits(&v->left);
                if (t.text.n) {
                        t.kind = SUFFIX_NUMBER;
                        return t;
                }
        }
        if (v->stage == IN_SUFFIXES) {
                if (take_suffix(&v->left, &t)) {
                        v->stage = IN_SUFFIX_NUMBER;
                        return t;
                }
                skip_hash(&v->left);
                v->stage = AT_REVISION;
        }
        if (v->stage == AT_REVISION) {
                v->stage = AT_END;
                if (part_take(&v->left, "-r")) {
                        v->had_revision = true;
                        return (struct token){ .kind = REVISION, .text = part_take_digits(&v->left) };
                }
        }
        if (v->left.n) {
                t = (struct token){ .kind = REST, .text = v->had_revision ? STR_NONE : v->left };
                v->left = STR_NONE;
        }
        return t;
}

static int compare_numbers(struct str a, struct str b, bool is_first)
{
        if (!is_first && (a.p[0] == '0' || b.p[0] == '0'))
                return sign_of(str_cmp(a, b));
        return part_compare_numbers(a, b);
}

static int alpine_compare(struct str a, struct str b)
{
        struct alpine x = alpine_from(a), y = alpine_from(b);
        for (bool is_first = true;; is_first = false) {
                struct token m = alpine_next(&x), n = alpine_next(&y);
                if (m.kind != n.kind)
                        return m.kind < n.kind ? -1 : 1;
                int r = 0;
                switch (m.kind) {
                case END:
                        return 0;
                case NUMBER:
                        r = compare_numbers(m.text, n.text, is_first);
                        break;
                case BEFORE_RELEASE:
                case AFTER_RELEASE:
                        r = sign_of(m.weight - n.weight);
                        break;
                case REVISION:
                case SUFFIX_NUMBER:
                        r = part_compare_numbers(m.text, n.text);
                        break;
                case LETTER:
                case REST:
                        r = sign_of(str_cmp(m.text, n.text));
                        break;
                }
                if (r)
                        return r;
        }
}

static bool alpine_is_valid(struct str s)
{
        struct alpine v = alpine_from(s);
        struct token t = alpine_next(&v);
        if (t.kind != NUMBER)
                return false;
        while (t.kind != END && t.kind != REST)
                t = alpine_next(&v);
        return t.kind == END;
}

const struct version_scheme version_scheme_alpine = {
        .name = "alpine",
        .summary = "apk-package(5)",
        .ecosystems = (const char *const[]){ "Alpine", "Wolfi", "Chainguard", "MinimOS", "Alpaquita",
                                             "BellSoft Hardened Containers", NULL },
        .aliases = (const char *const[]){ "apk", NULL },
        .compare = alpine_compare,
        .is_valid = alpine_is_valid,
};
