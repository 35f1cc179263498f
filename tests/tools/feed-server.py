"""A server of feeds on loopback for tests/cli/test-db.py, which scripts what it does with each path."""

import http.server
import threading


class Feed:
    """What stands under a path. `cut`: closes each answer after so many bytes, `cuts` times; `stall`: then waits instead."""

    def __init__(self, content, etag='"1"', modified="Wed, 20 May 2026 10:00:00 GMT"):
        self.content, self.etag, self.modified = content, etag, modified
        self.status, self.cut, self.cuts, self.stall, self.ranges = 200, None, 0, False, True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        feed = self.server.feeds.get(self.path)
        self.server.log.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
        if feed is None or feed.status != 200:
            self.answer(404 if feed is None else feed.status, b"<html>no</html>", {})
            return
        validators = {name: value for name, value in (("ETag", feed.etag), ("Last-Modified", feed.modified)) if value}
        if feed.etag and self.headers.get("If-None-Match") == feed.etag:
            self.answer(304, b"", validators)
            return
        start = 0
        wanted = self.headers.get("Range")
        if wanted and feed.ranges and self.headers.get("If-Range") in (feed.etag, feed.modified):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(feed.content):
                self.answer(416, b"", {})
                return
            validators["Content-Range"] = f"bytes {start}-{len(feed.content) - 1}/{len(feed.content)}"
        body = feed.content[start:]
        if feed.cut is None or feed.cuts <= 0:
            self.answer(206 if start else 200, body, validators)
            return
        feed.cuts -= 1
        self.answer(206 if start else 200, body, validators, feed.cut)
        if feed.stall:
            self.server.stalled.set()
            self.server.go_on.wait(60)
        self.close_connection = True

    def answer(self, status, body, headers, cut=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.feeds, self.log = {}, []
        self.stalled, self.go_on = threading.Event(), threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a client that went away
