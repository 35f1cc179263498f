/* What the agent is asked to do about files, by options of the command: the parts `watch`, `loaded` and so on. */
#ifndef SEKISHO_SERVE_FILES_OPTIONS_H
#define SEKISHO_SERVE_FILES_OPTIONS_H

#include "base/macros.h"

#define WATCH_OPTIONS_MAX 64u

struct files_options {
        const char *watch[WATCH_OPTIONS_MAX];      /* paths, "container:" paths, "default"; "none" alone */
        size_t n_watch;                            /* 0: default, where the kernel can */
        const char *guard_logs[WATCH_OPTIONS_MAX]; /* paths in containers, or "default" */
        size_t n_guard_logs;
        const char *guard_journal; /* NULL: LOG_GUARD_JOURNAL */
        const char *integrity;     /* configuration, or NULL */
        const char *baseline;      /* NULL: INTEGRITY_BASELINE */
        bool undo;                 /* undo what an agent left that was killed, and end */
        const char *loaded;        /* directory of what containers have loaded, or NULL */
};

#endif
