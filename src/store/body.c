/*
 * The bodies of records: JSON objects with sorted keys and no white space. What says nothing (an empty text, 0, false)
 * is left out. Text comes from artefacts and may hold any bytes: what is not UTF-8, and NUL, enters as U+FFFD.
 */
#include "store/internal.h"

#include "base/utf8.h"

#include <stdlib.h>

#define REPLACEMENT "\xef\xbf\xbd"

static bool is_clean(struct str s)
{
        uint32_t c;
        for (size_t i = 0, n; i < s.n; i += n) {
                n = utf8_decode(str_from(s, i), &c);
                if (n == 0 || c == 0)
                        return false;
        }
        return true;
}

/* Not through the middle of a character. */
static struct str cut(struct str s)
{
        size_t n = BOOK_TEXT_MAX;
        while (n > BOOK_TEXT_MAX - 4 && ((uint8_t)s.p[n] & 0xc0) == 0x80)
                n--;
        return str_upto(s, n);
}

struct str body_clean(struct str s, struct arena *arena)
{
        if (s.n > BOOK_TEXT_MAX)
                s = cut(s);
        if (is_clean(s))
                return s;
        _cleanup_(buf_done) struct buf to = BUF_INIT(s.n * strlen(REPLACEMENT));
        for (size_t i = 0, n; i < s.n; i += n) {
                uint32_t c;
                n = utf8_decode(str_from(s, i), &c);
                if (n && c)
                        buf_add(&to, s.p + i, n);
                else
                        buf_puts(&to, REPLACEMENT);
                n = n ? n : 1;
        }
        return arena_str(arena, buf_str(&to));
}

json_t *body_text(struct str s)
{
        struct arena arena = ARENA_INIT;
        s = body_clean(s, &arena);
        json_t *j = json_stringn_nocheck(s.n ? s.p : "", s.n);
        arena_done(&arena);
        return j;
}

json_t *body_texts(const struct str_list *l)
{
        json_t *array = json_array();
        for (size_t i = 0; i < l->n; i++)
                json_array_append_new(array, body_text(l->v[i]));
        return array;
}

void body_put(json_t *o, const char *name, struct str s)
{
        if (s.n)
                json_object_set_new(o, name, body_text(s));
}

void body_put_number(json_t *o, const char *name, int64_t v)
{
        if (v)
                json_object_set_new(o, name, json_integer(v));
}

void body_put_true(json_t *o, const char *name, bool is)
{
        if (is)
                json_object_set_new(o, name, json_true());
}

void body_put_digest(json_t *o, const char *name, const uint8_t h[static BOOK_HASH_BYTES])
{
        static const char digits[] = "0123456789abcdef";
        char text[7 + 2 * BOOK_HASH_BYTES + 1] = "sha256:";
        for (size_t i = 0; i < BOOK_HASH_BYTES; i++) {
                text[7 + 2 * i] = digits[h[i] >> 4];
                text[8 + 2 * i] = digits[h[i] & 15];
        }
        json_object_set_new(o, name, json_string(text));
}

bool body_get_digest(const json_t *o, const char *name, uint8_t ret[static BOOK_HASH_BYTES])
{
        struct str s = body_get(o, name);
        return str_starts(s, STR("sha256:")) && str_hex(str_from(s, 7), BOOK_HASH_BYTES, ret);
}

struct str body_artefact_key(const struct book_artefact *a, struct arena *arena)
{
        if (a->digest.n)
                return body_clean(a->digest, arena);
        return body_clean(arena_printf(arena, "%.*s:%.*s@%.*s", STR_FMT(a->kind), STR_FMT(a->name), STR_FMT(a->host)),
                          arena);
}

json_t *body_artefact(const struct book_artefact *a, struct arena *arena)
{
        json_t *o = json_object();
        body_put(o, "key", body_artefact_key(a, arena));
        body_put(o, "digest", a->digest);
        body_put(o, "image_id", a->image_id);
        body_put(o, "kind", a->kind);
        body_put(o, "name", a->name);
        body_put(o, "target", a->target);
        body_put(o, "container", a->container);
        body_put(o, "host", a->host);
        if (a->tags.n)
                json_object_set_new(o, "tags", body_texts(&a->tags));
        return o;
}

json_t *body_data(const struct book_data *d)
{
        json_t *o = json_object();
        body_put(o, "source", d->source);
        body_put(o, "digest", d->digest);
        body_put_number(o, "date", d->date);
        return o;
}

json_t *body_parse(struct str text)
{
        json_t *j = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(j))
                return j;
        json_decref(j);
        return NULL;
}

struct str body_get(const json_t *o, const char *name)
{
        const json_t *j = json_object_get(o, name);
        return json_is_string(j) ? str_span(json_string_value(j), json_string_length(j)) : STR_NONE;
}

int64_t body_get_number(const json_t *o, const char *name)
{
        const json_t *j = json_object_get(o, name);
        return json_is_integer(j) ? json_integer_value(j) : 0;
}

void body_freep(json_t **j) { json_decref(*j); }
