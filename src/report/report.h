/*
 * The report: everything that a scan found and decided, as plain data, and the formats that it can be written in.
 * All arrays are sorted and hold no clock: the same artefact, the same advisories and the same policy give the same
 * bytes in every format. (`today`, against which ends of life are judged, is an input and is part of the report.)
 *
 * Add a format: a file report/<name>.c that ends in one `const struct reporter`, and a line in reporters[].
 */
#ifndef SEKISHO_REPORT_REPORT_H
#define SEKISHO_REPORT_REPORT_H

#include "base/error.h"
#include "fact/fact.h"

#include <stdio.h>

#define NONE SIZE_MAX /* for indexes */

/* Where each file of the artefact ended. The words are in file_state_name. */
enum file_state {
        STATE_VERIFIED, /* a package owns it, and its content is what the package shipped */
        STATE_OWNED,    /* a package owns it, but ships no digest for it (directories, links, generated files) */
        STATE_MODIFIED, /* a package owns it, and the content differs from what it shipped */
        STATE_DATABASE, /* part of a package database or of the system's own bookkeeping, read as such */
        STATE_UNKNOWN,  /* nobody owns it */
        STATE_SKIPPED,  /* not looked at, for a reason that stands in `unread` */
        FILE_STATES
};

enum finding_kind {
        FINDING_MALWARE, /* content that a malware engine knows */
        FINDING_VULNERABILITY,
        FINDING_END_OF_LIFE, /* the operating system's support has ended, or ends within 90 days (severity low) */
        FINDING_UNSUPPORTED, /* no advisories for this system, or none at all: the scan is blind there */
        FINDING_UNREAD,      /* something was not looked at */
        FINDING_MODIFIED,    /* a file of a package is not what the package shipped */
        FINDING_STALE_DATA,  /* the advisories are old */
        FINDING_MISMATCH,    /* a digest, size or diff_id is not what the manifest promised */
        FINDING_WAIVER,      /* a waiver has expired, covers nothing, or covers too much */
        FINDING_ARTEFACT,    /* what a rule says about the artefact as a whole: its user, its tag, its age */
        FINDING_MISCONFIG, /* a setting of the image, or something in it, that a check objects to: its id is the check's
                            */
        FINDING_SECRET,    /* a secret in a file, in the configuration or in an environment */
        FINDING_KINDS
};

/* What to do about a finding, decided in advance. */
enum response { RESPONSE_UPDATE, RESPONSE_REPLACE, RESPONSE_MITIGATE, RESPONSE_ACCEPT, RESPONSE_DECIDE, RESPONSES };

/* Why a finding does not count for the verdict. It stays in every report, and says who set it aside and why. */
enum set_aside { SET_ASIDE_NOT, SET_ASIDE_BY_VEX, SET_ASIDE_BY_WAIVER, SET_ASIDES };

const char *file_state_name(enum file_state s);     /* "verified", ... */
const char *finding_kind_name(enum finding_kind k); /* "vulnerability", "end-of-life", "unsupported", ... */
const char *response_name(enum response r);         /* "update", ... */
const char *set_aside_name(enum set_aside s);       /* "vex", "waiver"; "" for not */

/* What a running container does with a package, or nothing (0) where that cannot be told. */
enum package_use {
        USE_UNKNOWN,
        USE_ABSENT,  /* its files are not there (any more) */
        USE_PRESENT, /* they are there, and no process was seen with one */
        USE_LOADED,  /* a process runs, maps or has open one of them */
        PACKAGE_USES
};

const char *package_use_name(enum package_use u); /* "absent", "present", "loaded"; "" if not known */

struct report_layer {
        struct str digest, diff_id, created_by, media_type;
        int64_t created;
        uint64_t stored_size, size, files;
        bool complete;
};

struct report_package {
        struct fact_package p;
        struct str purl; /* pkg:deb/debian/openssl@...; also the key of CycloneDX */
        struct str licence;
        size_t layer;                                  /* the layer that brought this version of it */
        uint64_t files, files_missing, files_modified; /* of those that it claims */
        uint64_t programs;                             /* of the files: programs and libraries */
        enum package_use use;
        struct str use_why; /* "nginx (pid 311) maps /usr/lib/libssl.so.3"; empty unless loaded */
};

/* A program or library that a package brought; path without a leading slash. */
struct report_program {
        struct str package, path;
};

struct finding {
        enum finding_kind kind;
        struct str id;    /* CVE-2024-5535; or the kind's name for the others */
        struct str title; /* one line for a person */
        enum severity severity;
        const struct fact_vulnerability *vulnerability; /* NULL for other kinds */
        const struct fact_check *check;                 /* of FINDING_MISCONFIG, else NULL */
        const struct fact_malware *malware;             /* of FINDING_MALWARE, else NULL */
        const struct fact_secret *secret;               /* of FINDING_SECRET, else NULL */
        size_t deleted_by; /* malware, secrets: the layer that deleted or replaced the file, which can still be pulled;
                              or NONE */
        const size_t *packages; /* indexes of the installed packages concerned, sorted; */
        size_t n_packages;      /* a vulnerability is one finding for each source package and version */
        size_t layer;           /* that brought it, or NONE */
        struct str path;        /* the file that proves it: package database, os-release, the file itself */
        uint64_t line;          /* in path; 0 if it has no lines */
        struct str proof;       /* the comparison, digest or date that was true, in words */
        enum response response;
        struct str fix;              /* version to update to, product to move to; may be empty */
        const struct rule_hit *rule; /* the policy rule that denies or warns, or NULL; of set aside ones always NULL */
        enum set_aside set_aside;
        struct str set_aside_by;              /* who: the author of a VEX document, the owner of a waiver */
        struct str set_aside_why;             /* their own words; may be empty where a justification says it all */
        const struct report_file *file;       /* the file that it is about, or NULL */
        const struct report_waiver *waiver;   /* that sets it aside, or NULL */
        const struct report_waiver *doubtful; /* a waiver that was made for it and does not hold, or NULL; */
        struct str doubt;                     /* why it does not: "a fix has been published" */
        const struct finding_reason *reasons; /* every rule that hits it, in the policy's order */
        size_t n_reasons;
        const struct fact_vex *vex; /* the newest statement that applies, whatever its status, or NULL */
        struct str vex_doubt;       /* why a statement that might apply was not applied; may be empty */
};

struct report_vex { /* a VEX document that was given */
        struct str path, format, document, author;
        int64_t timestamp;                  /* of its newest statement */
        uint64_t statements;                /* that could be read, and of them: */
        uint64_t matched, vague, unmatched; /* applied to findings; might have been; about nothing found */
        uint64_t skipped;                   /* statements, or products of them, that could not be used */
        struct str why;                     /* why none of it could be; empty if it could */
};

/* The most that is done with one of the finding's packages. */
struct report;
enum package_use finding_use(const struct report *r, const struct finding *f);

/* Whether the finding goes by this id, in any case: its own, or another name of its advisory. */
bool finding_is_named(const struct finding *f, struct str id);

/* The same, or the name of its kind: what `explain` is asked with. */
bool finding_answers_to(const struct finding *f, struct str id);

/* A move that closes findings: one line of "What to do". */
struct move {
        enum response response;
        struct str name;        /* source package, or product: "openssl", "base image Debian 11" */
        struct str packages;    /* the installed packages it means: "libssl1.1 openssl" */
        struct str from, to;    /* versions; to may be empty */
        const size_t *findings; /* indexes */
        size_t n_findings;
        size_t n_kev; /* of them known to be exploited */
        enum severity worst;
};

/* A part of a rule's condition, and what it came to. Depth says what belongs to what. */
struct reason_part {
        unsigned depth;
        bool is_true;
        struct str text; /* "vuln.severity >= high"; "all of", "one of", "not", or a macro's name */
        struct str seen; /* the value that the field had: "critical", "<NA>"; empty where there is none */
};

/* A rule that hits a finding. The parts are there for the findings that `explain` was asked about only. */
struct finding_reason {
        struct str name, place, action;
        bool decides;
        const struct reason_part *parts;
        size_t n_parts;
};

struct report_waiver {
        struct str id, place; /* "W-7", "ledger" or "waivers.yaml:3" */
        struct str covers;    /* the finding's id, or the condition */
        struct str scope;     /* "repo:shop/web package:openssl"; may be empty */
        struct str owner, approver, reason, response, control;
        struct str until;  /* the last day on which it holds */
        size_t n_covered;  /* findings that it sets aside */
        size_t n_doubtful; /* findings that it was made for, but does not cover; */
        struct str doubt;  /* why not, of the first of them */
        const struct finding *doubted;
        struct str
                ended_by; /* "fix", "kev", "epss", "exposed", "control-gone": data has ended it for good; else empty */
};

struct rule_hit {
        struct str name;                       /* "Serious vulnerability with a fix" */
        struct str place;                      /* "default.yaml:12", "--fail-on" */
        struct str action, response, why, fix; /* as the rule says; action: "deny", "warn", ... */
        struct str_list tags;                  /* "NIST-800-190:4.1.1", "T1190" */
        bool denies;                           /* else it warns */
        const size_t *findings;
        size_t n_findings;
};

struct report_file { /* a file that needs a person's eye */
        struct str path;
        size_t layer;
        enum file_state state;
        uint64_t size;
        enum file_format format;
        struct str sha256;  /* hex; may be empty */
        struct str package; /* the owner of a modified file */
        struct str why;     /* "owned by libc6, md5 ... instead of ..." */
};

struct report_deleted { /* a file that a later layer deleted or replaced, and that can still be pulled */
        struct str path;
        size_t layer, deleted_by;
};

struct coverage {
        uint64_t files[FILE_STATES]; /* in the merged view, by state */
        uint64_t total;
        uint64_t deleted;                   /* entries in lower layers that the merged view does not have */
        const struct report_file *modified; /* sorted by path, first 1,000; the counts are exact */
        size_t n_modified;
        const struct report_file *unknown_executables; /* ELF, scripts with x, setuid; sorted, first 1,000 */
        size_t n_unknown_executables;
        uint64_t total_unknown_executables, total_modified;
        const struct fact_unread *unread; /* sorted; all of them, up to 10,000, then one that says how many more */
        size_t n_unread;
};

struct report_feed {
        struct str name, source;
        int64_t date;
        uint64_t records;
};

/* How far malware was looked for. "None found" means nothing without it. */
struct report_search {
        uint64_t rules, hashes; /* 0 rules: nothing was searched */
        bool clamd;             /* was asked too */
        uint64_t files, members;
        uint64_t incomplete; /* files that were not read in all their parts */
        uint64_t found;      /* findings */
};

struct report {
        struct str tool_version;
        int64_t today; /* start of the day (UTC) against which dates were judged */

        struct str target, kind, name, digest, image_id, container;
        bool has_use;           /* a running container: what is in use was looked for */
        uint64_t use_processes; /* among so many processes */
        int64_t use_since;      /* watched by an agent since then; 0: at the moment of the scan */
        struct str_list tags;
        bool has_image;
        struct fact_image image;
        bool has_os;
        struct fact_os os;
        struct str os_release; /* "Debian 11 (bullseye)"; empty if not in the table */
        int64_t eol;           /* 0 not known */

        const struct report_layer *layers;
        size_t n_layers;
        const struct report_package *packages; /* sorted by type, name, version, arch */
        size_t n_packages;
        const struct report_program *programs; /* of the packages, in no order; in no format, for the ledger */
        size_t n_programs;
        bool has_programs;              /* false: there are too many to be kept */
        const struct finding *findings; /* sorted: worst first (kev, severity, epss), then id, then package */
        size_t n_findings;
        const struct move *moves; /* sorted: what closes most and worst first */
        size_t n_moves;
        struct coverage coverage;
        struct report_search search;

        const struct report_vex *vex; /* in the order in which they were given */
        size_t n_vex;

        struct str policy;                   /* "default", or the --fail-on words */
        struct str stage;                    /* "scan", "build", "admit", "run" */
        const struct report_waiver *waivers; /* those that have to do with this artefact, in the order given */
        size_t n_waivers;
        bool denied;
        bool complete;                /* false: a part of the artefact could not be read (exit 3 unless denied) */
        const struct rule_hit *rules; /* those that hit, in the policy's order */
        size_t n_rules, n_rules_total;

        struct str data_source; /* "embedded", or the file */
        struct str data_digest;
        int64_t data_date;
        const struct report_feed *feeds;
        size_t n_feeds;
};

struct report_options {
        bool colour;
        unsigned width;      /* columns of the terminal; 0: not a terminal (100) */
        bool verbose;        /* all findings and files, not only what fits a screen */
        uint64_t elapsed_ms; /* for the table on a terminal only; 0: not shown */
        const char *author;  /* of VEX documents; NULL: sekisho */
};

struct reporter {
        const char *name; /* table, json, sarif, cyclonedx, html */
        const char *summary;
        const char *file_name; /* suggestion: "report.html" */
        /* Writes the whole report. 0 or -errno of the stream. */
        int (*write)(const struct report *r, const struct report_options *o, FILE *to);
};

extern const struct reporter *const reporters[]; /* NULL-terminated */

/* `sekisho explain ID`: all that is known about the findings with this id, in words. -ENOENT if there is none. */
int report_explain(const struct report *r, struct str id, const struct report_options *o, FILE *to);

/* The same findings as a JSON array of the objects that the report has as `findings`. -ENOENT if there is none. */
int report_explain_json(const struct report *r, struct str id, FILE *to);

#endif
