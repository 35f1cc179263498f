/* Manifests: pods out of YAML, judged by both levels at an old and the newest version. */
#include "analyze/pod-security.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void deny(void *arg, const struct pod_check *c, const struct yaml_node *at, struct str reason)
{
        *(size_t *)arg += at->line + reason.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct yaml y;
        struct k8s_pods pods;
        struct error err = ERROR_NONE;
        size_t seen = 0;
        if (yaml_read(str_span(data, size), &arena, &y, &err) == 0 && kubernetes_pods(&y, &arena, &pods, &err) == 0)
                for (size_t i = 0; i < pods.n; i++) {
                        bool old = pod_security_admits(&pods.v[i], POD_BASELINE, 0, deny, &seen);
                        bool new = pod_security_admits(&pods.v[i], POD_RESTRICTED, POD_SECURITY_MINOR_MAX, deny, &seen);
                        if ((!old || !new) && seen == 0)
                                __builtin_trap(); /* denied without a reason */
                }
        arena_done(&arena);
        return 0;
}
