#!/usr/bin/env python3
# alone: agent
"""Falco's own rule files, unmodified, in full mode: each rule is triggered in a real container of Debian's packages (some in a privileged
one, two on the host) and must speak. Programs that rules know by name are copies of Python or of a program that does nothing, with that
name, in the image. What cannot be triggered is skipped with the reason.

The files are not in this tree: SEKISHO_SHARED says where they are.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import agentlib
import debianlib
import taplib

HERE = agentlib.HERE
FILES = ("falco_rules.yaml", "falco-incubating_rules.yaml")
OUTSIDE, METADATA = "198.51.100.9", "169.254.169.254"  # of the container's own loopback: nothing leaves it
SERVER_SECONDS = 5.2  # how long a server runs until Falco takes it to have started
RING_KIB = "65536"   # what all of the host opens is seen
PYTHON_NAMES = ("nginx", "sshd", "postgres", "useradd", "ssh")
ACTOR_NAMES = ("nc", "debugfs", "nmap", "scp", "wget", "rsync")

tap = taplib.Tap(dict(os.environ))


class Deeds:
    def __init__(self, container):
        self.c = container

    def sh(self, script, **how):
        return self.c.run("/bin/bash", "-c", script, **how)

    def py(self, code, name="python3", **how):
        path = "/usr/bin/python3" if name == "python3" else "/usr/lib/fake/" + name
        return self.c.run(path, "-B", "-c", "import sys; sys.path.insert(0, '/usr/lib/deed'); from deed import *\nimport subprocess\n" + code, **how)

    def run(self, *command, **how):
        return self.c.run(*command, **how)


def fake(name):
    return "/usr/lib/fake/" + name


CONNECT = "s = socket.socket()\ns.settimeout(3)\ns.connect_ex(('%s', %d))"
# rule: how. Of those in PRIVILEGED in a privileged container.
CASES = (
    ("Directory traversal monitored file read", lambda d: d.py("open('/usr/lib/../../etc/hostname').read()")),
    ("Read sensitive file trusted after startup", lambda d: d.py("time.sleep(%s)\nopen('/etc/shadow').read()" % SERVER_SECONDS, "nginx")),
    ("Read sensitive file untrusted", lambda d: d.py("open('/etc/shadow').read()")),
    ("Run shell untrusted", lambda d: d.py("subprocess.run(['/bin/sh', '-c', ':'])", "nginx")),
    ("System user interactive", lambda d: d.py("subprocess.run(['/bin/true'])", "sshd", user="33")),
    ("Terminal shell in container", lambda d: d.run("/bin/bash", "-c", ":", tty=True)),
    ("Contact K8S API Server From Container", lambda d: d.py(CONNECT % (OUTSIDE, 443), env=("KUBERNETES_SERVICE_HOST=" + OUTSIDE,))),
    ("Netcat Remote Code Execution in Container", lambda d: d.run(fake("nc"), "-e", "/bin/sh")),
    ("Search Private Keys or Passwords", lambda d: d.sh("grep 'BEGIN RSA PRIVATE' /etc/hostname; true")),
    ("Clear Log Activities", lambda d: d.sh(": > /var/log/auth.log")),
    ("Remove Bulk Data from Disk", lambda d: d.sh("echo > /opt/s; shred -u /opt/s")),
    ("Create Symlink Over Sensitive Files", lambda d: d.sh("ln -s /etc/shadow /opt/sl")),
    ("Create Hardlink Over Sensitive Files", lambda d: d.py("os.link('/etc/shadow', '/etc/hl')")),
    ("Packet socket created in container", lambda d: d.py("socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)")),
    ("Redirect STDOUT/STDIN to Network Connection in Container", lambda d: d.py("s = socket.socket()\nos.dup2(s.fileno(), 1)")),
    ("Linux Kernel Module Injection Detected", lambda d: d.py("call('init_module', '', 0, '')")),
    ("Debugfs Launched in Privileged Container", lambda d: d.run(fake("debugfs"))),
    ("Detect release_agent File Container Escapes", lambda d: d.sh("echo > /opt/release_agent")),
    ("PTRACE attached to process", lambda d: d.py("call('ptrace', 16, 1, 0, 0)")),
    ("PTRACE anti-debug attempt", lambda d: d.py("call('ptrace', 0, 0, 0, 0)")),
    ("Find AWS Credentials", lambda d: d.sh("grep aws_secret_access_key /etc/hostname; true")),
    ("Execution from /dev/shm", lambda d: d.sh("cp /bin/true /dev/shm/x; /dev/shm/x")),
    ("Drop and execute new binary in container", lambda d: d.sh("cp /bin/true /opt/x; /opt/x")),
    ("Disallowed SSH Connection Non Standard Port", lambda d: d.py(CONNECT % (OUTSIDE, 443), "ssh")),
    ("Fileless execution via memfd_create", lambda d: d.run("/usr/bin/actor", "fork", "/usr/bin/actor", "memfd", "x", "/usr/bin/actor", "noop")),

    ("Modify Shell Configuration File", lambda d: d.py("write('/root/.bashrc', 'x')")),
    ("Schedule Cron Jobs", lambda d: d.py("write('/etc/cron.d/x', 'x')")),
    ("Read ssh information", lambda d: d.py("open('/root/.ssh/config').read()")),
    ("DB program spawned process", lambda d: d.py("subprocess.run(['/bin/true'])", "postgres")),
    ("Change thread namespace", lambda d: d.py("call('setns', os.open('/proc/self/ns/uts', 0), 0)")),
    ("Change namespace privileges via unshare", lambda d: d.sh("unshare -Ur true")),
    ("System procs network activity", lambda d: d.py(CONNECT % (OUTSIDE, 443), "useradd")),
    ("Program run with disallowed http proxy env", lambda d: d.run("/usr/bin/curl", "--version", env=("HTTP_PROXY=x",))),
    ("Unexpected UDP Traffic", lambda d: d.py("socket.socket(type=socket.SOCK_DGRAM).connect(('%s', 9999))" % OUTSIDE)),
    ("Non sudo setuid", lambda d: d.py("call('setuid', 2)")),
    ("Create files below dev", lambda d: d.py("write('/dev/x', 'x')")),
    ("Contact EC2 Instance Metadata Service From Container", lambda d: d.py(CONNECT % (METADATA, 443))),
    ("Contact cloud metadata service from container", lambda d: d.py(CONNECT % (METADATA, 443))),
    ("Launch Package Management Process in Container", lambda d: d.run("/usr/bin/apt-get", "--version")),
    ("Launch Suspicious Network Tool in Container", lambda d: d.run(fake("nmap"))),
    ("Delete or rename shell history", lambda d: d.sh("touch /root/.bash_history; rm /root/.bash_history")),
    ("Set Setuid or Setgid bit", lambda d: d.sh("touch /opt/su; chmod 4755 /opt/su")),
    ("Launch Remote File Copy Tools in Container", lambda d: d.run(fake("rsync"))),
    ("Mount Launched in Privileged Container", lambda d: d.sh("mount -t tmpfs none /mnt")),
    ("Launch Ingress Remote File Copy Tools in Container", lambda d: d.run(fake("wget"))),
    ("Read environment variable from /proc files", lambda d: d.sh("cat /proc/1/environ >/dev/null")),
    ("Exfiltrating Artifacts via Kubernetes Control Plane", lambda d: d.run("/bin/tar", "cf", "/tmp/x.tar", "/opt/file")),
    ("Adding ssh keys to authorized_keys", lambda d: d.py("write('/root/.ssh/authorized_keys', 'x')")),
    ("Potential Local Privilege Escalation via Environment Variables Misuse", lambda d: d.run("/bin/true", env=("GLIBC_TUNABLES=x",))),
    ("Backdoored library loaded into SSHD (CVE-2024-3094)", lambda d: d.py("open('/usr/lib/liblzma.so.5.6.0').read()", "sshd")),
    ("BPF Program Not Profiled", lambda d: d.py("call('bpf', 5, 0, 0)")),
)
PRIVILEGED = ("Linux Kernel Module Injection Detected", "Debugfs Launched in Privileged Container", "Detect release_agent File Container Escapes",
              "Mount Launched in Privileged Container")
ON_START = ("Launch Privileged Container", "Launch Excessively Capable Container")
ON_HOST = (("User mgmt binaries", "useradd"), ("Launch Suspicious Network Tool on Host", "nmap"))
NEVER = {"Network Connection outside Local Subnet": "its list of namespaces is empty until somebody fills it"}


def make_container(work, name, archive):
    container = debianlib.Container(work, name)
    container.unpack(archive)
    with open(os.path.join(HERE, "../tools/deed.py")) as file:
        container.add("usr/lib/deed/deed.py", file.read())
    with open(os.path.join(work, "actor"), "rb") as file:
        actor = file.read()
    container.add("usr/bin/actor", actor, 0o755)
    for program in ACTOR_NAMES:
        container.add("usr/lib/fake/" + program, actor, 0o755)
    for program in PYTHON_NAMES:
        shutil.copy(os.path.join(container.image, "usr/bin/python3.11"), os.path.join(container.image, "usr/lib/fake", program))
    for path in ("var/log/auth.log", "root/.ssh/config", "opt/file", "usr/lib/liblzma.so.5.6.0"):
        container.add(path, "none\n")
    return container


def add_addresses(container):
    """On the loopback of the container's own network, with a server that answers."""
    with open("/run/runc/%s/state.json" % container.id) as file:
        pid = __import__("json").load(file)["init_process_pid"]
    for command in (["ip", "link", "set", "lo", "up"], ["ip", "address", "add", OUTSIDE + "/32", "dev", "lo"],
                    ["ip", "address", "add", METADATA + "/32", "dev", "lo"]):
        subprocess.run(["nsenter", "-t", str(pid), "-n", *command], check=True, capture_output=True)
    return subprocess.Popen(["nsenter", "-t", str(pid), "-n", sys.executable, "-c",
                             "import socket\ns = socket.create_server(('', 443), backlog=64)\nwhile True: s.accept()[0].close()"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Of calls that ask for no right and leave no trace, of what is changed by the call that the rule looks at, and of other files and file systems
# than those that lean mode watches.
FULL_ONLY = {"Directory traversal monitored file read", "Redirect STDOUT/STDIN to Network Connection in Container", "Linux Kernel Module Injection Detected",
             "PTRACE anti-debug attempt", "Change namespace privileges via unshare", "Non sudo setuid", "Create files below dev",
             "Exfiltrating Artifacts via Kubernetes Control Plane",
             "Backdoored library loaded into SSHD (CVE-2024-3094)"}


def check_cases(agent, container, privileged, is_lean):
    watches = {c: debianlib.Watch(agent, c) for c in (container, privileged)}
    for watch in watches.values():
        watch.told()
    for rule, act in CASES:
        where = privileged if rule in PRIVILEGED else container
        code, words = act(Deeds(where))
        alerts = watches[where].told()
        if is_lean and rule in FULL_ONLY:
            continue
        tap.ok(alerts is not None and any(a["rule"] == rule for a in alerts), rule,
               "exit code %d: %s\ntold: %s" % (code, words[-300:], alerts and "\n".join(a["rule"] + ": " + a["output"] for a in alerts)))


def check_host(agent, work):
    for rule, name in ON_HOST:
        mark = "mark-%d" % os.getpid()
        shutil.copy(os.path.join(work, "actor"), os.path.join(work, name))
        subprocess.run([os.path.join(work, name), "noop", mark], check=True)
        tap.ok(agentlib.until(lambda: any(a["rule"] == rule and mark in a["output"] for a in agent.alerts())), rule, agent.log())


def run(work, archive, is_lean):
    shared = os.path.join(os.environ["SEKISHO_SHARED"], "fixtures/falco-rules")
    with open(os.path.join(work, "end.yaml"), "w") as file:
        file.write(debianlib.Watch.END)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-static", "-o", os.path.join(work, "actor"), os.path.join(HERE, "../tools/actor.c")], check=True)
    container, privileged = make_container(work, "falco", archive), make_container(work, "falco-privileged", archive)
    agent = server = None
    try:
        options = [o for name in FILES for o in ("-r", os.path.join(shared, name))]
        mode = () if is_lean else ("--mode", "full", "--ring", RING_KIB)
        agent = agentlib.Agent(work, "falco", *mode, "--least", "informational", *options, "-r", os.path.join(work, "end.yaml"))
        tap.ok(agent.is_watching, "the agent starts with Falco's rules, " + debianlib.MODES[is_lean], agent.log())
        reason = container.start() or privileged.start(privileged=True)
        if reason or not agent.is_watching:
            tap.skip("rules in a container", reason or "no agent")
            return
        for rule in ON_START:
            tap.ok(agentlib.until(lambda: any(a["rule"] == rule for a in agent.alerts(privileged))), rule, agent.log())
        server = add_addresses(container)
        check_cases(agent, container, privileged, is_lean)
        check_host(agent, work)
        for rule, reason in NEVER.items():
            tap.skip(rule, reason)
        known = {r for r, _ in CASES} | set(ON_START) | {r for r, _ in ON_HOST} | set(NEVER)
        there = {line[8:].strip() for name in FILES for line in open(os.path.join(shared, name), encoding="utf-8") if line.startswith("- rule: ")}
        tap.ok(known == there, "no rule of the files is passed over", sorted(known ^ there))
        code = agent.end()
        tap.ok(code == 0 and "0 records malformed" in agent.log(), "it ended", "%d\n%s" % (code, agent.log()))
        agent = None
    finally:
        if agent:
            agent.end()
        if server:
            server.kill()
            server.wait()
        container.end()
        privileged.end()


def main():
    agentlib.need_sensor("runc", "mount", "cc", "nsenter", "ip")
    if not os.path.isdir(os.path.join(os.environ.get("SEKISHO_SHARED") or "/nonexistent", "fixtures/falco-rules")):
        agentlib.skip_all("SEKISHO_SHARED is not set, or has no fixtures/falco-rules")
    debianlib.in_each_mode(tap, run)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
