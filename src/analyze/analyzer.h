/*
 * An analyzer turns the bytes of a file into facts. It says which files it wants by path; the walk over a layer
 * captures those (up to max_bytes) and calls run once for each, in the worker.
 *
 * Add one: a file analyze/<family>-<name>.c that ends in one `const struct analyzer`, and a line in analyzers[] of
 * analyze/analyzers.c. See README.md.
 */
#ifndef SEKISHO_ANALYZE_ANALYZER_H
#define SEKISHO_ANALYZE_ANALYZER_H

#include "base/arena.h"
#include "fact/sink.h"

struct analyzer_input {
        struct str path;     /* in the artefact, normalised */
        struct str bytes;    /* the whole content */
        struct arena *arena; /* freed after the call */
};

struct analyzer {
        const char *name, *summary;
        /*
         * Patterns, NULL-terminated: a path without wildcard is compared whole; "*" matches within one part of the
         * path; a pattern that starts with a double star and a slash matches at any depth.
         */
        const char *const *wants;
        uint64_t max_bytes; /* a larger file is an `unread` fact with code too-large */
        /* Emits facts. Malformed input is an `unread` fact (code corrupt) beside what could be read of it. */
        void (*run)(const struct analyzer_input *in, struct sink *out);
};

extern const struct analyzer *const analyzers[]; /* NULL-terminated */

/* The analyzers that want this path, as a bit set over analyzers[]; at most 64 analyzers. */
uint64_t analyzers_for(struct str path);

#endif
