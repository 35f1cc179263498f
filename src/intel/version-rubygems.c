/*
 * RubyGems: Gem::Version. Segments are runs of digits and runs of letters; a hyphen is a segment "pre"; all other bytes
 * only separate. Zeros before the first word and at the end do not count, missing segments are 0, words are below
 * numbers and ordered by their bytes.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

struct gem {
        struct str left;
        size_t drop_from, drop_to; /* what is left.n before and after the zeros that stand before the first word */
};

struct segment {
        bool is_end, is_word;
        struct str text;
};

static struct segment segment_next(struct str *s)
{
        for (; s->n; *s = str_from(*s, 1)) {
                if (part_take(s, "-"))
                        return (struct segment){ .is_word = true, .text = STR("pre") };
                if (is_digit(s->p[0]))
                        return (struct segment){ .text = part_take_digits(s) };
                if (is_letter(s->p[0]))
                        return (struct segment){ .is_word = true, .text = part_take_letters(s) };
        }
        return (struct segment){ .is_end = true };
}

static struct gem gem_from(struct str s)
{
        s = str_trim(s);
        struct gem v = { .left = s, .drop_from = s.n, .drop_to = s.n };
        for (;;) {
                struct segment t = segment_next(&s);
                if (t.is_end)
                        return (struct gem){ .left = v.left };
                if (t.is_word)
                        return v;
                v.drop_to = s.n;
                if (part_compare_numbers(t.text, STR_NONE) != 0)
                        v.drop_from = s.n;
        }
}

static struct segment gem_next(struct gem *v)
{
        if (v->left.n == v->drop_from)
                v->left = str_from(v->left, v->drop_from - v->drop_to);
        return segment_next(&v->left);
}

static int rubygems_compare(struct str a, struct str b)
{
        struct gem x = gem_from(a), y = gem_from(b);
        for (;;) {
                struct segment m = gem_next(&x), n = gem_next(&y);
                if (m.is_end && n.is_end)
                        return 0;
                if (m.is_word != n.is_word)
                        return m.is_word ? -1 : 1;
                int r = m.is_word ? sign_of(str_cmp(m.text, n.text)) : part_compare_numbers(m.text, n.text);
                if (r)
                        return r;
        }
}

static bool rubygems_is_valid(struct str s)
{
        s = str_trim(s);
        if (!s.n || !is_digit(s.p[0]) || s.p[s.n - 1] == '.' || s.p[s.n - 1] == '-')
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!is_digit(s.p[i]) && !is_letter(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
                        return false;
        return str_find(s, STR("..")) < 0;
}

const struct version_scheme version_scheme_rubygems = {
        .name = "rubygems",
        .summary = "Gem::Version",
        .ecosystems = (const char *const[]){ "RubyGems", NULL },
        .aliases = (const char *const[]){ "gem", "ruby", NULL },
        .compare = rubygems_compare,
        .is_valid = rubygems_is_valid,
};
