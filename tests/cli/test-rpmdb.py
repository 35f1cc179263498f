#!/usr/bin/env python3
"""The readers of rpm's databases against what rpm says of them: fixtures of $SEKISHO_SHARED, and databases made here."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(ROOT, "build"))
TOOL = os.path.join(BUILD, "tests", "analyze-file")
FIXTURES = os.path.join(os.environ.get("SEKISHO_SHARED", os.path.join(ROOT, "..", "shared")), "fixtures", "rpmdb")
results = []


def say(ok, name, detail=""):
    results.append(bool(ok))
    print(f"{'ok' if ok else 'not ok'} {len(results)} - {name}")
    if not ok:
        for line in detail.splitlines()[:20]:
            print(f"# {line}")


def skip(name, reason):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {reason}")


def facts(path, *options, as_path="var/lib/rpm/Packages"):
    done = subprocess.run([TOOL, as_path, path, *options], capture_output=True, text=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {kind: [row[1:] for row in rows if row[0] == kind] for kind in ("package", "owned", "unread")}, done


def rpm(path, name, query):
    """rpm's answer about a copy of the database, for it may write beside the file."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(path, os.path.join(directory, name))
        os.chmod(os.path.join(directory, name), 0o644)
        backend = "bdb_ro" if name == "Packages" else "sqlite"
        done = subprocess.run(["rpm", "--dbpath", directory, "--define", f"_db_backend {backend}", "-qa", "--qf", query],
                              capture_output=True, text=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


PACKAGES = (r"%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t%|VENDOR?{%{VENDOR}}|\t%{LICENSE}\n")
FILES = r"[%{=NAME}\t%{FILENAMES}\t%{FILEMODES}\t%{FILEFLAGS}\t%{FILEDIGESTS}\n]"


def normal(version):
    return version[2:] if version.startswith("0:") else version


def compare_with_rpm(title, path, name):
    ours, done = facts(path)
    theirs = [row for row in rpm(path, name, PACKAGES) if row[0] != "gpg-pubkey"]
    wanted = sorted((r[0], normal(r[1]), r[2], r[3].rsplit("-", 2)[0], r[4], r[5]) for r in theirs)
    got = sorted((p[0], p[1], p[2], p[3], p[5], p[7]) for p in ours["package"])
    say(theirs and wanted == got and not ours["unread"], f"{title}: the {len(theirs)} packages that rpm lists",
        f"{len(got)} packages\n{set(wanted) ^ set(got)}\n{ours['unread']}\n{done.stderr}")
    sources = {r[3] for r in theirs if r[3] != "(none)"}
    got = {f"{p[3]}-{p[4].split(':')[-1]}.src.rpm" for p in ours["package"]}
    say(sources <= got, f"{title}: their sources", f"{sources ^ got}")
    wanted = set()
    for package, file, mode, flags, digest in rpm(path, name, FILES):
        if int(mode) & 0o170000 == 0o040000:
            continue
        flags = int(flags)
        wanted.add((package, file.lstrip("/"), "config" if flags & 1 else "", "" if flags & 64 else digest))
    got = {(o[0], o[1], o[2], o[4]) for o in ours["owned"]}
    say(wanted and wanted == got, f"{title}: the {len(wanted)} files that rpm lists, with their digests",
        f"{len(got)} files\n" + "\n".join(map(str, sorted(wanted ^ got)[:10])))


def test_fixtures():
    kinds = [("Berkeley DB", "bdb-libuuid", "Packages"), ("SQLite", "sqlite-mariner2", "rpmdb.sqlite")]
    for title, directory, name in kinds:
        path = os.path.join(FIXTURES, directory, name)
        if not os.path.exists(path):
            skip(title, f"no {path}")
        elif not shutil.which("rpm"):
            skip(title, "rpm is not installed")
        else:
            compare_with_rpm(title, path, name)
    path = os.path.join(FIXTURES, "ndb-sle15", "Packages.db")
    if not os.path.exists(path):
        return skip("ndb", f"no {path}")
    ours, _ = facts(path)
    with open(os.path.join(FIXTURES, "ndb-sle15", "expected.tsv"), encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f][1:]
    wanted = sorted((r[0], f"{r[1]}-{r[2]}", r[3], r[4]) for r in rows if r[0] != "gpg-pubkey")
    got = sorted((p[0], p[1].split(":")[-1], p[2], f"{p[3]}-{p[4].split(':')[-1]}.src.rpm") for p in ours["package"])
    say(wanted == got and not ours["unread"], f"ndb: the {len(wanted)} packages of expected.tsv",
        f"{set(wanted) ^ set(got)}\n{ours['unread']}")


def test_cut():
    """Half a database gives what is in it, and says that it is half."""
    for directory, name in (("bdb-libuuid", "Packages"), ("ndb-sle15", "Packages.db"), ("sqlite-mariner2", "rpmdb.sqlite")):
        path = os.path.join(FIXTURES, directory, name)
        if not os.path.exists(path):
            skip(f"half of {name}", f"no {path}")
            continue
        with open(path, "rb") as f:
            data = f.read()
        with tempfile.NamedTemporaryFile() as half:
            half.write(data[:len(data) // 2])
            half.flush()
            ours, done = facts(half.name)
        some = name == "Packages" or ours["package"]
        say(done.returncode == 0 and some and any(u[0] == "truncated" for u in ours["unread"]),
            f"half of {name}: {len(ours['package'])} packages, and told", f"{ours['unread']}\n{done.stderr}")


SPEC = """Name: {name}
Version: {version}
Release: 1%{{?dist}}
Epoch: {epoch}
Summary: A package for a test
License: MIT
Vendor: Example & Söhne
BuildArch: noarch
%description
A package for a test.
%install
mkdir -p %{{buildroot}}/etc %{{buildroot}}/usr/share/{name}/deep/er
for i in $(seq {files}); do echo $i > %{{buildroot}}/usr/share/{name}/deep/er/file-$i; done
echo x > %{{buildroot}}/etc/{name}.conf
ln -s file-1 %{{buildroot}}/usr/share/{name}/deep/er/link
touch %{{buildroot}}/etc/{name}.ghost
%files
%config(noreplace) /etc/{name}.conf
%ghost /etc/{name}.ghost
/usr/share/{name}
"""


def blind_to_the_rest(database):
    """A root as `rpm --root` of Debian makes it, whose rpm keeps its database in root's home. Of AlmaLinux the embedded
    advisories only know what is exploited: that nothing was found there is no answer."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(f"{root}/etc")
        os.makedirs(f"{root}/root/.rpmdb")
        shutil.copy(database, f"{root}/root/.rpmdb/rpmdb.sqlite")
        with open(f"{root}/etc/os-release", "w", encoding="utf-8") as f:
            f.write('ID=almalinux\nVERSION_ID=9.4\nPRETTY_NAME="AlmaLinux 9.4"\n')
        done = subprocess.run([os.path.join(BUILD, "sekisho"), "scan", "--no-record", "--db", "embedded", "-o", "json", root],
                              capture_output=True, text=True)
        report = json.loads(done.stdout)
        say(len(report["packages"]) == 3, "a root with its database in root's home", str(len(report["packages"])))
        titles = [f["title"] for f in report["findings"] if f["kind"] == "unsupported"]
        say(done.returncode == 1 and len(titles) == 1 and "only vulnerabilities known to be exploited" in titles[0],
            "advisories of nothing but what is exploited are told", f"{done.returncode} {titles}")


def test_fresh():
    """A database that this machine's rpm makes, with large headers, and another one in WAL mode."""
    if not shutil.which("rpmbuild"):
        return skip("a fresh database", "rpmbuild is not installed")
    with tempfile.TemporaryDirectory() as top:
        database = os.path.join(top, "db")
        os.mkdir(database)
        subprocess.run(["rpm", "--dbpath", database, "--define", "_db_backend sqlite", "--initdb"], check=True)
        for name, version, epoch, files in (("small", "1.0~rc1", 0, 1), ("middle", "2.0^git", 3, 40), ("large", "10", 1, 3000)):
            spec = os.path.join(top, name + ".spec")
            with open(spec, "w", encoding="utf-8") as f:
                f.write(SPEC.format(name=name, version=version, epoch=epoch, files=files))
            subprocess.run(["rpmbuild", "--define", f"_topdir {top}", "--quiet", "-bb", spec], check=True, capture_output=True)
        made = [os.path.join(top, "RPMS", "noarch", f) for f in os.listdir(os.path.join(top, "RPMS", "noarch"))]
        done = subprocess.run(["rpm", "--dbpath", database, "--define", "_db_backend sqlite", "--justdb", "--nodeps", "--noscripts",
                               "--ignorearch", "--ignoreos", "-i", *made], capture_output=True, text=True)
        path = os.path.join(database, "rpmdb.sqlite")
        say(done.returncode == 0 and os.path.exists(path), "rpm makes a database", done.stderr)
        compare_with_rpm("a fresh database", path, "rpmdb.sqlite")
        blind_to_the_rest(path)


def test_opens_nothing():
    path = os.path.join(ROOT, "tests", "fuzz", "corpus", "rpmdb-sqlite", "wal")
    if "sanitize" not in BUILD:
        ours, done = facts(path, "--sandbox")
        say(done.returncode == 0 and len(ours["package"]) == 3 and not ours["unread"], "SQLite inside the worker's sandbox",
            f"{done.returncode} {done.stderr} {ours['unread']}")
    if not shutil.which("strace"):
        return skip("SQLite opens no file", "strace is not installed")
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(["strace", "-f", "-o", log.name, "-e", "trace=%file,%network", TOOL, "var/lib/rpm/Packages", path],
                       stdout=subprocess.DEVNULL, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))  # that needs ptrace, too
        calls = log.read().splitlines()
    at = next((i for i, call in enumerate(calls) if path in call and "open" in call), None)
    after = [c for c in calls[at + 1:] if "exited" not in c and "AT_EMPTY_PATH" not in c] if at is not None else []
    say(at is not None and not after, "SQLite opens no file",
        "\n".join(calls[at or 0:]))


if not os.access(TOOL, os.X_OK):
    print(f"1..0 # SKIP {TOOL} was not built")
    sys.exit(0)
for test in (test_fixtures, test_cut, test_fresh, test_opens_nothing):
    test()
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
