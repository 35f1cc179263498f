/*
 * What a report says of a finding in VEX's terms, for the formats that carry it: OpenVEX and CycloneDX. What somebody
 * stated is passed on in their own words; what nobody decided is affected if there is a fix, with the update as the
 * action, and under investigation if there is none.
 */
#ifndef SEKISHO_REPORT_ANALYSIS_H
#define SEKISHO_REPORT_ANALYSIS_H

#include "base/arena.h"
#include "report/report.h"

#include <jansson.h>

struct analysis {
        const char *status;       /* not_affected, affected, fixed, under_investigation */
        struct str justification; /* OpenVEX's word; may be empty */
        struct str justification_word;
        struct str impact, action, notes; /* the author's words; may be empty */
        struct str_list responses;        /* CycloneDX's words */
        int64_t timestamp;                /* of the statement; 0: the document's */
        bool is_decided;                  /* by a VEX document or a waiver */
};

struct analysis finding_analysis(const struct report *r, struct arena *a, const struct finding *f);

/* CycloneDX's "analysis" object. */
json_t *cyclonedx_analysis(const struct report *r, struct arena *a, const struct finding *f);

/* The author of the documents that are written. */
struct str vex_author(const struct report_options *o);

/* An UUID for a VEX document of this format and author: the same for the same statements on the same day. */
struct str vex_uuid(const struct report *r, struct arena *a, const char *format, struct str author);

#endif
