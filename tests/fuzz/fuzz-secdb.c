/* Alpine's secdb, Debian's tracker, KEV and EPSS into a database: the kind is recognised from the bytes. */
#include "fuzz-import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        fuzz_import(NULL, data, size);
        return 0;
}
