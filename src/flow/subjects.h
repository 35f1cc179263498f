/* From a scan's report to what rules ask about (decide/record.h): the artefact, its layers, and each finding. */
#ifndef SEKISHO_FLOW_SUBJECTS_H
#define SEKISHO_FLOW_SUBJECTS_H

#include "decide/record.h"
#include "flow/scan.h"

struct subjects {
        const struct report *r;
        struct subject_artefact artefact;
        struct subject_layer *layers; /* of each layer of the report; in the scan's arena */
        /* of the finding last asked for */
        struct subject_package *packages;
        size_t size;
        struct subject_file file;
};

/* All but findings must be in the report already. */
void subjects_init(struct subjects *s, struct scan *scan);
void subjects_done(struct subjects *s);

/* What rules may ask about f; valid until the next call. */
void subjects_finding(struct subjects *s, const struct finding *f, struct subject_finding *ret);

#endif
