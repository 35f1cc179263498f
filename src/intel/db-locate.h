/* Which advisory database a command uses. */
#ifndef SEKISHO_INTEL_DB_LOCATE_H
#define SEKISHO_INTEL_DB_LOCATE_H

#include "base/buf.h"
#include "intel/db.h"

/*
 * Opens the first of: `file` (--db; NULL: not given), $SEKISHO_DB, the user's (db_path_user),
 * /var/lib/sekisho/advisories.db, the embedded one. "embedded" as file or in $SEKISHO_DB names the last. A file that is
 * there but cannot be used is an error, never passed over. ret_source ("embedded", or the file) lives as long as the
 * database.
 */
int db_locate(const char *file, struct db **ret, struct str *ret_source, struct error *err);

/*
 * Where `db update` writes: $SEKISHO_DB, else /var/lib/sekisho/advisories.db for root where that directory exists, else
 * $XDG_CACHE_HOME/sekisho/advisories.db (or ~/.cache/...). False if there is no home either.
 */
bool db_path_to_write(struct buf *ret);

/* $XDG_CACHE_HOME/sekisho/advisories.db, or ~/.cache/...; false if there is no home. */
bool db_path_user(struct buf *ret);

#endif
