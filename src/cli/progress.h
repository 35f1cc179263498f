/* Progress on a terminal: one line on standard error that shows what is done and how far it is. */
#ifndef SEKISHO_CLI_PROGRESS_H
#define SEKISHO_CLI_PROGRESS_H

#include "flow/layers.h"

struct progress {
        struct layers_progress layers; /* for scan_options */
        bool shown;                    /* on a terminal; else nothing is ever printed */
        uint64_t read, total;          /* stored bytes; total 0: not known */
        size_t n_layers;
        int64_t last_ms;
};

void progress_start(struct progress *p, bool shown);
void progress_end(struct progress *p);                          /* wipes the line */
void progress_say(void *progress, const char *what);            /* a source's words */
void progress_opened(void *progress, const struct artefact *a); /* the layers come now */

#endif
