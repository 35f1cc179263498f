/* See json-fields.h. The worker sends each text as a `member` fact: its key as the name, the text as the content. */
#include "source/json-fields.h"

#include "base/vec.h"
#include "proc/worker.h"
#include "read/json.h"

#include <errno.h>

struct reading {
        struct str bytes;
        const char *const *keys;
        struct arena *arena;
        VEC(struct json_field) fields;
        int r;
        struct error why;
};

static void put_text(struct sink *out, const char *key, const json_t *text)
{
        if (!json_is_string(text))
                return;
        struct fact_member f = { .name = str_of(key),
                                 .content = str_span(json_string_value(text), json_string_length(text)) };
        sink_put(out, FACT_member, &f);
}

static int run(void *arg, int fd, struct sink *out, struct error *err)
{
        const struct reading *reading = arg;
        _cleanup_(json_dropp) json_t *root = NULL;
        (void)fd;
        int r = json_document(reading->bytes, JSON_FIELDS_BYTES_MAX, &root, err);
        if (r < 0)
                return r;
        for (const char *const *key = reading->keys; *key; key++) {
                const json_t *value = json_object_get(root, *key);
                put_text(out, *key, value);
                for (size_t i = 0; i < MIN(json_array_size(value), JSON_FIELDS_MAX); i++)
                        put_text(out, *key, json_array_get(value, i));
        }
        return 0;
}

/* A worker that was taken over may send anything; what nobody asked for is not kept. */
static void on_fact(void *arg, enum fact_kind kind, const void *fact)
{
        struct reading *reading = arg;
        const struct fact_member *f = fact;
        if (kind != FACT_member || reading->fields.n == JSON_FIELDS_MAX || f->content.n > JSON_FIELDS_BYTES_MAX)
                return;
        for (const char *const *key = reading->keys; *key; key++)
                if (str_is(f->name, *key))
                        *vec_push(&reading->fields) =
                                (struct json_field){ .key = str_of(*key),
                                                     .text = arena_str(reading->arena, f->content) };
}

static void on_end(void *arg, int r, const char *why)
{
        struct reading *reading = arg;
        reading->r = r;
        if (r < 0)
                (void)error_set(&reading->why, r, "%s", why);
}

int json_fields_read(struct str bytes, const char *const *keys, struct arena *arena, struct json_field **ret,
                     size_t *ret_n, struct error *err)
{
        struct reading reading = { .bytes = bytes, .keys = keys, .arena = arena };
        struct job job = {
                .name = "an answer in JSON", .run = run, .on_fact = on_fact, .on_end = on_end, .arg = &reading
        };
        json_prepare();
        int r = workers_run(&job, 1, 1, err);
        if (r == 0 && reading.r < 0)
                r = error_set(err, reading.r, "%s", reading.why.text);
        if (r == 0) {
                *ret_n = reading.fields.n;
                *ret = arena_array(arena, reading.fields.n, sizeof(**ret));
                if (reading.fields.n)
                        memcpy(*ret, reading.fields.v, reading.fields.n * sizeof(**ret));
        }
        vec_done(&reading.fields);
        return r;
}
