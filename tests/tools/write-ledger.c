/*
 * Records in a ledger that no command of the test writes: a sighting, a waiver from its request to its end, a decision.
 *
 *         write-ledger LEDGER DIGEST NAME
 */
#include "store/store.h"

#include <stdio.h>

#define NOON INT64_C(1767700800) /* 2026-01-06T12:00:00Z */

static int write_all_kinds(struct book *b, struct str digest, struct str name, struct error *err)
{
        struct str waivers[] = { STR("W-1") };
        char id[WAIVER_ID_MAX];
        const struct book_artefact seen = { .digest = digest,
                                            .kind = STR("podman"),
                                            .host = STR("web-1"),
                                            .container = STR("c0ffee\x1b[31m"),
                                            .tags = { &name, 1 } };
        const struct book_waiver w = { .finding = STR("CVE-2023-27533"),
                                       .owner = STR("team \"web\""),
                                       .reason = STR("telnet is off\nHACKED"),
                                       .response = STR("mitigate"),
                                       .control = STR("waf:9301"),
                                       .expires = NOON + 86400,
                                       .scope = { .digest = digest } };
        const struct book_decision d = { .artefact = digest,
                                         .name = name,
                                         .stage = STR("admit"),
                                         .verdict = STR("allow"),
                                         .policy = STR("default"),
                                         .reason = STR("waived"),
                                         .waivers = { waivers, 1 } };
        struct book_stamp agent = { NOON, STR("agent") }, bob = { NOON + 60, STR("bob") },
                          carol = { NOON + 120, STR("carol") }, gate = { NOON + 180, STR("gate") },
                          sweep = { NOON + 86400, STR("sweep") };
        int r = book_add_observation(b, &agent, &seen, NULL, err);
        if (r == 0)
                r = book_waiver_request(b, &bob, &w, id, err);
        if (r == 0)
                r = book_waiver_approve(b, &carol, str_of(id), true, err);
        if (r == 0)
                r = book_add_decision(b, &gate, &d, NULL, err);
        return r < 0 ? r : book_waiver_end(b, &sweep, str_of(id), STR("expired"), err);
}

int main(int argc, char **argv)
{
        struct error err = ERROR_NONE;
        struct book *b = NULL;
        if (argc != 4) {
                fprintf(stderr, "usage: write-ledger LEDGER DIGEST NAME\n");
                return 2;
        }
        int r = book_open(argv[1], BOOK_WRITE, &b, &err);
        if (r == 0)
                r = write_all_kinds(b, str_of(argv[2]), str_of(argv[3]), &err);
        book_close(b);
        if (r < 0)
                fprintf(stderr, "write-ledger: %s\n", err.text);
        return r < 0;
}
