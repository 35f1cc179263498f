/*
 * Dockerfiles, the variables: which ARG and ENV are in scope, and what words become with them. See dockerfile.h.
 *
 * Scoping (docs.docker.com/reference/dockerfile, "ARG"): an ARG before the first FROM is seen by FROM lines only, and
 * by a stage that names it again; ENV wins over ARG; a stage FROM another one has what that one had. A variable that
 * nothing sets may come from the base image or the command line: its reference is kept as written and the word is not
 * known. Values of ARGs are their defaults.
 */
#include "read/dockerfile-internal.h"

#define NESTING_MAX 16u /* ${a:-${b:-...}}: deeper is not known */

/* Set by BuildKit, or accepted by it without being declared: their values are known to nobody who reads the file. */
static const char *const predefined[] = {
        "HTTP_PROXY", "http_proxy", "HTTPS_PROXY",    "https_proxy",   "FTP_PROXY",   "ftp_proxy",     "NO_PROXY",
        "no_proxy",   "ALL_PROXY",  "all_proxy",      "BUILDARCH",     "BUILDOS",     "BUILDPLATFORM", "BUILDVARIANT",
        "TARGETARCH", "TARGETOS",   "TARGETPLATFORM", "TARGETVARIANT", "TARGETSTAGE",
};

struct expansion {
        struct dockerfile_reader *r;
        const struct dockerfile_scope *scope;
        bool is_known;
};

static const struct dockerfile_variable *lookup(const struct dockerfile_scope *scope, struct str name)
{
        for (unsigned depth = 0; scope && depth <= SCOPE_DEPTH_MAX; scope = scope->parent, depth++) {
                const struct dockerfile_variable *v = map_str_get(&scope->variables, name);
                if (v)
                        return v;
        }
        return NULL;
}

static bool is_predefined(struct str name)
{
        for (size_t i = 0; i < ARRAY_SIZE(predefined); i++)
                if (str_is(name, predefined[i]))
                        return true;
        return false;
}

static void set(struct dockerfile_reader *r, struct dockerfile_scope *scope, struct str name,
                struct dockerfile_variable value)
{
        bool is_new;
        void **slot = map_str_put(&scope->variables, name, &is_new);
        struct dockerfile_variable *v = is_new ? arena_new(r->arena, struct dockerfile_variable) : *slot;
        *v = value;
        *slot = v;
}

/* --- patterns of ${x#p} and friends --- */

/* Whether the glob pattern (*, ?, escaped characters) matches all of s. Each step is charged. */
static bool matches(struct expansion *e, struct str pattern, struct str s)
{
        size_t p = 0, k = 0, star = SIZE_MAX, star_k = 0;
        for (;;) {
                if (!budget_items(&e->r->steps, 1)) {
                        e->is_known = false;
                        return false;
                }
                if (p < pattern.n && pattern.p[p] == '*') {
                        star = p++;
                        star_k = k;
                        continue;
                }
                size_t literal = p + (p + 1 < pattern.n && pattern.p[p] == e->r->d->escape);
                if (k == s.n && p == pattern.n)
                        return true;
                if (k < s.n && p < pattern.n && (pattern.p[p] == '?' || pattern.p[literal] == s.p[k])) {
                        p = literal + 1;
                        k++;
                        continue;
                }
                if (star == SIZE_MAX || star_k >= s.n)
                        return false;
                p = star + 1;
                k = ++star_k;
        }
}

/* Without the shortest or longest start (end) that matches. */
static struct str without_affix(struct expansion *e, struct str s, struct str pattern, bool is_end, bool longest)
{
        for (size_t i = 0; i <= s.n && !e->r->steps.over; i++) {
                size_t n = longest ? s.n - i : i;
                struct str part = is_end ? str_from(s, s.n - n) : str_upto(s, n);
                if (matches(e, pattern, part))
                        return is_end ? str_upto(s, s.n - n) : str_from(s, n);
        }
        return s;
}

/* The longest match at s's start, or 0. */
static size_t match_at(struct expansion *e, struct str s, struct str pattern)
{
        for (size_t n = s.n; n > 0 && !e->r->steps.over; n--)
                if (matches(e, pattern, str_upto(s, n)))
                        return n;
        return 0;
}

static struct str replaced(struct expansion *e, struct str s, struct str pattern, struct str with, bool all)
{
        struct buf out = BUF_INIT(DOCKERFILE_VALUE_MAX);
        bool done = false;
        for (size_t at = 0; at < s.n;) {
                size_t n = done ? 0 : match_at(e, str_from(s, at), pattern);
                if (n)
                        buf_add_str(&out, with);
                else
                        buf_putc(&out, s.p[at]);
                done = done || (n && !all);
                at += n ? n : 1;
        }
        e->is_known = e->is_known && !buf_is_full(&out) && !e->r->steps.over;
        struct str ret = arena_str(e->r->arena, buf_str(&out));
        buf_done(&out);
        return ret;
}

/* --- words --- */

static struct str expand(struct expansion *e, struct str s, unsigned depth);

static bool is_name_char(char c, bool first)
{
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

static size_t name_length(struct str s)
{
        size_t n = 0;
        while (n < s.n && is_name_char(s.p[n], n == 0))
                n++;
        return n;
}

/* Where the } stands that ends the ${ whose inside begins s, or s.n. */
static size_t closing_brace(struct expansion *e, struct str s)
{
        size_t open = 0;
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == e->r->d->escape)
                        i++;
                else if (s.p[i] == '$' && i + 1 < s.n && s.p[i + 1] == '{')
                        open++;
                else if (s.p[i] == '}' && open-- == 0)
                        return i;
        }
        return s.n;
}

/* ${NAME<modifier>}: `name` is what `v` (or nothing) stands for. False: not known. */
static bool modify(struct expansion *e, const struct dockerfile_variable *v, struct str modifier, unsigned depth,
                   struct str *ret)
{
        bool has_colon = str_starts(modifier, STR(":"));
        char op = modifier.n > has_colon ? modifier.p[has_colon] : 0;
        struct str word = str_from(modifier, has_colon + 1u), value = v ? v->value : STR_NONE;
        bool is_set = v && (value.n || !has_colon);
        if (!modifier.n) {
                *ret = value;
                return true;
        }
        if (op == '-' || op == '+' || op == '?') {
                if (op == '+' ? is_set : op == '-' && !is_set)
                        *ret = expand(e, word, depth + 1);
                else
                        *ret = op == '+' ? STR_NONE : value;
                return op != '?' || is_set;
        }
        if (has_colon || (op != '#' && op != '%' && op != '/'))
                return false;
        bool twice = word.n && word.p[0] == op;
        word = str_from(word, twice);
        if (op == '/') {
                struct str with = word, pattern = str_cut(&with, '/');
                *ret = replaced(e, value, expand(e, pattern, depth + 1), expand(e, with, depth + 1), twice);
        } else {
                *ret = without_affix(e, value, expand(e, word, depth + 1), op == '%', twice);
        }
        return true;
}

/* What follows a $ in s; returns how much of s it took and appends what it stands for. */
static size_t expand_dollar(struct expansion *e, struct str s, unsigned depth, struct buf *out)
{
        bool braced = str_starts(s, STR("{"));
        size_t inside = braced ? closing_brace(e, str_from(s, 1)) : 0;
        struct str name = str_from(s, braced);
        name = str_upto(name, name_length(name));
        size_t used = braced ? MIN(inside + 2, s.n) : name.n;
        struct str as_written = str_upto(s, used), value = STR_NONE;
        if (!name.n || depth >= NESTING_MAX) {
                e->is_known = e->is_known && !braced && depth < NESTING_MAX;
                buf_putc(out, '$');
                buf_add_str(out, as_written);
                return used;
        }
        struct str modifier = braced ? str_from(str_upto(str_from(s, 1), inside), name.n) : STR_NONE;
        const struct dockerfile_variable *v = lookup(e->scope, name);
        bool has_default = str_starts(modifier, STR(":-")) || str_starts(modifier, STR("-"));
        bool nobody_knows = v ? !v->is_known && !(v->is_unset && has_default)
                              : !e->scope || !e->scope->is_complete || is_predefined(name);
        if (v && v->is_unset)
                v = NULL;
        if (nobody_knows || !modify(e, v, modifier, depth, &value)) {
                e->is_known = false;
                buf_putc(out, '$');
                buf_add_str(out, as_written);
        } else {
                buf_add_str(out, value);
        }
        return used;
}

static struct str expand(struct expansion *e, struct str s, unsigned depth)
{
        struct buf out = BUF_INIT(DOCKERFILE_VALUE_MAX);
        char quote = 0, escape = e->r->d->escape;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (c == escape && quote != '\'' && i + 1 < s.n) {
                        char next = s.p[i + 1];
                        if (quote == '"' && next != '"' && next != '$' && next != escape)
                                buf_putc(&out, c);
                        buf_putc(&out, next);
                        i++;
                } else if (quote ? c == quote : c == '"' || c == '\'') {
                        quote = quote ? 0 : c;
                } else if (c == '$' && quote != '\'') {
                        i += expand_dollar(e, str_from(s, i + 1), depth, &out);
                } else {
                        buf_putc(&out, c);
                }
        }
        if (buf_is_full(&out) || !budget_bytes(&e->r->expanded, out.n)) {
                e->is_known = false;
                buf_clear(&out);
        }
        struct str ret = arena_str(e->r->arena, buf_str(&out));
        buf_done(&out);
        return ret;
}

void dockerfile_expand(struct dockerfile_reader *r, const struct dockerfile_scope *scope, struct dockerfile_word *w)
{
        struct expansion e = { .r = r, .scope = scope, .is_known = w->is_known };
        bool is_plain = true;
        for (size_t i = 0; i < w->value.n && is_plain; i++)
                is_plain = w->value.p[i] != '$' && w->value.p[i] != '"' && w->value.p[i] != '\'' &&
                           w->value.p[i] != r->d->escape;
        if (is_plain)
                return;
        struct str value = expand(&e, w->value, 0);
        w->value = value.n || e.is_known ? value : w->value;
        w->is_known = e.is_known;
}

/* --- instructions --- */

static struct dockerfile_variable variable_of(const struct dockerfile_pair *p, bool is_env)
{
        return (struct dockerfile_variable){ .value = p->value.value, .is_known = p->value.is_known, .is_env = is_env };
}

static void evaluate_args(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        struct dockerfile_scope *scope = r->scope ? r->scope : &r->globals;
        for (size_t k = 0; k < i->n_pairs; k++) {
                struct dockerfile_pair *p = &i->pairs[k];
                dockerfile_expand(r, scope, &p->value);
                struct dockerfile_variable v = variable_of(p, false);
                const struct dockerfile_variable *global = lookup(&r->globals, p->name.text);
                if (!p->has_value && r->scope && global)
                        v = *global;
                else if (!p->has_value)
                        v = (struct dockerfile_variable){ .is_unset = true }; /* the command line may set it */
                const struct dockerfile_variable *old = lookup(scope, p->name.text);
                if (!i->is_onbuild && !(old && old->is_env))
                        set(r, scope, p->name.text, v);
        }
}

/* All values of one ENV are expanded before any of its names is set. */
static void evaluate_env(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        for (size_t k = 0; k < i->n_pairs; k++)
                dockerfile_expand(r, r->scope, &i->pairs[k].value);
        for (size_t k = 0; r->scope && !i->is_onbuild && i->keyword == DOCKERFILE_ENV && k < i->n_pairs; k++)
                set(r, r->scope, i->pairs[k].name.text, variable_of(&i->pairs[k], true));
}

static void evaluate_from(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        for (size_t k = 0; k < i->n_words; k++)
                dockerfile_expand(r, &r->globals, &i->words[k]);
        if (i->is_onbuild || !i->n_words)
                return;
        struct dockerfile_stage *s = vec_push(&r->stages);
        size_t number = r->stages.n - 1;
        *s = (struct dockerfile_stage){ .instruction = r->instructions.n - 1,
                                        .image = i->words[0],
                                        .parent = DOCKERFILE_NONE };
        if (i->n_words == 3 && str_eq_nocase(i->words[1].text, STR("AS")))
                s->name = i->words[2];
        else if (i->n_words > 1)
                dockerfile_problem(r, i->words[1].offset, "FROM takes IMAGE, or IMAGE AS NAME");
        i->stage = number;
        for (size_t k = number; k-- > 0;) {
                struct str name = r->stages.v[k].name.text;
                if (name.n && str_eq_nocase(name, s->image.value)) {
                        s->parent = k;
                        break;
                }
        }
        struct dockerfile_scope *scope = arena_new(r->arena, struct dockerfile_scope);
        scope->parent = s->parent == DOCKERFILE_NONE ? NULL : r->scopes.v[s->parent];
        scope->is_complete = scope->parent ? scope->parent->is_complete : str_is(s->image.value, "scratch");
        *vec_push(&r->scopes) = scope;
        r->scope = scope;
}

void dockerfile_evaluate(struct dockerfile_reader *r, struct dockerfile_instruction *i)
{
        bool is_from = i->keyword == DOCKERFILE_FROM;
        for (size_t k = 0; k < i->n_flags; k++)
                dockerfile_expand(r, is_from ? &r->globals : r->scope, &i->flags[k].value);
        switch (i->keyword) {
        case DOCKERFILE_FROM:
                evaluate_from(r, i);
                break;
        case DOCKERFILE_ARG:
                evaluate_args(r, i);
                break;
        case DOCKERFILE_ENV:
        case DOCKERFILE_LABEL:
                evaluate_env(r, i);
                break;
        case DOCKERFILE_ADD:
        case DOCKERFILE_COPY:
        case DOCKERFILE_EXPOSE:
        case DOCKERFILE_STOPSIGNAL:
        case DOCKERFILE_USER:
        case DOCKERFILE_VOLUME:
        case DOCKERFILE_WORKDIR:
                for (size_t k = 0; k < i->n_words; k++)
                        dockerfile_expand(r, r->scope, &i->words[k]);
                break;
        default: /* the rest is left to the shell */
                break;
        }
}

void dockerfile_scopes_done(struct dockerfile_reader *r)
{
        for (size_t i = 0; i < r->scopes.n; i++)
                map_str_done(&r->scopes.v[i]->variables);
        vec_done(&r->scopes);
        map_str_done(&r->globals.variables);
}
