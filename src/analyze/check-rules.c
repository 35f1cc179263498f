/* See check-rules.h. One set for the process: it is loaded once, and never changes while a checker runs. */
#include "analyze/check-rules.h"

#include <stdlib.h>

static const struct {
        const char *name, *summary;
        struct str text;
} shipped[] = {
#include "analyze/check-texts.h"
};

static struct {
        struct rule_set *set;
        struct rule_eval *eval;
        struct check *checks; /* of each rule, by its index */
        size_t n;
        struct arena arena;
} own;

/* ------------------------------------------------------------------------------------------------------ rules ---- */

static bool is_optional(const struct rule *r)
{
        for (size_t i = 0; i < r->tags.n; i++)
                if (str_is(r->tags.v[i], "optional"))
                        return true;
        return false;
}

/* "alias:" tags are other ids, the others tags. Separated by spaces, as checks have them; NULL without any. */
static const char *tags_of(const struct rule *r, bool want_aliases)
{
        static const char mark[] = "alias:";
        _cleanup_(buf_done) struct buf b = BUF_INIT(16 << 10);
        for (size_t i = 0; i < r->tags.n; i++) {
                struct str tag = r->tags.v[i];
                bool is_alias = str_starts(tag, STR(mark));
                if (is_alias == want_aliases && !str_is(tag, "optional"))
                        buf_printf(&b, "%s%.*s", b.n ? " " : "",
                                   STR_FMT(is_alias ? str_from(tag, sizeof(mark) - 1) : tag));
        }
        return b.n ? arena_cstr(&own.arena, buf_str(&b)) : NULL;
}

static void take_set(struct rule_set *set)
{
        own.set = set;
        own.eval = rule_eval_new(set);
        own.n = rule_set_n(set);
        own.checks = arena_array(&own.arena, own.n, sizeof(*own.checks));
        for (size_t i = 0; i < own.n; i++) {
                const struct rule *r = rule_set_rule(set, i);
                own.checks[i] = (struct check){ .id = arena_cstr(&own.arena, r->name),
                                                .aliases = tags_of(r, true),
                                                .severity = r->severity,
                                                .title = arena_cstr(&own.arena, r->desc),
                                                .why = arena_cstr(&own.arena, r->why),
                                                .fix = arena_cstr(&own.arena, r->fix),
                                                .tags = tags_of(r, false),
                                                .is_quiet = is_optional(r) };
        }
}

int check_rules_add(const struct check_rule_file *files, size_t n, struct problems *ret_problems)
{
        struct rule_options options = { .stages = STAGE_CHECK };
        struct rule_loader *l = rule_loader_new(&options);
        struct rule_set *set = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(shipped); i++)
                rule_loader_add_file(l, str_of(shipped[i].name), shipped[i].text);
        for (size_t i = 0; i < n; i++)
                rule_loader_add_file(l, files[i].name, files[i].bytes);
        int r = rule_loader_finish(l, &set, ret_problems);
        rule_loader_free(l);
        if (r != 0)
                return r;
        rule_eval_free(own.eval);
        rule_set_free(own.set);
        arena_done(&own.arena);
        take_set(set);
        return 0;
}

/* The shipped rules alone, where nobody added any. They are tested: a mistake in them is one of the program. */
static void load_shipped(void)
{
        struct problems problems = { 0 };
        if (own.set)
                return;
        if (check_rules_add(NULL, 0, &problems) != 0)
                abort();
        problems_done(&problems);
}

const struct check *check_rules_at(size_t i)
{
        load_shipped();
        return i < own.n ? &own.checks[i] : NULL;
}

/* ----------------------------------------------------------------------------------------------------- values ---- */

/* What is looked for in a tree: the values at a path, and where the first of them stands. */
struct search {
        struct str names[CHECK_PATH_NAMES];
        size_t n_names;
        const struct yaml_node *first; /* anything but null that is there */
        VEC(struct value) values;
        bool want_numbers;
        struct arena *arena;
};

static bool split(struct str path, struct search *s)
{
        while (path.p) {
                if (s->n_names == CHECK_PATH_NAMES)
                        return false;
                s->names[s->n_names++] = str_cut(&path, '.');
        }
        return true;
}

static void take_scalar(struct search *s, const struct yaml_node *n)
{
        bool yes;
        int64_t number;
        if (s->values.n == CHECK_VALUES_MAX)
                return;
        if (s->want_numbers) {
                if (yaml_int(n, &number))
                        *vec_push(&s->values) = value_number(number);
        } else if (yaml_bool(n, &yes)) {
                *vec_push(&s->values) = value_string(yes ? STR("true") : STR("false"));
        } else {
                *vec_push(&s->values) = value_string(yaml_text(n));
        }
}

/* A list on the way stands for each of its items. Nothing is deeper than a YAML file may be. */
static void search(struct search *s, const struct yaml_node *n, size_t depth)
{
        if (yaml_is_null(n))
                return;
        if (n->kind == YAML_SEQUENCE && (depth < s->n_names || n->n)) {
                if (depth == s->n_names && !s->first)
                        s->first = n;
                for (size_t i = 0; i < n->n && s->values.n < CHECK_VALUES_MAX; i++)
                        search(s, n->items[i], depth);
                return;
        }
        if (depth < s->n_names) {
                char name[256];
                if (n->kind != YAML_MAPPING || s->names[depth].n >= sizeof(name))
                        return;
                memcpy(name, s->names[depth].p, s->names[depth].n);
                name[s->names[depth].n] = '\0';
                search(s, yaml_get(n, name), depth + 1);
                return;
        }
        if (!s->first)
                s->first = n;
        if (n->kind == YAML_SCALAR)
                take_scalar(s, n);
}

static const struct yaml_node *node_at(const struct yaml_node *from, struct str path)
{
        struct search s = { 0 };
        if (split(path, &s))
                search(&s, from, 0);
        vec_done(&s.values);
        return s.first;
}

/* In the arena; absent if there is none. */
static struct value values_at(const struct yaml_node *from, struct str path, bool numbers, struct arena *arena)
{
        struct search s = { .want_numbers = numbers };
        if (split(path, &s))
                search(&s, from, 0);
        struct value *v = arena_array(arena, s.values.n, sizeof(*v));
        if (s.values.n)
                memcpy(v, s.values.v, s.values.n * sizeof(*v));
        struct value ret = s.values.n == 0 ? value_absent() : s.values.n == 1 ? v[0] : value_list(v, s.values.n);
        vec_done(&s.values);
        return ret;
}

/* ---------------------------------------------------------------------------------------------- instructions ---- */

static void add_text(struct value *v, size_t *n, size_t room, struct str text)
{
        if (*n < room)
                v[(*n)++] = value_string(text);
}

/* word, flag.NAME, pair.NAME, command: as texts. */
static struct value instruction_values(const struct resource *r, struct str path, struct arena *arena)
{
        const struct dockerfile_instruction *i = r->instruction;
        size_t n = 0, room = MIN(i->n_words + i->n_flags + i->n_pairs + r->n_commands, CHECK_VALUES_MAX);
        struct value *v = arena_array(arena, room, sizeof(*v));
        struct str name = path, what = str_cut(&name, '.');
        for (size_t k = 0; str_is(what, "word") && k < i->n_words; k++)
                add_text(v, &n, room, i->words[k].value);
        for (size_t k = 0; str_is(what, "flag") && k < i->n_flags; k++)
                if (str_eq(i->flags[k].name.value, name))
                        add_text(v, &n, room, i->flags[k].value.value);
        for (size_t k = 0; str_is(what, "pair") && k < i->n_pairs; k++)
                if (str_eq(i->pairs[k].name.value, name))
                        add_text(v, &n, room, i->pairs[k].value.value);
        for (size_t k = 0; str_is(what, "command") && k < r->n_commands; k++)
                add_text(v, &n, room, r->commands[k]);
        return n == 0 ? value_absent() : n == 1 ? v[0] : value_list(v, n);
}

static struct value numbers_of(const struct value *texts, struct arena *arena)
{
        size_t n = texts->type == VALUE_LIST ? texts->list.n : texts->type != VALUE_ABSENT, kept = 0;
        struct value *v = arena_array(arena, n, sizeof(*v));
        for (size_t i = 0; i < n; i++)
                kept += value_parse(VALUE_NUMBER, texts->type == VALUE_LIST ? texts->list.v[i].text : texts->text,
                                    &v[kept]);
        return kept == 0 ? value_absent() : kept == 1 ? v[0] : value_list(v, kept);
}

/* ---------------------------------------------------------------------------------------------------- records ---- */

struct asked {
        const struct resource *r;
        struct str file;
        struct arena *arena;
};

static size_t size_of(const struct yaml_node *n) { return n && n->kind != YAML_SCALAR ? n->n : 0; }

static struct value metadata(const struct resource *r, const char *map, struct str key)
{
        const struct yaml_node *m = yaml_get(r->instruction ? NULL : yaml_get(r->object, "metadata"), map);
        if (!m && !r->instruction)
                m = yaml_get(r->object, map); /* a service of a Compose file */
        for (size_t i = 0; i < size_of(m) && m->kind == YAML_MAPPING; i++)
                if (str_eq(yaml_text(m->pairs[i].key), key))
                        return value_string(yaml_text(m->pairs[i].value));
        return value_absent();
}

static struct value path_value(struct asked *a, const struct field_ref *ref)
{
        const struct resource *r = a->r;
        bool numbers = ref->field->id == FIELD_resource_number;
        if (!r->instruction)
                return values_at(ref->field->id == FIELD_resource_object ? r->object : r->node, ref->key, numbers,
                                 a->arena);
        struct value texts = instruction_values(r, ref->key, a->arena);
        return numbers ? numbers_of(&texts, a->arena) : texts;
}

static void get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        struct asked *a = ctx;
        const struct resource *r = a->r;
        struct value v = value_absent();
        switch (ref->field->id) {
        case FIELD_resource_format:
                *ret = value_string(str_of(r->format));
                break;
        case FIELD_resource_part:
                *ret = value_string(str_of(r->part));
                break;
        case FIELD_resource_kind:
                *ret = value_string_or_absent(r->kind);
                break;
        case FIELD_resource_name:
                *ret = value_string_or_absent(r->name);
                break;
        case FIELD_resource_object_name:
                *ret = value_string_or_absent(r->object_name);
                break;
        case FIELD_resource_namespace:
                *ret = value_string_or_absent(r->namespace);
                break;
        case FIELD_resource_api_version:
                *ret = value_string_or_absent(r->api_version);
                break;
        case FIELD_resource_file:
                *ret = value_string(a->file);
                break;
        case FIELD_resource_stage:
                *ret = value_string_or_absent(r->stage);
                break;
        case FIELD_resource_text:
                *ret = r->instruction ? value_string(r->instruction->line_text.text) : value_absent();
                break;
        case FIELD_resource_is_final:
                *ret = r->instruction ? value_flag(r->is_final) : value_absent();
                break;
        case FIELD_resource_label:
                *ret = metadata(r, "labels", ref->key);
                break;
        case FIELD_resource_annotation:
                *ret = metadata(r, "annotations", ref->key);
                break;
        case FIELD_resource_has:
                if (r->instruction)
                        v = instruction_values(r, ref->key, a->arena);
                *ret = value_flag(r->instruction ? v.type != VALUE_ABSENT : node_at(r->node, ref->key) != NULL);
                break;
        case FIELD_resource_count:
                if (r->instruction)
                        v = instruction_values(r, ref->key, a->arena);
                *ret = value_number(!r->instruction          ? (int64_t)size_of(node_at(r->node, ref->key))
                                    : v.type == VALUE_LIST   ? (int64_t)v.list.n
                                    : v.type == VALUE_ABSENT ? 0
                                                             : 1);
                break;
        case FIELD_resource_value:
        case FIELD_resource_number:
        case FIELD_resource_object:
                *ret = path_value(a, ref);
                break;
        default:
                break;
        }
}

/* ------------------------------------------------------------------------------------------------------- hits ---- */

/* The first PATH of the output that is there in the part. */
static const struct yaml_node *place_of(const struct rule *rule, const struct resource *r)
{
        static const char mark[] = "%resource.value[";
        struct str rest = rule->output;
        for (ptrdiff_t at; r->node && (at = str_find(rest, STR(mark))) >= 0;) {
                rest = str_from(rest, (size_t)at + sizeof(mark) - 1);
                struct str path = rest;
                const struct yaml_node *n = node_at(r->node, str_cut(&path, ']'));
                if (n)
                        return n;
        }
        return NULL;
}

static void add_finding(struct check_page *page, size_t i, const struct resource *r, const struct record *record)
{
        const struct rule *rule = rule_set_rule(own.set, i);
        _cleanup_(buf_done) struct buf detail = BUF_INIT(RULE_OUTPUT_BYTES_MAX);
        const struct yaml_node *at = place_of(rule, r);
        rule_render(own.eval, i, record, &detail);
        (void)check_page_add(page, &own.checks[i], at ? at->line : r->line, at ? at->column : r->column,
                             at ? at->line : r->end_line, "%.*s", STR_FMT(buf_str(&detail)));
}

void check_rules_run(struct check_page *page, const struct resource *r)
{
        _cleanup_(arena_done) struct arena arena = ARENA_INIT;
        struct asked a = { r, page->file, &arena };
        struct record record = { get, &a };
        const uint32_t *hits;
        load_shipped();
        size_t n = rule_eval(own.eval, &record, STAGE_CHECK, &hits);
        if (n == 0)
                return;
        uint32_t *kept = arena_array(&arena, n, sizeof(*kept)); /* rendering may ask again */
        memcpy(kept, hits, n * sizeof(*kept));
        for (size_t i = 0; i < n; i++)
                add_finding(page, kept[i], r, &record);
}
