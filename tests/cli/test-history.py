#!/usr/bin/env python3
"""`sekisho scan repo:DIR --history` against repositories that git itself made, packed in every way, and hostile ones."""
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from taplib import Tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEKISHO = os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))
WORK = tempfile.mkdtemp(prefix="sekisho-history-")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
environment = dict(os.environ, HOME=WORK, GIT_CONFIG_NOSYSTEM="1", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@x",
                   GIT_COMMITTER_NAME="c", GIT_COMMITTER_EMAIL="c@x", SEKISHO_TODAY="2026-06-01", SEKISHO_DB="embedded")
tap = Tap(environment)
rng = random.Random(11)


def token():
    """A GitHub token with a right checksum; made here, so that none stands in this file."""
    body = "".join(rng.choice(DIGITS) for _ in range(30))
    n, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        check, n = DIGITS[n % 62] + check, n // 62
    return "gh" + "p_" + body + check


clock = 1700000000


def git(directory, *args, data=None):
    global clock
    clock += 60
    when = "%d +0000" % clock
    p = subprocess.run(["git", "-C", directory, *args], input=data, capture_output=True, timeout=60,
                       env=dict(environment, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when))
    assert p.returncode == 0, (args, p.stderr)
    return p.stdout.decode().strip()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def scan(directory, *more):
    p = subprocess.run([SEKISHO, "scan", "repo:" + directory, *more, "-o", "json"], capture_output=True, timeout=120, env=environment)
    try:
        report = json.loads(p.stdout)
    except ValueError:
        return p.returncode, None, p.stdout + p.stderr
    return p.returncode, report, p.stdout


def history(report):
    found = {}
    for f in report["findings"]:
        s = f["secret"]
        if s and s["presence"]:
            found[s["fingerprint"]] = (s["path"], s["commit"], s["presence"], s["committed"], f["rule"])
    return found


def places(report):
    return sorted((p, c[:40] if c else c, presence) for p, c, presence, _, _ in history(report).values())


def unread(report):
    return ["%s: %s: %s" % (u["path"], u["code"], u["detail"]) for u in report["coverage"]["unread"]]


# --- one repository, and what must be said of it ---

def make(name, *options):
    d = os.path.join(WORK, name)
    git(WORK, "init", "-q", "-b", "main", *options, d)
    expected = []
    secrets = [token() for _ in range(6)]
    write(d + "/app/main.py", "".join("line %d\n" % i for i in range(300)))
    git(d, "add", ".")
    git(d, "commit", "-qm", "first")
    write(d + "/app/.env", "TOKEN=%s\n" % secrets[0])
    git(d, "add", ".")
    git(d, "commit", "-qm", "oops")
    expected.append(("app/.env", git(d, "rev-parse", "HEAD"), "history"))
    os.unlink(d + "/app/.env")
    text = open(d + "/app/main.py").read()
    write(d + "/app/main.py", text + "KEY = '%s'\n" % secrets[1])
    git(d, "add", "-A")
    git(d, "commit", "-qm", "gone")
    expected.append(("app/main.py", git(d, "rev-parse", "HEAD"), "head"))
    git(d, "checkout", "-qb", "side")
    write(d + "/deep/er/x.cfg", "t: %s\n" % secrets[2])
    git(d, "add", "-A")
    git(d, "commit", "-qm", "on a branch")
    expected.append(("deep/er/x.cfg", git(d, "rev-parse", "HEAD"), "history"))
    git(d, "checkout", "-q", "main")
    git(d, "checkout", "-qb", "lost")
    write(d + "/lost.txt", secrets[3] + "\n")
    git(d, "add", "-A")
    git(d, "commit", "-qm", "lost")
    expected.append(("lost.txt", git(d, "rev-parse", "HEAD"), "unreachable"))
    git(d, "checkout", "-q", "main")
    git(d, "branch", "-qD", "lost")
    blob = git(d, "hash-object", "-w", "--stdin", data=(secrets[4] + "\n").encode())
    expected.append(("(object %s)" % blob, None, "unreachable"))
    git(d, "tag", "-am", "one", "v1")
    return d, sorted((p, c[:40] if c else None, x) for p, c, x in expected), secrets


d, expected, secrets = make("loose")
code, report, raw = scan(d, "--history")
tap.ok(report and places(report) == expected, "loose objects: commit, path, and whether it is still there",
       "%s\n%s" % (report and places(report), expected))
tap.ok(code == 1, "it is denied", code)
tap.ok(not any(s.encode() in raw for s in secrets), "no secret is printed")
dates = {p: t for p, _, _, t, _ in history(report).values()}
tap.ok(all(t and t.startswith("2023-11-1") for p, t in dates.items() if not p.startswith("(")), "with the author's date", dates)
code, plain, _ = scan(d)
tap.ok(plain and not history(plain), "without --history only the work tree")
tap.ok(plain and any(f["secret"] and f["secret"]["path"] == "app/main.py" for f in plain["findings"]), "the work tree is scanned")


def variant(what, *steps):
    copy = os.path.join(WORK, "variant")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(d, copy, symlinks=True)
    for step in steps:
        step(copy)
    _, r, out = scan(copy, "--history")
    tap.ok(r and places(r) == expected, what, "%s\n%s\n%s" % (r and places(r), expected, r and unread(r)))
    return copy


variant("packed with gc, unreachable objects kept loose", lambda c: git(c, "gc", "-q", "--prune=never"))
def pack_everything(c):
    """What no reference reaches too: git repack leaves a lone blob out."""
    names = [x.split()[0] for x in git(c, "cat-file", "--batch-all-objects", "--batch-check").splitlines()]
    git(c, "pack-objects", "-q", c + "/.git/objects/pack/pack", data="\n".join(names).encode())
    git(c, "prune-packed", "-q")


copy = variant("all in one pack, unreachable ones too", pack_everything)
tap.ok(git(copy, "count-objects") == "0 objects, 0 kilobytes", "(nothing is loose there)", git(copy, "count-objects", "-v"))
variant("a pack without its index", lambda c: git(c, "repack", "-adkq"),
        lambda c: [os.unlink(c + "/.git/objects/pack/" + x) for x in os.listdir(c + "/.git/objects/pack") if not x.endswith(".pack")])
variant("deltas by name, in several packs", lambda c: git(c, "-c", "repack.useDeltaBaseOffset=false", "-c", "pack.window=50", "repack", "-dq"),
        lambda c: git(c, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adkq", "--depth=50", "--window=200"))
variant("references packed", lambda c: git(c, "pack-refs", "--all"))
variant("a multi-pack index", lambda c: git(c, "repack", "-dq"), lambda c: git(c, "multi-pack-index", "write"))
variant("uncompressed objects", lambda c: git(c, "-c", "core.compression=0", "repack", "-adkqF"))
bare = os.path.join(WORK, "bare.git")
git(WORK, "clone", "-q", "--no-local", "--bare", d, bare)
_, r, _ = scan(bare, "--history")
tap.ok(r and places(r) == [x for x in expected if x[2] != "unreachable"], "a bare clone has what branches and tags reach", r and places(r))

d256, expected256, _ = make("sha256", "--object-format=sha256")
_, r, _ = scan(d256, "--history")
tap.ok(r and places(r) == expected256, "a repository with SHA-256", "%s\n%s\n%s" % (r and places(r), expected256, r and unread(r)))
git(d256, "repack", "-adkq")
_, r, _ = scan(d256, "--history")
tap.ok(r and places(r) == expected256, "the same, packed", r and unread(r))

# --- many versions of one file: long chains of deltas; the oracle is git ---
chain = os.path.join(WORK, "chain")
git(WORK, "init", "-q", "-b", "main", chain)
lines = ["row %d %s\n" % (i, "".join(rng.choice(DIGITS) for _ in range(40))) for i in range(400)]
wanted = []
for i in range(60):
    lines[rng.randrange(len(lines))] = "row changed %d\n" % i
    extra = ""
    if i % 10 == 5:
        t = token()
        extra = "t = %s\n" % t
    write(chain + "/data.txt", "".join(lines) + extra)
    git(chain, "add", "-A")
    git(chain, "commit", "-qm", str(i))
    if extra:
        wanted.append(("data.txt", git(chain, "rev-parse", "HEAD"), "history"))
git(chain, "repack", "-adfq", "--depth=4000", "--window=100")
_, r, _ = scan(chain, "--history")
tap.ok(r and places(r) == sorted(wanted), "long chains of deltas", r and (places(r), unread(r)))

# --- hostile repositories: said, never a crash ---

def hostile(what, change, words, code_wanted=None):
    copy = os.path.join(WORK, "hostile")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(d, copy, symlinks=True)
    change(copy)
    c, r, out = scan(copy, "--history")
    said = r and [u for u in unread(r) if words in u]
    tap.ok(r is not None and said, what, "%s\n%s" % (c, r and unread(r) or out[-2000:]))
    return r


def loose(c, kind, content, name=None):
    data = b"%s %d\0" % (kind, len(content)) + content
    name = name or hashlib.sha1(data).hexdigest()
    path = "%s/.git/objects/%s/%s" % (c, name[:2], name[2:])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(zlib.compress(data))
    return name


def commit(c, tree, message="x", parents=()):
    text = "tree %s\n%sauthor a <a@x> 1700000000 +0000\ncommitter a <a@x> 1700000000 +0000\n\n%s\n" % (
        tree, "".join("parent %s\n" % p for p in parents), message)
    return loose(c, b"commit", text.encode())


def tree(c, *entries):
    return loose(c, b"tree", b"".join(b"%s %s\0" % (mode, name) + bytes.fromhex(i) for mode, name, i in entries))


def pack_of(*objects):
    body = b"PACK" + struct.pack(">II", 2, len(objects)) + b"".join(objects)
    return body + hashlib.sha1(body).digest()


def packed(kind, size, data, middle=b""):
    head = [kind << 4 | size & 15]
    size >>= 4
    while size:
        head[-1] |= 128
        head.append(size & 127)
        size >>= 7
    return bytes(head) + middle + zlib.compress(data)


def add_pack(c, data):
    path = c + "/.git/objects/pack"
    os.makedirs(path, exist_ok=True)
    with open(path + "/pack-bad.pack", "wb") as f:
        f.write(data)


def damage_pack(c):
    git(c, "repack", "-adkq")
    for x in os.listdir(c + "/.git/objects/pack"):
        if x.endswith(".pack"):
            p = c + "/.git/objects/pack/" + x
            data = bytearray(open(p, "rb").read())
            data[len(data) // 2] ^= 0x55
            os.chmod(p, 0o644)
            open(p, "wb").write(data)


def raw_object(c, stored):
    os.makedirs(c + "/.git/objects/ab", exist_ok=True)
    with open(c + "/.git/objects/ab/" + "cd" * 19, "wb") as f:
        f.write(stored)


def deep_trees(c):
    t = tree(c, (b"100644", b"f", loose(c, b"blob", b"x")))
    for _ in range(700):
        t = tree(c, (b"40000", b"d", t))
    commit(c, t)


hostile("a damaged pack", damage_pack, "corrupt")
hostile("a loose object under another's name", lambda c: loose(c, b"blob", b"hello", "ab" * 20), "its name says")
hostile("a loose object that lies about its size", lambda c: raw_object(c, zlib.compress(b"blob 99\0x")), "cannot be inflated")
hostile("a loose object that is no zlib stream", lambda c: raw_object(c, b"hello"), "cannot be inflated")
hostile("names that lead out of the tree",
        lambda c: commit(c, tree(c, (b"100644", b"..", loose(c, b"blob", b"x")), (b"100644", b".git", loose(c, b"blob", b"y")))), "lead out")
hostile("a tree deeper than is walked", deep_trees, "not what git writes")
hostile("a tree that is cut off", lambda c: commit(c, loose(c, b"tree", b"100644 abc\0short")), "not what git writes")
hostile("objects that are missing", lambda c: commit(c, "12" * 20), "are not here")
hostile("a submodule", lambda c: commit(c, tree(c, (b"160000", b"sub", "34" * 20))), "not followed")
hostile("alternates", lambda c: write(c + "/.git/objects/info/alternates", "/\n"), "other repositories")
hostile("a pack of another version", lambda c: add_pack(c, b"PACK" + struct.pack(">II", 9, 1) + b"\0" * 40), "version 9")
hostile("a pack that promises four thousand million objects", lambda c: add_pack(c, b"PACK" + struct.pack(">II", 2, 0xffffffff) + b"\0" * 40),
        "cannot be inflated")
hostile("an object that says it is 1 EiB", lambda c: add_pack(c, pack_of(packed(3, 1 << 60, b"x"))), "cannot be inflated")
hostile("a zlib bomb", lambda c: add_pack(c, pack_of(packed(3, 10, b"\0" * (64 << 20)))), "cannot be inflated")
hostile("a delta on itself, by name", lambda c: add_pack(c, pack_of(packed(7, 4, b"\1\1\1x", b"\x12" * 20))), "are not here")
hostile("a delta that reads past its base",
        lambda c: add_pack(c, pack_of(packed(3, 2, b"hi"), packed(6, 5, b"\2\4\x90\x04\0"[:5], bytes([len(packed(3, 2, b"hi"))])))), "not what git writes")
hostile("a pack that is a symbolic link", lambda c: os.makedirs(c + "/.git/objects/pack", exist_ok=True) or
        os.symlink("/dev/zero", c + "/.git/objects/pack/pack-x.pack"), "not read")
loop = hostile("a commit that is its own parent cannot be made; a parent that is missing can",
               lambda c: commit(c, tree(c), "y", ["56" * 20]) and commit(c, "78" * 20), "are not here")

tap.expect("a directory without .git is refused", [SEKISHO, "scan", "repo:" + WORK], 3, ["is no git repository"])
gitfile = os.path.join(WORK, "gitfile")
write(gitfile + "/.git", "gitdir: /etc\n")
tap.expect("a .git file is not followed", [SEKISHO, "scan", "repo:" + gitfile], 3, ["names another directory"])
code, r, out = scan(d, "--history", "--secret-rules", "/nonexistent")
tap.ok(code == 2, "a missing file of rules is a usage error", out)
shutil.rmtree(WORK)
sys.exit(tap.end())
