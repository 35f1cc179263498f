/*
 * A reader of os-release(5) and of what is written alike (lsb-release): "NAME=value" lines, comments that start with
 * "#", and values quoted as a shell would have them.
 *
 * Each line stands for itself: a quote that its line does not close is malformed there and does not swallow what
 * follows. Parts with different quotes are joined, as a shell does, although os-release(5) does not ask for it.
 */
#ifndef SEKISHO_READ_OSRELEASE_H
#define SEKISHO_READ_OSRELEASE_H

#include "base/arena.h"

enum { OSRELEASE_END = 0, OSRELEASE_FIELD = 1, OSRELEASE_MALFORMED = 2 };

struct osrelease {
        struct str rest;
        uint64_t line; /* of the assignment that was given last, from 1 */
};

struct osrelease osrelease_from(struct str bytes);

/*
 * The next assignment: OSRELEASE_FIELD with its name and its value without quotes (in the arena); OSRELEASE_MALFORMED
 * for a line that is none (r->line says which; go on with the next call); or OSRELEASE_END.
 */
int osrelease_next(struct osrelease *r, struct arena *arena, struct str *ret_name, struct str *ret_value);

#endif
