#!/usr/bin/env python3
"""Makes small rpm databases of each kind, and headers alone: the corpora of the rpmdb fuzzers, and the unit tests' input."""
import os
import sqlite3
import struct
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
INT16, INT32, STRING, BIN, ARRAY, I18N = 3, 4, 6, 7, 8, 9


def header(entries):
    """entries: (tag, type, value); the data follow each other, aligned, after a region as rpm has it."""
    index, data = b"", b""
    for tag, kind, value in entries:
        if kind in (INT16, INT32):
            width = {INT16: 2, INT32: 4}[kind]
            data += b"\0" * (-len(data) % width)
            raw, count = b"".join(v.to_bytes(width, "big") for v in value), len(value)
        elif kind in (ARRAY, I18N):
            raw, count = b"".join(v.encode() + b"\0" for v in value), len(value)
        elif kind == STRING:
            raw, count = value.encode() + b"\0", 1
        else:
            raw, count = value, len(value)
        index += struct.pack(">IIII", tag, kind, len(data), count)
        data += raw
    n = len(entries) + 1
    trailer = struct.pack(">IIiI", 63, BIN, -n * 16, 16)
    return struct.pack(">II", n, len(data) + 16) + struct.pack(">IIII", 63, BIN, len(data), 16) + index + data + trailer


def package(name, version, release, arch, source, files, epoch=None, algorithm=8, module=None):
    directories = sorted({d for d, *_ in files})
    entries = [(1000, STRING, name), (1001, STRING, version), (1002, STRING, release)]
    if epoch is not None:
        entries.append((1003, INT32, [epoch]))
    entries += [(1004, I18N, ["A summary"]), (1011, STRING, "Example Project"), (1014, STRING, "MIT"), (1022, STRING, arch)]
    if files:
        entries += [(1030, INT16, [f[3] for f in files]), (1035, ARRAY, [f[2] for f in files]), (1037, INT32, [f[4] for f in files])]
    if source:
        entries.append((1044, STRING, source))
    if files:
        entries += [(1116, INT32, [directories.index(f[0]) for f in files]), (1117, ARRAY, [f[1] for f in files]),
                    (1118, ARRAY, directories)]
        if algorithm:
            entries.append((5011, INT32, [algorithm]))
    if module:
        entries.append((5096, STRING, module))
    return header(entries)


SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
PACKAGES = [
    package("base", "1.0", "1.el9", "x86_64", "base-src-1.0-1.el9.src.rpm",
            [("/etc/", "base.conf", SHA256, 0o100644, 1), ("/usr/", "bin", "", 0o040755, 0),
             ("/usr/bin/", "base", SHA256, 0o100755, 0), ("/usr/bin/", "b", "", 0o120777, 0),
             ("/var/log/", "base.log", SHA256, 0o100600, 1 << 6)], epoch=2, module="base:1:9:abc"),
    package("gpg-pubkey", "fd431d51", "4ae0493b", "(none)", None, []),
    package("old", "0.9^git1", "3", "noarch", "(none)", [("/opt/", "old", "d41d8cd98f00b204e9800998ecf8427e", 0o100644, 0)],
            algorithm=None),
    package("plain", "3", "1", "noarch", "plain-3-1.nosrc.rpm", []),
]


def bdb(order):
    """Berkeley DB hash: a metadata page, two hash pages, the values in chains of overflow pages but for the last."""
    size = 512
    pages = [None, None, None]

    def page(number, following, entries, hf_offset, kind, body):
        raw = b"\0" * 8 + struct.pack(order + "IIIHHBB", number, 0, following, entries, hf_offset, 0, kind) + body
        return raw + b"\0" * (size - len(raw))

    def chain(value):
        first = len(pages)
        parts = [value[i:i + size - 26] for i in range(0, len(value), size - 26)]
        for i, part in enumerate(parts):
            last = i + 1 == len(parts)
            pages.append(page(first + i, 0 if last else first + i + 1, 1, len(part), 7, part))
        return struct.pack(order + "B3xII", 3, first, len(value))

    def hash_page(number, pairs, kind):
        items = [item for pair in pairs for item in pair]
        offsets, end = [], size
        for item in items:
            end -= len(item)
            offsets.append(end)
        raw = page(number, 0, len(items), end, kind, b"".join(struct.pack(order + "H", o) for o in offsets))
        return raw[:end] + b"".join(reversed(items))

    def key(n):
        return b"\1" + struct.pack(order + "I", n)
    first = [(key(0), b"\1" + struct.pack(order + "I", len(PACKAGES)))]
    first += [(key(i + 1), chain(p)) for i, p in enumerate(PACKAGES[:3])]
    pages[1] = hash_page(1, first, 13)
    pages[2] = hash_page(2, [(key(4), b"\1" + PACKAGES[3])], 2)
    meta = b"\0" * 8 + struct.pack(order + "IIIIBBBBII", 0, 0x061561, 9, size, 0, 8, 0, 0, 0, len(pages) - 1)
    pages[0] = meta + b"\0" * (size - len(meta))
    return b"".join(pages)


def ndb():
    slots, blobs, block = b"", b"", 4096 // 16
    for number, value in enumerate(PACKAGES, 1):
        blocks = (16 + len(value) + 12 + 15) // 16
        blob = struct.pack("<4sIII", b"BlbS", number, 1, len(value)) + value
        blob += b"\0" * (blocks * 16 - 12 - len(blob))
        blob += struct.pack("<II4s", zlib.adler32(blob), len(value), b"BlbE")
        slots += struct.pack("<4sIII", b"Slot", number, block, blocks)
        blobs += blob
        block += blocks
    slots += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - 32 - len(slots)) // 16)
    return struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, len(PACKAGES) + 1) + slots + blobs


def sqlite(path, wal):
    if os.path.exists(path):
        os.unlink(path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA page_size=512")
    db.execute("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)")
    db.execute("CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL)")
    db.executemany("INSERT INTO Packages(blob) VALUES (?)", [(p,) for p in PACKAGES])
    db.commit()
    db.close()
    if wal:
        with open(path, "r+b") as f:
            f.seek(18)
            f.write(b"\2\2")


def write(directory, name, data):
    os.makedirs(os.path.join(HERE, directory), exist_ok=True)
    with open(os.path.join(HERE, directory, name), "wb") as f:
        f.write(data)


for i, value in enumerate(PACKAGES):
    write("rpm-header", f"header-{i + 1}", value)
write("rpmdb-bdb", "little", bdb("<"))
write("rpmdb-bdb", "big", bdb(">"))
write("rpmdb-ndb", "small", ndb())
os.makedirs(os.path.join(HERE, "rpmdb-sqlite"), exist_ok=True)
for wal in (False, True):
    sqlite(os.path.join(HERE, "rpmdb-sqlite", "wal" if wal else "small"), wal)
