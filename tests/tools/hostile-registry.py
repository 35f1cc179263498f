#!/usr/bin/env python3
"""
A registry that misbehaves on request, for tests: hostile-registry.py LOG [CERTIFICATE KEY]

Listens on 127.0.0.1: the registry, another server (for redirects) and, with a certificate, the registry over TLS.
Prints "ready PORT OTHER_PORT TLS_PORT" and serves until standard input ends. The first part of the repository's name
is the fault: 127.0.0.1:PORT/stall/app. Each request is one JSON line in LOG.
"""
import base64
import json
import os
import select
import ssl
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ocilayout  # noqa: E402

IMAGES = ocilayout.Images()
USER, PASSWORD, TOKEN, REFRESH = "visitor", "pa:ss&word", "good-token", "refresh-me"
PORTS = {}
LOCK = threading.Lock()
SEEN = {}


def count(key):
    with LOCK:
        SEEN[key] = SEEN.get(key, 0) + 1
        return SEEN[key]


def nested_index(depth):
    data = IMAGES.manifests["amd64"]
    kind = ocilayout.MANIFEST
    for _ in range(depth):
        entry = ocilayout.descriptor(kind, data, platform={"os": "linux", "architecture": "amd64"})
        data = IMAGES.json({"schemaVersion": 2, "mediaType": ocilayout.INDEX, "manifests": [entry]})
        kind = ocilayout.INDEX
        IMAGES.blobs[ocilayout.digest(data)] = data
    return data


def changed_manifest(change):
    value = json.loads(IMAGES.manifests["amd64"])
    change(value)
    return IMAGES.json(value)


def foreign(value):
    value["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    value["layers"][0]["urls"] = ["http://127.0.0.1:%d/never-asked" % PORTS["other"]]


def sizeless(value):
    value["layers"][1]["size"] = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_name = "main"

    def log_message(self, *args):
        pass

    def record(self, form=None):
        line = {"server": self.server_name, "method": self.command, "path": self.path, "form": form,
                "authorization": self.headers.get("Authorization"), "range": self.headers.get("Range"),
                "agent": self.headers.get("User-Agent"), "cookie": self.headers.get("Cookie")}
        with LOCK, open(sys.argv[1], "a") as f:
            f.write(json.dumps(line) + "\n")

    # --- ways to answer ---

    def give(self, status, body=b"", kind="application/octet-stream", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", "follow=me")
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def begin_chunks(self, kind="application/octet-stream"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def wait_until_gone(self):
        """Says nothing more until the client hangs up."""
        self.wfile.flush()
        select.select([self.connection], [], [], 120)
        self.close_connection = True

    def hang_up(self):
        self.wfile.flush()
        self.close_connection = True

    def endless(self, kind="application/octet-stream"):
        self.begin_chunks(kind)
        try:
            while True:
                self.chunk(b" " * 65536)
        except OSError:
            self.close_connection = True

    # --- the registry ---

    def offset(self):
        text = self.headers.get("Range", "")
        return int(text[len("bytes="):-1]) if text.startswith("bytes=") else 0

    def give_range(self, data, upto=None, **more):
        """From where the client asks; only the first `upto` bytes of it are really sent."""
        at = self.offset()
        headers = dict(more)
        if at:
            headers.setdefault("Content_Range", "bytes %d-%d/%d" % (at, len(data) - 1, len(data)))
        rest = data[at:]
        self.give(206 if at else 200, rest if upto is None else rest[:upto], Content_Length=len(rest), **headers)
        return at

    def do_POST(self):
        form = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self.record(dict(urllib.parse.parse_qsl(form)))
        fields = dict(urllib.parse.parse_qsl(form))
        if self.path == "/moved-token":
            return self.give(307, Location="/token")
        if fields.get("refresh_token") == REFRESH and fields.get("grant_type") == "refresh_token":
            return self.give(200, json.dumps({"access_token": TOKEN, "expires_in": 60}).encode(), "application/json")
        return self.give(401, b"{}")

    def do_GET(self):
        self.record()
        path = urllib.parse.urlsplit(self.path)
        parts = path.path.strip("/").split("/")
        if path.path.startswith("/token"):
            return self.token(parts, dict(urllib.parse.parse_qsl(path.query)))
        if path.path == "/v2/":
            return self.give(200, b"{}", "application/json")
        if len(parts) < 5 or parts[0] != "v2":
            return self.give(404)
        fault, kind, what = parts[1], parts[-2], parts[-1]
        special = getattr(self, "fault_" + fault.replace("-", "_"), None)
        if special and special(kind, what) is not False:
            return None
        return self.serve(kind, what)

    def serve(self, kind, what):
        data = IMAGES.index if what in ("latest", "1") else IMAGES.blobs.get(what)
        if data is None:
            return self.give(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}', "application/json")
        if kind == "manifests":
            media_type = json.loads(data).get("mediaType", "application/json")
            return self.give(200, data, media_type, Docker_Content_Digest=ocilayout.digest(data))
        return self.give_range(data)

    def is_layer(self, kind, what):
        return kind == "blobs" and IMAGES.blobs.get(what) in IMAGES.layers["amd64"] + IMAGES.layers["arm64"]

    def big_layer(self, kind, what):
        data = IMAGES.blobs.get(what, b"")
        return data if self.is_layer(kind, what) and len(data) > 10000 else None

    # --- logging in ---

    def is_user(self):
        wanted = "Basic " + base64.b64encode((USER + ":" + PASSWORD).encode()).decode()
        return self.headers.get("Authorization") == wanted

    def token(self, parts, query):
        mode = parts[1] if len(parts) > 1 else ""
        if mode == "garbage":
            return self.give(200, b"[[[[")
        if mode == "newline":
            return self.give(200, json.dumps({"token": "a\r\nX-Evil: 1"}).encode())
        if mode == "endless":
            return self.endless()
        if mode == "anonymous":
            return self.give(200, json.dumps({"token": TOKEN}).encode())
        if mode == "redirect":
            return self.give(307, Location="http://127.0.0.1:%d/token/anonymous" % PORTS["other"])
        if self.is_user() and query.get("account") == USER and query.get("service") == "hostile registry":
            return self.give(200, json.dumps({"token": TOKEN}).encode())
        return self.give(401, b"{}", WWW_Authenticate='Basic realm="token"')

    def challenge(self, mode, scope="repository:x:pull"):
        realm = "http://127.0.0.1:%d/token%s" % (PORTS[self.server_name], mode)
        self.give(401, b"{}", WWW_Authenticate='Bearer realm="%s",service="hostile registry",scope="%s"' % (realm, scope))

    def bearer(self, mode):
        if self.headers.get("Authorization") == "Bearer " + TOKEN:
            return False
        return self.challenge(mode)

    def fault_bearer(self, kind, what):
        return self.bearer("")

    def fault_bearer_anonymous(self, kind, what):
        return self.bearer("/anonymous?x=y")

    def fault_bearer_garbage(self, kind, what):
        return self.bearer("/garbage")

    def fault_bearer_newline(self, kind, what):
        return self.bearer("/newline")

    def fault_bearer_endless(self, kind, what):
        return self.bearer("/endless")

    def fault_bearer_redirect(self, kind, what):
        return self.bearer("/redirect")

    def fault_bearer_expires(self, kind, what):
        """The token is good for everything but the first request of a layer."""
        if self.is_layer(kind, what) and count("expires" + what) == 1:
            return self.challenge("")
        return self.bearer("")

    def fault_bearer_never(self, kind, what):
        return self.challenge("/anonymous")

    def fault_basic(self, kind, what):
        if self.is_user():
            return False
        return self.give(401, b"{}", WWW_Authenticate='Basic realm="here, there", charset="UTF-8"')

    def fault_401_bare(self, kind, what):
        return self.give(401, b"{}")

    def fault_401_odd(self, kind, what):
        return self.give(401, b"{}", WWW_Authenticate='Bearer realm="unclosed')

    def fault_401_negotiate(self, kind, what):
        return self.give(401, b"{}", WWW_Authenticate="Negotiate YIIBzg==, NTLM")

    def fault_401_ftp(self, kind, what):
        return self.give(401, b"{}", WWW_Authenticate='Bearer realm="ftp://127.0.0.1/token"')

    def fault_403(self, kind, what):
        return self.give(403, b"{}")

    # --- statuses ---

    def fault_500(self, kind, what):
        return self.give(500, b"oops")

    def fault_429_once(self, kind, what):
        return self.give(429, Retry_After=1) if count("429" + what) == 1 else False

    def fault_429_always(self, kind, what):
        return self.give(429, Retry_After=1)

    def fault_429_long(self, kind, what):
        return self.give(429, Retry_After=3600)

    def fault_503_once(self, kind, what):
        return self.give(503) if count("503" + what) == 1 else False

    # --- redirects ---

    def other(self, path):
        return "http://127.0.0.1:%d%s" % (PORTS["other"], path)

    def fault_redirect(self, kind, what):
        if kind == "blobs":
            if self.bearer("") is False:
                self.give(307, Location=self.other("/v2/plain/app/blobs/%s?signature=secret-signature" % what))
            return None
        return self.bearer("")

    def fault_redirect_401(self, kind, what):
        if self.bearer("") is False:
            self.give(307, Location=self.other("/v2/bearer/app/%s/%s" % (kind, what)))

    def fault_redirect_relative(self, kind, what):
        return self.give(302, Location="../../../plain/app/%s/%s" % (kind, what))

    def fault_redirect_loop(self, kind, what):
        return self.give(302, Location=self.path)

    def fault_redirect_file(self, kind, what):
        return self.give(302, Location="file:///etc/passwd")

    def fault_redirect_user(self, kind, what):
        return self.give(302, Location="http://user:hidden-password@127.0.0.1:%d/" % PORTS["main"])

    def fault_redirect_plain(self, kind, what):
        return self.give(302, Location="http://127.0.0.1:%d/v2/plain/app/%s/%s" % (PORTS["main"], kind, what))

    def fault_redirect_away(self, kind, what):
        return self.give(302, Location="http://0.0.0.0:%d/v2/plain/app/%s/%s" % (PORTS["main"], kind, what))

    # --- bodies ---

    def fault_stall(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None or self.offset():
            return False
        self.give_range(data, upto=len(data) // 2)
        return self.wait_until_gone()

    def fault_stall_always(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None:
            return False
        self.give_range(data, upto=0 if self.offset() else len(data) // 2)
        return self.wait_until_gone()

    def fault_close(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None:
            return False
        self.give_range(data, upto=len(data) // 3 + 1)
        return self.hang_up()

    def fault_close_always(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None:
            return False
        self.give_range(data, upto=10)
        return self.hang_up()

    def fault_close_manifest(self, kind, what):
        self.give(200, IMAGES.index[:100], ocilayout.INDEX, Content_Length=len(IMAGES.index))
        return self.hang_up()

    def fault_close_chunked(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None or self.offset():
            return False
        self.begin_chunks()
        self.chunk(data[:50000])
        return self.hang_up()

    def fault_range_ignored(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None:
            return False
        if self.offset():
            return self.give(200, data)
        self.give(200, data[:70000], Content_Length=len(data))
        return self.hang_up()

    def fault_range_wrong(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None or not self.offset():
            return self.fault_close(kind, what)
        return self.give(206, data[5:], Content_Range="bytes 5-%d/%d" % (len(data) - 1, len(data)))

    def fault_length_long(self, kind, what):
        data = self.big_layer(kind, what)
        return False if data is None else self.give(200, data, Content_Length=len(data) + 100)

    def fault_length_short(self, kind, what):
        data = self.big_layer(kind, what)
        return False if data is None else self.give(200, data, Content_Length=len(data) - 100)

    def fault_more(self, kind, what):
        data = self.big_layer(kind, what)
        if data is None:
            return False
        self.begin_chunks()
        self.chunk(data)
        self.chunk(b"x" * 1000)
        return self.chunk(b"")

    def fault_wrong_layer(self, kind, what):
        data = self.big_layer(kind, what)
        return False if data is None else self.give(200, data[:-1] + bytes([data[-1] ^ 1]))

    def fault_wrong_config(self, kind, what):
        data = IMAGES.blobs.get(what, b"")
        if kind != "blobs" or self.is_layer(kind, what):
            return False
        return self.give(200, data.replace(b"linux", b"minix"))

    def fault_wrong_manifest(self, kind, what):
        if what == "latest":
            return False
        return self.give(200, IMAGES.manifests["arm64"] + b" ", ocilayout.MANIFEST, Docker_Content_Digest=what)

    def fault_endless_manifest(self, kind, what):
        return self.endless(ocilayout.MANIFEST) if kind == "manifests" else False

    def fault_endless_layer(self, kind, what):
        return False if self.big_layer(kind, what) is None else self.endless()

    def fault_huge(self, kind, what):
        return self.give(200, b"{" + b" " * (5 << 20) + b"}", ocilayout.MANIFEST) if kind == "manifests" else False

    def fault_schema1(self, kind, what):
        body = IMAGES.json({"schemaVersion": 1, "name": "app", "tag": "latest", "fsLayers": [], "history": []})
        return self.give(200, body, "application/vnd.docker.distribution.manifest.v1+prettyjws")

    def fault_nested(self, kind, what):
        return self.give(200, nested_index(20), ocilayout.INDEX) if what == "latest" else False

    def fault_foreign(self, kind, what):
        return self.give(200, changed_manifest(foreign), ocilayout.MANIFEST) if what == "latest" else False

    def fault_sizeless(self, kind, what):
        return self.give(200, changed_manifest(sizeless), ocilayout.MANIFEST) if what == "latest" else False

    def fault_slow_headers(self, kind, what):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            while not select.select([self.connection], [], [], 0.2)[0]:
                self.wfile.write(b"y")
                self.wfile.flush()
        except OSError:
            pass
        self.close_connection = True

    def fault_long_headers(self, kind, what):
        self.send_response(200)
        self.flush_headers()
        try:
            for i in range(1000):
                self.wfile.write(b"X-%d: %s\r\n" % (i, b"z" * 1000))
        except OSError:
            pass
        return self.hang_up()

    def fault_not_http(self, kind, what):
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        return self.hang_up()


class Other(Handler):
    server_name = "other"


class Tls(Handler):
    server_name = "tls"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what the tests want


def start(name, handler, context=None):
    server = Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    PORTS[name] = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main():
    start("other", Other)
    PORTS["tls"] = 0
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        start("tls", Tls, context)
    start("main", Handler)
    print("ready", PORTS["main"], PORTS["other"], PORTS["tls"], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
