#!/usr/bin/env python3
# alone: agent
"""The agent as somebody starts it first (lean mode, its own rules and settings) with containers as runc makes them out of a directory:
their root is no overlay, so that time alone tells what was in the image. What is done when they begin, by what enters them, and by both
in two containers that have the same root."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import agentlib
import taplib

tap = taplib.Tap(dict(os.environ))
TOOLS = ("sh", "cat", "cp", "ln", "mv", "rm", "sleep", "echo", "sed", "chmod", "true", "ls")
LOUD = {"Warning", "Error", "Critical"}

# (rule or None, what, script); each goes on in what those before it have left.
ENTERED = (
    ("Dropped program executed", "a program is written and run", "cp /bin/busybox /opt/busybox; /opt/busybox true"),
    ("Dropped program executed", "twin: in place of one of the image", "rm /bin/ls; cp /bin/busybox /bin/ls; /bin/ls /"),
    ("Dropped file run by interpreter", "a script is written and run", "echo true > /opt/x.sh; sh /opt/x.sh"),
    ("Job or service added", "a job of cron", "echo x > /etc/cron.d/x"),
    ("Settings of a shell changed", "settings of a shell", "echo x >> /root/.bashrc"),
    ("Users changed by hand", "twin: by its descriptor, a user", "cd /etc; sed -i s/x/y/ passwd"),
    ("Log file tampered with", "a log is removed", "rm /var/log/app.log"),
    ("Log file tampered with", "twin: one of the system's is emptied", ": > /var/log/auth.log"),
    (None, "miss: programs and scripts of the image", "true; sh /opt/image.sh; cat /etc/passwd"),
    (None, "miss: a file that is no setting", "echo x > /opt/data; rm /opt/data"),
)
# As the first process of a container of its own.
BEGINNING = (
    ("Job or service added", "a job of cron, by what a container begins with", "echo x > /etc/cron.d/y; sleep 1"),
    ("Log file tampered with", "a log is removed", "echo x > /var/log/b.log; sleep 1; rm /var/log/b.log; sleep 1"),
    (None, "miss: a log is emptied, and leads to the output", ": > /var/log/c.log; ln -sf /dev/stdout /var/log/d.log; sed s/x/y/ /etc/conf > /etc/filled; sleep 1"),
)


class Plain(agentlib.Container):
    def make_root(self):
        root = os.path.join(self.work, "rootfs")
        for name in ("bin", "proc", "dev", "opt", "tmp", "root", "etc/cron.d", "var/log"):
            os.makedirs(os.path.join(root, name))
        shutil.copy(shutil.which("busybox"), os.path.join(root, "bin/busybox"))
        for name in TOOLS:
            os.symlink("busybox", os.path.join(root, "bin", name))
        for name in ("var/log/app.log", "var/log/auth.log", "var/log/c.log", "etc/passwd", "etc/conf", "root/.bashrc", "opt/image.sh"):
            with open(os.path.join(root, name), "w") as file:
                file.write("true x\n")
        return root

    def start_at(self, root, *args):
        """Runs it; None, or why it cannot be."""
        os.makedirs(self.work, exist_ok=True)
        subprocess.run(["runc", "spec", "-b", self.work], check=True)
        path = os.path.join(self.work, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=list(args), env=["PATH=/bin"])
        del config["process"]["rlimits"]
        config["root"] = {"path": root, "readonly": False}
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev")]
        with open(path, "w") as file:
            json.dump(config, file)
        with open(os.path.join(self.work, "runc.log"), "w+") as log:
            run = subprocess.run(["runc", "run", "-d", "-b", self.work, self.id], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 timeout=agentlib.WAIT_SECONDS)
            log.seek(0)
            return None if run.returncode == 0 else "runc cannot run a container: " + log.read().strip()[-200:]


def is_over(container, agent):
    """Something is done that is told of, as the last; then all before it has been told."""
    container.end_marks = getattr(container, "end_marks", 0) + 1
    mark = "end%d" % container.end_marks
    container.sh("cp /bin/busybox /tmp/%s; /tmp/%s; true" % (mark, mark))
    return agentlib.until(lambda: agent.rules_with("/tmp/" + mark))


def check_entered(container, agent):
    for rule, what, script in ENTERED:
        before = len(agent.alerts(container))
        container.sh(script)
        seen = not rule or agentlib.until(lambda: rule in {a["rule"] for a in agent.alerts(container)[before:]}, 20)
        told = agent.alerts(container)[before:]
        if not rule:
            seen = is_over(container, agent)
            told = [a for a in agent.alerts(container)[before:] if "/tmp/end" not in json.dumps(a["output_fields"])]
        tap.ok(seen and (rule or not [a for a in told if a["priority"] in LOUD]), "%s: %s" % (rule or "silent", what), str(told)[-800:])


def check_beginning(agent, work, root, containers):
    for i, (rule, what, script) in enumerate(BEGINNING):
        c = Plain(work, "begins-%d" % i)
        containers.append(c)
        reason = c.start_at(root, "/bin/sh", "-c", script + "; sleep 100")
        if rule:
            seen = agentlib.until(lambda: rule in {a["rule"] for a in agent.alerts(c)}, 20)
        else:
            seen = agentlib.until(lambda: os.path.exists(os.path.join(root, "etc/filled"))) and is_over(c, agent)
        told = [a for a in agent.alerts(c) if "/tmp/end" not in json.dumps(a["output_fields"])]
        tap.ok(not reason and seen and (rule or not [a for a in told if a["priority"] in LOUD]), "%s: %s" % (rule or "silent", what),
               "%s\n%s" % (reason, told))


def main():
    agentlib.need_sensor("runc", "busybox")
    work = tempfile.mkdtemp()
    agent, containers = None, [Plain(work, "entered")]
    try:
        root = containers[0].make_root()
        agent = agentlib.Agent(work, "plain")
        tap.ok(agent.is_watching, "the agent starts with its own settings", agent.log())
        reason = containers[0].start_at(root, "/bin/sleep", "1000")
        if reason or not agent.is_watching:
            tap.skip("a container of a directory", reason or "no agent")
            return tap.end()
        check_entered(containers[0], agent)
        check_beginning(agent, work, root, containers)
        tap.ok(agent.end() == 0 and "0 records malformed" in agent.log(), "it ended", agent.log())
        agent = None
    finally:
        if agent:
            agent.end()
        for container in containers:
            container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
