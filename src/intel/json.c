/* See json.h. jansson bounds the depth (2048); the importers bound the size. */
#include "intel/json.h"

json_t *json_parse(struct str text, struct error *err)
{
        json_error_t why;
        json_t *j = json_loadb(text.n ? text.p : "", text.n, JSON_ALLOW_NUL, &why);
        if (!j)
                (void)error_set(err, -1, "not JSON: %s (column %d)", why.text, why.column);
        return j;
}

void json_freep(json_t **j)
{
        json_decref(*j);
        *j = NULL;
}

struct str json_str(const json_t *j)
{
        return json_is_string(j) ? str_span(json_string_value(j), json_string_length(j)) : STR_NONE;
}

struct str json_member(const json_t *object, const char *name) { return json_str(json_object_get(object, name)); }

int64_t json_date(const json_t *object, const char *name)
{
        int64_t t;
        return date_parse(json_member(object, name), &t) && t > 0 ? t : 0;
}

struct str_list json_strings(const json_t *array, struct arena *arena)
{
        struct str_list list = { 0 };
        if (json_array_size(array) == 0)
                return list;
        list.v = arena_array(arena, json_array_size(array), sizeof(*list.v));
        for (size_t i = 0; i < json_array_size(array); i++)
                if (json_is_string(json_array_get(array, i)))
                        list.v[list.n++] = json_str(json_array_get(array, i));
        return list;
}
