/* The checks of pod-security.h: functions that deny, and the table of when each of them counts. */
#include "analyze/pod-check-run.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define REASON_MAX 512

static void _printf_(4, 5) deny(struct pod_check_run *run, const struct k8s_container *c, const struct yaml_node *at,
                                const char *fmt, ...) /* c: NULL for the pod itself */
{
        static const char *const kinds[] = {
                [K8S_INIT] = "init container",
                [K8S_CONTAINER] = "container",
                [K8S_EPHEMERAL] = "ephemeral container",
        };
        char what[REASON_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(what, sizeof(what), fmt, ap);
        va_end(ap);
        _cleanup_(buf_done) struct buf reason = BUF_INIT(2 * REASON_MAX);
        if (c)
                buf_printf(&reason, "%s \"%.*s\" ", kinds[c->kind], STR_FMT(str_upto(c->name, REASON_MAX / 2)));
        else
                buf_puts(&reason, "pod ");
        buf_puts(&reason, what);
        run->is_denied = true;
        run->deny(run->arg, run->check, at ? at : c ? c->node : run->pod->spec, buf_str(&reason));
}

/* A word of some list, from some version on. */
struct since {
        const char *word;
        unsigned minor;
};

static bool is_known(struct str word, const struct since *list, size_t n, unsigned minor)
{
        for (size_t i = 0; i < n; i++)
                if (minor >= list[i].minor && str_is(word, list[i].word))
                        return true;
        return false;
}

#define IS_KNOWN(word, list, minor) is_known((word), (list), ARRAY_SIZE(list), (minor))

static bool is_windows(const struct pod_check_run *run) { return run->minor >= 25 && str_is(run->pod->os, "windows"); }

static bool has_user_namespace(const struct pod_check_run *run)
{
        return run->minor >= 35 && run->pod->host_users == K8S_FALSE;
}

/* RuntimeDefault and Localhost are the profiles of seccomp and AppArmor that confine; "" is no profile's name. */
static bool confines(const struct k8s_profile *p)
{
        return str_is(p->type, "RuntimeDefault") || str_is(p->type, "Localhost");
}

/* Calls f for the security context of the pod (container NULL), then for those of its containers. */
static void each_context(struct pod_check_run *run, void (*f)(struct pod_check_run *run, const struct k8s_container *c,
                                                              const struct k8s_security *s))
{
        f(run, NULL, &run->pod->security);
        for (size_t i = 0; i < run->pod->n; i++)
                f(run, &run->pod->containers[i], &run->pod->containers[i].security);
}

static void each_container(struct pod_check_run *run,
                           void (*f)(struct pod_check_run *run, const struct k8s_container *c))
{
        for (size_t i = 0; i < run->pod->n; i++)
                f(run, &run->pod->containers[i]);
}

/* Calls f for each annotation. */
static void each_annotation(struct pod_check_run *run,
                            void (*f)(struct pod_check_run *run, const struct yaml_node *key, struct str value))
{
        const struct yaml_node *a = run->pod->annotations;
        for (size_t i = 0; a && i < a->n; i++)
                f(run, a->pairs[i].key, yaml_is_null(a->pairs[i].value) ? STR("") : yaml_text(a->pairs[i].value));
}

static void apparmor_context(struct pod_check_run *run, const struct k8s_container *c, const struct k8s_security *s)
{
        if (s->apparmor.is_set && !confines(&s->apparmor))
                deny(run, c, yaml_get(s->node, "appArmorProfile"),
                     "must not set securityContext.appArmorProfile.type to \"%.*s\"", STR_FMT(s->apparmor.type));
}

static void apparmor_annotation(struct pod_check_run *run, const struct yaml_node *key, struct str value)
{
        if (!str_starts(key->text, STR("container.apparmor.security.beta.kubernetes.io/")))
                return;
        if (value.n && !str_is(value, "runtime/default") && !str_starts(value, STR("localhost/")))
                deny(run, NULL, key, "must not set the annotation %.*s to \"%.*s\"", STR_FMT(key->text),
                     STR_FMT(value));
}

static void apparmor(struct pod_check_run *run)
{
        each_context(run, apparmor_context);
        each_annotation(run, apparmor_annotation);
}

static void capabilities_baseline_of(struct pod_check_run *run, const struct k8s_container *c)
{
        static const struct since allowed[] = {
                { "AUDIT_WRITE", 0 }, { "CHOWN", 0 },  { "DAC_OVERRIDE", 0 },     { "FOWNER", 0 },  { "FSETID", 0 },
                { "KILL", 0 },        { "MKNOD", 0 },  { "NET_BIND_SERVICE", 0 }, { "SETFCAP", 0 }, { "SETGID", 0 },
                { "SETPCAP", 0 },     { "SETUID", 0 }, { "SYS_CHROOT", 0 },
        };
        const struct yaml_node *add = c->security.add;
        for (size_t i = 0; add && i < add->n; i++)
                if (!IS_KNOWN(yaml_text(add->items[i]), allowed, run->minor))
                        deny(run, c, add->items[i], "must not include \"%.*s\" in securityContext.capabilities.add",
                             STR_FMT(yaml_text(add->items[i])));
}

static void capabilities_baseline(struct pod_check_run *run) { each_container(run, capabilities_baseline_of); }

static void host_namespaces(struct pod_check_run *run)
{
        const struct k8s_pod *p = run->pod;
        if (p->host_network == K8S_TRUE)
                deny(run, NULL, yaml_get(p->spec, "hostNetwork"), "must not set hostNetwork=true");
        if (p->host_pid == K8S_TRUE)
                deny(run, NULL, yaml_get(p->spec, "hostPID"), "must not set hostPID=true");
        if (p->host_ipc == K8S_TRUE)
                deny(run, NULL, yaml_get(p->spec, "hostIPC"), "must not set hostIPC=true");
}

static struct str volume_name(const struct yaml_node *volume) { return yaml_text(yaml_get(volume, "name")); }

static void host_path_volumes(struct pod_check_run *run)
{
        const struct yaml_node *v = run->pod->volumes;
        for (size_t i = 0; v && i < v->n; i++)
                if (!yaml_is_null(yaml_get(v->items[i], "hostPath")))
                        deny(run, NULL, yaml_get(v->items[i], "hostPath"), "must not have the hostPath volume \"%.*s\"",
                             STR_FMT(volume_name(v->items[i])));
}

static void host_ports_of(struct pod_check_run *run, const struct k8s_container *c)
{
        const struct yaml_node *ports = yaml_get(c->node, "ports");
        for (size_t i = 0; ports && ports->kind == YAML_SEQUENCE && i < ports->n; i++) {
                const struct yaml_node *port = yaml_get(ports->items[i], "hostPort");
                int64_t number;
                if (!yaml_is_null(port) && (!yaml_int(port, &number) || number != 0))
                        deny(run, c, port, "must not use hostPort %.*s", STR_FMT(yaml_text(port)));
        }
}

static void host_ports(struct pod_check_run *run) { each_container(run, host_ports_of); }

static void handler_hosts(struct pod_check_run *run, const struct k8s_container *c, const struct yaml_node *handler,
                          const char *name)
{
        static const char *const actions[] = { "httpGet", "tcpSocket" };
        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                const struct yaml_node *host = yaml_get(yaml_get(handler, actions[i]), "host");
                if (!yaml_is_null(host) && !(host->kind == YAML_SCALAR && host->text.n == 0))
                        deny(run, c, host, "must not set %s.%s.host to \"%.*s\"", name, actions[i],
                             STR_FMT(yaml_text(host)));
        }
}

static void host_handlers_of(struct pod_check_run *run, const struct k8s_container *c)
{
        const struct yaml_node *lifecycle = yaml_get(c->node, "lifecycle");
        handler_hosts(run, c, yaml_get(c->node, "livenessProbe"), "livenessProbe");
        handler_hosts(run, c, yaml_get(c->node, "readinessProbe"), "readinessProbe");
        handler_hosts(run, c, yaml_get(c->node, "startupProbe"), "startupProbe");
        handler_hosts(run, c, yaml_get(lifecycle, "postStart"), "lifecycle.postStart");
        handler_hosts(run, c, yaml_get(lifecycle, "preStop"), "lifecycle.preStop");
}

static void host_handlers(struct pod_check_run *run) { each_container(run, host_handlers_of); }

static void privileged_of(struct pod_check_run *run, const struct k8s_container *c)
{
        if (c->security.privileged == K8S_TRUE)
                deny(run, c, yaml_get(c->security.node, "privileged"), "must not set securityContext.privileged=true");
}

static void privileged(struct pod_check_run *run) { each_container(run, privileged_of); }

static void proc_mount_of(struct pod_check_run *run, const struct k8s_container *c)
{
        struct str type = c->security.proc_mount;
        if (type.p && !str_is(type, "Default"))
                deny(run, c, yaml_get(c->security.node, "procMount"),
                     "must not set securityContext.procMount to \"%.*s\"", STR_FMT(type));
}

static void proc_mount_restricted(struct pod_check_run *run) { each_container(run, proc_mount_of); }

static void proc_mount(struct pod_check_run *run)
{
        if (!has_user_namespace(run))
                each_container(run, proc_mount_of);
}

static void selinux_context(struct pod_check_run *run, const struct k8s_container *c, const struct k8s_security *s)
{
        static const struct since types[] = {
                { "", 0 },
                { "container_t", 0 },
                { "container_init_t", 0 },
                { "container_kvm_t", 0 },
                { "container_engine_t", 31 },
        };
        const struct yaml_node *at = yaml_get(s->node, "seLinuxOptions");
        if (!IS_KNOWN(s->selinux.type, types, run->minor))
                deny(run, c, at, "must not set securityContext.seLinuxOptions.type to \"%.*s\"",
                     STR_FMT(s->selinux.type));
        if (s->selinux_user.n)
                deny(run, c, at, "must not set securityContext.seLinuxOptions.user");
        if (s->selinux_role.n)
                deny(run, c, at, "must not set securityContext.seLinuxOptions.role");
}

static void selinux(struct pod_check_run *run) { each_context(run, selinux_context); }

static void seccomp_context(struct pod_check_run *run, const struct k8s_container *c, const struct k8s_security *s)
{
        if (s->seccomp.is_set && !confines(&s->seccomp))
                deny(run, c, yaml_get(s->node, "seccompProfile"),
                     "must not set securityContext.seccompProfile.type to \"%.*s\"", STR_FMT(s->seccomp.type));
}

static bool is_container_name(const struct k8s_pod *pod, struct str name)
{
        for (size_t i = 0; i < pod->n; i++)
                if (str_eq(pod->containers[i].name, name))
                        return true;
        return false;
}

static void seccomp_annotation(struct pod_check_run *run, const struct yaml_node *key, struct str value)
{
        struct str prefix = STR("container.seccomp.security.alpha.kubernetes.io/");
        bool is_read = str_is(key->text, "seccomp.security.alpha.kubernetes.io/pod") ||
                       (str_starts(key->text, prefix) && is_container_name(run->pod, str_from(key->text, prefix.n)));
        if (is_read && !str_is(value, "runtime/default") && !str_is(value, "docker/default") &&
            !str_starts(value, STR("localhost/")))
                deny(run, NULL, key, "must not set the annotation %.*s to \"%.*s\"", STR_FMT(key->text),
                     STR_FMT(value));
}

/* Before 1.19 there were annotations only, and after it they mean nothing. */
static void seccomp_baseline(struct pod_check_run *run)
{
        if (run->minor < 19)
                each_annotation(run, seccomp_annotation);
        else
                each_context(run, seccomp_context);
}

static void sysctls(struct pod_check_run *run)
{
        static const struct since allowed[] = {
                { "kernel.shm_rmid_forced", 0 },
                { "net.ipv4.ip_local_port_range", 0 },
                { "net.ipv4.tcp_syncookies", 0 },
                { "net.ipv4.ping_group_range", 0 },
                { "net.ipv4.ip_unprivileged_port_start", 0 },
                { "net.ipv4.ip_local_reserved_ports", 27 },
                { "net.ipv4.tcp_keepalive_time", 29 },
                { "net.ipv4.tcp_fin_timeout", 29 },
                { "net.ipv4.tcp_keepalive_intvl", 29 },
                { "net.ipv4.tcp_keepalive_probes", 29 },
                { "net.ipv4.tcp_rmem", 32 },
                { "net.ipv4.tcp_wmem", 32 },
                { "net.ipv4.tcp_slow_start_after_idle", 37 },
                { "net.ipv4.tcp_notsent_lowat", 37 },
        };
        const struct yaml_node *list = run->pod->security.sysctls;
        for (size_t i = 0; list && i < list->n; i++) {
                struct str name = yaml_text(yaml_get(list->items[i], "name"));
                if (!IS_KNOWN(name, allowed, run->minor))
                        deny(run, NULL, list->items[i], "must not set the sysctl \"%.*s\"", STR_FMT(name));
        }
}

static void host_process_context(struct pod_check_run *run, const struct k8s_container *c, const struct k8s_security *s)
{
        if (s->host_process == K8S_TRUE)
                deny(run, c, yaml_get(s->node, "windowsOptions"),
                     "must not set securityContext.windowsOptions.hostProcess=true");
}

static void host_process(struct pod_check_run *run) { each_context(run, host_process_context); }

static void escalation_of(struct pod_check_run *run, const struct k8s_container *c)
{
        if (c->security.allow_privilege_escalation != K8S_FALSE)
                deny(run, c, yaml_get(c->security.node, "allowPrivilegeEscalation"),
                     "must set securityContext.allowPrivilegeEscalation=false");
}

static void escalation(struct pod_check_run *run)
{
        if (!is_windows(run))
                each_container(run, escalation_of);
}

static void capabilities_restricted_of(struct pod_check_run *run, const struct k8s_container *c)
{
        const struct yaml_node *add = c->security.add, *drop = c->security.drop;
        bool drops_all = false;
        for (size_t i = 0; drop && i < drop->n; i++)
                drops_all = drops_all || str_is(yaml_text(drop->items[i]), "ALL");
        if (!drops_all)
                deny(run, c, drop, "must set securityContext.capabilities.drop=[\"ALL\"]");
        for (size_t i = 0; add && i < add->n; i++)
                if (!str_is(yaml_text(add->items[i]), "NET_BIND_SERVICE"))
                        deny(run, c, add->items[i], "must not include \"%.*s\" in securityContext.capabilities.add",
                             STR_FMT(yaml_text(add->items[i])));
}

static void capabilities_restricted(struct pod_check_run *run)
{
        if (!is_windows(run))
                each_container(run, capabilities_restricted_of);
}

/* Types that are not known are restricted; a volume without any is an emptyDir. */
static void restricted_volumes(struct pod_check_run *run)
{
        static const struct since allowed[] = {
                { "name", 0 },      { "configMap", 0 }, { "csi", 0 },   { "downwardAPI", 0 },
                { "emptyDir", 0 },  { "ephemeral", 0 }, { "image", 0 }, { "persistentVolumeClaim", 0 },
                { "projected", 0 }, { "secret", 0 },
        };
        const struct yaml_node *v = run->pod->volumes;
        for (size_t i = 0; v && i < v->n; i++)
                for (size_t k = 0; k < v->items[i]->n; k++) {
                        const struct yaml_pair *p = &v->items[i]->pairs[k];
                        if (!yaml_is_null(p->value) && !IS_KNOWN(yaml_text(p->key), allowed, run->minor))
                                deny(run, NULL, p->value, "must not have the volume \"%.*s\" of type %.*s",
                                     STR_FMT(volume_name(v->items[i])), STR_FMT(yaml_text(p->key)));
                }
}

static void non_root_context(struct pod_check_run *run, const struct k8s_container *c, const struct k8s_security *s)
{
        if (s->run_as_non_root == K8S_FALSE)
                deny(run, c, yaml_get(s->node, "runAsNonRoot"), "must not set securityContext.runAsNonRoot=false");
        else if (c && s->run_as_non_root == K8S_UNSET && run->pod->security.run_as_non_root == K8S_UNSET)
                deny(run, c, NULL, "or its pod must set securityContext.runAsNonRoot=true");
}

static void non_root(struct pod_check_run *run)
{
        if (!has_user_namespace(run))
                each_context(run, non_root_context);
}

static void user_context(struct pod_check_run *run, const struct k8s_container *c, const struct k8s_security *s)
{
        if (s->run_as_user.is_set && s->run_as_user.value == 0)
                deny(run, c, yaml_get(s->node, "runAsUser"), "must not set securityContext.runAsUser=0");
}

static void user(struct pod_check_run *run)
{
        if (!has_user_namespace(run))
                each_context(run, user_context);
}

static void seccomp_restricted_context(struct pod_check_run *run, const struct k8s_container *c,
                                       const struct k8s_security *s)
{
        seccomp_context(run, c, s);
        if (c && !s->seccomp.is_set && !run->pod->security.seccomp.is_set)
                deny(run, c, NULL,
                     "or its pod must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
}

static void seccomp_restricted(struct pod_check_run *run)
{
        if (!is_windows(run))
                each_context(run, seccomp_restricted_context);
}

const struct pod_check pod_checks[] = {
        {
                .about = { .id = "appArmorProfile",
                           .severity = SEVERITY_HIGH,
                           .title = "AppArmor profile loosened",
                           .why = "Without the runtime's profile a process may mount, load and reach what the kernel "
                                  "would refuse.",
                           .fix = "Remove the profile, or use RuntimeDefault or a Localhost profile",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = apparmor,
        },
        {
                .about = { .id = "capabilities_baseline",
                           .severity = SEVERITY_HIGH,
                           .title = "Capabilities beyond the default set",
                           .why = "Capabilities such as SYS_ADMIN or NET_RAW are most of the way to root on the node.",
                           .fix = "Add only what the runtime grants by default, or nothing",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = capabilities_baseline,
        },
        {
                .about = { .id = "hostNamespaces",
                           .severity = SEVERITY_HIGH,
                           .title = "Namespaces of the host",
                           .why = "The pod sees and reaches processes, memory or networks of the node.",
                           .fix = "Remove hostNetwork, hostPID and hostIPC",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = host_namespaces,
        },
        {
                .about = { .id = "hostPathVolumes",
                           .severity = SEVERITY_HIGH,
                           .title = "Directories of the host",
                           .why = "Files of the node can be read or changed; with sockets, devices or /etc that is the "
                                  "node itself.",
                           .fix = "Use a volume that the cluster manages: persistentVolumeClaim, emptyDir, configMap",
                           .tags = "NIST-800-190:4.5.5 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = host_path_volumes,
        },
        {
                .about = { .id = "hostPorts",
                           .severity = SEVERITY_MEDIUM,
                           .title = "Ports of the host",
                           .why = "The pod answers on the node's address, past network policies.",
                           .fix = "Remove hostPort and use a Service",
                           .tags = "NIST-800-190:4.4.2 T1133" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = host_ports,
        },
        {
                .about = { .id = "hostProbesAndHostLifecycle",
                           .severity = SEVERITY_MEDIUM,
                           .title = "Probes and hooks of another host",
                           .why = "The kubelet connects to that host on behalf of the pod, from inside the node's "
                                  "network.",
                           .fix = "Remove host from the probe or hook; the pod's own address is the default",
                           .tags = "NIST-800-190:4.4.2 T1046" },
                .level = POD_BASELINE,
                .minor = 34,
                .run = host_handlers,
        },
        {
                .about = { .id = "privileged",
                           .severity = SEVERITY_CRITICAL,
                           .title = "Privileged container",
                           .why = "It has all capabilities and devices of the node: whoever takes it over has the "
                                  "node.",
                           .fix = "Remove privileged, and add the one capability that is needed",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = privileged,
        },
        {
                .about = { .id = "procMount",
                           .severity = SEVERITY_HIGH,
                           .title = "Unmasked /proc",
                           .why = "Parts of /proc that the runtime hides can be read and written.",
                           .fix = "Remove procMount, or use Default",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = proc_mount,
        },
        {
                .about = { .id = "seLinuxOptions",
                           .severity = SEVERITY_HIGH,
                           .title = "SELinux label loosened",
                           .why = "A label of another type, user or role takes away what separates the container from "
                                  "the node.",
                           .fix = "Remove the options, or use one of the container types",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = selinux,
        },
        {
                .about = { .id = "seccompProfile_baseline",
                           .severity = SEVERITY_HIGH,
                           .title = "No seccomp filter",
                           .why = "Every system call of the kernel can be tried.",
                           .fix = "Remove the profile, or use RuntimeDefault or a Localhost profile",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = seccomp_baseline,
        },
        {
                .about = { .id = "sysctls",
                           .severity = SEVERITY_HIGH,
                           .title = "Kernel settings that are not safe",
                           .why = "The setting may disarm a defence, or act on the whole node.",
                           .fix = "Set only sysctls that Kubernetes knows as safe",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = sysctls,
        },
        {
                .about = { .id = "windowsHostProcess",
                           .severity = SEVERITY_CRITICAL,
                           .title = "Windows host process",
                           .why = "It runs on the node itself, with the rights of its account.",
                           .fix = "Remove windowsOptions.hostProcess",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_BASELINE,
                .minor = 0,
                .run = host_process,
        },
        {
                .about = { .id = "allowPrivilegeEscalation",
                           .severity = SEVERITY_MEDIUM,
                           .title = "Privilege escalation allowed",
                           .why = "A setuid program in the image makes root out of any user.",
                           .fix = "Set securityContext.allowPrivilegeEscalation to false in every container",
                           .tags = "NIST-800-190:4.4.3 T1068" },
                .level = POD_RESTRICTED,
                .minor = 8,
                .run = escalation,
        },
        {
                .about = { .id = "capabilities_restricted",
                           .severity = SEVERITY_MEDIUM,
                           .title = "Capabilities are not dropped",
                           .why = "The default set still lets a process change owners, make devices and forge packets.",
                           .fix = "Set securityContext.capabilities.drop to [\"ALL\"], and add at most "
                                  "NET_BIND_SERVICE",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_RESTRICTED,
                .minor = 22,
                .overrides = "capabilities_baseline",
                .run = capabilities_restricted,
        },
        {
                .about = { .id = "procMount_restricted",
                           .severity = SEVERITY_HIGH,
                           .title = "Unmasked /proc",
                           .why = "Parts of /proc that the runtime hides can be read and written.",
                           .fix = "Remove procMount, or use Default",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_RESTRICTED,
                .minor = 35,
                .overrides = "procMount",
                .run = proc_mount_restricted,
        },
        {
                .about = { .id = "restrictedVolumes",
                           .severity = SEVERITY_MEDIUM,
                           .title = "Volumes of other types",
                           .why = "Volumes that a pod mounts by itself pass by what the cluster's administrators "
                                  "provide.",
                           .fix = "Use configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, "
                                  "projected or secret",
                           .tags = "NIST-800-190:4.5.5 T1611" },
                .level = POD_RESTRICTED,
                .minor = 0,
                .overrides = "hostPathVolumes",
                .run = restricted_volumes,
        },
        {
                .about = { .id = "runAsNonRoot",
                           .severity = SEVERITY_MEDIUM,
                           .title = "May run as root",
                           .why = "Root in the container is root for the kernel when anything else fails.",
                           .fix = "Set securityContext.runAsNonRoot to true, in the pod or in each container",
                           .tags = "NIST-800-190:4.1.2 T1611" },
                .level = POD_RESTRICTED,
                .minor = 0,
                .run = non_root,
        },
        {
                .about = { .id = "runAsUser",
                           .severity = SEVERITY_MEDIUM,
                           .title = "Runs as user 0",
                           .why = "Root in the container is root for the kernel when anything else fails.",
                           .fix = "Remove runAsUser, or give a number other than 0",
                           .tags = "NIST-800-190:4.1.2 T1611" },
                .level = POD_RESTRICTED,
                .minor = 23,
                .run = user,
        },
        {
                .about = { .id = "seccompProfile_restricted",
                           .severity = SEVERITY_MEDIUM,
                           .title = "No seccomp profile",
                           .why = "Where the kubelet sets no default, every system call of the kernel can be tried.",
                           .fix = "Set securityContext.seccompProfile.type to RuntimeDefault, in the pod or in each "
                                  "container",
                           .tags = "NIST-800-190:4.4.3 T1611" },
                .level = POD_RESTRICTED,
                .minor = 19,
                .overrides = "seccompProfile_baseline",
                .run = seccomp_restricted,
        },
};
_Static_assert(ARRAY_SIZE(pod_checks) <= POD_CHECKS_MAX, "raise POD_CHECKS_MAX");
const size_t n_pod_checks = ARRAY_SIZE(pod_checks);
