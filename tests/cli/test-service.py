#!/usr/bin/env python3
"""The unit of the agent: systemd understands it, and the agent works with the capabilities that it leaves."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import agentlib
import taplib
from agentlib import until

tap = taplib.Tap(dict(os.environ))
UNIT = os.path.join(agentlib.HERE, "../../data/service/sekisho-agent.service")
EXPOSURE_MAX = 55  # of 100, as systemd-analyze counts; an agent that loads BPF and sees all processes cannot be low


def check_unit(work, text):
    path = os.path.join(work, "sekisho-agent.service")
    with open(path, "w") as file:
        file.write(text.replace("/usr/bin/sekisho", agentlib.SEKISHO))
    if not shutil.which("systemd-analyze"):
        return tap.skip("systemd takes the unit", "systemd is not installed")
    tap.expect("systemd takes the unit", ["systemd-analyze", "verify", "--man=no", path], 0, [], [path])
    tap.expect("systemd-analyze security", ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=%d" % EXPOSURE_MAX, path], 0, [])


def check_recipes():
    folder = os.path.dirname(UNIT)
    for name in ("Containerfile", "daemonset.yaml"):
        tap.expect("sekisho check has nothing against %s that is not waived with a reason" % name,
                   [agentlib.SEKISHO, "check", "--fail-on", "low", os.path.join(folder, name)], 0, ["waived by line"], ["SK-CHECK-00"])


def package_of(path):
    """Since / and /usr are one, dpkg may know either name."""
    for name in (path, "/usr" + path, path.replace("/usr", "", 1)):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    return "no package has " + path


def check_libraries():
    """The image has each library that the program asks for: of a package that its recipe names, or that dpkg needs itself."""
    what = "the image's recipe names the package of every library"
    if "sanitize" in agentlib.BUILD or not shutil.which("objdump") or not shutil.which("dpkg-query"):
        return tap.skip(what, "objdump, dpkg-query and a program without sanitizers are wanted")
    needed = re.findall(r"NEEDED +(\S+)", subprocess.run(["objdump", "-p", agentlib.SEKISHO], capture_output=True, text=True).stdout)
    paths = dict(re.findall(r"^\s*(\S+) => (/\S+)", subprocess.run(["ldd", agentlib.SEKISHO], capture_output=True, text=True).stdout, re.M))
    with open(os.path.join(os.path.dirname(UNIT), "Containerfile")) as file:
        named = file.read().rpartition("FROM")[2].split()
    base = subprocess.run(["dpkg-query", "-W", "-f", "${Pre-Depends} ${Depends}", "dpkg"], capture_output=True, text=True).stdout
    missing = {package_of(os.path.realpath(paths[n])) for n in needed if n in paths} - set(named) - set(re.findall(r"[a-z0-9.+-]+", base))
    tap.ok(needed and not missing, what, missing)


def check_config(work):
    path = os.path.join(work, "agent.yaml")
    for text, words in (("alrts: x\n", "agent.yaml:1:1: the agent has no option that is called alrts"), ("least: [warning, {a: b}]\n", "agent.yaml:1:18"),
                        ("foreground: maybe\n", "true or false is wanted for foreground"), ("a: [\n", "agent.yaml: line"),
                        ("foreground: true\nmode: odd\n", "agent.yaml:2:7: mode: takes lean or full"), ("config: x\n", "no option that is called config"),
                        ("socket: a\nsocket: b\n", "agent.yaml:2:1: stands there twice"), ("[]\n", "options by their names"),
                        ("foreground: true\nsocket: none\nsink: [fax]\n", "no sink is called")):
        with open(path, "w") as file:
            file.write(text)
        code, output = tap.run(agentlib.SEKISHO, "agent", "--config", path)
        tap.ok(code in (2, 3) and words in output, "refused: %r" % text, "%d\n%s" % (code, output))
    alerts = os.path.join(work, "configured.jsonl")
    with open(path, "w") as file:
        file.write("least: debug\nincidents: %s\nsink:\n  - ocsf=%s\n" % (alerts + ".i", alerts + ".f"))
    agent = agentlib.Agent(work, "configured", "--config", path)
    tap.ok(agent.is_watching and os.path.exists(alerts + ".i") and os.path.exists(alerts + ".f"), "the agent takes its options from a file", agent.log())
    tap.ok(agent.end() == 0, "and ends", agent.log())


def check_docs(names):
    with open(os.path.join(agentlib.HERE, "../../docs/agent.md")) as file:
        documented = set(re.findall(r"CAP_[A-Z_]+", file.read()))
    tap.ok(documented == set(names), "docs/agent.md says what each capability is for", documented ^ set(names))


def check_agent(work, names, container):
    """With the unit's bounding set and no_new_privs, in the same process that execs the agent."""
    bounding = ",".join(["-all"] + ["+" + n[4:].lower() for n in names])
    wrapper = os.path.join(work, "sekisho")
    with open(wrapper, "w") as file:
        file.write("#!/bin/sh\nexec setpriv --bounding-set %s --inh-caps -all --no-new-privs %s \"$@\"\n" % (bounding, agentlib.SEKISHO))
    os.chmod(wrapper, 0o755)
    agentlib.SEKISHO, real = wrapper, agentlib.SEKISHO
    agent = agentlib.Agent(work, "least", "--incidents", os.path.join(work, "incidents.jsonl"), "--sink", "ocsf=" + os.path.join(work, "findings"))
    agentlib.SEKISHO = real
    tap.ok(agent.is_watching, "the agent starts with the unit's capabilities", agent.log())
    with open("/proc/%d/status" % agent.pid()) as file:
        status = file.read()
    tap.ok(re.search(r"^NoNewPrivs:\s+1$", status, re.M) and bin(int(re.search(r"^CapEff:\s+(\w+)$", status, re.M)[1], 16)).count("1") <= len(names),
           "and has no others", status)
    container.drop("least")
    tap.ok(until(lambda: agent.alerts(container)), "it tells what happens in a container", agent.log())
    alert = (agent.alerts(container) or [{}])[0]
    tap.ok(alert.get("incident", 0) >= 1 and alert["output_fields"]["proc.exepath"] == "/opt/least", "with all that it knows", alert)
    tap.ok(agent.end() == 0 and os.path.getsize(os.path.join(work, "findings")) > 0, "and its sink works", agent.log())


def main():
    agentlib.need_sensor("runc", "setpriv", "busybox", "mount")
    with open(UNIT) as file:
        text = file.read()
    names = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.M)[1].split()
    work = tempfile.mkdtemp()
    container = agentlib.Container(work, "one")
    try:
        check_unit(work, text)
        check_docs(names)
        check_recipes()
        check_libraries()
        check_config(work)
        reason = container.start()
        if reason:
            tap.skip("the agent with these capabilities", reason)
        else:
            check_agent(work, names, container)
    finally:
        agentlib.end_agents()
        container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
