/* rpm's database of kind bdb: what it gives and tells is read to its last byte. */
#include "rpmdb-fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct rpmdb_visitor v = reading_visitor();
        (void)rpmdb_read_bdb(str_span(data, size), &v);
        return 0;
}
