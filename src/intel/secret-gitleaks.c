/* See secret-gitleaks.h. */
#include "intel/secret-gitleaks.h"

#include "base/vec.h"
#include "read/toml.h"

#include <errno.h>
#include <stdlib.h>

VEC_TYPE(str_vec, struct str);
VEC_TYPE(regex_vec, struct regex *);
VEC_TYPE(allow_vec, struct secret_allow);

struct loader {
        struct secret_config *config;
        struct str_vec problems;
        struct str rule; /* at hand, for the words; empty: none */
};

static void problem(struct loader *l, const struct toml *at, const char *words, struct str more)
{
        struct arena *a = &l->config->arena;
        if (l->problems.n >= SECRET_PROBLEMS_MAX)
                return;
        *vec_push(&l->problems) = arena_printf(a, "line %u: %s%.*s%s%s%.*s", at->line, l->rule.n ? "rule " : "",
                                               STR_FMT(l->rule), l->rule.n ? ": " : "", words, STR_FMT(more));
}

/* --- values of a table --- */

static struct str text_of(struct loader *l, const struct toml *table, const char *key)
{
        const struct toml *v = toml_get(table, key);
        if (v && v->type != TOML_STRING)
                problem(l, v, key, STR(" should be a string"));
        return v && v->type == TOML_STRING ? v->text : STR_NONE;
}

static struct str_list texts_of(struct loader *l, const struct toml *table, const char *key)
{
        const struct toml *v = toml_get(table, key);
        struct str_list list = { 0 };
        if (!v)
                return list;
        if (v->type != TOML_ARRAY) {
                problem(l, v, key, STR(" should be an array of strings"));
                return list;
        }
        list.v = arena_array(&l->config->arena, v->n, sizeof(*list.v));
        for (const struct toml_entry *e = v->entries; e; e = e->next)
                if (e->value->type == TOML_STRING)
                        list.v[list.n++] = e->value->text;
                else
                        problem(l, e->value, key, STR(" should hold strings"));
        return list;
}

static struct regex *pattern_of(struct loader *l, const struct toml *at, struct str pattern)
{
        struct error why = ERROR_NONE;
        struct regex *r = NULL;
        if (regex_new(pattern, 0, &r, &why) < 0)
                problem(l, at, "the pattern cannot be used: ", str_of(why.text));
        return r;
}

static struct regex_list patterns_of(struct loader *l, const struct toml *table, const char *key)
{
        struct regex_list list = { 0 };
        const struct toml *v = toml_get(table, key);
        struct str_list texts = texts_of(l, table, key);
        list.v = arena_array(&l->config->arena, texts.n, sizeof(*list.v));
        for (size_t i = 0; i < texts.n; i++) {
                struct regex *r = pattern_of(l, v, texts.v[i]);
                if (r)
                        list.v[list.n++] = r;
        }
        return list;
}

static bool is_known(struct str key, const char *const *known)
{
        for (; *known; known++)
                if (str_is(key, *known))
                        return true;
        return false;
}

/* A key that nobody reads is most likely a mistake: it is said, not skipped. */
static void check_keys(struct loader *l, const struct toml *table, const char *const *known)
{
        for (const struct toml_entry *e = table->entries; e; e = e->next)
                if (!is_known(e->key, known))
                        problem(l, e->value, "unknown key ", e->key);
}

/* --- allow lists --- */

static void lower(struct arena *a, struct str *s)
{
        char *p = arena_alloc(a, s->n + 1);
        for (size_t i = 0; i < s->n; i++)
                p[i] = s->p[i] >= 'A' && s->p[i] <= 'Z' ? (char)(s->p[i] + 32) : s->p[i];
        *s = str_span(p, s->n);
}

static void read_allow(struct loader *l, const struct toml *t, struct secret_allow *ret)
{
        static const char *const known[] = { "description", "regexes", "paths",       "stopwords", "regexTarget",
                                             "condition",   "commits", "targetRules", "id",        NULL };
        check_keys(l, t, known);
        *ret = (struct secret_allow){ .regexes = patterns_of(l, t, "regexes"),
                                      .paths = patterns_of(l, t, "paths"),
                                      .stopwords = texts_of(l, t, "stopwords") };
        for (size_t i = 0; i < ret->stopwords.n; i++)
                lower(&l->config->arena, &ret->stopwords.v[i]);
        struct str target = text_of(l, t, "regexTarget"), condition = text_of(l, t, "condition");
        if (str_is(target, "match"))
                ret->target = TARGET_MATCH;
        else if (str_is(target, "line"))
                ret->target = TARGET_LINE;
        else if (target.n && !str_is(target, "secret"))
                problem(l, t, "regexTarget is secret, match or line, not ", target);
        ret->all = str_eq_nocase(condition, STR("AND")) || str_is(condition, "&&");
        if (condition.n && !ret->all && !str_eq_nocase(condition, STR("OR")) && !str_is(condition, "||"))
                problem(l, t, "condition is AND or OR, not ", condition);
        if (toml_get(t, "targetRules"))
                problem(l, t, "targetRules is not taken: write the list into the rule", STR_NONE);
}

static struct secret_allows read_allows(struct loader *l, const struct toml *table)
{
        struct allow_vec all = { 0 };
        static const char *const names[] = { "allowlist", "allowlists" };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct toml *v = toml_get(table, names[i]);
                if (v && v->type == TOML_TABLE)
                        read_allow(l, v, vec_push(&all));
                else if (v && v->type == TOML_ARRAY)
                        for (const struct toml_entry *e = v->entries; e; e = e->next)
                                read_allow(l, e->value, vec_push(&all));
                else if (v)
                        problem(l, v, names[i], STR(" should be a table"));
        }
        struct secret_allows ret = { .v = arena_array(&l->config->arena, all.n, sizeof(*ret.v)), .n = all.n };
        if (all.n)
                memcpy(ret.v, all.v, all.n * sizeof(*all.v));
        vec_done(&all);
        return ret;
}

static bool matches_any(struct regex_matcher *m, const struct regex_list *list, struct str text)
{
        struct str group;
        for (size_t i = 0; i < list->n; i++)
                if (regex_find(m, list->v[i], text, 0, &group, 1) == 1)
                        return true;
        return false;
}

static bool holds_stopword(const struct str_list *words, struct str secret)
{
        char copy[1024];
        size_t n = MIN(secret.n, sizeof(copy));
        for (size_t i = 0; i < n; i++)
                copy[i] = secret.p[i] >= 'A' && secret.p[i] <= 'Z' ? (char)(secret.p[i] + 32) : secret.p[i];
        for (size_t i = 0; i < words->n; i++)
                if (str_find(str_span(copy, n), words->v[i]) >= 0)
                        return true;
        return false;
}

bool secret_is_allowed(const struct secret_allows *a, struct regex_matcher *m, struct str path, struct str secret,
                       struct str match, struct str line)
{
        for (size_t i = 0; i < a->n; i++) {
                const struct secret_allow *x = &a->v[i];
                struct str target = x->target == TARGET_LINE ? line : x->target == TARGET_MATCH ? match : secret;
                size_t given = (x->paths.n != 0) + (x->regexes.n != 0) + (x->stopwords.n != 0);
                size_t agreed = (size_t)(x->paths.n && matches_any(m, &x->paths, path)) +
                                (size_t)(x->regexes.n && matches_any(m, &x->regexes, target)) +
                                (size_t)(x->stopwords.n && holds_stopword(&x->stopwords, secret));
                if (x->all ? given && agreed == given : agreed)
                        return true;
        }
        return false;
}

/* --- rules --- */

static char *join_keywords(struct loader *l, const struct toml *t)
{
        struct str_list words = texts_of(l, t, "keywords");
        struct buf b = BUF_INIT(64u << 10);
        for (size_t i = 0; i < words.n; i++) {
                if (words.v[i].n < 2 || words.v[i].n > 256 || str_find_char(words.v[i], '|') >= 0) {
                        problem(l, toml_get(t, "keywords"), "a keyword has 2 to 256 bytes and no |: ", words.v[i]);
                        continue;
                }
                buf_add_str(&b, words.v[i]);
                buf_putc(&b, '|');
        }
        char *joined = arena_cstr(&l->config->arena, str_upto(buf_str(&b), b.n ? b.n - 1 : 0));
        buf_done(&b);
        return joined;
}

static void read_numbers(struct loader *l, const struct toml *t, struct secret_custom *c)
{
        const struct toml *group = toml_get(t, "secretGroup"), *entropy = toml_get(t, "entropy");
        if (group && (group->type != TOML_INTEGER || group->integer < 0 || !c->regex ||
                      (uint64_t)group->integer > regex_groups(c->regex) || group->integer >= REGEX_GROUPS_MAX))
                problem(l, group, "secretGroup is no group of the pattern", STR_NONE);
        else if (group)
                c->group = (unsigned)group->integer;
        if (entropy && entropy->type != TOML_FLOAT && entropy->type != TOML_INTEGER) {
                problem(l, entropy, "entropy should be a number", STR_NONE);
        } else if (entropy) {
                c->has_entropy = true;
                c->entropy = entropy->type == TOML_FLOAT ? entropy->real : (double)entropy->integer;
        }
}

static void read_rule(struct loader *l, const struct toml *t, struct secret_rule *to)
{
        static const char *const known[] = { "id",        "description", "regex",      "secretGroup",
                                             "entropy",   "keywords",    "path",       "tags",
                                             "allowlist", "allowlists",  "skipReport", NULL };
        struct arena *a = &l->config->arena;
        struct secret_custom *c = arena_new(a, struct secret_custom);
        struct str id = text_of(l, t, "id"), description = text_of(l, t, "description");
        l->rule = str_upto(id, 80);
        if (!id.n)
                problem(l, t, "a rule needs an id", STR_NONE);
        check_keys(l, t, known);
        struct str regex = text_of(l, t, "regex"), path = text_of(l, t, "path");
        if (!regex.n && !path.n)
                problem(l, t, "a rule needs a regex or a path", STR_NONE);
        c->regex = regex.n ? pattern_of(l, toml_get(t, "regex"), regex) : NULL;
        c->path = path.n ? pattern_of(l, toml_get(t, "path"), path) : NULL;
        read_numbers(l, t, c);
        c->allows = read_allows(l, t);
        *to = (struct secret_rule){ .id = arena_cstr(a, id),
                                    .title = arena_cstr(a, description.n ? description : id),
                                    .severity = SEVERITY_HIGH,
                                    .confidence = CONFIDENCE_MEDIUM,
                                    .keywords = join_keywords(l, t),
                                    .flags = SECRET_NEAR | SECRET_LOOSE,
                                    .custom = c };
        l->rule = STR_NONE;
}

static void read_rules(struct loader *l, const struct toml *root)
{
        const struct toml *rules = toml_get(root, "rules");
        if (!rules)
                return;
        if (rules->type != TOML_ARRAY) {
                problem(l, rules, "rules are written as [[rules]]", STR_NONE);
                return;
        }
        if (rules->n > SECRET_CUSTOM_MAX) {
                problem(l, rules, "more rules than are taken (1024)", STR_NONE);
                return;
        }
        struct secret_config *c = l->config;
        c->rules = arena_array(&c->arena, rules->n, sizeof(*c->rules));
        for (const struct toml_entry *e = rules->entries; e; e = e->next) {
                if (e->value->type != TOML_TABLE) {
                        problem(l, e->value, "a rule is a table", STR_NONE);
                        continue;
                }
                struct secret_rule *r = &c->rules[c->n_rules];
                read_rule(l, e->value, r);
                for (size_t i = 0; i < c->n_rules; i++)
                        if (strcmp(c->rules[i].id, r->id) == 0)
                                problem(l, e->value, "there is another rule with this id: ", str_of(r->id));
                ((struct secret_custom *)r->custom)->index = (uint32_t)c->n_rules++;
        }
}

static void read_extend(struct loader *l, const struct toml *root)
{
        static const char *const known[] = { "useDefault", "disabledRules", "path", "url", NULL };
        const struct toml *t = toml_get(root, "extend");
        if (!t)
                return;
        check_keys(l, t, known);
        if (toml_get(t, "path") || toml_get(t, "url"))
                problem(l, t, "[extend] path and url are not followed: give the files one by one", STR_NONE);
        l->config->disabled = texts_of(l, t, "disabledRules");
}

int secret_config_parse(struct str text, struct secret_config **ret, struct error *err)
{
        static const char *const known[] = { "title",      "description", "rules",      "allowlist",
                                             "allowlists", "extend",      "minVersion", NULL };
        struct toml *root;
        if (text.n > SECRET_CONFIG_BYTES_MAX)
                return error_set(err, -EFBIG, "%zu bytes; at most %u are read", text.n, SECRET_CONFIG_BYTES_MAX);
        struct secret_config *c = xcalloc(1, sizeof(*c));
        int r = toml_parse(text, &c->arena, &root, err);
        if (r < 0) {
                secret_config_free(c);
                return r;
        }
        struct loader l = { .config = c };
        check_keys(&l, root, known);
        read_rules(&l, root);
        c->allows = read_allows(&l, root);
        read_extend(&l, root);
        c->problems = (struct str_list){ arena_array(&c->arena, l.problems.n, sizeof(struct str)), l.problems.n };
        if (l.problems.n)
                memcpy(c->problems.v, l.problems.v, l.problems.n * sizeof(struct str));
        vec_done(&l.problems);
        *ret = c;
        return 0;
}

/* --- the end --- */

static void free_list(const struct regex_list *list)
{
        for (size_t i = 0; i < list->n; i++)
                regex_free(list->v[i]);
}

static void free_allows(const struct secret_allows *a)
{
        for (size_t i = 0; i < a->n; i++) {
                free_list(&a->v[i].regexes);
                free_list(&a->v[i].paths);
        }
}

void secret_config_free(struct secret_config *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->n_rules; i++) {
                regex_free(c->rules[i].custom->regex);
                regex_free(c->rules[i].custom->path);
                free_allows(&c->rules[i].custom->allows);
        }
        free_allows(&c->allows);
        arena_done(&c->arena);
        free(c);
}
