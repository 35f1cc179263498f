"""What the tests of the agent share: an agent under a watchdog; and runc containers on an overlay of busybox.

The image is the lower layer; what a container makes lies in its upper one, so `drop()` is what the rules call a dropped
program. Every container has a mark in its name, which is all that a test looks at: other tests run at the same time.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
WAIT_SECONDS = 60  # for anything; a loaded machine is slow, not broken
WATCHDOG_SECONDS = 540


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def checks():
    """What `sekisho doctor` says, by area and name."""
    doctor = json.loads(subprocess.run([SEKISHO, "doctor", "--json"], capture_output=True, text=True, timeout=WAIT_SECONDS).stdout)
    return {(check["area"], check["name"]): check for check in doctor["checks"]}


def need_sensor(*programs):
    """Ends the test, with the reason, where no agent can run."""
    if os.geteuid() != 0:
        skip_all("loading BPF and running containers needs root")
    for program in programs:
        if not shutil.which(program):
            skip_all(program + " is not installed")
    for (area, name), check in checks().items():
        if area == "observe" and not check["good"] and name not in ("calls with rights", "code that is mapped"):  # which not every kernel has
            skip_all("the sensor does not load here: " + check["words"])


def until(what, seconds=WAIT_SECONDS):
    """Asks again and again until it is true; False when the time is over."""
    end, pause = time.monotonic() + seconds, 0.002
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return True


def json_lines(path):
    """The whole lines of a file that grows; none, if it is not there yet."""
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file.read().split("\n")[:-1]]
    except OSError:
        return []


def children_of(pid):
    """Those of its first thread."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


class Agent:
    """An agent with its alerts in a file. `timeout` is its watchdog: it ends the agent even if this test is gone."""
    all = []

    def __init__(self, work, name, *options, alerts=None, seconds=WATCHDOG_SECONDS):
        Agent.all.append(self)
        self.alerts_path, self.log_path = alerts or os.path.join(work, name + ".jsonl"), os.path.join(work, name + ".log")
        socket = [] if "--socket" in options else ["--socket", "none"]
        with open(self.log_path, "w") as log:
            self.process = subprocess.Popen(["timeout", "-s", "KILL", str(seconds), SEKISHO, "agent", "--foreground", "-o", "none", "--alerts",
                                             self.alerts_path, *socket, *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.is_watching = until(lambda: "watching:" in self.log() or self.process.poll() is not None) and self.process.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def pid(self):
        return children_of(self.process.pid)[0]

    def alerts(self, container=None):
        return [a for a in json_lines(self.alerts_path) if container is None or a["output_fields"].get("container.name") == container.id]

    def rules_with(self, mark):
        return sorted({a["rule"] for a in self.alerts() if mark in json.dumps(a["output_fields"])})

    def send(self, number):
        os.kill(self.pid(), number)

    def end(self, number=signal.SIGTERM):
        try:
            self.send(number)
        except (OSError, IndexError):
            pass
        try:
            return self.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return 99


def end_agents():
    """Those that a test which failed half way left."""
    for agent in Agent.all:
        if agent.process.poll() is None:
            agent.end()


class Container:
    def __init__(self, work, name):
        self.id = "sekisho-story-%d-%s" % (os.getpid(), name)
        self.work = os.path.join(work, name)
        self.root = os.path.join(self.work, "rootfs")
        self.is_mounted = False

    def start(self):
        """None, or why there is none."""
        image = os.path.join(self.work, "image")
        for name in ("image/bin", "image/proc", "image/dev", "image/opt", "image/tmp", "upper", "overlay-work", "rootfs"):
            os.makedirs(os.path.join(self.work, name))
        shutil.copy(shutil.which("busybox"), os.path.join(image, "bin/busybox"))
        for name in ("sh", "cp", "chmod", "true", "sleep"):
            os.symlink("busybox", os.path.join(image, "bin", name))
        options = "lowerdir=%s,upperdir=%s/upper,workdir=%s/overlay-work" % (image, self.work, self.work)
        mounted = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root], capture_output=True, text=True)
        if mounted.returncode:
            return "no overlay can be mounted: " + mounted.stderr.strip()
        self.is_mounted = True
        subprocess.run(["runc", "spec", "-b", self.work], check=True)
        path = os.path.join(self.work, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=["/bin/sleep", "1000"], env=["PATH=/bin"])
        del config["process"]["rlimits"]
        config["root"]["readonly"] = False
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev")]
        config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
        with open(path, "w") as file:
            json.dump(config, file)
        with open(os.path.join(self.work, "runc.log"), "w+") as log:
            run = subprocess.run(["runc", "run", "-d", "-b", self.work, self.id], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 timeout=WAIT_SECONDS)
            log.seek(0)
            return None if run.returncode == 0 else "runc cannot run a container: " + log.read().strip()[-200:]

    def run(self, *command):
        return subprocess.run(["runc", "exec", self.id, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=WAIT_SECONDS).returncode

    def sh(self, script):
        return self.run("/bin/sh", "-c", script)

    def drop(self, name="x"):
        """A program that is not in the image is written and run, by a shell."""
        return self.sh("cp /bin/busybox /opt/%s && chmod 755 /opt/%s && /opt/%s true; exit 0" % (name, name, name))

    def remove(self):
        subprocess.run(["runc", "delete", "-f", self.id], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=WAIT_SECONDS)
        if self.is_mounted:
            subprocess.run(["umount", self.root], timeout=WAIT_SECONDS)
