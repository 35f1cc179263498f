#!/usr/bin/env python3
"""Secrets in images, directories and containers' environments, from the file to every format of the report."""
import base64
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from taplib import Tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEKISHO = os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))
WORK = tempfile.mkdtemp(prefix="sekisho-secrets-")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
environment = dict(os.environ, HOME=WORK, SEKISHO_TODAY="2026-06-01", SEKISHO_DB="embedded")
tap = Tap(environment)
rng = random.Random(3)


def letters(n):
    return "".join(rng.choice(DIGITS) for _ in range(n))


def token(prefix="gh" + "p_"):
    body = letters(30)
    n, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        check, n = DIGITS[n % 62] + check, n // 62
    return prefix + body + check


def key(*options):
    return subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", *options], capture_output=True, check=True).stdout.decode()


def tar_of(files):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as t:
        for name, content in files:
            mode = 0o644
            if isinstance(content, tuple):
                content, mode = content
            if isinstance(content, str):
                content = content.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            t.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def image(path, layers, config=None, steps=()):
    blobs = [tar_of(x) for x in layers]
    document = {"architecture": "amd64", "os": "linux", "config": config or {},
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(x).hexdigest() for x in blobs]},
                "history": list(steps)}
    members = [("layer%d/layer.tar" % i, b) for i, b in enumerate(blobs)]
    members += [("config.json", json.dumps(document)),
                ("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": ["shop:1"],
                                               "Layers": [name for name, _ in members]}]))]
    with open(path, "wb") as f:
        f.write(tar_of(members))
    return path


def scan(*arguments):
    p = subprocess.run([SEKISHO, "scan", *arguments, "-o", "json"], capture_output=True, timeout=120, env=environment)
    try:
        return p.returncode, json.loads(p.stdout), p.stdout + p.stderr
    except ValueError:
        return p.returncode, None, p.stdout + p.stderr


def secrets(report):
    return [f for f in report["findings"] if f["kind"] == "secret"]


def one(report, rule, path=None):
    found = [f for f in secrets(report) if f["id"] == rule and (path is None or f["secret"]["path"] == path)]
    return found[0] if len(found) == 1 else None


# --- an image with secrets in its layers, its configuration and its history ---

values = {name: token() for name in ("file", "env", "test", "deep")}
values["npm"] = token("npm_")
values["password"] = letters(14)
values["broken"] = values["file"][:-1] + ("x" if values["file"][-1] != "x" else "y")
values["label"] = letters(16)
pem, locked = key(), key("-aes256", "-pass", "pass:12345678")
with open(os.path.join(WORK, "open.key"), "w") as f:
    f.write(pem)
certificate = subprocess.run(["openssl", "req", "-x509", "-new", "-key", f.name, "-subj", "/CN=shop.corp", "-days", "30"],
                             capture_output=True, check=True).stdout.decode()
path = image(os.path.join(WORK, "shop.tar"), [
    [("etc/os-release", "ID=debian\nVERSION_ID=12\n"), ("app/main.py", "print(1)\n")],
    [("app/.env", "A=1\n\nTOKEN=%s\n" % values["file"]), ("etc/tls/open.key", pem), ("etc/tls/own.key", (pem, 0o600)),
     ("etc/tls/zz.crt", certificate), ("etc/tls/locked.key", (locked, 0o600)), ("app/tests/data.txt", "-----\n" + values["test"] + "\n" + key()),
     ("app/typo.txt", values["broken"] + "\n"), ("root/.docker/config.json",
      (json.dumps({"auths": {"registry.corp": {"auth": base64.b64encode(("ci:" + values["password"]).encode()).decode()}}}), 0o600)),
     ("app/wide.txt", ("x = " + values["deep"] + " ;\n").encode("utf-16"))],
    [("app/.wh..env", "")],
], {"Env": ["PATH=/bin", "DB_PASSWORD=" + values["password"], "GH=" + values["env"]],
    "Labels": {"url": "postgres://app:%s@db.corp/shop" % values["label"]}},
    [{"created_by": "ADD base"}, {"created_by": "ARG NPM_TOKEN", "empty_layer": True},
     {"created_by": "RUN |1 NPM_TOKEN=%s /bin/sh -c npm ci" % values["npm"]}, {"created_by": "RUN rm /app/.env"}])
code, report, raw = scan(path)
tap.ok(code == 1 and report, "an image with secrets is denied", raw[-500:])
f = one(report, "github-pat", "app/.env")
tap.ok(f and f["proof"]["layer"]["number"] == 2 and f["secret"]["deleted_by"]["number"] == 3 and f["secret"]["line"] == 3 and
       f["secret"]["column"] == 7 and f["secret"]["validity"] == "valid" and f["secret"]["confidence"] == "high",
       "a token in a deleted file: layer, line, who deleted it", json.dumps(f))
f = one(report, "private-key", "etc/tls/open.key")
tap.ok(f and "usable without a passphrase" in f["secret"]["detail"] and "readable by every user" in f["secret"]["detail"],
       "a key that everybody can read", f and f["secret"]["detail"])
tap.ok(f and "its certificate is /etc/tls/zz.crt (shop.corp)" in f["secret"]["detail"], "and whose certificate is there", f and f["secret"]["detail"])
f = one(report, "private-key", "etc/tls/own.key")
tap.ok(f and "every user" not in f["secret"]["detail"], "a key of its owner alone", f and f["secret"]["detail"])
f = one(report, "private-key-encrypted")
tap.ok(f and f["severity"] == "medium" and f["secret"]["confidence"] == "medium", "a key with a passphrase is less severe", f)
f = one(report, "github-pat", "app/tests/data.txt")
tap.ok(f and f["secret"]["confidence"] == "high", "a token with a right checksum counts in tests too", f)
f = one(report, "private-key", "app/tests/data.txt")
tap.ok(f and f["secret"]["confidence"] == "medium", "a key in tests counts less", f)
f = one(report, "github-pat", "app/typo.txt")
tap.ok(f and f["secret"]["validity"] == "failed" and f["secret"]["confidence"] == "low" and not f["rule"], "a wrong checksum is only listed", f)
f = one(report, "github-pat", "app/wide.txt")
tap.ok(f and f["secret"]["offset"] == 2 + 8, "UTF-16", f)
tap.ok(one(report, "docker-registry-auth"), "the login of a registry")
f = one(report, "github-pat", "(config) Env")
tap.ok(f and f["secret"]["line"] == 3, "a token in the configuration", f)
f = one(report, "generic-variable", "(config) Env")
tap.ok(f and f["secret"]["confidence"] == "medium", "a password in the configuration", f)
tap.ok(one(report, "postgres-url", "(config) Labels"), "a password in a label")
f = one(report, "npm-token", "(history)")
tap.ok(f and f["proof"]["layer"]["number"] == 2, "a token given as an argument of the build, with its layer", f)
tap.ok(all(len(f["secret"]["fingerprint"]) in (4, 32) for f in secrets(report)), "fingerprints")
tap.ok(f["secret"]["tags"] == ["NIST-800-190:4.1.4", "T1552.001"], "tags")
_, again, raw2 = scan(path)
tap.ok(raw == raw2, "the same bytes twice")

# --- nothing of a secret gets out, in no format ---
hidden = [v for k, v in values.items()] + [pem.split("\n")[1], base64.b64encode(("ci:" + values["password"]).encode()).decode()]
for form in ("table", "json", "sarif", "cyclonedx", "html"):
    ledger = os.path.join(WORK, "ledger")
    p = subprocess.run([SEKISHO, "scan", path, "-v", "-o", form, "--ledger", ledger], capture_output=True, env=environment, timeout=120)
    text = (p.stdout + p.stderr + open(ledger, "rb").read()).decode(errors="replace")
    tap.ok(text and not [v for v in hidden if v in text], "no secret is in " + form, [v for v in hidden if v in text])
    if form != "cyclonedx":
        tap.ok("GitHub personal access token" in text, "but what it is, is in " + form)
code, text = tap.run(SEKISHO, "explain", "secret", path)
tap.ok(code == 0 and "deleted" in text and "checksum or form is right" in text and not [v for v in hidden if v in text], "explain", text)

# --- users' rules ---
rules = os.path.join(WORK, "rules.toml")
with open(rules, "w") as f:
    f.write("[extend]\nuseDefault = true\ndisabledRules = ['github-pat']\n[[rules]]\nid = 'corp'\ndescription = 'Token of ours'\n"
            "regex = '''A=([0-9])'''\nkeywords = ['a=']\n")
code, other, raw = scan(path, "--secret-rules", rules)
tap.ok(other and one(other, "corp", "app/.env") and not one(other, "github-pat", "app/.env"), "a user's rules", raw[-300:])
with open(rules, "w") as f:
    f.write("[[rules]]\nid = 'x'\nregex = '''(['''\n[[rules]]\nregexp = 'y'\n")
tap.expect("what is wrong with them is said, all of it", [SEKISHO, "scan", path, "--secret-rules", rules], 2,
           ["line 3: rule x: the pattern cannot be used", "line 5: unknown key regexp", "line 4: a rule needs an id"])

# --- a directory, and files that are large or odd ---
d = os.path.join(WORK, "dir")
os.makedirs(d + "/srv")
big = token()
with open(d + "/srv/dump.sql", "w") as f:
    for i in range(60000):
        f.write("INSERT INTO t VALUES (%d, 'some text of a row that is long enough');\n" % i)
    f.write("-- %s\n" % big)
with open(d + "/srv/one-line.js", "w") as f:
    f.write("x" * 3000000 + "\"" + token() + "\"" + "y" * 3000000)
with open(d + "/srv/binary", "wb") as f:
    f.write(os.urandom(1 << 20) + b"\0" + token().encode() + b"\0" + os.urandom(1 << 20))
with open(d + "/srv/many", "w") as f:
    for i in range(500):
        f.write(token() + "\n")
code, report, raw = scan("dir:" + d)
f = one(report, "github-pat", "srv/dump.sql")
tap.ok(f and f["secret"]["line"] == 60001 and f["secret"]["column"] == 4, "the line in a file of several windows", f)
tap.ok(one(report, "github-pat", "srv/one-line.js"), "in a line of six million characters")
f = one(report, "github-pat", "srv/binary")
tap.ok(f and f["secret"]["line"] == 0 and f["secret"]["offset"] == (1 << 20) + 1, "in a binary, by its offset", f)
n = len([f for f in secrets(report) if f["secret"]["path"] == "srv/many"])
said = [u["detail"] for u in report["coverage"]["unread"] if u["path"] == "srv/many"]
tap.ok(n == 200 and said and "500 secrets" in said[0], "500 in one file: the first 200, and that there are more", (n, said))

# --- a package's own file: it says so ---
shipped = "key\n" + pem
root = [("etc/os-release", "ID=debian\nVERSION_ID=12\n"), ("etc/debian_version", "12.0\n"), ("usr/lib/x/k.pem", shipped),
        ("var/lib/dpkg/status", "Package: xlib\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nMaintainer: a\nDescription: b\n\n"),
        ("var/lib/dpkg/info/xlib.list", "/.\n/usr/lib/x/k.pem\n"),
        ("var/lib/dpkg/info/xlib.md5sums", hashlib.md5(shipped.encode()).hexdigest() + "  usr/lib/x/k.pem\n")]
code, report, raw = scan(image(os.path.join(WORK, "deb.tar"), [root]))
f = one(report, "private-key", "usr/lib/x/k.pem")
tap.ok(f and f["secret"]["confidence"] == "medium" and "as package xlib ships it" in f["secret"]["detail"], "a file that its package ships", f)

# --- keys of every kind find their certificates ---
kinds = {"rsa": ["RSA"], "pss": ["RSA-PSS"], "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ed25519": ["ED25519"],
         "ed448": ["ED448"], "p521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]}
pairs, cut = [], []
for kind, how in kinds.items():
    name = os.path.join(WORK, kind + ".key")
    subprocess.run(["openssl", "genpkey", "-out", name, "-algorithm", *how], capture_output=True, check=True)
    made = subprocess.run(["openssl", "req", "-x509", "-new", "-key", name, "-subj", "/O=x/CN=%s.corp" % kind, "-days", "30"],
                          capture_output=True, check=True).stdout.decode()
    pairs += [("etc/tls/%s.key" % kind, open(name).read()), ("etc/tls/%s.crt" % kind, made)]
    der = base64.b64decode("".join(made.splitlines()[1:-1]))
    cut += ["-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % base64.b64encode(der[:n]).decode() for n in range(1, len(der), 7)]
code, report, raw = scan(image(os.path.join(WORK, "kinds.tar"), [pairs]))
for kind in kinds:
    f = one(report, "private-key", "etc/tls/%s.key" % kind)
    tap.ok(f and "its certificate is /etc/tls/%s.crt (%s.corp)" % (kind, kind) in f["secret"]["detail"], "a certificate of %s" % kind, f)
code, report, raw = scan(image(os.path.join(WORK, "cut.tar"), [pairs[:1] + [("etc/tls/%d.crt" % i, c) for i, c in enumerate(cut)]]))
tap.ok(report and one(report, "private-key", "etc/tls/rsa.key") and not report["coverage"]["unread"], "certificates that are cut off do no harm", raw[-500:])

shutil.rmtree(WORK)
sys.exit(tap.end())
