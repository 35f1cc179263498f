#!/usr/bin/env python3
"""What the agent gives up: capabilities by its table, system calls by its filter; and rule files that would end their parser."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import agentlib
import taplib
from agentlib import until

tap = taplib.Tap(dict(os.environ))
ROOT = os.path.join(agentlib.HERE, "../..")
NUMBERS = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_DAC_READ_SEARCH": 2, "CAP_FOWNER": 3, "CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7,
           "CAP_LINUX_IMMUTABLE": 9, "CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21, "CAP_SYS_RESOURCE": 24, "CAP_LEASE": 28, "CAP_PERFMON": 38, "CAP_BPF": 39}


def read(path):
    with open(path) as file:
        return file.read()


def check_table():
    rows = re.findall(r'\{ (CAP_\w+), "([^"]*)", (\w+), (\w+) \}', read(os.path.join(ROOT, "src/serve/rights.c")))
    told = re.findall(r"^\| (CAP_\w+) \| (.*) \|$", read(os.path.join(ROOT, "docs/agent.md")), re.M)
    tap.ok(len(rows) > 10 and [r[:2] for r in rows] == told, "docs/agent.md shows the table of rights.c", (rows, told))
    return rows


def status_of(pid):
    return dict(re.findall(r"^(\w+):\s+(.*)$", read("/proc/%d/status" % pid), re.M))


def bits(names):
    return sum(1 << NUMBERS[n] for n in names)


def check_rights(agent, rows, needs, what):
    status = status_of(agent.pid())
    mine = int(status_of(os.getpid())["CapPrm"], 16)
    kept = bits(name for name, _, when, is_for_start in rows if when in needs and is_for_start == "false") & mine
    found = [int(status[key], 16) for key in ("CapPrm", "CapEff", "CapInh", "CapAmb")]
    tap.ok(found == [kept, kept, 0, 0], "it keeps the capabilities of the table: " + what, (hex(kept), status))
    has_setpcap = mine >> 8 & 1
    tap.ok(not has_setpcap or int(status["CapBnd"], 16) | kept == kept, "none can come back: " + what, status["CapBnd"])
    tap.ok(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "no new privileges, and a filter: " + what, status)


def write_rules(path, n, condition="evt.type = execve and proc.exepath = /sekisho/%d"):
    with open(path, "w") as file:
        for i in range(n):
            file.write("- rule: r%d\n  desc: d\n  condition: %s\n  output: o\n  priority: WARNING\n" % (i, condition % i if "%d" in condition else condition))


def check_reload(work):
    path = os.path.join(work, "rules.yaml")
    write_rules(path, 2)
    agent = agentlib.Agent(work, "reload", "-r", path)
    tap.ok(agent.is_watching and "2 rules" in agent.log(), "rules of a file are tried, and loaded", agent.log())
    for what, text in (("deep", "[" * 200000), ("aliases", "a: &a [x]\nb: &b [%s]\n" % ",".join(["*a"] * 100000)), ("bytes", "\0\xff" * 100000),
                       ("brackets", "- rule: x\n  desc: d\n  condition: %s\n  output: o\n  priority: WARNING\n" % ("(" * 100000)),
                       ("too large", "#" * (17 << 20))):
        with open(path, "w", encoding="latin-1") as file:
            file.write(text)
        before = agent.log().count("not loaded anew")
        agent.send(signal.SIGHUP)
        tap.ok(until(lambda: agent.log().count("not loaded anew") > before) and agent.process.poll() is None, "hostile rules are refused, the agent goes on: " + what,
               agent.log()[-2000:])
    write_rules(path, 20000)
    before = agent.log().count("loaded anew")
    killed = kill_worker(agent)
    tap.ok(killed and until(lambda: agent.log().count("loaded anew") > before), "the worker that tries rules is killed", agent.log()[-2000:])
    tap.ok("rules not loaded anew, the old ones stay: the rules were tried in a worker first" in agent.log() and "signal 9" in agent.log(),
           "which costs the reload, with words", agent.log()[-2000:])
    check_slow_trial(work, agent, path)
    write_rules(path, 3)
    agent.send(signal.SIGHUP)
    tap.ok(until(lambda: "rules loaded anew: 3" in agent.log()), "the next reload is good", agent.log()[-2000:])
    tap.ok(agent.end() == 0, "it ends well", agent.log()[-2000:])


def check_slow_trial(work, agent, path):
    """The worker that tries rules is stopped: events are judged meanwhile, by the old rules; in the end it costs the reload."""
    program = os.path.join(work, "slow-trial")
    shutil.copy("/bin/true", program)
    rule = "- rule: slow\n  desc: d\n  condition: evt.type = execve and proc.exepath = %s\n  output: o\n  priority: WARNING\n" % program
    with open(path, "w") as file:
        file.write(rule)
    agent.send(signal.SIGHUP)
    tap.ok(until(lambda: "rules loaded anew: 1" in agent.log()), "one rule is loaded", agent.log()[-2000:])
    write_rules(path, 20000)
    stopped = signal_worker(agent, signal.SIGSTOP)
    before = len(agent.alerts())
    subprocess.run([program], check=False)
    good = until(lambda: len(agent.alerts()) > before)
    waits = "it had not ended" not in agent.log()
    agent.send(signal.SIGHUP)
    tap.ok(stopped and good and waits, "the worker that tries rules is stopped: events are judged", agent.log()[-2000:])
    tap.ok(until(lambda: "it did not get through: it had not ended after" in agent.log()), "it has its time", agent.log()[-2000:])
    tap.ok(until(lambda: "rules loaded anew: 20000" in agent.log()), "who asked meanwhile is not forgotten", agent.log()[-2000:])


def kill_worker(agent):
    return signal_worker(agent, signal.SIGKILL)


def signal_worker(agent, number):
    """The one child that this agent has while it reloads."""
    pid = agent.pid()
    children = "/proc/%d/task/%d/children" % (pid, pid)
    old = read(children)
    agent.send(signal.SIGHUP)
    end = time.monotonic() + agentlib.WAIT_SECONDS
    while time.monotonic() < end:
        for child in read(children).split():
            if child not in old.split():
                os.kill(int(child), number)
                return True
    return False


def check_protection(work):
    """What `ps` says of a container: each part that does something for it."""
    container = agentlib.Container(work, "rights")
    path, control = os.path.join(work, "freeze.yaml"), os.path.join(work, "socket")
    with open(path, "w") as file:
        file.write("- rule: f\n  desc: d\n  condition: evt.type = execve and proc.exepath = /nope\n  output: o\n  priority: WARNING\n  action: freeze\n")

    def words():
        found = json.loads(tap.run(agentlib.SEKISHO, "ps", "--socket", control, "-o", "json")[1])["containers"]
        return [c["protection"] for c in found if c["name"] == container.id]
    try:
        reason = container.start()
        if reason:
            tap.skip("ps says what protects a container", reason)
            return
        for mode, wanted in (("enforce", ["rules", "drift (alert)", "answers", "logs"]), ("alert", ["rules", "drift (alert)", "logs"])):
            agent = agentlib.Agent(work, "ps-" + mode, "-r", path, "--socket", control, "--respond", mode, "--drift-mode", container.id + "=alert",
                                   "--guard-logs", "/tmp", "--guard-journal", os.path.join(work, "journal"))
            container.drop("seen-" + mode)
            tap.ok(until(lambda: words() == [wanted], 20), "ps says what protects a container, answers: " + mode, (words(), agent.log()))
            tap.ok(agent.end() == 0, "ends", agent.log())
    finally:
        container.remove()


def main():
    agentlib.need_sensor()
    work = tempfile.mkdtemp()
    try:
        rows = check_table()
        plain = agentlib.Agent(work, "plain")
        tap.ok(plain.is_watching, "an agent", plain.log())
        check_rights(plain, rows, ("always",), "no parts")
        tap.ok(plain.end() == 0, "ends", plain.log())
        logs = agentlib.Agent(work, "logs", "--guard-logs", "/var/log", "--guard-journal", os.path.join(work, "journal"))
        tap.ok(logs.is_watching, "an agent that guards logs", logs.log())
        check_rights(logs, rows, ("always", "guards_logs", "touches_files"), "logs")
        tap.ok(logs.end() == 0, "ends", logs.log())
        check_reload(work)
        if shutil.which("runc") and shutil.which("busybox"):
            check_protection(work)
        else:
            tap.skip("ps says what protects a container", "runc or busybox is not installed")
    finally:
        agentlib.end_agents()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
