/*
 * The plan: the smallest set of moves after which the policy lets an artefact pass, and the proof: the planned state,
 * matched and judged again. Only what denies is moved, each source package to the lowest version without a denied
 * finding; the rest is for somebody to decide.
 */
#ifndef SEKISHO_FLOW_PLAN_H
#define SEKISHO_FLOW_PLAN_H

#include "flow/scan.h"

struct plan_package {
        size_t package; /* index in the report's packages */
        struct str to;  /* its exact version; empty: it is not known, only that of its source package */
};

struct plan_update { /* of one source package, or of what its feed goes by */
        struct str name, from, to;
        struct str ecosystem;
        const struct plan_package *packages;
        size_t n_packages;
        size_t n_denied; /* denied findings that it closes; */
        size_t n_others; /* and others */
};

struct plan {
        const struct plan_update *updates; /* by name */
        size_t n_updates;
        bool replaces_base;            /* its operating system is denied for want of support */
        struct str base_from, base_to; /* "Debian 11 (bullseye)", "Debian 13"; base_to may be empty */
        const struct finding **left;   /* denied after all moves, of `after`: somebody must decide */
        size_t n_left;
        const struct scan *before;
        struct scan after; /* the planned state */
        bool passes;       /* it is not denied */
        struct arena arena;
};

/* 0, or < 0 if the database is damaged. The scan must outlive the plan; plan_done is due on success. */
int plan_make(const struct scan *s, const struct scan_options *o, struct plan *ret, struct error *err);
void plan_done(struct plan *p);

/* The command that makes the updates of packages of one type ("deb"), in one line; STR_NONE: there are none. */
struct str plan_command(const struct plan *p, const char *type, struct arena *arena);

extern const char *const plan_types[]; /* those that plan_command knows, NULL-terminated */

#endif
