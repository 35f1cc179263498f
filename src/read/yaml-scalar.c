/*
 * What a node of YAML means: the getters of yaml.h. The resolution of plain scalars is go-yaml v2's (resolve.go), for
 * Kubernetes and its tools read manifests with that: the booleans of YAML 1.1, the numbers of Go's strconv.
 */
#include "read/yaml.h"

#include <stdlib.h>

#define NUMBER_LENGTH_MAX 64 /* of a number that is worth reading */

const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
        if (!mapping || mapping->kind != YAML_MAPPING)
                return NULL;
        for (size_t i = mapping->n; i > 0; i--) {
                const struct yaml_pair *pair = &mapping->pairs[i - 1];
                if (pair->key->kind == YAML_SCALAR && str_is(pair->key->text, key))
                        return pair->value;
        }
        return NULL;
}

struct str yaml_text(const struct yaml_node *n) { return n && n->kind == YAML_SCALAR ? n->text : STR_NONE; }

/* True if the text is to be resolved as that type: plain, or with its tag. */
static bool may_be(const struct yaml_node *n, const char *type)
{
        static const char prefix[] = "tag:yaml.org,2002:";
        if (!n || n->kind != YAML_SCALAR)
                return false;
        if (n->plain)
                return true;
        return n->tag && strncmp(n->tag, prefix, sizeof(prefix) - 1) == 0 &&
               strcmp(n->tag + sizeof(prefix) - 1, type) == 0;
}

static bool is_one_of(struct str s, const char *const *words)
{
        for (; *words; words++)
                if (str_is(s, *words))
                        return true;
        return false;
}

bool yaml_is_null(const struct yaml_node *n)
{
        static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };
        return !n || (may_be(n, "null") && is_one_of(n->text, words));
}

bool yaml_bool(const struct yaml_node *n, bool *ret)
{
        static const char *const yes[] = {
                "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL
        };
        static const char *const no[] = { "n",     "N",     "no",  "No",  "NO",  "false",
                                          "False", "FALSE", "off", "Off", "OFF", NULL };
        if (!may_be(n, "bool"))
                return false;
        bool is_yes = is_one_of(n->text, yes);
        if (!is_yes && !is_one_of(n->text, no))
                return false;
        *ret = is_yes;
        return true;
}

/* Digits of one of the prefixes' bases into a number below 2^64; false if there is anything else. */
static bool parse_digits(const char *s, uint64_t *ret)
{
        static const struct {
                const char *prefix;
                unsigned base;
        } bases[] = { { "0x", 16 }, { "0X", 16 }, { "0o", 8 }, { "0O", 8 },
                      { "0b", 2 },  { "0B", 2 },  { "0", 8 },  { "", 10 } };
        size_t i = 0; /* ends at the empty prefix at the latest */
        while (i + 1 < ARRAY_SIZE(bases) && !str_starts(str_of(s), str_of(bases[i].prefix)))
                i++;
        size_t length = strlen(bases[i].prefix);
        s += s[length] ? length : 0; /* "0" is no prefix of nothing */
        uint64_t v = 0;
        for (; *s; s++) {
                unsigned digit = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
                                 : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10)
                                 : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A' + 10)
                                                          : UINT32_MAX;
                if (digit >= bases[i].base || __builtin_mul_overflow(v, bases[i].base, &v) ||
                    __builtin_add_overflow(v, digit, &v))
                        return false;
        }
        *ret = v;
        return true;
}

/* A float as YAML writes it (no "inf", no hexadecimal ones) that is a whole number. */
static bool parse_whole_float(const char *s, int64_t *ret)
{
        if (strspn(s, "+-.0123456789eE") != strlen(s))
                return false;
        char *end;
        double v = strtod(s, &end);
        if (end == s || *end || !(v >= -0x1p53 && v <= 0x1p53) || (double)(int64_t)v != v)
                return false;
        *ret = (int64_t)v;
        return true;
}

bool yaml_int(const struct yaml_node *n, int64_t *ret)
{
        char s[NUMBER_LENGTH_MAX];
        size_t length = 0;
        if (!may_be(n, "int") || n->text.n == 0 || n->text.n >= sizeof(s) || n->text.p[0] == '_')
                return false;
        for (size_t i = 0; i < n->text.n; i++)
                if (n->text.p[i] != '_')
                        s[length++] = n->text.p[i];
        s[length] = 0;
        bool is_negative = s[0] == '-';
        const char *digits = s + (is_negative || s[0] == '+');
        uint64_t v;
        if (!*digits || !parse_digits(digits, &v))
                return parse_whole_float(s, ret);
        if (v > (uint64_t)INT64_MAX + is_negative)
                return false;
        *ret = is_negative ? (int64_t)(0 - v) : (int64_t)v;
        return true;
}
