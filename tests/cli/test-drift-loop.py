#!/usr/bin/env python3
# alone: agent
"""While drift's companions look at files, however long that takes, the agent judges and tells. Here they are stopped (SIGSTOP) as soon as
they are seen; what happens meanwhile is told and killed, and what began unjudged is killed when they go on.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import agentlib
import runclib
import taplib
from agentlib import skip_all, until

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
KILLED = 137
FILES = 20000  # of the manifest: finding them takes longer than seeing who does

tap = taplib.Tap(dict(os.environ))


class Stopper(threading.Thread):
    """Stops each companion of an agent once, as soon as it is there."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.stopped, self.is_over = pid, [], False

    def run(self):
        while not self.is_over:
            for child in agentlib.children_of(self.pid):
                if child in self.stopped:
                    continue
                try:
                    with open("/proc/%d/comm" % child) as file:
                        if file.read().strip() == "sekisho-drift":
                            os.kill(child, signal.SIGSTOP)
                            self.stopped.append(child)
                except OSError:
                    pass
            time.sleep(0.0005)

    def let_go(self):
        """Those that are stopped now go on; how many."""
        n = len(self.stopped)
        for child in self.stopped[:n]:
            try:
                os.kill(child, signal.SIGCONT)
            except OSError:
                pass
        return n

    def end(self):
        self.is_over = True
        self.join()
        self.let_go()


def told(agent, c, verdict):
    return [a for a in agentlib.json_lines(agent.alerts_path)
            if a["output_fields"].get("container.id") == c.id and a["output_fields"].get("drift.verdict") == verdict]


def background(c, *command):
    return subprocess.Popen(["runc", "exec", c.id, *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def code_of(process):
    try:
        return process.wait(agentlib.WAIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return 99


def check_dropped(agent, c, what):
    """It is killed and told of, and nobody waited for the companions."""
    before = len(told(agent, c, "dropped"))
    got, output = c.run("/bin/sh", "-c", "cp /usr/bin/actor /tmp/x%d; exec /tmp/x%d noop" % (before, before))
    good = until(lambda: len(told(agent, c, "dropped")) > before)
    tap.ok(got == KILLED and good, "a dropped program is killed and told of " + what, "exit %d\n%s\n%s" % (got, output, agent.log()))


def fill(c, work, actor):
    """The image and its manifest; then the storage is tampered with."""
    with open(actor, "rb") as file:
        program = file.read()
    for name in ("usr/bin/actor", "usr/bin/changed"):
        c.add(name, program, 0o755)
    c.add("usr/share/many/0", "#!/bin/sh\nexit 0\n", 0o755)
    for i in range(1, FILES):
        os.link(os.path.join(c.image, "usr/share/many/0"), os.path.join(c.image, "usr/share/many/%d" % i))
    manifest = os.path.join(work, "manifest")
    subprocess.run([SEKISHO, "scan", "dir:" + c.image, "-q", "--no-record", "--manifest", manifest], capture_output=True, check=False)
    c.add("usr/bin/unlisted", program, 0o755)
    with open(os.path.join(c.image, "usr/bin/changed"), "r+b") as file:
        file.seek(-1, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([byte[0] ^ 1]))
    return manifest


def check(agent, c, stopper):
    good = until(lambda: stopper.stopped)
    tap.ok(good and "container %s: drift enforce" % c.id not in agent.log(), "the search for the manifest's files is under way", agent.log())
    check_dropped(agent, c, "while its files are looked for")
    unlisted = background(c, "/usr/bin/unlisted", "wait")
    until(lambda: any("/usr/bin/unlisted" in line for line in lines_of(c)))
    tap.ok(unlisted.poll() is None, "what only the manifest forbids runs until it can be told", unlisted.poll())
    stopper.let_go()
    good = until(lambda: "container %s: drift enforce, by the manifest" % c.id in agent.log())
    tap.ok(good, "the manifest comes into force", agent.log())
    tap.ok(code_of(unlisted) == KILLED, "and who began before is killed by it", unlisted.returncode)
    alerts = told(agent, c, "unlisted")
    tap.ok(len(alerts) == 1 and alerts[0]["action"] == "killed-after", "which is told once", json.dumps(alerts))
    changed = background(c, "/usr/bin/changed", "wait")
    check_dropped(agent, c, "while a program's content is compared")
    until(lambda: stopper.let_go() and changed.poll() is not None)
    tap.ok(code_of(changed) == KILLED, "whose content is another is killed when that is known", changed.returncode)
    tap.ok(until(lambda: len(told(agent, c, "changed")) == 1), "and told of once", json.dumps(told(agent, c, "changed")))
    got, output = c.run("/usr/bin/changed", "noop")
    tap.ok(got == KILLED, "and cannot run any more", output)
    got, output = c.run("/usr/bin/actor", "noop")
    tap.ok(got == 0, "what the image has runs", "%d %s\n%s" % (got, output, agent.log()))


def lines_of(c):
    """The command lines of a container's processes."""
    return subprocess.run(["runc", "ps", c.id], capture_output=True, text=True, check=False).stdout.split("\n")


def main():
    why = runclib.missing()
    if why or not shutil.which("cc"):
        skip_all(why or "cc is needed")
    doctor = json.loads(subprocess.run([SEKISHO, "doctor", "--json"], capture_output=True, text=True, check=False).stdout)
    kill = [c for c in doctor["checks"] if c["name"] == "kill by manifest"]
    if not kill or not kill[0]["good"]:
        skip_all("the kernel does not take the guard: " + (kill[0]["words"] if kill else "?"))
    with tempfile.TemporaryDirectory() as work:
        actor = os.path.join(work, "actor")
        built = subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", actor, os.path.join(HERE, "../tools/actor.c")],
                               capture_output=True, text=True, check=False)
        if built.returncode:
            skip_all("no static program can be built: " + built.stderr.strip()[:100])
        c, agent, stopper = runclib.Container(work, "drift-loop"), None, None
        try:
            manifest = fill(c, work, actor)
            agent = agentlib.Agent(work, "agent", "--drift", c.id + "=" + manifest, "--drift-mode", c.id + "=enforce")
            if not agent.is_watching:
                skip_all("the agent does not start: " + agent.log()[-300:])
            stopper = Stopper(agent.pid())
            stopper.start()
            why = c.start("/usr/bin/actor", "wait")
            if why:
                skip_all(why)
            check(agent, c, stopper)
            stopper.end()
            stopper = None
            tap.ok(until(lambda: "sekisho-drift" not in comms(agent.pid())), "with nothing to look at the companions end", comms(agent.pid()))
            tap.ok(agent.end() == 0, "the agent ends", agent.log())
        finally:
            if stopper:
                stopper.end()
            if agent:
                agent.end()
            c.end()
    tap.end()
    sys.exit(1 if tap.failed else 0)


def comms(pid):
    found = []
    for child in agentlib.children_of(pid):
        try:
            with open("/proc/%d/comm" % child) as file:
                found.append(file.read().strip())
        except OSError:
            pass
    return found


main()
