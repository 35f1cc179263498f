/*
 * See syntax.h: the parser, by recursive descent without a separate lexer, because what a word is depends on where it
 * stands. Depth is bounded by RULE_DEPTH_MAX; the first mistake of a condition ends it.
 */
#include "rule/syntax.h"

#include "base/vec.h"
#include "fact/field.h"
#include "rule/rule.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct parser {
        struct arena *arena;
        struct str text;
        size_t at;
        unsigned depth;
        struct syntax_error *err;
};

VEC_TYPE(node_vec, struct node *);
VEC_TYPE(constant_vec, struct constant);
VEC_TYPE(term_vec, struct term *);

const char *const quantifier_names[] = { "", "anyof", "allof", "oneof", NULL };

static struct node *parse_any(struct parser *p);
static struct term *parse_term(struct parser *p);

_printf_(3, 4) static void *wrong(struct parser *p, size_t at, const char *fmt, ...)
{
        va_list ap;
        p->err->at = (uint32_t)at;
        va_start(ap, fmt);
        vsnprintf(p->err->words, sizeof(p->err->words), fmt, ap);
        va_end(ap);
        return NULL;
}

_printf_(2, 3) static void suggest(struct parser *p, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(p->err->suggestion, sizeof(p->err->suggestion), fmt, ap);
        va_end(ap);
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\b' || c == '\r' || c == '\n'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }
static bool is_bare(char c) { return !is_blank(c) && c != '\v' && c != '\f' && !strchr("()\"'=,", c) && c != '\0'; }

static char peek(const struct parser *p) { return p->at < p->text.n ? p->text.p[p->at] : '\0'; }

static bool skip_blanks(struct parser *p)
{
        size_t before = p->at;
        while (p->at < p->text.n && is_blank(p->text.p[p->at]))
                p->at++;
        return p->at > before;
}

static bool take(struct parser *p, char c)
{
        if (p->at >= p->text.n || p->text.p[p->at] != c)
                return false;
        p->at++;
        return true;
}

/* The word (letters, digits, underscores, the first one a letter) at `at`, or an empty one. Not consumed. */
static struct str word_at(const struct parser *p, size_t at)
{
        size_t end = at;
        if (end < p->text.n && is_letter(p->text.p[end]))
                while (end < p->text.n && is_word(p->text.p[end]))
                        end++;
        return str_span(p->text.p + at, end - at);
}

/* A word that stands alone: followed by a blank, a parenthesis or the end. */
static bool take_word(struct parser *p, const char *word)
{
        struct str s = word_at(p, p->at);
        if (!str_is(s, word))
                return false;
        p->at += s.n;
        return true;
}

/* What stands at a place, for messages: a word or a character. */
static struct str seen_at(const struct parser *p, size_t at)
{
        size_t end = at;
        while (end < p->text.n && end - at < 40 && is_bare(p->text.p[end]))
                end++;
        return end == at ? str_upto(str_from(p->text, at), 1) : str_span(p->text.p + at, end - at);
}

static void *expected(struct parser *p, const char *what)
{
        if (p->at >= p->text.n)
                return wrong(p, p->text.n, "the condition ends where %s is expected", what);
        struct str seen = seen_at(p, p->at);
        return wrong(p, p->at, "%s is expected, not \"%.*s\"", what, STR_FMT(seen));
}

bool is_identifier(struct str s)
{
        if (s.n == 0 || !is_letter(s.p[0]))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!is_word(s.p[i]))
                        return false;
        return true;
}

bool constant_is_bare(struct str text)
{
        for (size_t i = 0; i < text.n; i++)
                if (!is_bare(text.p[i]) || text.p[i] == '\\' || (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
                        return false;
        return text.n > 0;
}

/* One escape, p->at behind the backslash. False if there is no such escape. */
static bool unescape(struct parser *p, char quote, char *ret)
{
        static const char from[] = "bfnrt/\\ ", to[] = "\b\f\n\r\t/\\\\"; /* "\ " is a backslash in Falco, alas */
        char c = peek(p);
        const char *found = c ? strchr(from, c) : NULL;
        if (found) {
                *ret = to[found - from];
        } else if (c == quote) {
                *ret = c;
        } else if (c == 'x' && p->at + 2 < p->text.n && hex_digit(p->text.p[p->at + 1]) >= 0 &&
                   hex_digit(p->text.p[p->at + 2]) >= 0) {
                *ret = (char)(hex_digit(p->text.p[p->at + 1]) << 4 | hex_digit(p->text.p[p->at + 2]));
                p->at += 2;
        } else {
                return false;
        }
        p->at++;
        return true;
}

static bool parse_quoted(struct parser *p, struct str *ret)
{
        size_t start = p->at, end = start + 1, n = 0;
        char quote = p->text.p[p->at++];
        while (end < p->text.n && p->text.p[end] != quote)
                end += p->text.p[end] == '\\' ? 2 : 1;
        if (end >= p->text.n)
                return wrong(p, start, "the quote %c is not closed", quote) != NULL;
        char *s = arena_alloc(p->arena, end - start); /* unescaping never makes it longer */
        while (p->at < end) {
                size_t here = p->at;
                char c = p->text.p[p->at++];
                if (c == '\\' && !unescape(p, quote, &c)) {
                        suggest(p, "write \\\\ for a backslash; the others are \\b \\f \\n \\r \\t \\/ \\%c \\xHH",
                                quote);
                        return wrong(p, here, "the escape \"\\%c\" does not exist", peek(p) ? peek(p) : '?') != NULL;
                }
                s[n++] = c;
        }
        p->at = end + 1;
        *ret = str_span(s, n);
        return true;
}

/* False without words: there is no constant here. False with words: it is malformed. */
static bool parse_constant(struct parser *p, struct constant *ret)
{
        struct constant c = { .at = (uint32_t)p->at };
        if (peek(p) == '"' || peek(p) == '\'') {
                c.is_quoted = true;
                if (!parse_quoted(p, &c.text))
                        return false;
        } else {
                size_t start = p->at;
                while (p->at < p->text.n && is_bare(p->text.p[p->at]))
                        p->at++;
                if (p->at == start)
                        return false;
                c.text = arena_str(p->arena, str_span(p->text.p + start, p->at - start));
        }
        *ret = c;
        return true;
}

static bool finish_constants(struct parser *p, struct constant_vec *v, struct constant **ret, size_t *ret_n)
{
        *ret = arena_array(p->arena, v->n, sizeof(**ret));
        if (v->n > 0)
                memcpy(*ret, v->v, v->n * sizeof(**ret));
        *ret_n = v->n;
        return true;
}

/* Constants with commas between them. */
static bool parse_constants(struct parser *p, struct constant **ret, size_t *ret_n)
{
        _cleanup_(freep) void *memory = NULL;
        struct constant_vec v = { 0 };
        do {
                skip_blanks(p);
                struct constant *c = vec_push(&v);
                memory = v.v;
                if (!parse_constant(p, c))
                        return p->err->words[0] ? false : expected(p, "a value") != NULL;
                skip_blanks(p);
        } while (take(p, ','));
        return finish_constants(p, &v, ret, ret_n);
}

/* Behind "(": constants and ")". */
static bool parse_list(struct parser *p, struct node *check)
{
        skip_blanks(p);
        if (take(p, ')')) {
                check->is_empty_list = true;
                return true;
        }
        if (!parse_constants(p, &check->constants, &check->n_constants))
                return false;
        return take(p, ')') || expected(p, "\",\" or \")\" in the list") != NULL;
}

/* The end of a field's name at p->at, or p->at if there is none: words with dots between them, two at least. */
static size_t field_end(const struct parser *p)
{
        size_t end = p->at, words = 0;
        for (size_t at = p->at;;) {
                struct str word = word_at(p, at);
                if (word.n == 0)
                        break;
                end = at + word.n;
                words++;
                if (end >= p->text.n || p->text.p[end] != '.')
                        break;
                at = end + 1;
        }
        return words > 1 ? end : p->at;
}

static struct term *new_term(struct parser *p, enum term_kind kind)
{
        struct term *t = arena_new(p->arena, struct term);
        t->kind = kind;
        t->at = (uint32_t)p->at;
        return t;
}

static struct term *parse_field(struct parser *p, size_t end)
{
        struct term *t = new_term(p, TERM_FIELD);
        t->name = arena_str(p->arena, str_span(p->text.p + p->at, end - p->at));
        p->at = end;
        if (!take(p, '['))
                return t;
        t->has_argument = true;
        if (peek(p) == '"' || peek(p) == '\'') {
                if (!parse_quoted(p, &t->argument))
                        return NULL;
        } else {
                size_t start = p->at;
                while (p->at < p->text.n && !is_blank(p->text.p[p->at]) && !strchr("[]\"'", p->text.p[p->at]))
                        p->at++;
                if (p->at == start)
                        return expected(p, "the argument of the field");
                t->argument = arena_str(p->arena, str_span(p->text.p + start, p->at - start));
        }
        return take(p, ']') ? t : expected(p, "\"]\"");
}

static struct term *parse_call(struct parser *p, const struct transformer *call)
{
        _cleanup_(freep) void *memory = NULL;
        struct term_vec v = { 0 };
        struct term *t = new_term(p, TERM_CALL);
        t->call = call;
        p->at += strlen(call->name) + 1;
        do {
                skip_blanks(p);
                struct term *argument = parse_term(p);
                if (!argument)
                        return NULL;
                *vec_push(&v) = argument;
                memory = v.v;
                skip_blanks(p);
        } while (take(p, ','));
        if (!take(p, ')'))
                return expected(p, "\")\" behind the transformer's argument");
        if (v.n < call->least || v.n > call->most)
                return wrong(p, t->at, "%s takes %s", call->name, call->arguments);
        t->arguments = arena_array(p->arena, v.n, sizeof(*t->arguments));
        memcpy(t->arguments, v.v, v.n * sizeof(*t->arguments));
        t->n_arguments = v.n;
        return t;
}

/* The transformer whose name and parenthesis stand here, or NULL. */
static const struct transformer *call_here(const struct parser *p)
{
        struct str word = word_at(p, p->at);
        size_t end = p->at + word.n;
        return word.n > 0 && end < p->text.n && p->text.p[end] == '(' ? transformer_find(word) : NULL;
}

static bool go_deeper(struct parser *p)
{
        if (++p->depth <= RULE_DEPTH_MAX)
                return true;
        suggest(p, "put parts of it into macros");
        return wrong(p, p->at, "the condition nests deeper than %u", RULE_DEPTH_MAX) != NULL;
}

/* A term inside a transformer: a field, another transformer, or a quoted text. */
static struct term *parse_term(struct parser *p)
{
        size_t end = field_end(p);
        const struct transformer *call = call_here(p);
        struct term *t;
        if (!go_deeper(p))
                return NULL;
        if (end > p->at) {
                t = parse_field(p, end);
        } else if (call) {
                t = parse_call(p, call);
        } else if (peek(p) == '"' || peek(p) == '\'') {
                t = new_term(p, TERM_CONSTANT);
                if (!parse_quoted(p, &t->name))
                        t = NULL;
        } else {
                t = expected(p, "a field or a transformer");
        }
        p->depth--;
        return t;
}

static const struct operator* parse_operator(struct parser *p)
{
        static const char *const signs[] = { "<=", "<", ">=", ">", "==", "=", "!=" };
        struct str rest = str_from(p->text, p->at), word = word_at(p, p->at);
        for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
                if (str_starts(rest, str_of(signs[i]))) {
                        p->at += strlen(signs[i]);
                        return operator_find(str_of(signs[i]));
                }
        const struct operator* op = operator_find(word);
        if (op) {
                p->at += word.n;
                return op;
        }
        if (word.n == 0)
                return expected(p, "an operator (=, in, contains, exists...)");
        const char *near = words_nearest(word, operator_words);
        if (near)
                suggest(p, "did you mean %s?", near);
        return wrong(p, p->at, "unknown operator \"%.*s\"", STR_FMT(word));
}

static enum quantifier take_quantifier(struct parser *p)
{
        size_t before = p->at;
        for (int q = QUANTIFIER_ANYOF; q <= QUANTIFIER_ONEOF; q++) {
                if (!take_word(p, quantifier_names[q]))
                        continue;
                skip_blanks(p);
                if (peek(p) == '(')
                        return (enum quantifier)q;
                p->at = before; /* a value of that name */
        }
        return QUANTIFIER_NONE;
}

static bool parse_right_set(struct parser *p, struct node *check)
{
        if (take(p, '('))
                return parse_list(p, check);
        struct str word = word_at(p, p->at);
        if (word.n == 0)
                return expected(p, "a list in parentheses") != NULL;
        check->constants = arena_new(p->arena, struct constant);
        *check->constants = (struct constant){ arena_str(p->arena, word), (uint32_t)p->at, false };
        check->n_constants = 1;
        p->at += word.n;
        return true;
}

static bool parse_right(struct parser *p, struct node *check)
{
        const struct transformer *call = call_here(p);
        if (call) {
                check->right = parse_call(p, call);
                return check->right != NULL;
        }
        if (check->op->right == RIGHT_SET)
                return parse_right_set(p, check);
        check->quantifier = take_quantifier(p);
        if (check->quantifier != QUANTIFIER_NONE) {
                p->at++;
                return parse_list(p, check);
        }
        if (peek(p) == '(') {
                suggest(p, "write %s anyof (...)", check->op->name);
                return wrong(p, p->at, "%s takes one value, not a list", check->op->name) != NULL;
        }
        check->constants = arena_new(p->arena, struct constant);
        check->n_constants = 1;
        if (parse_constant(p, check->constants))
                return true;
        return p->err->words[0] ? false : expected(p, "a value") != NULL;
}

static struct node *new_node(struct parser *p, enum node_kind kind, size_t at)
{
        struct node *n = arena_new(p->arena, struct node);
        n->kind = kind;
        n->at = (uint32_t)at;
        return n;
}

static struct node *parse_comparison(struct parser *p, struct term *left, size_t at)
{
        struct node *check = new_node(p, NODE_CHECK, at);
        check->left = left;
        skip_blanks(p);
        check->op = parse_operator(p);
        if (!check->op)
                return NULL;
        if (check->op->right == RIGHT_NOTHING)
                return check;
        bool is_sign = !is_letter(check->op->name[0]);
        if (!skip_blanks(p) && !is_sign && peek(p) != '(')
                return expected(p, "a blank behind the operator");
        return parse_right(p, check) ? check : NULL;
}

static struct node *parse_in_parentheses(struct parser *p)
{
        struct node *n = parse_any(p);
        skip_blanks(p);
        return !n || take(p, ')') ? n : expected(p, "\"and\", \"or\" or \")\"");
}

static struct node *parse_check(struct parser *p)
{
        size_t at = p->at, end = field_end(p);
        if (take(p, '('))
                return parse_in_parentheses(p);
        const struct transformer *call = call_here(p);
        if (end > p->at || call) {
                struct term *left = call ? parse_call(p, call) : parse_field(p, end);
                return left ? parse_comparison(p, left, at) : NULL;
        }
        struct str word = word_at(p, p->at);
        if (word.n == 0)
                return expected(p, "a field, a macro, \"not\" or \"(\"");
        if (at + word.n < p->text.n && p->text.p[at + word.n] == '(') {
                const char *near = words_nearest(word, transformer_words);
                if (near)
                        suggest(p, "did you mean %s()?", near);
                return wrong(p, at, "unknown transformer \"%.*s\"", STR_FMT(word));
        }
        struct node *n = new_node(p, NODE_NAME, at);
        n->name = arena_str(p->arena, word);
        p->at += word.n;
        return n;
}

static struct node *parse_not(struct parser *p)
{
        bool negated = false;
        skip_blanks(p);
        size_t at = p->at;
        for (;;) {
                struct str word = word_at(p, p->at);
                char next = p->at + word.n < p->text.n ? p->text.p[p->at + word.n] : '\0';
                if (!str_is(word, "not") || (!is_blank(next) && next != '('))
                        break;
                negated = !negated;
                p->at += word.n;
                skip_blanks(p);
        }
        struct node *child = parse_check(p);
        if (!child || !negated)
                return child;
        struct node *n = new_node(p, NODE_NOT, at);
        n->children = arena_new(p->arena, struct node *);
        n->children[0] = child;
        n->n_children = 1;
        return n;
}

/* Parts of one kind with the same word between them; one part alone is itself. */
static struct node *parse_parts(struct parser *p, enum node_kind kind, const char *word,
                                struct node *(*parse_part)(struct parser *))
{
        _cleanup_(freep) void *memory = NULL;
        struct node_vec v = { 0 };
        skip_blanks(p);
        size_t at = p->at;
        do {
                struct node *part = parse_part(p);
                if (!part)
                        return NULL;
                *vec_push(&v) = part;
                memory = v.v;
                skip_blanks(p);
        } while (take_word(p, word));
        if (v.n == 1)
                return v.v[0];
        struct node *n = new_node(p, kind, at);
        n->children = arena_array(p->arena, v.n, sizeof(*n->children));
        memcpy(n->children, v.v, v.n * sizeof(*n->children));
        n->n_children = v.n;
        return n;
}

static struct node *parse_all(struct parser *p) { return parse_parts(p, NODE_ALL, "and", parse_not); }

static struct node *parse_any(struct parser *p)
{
        if (!go_deeper(p))
                return NULL;
        struct node *n = parse_parts(p, NODE_ANY, "or", parse_all);
        p->depth--;
        return n;
}

int condition_parse(struct arena *arena, struct str text, struct node **ret, struct syntax_error *err)
{
        struct parser p = { arena, text, 0, 0, err };
        *err = (struct syntax_error){ 0 };
        struct node *n = NULL;
        if (text.n > RULE_CONDITION_BYTES_MAX)
                wrong(&p, 0, "the condition is longer than %u bytes", RULE_CONDITION_BYTES_MAX);
        else if (text.n > 0 && memchr(text.p, '\0', text.n))
                wrong(&p, 0, "the condition holds a NUL");
        else
                n = parse_any(&p);
        if (n && p.at < text.n)
                n = expected(&p, "\"and\" or \"or\"");
        if (!n)
                return -EINVAL;
        *ret = n;
        return 0;
}

int constants_parse(struct arena *arena, struct str text, struct constant **ret, size_t *ret_n,
                    struct syntax_error *err)
{
        struct parser p = { arena, text, 0, 0, err };
        *err = (struct syntax_error){ 0 };
        if (!parse_constants(&p, ret, ret_n))
                return -EINVAL;
        if (p.at < text.n) {
                suggest(&p, "put it into quotes within quotes: '\"...\"'");
                expected(&p, "a comma or the end of the item");
                return -EINVAL;
        }
        return 0;
}
