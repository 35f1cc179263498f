/*
 * Importers: from a feed's bytes to facts. One file import-<kind>.c for each kind of feed, one table.
 *
 * import_run reads a descriptor and puts the facts advisory, affected, score, unread (a record that could not be used)
 * and, at the end, feed. It opens nothing else, so that it can run in a sandboxed worker. What is compressed (gzip, xz,
 * zstd, bzip2), a tar or a zip is unpacked on the way, by libarchive.
 *
 * Limits: a record of 8 MiB, 64 GiB unpacked, 16 million members. One bad record is skipped, counted and named; the
 * rest goes on.
 */
#ifndef SEKISHO_INTEL_IMPORT_H
#define SEKISHO_INTEL_IMPORT_H

#include "base/error.h"
#include "fact/sink.h"

#define IMPORT_RECORD_MAX_BYTES (8u << 20)

struct import;

struct importer {
        const char *name, *summary;
        /* Whether the first bytes of a feed (up to 4 KiB, unpacked) look like this kind. */
        bool (*sniff)(struct str first_bytes);
        /* Reads one member: a file, or one out of an archive. < 0 only for what ends the feed: a read error. */
        int (*run)(struct import *in, struct error *err);
};

extern const struct importer *const importers[]; /* NULL-terminated, in the order in which they are tried */
const struct importer *importer_find(const char *name);

/* Reads the feed `name` from fd with this importer; NULL: the one that recognises it. 0; -ENOMSG: none does; or -errno.
 */
int import_run(const struct importer *importer, int fd, const char *name, struct sink *out, struct error *err);

/* Whether a file in a directory or an archive is looked at: .json, .jsonl, .ndjson, .csv, .tsv. */
bool import_is_feed_file(struct str name);

/* --- for importers --- */

/* Why a record was not used; the words of `skipped_why`. */
enum import_skip {
        SKIP_WITHDRAWN,
        SKIP_MALFORMED,
        SKIP_GIT,      /* ranges of commits only */
        SKIP_NO_ORDER, /* ranges of an ecosystem whose versions we cannot order, and no list */
        SKIP_EMPTY,    /* names no package */
        SKIP_NOT_AFFECTED,
        SKIP_UNDETERMINED,
        SKIP_NOT_READ, /* by who made the feed */
        SKIP_REASONS
};

struct import {
        const char *name;  /* of the feed */
        struct str member; /* of the archive, empty if there is none */
        struct sink *out;
        uint64_t record;  /* number in the member, from 1 */
        uint64_t records; /* used so far */
        uint64_t skipped[SKIP_REASONS];
        int64_t date;       /* newest seen */
        struct arena arena; /* of one record; cleared by import_line and import_all */
        struct buf source, licence;
        struct import_input *input;
};

/*
 * The next line without its end. 1: a line; 0: the end of the member; < 0: a read error. A line that is too long is
 * skipped and counted as malformed. The view is valid until the next call.
 */
int import_line(struct import *in, struct str *ret, struct error *err);

/* All of the member that is left, as one record. As import_line. */
int import_all(struct import *in, struct str *ret, struct error *err);

/* What comes next, at least n bytes unless the member ends before; nothing is consumed. n is at most 64 KiB. */
int import_peek(struct import *in, size_t n, struct str *ret, struct error *err);

/* Up to n bytes of what comes next: for streaming parsers. The view is valid until the next call. */
int import_chunk(struct import *in, struct str *ret, struct error *err);

/* Counts the record; malformed ones are also named in an `unread` fact. */
void import_skip(struct import *in, enum import_skip why);
void import_malformed(struct import *in, const char *fmt, ...) _printf_(2, 3);

void import_date(struct import *in, int64_t date); /* remembers the newest */

#endif
