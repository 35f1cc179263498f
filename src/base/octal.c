/* See octal.h. */
#include "base/octal.h"

#define DIGITS 3

void octal_print(FILE *to, struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '\\' || (unsigned char)s.p[i] < ' ')
                        fprintf(to, "\\%03o", (unsigned)(unsigned char)s.p[i]);
                else
                        putc(s.p[i], to);
}

static bool read_byte(struct str digits, char *ret)
{
        unsigned value = 0;
        if (digits.n != DIGITS)
                return false;
        for (size_t i = 0; i < DIGITS; i++) {
                if (digits.p[i] < '0' || digits.p[i] > '7')
                        return false;
                value = value * 8 + (unsigned)(digits.p[i] - '0');
        }
        *ret = (char)value;
        return value <= UINT8_MAX;
}

bool octal_read(struct str s, struct arena *arena, struct str *ret)
{
        char *p = arena_alloc(arena, s.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++) {
                p[n] = s.p[i];
                if (s.p[i] == '\\') {
                        if (!read_byte(str_upto(str_from(s, i + 1), DIGITS), &p[n]))
                                return false;
                        i += DIGITS;
                }
                n++;
        }
        *ret = str_span(p, n);
        return true;
}
