#!/usr/bin/env python3
"""Lean mode's marks on secrets and on the kernel's file systems, in a real container: what is read and written is told, once, and nothing else."""
import os
import shutil
import sys
import tempfile

import agentlib
import debianlib
import taplib
from agentlib import until

tap = taplib.Tap(dict(os.environ))
SECRET, CLOUD, ESCAPE, HUGE = ("Secret of the system read by hand", "Credentials of a cloud read by hand", "Way out of the container written",
                               "Huge pages changed")
SAME = "v=$(cat %s) && echo \"$v\" > %s"  # written as it is: they are the machine's own settings
CASES = (
    (SECRET, "read", "cat /etc/shadow >/dev/null"),
    (SECRET, "mapped and never read", "python3 -c 'import mmap\nf = open(\"/etc/shadow\")\nm = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\nm[0]'"),
    (SECRET, "sent by the kernel", "python3 -c 'import os, socket\na, b = socket.socketpair()\nos.sendfile(a.fileno(), os.open(\"/etc/shadow\", 0), 0, 9)'"),
    (SECRET, "by a second name", "ln /etc/gshadow /opt/other && cat /opt/other >/dev/null"),
    (SECRET, "below /proc", "cat /proc/1/root/etc/shadow >/dev/null"),
    (None, "written, not read", "echo x:*:1:0:1:7::: >> /etc/shadow"),
    (SECRET, "after it was copied up", "cat /etc/shadow >/dev/null"),
    (None, "another one is put in its place", "cp /etc/group /etc/new; mv /etc/new /etc/shadow"),
    (SECRET, "the one in its place", "cat /etc/shadow >/dev/null"),
    (None, "a key is made", "mkdir -p /root/.ssh && echo key > /root/.ssh/id_made && chmod 600 /root/.ssh/id_made"),
    (SECRET, "the key", "cat /root/.ssh/id_made >/dev/null"),
    (SECRET, "a key that was there", "cat /home/somebody/.ssh/id_old >/dev/null"),
    (None, "its public half", "cat /home/somebody/.ssh/id_old.pub >/dev/null"),
    (CLOUD, "credentials", "cat /root/.aws/credentials >/dev/null"),
    (None, "what stands beside them", "cat /root/.aws/config /etc/passwd /etc/group >/dev/null; ls -la /etc/shadow /root/.ssh; stat /etc/shadow"),
    (ESCAPE, "core_pattern", SAME % (("/proc/sys/kernel/core_pattern",) * 2)),
    (ESCAPE, "by a relative path, from Python", "cd /proc/sys && python3 -c 'p = \"kernel/core_pattern\"\nv = open(p).read()\nopen(p, \"w\").write(v)'"),
    (HUGE, "huge pages", SAME % (("/proc/sys/vm/nr_hugepages",) * 2)),
    (None, "its own settings", "echo 0 > /proc/self/oom_score_adj; echo x > /proc/self/comm"),
    (None, "they are read", "cat /proc/sys/kernel/core_pattern /proc/sys/vm/nr_hugepages >/dev/null"),
)
TOLD = {SECRET, CLOUD, ESCAPE, HUGE, "Secret of the system archived", "Memory of another process written", "Disk of the host opened"}


def about_reads(alerts):
    return [a for a in alerts if a["rule"] in TOLD]


def check_cases(agent, container):
    watch = debianlib.Watch(agent, container)
    watch.told()
    for rule, what, command in CASES:
        code, words = container.run("/bin/bash", "-c", command)
        alerts = watch.told()
        if alerts is None or code:
            tap.ok(False, what, (code, words, agent.log()))
            continue
        rules = [a["rule"] for a in about_reads(alerts)]
        good = set(rules) == ({rule} if rule else set())
        tap.ok(good, "%s: %s" % (rule or "silent", what), "%s\n%s" % (words, "\n".join(a["output"] for a in alerts)))
    return watch


def check_alert(agent, container, watch):
    container.run("/bin/bash", "-c", "exec head -c 5 /etc/shadow")
    alerts = about_reads(watch.told() or [])
    f = alerts[0]["output_fields"] if len(alerts) == 1 else {}
    tap.ok(f.get("fd.name") == "/etc/shadow" and f.get("proc.exepath") == "/usr/bin/head" and f.get("container.name") == container.id,
           "the alert names the file, the program and the container, once", alerts)
    container.run("/usr/bin/python3", "-c", "for i in range(20000): open('/etc/shadow').read(1)")
    alerts = about_reads(watch.told() or [])
    tap.ok(1 <= len(alerts) <= 20 and not any(a["rule"] == "File events lost" for a in agent.alerts()), "who reads again and again is told of twice a second",
           (len(alerts), [a for a in agent.alerts() if a["rule"] == "File events lost"]))
    container.run("/bin/bash", "-c", "for i in $(seq 300); do head -c 5 /etc/shadow; done >/dev/null")
    alerts = about_reads(watch.told() or [])
    tap.ok(1 <= len(alerts) <= 300, "of three hundred readers some are told, within the limit for alerts", len(alerts))


def check_host(agent, container, watch):
    """Who looks into the container from outside is none of its processes."""
    with open(os.path.join(container.root, "etc/shadow"), "rb") as file:
        file.read()
    alerts = about_reads(watch.told() or [])
    tap.ok(not alerts, "what the host reads there is not told", alerts)


def check_full(work, container):
    agent = debianlib.start_agent(work, "full", False)
    watch = debianlib.Watch(agent, container)
    watch.told()
    container.run("/bin/bash", "-c", "exec cat /etc/shadow")
    alerts = about_reads(watch.told() or [])
    tap.ok(len(alerts) == 1, "full mode tells it once", alerts)
    agent.end()


def check(work, archive, is_first):
    """is_first: the agent is there before the container."""
    name = "agent first" if is_first else "container first"
    container = debianlib.Container(work, "reads%d" % is_first)
    container.unpack(archive)
    container.add("home/somebody/.ssh/id_old", "key\n", 0o600)
    container.add("home/somebody/.ssh/id_old.pub", "key\n")
    container.add("root/.aws/credentials", "none\n")
    container.add("root/.aws/config", "none\n")
    try:
        agent = debianlib.start_agent(work, "first", True) if is_first else None
        reason = container.start(privileged=True)
        if reason:
            tap.skip("a container", reason)
            return
        agent = agent or debianlib.start_agent(work, "later", True)
        tap.ok(agent.is_watching, name + ": the agent watches", agent.log())
        watch = check_cases(agent, container)
        check_alert(agent, container, watch)
        check_host(agent, container, watch)
        tap.ok(agent.end() == 0 and "reading of secrets: " in agent.log(), "it ends, and counts", agent.log())
        if is_first:
            check_full(work, container)
    finally:
        container.end()
    with open("/proc/self/mounts") as file:
        tap.ok(container.root not in file.read(), "no mark holds a mount")


def main():
    agentlib.need_sensor("runc", "mount")
    archive, reason = debianlib.root_archive()
    if reason:
        agentlib.skip_all(reason)
    work = tempfile.mkdtemp()
    try:
        for is_first in (True, False):
            check(work, archive, is_first)
    finally:
        agentlib.end_agents()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
