/* The configuration of integrity monitoring. See integrity.h. */
#include "base/fs.h"
#include "flow/integrity.h"
#include "read/yaml.h"

#include <errno.h>
#include <string.h>

#define IN_CONTAINERS "container:"
#define CONFIG_MAX    ((size_t)1 << 20)

static const struct {
        const char *word;
        unsigned bit;
} compares[] = { { "content", COMPARE_CONTENT },
                 { "mode", COMPARE_MODE },
                 { "owner", COMPARE_OWNER },
                 { "xattrs", COMPARE_XATTRS },
                 { "mtime", COMPARE_MTIME } };

void integrity_config_done(struct integrity_config *c)
{
        arena_done(&c->arena);
        vec_done(&c->rules);
        *c = (struct integrity_config){ 0 };
}

static int mistake(struct error *err, const struct yaml_node *at, const char *what)
{
        return error_set(err, -EINVAL, "line %u, column %u: %s", at->line, at->column, what);
}

static int read_path(const struct yaml_node *n, struct integrity_rule *ret, struct error *err)
{
        struct str path = yaml_text(n);
        ret->in_containers = str_starts(path, STR(IN_CONTAINERS));
        if (ret->in_containers)
                path = str_from(path, strlen(IN_CONTAINERS));
        if (!str_starts(path, STR("/")) || str_find(path, STR("/../")) >= 0 || str_ends(path, STR("/..")))
                return mistake(err, n, "path must be absolute, without \"..\": /etc, container:/etc");
        while (path.n && path.p[path.n - 1] == '/')
                path.n--;
        ret->path = path;
        return 0;
}

static int read_compare(const struct yaml_node *n, struct integrity_rule *ret, struct error *err)
{
        if (n->kind != YAML_SEQUENCE || n->n == 0)
                return mistake(err, n, "compare is a list of content, mode, owner, xattrs, mtime");
        ret->compare = 0;
        for (size_t i = 0; i < n->n; i++) {
                unsigned bit = 0;
                for (size_t k = 0; k < ARRAY_SIZE(compares); k++)
                        if (str_is(yaml_text(n->items[i]), compares[k].word))
                                bit = compares[k].bit;
                if (!bit)
                        return mistake(err, n->items[i],
                                       "nothing that can be compared: content, mode, owner, xattrs, mtime");
                ret->compare |= bit;
        }
        return 0;
}

static int read_exclude(const struct yaml_node *n, struct arena *arena, struct integrity_rule *ret, struct error *err)
{
        if (n->kind != YAML_SEQUENCE)
                return mistake(err, n, "exclude is a list of paths, or of ends of names: \"*.swp\"");
        ret->exclude = (struct str_list){ arena_array(arena, n->n, sizeof(struct str)), n->n };
        for (size_t i = 0; i < n->n; i++) {
                struct str text = yaml_text(n->items[i]);
                if (text.n < 2 || (text.p[0] != '/' && text.p[0] != '*'))
                        return mistake(err, n->items[i], "exclude takes absolute paths, or ends of names: \"*.swp\"");
                ret->exclude.v[i] = text;
        }
        return 0;
}

static int read_rule(struct integrity_config *c, const struct yaml_node *n, struct error *err)
{
        struct integrity_rule rule = { .recursive = true, .compare = COMPARE_DEFAULT };
        bool has_path = false;
        int r = n->kind == YAML_MAPPING ? 0 : mistake(err, n, "each item is a mapping with a path");
        for (size_t i = 0; i < n->n && r == 0; i++) {
                const struct yaml_node *key = n->pairs[i].key, *value = n->pairs[i].value;
                struct str name = yaml_text(key);
                if (str_is(name, "path")) {
                        r = read_path(value, &rule, err);
                        has_path = true;
                } else if (str_is(name, "compare")) {
                        r = read_compare(value, &rule, err);
                } else if (str_is(name, "exclude")) {
                        r = read_exclude(value, &c->arena, &rule, err);
                } else if (str_is(name, "recursive")) {
                        r = yaml_bool(value, &rule.recursive) ? 0 : mistake(err, value, "recursive is true or false");
                } else {
                        r = mistake(err, key, "unknown key: there are path, exclude, compare, recursive");
                }
        }
        if (r == 0 && !has_path)
                r = mistake(err, n, "there is no path");
        if (r == 0 && c->rules.n == INTEGRITY_RULES_MAX)
                r = mistake(err, n, "too many paths");
        if (r == 0)
                *vec_push(&c->rules) = rule;
        return r;
}

int integrity_config_parse(struct integrity_config *c, struct str text, struct error *err)
{
        struct yaml y;
        *c = (struct integrity_config){ .arena = ARENA_INIT };
        int r = yaml_read(text, &c->arena, &y, err);
        if (r < 0)
                return r;
        if (y.n != 1 || y.documents[0]->kind != YAML_SEQUENCE || y.documents[0]->n == 0)
                return error_set(err, -EINVAL, "line 1, column 1: one list of paths is wanted: \"- path: /etc\"");
        if (y.n_duplicates)
                return error_set(err, -EINVAL, "line %u, column %u: the key stands there twice", y.duplicates[0].line,
                                 y.duplicates[0].column);
        for (size_t i = 0; i < y.documents[0]->n && r == 0; i++)
                r = read_rule(c, y.documents[0]->items[i], err);
        return r;
}

int integrity_config_read(struct integrity_config *c, const char *path, struct error *err)
{
        _cleanup_(buf_done) struct buf text = BUF_INIT(CONFIG_MAX);
        *c = (struct integrity_config){ 0 };
        int r = read_file(path, &text, err);
        if (r == 0) {
                r = integrity_config_parse(c, buf_str(&text), err);
                if (r < 0)
                        r = error_prefix(err, r, "%s", path);
        }
        return r;
}

static bool is_excluded(const struct integrity_rule *rule, struct str path)
{
        for (size_t i = 0; i < rule->exclude.n; i++) {
                struct str x = rule->exclude.v[i];
                if (x.p[0] == '*' ? str_ends(path, str_from(x, 1))
                                  : str_starts(path, x) && (path.n == x.n || path.p[x.n] == '/'))
                        return true;
        }
        return false;
}

static bool is_below(const struct integrity_rule *rule, struct str path)
{
        if (!str_starts(path, rule->path) || (path.n > rule->path.n && path.p[rule->path.n] != '/'))
                return false;
        struct str rest = str_from(path, rule->path.n + 1);
        return rule->recursive || path.n <= rule->path.n || str_find_char(rest, '/') < 0;
}

const struct integrity_rule *integrity_rule_of(const struct integrity_config *c, struct str path, bool in_container)
{
        for (size_t i = 0; i < c->rules.n; i++) {
                const struct integrity_rule *rule = &c->rules.v[i];
                if (rule->in_containers == in_container && is_below(rule, path) && !is_excluded(rule, path))
                        return rule;
        }
        return NULL;
}
