/*
 * The advisory database: one read-only file, mmap'ed, whose every access is bounds-checked, so that a damaged file
 * gives fewer answers and an error, never a crash. Opening reads the header only. Format: docs/format/advisory-db.md.
 */
#ifndef SEKISHO_INTEL_DB_H
#define SEKISHO_INTEL_DB_H

#include "base/error.h"
#include "fact/fact.h"

struct db;

struct db_feed {
        struct str name;        /* "debian", "osv-go", "kev" */
        struct str source;      /* where it came from: URL, file name, or "embedded" */
        struct str licence;     /* may be empty */
        int64_t date;           /* newest record, or the feed's own date */
        int64_t fetched;        /* 0: not known */
        uint64_t records;       /* advisories (or scores) that it brought */
        uint64_t skipped;       /* records that could not be used: withdrawn, GIT ranges only, malformed */
        struct str skipped_why; /* "withdrawn 12, git ranges only 3"; may be empty */
};

int db_open(const char *path, struct db **ret, struct error *err);
int db_open_memory(struct str bytes, struct db **ret, struct error *err); /* bytes must stay, 8-byte aligned */
void db_close(struct db *db);
void db_closep(struct db **db);

/* Checks the whole file: checksum, offsets, order. Slow; for `db status --verify` and after an update. */
int db_verify(const struct db *db, struct error *err);

/* The set compiled into the program. Never fails in a correct build. */
int db_open_embedded(struct db **ret, struct error *err);

struct str db_path(const struct db *db);   /* that it was opened by; empty if it is in memory */
struct str db_digest(const struct db *db); /* "sha256:..." of the contents, from the header */
int64_t db_date(const struct db *db);      /* newest date of its feeds */
uint64_t db_advisories(const struct db *db);
size_t db_feeds(const struct db *db);
bool db_feed(const struct db *db, size_t i, struct db_feed *ret);

/* Whether there is any advisory for the ecosystem ("Debian:11", "Alpine:v3.20"): if not, a scan is blind there. */
bool db_knows_ecosystem(const struct db *db, struct str ecosystem);

/*
 * Whether all that it knows of the ecosystem are vulnerabilities in CISA's KEV, as the embedded database does of most:
 * then nothing found there says nothing about all others.
 */
bool db_knows_only_exploited(const struct db *db, struct str ecosystem);

struct db_query {
        struct str ecosystem; /* OSV name with suffix where it has one */
        struct str name;      /* as the ecosystem's feed names packages (source package for Debian, Alpine) */
        struct str version;
};

/*
 * Calls found for each advisory that affects the package, in the order of ids. The fact's views live as long as the
 * database, or in the arena. Returns the number, or < 0 if the database is damaged. Advisories that are aliases of each
 * other are one result. See docs/format/advisory-db.md.
 */
int db_match(const struct db *db, const struct db_query *q, struct arena *arena,
             void (*found)(void *arg, const struct fact_vulnerability *v), void *arg);

/*
 * The advisory by its id or any alias, for `explain`: calls found for each affected range of each package (`installed`
 * and `comparison` are empty); returns the number.
 */
int db_lookup(const struct db *db, struct str id, struct arena *arena,
              void (*found)(void *arg, const struct fact_vulnerability *v), void *arg);

#endif
