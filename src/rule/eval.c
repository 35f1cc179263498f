/*
 * See rule.h: a record against a rule set. Values, and the truth of gates that more than one rule can reach, are kept
 * for the record by its generation, so that nothing is cleared between records.
 */
#include "rule/eval.h"

#include <stdlib.h>

#define TEXT_BYTES_MAX ((size_t)16 << 20) /* of what one transformer makes of one value */
#define ELEMENTS_MAX   1024u              /* of a transformed list */

struct rule_eval *rule_eval_new(const struct rule_set *s)
{
        struct rule_eval *e = xcalloc(1, sizeof(*e));
        e->set = s;
        e->values = xcalloc(s->graph.exprs.n + 1, sizeof(*e->values));
        e->gates = xcalloc(s->graph.gates.n, sizeof(*e->gates));
        e->texts = xcalloc(s->graph.exprs.n + 1, sizeof(*e->texts));
        e->elements = xcalloc(s->graph.exprs.n + 1, sizeof(*e->elements));
        for (size_t i = 0; i < s->graph.exprs.n; i++)
                e->texts[i] = BUF_INIT(TEXT_BYTES_MAX);
        e->scratch = xcalloc(1, s->scratch_size + 1);
        return e;
}

void rule_eval_free(struct rule_eval *e)
{
        if (!e)
                return;
        for (size_t i = 0; i < e->set->graph.exprs.n; i++) {
                buf_done(&e->texts[i]);
                free(e->elements[i]);
        }
        vec_done(&e->hits);
        free(e->elements);
        free(e->texts);
        free(e->gates);
        free(e->values);
        free(e->scratch);
        free(e);
}

/* --------------------------------------------------------------------------------------------- expressions ---- */

/* The type of a value must be that of its field: another one is a mistake of the record, and taken for absent. */
static void get_field(struct rule_eval *e, const struct expr *x, struct value *ret)
{
        e->record->get(e->record->ctx, &x->ref, ret);
        enum value_type type = ret->type;
        if (type == VALUE_LIST)
                type = x->traits & (FIELD_LIST | FIELD_EITHER | FIELD_MANY) ? x->type : VALUE_TYPES;
        bool is_address = (x->type == VALUE_NET || x->type == VALUE_IP) && (type == VALUE_NET || type == VALUE_IP);
        bool is_variant =
                x->traits & FIELD_VARIANT && (type == VALUE_NUMBER || type == VALUE_STRING || type == VALUE_BYTES);
        if (type != x->type && !is_address && !is_variant)
                *ret = value_absent();
}

/* Room for the elements of a transformed list; each expression has its own. */
static struct value *element_room(struct rule_eval *e, const struct expr *x)
{
        if (!e->elements[x->id])
                e->elements[x->id] = xcalloc(ELEMENTS_MAX, sizeof(struct value));
        return e->elements[x->id];
}

static void transform_list(struct rule_eval *e, const struct expr *x, const struct value *list, struct value *ret)
{
        struct value *room = element_room(e, x);
        struct buf *text = &e->texts[x->id];
        size_t n = MIN(list->list.n, ELEMENTS_MAX), size = 0, kept = 0;
        for (size_t i = 0; i < n; i++)
                size += list->list.v[i].type == VALUE_STRING || list->list.v[i].type == VALUE_BYTES
                                ? list->list.v[i].text.n
                                : 0;
        if (text->size < size + n) { /* views into it must stay, so it may not grow on the way */
                for (size_t i = 0; i < size + n && !buf_is_full(text); i++)
                        buf_putc(text, 0);
                buf_clear(text);
        }
        for (size_t i = 0; i < n; i++)
                kept += transform(x->call, &list->list.v[i], text, &room[kept]);
        *ret = value_list(room, kept);
}

static void join_texts(struct rule_eval *e, const struct expr *x, struct value *ret)
{
        struct buf *to = &e->texts[x->id];
        const struct value *separator = eval_expr(e, x->arguments[0]), *list = eval_expr(e, x->arguments[1]);
        if (separator->type != VALUE_STRING || list->type != VALUE_LIST)
                return;
        for (size_t i = 0; i < list->list.n; i++) {
                buf_add_str(to, i > 0 ? separator->text : STR_NONE);
                value_print(&list->list.v[i], to);
        }
        *ret = value_string(buf_str(to));
}

static void concat_texts(struct rule_eval *e, const struct expr *x, struct value *ret)
{
        struct buf *to = &e->texts[x->id];
        for (size_t i = 0; i < x->n_arguments; i++) {
                const struct value *v = eval_expr(e, x->arguments[i]);
                if (v->type != VALUE_STRING)
                        return;
                buf_add_str(to, v->text);
        }
        *ret = value_string(buf_str(to));
}

static void call(struct rule_eval *e, const struct expr *x, struct value *ret)
{
        buf_clear(&e->texts[x->id]);
        if (x->call->id == TO_JOIN) {
                join_texts(e, x, ret);
                return;
        }
        if (x->call->id == TO_CONCAT) {
                concat_texts(e, x, ret);
                return;
        }
        const struct value *v = eval_expr(e, x->arguments[0]);
        bool is_list = x->arguments[0]->traits & FIELD_LIST;
        if (v->type == VALUE_ABSENT)
                return;
        if (v->type == VALUE_LIST && x->call->id == TO_LEN && is_list)
                *ret = value_number((int64_t)v->list.n);
        else if (v->type == VALUE_LIST)
                transform_list(e, x, v, ret);
        else if (!transform(x->call, v, &e->texts[x->id], ret))
                *ret = value_absent();
}

const struct value *eval_expr(struct rule_eval *e, const struct expr *x)
{
        struct cached_value *cached = &e->values[x->id];
        if (x->kind == EXPR_CONSTANT)
                return &x->constant;
        if (cached->generation == e->generation)
                return &cached->value;
        cached->generation = e->generation;
        cached->value = value_absent();
        if (x->kind == EXPR_FIELD)
                get_field(e, x, &cached->value);
        else
                call(e, x, &cached->value);
        return &cached->value;
}

/* ---------------------------------------------------------------------------------------------- comparisons ---- */

static bool match_right(struct rule_eval *e, const struct check *c, const struct value *left)
{
        const struct value *right = eval_expr(e, c->right);
        if (right->type != VALUE_LIST)
                return right->type != VALUE_ABSENT && values_match(c->op->id, left, right);
        for (size_t i = 0; i < right->list.n; i++)
                if (values_match(OP_EQ, left, &right->list.v[i]))
                        return true;
        return false;
}

static bool match_single(struct rule_eval *e, const struct check *c, const struct value *left)
{
        return c->right ? match_right(e, c, left) : matcher_match(c->matcher, left, e->scratch);
}

/* Several values: true if one of them is, but "in" of a list and "!=" of either-or ask all of them. */
static bool match_list(struct rule_eval *e, const struct check *c, const struct value *list)
{
        bool all = (c->left->traits & FIELD_LIST && c->op->id == OP_IN) ||
                   (c->left->traits & FIELD_EITHER && c->op->id == OP_NE);
        for (size_t i = 0; i < list->list.n; i++)
                if (match_single(e, c, &list->list.v[i]) != all)
                        return !all;
        return all && (c->op->id == OP_IN || list->list.n > 0);
}

bool eval_check(struct rule_eval *e, const struct check *c)
{
        const struct value *left = eval_expr(e, c->left);
        if (left->type == VALUE_ABSENT)
                return false;
        if (c->op->id == OP_EXISTS)
                return left->type != VALUE_LIST || left->list.n > 0 || c->left->traits & FIELD_LIST;
        if (c->right && eval_expr(e, c->right)->type == VALUE_ABSENT)
                return false;
        return left->type == VALUE_LIST ? match_list(e, c, left) : match_single(e, c, left);
}

bool eval_gate(struct rule_eval *e, uint32_t id)
{
        const struct gate *g = &e->set->graph.gates.v[id];
        bool truth = false;
        if (g->is_shared && e->gates[id] >> 1 == e->generation)
                return e->gates[id] & 1;
        switch (g->kind) {
        case GATE_FALSE:
        case GATE_TRUE:
                return g->kind == GATE_TRUE;
        case GATE_CHECK:
                truth = eval_check(e, e->set->graph.checks.v[g->check]);
                break;
        case GATE_NOT:
                truth = !eval_gate(e, g->children[0]);
                break;
        case GATE_ALL:
        case GATE_ANY:
                truth = g->kind == GATE_ALL;
                for (uint32_t i = 0; i < g->n && truth == (g->kind == GATE_ALL); i++)
                        truth = eval_gate(e, g->children[i]);
                break;
        }
        if (g->is_shared)
                e->gates[id] = e->generation << 1 | truth;
        return truth;
}

/* --------------------------------------------------------------------------------------------------- records ---- */

static void next_generation(struct rule_eval *e)
{
        if (++e->generation <= INT32_MAX)
                return;
        for (size_t i = 0; i < e->set->graph.exprs.n; i++)
                e->values[i].generation = 0;
        memset(e->gates, 0, e->set->graph.gates.n * sizeof(*e->gates));
        e->generation = 1;
}

/* The rules that are worth asking: those of the stage, and of events those that the event's type can make true. */
static const struct selection *selection(struct rule_eval *e, enum stage stage)
{
        const struct rule_set *s = e->set;
        if (stage != STAGE_SYSCALL || !s->event)
                return &s->by_stage[__builtin_ctz(stage)];
        const struct value *v = eval_expr(e, s->event);
        if (v->type != VALUE_STRING)
                return &s->by_stage[__builtin_ctz(stage)];
        uintptr_t id = (uintptr_t)map_str_get(&s->event_ids, v->text);
        return &s->by_events[s->group_of[id ? id - 1 : events_count()]];
}

static void eval_candidates(struct rule_eval *e, const struct candidate_vec *rules)
{
        for (size_t i = 0; i < rules->n; i++)
                if (eval_gate(e, rules->v[i].gate))
                        *vec_push(&e->hits) = rules->v[i].rule;
}

static int compare_rules(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
        return x < y ? -1 : x > y;
}

size_t rule_eval(struct rule_eval *e, const struct record *r, enum stage stage, const uint32_t **ret_hits)
{
        e->record = r;
        next_generation(e);
        vec_clear(&e->hits);
        const struct selection *rules = selection(e, stage);
        for (size_t i = 0; i < rules->dictionaries.n; i++) {
                const struct dictionary *d = &rules->dictionaries.v[i];
                const struct value *v = eval_expr(e, d->expr);
                const struct candidate_vec *found = v->type == VALUE_STRING ? map_str_get(&d->rules, v->text) : NULL;
                if (found)
                        eval_candidates(e, found);
        }
        for (size_t i = 0; i < rules->buckets.n; i++)
                if (eval_gate(e, rules->buckets.v[i].gate))
                        eval_candidates(e, &rules->buckets.v[i].rules);
        eval_candidates(e, &rules->rest);
        if (e->hits.n > 1)
                qsort(e->hits.v, e->hits.n, sizeof(*e->hits.v), compare_rules);
        *ret_hits = e->hits.v;
        return e->hits.n;
}

/* Times and durations of events are numbers in outputs, as Falco writes them and whoever reads its alerts expects. */
static void print_value(const struct expr *x, const struct value *v, struct buf *to)
{
        struct value number = *v;
        if (x->stages == STAGE_SYSCALL && (v->type == VALUE_TIME || v->type == VALUE_DURATION))
                number = value_number(v->number);
        value_print(&number, to);
}

static void render_width(struct buf *to, size_t from, uint32_t width)
{
        size_t n = to->n - from;
        if (n > width)
                to->n = from + width;
        for (; n < width; n++)
                buf_putc(to, ' ');
}

void rule_render(struct rule_eval *e, size_t rule, const struct record *r, struct buf *to)
{
        const struct output_template *o = e->set->codes[rule].output;
        e->record = r;
        for (size_t i = 0; o && i < o->n; i++) {
                buf_add_str(to, o->parts[i].text);
                if (!o->parts[i].expr)
                        continue;
                size_t from = to->n;
                print_value(o->parts[i].expr, eval_expr(e, o->parts[i].expr), to);
                if (o->parts[i].width > 0)
                        render_width(to, from, o->parts[i].width);
        }
}
