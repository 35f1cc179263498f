/* Which kind of rpm database it is, and what the three readers share. See rpmdb.h. */
#include "read/rpmdb-internal.h"

enum rpmdb_kind rpmdb_recognise(struct str bytes)
{
        if (str_starts(bytes, STR("SQLite format 3\0")))
                return RPMDB_SQLITE;
        if (str_starts(bytes, STR("RpmP")))
                return RPMDB_NDB;
        struct str magic = str_upto(str_from(bytes, 12), 4);
        if (str_eq(magic, STR("\x61\x15\x06\0")) || str_eq(magic, STR("\0\x06\x15\x61")))
                return RPMDB_BDB;
        return RPMDB_UNKNOWN;
}

size_t rpmdb_read(struct str bytes, struct rpmdb_visitor *v)
{
        switch (rpmdb_recognise(bytes)) {
        case RPMDB_BDB:
                return rpmdb_read_bdb(bytes, v);
        case RPMDB_NDB:
                return rpmdb_read_ndb(bytes, v);
        case RPMDB_SQLITE:
                return rpmdb_read_sqlite(bytes, v);
        case RPMDB_UNKNOWN:
                break;
        }
        v->defect(v, bytes.n < 16 ? "truncated" : "unsupported",
                  "not a Berkeley DB hash, ndb or SQLite database of rpm", 0);
        return 0;
}

struct rpmdb_walk rpmdb_walk_from(struct str bytes, struct rpmdb_visitor *v)
{
        return (struct rpmdb_walk){
                .bytes = bytes,
                .visitor = v,
                .budget = { .bytes = bytes.n, .items = RPMDB_PACKAGES_MAX },
        };
}

bool rpmdb_give(struct rpmdb_walk *w, struct str header, uint64_t offset)
{
        if (!budget_items(&w->budget, 1)) {
                rpmdb_defect(w, "limit", "more packages than a database may list", offset);
                return false;
        }
        if (!budget_bytes(&w->budget, header.n)) {
                rpmdb_defect(w, "corrupt", "records lie over each other", offset);
                return false;
        }
        w->given++;
        w->visitor->header(w->visitor, header, offset);
        return true;
}

void rpmdb_defect(struct rpmdb_walk *w, const char *code, const char *why, uint64_t offset)
{
        if (w->defects++ < RPMDB_DEFECTS_MAX)
                w->visitor->defect(w->visitor, code, why, offset);
        else if (w->defects == RPMDB_DEFECTS_MAX + 1)
                w->visitor->defect(w->visitor, code, "and more defects like those before", offset);
}
