/* See library.h: names, and places inside of YAML scalars. */
#include "rule/library.h"

#include <stdlib.h>

void library_done(struct library *l)
{
        for (size_t i = 0; i < l->lists.n; i++)
                vec_done(&l->lists.v[i]->items);
        for (size_t i = 0; i < l->macros.n; i++)
                vec_done(&l->macros.v[i]->pieces);
        for (size_t i = 0; i < l->rules.n; i++) {
                for (size_t j = 0; j < l->rules.v[i]->exceptions.n; j++)
                        vec_done(&l->rules.v[i]->exceptions.v[j]->values);
                vec_done(&l->rules.v[i]->exceptions);
                vec_done(&l->rules.v[i]->pieces);
        }
        vec_done(&l->lists);
        vec_done(&l->macros);
        vec_done(&l->rules);
        map_str_done(&l->list_by_name);
        map_str_done(&l->macro_by_name);
        map_str_done(&l->rule_by_name);
}

struct list_def *library_list(const struct library *l, struct str name) { return map_str_get(&l->list_by_name, name); }

struct macro_def *library_macro(const struct library *l, struct str name)
{
        return map_str_get(&l->macro_by_name, name);
}

struct rule_def *library_rule(const struct library *l, struct str name) { return map_str_get(&l->rule_by_name, name); }

struct str pieces_join(struct piece_vec *pieces, struct arena *arena)
{
        size_t n = 0;
        for (size_t i = 0; i < pieces->n; i++)
                n += pieces->v[i].text.n + 1;
        char *text = arena_alloc(arena, n + 1);
        n = 0;
        for (size_t i = 0; i < pieces->n; i++) {
                if (i > 0)
                        text[n++] = ' ';
                pieces->v[i].start = (uint32_t)n;
                memcpy(text + n, pieces->v[i].text.p, pieces->v[i].text.n);
                n += pieces->v[i].text.n;
        }
        return str_span(text, n);
}

struct place node_place(const struct source_file *file, const struct yaml_node *node)
{
        return (struct place){ file->name, node ? node->line : 0, node ? node->column : 0 };
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* Behind "|", ">" with their indicators, or a quote; also behind an anchor or a tag that stand before. */
static size_t content_start(struct str bytes, size_t at, char *ret_quote)
{
        *ret_quote = '\0';
        while (at < bytes.n && (bytes.p[at] == '&' || bytes.p[at] == '!')) {
                while (at < bytes.n && !is_blank(bytes.p[at]))
                        at++;
                while (at < bytes.n && is_blank(bytes.p[at]))
                        at++;
        }
        if (at >= bytes.n)
                return at;
        if (bytes.p[at] == '|' || bytes.p[at] == '>') {
                while (at < bytes.n && bytes.p[at] != '\n')
                        at++;
        } else if (bytes.p[at] == '"' || bytes.p[at] == '\'') {
                *ret_quote = bytes.p[at++];
        }
        return at;
}

/* How many bytes of a quoted scalar stand for one character of its text; 0 characters for a folded line's end. */
static size_t source_length(struct str bytes, size_t at, char quote)
{
        if (quote == '\'' && bytes.p[at] == '\'')
                return 2;
        if (quote != '"' || bytes.p[at] != '\\' || at + 1 >= bytes.n)
                return 1;
        switch (bytes.p[at + 1]) {
        case 'x':
                return 4;
        case 'u':
                return 6;
        case 'U':
                return 10;
        default:
                return 2;
        }
}

/*
 * What is not blank stands in the text in the same order as in the source, however lines are folded: so the place is
 * found by counting what is not blank.
 */
static struct place scalar_place(const struct piece *p, uint32_t offset)
{
        const struct source_file *f = p->file;
        struct place place = p->place;
        char quote;
        if (offset >= p->text.n && p->text.n > 0) { /* the end is behind its last character */
                place = scalar_place(p, (uint32_t)p->text.n - 1);
                place.column++;
                return place;
        }
        if (p->node->line == 0 || p->node->line > f->n_lines)
                return place;
        size_t solid = 0, at = f->lines[p->node->line - 1];
        for (uint32_t i = 0; i < offset && i < p->text.n; i++)
                solid += !is_blank(p->text.p[i]);
        for (uint32_t column = 1; column < p->node->column && at < f->bytes.n; column++)
                at++;
        at = content_start(f->bytes, at, &quote);
        uint32_t line = p->node->line;
        size_t line_start = f->lines[line - 1];
        while (line < f->n_lines && f->lines[line] <= at)
                line_start = f->lines[line++];
        for (; at < f->bytes.n; at += source_length(f->bytes, at, quote)) {
                while (at < f->bytes.n && is_blank(f->bytes.p[at]))
                        at++;
                if (solid-- == 0)
                        break;
        }
        if (at >= f->bytes.n)
                return place;
        while (line < f->n_lines && f->lines[line] <= at)
                line_start = f->lines[line++];
        place.line = line;
        place.column = (uint32_t)(at - line_start) + 1;
        return place;
}

static struct place text_place(const struct piece *p, uint32_t offset)
{
        struct place place = p->place;
        if (place.line == 0)
                return place;
        for (uint32_t i = 0; i < offset && i < p->text.n; i++) {
                place.column++;
                if (p->text.p[i] == '\n') {
                        place.line++;
                        place.column = 1;
                }
        }
        return place;
}

struct place pieces_place(const struct piece_vec *pieces, uint32_t offset)
{
        for (size_t i = pieces->n; i-- > 0;) {
                const struct piece *p = &pieces->v[i];
                if (offset < p->start && i > 0)
                        continue;
                uint32_t inside = offset > p->start ? offset - p->start : 0;
                if (p->kind == PIECE_SCALAR)
                        return scalar_place(p, inside);
                return p->kind == PIECE_TEXT ? text_place(p, inside) : p->place;
        }
        return (struct place){ 0 };
}
