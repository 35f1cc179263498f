/* What the fuzzers of the VEX readers share: bytes through a reader, each fact encoded and compared. */
#ifndef TESTS_FUZZ_VEX_H
#define TESTS_FUZZ_VEX_H

#include "intel/vex-match.h"
#include "intel/vex.h"

#include <stdlib.h>

static void fuzz_put(struct sink *s, enum fact_kind kind, const void *fact)
{
        static struct str digests[] = { STR(
                "sha256:1111111111111111111111111111111111111111111111111111111111111111") };
        static struct str references[] = { STR("registry.example:5000/team/web:1.2") };
        static const struct vex_artefact artefact = { .digests = { digests, 1 },
                                                      .references = { references, 1 },
                                                      .os_cpe = STR("cpe:/o:redhat:enterprise_linux:9") };
        static const struct vex_package package = { STR("pkg:deb/debian/a@1?arch=amd64"), STR("a"), STR("1") };
        const struct vex_vulnerability vulnerability = { STR("CVE-2024-1"), STR("CVE-2024-1"), { 0 } };
        struct buf b = BUF_INIT(16u << 20);
        struct str why = STR_NONE;
        (void)s;
        fact_encode(kind, fact, &b); /* touches all that the fact points to */
        buf_done(&b);
        if (kind != FACT_vex)
                return;
        enum vex_match match = vex_applies(fact, &artefact, &package, &why);
        if ((match == VEX_VAGUE) != (why.n > 0) && match != VEX_NO_MATCH)
                abort();
        (void)vex_same_vulnerability(fact, &vulnerability);
}

static void fuzz_vex(const struct vex_reader *reader, const uint8_t *data, size_t size)
{
        struct sink s = { .put = fuzz_put };
        (void)vex_read(reader, str_span(data, size), &s, NULL);
}

#endif
