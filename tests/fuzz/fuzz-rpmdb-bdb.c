/* rpm's database of kind bdb: what it gives and tells is read to its last byte. */
#include "read/rpmdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t seen;

static void on_header(struct rpmdb_visitor *v, struct str header, uint64_t offset)
{
        struct rpm_header h;
        for (size_t i = 0; i < header.n; i++)
                seen ^= (uint8_t)header.p[i];
        (void)rpm_header_parse(header, &h);
}

static void on_defect(struct rpmdb_visitor *v, const char *code, const char *why, uint64_t offset)
{
        seen ^= (uint8_t)(code[0] ^ why[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct rpmdb_visitor v = { .header = on_header, .defect = on_defect };
        (void)rpmdb_read_bdb(str_span(data, size), &v);
        return 0;
}
