/* Transformers: see operator.h for the table. */
#include "rule/eval.h"

static int base64_digit(char c)
{
        return c >= 'A' && c <= 'Z'   ? c - 'A'
               : c >= 'a' && c <= 'z' ? c - 'a' + 26
               : c >= '0' && c <= '9' ? c - '0' + 52
               : c == '+'             ? 62
               : c == '/'             ? 63
                                      : -1;
}

/* RFC 4648, section 4; padding may be missing, anything else that is no digit makes it none. */
static bool decode_base64(struct str s, struct buf *to)
{
        unsigned bits = 0, n_bits = 0;
        while (s.n > 0 && s.p[s.n - 1] == '=')
                s.n--;
        for (size_t i = 0; i < s.n; i++) {
                int digit = base64_digit(s.p[i]);
                if (digit < 0)
                        return false;
                bits = bits << 6 | (unsigned)digit;
                n_bits += 6;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        buf_putc(to, (char)(bits >> n_bits & 0xff));
                }
        }
        return n_bits < 6;
}

static void change_case(struct str s, char from, char to_letter, struct buf *to)
{
        for (size_t i = 0; i < s.n; i++) {
                bool is = s.p[i] >= from && s.p[i] < from + 26;
                buf_putc(to, is ? (char)(s.p[i] - from + to_letter) : s.p[i]);
        }
}

bool transform(const struct transformer *t, const struct value *v, struct buf *text, struct value *ret)
{
        size_t before = text->n;
        ptrdiff_t slash;
        *ret = *v;
        switch (t->id) {
        case TO_LOWER:
                change_case(v->text, 'A', 'a', text);
                break;
        case TO_UPPER:
                change_case(v->text, 'a', 'A', text);
                break;
        case TO_B64:
                if (!decode_base64(v->text, text))
                        return false;
                break;
        case TO_BASENAME:
                slash = str_rfind_char(v->text, '/');
                ret->text = str_from(v->text, (size_t)(slash + 1));
                return true;
        case TO_LEN:
                *ret = value_number((int64_t)v->text.n);
                return true;
        default:
                return true;
        }
        ret->text = str_span(text->p ? text->p + before : "", text->n - before);
        return !buf_is_full(text);
}
