/* Pod Security: each check with what it denies and what is near that, at the versions where it changes. */
#include "analyze/pod-security.h"
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static int clean_up(void **state)
{
        arena_done(&arena);
        return 0;
}

/* What is written of a pod: everything that restricted asks for, but for what a case says otherwise. */
struct spec {
        const char *pod;       /* in spec */
        const char *context;   /* in spec.securityContext; NULL: what restricted asks for */
        const char *container; /* in the container */
        const char *security;  /* in its securityContext; NULL: what restricted asks for */
        const char *annotations;
};

static struct str manifest(const struct spec *s)
{
        return arena_printf(&arena,
                            "{apiVersion: v1, kind: Pod, metadata: {name: x, annotations: {%s}}, spec: {%s%s"
                            "securityContext: {%s}, containers: [{name: web, %s%s securityContext: {%s}}]}}",
                            s->annotations ? s->annotations : "", s->pod ? s->pod : "", s->pod ? ", " : "",
                            s->context ? s->context : "runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}",
                            s->container ? s->container : "", s->container ? "," : "",
                            s->security ? s->security : "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}");
}

static void note(void *arg, const struct pod_check *c, const struct yaml_node *at, struct str reason)
{
        struct buf *b = arg;
        assert_true(at->line > 0 && reason.n > 0);
        if (!str_ends(buf_str(b), str_of(c->about.id)))
                buf_printf(b, "%s%s", b->n ? "," : "", c->about.id);
}

static void judge(struct str text, enum pod_level level, unsigned minor, struct buf *ret)
{
        struct yaml y;
        struct k8s_pods pods;
        struct error err = ERROR_NONE;
        if (yaml_read(text, &arena, &y, &err) < 0 || kubernetes_pods(&y, &arena, &pods, &err) < 0)
                fail_msg("%s: %.*s", err.text, STR_FMT(text));
        assert_int_equal(pods.n, 1);
        bool admits = pod_security_admits(&pods.v[0], level, minor, note, ret);
        assert_int_equal(admits, ret->n == 0);
}

#define B        POD_BASELINE
#define R        POD_RESTRICTED
#define SECURITY "allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}"

static const struct {
        enum pod_level level;
        unsigned from, to; /* versions, both included */
        const char *want;
        struct spec spec;
} cases[] = {
        { R, 0, 37, "", { 0 } },
        { R, 0, 18, "runAsNonRoot", { .context = "" } },
        { R, 19, 37, "runAsNonRoot,seccompProfile_restricted", { .context = "" } },
        { B, 0, 37, "", { .context = "", .security = "" } },

        { B, 0, 37, "appArmorProfile", { .security = "appArmorProfile: {type: Unconfined}" } },
        { B, 0, 37, "appArmorProfile", { .context = "appArmorProfile: {type: Unconfined}" } },
        { B, 0, 37, "appArmorProfile", { .context = "appArmorProfile: {}" } },
        { B, 0, 37, "", { .context = "appArmorProfile: {type: Localhost, localhostProfile: x}" } },
        { B, 0, 37, "", { .context = "appArmorProfile: null" } },
        { B,
          0,
          37,
          "appArmorProfile",
          { .annotations = "container.apparmor.security.beta.kubernetes.io/other: unconfined" } },
        { B, 0, 37, "", { .annotations = "container.apparmor.security.beta.kubernetes.io/web: localhost/x" } },
        { B, 0, 37, "", { .annotations = "container.apparmor.security.beta.kubernetes.io/web: runtime/default" } },
        { B, 0, 37, "", { .annotations = "container.apparmor.security.beta.kubernetes.io/web: ''" } },
        { B, 0, 37, "", { .annotations = "apparmor.security.beta.kubernetes.io/web: unconfined" } },

        { B, 0, 37, "capabilities_baseline", { .security = "capabilities: {add: [CHOWN, NET_RAW]}" } },
        { B, 0, 37, "capabilities_baseline", { .security = "capabilities: {add: [chown]}" } },
        { B, 0, 37, "capabilities_baseline", { .security = "capabilities: {add: [CAP_CHOWN]}" } },
        { B, 0, 37, "", { .security = "capabilities: {add: [CHOWN, SETPCAP, SYS_CHROOT], drop: [x]}" } },
        { R,
          22,
          37,
          "capabilities_restricted",
          { .security = "allowPrivilegeEscalation: false, capabilities: {add: [CHOWN], drop: [ALL]}" } },
        { R,
          22,
          37,
          "capabilities_restricted,capabilities_baseline",
          { .security = "allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN], drop: [ALL]}" } },
        { R, 25, 37, "", { .pod = "os: {name: windows}", .security = "capabilities: {add: [SYS_ADMIN]}" } },
        { R, 0, 21, "", { .security = "allowPrivilegeEscalation: false, capabilities: {add: [CHOWN]}" } },
        { R, 22, 37, "capabilities_restricted", { .security = "allowPrivilegeEscalation: false" } },
        { R,
          22,
          37,
          "capabilities_restricted",
          { .security = "allowPrivilegeEscalation: false, capabilities: {drop: [all]}" } },
        { R,
          22,
          37,
          "",
          { .security = "allowPrivilegeEscalation: false, capabilities: {add: [NET_BIND_SERVICE], drop: [X, ALL]}" } },
        { R,
          22,
          24,
          "capabilities_restricted",
          { .pod = "os: {name: windows}", .security = "allowPrivilegeEscalation: false" } },
        { R, 25, 37, "", { .pod = "os: {name: windows}", .security = "" } },
        { R,
          25,
          37,
          "allowPrivilegeEscalation,capabilities_restricted",
          { .pod = "os: {name: linux}", .security = "" } },

        { B, 0, 37, "hostNamespaces", { .pod = "hostNetwork: true" } },
        { B, 0, 37, "hostNamespaces", { .pod = "hostPID: yes" } },
        { B, 0, 37, "hostNamespaces", { .pod = "hostIPC: on" } },
        { B, 0, 37, "", { .pod = "hostIPC: false, hostPID: no, hostNetwork: null, hostpid: true" } },

        { B, 0, 37, "hostPathVolumes", { .pod = "volumes: [{name: a, hostPath: {path: /}}]" } },
        { B, 0, 37, "hostPathVolumes", { .pod = "volumes: [{name: a, hostPath: {}}]" } },
        { B, 0, 37, "", { .pod = "volumes: [{name: a, hostPath: null}, {name: hostPath, emptyDir: {}}]" } },
        { R, 0, 37, "restrictedVolumes,hostPathVolumes", { .pod = "volumes: [{name: a, hostPath: {path: /}}]" } },
        { R,
          0,
          37,
          "restrictedVolumes,hostPathVolumes",
          { .pod = "volumes: [{name: a, configMap: {}, hostPath: {}}]" } },
        { R, 0, 37, "restrictedVolumes", { .pod = "volumes: [{name: a, nfs: {}}]" } },
        { R, 0, 37, "restrictedVolumes", { .pod = "volumes: [{name: a, whatComesNext: {}}]" } },
        { R, 0, 37, "", { .pod = "volumes: [{name: a}, {name: b, image: {}}, {name: c, csi: {}}]" } },
        { B, 0, 37, "", { .pod = "volumes: [{name: a, nfs: {}}]" } },

        { B, 0, 37, "hostPorts", { .container = "ports: [{containerPort: 80}, {hostPort: 80}]" } },
        { B, 0, 37, "", { .container = "ports: [{containerPort: 80, hostPort: 0}, {hostPort: null}]" } },

        { B, 34, 37, "hostProbesAndHostLifecycle", { .container = "livenessProbe: {httpGet: {host: a}}" } },
        { B, 34, 37, "hostProbesAndHostLifecycle", { .container = "readinessProbe: {tcpSocket: {host: a}}" } },
        { B, 34, 37, "hostProbesAndHostLifecycle", { .container = "startupProbe: {tcpSocket: {host: a}}" } },
        { B, 34, 37, "hostProbesAndHostLifecycle", { .container = "lifecycle: {preStop: {httpGet: {host: a}}}" } },
        { B, 34, 37, "hostProbesAndHostLifecycle", { .container = "lifecycle: {postStart: {tcpSocket: {host: a}}}" } },
        { B, 34, 37, "", { .container = "livenessProbe: {httpGet: {host: '', port: 1}, grpc: {host: a}}" } },
        { B, 0, 33, "", { .container = "livenessProbe: {httpGet: {host: a}}" } },

        { B, 0, 37, "privileged", { .security = "privileged: True" } },
        { B, 0, 37, "", { .security = "privileged: false, Privileged: true" } },

        { B, 0, 37, "procMount", { .security = "procMount: Unmasked" } },
        { B, 0, 37, "", { .security = "procMount: Default" } },
        { B, 0, 34, "procMount", { .pod = "hostUsers: false", .security = "procMount: Unmasked" } },
        { B, 35, 37, "", { .pod = "hostUsers: false", .security = "procMount: Unmasked" } },
        { B, 35, 37, "procMount", { .pod = "hostUsers: true", .security = "procMount: Unmasked" } },
        { R,
          35,
          37,
          "procMount_restricted",
          { .pod = "hostUsers: false", .security = SECURITY ", procMount: Unmasked" } },
        { R, 0, 34, "procMount", { .pod = "hostUsers: false", .security = SECURITY ", procMount: Unmasked" } },

        { B, 0, 37, "seLinuxOptions", { .context = "seLinuxOptions: {type: spc_t}" } },
        { B, 0, 37, "seLinuxOptions", { .security = "seLinuxOptions: {user: system_u}" } },
        { B, 0, 37, "seLinuxOptions", { .security = "seLinuxOptions: {role: system_r}" } },
        { B, 0, 30, "seLinuxOptions", { .security = "seLinuxOptions: {type: container_engine_t}" } },
        { B, 31, 37, "", { .security = "seLinuxOptions: {type: container_engine_t}" } },
        { B, 0, 37, "", { .security = "seLinuxOptions: {type: container_kvm_t, level: s0, user: ''}" } },

        { B, 19, 37, "seccompProfile_baseline", { .security = "seccompProfile: {type: Unconfined}" } },
        { B, 0, 18, "", { .security = "seccompProfile: {type: Unconfined}" } },
        { B,
          0,
          18,
          "seccompProfile_baseline",
          { .annotations = "seccomp.security.alpha.kubernetes.io/pod: unconfined" } },
        { B, 0, 18, "seccompProfile_baseline", { .annotations = "seccomp.security.alpha.kubernetes.io/pod: ''" } },
        { B,
          0,
          18,
          "seccompProfile_baseline",
          { .annotations = "container.seccomp.security.alpha.kubernetes.io/web: unconfined" } },
        { B, 0, 18, "", { .annotations = "container.seccomp.security.alpha.kubernetes.io/other: unconfined" } },
        { B, 0, 18, "", { .annotations = "seccomp.security.alpha.kubernetes.io/pod: docker/default" } },
        { B, 19, 37, "", { .annotations = "seccomp.security.alpha.kubernetes.io/pod: unconfined" } },
        { R,
          19,
          37,
          "seccompProfile_restricted,seccompProfile_baseline",
          { .security = SECURITY ", seccompProfile: {type: Unconfined}" } },
        { R,
          19,
          37,
          "",
          { .context = "runAsNonRoot: true", .security = SECURITY ", seccompProfile: {type: Localhost}" } },
        { R, 25, 37, "", { .pod = "os: {name: windows}", .context = "runAsNonRoot: true" } },
        { R, 19, 24, "seccompProfile_restricted", { .pod = "os: {name: windows}", .context = "runAsNonRoot: true" } },

        { B, 0, 37, "sysctls", { .context = "sysctls: [{name: kernel.msgmax, value: '1'}]" } },
        { B, 0, 37, "sysctls", { .context = "sysctls: [{value: '1'}]" } },
        { B, 0, 37, "", { .context = "sysctls: [{name: kernel.shm_rmid_forced}]" } },
        { B, 0, 26, "sysctls", { .context = "sysctls: [{name: net.ipv4.ip_local_reserved_ports}]" } },
        { B, 27, 37, "", { .context = "sysctls: [{name: net.ipv4.ip_local_reserved_ports}]" } },
        { B, 0, 28, "sysctls", { .context = "sysctls: [{name: net.ipv4.tcp_fin_timeout}]" } },
        { B, 29, 37, "", { .context = "sysctls: [{name: net.ipv4.tcp_fin_timeout}]" } },
        { B, 0, 31, "sysctls", { .context = "sysctls: [{name: net.ipv4.tcp_wmem}]" } },
        { B, 32, 37, "", { .context = "sysctls: [{name: net.ipv4.tcp_wmem}]" } },
        { B, 0, 36, "sysctls", { .context = "sysctls: [{name: net.ipv4.tcp_notsent_lowat}]" } },
        { B, 37, 37, "", { .context = "sysctls: [{name: net.ipv4.tcp_notsent_lowat}]" } },

        { B, 0, 37, "windowsHostProcess", { .context = "windowsOptions: {hostProcess: true}" } },
        { B, 0, 37, "windowsHostProcess", { .security = "windowsOptions: {hostProcess: true}" } },
        { B, 0, 37, "", { .security = "windowsOptions: {hostProcess: false, runAsUserName: x}" } },

        { R, 8, 37, "allowPrivilegeEscalation", { .security = "capabilities: {drop: [ALL]}" } },
        { R, 0, 7, "", { .security = "capabilities: {drop: [ALL]}" } },

        { R,
          19,
          37,
          "runAsNonRoot",
          { .context = "seccompProfile: {type: RuntimeDefault}, runAsNonRoot: false",
            .security = SECURITY ", runAsNonRoot: true" } },
        { R,
          19,
          37,
          "",
          { .context = "seccompProfile: {type: RuntimeDefault}", .security = SECURITY ", runAsNonRoot: true" } },
        { R, 19, 37, "runAsNonRoot", { .security = SECURITY ", runAsNonRoot: false" } },
        { R,
          19,
          34,
          "runAsNonRoot",
          { .pod = "hostUsers: false", .context = "seccompProfile: {type: RuntimeDefault}" } },
        { R, 35, 37, "", { .pod = "hostUsers: false", .context = "seccompProfile: {type: RuntimeDefault}" } },

        { R, 23, 37, "runAsUser", { .security = SECURITY ", runAsUser: 0" } },
        { R, 0, 22, "", { .security = SECURITY ", runAsUser: 0" } },
        { R, 23, 37, "", { .security = SECURITY ", runAsUser: 1000" } },
        { R, 23, 34, "runAsUser", { .pod = "hostUsers: false", .security = SECURITY ", runAsUser: 0x0" } },
        { R, 35, 37, "", { .pod = "hostUsers: false", .security = SECURITY ", runAsUser: 0" } },
};

static void test_cases(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (unsigned minor = cases[i].from; minor <= cases[i].to; minor++) {
                        _cleanup_(buf_done) struct buf got = BUF_INIT(1024);
                        buf_puts(&got, "");
                        struct str text = manifest(&cases[i].spec);
                        judge(text, cases[i].level, minor, &got);
                        if (!str_is(buf_str(&got), cases[i].want))
                                fail_msg("case %zu at v1.%u: \"%s\", wanted \"%s\": %.*s", i, minor, got.p,
                                         cases[i].want, STR_FMT(text));
                }
}

/* Each check has a case that it denies, and no case of privileged is denied. */
static void test_every_check_denies(void **state)
{
        for (size_t i = 0; i < n_pod_checks; i++) {
                const struct pod_check *c = &pod_checks[i];
                bool is_seen = false;
                for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
                        struct str want = str_of(cases[k].want);
                        while (want.p)
                                is_seen = str_is(str_cut(&want, ','), c->about.id) || is_seen;
                }
                if (!is_seen)
                        fail_msg("no case for %s", c->about.id);
                assert_ptr_equal(pod_check_find(str_of(c->about.id)), c);
                assert_true(c->about.title && c->about.why && c->about.fix && c->about.tags && c->run &&
                            c->about.severity > SEVERITY_NONE);
                assert_true(!c->overrides || pod_check_find(str_of(c->overrides))->level == POD_BASELINE);
        }
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(buf_done) struct buf got = BUF_INIT(1024);
                judge(manifest(&cases[i].spec), POD_PRIVILEGED, POD_SECURITY_MINOR_MAX, &got);
                assert_int_equal(got.n, 0);
        }
}

static void test_versions(void **state)
{
        static const char *const bad[] = { "", "v1", "v1.", "v1.-1", "v1.1 ", "1.1", "v2.1", "v1.01", "Latest" };
        unsigned minor = 99;
        enum pod_level level;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(pod_version_parse(str_of(bad[i]), &minor));
        assert_true(pod_version_parse(STR("v1.0"), &minor) && minor == 0);
        assert_true(pod_version_parse(STR("v1.37"), &minor) && minor == 37);
        assert_true(pod_version_parse(STR("latest"), &minor) && minor == 37);
        assert_true(pod_version_parse(STR("v1.99"), &minor) && minor == 37);
        assert_true(pod_level_parse(STR("baseline"), &level) && level == POD_BASELINE);
        assert_false(pod_level_parse(STR("Baseline"), &level));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_cases, clean_up),
                cmocka_unit_test_teardown(test_every_check_denies, clean_up),
                cmocka_unit_test_teardown(test_versions, clean_up),
        };
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
