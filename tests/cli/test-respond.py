#!/usr/bin/env python3
# alone: agent
"""What the agent does about hits of rules with an action, in real containers of runc: freeze, isolate, deny, terminate, kill after the
event; once, with evidence, by mode and workload; and that nobody else is touched.

Each container has a rule of its own for each action, which hits when a program gets that action's word as an argument.
"""
import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import agentlib
import containerlib
import taplib
from agentlib import WAIT_SECONDS, until

BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(containerlib.HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
tap = taplib.Tap(dict(os.environ))
RULE = """
- rule: Test %(word)s
  desc: what the test asks for
  condition: evt.type in (execve, execveat) and proc.in_container = true and container.name startswith "respond-" and
    container.name endswith "-%(pid)d" and proc.args contains "%(word)s-please"
  output: hit (container=%%container.name command=%%proc.cmdline)
  priority: WARNING
  %(action)s
"""
MODES = """
- {rule: "Test *", name: "respond-alert-*", mode: alert}
- {rule: "Test *", name: "respond-log-*", mode: log}
"""


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def rules():
    actions = [(word, "action: " + word) for word in ("freeze", "isolate", "terminate")]
    actions += [("kill", "action: kill\n  when: after"), ("say", "action: log")]
    return "".join(RULE % {"word": word, "action": action, "pid": os.getpid()} for word, action in actions)


def trigger(c, word):
    """A program that waits for ever, with the word among its arguments."""
    return c.spawn("/bin/netter", "count", "/data/" + word + "-please")


def check_freeze(agent, c, near):
    c.spawn("/bin/netter", "count", "/data/n")
    near.spawn("/bin/netter", "count", "/data/n")
    tap.ok(c.moves("n") and near.moves("n"), "two containers count")
    trigger(c, "freeze")
    tap.ok(until(lambda: agent.actions(c, "freeze")) and agent.actions(c, "freeze") == ["frozen"], "freeze: the alert says so",
           agent.log())
    tap.ok(until(lambda: c.stands("n")), "freeze: the container stands")
    tap.ok(near.moves("n"), "freeze: its neighbour goes on")
    evidence = agent.evidence(c)
    tap.ok(len(evidence) == 1 and evidence[0]["action"] == "freeze" and evidence[0]["outcome"] == "done" and
           evidence[0]["by"] == "rule Test freeze" and "contain thaw" in evidence[0]["undo"], "freeze: the journal has it", evidence)
    code, out = tap.run(SEKISHO, "contain", "thaw", "--actions", agent.journal, c.name)
    tap.ok(code == 0 and c.moves("n"), "freeze: undone by hand", out)
    trigger(c, "freeze")
    tap.ok(until(lambda: len(agent.actions(c, "freeze")) > 1) and agent.actions(c, "freeze")[1] == "already" and c.moves("n"),
           "freeze: the next hit says already, and the hand that undid it has decided", agent.actions(c, "freeze"))


def check_isolate(agent, c, near):
    tap.ok(c.run("/bin/netter", "udp", "127.0.0.1", "9") == 0, "isolate: the network works before")
    trigger(c, "isolate")
    tap.ok(until(lambda: agent.actions(c, "isolate")) and agent.actions(c, "isolate") == ["isolated"], "isolate: the alert says so",
           agent.log())
    tap.ok(c.run("/bin/netter", "udp", "127.0.0.1", "9") == errno.EPERM, "isolate: the container gets EPERM")
    tap.ok(near.run("/bin/netter", "udp", "127.0.0.1", "9") == 0, "isolate: its neighbour does not")


def check_kill(agent, c):
    before = len(c.pids())
    child = c.spawn("/bin/netter", "bomb", "5", "kill-please")  # one argument more: it only complains
    child.wait(WAIT_SECONDS)
    process = trigger(c, "kill")
    tap.ok(process.wait(WAIT_SECONDS) == 128 + signal.SIGKILL, "kill, when: after: the process is killed", process.returncode)
    tap.ok(until(lambda: "killed-after" in agent.actions(c, "kill")), "kill, when: after: the alert says so", agent.log())
    tap.ok(len(c.pids()) == before, "kill, when: after: nobody else is", c.pids())


def check_say(agent, c):
    process = trigger(c, "say")
    tap.ok(until(lambda: agent.actions(c, "say")) and agent.actions(c, "say") == ["none"] and process.poll() is None,
           "action: log only speaks", agent.log())


def check_terminate(agent, c):
    c.spawn("/bin/netter", "bomb", "60")
    until(lambda: len(c.pids()) > 50)
    trigger(c, "terminate")
    tap.ok(until(lambda: agent.actions(c, "terminate")) and agent.actions(c, "terminate")[0] == "terminated",
           "terminate: the alert says so", agent.log())
    tap.ok(until(lambda: not c.pids()), "terminate: all are gone", c.pids())


def check_modes(agent, alert, log):
    for c, want in ((alert, "would-act"), (log, "none")):
        for word in ("freeze", "isolate", "terminate", "kill"):
            process = trigger(c, word)
            told = until(lambda: agent.actions(c, word))
            tap.ok(told and agent.actions(c, word) == [want] and process.poll() is None and c.moves(word + "-please") and
                   c.run("/bin/netter", "udp", "127.0.0.1", "9") == 0,
                   "mode %s: %s is not done, the alert says %s" % (c.name.split("-")[1], word, want), agent.actions(c, word))
        tap.ok(not agent.evidence(c), "and the journal has nothing of it")


def check_usage(work):
    for name, text, words in (("modes", "- {mode: sometimes}\n", "bad.yaml:1:10: a mode is enforce, alert or log"),
                              ("keys", "- {mode: log, who: me}\n", "there is no such key"),
                              ("nothing", "mode: log\n", "one list of entries")):
        path = os.path.join(work, "bad.yaml")
        with open(path, "w") as file:
            file.write(text)
        code, out = tap.run("timeout", "30", SEKISHO, "agent", "--foreground", "-o", "none", "--responses", path)
        tap.ok(code == 3 and words in out, "a file of modes that is wrong: " + name, out)
    code, out = tap.run("timeout", "30", SEKISHO, "agent", "--foreground", "--respond", "maybe")
    tap.ok(code == 2 and "enforce, alert or log" in out, "a mode that is none", out)
    path = os.path.join(work, "when.yaml")
    with open(path, "w") as file:
        file.write(RULE % {"word": "x", "action": "action: freeze\n  when: after", "pid": 1})
    code, out = tap.run("timeout", "30", SEKISHO, "agent", "--foreground", "-r", path)
    tap.ok(code == 2 and "when is for action kill alone" in out, "when without kill is refused", out)


def main():
    if os.geteuid() != 0:
        skip_all("needs root")
    for name in ("runc", "cc"):
        if not shutil.which(name):
            skip_all(name + " is not there")
    with tempfile.TemporaryDirectory() as work:
        failure = containerlib.build_netter(os.path.join(work, "netter"))
        if failure:
            skip_all(failure)
        os.makedirs(os.path.join(work, "bpf"))
        if subprocess.run(["mount", "-t", "bpf", "bpf", os.path.join(work, "bpf")], capture_output=True).returncode:
            skip_all("no BPF file system can be mounted")
        rules_path, modes_path = os.path.join(work, "rules.yaml"), os.path.join(work, "modes.yaml")
        for path, text in ((rules_path, rules()), (modes_path, MODES)):
            with open(path, "w") as file:
                file.write(text)
        agent, containers = containerlib.Agent(work, "alerts", "-r", rules_path, "--responses", modes_path), []
        try:
            if not agent.is_watching:
                skip_all("the agent does not start here: " + agent.log().strip()[-200:])
            for name in ("one", "near", "alert", "log"):
                containers.append(containerlib.Runc(work, "respond-" + name))
                failure = containers[-1].start("/bin/netter", "wait")
                if failure:
                    skip_all(failure)
            one, near, alert, log = containers
            check_freeze(agent, one, near)
            check_isolate(agent, one, near)
            check_kill(agent, one)
            check_say(agent, one)
            check_modes(agent, alert, log)
            check_terminate(agent, one)
            tap.ok(near.moves("n"), "at the end its neighbour still counts")
            tap.ok(agent.end() == 0, "the agent ends well", agent.log())
            check_usage(work)
        finally:
            agent.end()
            for c in containers:
                c.remove()
            tap.run(SEKISHO, "contain", "list", "--pins", os.path.join(work, "bpf/pins"))
            subprocess.run(["umount", os.path.join(work, "bpf")])
    return tap.end()


sys.exit(main())
