/* See text.h. Everything here is exact for any input bytes; nothing depends on the locale. */
#include "report/text.h"

#include "base/date.h"
#include "base/utf8.h"

#include <stdio.h>

/* Arguments of one text are bounded where they are read; this only stops a defect from eating the memory. */
#define TEXT_MAX ((size_t)64 << 20)

struct range {
        uint32_t first, last;
};

static const struct range combining[] = {
        { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },
        { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff },
        { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe20, 0xfe2f },
};

static const struct range wide[] = {
        { 0x1100, 0x115f }, { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff },
        { 0xa000, 0xa4cf }, { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
        { 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
        for (size_t i = 0; i < n && c >= ranges[i].first; i++)
                if (c <= ranges[i].last)
                        return true;
        return false;
}

struct str text_take(struct arena *a, struct buf *b)
{
        struct str s = arena_str(a, buf_str(b));
        buf_done(b);
        return s;
}

static struct str rewrite(struct arena *a, struct str s, bool for_people)
{
        struct buf out = BUF_INIT(TEXT_MAX);
        struct str left = s;
        bool changed = false;
        while (left.n) {
                uint32_t c;
                size_t n = utf8_decode(left, &c);
                bool keep = n && !(for_people && utf8_is_unsafe(c));
                if (!keep && !changed) {
                        buf_add_str(&out, str_upto(s, s.n - left.n));
                        changed = true;
                }
                if (!n)
                        buf_printf(&out, "\\x%02x", (uint8_t)left.p[0]);
                else if (!keep)
                        buf_putc(&out, '?');
                else if (changed)
                        buf_add(&out, left.p, n);
                left = str_from(left, n ? n : 1);
        }
        return changed ? text_take(a, &out) : s;
}

struct str text_utf8(struct arena *a, struct str s) { return rewrite(a, s, false); }

struct str text_clean(struct arena *a, struct str s) { return rewrite(a, s, true); }

static unsigned width_of(uint32_t c)
{
        if (c < 0x300)
                return 1;
        if (in_ranges(c, combining, ARRAY_SIZE(combining)))
                return 0;
        return in_ranges(c, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

unsigned text_width(struct str s)
{
        unsigned width = 0;
        while (s.n) {
                uint32_t c;
                size_t n = utf8_decode(s, &c);
                width += n ? width_of(c) : 1;
                s = str_from(s, n ? n : 1);
        }
        return width;
}

struct str text_cut(struct arena *a, struct str s, unsigned width)
{
        unsigned used = 0;
        size_t at = 0, fits = 0; /* fits: what leaves room for the mark */
        while (at < s.n && used <= width) {
                uint32_t c;
                size_t n = utf8_decode(str_from(s, at), &c);
                used += n ? width_of(c) : 1;
                at += n ? n : 1;
                if (used < width)
                        fits = at;
        }
        if (used <= width)
                return s;
        if (!width)
                return STR_NONE;
        while (fits && s.p[fits - 1] == ' ')
                fits--;
        return arena_printf(a, "%.*s…", (int)fits, s.p);
}

size_t text_break(struct str s, unsigned width)
{
        unsigned used = 0;
        size_t at = 0, fits = 0;
        while (at < s.n) {
                uint32_t c;
                size_t n = utf8_decode(str_from(s, at), &c);
                if (s.p[at] == ' ') {
                        if (used > width)
                                return fits ? fits : at;
                        fits = at;
                }
                used += n ? width_of(c) : 1;
                if (used > width && fits)
                        return fits;
                at += n ? n : 1;
        }
        return s.n;
}

struct str text_number(struct arena *a, uint64_t n)
{
        char digits[24], grouped[32];
        int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
        size_t to = 0;
        for (int i = 0; i < len; i++) {
                if (i && (len - i) % 3 == 0)
                        grouped[to++] = ',';
                grouped[to++] = digits[i];
        }
        return arena_str(a, str_span(grouped, to));
}

struct str text_count(struct arena *a, uint64_t n, const char *one, const char *many)
{
        return arena_printf(a, "%.*s %s", STR_FMT(text_number(a, n)), n == 1 ? one : many);
}

struct str text_size(struct arena *a, uint64_t bytes)
{
        static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
        if (bytes < 1000)
                return text_count(a, bytes, "byte", "bytes");
        size_t unit = 0;
        uint64_t scale = 1000;
        while (unit + 1 < ARRAY_SIZE(units) && bytes / scale >= 1000) {
                scale *= 1000;
                unit++;
        }
        uint64_t whole = bytes / scale, tenth = bytes % scale / (scale / 10);
        if (whole >= 10)
                return arena_printf(a, "%llu %s", (unsigned long long)whole, units[unit]);
        return arena_printf(a, "%llu.%llu %s", (unsigned long long)whole, (unsigned long long)tenth, units[unit]);
}

struct str text_elapsed(struct arena *a, uint64_t ms)
{
        if (ms < 10000)
                return arena_printf(a, "%llu.%02llu s", (unsigned long long)(ms / 1000),
                                    (unsigned long long)(ms % 1000 / 10));
        if (ms < 60000)
                return arena_printf(a, "%llu.%llu s", (unsigned long long)(ms / 1000),
                                    (unsigned long long)(ms % 1000 / 100));
        return arena_printf(a, "%llu min %llu s", (unsigned long long)(ms / 60000),
                            (unsigned long long)(ms / 1000 % 60));
}

struct str text_day(struct arena *a, int64_t t, const char *fallback)
{
        char day[DATE_TEXT_MAX];
        return arena_str(a, str_of(t ? date_day(t, day) : fallback));
}

struct str text_age(struct arena *a, int64_t t, int64_t today)
{
        if (!t)
                return STR("of unknown date");
        int64_t days = (today - (t - t % 86400)) / 86400; /* of the calendar: the time of day does not count */
        struct str day = text_day(a, t, "");
        if (days <= 0)
                return arena_printf(a, "%.*s (today)", STR_FMT(day));
        return arena_printf(a, "%.*s (%.*s old)", STR_FMT(day), STR_FMT(text_count(a, (uint64_t)days, "day", "days")));
}

struct str text_probability(struct arena *a, uint64_t n)
{
        if (n < 1000)
                return n ? STR("<0.01") : STR("0.00");
        uint64_t hundredths = (n + 500) / 1000;
        return arena_printf(a, "%llu.%02llu", (unsigned long long)(hundredths / 100),
                            (unsigned long long)(hundredths % 100));
}

struct str text_percent(struct arena *a, uint64_t n)
{
        return arena_printf(a, "%llu %%", (unsigned long long)(n / 1000));
}

struct str text_short_digest(struct arena *a, struct str s)
{
        ptrdiff_t colon = str_find_char(s, ':');
        if (colon < 0 || s.n - (size_t)colon <= 13)
                return s;
        return arena_printf(a, "%.*s…", (int)colon + 13, s.p);
}

struct str text_uri_path(struct arena *a, struct str path)
{
        struct buf b = BUF_INIT(TEXT_MAX);
        for (size_t i = 0; i < path.n; i++) {
                char c = path.p[i];
                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c && strchr("-._~/", c)))
                        buf_putc(&b, c);
                else
                        buf_printf(&b, "%%%02X", (uint8_t)c);
        }
        return text_take(a, &b);
}

struct str text_shell(struct arena *a, struct str s)
{
        bool plain = s.n > 0;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         (c && strchr("-._/:@+=,%", c));
        }
        if (plain)
                return s;
        struct buf b = BUF_INIT(TEXT_MAX);
        buf_putc(&b, '\'');
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '\'')
                        buf_puts(&b, "'\\''");
                else
                        buf_putc(&b, s.p[i]);
        buf_putc(&b, '\'');
        return text_take(a, &b);
}

struct str text_capital(struct arena *a, struct str s)
{
        char *p = arena_cstr(a, s);
        if (s.n && p[0] >= 'a' && p[0] <= 'z')
                p[0] = (char)(p[0] - 'a' + 'A');
        return str_span(p, s.n);
}
