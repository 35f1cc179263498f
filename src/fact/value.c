/* See value.h. Constants are read exactly: no floating point, no locale, and overflow is refused. */
#include "fact/value.h"

#include "base/date.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const type_names[VALUE_TYPES] = {
        [VALUE_ABSENT] = "absent",   [VALUE_STRING] = "string",     [VALUE_BYTES] = "bytes",
        [VALUE_NUMBER] = "number",   [VALUE_DECIMAL] = "decimal",   [VALUE_IP] = "address",
        [VALUE_NET] = "network",     [VALUE_TIME] = "time",         [VALUE_DURATION] = "duration",
        [VALUE_VERSION] = "version", [VALUE_SEVERITY] = "severity", [VALUE_FLAG] = "flag",
        [VALUE_LIST] = "list",
};

const char *value_type_name(enum value_type t) { return type_names[t]; }

static void clear_host_bits(struct ip *ip)
{
        for (unsigned bit = ip->prefix; bit < (ip->family == 4 ? 32u : 128u); bit++)
                ip->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

bool ip_parse(struct str s, struct ip *ret)
{
        char text[INET6_ADDRSTRLEN];
        struct ip ip = { 0 };
        ptrdiff_t slash = str_find_char(s, '/');
        struct str address = slash < 0 ? s : str_upto(s, (size_t)slash);
        if (address.n == 0 || address.n >= sizeof(text) || memchr(address.p, '\0', address.n))
                return false;
        memcpy(text, address.p, address.n);
        text[address.n] = '\0';
        if (inet_pton(AF_INET, text, ip.bytes) == 1)
                ip.family = 4;
        else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
                ip.family = 6;
        else
                return false;
        uint64_t prefix = ip.family == 4 ? 32 : 128;
        if (slash >= 0) {
                uint64_t given;
                if (!str_u64(str_from(s, (size_t)slash + 1), &given) || given > prefix)
                        return false;
                prefix = given;
        }
        ip.prefix = (uint8_t)prefix;
        clear_host_bits(&ip);
        *ret = ip;
        return true;
}

bool ip_in(const struct ip *address, const struct ip *network)
{
        if (address->family != network->family)
                return false;
        unsigned whole = network->prefix / 8, rest = network->prefix % 8;
        if (memcmp(address->bytes, network->bytes, whole) != 0)
                return false;
        return rest == 0 || (address->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

static int64_t seconds_to_ns(int64_t seconds)
{
        int64_t ns;
        if (__builtin_mul_overflow(seconds, VALUE_SECOND, &ns))
                return seconds < 0 ? INT64_MIN : INT64_MAX;
        return ns;
}

struct value value_time(int64_t seconds)
{
        return seconds == 0 ? value_absent() : (struct value){ VALUE_TIME, { .number = seconds_to_ns(seconds) } };
}

struct value value_duration(int64_t nanoseconds) { return (struct value){ VALUE_DURATION, { .number = nanoseconds } }; }

static void print_ip(const struct ip *ip, struct buf *to)
{
        char text[INET6_ADDRSTRLEN];
        inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, text, sizeof(text));
        buf_puts(to, text);
        if (ip->prefix != (ip->family == 4 ? 32 : 128))
                buf_printf(to, "/%u", ip->prefix);
}

static void print_decimal(int64_t millionths, struct buf *to)
{
        uint64_t n = millionths < 0 ? -(uint64_t)millionths : (uint64_t)millionths;
        char fraction[8];
        snprintf(fraction, sizeof(fraction), "%06" PRIu64, n % VALUE_DECIMAL_ONE);
        size_t keep = 6;
        while (keep > 1 && fraction[keep - 1] == '0')
                keep--;
        buf_printf(to, "%s%" PRIu64 ".%.*s", millionths < 0 ? "-" : "", n / VALUE_DECIMAL_ONE, (int)keep, fraction);
}

static const struct {
        const char *name;
        int64_t ns;
} units[] = {
        { "w", 7 * VALUE_DAY },
        { "d", VALUE_DAY },
        { "h", 3600 * VALUE_SECOND },
        { "m", 60 * VALUE_SECOND },
        { "s", VALUE_SECOND },
        { "ms", 1000000 },
        { "us", 1000 },
        { "ns", 1 },
};

static void print_duration(int64_t ns, struct buf *to)
{
        if (ns == 0) {
                buf_puts(to, "0s");
                return;
        }
        if (ns < 0)
                buf_putc(to, '-');
        uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
        for (size_t i = 1; i < ARRAY_SIZE(units); i++) { /* weeks are understood, not written */
                uint64_t n = left / (uint64_t)units[i].ns;
                if (n > 0)
                        buf_printf(to, "%" PRIu64 "%s", n, units[i].name);
                left %= (uint64_t)units[i].ns;
        }
}

static void print_time(int64_t ns, struct buf *to)
{
        int64_t seconds = ns / VALUE_SECOND - (ns % VALUE_SECOND < 0);
        char text[DATE_TEXT_MAX];
        if (ns % VALUE_SECOND || seconds == 0)
                buf_printf(to, "%" PRId64, ns); /* only the number tells it exactly */
        else
                buf_puts(to, date_iso(seconds, text));
}

static void print_list(const struct value *v, struct buf *to)
{
        buf_putc(to, '(');
        for (size_t i = 0; i < v->list.n; i++) {
                if (i > 0)
                        buf_putc(to, ',');
                value_print(&v->list.v[i], to);
        }
        buf_putc(to, ')');
}

void value_print(const struct value *v, struct buf *to)
{
        switch (v->type) {
        case VALUE_STRING:
        case VALUE_BYTES:
                buf_add_str(to, v->text);
                break;
        case VALUE_NUMBER:
                buf_printf(to, "%" PRId64, v->number);
                break;
        case VALUE_DECIMAL:
                print_decimal(v->number, to);
                break;
        case VALUE_IP:
        case VALUE_NET:
                print_ip(&v->ip, to);
                break;
        case VALUE_TIME:
                print_time(v->number, to);
                break;
        case VALUE_DURATION:
                print_duration(v->number, to);
                break;
        case VALUE_VERSION:
                buf_add_str(to, v->version.text);
                break;
        case VALUE_SEVERITY:
                buf_puts(to, severity_name((enum severity)v->number));
                break;
        case VALUE_FLAG:
                buf_puts(to, v->number ? "true" : "false");
                break;
        case VALUE_LIST:
                print_list(v, to);
                break;
        case VALUE_ABSENT:
        case VALUE_TYPES:
                buf_puts(to, "<NA>");
                break;
        }
}

static bool take_sign(struct str *s)
{
        if (s->n == 0 || (s->p[0] != '-' && s->p[0] != '+'))
                return false;
        bool negative = s->p[0] == '-';
        *s = str_from(*s, 1);
        return negative;
}

static bool hex_number(struct str s, uint64_t *ret)
{
        uint64_t n = 0;
        if (s.n == 0 || s.n > 16)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                                 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                        : 16;
                if (digit == 16)
                        return false;
                n = n << 4 | digit;
        }
        *ret = n;
        return true;
}

static bool with_sign(bool negative, uint64_t n, int64_t *ret)
{
        if (n > (uint64_t)INT64_MAX + negative)
                return false;
        *ret = negative ? (int64_t)-n : (int64_t)n;
        return true;
}

static bool parse_number(struct str s, int64_t *ret)
{
        uint64_t n;
        bool negative = take_sign(&s);
        bool is_hex = s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X');
        return (is_hex ? hex_number(str_from(s, 2), &n) : str_u64(s, &n)) && with_sign(negative, n, ret);
}

static bool parse_decimal(struct str s, int64_t *ret)
{
        bool negative = take_sign(&s);
        struct str whole = str_cut(&s, '.');
        uint64_t n, fraction = 0;
        if (!str_u64(whole, &n) || n > INT64_MAX / VALUE_DECIMAL_ONE - 1)
                return false;
        if (s.p) {
                if (s.n == 0 || s.n > 6 || !str_u64(s, &fraction))
                        return false;
                for (size_t i = s.n; i < 6; i++)
                        fraction *= 10;
        }
        return with_sign(negative, n * VALUE_DECIMAL_ONE + fraction, ret);
}

static bool parse_duration(struct str s, int64_t *ret)
{
        if (parse_number(s, ret))
                return true;
        bool negative = take_sign(&s);
        int64_t sum = 0;
        while (s.n > 0) {
                size_t digits = 0, letters;
                while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
                        digits++;
                for (letters = digits; letters < s.n && s.p[letters] >= 'a' && s.p[letters] <= 'z';)
                        letters++;
                struct str unit = str_from(str_upto(s, letters), digits);
                uint64_t n;
                int64_t part;
                size_t i = 0;
                while (i < ARRAY_SIZE(units) && !str_is(unit, units[i].name))
                        i++;
                if (i == ARRAY_SIZE(units) || !str_u64(str_upto(s, digits), &n) || n > INT64_MAX ||
                    __builtin_mul_overflow((int64_t)n, units[i].ns, &part) || __builtin_add_overflow(sum, part, &sum))
                        return false;
                s = str_from(s, letters);
                *ret = negative ? -sum : sum;
                if (s.n == 0)
                        return true;
        }
        return false;
}

static bool parse_time(struct str s, int64_t *ret)
{
        int64_t seconds;
        if (parse_number(s, ret))
                return true;
        if (!date_parse(s, &seconds))
                return false;
        *ret = seconds_to_ns(seconds);
        return true;
}

static bool parse_flag(struct str s, int64_t *ret)
{
        static const char *const words[][2] = { { "false", "true" }, { "0", "1" }, { "no", "yes" } };
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                for (int flag = 0; flag < 2; flag++)
                        if (str_eq_nocase(s, str_of(words[i][flag]))) {
                                *ret = flag;
                                return true;
                        }
        return false;
}

bool value_parse(enum value_type type, struct str s, struct value *ret)
{
        struct value v = { type };
        enum severity severity;
        bool ok = false;
        switch (type) {
        case VALUE_STRING:
        case VALUE_BYTES:
                v.text = s;
                ok = true;
                break;
        case VALUE_VERSION:
                v.version.text = s;
                ok = true;
                break;
        case VALUE_NUMBER:
                ok = parse_number(s, &v.number);
                break;
        case VALUE_DECIMAL:
                ok = parse_decimal(s, &v.number);
                break;
        case VALUE_IP:
        case VALUE_NET:
                ok = ip_parse(s, &v.ip);
                break;
        case VALUE_TIME:
                ok = parse_time(s, &v.number);
                break;
        case VALUE_DURATION:
                ok = parse_duration(s, &v.number);
                break;
        case VALUE_SEVERITY:
                ok = severity_parse(s, &severity);
                if (ok)
                        v.number = severity;
                break;
        case VALUE_FLAG:
                ok = parse_flag(s, &v.number);
                break;
        case VALUE_ABSENT:
        case VALUE_LIST:
        case VALUE_TYPES:
                break;
        }
        if (ok)
                *ret = v;
        return ok;
}
