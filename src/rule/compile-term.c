/* See compile.h: fields, their arguments, transformers. */
#include "rule/compile.h"

#include <stdarg.h>
#include <stdio.h>

void compile_problem_at(struct compiler *c, enum problem_level level, const char *code, struct place place,
                        const char *suggestion, const char *fmt, ...)
{
        char about[200], words[400];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(words, sizeof(words), fmt, ap);
        va_end(ap);
        snprintf(about, sizeof(about), "%s \"%.*s\"", c->about_kind, (int)MIN(c->about_name.n, 150u),
                 c->about_name.p ? c->about_name.p : "");
        struct problem p = { level,         code,
                             place,         c->about_name.n ? str_of(about) : STR_NONE,
                             str_of(words), str_of(suggestion) };
        problems_add(c->problems, &p);
}

void compile_problem(struct compiler *c, enum problem_level level, const char *code, uint32_t at,
                     const char *suggestion, const char *fmt, ...)
{
        char words[400];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(words, sizeof(words), fmt, ap);
        va_end(ap);
        compile_problem_at(c, level, code, pieces_place(c->pieces, at), suggestion, "%s", words);
}

static void *unknown_field(struct compiler *c, const struct term *t)
{
        char suggestion[160] = "";
        struct str name = str_upto(t->name, 120), rest;
        const char *near = field_nearest(name, 0);
        const struct field *same = NULL;
        for (ptrdiff_t dot = str_rfind_char(name, '.'); !near && dot > 0 && !same;
             dot = str_rfind_char(str_upto(name, (size_t)dot), '.'))
                same = field_find(str_upto(name, (size_t)dot), &rest);
        if (near)
                snprintf(suggestion, sizeof(suggestion), "did you mean %s?", near);
        else if (same)
                snprintf(suggestion, sizeof(suggestion), "there is %s", same->name);
        else
                snprintf(suggestion, sizeof(suggestion), "sekisho rule fields lists them");
        c->has_unknown = true;
        compile_problem(c, c->unknown, "unknown-field", t->at, suggestion, "unknown field %.*s", STR_FMT(name));
        return NULL;
}

/* The argument, from brackets or from the end of the name, into the ref. False and a problem if it does not fit. */
static bool read_argument(struct compiler *c, const struct term *t, const struct field *f, struct str rest,
                          struct field_ref *ref)
{
        struct str argument = t->has_argument ? t->argument : rest;
        bool has = t->has_argument || rest.n > 0;
        uint64_t index;
        bool is_number = str_u64(argument, &index) && index <= UINT32_MAX;
        if (t->has_argument && rest.n > 0) {
                compile_problem(c, PROBLEM_ERROR, "bad-argument", t->at, "", "%s has two arguments", f->name);
                return false;
        }
        if (has && f->argument == ARGUMENT_NONE) {
                compile_problem(c, PROBLEM_ERROR, "bad-argument", t->at, "", "%s takes no argument", f->name);
                return false;
        }
        if (!has && f->argument == ARGUMENT_KEY_REQUIRED) {
                compile_problem(c, PROBLEM_ERROR, "bad-argument", t->at, "", "%s needs an argument: %s[...]", f->name,
                                f->name);
                return false;
        }
        if (has && f->argument == ARGUMENT_INDEX && !is_number) {
                compile_problem(c, PROBLEM_ERROR, "bad-argument", t->at, "",
                                "the argument of %s is a number, not \"%.*s\"", f->name,
                                STR_FMT(str_upto(argument, 80)));
                return false;
        }
        ref->has_index = has && is_number;
        ref->index = ref->has_index ? (uint32_t)index : 0;
        if (has && f->argument != ARGUMENT_INDEX)
                ref->key = arena_str(c->arena, argument);
        return true;
}

static const struct expr *compile_field(struct compiler *c, const struct term *t)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(RULE_CONDITION_BYTES_MAX);
        struct str rest;
        term_print(t, &text);
        struct expr *e = graph_find_expr(c->graph, buf_str(&text));
        const struct field *f = e ? e->ref.field : field_find(t->name, &rest);
        if (!f)
                return unknown_field(c, t);
        if (f->traits & FIELD_DEPRECATED)
                compile_problem(c, PROBLEM_WARNING, "deprecated-field", t->at, f->doc, "%s is deprecated", f->name);
        if (e)
                return e;
        struct field_ref ref = { .field = f };
        if (!read_argument(c, t, f, rest, &ref))
                return NULL;
        e = graph_add_expr(c->graph, buf_str(&text));
        e->kind = EXPR_FIELD;
        e->type = f->type;
        e->traits = f->traits & (FIELD_LIST | FIELD_EITHER | FIELD_MANY | FIELD_VARIANT);
        if (ref.has_index || ref.key.n > 0)
                e->traits &= ~(unsigned)FIELD_MANY;
        e->stages = f->stages;
        e->ref = ref;
        e->ref.text = e->text;
        return e;
}

static const struct expr *compile_constant(struct compiler *c, const struct term *t)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(RULE_CONDITION_BYTES_MAX * 4 + 16);
        term_print(t, &text);
        struct expr *e = graph_find_expr(c->graph, buf_str(&text));
        if (e)
                return e;
        e = graph_add_expr(c->graph, buf_str(&text));
        e->kind = EXPR_CONSTANT;
        e->type = VALUE_STRING;
        e->stages = STAGES_ALL;
        e->constant = value_string(t->name);
        return e;
}

static bool argument_fits(struct compiler *c, const struct term *t, const struct expr *argument, size_t i)
{
        const struct transformer *call = t->call;
        bool is_list = argument->traits & FIELD_LIST, wants_list = call->id == TO_JOIN && i == 1;
        bool takes_lists = call->id == TO_LEN || call->id == TO_VAL || wants_list || call->most == 1;
        bool type_fits = call->types & TYPES(argument->type) || (is_list && call->id == TO_LEN);
        if (!type_fits || (argument->traits & FIELD_VARIANT && call->id != TO_VAL)) {
                compile_problem(c, PROBLEM_ERROR, "wrong-type", t->arguments[i]->at, "",
                                "%s() does not take %.*s, which is a %s", call->name, STR_FMT(argument->text),
                                value_type_name(argument->type));
                return false;
        }
        if (wants_list != is_list && (wants_list || !takes_lists)) {
                compile_problem(c, PROBLEM_ERROR, "wrong-type", t->arguments[i]->at, "",
                                "%s() takes %s, and %.*s is %s one", call->name, call->arguments,
                                STR_FMT(argument->text), is_list ? "" : "not");
                return false;
        }
        return true;
}

static const struct expr *compile_call(struct compiler *c, const struct term *t)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(RULE_CONDITION_BYTES_MAX * 4 + 16);
        const struct expr *arguments[16];
        bool ok = true;
        for (size_t i = 0; i < t->n_arguments; i++) {
                arguments[i] = compile_term(c, t->arguments[i]);
                ok &= arguments[i] && argument_fits(c, t, arguments[i], i);
        }
        if (!ok)
                return NULL;
        if (t->call->id == TO_VAL)
                return arguments[0];
        buf_printf(&text, "%s(", t->call->name);
        for (size_t i = 0; i < t->n_arguments; i++) {
                buf_puts(&text, i > 0 ? ", " : "");
                buf_add_str(&text, arguments[i]->text);
        }
        buf_putc(&text, ')');
        struct expr *e = graph_find_expr(c->graph, buf_str(&text));
        if (e)
                return e;
        e = graph_add_expr(c->graph, buf_str(&text));
        e->kind = EXPR_CALL;
        e->call = t->call;
        e->type = t->call->id == TO_LEN ? VALUE_NUMBER : arguments[0]->type;
        e->stages = STAGES_ALL;
        for (size_t i = 0; i < t->n_arguments; i++) {
                e->arguments[i] = arguments[i];
                e->stages &= arguments[i]->stages;
        }
        e->n_arguments = t->n_arguments;
        if (t->n_arguments == 1)
                e->traits = t->call->id == TO_LEN ? arguments[0]->traits & ~(unsigned)FIELD_LIST : arguments[0]->traits;
        return e;
}

const struct expr *compile_term(struct compiler *c, const struct term *t)
{
        switch (t->kind) {
        case TERM_FIELD:
                return compile_field(c, t);
        case TERM_CONSTANT:
                return compile_constant(c, t);
        case TERM_CALL:
                return compile_call(c, t);
        }
        return NULL;
}
