/*
 * The checks of Kubernetes objects beyond Pod Security that need more than data/checks/kubernetes.yaml can ask: one
 * table, and functions for the kinds of objects.
 */
#ifndef SEKISHO_ANALYZE_KUBERNETES_RULES_H
#define SEKISHO_ANALYZE_KUBERNETES_RULES_H

#include "analyze/kubernetes-pod.h"
#include "analyze/yaml-page.h"

enum k8s_rule {
        K8S_DUPLICATE_KEY,
        K8S_MALFORMED,
        K8S_IMAGE_MOVES,
        K8S_IMAGE_UNPINNED,
        K8S_ENGINE_SOCKET,
        K8S_HOST_DIRECTORY,
        K8S_SECRET_IN_ENV,
        K8S_SECRET_IN_CONFIGMAP,
        K8S_SERVICE_OPEN_TO_ALL,
        K8S_NAMESPACE_WITHOUT_POLICY,
        K8S_RULES,
};

extern const struct check k8s_rules[K8S_RULES];

struct k8s_object {
        struct check_page *page;
        struct str kind;
        struct str name; /* "Role shop/reader" */
        const struct yaml_node *node;
};

/* The findings of one pod / of one object of any other kind. */
void kubernetes_check_pod(struct check_page *page, const struct k8s_pod *pod);
void kubernetes_check_service(const struct k8s_object *o);
void kubernetes_check_data(const struct k8s_object *o); /* ConfigMap */

/* Shows the object, and its parts, to the checks that are rules. pod: NULL of what is no workload. */
void kubernetes_run_rules(const struct k8s_object *o, const struct k8s_pod *pod);

#endif
