#!/usr/bin/env python3
"""Vulnerable and loaded: the packages of a running container, by what its processes run, map and have open. A real runc container with
dynamic programs of this machine, whose package database says that other packages own other files of it."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import scan as S  # noqa: E402
import agentlib  # noqa: E402
from packagelib import OS, advisory, packages  # noqa: E402
import runclib  # noqa: E402

T = S.Tap()
POLICY = """
- rule: Serious and loaded
  condition: finding.kind = vulnerability and package.loaded = true
  action: deny
- rule: Not loaded
  condition: finding.kind = vulnerability and package.loaded = false
  action: warn
"""


def scan(work, db, target, *more, **env):
    code, out, err = S.run("scan", "--packages-only", "--no-record", "--db", db, "--policy", os.path.join(work, "policy.yaml"), "-o", "json", *more,
                           target, env={"SEKISHO_LOADED": os.path.join(work, "kept"), **env})
    try:
        return code, json.loads(out)
    except ValueError:
        return code, {"packages": [], "findings": [], "target": {}, "counts": {}, "words": err.decode()}


def uses(report):
    return {p["name"]: p["use"] for p in report["packages"]}


def start(work):
    c = runclib.Container(work, "loaded")
    libraries = c.add_program("/usr/bin/sleep", to="usr/bin/waiter")[1:]
    c.add("usr/bin/idle", open("/usr/bin/sleep", "rb").read(), 0o755)
    c.add("usr/share/app/run.sh", "read x </run/fifo\n")
    c.add("usr/share/doc/words", "words\n")
    c.add("usr/share/data/open", "data\n")
    c.add("etc/os-release", OS)
    packages(c, {"waiter": ["usr/bin/waiter"], "libc6": libraries, "idle": ["usr/bin/idle"], "gone": ["usr/bin/gone"],
                 "words": ["usr/share/doc/words"], "script": ["usr/share/app/run.sh"], "data": ["usr/share/data/open"]})
    why = c.start("/usr/bin/waiter", "600")
    return c, why


def tests(work, c):
    feed = os.path.join(work, "feed.jsonl")
    names = ["waiter", "libc6", "idle", "gone", "words", "script", "data"]
    with open(feed, "w") as file:
        file.write("".join(json.dumps(advisory(i, name)) + "\n" for i, name in enumerate(names)))
    db = os.path.join(work, "db")
    with open(os.path.join(work, "policy.yaml"), "w") as file:
        file.write(POLICY)
    code, out, err = S.run("db", "build", "-q", "--out", db, "osv:" + feed)
    T.ok(code == 0, "a database of advisories", out + err)

    target = "container:" + c.id
    code, r = scan(work, db, target)
    T.equal(uses(r), {"waiter": "loaded", "libc6": "loaded", "idle": "present", "gone": "absent", "words": None, "script": None, "data": None},
            "run and mapped is loaded, a program that nobody runs is present, a file that is gone is absent, data is not known")
    proof = {p["name"]: p["use_proof"] for p in r["packages"]}
    T.ok("waiter (pid %d) runs /usr/bin/waiter" % c.pid() == proof["waiter"] and "maps /" in (proof["libc6"] or ""), "with a process as proof", proof)
    T.equal((r["target"].get("processes"), r["counts"].get("loaded"), r["target"].get("watched_since")), (1, 2, None),
            "the report counts processes and loaded vulnerabilities")
    rules = {f["packages"][0]["name"]: f["rule"] for f in r["findings"] if f["packages"]}
    T.ok(code == 1 and rules == {"waiter": "Serious and loaded", "libc6": "Serious and loaded", "idle": "Not loaded", "gone": "Not loaded",
                                 "words": None, "script": None, "data": None}, "a policy can ask for it", rules)
    code, out, err = S.run("scan", "--packages-only", "--no-record", "--db", db, target, env={"SEKISHO_LOADED": work})
    T.ok(b"2 loaded by its 1 process" in out and b"not loaded)" in out, "the table says it", out + err)
    code, out, err = S.run("explain", "CVE-2025-1", "--db", db, target, env={"SEKISHO_LOADED": work})
    T.ok(b"loaded" in out and b"maps /" in out, "explain names the process and the file", out + err)

    # Others of its processes: an interpreter with a script, a file held open.
    os.mkfifo(os.path.join("/proc/%d/root" % c.pid(), "run/fifo"))
    held = [subprocess.Popen(["runc", "exec", c.id, *command], stdin=subprocess.DEVNULL)
            for command in (["/bin/sh", "/usr/share/app/run.sh"], ["/bin/sh", "-c", "exec 3</usr/share/data/open; echo >/run/held; exec sleep 600"])]
    agentlib.until(lambda: os.path.exists("/proc/%d/root/run/held" % c.pid()))
    seen = {}
    agentlib.until(lambda: seen.update(uses(scan(work, db, target)[1])) or seen.get("script") == "loaded")
    T.ok(seen["script"] == "loaded" and seen["data"] == "loaded", "so are a script that an interpreter runs, and a file held open", seen)

    # A program that is replaced while it runs.
    inside = "/proc/%d/root/usr/bin/waiter" % c.pid()
    shutil.copy(inside, inside + ".new")
    os.rename(inside + ".new", inside)
    r = scan(work, db, target)[1]
    proof = {p["name"]: p["use_proof"] for p in r["packages"]}["waiter"]
    T.ok("an older copy" in proof, "what was replaced under a running process is loaded still, as an older copy", proof)

    # An agent sees what has ended by the time of the scan.
    agent = agentlib.Agent(work, "agent", "--loaded", os.path.join(work, "kept"))
    if agent.is_watching:
        c.run("/usr/bin/idle", "0")
        got = {}
        agentlib.until(lambda: got.update(uses(scan(work, db, target)[1])) or got.get("idle") == "loaded", 20)
        T.equal(got.get("idle"), "loaded", "the agent keeps what ran and has ended")
        T.equal(agent.end(), 0, "it ends")
        T.equal(os.listdir(os.path.join(work, "kept")), [], "and takes its files away")
    else:
        T.skip("the agent keeps what ran and has ended", "no agent here")

    # What the agent saw before.
    os.makedirs(os.path.join(work, "kept"), exist_ok=True)
    kept = os.path.join(work, "kept", c.id)
    with open(kept, "w") as file:
        file.write("sekisho.loaded/1\nsince 1700000000\nruns 0 4711 idle\tusr/bin/idle\nopen 1 4711 a\\011b\\134\tusr/share/doc/words\n")
    r = scan(work, db, target)[1]
    T.equal((uses(r)["idle"], uses(r)["words"], r["target"]["watched_since"]), ("loaded", "loaded", "2023-11-14T22:13:20Z"),
            "what an agent saw earlier counts too, and since when")
    for text, what in (("x\n", "no such file"), ("sekisho.loaded/1\nsince 5\nruns 0 1 a\n", "cut"), ("sekisho.loaded/1\nsince 5\neats 0 1 a\tb\n", "words of its own")):
        with open(kept, "w") as file:
            file.write(text)
        code, r = scan(work, db, target)
        T.ok(any("not all legible" in (u["detail"] or "") for u in r["coverage"]["unread"]) and uses(r)["libc6"] == "loaded", "a state file that is %s is told" % what, r["coverage"]["unread"])
    for p in held:
        p.send_signal(signal.SIGKILL)
        p.wait()


def main():
    why = runclib.missing() or (None if shutil.which("ldd") else "ldd is not installed")
    if why:
        print("1..0 # SKIP " + why)
        return 0
    work = tempfile.mkdtemp(prefix="sekisho-loaded-")
    c = None
    try:
        c, why = start(work)
        if why:
            T.skip("loaded", why)
        else:
            tests(work, c)
    finally:
        if c:
            c.end()
        shutil.rmtree(work, ignore_errors=True)
    return T.end()


sys.exit(main())
