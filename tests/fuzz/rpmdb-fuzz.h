/* What the fuzzers of rpm's databases do with what a reader gives: everything is read to its last byte. */
#ifndef SEKISHO_TESTS_RPMDB_FUZZ_H
#define SEKISHO_TESTS_RPMDB_FUZZ_H

#include "read/rpmdb.h"

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

static struct rpmdb_visitor reading_visitor(void)
{
        return (struct rpmdb_visitor){ .header = on_header, .defect = on_defect };
}

#endif
