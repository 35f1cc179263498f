/*
 * Pods out of Kubernetes manifests: those that stand in Pods and those that workloads make from their templates
 * (Deployment, CronJob and so on, also in Lists), with the fields that decide how isolated they are. (Kubernetes API
 * core/v1, apps/v1, batch/v1.)
 *
 * A field of the wrong type is refused, as the API server refuses it: what it would mean cannot be judged. Unknown
 * fields are ignored, as the API server drops them. Names of fields count in their exact case.
 */
#ifndef SEKISHO_ANALYZE_KUBERNETES_POD_H
#define SEKISHO_ANALYZE_KUBERNETES_POD_H

#include "fact/fact.h"
#include "read/yaml.h"

#define KUBERNETES_PODS_MAX       10000u /* of a file */
#define KUBERNETES_CONTAINERS_MAX 1000u  /* of a pod, of any kind */

enum k8s_flag { K8S_UNSET, K8S_FALSE, K8S_TRUE };

struct k8s_int {
        bool is_set;
        int64_t value;
};

/* An object with a `type` and its like: present, though perhaps empty, or not there. */
struct k8s_profile {
        bool is_set;
        struct str type;
};

struct k8s_security {
        enum k8s_flag privileged, allow_privilege_escalation, run_as_non_root, host_process, read_only_root;
        struct k8s_int run_as_user;
        struct k8s_profile seccomp, apparmor;
        struct k8s_profile selinux; /* with its type */
        struct str selinux_user, selinux_role;
        struct str proc_mount; /* STR_NONE: unset */
        struct k8s_profile capabilities;
        const struct yaml_node *add, *drop; /* sequences of texts, or NULL */
        const struct yaml_node *sysctls;    /* of pods: a sequence of objects with a name, or NULL */
        const struct yaml_node *node;       /* NULL: none is given */
};

enum k8s_container_kind { K8S_INIT, K8S_CONTAINER, K8S_EPHEMERAL };

struct k8s_container {
        enum k8s_container_kind kind;
        struct str name; /* "" if it has none */
        struct k8s_security security;
        const struct yaml_node *node; /* a mapping */
};

struct k8s_pod {
        struct str object; /* "Deployment shop/web": kind, namespace if there is one, name */
        enum k8s_flag host_network, host_pid, host_ipc, host_users, automount_token;
        struct str os; /* spec.os.name */
        struct k8s_security security;
        const struct yaml_node *annotations; /* of the pod or its template; a mapping of texts, or NULL */
        const struct yaml_node *volumes;     /* a sequence of mappings, or NULL */
        const struct yaml_node *spec;        /* a mapping */
        struct k8s_container *containers;    /* at least one: init containers, containers, ephemeral containers */
        size_t n;
};

struct k8s_pods {
        struct k8s_pod *v;
        size_t n;
};

/* True if some document looks like an object of Kubernetes: a mapping with the texts apiVersion and kind. */
bool kubernetes_knows(const struct yaml *y);

/* An object, and what it is: text of `kind`; for the items of typed lists that have none, what the list holds. */
typedef int (*kubernetes_visit)(void *arg, struct str kind, const struct yaml_node *object, struct error *err);

/* Calls visit for each object of the stream, those in Lists too, until one returns other than 0; returns that. */
int kubernetes_objects(const struct yaml *y, kubernetes_visit visit, void *arg, struct error *err);

/* "Deployment shop/web", in the arena. */
struct str kubernetes_object_name(struct arena *arena, struct str kind, const struct yaml_node *object);

/*
 * All pods of the stream, in its order; views into it. -EBADMSG, with "line N, column N: " and words: a field has the
 * wrong type, a workload has no template, a pod has no container, a limit was passed.
 */
int kubernetes_pods(const struct yaml *y, struct arena *arena, struct k8s_pods *ret, struct error *err);

/* The pod of one object, appended to nothing: 1 and *ret if it is a workload, 0 if it is not; errors as above. */
int kubernetes_pod(struct str kind, const struct yaml_node *object, struct arena *arena, struct k8s_pod *ret,
                   struct error *err);

#endif
