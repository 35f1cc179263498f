#!/usr/bin/env python3
# alone: agent
"""Guarded logs of a real container: every way to change a log but appending is refused, with the program that tries; what rotates logs may;
nothing stays guarded when the agent has ended, was killed and undone, or when the container is gone."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import agentlib
import runclib
import taplib

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
# Rows 16 to 21 of the attack table, and their twins.
ATTACKS = [": > $F", "rm -f $F", "tamper unlink $F", "mv $F $F.old", "mv $F /tmp/x", "sed -i s/line/x/ $F", "cp /dev/null $F", "ln -sf /dev/null $F",
           "tamper truncate $F", "tamper ftruncate $F", "tamper create $F", "tamper punch $F", "tamper overwrite $F", "tamper map $F",
           "tamper exchange $F", "dd if=/dev/zero of=$F bs=10 count=1", "shred -u $F", "truncate -s 0 $F", "echo x > /tmp/y; mv -f /tmp/y $F",
           "ln $F $F.2; rm -f $F"]
RULES = """
- rule: Calls that change files
  desc: full mode sends what a rule may ask for, no more; so the kernel must not be able to decide this one
  condition: evt.type in (unlink, unlinkat, rename, renameat, renameat2, truncate, ftruncate, open, openat, creat) and proc.cmdline contains nobody-at-all
  output: none
  priority: DEBUG
"""
LINES = "line\n" * 100
tap = taplib.Tap(dict(os.environ))


def container(work, name, tamper):
    c = runclib.Container(work, name)
    c.add("usr/bin/tamper", open(tamper, "rb").read(), 0o755)
    c.add("usr/bin/shred", "#!/bin/sh\nshift; tamper overwrite $1 && rm $1\n", 0o755)
    c.add("usr/sbin/logrotate", open(tamper, "rb").read(), 0o755)
    for i in range(len(ATTACKS)):
        c.add("var/log/log%02d" % i, LINES)
    for path in ("var/log/deep/er/log", "var/log/append", "var/log/lastlog", "var/log/rotated", "opt/log", "var/log/theirs"):
        c.add(path, LINES)
    return c, c.start("/bin/sleep", "600")


def sh(c, command):
    return c.run("/bin/sh", "-c", command)


def text(c, path):
    try:
        with open("/proc/%d/root/%s" % (c.pid(), path)) as file:
            return file.read()
    except OSError as e:
        return str(e)


def is_guarded(c, path):
    """By trying: opening for writing without O_APPEND changes nothing."""
    return sh(c, "true 3<> " + path)[0] != 0


def attacks(c):
    for i, attack in enumerate(ATTACKS):
        path = "/var/log/log%02d" % i
        code, output = sh(c, attack.replace("$F", path))
        tap.ok(text(c, path) == LINES and not os.path.islink("/proc/%d/root%s" % (c.pid(), path)), "refused: " + attack, output)
    code, output = sh(c, "echo more >> /var/log/append; tamper append /var/log/append")
    tap.ok(code == 0 and text(c, "/var/log/append") == LINES + "more\nmore\n", "appending goes on", output)
    tap.ok(is_guarded(c, "/var/log/deep/er/log"), "logs further down are guarded")
    tap.ok(not is_guarded(c, "/var/log/lastlog"), "what is written in place is not")
    tap.ok(not is_guarded(c, "/opt/log"), "other files are not")
    sh(c, "echo first > /var/log/new; mkdir /var/log/sub; echo first > /var/log/sub/new")
    tap.ok(agentlib.until(lambda: is_guarded(c, "/var/log/new") and is_guarded(c, "/var/log/sub/new"), 20), "logs that appear are guarded")


def rotation(agent, c):
    code, output = c.run("/usr/sbin/logrotate", "rotate", "/var/log/rotated", "100")
    tap.ok(text(c, "/var/log/rotated.1") == LINES, "the image's program that rotates logs may", output + agent.log())
    tap.ok(agentlib.until(lambda: is_guarded(c, "/var/log/rotated.1") and is_guarded(c, "/var/log/append"), 20), "and when it has ended they are guarded again")
    tap.ok(any(a["rule"] == "Guard of logs lifted" for a in agent.alerts()), "which is told", agent.alerts())
    sh(c, "cp /usr/bin/tamper /usr/sbin/logrotate.x; mv /usr/sbin/logrotate.x /usr/sbin/logrotate")
    code, output = c.run("/usr/sbin/logrotate", "rotate", "/var/log/append", "20")
    tap.ok(code == 1 and LINES in text(c, "/var/log/append"), "one that was dropped in its place may not", output)


def tests(work, c, tamper):
    journal, rules = os.path.join(work, "journal"), os.path.join(work, "rules.yaml")
    with open(rules, "w") as file:
        file.write(RULES)
    os.system("chattr +a /proc/%d/root/var/log/theirs" % c.pid())
    options = ("-r", rules, "--least", "notice", "--guard-logs", "default", "--guard-journal", journal)
    agent = agentlib.Agent(work, "agent", *options)
    tap.ok(agent.is_watching and agentlib.until(lambda: is_guarded(c, "/var/log/append"), 20), "the agent guards", agent.log())
    attacks(c)
    rotation(agent, c)
    tap.ok(agent.end() == 0 and "still guarded: 0" in agent.log(), "it ends", agent.log())
    tap.ok(not is_guarded(c, "/var/log/append") and not is_guarded(c, "/var/log/sub/new"), "and nothing is guarded any more")
    tap.ok(is_guarded(c, "/var/log/theirs"), "but what others had set")
    tap.ok(open(journal).read() == "", "the journal is empty", open(journal).read())

    agent = agentlib.Agent(work, "full", *options, "--mode", "full")
    if agent.is_watching and agentlib.until(lambda: is_guarded(c, "/var/log/append"), 20):
        sh(c, "rm -f /var/log/append; tamper truncate /var/log/log00; tamper create /var/log/log01")
        wanted = {"/var/log/append", "/var/log/log00", "/var/log/log01"}
        got = []
        agentlib.until(lambda: got.clear() or got.extend(a["output_fields"].get("fd.name") for a in agent.alerts() if a["rule"] == "Log tampering prevented") or wanted <= set(got), 20)
        tap.ok(wanted <= set(got), "full mode tells who was refused", "%s\n%s" % (got, agent.log()))
    else:
        tap.skip("full mode tells who was refused", "no full mode here")
    agent.send(signal.SIGKILL)
    agent.process.wait()
    tap.ok(is_guarded(c, "/var/log/append") and open(journal).read().count("\n") > 20, "an agent that is killed leaves them guarded, and the journal")
    tap.expect("--undo undoes it", [SEKISHO, "agent", "--undo", "--guard-journal", journal], 0, ["not guarded any more"])
    tap.ok(not is_guarded(c, "/var/log/append"), "as can be seen")
    tap.expect("and then there is nothing to undo", [SEKISHO, "agent", "--undo", "--guard-journal", journal], 0, ["0 logs"])

    agent = agentlib.Agent(work, "killed", *options)
    agentlib.until(lambda: is_guarded(c, "/var/log/append"), 20)
    agent.send(signal.SIGKILL)
    agent.process.wait()
    agent = agentlib.Agent(work, "next", *options)
    tap.ok(agent.is_watching and "guarded still by an agent" in agent.log(), "the next agent takes over", agent.log())
    agent.send(signal.SIGKILL)
    agent.process.wait()
    subprocess.run(["runc", "delete", "-f", c.id])
    subprocess.run(["umount", c.root])
    c.mounts.remove(c.root)
    attribute = "trusted.overlay.protattr"
    path = os.path.join(c.upper, "var/log/append")
    before = attribute in os.listxattr(path)
    tap.expect("logs of a container that is gone are undone too", [SEKISHO, "agent", "--undo", "--guard-journal", journal], 0, [])
    tap.ok(before and attribute not in os.listxattr(path), "on its upper directory", (before, os.listxattr(path)))
    with open(journal, "w") as file:
        file.write("id\t/upper\n")
    tap.expect("a journal that is none is refused with its line", [SEKISHO, "agent", "--undo", "--guard-journal", journal], 3, ["line 1"])


def main():
    why = runclib.missing()
    if why:
        print("1..0 # SKIP " + why)
        return 0
    work = tempfile.mkdtemp(prefix="sekisho-log-guard-")
    c = None
    try:
        tamper = os.path.join(work, "tamper")
        why = runclib.build_static(os.path.join(HERE, "../tools/tamper.c"), tamper)
        if not why:
            c, why = container(work, "logguard", tamper)
        if why:
            tap.skip("guarded logs", why)
        else:
            tests(work, c, tamper)
    finally:
        if c:
            c.end()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


sys.exit(main())
