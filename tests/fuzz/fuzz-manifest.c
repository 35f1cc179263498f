/* A manifest of what may run. */
#include "read/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct manifest m;
        if (manifest_parse(str_span(data, size), &arena, &m, NULL) == 0)
                for (size_t i = 0; i < m.n_files; i++)
                        if (manifest_find(&m, m.files[i].path) != &m.files[i])
                                __builtin_trap();
        arena_done(&arena);
        return 0;
}
