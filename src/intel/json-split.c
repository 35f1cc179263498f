/* See json-split.h. A state machine over bytes (RFC 8259); input: hostile. */
#include "intel/json-split.h"

void json_split_init(struct json_split *s, size_t value_max_bytes,
                     void (*member)(void *arg, struct str outer, struct str inner, struct str value, bool is_too_long),
                     void *arg)
{
        *s = (struct json_split){ .member = member, .arg = arg, .value = BUF_INIT(value_max_bytes) };
        s->keys[0] = s->keys[1] = BUF_INIT(JSON_SPLIT_KEY_MAX_BYTES);
}

void json_split_done(struct json_split *s)
{
        buf_done(&s->keys[0]);
        buf_done(&s->keys[1]);
        buf_done(&s->value);
}

bool json_split_is_complete(const struct json_split *s) { return s->depth == 3; }

static struct buf *key_of(struct json_split *s) { return &s->keys[s->depth - 1]; }

static void end_value(struct json_split *s)
{
        bool is_too_long = buf_is_full(&s->value);
        s->member(s->arg, buf_str(&s->keys[0]), buf_str(&s->keys[1]), is_too_long ? STR_NONE : buf_str(&s->value),
                  is_too_long);
        buf_clear(&s->value);
        s->state = SPLIT_COMMA;
}

/* A byte of a value. False if it ends the value and is not part of it. */
static bool take_in_value(struct json_split *s, char c)
{
        if (s->in_string) {
                if (s->is_escaped)
                        s->is_escaped = false;
                else if (c == '\\')
                        s->is_escaped = true;
                else if (c == '"')
                        s->in_string = false;
        } else if (c == '"') {
                s->in_string = true;
        } else if (c == '{' || c == '[') {
                s->nesting++;
        } else if (s->nesting == 0 && (c == ',' || c == '}')) {
                return false;
        } else if (c == '}' || c == ']') {
                if (s->nesting == 0)
                        return false;
                s->nesting--;
        }
        buf_add(&s->value, &c, 1);
        return true;
}

static bool open_object(struct json_split *s)
{
        s->depth++;
        s->state = SPLIT_KEY;
        s->may_end = true;
        return true;
}

static bool close_object(struct json_split *s)
{
        s->depth = s->depth == 2 ? 1 : 3;
        s->state = SPLIT_COMMA;
        return true;
}

/* A byte outside of values, keys and white space. */
static bool take_mark(struct json_split *s, char c)
{
        switch (s->state) {
        case SPLIT_KEY:
                if (c == '}' && s->may_end)
                        return close_object(s);
                if (c != '"')
                        return false;
                buf_clear(key_of(s));
                s->state = SPLIT_IN_KEY;
                return true;
        case SPLIT_COLON:
                s->state = SPLIT_VALUE;
                return c == ':';
        case SPLIT_VALUE:
                if (s->depth == 1)
                        return c == '{' && open_object(s);
                s->state = SPLIT_IN_VALUE;
                s->nesting = 0;
                s->in_string = s->is_escaped = false;
                return take_in_value(s, c);
        case SPLIT_COMMA:
                if (c == '}')
                        return close_object(s);
                s->state = SPLIT_KEY;
                s->may_end = false;
                return c == ',';
        default:
                return false;
        }
}

static bool take(struct json_split *s, char c)
{
        if (s->state == SPLIT_IN_KEY) {
                if (c == '"' && !s->is_escaped)
                        s->state = SPLIT_COLON;
                else
                        buf_add(key_of(s), &c, 1);
                s->is_escaped = c == '\\' && !s->is_escaped;
                return !buf_is_full(key_of(s));
        }
        if (s->state == SPLIT_IN_VALUE) {
                if (take_in_value(s, c))
                        return true;
                end_value(s);
        }
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
                return true;
        if (s->depth == 0)
                return c == '{' && open_object(s);
        return s->depth != 3 && take_mark(s, c);
}

bool json_split_take(struct json_split *s, struct str bytes)
{
        for (size_t i = 0; i < bytes.n; i++, s->at++)
                if (!take(s, bytes.p[i]))
                        return false;
        return true;
}
