#!/usr/bin/env python3
# alone: agent
"""The agent when things go wrong: killed, restarted under load, a full disk, a clock that jumps, a kernel without BTF, files of a runtime that
are hostile, and containers that do what they can to hide or to overwhelm. What it cannot do it says; nothing hangs, nothing is left behind.

Everything happens to containers, cgroups and files of this test's own; other tests run at the same time.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import taplib
import agentlib
from agentlib import SEKISHO, Agent, Container, WAIT_SECONDS, need_sensor, skip_all, until

tap = taplib.Tap(dict(os.environ))
TELL = """
- rule: Program ran
  desc: of the test
  condition: evt.type in (execve, execveat) and proc.in_container = true and proc.args contains mark-
  output: ran (args=%proc.args container=%container.name image=%container.image parent=%proc.pname exe=%proc.exepath)
  priority: WARNING
"""
KILL = """
- rule: Dropped program killed
  desc: of the test
  condition: evt.type in (execve, execveat) and proc.in_container = true and proc.exe.layer = upper
  output: killed (exe=%proc.exepath container=%container.name args=%proc.args)
  priority: CRITICAL
  action: kill
"""
JUMP = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *t)
{
        static int (*real)(clockid_t, struct timespec *);
        if (!real)
                real = dlsym(RTLD_NEXT, "clock_gettime");
        int r = real(clock, t);
        if (clock == CLOCK_REALTIME && access(JUMPED, F_OK) == 0)
                t->tv_sec -= 10 * 365 * 86400;
        return r;
}
"""


def write(path, text, mode=0o644):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def marks(agent, container):
    """The marks that were told of, in the order of the alerts."""
    return [word for a in agent.alerts(container) for word in a["output_fields"].get("proc.args", "").split() if word.startswith("mark-")]


# --- the agent is killed, and restarted ---

def check_keep(work, container):
    """In a BPF file system of its own: not every machine has one at /sys/fs/bpf."""
    place = os.path.join(work, "bpf")
    os.makedirs(place)
    mounted = subprocess.run(["mount", "-t", "bpf", "bpf", place], capture_output=True, text=True)
    if mounted.returncode:
        tap.skip("kept: agents come and go", "no BPF file system can be mounted: " + mounted.stderr.strip())
        return
    try:
        check_kept(work, container, os.path.join(place, "pins"))
    finally:
        subprocess.run(["umount", place], timeout=WAIT_SECONDS)


def check_kept(work, container, pins):
    rules = write(os.path.join(work, "keep.yaml"), TELL + KILL)
    container.sh("cp /bin/busybox /opt/busybox-dropped; chmod 755 /opt/busybox-dropped")
    try:
        agent = Agent(work, "keep", "-r", rules, "--keep", pins)
        tap.ok(agent.is_watching, "kept: the agent starts", agent.log())
        if not agent.is_watching:
            return
        tap.ok(container.run("/bin/true", "mark-before") == 0 and until(lambda: "mark-before" in marks(agent, container)), "kept: it tells", agent.log())
        agent.send(signal.SIGKILL)
        agent.process.wait(WAIT_SECONDS)
        tap.ok(container.run("/opt/busybox-dropped", "true", "mark-dead") == 137, "kept: what must die dies while no agent runs")
        tap.ok(container.run("/bin/true", "mark-meanwhile") == 0, "kept: and what may run runs")
        agent = Agent(work, "keep2", "-r", rules, "--keep", pins)
        tap.ok(agent.is_watching and "taken over from " + pins in agent.log(), "kept: the next one takes over", agent.log())
        tap.ok(until(lambda: {"mark-dead", "mark-meanwhile"} <= set(marks(agent, container))), "kept: and tells what happened meanwhile", marks(agent, container))
        killed = [a for a in agent.alerts(container) if a["rule"] == "Dropped program killed"]
        tap.ok(killed and killed[0]["action"] == "killed", "kept: with what was done", killed)
        tap.ok("mark-before" not in marks(agent, container), "kept: but nothing twice", marks(agent, container))
        agent.end()
        agent = check_gap(work, container, rules, pins)
        agent.end()
        agent = Agent(work, "keep4", "-r", rules, "--keep", pins, "--ring", "64")
        tap.ok(agent.is_watching and "taken over" not in agent.log(), "kept: a ring of another size begins anew", agent.log())
        agent.end()
    finally:
        r = subprocess.run([SEKISHO, "agent", "--forget", pins], capture_output=True, text=True, timeout=WAIT_SECONDS)
    tap.ok(r.returncode == 0 and not os.path.exists(pins), "kept: forgotten, nothing is left", r.stderr)
    others = pins + "-others"
    os.makedirs(others + "/inner")
    try:
        r = subprocess.run([SEKISHO, "agent", "--forget", others], capture_output=True, text=True, timeout=WAIT_SECONDS)
        tap.ok(r.returncode == 0 and os.path.isdir(others + "/inner"), "kept: what others keep in that directory stays", r.stderr)
    finally:
        os.rmdir(others + "/inner")
        os.rmdir(others)
    code = container.run("/opt/busybox-dropped", "true")
    tap.ok(code == 0, "kept: and nothing dies any more", "exit code %d" % code)
    r = subprocess.run([SEKISHO, "agent", "--foreground", "--keep", work], capture_output=True, text=True, timeout=WAIT_SECONDS)
    tap.ok(r.returncode == 3 and "is not on a BPF file system: mount -t bpf" in r.stderr, "kept: not on a BPF file system", r.stderr)


def check_gap(work, container, rules, pins):
    """Programs begin one after another while agents come and go: every one of them is told of."""
    n, rounds = 120, 3
    names = ["mark-%d" % i for i in range(n)]
    script = "i=0; while [ $i -lt %d ]; do sleep 0.01; /bin/true mark-$i; i=$((i+1)); done" % n
    child = subprocess.Popen(["runc", "exec", container.id, "/bin/sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    told, agent = [], None
    for i in range(rounds):
        agent = Agent(work, "gap%d" % i, "-r", rules, "--keep", pins)
        time.sleep(0.3)
        if i < rounds - 1:
            agent.send(signal.SIGKILL)
            agent.process.wait(WAIT_SECONDS)
            told += marks(agent, container)
    child.wait(WAIT_SECONDS)
    tap.ok(until(lambda: set(names) <= set(told + marks(agent, container))), "kept: killed twice under load, no program is missed",
           sorted(set(names) - set(told + marks(agent, container))))
    seen = [m for m in told + marks(agent, container) if m in names]
    tap.ok(len(seen) - len(set(seen)) <= 3 * rounds, "kept: and hardly one is told twice", len(seen) - len(set(seen)))
    return agent


# --- the host: disks, clocks, kernels ---

def check_full_disk(work, container):
    disk = os.path.join(work, "disk")
    os.makedirs(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    agent = None
    try:
        agent = Agent(work, "full", "-r", write(os.path.join(work, "tell.yaml"), TELL), alerts=os.path.join(disk, "alerts.jsonl"))
        fd = os.open(os.path.join(disk, "filler"), os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fd, b"x" * 4096)
        except OSError:
            os.close(fd)
        for i in range(40):
            container.run("/bin/true", "mark-full-%d" % i)
        os.remove(os.path.join(disk, "filler"))
        container.run("/bin/true", "mark-after")
        tap.ok(until(lambda: "mark-after" in open(agent.alerts_path, errors="replace").read()), "a full disk: it goes on once there is room again", agent.log())
        code = agent.end()
        tap.ok(code == 3 and " 0 not written" not in agent.log(), "a full disk: what was not written is counted, and told by the exit code", "%d\n%s" % (code, agent.log()))
        with open(agent.alerts_path, errors="replace") as file:
            last = file.read().split("\n")[-2]
        tap.ok(json.loads(last)["output_fields"]["proc.args"].endswith("mark-after"), "a full disk: lines stay lines", last)
    finally:
        if agent and agent.process.poll() is None:
            agent.end(signal.SIGKILL)
        subprocess.run(["umount", disk], timeout=WAIT_SECONDS)


def check_clock(work, container):
    if "sanitize" in agentlib.BUILD:
        return tap.skip("the clock jumps", "a sanitizer has to be loaded before all others")
    source, library, jumped = (os.path.join(work, name) for name in ("jump.c", "jump.so", "jumped"))
    write(source, JUMP)
    built = subprocess.run(["cc", "-shared", "-fPIC", '-DJUMPED="%s"' % jumped, "-o", library, source, "-ldl"], capture_output=True, text=True)
    tap.ok(built.returncode == 0, "a clock that can jump is built", built.stderr)
    os.environ["LD_PRELOAD"] = library
    try:
        agent = Agent(work, "clock", "-r", write(os.path.join(work, "tell.yaml"), TELL))
    finally:
        del os.environ["LD_PRELOAD"]
    container.run("/bin/true", "mark-now")
    tap.ok(until(lambda: "mark-now" in marks(agent, container)), "the clock: before it jumps", agent.log())
    write(jumped, "")
    time.sleep(1)
    container.run("/bin/true", "mark-then")
    tap.ok(until(lambda: "mark-then" in marks(agent, container)), "the clock jumps back ten years: it goes on", agent.log())
    years = [int(a["time"][:4]) for a in agent.alerts(container)]
    tap.ok(years[0] - years[-1] in (9, 10), "and its times follow", years)
    tap.ok(agent.end() == 0, "and it ends", agent.log())


def check_kernel(work):
    script = "for d in /sys/kernel/btf /boot /lib/modules; do [ ! -d $d ] || mount -t tmpfs tmpfs $d; done; exec %s agent --foreground" % SEKISHO
    r = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=WAIT_SECONDS)
    tap.ok(r.returncode == 3 and "the kernel does not take the sensor" in r.stderr and "BTF" in r.stderr.upper(), "a kernel without BTF: it says why it cannot", r.stderr)
    r = subprocess.run(["unshare", "-m", "sh", "-c", script.replace("agent --foreground", "doctor")], capture_output=True, text=True, timeout=WAIT_SECONDS)
    tap.ok("✗  exec" in r.stdout and "CONFIG_DEBUG_INFO_BTF" in r.stdout, "and so does the doctor", r.stdout + r.stderr)
    r = subprocess.run(["setpriv", "--bounding-set", "-all", "--inh-caps", "-all", SEKISHO, "agent", "--foreground"], capture_output=True, text=True,
                       timeout=WAIT_SECONDS)
    tap.ok(r.returncode == 3 and "Operation not permitted" in r.stderr, "root without capabilities: it says so", r.stderr)
    r = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", SEKISHO, "agent", "--foreground"], capture_output=True, text=True, timeout=WAIT_SECONDS)
    tap.ok(r.returncode == 3 and "root is needed" in r.stderr, "nobody: it says that root is needed", r.stderr)


# --- containers that resist ---

def check_hiding(work, container):
    agent = Agent(work, "hiding", "-r", write(os.path.join(work, "tell.yaml"), TELL))
    for name, script in (("a mount over /proc", "mount -t tmpfs tmpfs /proc; /bin/true mark-proc; umount /proc"),
                         ("namespaces of its own", "/bin/busybox unshare -m -p -f /bin/true mark-unshare"),
                         ("another name", "/bin/busybox sh -c 'exec -a [kworker/0:1] /bin/true mark-name' || /bin/true mark-name"),
                         ("an empty argv[0] and bytes that are no text", "/bin/true $(printf 'mark-odd\\377\\033[2J')"),
                         ("a session of its own", "/bin/busybox setsid /bin/true mark-session")):
        mark = [word for word in ("mark-proc", "mark-unshare", "mark-name", "mark-odd", "mark-session") if word in script][0]
        container.sh(script)
        tap.ok(until(lambda: any(m.startswith(mark) for m in marks(agent, container))), "a container with %s is told, by its name" % name, agent.log())
    check_cgroups(agent, container)
    for size in (2000,):
        container.sh("i=0; while [ $i -lt %d ]; do /bin/true & i=$((i+1)); done; wait; /bin/true mark-many" % size)
        tap.ok(until(lambda: "mark-many" in marks(agent, container)), "%d processes at once, and it is still told" % size, agent.log())
    code = agent.end()
    tap.ok(code == 0 and "lost: 0 exec, 0 fork, 0 exit" in agent.log() and "0 records malformed" in agent.log(), "and nothing was lost", agent.log())


def check_cgroups(agent, container):
    """Cgroups inside of the container with odd names, one of them another container's id: it is still the same container."""
    with open("/proc/%s/cgroup" % json.loads(subprocess.run(["runc", "state", container.id], capture_output=True, text=True).stdout)["pid"]) as file:
        inner = [line.strip()[3:] for line in file if line.startswith("0::")]
    mounts = [line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2"]
    base = mounts[0].encode() + inner[0].encode() if inner and mounts else b""
    if not inner or inner[0] == "/" or not os.path.isdir(base):
        tap.ok(True, "odd names of cgroups # SKIP the container has no v2 cgroup")
        return
    for number, name in enumerate((b"\xff\xfe\x01", b"docker-" + b"a" * 64 + b".scope", b"..x", b"x" * 255, b"%s%n \t")):
        path = os.path.join(base, name)
        os.mkdir(path)
        mark = "mark-cgroup-%d" % number
        child = subprocess.Popen(["runc", "exec", container.id, "/bin/sh", "-c", "read x; exec /bin/true " + mark], stdin=subprocess.PIPE)
        try:
            found = until(lambda: descendants(child.pid))
            for pid in descendants(child.pid):
                try:
                    with open(os.path.join(path, b"cgroup.procs"), "w") as file:
                        file.write(str(pid))
                except OSError:
                    pass
            child.communicate(b"\n", timeout=WAIT_SECONDS)
            tap.ok(found and until(lambda: mark in marks(agent, container)), "a cgroup named %r inside of it changes nothing" % name[:20], agent.log())
        finally:
            child.kill()
            child.wait()
            until(lambda: remove(path), 10)


def descendants(pid):
    """Those that run inside of the container: the last of the line."""
    children = []
    try:
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, thread)) as file:
                children += [int(word) for word in file.read().split()]
    except OSError:
        return []
    return [p for child in children for p in (descendants(child) or [child])]


def remove(path):
    try:
        os.rmdir(path)
        return True
    except OSError:
        return False


def check_files(work, busybox):
    """What runtimes left in their folders for a container is a FIFO, is endless, is no JSON."""
    agent = Agent(work, "files", "-r", write(os.path.join(work, "tell.yaml"), TELL))
    mounts = [line.split()[1] for line in open("/proc/mounts") if line.split()[2] == "cgroup2"]
    deep = "[" * 100000
    for number, (name, make) in enumerate((("a FIFO", lambda p: os.mkfifo(p)), ("no JSON", lambda p: write(p, "{")), ("deep", lambda p: write(p, deep)),
                                           ("a link to /dev/zero", lambda p: os.symlink("/dev/zero", p)), ("a directory", lambda p: os.mkdir(p)))):
        identity = "%064x" % (0xfee1 << 200 | os.getpid() << 32 | number)
        folder, cgroup = "/run/runc/" + identity, os.path.join(mounts[0], identity)
        os.makedirs(folder)
        os.mkdir(cgroup)
        try:
            make(os.path.join(folder, "state.json"))
            mark = "mark-files-%d" % number
            started = time.monotonic()
            subprocess.run(["unshare", "-m", "-p", "-f", "sh", "-c", "echo 0 > %s/cgroup.procs; %s true %s" % (cgroup, busybox, mark)], timeout=WAIT_SECONDS)

            def told():
                return [a for a in agent.alerts() if a["output_fields"].get("proc.args") == "true " + mark]
            tap.ok(until(told) and told()[0]["output_fields"]["container.name"] == identity, "state.json is %s: told, by the cgroup's name" % name, agent.log())
            tap.ok(time.monotonic() - started < 30, "and it did not wait for ever")
        finally:
            until(lambda: remove(cgroup), 10)
            shutil.rmtree(folder)
    tap.ok(agent.end() == 0, "hostile files: it ends as it should", agent.log())


def main():
    need_sensor("runc", "busybox", "cc", "setpriv", "unshare")
    work = tempfile.mkdtemp(prefix="sekisho-faults-")
    os.chmod(work, 0o755)
    container = Container(work, "faults")
    try:
        why = container.start()
        if why:
            skip_all(why)
        check_keep(work, container)
        check_full_disk(work, container)
        check_clock(work, container)
        check_kernel(work)
        check_hiding(work, container)
        check_files(work, os.path.join(container.work, "image/bin/busybox"))
    finally:
        container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
