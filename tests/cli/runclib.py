"""A runc container for tests: its image is the lower layer of an overlay, what is made in it lies in an upper directory on an ext4 of
the test's own (a loop mount), so that marks and flags are set on nothing else. Everything is undone by end()."""
import json
import os
import shutil
import subprocess

from agentlib import WAIT_SECONDS

TOOLS = ("sh", "cat", "cp", "ln", "mv", "rm", "sleep", "echo", "printf", "sed", "mkdir", "touch", "chmod", "chown", "truncate", "dd", "true", "test",
         "gzip", "ls", "seq", "env")


def missing():
    """Why no container can be run here, or None."""
    for name in ("runc", "busybox", "mkfs.ext4", "mount"):
        if not shutil.which(name):
            return name + " is not installed"
    return None if os.geteuid() == 0 else "containers need root"


def run_detached(bundle, name, log):
    """Starts the bundle's container; None, or why there is none."""
    with open(log, "w+") as file:
        try:
            run = subprocess.run(["runc", "run", "-d", "-b", bundle, name], stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            return "runc did not start a container"
        file.seek(0)
        return None if run.returncode == 0 else "runc cannot run a container: " + file.read().strip()[-200:]


class Container:
    def __init__(self, work, name):
        self.work, self.id = os.path.join(work, name), "sekisho-%s-%d" % (name, os.getpid())
        self.image, self.bundle = os.path.join(self.work, "image"), os.path.join(self.work, "bundle")
        self.root, self.disk = os.path.join(self.bundle, "rootfs"), os.path.join(self.work, "disk")
        self.mounts = []
        self.more_mounts = []  # of the runtime's configuration
        self.overlay_options = ""
        self.more_capabilities = []
        self.same_disk = False  # layers and what is made on one file system, and the image in two layers
        for path in (self.image, self.root, self.disk):
            os.makedirs(path)
        for path in ("bin", "proc", "dev", "run", "etc", "tmp", "root", "usr/bin", "var/log"):
            os.makedirs(os.path.join(self.image, path))
        shutil.copy(shutil.which("busybox"), os.path.join(self.image, "bin/busybox"))
        for name in TOOLS:
            os.symlink("busybox", os.path.join(self.image, "bin", name))

    def add(self, path, content="", mode=0o644):
        to = os.path.join(self.image, path)
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(to, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(to, mode)

    def add_program(self, program, to=None):
        """A dynamic program of this machine with all its libraries, under the names that they have here; the paths in the image."""
        paths = [os.path.realpath(program)]
        output = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            path = line.split("=>")[-1].split("(")[0].strip()
            if path.startswith("/"):
                paths.append(path)
        added = []
        for i, path in enumerate(paths):
            inside = to if i == 0 and to else os.path.realpath(path).lstrip("/")
            with open(os.path.realpath(path), "rb") as file:
                self.add(inside, file.read(), 0o755)
            if i and path.lstrip("/") != inside and not os.path.exists(os.path.join(self.image, path.lstrip("/"))):
                os.makedirs(os.path.dirname(os.path.join(self.image, path.lstrip("/"))), exist_ok=True)
                os.symlink("/" + inside, os.path.join(self.image, path.lstrip("/")))
            added.append(inside)
        return added

    def mount(self, *options, at):
        done = subprocess.run(["mount", *options, at], capture_output=True, text=True)
        if done.returncode == 0:
            self.mounts.append(at)
        return done.returncode == 0

    def start(self, *args):
        """Runs it with these arguments; why it cannot be, or None."""
        disk = os.path.join(self.work, "disk.ext4")
        with open(disk, "wb") as file:
            file.truncate(64 << 20)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", disk], capture_output=True, text=True)
        if made.returncode or not self.mount("-o", "loop", disk, at=self.disk):
            return "no ext4 can be mounted here"
        self.upper = os.path.join(self.disk, "upper")
        for name in ("upper", "work"):
            os.makedirs(os.path.join(self.disk, name))
        lower = self.image
        if self.same_disk:
            shutil.copytree(self.image, os.path.join(self.disk, "image"), symlinks=True)
            os.makedirs(os.path.join(self.disk, "second/srv"))
            lower = "%s/second:%s/image" % (self.disk, self.disk)
        options = "lowerdir=%s,upperdir=%s/upper,workdir=%s/work%s" % (lower, self.disk, self.disk, self.overlay_options)
        if not self.mount("-t", "overlay", "overlay", "-o", options, at=self.root):
            return "no overlay can be mounted here"
        subprocess.run(["runc", "spec", "-b", self.bundle], check=True)
        path = os.path.join(self.bundle, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=list(args), env=["PATH=/bin:/usr/bin"])
        del config["process"]["rlimits"]
        for capabilities in config["process"]["capabilities"].values():
            capabilities += ["CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"] + self.more_capabilities
        config["root"]["readonly"] = False
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev")] + self.more_mounts
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
        with open(path, "w") as file:
            json.dump(config, file)
        return run_detached(self.bundle, self.id, os.path.join(self.work, "runc.log"))

    def run(self, *command):
        """Runs it in the container; its exit code and what it said."""
        try:
            done = subprocess.run(["runc", "exec", self.id, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            return 99, "(it did not end)"
        return done.returncode, done.stdout + done.stderr

    def pid(self):
        with open("/run/runc/%s/state.json" % self.id) as file:
            return json.load(file)["init_process_pid"]

    def end(self):
        if os.path.exists("/run/runc/" + self.id):
            subprocess.run(["runc", "delete", "-f", self.id], capture_output=True)
        for at in reversed(self.mounts):
            subprocess.run(["umount", at], capture_output=True)
        self.mounts = []


def build_static(source, to):
    """A static program out of tests/tools; what the compiler said if there is none."""
    done = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", to, source], capture_output=True, text=True)
    return done.stderr.strip()[:200] if done.returncode else None
