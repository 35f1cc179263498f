/* See utf8.h. */
#include "base/utf8.h"

struct range {
        uint32_t first, last;
};

static const struct range unsafe[] = {
        { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },   { 0x061c, 0x061c },    { 0x180b, 0x180f },
        { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0xfe00, 0xfe0f },    { 0xfeff, 0xfeff },
        { 0xfff0, 0xfffb }, { 0xfffe, 0xffff }, { 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
};

size_t utf8_decode(struct str s, uint32_t *ret)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        if (!s.n)
                return 0;
        uint8_t lead = (uint8_t)s.p[0];
        size_t n = lead < 0x80 ? 1 : lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (n == 1) {
                *ret = lead;
                return 1;
        }
        if (lead < 0xc2 || lead > 0xf4 || n > s.n)
                return 0;
        uint32_t c = lead & (0xffu >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                uint8_t b = (uint8_t)s.p[i];
                if ((b & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (b & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}

bool utf8_is_unsafe(uint32_t c)
{
        for (size_t i = 0; i < ARRAY_SIZE(unsafe) && c >= unsafe[i].first; i++)
                if (c <= unsafe[i].last)
                        return true;
        return false;
}

void utf8_print(FILE *to, struct str s)
{
        for (uint32_t c; s.n > 0;) {
                size_t n = utf8_decode(s, &c);
                if (n == 0 || utf8_is_unsafe(c))
                        fprintf(to, "\\x%02x", (unsigned char)s.p[0]);
                else
                        fwrite(s.p, 1, n, to);
                s = str_from(s, n ? n : 1);
        }
}
