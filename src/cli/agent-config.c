/* See agent-config.h. */
#include "cli/agent-config.h"

#include "base/fs.h"
#include "read/yaml.h"

#include <errno.h>
#include <string.h>

struct config {
        const char *path;
        const struct option_spec *options;
        int (*option)(void *state, const struct option_spec *o, const char *value, struct error *err);
        void *state;
        struct arena *arena;
        struct error *err;
};

static int wrong(const struct config *c, const struct yaml_node *at, const char *words, const char *name)
{
        return error_set(c->err, -EINVAL, "%s:%u:%u: %s%s%s", c->path, at->line, at->column, words, name ? " " : "",
                         name ? name : "");
}

static const struct option_spec *find(const struct config *c, struct str name)
{
        const struct option_spec *o = c->options;
        while (o->name && (!str_is(name, o->name) || str_is(name, "config"))) /* no file names another */
                o++;
        return o->name ? o : NULL;
}

static int give(const struct config *c, const struct option_spec *o, const struct yaml_node *value)
{
        bool flag;
        struct error why = ERROR_NONE;
        if (value->kind != YAML_SCALAR || yaml_is_null(value))
                return wrong(c, value, "one value or a list of them is wanted for", o->name);
        if (o->argument && str_find_char(value->text, '\0') >= 0)
                return wrong(c, value, "a value with a NUL in it, of", o->name);
        if (!o->argument && !yaml_bool(value, &flag))
                return wrong(c, value, "true or false is wanted for", o->name);
        if (!o->argument && !flag)
                return 0;
        const char *text = o->argument ? arena_cstr(c->arena, value->text) : NULL;
        int r = c->option(c->state, o, text, &why);
        return r < 0 ? error_set(c->err, r, "%s:%u:%u: %s: %s", c->path, value->line, value->column, o->name, why.text)
                     : 0;
}

static int take(const struct config *c, const struct yaml_node *root)
{
        if (yaml_is_null(root))
                return 0;
        if (root->kind != YAML_MAPPING)
                return wrong(c, root, "options by their names are wanted, as in \"alerts: FILE\"", NULL);
        for (size_t i = 0; i < root->n; i++) {
                const struct yaml_pair *p = &root->pairs[i];
                const struct option_spec *o = find(c, yaml_text(p->key));
                int r = 0;
                if (!o)
                        return wrong(c, p->key, "the agent has no option that is called",
                                     arena_cstr(c->arena, yaml_text(p->key)));
                if (p->value->kind != YAML_SEQUENCE)
                        r = give(c, o, p->value);
                for (size_t k = 0; r == 0 && p->value->kind == YAML_SEQUENCE && k < p->value->n; k++)
                        r = give(c, o, p->value->items[k]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int agent_config_load(const char *path, const struct option_spec *options,
                      int (*option)(void *state, const struct option_spec *o, const char *value, struct error *err),
                      void *state, struct arena *arena, struct error *err)
{
        struct config c = { path, options, option, state, arena, err };
        struct buf bytes = BUF_INIT(CONFIG_BYTES_MAX);
        struct yaml y;
        int r = read_file(path, &bytes, err);
        if (r == 0 && yaml_read(buf_str(&bytes), arena, &y, err) < 0)
                r = error_prefix(err, -EINVAL, "%s", path);
        if (r == 0 && y.n > 1)
                r = error_set(err, -EINVAL, "%s: holds more than one document", path);
        if (r == 0 && y.n_duplicates > 0)
                r = error_set(err, -EINVAL, "%s:%u:%u: stands there twice: %.*s", path, y.duplicates[0].line,
                              y.duplicates[0].column, STR_FMT(y.duplicates[0].key));
        if (r == 0 && y.n == 1)
                r = take(&c, y.documents[0]);
        buf_done(&bytes);
        return r;
}
