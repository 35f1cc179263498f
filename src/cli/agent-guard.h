/* The options of `sekisho agent` that are about the guard of containers' files (serve/guard.h). */
#ifndef SEKISHO_CLI_AGENT_GUARD_H
#define SEKISHO_CLI_AGENT_GUARD_H

#include "act/quarantine.h"
#include "cli/command.h"
#include "serve/guard.h"

/* Rows for the table of options. */
#define GUARD_OPTIONS                                                                                                  \
        { "guard", 0, "DIR", "look for malware in what containers run from DIR's file system, before it runs" },       \
                { "guard-mode", 0, "MODE",                                                                             \
                  "balanced (the default), light or strict: when it is asked; see docs/adr/0008" },                    \
                { "guard-deadline", 0, "MS",                                                                           \
                  "how long a program waits at most (default: 250, 1000 or 2000, by mode)" },                          \
                { "guard-late", 0, "WHAT", "then: allow or deny (default: strict denies, the others allow)" },         \
                { "guard-incomplete", 0, "WHAT", "what cannot be looked at in full: allow (the default) or deny" },    \
                { "guard-writable", 0, "WHAT", "programs that are open for writing: deny (the default) or allow" },    \
                { "guard-response", 0, "WHAT", "to the processes: kill (the default), freeze or none" },               \
                { "guard-ahead", 0, "on|off", "look at what containers can execute before they do (default: on)" },    \
                { "guard-rescan", 0, "INTERVAL", "go through it again so often: 30m, 24h, 7d (default: never)" },      \
                { "guard-dry-run", 0, NULL, "allow everything, and tell what would have been done" },                  \
                { "guard-root", 0, NULL, "guard the root file system too: every program of the host waits then" },     \
                { "quarantine", 0, "DIR",                                                                              \
                  "where malware is kept (default: " QUARANTINE_DIRECTORY "; none: leave it)" },                       \
                { "hashes", 0, "FILE", "digests of malware: a list or one that was compiled; may be repeated" },       \
                { "allow-hashes", 0, "FILE",                                                                           \
                  "digests of clean content, which is not looked at again; may be repeated" },                         \
        {                                                                                                              \
                "yara", 0, "PATH", "YARA rules; may be repeated"                                                       \
        }

/* 0; -EINVAL and words; OPTION_OTHER. */
int guard_option(struct guard_options *g, const struct option_spec *o, const char *value, struct error *err);

#endif
