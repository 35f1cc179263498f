/* See rule-facts.h. */
#include "cli/rule-facts.h"

#include "intel/version.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

struct entry {
        const char *name; /* a field with its argument; lives in the arena */
        const json_t *value;
        struct entry *next;
};

struct facts {
        struct arena arena;
        json_t *root;
        struct entry *entries;
        version_order *order; /* of the ecosystem that the facts name */
};

static const json_t *find(const struct facts *f, struct str name)
{
        for (const struct entry *e = f->entries; e; e = e->next)
                if (str_is(name, e->name))
                        return e->value;
        return NULL;
}

static struct str json_text(const json_t *j) { return str_span(json_string_value(j), json_string_length(j)); }

/* A JSON value as one of that type. */
static bool convert_one(const struct facts *f, enum value_type type, const json_t *j, struct value *ret)
{
        if (json_is_string(j)) {
                if (!value_parse(type, json_text(j), ret))
                        return false;
                if (type == VALUE_VERSION)
                        ret->version.order = f->order;
                return true;
        }
        if (json_is_boolean(j) && type == VALUE_FLAG) {
                *ret = value_flag(json_is_true(j));
                return true;
        }
        if (!json_is_number(j))
                return false;
        char text[64];
        bool is_decimal = type == VALUE_DECIMAL && json_is_real(j);
        if (is_decimal)
                snprintf(text, sizeof(text), "%.6f", json_real_value(j));
        else
                snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(j));
        if (json_is_real(j) && !is_decimal)
                return false;
        return value_parse(type, arena_str((struct arena *)&f->arena, str_of(text)), ret);
}

static bool convert_list(struct facts *f, enum value_type type, const json_t *j, struct value *ret)
{
        struct value *v = arena_array(&f->arena, json_array_size(j), sizeof(*v));
        for (size_t i = 0; i < json_array_size(j); i++)
                if (!convert_one(f, type, json_array_get(j, i), &v[i]))
                        return false;
        *ret = value_list(v, json_array_size(j));
        return true;
}

static bool may_be_list(const struct field *field) { return field->traits & (FIELD_LIST | FIELD_EITHER | FIELD_MANY); }

static bool convert(struct facts *f, const struct field *field, const json_t *j, struct value *ret)
{
        if (json_is_null(j))
                return true;
        if (field->traits & FIELD_VARIANT && json_is_integer(j))
                return convert_one(f, VALUE_NUMBER, j, ret);
        if (json_is_array(j))
                return may_be_list(field) && convert_list(f, field->type, j, ret);
        return convert_one(f, field->type, j, ret);
}

/* proc.aname[2] out of an array under proc.aname (which begins with [1]), or evt.arg[0] out of one under evt.arg. */
static const json_t *find_element(const struct facts *f, const struct field_ref *ref)
{
        const json_t *base = find(f, str_of(ref->field->name));
        size_t first = ref->field->traits & FIELD_MANY ? 1 : 0;
        if (json_is_object(base) && ref->key.n > 0)
                return json_object_getn(base, ref->key.p, ref->key.n);
        if (json_is_array(base) && ref->has_index && ref->index >= first)
                return json_array_get(base, ref->index - first);
        return NULL;
}

static void get(void *ctx, const struct field_ref *ref, struct value *ret)
{
        struct facts *f = ctx;
        const json_t *j = find(f, ref->text);
        if (!j && (ref->has_index || ref->key.n > 0))
                j = find_element(f, ref);
        if (j && !convert(f, ref->field, j, ret))
                *ret = value_absent();
}

struct record facts_record(struct facts *f) { return (struct record){ get, f }; }

/* The field that a name means, with or without its argument. */
static const struct field *field_named(struct str name)
{
        struct str rest;
        ptrdiff_t bracket = str_find_char(name, '[');
        return field_find(bracket < 0 ? name : str_upto(name, (size_t)bracket), &rest);
}

static int check_value(struct facts *f, const struct field *field, const char *name, const json_t *j, struct error *err)
{
        struct value ignored;
        bool keyed = json_is_object(j) && (field->argument == ARGUMENT_KEY || field->argument == ARGUMENT_KEY_REQUIRED);
        bool indexed = json_is_array(j) && field->argument != ARGUMENT_NONE;
        if (keyed || indexed || convert(f, field, j, &ignored))
                return 0;
        return error_set(err, -EINVAL, "%s is a %s%s, and the value given is none", name,
                         field->traits & FIELD_LIST ? "list of " : "", value_type_name(field->type));
}

/* Adds what an object holds, below a prefix ("proc."). An object under the name of a field with a key is its keys. */
static int add_object(struct facts *f, const json_t *object, const char *prefix, unsigned depth, struct error *err)
{
        const char *key;
        json_t *value;
        if (depth > 20)
                return error_set(err, -EINVAL, "the facts nest too deeply");
        json_object_foreach((json_t *)object, key, value)
        {
                struct str name = arena_printf(&f->arena, "%s%s", prefix, key);
                const struct field *field = field_named(name);
                if (json_is_object(value) &&
                    !(field && (field->argument == ARGUMENT_KEY || field->argument == ARGUMENT_KEY_REQUIRED))) {
                        int r = add_object(f, value, arena_printf(&f->arena, "%s.", name.p).p, depth + 1, err);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (!field) {
                        const char *near = field_nearest(str_upto(name, 60), 0);
                        return error_set(err, -EINVAL, "unknown field %.100s%s%s%s", name.p,
                                         near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
                }
                int r = check_value(f, field, name.p, value, err);
                if (r < 0)
                        return r;
                struct entry *e = arena_new(&f->arena, struct entry);
                *e = (struct entry){ name.p, value, f->entries };
                f->entries = e;
        }
        return 0;
}

/* Versions are compared in the order of the ecosystem that the facts name, as the scanner does. */
static void find_order(struct facts *f)
{
        static const char *const names[] = { "vuln.ecosystem", "package.type", "os.id" };
        for (size_t i = 0; i < ARRAY_SIZE(names) && !f->order; i++) {
                const json_t *j = find(f, str_of(names[i]));
                const struct version_scheme *scheme = json_is_string(j) ? version_scheme_find(json_text(j)) : NULL;
                if (scheme)
                        f->order = scheme->compare;
        }
}

struct facts *facts_read(struct str json, struct error *err)
{
        json_error_t why;
        struct facts *f = xcalloc(1, sizeof(*f));
        f->root = json_loadb(json.p, json.n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
        if (!f->root)
                error_set(err, -EINVAL, "no JSON: %s, at character %d", why.text, why.position);
        else if (!json_is_object(f->root))
                error_set(err, -EINVAL, "facts are an object: {\"proc.name\": \"sh\", ...}");
        else if (add_object(f, f->root, "", 0, err) == 0) {
                find_order(f);
                return f;
        }
        facts_free(f);
        return NULL;
}

void facts_free(struct facts *f)
{
        if (!f)
                return;
        json_decref(f->root);
        arena_done(&f->arena);
        free(f);
}
