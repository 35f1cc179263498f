#!/usr/bin/env python3
"""What runs, by what the ledger knows: a real podman container of an image that was scanned as an archive, what it has loaded in the
inventory, and new advisories against it without scanning again."""
# alone: agent
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import scan as S  # noqa: E402
import agentlib  # noqa: E402
import runclib  # noqa: E402
from packagelib import OS, advisory, packages  # noqa: E402

T = S.Tap()
NAME = "sekisho-running-%d" % os.getpid()
PODMAN = ["podman", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]


class Place:
    def __init__(self, work):
        self.work, self.kept, self.ledger = work, os.path.join(work, "kept"), os.path.join(work, "ledger.db")
        self.storage = os.path.join(work, "storage.conf")
        with open(self.storage, "w") as file:
            file.write('[storage]\ndriver = "overlay"\ngraphroot = "%s/pods"\nrunroot = "%s/pods-run"\n' % (work, work))

    def do(self, *command):
        return subprocess.run(command, env=dict(os.environ, HOME=self.work, TMPDIR=self.work, CONTAINERS_STORAGE_CONF=self.storage), cwd=self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=runclib.WAIT_SECONDS)

    def sekisho(self, *arguments):
        code, out, err = S.run(*arguments, "--ledger", self.ledger, env={"SEKISHO_LOADED": self.kept, "CONTAINERS_STORAGE_CONF": self.storage})
        return code, out.decode(), err.decode()

    def document(self, *arguments):
        code, out, err = self.sekisho(*arguments, "-o", "json")
        try:
            return code, json.loads(out)
        except ValueError:
            return code, {"artefacts": [], "running": [], "words": out + err}

    def database(self, name, advised):
        feed = os.path.join(self.work, name + ".jsonl")
        with open(feed, "w") as file:
            file.write("".join(json.dumps(advisory(number, package)) + "\n" for number, package in advised))
        done = self.do(S.SEKISHO, "db", "build", "-q", "--out", name, "osv:" + feed)
        assert done.returncode == 0, done.stderr
        return os.path.join(self.work, name)


def make_image(place):
    """The archive of an image with a program that runs, one that does not, and data. Why it cannot be made, or None."""
    image = runclib.Container(place.work, "running-image")
    libraries = image.add_program("/usr/bin/sleep", to="usr/bin/waiter")[1:]
    image.add("usr/bin/idle", open("/usr/bin/sleep", "rb").read(), 0o755)
    image.add("usr/share/doc/words", "words\n")
    image.add("etc/os-release", OS)
    packages(image, {"waiter": ["usr/bin/waiter"], "libc6": libraries, "idle": ["usr/bin/idle"], "words": ["usr/share/doc/words"]})
    for command in (["umoci", "init", "--layout", "oci"], ["umoci", "new", "--image", "oci:v1"],
                    ["umoci", "insert", "--rootless", "--image", "oci:v1", os.path.relpath(image.image, place.work), "/"],
                    ["skopeo", "copy", "-q", "oci:oci:v1", "docker-archive:image.tar:localhost/running:v1"],
                    [*PODMAN, "load", "-q", "-i", "image.tar"]):
        done = place.do(*command)
        if done.returncode:
            return "%s: %s" % (" ".join(command[:3]), done.stderr.strip()[-200:])
    return None


def uses(document, id):
    for item in document["artefacts"]:
        for container in item["running"]:
            if container["container"] == id:
                return {v["package"]: v["use"] for v in container["vulnerabilities"]}
    return {}


def of_container(document, id):
    return next((c for item in document["artefacts"] for c in item["running"] if c["container"] == id), {})


def test_inventory(place, id):
    seen = {}
    agentlib.until(lambda: seen.update(uses(place.document("inventory")[1], id)) or seen.get("libc6") == "loaded", 30)
    T.equal(seen, {"waiter": "loaded", "libc6": "loaded", "idle": "present", "words": None},
            "the inventory says of a running container's vulnerabilities what is loaded, what is only there, and of data that it is not known")
    container = of_container(place.document("inventory")[1], id)
    proof = {v["package"]: v["use_proof"] for v in container["vulnerabilities"]}
    T.ok("runs /usr/bin/waiter" in proof["waiter"] and container["watched_since"] and container["not_known"] is None, "with a process as proof", container)
    order = [v["use"] for v in container["vulnerabilities"]]
    T.equal(order[:2], ["loaded", "loaded"], "what is loaded stands first")
    code, out, err = place.sekisho("inventory")
    T.ok(code == 0 and "LOADED" in out and "2 of 4" in out, "the table has how many", out + err)
    place.do(*PODMAN, "exec", NAME, "/bin/rm", "/usr/bin/idle")
    T.equal(uses(place.document("inventory")[1], id).get("idle"), "absent", "a program that was removed from the container is absent at run time")
    code, out, err = place.sekisho("inventory", "--loaded")
    T.ok("CVE-2025-1 " in out and "maps /" in out and "CVE-2025-2" not in out and "beside" not in out.split("Container")[0],
         "--loaded names those, and the process", out + err)


def test_rematch(place, id, old, new, other):
    code, r = place.document("rematch", "--running", "--db", old)
    mine = [c for c in r["running"] if c["container"] == id]
    T.ok(code in (0, 3) and mine and mine[0]["found"] == [], "nothing is new for the same advisories", r)
    code, r = place.document("rematch", "--running", "--db", new)
    mine = [c for c in r["running"] if c["container"] == id]
    found = [(f["id"], f["package"], f["use"]) for c in mine for f in c["found"]]
    T.equal((code, found), (1, [("CVE-2025-11", "libc6", "loaded"), ("CVE-2025-12", "idle", "absent"), ("CVE-2025-13", "words", None)]),
            "new advisories are found against what runs, loaded first")
    T.equal(r["looked_at"]["artefacts"], 1, "and nothing else of the ledger is compared")
    its = [c for c in r["running"] if c["container"] == other.id]
    T.ok(its and its[0]["artefact"] is None and "scan --record container:" + other.id in its[0]["not_known"],
         "a container whose image was never scanned is not known, with the command that scans it", its)
    code, out, err = place.sekisho("rematch", "--running", "--db", new)
    T.ok(code == 1 and "Container " + NAME in out and "Container %s was not compared" % other.id in out and "maps /" in out, "the same for a person", out + err)
    code, out, err = place.sekisho("rematch", "--running", "--db", new, "--id", "CVE-2025-0")
    T.ok(code == 1 and "runs /usr/bin/waiter" in out, "one advisory can be asked for", out + err)


def test_nobody_looked(place, id):
    container = of_container(place.document("inventory")[1], id)
    T.ok({v["use"] for v in container["vulnerabilities"]} == {None} and "no agent watches it" in container["not_known"],
         "without an agent it is not known what is loaded", container)
    code, out, err = place.sekisho("inventory")
    T.ok("Container %s: not known what it has loaded: no agent" % NAME in out, "and it says so", out + err)


def tests(place):
    what = "podman, and an image of its own"
    why = make_image(place)
    if why:
        return T.skip(what, why)
    known = [(0, "waiter"), (1, "libc6"), (2, "idle"), (3, "words")]
    old = place.database("old.db", known)
    new = place.database("new.db", known + [(13, "words"), (12, "idle"), (11, "libc6")])
    code, out, err = S.run("scan", "-q", "--record", "--packages-only", "--db", old, os.path.join(place.work, "image.tar"), env={"SEKISHO_LEDGER": place.ledger})
    out, err = out.decode(), err.decode()
    T.ok(code in (0, 1), "the image is scanned into the ledger", out + err)
    other = runclib.Container(place.work, "running-beside")
    agent = agentlib.Agent(place.work, "agent", "--loaded", place.kept, alerts=os.path.join(place.work, "alerts"))
    if not agent.is_watching:
        return T.skip(what, "no agent here: " + agent.log()[-200:])
    why = other.start("/bin/sleep", "600")
    done = place.do(*PODMAN, "run", "-d", "--name", NAME, "--network", "none", "--ulimit", "nofile=20000:20000", "--ulimit", "nproc=20000:20000",
                    "localhost/running:v1", "/usr/bin/waiter", "600")
    try:
        if done.returncode or why:
            return T.skip(what, why or "podman run: " + done.stderr.strip()[-200:])
        id = done.stdout.strip()
        test_inventory(place, id)
        test_rematch(place, id, old, new, other)
        T.equal(agent.end(), 0, "the agent ends")
        test_nobody_looked(place, id)
    finally:
        agentlib.end_agents()
        other.end()
    return None


def main():
    why = runclib.missing()
    for program in ("podman", "umoci", "skopeo", "ldd"):
        why = why or (None if shutil.which(program) else program + " is not installed")
    if why:
        print("1..0 # SKIP " + why)
        return 0
    work = tempfile.mkdtemp(prefix="sekisho-running-")
    place = Place(work)
    os.environ["CONTAINERS_STORAGE_CONF"] = place.storage  # where the agent looks for podman's store
    try:
        tests(place)
    finally:
        place.do(*PODMAN, "rm", "-f", "-t", "0", "-a")
        place.do(*PODMAN, "system", "reset", "-f")
        with open("/proc/self/mounts") as file:
            for point in sorted((line.split()[1] for line in file if " " + work + "/pods" in line), reverse=True):
                place.do("umount", "-l", point)
        shutil.rmtree(work, ignore_errors=True)
    return T.end()


sys.exit(main())
