/* YAML: the whole stream is read, and the tree walked with every getter. */
#include "read/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t visited;

static void walk(const struct yaml_node *n)
{
        bool yes;
        int64_t v;
        visited++;
        if (n->kind == YAML_SCALAR && n->text.p[n->text.n] != 0)
                __builtin_trap(); /* the NUL of yaml.h */
        (void)yaml_bool(n, &yes);
        (void)yaml_int(n, &v);
        (void)yaml_is_null(n);
        for (size_t i = 0; n->kind == YAML_SEQUENCE && i < n->n; i++)
                walk(n->items[i]);
        for (size_t i = 0; n->kind == YAML_MAPPING && i < n->n; i++) {
                walk(n->pairs[i].key);
                walk(n->pairs[i].value);
        }
        (void)yaml_get(n, "a");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct yaml y;
        struct error err = ERROR_NONE;
        visited = 0;
        if (yaml_read(str_span(data, size), &arena, &y, &err) == 0)
                for (size_t i = 0; i < y.n; i++)
                        walk(y.documents[i]);
        if (visited > YAML_NODES_MAX)
                __builtin_trap(); /* the promise of yaml.h */
        arena_done(&arena);
        return 0;
}
