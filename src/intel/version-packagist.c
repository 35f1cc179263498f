/*
 * Packagist: PHP's version_compare, which Composer's Comparator ends in, after one leading "v".
 *
 * Segments are runs of digits and runs of letters; all other bytes only separate, but "#" is a segment that equals the
 * end. Words count by their beginning only: any other word < dev < alpha, a < beta, b < RC, rc < the end < a number <
 * pl, p.
 */
#include "intel/version-parts.h"
#include "intel/version-schemes.h"

enum segment { OTHER, DEV, ALPHA, BETA, RC, END, NUMBER, PATCH };

static const struct {
        const char *name;
        enum segment segment;
} words[] = {
        { "dev", DEV }, { "a", ALPHA }, { "b", BETA }, { "RC", RC }, { "rc", RC }, { "p", PATCH },
};

static enum segment packagist_next(struct str *s, struct str *ret)
{
        while (s->n && !is_digit(s->p[0]) && !is_letter(s->p[0]) && s->p[0] != '#')
                *s = str_from(*s, 1);
        if (!s->n || part_take(s, "#"))
                return END;
        *ret = part_take_digits(s);
        if (ret->n)
                return NUMBER;
        *ret = part_take_letters(s);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (str_starts(*ret, str_of(words[i].name)))
                        return words[i].segment;
        return OTHER;
}

static int packagist_compare(struct str a, struct str b)
{
        (void)part_take_nocase(&a, "v");
        (void)part_take_nocase(&b, "v");
        while (a.n || b.n) {
                struct str x = STR_NONE, y = STR_NONE;
                enum segment m = packagist_next(&a, &x), n = packagist_next(&b, &y);
                if (m != n)
                        return m < n ? -1 : 1;
                int r = m == NUMBER ? part_compare_numbers(x, y) : 0;
                if (r)
                        return r;
        }
        return 0;
}

static bool packagist_is_valid(struct str s)
{
        if (str_starts(s, STR("dev-")))
                return s.n > 4;
        (void)part_take_nocase(&s, "v");
        for (size_t i = 0; i < s.n; i++)
                if (!is_digit(s.p[i]) && !is_letter(s.p[i]) && !memchr(".-_+", s.p[i], 4))
                        return false;
        return s.n && is_digit(s.p[0]);
}

const struct version_scheme version_scheme_packagist = {
        .name = "packagist",
        .summary = "PHP's version_compare, as Composer uses it",
        .ecosystems = (const char *const[]){ "Packagist", NULL },
        .aliases = (const char *const[]){ "composer", "php", NULL },
        .compare = packagist_compare,
        .is_valid = packagist_is_valid,
};
