/*
 * The ledger: what sekisho remembers between its runs. One SQLite file that holds an append-only, hash-chained log of
 * records (scans, decisions, waivers, observations, rematches) and, derived from it in the same transaction, what is
 * asked for often: artefacts, their tags and places, when each finding was first and last seen, the waivers. All SQL of
 * the program lives in this room. Format, chain and guarantees: docs/format/ledger-db.md.
 *
 * `struct book` is an open ledger. (`struct ledger` of flow/view.h is another thing: the list of an artefact's files.)
 *
 * Rules that hold for every function here
 * - No clock is read and nobody's name is asked for: each write takes a `struct book_stamp`. Times are seconds since
 *   1970 in UTC, 0 "none"; what orders records is their sequence, not their time.
 * - A write is one transaction. When it returns 0 the record is on the disk and survives kill -9 and a power cut; when
 *   it fails, nothing of it is there.
 * - Text may hold any bytes: what is not UTF-8, and NUL, is kept as U+FFFD, and what is beyond BOOK_TEXT_MAX is cut
 * off. (Text of a waiver is refused instead: its meaning must not change.)
 * - Results live in the arena that the caller gives, and stay when the book is closed. Lists are sorted as said.
 * - Errors, with words: -ENOENT there is no such file, artefact or waiver; -EBADMSG the ledger is damaged or is no
 *   ledger; -EPROTONOSUPPORT a newer sekisho made it; -EBUSY another process writes for too long; -ENOSPC the disk is
 *   full; -EROFS, -EACCES it cannot be written; -EINVAL the caller's values; -EIO and others: the system's own.
 */
#ifndef SEKISHO_STORE_STORE_H
#define SEKISHO_STORE_STORE_H

#include "base/buf.h"
#include "base/error.h"
#include "fact/fact.h"

struct book;

#define BOOK_TEXT_MAX   65536        /* bytes of one text of a record */
#define BOOK_LIST_MAX   (1u << 20)   /* packages or findings of one scan */
#define BOOK_BODY_MAX   (256u << 20) /* bytes of one record's body */
#define BOOK_BUSY_MS    10000        /* how long a write waits for another process */
#define BOOK_HASH_BYTES 32           /* SHA-256 */

/* ---------------------------------------------------------------------------------------------- open and close --- */

/*
 * Where the ledger is unless the caller says otherwise: $SEKISHO_LEDGER; for root /var/lib/sekisho/ledger.db; else
 * $XDG_STATE_HOME/sekisho/ledger.db or ~/.local/state/sekisho/ledger.db. False if none of these can be told. `ret` is
 * given a maximum of PATH_MAX or so.
 */
bool book_default_path(struct buf *ret);

enum book_mode {
        BOOK_READ,   /* must exist; is not written, unless it has an older schema, which is brought up to date */
        BOOK_CHECK,  /* the same for book_verify: opens what the others refuse because its log has another end */
        BOOK_WRITE,  /* must exist */
        BOOK_CREATE, /* is made, with its directory (mode 0700, file 0600), where it does not exist */
};

/*
 * Opens a ledger. An existing file is never made anew, whatever is wrong with it, an empty one neither. path NULL: the
 * default place. A ledger of an older schema is brought up to date in one transaction.
 */
int book_open(const char *path, enum book_mode mode, struct book **ret, struct error *err);
void book_close(struct book *b); /* NULL is fine */
void book_closep(struct book **b);

const char *book_path(const struct book *b);

/* Who writes, and when. */
struct book_stamp {
        int64_t now;
        struct str actor; /* a person or a machine: "alice", "ci@build-7"; not empty */
};

/*
 * The newest time of any record, 0 if there is none. A caller that judges dates (expiry) and does not trust the clock
 * takes the later of this and now: a clock that was set back then revives no waiver.
 */
int book_newest_time(struct book *b, int64_t *ret, struct error *err);

/* --------------------------------------------------------------------------------------------------- the log ----- */

enum record_kind {
        RECORD_SCAN,
        RECORD_DECISION,
        RECORD_WAIVER_REQUESTED,
        RECORD_WAIVER_APPROVED,
        RECORD_WAIVER_ENDED,
        RECORD_OBSERVATION,
        RECORD_REMATCH,
        RECORD_KINDS
};

const char *record_kind_name(enum record_kind k); /* "scan", "decision", "waiver-requested", ... */

struct book_record {
        uint64_t sequence; /* from 1, without gaps */
        int64_t time;
        int64_t behind; /* seconds by which `time` is before the newest time of all earlier records: the clock was set
                           back, or two machines disagree. 0: it is not */
        struct str kind;
        struct str subject; /* what it is about: an artefact's key, a waiver's id */
        struct str actor;
        struct str body; /* JSON, keys sorted, no white space: docs/format/ledger-db.md */
        uint8_t previous[BOOK_HASH_BYTES], hash[BOOK_HASH_BYTES];
};

/* One record, or -ENOENT. */
int book_record(struct book *b, uint64_t sequence, struct arena *arena, struct book_record *ret, struct error *err);

/* ------------------------------------------------------------------------------------------ writing: scans ------- */

/*
 * What was scanned or seen. An artefact is known by its key: its digest; without one (directories, hosts)
 * "KIND:NAME@HOST".
 */
struct book_artefact {
        struct str digest;    /* sha256:... of the manifest; empty for directories */
        struct str image_id;  /* sha256:... of the configuration; may be empty */
        struct str kind;      /* source: docker-archive, registry, dir, container, ... */
        struct str name;      /* reference or path */
        struct str target;    /* as the user gave it */
        struct str container; /* running containers: its id */
        struct str host;      /* where it was seen; may be empty */
        struct str_list tags; /* references that point at it now */
};

struct book_package {
        struct fact_package p; /* all but `line` and `offset` is kept; `database` as the path that lists it */
        struct str origin;     /* kind of the layer that brought it: "base", "own"; empty if not known */
};

struct book_finding {
        struct str key;  /* names the same finding in later scans of the artefact: "CVE-2024-5535 openssl" */
        struct str kind; /* "vulnerability", "end-of-life", ... */
        struct str id;   /* CVE-2024-5535 */
        struct str package, version, fix, path;
        enum severity severity;
        bool is_fixable, is_exploited; /* in KEV */
        struct str response;           /* "update", "replace", "mitigate", "accept", "decide" */
        struct str state;              /* what became of it: "denied", "warned", "noted", "vex", "waived" */
        struct str waiver;             /* state "waived": its id */
        struct str rule;               /* the rule that judged it; may be empty */
};

struct book_program {       /* a program or library, and who owns it */
        struct str package; /* its name */
        struct str path;    /* without a leading slash; one with a line end in it, or no UTF-8, is not kept */
};

struct book_data { /* the advisories that were used */
        struct str source, digest;
        int64_t date;
};

struct book_scan {
        struct book_artefact artefact;
        struct fact_os os; /* all empty: none; `path` is not kept */
        struct book_data data;
        struct str policy;  /* "default", or what stands for it */
        struct str verdict; /* "allow", "deny" */
        bool is_complete;
        const struct book_package *packages; /* in any order */
        size_t n_packages;
        const struct book_finding *findings; /* in any order */
        size_t n_findings;
        const struct book_program *programs; /* in any order */
        size_t n_programs;
        bool has_programs; /* false: nobody looked for them */
};

struct book_scan_outcome {
        uint64_t sequence;
        bool is_known; /* the artefact had been scanned before */
        bool is_same;  /* with the same packages, findings, policy and verdict */
        size_t n_new;  /* findings that its last scan did not have, by key */
        size_t n_gone; /* findings that only its last scan had */
};

/*
 * Appends a scan. Packages and findings are kept once for all artefacts that have them, and their lists once for all
 * scans that found the same; the record itself is small and names the lists by their digests.
 */
int book_add_scan(struct book *b, const struct book_stamp *stamp, const struct book_scan *s,
                  struct book_scan_outcome *ret, struct error *err);

/* A sighting without a scan: this reference points at this digest now; this container of it runs on that host. */
int book_add_observation(struct book *b, const struct book_stamp *stamp, const struct book_artefact *a,
                         uint64_t *ret_sequence, struct error *err);

struct book_decision {
        struct str artefact;     /* its key (digest) */
        struct str name;         /* what was asked for: the reference */
        struct str stage;        /* "build", "scan", "admit", "run" */
        struct str verdict;      /* "allow", "warn", "deny", "kill", ... */
        struct str policy, rule; /* rule: the one that decided; may be empty */
        struct str reason;       /* one line for a person */
        struct str_list waivers; /* ids of those without which the verdict would be another */
};

int book_add_decision(struct book *b, const struct book_stamp *stamp, const struct book_decision *d,
                      uint64_t *ret_sequence, struct error *err);

struct book_affected { /* one answer of a rematch */
        struct str artefact, id, package, version, fix;
        enum severity severity;
        bool is_exploited;
};

struct book_rematch {
        struct book_data data;
        struct str asked;                     /* the id that was asked for; empty: all that is new */
        uint64_t artefacts, packages;         /* looked at: artefacts; different packages */
        const struct book_affected *affected; /* in any order */
        size_t n_affected;
};

int book_add_rematch(struct book *b, const struct book_stamp *stamp, const struct book_rematch *r,
                     uint64_t *ret_sequence, struct error *err);

/* ---------------------------------------------------------------------------------------------- waivers ---------- */

enum waiver_state { WAIVER_REQUESTED, WAIVER_ACTIVE, WAIVER_ENDED };

const char *waiver_state_name(enum waiver_state s); /* "requested", "active", "ended" */

#define WAIVER_ID_MAX 24 /* "W-" and a number, with the NUL */

struct book_waiver {
        struct str id;        /* "W-7", counted by the ledger; ignored in a request */
        struct str condition; /* in the rule language; may be empty if `finding` is given */
        struct str finding;   /* id of the finding: CVE-2024-5535; may be empty if `condition` is given */
        struct str owner;     /* who answers for it; not empty */
        struct str requester; /* the actor of the request, filled in by the ledger */
        struct str approver;  /* empty while only requested */
        struct str reason;    /* not empty */
        struct str response;  /* "update", "replace", "mitigate", "accept" */
        struct str control;   /* the mitigating control that must be live, "waf:9301"; needed by "mitigate" */
        struct {
                struct str digest, repository, package, path; /* each empty: any */
        } scope;
        struct {
                bool fix, kev, control_gone, exposed;
                uint64_t epss; /* at this many hundred-thousandths; 0: EPSS does not end it */
        } ends_on;
        int64_t created, approved; /* approved: 0 while only requested */
        int64_t expires;           /* the first second at which it does not hold any more; needed */
        enum waiver_state state;   /* expiry does not change it: whoever finds a waiver expired ends it */
        int64_t ended;             /* 0: it has not ended */
        struct str ended_by, ended_why;
};

/*
 * Appends a request, with the stamp's actor as requester and its time as `created`. Read of w: condition, finding,
 * owner, reason, response, control, scope, ends_on, expires. -EINVAL: neither condition nor finding, no owner or
 * reason, an unknown response, "mitigate" without a control, an expiry that is not after now.
 */
int book_waiver_request(struct book *b, const struct book_stamp *stamp, const struct book_waiver *w,
                        char ret_id[static WAIVER_ID_MAX], struct error *err);

/*
 * Approves one, with the stamp's actor as approver. -ENOENT; -EINVAL: it is not "requested", has expired, or
 * must_differ and the approver is its requester. (Names are compared as they are, but for ASCII case.)
 */
int book_waiver_approve(struct book *b, const struct book_stamp *stamp, struct str id, bool must_differ,
                        struct error *err);

/* Both in one transaction, for a policy that lets one person do both. */
int book_waiver_accept(struct book *b, const struct book_stamp *stamp, const struct book_waiver *w,
                       char ret_id[static WAIVER_ID_MAX], struct error *err);

/*
 * Ends one that is requested (denied, withdrawn) or active. why: one line that begins with the cause: "expired", "fix",
 * "kev", "epss", "control-gone", "exposed", "withdrawn", "denied". -ENOENT; -EINVAL: it has ended already.
 */
int book_waiver_end(struct book *b, const struct book_stamp *stamp, struct str id, struct str why, struct error *err);

/* One by its id ("W-7", "w-7", "7"), or -ENOENT. */
int book_waiver_get(struct book *b, struct str id, struct arena *arena, struct book_waiver *ret, struct error *err);

struct book_waiver_list {
        struct book_waiver *v;
        size_t n;
};

/* All waivers, oldest first. */
int book_waivers(struct book *b, struct arena *arena, struct book_waiver_list *ret, struct error *err);

/* Those that hold at the time t: approved by then, not ended by then, not expired. Oldest first. */
int book_waivers_at(struct book *b, int64_t t, struct arena *arena, struct book_waiver_list *ret, struct error *err);

/* Whether one holds at t; what book_waivers_at asks. */
bool book_waiver_holds(const struct book_waiver *w, int64_t t);

/* -------------------------------------------------------------------------------------------- inventory ---------- */

#define SEVERITY_COUNTS (SEVERITY_CRITICAL + 1)

struct book_tag {                   /* a reference pointed at an artefact */
        struct str reference, host; /* as seen on that host; a registry's references are seen on "" */
        int64_t first, last;        /* when it was seen to */
        bool is_current;            /* it has not been seen to point at another since */
};

struct book_place {
        struct str host, container; /* container may be empty */
        int64_t first, last;
};

struct book_item { /* an artefact, and what is known of it */
        struct str key;
        struct book_artefact artefact; /* as last seen; without tags */
        struct str os;                 /* "debian 11"; empty if none */
        int64_t first, last;           /* seen */
        int64_t scanned;               /* last scan; 0: only observed */
        uint64_t n_scans;
        struct book_data data; /* of the last scan */
        struct str policy, verdict;
        bool is_complete;
        uint64_t n_packages, n_findings;
        uint64_t counts[SEVERITY_COUNTS]; /* findings by severity */
        uint64_t n_fixable, n_exploited, n_waived;
        const struct book_tag *tags; /* by reference, then newest first */
        size_t n_tags;
        const struct book_place *places; /* by host, then container */
        size_t n_places;
};

struct book_inventory {
        struct book_item *v; /* last seen first, then by key */
        size_t n;
};

int book_inventory(struct book *b, struct arena *arena, struct book_inventory *ret, struct error *err);

struct book_sighting {               /* a finding of an artefact, over time */
        struct book_finding finding; /* as last seen */
        int64_t first, last;
        bool is_open; /* the last scan had it */
};

/* Findings of the artefact that was ever scanned: open ones first, then worst severity, then key. -ENOENT. */
int book_sightings(struct book *b, struct str key, struct arena *arena, struct book_sighting **ret, size_t *ret_n,
                   struct error *err);

/* The findings of a record of kind "scan", by key. -EINVAL if it is none. */
int book_findings_of(struct book *b, const struct book_record *scan, struct arena *arena, struct book_finding **ret,
                     size_t *ret_n, struct error *err);

/*
 * When a finding of this id was first seen on any artefact; 0 if never. For rules that ask for how long it is known.
 */
int book_first_seen(struct book *b, struct str id, int64_t *ret, struct error *err);

/* What a person typed, and the artefacts that it means. */
struct book_found {
        struct str *keys; /* sorted; the id, if it is a waiver's */
        size_t n;
        bool is_waiver;
};

/*
 * Looks for, in this order: a waiver's id; a key, name, target, reference or container id; a digest or image id, or its
 * beginning ("sha256:3f1c", "3f1c": from 4 hexadecimal digits on); a name or reference without its tag, host or
 * directories. -EEXIST: the beginning of a digest that fits several (words name them). Nothing found is 0, n == 0.
 */
int book_find(struct book *b, struct str what, struct arena *arena, struct book_found *ret, struct error *err);

struct book_history {
        struct book_record *v; /* oldest first */
        size_t n;
};

/*
 * All records that concern these keys, as book_find gives them: an artefact's scans and sightings, decisions, rematches
 * that found something in it, and the records of each waiver that one of its findings was waived by or that could apply
 * to it: its scope fits, and its finding, if it names one, was seen there.
 */
int book_history(struct book *b, const struct str *keys, size_t n_keys, struct arena *arena, struct book_history *ret,
                 struct error *err);

/* ----------------------------------------------------------------------------------------------- stock ----------- */

/*
 * The packages of all artefacts as last scanned, each different package once: what a rematch compares with advisories.
 * Lists are ascending indexes.
 */
struct stock_list {
        size_t os; /* index in oses; SIZE_MAX: none */
        const uint32_t *packages;
        size_t n;
};

struct stock_artefact {
        struct str key, name;
        size_t list;     /* index in lists */
        size_t findings; /* index in finding_lists: of its last scan */
        int64_t scanned;
        struct book_data data;
};

struct stock_finding_list {
        const uint32_t *findings; /* ascending indexes in findings */
        size_t n;
};

struct stock_finding {
        struct str key, kind, id, package;
};

struct stock {
        struct fact_os *oses;
        size_t n_oses;
        struct fact_package *packages;
        size_t n_packages;
        struct stock_list *lists;
        size_t n_lists;
        struct stock_finding *findings;
        size_t n_findings;
        struct stock_finding_list *finding_lists;
        size_t n_finding_lists;
        struct stock_artefact *artefacts; /* by key */
        size_t n_artefacts;
};

int book_stock(struct book *b, struct arena *arena, struct stock *ret, struct error *err);

/* The package list of one artefact's last scan. -ENOENT. */
int book_packages(struct book *b, struct str key, struct arena *arena, struct fact_os *ret_os,
                  struct fact_package **ret, size_t *ret_n, struct error *err);

/*
 * The programs and libraries that packages brought, of one artefact's last scan, by package and path. -ENOENT: it was
 * not scanned, or by a sekisho that did not keep them.
 */
int book_programs(struct book *b, struct str key, struct arena *arena, struct book_program **ret, size_t *ret_n,
                  struct error *err);

/* --------------------------------------------------------------------------------- looking after the ledger ------ */

struct book_status {
        unsigned schema;
        uint64_t records, artefacts, packages, package_lists, findings, waivers, size_bytes;
        uint64_t behind; /* records whose time is before that of an earlier one */
        int64_t first, last;
        uint64_t head_sequence; /* 0: no record */
        uint8_t head_hash[BOOK_HASH_BYTES];
        uint8_t id[BOOK_HASH_BYTES]; /* drawn at birth: the "previous" of the first record */
};

int book_status(struct book *b, struct book_status *ret, struct error *err);

struct book_checkpoint {   /* a head that was written down elsewhere */
        uint64_t sequence; /* 0: none */
        uint8_t hash[BOOK_HASH_BYTES];
};

bool book_checkpoint_parse(struct str s, struct book_checkpoint *ret); /* "42:" and 64 hexadecimal digits */

struct book_flaw {
        bool has_record;           /* the record below is the first one that does not fit */
        struct book_record record; /* kind, subject and actor as they stand there; no body */
        char words[ERROR_TEXT_MAX];
};

/*
 * Checks the file's own structure, the chain from the first record to the head, everything that records name by digest,
 * and that what is derived from the log is what the log gives. 0: whole; 1: *ret tells the first flaw; < 0: it could
 * not be checked. checkpoint may be NULL. What this can and cannot detect stands in docs/format/ledger-db.md.
 */
int book_verify(struct book *b, const struct book_checkpoint *checkpoint, struct arena *arena, struct book_flaw *ret,
                struct error *err);

/*
 * Makes everything that is derived from the log anew, in one transaction. Refuses (-EBADMSG) a log whose chain is
 * broken. *ret_changed: whether what was there differed.
 */
int book_rebuild(struct book *b, bool *ret_changed, struct error *err);

#endif
