/*
 * Which packages of a running container are in use: the files that its processes run, map and have open, joined with
 * the packages that own them. A vulnerability in a library that nothing has loaded can wait; one in a library that
 * listens to the network cannot.
 *
 * Seen is what processes have at the moment of the scan and, where an agent watches, what it saw before. Packages
 * without any program or library (scripts, data) are read and closed again: of those nothing can be said, unless a
 * process was caught with one of their files.
 */
#ifndef SEKISHO_FLOW_LOADED_H
#define SEKISHO_FLOW_LOADED_H

#include "flow/owners.h"
#include "report/report.h"
#include "sense/mapped.h"
#include "source/source.h"

struct loaded {
        struct mapped mapped;
        bool is_known; /* false: the artefact is no running container; nothing is said */
        size_t notes;  /* that were added to the artefact: they do not make its contents incomplete */
        int64_t since; /* an agent has watched it since then; 0: this is a look at the moment */
};

/*
 * Looks at the container's processes, and at what the agent keeps in `dir`. loaded_done is due either way. What could
 * not be looked at is noted in the artefact, as of any other part of it.
 */
void loaded_look(struct artefact *a, const char *dir, struct loaded *ret);
void loaded_done(struct loaded *l);

/* "nginx (pid 311) maps /usr/lib/libssl.so.3" */
struct str loaded_words(const struct mapped_file *f, struct arena *arena);

/* Does it tell more than the other (NULL: nothing)? Of equals the first by path, whatever order processes came in. */
bool loaded_is_better(const struct mapped_file *f, const struct mapped_file *than);

/* Tells each package's use. `packages` are those that the owners count, with their programs counted. */
void loaded_mark(const struct loaded *l, struct owners *o, struct report_package *packages, size_t n,
                 struct arena *arena);

#endif
