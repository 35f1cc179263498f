/* See date.h. Civil date arithmetic is exact for years 1 to 9999. */
#include "base/date.h"

#include <stdio.h>

static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
        y -= m <= 2;
        int64_t era = y / 400;
        unsigned yoe = (unsigned)(y - era * 400);
        unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
        unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        return era * 146097 + (int64_t)doe - 719468;
}

static void civil_from_days(int64_t z, int *ret_y, unsigned *ret_m, unsigned *ret_d)
{
        z += 719468;
        int64_t era = (z >= 0 ? z : z - 146096) / 146097;
        unsigned doe = (unsigned)(z - era * 146097);
        unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        unsigned mp = (5 * doy + 2) / 153;
        *ret_d = doy - (153 * mp + 2) / 5 + 1;
        *ret_m = mp < 10 ? mp + 3 : mp - 9;
        *ret_y = (int)((int64_t)yoe + era * 400 + (*ret_m <= 2));
}

static bool digits(struct str *s, size_t n, unsigned *ret)
{
        uint64_t v;
        if (s->n < n || !str_u64(str_upto(*s, n), &v))
                return false;
        *ret = (unsigned)v;
        *s = str_from(*s, n);
        return true;
}

static bool expect(struct str *s, char c)
{
        if (!s->n || s->p[0] != c)
                return false;
        *s = str_from(*s, 1);
        return true;
}

bool date_parse(struct str s, int64_t *ret)
{
        unsigned y, mo, d, h = 0, mi = 0, sec = 0;
        if (!digits(&s, 4, &y) || !expect(&s, '-') || !digits(&s, 2, &mo) || !expect(&s, '-') || !digits(&s, 2, &d))
                return false;
        if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > 31)
                return false;
        int64_t offset = 0;
        if (s.n) {
                if (!expect(&s, 'T') && !expect(&s, 't') && !expect(&s, ' '))
                        return false;
                if (!digits(&s, 2, &h) || !expect(&s, ':') || !digits(&s, 2, &mi))
                        return false;
                if (expect(&s, ':') && !digits(&s, 2, &sec))
                        return false;
                if (expect(&s, '.'))
                        while (s.n && s.p[0] >= '0' && s.p[0] <= '9')
                                s = str_from(s, 1);
                if (s.n && (s.p[0] == '+' || s.p[0] == '-')) {
                        int sign = s.p[0] == '-' ? -1 : 1;
                        unsigned oh, om = 0;
                        s = str_from(s, 1);
                        if (!digits(&s, 2, &oh))
                                return false;
                        (void)expect(&s, ':');
                        if (s.n && !digits(&s, 2, &om))
                                return false;
                        offset = sign * (int64_t)(oh * 3600 + om * 60);
                } else if (s.n && !expect(&s, 'Z') && !expect(&s, 'z')) {
                        return false;
                }
        }
        if (s.n || h > 23 || mi > 59 || sec > 60)
                return false;
        *ret = days_from_civil(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec - offset;
        return true;
}

const char *date_day(int64_t t, char text[static DATE_TEXT_MAX])
{
        int y;
        unsigned m, d;
        text[0] = 0;
        if (t) {
                civil_from_days(t / 86400 - (t % 86400 < 0), &y, &m, &d);
                snprintf(text, DATE_TEXT_MAX, "%04d-%02u-%02u", y, m, d);
        }
        return text;
}

const char *date_iso(int64_t t, char text[static DATE_TEXT_MAX])
{
        int64_t in_day = t % 86400 + (t % 86400 < 0 ? 86400 : 0);
        date_day(t, text);
        if (t) {
                size_t n = strlen(text);
                snprintf(text + n, DATE_TEXT_MAX - n, "T%02d:%02d:%02dZ", (int)(in_day / 3600), (int)(in_day / 60 % 60),
                         (int)(in_day % 60));
        }
        return text;
}
