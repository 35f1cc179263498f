/* See apkdb.h. */
#include "read/apkdb.h"

struct apkdb apkdb_from(struct str bytes) { return (struct apkdb){ .rest = bytes }; }

int apkdb_next(struct apkdb *a, struct apkdb_field *ret)
{
        while (a->rest.n) {
                size_t before = a->rest.n, offset = a->offset;
                struct str line = str_line(&a->rest);
                a->offset += before - a->rest.n;
                a->is_cut = a->rest.p == NULL;
                a->line++;
                if (line.n == 0) {
                        if (!a->is_open)
                                continue;
                        a->is_open = false;
                        return APKDB_PACKAGE;
                }
                a->is_open = true;
                if (line.n < 2 || line.p[1] != ':')
                        return APKDB_MALFORMED;
                *ret = (struct apkdb_field){ line.p[0], str_from(line, 2), offset };
                return APKDB_FIELD;
        }
        if (!a->is_open)
                return APKDB_END;
        a->is_open = false;
        return APKDB_PACKAGE;
}

static int base64_digit(char c)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *at = c ? strchr(digits, c) : NULL;
        return at ? (int)(at - digits) : -1;
}

/* Exactly n bytes, with the padding that they need. */
static bool read_base64(struct str s, size_t n, uint8_t *ret)
{
        size_t digits = (n * 4 + 2) / 3, out = 0;
        if (s.n != (n + 2) / 3 * 4)
                return false;
        uint32_t bits = 0;
        unsigned held = 0;
        for (size_t i = 0; i < s.n; i++) {
                int v = i < digits ? base64_digit(s.p[i]) : 0;
                if (v < 0 || (i >= digits && s.p[i] != '='))
                        return false;
                bits = bits << 6 | (uint32_t)v;
                held += 6;
                if (held >= 8 && out < n) {
                        held -= 8;
                        ret[out++] = (uint8_t)(bits >> held);
                }
        }
        return out == n;
}

size_t apkdb_checksum(struct str text, const char **ret_algorithm, uint8_t ret[static 32])
{
        struct str rest = str_from(text, 2);
        if (str_starts(text, STR("Q1")) && read_base64(rest, 20, ret))
                return *ret_algorithm = "sha1", 20;
        if (str_starts(text, STR("Q2")) && read_base64(rest, 32, ret))
                return *ret_algorithm = "sha256", 32;
        if (str_starts(text, STR("X1")) && str_hex(rest, 20, ret))
                return *ret_algorithm = "sha1", 20;
        if (str_hex(text, 16, ret))
                return *ret_algorithm = "md5", 16;
        return 0;
}
