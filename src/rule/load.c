/* See load.h: files, lists, macros, and what a file requires. */
#include "rule/load.h"

#include <stdarg.h>
#include <stdio.h>

void load_problem(struct loading *l, enum problem_level level, const char *code, const struct yaml_node *node,
                  const char *suggestion, const char *fmt, ...)
{
        char words[400];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(words, sizeof(words), fmt, ap);
        va_end(ap);
        struct problem p = { level, code, node_place(l->file, node), l->about, str_of(words), str_of(suggestion) };
        problems_add(l->problems, &p);
}

bool load_text(struct loading *l, const struct yaml_node *item, const char *key, bool required, struct str *ret)
{
        const struct yaml_node *n = yaml_get(item, key);
        if (!n) {
                if (required)
                        load_problem(l, PROBLEM_ERROR, "missing-key", item, "", "the key %s is missing", key);
                return false;
        }
        if (n->kind != YAML_SCALAR || n->text.n == 0) {
                load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "%s has to be a text that is not empty", key);
                return false;
        }
        *ret = n->text;
        return true;
}

bool load_flag(struct loading *l, const struct yaml_node *item, const char *key, bool *ret)
{
        const struct yaml_node *n = yaml_get(item, key);
        if (!n)
                return false;
        if (yaml_bool(n, ret))
                return true;
        load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "%s has to be true or false", key);
        return false;
}

bool load_texts(struct loading *l, const struct yaml_node *item, const char *key, struct str_list *ret)
{
        const struct yaml_node *n = yaml_get(item, key);
        if (!n)
                return false;
        if (n->kind == YAML_SCALAR) {
                ret->v = arena_new(l->arena, struct str);
                ret->v[0] = n->text;
                ret->n = 1;
                return true;
        }
        if (n->kind != YAML_SEQUENCE) {
                load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "%s has to be a list", key);
                return false;
        }
        ret->v = arena_array(l->arena, n->n, sizeof(*ret->v));
        ret->n = 0;
        for (size_t i = 0; i < n->n; i++) {
                if (n->items[i]->kind == YAML_SCALAR)
                        ret->v[ret->n++] = n->items[i]->text;
                else
                        load_problem(l, PROBLEM_ERROR, "bad-value", n->items[i], "", "%s holds texts only", key);
        }
        return true;
}

struct piece load_piece(struct loading *l, const struct yaml_node *node)
{
        return (struct piece){ PIECE_SCALAR, node->text, node_place(l->file, node), l->file, node, 0 };
}

void load_check_keys(struct loading *l, const struct yaml_node *item, const char *const *keys)
{
        for (size_t i = 0; i < item->n; i++) {
                const struct yaml_node *key = item->pairs[i].key;
                struct str name = yaml_text(key);
                size_t k = 0;
                while (keys[k] && !str_is(name, keys[k]))
                        k++;
                if (keys[k])
                        continue;
                char suggestion[100] = "";
                const char *near = words_nearest(str_upto(name, 60), keys);
                if (near)
                        snprintf(suggestion, sizeof(suggestion), "did you mean %s?", near);
                load_problem(l, PROBLEM_WARNING, "unknown-key", key, suggestion, "unknown key %.*s",
                             STR_FMT(str_upto(name, 100)));
        }
}

static bool load_change(struct loading *l, const struct yaml_pair *pair, const struct changeable *keys,
                        struct changes *ret)
{
        struct str key = yaml_text(pair->key), how = yaml_text(pair->value);
        size_t k = 0;
        while (keys[k].key && !str_is(key, keys[k].key))
                k++;
        if (!keys[k].key) {
                load_problem(l, PROBLEM_ERROR, "bad-override", pair->key, "", "%.*s cannot be overridden",
                             STR_FMT(str_upto(key, 100)));
                return false;
        }
        bool append = str_is(how, "append"), replace = str_is(how, "replace");
        if ((append && keys[k].append) || (replace && keys[k].replace)) {
                ret->by_key[k] = append ? CHANGE_APPEND : CHANGE_REPLACE;
                ret->any = true;
                return true;
        }
        load_problem(l, PROBLEM_ERROR, "bad-override", pair->value, "", "%s can be overridden by%s%s%s", keys[k].key,
                     keys[k].append ? " append" : "", keys[k].append && keys[k].replace ? " or" : "",
                     keys[k].replace ? " replace" : "");
        return false;
}

bool load_changes(struct loading *l, const struct yaml_node *item, const struct changeable *keys, struct changes *ret)
{
        const struct yaml_node *override = yaml_get(item, "override");
        bool ok = true;
        load_flag(l, item, "append", &ret->append_flag);
        if (override && override->kind != YAML_MAPPING) {
                load_problem(l, PROBLEM_ERROR, "bad-override", override, "",
                             "override says of each key: append or replace");
                return false;
        }
        for (size_t i = 0; override && i < override->n; i++)
                ok &= load_change(l, &override->pairs[i], keys, ret);
        if (ret->append_flag && ret->any) {
                load_problem(l, PROBLEM_ERROR, "bad-override", item, "keep override, drop append",
                             "append and override cannot stand together");
                return false;
        }
        for (size_t k = 0; keys[k].key; k++) {
                const struct yaml_node *value = yaml_get(item, keys[k].key);
                if (ret->by_key[k] != CHANGE_NONE && !value) {
                        load_problem(l, PROBLEM_ERROR, "bad-override", override, "",
                                     "override names %s, but the item has none", keys[k].key);
                        ok = false;
                } else if (ret->any && ret->by_key[k] == CHANGE_NONE && value) {
                        load_problem(l, PROBLEM_ERROR, "bad-override", value, "",
                                     "override does not say what becomes of %s", keys[k].key);
                        ok = false;
                }
        }
        return ok;
}

static void warn_if_redefined(struct loading *l, const struct yaml_node *item, struct place before, const char *what)
{
        if (str_eq(before.file, l->file->name))
                load_problem(l, PROBLEM_WARNING, "redefined", item, "",
                             "the %s was defined before in this file, at line %u: this definition replaces it", what,
                             before.line);
}

/* ------------------------------------------------------------------------------------------- lists and macros ---- */

static bool load_items(struct loading *l, const struct yaml_node *item, struct list_item_vec *to)
{
        const struct yaml_node *items = yaml_get(item, "items");
        if (!items || items->kind != YAML_SEQUENCE) {
                load_problem(l, PROBLEM_ERROR, items ? "bad-value" : "missing-key", items ? items : item, "",
                             "a list needs the key items with a list");
                return false;
        }
        for (size_t i = 0; i < items->n; i++) {
                const struct yaml_node *n = items->items[i];
                if (n->kind != YAML_SCALAR)
                        load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "the items of a list are texts or numbers");
                else
                        *vec_push(to) = (struct list_item){ n->text, node_place(l->file, n) };
        }
        return true;
}

static void load_list(struct loading *l, const struct yaml_node *item)
{
        static const char *const keys[] = { "list", "items", "append", "override", NULL };
        static const struct changeable changeable[] = { { "items", true, true }, { NULL } };
        struct changes changes = { 0 };
        struct str name;
        if (!load_text(l, item, "list", true, &name))
                return;
        l->about = arena_printf(l->arena, "list \"%.*s\"", STR_FMT(str_upto(name, 150)));
        load_check_keys(l, item, keys);
        if (!constant_is_bare(name))
                load_problem(l, PROBLEM_WARNING, "bad-name", item, "nothing can use it under this name",
                             "a list's name has no blanks, quotes, parentheses, = or commas");
        if (!load_changes(l, item, changeable, &changes))
                return;
        void **slot = map_str_put(&l->library->list_by_name, name, NULL);
        struct list_def *d = *slot;
        bool append = changes.append_flag || changes.by_key[0] == CHANGE_APPEND;
        if (!d && append) {
                load_problem(l, PROBLEM_ERROR, "nothing-to-change", item, "",
                             "there is no list of that name to append to");
                append = false;
        }
        uint32_t change = l->library->n_changes++;
        if (!d) {
                d = *slot = arena_new(l->arena, struct list_def);
                d->name = name;
                d->index = change;
                *vec_push(&l->library->lists) = d;
        } else if (!append) {
                if (!changes.any)
                        warn_if_redefined(l, item, d->place, "list");
                vec_clear(&d->items);
        }
        if (!append)
                d->place = node_place(l->file, item);
        d->visibility = change;
        load_items(l, item, &d->items);
}

static void load_macro(struct loading *l, const struct yaml_node *item)
{
        static const char *const keys[] = { "macro", "condition", "append", "override", NULL };
        static const struct changeable changeable[] = { { "condition", true, true }, { NULL } };
        struct changes changes = { 0 };
        struct str name, condition;
        if (!load_text(l, item, "macro", true, &name))
                return;
        l->about = arena_printf(l->arena, "macro \"%.*s\"", STR_FMT(str_upto(name, 150)));
        load_check_keys(l, item, keys);
        if (!is_identifier(name))
                load_problem(l, PROBLEM_WARNING, "bad-name", item, "nothing can use it under this name",
                             "a macro's name is a letter, then letters, digits and underscores");
        if (!load_text(l, item, "condition", true, &condition) || !load_changes(l, item, changeable, &changes))
                return;
        void **slot = map_str_put(&l->library->macro_by_name, name, NULL);
        struct macro_def *d = *slot;
        bool append = changes.append_flag || changes.by_key[0] == CHANGE_APPEND;
        if (!d && append) {
                load_problem(l, PROBLEM_ERROR, "nothing-to-change", item, "",
                             "there is no macro of that name to append to");
                append = false;
        }
        uint32_t change = l->library->n_changes++;
        if (!d) {
                d = *slot = arena_new(l->arena, struct macro_def);
                d->name = name;
                d->index = change;
                *vec_push(&l->library->macros) = d;
        } else if (!append) {
                if (!changes.any)
                        warn_if_redefined(l, item, d->place, "macro");
                vec_clear(&d->pieces);
        }
        if (!append)
                d->place = node_place(l->file, item);
        d->visibility = change;
        *vec_push(&d->pieces) = load_piece(l, yaml_get(item, "condition"));
}

/* ----------------------------------------------------------------------------------------------- requirements ---- */

/* "0.57.0", or 57 in the old way. */
static bool parse_engine(struct str s, uint64_t part[static 3])
{
        uint64_t n;
        if (str_u64(s, &n)) {
                part[0] = part[2] = 0;
                part[1] = n;
                return true;
        }
        struct str core = str_cut(&s, '-');
        for (int i = 0; i < 3; i++)
                if (!core.p || !str_u64(str_cut(&core, '.'), &part[i]))
                        return false;
        return !core.p;
}

static void load_engine(struct loading *l, const struct yaml_node *item)
{
        const struct yaml_node *n = yaml_get(item, "required_engine_version");
        static const char *const keys[] = { "required_engine_version", NULL };
        uint64_t part[3];
        load_check_keys(l, item, keys);
        if (n->kind != YAML_SCALAR || !parse_engine(n->text, part)) {
                load_problem(l, PROBLEM_ERROR, "bad-value", n, "write 0.57.0 or 57",
                             "required_engine_version is no version");
                return;
        }
        if (part[0] > 0 || part[1] > FALCO_ENGINE_MINOR)
                load_problem(l, PROBLEM_ERROR, "engine-version", n, "",
                             "the file is written for Falco's engine %.*s; what is spoken here is 0.%d.0",
                             STR_FMT(str_upto(n->text, 40)), FALCO_ENGINE_MINOR);
}

static bool check_plugin(struct loading *l, const struct yaml_node *n, bool *ret_known)
{
        static const char *const known[] = { "container", NULL };
        static const char *const keys[] = { "name", "version", "alternatives", NULL };
        struct str name, version;
        uint64_t part[3];
        if (n->kind != YAML_MAPPING) {
                load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "a required plugin has a name and a version");
                return false;
        }
        load_check_keys(l, n, keys);
        if (!load_text(l, n, "name", true, &name) || !load_text(l, n, "version", true, &version))
                return false;
        if (!parse_engine(version, part)) {
                load_problem(l, PROBLEM_ERROR, "bad-value", yaml_get(n, "version"), "write 0.4.0", "%.*s is no version",
                             STR_FMT(str_upto(version, 40)));
                return false;
        }
        for (size_t i = 0; known[i]; i++)
                *ret_known |= str_is(name, known[i]);
        return true;
}

static void load_plugins(struct loading *l, const struct yaml_node *item)
{
        const struct yaml_node *n = yaml_get(item, "required_plugin_versions");
        if (n->kind != YAML_SEQUENCE) {
                load_problem(l, PROBLEM_ERROR, "bad-value", n, "", "required_plugin_versions has to be a list");
                return;
        }
        for (size_t i = 0; i < n->n; i++) {
                const struct yaml_node *plugin = n->items[i], *others = yaml_get(plugin, "alternatives");
                bool is_known = false, ok = check_plugin(l, plugin, &is_known);
                if (others && others->kind != YAML_SEQUENCE) {
                        load_problem(l, PROBLEM_ERROR, "bad-value", others, "", "alternatives has to be a list");
                        continue;
                }
                for (size_t j = 0; others && j < others->n; j++)
                        ok &= check_plugin(l, others->items[j], &is_known);
                if (ok && !is_known)
                        load_problem(l, PROBLEM_WARNING, "plugin", plugin, "",
                                     "the file is written for Falco's plugin %.*s: there are no plugins here, rules "
                                     "that need "
                                     "its fields will say so",
                                     STR_FMT(str_upto(yaml_text(yaml_get(plugin, "name")), 60)));
        }
}

/* ------------------------------------------------------------------------------------------------------ files ---- */

static const struct {
        const char *key;
        void (*load)(struct loading *l, const struct yaml_node *item);
} kinds[] = {
        { "required_engine_version", load_engine },
        { "required_plugin_versions", load_plugins },
        { "list", load_list },
        { "macro", load_macro },
        { "rule", load_rule },
        { "settings", NULL }, /* of a policy: whoever decides reads them (decide/policy.c) */
};

static void load_item(struct loading *l, const struct yaml_node *item)
{
        l->about = STR_NONE;
        if (yaml_is_null(item))
                return;
        if (item->kind != YAML_MAPPING) {
                load_problem(l, PROBLEM_ERROR, "bad-value", item, "",
                             "an item of a rule file is a mapping: - rule: name ...");
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (yaml_get(item, kinds[i].key)) {
                        if (kinds[i].load)
                                kinds[i].load(l, item);
                        return;
                }
        static const char *const words[] = {
                "rule", "macro", "list", "required_engine_version", "required_plugin_versions", NULL
        };
        struct str first = item->n > 0 ? yaml_text(item->pairs[0].key) : STR_NONE;
        const char *near = words_nearest(str_upto(first, 60), words);
        char suggestion[80] = "";
        if (near)
                snprintf(suggestion, sizeof(suggestion), "did you mean %s?", near);
        load_problem(l, PROBLEM_WARNING, "unknown-item", item, suggestion,
                     "the item is neither a rule nor a macro nor a list");
}

void load_file(struct loading *l)
{
        const struct yaml *y = &l->file->yaml;
        for (size_t i = 0; i < y->n_duplicates; i++) {
                struct yaml_node at = { .line = y->duplicates[i].line, .column = y->duplicates[i].column };
                l->about = STR_NONE;
                load_problem(l, PROBLEM_ERROR, "duplicate-key", &at, "",
                             "the key %.*s stands there twice, first at line %u",
                             STR_FMT(str_upto(y->duplicates[i].key, 100)), y->duplicates[i].first_line);
        }
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml_node *document = y->documents[i];
                l->about = STR_NONE;
                if (yaml_is_null(document))
                        continue;
                if (document->kind != YAML_SEQUENCE) {
                        load_problem(l, PROBLEM_ERROR, "bad-value", document, "",
                                     "a rule file is a list of items: - rule: name ...");
                        continue;
                }
                for (size_t j = 0; j < document->n; j++)
                        load_item(l, document->items[j]);
        }
}
