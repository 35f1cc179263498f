/* See compile.h: comparisons. Constants become values of the left side's type; what cannot be compared is said so. */
#include "rule/compile.h"

#include <stdio.h>

VEC_TYPE(constant_vec, struct constant);

static const struct {
        const char *name;
        int64_t port;
} services[] = {
        { "ftp", 21 },     { "ssh", 22 },          { "telnet", 23 }, { "smtp", 25 },   { "domain", 53 },
        { "http", 80 },    { "pop3", 110 },        { "ntp", 123 },   { "imap2", 143 }, { "snmp", 161 },
        { "ldap", 389 },   { "https", 443 },       { "ldaps", 636 }, { "imaps", 993 }, { "pop3s", 995 },
        { "mysql", 3306 }, { "postgresql", 5432 },
};

/* The name of a service where a port is expected, as in Falco. */
static bool parse_service(const struct expr *left, struct str text, struct value *ret)
{
        if (left->kind != EXPR_FIELD || !str_ends(str_of(left->ref.field->name), STR("port")))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(services); i++)
                if (str_is(text, services[i].name)) {
                        *ret = value_number(services[i].port);
                        return true;
                }
        return false;
}

/* ------------------------------------------------------------------------------------------- lists in lists ---- */

static void warn_of_near_list(struct compiler *c, const struct constant *k)
{
        if (k->is_quoted || k->text.n < 8 || str_find_char(k->text, '_') < 0 || !is_identifier(k->text))
                return;
        for (size_t i = 0; i < c->library->lists.n; i++) {
                const struct list_def *l = c->library->lists.v[i];
                if (word_distance(k->text, l->name, 1) > 1)
                        continue;
                char suggestion[160];
                snprintf(suggestion, sizeof(suggestion), "did you mean %.*s?", (int)MIN(l->name.n, 120u), l->name.p);
                compile_problem(c, PROBLEM_WARNING, "unknown-list", k->at, suggestion,
                                "no list is called %.*s, so that it is a value", (int)MIN(k->text.n, 120u), k->text.p);
                return;
        }
}

/* Whether n more constants may be added: lists in lists multiply, so their sum is bounded too. */
static bool has_room(struct compiler *c, const struct constant_vec *to, size_t n)
{
        if (to->n + n > RULE_LIST_ITEMS_MAX || c->library->n_constants + n > RULE_CONSTANTS_MAX)
                return false;
        c->library->n_constants += (uint32_t)n;
        return true;
}

/* Adds a constant, or those of the list that it names. False: there are too many. */
static bool add_constants(struct compiler *c, struct constant_vec *to, struct constant k, uint32_t visibility)
{
        struct list_def *l = k.is_quoted ? NULL : library_list(c->library, k.text);
        if (!l || l->index >= visibility) {
                if (!l && c->pieces)
                        warn_of_near_list(c, &k);
                if (!has_room(c, to, 1))
                        return false;
                *vec_push(to) = k;
                return true;
        }
        l->used = true;
        compile_list(c, l);
        if (!has_room(c, to, l->n))
                return false;
        for (size_t i = 0; i < l->n; i++) {
                struct constant item = l->constants[i];
                item.at = k.at;
                *vec_push(to) = item;
        }
        return true;
}

static void finish(struct compiler *c, struct constant_vec *v, const struct constant **ret, size_t *ret_n)
{
        struct constant *k = arena_array(c->arena, v->n, sizeof(*k));
        if (v->n > 0)
                memcpy(k, v->v, v->n * sizeof(*k));
        *ret = k;
        *ret_n = v->n;
        vec_done(v);
}

/* An item that has a blank is one constant as it stands; anything else is what Falco would read in its place. */
static bool read_item(struct compiler *c, const struct list_item *item, struct constant **ret, size_t *ret_n)
{
        struct syntax_error err;
        bool has_quote = item->text.n > 0 && (item->text.p[0] == '"' || item->text.p[0] == '\'');
        if (item->text.n == 0 || (!has_quote && str_find_char(item->text, ' ') >= 0)) {
                struct constant *k = arena_new(c->arena, struct constant);
                *k = (struct constant){ item->text, 0, true };
                *ret = k;
                *ret_n = 1;
                return true;
        }
        if (constants_parse(c->arena, item->text, ret, ret_n, &err) == 0)
                return true;
        compile_problem_at(c, PROBLEM_ERROR, "syntax", item->place, err.suggestion, "in the item \"%.*s\": %s",
                           (int)MIN(item->text.n, 100u), item->text.p, err.words);
        return false;
}

void compile_list(struct compiler *c, struct list_def *l)
{
        if (l->state == RESOLVE_DONE)
                return;
        struct compiler saved = *c;
        c->pieces = NULL;
        c->about_kind = "list";
        c->about_name = l->name;
        if (l->state == RESOLVE_BUSY) {
                compile_problem_at(c, PROBLEM_ERROR, "loop", l->place, "", "the list contains itself");
                *c = saved;
                return;
        }
        struct constant_vec v = { 0 };
        l->state = RESOLVE_BUSY;
        bool ok = true;
        for (size_t i = 0; i < l->items.n && ok; i++) {
                struct constant *k;
                size_t n;
                if (!read_item(c, &l->items.v[i], &k, &n))
                        continue;
                for (size_t j = 0; j < n && ok; j++)
                        ok = add_constants(c, &v, k[j], l->visibility);
        }
        if (!ok) {
                compile_problem_at(c, PROBLEM_ERROR, "too-large", l->place, "",
                                   "the list has more than %u items, or all together more than %u", RULE_LIST_ITEMS_MAX,
                                   RULE_CONSTANTS_MAX);
                vec_clear(&v); /* what contains it is not blamed too */
        }
        finish(c, &v, &l->constants, &l->n);
        l->state = RESOLVE_DONE;
        *c = saved;
}

/* --------------------------------------------------------------------------------------------------- types ---- */

static void print_operators(enum value_type type, bool is_list, struct buf *to)
{
        buf_puts(to, "it takes");
        for (size_t i = 0; i < OPERATORS; i++)
                if (operators[i].types & TYPES(type) && (!is_list || operators[i].of_lists))
                        buf_printf(to, " %s", operators[i].name);
}

static bool operator_fits(struct compiler *c, const struct node *n, const struct expr *left)
{
        bool is_list = left->traits & FIELD_LIST;
        unsigned types = TYPES(left->type);
        if (left->traits & FIELD_VARIANT)
                types |= TYPES(VALUE_NUMBER) | TYPES(VALUE_BYTES);
        if (n->op->types & types && (!is_list || n->op->of_lists))
                return true;
        _cleanup_(buf_done) struct buf suggestion = BUF_INIT(300);
        print_operators(left->type, is_list, &suggestion);
        compile_problem(c, PROBLEM_ERROR, "wrong-type", n->at, suggestion.p,
                        "%s cannot be used with %.*s, which is a %s%s", n->op->name, (int)MIN(left->text.n, 120u),
                        left->text.p, is_list ? "list of " : "", is_list ? "values" : value_type_name(left->type));
        return false;
}

static const char *type_help(enum value_type type)
{
        switch (type) {
        case VALUE_NUMBER:
                return "a number: 42, -1, 0x1f";
        case VALUE_DECIMAL:
                return "a number with a fraction: 7.5";
        case VALUE_IP:
        case VALUE_NET:
                return "an address or a network: 10.0.0.1, 10.0.0.0/8, fe80::/10";
        case VALUE_TIME:
                return "a time: 2026-11-20, 2026-11-20T10:00:00Z, or nanoseconds since 1970";
        case VALUE_DURATION:
                return "a duration: 30d, 12h, 1h30m, or nanoseconds";
        case VALUE_SEVERITY:
                return "a severity: unknown, none, low, medium, high, critical";
        case VALUE_FLAG:
                return "true or false";
        default:
                return "a text";
        }
}

static void check_word(struct compiler *c, const struct node *n, const struct expr *left, const struct constant *k)
{
        const char *const *words = left->kind == EXPR_FIELD ? field_words(left->ref.field->id) : NULL;
        bool is_equality = n->op->id == OP_EQ || n->op->id == OP_NE || n->op->id == OP_IN || n->op->id == OP_INTERSECTS;
        if (!words || !is_equality)
                return;
        for (size_t i = 0; words[i]; i++)
                if (str_is(k->text, words[i]))
                        return;
        bool is_event = left->ref.field->id == FIELD_evt_type || left->ref.field->id == FIELD_syscall_type;
        bool is_ours = !(left->ref.field->stages & STAGE_SYSCALL);
        const char *near = words_nearest(k->text, words);
        char suggestion[160] = "";
        if (near)
                snprintf(suggestion, sizeof(suggestion), "did you mean %s?", near);
        c->has_unknown |= is_event;
        compile_problem(c,
                        is_event  ? c->unknown
                        : is_ours ? PROBLEM_ERROR
                                  : PROBLEM_WARNING,
                        "unknown-value", k->at, suggestion, "%s is never \"%.*s\"", left->ref.field->name,
                        (int)MIN(k->text.n, 100u), k->text.p);
}

static enum value_type constant_type(const struct node *n, const struct expr *left, const struct constant *k,
                                     size_t n_k)
{
        struct value v;
        if (!(left->traits & FIELD_VARIANT))
                return left->type;
        if (n->op->id >= OP_LT && n->op->id <= OP_GE)
                return VALUE_NUMBER;
        if (n->op->id == OP_BCONTAINS || n->op->id == OP_BSTARTSWITH)
                return VALUE_BYTES;
        if (!(n->op->types & TYPES(VALUE_NUMBER)))
                return VALUE_STRING;
        for (size_t i = 0; i < n_k; i++)
                if (!value_parse(VALUE_NUMBER, k[i].text, &v))
                        return VALUE_STRING;
        return VALUE_NUMBER;
}

/* The constants as values; NULL if one is none. */
static const struct value *read_values(struct compiler *c, const struct node *n, const struct expr *left,
                                       const struct constant *k, size_t n_k)
{
        enum value_type type = constant_type(n, left, k, n_k);
        struct value *v = arena_array(c->arena, n_k + 1, sizeof(*v));
        bool ok = true;
        for (size_t i = 0; i < n_k; i++) {
                if (!value_parse(type, k[i].text, &v[i]) && !parse_service(left, k[i].text, &v[i])) {
                        compile_problem(c, PROBLEM_ERROR, "wrong-type", k[i].at, "",
                                        "%.*s is compared with %s, not \"%.*s\"", (int)MIN(left->text.n, 100u),
                                        left->text.p, type_help(type), (int)MIN(k[i].text.n, 80u), k[i].text.p);
                        ok = false;
                }
        }
        return ok ? v : NULL;
}

/* ---------------------------------------------------------------------------------------------- the check ---- */

/* All constants of the check, lists expanded. False and a problem if that cannot be done. */
static bool collect(struct compiler *c, const struct node *n, const struct constant **ret, size_t *ret_n)
{
        bool is_set = n->op->right == RIGHT_SET || n->quantifier != QUANTIFIER_NONE;
        struct constant_vec v = { 0 };
        *ret = n->constants;
        *ret_n = n->n_constants;
        if (n->is_empty_list)
                compile_problem(c, PROBLEM_WARNING, "never-true", n->at, "",
                                "the list is empty: the comparison is never true");
        if (!is_set) {
                const struct constant *k = &n->constants[0];
                if (n->n_constants == 1 && !k->is_quoted && library_list(c->library, k->text))
                        compile_problem(c, PROBLEM_WARNING, "list-as-value", k->at,
                                        "write in (...) to compare with the list",
                                        "\"%.*s\" is the name of a list, but here it is a text",
                                        STR_FMT(str_upto(k->text, 100)));
                return true;
        }
        for (size_t i = 0; i < n->n_constants; i++)
                if (!add_constants(c, &v, n->constants[i], UINT32_MAX)) {
                        compile_problem(c, PROBLEM_ERROR, "too-large", n->at, "",
                                        "the list has more than %u items, or all together more than %u",
                                        RULE_LIST_ITEMS_MAX, RULE_CONSTANTS_MAX);
                        vec_done(&v);
                        return false;
                }
        finish(c, &v, ret, ret_n);
        return true;
}

static void check_text(const struct node *n, const struct expr *left, const struct expr *right,
                       const struct constant *k, size_t n_k, struct library *l, struct buf *text)
{
        bool is_set = n->op->right == RIGHT_SET || n->quantifier != QUANTIFIER_NONE;
        buf_add_str(text, left->text);
        buf_printf(text, " %s", n->op->name);
        if (n->quantifier != QUANTIFIER_NONE)
                buf_printf(text, " %s", quantifier_names[n->quantifier]);
        if (right) {
                buf_puts(text, right->kind == EXPR_CALL ? " " : " val(");
                buf_add_str(text, right->text);
                buf_puts(text, right->kind == EXPR_CALL ? "" : ")");
        } else if (n->op->right != RIGHT_NOTHING) {
                buf_puts(text, is_set ? " (" : " ");
                for (size_t i = 0; i < n_k; i++) {
                        buf_puts(text, i > 0 ? ", " : "");
                        constant_print(k[i].text, is_set && library_list(l, k[i].text), text);
                }
                buf_puts(text, is_set ? ")" : "");
        }
}

static bool right_fits(struct compiler *c, const struct node *n, const struct expr *left, const struct expr *right)
{
        bool lists_fit = !(right->traits & FIELD_LIST) || n->op->right == RIGHT_SET;
        bool op_fits = n->op->id != OP_REGEX && n->op->id != OP_BCONTAINS && n->op->id != OP_BSTARTSWITH;
        if (left->type == right->type && lists_fit && op_fits && !((left->traits | right->traits) & FIELD_VARIANT))
                return true;
        compile_problem(c, PROBLEM_ERROR, "wrong-type", n->right->at, "",
                        "%.*s (%s) cannot be compared by %s with %.*s (%s)", (int)MIN(left->text.n, 100u), left->text.p,
                        value_type_name(left->type), n->op->name, (int)MIN(right->text.n, 100u), right->text.p,
                        value_type_name(right->type));
        return false;
}

static const struct check *add_check(struct compiler *c, const struct node *n, const struct expr *left,
                                     const struct expr *right, const struct constant *k, size_t n_k, struct str text)
{
        const struct value *values = right ? NULL : read_values(c, n, left, k, n_k);
        struct matcher *matcher = NULL;
        if (!right && !values)
                return NULL;
        if (!right && n->op->right != RIGHT_NOTHING) {
                char words[200];
                size_t which;
                matcher = matcher_new(c->arena, n->op, n->quantifier, values, n_k, words, &which);
                if (!matcher) {
                        compile_problem(c, PROBLEM_ERROR, n->op->id == OP_REGEX ? "bad-regex" : "bad-hex", k[which].at,
                                        "", "%s: %s", n->op->name, words);
                        return NULL;
                }
        }
        struct check *check = graph_add_check(c->graph, text);
        check->op = n->op;
        check->quantifier = n->quantifier;
        check->left = left;
        check->right = right;
        check->constants = values;
        check->n = n_k;
        check->matcher = matcher;
        return check;
}

const struct check *compile_check(struct compiler *c, struct node *n)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT((size_t)64 << 20);
        const struct expr *left = compile_term(c, n->left), *right = n->right ? compile_term(c, n->right) : NULL;
        const struct constant *k = NULL;
        size_t n_k = 0;
        if (!left || (n->right && !right))
                return NULL;
        if (left->kind == EXPR_FIELD && left->ref.field->traits & FIELD_OUTPUT_ONLY) {
                compile_problem(c, PROBLEM_ERROR, "output-only", n->at, "", "%s can only stand in outputs",
                                left->ref.field->name);
                return NULL;
        }
        if (!operator_fits(c, n, left) || (right && !right_fits(c, n, left, right)))
                return NULL;
        if (!right && n->op->right != RIGHT_NOTHING && !collect(c, n, &k, &n_k))
                return NULL;
        for (size_t i = 0; i < n_k; i++)
                check_word(c, n, left, &k[i]);
        check_text(n, left, right, k, n_k, c->library, &text);
        if (buf_is_full(&text)) {
                compile_problem(c, PROBLEM_ERROR, "too-large", n->at, "",
                                "the comparison is too long with its lists expanded");
                return NULL;
        }
        const struct check *check = graph_find_check(c->graph, buf_str(&text));
        if (!check)
                check = add_check(c, n, left, right, k, n_k, buf_str(&text));
        n->resolved = (void *)check;
        return check;
}
