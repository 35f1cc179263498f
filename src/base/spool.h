/*
 * A spool: records appended once and read back in order, any number of times. It stays in memory up to a bound and then
 * moves to an unlinked temporary file ($TMPDIR, else /var/tmp), so that the lists of an image with millions of files do
 * not have to fit in memory. Where no temporary file can be had the records stay in memory.
 */
#ifndef SEKISHO_BASE_SPOOL_H
#define SEKISHO_BASE_SPOOL_H

#include "base/buf.h"

#define SPOOL_RECORD_MAX (1u << 20)
#define SPOOL_MEMORY_MAX ((size_t)1 << 30) /* where no temporary file can be had */

struct spool {
        struct buf memory; /* what is not in the file yet */
        size_t memory_max;
        int fd;           /* -1 while all is in memory */
        uint64_t in_file; /* bytes */
        uint64_t records;
        bool no_file; /* a temporary file was refused */
};

void spool_init(struct spool *s, size_t memory_max);
void spool_done(struct spool *s);

/* 0, -EMSGSIZE: the record is longer than SPOOL_RECORD_MAX; or -errno when it cannot be taken (-ENOSPC: full disk). */
int spool_add(struct spool *s, struct str record);

struct spool_reader {
        struct spool *spool;
        uint64_t at;       /* of the next record, in the file and then in memory */
        struct buf window; /* bytes of the file from window_at on */
        uint64_t window_at;
};

/* Nothing may be added while a reader is in use. */
void spool_read_init(struct spool_reader *r, struct spool *s);
void spool_read_done(struct spool_reader *r);

/* 1 and the next record (valid until the next call), 0 at the end, or -errno. */
int spool_read(struct spool_reader *r, struct str *ret);

#endif
