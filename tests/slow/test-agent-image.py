#!/usr/bin/env python3
# alone: agent
"""The image recipe is built as its first lines say, on a base made of Debian's packages, and the agent runs in it with what the
DaemonSet's manifest gives it, translated into podman's words: it tells of a program that is dropped in another container, holds that
container, answers on its socket, and ends when it is told to. The image itself is scanned."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import agentlib  # noqa: E402
import containerlib  # noqa: E402
import taplib  # noqa: E402
from agentlib import until  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SERVICE = os.path.join(ROOT, "data/service")
SECONDS = 1800  # for any step of making it; compilers have work to do
CONF = '[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]\n[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\n'
HOLD = """
- rule: Dropped program, held
  desc: of the test
  condition: evt.type in (execve, execveat) and proc.in_container = true and proc.exe.layer = upper and proc.args contains hold-it
  output: "held %container.name"
  priority: CRITICAL
  action: freeze
"""

tap = taplib.Tap(dict(os.environ))


class Podman:
    """With a store of its own; undone by end()."""

    def __init__(self, work):
        self.place = os.path.join(work, "podman")
        os.makedirs(self.place)
        self.run_root = tempfile.mkdtemp(prefix="ski", dir="/tmp")  # podman takes no more than 50 characters
        conf = os.path.join(self.place, "containers.conf")
        with open(conf, "w") as file:
            file.write(CONF)
        self.environment = dict(os.environ, CONTAINERS_CONF=conf, TMPDIR=self.place, HOME=self.place)
        self.command = ["podman", "--root", os.path.join(self.place, "store"), "--runroot", self.run_root]

    def __call__(self, *words, seconds=120):
        """Exit code and output."""
        with open(os.path.join(self.place, "log"), "w+") as log:  # no pipe: conmon would hold it
            try:
                code = subprocess.run([*self.command, *words], env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      timeout=seconds).returncode
            except subprocess.TimeoutExpired:
                code = 99
            log.seek(0)
            return code, log.read().strip()

    def end(self):
        self("rm", "-f", "-a", "-t", "0")
        until(self.is_cleared, 20)

    def is_cleared(self):
        with open("/proc/self/mounts") as file:
            points = [line.split()[1] for line in file if line.split()[1].startswith((self.place + "/", self.run_root + "/"))]
        for point in sorted(points, reverse=True):
            subprocess.run(["umount", "-l", point], capture_output=True)
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.rmtree(self.run_root, ignore_errors=True)
        return not points and not os.path.exists(self.place) and not os.path.exists(self.run_root)


def make_base(podman, work):
    archive = os.path.join(work, "base.tar")
    mirror = "http://deb.debian.org/debian"
    done = subprocess.run(["mmdebstrap", "--mode=root", "--variant=minbase", "bookworm", archive, "deb %s bookworm main" % mirror,
                           "deb %s bookworm-updates main" % mirror, "deb %s-security bookworm-security main" % mirror],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        return "Debian's packages cannot be fetched: " + done.stderr.strip()[-200:]
    code, words = podman("import", "-q", archive, "localhost/debian:12")
    os.unlink(archive)
    return None if code == 0 else "podman cannot import here: " + words[-200:]


def flags(pod, container, places):
    """What podman calls what the manifest asks for."""
    security = container["securityContext"]
    words = ["--user", str(security["runAsUser"]), "--network", "none"]
    if pod.get("hostPID"):
        words += ["--pid", "host"]
    if security["readOnlyRootFilesystem"]:
        words += ["--read-only", "--read-only-tmpfs=false"]
    if not security["allowPrivilegeEscalation"]:
        words += ["--security-opt", "no-new-privileges"]
    if security["seccompProfile"]["type"] == "Unconfined":
        words += ["--security-opt", "seccomp=unconfined"]
    if security["appArmorProfile"]["type"] == "Unconfined":
        words += ["--security-opt", "apparmor=unconfined"]
    words += ["--security-opt", "label=type:" + security["seLinuxOptions"]["type"]]
    words += ["--cap-drop", "ALL"] + [x for name in security["capabilities"]["add"] for x in ("--cap-add", name)]
    volumes = {v["name"]: v for v in pod["volumes"]}
    for mount in container["volumeMounts"]:
        path = places.get(mount["name"]) or volumes[mount["name"]]["hostPath"]["path"]
        at = path if mount["name"] == "runtimes" else mount["mountPath"]
        words += ["-v", "%s:%s%s" % (path, at, ":ro" if mount.get("readOnly") else "")]
    return words


def read_manifest():
    with open(os.path.join(SERVICE, "daemonset.yaml")) as file:
        daemon_set = next(d for d in yaml.safe_load_all(file) if d["kind"] == "DaemonSet")
    pod = daemon_set["spec"]["template"]["spec"]
    return pod, pod["containers"][0]


def check_image(podman, work):
    archive = os.path.join(work, "image.tar")
    podman("save", "-q", "--format", "oci-archive", "-o", archive, "localhost/sekisho:test", seconds=SECONDS)
    done = subprocess.run([agentlib.SEKISHO, "scan", "-q", "--no-record", "-o", "json", archive], capture_output=True, text=True, timeout=SECONDS)
    os.unlink(archive)
    report = json.loads(done.stdout)
    kinds = [f["kind"] for f in report["findings"]]
    # Debian's libgnutls has the keys of its own self-test in it.
    bad = [(f["id"], f["title"]) for f in report["findings"] if f["kind"] in ("malware", "secret") and "/libgnutls.so" not in f["title"]]
    tap.ok(not bad, "there is neither malware nor a secret of ours in the image", bad)
    late = [f["id"] for f in report["findings"] if f["kind"] == "vulnerability" and f["fix"]]
    print("# %d vulnerabilities of Debian's packages in the image, %d with a fix" % (kinds.count("vulnerability"), len(late)))
    other = [f for f in report["findings"] if f["kind"] not in ("vulnerability", "malware", "secret")]
    tap.ok(not [f for f in other if f.get("severity") in ("critical", "high")], "and nothing else that is serious", other)


def alerts(podman):
    """What the agent printed, for those who read the pod's log."""
    return [json.loads(line) for line in podman("logs", "agent")[1].splitlines() if line.startswith('{"')]


def check_agent(podman, work, container):
    pod, spec = read_manifest()
    places = {name: os.path.join(work, name) for name in ("state", "socket", "bpf")}
    for path in places.values():
        os.makedirs(path)
    places["runtimes"] = "/run/runc"
    with open(os.path.join(places["state"], "hold.yaml"), "w") as file:
        file.write(HOLD)
    own = "/var/lib/sekisho/hold.yaml"
    mounted = subprocess.run(["mount", "-t", "bpf", "bpf", places["bpf"]], capture_output=True, text=True)
    if mounted.returncode:
        return tap.skip("the agent in its image", "no BPF file system can be mounted: " + mounted.stderr)
    try:
        # As it stands in the manifest; then with a rule that holds containers, which needs what it may write.
        for round_, more in (("as it is", []), ("with an answer", ["-r", own])):
            code, words = podman("run", "-d", "--name", "agent", "--log-driver", "k8s-file", *flags(pod, spec, places), "localhost/sekisho:test",
                                 *spec["args"], *more)
            if not tap.ok(code == 0, "podman starts it with what the manifest gives, " + round_, words):
                return
            watching = until(lambda: "watching:" in podman("logs", "agent")[1] or podman("inspect", "-f", "{{.State.Running}}", "agent")[1] != "true")
            watching = watching and "watching:" in podman("logs", "agent")[1]
            if not tap.ok(watching, "it watches, " + round_, podman("logs", "agent")[1]):
                return
            print("# " + "\n# ".join(podman("logs", "agent")[1].splitlines()))
            (check_told if not more else check_held)(podman, container)
            code, words = podman("exec", "agent", "sekisho", "agent", "status")
            tap.ok(code == 0, "it answers on its socket, " + round_, words)
            podman("stop", "-t", "20", "agent")
            code, words = podman("inspect", "-f", "{{.State.ExitCode}}", "agent")
            tap.ok(words == "0", "it ends when it is told to, " + round_, words + podman("logs", "agent")[1])
            podman("rm", "-f", "agent")
        tap.ok(os.path.getsize(os.path.join(places["state"], "incidents.jsonl")) > 0, "its incidents are on the node")
    finally:
        podman("rm", "-f", "-t", "0", "agent")
        subprocess.run(["umount", places["bpf"]], capture_output=True)


def check_told(podman, container):
    container.drop("dropped")
    found = []

    def told():
        found[:] = [a for a in alerts(podman) if a["rule"] == "Dropped program executed" and a["output_fields"]["container.name"] == container.id]
        return found
    tap.ok(until(told), "it tells of a program dropped in another container", podman("logs", "agent")[1])
    tap.ok(found and found[0]["output_fields"]["proc.exepath"] == "/opt/dropped" and found[0]["action"] == "none", "with all that it knows", found[:1])


def check_held(podman, container):
    # Not waited for: who looks into a frozen container waits, too.
    held = subprocess.Popen(["runc", "exec", container.id, "/bin/sh", "-c", "cp /bin/busybox /opt/held && /opt/held true hold-it"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tap.ok(until(lambda: [a for a in alerts(podman) if a["rule"] == "Dropped program, held" and a["action"] == "frozen"]),
           "it holds that container", podman("logs", "agent")[1])
    path = cgroup_of(container)
    with open(os.path.join(path, "cgroup.events")) as file:
        events = file.read()
    tap.ok("frozen 1" in events, "whose cgroup is frozen", events)
    with open(os.path.join(path, "cgroup.freeze"), "w") as file:
        file.write("0")
    held.wait(agentlib.WAIT_SECONDS)


def cgroup_of(container):
    """Its directory in the v2 hierarchy."""
    return next(d for d, _, _ in os.walk(containerlib.cgroup_mount()) if os.path.basename(d) == container.id)


def main():
    agentlib.need_sensor("podman", "runc", "mmdebstrap", "busybox", "mount")
    if not yaml:
        agentlib.skip_all("python3-yaml is not installed")
    work = tempfile.mkdtemp()
    podman = Podman(work)
    container = agentlib.Container(work, "beside")
    try:
        reason = make_base(podman, work) or container.start()
        if reason:
            agentlib.skip_all(reason)
        code, words = podman("build", "--network", "host", "--build-arg", "DEBIAN=localhost/debian:12", "-f",
                             os.path.join(SERVICE, "Containerfile"), "-t", "localhost/sekisho:test", ROOT, seconds=SECONDS)
        tap.ok(code == 0, "the image is built", words[-3000:])
        if code == 0:
            tap.expect("its program runs", [*podman.command, "run", "--rm", "--network", "none", "localhost/sekisho:test", "--version"], 0, ["sekisho"],
                       **{k: podman.environment[k] for k in ("CONTAINERS_CONF", "TMPDIR", "HOME")})
            check_image(podman, work)
            check_agent(podman, work, container)
    finally:
        podman.end()
        container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
