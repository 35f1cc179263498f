#!/usr/bin/env python3
# alone: agent
"""Drift against real containers: only what the scanned image contains may run. What is dropped, changed, replaced, in memory or on a
volume is killed before its first instruction in enforce mode, told in alert mode, and left alone in log mode; what the image has runs.
Here the kernel kills at exec; that BPF LSM denies is tested in a virtual machine (test-lsm-vm.sh).
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import agentlib
import runclib
import taplib
from agentlib import skip_all, until

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
KILLED = 137
TOLD_SECONDS = 10

tap = taplib.Tap(dict(os.environ))


class Agent(agentlib.Agent):
    def __init__(self, work, name, *options):
        super().__init__(work, name, "--least", "informational", *options)

    def alerts(self, container, **fields):
        """Those of drift in a container, whose fields are these."""
        outs = [(a, a["output_fields"]) for a in agentlib.json_lines(self.alerts_path) if a["source"] == "drift"]
        return [a for a, out in outs
                if out.get("container.id") == container and all(out.get("drift." + k) == v for k, v in fields.items())]


def fill(c, work, actor):
    """The image, and what is mounted into its container."""
    for name in ("usr/bin/actor", "usr/bin/victim", "usr/bin/victim2", "usr/bin/victim3", "usr/bin/touched", "usr/bin/old"):
        with open(actor, "rb") as file:
            c.add(name, file.read(), 0o755)
    c.add("usr/bin/tool", "#!/bin/sh\nexit 7\n", 0o755)
    c.add("opt/empty")
    c.add("usr/share/app.sh", "exit 8\n")
    c.add("usr/share/app.pl", "exit 9;\n")
    c.add_program("/bin/true", "usr/bin/dynamic")
    c.add_program(shutil.which("perl"), "usr/bin/perl")
    loader = os.path.join(c.image, "lib64/ld-linux-x86-64.so.2")
    if not os.path.exists(loader):
        os.makedirs(os.path.dirname(loader), exist_ok=True)
        shutil.copy(os.path.realpath("/lib64/ld-linux-x86-64.so.2"), loader)
    volume = os.path.join(work, "volume-" + c.id)
    os.makedirs(volume)
    shutil.copy(actor, os.path.join(volume, "actor"))
    c.more_mounts = [{"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]},
                     {"destination": "/data", "type": "bind", "source": volume, "options": ["rbind", "rw"]}]


OWN_OVERLAY = ("mkdir -p /opt/l/bin /opt/l2 /opt/m; cp /usr/bin/actor /opt/l/bin/a; "
               "busybox mount -t overlay -o lowerdir=/opt/l2:/opt/l none /opt/m && exec /opt/m/bin/a noop")

# Name, command, verdict that is told (None: it may run), exit code of what runs.
WAITS = "echo 'sleep 20; exit 3' > /opt/%s.sh; "
CASES = (
    ("the image's program", "exec /usr/bin/actor noop", None, 0),
    ("the image's program by a link that was made", "ln -s /usr/bin/actor /opt/l; exec /opt/l noop", None, 0),
    ("the image's script", "exec /usr/bin/tool", None, 7),
    ("the image's script, given to sh", "exec sh /usr/share/app.sh", None, 8),
    ("the image's script, given to perl", "exec perl /usr/share/app.pl", None, 9),
    ("the image's program, given to ld.so", "exec /lib64/ld-linux-x86-64.so.2 /usr/bin/dynamic", None, 0),
    ("a dropped file that is only read", "cp /usr/bin/actor /opt/read; cat /opt/read >/dev/null; exec /bin/true", None, 0),
    ("data that was made, given to a script of the image", "echo x > /opt/data; exec sh /usr/share/app.sh /opt/data", None, 8),
    ("a dropped program", "cp /usr/bin/actor /opt/x; exec /opt/x noop", "dropped", 0),
    ("by a symbolic link", "cp /usr/bin/actor /opt/x1; ln -s /opt/x1 /opt/y; exec /opt/y noop", "dropped", 0),
    ("by a hard link", "cp /usr/bin/actor /opt/x2; ln /opt/x2 /opt/h; exec /opt/h noop", "dropped", 0),
    ("by a descriptor", "cp /usr/bin/actor /opt/x3; exec /usr/bin/actor fexec /opt/x3 noop", "dropped", 0),
    ("changed in place", "cat /usr/bin/actor >> /usr/bin/victim; exec /usr/bin/victim noop", "changed", 0),
    ("changed only in its times", "touch /usr/bin/touched; exec /usr/bin/touched noop", "changed", 0),
    ("another renamed over it", "cp /usr/bin/actor /usr/bin/n; mv /usr/bin/n /usr/bin/victim2; exec /usr/bin/victim2 noop", "dropped", 0),
    ("removed and made anew", "rm /usr/bin/victim3; cp /usr/bin/actor /usr/bin/victim3; exec /usr/bin/victim3 noop", "dropped", 0),
    ("in memory", "exec /usr/bin/actor memfd x /usr/bin/actor noop", "memfd", 0),
    ("in memory, by its path", "exec /usr/bin/actor memfd-path x /usr/bin/actor noop", "memfd", 0),
    ("deleted", "cp /usr/bin/actor /opt/d; exec /usr/bin/actor deleted /opt/d noop", "dropped", 0),
    ("on a tmpfs", "cp /usr/bin/actor /run/x; exec /run/x noop", "tmpfs", 0),
    ("on a volume", "exec /data/actor noop", "mounted", 0),
    ("a dropped script", "printf '#!/bin/sh\\nsleep 20\\nexit 3\\n' > /opt/s; chmod +x /opt/s; exec /opt/s", "dropped", 3),
    ("sh and a dropped script", WAITS % "a" + "exec sh /opt/a.sh", "dropped", 3),
    ("sh with options", WAITS % "b" + "exec sh -e -u /opt/b.sh", "dropped", 3),
    ("sh and a script on a tmpfs", "echo 'sleep 20; exit 3' > /run/c.sh; exec sh /run/c.sh", "tmpfs", 3),
    ("perl and a dropped script", "echo 'sleep 20; exit 3' > /opt/d.pl; exec perl /opt/d.pl", "dropped", 3),
    ("ld.so and a dropped program", "cp /usr/bin/perl /opt/p; exec /lib64/ld-linux-x86-64.so.2 /opt/p -e 'sleep 20; exit 3'", "dropped", 3),
)


def run_cases(agent, c, mode):
    for name, command, verdict, code in CASES:
        before = len(agent.alerts(c.id))
        wanted = KILLED if verdict and mode == "enforce" else code
        if mode != "enforce" and "sleep 20" in command:
            command = command.replace("sleep 20", "sleep 1")
        got, output = c.run("/bin/sh", "-c", command)
        told = [] if verdict is None or not until(lambda: len(agent.alerts(c.id)) > before, TOLD_SECONDS) else agent.alerts(c.id)[before:]
        if verdict is None:
            tap.ok(got == wanted, "%s: %s: runs" % (mode, name), "exit %d, wanted %d\n%s\n%s" % (got, wanted, output, agent.alerts(c.id)[before:]))
            continue
        a = told[0] if told else {"output_fields": {}}
        action = "none" if mode != "enforce" else "killed-after" if "sleep" in command else "killed"  # scripts are found by their name
        priority = {"enforce": "Critical", "alert": "Warning", "log": "Informational"}[mode]
        good = (got == wanted and a["output_fields"].get("drift.verdict") == verdict and a.get("action") == action and
                a.get("priority") == priority and a["output_fields"].get("drift.mode") == mode)
        tap.ok(good, "%s: %s: %s" % (mode, name, "killed" if mode == "enforce" else "told"),
               "exit %d, wanted %d, %s\n%s\n%s" % (got, wanted, verdict, output, json.dumps(told)[:1500]))


def test_modes(work, actor, same_disk):
    """The same image in three containers with three modes, and one agent."""
    containers = {}
    agent = None
    try:
        for mode in ("enforce", "alert", "log") if same_disk else ("enforce",):
            c = containers[mode] = runclib.Container(work, "drift-%s%d" % (mode, same_disk))
            c.same_disk, c.overlay_options = same_disk, "" if same_disk else ",xino=on"  # numbers of its own
            fill(c, work, actor)
        manifest = os.path.join(work, "manifest%d" % same_disk)
        scan = subprocess.run([SEKISHO, "scan", "dir:" + containers["enforce"].image, "-q", "--no-record", "--manifest", manifest],
                              capture_output=True, text=True)
        if scan.returncode not in (0, 1):
            tap.ok(False, "a manifest is written", scan.stderr)
            return
        ids = "sekisho-drift-*%d-%d" % (same_disk, os.getpid())
        options = ["--drift", ids + "=" + manifest]
        for mode, c in containers.items():
            options += ["--drift-mode", c.id + "=" + mode]
        agent = Agent(work, "agent%d" % same_disk, *options)
        if not agent.is_watching:
            tap.ok(False, "the agent starts", agent.log())
            return
        for mode, c in containers.items():
            why = c.start("/usr/bin/actor", "wait")
            if why:
                tap.skip(mode, why)
                continue
            until(lambda c=c: "container %s: drift" % c.id in agent.log())
            run_cases(agent, c, mode)
        check_words(agent, containers["enforce"])
        tap.ok(("by the manifest of" in agent.log()) and ("looked up in" in agent.log()) != same_disk,
               "the agent says what protects a container" + ("" if same_disk else ", and how the layers were had"), agent.log())
        tap.ok("is not what the scan saw" not in agent.log(), "all files of the image are what the scan saw", agent.log())
        code = agent.end()
        tap.ok(code == 0, "the agent ends", "exit %s\n%s" % (code, agent.log()))
        agent = None
    finally:
        for c in containers.values():
            c.end()
        if agent:
            agent.end()


def check_words(agent, c):
    changed = [a["output"] for a in agent.alerts(c.id, verdict="changed", file="/usr/bin/victim")]
    tap.ok(any("/usr/bin/victim was changed since the scan, of layer 1; the process was killed" in w for w in changed),
           "an alert says whose file was changed", changed)
    replaced = [a["output"] for a in agent.alerts(c.id, verdict="dropped", file="/usr/bin/victim2")]
    tap.ok(any("/usr/bin/victim2 stands in the place of a file, of layer 1" in w for w in replaced),
           "an alert says in whose place a file stands", replaced)
    dropped = [a["output"] for a in agent.alerts(c.id, verdict="dropped", file="/opt/x")]
    tap.ok(any("/opt/x is not in the image: it was made since the container was" in w for w in dropped),
           "an alert says that a file is not in the image", dropped)


def test_layers_only(work, actor):
    """Without a manifest: the layers protect. A container that was there before the agent is protected too."""
    c = runclib.Container(work, "drift-old")
    c.same_disk, c.more_capabilities = True, ["CAP_SYS_ADMIN"]
    agent = None
    try:
        fill(c, work, actor)
        why = c.start("/usr/bin/actor", "wait")
        if why:
            tap.skip("without a manifest", why)
            return
        agent = Agent(work, "layers", "--drift-mode", c.id + "=enforce")
        tap.ok(until(lambda: "container %s: drift enforce, by its layers" % c.id in agent.log()),
               "a container that ran before is protected before its next program", agent.log())
        for what, command, wanted in (("its program runs", "exec /usr/bin/actor noop", 0),
                                      ("a dropped one does not", "cp /usr/bin/actor /opt/x; exec /opt/x noop", KILLED),
                                      ("nor one in the lower layer of an overlay of its own making", OWN_OVERLAY, KILLED)):
            got, output = c.run("/bin/sh", "-c", command)
            tap.ok(got == wanted, "by layers: " + what, "exit %d\n%s\n%s" % (got, output, agent.log()))
        code = agent.end()
        agent = None
        tap.ok(code == 0, "the agent ends", code)
        got, output = c.run("/bin/sh", "-c", "exec /opt/x noop")
        tap.ok(got == 0, "after the agent nothing is left in the kernel", "exit %d\n%s" % (got, output))
    finally:
        c.end()
        if agent:
            agent.end()


def test_tampered_storage(work, actor):
    """Files of the image that were changed on the host, below the overlay, after the scan."""
    c = runclib.Container(work, "drift-tampered")
    c.same_disk = True
    agent = None
    try:
        fill(c, work, actor)
        manifest = os.path.join(work, "tampered")
        subprocess.run([SEKISHO, "scan", "dir:" + c.image, "-q", "--no-record", "--manifest", manifest], capture_output=True)
        with open(os.path.join(c.image, "usr/bin/old"), "r+b") as file:  # the same size
            file.seek(-1, os.SEEK_END)
            byte = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([byte[0] ^ 1]))
        with open(os.path.join(c.image, "usr/bin/victim"), "ab") as file:
            file.write(b"x")
        agent = Agent(work, "tampered-agent", "--drift", c.id + "=" + manifest, "--drift-mode", c.id + "=enforce")
        why = c.start("/usr/bin/actor", "wait")
        if why:
            tap.skip("tampered storage", why)
            return
        until(lambda: "container %s: drift" % c.id in agent.log())
        got, output = c.run("/usr/bin/victim", "noop")
        tap.ok(got == KILLED, "a file of another size than the scan saw is killed", "exit %d\n%s\n%s" % (got, output, agent.log()))
        tap.ok(until(lambda: "/usr/bin/old is not what the scan saw" in agent.log()), "another content is found by its digest", agent.log())
        got, output = c.run("/usr/bin/old", "noop")
        tap.ok(got == KILLED, "and is killed from then on", "exit %d\n%s" % (got, output))
        got, output = c.run("/usr/bin/actor", "noop")
        tap.ok(got == 0, "the others run", "exit %d\n%s" % (got, output))
        with open(os.path.join(c.disk, "image/usr/bin/touched"), "r+b") as file:  # while the container runs
            file.write(file.read(4))
        got, output = c.run("/usr/bin/touched", "noop")
        tap.ok(got == KILLED, "a file that is written to below the running container is killed", "exit %d\n%s" % (got, output))
    finally:
        c.end()
        if agent:
            agent.end()


def test_podman(work, actor):
    """An image of podman's, known by its id: what was scanned as an archive protects what runs from it."""
    what, name = "podman: known by the image's id", "sekisho-drift-%d" % os.getpid()
    for program in ("podman", "umoci", "skopeo"):
        if not shutil.which(program):
            return tap.skip(what, program + " is not installed")
    with open(os.environ["CONTAINERS_STORAGE_CONF"], "w") as file:
        file.write('[storage]\ndriver = "overlay"\ngraphroot = "%s/pods"\nrunroot = "%s/pods-run"\n' % (work, work))
    image = runclib.Container(work, "drift-podman")
    fill(image, work, actor)
    podman = ["podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]
    agent = None

    def do(*command):
        return subprocess.run(command, env=dict(os.environ, HOME=work, TMPDIR=work), cwd=work, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=runclib.WAIT_SECONDS)
    try:
        for command in (["umoci", "init", "--layout", "oci"], ["umoci", "new", "--image", "oci:v1"],
                        ["umoci", "insert", "--rootless", "--image", "oci:v1", os.path.relpath(image.image, work), "/"],
                        ["skopeo", "copy", "-q", "oci:oci:v1", "docker-archive:image.tar:localhost/drift:v1"],
                        [*podman, "load", "-q", "-i", "image.tar"]):
            done = do(*command)
            if done.returncode:
                return tap.skip(what, "%s: %s" % (" ".join(command[:3]), done.stderr.strip()[-200:]))
        scan = do(SEKISHO, "scan", "image.tar", "-q", "--no-record", "--manifest", "podman.manifest")
        agent = Agent(work, "podman", "--drift", os.path.join(work, "podman.manifest"), "--drift-mode", "off", "--drift-mode", name + "=enforce")
        done = do(*podman, "run", "-d", "--name", name, "--network", "none", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=20000:20000",
                  "localhost/drift:v1", "/usr/bin/actor", "wait")
        if done.returncode:
            return tap.skip(what, "podman run: " + done.stderr.strip()[-200:])
        good = until(lambda: "container %s: drift enforce, by the manifest of" % name in agent.log(), TOLD_SECONDS)
        tap.ok(good, what, "%s\n%s" % (scan.stdout + scan.stderr, agent.log()))
        for case, command, wanted in (("its program runs", "exec /usr/bin/actor noop", 0),
                                      ("a dropped one is killed", "cp /usr/bin/actor /opt/x; exec /opt/x noop", KILLED),
                                      ("a changed one is killed", "echo >> /usr/bin/victim; exec /usr/bin/victim noop", KILLED)):
            done = do(*podman, "exec", name, "/bin/sh", "-c", command)
            tap.ok(done.returncode == wanted, "podman: " + case, "exit %d\n%s\n%s" % (done.returncode, done.stderr, agent.log()))
        tap.ok("looked up in" not in agent.log(), "podman: its layers are read without what lies above them", agent.log())
    finally:
        if agent:
            agent.end()
        do(*podman, "rm", "-f", "-t", "0", "-a")
        do(*podman, "system", "reset", "-f")
        with open("/proc/self/mounts") as file:
            for point in sorted((line.split()[1] for line in file if " " + work + "/pods" in line), reverse=True):
                do("umount", "-l", point)


DROPPED_AGAIN = ("cp /usr/bin/actor /opt/again; i=0; while test $i -lt 300; do /opt/again noop && echo ran >> /tmp/ran; i=$((i+1)); done; "
                 "echo done > /tmp/done")


def test_reload(work, actor):
    """Another manifest in the file's place: read at SIGHUP, in force in the container that runs, and at no moment is there none."""
    c = runclib.Container(work, "drift-reload")
    agent = loop = None
    fill(c, work, actor)
    manifests = [os.path.join(work, "reload%d" % i) for i in range(2)]

    def scan(to):
        subprocess.run([SEKISHO, "scan", "dir:" + c.image, "-q", "--no-record", "--manifest", to], capture_output=True, check=False)

    def late():
        return c.run("/bin/sh", "-c", "exec /usr/bin/late noop")[0]
    try:
        scan(manifests[0])
        with open(actor, "rb") as file:
            c.add("usr/bin/late", file.read(), 0o755)
        scan(manifests[1])
        inside = os.path.join(work, "reload")
        shutil.copy(manifests[0], inside)
        agent = Agent(work, "reload", "--drift", c.id + "=" + inside, "--drift-mode", "off", "--drift-mode", c.id + "=enforce")
        why = c.start("/usr/bin/actor", "wait")
        if why or not agent.is_watching:
            return tap.skip("manifests are read anew", why or agent.log()[-200:])
        until(lambda: "container %s: drift enforce" % c.id in agent.log())
        tap.ok(late() == KILLED, "what the manifest does not list is killed", agent.log())
        loop = subprocess.Popen(["runc", "exec", c.id, "/bin/sh", "-c", DROPPED_AGAIN], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copy(manifests[1], inside)
        agent.send(signal.SIGHUP)
        good = until(lambda: "1 of 1 manifests are others" in agent.log() and agent.log().count("container %s: drift enforce" % c.id) == 2, TOLD_SECONDS)
        tap.ok(good and late() == 0, "by the manifest that took its place it runs, in the container that ran before", agent.log())
        loop.wait(runclib.WAIT_SECONDS)
        done, ran = [os.path.exists(os.path.join("/proc/%d/root/tmp" % c.pid(), name)) for name in ("done", "ran")]
        tap.ok(done and not ran, "and a dropped program never ran meanwhile", "%s %s" % (done, ran))
        agent.send(signal.SIGHUP)
        tap.ok(until(lambda: agent.log().count("rules loaded anew") == 2) and agent.log().count("are others") == 1, "the same manifest once more is no other", agent.log())
        with open(inside, "a") as file:
            file.write("x")
        agent.send(signal.SIGHUP)
        good = until(lambda: "the manifest that was there stays: --drift " + inside in agent.log(), TOLD_SECONDS)
        tap.ok(good and late() == 0, "one that is broken leaves the one that is there", agent.log())
        tap.ok(agent.end() == 0, "and the agent ends", agent.log())
        agent = None
    finally:
        if loop and loop.poll() is None:
            loop.kill()
        if agent:
            agent.end()
        c.end()
    return None


def test_refusals():
    for what, options, words in (("a mode", ["--drift-mode", "x=strict"], "--drift-mode takes"),
                                 ("what is forbidden", ["--forbid", "x=fork"], "--forbid takes"),
                                 ("a directory", ["--append-only", "x=var/log"], "--append-only takes"),
                                 ("a manifest", ["--drift", "/dev/null"], "--drift /dev/null: it ends after 0 lines")):
        tap.expect("%s that is none is refused" % what, [SEKISHO, "agent", "--foreground", *options], 3, [words])


def main():
    why = runclib.missing()
    if why or not shutil.which("perl") or not shutil.which("cc"):
        skip_all(why or "perl and cc are needed")
    doctor = json.loads(subprocess.run([SEKISHO, "doctor", "--json"], capture_output=True, text=True).stdout)
    kill = [c for c in doctor["checks"] if c["name"] == "kill by manifest"]
    if not kill or not kill[0]["good"]:
        skip_all("the kernel does not take the guard: " + (kill[0]["words"] if kill else "?"))
    with tempfile.TemporaryDirectory() as work:
        os.environ["CONTAINERS_STORAGE_CONF"] = os.path.join(work, "storage.conf")  # where the agent looks for podman's store
        actor = os.path.join(work, "actor")
        built = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", actor, os.path.join(HERE, "../tools/actor.c")],
                               capture_output=True, text=True)
        if built.returncode:
            skip_all("no static program can be built: " + built.stderr.strip()[:100])
        test_refusals()
        test_modes(work, actor, True)
        test_modes(work, actor, False)
        test_layers_only(work, actor)
        test_tampered_storage(work, actor)
        test_reload(work, actor)
        test_podman(work, actor)
    tap.end()
    sys.exit(1 if tap.failed else 0)


main()
