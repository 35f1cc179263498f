#!/usr/bin/env python3
"""sekisho db: builds, looks at and updates databases; every way in which an update can go wrong leaves the old one."""

import contextlib
import fcntl
import gzip
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SEKISHO = os.path.abspath(os.environ.get("SEKISHO", os.path.join(HERE, "..", "..", "build", "sekisho")))
spec = importlib.util.spec_from_file_location("feed_server", os.path.join(HERE, "..", "tools", "feed-server.py"))
feed_server = importlib.util.module_from_spec(spec)
spec.loader.exec_module(feed_server)

WORK = tempfile.mkdtemp(prefix="sekisho-db-")
lines, failed = [], 0
environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
environment.update(HOME=WORK, XDG_CACHE_HOME=f"{WORK}/cache", XDG_CONFIG_HOME=f"{WORK}/config", SEKISHO_HTTP_STALL_SECONDS="1",
                   SEKISHO_TODAY="2026-06-01")
environment.pop("SEKISHO_DB", None)


def ok(good, what, detail=""):
    global failed
    failed += not good
    lines.append(f"{'ok' if good else 'not ok'} {len(lines) + 1} - {what}")
    if not good:
        lines[-1] += "\n" + "\n".join("# " + line for line in str(detail).splitlines())


def skip(what, why):
    lines.append(f"ok {len(lines) + 1} - {what} # SKIP {why}")


def sekisho(*words, **options):
    return subprocess.run([SEKISHO, "db", *words], cwd=WORK, env=environment, text=True, capture_output=True, timeout=120, **options)


def said(run):
    return f"{run.args}\nstatus {run.returncode}\n{run.stdout}{run.stderr}"


def record(number, package="p", fixed="2.0.0"):
    return json.dumps({"id": f"X-{number}", "modified": "2026-05-01T00:00:00Z", "published": "2026-05-01T00:00:00Z", "affected": [
        {"package": {"ecosystem": "npm", "name": package},
         "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}]}) + "\n"


def records(n, **options):
    return "".join(record(i, **options) for i in range(n))


def write(name, text):
    path = os.path.join(WORK, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text.encode() if isinstance(text, str) else text)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


def status(path):
    return json.loads(sekisho("status", "--db", path, "--json", "--verify").stdout)


def leftovers(directory, *wanted):
    return sorted(set(os.listdir(directory)) - set(wanted))


def test_build():
    write("a.jsonl", records(3) + "not json\n")
    write("dir/one.json", record(10))
    write("dir/deep/two.json", json.dumps(json.loads(record(11)), indent=2))
    write("dir/README.md", "# no feed")
    run = sekisho("build", "--out", "x.db", "a.jsonl", "dir")
    ok(run.returncode == 0 and "5 advisories of 2 feeds" in run.stdout, "build: a file and a directory", said(run))
    ok("skipped a record 4: not JSON" in run.stderr, "build: names what it skips", said(run))
    first = read(f"{WORK}/x.db")
    sekisho("build", "--out", "x.db", "a.jsonl", "dir")
    ok(first == read(f"{WORK}/x.db"), "build: the same inputs give the same bytes")
    answer = status("x.db")
    ok(answer["verified"] and [f["name"] for f in answer["feeds"]] == ["a", "dir"] and answer["feeds"][0]["skipped"] == 1,
       "status --json: feeds, counts, verified", answer)
    run = sekisho("status", "--db", "x.db")
    ok("31 days" in run.stdout and "malformed 1" in run.stdout, "status: ages and why records were skipped", said(run))
    run = sekisho("build", "--out", "y.db", "--json", "osv:a.jsonl")
    ok(json.loads(run.stdout)["advisories"] == 3, "build --json, with the kind named", said(run))
    run = sekisho("build", "a.jsonl")
    ok(run.returncode == 0 and f"{WORK}/cache/sekisho/advisories.db" in run.stdout, "build: writes to the usual place", said(run))
    run = sekisho("status", "--json")
    ok(json.loads(run.stdout)["database"] == f"{WORK}/cache/sekisho/advisories.db", "status: finds it there", said(run))
    os.unlink(f"{WORK}/cache/sekisho/advisories.db")


def test_directory_of_feeds():
    """Feeds as they are published, packed, in one directory: each is a feed; what is none is left out, and told."""
    os.makedirs(f"{WORK}/published")
    for name, number in (("a", 1), ("b", 2)):
        with gzip.open(f"{WORK}/published/osv-{name}.jsonl.gz", "wt") as file:
            file.write(record(number, package=name))
    write("published/README.md", "not a feed")
    write("published/techniques.tsv", "T1\tname\n")
    run = sekisho("build", "--out", "published.db", "published")
    ok(run.returncode == 0 and "2 advisories of 2 feeds" in run.stdout, "a directory of packed feeds is built", said(run))
    ok("left out published/techniques.tsv" in run.stderr, "what is no feed is named", said(run))
    names = [feed["name"] for feed in status("published.db")["feeds"]]
    ok(names == ["osv-a", "osv-b"], "and is not among the feeds", names)


def test_refusals():
    before = read(f"{WORK}/x.db")
    write("page.html", "<html></html>")
    write("empty.jsonl", record(1).replace("affected", "unaffected"))
    write("deep.json", b'{"id":' + b"[" * (100 << 20))
    cases = [
        (["build"], 2, "needs at least one INPUT"),
        (["build", "--out", "x.db", "none.json"], 3, "none.json: No such file"),
        (["build", "--out", "x.db", "nokind:a.jsonl"], 2, 'no kind of feed "nokind"'),
        (["build", "--out", "x.db", "page.html"], 3, "cannot tell what kind of feed"),
        (["build", "--out", "x.db", "a.jsonl", "kev:page.html"], 3, "not one usable record"),
        (["build", "--out", "x.db", "empty.jsonl"], 3, "not one usable record"),
        (["build", "--out", "x.db", "osv:deep.json"], 3, "longer than 8 MiB"),
        (["build", "--out", "none/x.db", "a.jsonl"], 3, "none/x.db"),
        (["build", "--verify", "a.jsonl"], 2, "no option --verify"),
        (["built"], 2, 'did you mean "db build"'),
        (["status", "--db", "page.html"], 3, "page.html"),
        (["status", "--db", "none.db"], 3, "none.db"),
        (["update", "--config", "none.conf"], 2, "none.conf"),
    ]
    for words, code, text in cases:
        run = sekisho(*words)
        ok(run.returncode == code and text in run.stderr, "refused: db " + " ".join(words), said(run))
    ok(before == read(f"{WORK}/x.db") and not [f for f in os.listdir(WORK) if ".db." in f],
       "what was refused changed nothing and left nothing", os.listdir(WORK))
    os.unlink(f"{WORK}/deep.json")
    damaged = bytearray(before)
    damaged[-100] ^= 1
    write("damaged.db", bytes(damaged))
    run = sekisho("status", "--db", "damaged.db", "--verify")
    ok(run.returncode == 3 and "damaged" in run.stderr, "status --verify: sees one bit", said(run))


def test_full_disk():
    what = "a full disk: a clear message, and nothing half written"
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        skip(what, "no mount namespaces here")
        return
    write("many.jsonl", records(20000))
    os.makedirs(f"{WORK}/small", exist_ok=True)
    script = f'''mount -t tmpfs -o size=256k tmpfs {WORK}/small && cp x.db small/x.db || exit 77
{SEKISHO} db build --out small/x.db many.jsonl; code=$?
ls small; cmp x.db small/x.db && exit $code'''
    run = subprocess.run(["unshare", "-m", "sh", "-c", script], cwd=WORK, env=environment, text=True, capture_output=True)
    if run.returncode == 77:
        skip(what, "cannot mount a tmpfs")
        return
    ok(run.returncode == 3 and "No space left on device" in run.stderr and run.stdout == "x.db\n", what, said(run))


@contextlib.contextmanager
def serving(**feeds):
    server = feed_server.Server()
    config = ""
    for name, feed in feeds.items():
        server.feeds[f"/{name}"] = feed
        config += f"{name} {'kev' if name == 'kev' else 'osv'} {server.url}/{name}\n"
    write("feeds.conf", "# a comment\n\n" + config)
    shutil.rmtree(f"{WORK}/u", ignore_errors=True)
    os.mkdir(f"{WORK}/u")
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()


def update(*words, **options):
    return sekisho("update", "--config", "feeds.conf", "--out", "u/x.db", *words, **options)


KEV = json.dumps({"catalogVersion": "1", "dateReleased": "2026-05-02T00:00:00Z",
                  "vulnerabilities": [{"cveID": "CVE-2024-1111", "dateAdded": "2026-05-01"}]}).encode()


def test_update():
    with serving(a=feed_server.Feed(records(100).encode()), kev=feed_server.Feed(KEV, etag=None)) as server:
        run = update()
        ok(run.returncode == 0 and "100 advisories of 2 feeds" in run.stdout, "update: the first one", said(run))
        ok(leftovers(f"{WORK}/u/feeds") == ["a.data", "a.meta", "kev.data", "kev.meta"], "update: keeps the downloads only",
           leftovers(f"{WORK}/u/feeds"))
        answer = status("u/x.db")
        ok([f["records"] for f in answer["feeds"]] == [100, 1] and answer["feeds"][0]["fetched"], "update: feeds in the database", answer)
        before = read(f"{WORK}/u/x.db")
        server.log.clear()
        run = update()
        ok(run.returncode == 0 and "nothing newer" in run.stdout and before == read(f"{WORK}/u/x.db"), "update: nothing newer", said(run))
        ok(server.log[0][1].get("if-none-match") == '"1"' and server.log[1][1].get("if-modified-since"), "update: asks conditionally", server.log)
        run = update("--json")
        answer = json.loads(run.stdout)
        ok([f["outcome"] for f in answer["feeds"]] == ["unchanged", "unchanged"], "update --json", said(run))
        server.feeds["/a"].content, server.feeds["/a"].etag = records(120).encode(), '"2"'
        run = update()
        ok(run.returncode == 0 and status("u/x.db")["advisories"] == 120, "update: a newer feed", said(run))


def test_failures():
    """Each row spoils feed a after a good update. Afterwards its last good download is still what counts."""
    def status_404(server, feed): feed.status = 404
    def status_500(server, feed): feed.status = 500
    def garbage(server, feed): feed.content, feed.etag = b"<html>we are down</html>\n" * 50, '"g"'
    def empty(server, feed): feed.content, feed.etag = b"", '"e"'
    def truncated_json(server, feed): feed.content, feed.etag = records(100)[:150].encode(), '"t"'
    def shrunken(server, feed): feed.content, feed.etag = records(20).encode(), '"s"'
    def stalls(server, feed): feed.content, feed.etag, feed.cut, feed.cuts, feed.stall = records(150).encode(), '"x"', 100, 99, True
    def cut_always(server, feed): feed.content, feed.etag, feed.modified, feed.cut, feed.cuts = records(150).encode(), None, None, 100, 99
    def too_large(server, feed):
        feed.content, feed.etag = b" " * (2 << 20), '"l"'
        write("feeds.conf", read(f"{WORK}/feeds.conf").decode().replace("/a\n", "/a max-mib=1\n"))
    def gone(server, feed): write("feeds.conf", read(f"{WORK}/feeds.conf").decode().replace(server.url + "/a", "http://127.0.0.1:1/a"))
    def not_loopback(server, feed): write("feeds.conf", read(f"{WORK}/feeds.conf").decode().replace(server.url + "/a", "http://192.0.2.1/a"))

    rows = [(status_404, "status 404"), (status_500, "status 500"), (garbage, "not one usable record"), (empty, "a: "),
            (truncated_json, "not one usable record"), (shrunken, "only 20 records, before it had 100"), (stalls, "broke off"),
            (cut_always, "broke off"), (too_large, "1048576 bytes"), (gone, "could not connect"), (not_loopback, "refused")]
    for spoil, text in rows:
        with serving(a=feed_server.Feed(records(100).encode()), kev=feed_server.Feed(KEV)) as server:
            update()
            spoil(server, server.feeds["/a"])
            server.feeds["/kev"].content = KEV.replace(b"CVE-2024-1111", b"CVE-2024-2222")
            server.feeds["/kev"].etag = '"2"'
            run = update()
            answer = status("u/x.db")
            ok(run.returncode == 3 and text in run.stderr and "kept its last good download" in run.stderr
               and answer["advisories"] == 100 and answer["feeds"][1]["records"] == 1,
               f"update: {spoil.__name__}: told, kept, and the other feed is new", said(run) + str(answer))
            ok(not leftovers(f"{WORK}/u", "feeds", "x.db"), f"update: {spoil.__name__}: nothing left beside the database",
               leftovers(f"{WORK}/u"))
    with serving(a=feed_server.Feed(records(100).encode())) as server:
        update()
        shrunken(server, server.feeds["/a"])
        run = update("--force")
        ok(run.returncode == 0 and status("u/x.db")["advisories"] == 20, "update --force: takes a shrunken feed", said(run))
    with serving(a=feed_server.Feed(b"")) as server:
        server.feeds["/a"].status = 404
        run = update()
        ok(run.returncode == 3 and not os.path.exists(f"{WORK}/u/x.db") and "no earlier download" in run.stderr,
           "update: a first one that fails makes no database", said(run))


def test_resume():
    content = records(1000).encode()
    with serving(a=feed_server.Feed(content)) as server:
        server.feeds["/a"].cut, server.feeds["/a"].cuts = 5000, 3
        run = update()
        ranges = [headers.get("range") for _, headers in server.log]
        ok(run.returncode == 0 and read(f"{WORK}/u/feeds/a.data") == content and ranges == [None, "bytes=5000-", "bytes=10000-", "bytes=15000-"],
           "resume: goes on where it broke off", said(run) + str(ranges))
    with serving(a=feed_server.Feed(content)) as server:
        server.feeds["/a"].cut, server.feeds["/a"].cuts = 5000, 4
        run = update()
        ok(run.returncode == 3 and os.path.getsize(f"{WORK}/u/feeds/a.part") == 20000, "resume: the part is kept for the next run", said(run))
        server.log.clear()
        run = update()
        ok(run.returncode == 0 and server.log[0][1].get("range") == "bytes=20000-" and read(f"{WORK}/u/feeds/a.data") == content,
           "resume: the next run goes on with it", said(run) + str(server.log))
    for what, etag, ranges in (("the file has changed meanwhile", '"2"', True), ("the server knows no ranges", '"1"', False)):
        with serving(a=feed_server.Feed(content)) as server:
            feed = server.feeds["/a"]
            feed.cut, feed.cuts = 5000, 4
            update()
            feed.content, feed.etag, feed.modified, feed.ranges = records(1000, package="q").encode(), etag, None, ranges
            run = update()
            ok(run.returncode == 0 and read(f"{WORK}/u/feeds/a.data") == feed.content, f"resume: {what}: all of it anew", said(run))


def test_interrupt():
    with serving(a=feed_server.Feed(records(100).encode())) as server:
        update()
        before = read(f"{WORK}/u/x.db")
        feed = server.feeds["/a"]
        feed.content, feed.etag, feed.cut, feed.cuts, feed.stall = records(200).encode(), '"2"', 1000, 1, True
        child = subprocess.Popen([SEKISHO, "db", "update", "--config", "feeds.conf", "--out", "u/x.db"], cwd=WORK, text=True,
                                 env=dict(environment, SEKISHO_HTTP_STALL_SECONDS="60"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        server.stalled.wait(60)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        ok(child.returncode == 3 and "interrupted" in err and before == read(f"{WORK}/u/x.db") and not leftovers(f"{WORK}/u", "feeds", "x.db"),
           "Ctrl-C: ends at once, and the old database stays", out + err)
    with serving(a=feed_server.Feed(records(100).encode())):
        os.makedirs(f"{WORK}/u/feeds")
        held = os.open(f"{WORK}/u/feeds", os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        run = update()
        os.close(held)
        ok(run.returncode == 3 and "another update" in run.stderr, "two updates at once: the second one is refused", said(run))
    with serving(a=feed_server.Feed(records(100).encode())):
        write("u/x.db", b"\0" * 5000)
        run = update()
        ok(run.returncode == 0 and status("u/x.db")["advisories"] == 100, "update: replaces a database that cannot be read", said(run))


def test_config():
    rows = [("a osv", "line 2: a feed is NAME KIND URL"), ("../a osv https://h/x", "is not a name"), ("a what https://h/x", "no kind of feed"),
            ("a osv ftp://h/x", "is not an https URL"), ("a osv https://u:p@h/x", "is not an https URL"),
            ("a osv https://h/x fast", "neither max-mib=N"), ("a osv https://h/x max-mib=0", "neither max-mib=N"),
            ("a osv https://h/x\na osv https://h/y", "line 3: the name a occurs twice")]
    for text, message in rows:
        write("bad.conf", "# list\n" + text + "\n")
        run = sekisho("update", "--config", "bad.conf", "--out", "u/x.db")
        ok(run.returncode == 2 and message in run.stderr, f"list of feeds: {text!r}", said(run))
    run = sekisho("feeds")
    write("default.conf", run.stdout)
    again = sekisho("feeds", "--config", "default.conf")
    ok(run.returncode == 0 and run.stdout == again.stdout and "https://" in run.stdout, "feeds: prints what --config takes", said(again))
    write("config/sekisho/feeds.conf", "mine kev https://h/x plain-http\n")
    run = sekisho("feeds")
    ok("mine" in run.stdout and "plain-http" in run.stdout, "feeds: the user's own list", said(run))


try:
    test_build()
    test_directory_of_feeds()
    test_refusals()
    test_full_disk()
    test_update()
    test_failures()
    test_resume()
    test_interrupt()
    test_config()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
print(f"1..{len(lines)}")
print("\n".join(lines))
sys.exit(1 if failed else 0)
