/* The options of `sekisho agent` that have to do with files. */
#ifndef SEKISHO_CLI_AGENT_FILES_H
#define SEKISHO_CLI_AGENT_FILES_H

#include "cli/command.h"
#include "serve/files-options.h"

#define AGENT_FILES_OPTIONS                                                                                            \
        {                                                                                                              \
                "watch", 0, "PATH", "tell rules what happens to PATH: /etc, container:/var/log, default; repeatable"   \
        }

/* 0; -EINVAL and words; NOT_FILES: the option is none of these. */
enum { NOT_FILES = 1 };
int agent_files_option(struct files_options *f, const struct option_spec *o, const char *value, struct error *err);

#endif
