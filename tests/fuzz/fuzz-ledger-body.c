/*
 * Bodies of records as a forger may have written them: the first byte chooses the kind, the rest is the body. Whatever
 * it says, what is derived of it can be asked for.
 */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct book *ledger(void)
{
        static struct book b = { .path = (char *)"memory" };
        if (b.db)
                return &b;
        if (sqlite3_open_v2(":memory:", &b.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
            schema_migrate(&b, 0, SCHEMA_NOW, NULL) < 0)
                abort();
        return &b;
}

static void ask(struct book *b, struct arena *arena)
{
        struct str keys[] = { STR("k"), STR("W-1") };
        struct book_inventory inventory;
        struct book_waiver_list waivers;
        struct book_history history;
        struct book_found found;
        struct stock stock;
        struct book_sighting *sightings;
        size_t n;
        (void)book_find(b, STR("n"), arena, &found, NULL);
        (void)book_inventory(b, arena, &inventory, NULL);
        (void)book_waivers(b, arena, &waivers, NULL);
        (void)book_history(b, keys, ARRAY_SIZE(keys), arena, &history, NULL);
        (void)book_stock(b, arena, &stock, NULL);
        (void)book_sightings(b, keys[0], arena, &sightings, &n, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct book *b = ledger();
        struct arena arena = ARENA_INIT;
        if (size == 0)
                return 0;
        struct book_record r = { .sequence = 1,
                                 .time = 1780000000,
                                 .kind = str_of(record_kind_name((enum record_kind)(data[0] % RECORD_KINDS))),
                                 .subject = STR("W-1"),
                                 .actor = STR("a"),
                                 .body = str_span(data + 1, size - 1) };
        if (project_record(b, &r, NULL, NULL) == 0)
                ask(b, &arena);
        arena_done(&arena);
        for (const struct derived_table *t = derived_tables; t->name; t++) {
                char text[64];
                snprintf(text, sizeof(text), "DELETE FROM %s", t->name);
                if (sql_run(b, text, NULL) < 0)
                        abort();
        }
        return 0;
}
