/* See version-parts.h. */
#include "intel/version-parts.h"

bool part_is_number(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!is_digit(s.p[i]))
                        return false;
        return s.n > 0;
}

static struct str without_zeros(struct str s)
{
        while (s.n && s.p[0] == '0')
                s = str_from(s, 1);
        return s;
}

int part_compare_numbers(struct str a, struct str b)
{
        a = without_zeros(a);
        b = without_zeros(b);
        if (a.n != b.n)
                return a.n < b.n ? -1 : 1;
        return sign_of(str_cmp(a, b));
}

int part_compare_nocase(struct str a, struct str b)
{
        for (size_t i = 0; i < a.n && i < b.n; i++) {
                int r = (int)(unsigned char)to_lower(a.p[i]) - (int)(unsigned char)to_lower(b.p[i]);
                if (r)
                        return sign_of(r);
        }
        return (a.n > b.n) - (a.n < b.n);
}

struct str part_take_digits(struct str *s)
{
        size_t n = 0;
        while (n < s->n && is_digit(s->p[n]))
                n++;
        struct str digits = str_upto(*s, n);
        *s = str_from(*s, n);
        return digits;
}

struct str part_take_letters(struct str *s)
{
        size_t n = 0;
        while (n < s->n && is_letter(s->p[n]))
                n++;
        struct str letters = str_upto(*s, n);
        *s = str_from(*s, n);
        return letters;
}

bool part_take(struct str *from, const char *s)
{
        /* Nearly always the first character says no: versions are compared by the million. */
        if (!from->n || from->p[0] != *s || !str_starts(*from, str_of(s)))
                return false;
        *from = str_from(*from, strlen(s));
        return true;
}

bool part_take_nocase(struct str *from, const char *lower_case)
{
        if (!from->n || to_lower(from->p[0]) != *lower_case)
                return false;
        if (!str_eq_nocase(str_upto(*from, strlen(lower_case)), str_of(lower_case)))
                return false;
        *from = str_from(*from, strlen(lower_case));
        return true;
}

struct part_numbers part_numbers_from(struct str s)
{
        (void)part_take_nocase(&s, "v");
        return (struct part_numbers){ .left = s };
}

bool part_numbers_next(struct part_numbers *n, struct str *ret_digits)
{
        while (part_take(&n->left, "."))
                ;
        struct str digits = part_take_digits(&n->left);
        if (!digits.n)
                return false;
        *ret_digits = digits;
        return true;
}

int part_compare_number_lists(struct str a, struct str b, struct str *ret_rest_a, struct str *ret_rest_b)
{
        struct part_numbers na = part_numbers_from(a), nb = part_numbers_from(b);
        int r = 0;
        for (;;) {
                struct str x = STR_NONE, y = STR_NONE;
                bool more = part_numbers_next(&na, &x);
                more |= part_numbers_next(&nb, &y);
                if (!more)
                        break;
                if (!r)
                        r = part_compare_numbers(x, y);
        }
        *ret_rest_a = na.left;
        *ret_rest_b = nb.left;
        return r;
}

int part_compare_identifiers(struct str a, struct str b, bool ignore_case)
{
        while (a.p && b.p) {
                struct str x = str_cut(&a, '.'), y = str_cut(&b, '.');
                bool x_number = part_is_number(x), y_number = part_is_number(y);
                int r;
                if (x_number && y_number)
                        r = part_compare_numbers(x, y);
                else if (x_number != y_number)
                        r = x_number ? -1 : 1;
                else
                        r = ignore_case ? part_compare_nocase(x, y) : sign_of(str_cmp(x, y));
                if (r)
                        return r;
        }
        return (a.p != NULL) - (b.p != NULL);
}

static struct str prerelease_of(struct str rest)
{
        (void)part_take(&rest, "-");
        return str_cut(&rest, '+');
}

int part_compare_semver(struct str a, struct str b, bool ignore_case)
{
        struct str rest_a, rest_b;
        int r = part_compare_number_lists(a, b, &rest_a, &rest_b);
        if (r)
                return r;
        struct str x = prerelease_of(rest_a), y = prerelease_of(rest_b);
        if (!x.n || !y.n)
                return (x.n == 0) - (y.n == 0);
        return part_compare_identifiers(x, y, ignore_case);
}

static bool are_identifiers(struct str s)
{
        while (s.p) {
                struct str part = str_cut(&s, '.');
                for (size_t i = 0; i < part.n; i++)
                        if (!is_digit(part.p[i]) && !is_letter(part.p[i]) && part.p[i] != '-')
                                return false;
                if (!part.n)
                        return false;
        }
        return true;
}

bool part_is_semver(struct str s, size_t min_numbers, size_t max_numbers)
{
        struct str build = s, version = str_cut(&build, '+');
        (void)part_take(&version, "v");
        struct str pre = version, numbers = str_cut(&pre, '-');
        size_t n = 0;
        for (; numbers.p; n++)
                if (!part_is_number(str_cut(&numbers, '.')))
                        return false;
        return n >= min_numbers && n <= max_numbers && are_identifiers(pre) && are_identifiers(build);
}

/* The next number of a sequence; the separator before it is dropped with it. False: none, and *s is the rest. */
static bool sequence_next(struct str *s, bool is_first, const char *separators, struct str *ret)
{
        struct str at = *s;
        if (!is_first) {
                if (!at.n || !at.p[0] || !strchr(separators, at.p[0]))
                        return false;
                at = str_from(at, 1);
        }
        *ret = part_take_digits(&at);
        if (!ret->n)
                return false;
        *s = at;
        return true;
}

int part_compare_sequences(struct str a, struct str b, const char *separators)
{
        for (bool is_first = true;; is_first = false) {
                struct str x, y;
                bool more_a = sequence_next(&a, is_first, separators, &x);
                bool more_b = sequence_next(&b, is_first, separators, &y);
                if (more_a != more_b)
                        return more_a ? 1 : -1;
                if (!more_a)
                        return sign_of(str_cmp(a, b));
                int r = part_compare_numbers(x, y);
                if (r)
                        return r;
        }
}

bool part_is_sequence(struct str s, const char *separators)
{
        struct str digits;
        bool any = false;
        while (sequence_next(&s, !any, separators, &digits))
                any = true;
        return any && !s.n;
}
