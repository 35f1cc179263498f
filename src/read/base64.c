/* See base64.h. */
#include "read/base64.h"

/* The six bits of a letter, or -1. */
static int letter(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

struct bits {
        uint32_t held;
        unsigned n;
};

static void put(struct bits *b, unsigned six, struct buf *to)
{
        b->held = (b->held << 6 | six) & 0xffffff;
        b->n += 6;
        if (b->n >= 8) {
                b->n -= 8;
                buf_putc(to, (char)(b->held >> b->n & 0xff));
        }
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

bool base64_decode(struct str text, struct buf *to)
{
        struct bits bits = { 0 };
        bool ended = false;
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                int six = letter(c);
                if (c == '=')
                        ended = true;
                else if (six >= 0 && !ended)
                        put(&bits, (unsigned)six, to);
                else if (!is_space(c))
                        return false;
        }
        return bits.n < 6 && !buf_is_full(to);
}

static bool is_quote(char c) { return c == '"' || c == '\''; }

/* How many bytes at the text's start only separate the lines of a literal. A plus sign does after a closing quote. */
static size_t between_lines(struct str text, bool after_quote)
{
        if (is_space(text.p[0]) || is_quote(text.p[0]) || text.p[0] == ',' || (text.p[0] == '+' && after_quote))
                return 1;
        if (text.p[0] == '\\' && text.n >= 2)
                return text.p[1] == 'n' || text.p[1] == 'r' || text.p[1] == '\n' ? 2 : text.p[1] == '\\' ? 1 : 0;
        return 0;
}

size_t base64_decode_armour(struct str text, struct buf *to)
{
        struct bits bits = { 0 };
        bool after_quote = false;
        size_t i = 0;
        while (i < text.n && !buf_is_full(to)) {
                size_t skip = between_lines(str_from(text, i), after_quote);
                int six = skip ? 0 : letter(text.p[i]);
                if (!skip && (six < 0 || text.p[i] == '-' || text.p[i] == '_'))
                        break; /* the URL alphabet does not occur here, and "-----END" does */
                if (!skip)
                        put(&bits, (unsigned)six, to);
                after_quote = is_quote(text.p[i]) || (after_quote && is_space(text.p[i]));
                i += skip ? skip : 1;
        }
        while (i < text.n && text.p[i] == '=')
                i++;
        return i;
}
