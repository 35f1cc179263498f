#!/usr/bin/env python3
# alone: agent
"""The agent against a real container: each rule of data/rules/runtime.yaml with its trigger, its evasion twins and its near misses;
kill rules; rules loaded anew; lost events. Everything is told by what stands in the file of alerts.

Each program that is run gets an argument that no other has, so that its alerts are known among all others. Alerts come in the order
of events: once that of a last program is there, what is not there will not come.
"""
import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import runclib
import taplib
from agentlib import SEKISHO, WAIT_SECONDS, Agent, checks, need_sensor, skip_all, until

HERE = os.path.dirname(os.path.abspath(__file__))
RULE = {
    "dropped": "Dropped program executed",
    "tmpfs": "Program executed from memory file system",
    "memfd": "Fileless execution",
    "deleted": "Deleted program executed",
    "script": "Dropped file run by interpreter",
    "shell": "Program with a connection as its input and output",
    "server": "Shell run by a server",
    "packages": "Package manager in a running container",
    "terminal": "Terminal shell in container",
    "miner": "Looks like a coin miner",
    "thread": "Kernel thread by its title alone",
    "changed": "Program of the image changed",
    "volume": "Program executed from volume",
    "lain": "Program executed that lay on a volume",
    "posed": "Server by its title alone",
    "mapped": "Dropped code mapped",
}
KILL = """
- rule: Kill what is not in the image
  desc: of the test
  condition: evt.type in (execve, execveat) and proc.in_container = true and proc.exe.layer in (upper, memfd)
  output: killed (program=%proc.exepath command=%proc.cmdline)
  priority: CRITICAL
  action: kill
"""
TELL = KILL.replace("action: kill", "tags: [reloaded]")
UNDECIDABLE = KILL.replace("proc.in_container = true", "proc.name = evil")

tap = taplib.Tap(dict(os.environ))


class Container:
    """A runc container on an overlay: its image is the lower layer, what is made in it lies in the upper one."""

    def __init__(self, work):
        self.work, self.id, self.n = work, "sekisho-agent-%d" % os.getpid(), 0
        self.bundle, self.image = os.path.join(work, "bundle"), os.path.join(work, "image")
        self.root = os.path.join(self.bundle, "rootfs")
        self.is_mounted = False

    def make_image(self):
        for name in ("bin", "lib64", "usr/bin", "usr/sbin", "usr/share", "opt", "proc", "dev", "run", "data", "etc", "tmp", "var",
                     "lib/x86_64-linux-gnu"):
            os.makedirs(os.path.join(self.image, name), exist_ok=True)
        actor = os.path.join(self.image, "usr/bin/actor")
        built = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", actor, os.path.join(HERE, "../tools/actor.c")],
                               capture_output=True, text=True)
        if built.returncode:
            return "no static program can be built: " + built.stderr.strip()[:100]
        for name in ("usr/sbin/nginx", "usr/bin/apt-get", "usr/bin/dpkg", "usr/bin/xmrig", "usr/bin/victim", "usr/bin/victim2",
                     "usr/bin/grep"):
            shutil.copy(actor, os.path.join(self.image, name))
        shutil.copy(shutil.which("busybox"), os.path.join(self.image, "bin/busybox"))
        for name in ("sh", "cp", "ln", "cat", "chmod", "mkdir", "env", "true", "printf", "mv", "rm"):
            os.symlink("busybox", os.path.join(self.image, "bin", name))
        os.symlink("/bin/busybox", os.path.join(self.image, "usr/bin/notashell"))
        for name, text in (("usr/share/app.sh", ":\n"), ("usr/bin/dnf", "#!/bin/sh\n:\n")):
            with open(os.path.join(self.image, name), "w") as file:
                file.write(text)
            os.chmod(file.name, 0o755)
        for name in ("/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"):
            if os.path.exists(name):
                shutil.copy(name, self.image + name)
        shutil.copy("/bin/true", os.path.join(self.image, "usr/bin/dynamic"))
        return None

    def start(self):
        for name in ("upper", "overlay-work", "volume"):
            os.makedirs(os.path.join(self.work, name))
        os.makedirs(self.root)
        shutil.copy(os.path.join(self.image, "usr/bin/actor"), os.path.join(self.work, "volume/actor"))
        options = "lowerdir=%s,upperdir=%s/upper,workdir=%s/overlay-work" % (self.image, self.work, self.work)
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root], capture_output=True, text=True)
        if mounted.returncode:
            return "no overlay can be mounted: " + mounted.stderr.strip()
        self.is_mounted = True
        subprocess.run(["runc", "spec", "-b", self.bundle], check=True)
        path = os.path.join(self.bundle, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=["/usr/bin/actor", "wait"], env=["PATH=/bin:/usr/bin"])
        del config["process"]["rlimits"]
        for capabilities in config["process"]["capabilities"].values():
            capabilities += ["CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH"]  # linkat of a descriptor, files of others
        config["root"]["readonly"] = False
        memory = {"type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]}
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev", "/dev/pts")] + [
            dict(memory, destination="/run"), dict(memory, destination="/dev/shm"),
            {"destination": "/data", "type": "bind", "source": os.path.join(self.work, "volume"), "options": ["rbind", "rw"]}]
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
        with open(path, "w") as file:
            json.dump(config, file)
        return runclib.run_detached(self.bundle, self.id, os.path.join(self.work, "runc.log"))

    def run(self, *command, tty=False):
        """Runs it in the container; its exit code."""
        args = ["runc", "exec"] + (["-t"] if tty else []) + [self.id, *command]
        controller = terminal = None
        if tty:
            controller, terminal = pty.openpty()
        try:
            p = subprocess.Popen(args, stdin=terminal if tty else subprocess.DEVNULL, stdout=terminal if tty else subprocess.DEVNULL,
                                 stderr=terminal if tty else subprocess.DEVNULL, start_new_session=True)
            if tty:
                os.close(terminal)
                try:
                    while os.read(controller, 4096):
                        pass
                except OSError:  # the other side is closed
                    pass
            return p.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            return 99
        finally:
            if controller is not None:
                os.close(controller)

    def sh(self, script, *args, **more):
        return self.run("/bin/sh", "-c", script, "sh", *args, **more)

    def run_short(self, name, *command):
        """A container of its own that ends at once, with nothing left of it when anybody looks."""
        bundle = os.path.join(self.work, name)
        os.makedirs(bundle)
        with open(os.path.join(self.bundle, "config.json")) as file:
            config = json.load(file)
        config["process"]["args"] = list(command)
        config["root"]["path"] = self.root
        with open(os.path.join(bundle, "config.json"), "w") as file:
            json.dump(config, file)
        subprocess.run(["runc", "run", "-b", bundle, name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=WAIT_SECONDS)

    def mark(self):
        self.n += 1
        return "mark-%d-%d" % (os.getpid(), self.n)

    def remove(self):
        subprocess.run(["runc", "delete", "-f", self.id], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WAIT_SECONDS)
        if self.is_mounted:
            subprocess.run(["umount", self.root], timeout=WAIT_SECONDS)


def cases(port):
    """(rule or None, which rules else may hit it, what it is, how it is run with its mark M)."""
    actor = "/usr/bin/actor"
    drop = "cp /usr/bin/actor /opt/x; "
    yield "dropped", (), "a program is copied and run", lambda c, m: c.sh(drop + "exec /opt/x noop " + m)
    yield "dropped", ("changed",), "twin: an image's program is overwritten in place", \
        lambda c, m: c.sh("cat /usr/bin/actor > /usr/bin/victim; exec /usr/bin/victim noop " + m)
    yield "dropped", ("changed",), "twin: renamed over one of the image's", \
        lambda c, m: c.sh("cp /usr/bin/actor /usr/bin/n; mv /usr/bin/n /usr/bin/victim2; exec /usr/bin/victim2 noop " + m)
    yield "dropped", (), "twin: by a symbolic link", lambda c, m: c.sh(drop + "ln -sf /opt/x /opt/y; exec /opt/y noop " + m)
    yield "dropped", (), "twin: by a hard link", lambda c, m: c.sh(drop + "ln -f /opt/x /opt/h; exec /opt/h noop " + m)
    yield "dropped", (), "twin: by its descriptor (execveat)", lambda c, m: c.sh(drop + "exec /usr/bin/actor fexec /opt/x noop " + m)
    yield "dropped", ("thread",), "twin: with another title", lambda c, m: c.sh(drop + "exec /usr/bin/actor as [kworker/0:1] /opt/x noop " + m)
    yield None, (), "miss: the image's own program", lambda c, m: c.run(actor, "noop", m)
    yield None, (), "miss: the same by a link that was made", lambda c, m: c.sh("ln -sf /usr/bin/actor /opt/l; exec /opt/l noop " + m)
    yield None, (), "miss: a dropped file that is only read", lambda c, m: c.sh(drop + "cat /opt/x >/dev/null; exec /bin/true " + m)

    yield "tmpfs", (), "a program is run from /dev/shm", lambda c, m: c.sh("cp /usr/bin/actor /dev/shm/x; exec /dev/shm/x noop " + m)
    yield "tmpfs", (), "twin: from another tmpfs, hidden, by a relative path", \
        lambda c, m: c.sh("mkdir -p /run/...; cd /run/...; cp /usr/bin/actor .x; exec ./.x noop " + m)
    yield "tmpfs", (), "twin: by a link that lies elsewhere", \
        lambda c, m: c.sh("cp /usr/bin/actor /dev/shm/z; ln -sf /dev/shm/z /opt/app; exec /opt/app noop " + m)
    yield "lain", (), "a program that lay on a volume before", lambda c, m: c.run("/data/actor", "noop", m)

    yield "memfd", (), "a program is run out of a memfd", lambda c, m: c.run(actor, "memfd", "x", actor, "noop", m)
    yield "memfd", (), "twin: by /proc/self/fd", lambda c, m: c.run(actor, "memfd-path", "x", actor, "noop", m)
    yield "memfd", (), "twin: named as runc names its own", \
        lambda c, m: c.run(actor, "memfd", "runc_cloned:/proc/self/exe", actor, "noop", m)
    yield None, (), "miss: runc itself, which comes in through a memfd", lambda c, m: c.run("/bin/true", m)

    yield "deleted", ("dropped",), "a program is deleted and then run", lambda c, m: c.run(actor, "deleted", "/opt/gone", "noop", m)
    yield "deleted", ("tmpfs",), "twin: in memory", lambda c, m: c.run(actor, "deleted", "/dev/shm/gone", "noop", m)
    yield "deleted", ("dropped",), "twin: one that never had a name (O_TMPFILE)", lambda c, m: c.run(actor, "tmpfile", "/opt", "noop", m)
    yield "volume", (), "twin: one that deletes itself when it runs, which is no deleted one", \
        lambda c, m: c.sh("cp /data/actor /data/a; exec /data/a unlink /data/a " + m)

    script = "printf ':\\n' > /opt/s.sh; chmod 755 /opt/s.sh; "
    yield "script", (), "a shell runs a dropped script", lambda c, m: c.sh(script + "exec /bin/sh /opt/s.sh " + m)
    yield "script", (), "twin: the script is run by its own name (#!)", \
        lambda c, m: c.sh("printf '#!/bin/sh\\n:\\n' > /opt/t.sh; chmod 755 /opt/t.sh; exec /opt/t.sh " + m)
    yield "script", (), "twin: with options, relative, through busybox under another title", \
        lambda c, m: c.sh(script + "cd /opt; exec /usr/bin/actor as busybox /bin/busybox sh -e -u ./s.sh " + m)
    yield "script", (), "twin: with .. and by a link", \
        lambda c, m: c.sh(script + "ln -sf s.sh /opt/q; exec /bin/sh /usr/../opt/./q " + m)
    yield "script", (), "twin: from memory", lambda c, m: c.sh("printf ':\\n' > /run/s; exec /bin/sh /run/s " + m)
    mapped = ("mapped",) if checks()[("observe", "code that is mapped")]["good"] else ()
    yield "script", mapped, "twin: ld.so runs a dropped program", \
        lambda c, m: c.sh("cp /usr/bin/dynamic /opt/d; exec /lib64/ld-linux-x86-64.so.2 --argv0 true /opt/d " + m)
    yield None, (), "miss: a shell runs the image's script", lambda c, m: c.run("/bin/sh", "/usr/share/app.sh", m)
    yield None, (), "miss: ld.so runs the image's program", lambda c, m: c.run("/lib64/ld-linux-x86-64.so.2", "/usr/bin/dynamic", m)
    yield None, (), "miss: a dropped file is named in a command, not run", lambda c, m: c.sh(script + ": /opt/s.sh " + m)

    yield "shell", (), "a shell on a connection", lambda c, m: c.run(actor, "connect", port, "012", "/bin/sh", "-c", ": " + m)
    yield "shell", (), "twin: no shell by its name", lambda c, m: c.run(actor, "connect", port, "01", "/usr/bin/actor", "noop", m)
    yield "shell", (), "twin: only input and errors", lambda c, m: c.run(actor, "connect", port, "02", "/usr/bin/actor", "noop", m)
    yield None, (), "miss: a program with a connection as another descriptor", \
        lambda c, m: c.run(actor, "connect", port, "7", "/bin/sh", "-c", ": " + m)
    yield None, (), "miss: a download that is piped into a program", \
        lambda c, m: c.run(actor, "connect", port, "0", "/usr/bin/actor", "noop", m)

    nginx = "/usr/sbin/nginx"
    yield "server", (), "a web server runs a shell", lambda c, m: c.run(nginx, "fork", "/bin/sh", "-c", ": " + m)
    yield "server", ("thread",), "twin: under another name and title", \
        lambda c, m: c.run(actor, "as", "kworker", nginx, "call", "kworker", "fork", "/bin/sh", "-c", ": " + m)
    yield "server", (), "twin: by a program between them", lambda c, m: c.run(nginx, "fork", actor, "fork", "/bin/sh", "-c", ": " + m)
    yield "posed", (), "a program that only calls itself nginx, and no server for that", \
        lambda c, m: c.run(actor, "as", "nginx", actor, "call", "nginx", "fork", "/bin/sh", "-c", ": " + m)
    yield None, (), "miss: a web server runs what is no shell", lambda c, m: c.run(nginx, "fork", actor, "noop", m)

    yield "packages", (), "apt-get installs", lambda c, m: c.run("/usr/bin/apt-get", "install", "-y", m)
    yield "packages", (), "twin: by a link with another name and title", \
        lambda c, m: c.sh("ln -sf /usr/bin/apt-get /opt/tool; exec /usr/bin/actor as tool /opt/tool install " + m)
    yield "packages", (), "twin: one that is a script", lambda c, m: c.run("/bin/sh", "/usr/bin/dnf", "install", m)
    yield "packages", (), "twin: dpkg alone", lambda c, m: c.run("/usr/bin/dpkg", "--force-all", "--install", m)
    yield None, (), "miss: dpkg is only asked", lambda c, m: c.run("/usr/bin/dpkg", "-l", m)
    yield None, (), "miss: apt-get as an argument", lambda c, m: c.run(actor, "noop", "apt-get", m)

    yield "terminal", (), "a shell with a terminal", lambda c, m: c.run("/bin/sh", "-c", ": " + m, tty=True)
    yield "terminal", (), "twin: a shell under another name", lambda c, m: c.run(actor, "as", "sh", "/usr/bin/notashell", "-c", ": " + m, tty=True)
    yield None, (), "miss: the same without a terminal (a health check)", lambda c, m: c.run("/bin/sh", "-c", ": " + m)
    yield None, (), "miss: no shell, with a terminal", lambda c, m: c.run(actor, "noop", m, tty=True)

    yield "miner", (), "arguments of a miner", lambda c, m: c.run(actor, "noop", "-o", "stratum" + "+tcp://pool.invalid:3333", m)
    yield "miner", ("posed",), "twin: its name on disk, under another title", lambda c, m: c.run(actor, "as", "sshd", "/usr/bin/xmrig", "noop", m)
    yield None, (), "miss: one of its arguments alone", lambda c, m: c.run(actor, "noop", "--algo", "sha256", m)


def check_cases(container, agent, port):
    told = []
    for rule, others, what, act in cases(port):
        mark = container.mark()
        told.append((rule, others, what, mark + "-end", act(container, mark + "-end")))
    last = container.mark() + "-end"
    container.sh("cp /usr/bin/actor /opt/last; exec /opt/last noop " + last)
    tap.ok(until(lambda: agent.rules_with(last)), "what runs last is told of within the time", agent.log())
    for rule, others, what, mark, code in told:
        found = agent.rules_with(mark)
        want = sorted({RULE[r] for r in ((rule,) if rule else ()) + others})
        if rule == "deleted" and found == [RULE[r] for r in others] and code == 99:
            tap.skip("%s: %s" % (rule, what), "this file system makes no such file")
            continue
        tap.ok(found == want and code == 0, "%s: %s" % (rule or "silent", what),
               "exit code %d\nwanted %s\nfound  %s" % (code, want, found))
    mine = [a for a in agent.alerts() if a["output_fields"].get("container.name") == container.id]  # others run containers too
    tap.ok(mine and all("mark-" in json.dumps(a["output_fields"]) for a in mine), "nothing else was told", mine[:3])
    return last


def check_podman(work, agent):
    """The container's and the image's name, as podman knows them: from its files, without asking it."""
    name, what = "sekisho-agent-%d" % os.getpid(), "podman's names of container and image are told"
    for program in ("podman", "umoci", "skopeo"):
        if not shutil.which(program):
            return tap.skip(what, program + " is not installed")
    with open(os.path.join(work, "storage.conf"), "w") as file:
        file.write('[storage]\ndriver = "overlay"\ngraphroot = "%s/pods"\nrunroot = "%s/pods-run"\n' % (work, work))
    environment = dict(os.environ, HOME=work, TMPDIR=work)
    podman = ["podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]

    def do(*command):
        return subprocess.run(command, env=environment, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=WAIT_SECONDS)
    try:
        for command in (["umoci", "init", "--layout", "oci"], ["umoci", "new", "--image", "oci:v1"],
                        ["umoci", "insert", "--rootless", "--image", "oci:v1", "image", "/"],
                        ["skopeo", "copy", "-q", "oci:oci:v1", "docker-archive:image.tar:localhost/web:v1"],
                        [*podman, "load", "-q", "-i", "image.tar"],
                        [*podman, "run", "-d", "--name", name, "--network", "none", "--ulimit", "nofile=20000:20000", "--ulimit",
                         "nproc=20000:20000", "localhost/web:v1", "/bin/sh", "-c", "cp /usr/bin/actor /x; /x noop; exec /usr/bin/actor wait"]):
            done = do(*command)
            if done.returncode:
                return tap.skip(what, "%s: %s" % (" ".join(command[:3]), done.stderr.strip()[-200:]))

        def mine():
            return [a for a in agent.alerts() if a["output_fields"].get("container.name") == name]
        found = until(mine) and mine()[0]
        tap.ok(found and found["output_fields"]["container.image"] == "localhost/web:v1" and
               done.stdout.startswith(found["output_fields"]["container.id"]), what, found or agent.log())
    finally:
        do(*podman, "rm", "-f", "-t", "0", "-a")
        do(*podman, "system", "reset", "-f")
        with open("/proc/self/mounts") as file:
            for point in sorted((line.split()[1] for line in file if " " + work + "/pods" in line), reverse=True):
                do("umount", "-l", point)


def check_falco(container, work):
    """Falco's own rules, unmodified, for what lean mode sees."""
    rules = os.path.join(os.environ.get("SEKISHO_SHARED", ""), "fixtures/falco-rules/falco_rules.yaml")
    what = "Falco's own rules"
    if not os.environ.get("SEKISHO_SHARED") or not os.path.exists(rules):
        return tap.skip(what, "SEKISHO_SHARED is not set, or has no fixtures/falco-rules")
    agent = Agent(work, "falco", "-r", rules, "--least", "notice")
    tap.ok(agent.is_watching, what + " load", agent.log())
    try:
        for rule, command, tty in (
                ("Drop and execute new binary in container", "cp /usr/bin/actor /opt/x; exec /opt/x noop ", False),
                ("Execution from /dev/shm", "cp /usr/bin/actor /dev/shm/x; exec /dev/shm/x noop ", False),
                ("Fileless execution via memfd_create", "/usr/bin/actor fork /usr/bin/actor memfd x /usr/bin/actor noop ", False),
                ("Find AWS Credentials", "/usr/bin/grep aws_access_key_id ", False),
                ("Terminal shell in container", ": ", True)):
            mark = container.mark() + "-end"
            container.sh(command + mark, tty=tty)
            tap.ok(until(lambda: rule in agent.rules_with(mark)), "%s: %s" % (what, rule), agent.rules_with(mark))
    finally:
        tap.ok(agent.end() == 0, what + ": it ended", agent.log())


def check_short(container, agent):
    """Containers that are gone before the agent looks: each alert names its own all the same."""
    names = ["%s-short-%d" % (container.id, i) for i in range(8)]
    agent.send(signal.SIGSTOP)  # so that it looks when all is over
    for name in names:
        container.run_short(name, "/bin/sh", "-c", "cp /usr/bin/actor /opt/s; exec /opt/s noop %s-end" % name)
    agent.send(signal.SIGCONT)

    def named():
        return {a["output_fields"].get("container.name") for a in agent.alerts()}
    tap.ok(until(lambda: set(names) <= named()), "containers that ended already are named", sorted(map(str, named())))


def check_flood(container, agent):
    """One program told 150 times: the first hundred one by one, the others as a number."""
    mark = container.mark() + "-end"
    container.sh("cp /usr/bin/actor /opt/f; i=0; while [ $i -lt 150 ]; do /opt/f noop " + mark + "; i=$((i+1)); done")

    def held():
        return sum(a["output_fields"]["held"] for a in agent.alerts() if a["rule"] == "Alerts held back")

    def told():
        return sum(mark in json.dumps(a["output_fields"]) for a in agent.alerts())
    tap.ok(until(lambda: told() + held() >= 150) and held() > 0 and told() + held() == 150, "a flood is held back, and counted",
           "%d told, %d held back" % (told(), held()))


def check_alert(container, agent, mark):
    alert = [a for a in agent.alerts() if mark in json.dumps(a["output_fields"])][0]
    fields = alert["output_fields"]
    tap.ok(all(k in alert for k in ("time", "rule", "priority", "source", "hostname", "tags", "output", "output_fields", "action")),
           "an alert has all its keys", alert)
    tap.ok(fields["container.name"] == container.id and fields["proc.exepath"] == "/opt/last", "and names container and program", alert)
    tap.ok("T1105" in alert["tags"] and alert["priority"] == "Critical" and mark in alert["output"], "and its technique and words", alert)


def check_kill(container, work):
    rules = os.path.join(work, "kill.yaml")

    def put(text):
        with open(rules + ".new", "w") as file:
            file.write(text)
        os.rename(rules + ".new", rules)

    put(UNDECIDABLE)
    tap.expect("a kill rule that the kernel cannot decide is refused, with the field", [SEKISHO, "agent", "--foreground", "-r", rules], 2,
               ["kill.yaml:4", "does not know proc.name"])
    put(KILL.replace("proc.in_container = true and ", ""))
    tap.expect("and so is one that would kill the host's programs", [SEKISHO, "agent", "--foreground", "-r", rules], 2,
               ["kill.yaml:4", "programs of the host too", "proc.in_container = true"])
    put(KILL)
    agent = Agent(work, "kill", "-r", rules)
    tap.ok(agent.is_watching, "the agent starts with a kill rule", agent.log())
    made = os.path.join(work, "upper/opt/made")
    mark = container.mark() + "-end"
    code = container.sh("cp /usr/bin/actor /opt/k; /opt/k write /opt/made " + mark)
    tap.ok(code == 137 and not os.path.exists(made), "a dropped program is killed before it does anything", "exit code %d" % code)
    code = container.run("/usr/bin/actor", "memfd", "x", "/usr/bin/actor", "write", "/opt/made", mark + "-memfd")
    tap.ok(code == 137 and not os.path.exists(made), "and so is one out of a memfd", "exit code %d" % code)
    code = container.run("/usr/bin/actor", "write", "/opt/made-by-image")
    tap.ok(code == 0 and os.path.exists(os.path.join(work, "upper/opt/made-by-image")), "the image's programs run, and runc comes in",
           "exit code %d" % code)
    code = subprocess.run(["/bin/sh", "-c", "cp /bin/true %s/t && %s/t" % (work, work)], timeout=WAIT_SECONDS).returncode
    tap.ok(code == 0, "the host's run too", "exit code %d" % code)
    tap.ok(until(lambda: agent.rules_with(mark + "-memfd")) and
           all(a["action"] == "killed" for a in agent.alerts() if mark in json.dumps(a["output_fields"])), "the alerts say killed", agent.alerts())

    put("- rule: broken\n  condition: proc.nmae = x\n")
    agent.send(signal.SIGHUP)
    tap.ok(until(lambda: "the old ones stay" in agent.log()), "rules that do not load leave the old ones", agent.log())
    tap.ok(container.run("/opt/k", "noop") == 137, "which go on killing")
    put(TELL)
    agent.send(signal.SIGHUP)
    tap.ok(until(lambda: "rules loaded anew: 1, 0 of them kill" in agent.log()), "rules are loaded anew", agent.log())
    mark = container.mark() + "-end"
    code = container.run("/opt/k", "noop", mark)
    tap.ok(code == 0 and until(lambda: agent.rules_with(mark)), "and no longer kill, but tell", "exit code %d" % code)
    tap.ok(all(a["action"] == "none" and a["tags"] == ["reloaded"] for a in agent.alerts() if mark in json.dumps(a["output_fields"])),
           "with the new rule's words", agent.alerts())
    code = agent.end()
    tap.ok(code == 0 and "programs killed" in agent.log(), "SIGTERM ends it", "%d\n%s" % (code, agent.log()))
    tap.ok(container.run("/opt/k", "noop") == 0, "nothing of it stays in the kernel")


def check_loss(container, work):
    agent = Agent(work, "loss", "--ring", "4")
    tap.ok(agent.is_watching, "the agent starts with a tiny ring", agent.log())
    agent.send(signal.SIGSTOP)
    container.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/env /bin/true; done")
    agent.send(signal.SIGCONT)
    tap.ok(until(lambda: any(a["rule"] == "Events lost" for a in agent.alerts())), "lost events are told", agent.log())
    lost = [a for a in agent.alerts() if a["rule"] == "Events lost"]
    tap.ok(lost and lost[0]["source"] == "internal" and lost[0]["output_fields"]["lost.exec"] > 0, "with their number", lost)
    mark = container.mark() + "-end"
    # One try may fall into the ring while it is full: the ring is tiny on purpose, so the trigger is repeated.
    tap.ok(until(lambda: container.run("/usr/sbin/nginx", "fork", "/bin/sh", "-c", ": " + mark) == 0 and agent.rules_with(mark)),
           "and it sees again, with ancestry", agent.alerts()[-3:])
    code = agent.end()
    tap.ok(code == 0 and "lost: 0 exec" not in agent.log(), "the sums are told at the end", "%d\n%s" % (code, agent.log()))


def main():
    need_sensor("runc", "busybox", "cc", "mount")
    tap.expect("without --foreground it says what it can do", [SEKISHO, "agent"], 2, ["--foreground"])
    tap.expect("a ring of an odd size is refused", [SEKISHO, "agent", "--foreground", "--ring", "5"], 3, ["power of two"])
    tap.expect("rules that are not there", [SEKISHO, "agent", "--foreground", "-r", "/nonexistent.yaml"], 3, ["/nonexistent.yaml"])
    work = tempfile.mkdtemp()
    os.environ["CONTAINERS_STORAGE_CONF"] = os.path.join(work, "storage.conf")  # where the agent looks for podman's store
    container = Container(work)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    agent = None
    try:
        reason = container.make_image() or container.start()
        if reason:
            tap.skip("rules in a container", reason)
            return tap.end()
        agent = Agent(work, "rules", "--least", "notice")
        tap.ok(agent.is_watching, "the agent starts with its own rules", agent.log())
        mark = check_cases(container, agent, str(listener.getsockname()[1]))
        check_alert(container, agent, mark)
        check_short(container, agent)
        check_flood(container, agent)
        container_alerts = agent.alerts_path
        os.rename(agent.alerts_path, agent.alerts_path + ".1")
        agent.send(signal.SIGHUP)  # as a log rotation does
        tap.ok(until(lambda: os.path.exists(agent.alerts_path)), "SIGHUP opens the file of alerts anew", agent.log())
        check_podman(work, agent)
        code = agent.end()
        tap.ok(code == 0 and "lost: 0 exec, 0 fork, 0 exit, 0 call; 0 records malformed" in agent.log(), "it ended, and lost nothing",
               "%d\n%s" % (code, agent.log()))
        agent = None
        check_falco(container, work)
        check_kill(container, work)
        check_loss(container, work)
    finally:
        if agent:
            agent.end()
        listener.close()
        container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
