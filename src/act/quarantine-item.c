/*
 * Descriptions of quarantined files as JSON: the fields of struct fact_quarantined by their names. Input is a file of
 * the store, which only root can write; it is read as if anybody could: text of bounded length, each field of the type
 * that it should have. Bytes that are not UTF-8 in names are written as \xNN with the backslash doubled: read back,
 * they are the same bytes.
 */
#include "act/quarantine.h"

#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

void quarantine_hex(struct str bytes, char *text)
{
        static const char digits[] = "0123456789abcdef";
        for (size_t i = 0; i < bytes.n; i++) {
                text[2 * i] = digits[(uint8_t)bytes.p[i] >> 4];
                text[2 * i + 1] = digits[(uint8_t)bytes.p[i] & 15];
        }
        text[2 * bytes.n] = '\0';
}

/* --- out --- */

static json_t *text_json(struct str s)
{
        struct buf b = BUF_INIT(4 * s.n + 1);
        for (uint32_t c; s.n;) {
                size_t n = utf8_decode(s, &c);
                if (s.p[0] == '\\')
                        buf_puts(&b, "\\\\");
                else if (n == 0 || c == 0)
                        buf_printf(&b, "\\x%02x", (uint8_t)s.p[0]);
                else
                        buf_add(&b, s.p, n);
                s = str_from(s, n ? n : 1);
        }
        json_t *j = json_stringn(b.n ? b.p : "", b.n);
        buf_done(&b);
        return j;
}

static json_t *value_json(const struct fact_field *f, const void *at)
{
        json_t *list = NULL;
        struct buf b = BUF_INIT(256);
        switch (f->type) {
        case TYPE_NUM:
                return json_integer((json_int_t)MIN(*(const uint64_t *)at, (uint64_t)INT64_MAX));
        case TYPE_TIME:
                return json_integer(*(const int64_t *)at);
        case TYPE_FLAG:
                return json_boolean(*(const bool *)at);
        case TYPE_LIST:
                list = json_array();
                for (size_t i = 0; i < ((const struct str_list *)at)->n; i++)
                        json_array_append_new(list, text_json(((const struct str_list *)at)->v[i]));
                return list;
        case TYPE_BYTES:
                for (size_t i = 0; i < ((const struct str *)at)->n; i++)
                        buf_printf(&b, "%02x", (uint8_t)((const struct str *)at)->p[i]);
                list = json_stringn(b.n ? b.p : "", b.n);
                buf_done(&b);
                return list;
        default:
                return text_json(*(const struct str *)at);
        }
}

char *quarantine_item_print(const struct fact_quarantined *item)
{
        const struct fact_info *info = &fact_infos[FACT_quarantined];
        json_t *o = json_object();
        for (size_t i = 0; i < info->n_fields; i++)
                json_object_set_new(o, info->fields[i].name,
                                    value_json(&info->fields[i], (const char *)item + info->fields[i].offset));
        char *text = json_dumps(o, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        json_decref(o);
        return text;
}

/* --- in --- */

static bool text_of(const json_t *j, struct arena *arena, struct str *ret)
{
        if (!json_is_string(j))
                return false;
        struct str s = str_span(json_string_value(j), json_string_length(j));
        char *to = arena_alloc(arena, s.n + 1);
        size_t n = 0;
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] != '\\') {
                        to[n++] = s.p[i];
                } else if (i + 1 < s.n && s.p[i + 1] == '\\') {
                        to[n++] = '\\';
                        i++;
                } else if (i + 3 < s.n && s.p[i + 1] == 'x' && hex_digit(s.p[i + 2]) >= 0 &&
                           hex_digit(s.p[i + 3]) >= 0) {
                        to[n++] = (char)(hex_digit(s.p[i + 2]) * 16 + hex_digit(s.p[i + 3]));
                        i += 3;
                } else {
                        return false;
                }
        }
        *ret = str_span(to, n);
        return true;
}

static bool list_of(const json_t *j, struct arena *arena, struct str_list *ret)
{
        if (!json_is_array(j))
                return false;
        ret->n = json_array_size(j);
        ret->v = arena_array(arena, ret->n, sizeof(*ret->v));
        for (size_t i = 0; i < ret->n; i++)
                if (!text_of(json_array_get(j, i), arena, &ret->v[i]))
                        return false;
        return true;
}

static bool bytes_of(const json_t *j, struct arena *arena, struct str *ret)
{
        if (!json_is_string(j) || json_string_length(j) % 2)
                return false;
        size_t n = json_string_length(j) / 2;
        uint8_t *to = arena_alloc(arena, n + 1);
        if (!str_hex(str_span(json_string_value(j), 2 * n), n, to))
                return false;
        *ret = str_span(to, n);
        return true;
}

static bool value_of(const struct fact_field *f, const json_t *j, struct arena *arena, void *at)
{
        switch (f->type) {
        case TYPE_NUM:
                if (!json_is_integer(j) || json_integer_value(j) < 0)
                        return false;
                *(uint64_t *)at = (uint64_t)json_integer_value(j);
                return true;
        case TYPE_TIME:
                *(int64_t *)at = json_integer_value(j);
                return json_is_integer(j);
        case TYPE_FLAG:
                *(bool *)at = json_is_true(j);
                return json_is_boolean(j);
        case TYPE_LIST:
                return list_of(j, arena, at);
        case TYPE_BYTES:
                return bytes_of(j, arena, at);
        default:
                return text_of(j, arena, at);
        }
}

int quarantine_item_parse(struct str text, struct arena *arena, struct fact_quarantined *ret, struct error *err)
{
        const struct fact_info *info = &fact_infos[FACT_quarantined];
        json_error_t why;
        int r = 0;
        *ret = (struct fact_quarantined){ .size = 0 };
        json_t *o = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &why);
        if (!json_is_object(o))
                r = error_set(err, -EBADMSG, "not a JSON object: line %d: %s", o ? 1 : why.line, o ? "" : why.text);
        for (size_t i = 0; i < info->n_fields && r == 0; i++) {
                const struct fact_field *f = &info->fields[i];
                const json_t *j = json_object_get(o, f->name);
                if (!j) /* an older version did not write it */
                        continue;
                if (!value_of(f, j, arena, (char *)ret + f->offset))
                        r = error_set(err, -EBADMSG, "\"%s\" is not what it should be: %s", f->name, f->doc);
        }
        if (r == 0 && ret->sha256.n != 32)
                r = error_set(err, -EBADMSG, "\"sha256\" is no digest");
        if (r == 0 && (ret->mode > 07777 || ret->uid > UINT32_MAX || ret->gid > UINT32_MAX ||
                       ret->mtime_ns > 999999999 || ret->atime_ns > 999999999))
                r = error_set(err, -EBADMSG, "mode, owner or time is out of range");
        json_decref(o);
        return r;
}
