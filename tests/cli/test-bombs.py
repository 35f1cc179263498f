#!/usr/bin/env python3
"""Archives made to exhaust whoever unpacks them: each costs a bounded time, is said to be incomplete, and hides no neighbour."""
import gzip
import io
import os
import shutil
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from carriers import zipped
from scan import Scan, Tap

PAYLOAD = b'# donate.v2.' + b'xmrig --donate-' + b'level 1: a synthetic payload that does nothing\n'


def write(directory, name, pieces):
    with open(os.path.join(directory, name), 'wb') as file:
        for piece in [pieces] if isinstance(pieces, bytes) else pieces:
            file.write(piece)


def gzip_of_zeros(size):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(16 << 20)
    for _ in range(size // len(block)):
        yield squeeze.compress(block)
    yield squeeze.flush()


def nested(depth):
    content = PAYLOAD
    for i in range(depth):
        content = zipped([(f'{i}.zip', content)])
    return content


def many_times(depth, width):
    """Archives that hold the same one several times: width ** depth members."""
    content = b'nothing'
    for i in range(depth):
        content = zipped([(f'{i}-{k}.zip', content) for k in range(width)])
    return content


def overlapping(entries):
    """Zip entries that all name the same local header and data."""
    body = zlib.compress(bytes(1 << 20), 9)[2:-4]
    local = b'PK\3\4' + struct.pack('<HHHHHIIIHH', 20, 0, 8, 0, 0, zlib.crc32(bytes(1 << 20)), len(body), 1 << 20, 1, 0) + b'a' + body
    directory = b''.join(b'PK\1\2' + struct.pack('<HHHHHHIIIHHHHHII', 20, 20, 0, 8, 0, 0, zlib.crc32(bytes(1 << 20)), len(body),
                                                1 << 20, 1, 0, 0, 0, 0, 0, 0) + b'a' for _ in range(entries))
    return local + directory + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, entries, entries, len(directory), len(local), 0)


def hidden_entry():
    """An entry that the directory does not name: readers from front to end find it."""
    def local(name, content):
        return b'PK\3\4' + struct.pack('<HHHHHIIIHH', 20, 0, 0, 0, 0, zlib.crc32(content), len(content), len(content), len(name),
                                       0) + name + content
    first, second = local(b'seen', b'nothing'), local(b'hidden', gzip.compress(PAYLOAD, mtime=0))
    directory = b'PK\1\2' + struct.pack('<HHHHHHIIIHHHHHII', 20, 20, 0, 0, 0, 0, zlib.crc32(b'nothing'), 7, 7, 4, 0, 0, 0, 0, 0, 0) + \
        b'seen'
    return first + second + directory + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, 1, 1, len(directory), len(first + second), 0)


def sparse_tar():
    """4 GiB of hole in a tar of a few blocks, in an archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo('hole')
        info.pax_headers = {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'hole',
                            'GNU.sparse.realsize': str(4 << 30)}
        body = b'1\n0\n1\n'.ljust(512, b'\0') + b'x'
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
    return gzip.compress(out.getvalue())


def chain():
    """Like a gzip file that inflates to itself: a chain that does not end within the limits."""
    content = PAYLOAD
    for _ in range(200):
        content = gzip.compress(content, mtime=0)
    return content


def streams_of_pdf(n):
    """Streams without an end, each of which is all that follows; what the first filter gives the second refuses at once."""
    return b'%PDF-1.7\n' + b'1 0 obj<</Filter[/A85/AH#78]>>stream\n' * n


def main():
    t = Tap()
    directory = tempfile.mkdtemp(prefix='bombs.')
    try:
        write(directory, 'zeros.gz', gzip_of_zeros(3 << 30))
        write(directory, 'deep.zip', nested(60))
        write(directory, 'wide.zip', many_times(6, 10))
        write(directory, 'overlap.zip', overlapping(3000))
        write(directory, 'hidden.zip', hidden_entry())
        write(directory, 'sparse.tar.gz', sparse_tar())
        write(directory, 'chain.gz', chain())
        write(directory, 'streams.pdf', streams_of_pdf(200000))
        write(directory, 'after', PAYLOAD)
        scan = Scan(directory, timeout=240)
        if not t.ok(scan.report, 'the scan ends, with a report', scan):
            return t.end()
        codes = {}
        for u in scan.report['coverage']['unread']:
            codes.setdefault(u['path'].split('!')[0], set()).add(u['code'])
        # overlap.zip is no bomb here: entries that share their bytes are read once.
        for name, wanted in (('zeros.gz', 'budget'), ('deep.zip', 'too-deep'), ('wide.zip', 'budget'),
                             ('sparse.tar.gz', 'budget'), ('chain.gz', 'too-deep'), ('streams.pdf', 'budget')):
            t.ok(wanted in codes.get(name, ()), f'{name}: {wanted}', f'{codes.get(name)}\n{scan}')
        found = {f['proof']['path'] for f in scan.report['findings'] if f['kind'] == 'malware'}
        t.ok('after' in found, 'the file behind them is looked at', found)
        t.ok(any(p.startswith('hidden.zip!hidden') for p in found), 'an entry that the directory leaves out is found', found)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return t.end()


if __name__ == '__main__':
    sys.exit(main())
