/* TOML: any bytes; what is taken is walked. */
#include "read/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct toml *v)
{
        size_t n = 1;
        for (const struct toml_entry *e = v->entries; e; e = e->next)
                n += count(e->value);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct error err = ERROR_NONE;
        struct toml *root;
        if (toml_parse(str_span(data, size), &arena, &root, &err) == 0 && count(root) == 0)
                __builtin_trap();
        arena_done(&arena);
        return 0;
}
