/* What the guard's scanner believes of a worker's answer: any bytes. */
#include "serve/guard-private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct guard_finding f;
        if (guard_finding_decode(str_span(data, size), &arena, &f) && f.verdict != VERDICT_CLEAN &&
            f.verdict != VERDICT_INCOMPLETE && f.verdict != VERDICT_MALWARE)
                abort();
        arena_done(&arena);
        return 0;
}
