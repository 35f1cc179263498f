#!/usr/bin/env python3
"""Sinks: real agent, real container, receivers on loopback: shapes, order, outage, a slow receiver, secrets."""
import http.server
import json
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
import time

import agentlib
import taplib
from agentlib import until

tap = taplib.Tap(dict(os.environ))


class Receiver:
    """An HTTP server that keeps what is POSTed to it, in `bodies` or, unless it is to come again, in `refused`.

    `answer` is the status; `gate`, once cleared, makes it wait.
    """

    def __init__(self, port=0):
        self.bodies, self.refused, self.answer, self.gate = [], [], 200, threading.Event()
        self.gate.set()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.gate.wait(agentlib.WAIT_SECONDS)
                answer = outer.answer
                if answer != 503:
                    (outer.bodies if answer == 200 else outer.refused).append((self.path, self.headers["Content-Type"], json.loads(body)))
                self.send_response(answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def mine(alerts, container):
    return [a for a in alerts if a["output_fields"].get("container.name") == container.id]


def held(pid):
    """What a process holds open besides its standard streams, by inode where it has one; what comes and goes meanwhile is left out."""
    links = set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            links |= {os.readlink("/proc/%d/fd/%s" % (pid, fd))} if int(fd) > 2 else set()
        except OSError:
            pass
    return links


def check_usage():
    for sink, words in (("fax=x", "no sink is called"), ("webhook", "takes an http"), ("webhook=ftp://x/", "takes an http"),
                        ("webhook=http://user:pw@127.0.0.1/", "without a user"), ("syslog=udp://", "takes a host"),
                        ("syslog=tcp://h:99999", "port"), ("syslog=file:x", "takes unix:"), ("ocsf", "takes a file"),
                        ("ocsf=/nonexistent/x", "/nonexistent/x")):
        tap.expect("refused: --sink " + sink, [agentlib.SEKISHO, "agent", "--foreground", "--socket", "none", "--sink", sink], 3, [words], ["user:pw"])


def check_shapes(work, container):
    falco, hook = Receiver(), Receiver()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(agentlib.WAIT_SECONDS)
    tcp = socket.create_server(("127.0.0.1", 0))
    tcp.settimeout(agentlib.WAIT_SECONDS)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    open_folder = tempfile.mkdtemp(dir="/tmp")  # the sink's user must reach it, as everybody reaches /dev/log
    os.chmod(open_folder, 0o755)
    log.bind(os.path.join(open_folder, "log"))
    os.chmod(os.path.join(open_folder, "log"), 0o666)
    log.settimeout(agentlib.WAIT_SECONDS)
    findings, secret = os.path.join(work, "findings.jsonl"), "t0k" + "en%d" % os.getpid()
    agent = agentlib.Agent(work, "shapes", "--sink", "falcosidekick=http://127.0.0.1:%d" % falco.port,
                           "--sink", "webhook=http://127.0.0.1:%d/hook/%s?key=%s" % (hook.port, secret, secret),
                           "--sink", "syslog=udp://127.0.0.1:%d" % udp.getsockname()[1], "--sink", "syslog=tcp://127.0.0.1:%d" % tcp.getsockname()[1],
                           "--sink", "syslog=unix:" + os.path.join(open_folder, "log"), "--sink", "ocsf=" + findings)
    tap.ok(agent.is_watching, "the agent starts with six sinks", agent.log())
    with open("/proc/%d/task/%d/children" % (agent.pid(), agent.pid())) as file:
        children = [pid for pid in file.read().split() if open("/proc/%s/comm" % pid).read().startswith("sekisho-sink")]
    status = [open("/proc/%s/status" % pid).read() for pid in children]
    tap.ok(len(children) == 6 and all(re.search(r"^Uid:\s+65534\s+65534", s, re.M) and re.search(r"^CapPrm:\s+0+$", s, re.M) and
                                      re.search(r"^Seccomp:\s+2$", s, re.M) for s in status), "each in a process without rights", status[:1])
    # Its own channel, the file of the OCSF sink and, while one delivers what other tests bring about, curl's sockets and what curl waits by.
    fds, waits = [held(int(pid)) for pid in children], {"anon_inode:[eventpoll]", "anon_inode:[eventfd]"}
    tap.ok(all(not f & (held(agent.pid()) - waits) and all(link.startswith(("socket:", "pipe:")) or link in waits | {findings} for link in f) for f in fds),
           "that holds nothing of the agent's", (fds, held(agent.pid())))
    container.drop("shape")
    tap.ok(until(lambda: agent.alerts(container)), "an alert comes", agent.log())
    alert = agent.alerts(container)[0]
    tap.ok(until(lambda: mine([b[2] for b in falco.bodies], container)), "falcosidekick gets it", agent.log())
    got = mine([b[2] for b in falco.bodies], container)[0]
    tap.ok(set(got) == {"uuid", "output", "priority", "rule", "time", "source", "tags", "hostname", "output_fields"} and
           re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", got["uuid"]) and
           all(got[k] == alert[k] for k in got if k != "uuid") and falco.bodies[0][1] == "application/json", "in Falco's shape", got)
    tap.ok(until(lambda: mine([a for b in hook.bodies for a in b[2]], container)), "the webhook gets it", agent.log())
    tap.ok(mine([a for b in hook.bodies for a in b[2]], container)[0] == alert and "key=" + secret in hook.bodies[0][0], "as it is in the file", hook.bodies)
    syslog = re.compile(r"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) sekisho \d+ alert - (\{.*\})\Z")

    def find(read, what):
        message, end = "", time.monotonic() + agentlib.WAIT_SECONDS
        while container.id not in message and time.monotonic() < end:
            message = read()
        match = syslog.match(message)
        tap.ok(match and int(match[1]) == 10 * 8 + 2 and json.loads(match[4]) == alert, what + " has RFC 5424", message)
    find(lambda: udp.recv(65536).decode(), "syslog over UDP")
    find(lambda: log.recv(65536).decode(), "syslog to a unix socket")
    stream = tcp.accept()[0].makefile("rb")

    def frame():
        n = b""
        while not n.endswith(b" "):
            n += stream.read(1)
        return stream.read(int(n)).decode()
    find(frame, "syslog over TCP, with octet counting,")

    def found():
        with open(findings) as file:
            return [f for f in map(json.loads, file) if f["unmapped"] == alert]
    tap.ok(until(found), "OCSF findings are appended to a file", agent.log())
    f = found()[0]
    need = ("activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata", "finding_info")
    tap.ok(all(k in f for k in need) and f["class_uid"] == 2004 and f["type_uid"] == 200401 and f["category_uid"] == 2 and f["severity_id"] == 5 and
           f["metadata"]["version"] == "1.3.0" and f["metadata"]["product"]["vendor_name"], "with what the class requires", f)
    process = f["evidences"][0]["process"]
    tap.ok({"T1105", "T1036"} <= {a["technique"]["uid"] for a in f["finding_info"]["attacks"]} and process["file"]["path"] == "/opt/shape" and
           process["container"]["name"] == container.id, "techniques, process and container", f)
    tap.ok(agent.end() == 0 and secret not in agent.log(), "secrets of URLs are not printed", agent.log())
    for thing in (falco, hook, udp, tcp, log, stream):
        thing.close()
    shutil.rmtree(open_folder)


def check_outage(work, container):
    port = free_port()
    agent = agentlib.Agent(work, "outage", "--sink", "webhook=http://127.0.0.1:%d/secret-path" % port)
    for i in range(5):
        container.drop("early%d" % i)
    tap.ok(until(lambda: len(agent.alerts(container)) == 5 and "sink webhook (http://127.0.0.1:%d)" % port in agent.log()),
           "a target that is away is told", agent.log())
    hook = Receiver(port)
    hook.answer = 503
    container.drop("middle")
    hook.answer = 200

    def got():
        return mine([a for b in hook.bodies for a in b[2]], container)
    tap.ok(until(lambda: len(got()) == 6), "when it is back it gets everything", (len(got()), agent.log()))
    tap.ok([a["output_fields"]["proc.exepath"] for a in got()] == ["/opt/early%d" % i for i in range(5)] + ["/opt/middle"], "once, and in order", got())
    tap.ok(until(lambda: "it takes alerts again" in agent.log()), "and that is told too", agent.log())
    hook.answer = 404
    container.drop("refused")
    tap.ok(until(lambda: "answered with status 404" in agent.log()), "what it refuses for good is told", agent.log())
    hook.answer = 200
    container.drop("last")
    tap.ok(until(lambda: "/opt/last" in [a["output_fields"]["proc.exepath"] for a in got()]), "and stops nothing", agent.log())
    agent.end()  # what other tests brought about meanwhile may have been refused with it
    refused = [a for _, _, alerts in hook.refused for a in alerts]
    tap.ok(len(mine(refused, container)) == 1 and "%d refused" % len(refused) in agent.log() and "secret-path" not in agent.log(),
           "the sums are told at the end", (refused, agent.log()))
    hook.close()


def check_slow(work, container):
    hook = Receiver()
    hook.gate.clear()
    agent = agentlib.Agent(work, "slow", "--sink", "falcosidekick=http://127.0.0.1:%d" % hook.port)
    container.sh("cp /bin/busybox /opt/s; i=0; while [ $i -lt 60 ]; do /opt/s true; i=$((i+1)); done")
    tap.ok(until(lambda: len(agent.alerts(container)) == 60), "a receiver that does not answer does not hold up the file", agent.log())
    hook.gate.set()
    tap.ok(until(lambda: len(mine([b[2] for b in hook.bodies], container)) == 60), "it gets all once it does", len(hook.bodies))
    hook.gate.clear()
    container.drop("left")
    tap.ok(until(lambda: len(agent.alerts(container)) == 61), "one more", agent.log())
    start = time.monotonic()
    code = agent.end()
    tap.ok(code == 0 and time.monotonic() - start < 30, "the agent ends although one is not delivered", agent.log())
    hook.close()


def main():
    check_usage()
    agentlib.need_sensor("runc", "busybox", "mount")
    work = tempfile.mkdtemp()
    container = agentlib.Container(work, "one")
    try:
        reason = container.start()
        if reason:
            tap.skip("sinks", reason)
        else:
            check_shapes(work, container)
            check_outage(work, container)
            check_slow(work, container)
    finally:
        agentlib.end_agents()
        container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
