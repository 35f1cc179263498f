/* Who may do what, from where, and with which data: roles and bindings, services and ingresses, ConfigMaps, Secrets. */
#include "analyze/kubernetes-rules.h"

static void say(const struct k8s_object *o, enum k8s_rule rule, const struct yaml_node *at, struct str what)
{
        yaml_page_add(o->page, &k8s_rules[rule], at ? at : o->node, "%.*s%s%.*s", STR_FMT(str_upto(o->name, 120)),
                      what.n ? ": " : "", STR_FMT(str_upto(what, 150)));
}

/* --- roles --- */

static bool has_any(const struct yaml_node *sequence, const char *const *words)
{
        if (yaml_has_text(sequence, "*"))
                return true;
        for (; *words; words++)
                if (yaml_has_text(sequence, *words))
                        return true;
        return false;
}

#define HAS_ANY(sequence, ...) has_any((sequence), (const char *const[]){ __VA_ARGS__, NULL })

static void check_rule(const struct k8s_object *o, const struct yaml_node *rule)
{
        const struct yaml_node *verbs = yaml_at(rule, "verbs", NULL), *groups = yaml_at(rule, "apiGroups", NULL);
        const struct yaml_node *resources = yaml_at(rule, "resources", NULL);
        bool all_verbs = yaml_has_text(verbs, "*"), all_resources = yaml_has_text(resources, "*");
        bool is_named = yaml_at(rule, "resourceNames", NULL) != NULL;
        if (all_verbs && (all_resources || yaml_has_text(yaml_at(rule, "nonResourceURLs", NULL), "*"))) {
                say(o, K8S_RBAC_EVERYTHING, rule, STR_NONE);
                return; /* all that follows is in it */
        }
        if (all_verbs || all_resources)
                say(o, K8S_RBAC_WILDCARD, rule, all_verbs ? STR("verbs") : STR("resources"));
        bool may_raise = (HAS_ANY(verbs, "escalate", "bind") && HAS_ANY(resources, "roles", "clusterroles") &&
                          HAS_ANY(groups, "rbac.authorization.k8s.io")) ||
                         (HAS_ANY(verbs, "impersonate") && HAS_ANY(resources, "users", "groups", "serviceaccounts"));
        if (may_raise)
                say(o, K8S_RBAC_ESCALATES, rule, STR_NONE);
        if (!is_named && HAS_ANY(groups, "") && HAS_ANY(verbs, "get", "list", "watch") && HAS_ANY(resources, "secrets"))
                say(o, K8S_RBAC_SECRETS, rule, STR_NONE);
        if (HAS_ANY(groups, "") && HAS_ANY(verbs, "create", "get", "patch", "update") &&
            HAS_ANY(resources, "pods/exec", "pods/attach", "pods/ephemeralcontainers", "pods/*"))
                say(o, K8S_RBAC_EXEC, rule, STR_NONE);
        if (HAS_ANY(groups, "") && HAS_ANY(resources, "nodes/proxy", "nodes/*"))
                say(o, K8S_RBAC_NODE_PROXY, rule, STR_NONE);
}

static void check_binding(const struct k8s_object *o)
{
        const struct yaml_node *subjects = yaml_at(o->node, "subjects", NULL);
        bool is_admin = str_is(yaml_text(yaml_at(o->node, "roleRef", "name", NULL)), "cluster-admin");
        for (size_t i = 0; subjects && subjects->kind == YAML_SEQUENCE && i < subjects->n; i++) {
                const struct yaml_node *s = subjects->items[i];
                struct str name = yaml_text(yaml_at(s, "name", NULL));
                if (str_is(name, "system:anonymous") || str_is(name, "system:unauthenticated") ||
                    str_is(name, "system:authenticated"))
                        say(o, K8S_BIND_ANYBODY, s, name);
                if (str_is(yaml_text(yaml_at(s, "kind", NULL)), "ServiceAccount") && str_is(name, "default"))
                        say(o, K8S_BIND_DEFAULT_ACCOUNT, s, STR_NONE);
                if (is_admin && !str_is(name, "system:masters"))
                        say(o, K8S_BIND_CLUSTER_ADMIN, s, name);
        }
}

void kubernetes_check_access(const struct k8s_object *o)
{
        const struct yaml_node *rules = yaml_at(o->node, "rules", NULL);
        bool is_role = str_is(o->kind, "Role") || str_is(o->kind, "ClusterRole");
        for (size_t i = 0; is_role && rules && rules->kind == YAML_SEQUENCE && i < rules->n; i++)
                check_rule(o, rules->items[i]);
        if (str_is(o->kind, "RoleBinding") || str_is(o->kind, "ClusterRoleBinding"))
                check_binding(o);
}

/* --- networks --- */

/* Clouds say in an annotation whose name ends like this that a load balancer is not of the Internet. */
static bool is_internal(const struct yaml_node *service)
{
        const struct yaml_node *a = yaml_at(service, "metadata", "annotations", NULL);
        for (size_t i = 0; a && a->kind == YAML_MAPPING && i < a->n; i++) {
                struct str key = yaml_text(a->pairs[i].key), value = yaml_text(a->pairs[i].value);
                bool is_about = str_find(key, STR("load-balancer")) >= 0 || str_find(key, STR("loadbalancer")) >= 0;
                if (is_about && (str_ends(key, STR("internal")) || str_eq_nocase(value, STR("internal"))) &&
                    !str_is(value, "false"))
                        return true;
        }
        return false;
}

static void check_service(const struct k8s_object *o)
{
        const struct yaml_node *type = yaml_at(o->node, "spec", "type", NULL);
        const struct yaml_node *external = yaml_at(o->node, "spec", "externalIPs", NULL);
        const struct yaml_node *ranges = yaml_at(o->node, "spec", "loadBalancerSourceRanges", NULL);
        bool is_closed = ranges && ranges->n && !yaml_has_text(ranges, "0.0.0.0/0") && !yaml_has_text(ranges, "::/0");
        if (str_is(yaml_text(type), "NodePort"))
                say(o, K8S_SERVICE_NODE_PORT, type, STR_NONE);
        if (str_is(yaml_text(type), "LoadBalancer") && !is_closed && !is_internal(o->node))
                say(o, K8S_SERVICE_OPEN_TO_ALL, type, STR_NONE);
        if (external && external->n)
                say(o, K8S_SERVICE_EXTERNAL_IP, external, STR_NONE);
}

void kubernetes_check_network(const struct k8s_object *o)
{
        struct str version = yaml_text(yaml_at(o->node, "apiVersion", NULL));
        const struct yaml_node *tls = yaml_at(o->node, "spec", "tls", NULL);
        if (str_is(o->kind, "Service") && str_is(version, "v1"))
                check_service(o);
        bool is_ingress = str_is(o->kind, "Ingress") &&
                          (str_starts(version, STR("networking.k8s.io/")) || str_starts(version, STR("extensions/")));
        if (is_ingress && (!tls || !tls->n))
                say(o, K8S_INGRESS_WITHOUT_TLS, NULL, STR_NONE);
}

/* --- data --- */

static size_t pairs_of(const struct yaml_node *n) { return n && n->kind == YAML_MAPPING ? n->n : 0; }

void kubernetes_check_data(const struct k8s_object *o)
{
        const struct yaml_node *data = yaml_at(o->node, "data", NULL), *text = yaml_at(o->node, "stringData", NULL);
        if (str_is(o->kind, "Secret") && (pairs_of(data) || pairs_of(text)))
                say(o, K8S_SECRET_IN_FILE, NULL, STR_NONE);
        for (size_t i = 0; str_is(o->kind, "ConfigMap") && i < pairs_of(data); i++) {
                const struct yaml_pair *p = &data->pairs[i];
                if (yaml_looks_secret(yaml_text(p->key), yaml_text(p->value)))
                        say(o, K8S_SECRET_IN_CONFIGMAP, p->key, yaml_text(p->key));
        }
}
