/* The reader of the-sample. */
#include "read/the-sample.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct sample r = sample_from(str_span(data, size));
        struct sample_record record;
        while (sample_next(&r, &record) != SAMPLE_END)
                ;
        return 0;
}
