/* The journal of guarded logs. */
#include "serve/log-guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct guard_journal j = { .arena = ARENA_INIT };
        (void)guard_journal_parse(&j, str_span(data, size), NULL);
        guard_journal_done(&j);
        return 0;
}
