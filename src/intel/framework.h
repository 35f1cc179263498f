/*
 * Frameworks that rules are tagged with: NIST SP 800-190 (sections) and MITRE ATT&CK (techniques, tactics). The tables
 * are data/nist-800-190.tsv and data/attack.tsv (provenance and terms: data/attack.md), compiled in.
 */
#ifndef SEKISHO_INTEL_FRAMEWORK_H
#define SEKISHO_INTEL_FRAMEWORK_H

#include "base/str.h"

struct nist_section {
        const char *id;      /* "3.1.1" a risk, "4.1.1" a countermeasure */
        const char *answers; /* of a countermeasure: the risk; "" of a risk and of 4.6 */
        const char *title;   /* in our own words */
};

struct technique {
        const char *id, *name;
        const char *tactics, *platforms; /* separated by commas: "execution,persistence", "Containers,Linux,IaaS" */
        const char *status;              /* active, revoked, deprecated */
        const char *replaced_by;         /* id; "" if by none */
};

struct tactic {
        const char *id, *name; /* "TA0002", "execution" */
};

/* All rows, in the order of their ids. */
extern const struct tactic tactics[];
extern const size_t n_tactics;
const struct nist_section *nist_all(size_t *ret_n);
const struct technique *technique_all(size_t *ret_n);

const struct nist_section *nist_find(struct str id);     /* NULL if there is none */
const struct tactic *tactic_find(struct str id_or_name); /* "TA0002", "execution", "command_and_control" */

/*
 * The technique of an id, in either case ("t1059.004"); NULL if there is none. An id that was renumbered gives the
 * technique that it became: `id` differs then from what was asked. Revoked or deprecated ones that became nothing are
 * found as they are.
 */
const struct technique *technique_find(struct str id);

bool technique_is(const struct technique *t, const char *tactic_name);
bool technique_runs_on(const struct technique *t, const char *platform);
const struct technique *technique_parent(const struct technique *t); /* T1059 of T1059.004; NULL of T1059 */

enum tag_kind {
        TAG_OTHER,     /* of no framework that is known here: maturity_stable, PCI_DSS_..., NIST_800-53_... */
        TAG_NIST,      /* NIST-800-190:4.1.1 */
        TAG_NIST_ALL,  /* NIST_800-190: the framework, no section */
        TAG_TECHNIQUE, /* T1059.004, MITRE_T1059 */
        TAG_TACTIC,    /* mitre_execution, TA0002, MITRE_TA0002 */
        TAG_UNKNOWN,   /* looks like one of these, but there is no such section, technique or tactic */
};

struct framework_tag {
        enum tag_kind kind;
        const struct nist_section *nist;
        const struct technique *technique;
        const struct tactic *tactic;
        bool is_renumbered; /* the technique has another id now: technique->id */
};

/* What a rule's tag means. Letters of either case, "-" and "_" alike, as rule files in the wild have them. */
struct framework_tag framework_tag_parse(struct str tag);

#endif
