/*
 * A damaged database: opened and asked everything. The size and the checksum in its header are put right first, or
 * nothing behind them would ever be reached.
 */
#include "intel/db-format.h"
#include "intel/db.h"

#include <endian.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void found(void *arg, const struct fact_vulnerability *v)
{
        size_t *bytes = arg;
        *bytes += v->id.n + v->summary.n + v->fixed.n + v->comparison.n;
        for (size_t i = 0; i < v->aliases.n; i++)
                *bytes += v->aliases.v[i].n ? (size_t)v->aliases.v[i].p[v->aliases.v[i].n - 1] : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct db_query queries[] = {
                { { "npm", 3 }, { "p", 1 }, { "1.0.0", 5 } },
                { { "PyPI", 4 }, { "Q_q", 3 }, { "1.0", 3 } },
                { { "AlmaLinux:9", 11 }, { "r", 1 }, { "1-1.el9", 7 } },
                { { "Debian:11", 9 }, { "s", 1 }, { "1.0-1", 5 } },
        };
        if (size < DB_HEADER_SIZE)
                return 0;
        uint8_t *copy = malloc(size);
        struct db *db;
        size_t bytes = 0;
        if (!copy)
                return 0;
        memcpy(copy, data, size);
        uint64_t fixed = htole64(size);
        memcpy(copy + DB_AT_FILE_SIZE, &fixed, 8);
        fixed = htole64(XXH64(copy, DB_AT_CHECKSUM, 0));
        memcpy(copy + DB_AT_CHECKSUM, &fixed, 8);
        if (db_open_memory(str_span(copy, size), &db, NULL) == 0) {
                struct arena arena = ARENA_INIT;
                struct db_feed feed;
                (void)db_verify(db, NULL);
                for (size_t i = 0; i < ARRAY_SIZE(queries); i++)
                        (void)db_match(db, &queries[i], &arena, found, &bytes);
                (void)db_lookup(db, STR("CVE-2024-1111"), &arena, found, &bytes);
                (void)db_lookup(db, STR("ALSA-2024:1"), &arena, found, &bytes);
                for (size_t i = 0; i < db_feeds(db) && i < 16; i++)
                        (void)db_feed(db, i, &feed);
                (void)db_knows_ecosystem(db, STR("Alpine:v3.20"));
                arena_done(&arena);
                db_close(db);
        }
        free(copy);
        return 0;
}
