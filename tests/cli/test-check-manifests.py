#!/usr/bin/env python3
"""`sekisho check` on Kubernetes manifests and Compose files: for each rule what it hits, and what is near that."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
from taplib import Tap  # noqa: E402

SEKISHO = os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))
SECRET = "correct" + "horse" + "battery"  # nobody's


def deployment(spec="", container="", security="", kind="Deployment", metadata="namespace: shop"):
    return f"""apiVersion: apps/v1
kind: {kind}
metadata: {{name: web, {metadata}}}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      {spec}
      containers:
      - name: web
        {container or 'image: "example:1"'}
        securityContext: {{{security}}}
"""


def role(rule, kind="ClusterRole"):
    return f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: r}}\nrules:\n- {rule}\n"


def binding(subject, name="view"):
    return ("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n"
            f"roleRef: {{kind: ClusterRole, name: {name}}}\nsubjects:\n- {subject}\n")


def service(spec, annotations=""):
    return f"apiVersion: v1\nkind: Service\nmetadata: {{name: s, annotations: {{{annotations}}}}}\nspec: {{{spec}}}\n"


def ingress(spec, version="networking.k8s.io/v1"):
    return f"apiVersion: {version}\nkind: Ingress\nmetadata: {{name: i}}\nspec: {{{spec}}}\n"


def compose(body):
    image = "" if "image:" in body else "    image: 'a:1@sha256:%s'\n" % ("c" * 64)
    return f"services:\n  web:\n    {body}\n{image}"


POLICY = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\nspec: {}\n"

# rule: (what it hits, what it must not hit)
RULES = {
    "SK-K8S-001": ([deployment("hostPID: false\n      hostPID: true")], [deployment("hostPID: false")]),
    "SK-K8S-002": ([deployment("hostPID: 'true'"), "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"],
                   [deployment("hostPID: false"), "apiVersion: example.org/v1\nkind: Deployment\nmetadata: {name: x}\n"]),
    "SK-K8S-101": ([deployment(container="image: nginx"), deployment(container="image: 'registry:5000/nginx:latest'")],
                   [deployment(container="image: 'nginx:1.25'"), deployment(container="image: 'nginx@sha256:" + "a" * 64 + "'"),
                    deployment(container="image: 'nginx:latest-1.25'")]),
    "SK-K8S-102": ([deployment(container="image: 'nginx:1.25'")], [deployment(container="image: 'nginx:1@sha256:" + "a" * 64 + "'")]),
    "SK-K8S-103": ([deployment(), deployment(security="readOnlyRootFilesystem: false")],
                   [deployment(security="readOnlyRootFilesystem: true")]),
    "SK-K8S-104": ([deployment(), deployment(container="resources: {requests: {memory: 1Gi}}")],
                   [deployment(container="resources: {limits: {memory: 1Gi}}")]),
    "SK-K8S-105": ([deployment()], [deployment(container="resources: {limits: {cpu: 1}}")]),
    "SK-K8S-106": ([deployment()], [deployment(container="readinessProbe: {tcpSocket: {port: 1}}"),
                                    deployment(kind="Job").replace("apps/v1", "batch/v1")]),
    "SK-K8S-107": ([deployment().replace("automountServiceAccountToken: false", "serviceAccountName: default"),
                    deployment().replace("automountServiceAccountToken: false", "automountServiceAccountToken: true")],
                   [deployment(), deployment().replace("automountServiceAccountToken: false", "serviceAccountName: web")]),
    "SK-K8S-108": ([deployment("volumes: [{name: s, hostPath: {path: /var/run/docker.sock}}]")],
                   [deployment("volumes: [{name: s, hostPath: {path: /var/run/docker.socket}}]"),
                    deployment("volumes: [{name: s, hostPath: {path: /srv/run/docker.sock}}]")]),
    "SK-K8S-109": ([deployment("volumes: [{name: s, hostPath: {path: /}}]"), deployment("volumes: [{name: s, hostPath: {path: /etc/}}]"),
                    deployment("volumes: [{name: s, hostPath: {path: /root/.ssh}}]")],
                   [deployment("volumes: [{name: s, hostPath: {path: /srv/data}}]"), deployment("volumes: [{name: s, hostPath: {path: /etcetera}}]")]),
    "SK-K8S-110": ([deployment(container="env: [{name: DB_PASSWORD, value: %s}]" % SECRET),
                    deployment(container="env: [{name: apiKey, value: %s}]" % SECRET)],
                   [deployment(container="env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: x, key: y}}}]"),
                    deployment(container="env: [{name: DB_PASSWORD_FILE, value: /run/secrets/x}]"),
                    deployment(container="env: [{name: DB_PASSWORD, value: ''}]"),
                    deployment(container="env: [{name: DB_PASSWORD, value: $(OTHER)}]"),
                    deployment(container="env: [{name: REQUIRE_TOKEN, value: 'true'}]"),
                    deployment(container="env: [{name: COMPASS, value: north}]"),
                    deployment(container="env: [{name: PWD, value: work}]"),
                    deployment(container="env: [{name: PASSWORD_MIN_LENGTH, value: '12'}]")]),
    "SK-K8S-111": (["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {db.password: %s}\n" % SECRET,
                    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {tls.pem: '%s'}\n" % ("-----BEGIN " + "PRIVATE KEY-----")],
                   ["apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {db.host: x, password.file: y}\n"]),
    "SK-K8S-112": (["apiVersion: v1\nkind: Secret\nmetadata: {name: c}\ndata: {a: eA==}\n",
                    "apiVersion: v1\nkind: Secret\nmetadata: {name: c}\nstringData: {a: x}\n"],
                   ["apiVersion: v1\nkind: Secret\nmetadata: {name: c}\ntype: kubernetes.io/service-account-token\n",
                    "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: c}\nspec: {encryptedData: {a: x}}\n"]),
    "SK-K8S-201": ([role("{apiGroups: ['*'], resources: ['*'], verbs: ['*']}")],
                   [role("{apiGroups: ['*'], resources: ['*'], verbs: [get]}"), role("{apiGroups: [''], resources: [pods], verbs: ['*']}")]),
    "SK-K8S-202": ([role("{apiGroups: ['*'], resources: ['*'], verbs: [get]}"), role("{apiGroups: [''], resources: [pods], verbs: ['*']}")],
                   [role("{apiGroups: [''], resources: [pods], verbs: [get, list, watch]}")]),
    "SK-K8S-203": ([role("{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind]}"),
                    role("{apiGroups: [''], resources: [users], verbs: [impersonate]}")],
                   [role("{apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [get, list]}"),
                    role("{apiGroups: [example.org], resources: [roles], verbs: [bind]}")]),
    "SK-K8S-204": ([role("{apiGroups: [''], resources: [secrets], verbs: [list]}", "Role")],
                   [role("{apiGroups: [''], resources: [secrets], resourceNames: [one], verbs: [get]}", "Role"),
                    role("{apiGroups: [''], resources: [secrets], verbs: [create]}"),
                    role("{apiGroups: [example.org], resources: [secrets], verbs: [get]}")]),
    "SK-K8S-205": ([role("{apiGroups: [''], resources: [pods/exec], verbs: [create]}")],
                   [role("{apiGroups: [''], resources: [pods/log], verbs: [get]}"), role("{apiGroups: [''], resources: [pods], verbs: [create]}")]),
    "SK-K8S-114": ([deployment("shareProcessNamespace: true")], [deployment("shareProcessNamespace: false"), deployment()]),
    "SK-K8S-210": ([role("{apiGroups: [''], resources: [pods], verbs: [create]}", "Role"),
                    role("{apiGroups: [apps], resources: [deployments], verbs: ['*']}")],
                   [role("{apiGroups: [''], resources: [pods], verbs: [get, list]}"),
                    role("{apiGroups: [''], resources: [configmaps], verbs: [create]}"),
                    role("{apiGroups: [example.org], resources: [jobs], verbs: [create]}")]),
    "SK-COMPOSE-116": ([compose("devices: ['/dev/sda:/dev/sda']"), compose("devices: [/dev/nvme0n1]")],
                       [compose("devices: ['/dev/dri:/dev/dri']"), compose("devices: ['/dev/ttyUSB0:/dev/sda']")]),
    "SK-K8S-206": ([role("{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}")],
                   [role("{apiGroups: [''], resources: [nodes/metrics], verbs: [get]}")]),
    "SK-K8S-207": ([binding("{kind: User, name: jane}", "cluster-admin")],
                   [binding("{kind: Group, name: 'system:masters'}", "cluster-admin"), binding("{kind: User, name: jane}", "cluster-admins")]),
    "SK-K8S-208": ([binding("{kind: Group, name: 'system:unauthenticated'}"), binding("{kind: User, name: 'system:anonymous'}")],
                   [binding("{kind: Group, name: 'system:nodes'}")]),
    "SK-K8S-209": ([binding("{kind: ServiceAccount, name: default, namespace: x}")],
                   [binding("{kind: ServiceAccount, name: web, namespace: default}"), binding("{kind: User, name: default}")]),
    "SK-K8S-301": ([service("type: NodePort")], [service("type: ClusterIP"), service("")]),
    "SK-K8S-302": ([service("type: LoadBalancer"), service("type: LoadBalancer, loadBalancerSourceRanges: [0.0.0.0/0]")],
                   [service("type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]"),
                    service("type: LoadBalancer", "service.beta.kubernetes.io/aws-load-balancer-internal: 'true'")]),
    "SK-K8S-303": ([service("externalIPs: [192.0.2.1]")], [service("externalIPs: []"), service("externalName: example.org")]),
    "SK-K8S-304": ([ingress("rules: []")], [ingress("tls: [{hosts: [a], secretName: b}]"), ingress("x: y", "config.openshift.io/v1")]),
    "SK-K8S-305": ([deployment(), deployment(metadata="namespace: other") + POLICY], [deployment() + POLICY, service("type: ClusterIP")]),
    "SK-K8S-306": ([deployment(metadata="namespace: default")], [deployment(), deployment(metadata="labels: {namespace: default}")]),
    "privileged": ([deployment(security="privileged: true")], [deployment(security="privileged: false")]),
    "hostPathVolumes": ([deployment("volumes: [{name: s, hostPath: {path: /srv}}]")], [deployment("volumes: [{name: hostPath}]")]),
    "runAsNonRoot": ([deployment()], [deployment("securityContext: {runAsNonRoot: true}")]),

    "SK-COMPOSE-001": ([compose("image: a:1\n    image: b:1")], [compose("image: a:1")]),
    "SK-COMPOSE-101": ([compose("privileged: true"), compose("privileged: 'true'")], [compose("privileged: false"), compose("privileged: ${P}")]),
    "SK-COMPOSE-102": ([compose("volumes: ['/var/run/docker.sock:/x:ro']"), compose("volumes: [{type: bind, source: /run/docker.sock, target: /x}]")],
                       [compose("volumes: ['./docker.sock:/var/run/docker.sock']"), compose("volumes: ['/run/mine.sock:/x']")]),
    "SK-COMPOSE-103": ([compose("volumes: ['/:/host:ro']"), compose("volumes: [{type: bind, source: /etc, target: /x}]")],
                       [compose("volumes: ['data:/etc']"), compose("volumes: ['/srv/etc:/etc']"), compose("volumes: [/etc]"),
                        compose("volumes: ['/etc/localtime:/etc/localtime:ro']")]),
    "SK-COMPOSE-104": ([compose("network_mode: host")], [compose("network_mode: bridge"), compose("networks: [host]")]),
    "SK-COMPOSE-105": ([compose("pid: host"), compose("ipc: host")], [compose("pid: 'service:db'"), compose("ipc: shareable"), compose("hostname: host")]),
    "SK-COMPOSE-106": ([compose("cap_add: [SYS_ADMIN]"), compose("cap_add: [CAP_NET_ADMIN]"), compose("cap_add: [ALL]")],
                       [compose("cap_add: [NET_BIND_SERVICE, cap_chown]"), compose("cap_drop: [ALL]")]),
    "SK-COMPOSE-107": ([compose("security_opt: ['seccomp:unconfined']"), compose("security_opt: ['label=disable']")],
                       [compose("security_opt: ['seccomp:./profile.json', 'no-new-privileges:true']")]),
    "SK-COMPOSE-108": ([compose("user: root"), compose("user: '0:0'"), compose("user: 0")], [compose("user: '1000:0'"), compose("user: rooty")]),
    "SK-COMPOSE-109": ([compose("image: a:1"), compose("security_opt: ['no-new-privileges:false']")],
                       [compose("security_opt: [no-new-privileges]"), compose("security_opt: ['no-new-privileges:true']")]),
    "SK-COMPOSE-110": ([compose("image: a:1"), compose("read_only: false")], [compose("read_only: true")]),
    "SK-COMPOSE-111": ([compose("image: a:1")], [compose("mem_limit: 1g"), compose("deploy: {resources: {limits: {memory: 1g}}}")]),
    "SK-COMPOSE-112": ([compose("ports: ['80:80']"), compose("ports: [80]"), compose("ports: ['0.0.0.0:80:80']"),
                        compose("ports: ['[::]:80:80']"), compose("ports: [{target: 80}]")],
                       [compose("ports: ['127.0.0.1:80:80']"), compose("ports: ['[::1]:80:80']"), compose("expose: [80]"),
                        compose("ports: [{target: 80, host_ip: 127.0.0.1}]"), compose("ports: ['${BIND}:80:80']")]),
    "SK-COMPOSE-113": ([compose("environment: {DB_PASSWORD: %s}" % SECRET), compose("environment: ['API_TOKEN=%s']" % SECRET)],
                       [compose("environment: {DB_PASSWORD: '${DB_PASSWORD}'}"), compose("environment: [DB_PASSWORD]"),
                        compose("environment: {DB_PASSWORD: }"), compose("environment: {DB_PASSWORD_FILE: /run/secrets/x}")]),
    "SK-COMPOSE-114": ([compose("image: nginx"), compose("image: 'nginx:latest'")],
                       [compose("image: 'nginx:1'"), compose("image: 'nginx:${TAG}'"), compose("image: mine\n    build: .")]),
    "SK-COMPOSE-115": ([compose("image: 'nginx:1'")], [compose("image: 'nginx:1@sha256:" + "b" * 64 + "'")]),
}


def run(*args, stdin=""):
    done = subprocess.run([SEKISHO, "check", *args], input=stdin, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def found(text, *args):
    """Ids of what is found in this file alone, and what could not be read."""
    code, out, err = run("-o", "json", "--enable", "all", *args, "-", stdin=text)
    report = json.loads(out) if out else {"findings": [], "unread": [{"detail": err}]}
    return {f["id"] for f in report["findings"] if not f["waived"]}, report, code


def rules(tap):
    for rule, (hits, misses) in RULES.items():
        wrong = []
        for text in hits:
            ids, report, _ = found(text)
            if rule not in ids or report["unread"]:
                wrong.append(f"not found: {sorted(ids)} {report['unread']}\n{text}")
        for text in misses:
            ids, report, _ = found(text)
            if rule in ids or report["unread"]:
                wrong.append(f"found, or not read: {sorted(ids)} {report['unread']}\n{text}")
        tap.ok(not wrong and hits and misses, f"{rule}: {len(hits)} hits, {len(misses)} near misses", "\n".join(wrong))
    _, out, _ = run("--list")
    listed = {line.split()[0] for line in out.splitlines()}
    ours = {rule for rule in listed if rule.startswith(("SK-K8S-", "SK-COMPOSE-"))}
    tap.ok(ours and ours <= set(RULES), "every rule has a case here", ours - set(RULES))
    tap.ok({"privileged", "seccompProfile_restricted"} <= listed, "Pod Security is among the rules", out)


def comments(tap):
    base = deployment(container="image: nginx")
    above = base.replace("      - name: web", "      # sekisho:ignore SK-K8S-101 pinned by the mirror\n      # more\n      - name: web")
    ids, report, _ = found(above)
    waived = [f for f in report["findings"] if f["waived"]]
    tap.ok("SK-K8S-101" not in ids and len(waived) == 1 and waived[0]["reason"] == "pinned by the mirror", "above the container", report)
    ids, _, _ = found(base.replace("image: nginx", "image: nginx # sekisho:ignore SK-K8S-101 pinned by the mirror"))
    tap.ok("SK-K8S-101" not in ids, "at the end of the line", ids)
    ids, _, _ = found(base.replace("spec:\n  template", "# sekisho:ignore SK-K8S-101,privileged all of it\nspec:\n  template"))
    tap.ok("SK-K8S-101" not in ids and "SK-CHECK-002" in ids, "above all of it; what hides nothing is told", ids)
    ids, _, _ = found(base.replace("      - name: web", "      # sekisho:ignore SK-K8S-101 x until=2020-01-01\n      - name: web"))
    tap.ok({"SK-K8S-101", "SK-CHECK-001"} <= ids, "expired", ids)
    ids, _, _ = found(base.replace("metadata:", "# sekisho:ignore SK-K8S-101 not here\nmetadata:"))
    tap.ok("SK-K8S-101" in ids, "somewhere else", ids)


def files(tap, folder):
    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    write("deployment.yaml", deployment())
    write("policy.yml", POLICY)
    write("compose.yml", compose("image: a:1"))
    write("workflow.yaml", "on: push\njobs: {}\n")
    write("package.json", "{}")
    code, out, _ = run("-o", "json", folder)
    report = json.loads(out)
    ids = {f["id"] for f in report["findings"]}
    tap.ok(code == 0 and "SK-K8S-305" not in ids and "SK-COMPOSE-110" in ids, "a directory: files are looked at together", out)
    for form, text in (("in flow style", "{apiVersion: v1, kind: Pod, spec: {hostPID: true, containers: [{name: a}]}}"),
                       ("JSON", json.dumps({"spec": {"hostPID": True, "containers": [{"name": "a"}]}, "kind": "Pod", "apiVersion": "v1"})),
                       ("keys in quotes", '"apiVersion": v1\n\'kind\' : Pod\nspec: {hostPID: true, containers: [{name: a}]}\n')):
        ids, report, _ = found(text)
        tap.ok("hostNamespaces" in ids, "recognised: " + form, report)
    code, out, err = run(os.path.join(folder, "workflow.yaml"))
    tap.ok(code == 3 and "no checker knows" in out + err, "a file that is none of them", out + err)
    secret = deployment(container="env: [{name: DB_PASSWORD, value: %s}]" % SECRET)
    for form in ("table", "json", "sarif"):
        code, out, err = run("-o", form, "-", stdin=secret + "---\n" + POLICY)
        tap.ok(code == 1 and "DB_PASSWORD" in out and SECRET not in out + err, f"{form} does not tell the secret", out)
    for name, text, words in (("malformed", deployment() + "\t- x: y: z\n", "line"), ("a template", "apiVersion: v1\nkind: Pod\nmetadata: {{ .x }}\n  y: {{-\n", "render it first"),
                              ("a bomb", "apiVersion: v1\nkind: Pod\na0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 30)), "1,000,000 nodes")):
        _, report, code = found(text)
        tap.ok(code == 3 and words in report["unread"][0]["detail"], f"{name}: said, not passed over", report)


OWN = """
- rule: SHOP-001
  desc: An image from elsewhere
  condition: >
    resource.format = kubernetes and resource.part in (container, init-container) and
    not resource.value[image] startswith "registry.shop.example/"
  output: '%resource.object_name: container "%resource.name" runs %resource.value[image]'
  severity: high
  why: Only what our registry has was scanned.
  fix: Push the image there
  tags: [NIST-800-190:4.2.1, "alias:SHOP-IMAGE"]
- rule: SHOP-002
  desc: A package manager in the last stage
  condition: resource.kind = RUN and resource.is_final = true and resource.value[command] in (pip, npm)
  severity: low
- rule: SK-K8S-104
  severity: high
  override: {severity: replace}
- rule: SK-COMPOSE-110
  enabled: false
"""


def own_rules(tap, folder):
    """Checks of the user's own, and changes of ours."""
    path = os.path.join(folder, "own.yaml")

    def rules_are(text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def check(text):
        code, out, err = run("-o", "json", "--rules", path, "-", stdin=text)
        return code, {f["id"]: f for f in json.loads(out)["findings"] if not f["waived"]} if out else err

    rules_are(OWN)
    code, found_there = check(deployment(container="image: 'nginx:1.25'"))
    own = found_there.get("SHOP-001", {})
    tap.ok(code == 1 and own.get("detail", "").endswith('container "web" runs nginx:1.25') and own["why"] and own["severity"] == "high",
           "own check: found, with its words", found_there)
    tap.ok(deployment(container="image: 'nginx:1.25'").splitlines()[own["line"] - 1].strip().startswith("image:"), "at the value that it tells", own)
    tap.ok(found_there["SK-K8S-104"]["severity"] == "high", "ours: another severity", found_there)
    code, found_there = check(deployment(container="image: registry.shop.example/web:1"))
    tap.ok("SHOP-001" not in found_there, "own check: a near miss", found_there)
    code, found_there = check(deployment(container="image: 'nginx:1.25' # sekisho:ignore SHOP-IMAGE it is on its way"))
    tap.ok("SHOP-001" not in found_there and "SK-CHECK-002" not in found_there, "own check: ignored by its other id", found_there)
    code, found_there = check(compose("image: a:1"))
    tap.ok("SK-COMPOSE-110" not in found_there and "SK-COMPOSE-111" in found_there, "ours: switched off", found_there)
    code, found_there = check("FROM a:1 AS x\nRUN npm ci\nFROM a:1\nRUN true; pip install b\n")
    tap.ok(found_there.get("SHOP-002", {}).get("line") == 4, "of a Dockerfile: in the last stage", found_there)
    code, found_there = check("FROM a:1 AS x\nRUN npm ci\nFROM a:1\nRUN true; echo pip\n")
    tap.ok("SHOP-002" not in found_there, "of a Dockerfile: a near miss", found_there)
    for name, text, words in (("a field of another stage", OWN.replace("resource.kind = RUN", "vuln.id = x"), "vuln.id does not exist at stage check"),
                              ("a severity that is none", OWN.replace("severity: low", "severity: grave"), '"grave" is no severity'),
                              ("no severity", OWN.replace("  severity: low\n", ""), "a check needs the key severity")):
        rules_are(text)
        code, words_there = check(deployment())
        tap.ok(code == 2 and words in words_there and "own.yaml:" in words_there, "own check: " + name, words_there)
    code, out, err = run("--rules", path + ".gone", "-", stdin="")
    tap.ok(code == 2 and "own.yaml.gone" in err, "own check: no such file", err)


def main():
    tap = Tap(os.environ)
    rules(tap)
    comments(tap)
    with tempfile.TemporaryDirectory() as folder:
        files(tap, folder)
        own_rules(tap, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
