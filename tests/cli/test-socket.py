#!/usr/bin/env python3
"""The API sockets of docker and podman: a real podman service, and a daemon that misbehaves."""
import http.server
import io
import json
import os
import shutil
import socketserver
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tools")]
import ocilayout  # noqa: E402
import taplib  # noqa: E402

BUILT = os.path.join(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "..", "..", "build")), "tests")
PULL = os.path.join(BUILT, "source-pull")
LIST = os.path.join(BUILT, "source-list")
IMAGES = ocilayout.Images()
ID = ocilayout.digest(IMAGES.blobs[json.loads(IMAGES.manifests["amd64"])["config"]["digest"]])
SEEN = []


def docker_archive():
    """What `docker save ID` writes."""
    manifest = json.loads(IMAGES.manifests["amd64"])
    config = manifest["config"]["digest"].split(":")[1] + ".json"
    members = {config: IMAGES.blobs[manifest["config"]["digest"]]}
    names = []
    for i, layer in enumerate(IMAGES.layers["amd64"]):
        names.append("%d/layer.tar" % i)
        members[names[-1]] = layer
    members["manifest.json"] = IMAGES.json([{"Config": config, "RepoTags": None, "Layers": names}])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Daemon(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "socket"

    def log_message(self, *args):
        SEEN.append(self.path)

    def give(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        name, kind = parts[1], parts[-1]
        answers = {
            "good": {"Id": ID, "RepoTags": ["good:latest", "other:1"]},
            "gone": {"Id": "sha256:" + "0" * 64, "RepoTags": []},
            "cut": {"Id": "sha256:" + "1" * 64, "RepoTags": []},
            "evil-id": {"Id": "sha256:../../containers/json?x=", "RepoTags": []},
            "no-id": {"RepoTags": ["x"]},
            "list": [1, 2, 3],
        }
        if kind == "json" and name in answers:
            return self.give(200, json.dumps(answers[name]).encode())
        if kind == "json" and name == "garbage":
            return self.give(200, b"[" * 100000)
        if kind == "json" and name == "huge":
            return self.give(200, b"{" + b" " * (2 << 20) + b"}")
        if kind == "json" and name == "redirected":
            return self.give(302, Location="http://127.0.0.1:1/")
        if kind == "json" and name == "broken":
            return self.give(500, b"{}")
        if kind == "json" and name == "silent":
            return time.sleep(6)
        if kind == "get" and name == ID:
            return self.give(200, docker_archive())
        if kind == "get" and name == "sha256:" + "1" * 64:
            return self.give(200, docker_archive()[:50000], length=len(docker_archive()))
        return self.give(404, b'{"message":"no such image"}')


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what the tests want


def misbehaving(t, work):
    path = os.path.join(work, "docker.sock")
    server = Server(path, Daemon)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def pull(what, name, code, texts):
        return t.expect(what, [PULL, "--socket", path, "docker-api:" + name], code, texts)

    size = len(docker_archive())
    pull("an image", "good", 0, ["image-id " + ID, "tag good:latest", "tag other:1", "%d" % size])
    t.ok(SEEN[-1] == "/images/%s/get" % ID, "  is saved by its id", SEEN)
    output = t.expect("what the stream holds", [LIST, "docker-api:good"], 0,
                      ["source: docker-api", "image-id: " + ID, "platform: linux/amd64", "layer: 1", "tag: good:latest"],
                      DOCKER_HOST="unix://" + path)
    t.ok(output.count("created-by") == 2, "  with its steps", output)
    pull("an image that is not there", "missing:2", 3, ["has no image missing:2"])
    pull("an image that goes away", "gone", 1, ["answered 404 for the archive"])
    pull("an archive that ends early", "cut", 1, ["stream failed docker at " + path])
    pull("an id that is a path", "evil-id", 3, ["no id"])
    pull("no id", "no-id", 3, ["no id"])
    pull("a list", "list", 3, ["no id"])
    pull("not JSON", "garbage", 3, ["the answer of docker"])
    pull("an answer that is too long", "huge", 3, ["more than the 1048576 bytes"])
    pull("a redirect is not followed", "redirected", 3, ["refused for this request"])
    pull("500", "broken", 3, ["answered 500"])
    pull("no answer", "silent", 3, ["stalled"])
    n = len(SEEN)
    for name in ("../containers/json?", "a/../../x", "a b", "a?b", "a%2e", "A"):
        pull("a name that is none: " + name, name, 3, ["is neither the name nor the id"])
    t.ok(len(SEEN) == n, "  and is not asked for", SEEN[n:])
    nowhere = os.path.join(work, "nowhere")
    t.expect("no socket", [PULL, "docker-api:good"], 3, ["docker has no API socket at " + nowhere],
             DOCKER_HOST="unix://" + nowhere)
    t.expect("a daemon on the network", [PULL, "docker-api:good"], 3, ["only unix:// sockets"], DOCKER_HOST="tcp://h:1")
    server.shutdown()
    server.server_close()
    t.expect("a socket where nobody listens", [PULL, "--socket", path, "docker-api:good"], 3, ["could not connect"])


def without_store(t):
    """A user who may not read docker's store but may ask the daemon. He needs a directory that he can enter."""
    work = tempfile.mkdtemp(prefix="sekisho-shared-", dir="/tmp")
    path, pull = os.path.join(work, "shared.sock"), os.path.join(work, "source-pull")
    try:
        shutil.copy(PULL, pull)
        os.chmod(work, 0o755)
        server = Server(path, Daemon)
        os.chmod(path, 0o666)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent", pull]
        t.expect("docker: where the store cannot be read", nobody + ["--socket", path, "docker:good"], 0,
                 ["image-id " + ID])
        t.expect("  and the daemon has no such image", nobody + ["--socket", path, "docker:missing"], 3,
                 ["docker's store has no image", "; docker at %s has no image missing" % path])
        server.shutdown()
        server.server_close()
    finally:
        shutil.rmtree(work)


def wait_for(path, process):
    for _ in range(200):
        if os.path.exists(path):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.05)
    return False


def real_podman(t, work):
    layout, root, run = (os.path.join(work, x) for x in ("layout", "root", "run"))
    path = os.path.join(work, "podman.sock")
    IMAGES.write(layout)
    stored = subprocess.run(["skopeo", "copy", "-q", "oci:%s:latest" % layout,
                             "containers-storage:[vfs@%s+%s]localhost/web:1" % (root, run)],
                            stderr=subprocess.PIPE, text=True)
    if stored.returncode:
        t.skip("podman's service", "podman's store cannot be written here: " + stored.stderr[-200:])
        return
    service = subprocess.Popen(["podman", "--root", root, "--runroot", run, "--storage-driver", "vfs", "--cgroup-manager",
                                "cgroupfs", "system", "service", "--time", "0", "unix://" + path],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        t.ok(wait_for(path, service), "podman's service starts")
        t.expect("podman-api", [PULL, "--socket", path, "podman-api:localhost/web:1"], 0,
                 ["image-id " + ID, "tag localhost/web:1", "stream ok"])
        t.expect("  by id, through $CONTAINER_HOST", [LIST, "podman-api:" + ID[7:19]], 0,
                 ["source: podman-api", "platform: linux/amd64", "layer: 1"], CONTAINER_HOST="unix://" + path)
        t.expect("  an image that is not there", [PULL, "--socket", path, "podman-api:web:2"], 3, ["has no image web:2"])
        t.expect("docker-api speaks to it, too", [PULL, "--socket", path, "docker-api:localhost/web:1"], 0, ["stream ok"])
    finally:
        service.terminate()
        service.wait()


def main():
    if not os.access(PULL, os.X_OK) or not os.access(LIST, os.X_OK):
        print("1..0 # SKIP %s and %s are not built" % (PULL, LIST))
        return 0
    work = tempfile.mkdtemp(prefix="sekisho-socket-")
    environment = dict(os.environ, HOME=work, XDG_RUNTIME_DIR=work, SEKISHO_HTTP_STALL_SECONDS="2")
    for name in ("DOCKER_HOST", "CONTAINER_HOST"):
        environment.pop(name, None)
    t = taplib.Tap(environment)
    try:
        misbehaving(t, work)
        if os.getuid() == 0 and shutil.which("setpriv"):
            without_store(t)
        else:
            t.ok(True, "a user without the store # SKIP needs root and setpriv")
        if os.getuid() == 0 and shutil.which("podman") and shutil.which("skopeo"):
            real_podman(t, work)
        else:
            t.ok(True, "a real podman # SKIP needs root, podman and skopeo")
        return t.end()
    finally:
        shutil.rmtree(work, ignore_errors=True)


sys.exit(main())
