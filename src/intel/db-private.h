/* The inside of an open database: bounds-checked access to its rows. For db.c, db-match.c and db-verify.c only. */
#ifndef SEKISHO_INTEL_DB_PRIVATE_H
#define SEKISHO_INTEL_DB_PRIVATE_H

#include "intel/db-format.h"
#include "intel/db.h"

#include <endian.h>

struct db_part {
        const uint8_t *p;
        uint64_t n; /* rows; bytes of DB_STRINGS */
};

struct db {
        const uint8_t *bytes;
        size_t size;
        bool is_mapped;
        char *path;                        /* NULL unless opened by path */
        struct db_part parts[DB_SECTIONS]; /* checked to lie in the file when it was opened */
        int64_t date;
        char digest[7 + 64 + 1];
};

/* Row i of a section, its words in the host's order. False past the end. `words` must be the section's own. */
static inline bool db_row(const struct db *db, enum db_section s, uint64_t i, unsigned words, uint32_t *ret)
{
        if (i >= db->parts[s].n)
                return false;
        memcpy(ret, db->parts[s].p + i * words * 4, (size_t)words * 4);
        for (unsigned w = 0; w < words; w++)
                ret[w] = le32toh(ret[w]);
        return true;
}

/* Whether rows first .. first + n - 1 exist. */
static inline bool db_has(const struct db *db, enum db_section s, uint32_t first, uint32_t n)
{
        return (uint64_t)first + n <= db->parts[s].n;
}

static inline uint64_t db_wide(const uint32_t *low) { return (uint64_t)low[1] << 32 | low[0]; }

/* The text at an offset of DB_STRINGS. False if it is not all in there. */
bool db_text(const struct db *db, uint32_t at, struct str *ret);

/* Row `at` of DB_LISTS as text. */
bool db_list_text(const struct db *db, uint64_t at, struct str *ret);

/* Why a version is affected: by an interval of versions, or because it is listed. */
struct db_proof {
        uint32_t advisory, vuln; /* rows */
        bool is_listed;
        enum db_interval_kind kind;
        struct str start, end; /* start: empty for "from the beginning"; end: empty if open */
};

/* What was asked about. Without a version, the facts describe the advisory and not an installed package. */
struct db_subject {
        struct str ecosystem, name, version;
};

/* Reads row `at` of DB_INTERVALS; advisory and vuln are left 0. False if it is damaged. */
bool db_interval(const struct db *db, uint64_t at, struct db_proof *ret);

/* Makes the fact. 0, or -EBADMSG if the database is damaged. */
int db_describe(const struct db *db, const struct db_proof *proof, const struct db_subject *about, struct arena *arena,
                struct fact_vulnerability *ret);

/* Adds what another advisory about the same vulnerability knows: its names and what the fact still lacks. */
int db_describe_also(const struct db *db, uint32_t advisory_row, struct arena *arena, struct fact_vulnerability *v);

/* Sorts the aliases and drops the repeated ones. */
void db_describe_end(struct fact_vulnerability *v);

/* The order of DB_ECOSYSTEMS: bytes, without ASCII case. */
int ecosystem_order(struct str a, struct str b);

#endif
