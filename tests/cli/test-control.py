#!/usr/bin/env python3
"""The agent's control socket, and ps, top, events, agent status over it: real agent, real containers, hostile clients."""
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time

import agentlib
import metricslib
import taplib
from agentlib import SEKISHO, WAIT_SECONDS, until

tap = taplib.Tap(dict(os.environ, TZ="UTC"))
MEMORY_MOST = 400e6 if "sanitize" in agentlib.BUILD else 100e6  # with a sanitizer's shadow


def connect(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(WAIT_SECONDS)
    s.connect(path)
    return s


def read_line(s):
    data = b""
    while not data.endswith(b"\n"):
        piece = s.recv(1)
        if not piece:
            break
        data += piece
    return data


def ask(path, text):
    """The answer, and whether the connection was closed behind it."""
    with connect(path) as s:
        s.sendall(text)
        data = b""
        while True:
            piece = s.recv(65536)
            if not piece:
                return data
            data += piece


def check_without(work):
    none = os.path.join(work, "none.sock")
    tap.expect("ps without an agent says that nothing is protected", [SEKISHO, "ps", "--socket", none], 0, ["No agent runs here"])
    code, text = tap.run(SEKISHO, "ps", "--socket", none, "-o", "json")
    tap.ok(code == 0 and json.loads(text)["agent"] is False, "in JSON too", text)
    for command in (["top"], ["events"], ["agent", "status"], ["agent", "reload"]):
        tap.expect("%s without an agent says so" % " ".join(command), [SEKISHO, *command, "--socket", none], 3, ["no agent runs here", none])
    tap.expect("a condition that is wrong is refused with its place", [SEKISHO, "events", "--socket", none, "proc.nmae = x"], 2,
               ["filter:1:1", "proc.nmae"])


def check_requests(path):
    tap.ok(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "the socket is the agent's user's alone", oct(os.stat(path).st_mode))
    for text in (b"\n", b"nonsense\n", b'{"request":"kill"}\n', b'{"request":"status","filter":"x"}\n', b'{"request":"events","filter":"a ="}\n',
                 b"\xff\x00" * 200 + b"\n", b"x" * 20000):
        try:
            answer = ask(path, text)
        except ConnectionResetError:  # it did not read all of what it had refused
            answer = b'{"error"'
        tap.ok(b'"error"' in answer, "refused: %r" % text[:40], answer)
    tap.ok(b'"status"' in ask(path, b'{"request":"status"}\n{"request":"ps"}\n'), "one request a connection")
    if shutil.which("setpriv"):
        os.chmod(path, 0o666)
        code = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\ns.sendall(b'{\"request\":\"status\"}\\n')\nprint(s.recv(999))"
        done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-c", code, path], capture_output=True, text=True,
                              timeout=WAIT_SECONDS, cwd="/")
        tap.ok("only root" in done.stdout or "Permission" in done.stderr or "reset" in done.stderr, "another user is refused", done)
        os.chmod(path, 0o600)


def check_views(path, container, agent):
    container.drop("seen")
    tap.ok(until(lambda: agent.alerts(container)), "something is told", agent.log())

    def mine():
        found = json.loads(tap.run(SEKISHO, "ps", "--socket", path, "-o", "json")[1])["containers"]
        return [c for c in found if c["name"] == container.id]
    tap.ok(until(lambda: mine() and mine()[0]["alerts"] == 1), "ps has the container", mine())
    row = mine()[0]
    tap.ok(row["processes"] >= 1 and row["events"] > 0 and row["last_rule"] == "Dropped program executed" and row["incident"] >= 1 and
           row["protection"] == ["rules"], "with its processes, alerts, incident and protection", row)
    tap.expect("ps prints it", [SEKISHO, "ps", "--socket", path], 0, [container.id, "CONTAINER", "host", "incident"], ["\x1b"])
    tap.expect("top in a pipe is one snapshot", [SEKISHO, "top", "--socket", path], 0, ["HOST ", "0 events lost", container.id, "% cpu"], ["\x1b"])
    tap.expect("agent status", [SEKISHO, "agent", "status", "--socket", path], 0, ["An agent runs", " incidents ", " control", "mode lean"])
    status = json.loads(tap.run(SEKISHO, "agent", "status", "--socket", path, "-o", "json")[1])["status"]
    tap.ok(status["pid"] == agent.pid() and status["events"] > 0 and 0 < status["memory_bytes"] < MEMORY_MOST, "in JSON", status)
    tap.expect("agent reload", [SEKISHO, "agent", "reload", "--socket", path], 0, ["rules are loaded anew"])
    tap.ok("rules loaded anew" in agent.log(), "the agent says so too", agent.log())
    tap.ok(b'"error"' in ask(path, b'{"request":"mode","mode":"odd"}\n'),
           "an odd mode is refused")
    tap.ok(json.loads(ask(path, b'{"request":"mode","mode":"lean"}\n')) == {"mode": "lean"}, "lean mode is taken")
    code, metrics = tap.run(SEKISHO, "agent", "metrics", "--socket", path)
    wrong, seen = metricslib.check(metrics)
    tap.ok(not wrong and len(seen) > 30, "metrics are what Prometheus reads", wrong)
    tap.ok(code == 0 and 'sekisho_agent_events_total{class="exec"}' in metrics and "sekisho_agent_alert_latency_seconds_bucket" in metrics, "metrics", metrics)


def check_events(path, container):
    def stream(*options):
        return subprocess.Popen([SEKISHO, "events", "--socket", path, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with connect(path) as s:  # whose first line says from when on nothing is missed
        s.sendall(b'{"request":"events","container":"%s","filter":"evt.type = execve and proc.exe.layer = upper"}\n' % container.id.encode())
        tap.ok(json.loads(read_line(s)) == {"streaming": True}, "a stream says when it begins")
        container.run("/bin/true")
        container.drop("streamed")
        event = json.loads(read_line(s))
    tap.ok(event["proc.exepath"] == "/opt/streamed" and event["type"] == "execve" and event["container.name"] == container.id and
           event["proc.exe.layer"] == "upper", "and shows what its filter is true of", event)
    for options, texts in ((("-n", "1", "-c", container.id, "evt.type = execve and proc.exepath = /opt/shown"), ("execve", container.id, "/opt/shown")),
                           (("-n", "1", "-o", "json", "proc.exepath = /opt/shown"), ('"proc.exepath":"/opt/shown"',))):
        p = stream(*options)
        until(lambda: (container.drop("shown"), p.poll() is not None)[1], 30)
        out, err = p.communicate(timeout=WAIT_SECONDS)
        tap.ok(p.returncode == 0 and all(t in out for t in texts) and len(out.splitlines()) == 1, "events " + " ".join(options), (out, err))
    p = stream("-c", container.id)
    until(lambda: (container.run("/bin/true"), select.select([p.stdout], [], [], 0)[0])[1], 30)
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=WAIT_SECONDS)
    tap.ok(p.returncode == 3, "Ctrl-C ends it", p.returncode)
    many = [connect(path) for _ in range(5)]
    for s in many:
        s.sendall(b'{"request":"events","container":"none"}\n')
    answers = [read_line(s) for s in many]
    tap.ok(sum(b"streaming" in a for a in answers) == 4 and sum(b"as many streams" in a for a in answers) == 1, "streams are bounded", answers)
    for s in many:
        s.close()


def check_slow(path, container):
    slow = connect(path)
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(b'{"request":"events"}\n')
    tap.ok(b"streaming" in read_line(slow), "somebody wants all events, and does not read them")
    busy = subprocess.Popen(["runc", "exec", container.id, "/bin/sh", "-c", "i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i+1)); done"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tap.ok(until(lambda: b"sekisho_agent_control_cut_total 1" in ask(path, b'{"request":"metrics"}\n')), "it is cut off; others are answered")
    data = b""
    try:
        while piece := slow.recv(65536):
            data += piece
    except OSError:
        pass
    tap.ok(b"cut off" in data.splitlines()[-1], "and told, behind what it was sent already", data[-300:])
    slow.close()
    busy.wait(WAIT_SECONDS)
    silent = []
    while len(silent) < 40:  # more than may be
        try:
            silent.append(connect(path))
        except BlockingIOError:  # as many wait as may
            tap.ok(len(silent) >= 16, "connections are bounded", len(silent))
            break
    tap.ok(until(lambda: b'"status"' in try_ask(path)), "clients that say nothing are closed, others are served")
    for s in silent:
        s.close()


def try_ask(path):
    try:
        return ask(path, b'{"request":"status"}\n')
    except OSError:
        return b""


def check_top(path, container):
    """On a terminal of its own: alternate screen, anew at another size, and the terminal given back on q and on a signal."""
    for how in ("q", "signal"):
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 200, 0, 0))
        before = termios.tcgetattr(terminal)
        p = subprocess.Popen([SEKISHO, "top", "--socket", path], stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
                             env=dict(os.environ, TERM="xterm", NO_COLOR="1"))
        seen = b""

        def wait_for(text):
            nonlocal seen
            end = time.monotonic() + WAIT_SECONDS
            while text not in seen and time.monotonic() < end:
                if select.select([controller], [], [], 0.2)[0]:
                    seen += os.read(controller, 65536)
            return text in seen
        drawn = wait_for(b"\x1b[?1049h") and wait_for(container.id.encode()) and wait_for(b"q ends")
        raw = termios.tcgetattr(terminal)
        seen = b""
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 60, 0, 0))
        p.send_signal(signal.SIGWINCH)
        again = wait_for(b"q ends")
        if how == "q":
            os.write(controller, b"q")
        else:
            p.send_signal(signal.SIGTERM)
        restored = wait_for(b"\x1b[?1049l")
        code = p.wait(WAIT_SECONDS)
        tap.ok(drawn and again and restored and raw[3] & termios.ICANON == 0 and termios.tcgetattr(terminal) == before and
               code == (0 if how == "q" else -signal.SIGTERM), "top draws, follows the size and gives the terminal back: " + how,
               (drawn, again, restored, code, seen[-300:]))
        os.close(controller)
        os.close(terminal)


def main():
    agentlib.need_sensor("runc", "busybox", "mount")
    work = tempfile.mkdtemp()
    path = os.path.join(work, "run/agent.sock")
    container = agentlib.Container(work, "one")
    agent = None
    try:
        check_without(work)
        reason = container.start()
        if reason:
            tap.skip("the control socket", reason)
            return tap.end()
        agent = agentlib.Agent(work, "agent", "--socket", path)
        tap.ok(agent.is_watching and os.path.exists(path), "the agent starts with a control socket", agent.log())
        tap.expect("another agent does not take it", [SEKISHO, "agent", "--foreground", "--socket", path], 3, ["another agent answers there"])
        check_requests(path)
        check_views(path, container, agent)
        check_events(path, container)
        check_top(path, container)
        check_slow(path, container)
        agent.end(signal.SIGKILL)
        tap.ok(os.path.exists(path), "an agent that is killed leaves its socket")
        agent = agentlib.Agent(work, "again", "--socket", path)
        tap.ok(agent.is_watching and b'"status"' in ask(path, b'{"request":"status"}\n'), "and the next one takes it", agent.log())
        tap.ok(agent.end() == 0 and not os.path.exists(path), "which removes it when it ends", agent.log())
    finally:
        agentlib.end_agents()
        container.remove()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
