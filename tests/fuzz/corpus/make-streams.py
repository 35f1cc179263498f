#!/usr/bin/env python3
"""Writes the corpora stream/ and tar/ beside it: small archives of each form. Needs zstd(1) and GNU tar."""
import bz2, gzip, io, lzma, os, subprocess, tarfile, tempfile

here = os.path.dirname(os.path.abspath(__file__))


def put(name, data):
    with open(os.path.join(here, name), "wb") as f:
        f.write(data)


text = b"".join(b"line %d of a small text\n" % (i * i % 97) for i in range(60))
zstd = subprocess.run(["zstd", "-19", "--check", "-c"], input=text, stdout=subprocess.PIPE, check=True).stdout
put("stream/plain", text[:200])
put("stream/gzip", gzip.compress(text, mtime=0))
put("stream/gzip-stored", gzip.compress(text, 0, mtime=0))
put("stream/gzip-members", gzip.compress(text, mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"x", 1, mtime=0))
put("stream/zstd", zstd)
put("stream/zstd-frames", b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zstd + zstd)
put("stream/xz", lzma.compress(text))
put("stream/bzip2", bz2.compress(text))


def archive(format, name, pax=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, pax_headers=pax) as t:
        for path, kind, content in [("dir", tarfile.DIRTYPE, b""), ("dir/file", tarfile.REGTYPE, b"hello"),
                                    ("d" * 120 + "/" + "n" * 110, tarfile.REGTYPE, b"long"),
                                    ("soft", tarfile.SYMTYPE, b""), ("hard", tarfile.LNKTYPE, b""),
                                    ("char", tarfile.CHRTYPE, b"")]:
            i = tarfile.TarInfo(path)
            i.type, i.size, i.mtime = kind, len(content), 1234567890
            i.linkname = "dir/file" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            if format == tarfile.PAX_FORMAT and kind == tarfile.DIRTYPE:
                i.pax_headers = {"SCHILY.xattr.trusted.overlay.opaque": "y", "mtime": "12.5"}
            t.addfile(i, io.BytesIO(content))
    put("tar/" + name, out.getvalue()[:8192])


archive(tarfile.GNU_FORMAT, "gnu")
archive(tarfile.PAX_FORMAT, "pax", {"comment": "global"})

with tempfile.TemporaryDirectory() as d:
    with open(os.path.join(d, "sparse"), "wb") as f:
        for i in range(30):
            f.seek(i * 65536)
            f.write(b"x")
    for name, options in [("sparse-gnu", ["--format=gnu"]), ("sparse-0.0", ["--format=pax", "--sparse-version=0.0"]),
                          ("sparse-0.1", ["--format=pax", "--sparse-version=0.1"]),
                          ("sparse-1.0", ["--format=pax", "--sparse-version=1.0"])]:
        data = subprocess.run(["tar", "-S", "-c", "-C", d, "--owner=0", "--group=0", "--mtime=@0", *options, "sparse"],
                              stdout=subprocess.PIPE, check=True).stdout
        put("tar/" + name, data[:12288])
