#!/usr/bin/env python3
# alone: agent
"""Lean mode hears of connections, datagrams, ports, accepted connections, capabilities, io_uring, titles, long questions to DNS and miners
without a tracepoint of system calls: in a real container of runc, by rules that need no full mode; each thing once; and a rule that denies further connections.
"""
import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile

import agentlib
import containerlib
import taplib
from agentlib import until

BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(containerlib.HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
tap = taplib.Tap(dict(os.environ))
RULE = """
- rule: Test %(name)s
  desc: what the test asks for
  condition: %(condition)s and container.name = "%(container)s"
  output: hit (container=%%container.name type=%%evt.type fd=%%fd.name proc=%%proc.name cap=%%capability.name op=%%io_uring.op)
  priority: WARNING
  source: syscall
  %(more)s
"""


def skip_all(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def rules(container, port):
    here = 'fd.sport = %s and fd.sip = "127.0.0.1"' % port
    table = [("connect", "evt.type = connect and " + here, ""), ("send", "evt.type = sendto and " + here, ""),
             ("bind", "evt.type = bind", ""), ("listen", "evt.type = listen", ""),
             ("accept", "evt.type = accept", ""), ("six", 'evt.type = connect and fd.sip = "::1"', ""),
             ("capability", "evt.type = capability and capability.name = CAP_NET_BIND_SERVICE", ""),
             ("ring", "evt.type = io_uring and io_uring.op = CONNECT", ""),
             ("title", "evt.type = title and evt.arg.name = kworker/7:0", ""),
             ("lookup", "evt.type = lookup and burst.lookups = 100 and evt.arg.size = 200 and fd.rip = 127.0.0.9", ""),
             ("mining", "evt.type = mining and " + here, ""),
             ("deny", "evt.type = connect and fd.sport = 1", "action: deny")]
    return "".join(RULE % {"name": name, "condition": condition, "container": container, "more": more} for name, condition, more in table)


def outputs(agent, name):
    return [a["output"] for a in agentlib.json_lines(agent.alerts_path) if a["rule"] == "Test " + name]


def check_events(agent, c, port):
    c.run("/bin/netter", "connect", "127.0.0.1", port)
    c.run("/bin/netter", "udp", "127.0.0.1", port)
    c.run("/bin/netter", "connect", "::1", port)
    c.run("/bin/netter", "bind", "127.0.0.1", "81")
    uring = c.run("/bin/netter", "uring", "127.0.0.1", port)
    c.spawn("/bin/netter", "self", "/data/self")
    c.moves("self")
    for name, want in (("connect", "fd=0.0.0.0:0->127.0.0.1:%s proc=netter" % port), ("send", "127.0.0.1:%s proc=netter" % port),
                       ("six", "->::1:%s proc=netter" % port), ("bind", "fd=127.0.0.1:81 proc=netter"), ("listen", "proc=netter"),
                       ("accept", "fd=127.0.0.1:"), ("capability", "proc=netter cap=CAP_NET_BIND_SERVICE")):
        tap.ok(until(lambda: any(want in x for x in outputs(agent, name))), "lean mode tells of " + name,
               "%s\n%s" % (outputs(agent, name), agent.log()))
    if uring in (errno.EPERM, errno.ENOSYS):
        tap.skip("lean mode tells of io_uring", "no io_uring in a container here")
        return
    tap.ok(until(lambda: any("op=CONNECT" in x for x in outputs(agent, "ring"))), "lean mode tells of io_uring", outputs(agent, "ring"))
    tap.ok(len(outputs(agent, "connect")) == 2, "and of the connection that it made", outputs(agent, "connect"))


def check_once(agent, c, port):
    """A pool of connections from one process is one event."""
    before = len(outputs(agent, "connect"))
    c.run("/bin/netter", "pool", "127.0.0.1", port)
    c.run("/bin/netter", "connect", "::1", "82")  # the last one: what has not come by then will not
    tap.ok(until(lambda: any("->::1:82" in x for x in outputs(agent, "six"))) and len(outputs(agent, "connect")) == before + 1,
           "200 connections of one process are told once", outputs(agent, "connect"))
    tap.ok(len(outputs(agent, "capability")) == 1, "a capability is told once", outputs(agent, "capability"))


def check_seen(agent, c, port):
    """What is seen of names and packets, and not of what looks like them."""
    for command in (("title", "kworkshop"), ("title", "kworker/7:0"), ("ask", "127.0.0.9", "54"), ("ask", "127.0.0.9", "53"), ("ask", "127.0.0.9", "53"),
                    ("udp", "127.0.0.9", "53"), ("greet", "127.0.0.1", port)):
        tap.ok(c.run("/bin/netter", *command) == 0, "netter " + " ".join(command))
    c.run("/bin/netter", "connect", "::1", "83")  # the last one
    until(lambda: any("->::1:83" in x for x in outputs(agent, "six")))
    for name in ("title", "lookup", "mining"):
        tap.ok(len(outputs(agent, name)) == 1, "lean mode tells of %s, once" % name, "%s\n%s" % (outputs(agent, name), agent.log()))


def check_deny(agent, c):
    first = c.run("/bin/netter", "connect", "127.0.0.1", "1")
    tap.ok(first == errno.ECONNREFUSED, "the first connection is an attempt like any other", first)
    tap.ok(until(lambda: agent.actions(c, "deny")) and agent.actions(c, "deny") == ["denied"], "action: deny: the alert says so", agent.log())
    tap.ok(c.run("/bin/netter", "connect", "127.0.0.1", "2") == errno.EPERM and c.run("/bin/netter", "udp", "127.0.0.1", "9") == 0,
           "from then on the container may not connect, and may all else")
    evidence = agent.evidence(c)
    tap.ok(len(evidence) == 1 and evidence[0]["action"] == "deny-connect" and "contain rejoin" in evidence[0]["undo"],
           "with evidence", evidence)


def main():
    if os.geteuid() != 0:
        skip_all("needs root")
    for name in ("runc", "cc"):
        if not shutil.which(name):
            skip_all(name + " is not there")
    with tempfile.TemporaryDirectory() as work, socket.socket() as listener:
        failure = containerlib.build_netter(os.path.join(work, "netter"))
        if failure:
            skip_all(failure)
        os.makedirs(os.path.join(work, "bpf"))
        if subprocess.run(["mount", "-t", "bpf", "bpf", os.path.join(work, "bpf")], capture_output=True).returncode:
            skip_all("no BPF file system can be mounted")
        listener.bind(("127.0.0.1", 0))
        listener.listen(500)
        port = str(listener.getsockname()[1])
        c = containerlib.Runc(work, "hooks")
        path = os.path.join(work, "rules.yaml")
        with open(path, "w") as file:
            file.write(rules(c.name, port))
        agent = containerlib.Agent(work, "alerts", "-r", path)
        try:
            if not agent.is_watching:
                skip_all("the agent does not start here: " + agent.log().strip()[-200:])
            if "no events of the network" in agent.log():
                skip_all("no hooks here: " + agent.log().strip()[:200])
            tap.ok("sleep in lean mode" not in agent.log(), "none of these rules sleeps in lean mode", agent.log())
            failure = c.start("/bin/netter", "wait")
            if failure:
                skip_all(failure)
            check_events(agent, c, port)
            check_once(agent, c, port)
            check_seen(agent, c, port)
            check_deny(agent, c)
            tap.ok(agent.end() == 0, "the agent ends well", agent.log())
        finally:
            agent.end()
            c.remove()
            tap.run(SEKISHO, "contain", "list", "--pins", os.path.join(work, "bpf/pins"))
            subprocess.run(["umount", os.path.join(work, "bpf")])
    return tap.end()


sys.exit(main())
