/*
 * What every format for people says in the same words: the sentences of a report, made once. All returned text is
 * clean (text_clean) and lives in the arena. Layers are numbered from 1 for people and programs alike.
 */
#ifndef SEKISHO_REPORT_VIEW_H
#define SEKISHO_REPORT_VIEW_H

#include "base/arena.h"
#include "report/report.h"

struct counts {
        size_t secrets;         /* findings of this kind, however certain */
        size_t vulnerabilities; /* findings of this kind, and of them: */
        size_t by_severity[SEVERITY_CRITICAL + 1];
        size_t exploited;             /* in KEV */
        size_t loaded;                /* a process has one of the packages loaded */
        size_t fixable;               /* a fixed version is known */
        size_t set_aside[SET_ASIDES]; /* vulnerabilities that were, and are not among those above */
};

struct counts report_counts(const struct report *r);

/* The findings that no move in "What to do" closes, by response, vulnerabilities only. */
struct leftover {
        size_t *findings; /* indexes, in the report's order */
        size_t n;
};

void report_leftovers(const struct report *r, struct arena *a, struct leftover ret[static RESPONSES]);

bool is_any_set_aside(const struct report *r);

/* "by VEX: 2", "by waivers: 1": what stands behind "set aside". */
struct str set_aside_count(struct arena *a, enum set_aside by, size_t n);

/* 'not_affected (vulnerable_code_not_present), says Example in vendor.json, statement 2, 2026-11-01'. */
struct str vex_origin(struct arena *a, const struct fact_vex *s);

/* What its author says: why it is not affected, else what to do, else what else they say; may be empty. */
struct str vex_words(struct arena *a, const struct fact_vex *s);

/* "3 statements: 1 applied, 2 about nothing that was found"; why the document was of no use. */
struct str vex_file_words(struct arena *a, const struct report_vex *v);

/* Installed packages that these findings concern, each counted once. */
size_t packages_concerned(const struct report *r, const size_t *findings, size_t n);

/* What was compared: the source package (or whatever the feed goes by) and its version; else the installed package. */
struct str finding_subject(const struct report *r, struct arena *a, const struct finding *f);
struct str finding_version(const struct report *r, struct arena *a, const struct finding *f);

/* "libssl1.1, openssl": the installed packages of a finding. */
struct str finding_packages(const struct report *r, struct arena *a, const struct finding *f);

/* "openssl libssl1.1" / "openssl +7": a move's name with its packages, if they fit into width (0: always). */
struct str move_subject(struct arena *a, const struct move *m, unsigned width);

/* "closes 28 of 31, and the end of life" / "12 findings, 1 known exploited"; brief: in fewer words. */
struct str move_effect(const struct report *r, struct arena *a, const struct move *m, bool brief);

/* "layer 2", or "" for NONE or a report without layers. */
struct str layer_name(const struct report *r, struct arena *a, size_t layer);

/* "/var/lib/dpkg/status": facts name paths without the first slash; the artefact's own parts ("layer 3") have none. */
struct str shown_path(struct arena *a, struct str path);

struct str platform_words(const struct report *r, struct arena *a); /* "linux/amd64"; "" without an image */
struct str os_words(const struct report *r, struct arena *a);       /* "Debian 11 (bullseye)" */
struct str eol_words(const struct report *r, struct arena *a);      /* "end of life since 2026-08-31" */
bool is_past_eol(const struct report *r);

/* Nothing was compared with advisories: no vulnerability found says nothing. */
bool is_blind(const struct report *r);
bool has_no_system(const struct report *r); /* nor packages: a directory of sources */

/* "none found by 98 rules, in 9,412 files, 2 not fully read; clamd not configured"; "not looked for". */
struct str search_words(const struct report *r, struct arena *a);

/* "deleted in layer 3, but still pullable"; empty for a finding whose file is there. */
struct str deleted_words(const struct report *r, struct arena *a, const struct finding *f);

/* Why there are no vulnerabilities: "none known in 120 packages", or that none could have been found. */
struct str nothing_words(const struct report *r, struct arena *a);

/* "2 critical", "5 high", ..., "2 known exploited", "9 of 12 with a fix"; or nothing_words. Returns how many. */
#define VULNERABILITY_ITEMS (SEVERITY_CRITICAL + 4 + SET_ASIDES)
size_t vulnerability_items(const struct report *r, struct arena *a, struct str ret[static VULNERABILITY_ITEMS]);

struct str verdict_words(const struct report *r, struct arena *a); /* "DENIED", "ALLOWED" */
struct str policy_words(const struct report *r,
                        struct arena *a); /* `by policy "default": 2 of 9 rules`; "no rule denies, 1 warns" */

/* `31 findings in 9 packages`. */
struct str rule_effect(const struct report *r, struct arena *a, const struct rule_hit *h);

/* "update openssl to 1.1.1w-0+deb11u2": what to do about one finding, without a capital or a full stop. */
struct str finding_advice(const struct report *r, struct arena *a, const struct finding *f);

/* "CVE-2024-25062 (libxml2, high severity)", "/opt/x.zip (encrypted)", "/usr/bin/sudo (sudo, layer 2)": items of lists.
 */
struct str finding_item(const struct report *r, struct arena *a, const struct finding *f);
/* "GitHub personal access token in /app/.env, deleted in layer 5, still pullable, layer 4 (COPY . /app)" */
struct str secret_words(const struct report *r, struct arena *a, const struct finding *f);
bool secret_is_likely(const struct finding *f); /* of medium or high confidence */

struct str malware_item(const struct report *r, struct arena *a, const struct finding *f);
struct str unread_item(struct arena *a, const struct fact_unread *u);
struct str file_item(const struct report *r, struct arena *a, const struct report_file *f);

/* "9,120 verified", ... one for each state that any file is in. Returns how many. */
size_t coverage_items(const struct report *r, struct arena *a, struct str ret[static FILE_STATES]);

/* What the words of `response` mean in a heading: "decide", and for n findings: "3 without a fix". */
struct str leftover_words(struct arena *a, enum response response, size_t n);

const char *file_format_name(enum file_format f); /* "ELF", "script", ...; "" for other */

/* The page about an id, where the id itself tells the address; empty if it does not. */
struct str advisory_url(struct arena *a, struct str id);

/* What the artefact is called where that says more than the target: not "web:1" beside "registry:web:1". */
struct str other_name(const struct report *r);

#endif
