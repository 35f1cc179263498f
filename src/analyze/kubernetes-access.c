/* Objects that are no workloads: as the rules of data/checks/ see them; and what those cannot ask of services and
 * ConfigMaps. */
#include "analyze/check-rules.h"
#include "analyze/kubernetes-rules.h"

static void say(const struct k8s_object *o, enum k8s_rule rule, const struct yaml_node *at, struct str what)
{
        yaml_page_add(o->page, &k8s_rules[rule], at ? at : o->node, "%.*s%s%.*s", STR_FMT(str_upto(o->name, 120)),
                      what.n ? ": " : "", STR_FMT(str_upto(what, 150)));
}

/* --- what the rules of data/checks/ see --- */

static void run_list(const struct k8s_object *o, struct resource r, const char *part, const struct yaml_node *list)
{
        r.part = part;
        for (size_t i = 0; list && list->kind == YAML_SEQUENCE && i < list->n; i++) {
                struct str name = yaml_text(yaml_get(list->items[i], "name"));
                r.node = list->items[i];
                r.name = name.n ? name : r.name;
                r.line = r.end_line = r.node->line;
                r.column = r.node->column;
                check_rules_run(o->page, &r);
        }
}

static void run_pod(const struct k8s_object *o, struct resource r, const struct k8s_pod *pod)
{
        static const char *const parts[] = {
                [K8S_INIT] = "init-container", [K8S_CONTAINER] = "container", [K8S_EPHEMERAL] = "ephemeral-container"
        };
        r.part = "pod";
        r.node = pod->spec;
        r.line = r.end_line = pod->spec->line;
        r.column = pod->spec->column;
        check_rules_run(o->page, &r);
        for (size_t i = 0; i < pod->n; i++) {
                const struct k8s_container *c = &pod->containers[i];
                r.part = parts[c->kind];
                r.node = c->node;
                r.name = c->name;
                r.line = r.end_line = c->node->line;
                r.column = c->node->column;
                check_rules_run(o->page, &r);
        }
}

void kubernetes_run_rules(const struct k8s_object *o, const struct k8s_pod *pod)
{
        struct resource r = { .format = "kubernetes",
                              .part = "object",
                              .kind = o->kind,
                              .name = yaml_text(yaml_at(o->node, "metadata", "name", NULL)),
                              .object_name = str_upto(o->name, 120),
                              .namespace = yaml_text(yaml_at(o->node, "metadata", "namespace", NULL)),
                              .api_version = yaml_text(yaml_at(o->node, "apiVersion", NULL)),
                              .line = o->node->line,
                              .column = o->node->column,
                              .end_line = o->node->line,
                              .node = o->node,
                              .object = o->node };
        check_rules_run(o->page, &r);
        if (pod)
                run_pod(o, r, pod);
        if (str_is(o->kind, "Role") || str_is(o->kind, "ClusterRole"))
                run_list(o, r, "role-rule", yaml_at(o->node, "rules", NULL));
        if (str_is(o->kind, "RoleBinding") || str_is(o->kind, "ClusterRoleBinding"))
                run_list(o, r, "subject", yaml_at(o->node, "subjects", NULL));
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

void kubernetes_check_service(const struct k8s_object *o)
{
        const struct yaml_node *type = yaml_at(o->node, "spec", "type", NULL);
        const struct yaml_node *ranges = yaml_at(o->node, "spec", "loadBalancerSourceRanges", NULL);
        bool is_closed = ranges && ranges->n && !yaml_has_text(ranges, "0.0.0.0/0") && !yaml_has_text(ranges, "::/0");
        bool is_service = str_is(o->kind, "Service") && str_is(yaml_text(yaml_at(o->node, "apiVersion", NULL)), "v1");
        if (is_service && str_is(yaml_text(type), "LoadBalancer") && !is_closed && !is_internal(o->node))
                say(o, K8S_SERVICE_OPEN_TO_ALL, type, STR_NONE);
}

/* --- data --- */

static size_t pairs_of(const struct yaml_node *n) { return n && n->kind == YAML_MAPPING ? n->n : 0; }

void kubernetes_check_data(const struct k8s_object *o)
{
        const struct yaml_node *data = yaml_at(o->node, "data", NULL);
        for (size_t i = 0; str_is(o->kind, "ConfigMap") && i < pairs_of(data); i++) {
                const struct yaml_pair *p = &data->pairs[i];
                if (yaml_looks_secret(yaml_text(p->key), yaml_text(p->value)))
                        say(o, K8S_SECRET_IN_CONFIGMAP, p->key, yaml_text(p->key));
        }
}
