/*
 * Records: a finding with the artefact that it is in, as the rules' fields see it (fact/fields-policy.def). Whoever
 * decides fills these plain structs from what it knows; "not known" is empty, zero or NULL, and makes a field absent.
 * All views must outlive the record.
 */
#ifndef SEKISHO_DECIDE_RECORD_H
#define SEKISHO_DECIDE_RECORD_H

#include "rule/rule.h"

enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES }; /* a flag that nobody may know */

struct subject_layer {
        uint64_t number; /* the lowest is 1 */
        struct str digest, created_by;
        enum answer in_base;
};

struct subject_package {
        const struct fact_package *p;
        struct str purl;
        const struct subject_layer *layer; /* that brought this version of it; NULL: not known */
};

struct subject_file {
        struct str path; /* with a leading slash */
        struct str type, format, state, sha256;
        uint64_t size, mode, uid, gid;
        bool has_attributes; /* size, mode and owner are known */
        bool is_executable, is_deleted;
};

/* What a rule may ask about an artefact, whatever the finding. */
struct subject_artefact {
        int64_t now;                                  /* seconds; ages are counted to it */
        struct str name;                              /* as given */
        struct str registry, repository, tag, digest; /* of the reference; digest: of the manifest */
        struct str image_id;                          /* of the configuration */
        struct str base;                              /* name of the base image */
        struct str_list tags;
        bool is_reference, by_digest;   /* it was asked for by a reference; and that held a digest */
        const struct fact_image *image; /* NULL: no configuration */
        uint64_t n_layers, size;
        const struct fact_os *os; /* NULL: none recognised */
        version_order *os_order;
        int64_t eol; /* the first second without support; 0 not known */
        bool is_complete;
        uint64_t unknown_executables, modified_files, skipped_files;
        int64_t data_date, kev_date;
        enum answer exposed;
};

/* What a rule may ask about a finding. */
struct subject_finding {
        struct str kind, id, title, path;
        struct str_list aliases;
        enum severity severity;
        struct str fix;     /* version or product that removes it */
        int64_t first_seen; /* here; 0 not known */
        const struct fact_vulnerability *vulnerability;
        struct str vex_status;
        version_order *order; /* of the vulnerability's versions, and of its packages' */
        const struct subject_package *packages;
        size_t n_packages;
        enum answer loaded; /* one of the packages is in use in the running container */
        const struct subject_layer *layer;
        const struct subject_file *file;
        struct str coverage_reason;
        struct str malware_name, malware_family, malware_engine;
        struct str secret_type, secret_confidence, secret_place;
        struct str check_id, check_resource;
        struct str_list check_frameworks;
};

enum { SCRATCH_ALIASES, SCRATCH_NAMES, SCRATCH_PURLS, SCRATCH_FRAMEWORKS, SCRATCHES };

struct subject_scratch {
        struct value *v;
        size_t size;
};

/* A record, and the memory for what has to be made in order to answer. */
struct subject {
        const struct subject_artefact *artefact;
        const struct subject_finding *finding; /* NULL: the artefact alone; fields of findings are absent */
        struct arena arena;                    /* of the artefact's lists */
        struct value tags, env_names, ports, entrypoint;
        struct subject_scratch scratch[SCRATCHES]; /* of lists of the finding */
};

/* The artefact must outlive it. subject_done frees. */
void subject_init(struct subject *s, const struct subject_artefact *a);
void subject_done(struct subject *s);

/* The record of this finding (or NULL): it answers until the next call. */
struct record subject_record(struct subject *s, const struct subject_finding *f);

/* Whether the field's value depends on the artefact alone. A rule with only such fields is judged once. */
bool field_is_of_artefact(enum field_id id);

/* Whether there is an answer to the field at all: false of those that another source delivers. */
bool field_has_getter(enum field_id id);

#endif
