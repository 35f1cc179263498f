/*
 * See yaml.h. libyaml gives events; here they become nodes. Open collections are frames of a fixed stack, their
 * children lie on one growing stack until the collection ends and they move to the arena.
 */
#include "read/yaml.h"

#include "base/budget.h"
#include "base/map.h"
#include "base/vec.h"

#include <errno.h>
#include <yaml.h>

#define YAML_BINARY_TAG "tag:yaml.org,2002:binary"

/* What an alias of a node costs whoever walks the tree. */
struct extent {
        uint64_t nodes, bytes;
        unsigned height; /* collections in each other, itself included */
        uint32_t end_line;
};

struct anchor {
        const struct yaml_node *node;
        struct extent extent;
        bool is_open; /* its node has not ended: an alias now would make a ring */
};

struct frame {
        struct yaml_node *node;
        struct anchor *anchor; /* NULL without one */
        struct extent extent;
        size_t first_child; /* on the stack of children */
        bool is_flow;
        bool has_merge_key;
};

struct builder {
        struct arena *arena;
        struct error *err;
        struct budget budget;
        struct frame frames[YAML_DEPTH_MAX];
        size_t depth;
        VEC(const struct yaml_node *) children;
        VEC(const struct yaml_node *) documents;
        VEC(struct yaml_duplicate) duplicates;
        struct map_str anchors; /* of this document, by name: struct anchor */
        const struct yaml_node *binary;
};

static int malformed(const struct builder *b, const yaml_mark_t *at, const char *what)
{
        return error_set(b->err, -EBADMSG, "line %zu, column %zu: %s", at->line + 1, at->column + 1, what);
}

static int charge(struct builder *b, const yaml_mark_t *at, uint64_t nodes, uint64_t bytes)
{
        if (!budget_items(&b->budget, nodes))
                return malformed(b, at, "more than 1,000,000 nodes, counted with what aliases stand for");
        if (!budget_bytes(&b->budget, bytes))
                return malformed(b, at, "more than 64 MiB of text, counted with what aliases stand for");
        return 0;
}

static uint32_t line_of(const yaml_mark_t *mark) { return (uint32_t)mark->line + 1; }

/* A mark behind a line's last character stands at the start of the next line. */
static uint32_t end_line_of(const yaml_event_t *e)
{
        bool behind = e->end_mark.column == 0 && e->end_mark.line > e->start_mark.line;
        return line_of(&e->end_mark) - (behind ? 1 : 0);
}

static bool is_merge_key(const struct yaml_node *n)
{
        return n->kind == YAML_SCALAR && str_is(n->text, "<<") &&
               (n->plain || (n->tag && strcmp(n->tag, "tag:yaml.org,2002:merge") == 0));
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, const yaml_event_t *e, const yaml_char_t *tag)
{
        struct yaml_node *n = arena_new(b->arena, struct yaml_node);
        n->kind = kind;
        n->line = line_of(&e->start_mark);
        n->column = (uint32_t)e->start_mark.column + 1;
        n->end_line = n->line;
        if (tag)
                n->tag = arena_cstr(b->arena, str_of((const char *)tag));
        return n;
}

static struct anchor *new_anchor(struct builder *b, const yaml_char_t *name, const struct yaml_node *node)
{
        if (!name)
                return NULL;
        struct anchor *a = arena_new(b->arena, struct anchor);
        *a = (struct anchor){ .node = node, .is_open = true };
        struct str key = arena_str(b->arena, str_of((const char *)name));
        *map_str_put(&b->anchors, key, NULL) = a; /* a later anchor of the same name takes its place (YAML 1.1, 7.1) */
        return a;
}

/* Whether the next node is a key of the innermost mapping. */
static bool is_at_key(const struct builder *b)
{
        const struct frame *f = b->depth ? &b->frames[b->depth - 1] : NULL;
        return f && f->node->kind == YAML_MAPPING && (b->children.n - f->first_child) % 2 == 0;
}

/* A node is complete: it becomes a child of the open collection, or the root of a document. */
static void add_node(struct builder *b, const struct yaml_node *n, struct extent extent)
{
        if (b->depth == 0) {
                *vec_push(&b->documents) = n;
                return;
        }
        struct frame *f = &b->frames[b->depth - 1];
        f->has_merge_key = f->has_merge_key || (is_at_key(b) && is_merge_key(n));
        f->extent.nodes += extent.nodes;
        f->extent.bytes += extent.bytes;
        f->extent.height = MAX(f->extent.height, extent.height + 1);
        f->extent.end_line = MAX(f->extent.end_line, extent.end_line);
        *vec_push(&b->children) = n;
}

static int on_scalar(struct builder *b, const yaml_event_t *e)
{
        const yaml_char_t *tag = e->data.scalar.tag;
        uint64_t bytes = e->data.scalar.length + (tag ? strlen((const char *)tag) : 0);
        int r = charge(b, &e->start_mark, 1, bytes);
        if (r < 0)
                return r;
        struct yaml_node *n = new_node(b, YAML_SCALAR, e, tag);
        n->text = arena_str(b->arena, str_span(e->data.scalar.value, e->data.scalar.length));
        n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
        n->end_line = end_line_of(e);
        if (!b->binary && n->tag && strcmp(n->tag, YAML_BINARY_TAG) == 0)
                b->binary = n;
        struct extent extent = { 1, bytes, 0, n->end_line };
        struct anchor *a = new_anchor(b, e->data.scalar.anchor, n);
        if (a)
                *a = (struct anchor){ .node = n, .extent = extent };
        add_node(b, n, extent);
        return 0;
}

static int on_alias(struct builder *b, const yaml_event_t *e)
{
        const struct anchor *a = map_str_get(&b->anchors, str_of((const char *)e->data.alias.anchor));
        if (!a)
                return malformed(b, &e->start_mark, "an alias without an anchor of that name before it");
        if (a->is_open)
                return malformed(b, &e->start_mark, "an alias inside the very node that it stands for");
        if (is_at_key(b) && is_merge_key(a->node)) /* for go-yaml it is a key like others, for PyYAML a merge */
                return malformed(b, &e->start_mark, "an alias that stands for a merge key (<<)");
        if (b->depth + a->extent.height > YAML_DEPTH_MAX)
                return malformed(b, &e->start_mark, "nested deeper than 100 levels by an alias");
        int r = charge(b, &e->start_mark, a->extent.nodes, a->extent.bytes);
        if (r < 0)
                return r;
        struct extent extent = a->extent;
        extent.end_line = end_line_of(e);
        add_node(b, a->node, extent);
        return 0;
}

static int on_start(struct builder *b, const yaml_event_t *e)
{
        bool is_mapping = e->type == YAML_MAPPING_START_EVENT;
        const yaml_char_t *tag = is_mapping ? e->data.mapping_start.tag : e->data.sequence_start.tag;
        const yaml_char_t *name = is_mapping ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;
        if (b->depth == YAML_DEPTH_MAX)
                return malformed(b, &e->start_mark, "nested deeper than 100 levels");
        uint64_t bytes = tag ? strlen((const char *)tag) : 0;
        int r = charge(b, &e->start_mark, 1, bytes);
        if (r < 0)
                return r;
        struct yaml_node *n = new_node(b, is_mapping ? YAML_MAPPING : YAML_SEQUENCE, e, tag);
        b->frames[b->depth++] = (struct frame){
                .node = n,
                .anchor = new_anchor(b, name, n),
                .extent = { 1, bytes, 1, n->line },
                .first_child = b->children.n,
                .is_flow = is_mapping ? e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                                      : e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
        };
        return 0;
}

static int add_duplicate(struct builder *b, const struct yaml_node *at, const struct yaml_pair *first, struct str key,
                         bool is_merged)
{
        if (b->duplicates.n == YAML_DUPLICATES_MAX)
                return error_set(b->err, -EBADMSG, "line %u, column %u: more than 100 repeated keys up to here",
                                 at->line, at->column);
        *vec_push(&b->duplicates) = (struct yaml_duplicate){ key, at->line, at->column, first->key->line, is_merged };
        return 0;
}

/* Lists the keys that stand twice among n pairs; keys becomes the map from each key to its first pair. */
static int find_duplicates(struct builder *b, const struct yaml_pair *pairs, size_t n, struct map_str *keys)
{
        for (size_t i = 0; i < n; i++) {
                const struct yaml_node *key = pairs[i].key;
                if (key->kind != YAML_SCALAR || is_merge_key(key))
                        continue;
                bool is_new;
                void **place = map_str_put(keys, key->text, &is_new);
                if (is_new)
                        *place = (void *)&pairs[i];
                int r = is_new ? 0 : add_duplicate(b, key, *place, key->text, false);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Adds to the pairs of m those of a mapping that its merge key names. In keys, merged ones are NULL. */
static int merge_one(struct builder *b, struct yaml_node *m, struct yaml_pair *pairs, const struct yaml_pair *merge,
                     const struct yaml_node *from, struct map_str *keys)
{
        for (size_t i = 0; i < from->n; i++) {
                const struct yaml_node *key = from->pairs[i].key;
                bool is_new = true;
                const struct yaml_pair *own = NULL;
                if (key->kind == YAML_SCALAR)
                        own = *map_str_put(keys, key->text, &is_new);
                if (is_new)
                        pairs[m->n++] = from->pairs[i];
                int r = own && own < merge ? add_duplicate(b, merge->key, own, key->text, true) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The mappings that a merge key names: its value, or the items of its value. -EBADMSG if there is anything else. */
static int merge_sources(const struct builder *b, const struct yaml_pair *merge, const struct yaml_node *const **ret,
                         size_t *ret_n)
{
        bool is_list = merge->value->kind == YAML_SEQUENCE;
        *ret = is_list ? merge->value->items : &merge->value;
        *ret_n = is_list ? merge->value->n : 1;
        for (size_t i = 0; i < *ret_n; i++)
                if ((*ret)[i]->kind != YAML_MAPPING)
                        return error_set(b->err, -EBADMSG,
                                         "line %u, column %u: a merge key (<<) of something that is "
                                         "neither a mapping nor a list of mappings",
                                         merge->key->line, merge->key->column);
        return 0;
}

/* Of several mappings the one that is named first wins (YAML merge key type, 2005). */
static int merge(struct builder *b, struct yaml_node *m, const struct yaml_pair *own, size_t n, struct map_str *keys)
{
        const struct yaml_node *const *sources;
        size_t n_sources, n_pairs = n;
        for (size_t i = 0; i < n; i++) {
                if (!is_merge_key(own[i].key))
                        continue;
                int r = merge_sources(b, &own[i], &sources, &n_sources);
                if (r < 0)
                        return r;
                for (size_t k = 0; k < n_sources; k++)
                        n_pairs += sources[k]->n;
        }
        struct yaml_pair *pairs = arena_array(b->arena, n_pairs, sizeof(*pairs));
        m->pairs = pairs;
        m->n = 0;
        for (size_t i = 0; i < n; i++) {
                if (!is_merge_key(own[i].key)) {
                        pairs[m->n++] = own[i];
                        continue;
                }
                (void)merge_sources(b, &own[i], &sources, &n_sources);
                for (size_t k = 0; k < n_sources; k++) {
                        int r = merge_one(b, m, pairs, &own[i], sources[k], keys);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int end_mapping(struct builder *b, const struct frame *f)
{
        size_t n = (b->children.n - f->first_child) / 2;
        if (n == 0)
                return 0;
        struct yaml_pair *pairs = arena_array(b->arena, n, sizeof(*pairs));
        for (size_t i = 0; i < n; i++)
                pairs[i] = (struct yaml_pair){ b->children.v[f->first_child + 2 * i],
                                               b->children.v[f->first_child + 2 * i + 1] };
        f->node->pairs = pairs;
        f->node->n = n;
        if (n == 1 && !f->has_merge_key)
                return 0;
        struct map_str keys = { 0 };
        int r = find_duplicates(b, pairs, n, &keys);
        if (r == 0 && f->has_merge_key)
                r = merge(b, f->node, pairs, n, &keys);
        map_str_done(&keys);
        return r;
}

static void end_sequence(struct builder *b, const struct frame *f)
{
        size_t n = b->children.n - f->first_child;
        const struct yaml_node **items = arena_array(b->arena, n, sizeof(*items));
        if (n)
                memcpy(items, &b->children.v[f->first_child], n * sizeof(*items));
        f->node->items = items;
        f->node->n = n;
}

static int on_end(struct builder *b, const yaml_event_t *e)
{
        struct frame *f = &b->frames[b->depth - 1];
        if (f->is_flow) /* libyaml ends a block where the next token is */
                f->extent.end_line = end_line_of(e);
        f->node->end_line = f->extent.end_line;
        int r = 0;
        if (e->type == YAML_MAPPING_END_EVENT)
                r = end_mapping(b, f);
        else
                end_sequence(b, f);
        b->children.n = f->first_child;
        b->depth--;
        if (f->anchor)
                *f->anchor = (struct anchor){ .node = f->node, .extent = f->extent };
        if (r == 0)
                add_node(b, f->node, f->extent);
        return r;
}

static int on_document_end(struct builder *b, const yaml_event_t *e)
{
        map_str_done(&b->anchors);
        return 0;
}

static int (*const handlers[])(struct builder *b, const yaml_event_t *e) = {
        [YAML_DOCUMENT_END_EVENT] = on_document_end,
        [YAML_ALIAS_EVENT] = on_alias,
        [YAML_SCALAR_EVENT] = on_scalar,
        [YAML_SEQUENCE_START_EVENT] = on_start,
        [YAML_SEQUENCE_END_EVENT] = on_end,
        [YAML_MAPPING_START_EVENT] = on_start,
        [YAML_MAPPING_END_EVENT] = on_end,
};

static int refuse(const struct builder *b, const yaml_parser_t *p)
{
        if (p->error == YAML_MEMORY_ERROR)
                return error_set(b->err, -ENOMEM, "no memory for YAML");
        const yaml_mark_t *at = p->error == YAML_READER_ERROR ? &p->mark : &p->problem_mark;
        char what[256];
        snprintf(what, sizeof(what), "%s%s%s", p->context ? p->context : "", p->context ? ": " : "",
                 p->problem ? p->problem : "not YAML");
        return malformed(b, at, what);
}

static int run(struct builder *b, yaml_parser_t *p)
{
        for (;;) {
                yaml_event_t e;
                if (!yaml_parser_parse(p, &e))
                        return refuse(b, p);
                yaml_event_type_t type = e.type;
                int r = type < ARRAY_SIZE(handlers) && handlers[type] ? handlers[type](b, &e) : 0;
                yaml_event_delete(&e);
                if (r < 0 || type == YAML_STREAM_END_EVENT)
                        return r;
        }
}

/* "%TAG" anywhere, in any of the encodings, so with NULs skipped. */
static size_t count_tag_directives(struct str s)
{
        static const char rest[] = "TAG";
        size_t found = 0;
        for (ptrdiff_t at; (at = str_find_char(s, '%')) >= 0;) {
                s = str_from(s, (size_t)at + 1);
                size_t matched = 0;
                for (size_t i = 0; matched < 3 && i < s.n && (s.p[i] == rest[matched] || s.p[i] == 0); i++)
                        matched += s.p[i] != 0;
                found += matched == 3;
        }
        return found;
}

static void *moved(struct arena *arena, const void *p, size_t n, size_t size)
{
        void *d = arena_array(arena, n, size);
        if (n)
                memcpy(d, p, n * size);
        return d;
}

int yaml_read(struct str bytes, struct arena *arena, struct yaml *ret, struct error *err)
{
        if (bytes.n > YAML_BYTES_MAX)
                return error_set(err, -EFBIG, "%zu bytes of YAML, more than the %u allowed", bytes.n, YAML_BYTES_MAX);
        if (count_tag_directives(bytes) > YAML_TAG_DIRECTIVES_MAX)
                return error_set(err, -EBADMSG, "more than %u tag directives (%%TAG)", YAML_TAG_DIRECTIVES_MAX);
        yaml_parser_t parser;
        if (!yaml_parser_initialize(&parser))
                return error_set(err, -ENOMEM, "no memory for YAML");
        yaml_parser_set_input_string(&parser, (const unsigned char *)(bytes.n ? bytes.p : ""), bytes.n);
        struct builder b = { .arena = arena, .err = err, .budget = { YAML_EXPANDED_BYTES_MAX, YAML_NODES_MAX, NULL } };
        int r = run(&b, &parser);
        yaml_parser_delete(&parser);
        if (r == 0)
                *ret = (struct yaml){
                        .documents = moved(arena, b.documents.v, b.documents.n, sizeof(*b.documents.v)),
                        .n = b.documents.n,
                        .duplicates = moved(arena, b.duplicates.v, b.duplicates.n, sizeof(*b.duplicates.v)),
                        .n_duplicates = b.duplicates.n,
                        .binary = b.binary,
                };
        map_str_done(&b.anchors);
        vec_done(&b.children);
        vec_done(&b.documents);
        vec_done(&b.duplicates);
        return r;
}
