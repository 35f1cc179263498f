#!/usr/bin/env python3
"""Files with holes: what stands behind one is found at its place, and what is all hole costs next to nothing. The holes
here are too large to be read in the time that a test has."""
import hashlib
import io
import os
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from scan import Scan, Tap, ledger  # noqa: E402  pylint: disable=wrong-import-position

PAYLOAD = b'# donate.v2.' + b'xmrig --donate-' + b'level 1: a synthetic payload that does nothing\n'
BLOCK = 64 << 10


def write_sparse(path, content):
    """Blocks of zeros become holes."""
    with open(path, 'wb') as file:
        for at in range(0, len(content), BLOCK):
            block = content[at:at + BLOCK]
            if block.strip(b'\0'):
                file.seek(at)
                file.write(block)
        file.truncate(len(content))


def write_at(path, size, *pieces):
    with open(path, 'wb') as file:
        for offset, content in pieces:
            file.seek(offset)
            file.write(content)
        file.truncate(size)


def archive():
    """A tar whose second member is all zeros: who skips them must not lose the third."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as tar:
        for name, content in (('first', b'1'), ('zeros', bytes(9 << 20)), ('last', PAYLOAD)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        def path(name):
            return os.path.join(folder, name)
        if not hasattr(os, 'SEEK_HOLE'):
            tap.skip('files with holes', 'no SEEK_HOLE here')
            return tap.end()
        write_at(path('behind'), (4 << 30) + 4096, ((4 << 30) + 100, PAYLOAD))
        write_at(path('between'), 64 << 20, (0, b'text\n'), (5 << 20, PAYLOAD), (40 << 20, b'\ntext'))
        write_at(path('before'), 1 << 30, (0, PAYLOAD))
        write_at(path('all'), 2 << 30)
        write_at(path('odd'), (2 << 20) + 4099, ((2 << 20) + 4096, b'end'))
        write_sparse(path('archive.tar'), archive())
        if os.stat(path('behind')).st_blocks * 512 > 1 << 20:
            tap.skip('files with holes', 'the file system of TMPDIR keeps none')
            return tap.end()
        scan = Scan('dir:' + folder)
        found = {(f['malware']['path'], f['malware'].get('members') or ''): f['malware']['offset']
                 for f in scan.findings('malware')}
        tap.equal(set(found), {('behind', ''), ('between', ''), ('before', ''), ('archive.tar', 'last')},
                  'what stands before, between and behind holes is found')
        tap.ok(found.get(('behind', ''), 0) >= (4 << 30) + 100 and found.get(('between', ''), 0) >= 5 << 20,
               'at its offset', found)
        tap.equal(scan.unread(), [], 'nothing is incomplete')
        write_at(path('zeros'), 14 << 30)
        unread = Scan('dir:' + folder).unread()
        tap.equal([(p, code) for p, code, _ in unread], [('zeros', 'too-large')], 'more holes than a layer may have are said')
        for name in ('behind', 'before', 'all', 'zeros', 'archive.tar'):
            os.remove(path(name))
        _, lines, _ = ledger('dir:' + folder)
        files = {line['path']: line for line in lines if 'path' in line}
        for name in ('odd', 'between'):
            with open(path(name), 'rb') as file:
                content = file.read()
            tap.equal(files[name].get('sha256'), hashlib.sha256(content).hexdigest(), f'{name}: SHA-256 of all, with the holes')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
