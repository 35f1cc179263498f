/* Requests of the agent's control socket. */
#include "serve/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct control_request r;
        struct error err = ERROR_NONE;
        (void)control_parse(str_span(data, size), &arena, &r, &err);
        arena_done(&arena);
        return 0;
}
