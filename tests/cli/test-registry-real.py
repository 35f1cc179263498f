#!/usr/bin/env python3
"""The registry source against Debian's docker-registry on loopback; skopeo pushes, and says what must be there."""
import base64
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "tools")]
import ocilayout  # noqa: E402
import taplib  # noqa: E402

PULL = os.path.join(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "..", "..", "build")), "tests", "source-pull")
USER, PASSWORD = "visitor", "pa:ss&word"
HTPASSWD = "visitor:$2y$05$NH6oLT4SUnU3H7hSD/tXjOhHaYcu2FJMA1hdh7s1figGZ9JKZODD6\n"
SERVICE = "test registry"


def run(*command, data=None):
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


class Registry:
    """docker-registry with a configuration of its own; `more` is added to it."""

    def __init__(self, work, name, more="", tls=""):
        config = os.path.join(work, name + ".yml")
        with open(config, "w") as f:
            f.write("version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: '127.0.0.1:0'%s}\n%s" %
                    (os.path.join(work, name), tls, more))
        self.process = subprocess.Popen(["docker-registry", "serve", config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.host, said = None, ""
        for line in self.process.stderr:
            said += line
            found = re.search(r"listening on (127\.0\.0\.1:\d+)", line)
            if found:
                self.host = found.group(1)
                break
        if not self.host:
            raise RuntimeError("docker-registry did not start: " + said)
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def push(self, layout, name, *options):
        run("skopeo", "copy", "-q", "--dest-tls-verify=false", *options, "oci:%s:latest" % layout,
            "docker://%s/%s" % (self.host, name))

    def inspect(self, name, *options):
        return run("skopeo", "inspect", "--raw", "--tls-verify=false", *options, "docker://%s/%s" % (self.host, name))


class TokenServer:
    """Grants the user what he asks for, as https://distribution.github.io/distribution/spec/auth/jwt/ has it."""

    def __init__(self, key, certificate):
        der = run("openssl", "x509", "-in", certificate, "-outform", "DER")
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                wanted = "Basic " + base64.b64encode((USER + ":" + PASSWORD).encode()).decode()
                good = self.headers.get("Authorization") == wanted
                outer.seen.append((self.headers.get("User-Agent"), good, query))
                body = outer.answer(query, key, der) if good else b"{}"
                self.send_response(200 if good else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.realm = "http://127.0.0.1:%d/token" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def answer(query, key, der):
        def part(data):
            return base64.urlsafe_b64encode(data).rstrip(b"=")

        access = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        claims = {"iss": "tests", "sub": USER, "aud": SERVICE, "exp": now + 300, "nbf": now - 10, "iat": now, "jti": "1",
                  "access": access}
        text = part(json.dumps(head).encode()) + b"." + part(json.dumps(claims).encode())
        signature = run("openssl", "dgst", "-sha256", "-sign", key, data=text)
        return json.dumps({"token": (text + b"." + part(signature)).decode()}).encode()


def make_certificate(work):
    key, certificate = os.path.join(work, "key.pem"), os.path.join(work, "certificate.pem")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", certificate)
    return key, certificate


def expected(registry, name, *options):
    """The lines that must be printed for an image, by what skopeo says of its manifest."""
    raw = registry.inspect(name, *options)
    manifest = json.loads(raw)
    lines = ["digest " + ocilayout.digest(raw), "image-id " + manifest["config"]["digest"]]
    return lines + ["layer %d ok %s %d" % (i + 1, x["digest"], x["size"]) for i, x in enumerate(manifest["layers"])]


def images(t, registry, layouts):
    host = registry.host
    registry.push(layouts["gzip"], "team/web:1", "--multi-arch", "all")
    index = json.loads(registry.inspect("team/web:1"))
    of = {x["platform"]["architecture"]: x["digest"] for x in index["manifests"]}
    for arch in ("amd64", "arm64"):
        t.expect("an index, linux/" + arch, [PULL, "--platform", "linux/" + arch, "registry:%s/team/web:1" % host], 0,
                 expected(registry, "team/web@" + of[arch]) + ["platform linux/" + arch])
    t.expect("by digest", [PULL, "%s/team/web@%s" % (host, of["arm64"])], 0, ["platform linux/arm64", "layer 2 ok"])
    t.expect("no prefix, no tag: not there", [PULL, host + "/team/web"], 3, ["404"])
    t.expect("a platform that is not there", [PULL, "--platform", "linux/s390x", "registry:%s/team/web:1" % host], 3,
             ["no image for linux/s390x"])
    registry.push(layouts["gzip"], "team/docker:2", "--format", "v2s2")
    t.expect("Docker's manifest", [PULL, "registry:%s/team/docker:2" % host], 0, expected(registry, "team/docker:2"))
    registry.push(layouts["tar"], "zstd", "--dest-compress-format", "zstd")
    zstd = json.loads(registry.inspect("zstd"))["layers"][1]["mediaType"]
    t.ok(zstd.endswith("+zstd"), "skopeo pushes zstd", zstd)
    t.expect("layers in zstd", [PULL, "registry:%s/zstd" % host], 0, expected(registry, "zstd"))
    blob = json.loads(registry.inspect("zstd"))["layers"][1]["digest"].split(":")[1]
    return blob


def damaged(t, registry, work, blob):
    """The same registry with a blob that rotted, and without it."""
    path = os.path.join(work, "open/docker/registry/v2/blobs/sha256", blob[:2], blob, "data")
    with open(path, "r+b") as f:
        f.seek(1000)
        f.write(b"rotten")
    t.expect("a blob that rotted", [PULL, "registry:%s/zstd" % registry.host], 1,
             ["layer 1 ok", "layer 2 failed its digest is"])
    with open(path, "r+b") as f:
        f.truncate(5000)
    t.expect("a blob that was cut", [PULL, "registry:%s/zstd" % registry.host], 1,
             ["layer 1 ok", "layer 2 failed", "5000 bytes"])
    os.unlink(path)
    t.expect("a blob that is lost", [PULL, "registry:%s/zstd" % registry.host], 1,
             ["layer 1 ok", "layer 2 failed registry %s has no" % registry.host])


def with_login(t, registry, work, layouts, what):
    creds = USER + ":" + PASSWORD
    registry.push(layouts["gzip"], "private/web:1", "--dest-creds", creds)
    file = os.path.join(work, "auth.json")
    with open(file, "w") as f:
        json.dump({"auths": {registry.host: {"auth": base64.b64encode(creds.encode()).decode()}}}, f)
    target = "registry:%s/private/web:1" % registry.host
    t.expect(what, [PULL, "--auth-file", file, target], 0, expected(registry, "private/web:1", "--creds", creds))
    t.expect(what + ": without credentials", [PULL, target], 3,
             ["answered 401 for private/web:1: no credentials for " + registry.host, "podman login " + registry.host])
    login = os.path.join(work, "login.json")
    subprocess.run(["skopeo", "login", "--authfile", login, "--tls-verify=false", "-u", USER, "--password-stdin",
                    registry.host], input=PASSWORD.encode(), check=True, capture_output=True)
    t.expect(what + ": as skopeo login leaves it", [PULL, target], 0, ["layer 2 ok"], REGISTRY_AUTH_FILE=login)


def main():
    if not os.access(PULL, os.X_OK):
        print("1..0 # SKIP %s is not built" % PULL)
        return 0
    for program in ("docker-registry", "skopeo", "openssl"):
        if not shutil.which(program):
            print("1..0 # SKIP %s is not installed" % program)
            return 0
    work = tempfile.mkdtemp(prefix="sekisho-docker-registry-")
    environment = dict(os.environ, HOME=work, XDG_RUNTIME_DIR=work)
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME"):
        environment.pop(name, None)
    t, registries = taplib.Tap(environment), []

    def start(*options):
        registries.append(Registry(work, *options))
        return registries[-1]

    try:
        key, certificate = make_certificate(work)
        layouts = {"gzip": os.path.join(work, "gzip"), "tar": os.path.join(work, "tar")}
        ocilayout.Images().write(layouts["gzip"])
        # New each time: skopeo remembers that blobs were compressed otherwise before, and takes those.
        ocilayout.Images(compressed=False, salt=os.urandom(16)).write(layouts["tar"])
        registry = start("open")
        blob = images(t, registry, layouts)
        damaged(t, registry, work, blob)

        with open(os.path.join(work, "htpasswd"), "w") as f:
            f.write(HTPASSWD)
        with_login(t, start("basic", "auth: {htpasswd: {realm: here, path: %s/htpasswd}}\n" % work), work, layouts,
                   "htpasswd")

        tokens = TokenServer(key, certificate)
        bearer = start("bearer", "auth: {token: {realm: '%s', service: '%s', issuer: tests, rootcertbundle: %s}}\n" %
                       (tokens.realm, SERVICE, certificate))
        with_login(t, bearer, work, layouts, "tokens")
        ours = [x for x in tokens.seen if x[0].startswith("sekisho/") and x[1]]
        t.ok(ours and all(x[2]["scope"] == ["repository:private/web:pull"] for x in ours), "  asked for no more than pull",
             ours)

        secure = start("tls", "", ", tls: {certificate: %s, key: %s}" % (certificate, key))
        secure.push(layouts["gzip"], "web:1")
        target = "registry:%s/web:1" % secure.host
        t.expect("TLS, by --ca-file", [PULL, "--ca-file", certificate, target], 0, expected(secure, "web:1"))
        t.expect("TLS, not trusted", [PULL, target], 3, ["certificate is not trusted"])
        return t.end()
    finally:
        for registry in registries:
            registry.stop()
        shutil.rmtree(work, ignore_errors=True)


sys.exit(main())
