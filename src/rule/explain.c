/* See rule.h: why a rule hits or not, and a condition as canonical text. Both walk the tree as it was written. */
#include "rule/eval.h"

VEC_TYPE(step_vec, struct rule_step);

struct explanation {
        struct rule_eval *e;
        struct arena *arena;
        struct step_vec steps;
        struct rule_step overflow; /* takes what there is no room for */
};

#define SEEN_BYTES_MAX 1000u

static struct rule_step *add_step(struct explanation *x, int kind, unsigned depth)
{
        if (x->steps.n >= RULE_STEPS_MAX)
                return &x->overflow;
        struct rule_step *s = vec_push(&x->steps);
        s->kind = kind;
        s->depth = depth;
        return s;
}

static struct str seen(struct explanation *x, const struct check *c)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(SEEN_BYTES_MAX);
        value_print(eval_expr(x->e, c->left), &b);
        if (c->right) {
                buf_puts(&b, " and ");
                value_print(eval_expr(x->e, c->right), &b);
        }
        return arena_str(x->arena, buf_str(&b));
}

static bool explain(struct explanation *x, const struct node *n, unsigned depth)
{
        size_t at = x->steps.n;
        bool truth = n->kind == NODE_ALL;
        const struct macro_def *m = n->resolved;
        const struct check *c = n->resolved;
        int kind = n->kind == NODE_ALL    ? STEP_ALL
                   : n->kind == NODE_ANY  ? STEP_ANY
                   : n->kind == NODE_NOT  ? STEP_NOT
                   : n->kind == NODE_NAME ? STEP_MACRO
                                          : STEP_CHECK;
        struct rule_step *step = add_step(x, kind, depth);
        switch (n->kind) {
        case NODE_ALL:
        case NODE_ANY:
                for (size_t i = 0; i < n->n_children; i++) {
                        bool part = explain(x, n->children[i], depth + 1);
                        truth = n->kind == NODE_ALL ? truth && part : truth || part;
                }
                break;
        case NODE_NOT:
                truth = !explain(x, n->children[0], depth + 1);
                break;
        case NODE_NAME:
                step->text = n->name;
                /* Once there is no room for more, the answer is enough. */
                if (m && m->tree && x->steps.n < RULE_STEPS_MAX)
                        truth = explain(x, m->tree, depth + 1);
                else
                        truth = m && eval_gate(x->e, m->gate);
                break;
        case NODE_CHECK:
                truth = c && !(c->matcher && c->op->right == RIGHT_SET && c->n == 0) && eval_check(x->e, c);
                if (c && x->steps.n <= RULE_STEPS_MAX) {
                        step->text = c->text;
                        step->seen = seen(x, c);
                }
                break;
        }
        if (at < x->steps.n)
                x->steps.v[at].is_true = truth;
        return truth;
}

size_t rule_explain(struct rule_eval *e, size_t rule, const struct record *r, struct arena *arena,
                    const struct rule_step **ret_steps)
{
        struct explanation x = { .e = e, .arena = arena };
        const struct node *tree = e->set->library.rules.v[rule]->tree;
        e->record = r;
        if (tree)
                explain(&x, tree, 0);
        struct rule_step *steps = arena_array(arena, x.steps.n, sizeof(*steps));
        if (x.steps.n > 0)
                memcpy(steps, x.steps.v, x.steps.n * sizeof(*steps));
        *ret_steps = steps;
        size_t n = x.steps.n;
        vec_done(&x.steps);
        return n;
}

/* ------------------------------------------------------------------------------------------------- printing ---- */

struct printer {
        const struct library *library;
        struct buf *to;
        bool expand;
};

static void print_node(const struct printer *p, const struct node *n, bool in_parentheses);

static void print_right(const struct printer *p, const struct node *n)
{
        bool is_set = n->op->right == RIGHT_SET || n->quantifier != QUANTIFIER_NONE;
        bool is_call = n->right && n->right->kind == TERM_CALL;
        if (n->right) {
                buf_puts(p->to, is_call ? " " : " val(");
                term_print(n->right, p->to);
                buf_puts(p->to, is_call ? "" : ")");
                return;
        }
        buf_puts(p->to, is_set ? " (" : " ");
        for (size_t i = 0; i < n->n_constants; i++) {
                const struct constant *k = &n->constants[i];
                buf_puts(p->to, i > 0 ? ", " : "");
                constant_print(k->text, is_set && k->is_quoted && library_list(p->library, k->text), p->to);
        }
        buf_puts(p->to, is_set ? ")" : "");
}

static void print_check(const struct printer *p, const struct node *n)
{
        const struct check *c = n->resolved;
        if (p->expand && c) {
                buf_add_str(p->to, c->text);
                return;
        }
        term_print(n->left, p->to);
        buf_printf(p->to, " %s", n->op->name);
        if (n->quantifier != QUANTIFIER_NONE)
                buf_printf(p->to, " %s", quantifier_names[n->quantifier]);
        if (n->op->right != RIGHT_NOTHING)
                print_right(p, n);
}

static void print_node(const struct printer *p, const struct node *n, bool in_parentheses)
{
        const struct macro_def *m = n->kind == NODE_NAME ? n->resolved : NULL;
        if (buf_is_full(p->to))
                return;
        if (m && p->expand && m->tree) {
                print_node(p, m->tree, in_parentheses);
                return;
        }
        bool parentheses = in_parentheses && (n->kind == NODE_ALL || n->kind == NODE_ANY);
        buf_puts(p->to, parentheses ? "(" : "");
        switch (n->kind) {
        case NODE_ALL:
        case NODE_ANY:
                for (size_t i = 0; i < n->n_children; i++) {
                        buf_puts(p->to, i == 0 ? "" : n->kind == NODE_ALL ? " and " : " or ");
                        print_node(p, n->children[i], true);
                }
                break;
        case NODE_NOT:
                buf_puts(p->to, "not ");
                print_node(p, n->children[0], true);
                break;
        case NODE_NAME:
                buf_add_str(p->to, n->name);
                break;
        case NODE_CHECK:
                print_check(p, n);
                break;
        }
        buf_puts(p->to, parentheses ? ")" : "");
}

void rule_print_condition(const struct rule_set *s, size_t rule, bool expand, struct buf *to)
{
        struct printer p = { &s->library, to, expand };
        if (s->library.rules.v[rule]->tree)
                print_node(&p, s->library.rules.v[rule]->tree, false);
}
