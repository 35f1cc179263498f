/*
 * The report of `sekisho check`: what the checks found in files, as plain sorted data, and the formats that it can be
 * written in. The same files, settings and day give the same bytes.
 */
#ifndef SEKISHO_REPORT_CHECK_H
#define SEKISHO_REPORT_CHECK_H

#include "report/report.h"

struct check_report {
        struct str tool_version;
        int64_t today;
        const struct fact_check *findings; /* sorted by file, line, column, id; waived ones too */
        size_t n_findings;
        const struct fact_unread *unread;
        size_t n_unread;
        size_t n_files; /* that were checked */
        enum severity fail_on;
        bool denied;   /* a finding that is not waived is at least as bad as fail_on */
        bool complete; /* nothing that was to be read was not */
};

struct check_reporter {
        const char *name, *summary;
        int (*write)(const struct check_report *r, const struct report_options *o, FILE *to); /* 0 or -errno */
};

extern const struct check_reporter *const check_reporters[]; /* NULL-terminated */

/* Counts by severity of what is not waived; returns how many are waived. */
size_t check_report_counts(const struct check_report *r, size_t ret[static SEVERITY_CRITICAL + 1]);

#endif
