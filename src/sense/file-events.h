/*
 * What happens to files, without a tracepoint on system calls: a fanotify notification group (fanotify(7)) with marks
 * on whole file systems for what is made, closed after writing, renamed, removed; and on the directories that are of
 * interest for each writing, so that nobody else's writing becomes dearer. An event names the directory by a handle and
 * the file by its name in it; the handle becomes a path by open_by_handle_at(2), which is remembered, since directories
 * are few and events are many.
 *
 * On the file system that holds the upper directories of overlays this sees what containers do to their files, with
 * the process that does it: fsnotify is called for what the overlay does to its upper layer, too. What it cannot see:
 * writes through a mapping before it is unmapped, and what fails.
 *
 * The queue is unlimited where this process may have that (CAP_SYS_ADMIN), as the kernel's memory bounds it; what it
 * loses all the same is counted.
 */
#ifndef SEKISHO_SENSE_FILE_EVENTS_H
#define SEKISHO_SENSE_FILE_EVENTS_H

#include "base/arena.h"
#include "base/error.h"

#define FILE_EVENTS_SYSTEMS_MAX 64u    /* file systems that are marked */
#define FILE_EVENTS_DIRS_MAX    65536u /* directories that are remembered; past it they are forgotten */

/* Bits of file_event.what. The kernel may join several things that one process does to a file. */
enum {
        FILE_CREATED = 1,
        FILE_MODIFIED = 2, /* written, truncated, hole punched: in directories that the filter wanted before */
        FILE_ATTRIBUTES = 4,
        FILE_DELETED = 8,
        FILE_RENAMED = 16,
        FILE_WRITTEN = 32, /* closed by somebody who could have written */
        FILE_IS_DIRECTORY = 64,
};

/* A directory, as the owner of the group wants to know it. */
struct file_dir {
        struct str path; /* with a leading slash, none at its end but for "/" */
        void *owner;     /* whose it is: the owner's own */
};

struct file_event {
        unsigned what;
        uint32_t pid;                        /* of the process as the host counts; 0: none (the kernel itself) */
        const struct file_dir *dir, *to_dir; /* NULL: nobody is interested; to_dir only of FILE_RENAMED */
        struct str name, to_name;            /* "." : the directory itself */
};

enum file_interest {
        FILE_INTEREST_NONE,
        FILE_INTEREST_WRITTEN, /* what was closed after writing or renamed; other bits of these events may be set too
                                */
        FILE_INTEREST_NAMES,   /* all but FILE_MODIFIED, which costs who writes */
        FILE_INTEREST_ALL,
};

/*
 * Says of a directory's path on the host what of it is of interest, and how it is called. Asked once for each
 * directory. The path it gives is copied.
 */
typedef enum file_interest file_events_filter(void *arg, struct str dir, struct file_dir *ret);

struct file_events;

struct file_events_counts {
        uint64_t events;     /* that the kernel gave */
        uint64_t ignored;    /* of them, in directories that nobody is interested in */
        uint64_t unresolved; /* of them, whose directory is gone (deleted right after) and was not known */
        uint64_t overflows;  /* times that the kernel says that it has lost some */
        uint64_t malformed;
        uint64_t unmarked; /* directories in which writing is told only when the file is closed */
};

/* < 0 with words: this kernel or these rights do not do (-ENOSYS, -EINVAL before 5.9; -EPERM). */
int file_events_new(file_events_filter *filter, void *arg, struct file_events **ret, struct error *err);
void file_events_free(struct file_events *f); /* NULL is fine */
void file_events_freep(struct file_events **f);

/* Marks the file system that this directory is on, if it is not marked yet. 0, or < 0 with words. */
int file_events_watch(struct file_events *f, const char *dir, struct error *err);

/* Readable when there are events. */
int file_events_fd(const struct file_events *f);

/* Calls each() for up to about `max` events of interest that are there now. How many the kernel gave. Views live during
 * the call. */
size_t file_events_read(struct file_events *f, size_t max, void (*each)(void *arg, const struct file_event *e),
                        void *arg);

/* Forgets what the filter said: its answers would be others now. */
void file_events_forget(struct file_events *f);

/*
 * Asks the filter for this directory now, so that events in it are understood even if it is gone by the time that they
 * are read.
 */
void file_events_learn(struct file_events *f, const char *dir);

void file_events_counts(const struct file_events *f, struct file_events_counts *ret);

#endif
