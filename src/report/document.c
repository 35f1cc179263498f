/* See document.h. */
#include "report/document.h"

#include "base/date.h"
#include "report/screen.h"
#include "report/text.h"

#include <stdlib.h>

#define INDENT 2

static json_t *made(json_t *value)
{
        if (!value)
                abort(); /* no memory; text is valid UTF-8 by the time it gets here */
        return value;
}

json_t *doc_object(void) { return made(json_object()); }
json_t *doc_array(void) { return made(json_array()); }
json_t *doc_bool(bool b) { return json_boolean(b); }
json_t *doc_null(void) { return json_null(); }
json_t *doc_real(double d) { return made(json_real(d)); }

json_t *doc_text(struct str s)
{
        struct arena a = ARENA_INIT;
        struct str valid = text_utf8(&a, s);
        json_t *value = made(json_stringn_nocheck(valid.p ? valid.p : "", valid.n));
        arena_done(&a);
        return value;
}

json_t *doc_str(struct str s) { return s.n ? doc_text(s) : doc_null(); }

json_t *doc_cstr(const char *s) { return doc_str(str_of(s)); }

json_t *doc_list(struct str_list l)
{
        json_t *array = doc_array();
        for (size_t i = 0; i < l.n; i++)
                doc_add(array, doc_text(l.v[i]));
        return array;
}

json_t *doc_number(uint64_t n) { return made(json_integer((json_int_t)MIN(n, (uint64_t)INT64_MAX))); }

json_t *doc_time(int64_t t)
{
        char text[DATE_TEXT_MAX];
        return doc_cstr(date_iso(t, text));
}

json_t *doc_day(int64_t t)
{
        char text[DATE_TEXT_MAX];
        return doc_cstr(date_day(t, text));
}

static json_t *doc_bytes(struct str s)
{
        struct buf b = BUF_INIT((size_t)1 << 20);
        for (size_t i = 0; i < s.n; i++)
                buf_printf(&b, "%02x", (uint8_t)s.p[i]);
        json_t *value = doc_str(buf_str(&b));
        buf_done(&b);
        return value;
}

json_t *doc_fact(enum fact_kind kind, const void *fact)
{
        const struct fact_info *info = &fact_infos[kind];
        json_t *object = doc_object();
        for (size_t i = 0; i < info->n_fields; i++) {
                const struct fact_field *f = &info->fields[i];
                const void *at = (const char *)fact + f->offset;
                json_t *value = NULL;
                switch (f->type) {
                case TYPE_STR:
                case TYPE_VERSION:
                        value = doc_str(*(const struct str *)at);
                        break;
                case TYPE_NUM:
                        value = doc_number(*(const uint64_t *)at);
                        break;
                case TYPE_FLAG:
                        value = doc_bool(*(const bool *)at);
                        break;
                case TYPE_LIST:
                        value = doc_list(*(const struct str_list *)at);
                        break;
                case TYPE_TIME:
                        value = doc_time(*(const int64_t *)at);
                        break;
                case TYPE_SEVERITY:
                        value = doc_cstr(severity_name(*(const enum severity *)at));
                        break;
                case TYPE_BYTES:
                        value = doc_bytes(*(const struct str *)at);
                        break;
                }
                doc_set(object, f->name, value);
        }
        return object;
}

void doc_set(json_t *object, const char *key, json_t *value)
{
        if (json_object_set_new_nocheck(object, key, made(value)) < 0)
                abort();
}

void doc_add(json_t *array, json_t *value)
{
        if (json_array_append_new(array, made(value)) < 0)
                abort();
}

void doc_add_property(json_t *array, const char *name, struct str value)
{
        if (!value.n)
                return;
        json_t *property = doc_object();
        doc_set(property, "name", doc_cstr(name));
        doc_set(property, "value", doc_text(value));
        doc_add(array, property);
}

/* The stream is this thread's alone: locking it for every few bytes would be most of the work. */
static void new_line(struct doc_stream *s)
{
        putc_unlocked('\n', s->to);
        for (size_t i = 0; i < s->depth * INDENT; i++)
                putc_unlocked(' ', s->to);
}

static void begin_member(struct doc_stream *s, const char *key)
{
        if (s->has_members)
                fputc(',', s->to);
        if (s->depth)
                new_line(s);
        if (key)
                fprintf(s->to, "\"%s\": ", key);
        s->has_members = true;
}

void doc_open(struct doc_stream *s, const char *key, char bracket)
{
        begin_member(s, key);
        fputc(bracket, s->to);
        s->depth++;
        s->has_members = false;
}

void doc_close(struct doc_stream *s, char bracket)
{
        s->depth--;
        if (s->has_members)
                new_line(s);
        fputc(bracket, s->to);
        s->has_members = true;
}

void doc_put(struct doc_stream *s, const char *key, json_t *value)
{
        begin_member(s, key);
        char *text =
                json_dumps(value, JSON_INDENT(INDENT) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        if (!text)
                abort(); /* no memory */
        /* A line break in JSON is never part of a text, so all of them move in by the depth of the value. */
        const char *line = text;
        for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
                fwrite_unlocked(line, 1, (size_t)(end - line), s->to); /* a failure is kept by the stream */
                new_line(s);
        }
        fwrite_unlocked(line, 1, strlen(line), s->to);
        free(text);
        json_decref(value);
}

int doc_end(struct doc_stream *s)
{
        fputc('\n', s->to);
        return stream_result(s->to);
}
