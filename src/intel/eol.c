/*
 * See eol.h. The table is data/eol.tsv, turned into C when the program is built (tools/advisories/make-eol --c). A row
 * stands for its version and all that continue it after a dot ("11" for 11.7); "*" stands for any version and for none,
 * an empty version for none. Rolling releases have a row without an end.
 */
#include "intel/eol.h"

struct eol_row {
        const char *id, *version, *name, *successor;
        int64_t released, ends, ends_standard, ends_paid;
};

#include "intel/eol-table.h"

/* CentOS Stream and Alpine edge do not tell themselves apart by ID and VERSION_ID. */
static void tell_apart(const struct fact_os *os, struct str *ret_id, struct str *ret_version)
{
        *ret_id = os->id;
        *ret_version = os->version;
        if (str_is(os->id, "centos") && str_find(os->name, STR("Stream")) >= 0)
                *ret_id = STR("centos-stream");
        if (str_is(os->id, "alpine") &&
            (str_find(os->version, STR("_alpha")) >= 0 || str_find(os->name, STR("edge")) >= 0))
                *ret_version = STR("edge");
}

static bool stands_for(struct str row, struct str version)
{
        if (str_is(row, "*"))
                return true;
        return str_starts(version, row) && (version.n == row.n || (row.n && version.p[row.n] == '.'));
}

bool eol_find(const struct fact_os *os, struct eol *ret)
{
        struct str id, version;
        const struct eol_row *best = NULL;
        tell_apart(os, &id, &version);
        for (size_t i = 0; i < ARRAY_SIZE(eol_rows); i++) {
                const struct eol_row *r = &eol_rows[i];
                if (str_is(id, r->id) && stands_for(str_of(r->version), version) &&
                    (!best || strlen(r->version) > strlen(best->version)))
                        best = r;
        }
        if (!best)
                return false;
        *ret = (struct eol){
                .release = str_of(best->name),
                .released = best->released,
                .ends = best->ends,
                .ends_standard = best->ends_standard,
                .ends_paid = best->ends_paid,
                .successor = str_of(best->successor),
        };
        return true;
}

int64_t eol_table_date(void) { return EOL_TABLE_DATE; }

const char *eol_table_source(void) { return EOL_TABLE_SOURCE; }
