/* One check on one pod: between the engine (pod-security.c) and the checks (pod-checks.c). */
#ifndef SEKISHO_ANALYZE_POD_CHECK_RUN_H
#define SEKISHO_ANALYZE_POD_CHECK_RUN_H

#include "analyze/pod-security.h"

struct pod_check_run {
        const struct k8s_pod *pod;
        const struct pod_check *check;
        unsigned minor;
        pod_deny deny;
        void *arg;
        bool is_denied;
};

#endif
