/*
 * See toml.h: keys, tables and arrays. What may be written twice is the hard part of TOML; each table knows how it came
 * to be (enum origin), and that decides.
 */
#include "base/map.h"
#include "base/utf8.h"
#include "read/toml-internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum origin {
        IMPLIED, /* a table that a longer [header] or a [[header]] goes through: may yet be defined */
        HEADER,  /* a table that its own [header] defined, or an element of an array of tables */
        DOTTED,  /* a table that a dotted key made: further dotted keys under the same header may add to it */
        CLOSED,  /* an inline table or array: nothing is ever added */
        TABLES,  /* an array of tables: [[header]] adds elements */
};

struct document {
        struct toml_reader r;
        struct toml *root, *current;
        struct map64 entries; /* table and key -> entry */
};

/* --- the reader --- */

int toml_fail(struct toml_reader *r, const char *fmt, ...)
{
        char words[200];
        va_list args;
        va_start(args, fmt);
        vsnprintf(words, sizeof(words), fmt, args);
        va_end(args);
        return error_set(r->err, -EBADMSG, "line %u: %s", r->line, words);
}

bool toml_take(struct toml_reader *r, const char *what)
{
        struct str s = str_of(what);
        if (!str_starts(str_from(r->text, r->at), s))
                return false;
        r->at += s.n;
        return true;
}

void toml_skip_blank(struct toml_reader *r)
{
        while (toml_peek(r) == ' ' || toml_peek(r) == '\t')
                r->at++;
}

/* A comment, if one is here, up to its line's end. */
static int skip_comment(struct toml_reader *r)
{
        if (toml_peek(r) != '#')
                return 0;
        while (!toml_at_end(r) && toml_peek(r) != '\n') {
                uint32_t c;
                size_t n = utf8_decode(str_from(r->text, r->at), &c);
                if (c == '\r' && n == 1 && str_starts(str_from(r->text, r->at), STR("\r\n")))
                        return 0;
                if (!n || (c < 0x20 && c != '\t') || c == 0x7f)
                        return toml_fail(r, n ? "a control character in a comment" : "not UTF-8");
                r->at += n;
        }
        return 0;
}

/* The end of a line (or of the text), with a comment before it perhaps. */
static int end_line(struct toml_reader *r)
{
        toml_skip_blank(r);
        int e = skip_comment(r);
        if (e < 0 || toml_at_end(r))
                return e;
        if (!toml_take(r, "\n") && !toml_take(r, "\r\n"))
                return toml_fail(r, "something follows where the line should end");
        r->line++;
        return 0;
}

/* White space, line ends and comments, as they may stand in an array. */
static int skip_lines(struct toml_reader *r)
{
        for (;;) {
                toml_skip_blank(r);
                int e = skip_comment(r);
                if (e < 0)
                        return e;
                if (!toml_take(r, "\n") && !toml_take(r, "\r\n"))
                        return 0;
                r->line++;
        }
}

/* --- the tree --- */

static struct toml *new_value(struct document *d, enum toml_type type, enum origin origin)
{
        struct toml *v = arena_new(d->r.arena, struct toml);
        v->type = type;
        v->origin = origin;
        v->line = d->r.line;
        return v;
}

static void append(struct document *d, struct toml *to, struct str key, struct toml *value)
{
        struct toml_entry *e = arena_new(d->r.arena, struct toml_entry);
        *e = (struct toml_entry){ .key = key, .value = value };
        if (to->last)
                to->last->next = e;
        else
                to->entries = e;
        to->last = e;
        to->n++;
}

static uint64_t key_of(const struct toml *table, struct str key)
{
        return hash_str_more(hash_str(key), str_span(&table, sizeof(table)));
}

static struct toml *find(const struct document *d, const struct toml *table, struct str key)
{
        const uint64_t *at = map64_get(&d->entries, key_of(table, key));
        return at ? (struct toml *)(uintptr_t)*at : NULL;
}

static void add(struct document *d, struct toml *table, struct str key, struct toml *value)
{
        append(d, table, key, value);
        *map64_put(&d->entries, key_of(table, key), NULL) = (uintptr_t)value;
}

/* --- keys (section "Keys") --- */

struct key {
        struct str parts[TOML_DEPTH_MAX];
        size_t n;
};

static bool is_bare(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int read_part(struct toml_reader *r, struct str *ret)
{
        if (toml_peek(r) == '"')
                return toml_basic_string(r, ret);
        if (toml_peek(r) == '\'')
                return toml_literal_string(r, ret);
        size_t start = r->at;
        while (is_bare(toml_peek(r)))
                r->at++;
        if (r->at == start)
                return toml_fail(r, "a key should stand here");
        *ret = arena_str(r->arena, str_upto(str_from(r->text, start), r->at - start));
        return 0;
}

static int read_key(struct toml_reader *r, struct key *ret)
{
        ret->n = 0;
        do {
                if (ret->n == TOML_DEPTH_MAX)
                        return toml_fail(r, "a key of more than %d parts", TOML_DEPTH_MAX);
                toml_skip_blank(r);
                int e = read_part(r, &ret->parts[ret->n++]);
                if (e < 0)
                        return e;
                toml_skip_blank(r);
        } while (toml_take(r, "."));
        return 0;
}

static int twice(struct document *d, struct str key)
{
        return toml_fail(&d->r, "\"%.*s\" is defined already", STR_FMT(str_upto(key, 60)));
}

/* --- values --- */

static int read_value(struct document *d, struct toml **ret);

static int read_array(struct document *d, struct toml *to)
{
        struct toml_reader *r = &d->r;
        for (;;) {
                struct toml *item;
                int e = skip_lines(r);
                if (e < 0)
                        return e;
                if (toml_take(r, "]"))
                        return 0;
                if ((e = read_value(d, &item)) < 0 || (e = skip_lines(r)) < 0)
                        return e;
                append(d, to, STR_NONE, item);
                if (toml_take(r, "]"))
                        return 0;
                if (!toml_take(r, ","))
                        return toml_fail(r,
                                         toml_at_end(r) ? "the text ends in an array" : "an array needs , or ] here");
        }
}

static int read_pair(struct document *d, struct toml *table);

/* Inline tables stand on one line and have no comma at their end. */
static int read_inline_table(struct document *d, struct toml *to)
{
        struct toml_reader *r = &d->r;
        toml_skip_blank(r);
        if (toml_take(r, "}"))
                return 0;
        for (;;) {
                int e = read_pair(d, to);
                if (e < 0)
                        return e;
                toml_skip_blank(r);
                if (toml_take(r, "}"))
                        return 0;
                if (!toml_take(r, ","))
                        return toml_fail(r, "an inline table needs , or } here");
        }
}

/* Dotted keys made tables in it, to which nothing may be added from now on. */
static void close_tables(struct toml *table)
{
        table->origin = CLOSED;
        for (struct toml_entry *e = table->entries; e; e = e->next)
                if (e->value->type == TOML_TABLE && e->value->origin == DOTTED)
                        close_tables(e->value);
}

static int read_value(struct document *d, struct toml **ret)
{
        struct toml_reader *r = &d->r;
        if (!budget_items(&r->budget, 1))
                return toml_fail(r, "more than %u values", TOML_VALUES_MAX);
        struct toml *v = *ret = new_value(d, TOML_STRING, CLOSED);
        char c = toml_peek(r);
        if (c != '[' && c != '{')
                return toml_scalar(r, v);
        if (++r->depth > TOML_DEPTH_MAX)
                return toml_fail(r, "values nest deeper than %d", TOML_DEPTH_MAX);
        r->at++;
        v->type = c == '[' ? TOML_ARRAY : TOML_TABLE;
        v->origin = c == '[' ? CLOSED : DOTTED; /* open until its brace */
        int e = c == '[' ? read_array(d, v) : read_inline_table(d, v);
        if (c == '{')
                close_tables(v);
        r->depth--;
        return e;
}

/* key = value, also dotted. */
static int read_pair(struct document *d, struct toml *table)
{
        struct toml_reader *r = &d->r;
        struct key key;
        struct toml *value;
        int e = read_key(r, &key);
        if (e < 0)
                return e;
        if (!toml_take(r, "="))
                return toml_fail(r, "= should follow the key");
        for (size_t i = 0; i + 1 < key.n; i++) {
                struct toml *next = find(d, table, key.parts[i]);
                if (!next) {
                        if (!budget_items(&r->budget, 1))
                                return toml_fail(r, "more than %u values", TOML_VALUES_MAX);
                        next = new_value(d, TOML_TABLE, DOTTED);
                        add(d, table, key.parts[i], next);
                } else if (next->type != TOML_TABLE || next->origin != DOTTED) {
                        return twice(d, key.parts[i]);
                }
                table = next;
        }
        if (find(d, table, key.parts[key.n - 1]))
                return twice(d, key.parts[key.n - 1]);
        toml_skip_blank(r);
        if ((e = read_value(d, &value)) < 0)
                return e;
        add(d, table, key.parts[key.n - 1], value);
        return 0;
}

/* --- headers (sections "Table", "Array of Tables") --- */

/* The table that a part of a header leads to: of an array of tables, its last element. NULL if nothing may be added. */
static struct toml *step(struct document *d, struct toml *table, struct str part)
{
        struct toml *next = find(d, table, part);
        if (!next) {
                next = new_value(d, TOML_TABLE, IMPLIED);
                add(d, table, part, next);
        }
        if (next->type == TOML_ARRAY && next->origin == TABLES)
                next = next->last->value;
        return next->type == TOML_TABLE && next->origin != CLOSED ? next : NULL;
}

static int define_table(struct document *d, struct toml *parent, struct str name)
{
        struct toml *t = find(d, parent, name);
        if (!t) {
                t = new_value(d, TOML_TABLE, HEADER);
                add(d, parent, name, t);
        } else if (t->type != TOML_TABLE || t->origin != IMPLIED) {
                return twice(d, name);
        }
        t->origin = HEADER;
        d->current = t;
        return 0;
}

static int add_element(struct document *d, struct toml *parent, struct str name)
{
        struct toml *tables = find(d, parent, name);
        if (!tables) {
                tables = new_value(d, TOML_ARRAY, TABLES);
                add(d, parent, name, tables);
        } else if (tables->type != TOML_ARRAY || tables->origin != TABLES) {
                return twice(d, name);
        }
        d->current = new_value(d, TOML_TABLE, HEADER);
        append(d, tables, STR_NONE, d->current);
        return 0;
}

static int read_header(struct document *d)
{
        struct toml_reader *r = &d->r;
        struct key key;
        bool is_element = toml_take(r, "[[");
        r->at += !is_element;
        int e = read_key(r, &key);
        if (e < 0)
                return e;
        if (!toml_take(r, is_element ? "]]" : "]"))
                return toml_fail(r, "a header needs its closing bracket");
        if (!budget_items(&r->budget, key.n))
                return toml_fail(r, "more than %u values", TOML_VALUES_MAX);
        struct toml *table = d->root;
        for (size_t i = 0; i + 1 < key.n; i++) {
                table = step(d, table, key.parts[i]);
                if (!table)
                        return twice(d, key.parts[i]);
        }
        return is_element ? add_element(d, table, key.parts[key.n - 1]) : define_table(d, table, key.parts[key.n - 1]);
}

static int read_document(struct document *d)
{
        struct toml_reader *r = &d->r;
        (void)toml_take(r, "\xef\xbb\xbf");
        for (;;) {
                int e = skip_lines(r);
                if (e < 0 || toml_at_end(r))
                        return e;
                e = toml_peek(r) == '[' ? read_header(d) : read_pair(d, d->current);
                if (e == 0)
                        e = end_line(r);
                if (e < 0)
                        return e;
        }
}

int toml_parse(struct str bytes, struct arena *arena, struct toml **ret, struct error *err)
{
        struct document d = {
                .r = { .text = bytes, .line = 1, .arena = arena, .budget = { .items = TOML_VALUES_MAX }, .err = err }
        };
        if (bytes.n > TOML_BYTES_MAX)
                return error_set(err, -EFBIG, "%zu bytes of TOML; at most %u are read", bytes.n, TOML_BYTES_MAX);
        d.root = d.current = new_value(&d, TOML_TABLE, HEADER);
        int e = read_document(&d);
        map64_done(&d.entries);
        if (e == 0)
                *ret = d.root;
        return e;
}

/* --- getters --- */

const struct toml *toml_get(const struct toml *table, const char *key)
{
        if (!table || table->type != TOML_TABLE)
                return NULL;
        for (const struct toml_entry *e = table->entries; e; e = e->next)
                if (str_is(e->key, key))
                        return e->value;
        return NULL;
}

static const struct toml *get_typed(const struct toml *table, const char *key, enum toml_type type)
{
        const struct toml *v = toml_get(table, key);
        return v && v->type == type ? v : NULL;
}

struct str toml_text(const struct toml *table, const char *key)
{
        const struct toml *v = get_typed(table, key, TOML_STRING);
        return v ? v->text : STR_NONE;
}

const struct toml *toml_array(const struct toml *table, const char *key) { return get_typed(table, key, TOML_ARRAY); }

const struct toml *toml_table(const struct toml *table, const char *key) { return get_typed(table, key, TOML_TABLE); }
