#!/usr/bin/env python3
"""Applies layers (tar files, gzip'd or not, base first) as OCI's layer.md says and prints the tree, one entry a line."""
import gzip
import hashlib
import io
import posixpath
import sys
import tarfile


def remove(tree, path, itself=True):
    for key in [k for k in tree if k.startswith(path + "/") or (itself and k == path) or (not path and k)]:
        del tree[key]


def apply(tree, archive):
    added = {}
    for m in archive:
        path = posixpath.normpath("/" + m.name).lstrip("/")
        directory, name = posixpath.split(path)
        if name == ".wh..wh..opq":
            remove(tree, directory, False)
        elif name.startswith(".wh."):
            remove(tree, posixpath.join(directory, name[4:]))
        elif path:
            content = archive.extractfile(m).read() if m.isreg() or m.islnk() else b""
            kind = "f" if m.islnk() else {b"0": "f", b"2": "l", b"3": "c", b"4": "b", b"5": "d", b"6": "p"}.get(m.type, "?")
            mode = 0 if kind == "l" else m.mode & 0o7777
            added[path] = (kind, oct(mode), m.uid, m.gid, m.linkname if kind == "l" else "", hashlib.sha256(content).hexdigest()[:16])
    for path, entry in added.items():
        if entry[0] != "d":
            remove(tree, path)
        elif path in tree and tree[path][0] != "d":
            del tree[path]
        tree[path] = entry


tree = {}
for name in sys.argv[1:]:
    data = open(name, "rb").read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    # umoci insert ends its layers right after the last content, without padding
    data += bytes(-len(data) % 512 + 1024)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        apply(tree, archive)
for path in sorted(tree):
    print(path, *tree[path])
