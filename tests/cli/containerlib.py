"""Small runc and podman containers around tests/tools/netter.c, for tests that act on them. Each carries the test's process number in
its name, and remove() undoes all of it."""
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time

import agentlib
import runclib
from agentlib import WAIT_SECONDS, until

HERE = os.path.dirname(os.path.abspath(__file__))
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def cgroup_mount():
    with open("/proc/self/mounts") as file:
        return next((line.split()[1] for line in file if line.split()[2] == "cgroup2"), None)


def build_netter(path):
    """None, or why it cannot be built."""
    built = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", path, os.path.join(HERE, "../tools/netter.c")],
                           capture_output=True, text=True)
    return None if built.returncode == 0 else "no static program can be built: " + built.stderr.strip()[:100]


class Machine:
    """What containers of both kinds have: a root with netter in it, and /data, a directory of the test."""

    def __init__(self, work, name):
        self.work, self.name = os.path.join(work, name), "%s-%d" % (name, os.getpid())
        self.root, self.data = os.path.join(self.work, "rootfs"), os.path.join(self.work, "data")
        for directory in ("bin", "proc", "dev", "tmp", "data", "etc", "sys", "run"):
            os.makedirs(os.path.join(self.root, directory))
        os.makedirs(self.data)
        shutil.copy(os.path.join(work, "netter"), os.path.join(self.root, "bin/netter"))

    def number(self, name):
        """What `netter count` and `netter self` have counted so far."""
        try:
            with open(os.path.join(self.data, name), "rb") as file:
                return struct.unpack("<Q", file.read(8))[0]
        except (OSError, struct.error):
            return 0

    def moves(self, name):
        """True once the number has grown."""
        before = self.number(name)
        return until(lambda: self.number(name) > before + 2)

    def stands(self, name):
        """True if the number does not grow while something that grows 500 times a second would."""
        before = self.number(name)
        time.sleep(0.3)
        return self.number(name) == before

    def spawn(self, *command):
        return subprocess.Popen(self.command(*command), start_new_session=True, **QUIET)

    def run(self, *command):
        """Runs it in the container; its exit code."""
        try:
            return subprocess.run(self.command(*command), timeout=WAIT_SECONDS, **QUIET).returncode
        except subprocess.TimeoutExpired:
            return 99

    def cgroup(self):
        """Its directory in the v2 hierarchy."""
        for directory, _, _ in os.walk(cgroup_mount()):
            if self.id in os.path.basename(directory):
                return directory
        return None

    def pids(self):
        found = []
        for directory, _, _ in os.walk(self.cgroup() or "/nonexistent"):
            try:
                with open(os.path.join(directory, "cgroup.procs")) as file:
                    found += [int(line) for line in file]
            except OSError:
                pass
        return found


class Runc(Machine):
    """With the host's network."""

    def start(self, *command, cgroups_path=None):
        self.id = self.name
        subprocess.run(["runc", "spec", "-b", self.work], check=True)
        path = os.path.join(self.work, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=list(command), env=["PATH=/bin"])
        del config["process"]["rlimits"]
        config["root"]["readonly"] = False
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev")] + [
            {"destination": "/data", "type": "bind", "source": self.data, "options": ["rbind", "rw"]}]
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
        if cgroups_path:
            config["linux"]["cgroupsPath"] = cgroups_path
        with open(path, "w") as file:
            json.dump(config, file)
        return runclib.run_detached(self.work, self.id, os.path.join(self.work, "runc.log"))

    def command(self, *command):
        return ["runc", "exec", self.id, *command]

    def remove(self):
        subprocess.run(["runc", "delete", "-f", self.name], timeout=WAIT_SECONDS, **QUIET)


class Podman(Machine):
    """With a network of its own: nothing but loopback."""

    def __init__(self, work, name):
        super().__init__(work, name)
        self.store = os.path.join(self.work, "store")
        self.runroot = tempfile.mkdtemp(prefix="skc", dir="/tmp")  # podman takes no more than 50 characters
        self.podman = ["podman", "--root", self.store, "--runroot", self.runroot, "--cgroup-manager", "cgroupfs", "--runtime", "runc"]

    def start(self, *command):
        try:
            run = subprocess.run([*self.podman, "run", "-d", "--name", self.name, "--network", "none", "--ulimit", "nofile=20000:20000",
                                  "--ulimit", "nproc=20000:20000", "-v", self.data + ":/data", "--rootfs", self.root, *command],
                                 capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "podman did not start a container"
        self.id = run.stdout.strip()
        return None if run.returncode == 0 else "podman cannot run a container: " + run.stderr.strip()[-200:]

    def command(self, *command):
        return [*self.podman, "exec", self.name, *command]

    def remove(self):
        subprocess.run([*self.podman, "rm", "-f", "-t", "0", self.name], timeout=WAIT_SECONDS, **QUIET)
        until(self.is_cleared)

    def is_cleared(self):
        """Takes away what podman left. It keeps its store mounted onto itself, and what it started last may mount it once more."""
        with open("/proc/self/mounts") as file:
            points = [line.split()[1] for line in file if line.split()[1].startswith((self.work + "/", self.runroot + "/"))]
        for point in reversed(points):
            subprocess.run(["umount", "-l", point], timeout=WAIT_SECONDS, **QUIET)
        shutil.rmtree(self.store, ignore_errors=True)
        shutil.rmtree(self.runroot, ignore_errors=True)
        busy = subprocess.run(["pgrep", "-f", self.store], **QUIET).returncode == 0
        return not busy and not points and not os.path.exists(self.store) and not os.path.exists(self.runroot)


class Agent(agentlib.Agent):
    """With the journal of what it did, and its pins, in the test's directory."""

    def __init__(self, work, name, *options):
        self.journal = os.path.join(work, "actions.jsonl")
        super().__init__(work, name, "--pins", os.path.join(work, "bpf/pins"), *options)

    def actions(self, c, word):
        """What the alerts say that was done to a container, in order."""
        return [a["action"] for a in self.alerts() if a["rule"] == "Test " + word and c.name in a["output"]]

    def evidence(self, c):
        return [x for x in agentlib.json_lines(self.journal) if x["container"]["name"] == c.name]
