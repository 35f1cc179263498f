/* The options of `sekisho agent` that have to do with files. */
#ifndef SEKISHO_CLI_AGENT_FILES_H
#define SEKISHO_CLI_AGENT_FILES_H

#include "cli/command.h"
#include "flow/integrity.h"
#include "sense/mapped-file.h"
#include "serve/files-options.h"
#include "serve/log-guard.h"

#define AGENT_FILES_OPTIONS                                                                                            \
        { "watch", 0, "PATH",                                                                                          \
          "tell rules what happens to PATH: /etc, container:/var/log, default (if not given), none; repeatable" },     \
                { "guard-logs", 0, "PATH",                                                                             \
                  "let containers only append to files below PATH; default: /var/log; repeatable" },                   \
                { "guard-journal", 0, "FILE", "where it stands what is guarded (default: " LOG_GUARD_JOURNAL ")" },    \
                { "integrity", 0, "FILE",                                                                              \
                  "tell what changes of the files that FILE lists, and who did it (docs/files.md)" },                  \
                { "baseline", 0, "FILE", "how they should be (default: " INTEGRITY_BASELINE ")" },                     \
                { "loaded", 0, "DIR", "keep in DIR what containers have loaded, for scans of them: " MAPPED_DIR },     \
        {                                                                                                              \
                "undo", 0, NULL, "undo what an agent left that was killed (guarded logs), and end"                     \
        }

/* 0; -EINVAL and words; OPTION_OTHER. */
int agent_files_option(struct files_options *f, const struct option_spec *o, const char *value, struct error *err);

#endif
