/*
 * Whether what is derived from the log is what the log gives, and making it anew. To compare, the derived tables are
 * made a second time as temporary ones: SQLite takes a name without a schema for the temporary table, so project.c
 * fills these, and the ledger itself is not written.
 */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>

static int compare_table(struct book *b, const char *table, char words[static ERROR_TEXT_MAX], struct error *err)
{
        char text[512];
        int64_t missing = 0, extra = 0;
        snprintf(text, sizeof(text), "SELECT count(*) FROM (SELECT * FROM temp.%s EXCEPT SELECT * FROM main.%s)", table,
                 table);
        int r = sql_number(b, text, &missing, err);
        snprintf(text, sizeof(text), "SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT SELECT * FROM temp.%s)", table,
                 table);
        if (r == 0)
                r = sql_number(b, text, &extra, err);
        if (r < 0 || (!missing && !extra))
                return r;
        snprintf(words, ERROR_TEXT_MAX,
                 "the table %s is not what the log gives: %lld of its rows are missing or changed, %lld should not be "
                 "there; the log itself is whole, so sekisho ledger rebuild repairs it",
                 table, (long long)missing, (long long)extra);
        return 1;
}

int derived_compare(struct book *b, char words[static ERROR_TEXT_MAX], struct error *err)
{
        sql_forget(b); /* kept statements mean the tables of the ledger */
        int r = schema_make_derived(b, "temp", err);
        if (r == 0)
                r = project_all(b, err);
        for (const struct derived_table *t = derived_tables; t->name && r == 0; t++)
                r = compare_table(b, t->name, words, err);
        sql_forget(b);
        int e = schema_drop_derived(b, "temp", err);
        return r ? r : e;
}

int derived_rebuild(struct book *b, struct error *err)
{
        int r = schema_drop_derived(b, "main", err);
        sql_forget(b);
        if (r == 0)
                r = schema_make_derived(b, "main", err);
        return r < 0 ? r : project_all(b, err);
}
