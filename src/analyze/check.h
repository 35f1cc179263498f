/*
 * Checks of files that tell how containers are built and run: Kubernetes manifests, Compose files, Dockerfiles. Bytes
 * of one file in, `misconfiguration` facts out. Whatever cannot be read is an `unread` fact: a file that was not
 * understood never passes as one without findings.
 *
 * A language is one `const struct checker`, joined by the list in checkers.c; its checks are a table of
 * `const struct check`, from which help, docs and tests are made.
 *
 * A comment takes a finding back, with a reason and for a time:
 *
 *         # sekisho:ignore CHECK[,CHECK...] REASON [until=YYYY-MM-DD]
 *
 * at the end of the line of the finding, or on a line of its own above it with nothing but comments between. Such a
 * finding is still put, with the reason in `ignored`. A comment without a reason, with a day that is none, or whose day
 * has passed has no effect and is itself a finding (check_ignore_invalid, check_ignore_expired).
 */
#ifndef SEKISHO_ANALYZE_CHECK_H
#define SEKISHO_ANALYZE_CHECK_H

#include "fact/sink.h"

struct check {
        const char *id; /* lower case with dashes, as people write it into comments and policies */
        enum severity severity;
        const char *title;       /* a few words */
        const char *why;         /* what can go wrong, one sentence */
        const char *fix;         /* what to write instead, one sentence */
        const char *const *tags; /* NIST-800-190:SECTION, ATT&CK techniques; ends with NULL */
};

/* For `.tags`: CHECK_TAGS("NIST-800-190:4.4.3", "T1611"). */
#define CHECK_TAGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct check_input {
        struct str path;     /* as the user named it */
        struct str bytes;    /* all of it */
        int64_t today;       /* seconds, for comments with a day; 0: none has passed */
        struct arena *arena; /* of this file */
        struct sink *out;
        const struct check_ignores *ignores; /* check_file's */
};

struct checker {
        const char *language; /* "kubernetes" */
        /* Whether the file is in this language, by its name or its content. Cheap; no facts. */
        bool (*knows)(const struct check_input *in);
        /* Puts the findings; returns how many objects were looked at. What it cannot read it puts as `unread`. */
        uint64_t (*run)(const struct check_input *in);
        const struct check *checks;
        size_t n_checks;
};

extern const struct checker *const checkers[]; /* NULL-terminated; the first that knows a file has it */

/* What a comment to ignore that is of no use is reported as. */
extern const struct check check_ignore_invalid, check_ignore_expired;

/*
 * Puts a finding of this check: its place, whose it is, and a sentence of what was found. The comments of in->bytes
 * are honoured here.
 */
void check_put(const struct check_input *in, const struct check *c, uint32_t line, uint32_t column, struct str object,
               const char *fmt, ...) _printf_(6, 7);

/*
 * All of one file: the first checker that knows it runs, comments that are of no use are reported, and a `checked`
 * fact ends it. The file's facts carry in->path.
 */
void check_file(const struct check_input *in);

#endif
