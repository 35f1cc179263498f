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

/* ASCII in which nothing is to be escaped: nearly all text. */
static bool is_plain(struct str text)
{
        for (size_t i = 0; i < text.n; i++)
                if (text.p[i] < ' ' || text.p[i] > '~' || text.p[i] == '"' || text.p[i] == '\\')
                        return false;
        return true;
}

json_t *doc_text(struct str s)
{
        if (is_plain(s))
                return made(json_stringn_nocheck(s.n ? s.p : "", s.n));
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
        buf_hex(&b, s);
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

/*
 * Writing. The stream is this thread's alone: locking it for every few bytes would be most of the work. What has a
 * form of its own (numbers that are no integers, text that is to be escaped) is left to the library.
 */

static void write_bytes(struct doc_stream *s, struct str bytes)
{
        fwrite_unlocked(bytes.p, 1, bytes.n, s->to); /* a failure is kept by the stream */
}

static void write_by_library(struct doc_stream *s, const json_t *value)
{
        char *text = json_dumps(value, JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        if (!text)
                abort(); /* no memory */
        write_bytes(s, str_of(text));
        free(text);
}

static void write_text(struct doc_stream *s, struct str text)
{
        if (is_plain(text)) {
                putc_unlocked('"', s->to);
                write_bytes(s, text);
                putc_unlocked('"', s->to);
                return;
        }
        json_t *value = doc_text(text);
        write_by_library(s, value);
        json_decref(value);
}

static void new_line(struct doc_stream *s)
{
        putc_unlocked('\n', s->to);
        for (size_t i = 0; i < s->depth * INDENT; i++)
                putc_unlocked(' ', s->to);
}

static void begin_member(struct doc_stream *s, const char *key)
{
        if (s->has_members)
                putc_unlocked(',', s->to);
        if (s->depth)
                new_line(s);
        if (key) {
                write_text(s, str_of(key));
                write_bytes(s, STR(": "));
        }
        s->has_members = true;
}

static void open_bracket(struct doc_stream *s, char bracket)
{
        putc_unlocked(bracket, s->to);
        s->depth++;
        s->has_members = false;
}

void doc_open(struct doc_stream *s, const char *key, char bracket)
{
        begin_member(s, key);
        open_bracket(s, bracket);
}

void doc_close(struct doc_stream *s, char bracket)
{
        s->depth--;
        if (s->has_members)
                new_line(s);
        putc_unlocked(bracket, s->to);
        s->has_members = true;
}

/* Our own values, which are nested a few levels deep. */
static void write_value(struct doc_stream *s, json_t *value)
{
        const char *key;
        json_t *member;
        size_t i;
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                open_bracket(s, '{');
                json_object_foreach(value, key, member)
                {
                        begin_member(s, key);
                        write_value(s, member);
                }
                doc_close(s, '}');
                break;
        case JSON_ARRAY:
                open_bracket(s, '[');
                json_array_foreach(value, i, member)
                {
                        begin_member(s, NULL);
                        write_value(s, member);
                }
                doc_close(s, ']');
                break;
        case JSON_STRING:
                write_text(s, str_span(json_string_value(value), json_string_length(value)));
                break;
        case JSON_INTEGER:
                fprintf(s->to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
                break;
        case JSON_TRUE:
                write_bytes(s, STR("true"));
                break;
        case JSON_FALSE:
                write_bytes(s, STR("false"));
                break;
        case JSON_NULL:
                write_bytes(s, STR("null"));
                break;
        case JSON_REAL:
                write_by_library(s, value);
                break;
        }
}

void doc_put(struct doc_stream *s, const char *key, json_t *value)
{
        begin_member(s, key);
        write_value(s, value);
        json_decref(value);
}

int doc_end(struct doc_stream *s)
{
        fputc('\n', s->to);
        return stream_result(s->to);
}
