#!/usr/bin/env python3
# alone: agent
"""Full mode against a real container: each system call that the kernel's side knows how to tell, done by a static program and seen by
a rule, 32-bit calls among them; modes that change while the agent runs; calls that are lost and counted.

Each call is done with an argument that no other program has, its mark, and is known by it.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import agentlib
import runclib
import taplib

ACTOR = os.path.join(agentlib.HERE, "../tools/actor.c")
RULES = """
- rule: seen
  desc: of the test
  condition: evt.type in (%s) and proc.exepath = /usr/bin/actor and proc.args contains mark-
  output: "%%evt.type %%proc.args"
  priority: WARNING
- rule: held
  desc: of the test
  condition: evt.type in (read, write, recvfrom, recvmsg) and proc.exepath = /usr/bin/actor and evt.buffer bcontains 0001020363616665
  output: "%%evt.type %%proc.args"
  priority: WARNING
"""
FLOOD = 20000

tap = taplib.Tap(dict(os.environ))


def deeds(port):
    """What is done, and the calls that must be seen of it."""
    yield "open", ("/etc/plain",), "open"
    yield "openat", ("/etc", "plain"), "openat"
    yield "openat2", ("/etc/plain",), "openat2"
    yield "creat", ("/tmp/made",), "creat"
    yield "open-write", ("/tmp/written",), "openat"
    yield "unlink", ("/tmp/a",), "unlink"
    yield "unlinkat", ("/tmp", "b"), "unlinkat"
    yield "rename", ("/tmp/c", "/tmp/d"), "rename"
    yield "renameat2", ("/tmp/d", "/tmp/c"), "renameat2"
    yield "link", ("/tmp/c", "/tmp/e"), "link"
    yield "symlink", ("/tmp/c", "/tmp/f"), "symlink"
    yield "chmod", ("/tmp/c", "4755"), "chmod"
    yield "fchmodat2", ("/tmp/c", "4755"), "fchmodat2"
    yield "truncate", ("/tmp/c",), "truncate"
    yield "ftruncate", ("/tmp/c",), "ftruncate"
    yield "chdir", ("/tmp",), "chdir"
    yield "close", ("/etc/plain",), "close"
    yield "connect", (port,), "connect"
    yield "connect-unix", ("/run/no.sock",), "connect"
    yield "dup2", (port,), "dup2"
    yield "memfd_create", ("hidden",), "memfd_create"
    yield "ptrace", ("1",), "ptrace"
    yield "unshare", (), "unshare"
    yield "setns", (), "setns"
    yield "mount", ("/tmp",), "mount"
    yield "bpf", (), "bpf"
    yield "open32", ("/etc/plain",), "open"
    yield "unlink32", ("/tmp/g",), "unlink"
    yield "rename32", ("/tmp/c", "/tmp/h"), "rename"
    yield "socket32", (), "socket"


def make_container(work):
    container = runclib.Container(work, "calls")
    actor = os.path.join(work, "actor")
    built = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", actor, ACTOR], capture_output=True, text=True)
    if built.returncode:
        agentlib.skip_all("no static program can be built: " + built.stderr.strip()[:100])
    with open(actor, "rb") as file:
        container.add("usr/bin/actor", file.read(), 0o755)
    container.add("etc/plain", "text\n")
    for name in "abcg":
        container.add("tmp/" + name, name)
    return container


class Marks:
    n = 0

    def __call__(self):
        self.n += 1
        return "mark-%d-%d-end" % (os.getpid(), self.n)


mark = Marks()


def seen(agent, m):
    return {a["output"].split()[0] for a in agent.alerts() if m in a["output"]}


def do(container, name, args=()):
    """Done in the container: its mark, and the exit code."""
    m = mark()
    return m, container.run("/usr/bin/actor", "do", name, *args, m)[0]


def check_deeds(container, agent, port):
    is_32_bit = container.run("/usr/bin/actor", "do", "open32", "/etc/plain", "x")[0] == 0
    for name, args, call in deeds(port):
        if name.endswith("32") and not is_32_bit:
            tap.skip("%s is seen" % name, "this kernel has no 32-bit calls")
            continue
        m, code = do(container, name, args)
        tap.ok(agentlib.until(lambda: call in seen(agent, m)), "%s is seen" % name, "exit %d, seen: %s\n%s" % (code, seen(agent, m), agent.log()[-500:]))


def check_buffers(container, agent):
    other, _ = do(container, "receive", ("read", "tea"))
    for how in ("read", "recvfrom", "recvmsg"):
        m, code = do(container, "receive", (how, "cafe"))
        tap.ok(agentlib.until(lambda: seen(agent, m) == {"write", how}), "what is written, and taken by %s, is seen" % how, "exit %d, seen: %s" % (code, seen(agent, m)))
    tap.ok(not seen(agent, other), "other bytes are not", seen(agent, other))


def check_modes(container, agent):
    def switch(number, words):
        before = agent.log().count(words)
        agent.send(number)
        return agentlib.until(lambda: agent.log().count(words) > before)

    stop = threading.Event()

    def load():
        while not stop.is_set():
            container.run("/usr/bin/actor", "do", "flood", "/etc/plain", "1000", "noise")
    thread = threading.Thread(target=load)
    thread.start()
    try:
        tap.ok(switch(signal.SIGUSR2, "agent: lean mode"), "SIGUSR2 changes to lean mode, under load", agent.log()[-500:])
        tap.ok(re.search(r'[12] rules need --mode full (and sleep in lean mode|for some of their events[^:]*): [^;]*"seen"', agent.log()), "and the rules that sleep are named", agent.log())
        asleep, _ = do(container, "unlink", ("/tmp/none",))
        tap.ok(switch(signal.SIGUSR1, "agent: full mode"), "SIGUSR1 changes to full mode", agent.log()[-500:])
        awake, _ = do(container, "unlink", ("/tmp/none",))
        tap.ok(agentlib.until(lambda: seen(agent, awake)) and not seen(agent, asleep), "calls are seen in full mode, and in lean mode not",
               "%s %s" % (seen(agent, awake), seen(agent, asleep)))
        for _ in range(10):
            switch(signal.SIGUSR2, "agent: lean mode")
            switch(signal.SIGUSR1, "agent: full mode")
        again, _ = do(container, "unlink", ("/tmp/none",))
        tap.ok(agentlib.until(lambda: seen(agent, again)), "and after ten changes more", agent.log()[-500:])
    finally:
        stop.set()
        thread.join()


def check_loss(container, work, rules):
    agent = agentlib.Agent(work, "loss", "--mode", "full", "-r", rules, "--ring", "256")
    tap.ok(agent.is_watching, "the agent starts with a tiny ring", agent.log())
    agent.send(signal.SIGSTOP)
    container.run("/usr/bin/actor", "do", "flood", "/etc/plain", str(FLOOD), "flood")
    agent.send(signal.SIGCONT)

    def lost():
        return sum(a["output_fields"]["lost.file"] for a in agent.alerts() if a["rule"] == "System calls lost")
    tap.ok(agentlib.until(lambda: lost() > FLOOD / 2), "calls that were lost are told by their class", agent.log())
    m, _ = do(container, "unlink", ("/tmp/none",))
    tap.ok(agentlib.until(lambda: seen(agent, m)), "and it sees again", agent.log())
    code = agent.end()
    tap.ok(code == 0 and re.search(r"exit, [1-9][0-9]* call; 0 records malformed", agent.log()), "the sum is told at the end",
           "%d\n%s" % (code, agent.log()))


def main():
    reason = runclib.missing()
    if reason:
        agentlib.skip_all(reason)
    agentlib.need_sensor("runc", "busybox", "cc")
    work = tempfile.mkdtemp()
    os.chmod(work, 0o755)
    server = socket.create_server(("127.0.0.1", 0))
    port = str(server.getsockname()[1])
    rules = os.path.join(work, "rules.yaml")
    with open(rules, "w") as file:
        file.write(RULES % ", ".join(sorted({call for _, _, call in deeds(port)})))
    container = make_container(work)
    agent = None
    try:
        reason = container.start("/usr/bin/actor", "wait")
        if reason:
            agentlib.skip_all(reason)
        agent = agentlib.Agent(work, "full", "--mode", "full", "-r", rules)
        tap.ok(agent.is_watching and "full mode" in agent.log(), "the agent starts in full mode", agent.log())
        check_deeds(container, agent, port)
        check_buffers(container, agent)
        check_modes(container, agent)
        code = agent.end()
        tap.ok(code == 0 and "lost: 0 exec, 0 fork, 0 exit" in agent.log() and "; 0 records malformed" in agent.log(),
               "it ended, and nothing of the lifecycle was lost", "%d\n%s" % (code, agent.log()))
        agent = None
        check_loss(container, work, rules)
    finally:
        if agent:
            agent.end()
        container.end()
        server.close()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
