#!/usr/bin/env python3
"""Files that are two things: a payload, packed, behind the end of each carrier of the format matrix, between entries that a directory names, and
among beginnings of archives that are none. All are found but for what is not read at all, which is said."""
import gzip
import io
import os
import random
import shutil
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import carriers
from scan import Scan, Tap

CARRIER_MAX = 4 << 20
NOISE = random.Random(1)


def zipped(*files, method=zipfile.ZIP_DEFLATED, comment=b''):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        archive.comment = comment
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def noise(n):
    return NOISE.randbytes(n)


GZIP = gzip.compress(carriers.PAYLOAD, mtime=0)
ZIP = zipped(('x.sh', carriers.PAYLOAD))
STUB = zipped(('a', b'hello'))[:50]  # an entry, and no directory
MANY = [(f'c{i}', noise(2000)) for i in range(900)] + [('last.sh', carriers.PAYLOAD)]
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
            good = path in found or (path in incomplete and ('EROFS' in name or 'that is none' in name))
            t.ok(good, f'{name}: {"found" if path in found else incomplete.get(path, "clean")}')
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return t.end()


if __name__ == '__main__':
    sys.exit(main())
