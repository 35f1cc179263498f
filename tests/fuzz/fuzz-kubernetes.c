/* Manifests: pods out of YAML, judged by both levels at an old and the newest version; then the checkers of YAML. */
#include "analyze/pod-security.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct checker checker_kubernetes, checker_compose;

static void deny(void *arg, const struct pod_check *c, const struct yaml_node *at, struct str reason)
{
        *(size_t *)arg += at->line + reason.n;
}

static void put_nothing(struct sink *s, enum fact_kind kind, const void *fact) { (void)kind; }

static void judge(const struct k8s_pod *pod)
{
        size_t seen = 0;
        bool old = pod_security_admits(pod, POD_BASELINE, 0, deny, &seen);
        bool new = pod_security_admits(pod, POD_RESTRICTED, POD_SECURITY_MINOR_MAX, deny, &seen);
        if ((!old || !new) != (seen > 0))
                __builtin_trap(); /* denied without a reason, or admitted with one */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct arena arena = ARENA_INIT;
        struct yaml y;
        struct k8s_pods pods;
        struct error err = ERROR_NONE;
        struct sink sink = { put_nothing };
        struct check_settings settings = { .today = 1 };
        struct check_file file = { STR("compose.yaml"), str_span(data, size), true };
        if (yaml_read(file.bytes, &arena, &y, &err) == 0 && kubernetes_pods(&y, &arena, &pods, &err) == 0)
                for (size_t i = 0; i < pods.n; i++)
                        judge(&pods.v[i]);
        arena_done(&arena);
        if (checker_kubernetes.recognises(file.path, file.bytes))
                checker_kubernetes.run(&file, 1, &settings, &sink);
        if (checker_compose.recognises(file.path, file.bytes))
                checker_compose.run(&file, 1, &settings, &sink);
        return 0;
}
