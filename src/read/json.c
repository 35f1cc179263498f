/* See json.h. */
#include "read/json.h"

#include <errno.h>
#include <stdlib.h>

void json_prepare(void) { json_object_seed(0); }

/*
 * jansson recurses once per level, up to 2048. A flat pass over the bytes finds the depth before that: brackets outside
 * of strings. Bytes that are not JSON make the count meaningless, and are refused by the parser afterwards.
 */
static bool is_deeper_than(struct str bytes, size_t max)
{
        size_t depth = 0;
        bool in_text = false;
        for (size_t i = 0; i < bytes.n; i++) {
                char c = bytes.p[i];
                if (in_text) {
                        if (c == '\\')
                                i++;
                        else if (c == '"')
                                in_text = false;
                } else if (c == '"') {
                        in_text = true;
                } else if (c == '{' || c == '[') {
                        if (++depth > max)
                                return true;
                } else if ((c == '}' || c == ']') && depth) {
                        depth--;
                }
        }
        return false;
}

int json_document(struct str bytes, size_t max_bytes, json_t **ret, struct error *err)
{
        if (bytes.n > max_bytes)
                return error_set(err, -EFBIG, "the JSON document has %zu bytes, more than the %zu allowed", bytes.n,
                                 max_bytes);
        if (is_deeper_than(bytes, JSON_DEPTH_MAX))
                return error_set(err, -EBADMSG, "JSON nested deeper than %d levels", JSON_DEPTH_MAX);
        json_error_t why;
        json_t *j = json_loadb(bytes.p ? bytes.p : "", bytes.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
        if (!j)
                return error_set(err, -EBADMSG, "malformed JSON in line %d: %s", why.line, why.text);
        *ret = j;
        return 0;
}

void json_dropp(json_t **j) { json_decref(*j); }

struct str json_text(const json_t *j, struct arena *arena)
{
        if (!json_is_string(j))
                return STR_NONE;
        return arena_str(arena, str_span(json_string_value(j), json_string_length(j)));
}

struct str json_text_of(const json_t *object, const char *key, struct arena *arena)
{
        return json_text(json_object_get(object, key), arena);
}

uint64_t json_number_of(const json_t *object, const char *key)
{
        const json_t *j = json_object_get(object, key);
        return json_is_integer(j) && json_integer_value(j) > 0 ? (uint64_t)json_integer_value(j) : 0;
}

struct json_list json_texts(const json_t *array, struct arena *arena, size_t max, bool *ret_cut)
{
        size_t n = json_array_size(array);
        struct json_list list = { .v = arena_array(arena, MIN(n, max), sizeof(struct str)) };
        for (size_t i = 0; i < n; i++) {
                const json_t *j = json_array_get(array, i);
                if (!json_is_string(j))
                        continue;
                if (list.n == max) {
                        *ret_cut = true;
                        break;
                }
                list.v[list.n++] = json_text(j, arena);
        }
        return list;
}

static int by_bytes(const void *a, const void *b) { return str_cmp(*(const struct str *)a, *(const struct str *)b); }

struct json_list json_keys(const json_t *object, struct arena *arena, size_t max, bool *ret_cut)
{
        size_t n = json_object_size(object);
        struct json_list list = { .v = arena_array(arena, MIN(n, max), sizeof(struct str)) };
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)object, key, value)
        {
                if (list.n == max) {
                        *ret_cut = true;
                        break;
                }
                list.v[list.n++] = arena_str(arena, str_of(key));
        }
        if (list.n)
                qsort(list.v, list.n, sizeof(struct str), by_bytes);
        return list;
}
