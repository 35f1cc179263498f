/* The inside of a builder, shared by db-build.c (collects), db-arrange.c (orders) and db-write.c (writes). */
#ifndef SEKISHO_INTEL_DB_BUILD_PRIVATE_H
#define SEKISHO_INTEL_DB_BUILD_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "intel/db-build.h"
#include "intel/db-format.h"
#include "intel/strpool.h"
#include "intel/version.h"

/* Texts are offsets in the pool, everything else that is numbered an index of its array. */
struct build_feed {
        uint32_t name, source, licence, why;
        int64_t date, fetched;
        uint64_t records, skipped;
};

struct build_ecosystem {
        uint32_t name;
        const struct version_scheme *scheme; /* NULL: versions are only equal or not */
};

struct build_slice {
        uint32_t first, n;
};

struct build_advisory {
        uint32_t id, feed, vendor, cvss, summary, rating;
        int64_t published, modified;
        struct build_slice aliases, upstream; /* of names */
        uint32_t edition;                     /* rows of `affected` of an earlier one no longer count */
        uint32_t rank;                        /* its row in the file; DB_NONE if it affects nothing */
};

struct build_affected {
        uint32_t ecosystem, name, advisory, edition;
        struct build_slice intervals, versions;
};

struct build_interval {
        uint32_t start, end, kind;
};

struct build_score {
        uint32_t year, number, cvss, vendor, rating, epss, epss_percentile, kev_day;
};

struct build_vuln {
        uint32_t advisory; /* rank */
        uint32_t cve, group;
};

VEC_TYPE(build_words, uint32_t);

struct db_builder {
        struct sink sink;
        bool keep_summaries;
        bool is_too_large;
        struct strpool pool;
        struct arena scratch;
        VEC(struct build_feed) feeds;
        VEC(struct build_ecosystem) ecosystems;
        VEC(struct build_advisory) advisories;
        VEC(struct build_affected) affected;
        VEC(struct build_interval) intervals;
        VEC(struct build_score) scores;
        struct build_words names, versions; /* texts */
        struct map64 ecosystem_by_name, advisory_by_id, score_by_cve;
        uint32_t current; /* advisory that `affected` facts belong to; DB_NONE: none */

        /* Made by builder_arrange: rows in the file's order. */
        struct build_words advisory_order;  /* rank -> index */
        struct build_words ecosystem_order; /* position -> index */
        struct build_words affected_order;  /* by ecosystem, package, advisory; rows that belong together adjoin */
        VEC(struct build_vuln) vulns;
};

/* The CVE's row of scores, made if need be. NULL if it is no CVE id. Valid until the next call. */
struct build_score *builder_score(struct db_builder *b, struct str cve);

/* Puts everything into the file's order, finds the groups of aliases, and gives CVEs the scores of their advisories. */
void builder_arrange(struct db_builder *b);

/*
 * Turns one range's events ("introduced 1.0", "fixed 1.2", ...; in any order) into disjoint intervals in rising order.
 * At a version where one stretch ends and another starts, nothing changes: what was affected stays so, what was not
 * is so for that version alone if it is both introduced and last_affected there. `start` is empty for "0".
 */
void intervals_of_events(const struct version_scheme *scheme, struct str_list events,
                         void (*put)(void *arg, struct str start, struct str end, enum db_interval_kind kind),
                         void *arg);

static inline struct str builder_text(const struct db_builder *b, uint32_t at) { return strpool_text(&b->pool, at); }

#endif
