/* The checks of Kubernetes objects beyond Pod Security: one table, and functions for the kinds of objects. */
#ifndef SEKISHO_ANALYZE_KUBERNETES_RULES_H
#define SEKISHO_ANALYZE_KUBERNETES_RULES_H

#include "analyze/kubernetes-pod.h"
#include "analyze/yaml-page.h"

enum k8s_rule {
        K8S_DUPLICATE_KEY,
        K8S_MALFORMED,
        K8S_IMAGE_MOVES,
        K8S_IMAGE_UNPINNED,
        K8S_WRITABLE_ROOT,
        K8S_NO_MEMORY_LIMIT,
        K8S_NO_CPU_LIMIT,
        K8S_NO_PROBE,
        K8S_TOKEN_MOUNTED,
        K8S_ENGINE_SOCKET,
        K8S_HOST_DIRECTORY,
        K8S_SECRET_IN_ENV,
        K8S_SECRET_IN_CONFIGMAP,
        K8S_SECRET_IN_FILE,
        K8S_RBAC_EVERYTHING,
        K8S_RBAC_WILDCARD,
        K8S_RBAC_ESCALATES,
        K8S_RBAC_SECRETS,
        K8S_RBAC_EXEC,
        K8S_RBAC_NODE_PROXY,
        K8S_BIND_CLUSTER_ADMIN,
        K8S_BIND_ANYBODY,
        K8S_BIND_DEFAULT_ACCOUNT,
        K8S_SERVICE_NODE_PORT,
        K8S_SERVICE_OPEN_TO_ALL,
        K8S_SERVICE_EXTERNAL_IP,
        K8S_INGRESS_WITHOUT_TLS,
        K8S_NAMESPACE_WITHOUT_POLICY,
        K8S_DEFAULT_NAMESPACE,
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
void kubernetes_check_pod(struct check_page *page, struct str kind, const struct k8s_pod *pod);
void kubernetes_check_access(const struct k8s_object *o);  /* Role, ClusterRole and their bindings */
void kubernetes_check_network(const struct k8s_object *o); /* Service, Ingress */
void kubernetes_check_data(const struct k8s_object *o);    /* ConfigMap, Secret */

#endif
