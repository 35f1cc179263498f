/* What `scan` and `explain` have in common: their options, and a finished scan or an exit code. */
#ifndef SEKISHO_CLI_SESSION_H
#define SEKISHO_CLI_SESSION_H

#include "base/fs.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "flow/scan.h"

#define OUTPUTS_MAX 16

struct session_settings { /* the state of both commands, filled in by session_option */
        struct source_options source;
        const char *db;
        struct policy policy; /* of --fail-on; no rules: the default one */
        struct {
                const struct reporter *reporter;
                const char *path; /* "-": standard output */
        } outputs[OUTPUTS_MAX];
        size_t n_outputs;
        const char *ledger;    /* of files */
        const char *ledger_db; /* to record in; NULL: the usual place */
        bool record, no_record;
        bool may_record; /* set by commands that record: scan */
        const char *vex[VEX_FILES_MAX];
        size_t n_vex;
        const char *author; /* of VEX documents that are written; NULL: sekisho */
        bool quiet, verbose;
};

struct session {
        struct db *db;
        struct vex_set vex;
        struct scan scan;
        struct progress progress;
        uint64_t started_ms;
};

int session_option(void *state, const struct option_spec *o, const char *value, struct error *err);
int session_add_output(struct session_settings *s, const char *value, struct error *err);

/* 0: *ret holds a scan, and session_done is due; else the exit code, and the reason was told. */
int session_run(const struct session_settings *s, const char *target, struct session *ret);
void session_done(struct session *s);
uint64_t session_elapsed_ms(const struct session *s);

/* Records the finished scan, if it is to be. 0, or the exit code after the reason was told. */
int session_record(const struct session_settings *settings, const struct session *s);

#endif
