/*
 * The layout of an advisory database, shared by its writer and its reader; docs/format/advisory-db.md describes it.
 * A header, then sections of rows; a row is a fixed number of little-endian 32-bit words. Text is named by its offset
 * in the string section, where it stands as a LEB128 length and its bytes; offset 0 is the empty string.
 */
#ifndef SEKISHO_INTEL_DB_FORMAT_H
#define SEKISHO_INTEL_DB_FORMAT_H

#include "base/macros.h"

#define DB_MAGIC   "sekisho-advisory" /* 16 bytes, without a NUL */
#define DB_VERSION 1u
#define DB_NONE    UINT32_MAX /* "no row" where a row's number is stored */

enum db_section {
        DB_STRINGS,    /* bytes */
        DB_ECOSYSTEMS, /* by name without case */
        DB_PACKAGES,   /* by ecosystem, name */
        DB_AFFECTED,   /* by package, advisory */
        DB_INTERVALS,
        DB_LISTS,      /* strings of lists: affected versions in the ecosystem's order, aliases by bytes */
        DB_ADVISORIES, /* by id, feed */
        DB_VULNS,      /* by advisory: the vulnerabilities that it is about, nearly always one */
        DB_CVES,       /* by year, number */
        DB_NAMES,      /* every id and alias, by bytes, advisory */
        DB_REACHED,    /* the rows of DB_AFFECTED by advisory */
        DB_FEEDS,
        DB_SECTIONS
};

/* The header, by byte offsets. Its checksum is XXH64 (seed 0) of the bytes before it. */
enum {
        DB_AT_MAGIC = 0,
        DB_AT_VERSION = 16,
        DB_AT_SECTIONS = 20,
        DB_AT_FILE_SIZE = 24,
        DB_AT_DATE = 32,
        DB_AT_DIGEST = 40, /* SHA-256 of the file after the header */
        DB_AT_TABLE = 72,  /* for each section: offset, rows; 64 bits each */
        DB_AT_CHECKSUM = DB_AT_TABLE + 16 * DB_SECTIONS,
        DB_HEADER_SIZE = DB_AT_CHECKSUM + 8,
};
_Static_assert(DB_HEADER_SIZE % 8 == 0, "sections start aligned");

enum db_ecosystem_word { ECOSYSTEM_NAME, ECOSYSTEM_PACKAGES, ECOSYSTEM_PACKAGES_N, ECOSYSTEM_WORDS };
enum db_package_word { PACKAGE_NAME, PACKAGE_ECOSYSTEM, PACKAGE_AFFECTED, PACKAGE_AFFECTED_N, PACKAGE_WORDS };
enum db_affected_word {
        AFFECTED_PACKAGE,
        AFFECTED_ADVISORY,
        AFFECTED_INTERVALS,
        AFFECTED_INTERVALS_N,
        AFFECTED_VERSIONS, /* in DB_LISTS */
        AFFECTED_VERSIONS_N,
        AFFECTED_WORDS
};
enum db_interval_word { INTERVAL_START, INTERVAL_END, INTERVAL_KIND, INTERVAL_WORDS };
enum db_interval_kind { INTERVAL_OPEN, INTERVAL_FIXED, INTERVAL_LAST_AFFECTED, INTERVAL_LIMIT, INTERVAL_KINDS };
enum db_advisory_word {
        ADVISORY_ID,
        ADVISORY_FEED,
        ADVISORY_VULNS,
        ADVISORY_VULNS_N,
        ADVISORY_ALIASES, /* in DB_LISTS */
        ADVISORY_ALIASES_N,
        ADVISORY_REACHED,
        ADVISORY_REACHED_N,
        ADVISORY_RATING, /* see below */
        ADVISORY_CVSS,   /* vector */
        ADVISORY_VENDOR, /* whose word the severity is */
        ADVISORY_SUMMARY,
        ADVISORY_PUBLISHED, /* low, high */
        ADVISORY_PUBLISHED_HIGH,
        ADVISORY_MODIFIED,
        ADVISORY_MODIFIED_HIGH,
        ADVISORY_WORDS
};
enum db_vuln_word {
        VULN_ADVISORY,
        VULN_CVE,   /* its CVE id, or empty */
        VULN_SCORE, /* row of DB_CVES, or DB_NONE */
        VULN_GROUP, /* the same number: the same vulnerability, by aliases */
        VULN_WORDS
};
enum db_cve_word {
        CVE_YEAR,
        CVE_NUMBER,
        CVE_EPSS,
        CVE_EPSS_PERCENTILE,
        CVE_KEV_DAY, /* days since 1970, 0: not in the KEV */
        CVE_RATING,
        CVE_CVSS,
        CVE_VENDOR,
        CVE_WORDS
};
enum db_name_word { NAME_TEXT, NAME_ADVISORY, NAME_WORDS };
enum db_feed_word {
        FEED_NAME,
        FEED_SOURCE,
        FEED_LICENCE,
        FEED_WHY,
        FEED_DATE, /* low, high; the others too */
        FEED_DATE_HIGH,
        FEED_FETCHED,
        FEED_FETCHED_HIGH,
        FEED_RECORDS,
        FEED_RECORDS_HIGH,
        FEED_SKIPPED,
        FEED_SKIPPED_HIGH,
        FEED_WORDS
};

/* A rating: CVSS score times ten, version and severity, the vendor's severity, and a flag. */
#define RATING_SCORE(r)         ((r)&0xffu)
#define RATING_CVSS_SEVERITY(r) ((r) >> 8 & 0xfu)
#define RATING_WORD_SEVERITY(r) ((r) >> 12 & 0xfu)
#define RATING_CVSS_MAJOR(r)    ((r) >> 16 & 0xfu)
#define RATING_CVSS_MINOR(r)    ((r) >> 20 & 0xfu)
#define RATING_FLAG(r)          ((r) >> 24 & 1u) /* advisory: malicious; CVE: used by ransomware */

/* Words of a row of each section; 0: bytes. */
extern const unsigned db_row_words[DB_SECTIONS];

#endif
