#!/usr/bin/env python3
# alone: agent
"""`sekisho contain` on real containers of runc (the host's network) and podman (one of its own): frozen, isolated, denied, terminated, and
taken back; a dry run; twice the same; what is refused; the journal; and that nothing is left behind.

What cuts off is pinned in a BPF file system of the test's own.
"""
import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import containerlib
import taplib
from agentlib import skip_all, until

BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(containerlib.HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
tap = taplib.Tap(dict(os.environ))


class Contain:
    def __init__(self, work):
        self.work, self.pins, self.journal = work, os.path.join(work, "bpf/pins"), os.path.join(work, "journal/actions.jsonl")

    def __call__(self, action, *words, root=None):
        """Of the options only those that the action takes."""
        options = [] if action in ("freeze", "thaw", "terminate") else ["--pins", self.pins]
        options += [] if action == "list" else ["--actions", self.journal]
        return tap.run(SEKISHO, "contain", action, *options, *(["--root", root] if root else []), *words)

    def lines(self):
        try:
            with open(self.journal) as file:
                return [json.loads(line) for line in file]
        except OSError:
            return []

    def state(self, machine, root=None):
        code, out = self("list", "-o", "json", root=root)
        return next((s for s in json.loads(out) if machine.id in (s["cgroup"] or "")), None) if code == 0 else None


class Listener:
    """On the host, for what the container connects to."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.socket.settimeout(containerlib.WAIT_SECONDS)
        self.port = str(self.socket.getsockname()[1])

    def hears(self, connection, seconds):
        """Does a byte come within the time?"""
        connection.setblocking(False)
        try:
            while connection.recv(4096):  # what is on its way already; more may come at any time, so nothing is waited for
                pass
        except OSError:
            pass
        connection.settimeout(seconds)
        try:
            return bool(connection.recv(1))
        except OSError:
            return False


def check_freeze(contain, c, root=None):
    kind = "podman" if root else "runc"
    c.spawn("/bin/netter", "count", "/data/n")
    tap.ok(c.moves("n"), kind + ": a process counts")
    code, out = contain("freeze", "--dry-run", c.name, root=root)
    tap.ok(code == 0 and "would be frozen" in out and c.moves("n"), kind + ": a dry run of freeze does nothing", out)
    code, out = contain("freeze", c.name, root=root)
    tap.ok(code == 0 and "frozen; undo: sekisho contain thaw" in out and c.stands("n"), kind + ": frozen, it stands", out)
    code, out = contain("freeze", c.id[:12] if root else c.id, root=root)
    tap.ok(code == 0 and "already frozen" in out, kind + ": freezing twice is freezing once", out)
    state = contain.state(c, root)
    tap.ok(bool(state) and state["frozen"] and state["name"] == c.name and not state["isolated"], kind + ": list tells of it", state)
    code, out = contain("thaw", c.name, root=root)
    tap.ok(code == 0 and c.moves("n"), kind + ": thawed, it counts on", out)
    code, out = contain("thaw", c.name, root=root)
    tap.ok(code == 0 and "already thawed" in out and contain.state(c, root) is None, kind + ": nothing of it is left", out)


def try_all(c, address, port):
    return {what: c.run("/bin/netter", what, address, port if what != "bind" else "0") for what in ("connect", "udp", "bind", "uring")}


def check_isolate_host_network(contain, c, listener):
    c.spawn("/bin/netter", "send", "127.0.0.1", listener.port)
    connection, _ = listener.socket.accept()
    tap.ok(listener.hears(connection, containerlib.WAIT_SECONDS), "runc: a connection to the host is open")
    before = try_all(c, "127.0.0.1", listener.port)
    has_uring = before["uring"] == 0
    tap.ok(all(code == 0 for what, code in before.items() if what != "uring"), "runc: connect, sendto and bind work", before)
    code, out = contain("isolate", "-n", c.name)
    tap.ok(code == 0 and "would be isolated" in out and not os.path.exists(contain.pins), "runc: a dry run of isolate does nothing", out)
    code, out = contain("isolate", "--why", "the test", c.name)
    tap.ok(code == 0 and "isolated; undo: sekisho contain rejoin" in out, "runc: isolated", out)
    tap.ok(not listener.hears(connection, 0.5), "runc: the open connection is cut")
    after = try_all(c, "127.0.0.1", listener.port)
    tap.ok(all(code == errno.EPERM for what, code in after.items() if what != "uring"), "runc: new ones get EPERM", after)
    if has_uring:
        tap.ok(after["uring"] == errno.EPERM, "runc: so does connect by io_uring", after)
    else:
        tap.skip("runc: so does connect by io_uring", "no io_uring in a container here (%d)" % before["uring"])
    six = try_all(c, "::1", listener.port)
    tap.ok(errno.EPERM in six.values() and 0 not in six.values(), "runc: and all of IPv6", six)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as other:
        tap.ok(other.send(b"x") == 1, "the host connects as before")
    listener.socket.accept()[0].close()
    code, out = contain("isolate", c.name)
    tap.ok(code == 0 and "already isolated" in out, "runc: isolating twice is isolating once", out)
    state = contain.state(c)
    tap.ok(bool(state) and state["isolated"] and state["deny_bind"], "runc: list tells of it", state)
    code, out = contain("rejoin", c.name)
    tap.ok(code == 0 and not os.path.exists(contain.pins), "runc: rejoined, and no pin is left", out)
    tap.ok(listener.hears(connection, containerlib.WAIT_SECONDS), "runc: the connection goes on")
    tap.ok(try_all(c, "127.0.0.1", listener.port)["connect"] == 0, "runc: and new ones work")
    connection.close()


def check_denials(contain, c, listener):
    for action, denied in (("deny-connect", {"connect", "uring"}), ("deny-send", {"udp"}), ("deny-bind", {"bind"})):
        before = try_all(c, "127.0.0.1", listener.port)
        code, out = contain(action, c.name)
        after = try_all(c, "127.0.0.1", listener.port)
        want = {what: errno.EPERM if what in denied and code == 0 else code for what, code in before.items()}
        tap.ok(code == 0 and after == want, "runc: %s denies that and nothing else" % action, "%s %s %s" % (out, before, after))
        contain("rejoin", c.name)


def check_isolate_own_network(contain, c):
    c.spawn("/bin/netter", "self", "/data/self")
    tap.ok(c.moves("self"), "podman: a process talks to itself over loopback")
    code, out = contain("isolate", c.name, root=c.store)
    tap.ok(code == 0, "podman: isolated", out)
    tap.ok(until(lambda: c.stands("self")), "podman: its connection is cut, loopback or not")
    code, out = contain("rejoin", c.id[:10], root=c.store)
    tap.ok(code == 0 and c.moves("self"), "podman: rejoined, it goes on", out)


def check_terminate(contain, c, root=None):
    kind = "podman" if root else "runc"
    c.spawn("/bin/netter", "bomb", "500")
    tap.ok(until(lambda: len(c.pids()) > 100), kind + ": hundreds of processes, sessions of their own and orphans", len(c.pids()))
    contain("isolate", c.name, root=root)
    contain("freeze", c.name, root=root)
    n = len(c.pids())
    code, out = contain("terminate", "--dry-run", c.name, root=root)
    tap.ok(code == 0 and len(c.pids()) == n, kind + ": a dry run of terminate ends nobody", out)
    pids = c.pids()
    code, out = contain("terminate", c.name, root=root)
    left = c.pids()
    tap.ok(code == 0 and "terminated" in out and not left, kind + ": terminated though frozen: all are gone", "%s %s" % (out, left))
    tap.ok(len(pids) > 100, kind + ": it was about many", len(pids))
    code, out = contain("terminate", c.name, root=root)
    tap.ok(code == 0 and "already terminated" in out, kind + ": terminating twice is terminating once", out)


def check_refusals(contain, work):
    """What is more than the container is left alone."""
    c = containerlib.Runc(work, "refused")
    try:
        failure = c.start("/bin/netter", "wait", cgroups_path="/sekisho-test-%d.slice" % os.getpid())
        if failure:
            tap.skip("a slice is refused", failure)
        else:
            for action in ("freeze", "isolate", "terminate"):
                code, out = contain(action, c.name)
                tap.ok(code == 3 and "it is a slice" in out and c.run("/bin/netter", "bind", "127.0.0.1", "0") == 0,
                       "a container in a slice's place is not touched: " + action, out)
    finally:
        c.remove()
    code, out = contain("freeze", "no-such-container-%d" % os.getpid())
    tap.ok(code == 3, "a container that is not there", out)
    code, out = contain("frezee", "x")
    tap.ok(code == 2 and "freeze" in out, "a slip of the pen gets a suggestion", out)
    code, out = contain("freeze")
    tap.ok(code == 2, "an action without a container", out)


def check_journal(contain, c):
    lines = [x for x in contain.lines() if x["container"]["name"] == c.name]
    done = [x["action"] for x in lines if x["outcome"] == "done"]
    tap.ok(done[:3] == ["freeze", "thaw", "isolate"] and done[-1] == "terminate", "the journal has what was done, in order", done)
    isolated = next(x for x in lines if x["action"] == "isolate" and x["outcome"] == "done")
    tap.ok(isolated["why"] == "the test" and isolated["undo"].startswith("sekisho contain rejoin " + c.id) and
           isolated["container"]["cgroup_id"] > 0 and isolated["time"].endswith("Z"), "with reason, undo, container and time", isolated)
    tap.ok({"would", "already"} <= {x["outcome"] for x in lines}, "dry runs and repetitions are told apart")
    code, out = tap.run(SEKISHO, "contain", "--actions", "/proc/nowhere/x", "terminate", c.name)
    tap.ok(code == 3 and "is not written down in /proc/nowhere/x" in out, "a journal that cannot be written is told", out)


def main():
    if os.geteuid() != 0:
        skip_all("needs root")
    for name in ("runc", "cc"):
        if not shutil.which(name):
            skip_all(name + " is not there")
    if not containerlib.cgroup_mount():
        skip_all("no cgroup v2 hierarchy is mounted")
    with tempfile.TemporaryDirectory() as work:
        failure = containerlib.build_netter(os.path.join(work, "netter"))
        if failure:
            skip_all(failure)
        os.makedirs(os.path.join(work, "bpf"))
        if subprocess.run(["mount", "-t", "bpf", "bpf", os.path.join(work, "bpf")], capture_output=True).returncode:
            skip_all("no BPF file system can be mounted")
        contain, listener = Contain(work), Listener()
        runc, podman = containerlib.Runc(work, "contain-runc"), None
        try:
            failure = runc.start("/bin/netter", "wait")
            if failure:
                skip_all(failure)
            check_freeze(contain, runc)
            check_isolate_host_network(contain, runc, listener)
            check_denials(contain, runc, listener)
            check_refusals(contain, work)
            check_terminate(contain, runc)
            check_journal(contain, runc)
            if shutil.which("podman"):
                podman = containerlib.Podman(work, "contain-podman")
                failure = podman.start("/bin/netter", "wait")
                if failure:
                    tap.skip("podman", failure)
                else:
                    check_freeze(contain, podman, podman.store)
                    check_isolate_own_network(contain, podman)
                    check_terminate(contain, podman, podman.store)
            else:
                tap.skip("podman", "podman is not there")
        finally:
            runc.remove()
            if podman:
                podman.remove()
            code, out = contain("list")
            tap.ok(code == 0 and contain.pins and not os.path.exists(contain.pins), "when the containers are gone, list forgets their pins",
                   out)
            subprocess.run(["umount", os.path.join(work, "bpf")])
    return tap.end()


sys.exit(main())
