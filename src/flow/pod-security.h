/*
 * Pod Security over files of manifests: they are read here, and parsed and judged in a sandboxed worker, one for all of
 * them. A file that crashes the worker is an error of its own; a new worker goes on with those after it. (A file that
 * takes the worker over can lie about itself and the files behind it, and do nothing else.)
 */
#ifndef SEKISHO_FLOW_POD_SECURITY_H
#define SEKISHO_FLOW_POD_SECURITY_H

#include "analyze/pod-security.h"
#include "base/error.h"

#define POD_REASONS_MAX 200u        /* of one check in one file; the others are counted */
#define POD_BATCH_BYTES (64u << 20) /* of files in memory at once: what comes after has the next worker */

enum pod_verdict { POD_PASS, POD_FAIL, POD_ERROR };

struct pod_reason {
        const struct pod_check *check;
        struct str object, words;
        uint64_t line, column;
};

struct pod_file {
        const char *path; /* the caller's; "-": standard input */
        enum pod_verdict verdict;
        struct str error;           /* POD_ERROR: why it could not be judged */
        struct pod_reason *reasons; /* POD_FAIL: in the order of the pods, then of the checks */
        size_t n;
        uint64_t omitted; /* reasons that are not among them; every check that denies is */
        uint64_t pods;
};

/*
 * Judges files[0..n), whose paths are set; what they say lives in the arena. A file without a pod, or with a key that
 * stands twice in one mapping, is a POD_ERROR. < 0: no worker can be had, or interrupted (-EINTR).
 */
int pod_security_files(struct pod_file *files, size_t n, enum pod_level level, unsigned minor, struct arena *arena,
                       struct error *err);

/* Whether a check is among the reasons of a file. */
bool pod_file_fails(const struct pod_file *f, const struct pod_check *c);

#endif
