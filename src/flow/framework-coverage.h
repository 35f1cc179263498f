/* From rules and their tags to the coverage of a framework (intel/framework.h has the tables). */
#ifndef SEKISHO_FLOW_FRAMEWORK_COVERAGE_H
#define SEKISHO_FLOW_FRAMEWORK_COVERAGE_H

#include "base/arena.h"
#include "report/coverage.h"

/*
 * What `sekisho coverage` can be asked for. Rows: the countermeasures of SP 800-190, each with the risk that it
 * answers (a tag of either counts); ATT&CK's techniques for containers, and the techniques and tactics beside them that
 * a rule names. A technique of which only sub-techniques are tagged is covered in part. Tags that were renumbered or
 * lead nowhere are remarks.
 */
struct framework {
        const char *name, *summary; /* "nist" */
        void (*cover)(const struct coverage_rule *rules, size_t n, struct arena *arena, struct framework_coverage *ret);
};

extern const struct framework *const frameworks[]; /* NULL-terminated */

#endif
