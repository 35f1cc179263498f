/*
 * What a single header block says: numbers, checksum, type, format, and names made into paths. No state; tar.c puts
 * headers together into entries.
 */
#include "read/tar-internal.h"

static bool read_base256(struct str f, int64_t *ret)
{
        /* Two's complement, big-endian; the top bit says only that this is base-256, the next one is the sign. */
        bool negative = f.p[0] & 0x40;
        int64_t v = negative ? -1 : 0;
        for (size_t i = 0; i < f.n; i++) {
                uint8_t b = (uint8_t)f.p[i];
                if (i == 0)
                        b = negative ? b | 0x80 : b & 0x7f;
                if (v > INT64_MAX >> 8 || v < INT64_MIN >> 8)
                        return false;
                v = v * 256 + b;
        }
        *ret = v;
        return true;
}

bool tar_number(struct str f, int64_t *ret)
{
        if (f.n && (f.p[0] & 0x80))
                return read_base256(f, ret);
        size_t i = 0, n = f.n;
        while (i < n && (f.p[i] == ' ' || f.p[i] == 0))
                i++;
        int64_t v = 0;
        for (; i < n && f.p[i] >= '0' && f.p[i] <= '7'; i++) /* 12 digits at most: fits */
                v = v * 8 + (f.p[i] - '0');
        if (i < n && f.p[i] != ' ' && f.p[i] != 0)
                return false;
        *ret = v;
        return true;
}

uint32_t tar_small_number(struct str f)
{
        int64_t v;
        return tar_number(f, &v) && v >= 0 && v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* The sum of the bytes, the checksum field counted as spaces; some old programs summed signed chars. */
bool tar_checksum_fits(const uint8_t *block)
{
        int64_t want;
        if (!tar_number(tar_field(block, TAR_CHECKSUM), &want))
                return false;
        uint32_t sum = 0, high = 0, spaces = 0, high_spaces = 0;
        for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
                sum += block[i];
        for (size_t i = 148; i < 156; i++)
                spaces += block[i];
        sum = sum - spaces + 8 * ' ';
        if (want == sum)
                return true;
        for (size_t i = 0; i < TAR_BLOCK_BYTES; i++)
                high += block[i] >> 7;
        for (size_t i = 148; i < 156; i++)
                high_spaces += block[i] >> 7;
        return want == (int64_t)sum - 256 * (int64_t)(high - high_spaces);
}

bool tar_header_size(const uint8_t *block, uint64_t *ret)
{
        int64_t v;
        if (!tar_number(tar_field(block, TAR_SIZE), &v) || v < 0 || v > TAR_SIZE_MAX)
                return false;
        *ret = (uint64_t)v;
        return true;
}

enum tar_type tar_type_of(char c)
{
        switch (c) {
        case 0:
        case '0':
        case '7':
        case 'S':
                return TAR_REGULAR;
        case '1':
                return TAR_HARDLINK;
        case '2':
                return TAR_SYMLINK;
        case '3':
                return TAR_CHAR;
        case '4':
                return TAR_BLOCK;
        case '5':
                return TAR_DIRECTORY;
        case '6':
                return TAR_FIFO;
        default:
                return TAR_OTHER;
        }
}

enum tar_format tar_format_of(const uint8_t *block)
{
        struct str magic = tar_field(block, TAR_MAGIC);
        if (str_eq(magic, STR("ustar  \0")))
                return TAR_FORMAT_GNU;
        if (!str_starts(magic, STR("ustar\0")))
                return TAR_FORMAT_V7;
        return str_eq(tar_field(block, TAR_STAR), STR("tar\0")) ? TAR_FORMAT_STAR : TAR_FORMAT_USTAR;
}

bool tar_normalise(struct str path, char *to, struct str *ret)
{
        size_t n = 0;
        if (path.n && memchr(path.p, 0, path.n))
                goto unsafe;
        for (struct str rest = path; rest.p;) {
                struct str part = str_cut(&rest, '/');
                if (part.n == 0 || (part.n == 1 && part.p[0] == '.'))
                        continue;
                if (part.n == 2 && part.p[0] == '.' && part.p[1] == '.')
                        goto unsafe;
                if (n > 0)
                        to[n++] = '/';
                memcpy(to + n, part.p, part.n);
                n += part.n;
        }
        *ret = str_span(to, n);
        return true;
unsafe:
        memcpy(to, path.p, path.n);
        *ret = str_span(to, path.n);
        return false;
}
