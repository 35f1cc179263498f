/* What the files of this room share. Nobody else includes it, but for tests that make old or broken ledgers. */
#ifndef SEKISHO_STORE_INTERNAL_H
#define SEKISHO_STORE_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "store/store.h"

#include <jansson.h>
#include <sqlite3.h>

#define STATEMENTS_MAX 128 /* different statements of this room */

struct book {
        sqlite3 *db;
        char *path;
        bool is_read_only;
        struct statement {
                const char *text; /* a literal: compared as a pointer */
                sqlite3_stmt *st;
        } statements[STATEMENTS_MAX];
        size_t n_statements;
};

/* --- sql.c: statements. SQLite's errors become -errno with words that name the ledger. --- */

struct query {
        struct book *b;
        sqlite3_stmt *st;
        int result; /* of preparing and binding: SQLITE_OK, or the first error */
        int at;     /* the next parameter or column */
};

/* A statement of the room, prepared at its first use and kept. `text` is a literal, and in use only once at a time. */
struct query query_of(struct book *b, const char *text);
void query_text(struct query *q, struct str s); /* binds the next parameter; s must live until query_end */
void query_bytes(struct query *q, struct str s);
void query_number(struct query *q, int64_t v);
void query_null(struct query *q);

int query_next(struct query *q, struct error *err); /* 1: a row, 0: no more, or < 0 */
int query_run(struct query *q, struct error *err);  /* to its end, and ends it: 0 or < 0 */
void query_end(struct query *q);                    /* resets it; for _cleanup_ */

/* The next column of the row. Text and bytes are copied into the arena; NULL arena: a view until the next row. */
struct str column_text(struct query *q, struct arena *arena);
struct str column_bytes(struct query *q, struct arena *arena);
int64_t column_number(struct query *q);
bool column_hash(struct query *q, uint8_t ret[static BOOK_HASH_BYTES]); /* false unless it is a blob of that size */

int sql_run(struct book *b, const char *text, struct error *err); /* one or more statements without results */
int sql_number(struct book *b, const char *text, int64_t *ret, struct error *err); /* the number that one gives */
int sql_fail(struct book *b, int result, struct error *err);                       /* of a result code of SQLite */
int sql_damaged(struct book *b, struct error *err, const char *fmt, ...) _printf_(3, 4); /* -EBADMSG with words */
void sql_forget(struct book *b); /* drops all kept statements: names are about to mean other tables */

/* A write, or a snapshot to read from. end commits if r >= 0, else rolls back, and returns r or why it failed. */
int write_begin(struct book *b, struct error *err);
int write_end(struct book *b, int r, struct error *err);
int snapshot_begin(struct book *b, struct error *err);
int snapshot_end(struct book *b, int r);

/* --- schema.c --- */

#define SCHEMA_NOW     3u
#define APPLICATION_ID 0x534b4c47 /* "SKLG" */

/* Steps from one schema to a later one, without a transaction of its own. From 0: an empty file. */
int schema_migrate(struct book *b, unsigned from, unsigned to, struct error *err);

/* A table that is derived from the log. */
struct derived_table {
        const char *name, *columns; /* what stands between the parentheses, and after them */
        const char *options;
        const char *index; /* columns of one more index; may be NULL */
};
extern const struct derived_table derived_tables[]; /* ends with name == NULL */

/* Makes the derived tables, empty, in the schema "main" or "temp"; drops those that are there. */
int schema_make_derived(struct book *b, const char *in, struct error *err);
int schema_drop_derived(struct book *b, const char *in, struct error *err);

/* --- open.c --- */

int book_open_as(const char *path, enum book_mode mode, unsigned schema, struct book **ret, struct error *err);

/* --- sum.c: SHA-256 over fields with lengths --- */

struct sum {
        void *ctx; /* owned until sum_end */
};

void sum_begin(struct sum *s, const char *domain);
void sum_text(struct sum *s, struct str t); /* its length as 8 bytes, big-endian, and then the bytes */
void sum_number(struct sum *s, int64_t v);  /* 8 bytes, big-endian, two's complement */
void sum_hash(struct sum *s, const uint8_t h[static BOOK_HASH_BYTES]);
void sum_end(struct sum *s, uint8_t ret[static BOOK_HASH_BYTES]);

/* --- body.c: JSON of records, and text as it may enter --- */

struct str body_clean(struct str s, struct arena *arena); /* UTF-8 without NUL; U+FFFD for what is not */
json_t *body_text(struct str s);                          /* cleaned */
json_t *body_texts(const struct str_list *l);
void body_put(json_t *o, const char *name, struct str s);     /* leaves out an empty one */
void body_put_number(json_t *o, const char *name, int64_t v); /* leaves out 0 */
void body_put_true(json_t *o, const char *name, bool is);
void body_put_digest(json_t *o, const char *name, const uint8_t h[static BOOK_HASH_BYTES]);
json_t *body_artefact(const struct book_artefact *a, struct arena *arena);
json_t *body_data(const struct book_data *d);
json_t *body_parse(struct str text);                    /* NULL if it is no object */
struct str body_get(const json_t *o, const char *name); /* a view into o; empty if absent */
int64_t body_get_number(const json_t *o, const char *name);
bool body_get_digest(const json_t *o, const char *name, uint8_t ret[static BOOK_HASH_BYTES]);
void body_freep(json_t **j);

struct str body_artefact_key(const struct book_artefact *a, struct arena *arena);

/* --- chain.c --- */

void record_hash(const struct book_record *r, uint8_t ret[static BOOK_HASH_BYTES]);
void record_read(struct query *q, struct arena *arena, struct book_record *ret); /* a row of RECORD_COLUMNS */
#define RECORD_COLUMNS "sequence, time, behind, kind, subject, actor, body, previous, hash"

/*
 * Inside a write: appends a record (steals body) and applies what is derived from it. scan: filled in for RECORD_SCAN;
 * may be NULL.
 */
int record_append(struct book *b, const struct book_stamp *stamp, enum record_kind kind, struct str subject,
                  json_t *body, struct book_scan_outcome *scan, uint64_t *ret_sequence, struct error *err);

/* record_append as a write of its own. */
int record_append_alone(struct book *b, const struct book_stamp *stamp, enum record_kind kind, struct str subject,
                        json_t *body, uint64_t *ret_sequence, struct error *err);

/* --- content.c: what records name by digest --- */

int content_put_packages(struct book *b, const struct fact_os *os, const struct book_package *p, size_t n,
                         uint8_t ret[static BOOK_HASH_BYTES], struct error *err);
int content_put_findings(struct book *b, const struct book_finding *f, size_t n, uint8_t ret[static BOOK_HASH_BYTES],
                         struct error *err);

int content_put_programs(struct book *b, const struct book_program *p, size_t n, uint8_t ret[static BOOK_HASH_BYTES],
                         struct error *err);

/* Rows of members, ascending; 0 or -EBADMSG. */
int members_decode(struct book *b, struct str blob, uint64_t n, struct arena *arena, uint32_t **ret, struct error *err);

/* The members of a list of findings by its row, and a finding by its row. */
int content_list_members(struct book *b, int64_t list, struct arena *arena, uint32_t **ret, size_t *ret_n,
                         struct error *err);
int content_finding(struct book *b, uint32_t row, struct arena *arena, struct book_finding *ret, struct error *err);

/* Checks each digest of all contents: 0, 1 with words, or < 0. */
int content_verify(struct book *b, char words[static ERROR_TEXT_MAX], struct error *err);

void package_read(struct query *q, struct arena *arena, struct book_package *ret); /* a row of PACKAGE_COLUMNS */
void finding_read(struct query *q, struct arena *arena, struct book_finding *ret); /* a row of FINDING_COLUMNS */
void os_read(struct query *q, struct arena *arena, struct fact_os *ret);           /* a row of OS_COLUMNS */
#define PACKAGE_COLUMNS "type, name, version, arch, source, source_version, vendor, module, licence, path, origin"
#define FINDING_COLUMNS                                                                                                \
        "key, kind, id, package, version, fix, path, severity, fixable, exploited, response, state, waiver, rule"
#define PROGRAM_COLUMNS "package, paths" /* paths: one a line */
#define OS_COLUMNS      "id, id_like, version, codename, name, cpe"

/* --- project.c: what is derived of a record --- */

int project_record(struct book *b, const struct book_record *r, struct book_scan_outcome *scan, struct error *err);
int project_all(struct book *b, struct error *err); /* the whole log, into tables that are empty */

/* --- derived.c --- */

/* Compares what is derived with what the log gives: 0 the same, 1 it differs (words say in what), or < 0. */
int derived_compare(struct book *b, char words[static ERROR_TEXT_MAX], struct error *err);
int derived_rebuild(struct book *b, struct error *err); /* inside a write */

/* --- what history.c and project.c ask of the others --- */

bool book_waiver_number(struct str id, uint64_t *ret); /* "W-7", "w-7", "7" */

/* Whether a reference is of that repository, each with or without host, tag and digest: "localhost:5000/web:1.2",
 * "web". */
bool book_repository_fits(struct str reference, struct str wanted);

/* book_sightings inside a snapshot. */
int book_sightings_of(struct book *b, struct str key, struct arena *arena, struct book_sighting **ret, size_t *ret_n,
                      struct error *err);

#endif
