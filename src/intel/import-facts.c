/*
 * Our own tables of affected versions (docs/format/facts-tsv.md), of which the embedded database is made. Each id of a
 * row is an advisory of its own; the same id in further rows is the same advisory with further packages.
 */
#include "intel/import-kinds.h"
#include "intel/import-tsv.h"

#define COLUMNS "ecosystem package introduced fixed last_affected ids"

/* "GHSA-A=CVE-B=...": the id and its aliases. */
static void put_advisory(struct import *in, struct str id, const struct fact_affected *affected)
{
        struct str names = id;
        struct fact_advisory fact = { .id = str_cut(&names, '=') };
        size_t n = 0;
        for (size_t i = 0; i < names.n; i++)
                n += names.p[i] == '=';
        fact.aliases.v = arena_array(&in->arena, n + 1, sizeof(*fact.aliases.v));
        while (names.p) {
                struct str alias = str_cut(&names, '=');
                if (alias.n)
                        fact.aliases.v[fact.aliases.n++] = alias;
        }
        fact.malicious = str_starts(fact.id, STR("MAL-"));
        in->records++;
        sink_put(in->out, FACT_advisory, &fact);
        sink_put(in->out, FACT_affected, affected);
}

static void take_row(struct import *in, const struct str *row)
{
        static const char *const kinds[] = { "introduced", "fixed", "last_affected" };
        struct str events[ARRAY_SIZE(kinds)];
        struct fact_affected affected = { .ecosystem = row[0], .name = row[1], .events = { events, 0 } };
        struct str ids = row[5];
        if (!row[0].n || !row[1].n || !ids.n) {
                import_malformed(in, "a row without %s", !row[0].n ? "an ecosystem" : !row[1].n ? "a package" : "ids");
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (row[2 + i].n)
                        events[affected.events.n++] =
                                arena_printf(&in->arena, "%s %.*s", kinds[i], STR_FMT(row[2 + i]));
        while (ids.p) {
                struct str id = str_cut(&ids, ' ');
                if (id.n)
                        put_advisory(in, id, &affected);
        }
}

static int facts_run(struct import *in, struct error *err)
{
        struct str row[TSV_MAX_COLUMNS];
        int r;
        while ((r = tsv_row(in, COLUMNS, 6, row, err)) > 0)
                take_row(in, row);
        return r;
}

static bool facts_sniff(struct str first)
{
        return str_starts(first, STR("# content:")) || str_find(first, STR("# columns: " COLUMNS)) >= 0;
}

const struct importer importer_facts = {
        .name = "facts",
        .summary = "our own tables of affected versions (.tsv)",
        .sniff = facts_sniff,
        .run = facts_run,
};
