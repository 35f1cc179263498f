/* See regex-private.h: a POSIX extended regular expression to a tree. */
#include "rule/regex-private.h"

#include "base/utf8.h"
#include "base/vec.h"

#include <limits.h>
#include <stdio.h>

struct reader {
        struct arena *arena;
        struct str pattern;
        size_t at;
        unsigned depth;
        char *words;
};

VEC_TYPE(range_vec, struct range);
VEC_TYPE(regex_vec, struct regex_node *);

static struct regex_node *read_any(struct reader *r);

static void *wrong(struct reader *r, size_t at, const char *words)
{
        r->at = at;
        snprintf(r->words, 160, "%s", words);
        return NULL;
}

static struct regex_node *new_node(struct reader *r, enum regex_kind kind)
{
        struct regex_node *n = arena_new(r->arena, struct regex_node);
        n->kind = kind;
        return n;
}

static struct regex_node *with_children(struct reader *r, enum regex_kind kind, const struct regex_vec *v)
{
        if (v->n == 1)
                return v->v[0];
        struct regex_node *n = new_node(r, v->n == 0 ? REGEX_EMPTY : kind);
        n->children = arena_array(r->arena, v->n, sizeof(*n->children));
        if (v->n > 0)
                memcpy(n->children, v->v, v->n * sizeof(*n->children));
        n->n = v->n;
        return n;
}

static bool more(const struct reader *r) { return r->at < r->pattern.n; }
static char peek(const struct reader *r) { return more(r) ? r->pattern.p[r->at] : '\0'; }

static bool take(struct reader *r, char c)
{
        if (!more(r) || r->pattern.p[r->at] != c)
                return false;
        r->at++;
        return true;
}

/* The next code point; false if the pattern is no UTF-8 there. */
static bool read_code_point(struct reader *r, uint32_t *ret)
{
        size_t n = utf8_decode(str_from(r->pattern, r->at), ret);
        r->at += n;
        return n > 0 || wrong(r, r->at, "the pattern is not UTF-8");
}

static int compare_ranges(const void *a, const void *b)
{
        const struct range *x = a, *y = b;
        return x->low < y->low ? -1 : x->low > y->low;
}

/* Sorts and joins ranges, turns them round if negated, and makes a class of them. The vector is freed. */
static struct regex_node *finish_class(struct reader *r, struct range_vec *v, bool negated)
{
        struct range_vec joined = { 0 };
        if (v->n > 0)
                qsort(v->v, v->n, sizeof(*v->v), compare_ranges);
        for (size_t i = 0; i < v->n; i++) {
                if (joined.n > 0 && v->v[i].low <= joined.v[joined.n - 1].high + 1)
                        joined.v[joined.n - 1].high = MAX(joined.v[joined.n - 1].high, v->v[i].high);
                else
                        *vec_push(&joined) = v->v[i];
        }
        struct regex_node *n = new_node(r, REGEX_CLASS);
        struct range *ranges = arena_array(r->arena, joined.n + 1, sizeof(*ranges));
        if (negated) {
                uint32_t next = 0;
                for (size_t i = 0; i < joined.n; next = joined.v[i++].high + 1)
                        if (joined.v[i].low > next)
                                ranges[n->n_ranges++] = (struct range){ next, joined.v[i].low - 1 };
                if (next <= CODE_POINT_MAX)
                        ranges[n->n_ranges++] = (struct range){ next, CODE_POINT_MAX };
        } else {
                for (size_t i = 0; i < joined.n; i++)
                        ranges[n->n_ranges++] = joined.v[i];
        }
        n->ranges = ranges;
        vec_done(v);
        vec_done(&joined);
        return n;
}

static const struct {
        const char *name;
        struct range ranges[4];
        size_t n;
} named[] = {
        { "alnum", { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' } }, 3 },
        { "alpha", { { 'A', 'Z' }, { 'a', 'z' } }, 2 },
        { "ascii", { { 0, 0x7f } }, 1 },
        { "blank", { { '\t', '\t' }, { ' ', ' ' } }, 2 },
        { "cntrl", { { 0, 0x1f }, { 0x7f, 0x7f } }, 2 },
        { "digit", { { '0', '9' } }, 1 },
        { "graph", { { '!', '~' } }, 1 },
        { "lower", { { 'a', 'z' } }, 1 },
        { "print", { { ' ', '~' } }, 1 },
        { "punct", { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } }, 4 },
        { "space", { { '\t', '\r' }, { ' ', ' ' } }, 2 },
        { "upper", { { 'A', 'Z' } }, 1 },
        { "word", { { '0', '9' }, { 'A', 'Z' }, { '_', '_' }, { 'a', 'z' } }, 4 },
        { "xdigit", { { '0', '9' }, { 'A', 'F' }, { 'a', 'f' } }, 3 },
};

static bool add_named(struct range_vec *v, struct str name, bool negated)
{
        for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
                if (!str_is(name, named[i].name))
                        continue;
                uint32_t next = 0;
                for (size_t j = 0; j < named[i].n; next = named[i].ranges[j++].high + 1) {
                        if (!negated)
                                *vec_push(v) = named[i].ranges[j];
                        else if (named[i].ranges[j].low > next)
                                *vec_push(v) = (struct range){ next, named[i].ranges[j].low - 1 };
                }
                if (negated)
                        *vec_push(v) = (struct range){ next, CODE_POINT_MAX };
                return true;
        }
        return false;
}

/* \d \w \s and their opposites at r->at (behind the backslash); adds and consumes. */
static bool take_letter_class(struct reader *r, struct range_vec *v)
{
        static const char letters[] = "dwsDWS";
        static const char *const names[] = { "digit", "word", "space" };
        const char *found = peek(r) ? strchr(letters, peek(r)) : NULL;
        if (!found)
                return false;
        r->at++;
        return add_named(v, str_of(names[(found - letters) % 3]), found - letters >= 3);
}

/* A character behind a backslash. */
static bool read_escape(struct reader *r, uint32_t *ret)
{
        static const char from[] = "afnrtv", to[] = "\a\f\n\r\t\v";
        char c = peek(r);
        const char *found = c ? strchr(from, c) : NULL;
        if (found) {
                *ret = (unsigned char)to[found - from];
                r->at++;
                return true;
        }
        if (c == 'x') {
                uint8_t byte;
                if (!str_hex(str_upto(str_from(r->pattern, r->at + 1), 2), 1, &byte))
                        return wrong(r, r->at - 1, "\\x takes two hexadecimal digits") != NULL;
                *ret = byte;
                r->at += 3;
                return true;
        }
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!more(r) || is_word)
                return wrong(r, r->at - 1, "the escape does not exist in POSIX extended expressions") != NULL;
        return read_code_point(r, ret);
}

static bool read_class_character(struct reader *r, uint32_t *ret)
{
        return take(r, '\\') ? read_escape(r, ret) : read_code_point(r, ret);
}

/* [:name:] or \d at r->at: 1 taken, 0 there is none, -1 unknown. */
static int take_class_name(struct reader *r, struct range_vec *v)
{
        struct str rest = str_from(r->pattern, r->at);
        if (str_starts(rest, STR("[:"))) {
                ptrdiff_t end = str_find(rest, STR(":]"));
                if (end < 0)
                        return 0;
                struct str name = str_from(str_upto(rest, (size_t)end), 2);
                bool negated = str_starts(name, STR("^"));
                if (!add_named(v, str_from(name, negated), negated))
                        return wrong(r, r->at, "unknown character class") ? 0 : -1;
                r->at += (size_t)end + 2;
                return 1;
        }
        if (peek(r) != '\\')
                return 0;
        r->at++;
        if (take_letter_class(r, v))
                return 1;
        r->at--;
        return 0;
}

/* Behind "[". */
static struct regex_node *read_class(struct reader *r)
{
        size_t start = r->at - 1;
        struct range_vec v = { 0 };
        bool negated = take(r, '^'), is_first = true;
        while (more(r) && (peek(r) != ']' || is_first)) {
                struct range range;
                size_t at = r->at;
                int taken = take_class_name(r, &v);
                is_first = false;
                if (taken > 0)
                        continue;
                if (taken < 0 || !read_class_character(r, &range.low))
                        goto fail;
                range.high = range.low;
                if (peek(r) == '-' && r->at + 1 < r->pattern.n && r->pattern.p[r->at + 1] != ']') {
                        r->at++;
                        if (!read_class_character(r, &range.high))
                                goto fail;
                        if (range.high < range.low) {
                                wrong(r, at, "the range is the wrong way round");
                                goto fail;
                        }
                }
                *vec_push(&v) = range;
        }
        if (take(r, ']'))
                return finish_class(r, &v, negated);
        wrong(r, start, "the [ is not closed");
fail:
        vec_done(&v);
        return NULL;
}

static struct regex_node *one_range(struct reader *r, uint32_t low, uint32_t high, bool negated)
{
        struct range_vec v = { 0 };
        *vec_push(&v) = (struct range){ low, high };
        return finish_class(r, &v, negated);
}

static struct regex_node *read_group(struct reader *r)
{
        size_t start = r->at - 1;
        if (++r->depth > REGEX_DEPTH_MAX)
                return wrong(r, start, "the parentheses nest too deeply");
        if (str_starts(str_from(r->pattern, r->at), STR("?:")))
                r->at += 2;
        struct regex_node *n = read_any(r);
        r->depth--;
        if (n && !take(r, ')'))
                return wrong(r, start, "the ( is not closed");
        return n;
}

static struct regex_node *read_atom(struct reader *r)
{
        size_t start = r->at;
        uint32_t c;
        if (take(r, '('))
                return read_group(r);
        if (take(r, '['))
                return read_class(r);
        if (take(r, '.'))
                return one_range(r, '\n', '\n', true);
        if (take(r, '^'))
                return new_node(r, REGEX_LINE_START);
        if (take(r, '$'))
                return new_node(r, REGEX_LINE_END);
        if (peek(r) == '*' || peek(r) == '+' || peek(r) == '?')
                return wrong(r, start, "there is nothing to repeat");
        if (take(r, '\\')) {
                struct range_vec v = { 0 };
                if (take_letter_class(r, &v))
                        return finish_class(r, &v, false);
                return read_escape(r, &c) ? one_range(r, c, c, false) : NULL;
        }
        return read_code_point(r, &c) ? one_range(r, c, c, false) : NULL;
}

/* {n}, {n,} or {n,m} at r->at; anything else in braces is text, as in RE2. */
static bool take_count(struct reader *r, unsigned *ret_least, unsigned *ret_most)
{
        struct str rest = str_from(r->pattern, r->at);
        ptrdiff_t end = str_find_char(rest, '}');
        if (!str_starts(rest, STR("{")) || end < 0)
                return false;
        struct str inside = str_from(str_upto(rest, (size_t)end), 1), least = str_cut(&inside, ',');
        uint64_t n, m;
        if (!str_u64(least, &n))
                return false;
        m = n;
        if (inside.p && inside.n == 0)
                m = UINT_MAX;
        else if (inside.p && !str_u64(inside, &m))
                return false;
        *ret_least = (unsigned)MIN(n, UINT_MAX);
        *ret_most = (unsigned)MIN(m, UINT_MAX);
        r->at += (size_t)end + 1;
        return true;
}

static bool take_repeat(struct reader *r, unsigned *ret_least, unsigned *ret_most)
{
        char c = peek(r);
        if (c != '*' && c != '+' && c != '?')
                return take_count(r, ret_least, ret_most);
        r->at++;
        *ret_least = c == '+';
        *ret_most = c == '?' ? 1 : UINT_MAX;
        return true;
}

static struct regex_node *read_repeated(struct reader *r)
{
        size_t start = r->at;
        struct regex_node *n = read_atom(r);
        unsigned least, most, layers = 0;
        while (n && take_repeat(r, &least, &most)) {
                if (least > REGEX_REPEAT_MAX || (most != UINT_MAX && most > REGEX_REPEAT_MAX) || least > most)
                        return wrong(r, start, "the repetition is out of range (at most 1000)");
                if (++layers > REGEX_DEPTH_MAX)
                        return wrong(r, start, "there are too many repetitions of one thing");
                struct regex_node *repeat = new_node(r, REGEX_REPEAT);
                repeat->children = arena_new(r->arena, struct regex_node *);
                repeat->children[0] = n;
                repeat->n = 1;
                repeat->least = least;
                repeat->most = most;
                n = repeat;
        }
        return n;
}

static struct regex_node *read_all(struct reader *r)
{
        struct regex_vec v = { 0 };
        struct regex_node *n = NULL;
        while (more(r) && peek(r) != '|' && (peek(r) != ')' || r->depth == 0)) {
                if (peek(r) == ')') {
                        wrong(r, r->at, "the ) was not opened");
                        goto out;
                }
                struct regex_node *part = read_repeated(r);
                if (!part)
                        goto out;
                *vec_push(&v) = part;
        }
        n = with_children(r, REGEX_ALL, &v);
out:
        vec_done(&v);
        return n;
}

static struct regex_node *read_any(struct reader *r)
{
        struct regex_vec v = { 0 };
        struct regex_node *n = NULL;
        do {
                struct regex_node *part = read_all(r);
                if (!part)
                        goto out;
                *vec_push(&v) = part;
        } while (take(r, '|'));
        n = with_children(r, REGEX_ANY, &v);
out:
        vec_done(&v);
        return n;
}

struct regex_node *rule_regex_parse(struct arena *arena, struct str pattern, char words[160], size_t *ret_at)
{
        struct reader r = { arena, pattern, 0, 0, words };
        words[0] = '\0';
        struct regex_node *n = read_any(&r);
        *ret_at = r.at;
        return n;
}
