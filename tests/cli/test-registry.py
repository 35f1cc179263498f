#!/usr/bin/env python3
"""The registry source against tests/tools/hostile-registry.py: what it says, what it fetches, and what it never sends."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "..", "tools")
sys.path.insert(0, HERE)
import taplib  # noqa: E402

PULL = os.path.join(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "..", "..", "build")), "tests", "source-pull")
USER, PASSWORD, REFRESH = "visitor", "pa:ss&word", "refresh-me"
SECRETS = [PASSWORD, REFRESH, "good-token", "hidden-password", "secret-signature",
           base64.b64encode((USER + ":" + PASSWORD).encode()).decode()]
GOOD = ["layer 1 ok", "layer 2 ok"]


class Test(taplib.Tap):
    def __init__(self, work):
        self.work, self.log = work, os.path.join(work, "log")
        environment = dict(os.environ, HOME=work, XDG_RUNTIME_DIR=work, SEKISHO_HTTP_STALL_SECONDS="2",
                           PATH=work + "/bin:" + os.environ["PATH"])
        for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_CONFIG_HOME", "http_proxy", "https_proxy", "all_proxy",
                     "HTTPS_PROXY", "ALL_PROXY"):
            environment.pop(name, None)
        super().__init__(environment)

    def requests(self, server=None):
        with open(self.log) as f:
            lines = [json.loads(line) for line in f]
        return [x for x in lines if server in (None, x["server"])]

    def expect(self, what, target, code, texts, *options, **environment):
        """No secret may ever be told."""
        open(self.log, "w").close()
        return super().expect(what, [PULL, *options, target], code, texts, SECRETS, **environment)


def auth(user=USER, password=PASSWORD):
    return base64.b64encode((user + ":" + password).encode()).decode()


def write(path, text, mode=0o600):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    os.chmod(path, mode)


def make_certificate(work):
    key, certificate = os.path.join(work, "key.pem"), os.path.join(work, "certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key,
                    "-out", certificate], check=True, capture_output=True)
    return certificate, key


def bodies(t, r):
    t.expect("a good registry: both layers come", r + "plain/app", 0, GOOD + ["platform linux/amd64"])
    output = t.expect("--platform chooses", r + "plain/app:1", 0, GOOD + ["platform linux/arm64"], "--platform", "linux/arm64")
    digest = output.split("digest ")[1].split()[0]
    t.expect("by digest", r + "plain/app@" + digest, 0, GOOD + ["digest " + digest])
    t.expect("a platform that is not there", r + "plain/app", 3, ["no image for linux/s390x"], "--platform", "linux/s390x")
    t.expect("a tag that is not there", r + "plain/app:2", 3, ["has no plain/app:2 (it answered 404)"])
    t.expect("a layer that stalls is resumed", r + "stall/app", 0, GOOD)
    t.ok(any(x["range"] for x in t.requests()), "  with a Range request")
    t.expect("a layer that stalls for good", r + "stall-always/app", 1, ["layer 1 ok", "layer 2 failed", "stalled"])
    t.expect("a connection that closes is resumed", r + "close/app", 0, GOOD)
    t.ok(2 <= len([x for x in t.requests() if x["range"]]) <= 5, "  several times", str(t.requests()))
    t.expect("chunks that end early are resumed", r + "close-chunked/app", 0, GOOD)
    t.expect("a connection that closes again and again", r + "close-always/app", 1, ["layer 1 ok", "gave only 60 of the"])
    t.expect("a manifest that ends early", r + "close-manifest/app", 3, ["broke"])
    t.expect("a server that ignores Range", r + "range-ignored/app", 0, GOOD)
    t.expect("a server that continues elsewhere", r + "range-wrong/app", 1, ["at another place than was asked for"])
    t.expect("a length that is too long", r + "length-long/app", 1, ["layer 1 ok", "bytes; the manifest says 200287"])
    t.expect("a length that is too short", r + "length-short/app", 1, ["says that blob", "has 200187 bytes"])
    t.expect("more bytes than promised", r + "more/app", 1, ["sends more bytes", "than the 200287 of the manifest"])
    t.expect("an endless layer", r + "endless-layer/app", 1, ["sends more bytes"])
    t.expect("a layer with another content", r + "wrong-layer/app", 1, ["layer 1 ok", "layer 2 failed its digest is"])
    t.expect("a configuration with another content", r + "wrong-config/app", 3, ["configuration sha256:"])
    t.expect("a manifest with another content (the header lies)", r + "wrong-manifest/app", 3, ["manifest sha256:"])
    t.expect("the same, asked for by digest", r + "wrong-manifest/app@" + digest, 3, ["sha256:"])
    t.expect("an endless manifest", r + "endless-manifest/app", 3, ["more than the 4194304 bytes"])
    t.expect("a huge manifest", r + "huge/app", 3, ["more than the 4194304 bytes"])
    t.expect("a manifest of schema 1", r + "schema1/app", 3, ["schema 1"])
    t.expect("indexes without an end", r + "nested/app", 3, ["indexes that point to indexes"])
    t.expect("a foreign layer is not fetched", r + "foreign/app", 1, ["layer 1 failed a foreign layer", "layer 2 ok"])
    t.ok(not t.requests("other"), "  nor its URL asked")
    t.expect("a layer without a size", r + "sizeless/app", 1, ["gives no size"])


def statuses(t, r):
    t.expect("500", r + "500/app", 3, ["answered 500 for 500/app:latest"])
    t.expect("403", r + "403/app", 3, ["answered 403", "not allowed"])
    t.expect("429, then it works", r + "429-once/app", 0, GOOD)
    t.expect("503 without Retry-After, then it works", r + "503-once/app", 0, GOOD)
    t.expect("429 always: given up", r + "429-always/app", 3, ["answered 429", "too many requests"])
    t.ok(len([x for x in t.requests() if "manifests" in x["path"]]) == 3, "  after three tries", str(t.requests()))
    t.expect("429 for an hour: given up at once", r + "429-long/app", 3, ["answered 429"])
    t.expect("headers that drip", r + "slow-headers/app", 3, ["stalled"])
    t.expect("a megabyte of headers", r + "long-headers/app", 3, ["header of the answer has more than 256 KiB"])
    t.expect("not HTTP at all", r + "not-http/app", 3, ["HTTP/0.9"])
    t.expect("nobody there", "registry:127.0.0.1:1/app", 3, ["could not connect"])
    t.expect("plain http to what is not loopback is not even tried", r.replace("127.0.0.1", "0.0.0.0") + "plain/app", 3,
             ["https://0.0.0.0"])
    t.ok(not t.requests(), "  nothing was asked", str(t.requests()))


def redirects(t, r, tls, certificate):
    login = ["--auth-file", os.path.join(t.work, "good.json")]
    t.expect("layers that lie on another server", r + "redirect/app", 0, GOOD, *login)
    others = t.requests("other")
    t.ok(others and all(x["authorization"] is None for x in others), "  which does not see the token", str(others))
    t.ok(any(x["authorization"] for x in t.requests("main")), "  (the registry does)")
    t.expect("the other server wants a login", r + "redirect-401/app", 3, ["redirects", "answered 401"], *login)
    t.ok(all(x["authorization"] is None and "/token" not in x["path"] for x in t.requests("other")), "  and gets none")
    t.expect("a relative redirect", r + "redirect-relative/app", 0, GOOD)
    t.expect("a redirect loop", r + "redirect-loop/app", 3, ["more than 5 redirects"])
    t.expect("a redirect to a file", r + "redirect-file/app", 3, ["redirects to"])
    t.expect("a redirect with a password", r + "redirect-user/app", 3, ["redirects to a URL with a password"])
    t.expect("a redirect to plain http elsewhere", r + "redirect-away/app", 3, ["refused to speak unencrypted http to 0.0.0.0"])
    t.expect("  which --plain-http allows", r + "redirect-away/app", 0, GOOD, "--plain-http")
    trust = ["--ca-file", certificate]
    t.expect("TLS with a certificate nobody knows", tls + "plain/app", 3, ["certificate is not trusted", "--ca-file"])
    t.expect("TLS with --ca-file", tls + "plain/app", 0, GOOD, *trust)
    t.expect("--ca-file that is not there", tls + "plain/app", 3, ["/nowhere.pem"], "--ca-file", "/nowhere.pem")
    t.expect("from https to http", tls + "redirect-plain/app", 3, ["from https to unencrypted"], *trust)
    t.ok(not [x for x in t.requests("main") if "app" in x["path"]], "  is not followed", str(t.requests("main")))
    t.expect("a proxy that would carry plain http is not asked", r + "plain/app", 0, GOOD,
             http_proxy="http://name:hidden-password@127.0.0.1:1")
    t.expect("a proxy's password is not told", "registry:r.example.invalid/app", 3, ["error "],
             https_proxy="http://name:hidden-password@127.0.0.1:1")
    t.expect("nor that of a proxy that makes no sense", "registry:r.example.invalid/app", 3, ["error "],
             https_proxy="http://name:hidden-password@[::1")


def logins(t, r, host):
    good = ["--auth-file", os.path.join(t.work, "good.json")]
    bad = ["--auth-file", os.path.join(t.work, "bad.json")]
    refresh = ["--auth-file", os.path.join(t.work, "refresh.json")]
    t.expect("401 without WWW-Authenticate", r + "401-bare/app", 3, ["does not say how to log in"])
    t.expect("401 with a malformed one", r + "401-odd/app", 3, ["makes no sense"])
    t.expect("401 with schemes we do not speak", r + "401-negotiate/app", 3, ["wants a login by Negotiate, NTLM"])
    t.expect("401 with a realm that is not http", r + "401-ftp/app", 3, ["not an https URL"], *good)
    t.expect("Basic with good credentials", r + "basic/app", 0, GOOD, *good)
    t.expect("Basic with bad ones", r + "basic/app", 3, ["bad.json were refused", "podman login " + host], *bad)
    output = t.expect("Basic without any: where was looked", r + "basic/app", 3,
                      ["answered 401 for basic/app:latest: no credentials for %s in" % host, "/containers/auth.json",
                       "/.docker/config.json", "log in with podman login " + host])
    t.ok(t.work + "/.config/containers/auth.json" in output, "  by name", output)
    t.expect("the token dance", r + "bearer/app", 0, GOOD, *good)
    t.ok(len([x for x in t.requests() if x["path"].startswith("/token")]) == 1, "  with one token for all", str(t.requests()))
    t.ok(all(x["authorization"] is None or x["authorization"].startswith("Bearer") or x["path"].startswith("/token")
             for x in t.requests()), "  and the password goes to the token server only", str(t.requests()))
    t.expect("the token dance with bad credentials", r + "bearer/app", 3, ["token server", "were refused"], *bad)
    t.expect("without credentials", r + "bearer-anonymous/app", 0, GOOD)
    t.expect("with a refresh token", r + "bearer/app", 0, GOOD, *refresh)
    t.ok(any(x["method"] == "POST" and x["form"].get("refresh_token") == REFRESH for x in t.requests()), "  by POST")
    t.ok(all(REFRESH not in x["path"] for x in t.requests()), "  not in a URL")
    t.expect("a token that expires on the way", r + "bearer-expires/app", 0, GOOD, *good)
    t.expect("a token that is never good enough", r + "bearer-never/app", 3, ["answered 401"])
    t.expect("a token server that answers garbage", r + "bearer-garbage/app", 3, ["the answer of token server"])
    t.expect("a token with a line break", r + "bearer-newline/app", 3, ["no token that can be used"])
    t.expect("a token server without an end", r + "bearer-endless/app", 3, ["more than"])
    t.expect("a token server that redirects", r + "bearer-redirect/app", 0, GOOD, *good)
    t.ok(all(x["authorization"] is None for x in t.requests("other")), "  takes no password along", str(t.requests("other")))
    t.ok(all(x["cookie"] is None and x["agent"].startswith("sekisho/") for x in t.requests()), "no cookies; the agent's name")


def auth_files(t, r, host):
    def look(what, code, texts, **environment):
        return t.expect(what, r + "basic/app", code, texts, **environment)

    podman = os.path.join(t.work, "containers/auth.json")
    docker = os.path.join(t.work, ".docker/config.json")
    write(docker, {"auths": {"https://%s/v1/" % host: {"auth": auth()}}})
    look("docker's file, keyed by URL", 0, GOOD)
    write(podman, {"auths": {host: {"auth": auth("x", "y")}, host + "/basic": {"auth": auth()}}})
    look("podman's file first, the most specific key", 0, GOOD)
    write(podman, {"auths": {host: {"auth": "!!!"}}})
    look("base64 that is none", 3, ["auth.json: an \"auth\" is not"])
    write(podman, "{ nonsense")
    look("a file that is not JSON", 3, ["containers/auth.json"])
    write(podman, {"auths": {host + "x": {"auth": auth()}, "127.0.0.1": {"auth": auth()}}})
    os.unlink(docker)
    look("keys of other hosts do not fit", 3, ["no credentials"])
    write(os.path.join(t.work, "bin/docker-credential-test"), """#!/bin/sh
[ "$*" = get ] || exit 9
read server
[ "$server" = %s ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL":"x","Username":"visitor","Secret":"pa:ss&word"}'
""" % host, 0o755)
    write(podman, {"credHelpers": {host: "test"}})
    look("a credential helper", 0, GOOD)
    write(podman, {"credsStore": "test", "auths": {host: {}}})
    look("a credential store", 0, GOOD)
    t.expect("  that does not know the host", r.replace("127.0.0.1", "localhost") + "basic/app", 3, ["no credentials"])
    write(podman, {"credHelpers": {host: "../../bin/evil"}})
    look("a helper with a path in its name", 3, ["is not the name of a credential helper"])
    write(podman, {"credHelpers": {host: "missing"}})
    look("a helper that is not there", 3, ["cannot run the credential helper docker-credential-missing"])
    write(os.path.join(t.work, "bin/docker-credential-loud"), "#!/bin/sh\nexec cat /dev/zero\n", 0o755)
    write(podman, {"credHelpers": {host: "loud"}})
    look("a helper that does not stop talking", 3, ["docker-credential-loud could not be read"])
    os.unlink(podman)
    t.expect("an auth file that is not there", r + "basic/app", 3, ["/nowhere.json"], "--auth-file", "/nowhere.json")
    look("$REGISTRY_AUTH_FILE", 0, GOOD, REGISTRY_AUTH_FILE=os.path.join(t.work, "good.json"))


def main():
    if not os.access(PULL, os.X_OK):
        print("1..0 # SKIP %s is not built" % PULL)
        return 0
    if not shutil.which("openssl"):
        print("1..0 # SKIP openssl is not installed")
        return 0
    work = tempfile.mkdtemp(prefix="sekisho-registry-")
    server = None
    try:
        t = Test(work)
        certificate, key = make_certificate(work)
        server = subprocess.Popen([sys.executable, os.path.join(TOOLS, "hostile-registry.py"), t.log, certificate, key],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        _, port, _, tls = server.stdout.readline().split()
        host = "127.0.0.1:" + port
        write(os.path.join(work, "good.json"), {"auths": {host: {"auth": auth()}}})
        write(os.path.join(work, "bad.json"), {"auths": {host: {"auth": auth(USER, "wrong")}}})
        write(os.path.join(work, "refresh.json"), {"auths": {host: {"auth": auth("x", ""), "identitytoken": REFRESH}}})
        bodies(t, "registry:%s/" % host)
        statuses(t, "registry:%s/" % host)
        redirects(t, "registry:%s/" % host, "registry:127.0.0.1:%s/" % tls, certificate)
        logins(t, "registry:%s/" % host, host)
        auth_files(t, "registry:%s/" % host, host)
        return t.end()
    finally:
        if server:
            server.stdin.close()
            server.wait()
        shutil.rmtree(work)


sys.exit(main())
