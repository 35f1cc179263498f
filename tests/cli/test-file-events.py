#!/usr/bin/env python3
# alone: agent
"""File events without a tracepoint (sekisho agent --watch): what is done to files of a real container and of the host becomes the system
calls that rules know, with the process that did it. Each thing is done by a file of its own name, under which its alerts are found."""
import os
import shutil
import signal
import sys
import tempfile
import time

import agentlib
import runclib
import taplib

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
RULES = """
- rule: %s
  desc: of the test
  condition: evt.type = %s and (%s)
  output: "%%evt.type by %%proc.cmdline container %%container.id"
  priority: WARNING
"""
CALLS = ("openat", "unlinkat", "renameat2", "truncate", "fchmodat", "fchownat", "utimensat", "symlinkat", "linkat", "mkdirat", "mknodat")
# What is done in the container; $F is a file of the image of its own; the calls that must be told, and must not.
ROWS = [
    (": > $F", {"truncate", "openat"}, {"unlinkat"}),
    ("rm $F", {"unlinkat"}, {"truncate"}),
    ("tamper unlink $F", {"unlinkat"}, set()),
    ("mv $F $F.old", {"renameat2"}, set()),
    ("mv $F /tmp/x", {"renameat2"}, set()),
    ("sed -i s/line/x/ $F", {"openat", "renameat2"}, set()),
    ("cp /dev/null $F", {"truncate", "openat"}, set()),
    ("ln -sf /dev/null $F", {"symlinkat"}, set()),
    ("tamper truncate $F", {"truncate"}, set()),
    ("tamper ftruncate $F", {"truncate"}, set()),
    ("tamper create $F", {"truncate"}, set()),
    ("tamper punch $F", {"openat"}, {"truncate"}),
    ("tamper overwrite $F", {"openat"}, {"truncate"}),
    ("tamper map $F", {"openat"}, {"truncate"}),
    ("tamper exchange $F", {"renameat2"}, set()),
    ("echo more >> $F", {"openat"}, {"truncate", "unlinkat"}),
    ("(exec 3>>$F; echo more >&3; sleep 90; true) >/dev/null 2>&1 &", {"openat"}, {"truncate"}),
    ("chmod 4755 $F", {"fchmodat"}, {"openat"}),
    ("echo more >> $F; sleep 2; chown 5:5 $F", {"openat", "fchownat"}, set()),
    ("echo more >> $F; touch -d 2001-01-01 $F", {"openat", "utimensat"}, set()),
    ("echo x > $F.new", {"openat"}, {"unlinkat"}),
    ("mkdir $F.d", {"mkdirat"}, set()),
    ("mkdir $F.d; echo x > $F.d/f; rm $F.d/f; mkdir $F.e; rm -r $F.d", {"mkdirat", "openat", "unlinkat"}, set()),
    ("cat $F", set(), set(CALLS)),
    ("ln $F /tmp/$M.other; echo more >> /tmp/$M.other", {"linkat", "openat"}, {"truncate", "unlinkat"}),
    ("ln $F /tmp/$M.other; : > /tmp/$M.other", {"linkat", "truncate"}, {"unlinkat"}),
    ("echo x > /tmp/not-watched-$M; chmod 600 /tmp/not-watched-$M; sleep 1; rm /tmp/not-watched-$M", {"openat", "fchmodat", "unlinkat"}, {"truncate"}),
]
tap = taplib.Tap(dict(os.environ))


def seen(agent, mark):
    return {a["rule"] for a in agent.alerts() if mark in a["output"]}


def wait_for_end(agent, c):
    """Events come in order: once this one is told, those before are."""
    mark = "end%d" % time.monotonic_ns()
    c.run("/bin/sh", "-c", "echo x > /var/log/" + mark)
    return agentlib.until(lambda: "openat" in seen(agent, mark))


def rows(agent, c):
    for i, (what, must, never) in enumerate(ROWS):
        mark = "mark%02d" % i
        c.run("/bin/sh", "-c", what.replace("$F", "/var/log/" + mark).replace("$M", mark))
        agentlib.until(lambda: must <= seen(agent, mark), 20)
        ended = wait_for_end(agent, c)
        got = seen(agent, mark)
        tap.ok(ended and must <= got and not got & never, "in a container: " + what,
               "told %s, wanted %s, and not %s\n%s" % (sorted(got), sorted(must), sorted(never), agent.log()))


def held(agent, c):
    """A file of the image is opened where nobody was before, while the agent does not look, and is not closed."""
    for what, path, must in (("written", "/etc/pam.d/held", {"openat"}), ("not written", "/etc/sudoers.d/held", set())):
        agent.send(signal.SIGSTOP)
        c.run("/bin/sh", "-c", "(exec 3<>%s; %s sleep 90; true) >/dev/null 2>&1 &" % (path, "echo more >&3;" if must else ""))
        agent.send(signal.SIGCONT)
        agentlib.until(lambda: must <= seen(agent, path), 20)
        time.sleep(0 if must else 2)  # in which it would be looked at again
        tap.ok(wait_for_end(agent, c) and seen(agent, path) == must, "opened, %s, and not closed" % what, (seen(agent, path), agent.log()))


def host(agent, work):
    path = os.path.join(work, "watched")
    os.makedirs(os.path.join(path, "deep/er"))
    for what, mark, must in (("echo x > $F/deep/er/host1", "host1", {"openat"}), ("rm $F/deep/er/host1", "host1", {"openat", "unlinkat"}),
                             ("mkdir $F/host2", "host2", {"mkdirat"}), ("echo x > $F-host3", "host3", set()), ("rm -r $F/deep", "deep", {"openat", "unlinkat"})):
        os.system(what.replace("$F", path))
        agentlib.until(lambda: must <= seen(agent, mark), 20)
        tap.ok(seen(agent, mark) == must, "on the host: " + what, "%s %s" % (seen(agent, mark), agent.log()))


# What the embedded rules tell of in lean mode, when nobody says what is to be watched.
USUAL = [
    (": > /var/log/auth.log", "Log file tampered with"),
    ("rm /root/.bash_history", "Shell history removed or redirected"),
    ("echo /opt/x.so > /etc/ld.so.preload", "Dynamic linker told to load a library"),
    ("chmod 4755 /usr/bin/tool", "Setuid bit set"),
    ("echo x >> /usr/bin/tool", "Program of the image changed"),
    ("touch -d 2001-01-01 /usr/bin/tool", "Time of a system file set by hand"),
    ("ln /var/log/auth.log /tmp/other", "Link to a log"),
]
# And what they do not: in what is not watched, too.
SILENT = ("echo line >> /var/log/mark00", "echo line >> /var/log/made; echo line >> /var/log/made", "mkdir -p /tmp/a/b; echo x > /tmp/a/b/c; mv /tmp/a/b/c /tmp/a/d; rm -r /tmp/a",
          "touch /usr/bin/tool2", "chmod 644 /var/log/mark02")


def usual(work, c):
    for option, wanted in ((), {rule for _, rule in USUAL}), (("--watch", "none"), set()):
        agent = agentlib.Agent(work, "usual-" + "-".join(option), *option)
        try:
            c.run("/bin/true")
            for what in SILENT + tuple(what for what, _ in USUAL):
                c.run("/bin/sh", "-c", what)
            c.run("/bin/sh", "-c", "cp /bin/busybox /tmp/last && /tmp/last true")
            told = lambda: {a["rule"] for a in agent.alerts(c)}
            agentlib.until(lambda: wanted | {"Dropped program executed"} <= told())
            tap.ok(told() == wanted | {"Dropped program executed"},
                   "the embedded rules in lean mode, %s" % (" ".join(option) or "without an option"), (sorted((a["rule"], a["output"]) for a in agent.alerts(c)), agent.log()))
        finally:
            agent.end()


def tests(work, c):
    disk = os.path.join(work, "watched")
    rules = os.path.join(work, "rules.yaml")
    with open(rules, "w") as file:
        for call in CALLS:
            file.write(RULES % (call, call, "container.id != host or proc.cmdline contains host"))
    agent = agentlib.Agent(work, "agent", "-r", rules, "--watch", "default", "--watch", disk)
    try:
        tap.ok(agent.is_watching, "the agent watches", agent.log())
        if agent.is_watching:
            held(agent, c)
            rows(agent, c)
            host(agent, work)
            in_other = [a for a in agent.alerts() if "mark00" in a["output"] and c.id[:12] not in a["output"]]
            tap.ok(not in_other, "with the container that the files belong to", in_other)
    finally:
        code = agent.end()
    tap.ok(code == 0 and "file events:" in agent.log() and "lost 0 times" in agent.log(), "and ends with its counts", agent.log())
    for bad in ("relative", "container:x", "/a/../b"):
        tap.expect("--watch %s is refused" % bad, [SEKISHO, "agent", "--foreground", "-r", rules, "--watch", bad], 3, ["no absolute path"])


def main():
    why = runclib.missing()
    if why:
        print("1..0 # SKIP " + why)
        return 0
    work = tempfile.mkdtemp(prefix="sekisho-file-events-")
    c = runclib.Container(work, "events")
    try:
        tamper = os.path.join(work, "tamper")
        why = runclib.build_static(os.path.join(HERE, "../tools/tamper.c"), tamper)
        if not why:
            c.add("usr/bin/tamper", open(tamper, "rb").read(), 0o755)
            for i in range(len(ROWS)):
                c.add("var/log/mark%02d" % i, "line\n" * 1000)
            c.add("usr/bin/tool2", "line\n")
            for path in ("var/log/auth.log", "root/.bash_history", "usr/bin/tool", "etc/pam.d/held", "etc/sudoers.d/held"):
                c.add(path, "line\n")
            why = c.start("/bin/sleep", "600")
        if why:
            tap.skip("file events", why)
        else:
            tests(work, c)
            usual(work, c)
    finally:
        c.end()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


sys.exit(main())
