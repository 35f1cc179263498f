#!/usr/bin/env python3
"""The agent's metrics over HTTP: a real agent, a real client, hostile clients, and an agent that does not answer."""
import http.client
import os
import re
import shutil
import signal
import socket
import sys
import tempfile

import agentlib
import metricslib
import taplib
from agentlib import SEKISHO, WAIT_SECONDS, until

tap = taplib.Tap(dict(os.environ))
CONNECTIONS_MAX = 16  # METRICS_CONNECTIONS_MAX


def request(port, path="/metrics", method="GET", body=None):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
    try:
        c.request(method, path, body)
        answer = c.getresponse()
        return answer.status, answer.getheaders(), answer.read().decode()
    finally:
        c.close()


def status_of(port):
    try:
        return request(port)[0]
    except (OSError, http.client.HTTPException):
        return None


def check_usage():
    taken = socket.create_server(("127.0.0.1", 0))
    for address, words in (("0.0.0.0:0", "not on loopback"), ("[::]:0", "not on loopback"), ("192.0.2.1:9309", "not on loopback"),
                           ("[::ffff:127.0.0.1]:0", "not on loopback"), ("localhost:9309", "in numbers"), ("127.0.0.1", "in numbers"),
                           ("127.0.0.1:", "in numbers"), (":9309", "in numbers"), ("::1:9309", "in numbers"), ("[]:1", "in numbers"),
                           ("127.0.0.1:http", "in numbers"), ("127.0.0.1:%d" % taken.getsockname()[1], "in use")):
        tap.expect("refused: --metrics " + address, [SEKISHO, "agent", "--foreground", "--socket", "none", "--metrics", address], 3, ["--metrics", words])
    taken.close()


def child_of(agent):
    with open("/proc/%d/task/%d/children" % (agent.pid(), agent.pid())) as file:
        for pid in file.read().split():
            with open("/proc/%s/comm" % pid) as comm:
                if comm.read().strip() == "sekisho-metrics":
                    return int(pid)
    return 0


def check_rights(pid):
    with open("/proc/%d/status" % pid) as file:
        status = file.read()
    found = [re.search(r"^%s:\s+(.*)$" % key, status, re.M)[1].split() for key in ("Uid", "CapPrm", "CapEff", "NoNewPrivs", "Seccomp")]
    tap.ok(found == [["65534"] * 4, ["0" * 16], ["0" * 16], ["1"], ["2"]], "who answers has no rights", found)


def check_answers(port, agent):
    status, headers, text = request(port)
    wrong, seen = metricslib.check(text)
    tap.ok(status == 200 and not wrong and len(seen) > 30, "GET /metrics is what Prometheus reads", (status, wrong))
    tap.ok(("Content-Type", "text/plain; version=0.0.4; charset=utf-8") in headers, "and says so", headers)
    tap.ok("sekisho_agent_metrics_asked_total" in text and int(metricslib.value(text, "sekisho_agent_processes")) > 0, "with numbers of now", text)
    for path in ("/", "/metrics/", "/metricsx", "/../etc/passwd", "/%2e%2e/etc/passwd", "/metrics%00"):
        status, _, words = request(port, path)
        tap.ok(status == 404 or (path == "/metrics%00" and status in (200, 400)), "not there: " + path, (status, words))
    for method, body in (("POST", "x" * 100), ("PUT", "x" * 100000), ("DELETE", None), ("BREW", None)):
        status, headers, words = request(port, method=method, body=body)
        tap.ok(status == 405 and ("Allow", "GET, HEAD") in headers, "not allowed: " + method, (status, headers, words))
    status, headers, words = request(port, method="HEAD")
    tap.ok(status == 200 and words == "" and int(dict(headers)["Content-Length"]) > 1000, "HEAD", (status, headers))
    before = int(metricslib.value(request(port)[2], "sekisho_agent_metrics_asked_total"))
    for _ in range(200):
        request(port)
    tap.ok(int(metricslib.value(request(port)[2], "sekisho_agent_metrics_asked_total")) < before + 100, "200 questions are not 200 for the agent", agent.log())


def check_hostile(port, agent):
    for data in (b"\0" * 4096 + b"\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100000, b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20000,
                 b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", b"\r\n" * 1000, b"GET"):
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as s:
            try:
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                answer = s.recv(100)
            except OSError:
                answer = b""
        tap.ok(not answer.startswith(b"HTTP/1.1 200") and status_of(port) == 200, "survives %r" % data[:24], answer)
    silent = [socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) for _ in range(CONNECTIONS_MAX + 4)]
    tap.ok(until(lambda: status_of(port) == 200), "connections that say nothing are closed, others are served", agent.log())
    for s in silent:
        s.close()


def check_agent_away(port, agent):
    agent.send(signal.SIGSTOP)
    tap.ok(until(lambda: status_of(port) == 503), "503 while the agent does not answer")
    agent.send(signal.SIGCONT)
    tap.ok(until(lambda: status_of(port) == 200), "200 when it does again", agent.log())


def check_ends(port, agent):
    os.kill(child_of(agent), signal.SIGKILL)
    tap.ok(until(lambda: "process that serves them ended" in agent.log()), "the end of who answers is told", agent.log())
    tap.ok(status_of(port) is None and agent.process.poll() is None, "and the agent goes on", agent.log())
    tap.ok(agent.end() == 0, "it ends well", agent.log())


def main():
    agentlib.need_sensor()
    work = tempfile.mkdtemp()
    try:
        check_usage()
        agent = agentlib.Agent(work, "metrics", "--metrics", "127.0.0.1:0")
        where = re.search(r"metrics at http://127\.0\.0\.1:(\d+)/metrics", agent.log())
        tap.ok(agent.is_watching and where, "the agent says where its metrics are", agent.log())
        if where:
            port = int(where[1])
            check_rights(child_of(agent))
            check_answers(port, agent)
            check_hostile(port, agent)
            check_agent_away(port, agent)
            check_ends(port, agent)
        anywhere = agentlib.Agent(work, "anywhere", "--metrics", "0.0.0.0:0", "--metrics-anywhere")
        tap.ok("metrics at http://0.0.0.0:" in anywhere.log(), "anywhere, if that is asked for", anywhere.log())
        tap.ok(anywhere.end() == 0, "which ends with its child", anywhere.log())
    finally:
        agentlib.end_agents()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
