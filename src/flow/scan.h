/*
 * Walk 1 of the design, whole: a target goes in, a report comes out. The command, and later the gates and the agent,
 * call this and nothing below it.
 */
#ifndef SEKISHO_FLOW_SCAN_H
#define SEKISHO_FLOW_SCAN_H

#include "decide/decide.h"
#include "flow/image-checks.h"
#include "flow/layers.h"
#include "flow/vex.h"
#include "flow/view.h"
#include "intel/db.h"
#include "report/report.h"
#include "source/source.h"

#define STALE_DATA_DAYS 30 /* advisories older than this are a finding */
#define EOL_SOON_DAYS   90

struct scan_options {
        struct source_options source;
        const struct db *db;  /* the advisories */
        struct str db_source; /* "embedded", or its file */
        const struct policy *policy;
        const struct vex_set *vex; /* may be NULL */
        int64_t today;
        const struct layers_progress *progress;
        void (*opened)(void *arg,
                       const struct artefact *a); /* the target is open, its layers will be read; may be NULL */
        void *opened_arg;
        const struct ledger *ledger; /* is told of each file of each layer; may be NULL */
};

struct scan {
        struct arena arena;
        struct artefact artefact;
        struct view view;
        struct image_files files; /* what the image's checks want to know of them */
        struct report report;     /* all of it lives in the arena, the artefact's arena, or the database */
};

/* Scans. < 0 if there is nothing to report: no such target, interrupted, ... ; else scan_done is due. */
int scan_run(const char *target, const struct scan_options *o, struct scan *ret, struct error *err);
void scan_done(struct scan *s);

/* --- the parts of it, in the order of use --- */

/* Packages sorted, with their purls. */
void scan_packages(struct scan *s);

/* From packages, coverage, layers and system to sorted findings, each with the rule that judges it. */
int scan_findings(struct scan *s, const struct scan_options *o, const struct layers *l, struct error *err);

/* From findings to the moves that close them. */
void scan_moves(struct scan *s);

#endif
