/* Strings, numbers, booleans and dates of TOML; see toml.h. The comments name sections of the specification. */
#include "base/utf8.h"
#include "read/toml-internal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NUMBER_MAX 400 /* bytes of a number or date */

/* --- strings (section "String") --- */

/* Controls other than tab are not allowed; line ends only where the caller takes them itself. */
static bool is_control(unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }

static void put_utf8(struct buf *to, uint32_t c)
{
        if (c < 0x80) {
                buf_putc(to, (char)c);
                return;
        }
        unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        static const uint8_t first[] = { 0, 0xc0, 0xe0, 0xf0 };
        buf_putc(to, (char)(first[more] | c >> (6 * more)));
        while (more--)
                buf_putc(to, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

static int unicode_escape(struct toml_reader *r, size_t digits, struct buf *to)
{
        uint8_t bytes[4];
        struct str hex = str_upto(str_from(r->text, r->at), digits);
        if (hex.n != digits || !str_hex(hex, digits / 2, bytes))
                return toml_fail(r, "an escape needs %zu hexadecimal digits", digits);
        uint32_t c = 0;
        for (size_t i = 0; i < digits / 2; i++)
                c = c << 8 | bytes[i];
        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return toml_fail(r, "an escape that is no character");
        r->at += digits;
        put_utf8(to, c);
        return 0;
}

static int escape(struct toml_reader *r, struct buf *to)
{
        static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
        char c = toml_peek(r);
        const char *at = c ? strchr(letters, c) : NULL;
        r->at++;
        if (at)
                buf_putc(to, meanings[at - letters]);
        else if (c == 'u' || c == 'U')
                return unicode_escape(r, c == 'u' ? 4 : 8, to);
        else
                return toml_fail(r, "an escape that TOML does not know");
        return 0;
}

/* One character that stands for itself. */
static int plain(struct toml_reader *r, struct buf *to)
{
        uint32_t c;
        struct str rest = str_from(r->text, r->at);
        size_t n = utf8_decode(rest, &c);
        if (!n)
                return toml_fail(r, toml_at_end(r) ? "the text ends in a string" : "not UTF-8");
        if (is_control((unsigned char)rest.p[0]))
                return toml_fail(r, rest.p[0] == '\n' || rest.p[0] == '\r' ? "a string that its line does not end"
                                                                           : "a control character in a string");
        buf_add(to, rest.p, n);
        r->at += n;
        return 0;
}

static int finish(struct toml_reader *r, struct buf *text, int e, struct str *ret)
{
        if (e == 0)
                *ret = arena_str(r->arena, buf_str(text));
        buf_done(text);
        return e;
}

int toml_basic_string(struct toml_reader *r, struct str *ret)
{
        struct buf text = BUF_INIT(TOML_BYTES_MAX);
        int e = 0;
        r->at++;
        while (e == 0 && !toml_take(r, "\""))
                e = toml_take(r, "\\") ? escape(r, &text) : plain(r, &text);
        return finish(r, &text, e, ret);
}

int toml_literal_string(struct toml_reader *r, struct str *ret)
{
        struct buf text = BUF_INIT(TOML_BYTES_MAX);
        int e = 0;
        r->at++;
        while (e == 0 && !toml_take(r, "'"))
                e = plain(r, &text);
        return finish(r, &text, e, ret);
}

static bool take_line_end(struct toml_reader *r)
{
        if (!toml_take(r, "\n") && !toml_take(r, "\r\n"))
                return false;
        r->line++;
        return true;
}

/* "\" at a line's end: that end and all white space after it are left out. */
static bool line_continuation(struct toml_reader *r)
{
        size_t start = r->at;
        toml_skip_blank(r);
        if (!take_line_end(r)) {
                r->at = start;
                return false;
        }
        do
                toml_skip_blank(r);
        while (take_line_end(r));
        return true;
}

/* After the opening quotes. Up to two quotes may stand right before the closing three. */
static int multi_line(struct toml_reader *r, char quote, struct str *ret)
{
        const char *end = quote == '"' ? "\"\"\"" : "'''";
        struct buf text = BUF_INIT(TOML_BYTES_MAX);
        int e = 0;
        (void)take_line_end(r);
        while (e == 0) {
                if (toml_take(r, end)) {
                        for (int i = 0; i < 2 && toml_peek(r) == quote; i++, r->at++)
                                buf_putc(&text, quote);
                        break;
                }
                if (take_line_end(r))
                        buf_putc(&text, '\n');
                else if (quote == '"' && toml_take(r, "\\"))
                        e = line_continuation(r) ? 0 : escape(r, &text);
                else
                        e = plain(r, &text);
        }
        return finish(r, &text, e, ret);
}

static int string(struct toml_reader *r, struct toml *to)
{
        to->type = TOML_STRING;
        if (toml_take(r, "\"\"\""))
                return multi_line(r, '"', &to->text);
        if (toml_take(r, "'''"))
                return multi_line(r, '\'', &to->text);
        return toml_peek(r) == '"' ? toml_basic_string(r, &to->text) : toml_literal_string(r, &to->text);
}

/* --- dates (section "Offset Date-Time" and the three after it; RFC 3339) --- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Exactly n digits. */
static bool digits(struct str *s, size_t n, unsigned *ret)
{
        *ret = 0;
        if (s->n < n)
                return false;
        for (size_t i = 0; i < n; i++) {
                if (!is_digit(s->p[i]))
                        return false;
                *ret = *ret * 10 + (unsigned)(s->p[i] - '0');
        }
        *s = str_from(*s, n);
        return true;
}

static bool letter(struct str *s, const char *any)
{
        if (!s->n || !strchr(any, s->p[0]) || !s->p[0])
                return false;
        *s = str_from(*s, 1);
        return true;
}

static bool date(struct str *s)
{
        static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        unsigned y, m, d;
        if (!digits(s, 4, &y) || !letter(s, "-") || !digits(s, 2, &m) || !letter(s, "-") || !digits(s, 2, &d))
                return false;
        bool is_leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && is_leap);
}

static bool time_of_day(struct str *s)
{
        unsigned h, m, sec;
        if (!digits(s, 2, &h) || !letter(s, ":") || !digits(s, 2, &m) || !letter(s, ":") || !digits(s, 2, &sec))
                return false;
        if (letter(s, ".")) {
                if (!s->n || !is_digit(s->p[0]))
                        return false;
                while (s->n && is_digit(s->p[0]))
                        *s = str_from(*s, 1);
        }
        return h < 24 && m < 60 && sec < 60;
}

static bool offset(struct str *s)
{
        unsigned h, m;
        if (letter(s, "Zz"))
                return true;
        return letter(s, "+-") && digits(s, 2, &h) && letter(s, ":") && digits(s, 2, &m) && h < 24 && m < 60;
}

static bool is_date(struct str s)
{
        struct str t = s;
        if (time_of_day(&t))
                return !t.n;
        if (!date(&s))
                return false;
        if (!s.n)
                return true;
        return letter(&s, "Tt ") && time_of_day(&s) && (!s.n || (offset(&s) && !s.n));
}

/* --- numbers --- */

/* Digits of the base with single underscores between them; *to gets them without. */
static bool clean_digits(struct str s, unsigned base, struct buf *to)
{
        bool after_digit = false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                unsigned v = is_digit(c)                          ? (unsigned)(c - '0')
                             : (c | 32) >= 'a' && (c | 32) <= 'f' ? (unsigned)((c | 32) - 'a' + 10)
                                                                  : 99;
                if (c == '_' && after_digit && i + 1 < s.n) {
                        after_digit = false;
                        continue;
                }
                if (v >= base)
                        return false;
                buf_putc(to, c);
                after_digit = true;
        }
        return after_digit;
}

/* Section "Integer". */
static bool integer(struct str s, int64_t *ret)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(NUMBER_MAX);
        unsigned base = 10;
        struct str body = s;
        if (str_starts(s, STR("0x")) || str_starts(s, STR("0o")) || str_starts(s, STR("0b"))) {
                base = s.p[1] == 'x' ? 16 : s.p[1] == 'o' ? 8 : 2;
                body = str_from(s, 2);
        } else if (str_starts(s, STR("-")) || str_starts(s, STR("+"))) {
                body = str_from(s, 1);
        }
        if (base == 10 && body.n > 1 && body.p[0] == '0')
                return false;
        if (s.p[0] == '-')
                buf_putc(&b, '-');
        if (!clean_digits(body, base, &b))
                return false;
        char *end;
        errno = 0;
        long long v = strtoll(b.p, &end, (int)base);
        if (errno || *end)
                return false;
        *ret = v;
        return true;
}

/* Section "Float": an integer part, then a fraction, an exponent or both. */
static bool real(struct str s, double *ret)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(NUMBER_MAX);
        struct str t = s;
        bool is_negative = str_starts(s, STR("-"));
        if (is_negative || str_starts(s, STR("+")))
                t = str_from(s, 1);
        if (str_is(t, "inf") || str_is(t, "nan")) {
                *ret = (is_negative ? -1 : 1) * (t.p[0] == 'i' ? INFINITY : NAN);
                return true;
        }
        size_t n = 0;
        while (n < t.n && t.p[n] != '.' && (t.p[n] | 32) != 'e')
                n++;
        struct str whole = str_upto(t, n), rest = str_from(t, n);
        if ((whole.n > 1 && whole.p[0] == '0') || !rest.n || !clean_digits(whole, 10, &b))
                return false;
        if (rest.p[0] == '.') {
                rest = str_from(rest, 1);
                for (n = 0; n < rest.n && (rest.p[n] | 32) != 'e';)
                        n++;
                buf_putc(&b, '.');
                if (!clean_digits(str_upto(rest, n), 10, &b))
                        return false;
                rest = str_from(rest, n);
        }
        if (rest.n) {
                rest = str_from(rest, 1);
                buf_putc(&b, 'e');
                if (rest.n && (rest.p[0] == '+' || rest.p[0] == '-')) {
                        buf_putc(&b, rest.p[0]);
                        rest = str_from(rest, 1);
                }
                if (!clean_digits(rest, 10, &b))
                        return false;
        }
        *ret = (is_negative ? -1 : 1) * strtod(b.p, NULL);
        return true;
}

/* --- which of them it is --- */

/* What can be of a number, a date or a word. A date and its time may have a space between them. */
static struct str bare(const struct toml_reader *r)
{
        struct str s = str_from(r->text, r->at);
        size_t n = 0;
        while (n < s.n && (is_digit(s.p[n]) || ((s.p[n] | 32) >= 'a' && (s.p[n] | 32) <= 'z') ||
                           (s.p[n] && strchr("+-_.:", s.p[n]))))
                n++;
        if (n == 10 && s.n > 13 && s.p[4] == '-' && s.p[10] == ' ' && is_digit(s.p[11]) && is_digit(s.p[12]) &&
            s.p[13] == ':')
                for (n = 11; n < s.n && (is_digit(s.p[n]) || (s.p[n] && strchr("+-.:Zz", s.p[n])));)
                        n++;
        return str_upto(s, n);
}

int toml_scalar(struct toml_reader *r, struct toml *to)
{
        if (toml_peek(r) == '"' || toml_peek(r) == '\'')
                return string(r, to);
        struct str s = bare(r);
        if (!s.n)
                return toml_fail(r, toml_at_end(r) ? "the text ends where a value should stand" : "not a value");
        if (s.n > NUMBER_MAX)
                return toml_fail(r, "a number of %zu bytes", s.n);
        if (str_is(s, "true") || str_is(s, "false")) {
                to->type = TOML_BOOLEAN;
                to->boolean = s.p[0] == 't';
        } else if (integer(s, &to->integer)) {
                to->type = TOML_INTEGER;
        } else if (real(s, &to->real)) {
                to->type = TOML_FLOAT;
        } else if (is_date(s)) {
                to->type = TOML_DATETIME;
                to->text = arena_str(r->arena, s);
        } else {
                return toml_fail(r, "\"%.*s\" is no number, date or boolean", STR_FMT(str_upto(s, 40)));
        }
        r->at += s.n;
        return 0;
}
