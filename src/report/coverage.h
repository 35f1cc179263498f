/*
 * Which sections of a framework are covered by which rules, and which by none: for people and for programs. The rules
 * come as plain names with tags, from whatever has rules; flow/framework-coverage.h puts the rows together.
 */
#ifndef SEKISHO_REPORT_COVERAGE_H
#define SEKISHO_REPORT_COVERAGE_H

#include "report/report.h"

struct coverage_rule {
        struct str name;  /* "Serious vulnerability with a fix" */
        struct str place; /* "default policy, rule 3", "rules/web.yaml:12" */
        struct str_list tags;
};

enum coverage_state { COVERAGE_OPEN, COVERAGE_IN_PART, COVERAGE_COVERED };

struct coverage_row {
        struct str id, title;
        struct str note; /* "answers 3.1.1", "execution, persistence"; may be empty */
        bool is_counted; /* false: beyond what the framework is measured by here, listed because a rule names it */
        enum coverage_state state; /* in part: only sub-techniques are */
        const size_t *rules;       /* indexes, in the order of the rules */
        size_t n_rules;
};

struct coverage_remark { /* a tag that is not what it seems */
        size_t rule;
        struct str tag, words;
};

struct framework_coverage {
        struct str framework; /* "NIST SP 800-190" */
        struct str measure;   /* what is counted: "countermeasures", "techniques for containers" */
        const struct coverage_rule *rules;
        size_t n_rules;
        const struct coverage_row *rows;
        size_t n_rows;
        const struct coverage_remark *remarks;
        size_t n_remarks;
};

/* 0 or -errno of the stream. The JSON is docs/format/coverage.md. */
int coverage_write_table(const struct framework_coverage *c, const struct report_options *o, FILE *to);
int coverage_write_json(const struct framework_coverage *c, FILE *to);

#endif
