/* What the fuzzers of the importers share: bytes through an importer into a database, which is then written and asked.
 */
#ifndef TESTS_FUZZ_IMPORT_H
#define TESTS_FUZZ_IMPORT_H

#include "base/fs.h"
#include "intel/db-build.h"
#include "intel/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void fuzz_found(void *arg, const struct fact_vulnerability *v)
{
        (void)arg;
        if (!v->id.n)
                abort();
}

/* What was built must open, verify and answer, whatever the feed was. */
static void fuzz_ask(struct str bytes)
{
        _cleanup_(db_closep) struct db *db = NULL;
        struct arena arena = ARENA_INIT;
        struct db_query q[] = { { STR("npm"), STR("p"), STR("1.0.0") }, { STR("Debian:11"), STR("p"), STR("1.0-1") } };
        if (db_open_memory(bytes, &db, NULL) < 0 || db_verify(db, NULL) < 0)
                abort();
        for (size_t i = 0; i < ARRAY_SIZE(q); i++)
                if (db_match(db, &q[i], &arena, fuzz_found, NULL) < 0)
                        abort();
        if (db_lookup(db, STR("CVE-2024-1111"), &arena, fuzz_found, NULL) < 0)
                abort();
        arena_done(&arena);
}

static void fuzz_import(const char *kind, const uint8_t *data, size_t size)
{
        static int fd = -1;
        _cleanup_(db_builder_freep) struct db_builder *b = db_builder_new(true);
        struct db_feed feed = { .name = STR("fuzz") };
        char *bytes = NULL;
        size_t n = 0;
        if (fd < 0)
                fd = memfd_create("feed", MFD_CLOEXEC);
        if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 || write_all(fd, data, size) < 0 ||
            lseek(fd, 0, SEEK_SET) < 0)
                abort();
        db_builder_feed(b, &feed);
        (void)import_run(kind ? importer_find(kind) : NULL, fd, "fuzz", db_builder_sink(b), NULL);
        FILE *to = open_memstream(&bytes, &n);
        if (!to || db_builder_write(b, to, NULL) < 0 || fclose(to) != 0)
                abort();
        fuzz_ask(str_span(bytes, n));
        free(bytes);
}

#endif
