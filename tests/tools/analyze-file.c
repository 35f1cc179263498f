/*
 * For tests of the analyzers: gives a file to those that want it under the path, and prints the facts, one a line with
 * tabs between the fields.
 *
 *         analyze-file PATH FILE [--sandbox]
 */
#include "analyze/analyzer.h"
#include "base/fs.h"
#include "proc/worker.h"

#include <stdio.h>
#include <string.h>

static void put(struct sink *s, enum fact_kind kind, const void *fact)
{
        if (kind == FACT_package) {
                const struct fact_package *p = fact;
                printf("package\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", STR_FMT(p->name),
                       STR_FMT(p->version), STR_FMT(p->arch), STR_FMT(p->source), STR_FMT(p->source_version),
                       STR_FMT(p->vendor), STR_FMT(p->module), STR_FMT(p->licence));
        } else if (kind == FACT_owned) {
                const struct fact_owned *o = fact;
                printf("owned\t%.*s\t%.*s\t%s\t%.*s\t", STR_FMT(o->package), STR_FMT(o->path),
                       o->config ? "config" : "", STR_FMT(o->algorithm));
                for (size_t i = 0; i < o->digest.n; i++)
                        printf("%02x", (unsigned char)o->digest.p[i]);
                printf("\n");
        } else if (kind == FACT_unread) {
                const struct fact_unread *u = fact;
                printf("unread\t%.*s\t%.*s\n", STR_FMT(u->code), STR_FMT(u->detail));
        }
}

int main(int argc, char **argv)
{
        struct error err = ERROR_NONE;
        struct buf bytes = BUF_INIT((size_t)1 << 30);
        struct arena arena = ARENA_INIT;
        struct sink sink = { put };
        char missing[64];
        FILE *f = argc >= 3 ? fopen(argv[2], "rb") : NULL;
        if (!f) {
                fprintf(stderr, "usage: analyze-file PATH FILE [--sandbox]\n");
                return 2;
        }
        char part[65536];
        for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
                buf_add(&bytes, part, n);
        fclose(f);
        if (argc > 3 && sandbox_enter((uint64_t)512 << 20, missing, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 3;
        }
        struct analyzer_input in = { .path = str_of(argv[1]), .bytes = buf_str(&bytes), .arena = &arena };
        uint64_t wanted = analyzers_for(in.path);
        for (size_t i = 0; analyzers[i]; i++)
                if (wanted >> i & 1)
                        analyzers[i]->run(&in, &sink);
        arena_done(&arena);
        buf_done(&bytes);
        return fflush(stdout) == 0 ? 0 : 3;
}
