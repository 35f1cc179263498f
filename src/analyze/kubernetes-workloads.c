/* Pods: by the Pod Security Standards of the newest version, and by what they do not ask about. */
#include "analyze/kubernetes-rules.h"
#include "analyze/pod-security.h"
#include "base/vec.h"

/* --- Pod Security --- */

struct place {
        const struct pod_check *check;
        const struct yaml_node *at;
};

struct judging {
        struct check_page *page;
        const struct k8s_pod *pod;
        VEC(struct place) denied; /* by baseline */
        bool is_restricted;
};

/* Both levels say what they object to; what a check of restricted finds where its sibling did is said once. */
static bool is_said(const struct judging *j, const struct pod_check *c, const struct yaml_node *at)
{
        if (!j->is_restricted)
                return false;
        if (c->level == POD_BASELINE)
                return true;
        for (size_t i = 0; c->overrides && i < j->denied.n; i++)
                if (j->denied.v[i].at == at && str_is(str_of(c->overrides), j->denied.v[i].check->about.id))
                        return true;
        return false;
}

static void deny(void *arg, const struct pod_check *c, const struct yaml_node *at, struct str reason)
{
        struct judging *j = arg;
        if (is_said(j, c, at))
                return;
        if (!j->is_restricted && j->denied.n < CHECK_FINDINGS_MAX)
                *vec_push(&j->denied) = (struct place){ c, at };
        yaml_page_add(j->page, &c->about, at, "%.*s: %.*s", STR_FMT(j->pod->object), STR_FMT(reason));
}

static void check_pod_security(struct check_page *page, const struct k8s_pod *pod)
{
        struct judging j = { .page = page, .pod = pod };
        (void)pod_security_admits(pod, POD_BASELINE, POD_SECURITY_MINOR_MAX, deny, &j);
        j.is_restricted = true;
        (void)pod_security_admits(pod, POD_RESTRICTED, POD_SECURITY_MINOR_MAX, deny, &j);
        vec_done(&j.denied);
}

/* --- beyond it --- */

static void say(struct check_page *page, const struct k8s_pod *pod, const struct k8s_container *c, enum k8s_rule rule,
                const struct yaml_node *at, struct str what)
{
        yaml_page_add(page, &k8s_rules[rule], at ? at : c->node, "%.*s: container \"%.*s\"%s%.*s", STR_FMT(pod->object),
                      STR_FMT(str_upto(c->name, 64)), what.n ? ": " : "", STR_FMT(str_upto(what, 150)));
}

static void check_image(struct check_page *page, const struct k8s_pod *pod, const struct k8s_container *c)
{
        const struct yaml_node *image = yaml_at(c->node, "image", NULL);
        struct str name = yaml_text(image);
        if (!name.n)
                return;
        if (yaml_image_moves(name))
                say(page, pod, c, K8S_IMAGE_MOVES, image, name);
        else if (!yaml_image_is_pinned(name))
                say(page, pod, c, K8S_IMAGE_UNPINNED, image, name);
}

static void check_env(struct check_page *page, const struct k8s_pod *pod, const struct k8s_container *c)
{
        const struct yaml_node *env = yaml_at(c->node, "env", NULL);
        for (size_t i = 0; env && env->kind == YAML_SEQUENCE && i < env->n; i++) {
                const struct yaml_node *value = yaml_at(env->items[i], "value", NULL);
                struct str name = yaml_text(yaml_at(env->items[i], "name", NULL));
                if (value && yaml_looks_secret(name, yaml_text(value)))
                        say(page, pod, c, K8S_SECRET_IN_ENV, value, name);
        }
}

static void check_volumes(struct check_page *page, const struct k8s_pod *pod)
{
        for (size_t i = 0; pod->volumes && i < pod->volumes->n; i++) {
                const struct yaml_node *path = yaml_at(pod->volumes->items[i], "hostPath", "path", NULL);
                const struct host_path *h = path ? yaml_host_path(yaml_text(path)) : NULL;
                if (h)
                        yaml_page_add(page, &k8s_rules[h->is_socket ? K8S_ENGINE_SOCKET : K8S_HOST_DIRECTORY], path,
                                      "%.*s: %.*s", STR_FMT(pod->object), STR_FMT(str_upto(yaml_text(path), 150)));
        }
}

void kubernetes_check_pod(struct check_page *page, const struct k8s_pod *pod)
{
        check_pod_security(page, pod);
        check_volumes(page, pod);
        for (size_t i = 0; i < pod->n; i++) {
                check_image(page, pod, &pod->containers[i]);
                check_env(page, pod, &pod->containers[i]);
        }
}
