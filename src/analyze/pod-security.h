/*
 * The Pod Security Standards of Kubernetes, as its own admission controller judges them (package policy of
 * k8s.io/pod-security-admission), at every version: checks of two levels, each from some version on; a check of
 * "restricted" may replace its weaker sibling of "baseline".
 *
 * What upstream changed without a new version counts at all versions here too: the field appArmorProfile, and volumes
 * of type image. Where upstream relies on the API server to refuse a pod afterwards (a volume of two types), the pod
 * is denied here.
 */
#ifndef SEKISHO_ANALYZE_POD_SECURITY_H
#define SEKISHO_ANALYZE_POD_SECURITY_H

#include "analyze/check.h"
#include "analyze/kubernetes-pod.h"

#define POD_SECURITY_MINOR_MAX 37u /* the newest version whose checks are known: v1.37; "latest" means it */

#define POD_CHECKS_MAX 64u

enum pod_level { POD_PRIVILEGED, POD_BASELINE, POD_RESTRICTED };

struct pod_check_run; /* one check on one pod */

struct pod_check {
        struct check about;    /* id as upstream writes it: capabilities_baseline */
        enum pod_level level;  /* that brings it in */
        unsigned minor;        /* the version that brings it in: 22 for v1.22 */
        const char *overrides; /* id of the check that it replaces at its level, or NULL */
        void (*run)(struct pod_check_run *run);
};

/* Those of baseline, then those of restricted, each in the order of their ids. */
extern const struct pod_check pod_checks[];
extern const size_t n_pod_checks;

const struct pod_check *pod_check_find(struct str id); /* NULL if there is none */

/*
 * "privileged", "baseline", "restricted" / "v1.0" and so on, "latest". False if it is none. A version that is newer
 * than those known here means the newest of them, as Kubernetes has it (EvaluatePod of its registry.go).
 */
bool pod_level_parse(struct str s, enum pod_level *ret);
bool pod_version_parse(struct str s, unsigned *ret_minor);

/* A reason to deny: the check, the place, and a sentence such as: container "web" must set ... */
typedef void (*pod_deny)(void *arg, const struct pod_check *c, const struct yaml_node *at, struct str reason);

/*
 * True if the level admits the pod; calls deny for every reason if it does not. A check that another one replaces
 * decides nothing, as upstream has it, but where its replacement denies, what it has to say is said too. Pure.
 */
bool pod_security_admits(const struct k8s_pod *pod, enum pod_level level, unsigned minor, pod_deny deny, void *arg);

#endif
