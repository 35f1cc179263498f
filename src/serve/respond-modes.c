/* See respond-modes.h. */
#include "serve/respond-modes.h"

#include "base/fs.h"
#include "base/nearest.h"
#include "read/yaml.h"
#include "sense/container.h"

#include <errno.h>
#include <fnmatch.h>

const char *const respond_mode_names[RESPOND_MODES] = { "enforce", "alert", "log" };

bool respond_mode_parse(struct str word, enum respond_mode *ret)
{
        for (unsigned i = 0; i < RESPOND_MODES; i++)
                if (str_is(word, respond_mode_names[i])) {
                        *ret = (enum respond_mode)i;
                        return true;
                }
        return false;
}

static int wrong(struct error *err, const char *path, const struct yaml_node *at, const char *words)
{
        return error_set(err, -EINVAL, "%s:%u:%u: %s", path, at->line, at->column, words);
}

/* One key of an entry. */
static int take_key(struct respond_entry *e, const char *path, const struct yaml_pair *pair, bool *has_mode,
                    struct error *err)
{
        const struct {
                const char *key;
                const char **to;
        } globs[] = { { "rule", &e->rule }, { "image", &e->image }, { "name", &e->name }, { "label", &e->label } };
        struct str key = yaml_text(pair->key), text = yaml_text(pair->value);
        if (pair->value->kind != YAML_SCALAR)
                return wrong(err, path, pair->value, "this is one text");
        for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
                if (str_is(key, globs[i].key)) {
                        *globs[i].to = text.p; /* ends in a NUL, as every scalar */
                        return 0;
                }
        if (!str_is(key, "mode"))
                return wrong(err, path, pair->key, "there is no such key: rule, image, name, label and mode are known");
        *has_mode = respond_mode_parse(text, &e->mode);
        return *has_mode ? 0 : wrong(err, path, pair->value, "a mode is enforce, alert or log");
}

static int take_entry(struct respond_modes *m, const char *path, const struct yaml_node *n, struct error *err)
{
        struct respond_entry *e = &m->v[m->n++];
        bool has_mode = false;
        if (n->kind != YAML_MAPPING)
                return wrong(err, path, n, "an entry has a mode, and globs of what it is for");
        for (size_t i = 0; i < n->n; i++) {
                int r = take_key(e, path, &n->pairs[i], &has_mode, err);
                if (r < 0)
                        return r;
        }
        return has_mode ? 0 : wrong(err, path, n, "the mode is missing: enforce, alert or log");
}

static int take_list(struct respond_modes *m, const char *path, const struct yaml *yaml, struct error *err)
{
        if (yaml->n == 0 || yaml_is_null(yaml->documents[0]))
                return 0;
        const struct yaml_node *list = yaml->documents[0];
        if (yaml->n > 1 || list->kind != YAML_SEQUENCE)
                return wrong(err, path, yaml->n > 1 ? yaml->documents[1] : list, "the file is one list of entries");
        if (list->n > RESPOND_ENTRIES_MAX)
                return wrong(err, path, list, "there are more than 1000 entries");
        if (yaml->n_duplicates)
                return error_set(err, -EINVAL, "%s:%u:%u: the key stands twice in one entry", path,
                                 yaml->duplicates[0].line, yaml->duplicates[0].column);
        m->v = arena_array(&m->arena, list->n, sizeof(*m->v));
        for (size_t i = 0; i < list->n; i++) {
                int r = take_entry(m, path, list->items[i], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int respond_modes_parse(struct str text, const char *path, enum respond_mode otherwise, struct respond_modes *ret,
                        struct error *err)
{
        struct respond_modes m = { .otherwise = otherwise };
        struct yaml yaml;
        int r = yaml_read(text, &m.arena, &yaml, err);
        if (r < 0)
                r = error_prefix(err, r, "%s", path);
        else
                r = take_list(&m, path, &yaml, err);
        if (r < 0)
                respond_modes_done(&m);
        else
                *ret = m;
        return r;
}

int respond_modes_load(const char *path, enum respond_mode otherwise, struct respond_modes *ret, struct error *err)
{
        _cleanup_(buf_done) struct buf b = BUF_INIT(RESPOND_FILE_BYTES_MAX);
        if (!path) {
                *ret = (struct respond_modes){ .otherwise = otherwise };
                return 0;
        }
        int r = read_file(path, &b, err);
        return r < 0 ? r : respond_modes_parse(buf_str(&b), path, otherwise, ret, err);
}

void respond_modes_done(struct respond_modes *m)
{
        arena_done(&m->arena);
        *m = (struct respond_modes){ 0 };
}

#define TEXT_MAX 1024u /* of a name that is compared; longer ones are cut */

static bool fits(const char *glob, struct str text)
{
        char copy[TEXT_MAX];
        if (!glob)
                return true;
        snprintf(copy, sizeof(copy), "%.*s", STR_FMT(text));
        return fnmatch(glob, copy, 0) == 0;
}

static bool has_label(const char *glob, const struct container_entry *c)
{
        for (size_t i = 0; glob && i < c->facts.labels.n; i++)
                if (fits(glob, c->facts.labels.v[i]))
                        return true;
        return !glob;
}

enum respond_mode respond_mode_of(const struct respond_modes *m, const struct rule *rule,
                                  const struct container_entry *c)
{
        for (size_t i = 0; i < m->n; i++) {
                const struct respond_entry *e = &m->v[i];
                if (fits(e->rule, rule->name) && fits(e->image, c->facts.image) &&
                    fits(e->name, c->facts.name.n ? c->facts.name : c->id) && has_label(e->label, c))
                        return e->mode;
        }
        return m->otherwise;
}

bool respond_always_enforces(const struct respond_modes *m, const struct rule *rule)
{
        for (size_t i = 0; i < m->n; i++) {
                const struct respond_entry *e = &m->v[i];
                if (!fits(e->rule, rule->name))
                        continue;
                if (e->mode != RESPOND_ENFORCE)
                        return false;
                if (!e->image && !e->name && !e->label) /* nothing gets past it */
                        return true;
        }
        return m->otherwise == RESPOND_ENFORCE;
}
