#!/usr/bin/env python3
"""The tar reader and the streams against archives that real programs wrote: GNU tar, bsdtar and Python's tarfile in
each of their formats, compressed by gzip, zstd, xz and bzip2. The expected listing comes from the file system (for names,
types, sizes, content) or from Python's reader (for all that a header says)."""
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
LIST = os.path.join(BUILD, "tests", "list-tar")
results = []


def check(name, ok, why=""):
    results.append(ok)
    print(f"{'ok' if ok else 'not ok'} {len(results)} - {name}")
    if not ok:
        for line in str(why).splitlines()[:20]:
            print("#", line)
    sys.stdout.flush()


def skip(name, why):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {why}")


def listing(data):
    """What our reader says, and its exit status."""
    p = subprocess.run([LIST], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return [json.loads(line) for line in p.stdout.decode().splitlines()], p.returncode, p.stderr.decode()


def normal(name):
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def python_listing(data):
    """What Python's tarfile says about the same archive, in our form."""
    kinds = {tarfile.SYMTYPE: "link", tarfile.LNKTYPE: "hard", tarfile.CHRTYPE: "char", tarfile.BLKTYPE: "bloc",
             tarfile.DIRTYPE: "dir ", tarfile.FIFOTYPE: "fifo"}
    out = []
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        for i in t:
            content = t.extractfile(i).read() if i.isreg() else b""
            link = normal(i.linkname) if i.islnk() else i.linkname if i.issym() else ""
            out.append({"type": kinds.get(i.type, "file"), "name": normal(i.name), "link": link, "mode": i.mode & 0o7777,
                        "uid": i.uid, "gid": i.gid, "mtime": int(i.mtime // 1), "size": len(content),
                        "sha256": hashlib.sha256(content).hexdigest()})
    return out


def compare(name, data):
    got, status, errors = listing(data)
    want = python_listing(data)
    for g in got:
        del g["sparse"], g["unsafe"]
    wrong = [f"got {g}\nnot {w}" for g, w in zip(got, want) if g != w]
    check(name, status == 0 and got == want, errors + f"{len(got)} entries, not {len(want)}\n" + "\n".join(wrong))


def make_tree(d):
    os.makedirs(f"{d}/dir/" + "deep/" * 60)
    files = {"empty": b"", "one": b"1", "block": b"x" * 512, "more": b"y" * 513, "dir/large": bytes(range(256)) * 6000,
             "n" * 100: b"100", "n" * 101: b"101", "dir/" + "m" * 200: b"long", "dir/" + "deep/" * 60 + "file": b"deep",
             "日本語": b"utf-8", "a b": b"space"}
    for name, content in files.items():
        with open(f"{d}/{name}", "wb") as f:
            f.write(content)
    os.chmod(f"{d}/one", 0o4755)
    os.utime(f"{d}/one", (1, 1))
    os.utime(f"{d}/more", (2**33, 2**33))
    os.symlink("one", f"{d}/soft")
    os.symlink("t" * 150, f"{d}/soft-long")
    os.link(f"{d}/one", f"{d}/hard")
    os.link(f"{d}/" + "n" * 101, f"{d}/zhard-long")
    os.mkfifo(f"{d}/fifo")


def tar(*args, program="tar"):
    return subprocess.run([program, *args], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def test_formats(d):
    for format in ["gnu", "oldgnu", "posix", "ustar", "v7"]:
        # The old formats cannot hold long names: GNU tar leaves those out and exits with 2.
        p = subprocess.run(["tar", "-c", "-C", d, "--sort=name", f"--format={format}", "."], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
        compare(f"GNU tar, {format}", p.stdout)
    for format, constant in [("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=constant) as t:
            t.add(d, arcname="/root/./x")
            big = tarfile.TarInfo("owners")
            big.uid, big.gid, big.mtime = 3000000, 2097152, 2**35
            t.addfile(big)
            if format == "pax":
                early = tarfile.TarInfo("before-1970")
                early.mtime = -1.5
                t.addfile(early)
        compare(f"Python tarfile, {format}", out.getvalue())
    if not shutil.which("bsdtar"):
        return skip("bsdtar", "no bsdtar here")
    for format in ["pax", "gnutar", "v7", "ustar"]:
        p = subprocess.run(["bsdtar", "-c", "-C", d, "--format", format, "."], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        compare(f"bsdtar, {format}", p.stdout)


def test_sparse(d):
    os.mkdir(f"{d}/sparse")
    with open(f"{d}/sparse/many", "wb") as f:
        for i in range(100):
            f.seek(i * 131072 + 4096)
            f.write(b"%d" % i)
        f.truncate(20 << 20)
    with open(f"{d}/sparse/hole", "wb") as f:
        f.truncate(5 << 20)
    want = {name: hashlib.sha256(open(f"{d}/sparse/{name}", "rb").read()).hexdigest() for name in ["many", "hole"]}
    for form in ["--format=gnu", "--format=oldgnu", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"]:
        options = [form] if "format" in form else ["--format=pax", form]
        got, status, errors = listing(tar("-c", "-S", "-C", f"{d}/sparse", *options, "many", "hole"))
        check(f"sparse, {form}", status == 0 and {g["name"]: g["sha256"] for g in got} == want and
              all(g["sparse"] for g in got), errors + str(got))
    if shutil.which("bsdtar"):
        got, status, errors = listing(tar("-c", "--read-sparse", "-C", f"{d}/sparse", "--format=pax", "many", "hole", program="bsdtar"))
        check("sparse, bsdtar", status == 0 and {g["name"]: g["sha256"] for g in got} == want, errors + str(got))
    shutil.rmtree(f"{d}/sparse")


def test_compressed(d):
    data = tar("-c", "-C", d, "--sort=name", ".")
    want = listing(data)
    for command in ["gzip", "gzip -1", "gzip -9", "zstd", "zstd -19 --long=27", "xz", "xz --check=sha256 -T2", "bzip2"]:
        if not shutil.which(command.split()[0]):
            skip(command, "not installed")
            continue

        def pack(part):
            return subprocess.run([*command.split(), "-c"], input=part, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

        one = pack(data)
        two = pack(data[:100000]) + pack(data[100000:])
        check(command, listing(one) == want)
        check(f"{command}, two members", listing(two) == want)
        check(f"{command}, cut", listing(one[:len(one) * 9 // 10])[1] == 1)
        check(f"{command}, garbage behind", "trailing garbage" in listing(one + b"garbage")[2])


def main():
    if not os.access(LIST, os.X_OK):
        print(f"1..0 # SKIP {LIST} was not built")
        return 0
    with tempfile.TemporaryDirectory() as top:
        d = f"{top}/tree"
        os.mkdir(d)
        make_tree(d)
        test_formats(d)
        test_sparse(d)
        test_compressed(d)
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


sys.exit(main())
