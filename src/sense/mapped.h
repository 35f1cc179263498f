/*
 * The files that processes have: run, mapped, given to an interpreter, or open. Out of /proc (proc(5)): exe, maps, fd
 * and cmdline. Paths are those of the processes' own mount namespace, links resolved, without the leading slash; so in
 * a container they are the paths of its file system.
 *
 * It is a look at a moment. What a process has read and closed (a module that a script imports) is not seen.
 */
#ifndef SEKISHO_SENSE_MAPPED_H
#define SEKISHO_SENSE_MAPPED_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"

#define MAPPED_FILES_MAX     65536u            /* of one container, different ones */
#define MAPPED_PROCESSES_MAX 65536u            /* of one container */
#define MAPPED_FDS_MAX       4096u             /* of one process, that are looked at */
#define MAPPED_TEXT_MAX      ((size_t)8 << 20) /* of one maps file */

/* In this order one tells more than the next. */
enum mapped_how { MAPPED_RUN, MAPPED_LIBRARY, MAPPED_SCRIPT, MAPPED_OPEN, MAPPED_HOWS };

extern const char *const mapped_words[MAPPED_HOWS]; /* "runs", "maps", "interprets", "has open" */

struct mapped_file {
        struct str path;
        enum mapped_how how;
        bool is_replaced; /* the process has a file that is deleted, or that another took the place of */
        uint32_t pid;     /* one that has it */
        struct str comm;  /* its name, as it chose */
};

struct mapped {
        struct arena arena;
        VEC(struct mapped_file) files; /* in no particular order */
        struct map64 by_path;          /* hash_str of the path -> 1 + index */
        size_t processes;              /* that were looked at */
        size_t unread;                 /* whose maps could not be read, or not to their end */
        size_t dropped;                /* files beyond the limit */
};

void mapped_init(struct mapped *m);
void mapped_done(struct mapped *m);

/* Adds a file; of one that is there already the way that tells more stays. Texts are copied. */
void mapped_add(struct mapped *m, const struct mapped_file *f);

/* The files in the text of a maps file. `who` tells pid and comm; its other members do not matter. */
void mapped_parse(struct mapped *m, struct str maps, const struct mapped_file *who);

/* One process below where proc is mounted ("/proc"). 0, or -errno: it is gone, or may not be looked at. */
int mapped_read_process(struct mapped *m, const char *proc, uint32_t pid);

/*
 * All processes of the container whose first process is `pid`: those of its cgroup (v2) and below, and those with its
 * mount namespace. -errno: that one is gone, or may not be looked at.
 */
int mapped_read_container(struct mapped *m, const char *proc, uint32_t pid);

const struct mapped_file *mapped_find(const struct mapped *m, struct str path); /* NULL: nobody has it */

#endif
