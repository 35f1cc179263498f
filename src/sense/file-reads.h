/*
 * Who reads certain files, who opens certain devices, and who writes into certain mounts: a fanotify group
 * (fanotify(7)) with marks on inodes and on mounts, so that no other file raises an event. What is read is
 * told when it is read, and once more, of who mapped it, when it is closed; that it was opened for reading is known by
 * then. A mark on an overlay's inode holds whichever layer the file comes from, also once it is copied up.
 *
 * An event brings the file itself. The queue holds 16,384 events; what it loses is counted.
 */
#ifndef SEKISHO_SENSE_FILE_READS_H
#define SEKISHO_SENSE_FILE_READS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct file_reads;

struct file_read {
        uint32_t pid; /* of the process as the host counts; 0: none */
        int fd;       /* the file, for reading; valid during the call */
        bool is_written;
};

struct file_reads_counts {
        uint64_t events;    /* that the kernel gave */
        uint64_t nameless;  /* of them, whose file could not be opened */
        uint64_t overflows; /* times that the kernel says that it has lost some */
};

/* < 0 with words: this kernel or these rights do not do. */
int file_reads_new(struct file_reads **ret, struct error *err);
void file_reads_free(struct file_reads *f); /* NULL is fine */

/* Readable when there are events. */
int file_reads_fd(const struct file_reads *f);

enum file_reads_mark {
        FILE_READS_READ,    /* of a file: that it is read */
        FILE_READS_WRITTEN, /* of the mount that it is on: that something is written */
};

/* Marks what the descriptor (O_PATH will do) is of. The mark goes with its inode or mount. 0 or -errno. */
int file_reads_mark(struct file_reads *f, int fd, enum file_reads_mark what);

/* Calls each() for up to about `max` events. How many the kernel gave. */
size_t file_reads_read(struct file_reads *f, size_t max, void (*each)(void *arg, const struct file_read *e), void *arg);

void file_reads_counts(const struct file_reads *f, struct file_reads_counts *ret);

#endif
