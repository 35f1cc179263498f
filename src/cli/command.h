/*
 * Commands: one file cli/<name>.c each, ending in one `const struct command`, and a line in commands[] of main.c.
 * Checklist for a new one: the struct below; help that fits a screen with two examples; exit codes as below; a test in
 * tests/cli/; a line in CHANGELOG.md.
 */
#ifndef SEKISHO_CLI_COMMAND_H
#define SEKISHO_CLI_COMMAND_H

#include "base/error.h"
#include "base/nearest.h"

enum { EXIT_CLEAN = 0, EXIT_DENIED = 1, EXIT_USAGE = 2, EXIT_INCOMPLETE = 3 };

struct option_spec {
        const char *name;     /* "fail-on" for --fail-on */
        char letter;          /* 'o', or 0 */
        const char *argument; /* "FILE", or NULL for a flag */
        const char *help;
};

/* What a command does, where it does several things: `sekisho db update`. Options that a verb does not name are
 * refused. */
struct verb {
        const char *name;
        int (*run)(void *state, int argc, char **argv); /* as a command's, without the verb */
        const char *options;                            /* names, separated by blanks; NULL: none */
};

struct command {
        const char *name;
        const char *usage;                 /* "scan [OPTIONS] TARGET" */
        const char *summary;               /* one line */
        const char *help;                  /* what stands between usage and options; may be NULL */
        const char *examples;              /* lines, each ending in \n */
        const struct option_spec *options; /* ends with name == NULL; may be NULL */
        /*
         * Takes each option as it comes (NULL argument for flags). Repeatable options come repeatedly.
         * 0, or -EINVAL and words.
         */
        int (*option)(void *state, const struct option_spec *o, const char *value, struct error *err);
        size_t state_size; /* zeroed memory, given to option and run */
        /* The arguments left, argv[0] is the first; returns the exit code. Or verbs, ended by name == NULL. */
        int (*run)(void *state, int argc, char **argv);
        const struct verb *verbs;
};

/* The value of -o FORMAT of a command that writes words ("table" or "text") or JSON. 0, or -EINVAL and words. */
int option_format(const char *value, const char *words, bool *ret_is_json, struct error *err);

#define ADVISORIES_OPTION                                                                                              \
        {                                                                                                              \
                "db", 0, "FILE", "advisory database (default: see sekisho db status; \"embedded\")"                    \
        }

/* Appends the value of an option that may be repeated. 0, or -EINVAL: given more than `most` times. */
int option_append(const char **values, size_t *n, size_t most, const char *value, struct error *err);

/* Of a function that takes some of a command's options: this one is not among them. */
enum { OPTION_OTHER = 1 };

extern const struct command *const commands[]; /* NULL-terminated */

/* "sekisho: words" and a hint line on standard error. Both return the exit code given. */
int fail(int exit_code, const struct error *err);
int fail_usage(const struct command *c, const char *fmt, ...) _printf_(2, 3);

/* Today as seconds at 00:00 UTC; SEKISHO_TODAY=2026-11-20 overrides it, for reports that can be repeated. */
int64_t today(void);

/* Now; SEKISHO_TODAY, which may have a time of day (2026-11-20T10:00:00Z), overrides it too. */
int64_t now_seconds(void);

bool stream_is_terminal(int fd);
bool may_colour(int fd);         /* a terminal, NO_COLOR unset, TERM not dumb */
unsigned terminal_width(int fd); /* 0 if it is not a terminal */

#endif
