/*
 * Walk 1 of the design, whole: a target goes in, a report comes out. The command, and later the gates and the agent,
 * call this and nothing below it.
 */
#ifndef SEKISHO_FLOW_SCAN_H
#define SEKISHO_FLOW_SCAN_H

#include "analyze/content.h"
#include "analyze/secrets.h"
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
        enum stage stage;         /* 0: STAGE_SCAN */
        struct str_list controls; /* mitigating controls that are live */
        struct str explain;       /* id of the findings whose reasons are wanted in full; may be empty */
        int64_t (*first_seen)(void *arg,
                              struct str id); /* when a finding was first seen here, 0 unknown; may be NULL */
        void *first_seen_arg;
        const struct vex_set *vex;            /* may be NULL */
        bool history;                         /* repositories: all that their objects hold, not only the work tree */
        const struct secret_set *secrets;     /* kinds of secrets to look for; NULL: none are */
        const struct content_plan *content;   /* what the content of files is searched for; NULL: nothing */
        size_t malware_rules, malware_hashes; /* in it */
        const struct job_helper *clamd;       /* asks clamd for the workers; NULL: it is not in it */
        const char *loaded;                   /* where an agent keeps what containers have loaded; NULL: MAPPED_DIR */
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

/* Judges these findings by the policy and puts them into the report, sorted, with what rules and waivers make of them.
 */
void scan_judge(struct scan *s, const struct scan_options *o, const struct finding *found, size_t n);

/*
 * Matches the report's packages again, which somebody has changed, and judges the result together with the findings
 * that are kept. The report must have no findings and no verdict yet.
 */
int scan_rematch(struct scan *s, const struct scan_options *o, const struct finding *kept, size_t n_kept,
                 struct error *err);

/* From findings to the moves that close them. */
void scan_moves(struct scan *s);

#endif
