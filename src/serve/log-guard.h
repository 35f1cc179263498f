/*
 * Guarded logs: files below chosen directories of containers can be appended to and nothing else, as long as the agent
 * runs. Set is the attribute FS_APPEND_FL, through the container's own overlay (so the overlay itself refuses, EPERM:
 * truncation, overwriting, holes, writable mappings, removal, renaming, links over it). What was set stands in a
 * journal before it is set, so that it can be undone after a crash, too.
 */
#ifndef SEKISHO_SERVE_LOG_GUARD_H
#define SEKISHO_SERVE_LOG_GUARD_H

#include "base/error.h"
#include "base/vec.h"

#define LOG_GUARD_JOURNAL   "/var/lib/sekisho/guarded-logs"
#define LOG_GUARD_FILES_MAX 65536u /* of all containers */

/* A file whose attribute is ours. */
struct guarded_file {
        struct str id;     /* of the container */
        struct str upper;  /* directory of its own layer, on the host */
        struct str inside; /* path in it, absolute */
};

struct guard_journal {
        const char *path;
        struct arena arena;
        VEC(struct guarded_file) v;
};

/*
 * Reads the journal; no file is an empty one. Lines "id<tab>upper<tab>inside", bytes that would not fit as \ooo. What
 * is malformed is refused with its line: nobody but us should have written it. -EINVAL; -E2BIG; -errno.
 */
int guard_journal_read(struct guard_journal *j, const char *path, struct error *err);
int guard_journal_parse(struct guard_journal *j, struct str text, struct error *err);
int guard_journal_write(const struct guard_journal *j, struct error *err);
void guard_journal_done(struct guard_journal *j);
void guard_journal_add(struct guard_journal *j, struct str id, struct str upper, struct str inside);

/*
 * Sets (or takes away) the attribute of a file of a container's root: 1: it was changed, 0: it was so already, or is no
 * regular file; -errno. Links are not followed.
 */
int guard_set(int root_fd, struct str inside, bool is_guarded);

/* Whether the file has it, whoever set it. */
bool guard_is_set(int root_fd, struct str inside);

/*
 * Takes it away where the container does not run: from the mark that its overlay keeps in the upper directory. 1, 0,
 * -errno as above.
 */
int guard_clear_upper(const struct guarded_file *f);

/* Undoes all that the journal says, of running containers and of others, and empties it. How many files; < 0: words. */
int guard_undo(const char *journal, struct error *err);

#endif
