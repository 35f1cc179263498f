/*
 * What becomes of the actions that rules ask for, by rule and workload: a list of entries (docs/format/rules.md), of
 * which the first that fits decides, and a mode for all others. The file is the operator's own.
 */
#ifndef SEKISHO_SERVE_RESPOND_MODES_H
#define SEKISHO_SERVE_RESPOND_MODES_H

#include "rule/rule.h"

struct container_entry;

#define RESPOND_ENTRIES_MAX    1000u
#define RESPOND_FILE_BYTES_MAX ((size_t)1 << 20)

enum respond_mode {
        RESPOND_ENFORCE, /* it is done */
        RESPOND_ALERT,   /* the alert says that it would be */
        RESPOND_LOG,     /* the alert says nothing of it */
        RESPOND_MODES
};

extern const char *const respond_mode_names[RESPOND_MODES];

bool respond_mode_parse(struct str word, enum respond_mode *ret);

/* Of the agent. */
struct respond_options {
        enum respond_mode mode; /* where the file says nothing else */
        const char *responses;  /* file of modes for workloads and rules, or NULL */
        const char *actions;    /* journal of what was done; NULL: beside the alerts, or the usual place */
        const char *pins;       /* where what cuts off is kept; NULL: the usual place */
};

/* Globs (fnmatch without special slashes); NULL: whatever. */
struct respond_entry {
        const char *rule, *image, *name, *label;
        enum respond_mode mode;
};

struct respond_modes {
        struct respond_entry *v;
        size_t n;
        enum respond_mode otherwise;
        struct arena arena;
};

/* Out of a file (NULL: no entries). 0, or -errno and words: with file and line where it is wrong. */
int respond_modes_load(const char *path, enum respond_mode otherwise, struct respond_modes *ret, struct error *err);

/* The same out of its text. */
int respond_modes_parse(struct str text, const char *path, enum respond_mode otherwise, struct respond_modes *ret,
                        struct error *err);
void respond_modes_done(struct respond_modes *m);

enum respond_mode respond_mode_of(const struct respond_modes *m, const struct rule *rule,
                                  const struct container_entry *c);

/* Is it enforced in every container, whatever comes? Only then may the kernel do it, which knows no workloads. */
bool respond_always_enforces(const struct respond_modes *m, const struct rule *rule);

#endif
