/* See compile.h: trees to gates, macros by name, and all of a library in the right order. */
#include "rule/compile.h"

#include <stdio.h>

static const char *nearest_macro(const struct compiler *c, struct str name)
{
        unsigned least = name.n < 6 ? 2 : 3;
        const struct macro_def *best = NULL;
        for (size_t i = 0; i < c->library->macros.n; i++) {
                unsigned d = word_distance(name, c->library->macros.v[i]->name, least - 1);
                if (d < least) {
                        least = d;
                        best = c->library->macros.v[i];
                }
        }
        return best ? arena_cstr(c->arena, best->name) : NULL;
}

static uint32_t unknown_macro(struct compiler *c, const struct node *n)
{
        char suggestion[200] = "";
        struct str name = str_upto(n->name, 120), rest;
        const struct macro_def *later = library_macro(c->library, n->name);
        const char *near = later ? NULL : nearest_macro(c, name);
        if (later)
                snprintf(suggestion, sizeof(suggestion), "it is defined later, at line %u of %.*s", later->place.line,
                         (int)MIN(later->place.file.n, 100u), later->place.file.p);
        else if (library_list(c->library, n->name))
                snprintf(suggestion, sizeof(suggestion), "it is a list: write FIELD in (%.*s)", STR_FMT(name));
        else if (near)
                snprintf(suggestion, sizeof(suggestion), "did you mean %s?", near);
        else if (operator_find(n->name) || field_find(n->name, &rest))
                snprintf(suggestion, sizeof(suggestion), "a comparison begins with a field");
        compile_problem(c, PROBLEM_ERROR, "unknown-macro", n->at, suggestion, "unknown macro %.*s", STR_FMT(name));
        return GATE_ID_FALSE;
}

/* Parses what a macro or a rule says; NULL and a problem if it is malformed. */
static struct node *parse(struct compiler *c, struct piece_vec *pieces, struct str *ret_text)
{
        struct node *tree = NULL;
        struct syntax_error err;
        *ret_text = pieces_join(pieces, c->arena);
        if (condition_parse(c->arena, *ret_text, &tree, &err) < 0)
                compile_problem(c, PROBLEM_ERROR, "syntax", err.at, err.suggestion, "%s", err.words);
        return tree;
}

static void compile_macro(struct compiler *c, struct macro_def *m)
{
        struct compiler saved = *c;
        m->state = RESOLVE_BUSY;
        c->deepest = c->depth;
        c->about_kind = "macro";
        c->about_name = m->name;
        c->pieces = &m->pieces;
        c->visibility = m->visibility;
        m->tree = parse(c, &m->pieces, &m->text);
        m->gate = m->tree ? compile_node(c, m->tree) : GATE_ID_FALSE;
        m->state = RESOLVE_DONE;
        m->depth = c->deepest - c->depth;
        saved.has_unknown |= c->has_unknown;
        saved.deepest = MAX(saved.deepest, c->deepest);
        *c = saved;
}

static uint32_t too_deep(struct compiler *c, const struct node *n)
{
        compile_problem(c, PROBLEM_ERROR, "too-large", n->at, "",
                        "with macros expanded the condition nests deeper than %u", RULE_EXPANDED_DEPTH_MAX);
        return GATE_ID_FALSE;
}

static uint32_t compile_name(struct compiler *c, struct node *n)
{
        struct macro_def *m = library_macro(c->library, n->name);
        if (!m || m->index >= c->visibility)
                return unknown_macro(c, n);
        m->used = true;
        if (m->state == RESOLVE_BUSY) {
                compile_problem(c, PROBLEM_ERROR, "loop", n->at, "", "the macro %.*s uses itself",
                                STR_FMT(str_upto(n->name, 120)));
                return GATE_ID_FALSE;
        }
        if (m->state == RESOLVE_NEW)
                compile_macro(c, m);
        else if (c->depth + m->depth > RULE_EXPANDED_DEPTH_MAX)
                return too_deep(c, n);
        c->deepest = MAX(c->deepest, c->depth + m->depth);
        n->resolved = m;
        return m->gate;
}

/* Says so if the parts that stand here together contradict each other, unless one of them does so alone. */
static void warn_of_contradiction(struct compiler *c, const struct node *n, uint32_t gate, bool part_is_constant)
{
        char words[200];
        bool all = n->kind == NODE_ALL;
        if (gate == (all ? GATE_ID_FALSE : GATE_ID_TRUE) && !part_is_constant && !c->graph->too_large)
                compile_problem(c, PROBLEM_WARNING, all ? "never-true" : "always-true", n->at, "",
                                all ? "this is never true: it asks for something and its opposite"
                                    : "this is always true: it takes something or its opposite");
        else if (gate > GATE_ID_TRUE && gate_is_contradiction(c->graph, gate, words))
                compile_problem(c, PROBLEM_WARNING, all ? "never-true" : "always-true", n->at, "",
                                all ? "this is never true: %s exclude each other"
                                    : "this is always true: one of %s holds",
                                words);
}

static uint32_t compile_parts(struct compiler *c, struct node *n)
{
        struct id_list parts = { 0 };
        bool part_is_constant = false;
        for (size_t i = 0; i < n->n_children; i++) {
                uint32_t gate = compile_node(c, n->children[i]);
                part_is_constant |= gate <= GATE_ID_TRUE;
                *vec_push(&parts) = gate;
        }
        uint32_t gate = graph_gate(c->graph, n->kind == NODE_ALL ? GATE_ALL : GATE_ANY, parts.v, parts.n);
        vec_done(&parts);
        warn_of_contradiction(c, n, gate, part_is_constant);
        return gate;
}

static uint32_t compile_comparison(struct compiler *c, struct node *n)
{
        const struct check *check = compile_check(c, n);
        if (!check || (check->op->right == RIGHT_SET && check->matcher && check->n == 0))
                return GATE_ID_FALSE; /* an empty list holds nothing */
        return graph_check(c->graph, check);
}

uint32_t compile_node(struct compiler *c, struct node *n)
{
        uint32_t gate = GATE_ID_FALSE;
        if (++c->depth > RULE_EXPANDED_DEPTH_MAX) {
                c->depth--;
                return too_deep(c, n);
        }
        c->deepest = MAX(c->deepest, c->depth);
        switch (n->kind) {
        case NODE_ALL:
        case NODE_ANY:
                gate = compile_parts(c, n);
                break;
        case NODE_NOT:
                gate = graph_not(c->graph, compile_node(c, n->children[0]));
                break;
        case NODE_NAME:
                gate = compile_name(c, n);
                break;
        case NODE_CHECK:
                gate = compile_comparison(c, n);
                break;
        }
        c->depth--;
        return gate;
}

/* ---------------------------------------------------------------------------------------------------- rules ---- */

/* Where in a tree, macros included, a field stands that some of the stages do not have. Reports the first one. */
struct stage_walk {
        struct compiler *c;
        unsigned stages;
        struct set64 seen; /* macros, by address */
        struct str path;   /* name of the macro that is looked into, if any */
        uint32_t at;       /* of the name or the check in the rule's own text */
};

static void print_stages(unsigned stages, char text[static 64])
{
        size_t n = 0;
        text[0] = '\0';
        for (unsigned bit = 1; bit <= STAGE_LAST; bit <<= 1)
                if (stages & bit)
                        n += (size_t)snprintf(text + n, 64 - n, "%s%s", n ? ", " : "", stage_name((enum stage)bit));
}

static void check_stages(struct stage_walk *w, const struct node *n, bool is_own)
{
        for (size_t i = 0; i < n->n_children; i++)
                check_stages(w, n->children[i], is_own);
        if (is_own)
                w->at = n->at;
        if (n->kind == NODE_NAME && n->resolved) {
                const struct macro_def *m = n->resolved;
                if (m->tree && set64_add(&w->seen, (uintptr_t)m)) {
                        struct str outer = w->path;
                        w->path = m->name;
                        check_stages(w, m->tree, false);
                        w->path = outer;
                }
        }
        const struct check *check = n->kind == NODE_CHECK ? n->resolved : NULL;
        if (!check)
                return;
        unsigned have = check->left->stages & (check->right ? check->right->stages : STAGES_ALL);
        const struct expr *e = check->left->stages == have ? check->left : check->right;
        if ((have & w->stages) == w->stages)
                return;
        char lacking[64];
        struct str inside = w->path.n ? arena_printf(w->c->arena, " (in the macro %.*s)", STR_FMT(w->path)) : STR_NONE;
        print_stages(w->stages & ~have, lacking);
        compile_problem(w->c, PROBLEM_ERROR, "wrong-stage", w->at, "sekisho rule fields STAGE lists what there is",
                        "%.*s does not exist at stage %s%.*s", (int)MIN(e->text.n, 100u), e->text.p, lacking,
                        STR_FMT(inside));
}

/* The first comparison with an empty list that must hold for the tree to be true; NULL if there is none. */
static const struct check *find_empty(const struct node *n, unsigned macros_left)
{
        const struct check *check = n->kind == NODE_CHECK ? n->resolved : NULL;
        const struct macro_def *m = n->kind == NODE_NAME ? n->resolved : NULL;
        if (m && m->tree && macros_left > 0)
                return find_empty(m->tree, macros_left - 1);
        if (check && check->matcher && check->op->right == RIGHT_SET && check->n == 0)
                return check;
        for (size_t i = 0; n->kind == NODE_ALL && i < n->n_children; i++) {
                const struct check *found = find_empty(n->children[i], macros_left);
                if (found)
                        return found;
        }
        return NULL;
}

static void warn_of_constant(struct compiler *c, const struct rule_def *r)
{
        const struct check *empty = r->gate == GATE_ID_FALSE ? find_empty(r->tree, 3) : NULL;
        char why[160] = "";
        if (empty)
                snprintf(why, sizeof(why), "the list of %.*s is empty", (int)MIN(empty->left->text.n, 100u),
                         empty->left->text.p);
        compile_problem(c, PROBLEM_WARNING, r->gate == GATE_ID_TRUE ? "always-true" : "never-true", 0, why,
                        "the condition is %s true", r->gate == GATE_ID_TRUE ? "always" : "never");
}

static void compile_rule(struct compiler *c, struct rule_def *r, struct output_template **ret_output)
{
        if (r->pieces.n == 0)
                return; /* loading has said so */
        c->about_kind = r->is_condition ? "condition" : "rule";
        c->about_name = r->rule.name;
        c->pieces = &r->pieces;
        c->visibility = UINT32_MAX;
        c->has_unknown = false;
        c->unknown = r->skip_if_unknown ? PROBLEM_WARNING : PROBLEM_ERROR;
        size_t errors = c->problems->n_errors;
        r->tree = parse(c, &r->pieces, &r->text);
        r->rule.condition = r->text;
        r->rule.condition_place = pieces_place(&r->pieces, 0);
        if (!r->tree)
                return;
        r->gate = compile_node(c, r->tree);
        struct stage_walk w = { c, r->rule.stages, { 0 }, STR_NONE, 0 };
        check_stages(&w, r->tree, true);
        set64_done(&w.seen);
        *ret_output = output_compile(c, r->rule.output, r->rule.stages, r->output_file, r->output_node, r->rule.place);
        if (c->has_unknown && r->skip_if_unknown) {
                r->rule.unsupported = true;
                r->gate = GATE_ID_FALSE;
        }
        if (c->problems->n_errors > errors || c->has_unknown || c->graph->too_large)
                return;
        if (r->gate <= GATE_ID_TRUE && r->rule.enabled)
                warn_of_constant(c, r);
}

#define MACROS_DEEP_MAX 50u /* in each other, where they are only looked through */

/* A rule of a source that has no fields yet: only its syntax is looked at, and its macros are not missed. */
static void mark_names(struct compiler *c, const struct node *n)
{
        for (size_t i = 0; i < n->n_children; i++)
                mark_names(c, n->children[i]);
        for (size_t i = 0; i < n->n_constants; i++) {
                struct list_def *l = n->constants[i].is_quoted ? NULL : library_list(c->library, n->constants[i].text);
                if (l)
                        l->used = true;
        }
        struct macro_def *m = n->kind == NODE_NAME ? library_macro(c->library, n->name) : NULL;
        if (!m || m->state != RESOLVE_NEW) {
                if (n->kind == NODE_NAME && !m)
                        unknown_macro(c, n);
                return;
        }
        struct compiler saved = *c;
        m->used = true;
        m->state = RESOLVE_DONE;
        c->about_kind = "macro";
        c->about_name = m->name;
        c->pieces = &m->pieces;
        struct node *tree = parse(c, &m->pieces, &m->text);
        if (tree && ++c->depth < MACROS_DEEP_MAX)
                mark_names(c, tree);
        *c = saved;
}

static void skip_rule(struct compiler *c, struct rule_def *r)
{
        c->about_kind = "rule";
        c->about_name = r->rule.name;
        c->pieces = &r->pieces;
        struct node *tree = parse(c, &r->pieces, &r->text);
        r->rule.condition = r->text;
        r->rule.condition_place = pieces_place(&r->pieces, 0);
        if (tree)
                mark_names(c, tree);
}

/* What nothing uses is looked at as well, but what it lacks is no error: nobody asks for it. */
static void compile_unused(struct compiler *c)
{
        for (size_t i = 0; i < c->library->macros.n; i++) {
                struct macro_def *m = c->library->macros.v[i];
                if (m->state != RESOLVE_NEW)
                        continue;
                c->unknown = PROBLEM_WARNING;
                compile_macro(c, m);
        }
        for (size_t i = 0; i < c->library->lists.n; i++)
                compile_list(c, c->library->lists.v[i]);
}

static void warn_of_unused(struct compiler *c)
{
        c->about_name = STR_NONE;
        for (size_t i = 0; i < c->library->macros.n; i++) {
                const struct macro_def *m = c->library->macros.v[i];
                if (!m->used)
                        compile_problem_at(c, PROBLEM_WARNING, "unused", m->place, "", "nothing uses the macro %.*s",
                                           STR_FMT(str_upto(m->name, 120)));
        }
        for (size_t i = 0; i < c->library->lists.n; i++) {
                const struct list_def *l = c->library->lists.v[i];
                if (!l->used)
                        compile_problem_at(c, PROBLEM_WARNING, "unused", l->place, "", "nothing uses the list %.*s",
                                           STR_FMT(str_upto(l->name, 120)));
        }
}

void compile_library(struct compiler *c, struct output_template **outputs)
{
        const struct rule_def_vec *rules = &c->library->rules;
        /* Rules that may lack fields come after those that may not, so that a macro's mistake counts as the worse one.
         */
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < rules->n; i++)
                        if (!rules->v[i]->rule.unsupported && rules->v[i]->skip_if_unknown == (pass == 1))
                                compile_rule(c, rules->v[i], &outputs[i]);
        for (size_t i = 0; i < rules->n; i++)
                if (rules->v[i]->rule.unsupported && !rules->v[i]->tree)
                        skip_rule(c, rules->v[i]);
        compile_unused(c);
        if (c->options->warn_unused)
                warn_of_unused(c);
        if (c->graph->too_large) {
                struct place place = rules->n > 0 ? rules->v[0]->rule.place : (struct place){ 0 };
                c->about_name = STR_NONE;
                place.line = 0;
                compile_problem_at(c, PROBLEM_ERROR, "too-large", place, "",
                                   "the conditions together have more than %u parts, or nest deeper than %u",
                                   RULE_NODES_MAX, GATE_DEPTH_MAX);
        }
}
