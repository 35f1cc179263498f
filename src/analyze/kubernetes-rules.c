/*
 * Kubernetes manifests: the checker, and the table of its checks. All files that are given are looked at together: a
 * namespace has its NetworkPolicy in one file and its workloads in another.
 */
#include "analyze/kubernetes-rules.h"

#include "analyze/pod-security.h"
#include "base/map.h"
#include "base/vec.h"

const struct check k8s_rules[K8S_RULES] = {
        [K8S_DUPLICATE_KEY] = { "SK-K8S-001", NULL, SEVERITY_HIGH, "A key stands twice in one object",
                                "Tools disagree about which one counts: what is reviewed is not what runs.",
                                "Remove one of them", "NIST-800-190:4.1.2 CWE-694", false },
        [K8S_MALFORMED] = { "SK-K8S-002", NULL, SEVERITY_HIGH, "A workload that Kubernetes would refuse",
                            "It cannot be judged, and will not be applied as it is.", "Correct the field",
                            "NIST-800-190:4.1.2", false },
        [K8S_IMAGE_MOVES] = { "SK-K8S-101", "KSV-0013", SEVERITY_MEDIUM, "An image whose tag moves",
                              "What runs tomorrow is not what was looked at today, and two nodes may run two images.",
                              "Name a version, or better the digest: image@sha256:...", "NIST-800-190:4.2.2 T1525",
                              false },
        [K8S_IMAGE_UNPINNED] = { "SK-K8S-102", NULL, SEVERITY_LOW, "An image that is not named by its digest",
                                 "Whoever may push to the registry decides what runs under this tag.",
                                 "Name the digest: image:tag@sha256:...", "NIST-800-190:4.1.5 T1525", true },
        [K8S_ENGINE_SOCKET] = { "SK-K8S-108", "KSV-0006", SEVERITY_CRITICAL,
                                "The socket of the container engine is mounted",
                                "Whoever speaks to it can start any container: that is root on the node.",
                                "Remove the volume; build images without an engine (buildah, kaniko)",
                                "NIST-800-190:4.4.3 T1611 T1610", false },
        [K8S_HOST_DIRECTORY] = { "SK-K8S-109", NULL, SEVERITY_HIGH, "A directory that gives the host away",
                                 "With it, the container can read the node's secrets or change its programs.",
                                 "Mount only the directory that is needed, readOnly, or use another kind of volume",
                                 "NIST-800-190:4.5.5 T1611", false },
        [K8S_SECRET_IN_ENV] = { "SK-K8S-110", NULL, SEVERITY_HIGH, "A secret in clear in the environment",
                                "It is in the repository, in the API server, and in every dump of the pod.",
                                "Put it into a Secret and use valueFrom.secretKeyRef, or better mount it as a file",
                                "NIST-800-190:4.1.4 T1552.001 CWE-798", false },
        [K8S_SECRET_IN_CONFIGMAP] = { "SK-K8S-111", NULL, SEVERITY_HIGH, "A secret in a ConfigMap",
                                      "ConfigMaps are readable by many and encrypted nowhere.", "Put it into a Secret",
                                      "NIST-800-190:4.1.4 T1552.007 CWE-312", false },
        [K8S_SERVICE_OPEN_TO_ALL] = { "SK-K8S-302", NULL, SEVERITY_MEDIUM, "A load balancer that is open to all",
                                      "Most clouds give it an address of the Internet.",
                                      "Set loadBalancerSourceRanges, or make it internal", "NIST-800-190:4.4.2 T1133",
                                      false },
        [K8S_NAMESPACE_WITHOUT_POLICY] = { "SK-K8S-305", NULL, SEVERITY_LOW, "A namespace without a NetworkPolicy",
                                           "Every pod can reach every other, and they all can reach it.",
                                           "Add a policy that denies by default, and others for what is needed",
                                           "NIST-800-190:4.3.3 T1046", false },
};

/* --- one file --- */

struct open_file {
        struct check_page page;
        struct arena arena; /* of the page: the tree has one of its own, which goes first */
};

struct namespaces {
        struct map_str with_policy, with_pods; /* by name: anything / struct first */
        struct arena arena;
};

struct first { /* the first workload of a namespace */
        size_t file;
        uint32_t line, column;
};

struct visiting {
        struct open_file *file;
        size_t i_file;
        struct arena *arena; /* of the tree */
        struct namespaces *namespaces;
        uint64_t pods;
};

static void note_namespace(struct visiting *v, struct str kind, const struct yaml_node *object, bool has_pods)
{
        struct str name = yaml_text(yaml_at(object, "metadata", "namespace", NULL));
        bool is_policy = str_is(kind, "NetworkPolicy") || str_is(kind, "CiliumNetworkPolicy");
        if (!is_policy && !has_pods)
                return;
        struct map_str *map = is_policy ? &v->namespaces->with_policy : &v->namespaces->with_pods;
        bool is_new;
        void **place = map_str_put(map, arena_str(&v->namespaces->arena, name), &is_new);
        if (!is_new)
                return;
        struct first *first = arena_new(&v->namespaces->arena, struct first);
        *first = (struct first){ v->i_file, object->line, object->column };
        *place = first;
}

static int visit(void *arg, struct str kind, const struct yaml_node *object, struct error *err)
{
        struct visiting *v = arg;
        struct check_page *page = &v->file->page;
        struct k8s_object o = { page, kind, kubernetes_object_name(v->arena, kind, object), object };
        struct k8s_pod pod;
        struct error why = ERROR_NONE;
        int r = kubernetes_pod(kind, object, v->arena, &pod, &why);
        if (r < 0)
                yaml_page_add(page, &k8s_rules[K8S_MALFORMED], object, "%.*s: %s", STR_FMT(o.name), why.text);
        if (r > 0)
                kubernetes_check_pod(page, &pod);
        kubernetes_run_rules(&o, r > 0 ? &pod : NULL);
        kubernetes_check_service(&o);
        kubernetes_check_data(&o);
        note_namespace(v, kind, object, r > 0);
        return 0;
}

static void check_one(struct open_file *f, size_t i, const struct check_file *file, struct namespaces *namespaces,
                      struct sink *out)
{
        _cleanup_(arena_done) struct arena tree = ARENA_INIT;
        struct yaml y;
        if (!yaml_page_read(&f->page, file, &k8s_rules[K8S_DUPLICATE_KEY], &tree, &y, out))
                return;
        if (!kubernetes_knows(&y)) {
                sink_unread(out, file->path, "unsupported",
                            "looks like a manifest, but no document is an object of Kubernetes");
                return;
        }
        struct visiting v = { .file = f, .i_file = i, .arena = &tree, .namespaces = namespaces };
        (void)kubernetes_objects(&y, visit, &v, NULL);
}

/* --- all files --- */

static void check_namespaces(struct open_file *files, const struct namespaces *n)
{
        for (size_t i = 0; i < n->with_pods.size; i++) {
                const struct map_str_slot *slot = &n->with_pods.slots[i];
                const struct first *first = slot->value;
                if (!slot->key.p || map_str_get(&n->with_policy, slot->key))
                        continue;
                (void)check_page_add(&files[first->file].page, &k8s_rules[K8S_NAMESPACE_WITHOUT_POLICY], first->line,
                                     first->column, first->line, "%s%.*s has none in the files that were given",
                                     slot->key.n ? "namespace " : "the namespace that this is applied to",
                                     STR_FMT(str_upto(slot->key, 100)));
        }
}

static bool recognises(struct str path, struct str bytes)
{
        return yaml_page_has_key(bytes, "apiVersion") &&
               (yaml_page_has_key(bytes, "kind") || yaml_page_has_key(bytes, "items"));
}

static void run(const struct check_file *files, size_t n, const struct check_settings *s, struct sink *out)
{
        struct namespaces namespaces = { 0 };
        struct open_file *open = xcalloc(n, sizeof(*open));
        for (size_t i = 0; i < n; i++) {
                check_page_begin(&open[i].page, files[i].path, s, &open[i].arena);
                check_one(&open[i], i, &files[i], &namespaces, out);
        }
        check_namespaces(open, &namespaces);
        for (size_t i = 0; i < n; i++) {
                check_page_end(&open[i].page, out);
                arena_done(&open[i].arena);
        }
        free(open);
        map_str_done(&namespaces.with_policy);
        map_str_done(&namespaces.with_pods);
        arena_done(&namespaces.arena);
}

static const struct check *check(size_t i)
{
        if (i < K8S_RULES)
                return &k8s_rules[i];
        return i - K8S_RULES < n_pod_checks ? &pod_checks[i - K8S_RULES].about : NULL;
}

const struct checker checker_kubernetes = {
        .name = "kubernetes",
        .summary = "Kubernetes manifests: pods (by Pod Security too), roles and bindings, services, secrets",
        .wants = yaml_page_wants,
        .recognises = recognises,
        .run = run,
        .check = check,
};
