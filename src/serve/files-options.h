/* What the agent is asked to do about files, by options of the command: the parts `watch`, `loaded` and so on. */
#ifndef SEKISHO_SERVE_FILES_OPTIONS_H
#define SEKISHO_SERVE_FILES_OPTIONS_H

#include "base/macros.h"

#define WATCH_OPTIONS_MAX 64u

struct files_options {
        const char *watch[WATCH_OPTIONS_MAX]; /* paths, "container:" paths, "default" */
        size_t n_watch;
        const char *loaded; /* directory of what containers have loaded, or NULL */
};

#endif
