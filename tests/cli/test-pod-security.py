#!/usr/bin/env python3
"""`sekisho pod-security`: Kubernetes' own pods ($SEKISHO_SHARED), forms of files, errors, exit codes, JSON."""
import collections
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))
from taplib import Tap  # noqa: E402

SEKISHO = os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))
SHARED = os.environ.get("SEKISHO_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
FIXTURES = os.path.join(SHARED, "fixtures", "pod-security")

# A check of restricted replaces its sibling of baseline, from this version on: where it denies, the sibling may be named beside it.
REPLACED = {
    "capabilities_baseline": ("capabilities_restricted", 22),
    "hostpathvolumes": ("restrictedvolumes", 0),
    "procmount": ("procmount_restricted", 35),
    "seccompprofile_baseline": ("seccompprofile_restricted", 19),
}

GOOD = """apiVersion: v1
kind: Pod
metadata: {name: good}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: web
    image: example
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
BAD = GOOD.replace("metadata: {name: good}", "metadata: {name: bad}").replace(
    "allowPrivilegeEscalation: false", "privileged: true, allowPrivilegeEscalation: true")


def run(*args, stdin=""):
    done = subprocess.run([SEKISHO, "pod-security", *args], input=stdin, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def fixtures(tap):
    groups = collections.defaultdict(list)
    for path in sorted(glob.glob(os.path.join(FIXTURES, "*", "v*", "*", "*.yaml"))):
        level, version, want, name = path.split(os.sep)[-4:]
        groups[level, version].append((path, want, name[:-len(".yaml")].rstrip("0123456789")))
    if not groups:
        tap.skip("the pods of Kubernetes", f"no {FIXTURES}")
        return
    wrong, n = [], 0
    for (level, version), files in groups.items():
        _, out, _ = run(level, version, *(path for path, _, _ in files))
        answers = {line.split(" ")[0]: line.split(" ")[1:] for line in out.splitlines()}
        for path, want, check in files:
            n += 1
            new, since = REPLACED.get(check, (check, 0))
            decides = new if level == "restricted" and int(version.split(".")[1]) >= since else check
            got = answers.get(path, ["nothing"])
            good = got == ["pass"] if want == "pass" else (
                got[0] == "fail" and {check, decides} <= set(got[1].lower().split(",")))
            if not good:
                wrong.append(f"{path}: {' '.join(got)}")
    tap.ok(not wrong, f"{n} pods of Kubernetes, {len(groups)} levels and versions", "\n".join(wrong[:20]))
    first = groups["restricted", "v1.37"]
    code, out, _ = run("privileged", "latest", *(path for path, _, _ in first))
    tap.ok(code == 0 and out.count(" pass\n") == len(first), "privileged admits them all", out)


def forms(tap, folder):
    template = "\n".join("      " + line for line in BAD.split("spec:\n")[1].splitlines())
    workload = "apiVersion: %s\nkind: %s\nmetadata: {name: w, namespace: shop}\nspec:\n  template:\n    spec:\n" + template + "\n"
    cron = ("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: w}\nspec:\n  jobTemplate:\n    spec:\n      template:\n"
            "        spec:\n" + "\n".join("    " + line for line in template.splitlines()) + "\n")
    indented = "\n".join("  " + line for line in BAD.splitlines())
    cases = {
        "deployment": workload % ("apps/v1", "Deployment"),
        "daemonset": workload % ("apps/v1", "DaemonSet"),
        "statefulset": workload % ("apps/v1", "StatefulSet"),
        "replicaset": workload % ("apps/v1", "ReplicaSet"),
        "old-deployment": workload % ("extensions/v1beta1", "Deployment"),
        "replicationcontroller": workload % ("v1", "ReplicationController"),
        "job": workload % ("batch/v1", "Job"),
        "cronjob": cron,
        "podtemplate": (workload % ("v1", "PodTemplate")).replace("\nspec:\n  template", "\ntemplate").replace("\n    spec:", "\n  spec:"),
        "list": "apiVersion: v1\nkind: List\nitems:\n-" + indented[1:] + "\n",
        "typed-list": "apiVersion: v1\nkind: PodList\nitems:\n-" + indented[1:].replace("apiVersion: v1\n  kind: Pod\n  ", "") + "\n",
        "second-document": GOOD + "---\n" + BAD,
        "alias": GOOD.replace("  containers:", "  initContainers: &c\n  - {name: a, securityContext: {privileged: true}}\n  containers:"),
        "ephemeral": GOOD + "  ephemeralContainers: [{name: debug, securityContext: {privileged: yes}}]\n",
    }
    for name, text in cases.items():
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        code, out, err = run("baseline", "latest", path)
        tap.ok(code == 1 and out == f"{path} fail privileged\n", f"privileged in a {name}", f"{code} {out} {err}")
    document = os.path.join(folder, "pod.json")
    with open(document, "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
                   "spec": {"hostPID": True, "containers": [{"name": "a", "ports": [{"hostPort": 80}]}]}}, file, indent="\t")
    code, out, _ = run("baseline", "v1.20", document)
    tap.ok(code == 1 and out == f"{document} fail hostNamespaces,hostPorts\n", "JSON", out)
    code, out, _ = run("restricted", "latest", "-", stdin=GOOD)
    tap.ok(code == 0 and out == "- pass\n", "standard input", out)
    windows = GOOD.replace("spec:\n", "spec:\n  os: {name: windows}\n", 1).replace("{drop: [ALL]}", "{add: [SYS_ADMIN]}")
    _, old, _ = run("restricted", "v1.24", "-", stdin=windows)
    code, out, _ = run("restricted", "v1.25", "-", stdin=windows)
    tap.ok(old == "- fail capabilities_baseline,capabilities_restricted\n" and code == 0 and out == "- pass\n",
           "a check that is replaced decides nothing: of pods for Windows its replacement asks nothing since v1.25", old + out)


def errors(tap, folder):
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    cases = {
        "no pod": ("apiVersion: v1\nkind: Service\nmetadata: {name: x}\n", "holds no pod"),
        "nothing": ("", "holds no pod"),
        "another's deployment": ("apiVersion: example.org/v1\nkind: Deployment\nspec: {}\n", "holds no pod"),
        "no template": ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {}\n",
                        "line 1, column 1: Deployment x does not say what its pods are"),
        "no container": ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n", "Pod x has no container"),
        "malformed": (GOOD + "\tx: y\n", "line 10, column 1: "),
        "a key twice": (GOOD + "  hostPID: false\n  hostPID: true\n", 'line 11, column 3: the key "hostPID", which line 10 has too'),
        "a merge that may win": ("x: &x {hostPID: true}\n---\n" + GOOD.replace("spec:\n", "x: &x {hostPID: true}\nspec:\n  hostPID: false\n  <<: *x\n"),
                                 'a merge brings the key "hostPID"'),
        "a flag that is text": (GOOD + "  hostPID: 'true'\n", "line 10, column 12: hostPID must be true or false"),
        "a list that is none": (GOOD + "  initContainers: {a: b}\n", "initContainers must be a list"),
        "a container that is none": (GOOD + "  initContainers: [5]\n", "a container must be an object"),
        "a number that is none": (GOOD.replace("runAsNonRoot: true", "runAsNonRoot: true, runAsUser: '0'"), "runAsUser must be a whole number"),
        "a key in base64": (GOOD + "  !!binary aG9zdFBJRA==: true\n", "line 10, column 3: a text with the tag !!binary"),
        "a bomb": (bomb, "more than 1,000,000 nodes"),
        "deep": ("[" * 100000, "nested deeper than 100 levels"),
    }
    paths = []
    for name, (text, words) in cases.items():
        path = os.path.join(folder, name.replace(" ", "-").replace("'", ""))
        paths.append(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        code, out, err = run("privileged", "latest", path)
        tap.ok(code == 3 and out.startswith(f"{path} error ") and words in out and out.count("\n") == 1,
               f"cannot be judged: {name}", f"{code} {out} {err}")
    good, bad = os.path.join(folder, "good"), os.path.join(folder, "bad")
    for path, text in ((good, GOOD), (bad, BAD)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    code, out, _ = run("restricted", "latest", good, *paths, folder, os.path.join(folder, "absent"), bad, good)
    lines = out.splitlines()
    tap.ok(code == 3 and lines[0] == f"{good} pass" and lines[-1] == f"{good} pass"
           and lines[-2] == f"{bad} fail privileged,allowPrivilegeEscalation" and out.count(" error ") == len(paths) + 2,
           "an error costs no other file", out)
    for words, args in (("needs a level", []), ("needs a level", ["baseline", "v1.1"]), ("the levels are", ["base", "v1.1", good]),
                        ("the versions are", ["baseline", "1.1", good]), ("the versions are", ["baseline", "v2.0", good]),
                        ("the versions are", ["baseline", "v1.01", good]), ("the versions are", ["baseline", "v1.", good]),
                        ("there are text and json", ["-o", "xml", "baseline", "v1.1", good])):
        code, out, err = run(*args)
        tap.ok(code == 2 and not out and words in err, f"usage: {' '.join(args[:4])}", f"{code} {out} {err}")
    code, out, err = run("baseline", "v1.99", good)
    tap.ok(code == 0 and out == f"{good} pass\n" and "v1.99 is newer" in err, "a newer version is judged as the newest known", err)


def as_json(tap, folder):
    bad = os.path.join(folder, "bad")
    with open(bad, "w", encoding="utf-8") as file:
        file.write(BAD)
    code, out, _ = run("-o", "json", "restricted", "v1.30", bad, os.path.join(folder, "absent"))
    report = json.loads(out)
    first, second = report["files"]
    tap.ok(code == 3 and report["schema"] == "sekisho.pod-security/1" and report["version"] == "v1.30"
           and first["verdict"] == "fail" and first["checks"] == ["privileged", "allowPrivilegeEscalation"]
           and first["reasons"][1]["reason"] == 'container "web" must set securityContext.allowPrivilegeEscalation=false'
           and first["reasons"][1]["line"] == 9 and first["reasons"][1]["object"] == "Pod bad"
           and second["verdict"] == "error" and "No such file" in second["error"]
           and [c["id"] for c in report["checks"]] == first["checks"] and "T1611" in report["checks"][0]["tags"],
           "JSON with reasons", out)
    nasty = BAD.replace("name: web", 'name: "a\\e[31m\\"b"')
    code, out, _ = run("-o", "json", "baseline", "v1.30", "-", stdin=nasty)
    tap.ok(code == 1 and "\x1b" not in out and json.loads(out)["files"][0]["reasons"], "hostile names", out)
    many = GOOD.split("  containers:")[0] + "  containers:\n" + "".join(
        f"  - {{name: c{i}, securityContext: {{privileged: true}}}}\n" for i in range(500))
    code, out, _ = run("-o", "json", "baseline", "latest", "-", stdin=many)
    file = json.loads(out)["files"][0]
    tap.ok(code == 1 and len(file["reasons"]) == 200 and file["reasons_omitted"] == 300, "many reasons are counted", out[:400])


def worker_of(pid):
    """The first child of the process; 0 once it has ended without one."""
    while True:
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
                children = file.read().split()
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                state = file.read().rsplit(") ", 1)[1][0]
        except OSError:
            return 0
        if children or state == "Z":
            return int(children[0]) if children else 0


def killed(tap, folder):
    """A worker that dies costs the file that it was at: here, wherever it is when it is killed."""
    many = GOOD + "---\n" + "---\n".join([GOOD] * 3000)
    paths = [os.path.join(folder, f"many{i}") for i in range(12)]
    for path in paths:
        with open(path, "w", encoding="utf-8") as file:
            file.write(many)
    child = subprocess.Popen([SEKISHO, "pod-security", "restricted", "latest", *paths], stdout=subprocess.PIPE, text=True)
    worker = worker_of(child.pid)
    if worker:
        os.kill(worker, signal.SIGKILL)
    out = child.communicate(timeout=60)[0]
    lines = out.splitlines()
    tap.ok(worker and child.returncode == 3 and len(lines) == 12 and out.count(" error ") == 1 and out.count(" pass\n") == 11
           and "kill" in out.lower(), "a worker that is killed costs one file", out)


def main():
    tap = Tap(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        fixtures(tap)
        forms(tap, folder)
        errors(tap, folder)
        as_json(tap, folder)
        killed(tap, folder)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
