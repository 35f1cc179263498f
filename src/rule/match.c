/* See match.h. */
#include "rule/match.h"

#include "base/map.h"
#include "rule/literals.h"
#include "rule/pathset.h"
#include "rule/regex.h"

#include <stdio.h>

#define SET_LEAST      5 /* from how many constants on a table is made instead of comparing with each */
#define LITERALS_LEAST 4 /* ... they are searched together */

struct matcher {
        enum operator_id op;
        enum quantifier quantifier;
        const struct value *constants;
        struct rule_regex **regexes;    /* of OP_REGEX, one a constant */
        struct pathset *paths;          /* of OP_PMATCH */
        struct rule_literals *literals; /* of anyof: all constants at once */
        uint32_t *table;                /* of equality: indexes + 1 by hash, open addressing */
        size_t table_size;
        size_t n;
        size_t scratch_size;
};

static unsigned char lower(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }

static bool contains_nocase(struct str text, struct str part)
{
        for (size_t at = 0; at + part.n <= text.n; at++)
                if (str_eq_nocase(str_span(text.p + at, part.n), part))
                        return true;
        return part.n == 0;
}

static bool contains(struct str text, struct str part)
{
        return part.n == 0 || (part.n <= text.n && memmem(text.p, text.n, part.p, part.n));
}

/* ---------------------------------------------------------------------------------------------------- glob ---- */

static bool in_named_class(struct str name, unsigned char c)
{
        bool is_lower = c >= 'a' && c <= 'z', is_upper = c >= 'A' && c <= 'Z', is_digit = c >= '0' && c <= '9';
        const struct {
                const char *name;
                bool in;
        } classes[] = {
                { "alpha", is_lower || is_upper },
                { "digit", is_digit },
                { "alnum", is_lower || is_upper || is_digit },
                { "lower", is_lower },
                { "upper", is_upper },
                { "space", c == ' ' || (c >= '\t' && c <= '\r') },
                { "blank", c == ' ' || c == '\t' },
                { "punct", c > ' ' && c < 0x7f && !is_lower && !is_upper && !is_digit },
                { "print", c >= ' ' && c < 0x7f },
                { "graph", c > ' ' && c < 0x7f },
                { "cntrl", c < ' ' || c == 0x7f },
                { "xdigit", is_digit || (lower((char)c) >= 'a' && lower((char)c) <= 'f') },
        };
        for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
                if (str_is(name, classes[i].name))
                        return classes[i].in;
        return false;
}

static bool same(char a, char b, bool any_case) { return a == b || (any_case && lower(a) == lower(b)); }

static bool in_range(unsigned char c, unsigned char from, unsigned char to, bool any_case)
{
        if (c >= from && c <= to)
                return true;
        if (!any_case)
                return false;
        unsigned char l = lower((char)c), u = (unsigned char)(l >= 'a' && l <= 'z' ? l - ('a' - 'A') : l);
        return (l >= from && l <= to) || (u >= from && u <= to);
}

/*
 * [...] at the start of the pattern: whether it holds c, and how long it is. Length 0: it is not closed, so that "["
 * stands for itself.
 */
static bool bracket(struct str pattern, char c, bool any_case, size_t *ret_n)
{
        size_t at = 1;
        bool negated = at < pattern.n && (pattern.p[at] == '!' || pattern.p[at] == '^'), found = false;
        at += negated;
        for (size_t first = at; at < pattern.n; at++) {
                char from = pattern.p[at];
                struct str rest = str_from(pattern, at);
                if (from == ']' && at > first) {
                        *ret_n = at + 1;
                        return found != negated;
                }
                ptrdiff_t end = str_starts(rest, STR("[:")) ? str_find(rest, STR(":]")) : -1;
                if (end >= 2) {
                        found |= in_named_class(str_from(str_upto(rest, (size_t)end), 2), (unsigned char)c);
                        at += (size_t)end + 1;
                        continue;
                }
                if (from == '\\' && at + 1 < pattern.n)
                        from = pattern.p[++at];
                char to = from;
                if (at + 2 < pattern.n && pattern.p[at + 1] == '-' && pattern.p[at + 2] != ']') {
                        at += 2;
                        if (pattern.p[at] == '\\' && at + 1 < pattern.n)
                                at++;
                        to = pattern.p[at];
                }
                found |= in_range((unsigned char)c, (unsigned char)from, (unsigned char)to, any_case);
        }
        *ret_n = 0;
        return false;
}

/* Whether the piece of the pattern at its start matches c, and how long the piece is. Not for '*'. */
static bool piece_matches(struct str pattern, char c, bool any_case, size_t *ret_n)
{
        *ret_n = 1;
        if (pattern.p[0] == '?')
                return true;
        if (pattern.p[0] == '[') {
                size_t n;
                bool in = bracket(pattern, c, any_case, &n);
                if (n > 0) {
                        *ret_n = n;
                        return in;
                }
        }
        if (pattern.p[0] == '\\' && pattern.n > 1) {
                *ret_n = 2;
                return same(pattern.p[1], c, any_case);
        }
        return same(pattern.p[0], c, any_case);
}

bool glob_match(struct str pattern, struct str text, bool any_case)
{
        size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0, n;
        while (t < text.n) {
                if (p < pattern.n && pattern.p[p] == '*') {
                        star = p++;
                        star_text = t;
                } else if (p < pattern.n && piece_matches(str_from(pattern, p), text.p[t], any_case, &n)) {
                        p += n;
                        t++;
                } else if (star != SIZE_MAX) {
                        p = star + 1; /* the last star takes one more */
                        t = ++star_text;
                } else {
                        return false;
                }
        }
        while (p < pattern.n && pattern.p[p] == '*')
                p++;
        return p == pattern.n;
}

/* -------------------------------------------------------------------------------------------------- values ---- */

static int compare(const struct value *a, const struct value *b)
{
        switch (a->type) {
        case VALUE_STRING:
        case VALUE_BYTES:
                return str_cmp(a->text, b->text);
        case VALUE_VERSION: {
                version_order *order = a->version.order ? a->version.order : b->version.order;
                return order ? order(a->version.text, b->version.text) : str_cmp(a->version.text, b->version.text);
        }
        default:
                return a->number < b->number ? -1 : a->number > b->number;
        }
}

static bool is_address(enum value_type t) { return t == VALUE_IP || t == VALUE_NET; }

static bool equal(const struct value *a, const struct value *b)
{
        if (is_address(a->type))
                return ip_in(&a->ip, &b->ip);
        if (a->type == VALUE_STRING || a->type == VALUE_BYTES)
                return str_eq(a->text, b->text);
        return compare(a, b) == 0;
}

static bool comparable(const struct value *a, const struct value *b)
{
        return a->type == b->type || (is_address(a->type) && is_address(b->type));
}

/* A number where a text is expected, and the other way round: what evt.rawarg can hold. */
static bool variant_equal(const struct value *a, const struct value *b)
{
        const struct value *number = a->type == VALUE_NUMBER ? a : b, *text = number == a ? b : a;
        struct value parsed;
        return number->type == VALUE_NUMBER && text->type == VALUE_STRING &&
               value_parse(VALUE_NUMBER, text->text, &parsed) && parsed.number == number->number;
}

bool values_match(enum operator_id op, const struct value *a, const struct value *b)
{
        if (!comparable(a, b)) {
                bool same_value = variant_equal(a, b);
                return op == OP_NE ? !same_value : (op == OP_EQ || op == OP_IN || op == OP_INTERSECTS) && same_value;
        }
        switch (op) {
        case OP_EQ:
        case OP_IN:
        case OP_INTERSECTS:
                return equal(a, b);
        case OP_NE:
                return !equal(a, b);
        case OP_LT:
                return compare(a, b) < 0;
        case OP_LE:
                return compare(a, b) <= 0;
        case OP_GT:
                return compare(a, b) > 0;
        case OP_GE:
                return compare(a, b) >= 0;
        case OP_CONTAINS:
        case OP_BCONTAINS:
                return contains(a->text, b->text);
        case OP_ICONTAINS:
                return contains_nocase(a->text, b->text);
        case OP_STARTSWITH:
        case OP_BSTARTSWITH:
                return str_starts(a->text, b->text);
        case OP_ENDSWITH:
                return str_ends(a->text, b->text);
        case OP_GLOB:
                return glob_match(b->text, a->text, false);
        case OP_IGLOB:
                return glob_match(b->text, a->text, true);
        case OP_PMATCH: /* of one path from another field */
                return a->text.n >= b->text.n && str_starts(a->text, b->text) &&
                       (a->text.n == b->text.n || str_ends(b->text, STR("/")) || a->text.p[b->text.n] == '/');
        default:
                return false;
        }
}

/* ------------------------------------------------------------------------------------------------ matchers ---- */

static bool hex_decode(struct arena *arena, struct str hex, struct str *ret)
{
        uint8_t *bytes = arena_alloc(arena, hex.n / 2 + 1);
        if (hex.n == 0 || hex.n % 2 || !str_hex(hex, hex.n / 2, bytes))
                return false;
        *ret = str_span(bytes, hex.n / 2);
        return true;
}

static bool has_table(const struct matcher *m)
{
        bool equality =
                m->op == OP_IN || m->op == OP_INTERSECTS || (m->op == OP_EQ && m->quantifier == QUANTIFIER_ANYOF);
        return equality && m->n >= SET_LEAST && !is_address(m->constants[0].type) &&
               m->constants[0].type != VALUE_VERSION;
}

static uint64_t hash_value(const struct value *v)
{
        if (v->type == VALUE_STRING || v->type == VALUE_BYTES)
                return hash_str(v->text);
        uint64_t h = (uint64_t)v->number * UINT64_C(0x9e3779b97f4a7c15);
        return h ^ h >> 29;
}

static void make_table(struct arena *arena, struct matcher *m)
{
        m->table_size = 16;
        while (m->table_size < m->n * 2)
                m->table_size *= 2;
        m->table = arena_array(arena, m->table_size, sizeof(*m->table));
        for (size_t i = 0; i < m->n; i++) {
                size_t at = hash_value(&m->constants[i]) & (m->table_size - 1);
                while (m->table[at] && !equal(&m->constants[m->table[at] - 1], &m->constants[i]))
                        at = (at + 1) & (m->table_size - 1);
                m->table[at] = (uint32_t)i + 1;
        }
}

static bool table_has(const struct matcher *m, const struct value *v)
{
        size_t at = hash_value(v) & (m->table_size - 1);
        for (; m->table[at]; at = (at + 1) & (m->table_size - 1))
                if (equal(v, &m->constants[m->table[at] - 1]))
                        return true;
        return false;
}

static bool make_regexes(struct arena *arena, struct matcher *m, char words[200], size_t *ret_which)
{
        m->regexes = arena_array(arena, m->n, sizeof(struct rule_regex *));
        for (size_t i = 0; i < m->n; i++) {
                char why[160];
                size_t at;
                m->regexes[i] = rule_regex_new(arena, m->constants[i].text, why, &at);
                *ret_which = i;
                if (!m->regexes[i]) {
                        snprintf(words, 200, "%s, at character %zu of the expression", why, at + 1);
                        return false;
                }
                m->scratch_size = MAX(m->scratch_size, rule_regex_scratch_size(m->regexes[i]));
        }
        return true;
}

static bool decode_constants(struct arena *arena, struct matcher *m, char words[200], size_t *ret_which)
{
        struct value *decoded = arena_array(arena, m->n, sizeof(*decoded));
        for (size_t i = 0; i < m->n; i++) {
                decoded[i] = m->constants[i];
                *ret_which = i;
                if (!hex_decode(arena, m->constants[i].text, &decoded[i].text)) {
                        snprintf(words, 200, "takes pairs of hexadecimal digits (CAFE), not \"%.*s\"",
                                 (int)MIN(m->constants[i].text.n, 60u), m->constants[i].text.p);
                        return false;
                }
        }
        m->constants = decoded;
        return true;
}

static void make_literals(struct arena *arena, struct matcher *m)
{
        static const struct {
                enum operator_id op;
                enum rule_literals_kind kind;
        } kinds[] = {
                { OP_CONTAINS, LITERALS_ANYWHERE },
                { OP_ICONTAINS, LITERALS_ANYWHERE_ANY_CASE },
                { OP_STARTSWITH, LITERALS_AT_START },
        };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (m->op == kinds[i].op && m->quantifier == QUANTIFIER_ANYOF && m->n >= LITERALS_LEAST)
                        m->literals = rule_literals_new(arena, m->constants, m->n, kinds[i].kind);
}

struct matcher *matcher_new(struct arena *arena, const struct operator* op, enum quantifier quantifier,
                            const struct value *constants, size_t n, char words[200], size_t *ret_which)
{
        struct matcher *m = arena_new(arena, struct matcher);
        m->op = op->id;
        m->quantifier = quantifier;
        m->constants = constants;
        m->n = n;
        *ret_which = 0;
        if (op->id == OP_REGEX)
                return make_regexes(arena, m, words, ret_which) ? m : NULL;
        if (op->id == OP_BCONTAINS || op->id == OP_BSTARTSWITH)
                return decode_constants(arena, m, words, ret_which) ? m : NULL;
        if (op->id == OP_PMATCH)
                m->paths = pathset_new(arena, constants, n);
        else if (has_table(m))
                make_table(arena, m);
        else
                make_literals(arena, m);
        return m;
}

size_t matcher_scratch_size(const struct matcher *m) { return m->scratch_size; }

static bool match_one(const struct matcher *m, size_t i, const struct value *v, void *scratch)
{
        if (m->op == OP_REGEX)
                return v->type == VALUE_STRING && rule_regex_match(m->regexes[i], v->text, scratch);
        return values_match(m->op, v, &m->constants[i]);
}

bool matcher_match(const struct matcher *m, const struct value *v, void *scratch)
{
        size_t matching = 0;
        if (m->paths)
                return v->type == VALUE_STRING && pathset_match(m->paths, v->text);
        if (m->table && v->type == m->constants[0].type)
                return table_has(m, v);
        if (m->literals && (v->type == VALUE_STRING || v->type == VALUE_BYTES))
                return rule_literals_match(m->literals, v->text);
        bool all = m->quantifier == QUANTIFIER_ALLOF, one = m->quantifier == QUANTIFIER_ONEOF;
        for (size_t i = 0; i < m->n; i++) {
                bool matches = match_one(m, i, v, scratch);
                matching += matches;
                if (!all && !one && matches)
                        return true;
                if (all && !matches)
                        return false;
        }
        return all ? m->n > 0 : one && matching == 1;
}
