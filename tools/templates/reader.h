/*
 * A reader of the-sample: what the format is, where it is specified, what is accepted of it and what is not.
 *
 * Records are "NAME=VALUE" lines. A line stands for itself: a malformed one does not swallow what follows.
 */
#ifndef SEKISHO_READ_SAMPLE_H
#define SEKISHO_READ_SAMPLE_H

#include "base/str.h"

enum { SAMPLE_END = 0, SAMPLE_RECORD = 1, SAMPLE_MALFORMED = 2 };

struct sample {
        struct str rest;
        uint64_t line; /* of the record that was given last, from 1 */
};

struct sample_record {
        struct str name, value; /* views into the bytes */
};

struct sample sample_from(struct str bytes);

/* SAMPLE_RECORD; SAMPLE_MALFORMED for a line that is none (r->line; go on with the next call); or SAMPLE_END. */
int sample_next(struct sample *r, struct sample_record *ret);

#endif
