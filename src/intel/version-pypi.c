/*
 * Python: PEP 440. [N!]N(.N)*[{a|b|rc}N][.postN][.devN][+local], with all the spellings of its Appendix B.
 *
 * What is no such version is below all that are, in the order that setuptools gave "legacy" versions: parts (numbers,
 * words, "-", and runs of anything else; dots only separate), words below numbers, "-" a word "final-", "dev" a word
 * "@", pre, preview and rc a word "c", and a word "final" at the end; zeros before a word, and hyphens before a word
 * that is below "final", do not count.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

struct labelled {
        bool is_set;
        char label; /* of pre-releases: a, b, c */
        struct str number;
};

struct pypi {
        struct str epoch, release, local;
        bool has_local;
        struct labelled pre, post, dev;
};

static void take_separator(struct str *s)
{
        if (s->n && memchr("-_.", s->p[0], 3))
                *s = str_from(*s, 1);
}

/* [-_.]?NAME[-_.]?N? with one of the names, which are ordered so that the longest that fits comes first. */
static bool take_labelled(struct str *s, const char *const *names, const char *labels, struct labelled *ret)
{
        struct str at = *s;
        take_separator(&at);
        for (size_t i = 0; names[i]; i++) {
                if (!part_take_nocase(&at, names[i]))
                        continue;
                take_separator(&at);
                *ret = (struct labelled){ .is_set = true, .label = labels[i], .number = part_take_digits(&at) };
                *s = at;
                return true;
        }
        return false;
}

static bool take_implicit_post(struct str *s, struct labelled *ret)
{
        struct str at = *s;
        if (!part_take(&at, "-") || !at.n || !is_digit(at.p[0]))
                return false;
        *ret = (struct labelled){ .is_set = true, .number = part_take_digits(&at) };
        *s = at;
        return true;
}

static bool is_local(struct str s)
{
        bool was_separator = true;
        for (size_t i = 0; i < s.n; i++) {
                bool is_separator = memchr("-_.", s.p[i], 3) != NULL;
                if (is_separator ? was_separator : !is_digit(s.p[i]) && !is_letter(s.p[i]))
                        return false;
                was_separator = is_separator;
        }
        return !was_separator;
}

static bool pypi_parse(struct str s, struct pypi *ret)
{
        static const char *const pre[] = { "alpha", "a", "beta", "b", "rc", "c", "preview", "pre", NULL };
        static const char *const post[] = { "post", "rev", "r", NULL };
        static const char *const dev[] = { "dev", NULL };
        struct pypi v = { 0 };
        s = str_trim(s);
        (void)part_take_nocase(&s, "v");
        struct str at = s;
        v.epoch = part_take_digits(&at);
        if (v.epoch.n && part_take(&at, "!"))
                s = at;
        else
                v.epoch = STR_NONE;
        at = s;
        if (!part_take_digits(&at).n)
                return false;
        for (struct str more = at; part_take(&more, ".") && part_take_digits(&more).n;)
                at = more;
        v.release = str_upto(s, s.n - at.n);
        if (!at.n) { /* as most are */
                *ret = v;
                return true;
        }
        (void)take_labelled(&at, pre, "aabbcccc", &v.pre);
        if (!take_implicit_post(&at, &v.post))
                (void)take_labelled(&at, post, "ppp", &v.post);
        (void)take_labelled(&at, dev, "d", &v.dev);
        v.has_local = part_take(&at, "+");
        v.local = at;
        if (v.has_local ? !is_local(v.local) : at.n > 0)
                return false;
        *ret = v;
        return true;
}

/* Without a pre-release: above all of them; but a bare development release is below them. */
static int pre_rank(const struct pypi *v)
{
        if (v->pre.is_set)
                return v->pre.label;
        return !v->post.is_set && v->dev.is_set ? 0 : 'z';
}

static int compare_local(struct str a, struct str b)
{
        while (a.n && b.n) {
                size_t i = 0, k = 0;
                while (i < a.n && !memchr("-_.", a.p[i], 3))
                        i++;
                while (k < b.n && !memchr("-_.", b.p[k], 3))
                        k++;
                struct str x = str_upto(a, i), y = str_upto(b, k);
                bool x_number = part_is_number(x), y_number = part_is_number(y);
                int r;
                if (x_number != y_number)
                        r = x_number ? 1 : -1;
                else
                        r = x_number ? part_compare_numbers(x, y) : part_compare_nocase(x, y);
                if (r)
                        return r;
                a = str_from(a, i + 1);
                b = str_from(b, k + 1);
        }
        return (a.n > 0) - (b.n > 0);
}

static int compare_valid(const struct pypi *a, const struct pypi *b)
{
        struct str rest_a, rest_b;
        int r = part_compare_numbers(a->epoch, b->epoch);
        if (!r)
                r = part_compare_number_lists(a->release, b->release, &rest_a, &rest_b);
        if (!r)
                r = sign_of(pre_rank(a) - pre_rank(b));
        if (!r)
                r = part_compare_numbers(a->pre.number, b->pre.number);
        if (!r)
                r = a->post.is_set - b->post.is_set;
        if (!r)
                r = part_compare_numbers(a->post.number, b->post.number);
        if (!r)
                r = b->dev.is_set - a->dev.is_set;
        if (!r)
                r = part_compare_numbers(a->dev.number, b->dev.number);
        if (!r)
                r = a->has_local - b->has_local;
        return r ? r : compare_local(a->local, b->local);
}

enum kind { END, WORD, NUMBER };

struct legacy {
        struct str left;
        bool ended;    /* the word at the end was given */
        size_t kept_n; /* parts that start with more than this left are known not to be dropped */
};

struct part {
        enum kind kind;
        struct str text;
};

static struct part part_next(struct legacy *v)
{
        static const struct {
                const char *name, *means;
        } replacements[] = { { "pre", "c" }, { "preview", "c" }, { "-", "final-" }, { "rc", "c" }, { "dev", "@" } };
        while (part_take(&v->left, "."))
                ;
        if (!v->left.n) {
                struct part last = { .kind = v->ended ? END : WORD, .text = STR("final") };
                v->ended = true;
                return last;
        }
        struct str text = part_take_digits(&v->left);
        if (text.n)
                return (struct part){ .kind = NUMBER, .text = text };
        text = part_take_letters(&v->left);
        if (!text.n) {
                size_t n = 1;
                while (v->left.p[0] != '-' && n < v->left.n && !is_digit(v->left.p[n]) && !is_letter(v->left.p[n]) &&
                       v->left.p[n] != '.' && v->left.p[n] != '-')
                        n++;
                text = str_upto(v->left, n);
                v->left = str_from(v->left, n);
        }
        for (size_t i = 0; i < ARRAY_SIZE(replacements); i++)
                if (str_eq_nocase(text, str_of(replacements[i].name)))
                        return (struct part){ .kind = WORD, .text = str_of(replacements[i].means) };
        return (struct part){ .kind = WORD, .text = text };
}

static bool is_zero(const struct part *p) { return p->kind == NUMBER && part_compare_numbers(p->text, STR_NONE) == 0; }

static bool is_hyphen(const struct part *p) { return p->kind == WORD && str_is(p->text, "final-"); }

static struct part legacy_next(struct legacy *v)
{
        for (;;) {
                struct legacy at = *v, before = at;
                struct part first = part_next(&at), p = first;
                bool zero = is_zero(&first);
                if (v->left.n > v->kept_n || (!zero && !is_hyphen(&first))) {
                        *v = at;
                        return first;
                }
                while (zero ? is_zero(&p) : is_hyphen(&p)) {
                        before = at;
                        p = part_next(&at);
                }
                bool dropped = p.kind == WORD && (zero || part_compare_nocase(p.text, STR("final")) < 0);
                if (dropped)
                        *v = before;
                else
                        v->kept_n = before.left.n;
        }
}

static int compare_legacy(struct str a, struct str b)
{
        struct legacy x = { .left = a, .kept_n = SIZE_MAX }, y = { .left = b, .kept_n = SIZE_MAX };
        for (;;) {
                struct part m = legacy_next(&x), n = legacy_next(&y);
                if (m.kind != n.kind)
                        return m.kind < n.kind ? -1 : 1;
                if (m.kind == END)
                        return 0;
                int r = m.kind == NUMBER ? part_compare_numbers(m.text, n.text) : part_compare_nocase(m.text, n.text);
                if (r)
                        return r;
        }
}

static int pypi_compare(struct str a, struct str b)
{
        struct pypi x, y;
        bool x_valid = pypi_parse(a, &x), y_valid = pypi_parse(b, &y);
        if (x_valid != y_valid)
                return x_valid ? 1 : -1;
        return x_valid ? compare_valid(&x, &y) : compare_legacy(a, b);
}

static bool pypi_is_valid(struct str s)
{
        struct pypi v;
        return pypi_parse(s, &v);
}

const struct version_scheme version_scheme_pypi = {
        .name = "pypi",
        .summary = "PEP 440",
        .ecosystems = (const char *const[]){ "PyPI", NULL },
        .aliases = (const char *const[]){ "pep440", "python", "pip", NULL },
        .compare = pypi_compare,
        .is_valid = pypi_is_valid,
};
