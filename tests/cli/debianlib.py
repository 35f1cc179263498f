"""A runc container made of Debian's own packages, for the tests of rules: its image is the lower layer of an overlay. The packages are
fetched once (mmdebstrap, from Debian's archive) and kept beside the build; without the archive there is no such container, and the
test says so. Everything is undone by end()."""
import fcntl
import json
import os
import shutil
import subprocess
import tempfile

import agentlib
import runclib

PACKAGES = ("python3-minimal", "libpython3-stdlib", "curl", "openssl", "busybox-static", "nginx-light", "redis-server", "logrotate", "cron")
CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "NET_RAW", "SYS_CHROOT",
                "MKNOD", "AUDIT_WRITE", "SETFCAP")  # as engines give them
FETCH_SECONDS = 400
WAIT_SECONDS = agentlib.WAIT_SECONDS


def root_archive():
    """The path of the tar with the packages, and None; or None and why there is none."""
    for program in ("mmdebstrap", "runc", "mount"):
        if not shutil.which(program):
            return None, program + " is not installed"
    directory = os.path.join(agentlib.BUILD, "../build/roots")
    os.makedirs(directory, exist_ok=True)
    archive = os.path.join(directory, "bookworm.tar")
    with open(archive + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(archive):
            return archive, None
        try:
            made = subprocess.run(["mmdebstrap", "--mode=root", "--variant=minbase", "--include=" + ",".join(PACKAGES), "bookworm",
                                   archive + ".new.tar", "http://deb.debian.org/debian"], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            return None, "Debian's archive does not answer in time"
        if made.returncode:
            return None, "Debian's packages cannot be fetched: " + made.stderr.strip()[-200:]
        os.rename(archive + ".new.tar", archive)
        return archive, None


class Container:
    def __init__(self, work, name):
        self.work, self.id = os.path.join(work, name), "sekisho-%s-%d" % (name, os.getpid())
        self.image, self.root = os.path.join(self.work, "image"), os.path.join(self.work, "rootfs")
        self.volume = os.path.join(self.work, "volume")
        self.mounts = []
        self.shown = ["/proc", "/dev", "/dev/pts", "/sys"]  # of what runc mounts into containers
        for path in (self.image, self.root, self.volume):
            os.makedirs(path)

    def unpack(self, archive):
        subprocess.run(["tar", "-xf", archive, "-C", self.image, "--exclude=./dev/*"], check=True)

    def add(self, path, content, mode=0o644):
        to = os.path.join(self.image, path)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(to, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(to, mode)

    def mount_overlay(self, lower, above, at):
        """Why it cannot be, or None. `above`: a name for the directories of what is changed."""
        for kind in ("upper", "overlay-work"):
            os.makedirs(os.path.join(self.work, kind + above), exist_ok=True)
        options = "lowerdir=%s,upperdir=%s/upper%s,workdir=%s/overlay-work%s" % (lower, self.work, above, self.work, above)
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, at], capture_output=True, text=True)
        if mounted.returncode:
            return "no overlay can be mounted: " + mounted.stderr.strip()
        self.mounts.append(at)
        return None

    def mount_layers(self):
        return self.mount_overlay(self.image, "", self.root)

    def start(self, args=("/bin/sleep", "3000"), capabilities=CAPABILITIES, privileged=False, disk=None):
        """Runs it; why it cannot be, or None. `disk`: the number of a block device (major, minor) that it may read, as /dev/shown."""
        reason = self.mount_layers()
        if reason:
            return reason
        subprocess.run(["runc", "spec", "-b", self.work], check=True)
        path = os.path.join(self.work, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=list(args), noNewPrivileges=False,
                                 env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"])
        del config["process"]["rlimits"]
        if privileged:
            with open("/proc/sys/kernel/cap_last_cap") as file:
                last = int(file.read())
            names = subprocess.run(["capsh", "--print"], capture_output=True, text=True).stdout
            capabilities = [c[4:].upper() for c in names.split("Bounding set =")[-1].split("\n")[0].split(",") if c.startswith("cap_")][:last + 1]
            config["linux"]["maskedPaths"] = config["linux"]["readonlyPaths"] = []
        for kind in ("bounding", "effective", "permitted"):
            config["process"]["capabilities"][kind] = ["CAP_" + c for c in capabilities]
        config["root"]["readonly"] = False
        memory = {"type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=1777"]}
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in self.shown] + [
            dict(memory, destination="/run"), dict(memory, destination="/dev/shm"),
            {"destination": "/data", "type": "bind", "source": self.volume, "options": ["rbind", "rw"]}]
        if os.path.exists(os.path.join(self.volume, "secrets")):
            config["mounts"].append({"destination": "/run/secrets", "type": "bind", "source": os.path.join(self.volume, "secrets"), "options": ["rbind", "ro"]})
        if disk:
            config["linux"]["devices"] = [{"path": "/dev/shown", "type": "b", "major": disk[0], "minor": disk[1], "fileMode": 0o600}]
            config["linux"]["resources"]["devices"].append({"allow": True, "type": "b", "major": disk[0], "minor": disk[1], "access": "r"})
        with open(path, "w") as file:
            json.dump(config, file)
        return runclib.run_detached(self.work, self.id, os.path.join(self.work, "runc.log"))

    def run(self, *command, user=None, tty=False, env=(), caps=()):
        """Runs it in the container; its exit code and what it said."""
        args = ["runc", "exec"] + (["-u", user] if user else []) + [a for e in env for a in ("-e", e)] + [a for c in caps for a in ("--cap", c)]
        try:
            if tty:
                done = subprocess.run(["script", "-qec", " ".join(args + ["-t", self.id, *command]), "/dev/null"], stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True, timeout=WAIT_SECONDS)
            else:
                done = subprocess.run(args + [self.id, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                                      timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            return 99, "(it did not end)"
        return done.returncode, done.stdout + done.stderr

    def end(self):
        subprocess.run(["runc", "delete", "-f", self.id], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WAIT_SECONDS)
        for at in reversed(self.mounts):
            subprocess.run(["umount", at], timeout=WAIT_SECONDS)


class Machine(Container):
    """The same with the programs of this machine: /usr, as the lower layer of an overlay of its own. For what is too large to be fetched."""

    USERS = "root:x:0:0::/root:/bin/bash\npostgres:x:999:999::/data:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"

    def prepare(self):
        self.shown.append("/sys/fs/cgroup")
        for name in ("bin", "sbin", "lib", "lib64"):
            os.symlink("usr/" + name, os.path.join(self.image, name))
        for name in ("usr", "etc", "tmp", "var/tmp", "var/log/journal", "root", "opt", "proc", "sys", "dev", "run", "data"):
            os.makedirs(os.path.join(self.image, name))
        for name in ("tmp", "var/tmp"):
            os.chmod(os.path.join(self.image, name), 0o1777)
        self.add("etc/passwd", self.USERS)
        self.add("etc/group", "root:x:0:\npostgres:x:999:\nnogroup:x:65534:\n")
        self.add("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
        os.chown(self.volume, 999, 999)

    def mount_layers(self):
        return super().mount_layers() or self.mount_overlay("/usr", "-usr", os.path.join(self.root, "usr"))


class Watch:
    """What an agent tells of a container, case by case: a case is over when the file that ends it has been seen to be opened."""

    made = 0  # their numbers: names of files and pipes are never used twice
    KINDS = 4  # of ends, in turn: no rule may speak so often that its alerts are held back
    END = "".join("""
- rule: End of a case %d
  desc: of the test
  condition: evt.type in (open, openat) and fd.name startswith /tmp/end-of-case-%d-
  output: "%%fd.name %%container.name"
  priority: WARNING
""" % (i, i) for i in range(KINDS))

    def __init__(self, agent, container):
        """A shell in the container makes the files: to begin one for each case would take longer than most cases."""
        self.agent, self.container, self.n, self.seen = agent, container, 0, 0
        Watch.made += 1
        self.number = Watch.made
        self.names = os.path.join(container.volume, "ends-%d" % self.number)
        os.mkfifo(self.names)
        shell = "exec 3<>/data/%s; while read name <&3; do : > $name; done" % os.path.basename(self.names)
        subprocess.run(["runc", "exec", "-d", container.id, "/bin/dash", "-c", shell], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=WAIT_SECONDS, check=True)
        self.to = os.open(self.names, os.O_RDWR)  # what is written before the shell reads waits for it

    def told(self):
        """The alerts since the last call, once the end of the case has been told of; None if it was not."""
        self.n += 1
        name = "/tmp/end-of-case-%d-%d-%d" % (self.n % self.KINDS, self.number, self.n)
        os.write(self.to, (name + "\n").encode())

        def rest():
            return self.agent.alerts(self.container)[self.seen:]
        if not agentlib.until(lambda: any(a["output_fields"].get("fd.name") == name and a["rule"].startswith("End of") for a in rest())):
            return None
        alerts = rest()
        self.seen += len(alerts)
        return [a for a in alerts if not a["rule"].startswith("End of a case")]


RULES = [os.path.join(agentlib.HERE, "../../data/rules", name + ".yaml") for name in ("runtime", "files", "network", "privileges")]
MODES = ("full mode", "lean mode")


def start_agent(work, name, is_lean, *full_options):
    """By our own rules, and those that end a case."""
    end = os.path.join(work, "end.yaml")
    with open(end, "w") as file:
        file.write(Watch.END)
    rules = [option for path in RULES + [end] for option in ("-r", path)]
    return agentlib.Agent(work, name, "--least", "notice", *(() if is_lean else ("--mode", "full", *full_options)), *rules)


def in_each_mode(tap, run):
    """run(work, archive, is_lean), each time in a directory of its own; skips all where there is no archive of Debian's packages, and lean mode
    where the kernel does not tell what these tests expect of it."""
    archive, reason = root_archive()
    if reason:
        agentlib.skip_all(reason)
    checks = agentlib.checks()
    missing = [name for name in ("calls with rights", "code that is mapped") if not checks[("observe", name)]["good"]]
    for is_lean in range(len(MODES)):
        if is_lean and missing:
            tap.skip(MODES[is_lean], "this kernel does not tell of " + ", ".join(missing))
            break
        work = tempfile.mkdtemp()
        try:
            run(work, archive, bool(is_lean))
        finally:
            shutil.rmtree(work, ignore_errors=True)
