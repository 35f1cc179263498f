/* See str.h. */
#include "base/str.h"

#include <stdlib.h>

int str_cmp(struct str a, struct str b)
{
        size_t n = MIN(a.n, b.n);
        int r = n ? memcmp(a.p, b.p, n) : 0;
        if (r)
                return r;
        return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
        return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
        return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

struct str str_without(struct str s, struct str prefix) { return str_starts(s, prefix) ? str_from(s, prefix.n) : s; }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool str_eq_nocase(struct str a, struct str b)
{
        if (a.n != b.n)
                return false;
        for (size_t i = 0; i < a.n; i++)
                if (lower(a.p[i]) != lower(b.p[i]))
                        return false;
        return true;
}

bool str_ends_in_nocase(struct str s, const char *const *ends, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct str end = str_of(ends[i]);
                if (s.n >= end.n && str_eq_nocase(str_from(s, s.n - end.n), end))
                        return true;
        }
        return false;
}

ptrdiff_t str_find_char(struct str s, char c)
{
        const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
        return at ? at - s.p : -1;
}

ptrdiff_t str_rfind_char(struct str s, char c)
{
        const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
        return at ? at - s.p : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
        if (needle.n == 0)
                return 0;
        const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
        return at ? at - s.p : -1;
}

struct str str_from(struct str s, size_t from)
{
        from = MIN(from, s.n);
        return (struct str){ s.p ? s.p + from : NULL, s.n - from };
}

struct str str_upto(struct str s, size_t to) { return (struct str){ s.p, MIN(to, s.n) }; }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

struct str str_trim(struct str s)
{
        while (s.n && is_space(s.p[0]))
                s = str_from(s, 1);
        while (s.n && is_space(s.p[s.n - 1]))
                s.n--;
        return s;
}

struct str str_cut(struct str *s, char c)
{
        ptrdiff_t at = str_find_char(*s, c);
        struct str head = *s;
        if (at < 0) {
                *s = STR_NONE;
                return head;
        }
        *s = str_from(*s, (size_t)at + 1);
        return str_upto(head, (size_t)at);
}

struct str str_line(struct str *s)
{
        ptrdiff_t at = str_find_char(*s, '\n');
        struct str line = *s;
        if (at < 0) {
                *s = STR_NONE;
        } else {
                *s = str_from(*s, (size_t)at + 1);
                line.n = (size_t)at;
        }
        if (line.n && line.p[line.n - 1] == '\r')
                line.n--;
        return line;
}

bool str_u64(struct str s, uint64_t *ret)
{
        if (s.n == 0)
                return false;
        uint64_t v = 0;
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] < '0' || s.p[i] > '9')
                        return false;
                if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
                        return false;
        }
        *ret = v;
        return true;
}

/* One more than the value, so that 0 is no digit. */
static const int8_t hex_values[256] = {
        ['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ['A'] = 11, 12, 13, 14, 15, 16, ['a'] = 11, 12, 13, 14, 15, 16,
};

int hex_digit(char c) { return hex_values[(unsigned char)c] - 1; }

bool str_hex(struct str s, size_t n, uint8_t *ret)
{
        if (s.n / 2 != n || s.n % 2)
                return false;
        for (size_t i = 0; i < n; i++) {
                int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);
                if (high < 0 || low < 0)
                        return false;
                ret[i] = (uint8_t)(high << 4 | low);
        }
        return true;
}

char *str_dup(struct str s)
{
        char *d = malloc(s.n + 1);
        if (!d)
                return NULL;
        if (s.n)
                memcpy(d, s.p, s.n);
        d[s.n] = 0;
        return d;
}
