/* What the operator says of drift: which containers, which manifest, how strict, what else is forbidden. */
#ifndef SEKISHO_SERVE_DRIFT_OPTIONS_H
#define SEKISHO_SERVE_DRIFT_OPTIONS_H

#include "base/error.h"
#include "bpf/shared/guard.h"
#include "sense/container.h"

#define DRIFT_WORDS_MAX 64u

/* The options as they were given, each possibly several times. */
struct drift_options {
        const char *manifests[DRIFT_WORDS_MAX];   /* --drift [PATTERN=]FILE */
        const char *modes[DRIFT_WORDS_MAX];       /* --drift-mode [PATTERN=]off|log|alert|enforce */
        const char *forbidden[DRIFT_WORDS_MAX];   /* --forbid PATTERN=connect|ptrace|bpf[,...] */
        const char *append_only[DRIFT_WORDS_MAX]; /* --append-only PATTERN=DIRECTORY */
        size_t n_manifests, n_modes, n_forbidden, n_append_only;
};

/* One of them, read. Views into the options. */
struct drift_word {
        struct str pattern; /* empty: every container */
        struct str value;
};

/* "PATTERN=VALUE" or "VALUE". A value that itself holds "=" needs the pattern before it: "*=a=b". */
struct drift_word drift_word(const char *text);

/* Is the container meant: by its id or the start of it, its name, its image? Patterns as of the shell: "web-*". */
bool drift_is_meant(const struct container_entry *c, struct str pattern);

/* Checks all words. 0, or -EINVAL with words. */
int drift_options_check(const struct drift_options *o, struct error *err);

static inline bool drift_is_asked_for(const struct drift_options *o)
{
        return o->n_manifests || o->n_modes || o->n_forbidden || o->n_append_only;
}

/* The last mode that means the container counts. Without a word: alert if there is a manifest or a mode, else off. */
enum guard_mode drift_mode_of(const struct drift_options *o, const struct container_entry *c);

/* The least strict mode that any container may have: what the kernel does while nobody knows which one it is. */
enum guard_mode drift_mode_of_unknown(const struct drift_options *o);

/* GUARD_NO_* of all words that mean the container; GUARD_APPEND_ONLY if a directory does. */
uint32_t drift_flags_of(const struct drift_options *o, const struct container_entry *c);

extern const char *const guard_mode_names[]; /* off, log, alert, enforce */

#endif
