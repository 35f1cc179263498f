/*
 * Processes that ended, kept for a while: what they did to files is read later than their end. Two generations, so that
 * the older one can be forgotten whole.
 */
#ifndef SEKISHO_SERVE_ENDED_H
#define SEKISHO_SERVE_ENDED_H

#include "sense/process.h"

#define ENDED_MAX 4096u /* processes of a generation */

struct ended {
        struct process_table generations[2]; /* the younger first; zeroed: empty */
};

void ended_done(struct ended *e); /* it is empty then */

/* Keeps a copy. When the younger generation is full the older one is forgotten. */
void ended_keep(struct ended *e, const struct process *p);

/* Forgets the older generation; the younger one is the older from now on. */
void ended_turn(struct ended *e);

const struct process *ended_find(const struct ended *e, uint32_t pid); /* NULL: not kept */

#endif
