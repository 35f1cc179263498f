/* The readers of sense/mapped*: the first byte chooses a maps file or the agent's file; the rest is the input. */
#include "sense/mapped-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct mapped_file who = { .pid = 1, .comm = { "x", 1 } };
        struct mapped m;
        int64_t since;
        if (size == 0)
                return 0;
        struct str input = str_span(data + 1, size - 1);
        mapped_init(&m);
        if (data[0] & 1)
                mapped_parse(&m, input, &who);
        else
                (void)mapped_parse_file(&m, input, &since);
        mapped_done(&m);
        return 0;
}
