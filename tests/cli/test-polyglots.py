#!/usr/bin/env python3
"""Files that are two things: a payload, packed, behind the end of each carrier of the format matrix, between entries that a directory names, and
among beginnings of archives that are none. All are found but for what is not read at all, which is said."""
import gzip
import io
import os
import random
import shutil
import struct
import sys
import tarfile
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import carriers
from scan import Scan, Tap

CARRIER_MAX = 4 << 20
UNREAD = ('EROFS', 'that is none', 'behind the end of a deflated entry')  # which is said
NOISE = random.Random(1)


def zipped(*files, method=zipfile.ZIP_DEFLATED, comment=b''):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        archive.comment = comment
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(*files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def of_another_digest(archive):
    """What readers refuse to extract, and others do not ask about: both say the same wrong CRC."""
    out = bytearray(archive)
    out[out.index(b'PK\3\4') + 14] ^= 0xff
    out[out.index(b'PK\1\2') + 16] ^= 0xff
    return bytes(out)


def longer_than_it_inflates():
    """An entry whose stored size counts what follows its deflated data."""
    data = bytearray(zipped(('a', b'hello ' * 9)))
    directory = data.index(b'PK\1\2')
    size = struct.unpack_from('<I', data, 18)[0] + len(GZIP)
    struct.pack_into('<I', data, 18, size)
    struct.pack_into('<I', data, directory + 20, size)
    end = data.index(b'PK\5\6')
    struct.pack_into('<I', data, end + 16, directory + len(GZIP))
    return bytes(data[:directory]) + GZIP + bytes(data[directory:])


def of_zip64():
    """The record that ends the directory names its place in one of zip64's."""
    data = zipped(('a', b'hello'))
    directory, end = data.index(b'PK\1\2'), data.index(b'PK\5\6')
    at, size = directory + len(GZIP), end - directory
    end64 = struct.pack('<4sQHHIIQQQQ', b'PK\6\6', 44, 45, 45, 0, 0, 1, 1, size, at)
    locator = struct.pack('<4sIQI', b'PK\6\7', 0, at + size, 1)
    last = struct.pack('<4sHHHHIIH', b'PK\5\6', 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)
    return data[:directory] + GZIP + data[directory:end] + end64 + locator + last


def noise(n):
    return NOISE.randbytes(n)


GZIP = gzip.compress(carriers.PAYLOAD, mtime=0)
ZIP = zipped(('x.sh', carriers.PAYLOAD))
STUB = zipped(('a', b'hello'))[:50]  # an entry, and no directory
MANY = [(f'c{i}', noise(2000)) for i in range(900)] + [('last.sh', carriers.PAYLOAD)]
SMALL = [(name, content[:200]) for name, content in MANY]
LARGE = zipped(('b', noise(14_000_000)), ('c', b'x'), method=zipfile.ZIP_STORED)  # more than what is read by its directory


def of_many_kinds():
    elf = open(carriers.ELF, 'rb').read()
    one = zipped(('a', b'hello'))
    yield 'two beginnings of zip before it', noise(600_000) + STUB + noise(600_000) + STUB + noise(600_000) + GZIP + noise(600_000)
    yield 'twenty beginnings of zip before it', noise(600_000) + b''.join(STUB + noise(300_000) for _ in range(20)) + GZIP + noise(600_000)
    yield 'a zip file in the midst, a beginning before it', noise(600_000) + STUB + noise(600_000) + ZIP + noise(600_000)
    yield 'the same, where the beginning seems to end', noise(600_000) + STUB + b'PK\1\2' + noise(600_000) + ZIP + noise(600_000)
    yield 'the same in a large file', noise(600_000) + STUB + b'PK\1\2' + noise(3_000_000) + ZIP + noise(20_000_000)
    yield 'the same far from the beginning', noise(600_000) + STUB + noise(13_000_000) + ZIP + noise(2_000_000)
    yield 'behind a large zip file', LARGE + GZIP
    yield 'far behind a large zip file', LARGE + noise(900_000) + GZIP + noise(300_000)
    yield 'behind a large zip file behind a program', elf + LARGE + GZIP
    yield 'a zip file there', elf + LARGE + noise(500) + ZIP
    yield 'in the comment of a zip file', zipped(('a', b'hello'), comment=GZIP)
    yield 'before the directory of a zip file', one[:one.index(b'PK\1\2')] + GZIP + one[one.index(b'PK\1\2'):]
    yield 'an entry that the directory does not name', ZIP[:ZIP.index(b'PK\1\2')] + one
    yield 'the last of many entries behind a few bytes', b'JM\1\0' + zipped(*MANY)
    yield 'the last of many entries behind a program', elf + zipped(*MANY)
    yield 'the last of many gzip files in a row', noise(100) + b''.join(gzip.compress(content, mtime=0) for _, content in MANY)
    for words, archive in (('zip', zipped), ('tar', tarred)):
        yield f'the last of many entries of a small {words} file behind a program', elf + archive(*SMALL[200:])
        yield f'the last of many entries of a {words} file behind a program', elf + archive(*((f'{i}{name}', content) for i in range(3) for name, content in MANY[:-1]), MANY[-1])
        yield f'in a {words} file behind one of many entries behind a program', elf + archive(*SMALL[:-1]) + noise(700) + archive(*SMALL[-9:])
    yield 'behind the end of a deflated entry', longer_than_it_inflates()
    yield 'in a deflated entry with another digest', of_another_digest(zipped(('a', GZIP)))
    yield 'before the directory of a zip64 file', of_zip64()
    yield 'behind a 7z file that is none', b'7z\xbc\xaf\x27\x1c' + noise(400) + GZIP


def main():
    t = Tap()
    folder = tempfile.mkdtemp(prefix='polyglots.')
    try:
        names = {}

        def add(name, content):
            path = f'{len(names):03}'
            names[path] = name
            with open(os.path.join(folder, path), 'wb') as file:
                file.write(content)

        with tempfile.TemporaryDirectory() as made:
            for name, path, _ in carriers.make(made, carriers.HARMLESS):
                if not path or os.path.getsize(path) > CARRIER_MAX:
                    continue
                with open(path, 'rb') as file:
                    content = file.read()
                add(f'{name}, gzip behind it', content + GZIP)
                add(f'{name}, zip behind it', content + ZIP)
                add(f'{name}, gzip far behind it', content + noise(1_500_000) + GZIP + noise(700_000))
        t.ok(len(names) > 100, 'there are carriers', len(names))
        for name, content in of_many_kinds():
            add(name, content)
        scan = Scan(folder, timeout=300)
        if not t.ok(scan.report, 'the scan has a report', scan):
            return t.end()
        found = {f['proof']['path'].split('!')[0] for f in scan.report['findings'] if f['kind'] == 'malware'}
        incomplete = {u['path'].split('!')[0]: u['code'] for u in scan.report['coverage']['unread']}
        for path, name in names.items():
            good = path in found or (path in incomplete and any(words in name for words in UNREAD))
            good = good and not ('many' in name and path in incomplete)
            t.ok(good, f'{name}: {"found" if path in found else incomplete.get(path, "clean")}')
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return t.end()


if __name__ == '__main__':
    sys.exit(main())
