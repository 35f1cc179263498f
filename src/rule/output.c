/* See output.h. */
#include "rule/output.h"

#include "rule/compile.h"

#include <stdio.h>

#define OUTPUT_PARTS_MAX 1000u
#define OUTPUT_WIDTH_MAX 1000u
#define FIELD_NAME_MAX   200u

VEC_TYPE(part_vec, struct output_part);

struct template
{
        struct compiler *c;
        struct str text;
        size_t at;
        unsigned stages;
        struct piece_vec pieces; /* one: the template itself, for places */
        struct part_vec parts;
        bool failed;
};

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

/* Words with dots between them from `at`; of a key also - and /, which stand in labels. */
static size_t name_end(struct str text, size_t at)
{
        while (at < text.n && is_word(text.p[at])) {
                while (at < text.n && is_word(text.p[at]))
                        at++;
                if (at + 1 < text.n && text.p[at] == '.' && is_letter(text.p[at + 1]))
                        at++;
        }
        return at;
}

/*
 * The longest start of text that is a field's name, as Falco finds it ("%proc.name." and "%proc.names" both begin with
 * one). 0 if there is none.
 */
static size_t longest_field(struct str text)
{
        struct str rest;
        for (size_t n = MIN(name_end(text, 0), FIELD_NAME_MAX); n > 0; n--) {
                if (text.p[n - 1] == '.' || !field_find(str_upto(text, n), &rest))
                        continue;
                return n;
        }
        return 0;
}

/* The end of a %field or %transformer(...) at `at`; `at` itself if there is none. */
static size_t placeholder_end(struct str text, size_t at)
{
        size_t word = at;
        while (word < text.n && is_word(text.p[word]))
                word++;
        if (word < text.n && text.p[word] == '(' && transformer_find(str_span(text.p + at, word - at))) {
                int depth = 0;
                for (size_t end = word; end < text.n; end++) {
                        depth += text.p[end] == '(' ? 1 : text.p[end] == ')' ? -1 : 0;
                        if (depth == 0)
                                return end + 1;
                }
                return text.n;
        }
        size_t end = at + longest_field(str_from(text, at));
        if (end > at && end < text.n && text.p[end] == '[') {
                ptrdiff_t close = str_find_char(str_from(text, end), ']');
                end = close < 0 ? end : end + (size_t)close + 1;
        }
        return end;
}

/* The expression of a placeholder, parsed as the left side of a comparison is. */
static const struct expr *read_placeholder(struct template *t, struct str text, size_t at)
{
        struct syntax_error err;
        struct node *node;
        struct compiler *c = t->c;
        struct str condition = arena_printf(c->arena, "%.*s exists", STR_FMT(text));
        if (condition_parse(c->arena, condition, &node, &err) < 0 || node->kind != NODE_CHECK) {
                compile_problem(c, PROBLEM_ERROR, "bad-output", (uint32_t)at, "", "in the output: %s", err.words);
                return NULL;
        }
        struct piece_vec one = { 0 };
        *vec_push(&one) =
                (struct piece){ .kind = PIECE_MADE, .text = text, .place = pieces_place(c->pieces, (uint32_t)at) };
        const struct piece_vec *saved = c->pieces;
        c->pieces = &one;
        const struct expr *e = compile_term(c, node->left);
        if (e && (e->stages & t->stages) != t->stages) {
                compile_problem(c, PROBLEM_ERROR, "wrong-stage", 0, "sekisho rule fields STAGE lists what there is",
                                "%.*s in the output does not exist at every stage of the rule",
                                STR_FMT(str_upto(e->text, 100)));
                e = NULL;
        }
        c->pieces = saved;
        vec_done(&one);
        return e;
}

static void add_part(struct template *t, struct str text, const struct expr *e, uint32_t width)
{
        if (t->parts.n < OUTPUT_PARTS_MAX) {
                *vec_push(&t->parts) = (struct output_part){ text, e, width };
        } else if (!t->failed) {
                t->failed = true;
                compile_problem(t->c, PROBLEM_ERROR, "too-large", 0, "", "the output has more than %u parts",
                                OUTPUT_PARTS_MAX);
        }
}

static void unknown_placeholder(struct template *t, size_t at, size_t percent)
{
        size_t end = name_end(t->text, at);
        struct str name = str_upto(str_span(t->text.p + at, end - at), 100);
        const char *near = field_nearest(name, 0);
        char suggestion[160] = "write %% for a percent sign";
        if (near)
                snprintf(suggestion, sizeof(suggestion), "did you mean %%%s?", near);
        t->c->has_unknown = true;
        compile_problem(t->c, t->c->unknown, "unknown-field", (uint32_t)percent, suggestion,
                        "unknown field %%%.*s in the output", STR_FMT(name));
}

/* What stands behind a percent sign; `before` is the text since the last one. */
static void read_percent(struct template *t, struct str before)
{
        uint32_t width = 0;
        size_t percent = t->at - 1;
        if (t->at < t->text.n && t->text.p[t->at] == '%') {
                add_part(t, str_span(before.p, before.n + 1), NULL, 0);
                t->at++;
                return;
        }
        while (t->at < t->text.n && t->text.p[t->at] >= '0' && t->text.p[t->at] <= '9' && width < OUTPUT_WIDTH_MAX)
                width = width * 10 + (uint32_t)(t->text.p[t->at++] - '0');
        size_t start = t->at, end = placeholder_end(t->text, start);
        if (end == start) {
                unknown_placeholder(t, start, percent);
                return;
        }
        t->at = end;
        const struct expr *e = read_placeholder(t, str_span(t->text.p + start, end - start), start);
        if (e)
                add_part(t, before, e, MIN(width, OUTPUT_WIDTH_MAX));
}

/* %container.info written out, wherever it stands. */
static struct str expand(struct arena *arena, struct str text)
{
        static const struct str what = { "%container.info", 15 };
        _cleanup_(buf_done) struct buf b = BUF_INIT(8 * RULE_OUTPUT_BYTES_MAX);
        ptrdiff_t at = str_find(text, what);
        if (at < 0)
                return text;
        for (; at >= 0; at = str_find(text, what)) {
                buf_add_str(&b, str_upto(text, (size_t)at));
                buf_puts(&b, "container_id=%container.id container_name=%container.name");
                text = str_from(text, (size_t)at + what.n);
        }
        buf_add_str(&b, text);
        return arena_str(arena, buf_str(&b));
}

struct output_template *output_compile(struct compiler *c, struct str text, unsigned stages,
                                       const struct source_file *file, const struct yaml_node *node,
                                       struct place rule_place)
{
        struct template t = { .c = c,
                              .text = text.n > RULE_OUTPUT_BYTES_MAX ? text : expand(c->arena, text),
                              .stages = stages };
        const struct piece_vec *saved = c->pieces;
        bool is_whole = node && t.text.p == text.p;
        *vec_push(&t.pieces) = (struct piece){
                is_whole ? PIECE_SCALAR : PIECE_MADE, text, node ? node_place(file, node) : rule_place, file, node, 0
        };
        c->pieces = &t.pieces;
        if (text.n > RULE_OUTPUT_BYTES_MAX) {
                compile_problem(c, PROBLEM_ERROR, "too-large", 0, "", "the output is longer than %u bytes",
                                RULE_OUTPUT_BYTES_MAX);
                t.text = STR_NONE;
        }
        size_t start = t.text.n > 0 && t.text.p[0] == '*';
        for (t.at = start; t.at < t.text.n;) {
                if (t.text.p[t.at++] != '%')
                        continue;
                size_t before = t.at - 1;
                read_percent(&t, str_span(t.text.p + start, before - start));
                start = t.at;
        }
        if (start < t.text.n)
                add_part(&t, str_from(t.text, start), NULL, 0);
        struct output_template *o = arena_new(c->arena, struct output_template);
        struct output_part *parts = arena_array(c->arena, t.parts.n, sizeof(*parts));
        if (t.parts.n > 0)
                memcpy(parts, t.parts.v, t.parts.n * sizeof(*parts));
        o->parts = parts;
        o->n = t.parts.n;
        vec_done(&t.parts);
        vec_done(&t.pieces);
        c->pieces = saved;
        return o;
}
