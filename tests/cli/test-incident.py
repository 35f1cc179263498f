#!/usr/bin/env python3
# alone: agent
"""Incidents: real agent, real containers. One attack is one incident, two containers are two, a restart goes on."""
import json
import os
import re
import shutil
import signal
import sys
import tempfile

import agentlib
import taplib
from agentlib import SEKISHO, until

tap = taplib.Tap(dict(os.environ, TZ="UTC"))


def incidents_of(agent, container):
    return {a.get("incident") for a in agent.alerts(container)}


def attack(container):
    """Dropped, made executable, run; what it drops is run by an interpreter; then it looks like a miner."""
    container.drop("stage1")
    container.sh("printf ':\\n' > /opt/stage2; /bin/sh /opt/stage2")
    container.run("/bin/busybox", "echo", "-o", "stratum" + "+tcp://pool.invalid:3333")


def shown(log, number):
    return json.loads(tap.run(SEKISHO, "incident", "show", str(number), "--file", log, "-o", "json")[1])


def check_offline(work):
    log = os.path.join(work, "none.jsonl")
    tap.expect("a log that is not there is told", [SEKISHO, "incident", "--file", log], 3, ["--incidents FILE"])
    open(log, "w").close()
    tap.expect("an empty one holds no incident", [SEKISHO, "incident", "list", "--file", log], 0, ["No incident"])
    tap.expect("a number that is none", [SEKISHO, "incident", "show", "x", "--file", log], 2, ["number of an incident"])
    tap.expect("an incident that is not there", [SEKISHO, "incident", "show", "7", "--file", log], 2, ["no incident 7"])
    with open(log, "w") as file:
        file.write("nonsense\n" + "x" * 600000 + "\n")
    tap.expect("malformed lines are told", [SEKISHO, "incident", "--file", log], 3, ["2 lines are malformed", "line 1"])


def check_tampering(log):
    with open(log) as file:
        lines = file.readlines()
    changed = log + ".changed"
    at = next(i for i, line in enumerate(lines) if "stage1" in line)  # those before it are others' who attack at the same time
    with open(changed, "w") as file:
        file.writelines([*lines[:at], lines[at].replace("stage1", "stage9"), *lines[at + 1:]])
    tap.expect("a line that was changed shows", [SEKISHO, "incident", "--file", changed], 3, ["do not follow", "line %d" % (at + 2)])
    with open(changed, "w") as file:
        file.writelines(lines[1:])
    tap.expect("and so does one that was removed", [SEKISHO, "incident", "--file", changed], 3, ["do not follow", "line 1"])


def check_agent(work, one, two):
    log = os.path.join(work, "incidents.jsonl")
    agent = agentlib.Agent(work, "first", "--incidents", log)
    tap.ok(agent.is_watching, "the agent starts with a log of incidents", agent.log())
    attack(one)
    two.drop()
    tap.ok(until(lambda: len(agent.alerts(one)) >= 3 and agent.alerts(two)), "both containers' alerts come", agent.log())
    first, second = incidents_of(agent, one), incidents_of(agent, two)
    tap.ok(len(first) == 1 and len(second) == 1 and None not in first | second, "one attack is one incident", (first, second))
    tap.ok(first != second, "two containers are two incidents", (first, second))
    number = first.pop()
    story = shown(log, number)
    rules = [entry["rule"] for entry in story["timeline"]]
    tap.ok(rules == ["Dropped program executed", "Dropped file run by interpreter", "Looks like a coin miner"],
           "its timeline is in order", story)
    tap.ok(story["container"] == one.id and story["priority"] == "Critical" and story["enforced"] == 0, "with container and priority", story)
    order = [t["tactic"] for t in story["techniques"]]
    tap.ok(order[0] == "execution" and order[-1] == "impact" and "T1105" in [t["id"] for t in story["techniques"]],
           "techniques stand in the order of the tactics", story["techniques"])
    dropped = [p for p in story["processes"] if p["program"] == "/opt/stage1"]
    tap.ok(dropped and dropped[0]["parent"] in [p["pid"] for p in story["processes"] if "sh -c" in p["command"]],
           "the process tree leads from the shell to what it ran", story["processes"])
    text = tap.expect("it reads as a story", [SEKISHO, "incident", "show", str(number), "--file", log], 0,
                      ["Incident %d  %s" % (number, one.id), "3 alerts", "/opt/stage1 true", "T1496", "nothing was stopped",
                       "sekisho scan container:"], ["\x1b"])
    tap.ok(re.search(r"\(pid \d+\) → /opt/stage1 true \(pid \d+\)", text), "with who ran what", text)
    agent.end(signal.SIGKILL)
    again = agentlib.Agent(work, "second", "--incidents", log)
    tap.ok(again.is_watching and "malformed" not in again.log(), "an agent that was killed starts again", again.log())
    one.drop("later")
    tap.ok(until(lambda: again.alerts(one)) and incidents_of(again, one) == {number}, "and goes on with the incident", again.alerts(one))
    for i in range(3):
        one.sh("i=0; while [ $i -lt 120 ]; do /opt/later true; i=$((i+1)); done")
    tap.ok(again.end() == 0, "it ends", again.log())
    story = shown(log, number)
    tap.ok(len(story["timeline"]) <= 256 and story["alerts"] == 1 + 3 + 360, "a flood is counted, with what was held back, and bounded",
           "%d in the timeline, %d alerts" % (len(story["timeline"]), story["alerts"]))
    code, text = tap.run(SEKISHO, "incident", "--file", log)
    tap.ok(code == 0 and one.id in text and two.id in text and "goes on" in text, "the list has both", text)
    check_tampering(log)


def main():
    agentlib.need_sensor("runc", "busybox", "mount")
    work = tempfile.mkdtemp()
    one, two = agentlib.Container(work, "one"), agentlib.Container(work, "two")
    try:
        check_offline(work)
        reason = one.start() or two.start()
        if reason:
            tap.skip("incidents of containers", reason)
        else:
            check_agent(work, one, two)
    finally:
        agentlib.end_agents()
        one.remove()
        two.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
