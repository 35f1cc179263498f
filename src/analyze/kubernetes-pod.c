/* See kubernetes-pod.h. Which field goes where stands in tables; one loader walks them. */
#include "analyze/kubernetes-pod.h"

#include "base/vec.h"

#include <errno.h>

/* Where each kind keeps the template of its pods, below the object. */
static const struct workload {
        const char *kind;
        const char *group; /* of its apiVersion; "": core */
        const char *path[4];
} workloads[] = {
        { "Pod", "", { NULL } },
        { "PodTemplate", "", { "template", NULL } },
        { "ReplicationController", "", { "spec", "template", NULL } },
        { "Deployment", "apps", { "spec", "template", NULL } },
        { "DaemonSet", "apps", { "spec", "template", NULL } },
        { "ReplicaSet", "apps", { "spec", "template", NULL } },
        { "StatefulSet", "apps", { "spec", "template", NULL } },
        { "Job", "batch", { "spec", "template", NULL } },
        { "CronJob", "batch", { "spec", "jobTemplate", "spec", "template" } },
        /* What clusters before 1.16 understood, and files still say. */
        { "Deployment", "extensions", { "spec", "template", NULL } },
        { "DaemonSet", "extensions", { "spec", "template", NULL } },
        { "ReplicaSet", "extensions", { "spec", "template", NULL } },
};

enum field_type { FLAG, INT, TEXT, PROFILE, SEQUENCE, MAPPING };

static const char *const type_names[] = {
        [FLAG] = "true or false", [INT] = "a whole number", [TEXT] = "text",
        [PROFILE] = "an object",  [SEQUENCE] = "a list",    [MAPPING] = "an object",
};

struct field {
        const char *path[3]; /* at most two names, below the node that is loaded */
        enum field_type type;
        size_t offset; /* of an enum k8s_flag, struct k8s_int, struct str, struct k8s_profile, const struct yaml_node *
                        */
};

#define SECURITY(type, member, ...)                                                                                    \
        {                                                                                                              \
                { __VA_ARGS__ }, type, offsetof(struct k8s_security, member)                                           \
        }
#define POD(type, member, ...)                                                                                         \
        {                                                                                                              \
                { __VA_ARGS__ }, type, offsetof(struct k8s_pod, member)                                                \
        }

static const struct field security_fields[] = {
        SECURITY(FLAG, privileged, "privileged"),
        SECURITY(FLAG, allow_privilege_escalation, "allowPrivilegeEscalation"),
        SECURITY(FLAG, run_as_non_root, "runAsNonRoot"),
        SECURITY(FLAG, read_only_root, "readOnlyRootFilesystem"),
        SECURITY(FLAG, host_process, "windowsOptions", "hostProcess"),
        SECURITY(INT, run_as_user, "runAsUser"),
        SECURITY(TEXT, proc_mount, "procMount"),
        SECURITY(PROFILE, seccomp, "seccompProfile"),
        SECURITY(PROFILE, apparmor, "appArmorProfile"),
        SECURITY(PROFILE, selinux, "seLinuxOptions"),
        SECURITY(TEXT, selinux_user, "seLinuxOptions", "user"),
        SECURITY(TEXT, selinux_role, "seLinuxOptions", "role"),
        SECURITY(PROFILE, capabilities, "capabilities"),
        SECURITY(SEQUENCE, add, "capabilities", "add"),
        SECURITY(SEQUENCE, drop, "capabilities", "drop"),
        SECURITY(SEQUENCE, sysctls, "sysctls"),
};

static const struct field pod_fields[] = {
        POD(FLAG, host_network, "hostNetwork"),
        POD(FLAG, host_pid, "hostPID"),
        POD(FLAG, host_ipc, "hostIPC"),
        POD(FLAG, host_users, "hostUsers"),
        POD(FLAG, automount_token, "automountServiceAccountToken"),
        POD(TEXT, os, "os", "name"),
        POD(SEQUENCE, volumes, "volumes"),
};

static const struct {
        const char *name;
        enum k8s_container_kind kind;
} container_lists[] = {
        { "initContainers", K8S_INIT },
        { "containers", K8S_CONTAINER },
        { "ephemeralContainers", K8S_EPHEMERAL },
};

static int wrong(const struct yaml_node *at, struct error *err, const char *name, const char *what)
{
        return error_set(err, -EBADMSG, "line %u, column %u: %s must be %s", at->line, at->column, name, what);
}

/* The value of a key; a null is as good as none. -EBADMSG if `from` is there and no mapping. */
static int child(const struct yaml_node *from, const char *name, const struct yaml_node **ret, struct error *err)
{
        *ret = NULL;
        if (yaml_is_null(from))
                return 0;
        if (from->kind != YAML_MAPPING)
                return error_set(err, -EBADMSG, "line %u, column %u: an object with the field %s was expected",
                                 from->line, from->column, name);
        const struct yaml_node *n = yaml_get(from, name);
        *ret = yaml_is_null(n) ? NULL : n;
        return 0;
}

/* The same, of that kind. */
static int child_of(const struct yaml_node *from, const char *name, enum yaml_kind kind, const struct yaml_node **ret,
                    struct error *err)
{
        int r = child(from, name, ret, err);
        if (r == 0 && *ret && (*ret)->kind != kind)
                return wrong(*ret, err, name,
                             type_names[kind == YAML_MAPPING    ? MAPPING
                                        : kind == YAML_SEQUENCE ? SEQUENCE
                                                                : TEXT]);
        return r;
}

/* *ret is a struct str with p == NULL where there is none. */
static int text_of(const struct yaml_node *from, const char *name, struct str *ret, struct error *err)
{
        const struct yaml_node *n;
        int r = child_of(from, name, YAML_SCALAR, &n, err);
        if (r == 0)
                *ret = yaml_text(n);
        return r;
}

static int store(const struct field *f, const struct yaml_node *n, void *to, struct error *err)
{
        bool yes, good = true;
        switch (f->type) {
        case FLAG:
                good = yaml_bool(n, &yes);
                if (good)
                        *(enum k8s_flag *)to = yes ? K8S_TRUE : K8S_FALSE;
                break;
        case INT:
                good = yaml_int(n, &((struct k8s_int *)to)->value);
                ((struct k8s_int *)to)->is_set = good;
                break;
        case TEXT:
                good = n->kind == YAML_SCALAR;
                *(struct str *)to = yaml_text(n);
                break;
        case PROFILE:
                ((struct k8s_profile *)to)->is_set = true;
                return text_of(n, "type", &((struct k8s_profile *)to)->type, err);
        case SEQUENCE:
        case MAPPING:
                good = n->kind == (f->type == SEQUENCE ? YAML_SEQUENCE : YAML_MAPPING);
                *(const struct yaml_node **)to = n;
                break;
        }
        const char *name = f->path[1] ? f->path[1] : f->path[0];
        return good ? 0 : wrong(n, err, name, type_names[f->type]);
}

static int load(const struct yaml_node *from, const struct field *fields, size_t n_fields, void *to, struct error *err)
{
        for (size_t i = 0; i < n_fields; i++) {
                const struct field *f = &fields[i];
                const struct yaml_node *n = from;
                int r = 0;
                for (size_t k = 0; f->path[k] && n && r == 0; k++)
                        r = child(n, f->path[k], &n, err);
                if (r == 0 && n)
                        r = store(f, n, (char *)to + f->offset, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_security(const struct yaml_node *owner, struct k8s_security *ret, struct error *err)
{
        int r = child_of(owner, "securityContext", YAML_MAPPING, &ret->node, err);
        if (r < 0 || !ret->node)
                return r;
        return load(ret->node, security_fields, ARRAY_SIZE(security_fields), ret, err);
}

static int load_container(const struct yaml_node *node, struct k8s_container *ret, struct error *err)
{
        if (node->kind != YAML_MAPPING)
                return wrong(node, err, "a container", "an object");
        ret->node = node;
        int r = text_of(node, "name", &ret->name, err);
        return r < 0 ? r : load_security(node, &ret->security, err);
}

static int load_containers(struct k8s_pod *pod, struct arena *arena, struct error *err)
{
        const struct yaml_node *lists[ARRAY_SIZE(container_lists)];
        size_t n = 0;
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                int r = child_of(pod->spec, container_lists[i].name, YAML_SEQUENCE, &lists[i], err);
                if (r < 0)
                        return r;
                n += lists[i] ? lists[i]->n : 0;
        }
        if (n == 0)
                return error_set(err, -EBADMSG, "line %u, column %u: %.*s has no container", pod->spec->line,
                                 pod->spec->column, STR_FMT(pod->object));
        if (n > KUBERNETES_CONTAINERS_MAX)
                return error_set(err, -EBADMSG, "line %u, column %u: %.*s has more than %u containers", pod->spec->line,
                                 pod->spec->column, STR_FMT(pod->object), KUBERNETES_CONTAINERS_MAX);
        pod->containers = arena_array(arena, n, sizeof(*pod->containers));
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                for (size_t k = 0; lists[i] && k < lists[i]->n; k++) {
                        struct k8s_container *c = &pod->containers[pod->n++];
                        c->kind = container_lists[i].kind;
                        int r = load_container(lists[i]->items[k], c, err);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int check_annotations(const struct yaml_node *annotations, struct error *err)
{
        for (size_t i = 0; annotations && i < annotations->n; i++)
                if (annotations->pairs[i].key->kind != YAML_SCALAR || annotations->pairs[i].value->kind != YAML_SCALAR)
                        return wrong(annotations->pairs[i].key, err, "an annotation", "text");
        return 0;
}

static int check_volumes(const struct yaml_node *volumes, struct error *err)
{
        for (size_t i = 0; volumes && i < volumes->n; i++)
                if (volumes->items[i]->kind != YAML_MAPPING)
                        return wrong(volumes->items[i], err, "a volume", "an object");
        return 0;
}

/* "apps" of "apps/v1", "" of "v1". */
static struct str group_of(const struct yaml_node *object)
{
        struct str version = yaml_text(yaml_get(object, "apiVersion"));
        ptrdiff_t slash = str_find_char(version, '/');
        return str_upto(version, slash < 0 ? 0 : (size_t)slash);
}

/* The kind decides, and the group where one is written: others may define a Deployment of their own. */
static const struct workload *workload_of(struct str kind, const struct yaml_node *object)
{
        bool has_version = yaml_get(object, "apiVersion") != NULL;
        for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
                if (str_is(kind, workloads[i].kind) && (!has_version || str_is(group_of(object), workloads[i].group)))
                        return &workloads[i];
        return NULL;
}

struct str kubernetes_object_name(struct arena *arena, struct str kind, const struct yaml_node *object)
{
        const struct yaml_node *metadata = yaml_get(object, "metadata");
        struct str name = yaml_text(yaml_get(metadata, "name")), space = yaml_text(yaml_get(metadata, "namespace"));
        if (!name.n)
                name = yaml_text(yaml_get(metadata, "generateName"));
        return arena_printf(arena, "%.*s%s%.*s%s%.*s", STR_FMT(kind), name.n ? " " : "", STR_FMT(space),
                            space.n ? "/" : "", STR_FMT(name));
}

int kubernetes_pod(struct str kind, const struct yaml_node *object, struct arena *arena, struct k8s_pod *ret,
                   struct error *err)
{
        const struct workload *w = workload_of(kind, object);
        if (!w)
                return 0;
        struct k8s_pod pod = { .object = kubernetes_object_name(arena, kind, object) };
        const struct yaml_node *template = object, *metadata;
        int r = 0;
        for (size_t i = 0; i < ARRAY_SIZE(w->path) && w->path[i] && r == 0 && template; i++)
                r = child_of(template, w->path[i], YAML_MAPPING, &template, err);
        if (r == 0 && template)
                r = child_of(template, "spec", YAML_MAPPING, &pod.spec, err);
        if (r < 0)
                return r;
        if (!pod.spec)
                return error_set(err, -EBADMSG, "line %u, column %u: %.*s does not say what its pods are", object->line,
                                 object->column, STR_FMT(pod.object));
        r = child_of(template, "metadata", YAML_MAPPING, &metadata, err);
        if (r == 0)
                r = child_of(metadata, "annotations", YAML_MAPPING, &pod.annotations, err);
        if (r == 0)
                r = check_annotations(pod.annotations, err);
        if (r == 0)
                r = load(pod.spec, pod_fields, ARRAY_SIZE(pod_fields), &pod, err);
        if (r == 0)
                r = check_volumes(pod.volumes, err);
        if (r == 0)
                r = load_security(pod.spec, &pod.security, err);
        if (r == 0)
                r = load_containers(&pod, arena, err);
        if (r < 0)
                return r;
        *ret = pod;
        return 1;
}

bool kubernetes_knows(const struct yaml *y)
{
        for (size_t i = 0; i < y->n; i++)
                if (yaml_text(yaml_get(y->documents[i], "apiVersion")).n &&
                    yaml_text(yaml_get(y->documents[i], "kind")).n)
                        return true;
        return false;
}

static int visit_object(const struct yaml_node *object, struct str kind, kubernetes_visit visit, void *arg,
                        struct error *err)
{
        struct str own = yaml_text(yaml_get(object, "kind"));
        const struct yaml_node *items = yaml_get(object, "items");
        kind = own.n ? own : kind;
        if (!kind.n)
                return 0;
        if (!str_ends(kind, STR("List")) || !items || items->kind != YAML_SEQUENCE)
                return visit(arg, kind, object, err);
        struct str held = str_upto(kind, kind.n - 4); /* PodList: Pod */
        for (size_t i = 0; i < items->n; i++) {       /* as deep as YAML may be, and no deeper */
                int r = visit_object(items->items[i], held, visit, arg, err);
                if (r != 0)
                        return r;
        }
        return 0;
}

int kubernetes_objects(const struct yaml *y, kubernetes_visit visit, void *arg, struct error *err)
{
        int r = 0;
        for (size_t i = 0; i < y->n && r == 0; i++)
                r = visit_object(y->documents[i], STR_NONE, visit, arg, err);
        return r;
}

struct collecting {
        struct arena *arena;
        VEC(struct k8s_pod) pods;
};

static int collect(void *arg, struct str kind, const struct yaml_node *object, struct error *err)
{
        struct collecting *c = arg;
        struct k8s_pod pod;
        int r = kubernetes_pod(kind, object, c->arena, &pod, err);
        if (r <= 0)
                return r;
        if (c->pods.n == KUBERNETES_PODS_MAX)
                return error_set(err, -EBADMSG, "line %u, column %u: more than %u pods in one file", object->line,
                                 object->column, KUBERNETES_PODS_MAX);
        *vec_push(&c->pods) = pod;
        return 0;
}

int kubernetes_pods(const struct yaml *y, struct arena *arena, struct k8s_pods *ret, struct error *err)
{
        struct collecting c = { .arena = arena };
        int r = kubernetes_objects(y, collect, &c, err);
        if (r == 0) {
                *ret = (struct k8s_pods){ arena_array(arena, c.pods.n, sizeof(*ret->v)), c.pods.n };
                if (c.pods.n)
                        memcpy(ret->v, c.pods.v, c.pods.n * sizeof(*ret->v));
        }
        vec_done(&c.pods);
        return r;
}
