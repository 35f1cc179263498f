/*
 * What changed in a small text file, as a unified diff with its secrets redacted as those of findings are. Both texts
 * are read, searched and compared by a servant in the workers' sandbox (proc/companion.h): a container's files are
 * hostile bytes. Of what is secret by nature nothing is shown.
 */
#ifndef SEKISHO_FLOW_INTEGRITY_DIFF_H
#define SEKISHO_FLOW_INTEGRITY_DIFF_H

#include "analyze/secrets.h"
#include "flow/integrity-contents.h"
#include "proc/companion.h"

#define INTEGRITY_DIFF_MAX  4096u /* bytes; the rest is left out, and said */
#define INTEGRITY_DIFF_MS   300   /* nobody waits longer for one */
#define INTEGRITY_DIFF_ASKS 64u   /* after which the servant is replaced */

struct integrity_differ {
        struct servant servant;
        struct secret_set *secrets;
        unsigned asked;
};

/* Starts the servant, if it does not run: better early. 0 or -errno with words. */
int integrity_differ_start(struct integrity_differ *d, struct error *err);
void integrity_differ_end(struct integrity_differ *d);

/*
 * The change of a file below root_fd from what `before` says to what is there now. A diff in *ret_diff, or empty, and
 * then *ret_why says why there is none (NULL: nothing changed that a diff could show).
 */
void integrity_diff(struct integrity_differ *d, const struct integrity_contents *c, int root_fd,
                    const struct integrity_entry *before, const struct integrity_entry *after, struct arena *arena,
                    struct str *ret_diff, const char **ret_why);

/* What the servant does: path, then two files. For the tests; `begin` makes its search. */
void integrity_diff_begin(void *arg);
void integrity_diff_answer(void *arg, struct str path, const int fds[static MESSAGE_FDS_MAX], struct buf *reply);

#endif
