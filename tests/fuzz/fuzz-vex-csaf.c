/* VEX documents through the reader of CSAF, and what comes out through the comparison with an artefact. */
#include "fuzz-vex.h"
#include "intel/vex-readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        fuzz_vex(&vex_csaf, data, size);
        return 0;
}
