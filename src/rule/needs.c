/* See rule.h: what rules need in order to be decided. */
#include "rule/set.h"

#include <stdlib.h>

struct gathering {
        const struct graph *graph;
        struct set64 gates, exprs; /* seen already */
        VEC(const struct field_ref *) fields;
        VEC(struct str) prefixes;
};

static void gather_expr(struct gathering *g, const struct expr *e)
{
        if (!set64_add(&g->exprs, e->id))
                return;
        if (e->kind == EXPR_FIELD)
                *vec_push(&g->fields) = &e->ref;
        for (size_t i = 0; i < e->n_arguments; i++)
                gather_expr(g, e->arguments[i]);
}

static bool is_path(const struct expr *e)
{
        static const enum field_id paths[] = {
                FIELD_fd_name,      FIELD_fd_directory,  FIELD_fs_path_name, FIELD_fs_path_source, FIELD_fs_path_target,
                FIELD_proc_exepath, FIELD_proc_pexepath, FIELD_evt_abspath,  FIELD_file_path,
        };
        for (size_t i = 0; e->kind == EXPR_FIELD && i < ARRAY_SIZE(paths); i++)
                if (e->ref.field->id == paths[i])
                        return true;
        return false;
}

static void gather_prefixes(struct gathering *g, const struct check *c)
{
        static const enum operator_id of_paths[] = { OP_EQ, OP_IN, OP_PMATCH, OP_STARTSWITH, OP_GLOB };
        bool asks = false;
        for (size_t i = 0; i < ARRAY_SIZE(of_paths); i++)
                asks |= c->op->id == of_paths[i];
        if (!asks || !is_path(c->left))
                return;
        for (size_t i = 0; i < c->n; i++) {
                struct str path = c->constants[i].text;
                size_t n = 0;
                bool has_patterns = c->op->id == OP_PMATCH || c->op->id == OP_GLOB;
                while (n < path.n && !(has_patterns && strchr("*?[\\", path.p[n])))
                        n++;
                if (n > 0)
                        *vec_push(&g->prefixes) = str_upto(path, n);
        }
}

static void gather_gate(struct gathering *g, uint32_t id)
{
        const struct gate *gate = &g->graph->gates.v[id];
        if (!set64_add(&g->gates, id))
                return;
        for (uint32_t i = 0; i < gate->n; i++)
                gather_gate(g, gate->children[i]);
        if (gate->kind != GATE_CHECK)
                return;
        const struct check *c = g->graph->checks.v[gate->check];
        gather_expr(g, c->left);
        if (c->right)
                gather_expr(g, c->right);
        gather_prefixes(g, c);
}

static int compare_refs(const void *a, const void *b)
{
        return str_cmp((*(const struct field_ref *const *)a)->text, (*(const struct field_ref *const *)b)->text);
}

static int compare_texts(const void *a, const void *b)
{
        return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void take_fields(struct gathering *g, struct arena *arena, struct rule_needs *ret)
{
        const struct field_ref **all = arena_array(arena, g->fields.n, sizeof(*all));
        const struct field_ref **missing = arena_array(arena, g->fields.n, sizeof(*missing));
        if (g->fields.n > 1)
                qsort(g->fields.v, g->fields.n, sizeof(*g->fields.v), compare_refs);
        for (size_t i = 0; i < g->fields.n; i++) {
                all[ret->n_fields++] = g->fields.v[i];
                if (g->fields.v[i]->field->missing)
                        missing[ret->n_missing++] = g->fields.v[i];
        }
        ret->fields = all;
        ret->missing = missing;
}

/* Sorted, without those that stand below another one. */
static void take_prefixes(struct gathering *g, struct arena *arena, struct rule_needs *ret)
{
        struct str *prefixes = arena_array(arena, g->prefixes.n, sizeof(*prefixes));
        if (g->prefixes.n > 1)
                qsort(g->prefixes.v, g->prefixes.n, sizeof(*g->prefixes.v), compare_texts);
        for (size_t i = 0; i < g->prefixes.n; i++)
                if (ret->n_prefixes == 0 || !str_starts(g->prefixes.v[i], prefixes[ret->n_prefixes - 1]))
                        prefixes[ret->n_prefixes++] = g->prefixes.v[i];
        ret->prefixes = prefixes;
}

static void take_events(const struct rule_set *s, const struct event_set *events, struct arena *arena,
                        struct rule_needs *ret)
{
        const char **names = arena_array(arena, events_count(), sizeof(*names));
        ret->all_events = event_set_count(events) > events_count();
        for (size_t i = 0; !ret->all_events && i < events_count(); i++)
                if (event_set_has(events, i))
                        names[ret->n_events++] = field_words(FIELD_evt_type)[i];
        ret->events = names;
}

void rule_set_needs(const struct rule_set *s, size_t rule, struct arena *arena, struct rule_needs *ret)
{
        struct gathering g = { .graph = &s->graph };
        struct event_set events = { 0 };
        *ret = (struct rule_needs){ 0 };
        for (size_t i = 0; i < s->library.rules.n; i++) {
                const struct rule *r = &s->library.rules.v[i]->rule;
                if (rule != i && (rule != SIZE_MAX || !r->enabled || r->unsupported))
                        continue;
                gather_gate(&g, s->codes[i].gate);
                for (size_t k = 0; s->codes[i].output && k < s->codes[i].output->n; k++)
                        if (s->codes[i].output->parts[k].expr)
                                gather_expr(&g, s->codes[i].output->parts[k].expr);
                for (size_t w = 0; r->stages & STAGE_SYSCALL && w < ARRAY_SIZE(events.bits); w++)
                        events.bits[w] |= s->codes[i].events.bits[w];
        }
        take_fields(&g, arena, ret);
        take_prefixes(&g, arena, ret);
        take_events(s, &events, arena, ret);
        set64_done(&g.gates);
        set64_done(&g.exprs);
        vec_done(&g.fields);
        vec_done(&g.prefixes);
}
