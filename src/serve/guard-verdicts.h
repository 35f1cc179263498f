/*
 * What is known of files, by device and inode. A row is believed if the file is still the same by its key: size and
 * time of change, and if nobody can have changed it since without a trace: while its lease is held (the row has the
 * descriptor), or if the change that the key speaks of was older than the clock is coarse when it was looked at.
 *
 * What is known of content by its digest alone (a scan of the image has seen it) is in the lists of digests that the
 * workers have, and becomes a row the first time that a file with it is asked for.
 */
#ifndef SEKISHO_SERVE_GUARD_VERDICTS_H
#define SEKISHO_SERVE_GUARD_VERDICTS_H

#include "base/map.h"

#include <sys/stat.h>

enum verdict { VERDICT_UNKNOWN, VERDICT_CLEAN, VERDICT_MALWARE, VERDICT_INCOMPLETE };

struct file_key {
        uint64_t dev, ino;
        int64_t ctime_ns;
        uint64_t size;
};

struct file_key file_key_of(const struct stat *st);
bool file_key_eq(const struct file_key *a, const struct file_key *b);

#define VERDICTS_ROWS_MAX (1u << 16)
#define VERDICTS_COARSE   INT64_C(20000000) /* ns: a change that is younger may be followed by one of the same time */

struct verdict_row {
        struct file_key key;
        enum verdict verdict;
        bool is_settled; /* the key is enough: see above */
        int fd;          /* with lease and ignore mark; -1: neither */
        uint32_t next;   /* of its bucket */
        uint32_t newer, older;
};

struct verdicts;

/*
 * held_max: descriptors that rows may hold. release: called before a row lets go of its descriptor, which is closed by
 * the callee.
 */
struct verdicts *verdicts_new(size_t held_max, void (*release)(void *arg, int fd), void *arg);
void verdicts_free(struct verdicts *v); /* releases what is held */

/* By device and inode, whatever the rest of the key says; NULL. Valid until the next call that adds. */
struct verdict_row *verdicts_find(struct verdicts *v, uint64_t dev, uint64_t ino);

/* Whether the row speaks of this very content. holds_lease: nobody else can write now. */
bool verdicts_fits(const struct verdict_row *r, const struct file_key *key, bool holds_lease);

/*
 * Adds a row, in place of an older one of the inode, and of the longest unused where there is no room (those without a
 * descriptor first). fd >= 0 is held from now on. looked_ns: when the content was begun to be looked at
 * (CLOCK_REALTIME).
 */
struct verdict_row *verdicts_put(struct verdicts *v, const struct file_key *key, enum verdict verdict, int fd,
                                 int64_t looked_ns);

void verdicts_use(struct verdicts *v, struct verdict_row *r); /* it was asked for: it is forgotten last */
void verdicts_drop(struct verdicts *v, struct verdict_row *r);

/* The row that holds this descriptor, or NULL. */
struct verdict_row *verdicts_holding(struct verdicts *v, int fd);

/* Calls each with up to n of the descriptors that are held, others at each call. It may drop the row. */
void verdicts_visit(struct verdicts *v, size_t n, void (*each)(void *arg, struct verdict_row *r), void *arg);

size_t verdicts_rows(const struct verdicts *v);
size_t verdicts_held(const struct verdicts *v);

#endif
