/*
 * VEX documents in a scan: read in sandboxed workers (intel/vex.h), then applied to the findings (intel/vex-match.h).
 * A finding whose newest statements all say not_affected or fixed is set aside: it stays in every report, with who says
 * so and why, and no rule judges it.
 */
#ifndef SEKISHO_FLOW_VEX_H
#define SEKISHO_FLOW_VEX_H

#include "base/vec.h"
#include "report/report.h"

#define VEX_FILES_MAX 64

struct vex_set {
        struct arena arena; /* of all below */
        struct report_vex *files;
        size_t n_files;
        VEC(struct fact_vex) statements; /* in the order of files and of the statements in them */
        VEC(struct fact_unread) unread;  /* files and statements that could not be used */
};

/*
 * Reads the files, at most VEX_FILES_MAX. 0: what could not be used stands in `unread`, and in its file's `why`.
 * < 0 and words: a file that cannot be opened, too many of them, or -EINTR. vex_set_done is due in each case.
 */
int vex_set_read(struct vex_set *set, const char *const *paths, size_t n, struct error *err);
void vex_set_done(struct vex_set *set);

/*
 * Says of each finding which statement applies, sets it aside where that is so, and counts in the report's files what
 * became of their statements. The report's packages, digests and system are what statements are compared with.
 */
void vex_apply(const struct vex_set *set, struct report *r, struct arena *arena, struct finding *findings, size_t n);

#endif
