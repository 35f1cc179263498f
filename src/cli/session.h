/* What `scan` and `explain` have in common: their options, and a finished scan or an exit code. */
#ifndef SEKISHO_CLI_SESSION_H
#define SEKISHO_CLI_SESSION_H

#include "analyze/malware.h"
#include "base/fs.h"
#include "cli/command.h"
#include "cli/judging.h"
#include "cli/progress.h"
#include "flow/scan.h"
#include "proc/worker.h"

#define OUTPUTS_MAX 16

/* Where artefacts come from, and what is held against their files: what session_option takes. */
#define SESSION_SOURCE_OPTIONS                                                                                         \
        { "platform", 0, "OS/ARCH", "which image of an index (default: linux and this machine's)" },                   \
                { "authfile", 0, "FILE", "registry credentials (default: podman's and docker's)" },                    \
                { "ca-file", 0, "FILE", "certificates to trust for registries" },                                      \
                { "plain-http", 0, NULL, "allow a registry without TLS that is not on loopback" },                     \
                { "tls-skip-verify", 0, NULL, "do not verify the registry's certificate" },                            \
                { "root", 0, "DIR", "storage of podman or docker (default: theirs)" },                                 \
        {                                                                                                              \
                "socket", 0, "PATH", "API socket of podman or docker (default: theirs)"                                \
        }
#define SESSION_MALWARE_OPTIONS                                                                                        \
        { "hashes", 0, "FILE",                                                                                         \
          "list of hashes of malware: sha256sum's, .hdb, .hsb, or of sekisho db hashes; repeatable" },                 \
                { "allow-hashes", 0, "FILE", "list of hashes of what is known to be clean; repeatable" },              \
                { "yara", 0, "FILE|DIR", "YARA rules to hold every file against; repeatable" },                        \
        {                                                                                                              \
                "clamd", 0, "SOCKET", "show every file to ClamAV's daemon at this unix socket too"                     \
        }

struct session_settings { /* the state of both commands, filled in by session_option */
        struct source_options source;
        const char *db;
        struct judging judging;
        struct {
                const struct reporter *reporter;
                const char *path; /* "-": standard output */
        } outputs[OUTPUTS_MAX];
        size_t n_outputs;
        const char *vex[VEX_FILES_MAX];
        size_t n_vex;
        const char *author;    /* of VEX documents that are written; NULL: sekisho */
        struct str explain;    /* id of the findings that are asked about; may be empty */
        const char *ledger;    /* of files */
        const char *manifest;  /* of what can run */
        const char *ledger_db; /* to record in; NULL: the usual place */
        bool packages_only;    /* content is not searched: no malware, no secrets, no files in files */
        bool record, no_record;
        bool may_record;          /* set by commands that record: scan */
        const char *secret_rules; /* a file of users' kinds of secrets, or NULL */
        struct malware_options malware;
        bool quiet, verbose, history;
};

struct session {
        struct db *db;
        struct judgement judgement;
        struct scan_options options; /* of the scan, to consider it again (flow/again.h) */
        struct vex_set vex;
        const char *ledger_path; /* that remembers when findings were first seen; NULL: the usual one */
        struct book *memory;     /* the same, once it was asked */
        bool has_tried_memory;
        struct secret_config *secret_config; /* NULL: none was given */
        struct secret_set *secrets;
        struct content_engine secrets_engine;
        struct malware *malware;
        struct job_helper clamd; /* its process beside each worker */
        struct content_plan *content;
        struct scan scan;
        struct progress progress;
        uint64_t started_ms;
};

int session_option(void *state, const struct option_spec *o, const char *value, struct error *err);
int session_add_output(struct session_settings *s, const char *value, struct error *err);

/* 0: *ret holds a scan, and session_done is due; else the exit code, and the reason was told. */
int session_run(const struct session_settings *s, const char *target, struct session *ret);
void session_done(struct session *s);

/* Records the finished scan, if it is to be. 0, or the exit code after the reason was told. */
int session_record(const struct session_settings *settings, const struct session *s);
uint64_t session_elapsed_ms(const struct session *s);

#endif
