/*
 * Exceptions, as Falco understands them: each is a list of fields, how they are compared, and values; it becomes
 * "and not (...)" behind the condition. One field: FIELD COMP (value, ...). Several: one group of comparisons a value.
 */
#include "rule/load.h"

static size_t n_fields(const struct exception_def *e) { return e->fields->kind == YAML_SEQUENCE ? e->fields->n : 1; }

static bool is_list_operator(struct str name)
{
        const struct operator* op = operator_find(name);
        return op && op->right == RIGHT_SET;
}

static bool check_field(struct loading *l, const struct yaml_node *n)
{
        struct str rest, name = yaml_text(n);
        ptrdiff_t bracket = str_find_char(name, '[');
        if (n->kind == YAML_SCALAR && field_find(bracket < 0 ? name : str_upto(name, (size_t)bracket), &rest))
                return true;
        const char *near = field_nearest(str_upto(name, 60), 0);
        load_problem(l, PROBLEM_ERROR, "unknown-field", n,
                     near ? arena_printf(l->arena, "did you mean %s?", near).p : "",
                     "unknown field %.*s in an exception", STR_FMT(str_upto(name, 60)));
        return false;
}

/* The comparison of field i: what comps says, else "=" among several, "in" for one. */
static struct str comparison(const struct exception_def *e, size_t i)
{
        if (!e->comps)
                return e->fields->kind == YAML_SEQUENCE ? STR("=") : STR("in");
        return e->comps->kind == YAML_SEQUENCE ? yaml_text(e->comps->items[i]) : yaml_text(e->comps);
}

/* Fields and comparisons that fit each other. */
static bool check_exception(struct loading *l, const struct exception_def *e, bool check_fields)
{
        bool several = e->fields->kind == YAML_SEQUENCE, ok = true;
        if (e->comps && (e->comps->kind == YAML_SEQUENCE) != several) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", e->comps, "",
                             "fields and comps are both texts or both lists");
                return false;
        }
        if (e->comps && several && e->comps->n != e->fields->n) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", e->comps, "", "there are %zu fields but %zu comps",
                             e->fields->n, e->comps->n);
                return false;
        }
        for (size_t i = 0; i < n_fields(e); i++) {
                const struct yaml_node *field = several ? e->fields->items[i] : e->fields;
                struct str comp = comparison(e, i);
                const struct operator* op = operator_find(comp);
                if (check_fields)
                        ok &= check_field(l, field);
                if (!op || op->right == RIGHT_NOTHING || (!several && op->right != RIGHT_SET)) {
                        load_problem(l, PROBLEM_ERROR, "bad-exception", e->comps ? e->comps : field,
                                     several ? "" : "with one field it is in, pmatch or intersects",
                                     "an exception cannot compare by \"%.*s\"", STR_FMT(str_upto(comp, 40)));
                        ok = false;
                }
        }
        return ok;
}

static bool check_value(struct loading *l, const struct exception_def *e, const struct yaml_node *v)
{
        bool several = e->fields->kind == YAML_SEQUENCE;
        if (!several && v->kind != YAML_SCALAR) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", v, "", "with one field each value is a text");
                return false;
        }
        if (several && (v->kind != YAML_SEQUENCE || v->n != e->fields->n)) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", v, "", "with %zu fields each value is a list of %zu",
                             e->fields->n, e->fields->n);
                return false;
        }
        return true;
}

static struct exception_def *find(struct rule_def *r, struct str name)
{
        for (size_t i = 0; i < r->exceptions.n; i++)
                if (str_eq(r->exceptions.v[i]->name, name))
                        return r->exceptions.v[i];
        return NULL;
}

static struct exception_def *new_exception(struct loading *l, const struct yaml_node *n, struct rule_def *r,
                                           struct str name)
{
        const struct yaml_node *asked = yaml_get(n, "fields");
        if (!asked || asked->kind == YAML_MAPPING) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", n, "", "an exception needs the key fields");
                return NULL;
        }
        struct exception_def *e = arena_new(l->arena, struct exception_def);
        e->name = name;
        e->place = node_place(l->file, n);
        e->file = l->file;
        e->fields = asked;
        e->comps = yaml_get(n, "comps");
        if (!check_exception(l, e, !r->rule.unsupported))
                return NULL;
        *vec_push(&r->exceptions) = e;
        return e;
}

static void load_exception(struct loading *l, const struct yaml_node *n, struct rule_def *r, enum change change)
{
        static const char *const keys[] = { "name", "fields", "comps", "values", NULL };
        struct str name;
        if (n->kind != YAML_MAPPING) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", n, "",
                             "an exception is a mapping with name, fields, comps, values");
                return;
        }
        load_check_keys(l, n, keys);
        if (!load_text(l, n, "name", true, &name))
                return;
        struct exception_def *e = find(r, name);
        const struct yaml_node *values = yaml_get(n, "values");
        if (e && change != CHANGE_APPEND) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", n, "", "the exception %.*s is there twice",
                             STR_FMT(str_upto(name, 60)));
                return;
        }
        if (e && (yaml_get(n, "fields") || yaml_get(n, "comps"))) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", n, "", "only values can be appended to an exception");
                return;
        }
        if (change == CHANGE_APPEND && !values)
                load_problem(l, PROBLEM_WARNING, "bad-exception", n, "", "the exception has no values");
        if (!e)
                e = new_exception(l, n, r, name);
        if (!e || !values || yaml_is_null(values))
                return;
        if (values->kind != YAML_SEQUENCE) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", values, "", "values has to be a list");
                return;
        }
        for (size_t i = 0; i < values->n; i++)
                if (check_value(l, e, values->items[i]))
                        *vec_push(&e->values) = values->items[i];
}

void load_exceptions(struct loading *l, const struct yaml_node *item, struct rule_def *r, enum change change)
{
        const struct yaml_node *n = yaml_get(item, "exceptions");
        if (!n || yaml_is_null(n))
                return;
        if (n->kind != YAML_SEQUENCE) {
                load_problem(l, PROBLEM_ERROR, "bad-exception", n, "", "exceptions has to be a list");
                return;
        }
        if (change == CHANGE_REPLACE) {
                for (size_t i = 0; i < r->exceptions.n; i++)
                        vec_done(&r->exceptions.v[i]->values);
                vec_clear(&r->exceptions);
        }
        for (size_t i = 0; i < n->n; i++)
                load_exception(l, n->items[i], r, change);
}

/* -------------------------------------------------------------------------------------------- to a condition ---- */

static void add(struct rule_def *r, struct str text, struct place place)
{
        *vec_push(&r->pieces) = (struct piece){ .kind = PIECE_MADE, .text = text, .place = place };
}

/* A value as Falco puts it into the condition: in quotes if it has blanks and none around it. */
static struct str value_text(struct loading *l, struct str v)
{
        bool quoted = v.n > 0 && (v.p[0] == '"' || v.p[0] == '\'');
        if (v.n == 0)
                return STR("\"\"");
        return !quoted && str_find_char(v, ' ') >= 0 ? arena_printf(l->arena, "\"%.*s\"", STR_FMT(v)) : v;
}

static void add_list(struct loading *l, struct rule_def *r, const struct exception_def *e,
                     const struct yaml_node *const *v, size_t n)
{
        add(r, STR("("), e->place);
        for (size_t i = 0; i < n; i++) {
                if (i > 0)
                        add(r, STR(","), e->place);
                add(r, value_text(l, yaml_text(v[i])), node_place(e->file, v[i]));
        }
        add(r, STR(")"), e->place);
}

static void add_comparison(struct loading *l, struct rule_def *r, const struct exception_def *e, size_t i,
                           const struct yaml_node *v)
{
        struct str comp = comparison(e, i), text = yaml_text(v);
        add(r, yaml_text(e->fields->items[i]), e->place);
        add(r, comp, e->place);
        if (v->kind == YAML_SEQUENCE)
                add_list(l, r, e, v->items, v->n);
        else if (is_list_operator(comp) && !str_starts(text, STR("(")))
                add_list(l, r, e, &v, 1);
        else if (is_list_operator(comp))
                add(r, text, node_place(e->file, v));
        else
                add(r, value_text(l, text), node_place(e->file, v));
}

static void apply(struct loading *l, struct rule_def *r, const struct exception_def *e)
{
        add(r, STR("and not ("), e->place);
        if (e->fields->kind != YAML_SEQUENCE) {
                add(r, yaml_text(e->fields), e->place);
                add(r, comparison(e, 0), e->place);
                add_list(l, r, e, e->values.v, e->values.n);
        } else {
                for (size_t i = 0; i < e->values.n; i++) {
                        add(r, i > 0 ? STR("or (") : STR("("), e->place);
                        for (size_t k = 0; k < e->fields->n; k++) {
                                if (k > 0)
                                        add(r, STR("and"), e->place);
                                add_comparison(l, r, e, k, e->values.v[i]->items[k]);
                        }
                        add(r, STR(")"), e->place);
                }
        }
        add(r, STR(")"), e->place);
}

void exceptions_apply(struct loading *l, struct rule_def *r)
{
        bool any = false;
        r->rule.n_exceptions = r->exceptions.n;
        for (size_t i = 0; i < r->exceptions.n; i++)
                any |= r->exceptions.v[i]->values.n > 0 && n_fields(r->exceptions.v[i]) > 0;
        if (!any || r->pieces.n == 0)
                return;
        struct piece_vec condition = r->pieces;
        r->pieces = (struct piece_vec){ 0 };
        add(r, STR("("), condition.v[0].place);
        for (size_t i = 0; i < condition.n; i++)
                *vec_push(&r->pieces) = condition.v[i];
        add(r, STR(")"), condition.v[0].place);
        vec_done(&condition);
        for (size_t i = 0; i < r->exceptions.n; i++)
                if (r->exceptions.v[i]->values.n > 0 && n_fields(r->exceptions.v[i]) > 0)
                        apply(l, r, r->exceptions.v[i]);
}
