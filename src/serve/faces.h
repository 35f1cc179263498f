/* What the operator asks of the agent's faces: where it answers, and where alerts go beside the file. */
#ifndef SEKISHO_SERVE_FACES_H
#define SEKISHO_SERVE_FACES_H

#include <stdbool.h>
#include <stddef.h>

#define FACES_SINKS_MAX 16u

struct faces_options {
        const char *socket;                 /* of control: a path, "none", or NULL: the default, if it is free */
        const char *metrics;                /* ADDRESS:PORT, or NULL */
        bool is_metrics_anywhere;           /* the address may be one that others reach */
        const char *sinks[FACES_SINKS_MAX]; /* KIND[=TARGET] */
        size_t n_sinks;
};

#endif
