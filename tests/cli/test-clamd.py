#!/usr/bin/env python3
"""`scan --clamd`: files reach ClamAV's daemon as descriptors, its answers become findings or what is incomplete, and where it
fails nothing is clean in silence. The faults come from a server made here, which speaks the protocol as clamd(8) says;
Debian's clamd itself, with a signature of our own, is asked where it is installed."""
import array
import contextlib
import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import images  # noqa: E402  pylint: disable=wrong-import-position
from scan import Scan, Tap, run  # noqa: E402  pylint: disable=wrong-import-position

MARKER = b'an innocent marker that only our own signature knows'
CLAMD = shutil.which('clamd') or ('/usr/sbin/clamd' if os.access('/usr/sbin/clamd', os.X_OK) else None)


class Server:
    """Answers FILDES with what answer(content) returns: bytes, or None to hang up. `seen` are the contents that came."""

    def __init__(self, path, answer):
        self.path, self.answer, self.seen = path, answer, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(path)
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(20)
                self.talk(peer)

    def talk(self, peer):
        command = b''
        while not command.endswith(b'\0'):
            command += peer.recv(1) or b'\0'
        if command != b'zFILDES\0':
            peer.sendall(b'UNKNOWN COMMAND\0')
            return
        _, control, _, _ = peer.recvmsg(1, socket.CMSG_SPACE(4))
        fds = array.array('i')
        for level, kind, data in control:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(data[:4])
        if not fds:
            peer.sendall(b'No file descriptor received. ERROR\0')
            return
        with os.fdopen(fds[0], 'rb') as file:
            content = file.read()
        self.seen.append(content)
        answer = self.answer(content)
        if answer:
            peer.sendall(answer)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(20)


@contextlib.contextmanager
def served(folder, answer):
    server = Server(os.path.join(folder, 'socket'), answer)
    try:
        yield server
    finally:
        server.end()
        os.unlink(server.path)


def like_clamd(content):
    return b'fd[10]: Own.Marker.UNOFFICIAL FOUND\0' if MARKER in content else b'fd[10]: OK\0'


def write(folder, name, content):
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(content)


def found_in(scan):
    return {(f['id'], f['malware']['path'], f['malware']['engine'])
            for f in scan.report['findings'] if f['kind'] == 'malware'}


def unread_of(scan):
    return {(u['path'], u['code']) for u in scan.report['coverage']['unread']}


def not_configured(tap, files):
    scan = Scan('dir:' + files)
    tap.equal(found_in(scan), set(), 'without clamd the marker is nothing')
    tap.equal(scan.report['coverage']['malware_search']['clamd'], 'not configured', 'and the report says so')
    _, out, _ = run('scan', '--db', 'embedded', 'dir:' + files)
    tap.ok(b'clamd not configured' in out, 'in the table too', out)


def asked(tap, folder, files, path, contents):
    scan = Scan('dir:' + files, '--clamd', path)
    marked = {('Own.Marker.UNOFFICIAL', 'large', 'clamav'), ('Own.Marker.UNOFFICIAL', 'small', 'clamav')}
    tap.equal(found_in(scan), marked, 'files are found, small and large')
    search = scan.report['coverage']['malware_search']
    tap.equal((search['clamd'], search['incomplete'], search['found']), ('asked', 0, 2), 'and the report says that it was asked')
    finding = next(f for f in scan.report['findings'] if f['kind'] == 'malware' and f['malware']['path'] == 'small')
    tap.equal(finding['malware']['sha256'], hashlib.sha256(contents['small']).hexdigest(), 'with the digest')
    write(folder, 'allowed', hashlib.sha256(contents['small']).hexdigest().encode() + b'\n')
    scan = Scan('dir:' + files, '--clamd', path, '--allow-hashes', os.path.join(folder, 'allowed'))
    tap.equal({p for _, p, _ in found_in(scan)}, {'large'}, 'what is allowed is not told')
    _, out, _ = run('scan', '--db', 'embedded', '--clamd', path, 'dir:' + files)
    tap.ok(b'and clamd, in ' in out and b'not configured' not in out, 'the table says that it was asked', out)


def faults(tap, folder, files, contents):
    cases = (('hangs up', lambda _: None, 'denied', 'closed the connection'),
             ('answers garbage', lambda _: b'\xff\0', 'unsupported', 'none that clamd gives'),
             ('answers half an OK', lambda _: b'fd[10]: OK', 'denied', 'closed the connection'),
             ('answers without end', lambda _: b'fd[10]: ' + b'O' * 5000, 'unsupported', 'longer than'),
             ('fails', lambda _: b"fd[10]: Can't allocate memory ERROR\0", 'unsupported', "Can't allocate memory"),
             ('had enough', lambda _: b'fd[10]: Heuristics.Limits.Exceeded.MaxScanTime FOUND\0', 'budget', 'MaxScanTime'),
             ('has no key', lambda _: b'fd[10]: Heuristics.Encrypted.Zip FOUND\0', 'encrypted', 'Encrypted.Zip'))
    for what, answer, code, words in cases:
        with served(folder, answer) as server:
            scan = Scan('dir:' + files, '--clamd', server.path)
        unread = [u for u in scan.report['coverage']['unread'] if words in u['detail']]
        search = scan.report['coverage']['malware_search']
        tap.ok(found_in(scan) == set() and {u['code'] for u in unread} == {code} and search['incomplete'] == len(contents),
               f'clamd {what}: no file is clean', f'{scan.report["coverage"]}\n{scan.words}')
    scan = Scan('dir:' + files, '--clamd', os.path.join(folder, 'nobody'))
    tap.equal(scan.report['coverage']['malware_search']['incomplete'], len(contents), 'nobody listens: no file is clean')
    more = [u for u in scan.report['coverage']['unread'] if u['path'] == '(clamd)']
    tap.ok(len(more) == 1 and more[0]['detail'].startswith(f'{len(contents) - 3} more files') and more[0]['code'] == 'denied',
           'after three it is not asked again, and the others are counted', scan.report['coverage']['unread'])
    hits = []

    def sometimes(content):
        hits.append(content)
        return like_clamd(content) if len(hits) % 3 == 0 else None
    with served(folder, sometimes) as server:
        scan = Scan('dir:' + files, '--clamd', server.path)
    tap.equal((len(hits), scan.report['coverage']['malware_search']['incomplete']), (len(contents), len(contents) - len(contents) // 3),
              'one that answers now and then is asked on')
    with tempfile.TemporaryDirectory() as other, served(folder, like_clamd) as server:
        with open(os.path.join(other, 'too-large'), 'wb') as file:
            file.truncate((100 << 20) + 1)
        write(other, 'after', MARKER)
        scan = Scan('dir:' + other, '--clamd', server.path)
        tap.ok(('too-large', 'too-large') in unread_of(scan) and {p for _, p, _ in found_in(scan)} == {'after'}
               and len(server.seen) == 1, 'a file that is too large is not shown, and said; the next one is', unread_of(scan))
    code, _, words = run('scan', '--clamd', '', 'dir:' + files)
    tap.ok(code == 2 and b'is empty' in words, 'an empty name is an error', words)


def layers(tap, folder):
    """Each layer's worker has a helper of its own; an archive that comes as a stream has one for all of its layers."""
    base = images.debian(images.entry('srv/a', MARKER + b' a'), images.entry('srv/b', MARKER + b' b'))
    top = images.tar(images.entry('srv/.wh.a'), images.entry('srv/c', MARKER + b' c'))
    plain, packed = os.path.join(folder, 'image.tar'), os.path.join(folder, 'image.tar.gz')
    images.docker_archive(plain, base, top)
    with open(plain, 'rb') as source, gzip.open(packed, 'wb') as out:
        shutil.copyfileobj(source, out)
    for path in (plain, packed):
        with served(folder, like_clamd) as server:
            scan = Scan(path, '--clamd', server.path)
            tap.equal(sorted(p for _, p, _ in found_in(scan)), ['srv/a', 'srv/b', 'srv/c'],
                      f'in all layers of {os.path.basename(path)}, deleted or not')
            words = run('explain', '--db', 'embedded', '--clamd', server.path, 'Own.Marker.UNOFFICIAL', path)[1]
            tap.ok(b'a signature of ClamAV matches' in words and b'deleted in layer 2' in words, 'explain', words)


@contextlib.contextmanager
def real_clamd(folder):
    """Debian's, with one signature of our own; None and why where it does not start."""
    database, path, log = (os.path.join(folder, n) for n in ('database', 'clamd.socket', 'clamd.log'))
    os.mkdir(database)
    write(database, 'own.ndb', b'Own.Marker:0:*:' + MARKER.hex().encode() + b'\n')
    write(folder, 'clamd.conf', f'DatabaseDirectory {database}\nLocalSocket {path}\nForeground yes\nLogFile {log}\n'
          f'TemporaryDirectory {folder}\nAlertExceedsMax yes\nAlertEncrypted yes\nMaxFileSize 4M\nMaxScanSize 16M\n'
          'MaxThreads 2\nConcurrentDatabaseReload no\n'.encode())
    with subprocess.Popen([CLAMD, '--config-file=' + os.path.join(folder, 'clamd.conf'), '--foreground'], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as daemon:
        kill = threading.Timer(60, daemon.kill)
        kill.start()
        try:
            # what it prints last before it accepts
            ready = any('Self checking' in line or 'SelfCheck' in line for line in daemon.stdout)
            kill.cancel()
            yield path if ready else None
        finally:
            kill.cancel()
            daemon.kill()


def real(tap, folder, files, contents):
    if not CLAMD:
        tap.skip('Debian\'s clamd', 'clamav-daemon is not installed')
        return
    with real_clamd(folder) as path:
        if not path:
            tap.ok(False, 'clamd starts', open(os.path.join(folder, 'clamd.log'), encoding='utf-8').read())
            return
        asked(tap, folder, files, path, contents)
        with tempfile.TemporaryDirectory() as other:
            write(other, 'large', os.urandom(5 << 20))
            scan = Scan('dir:' + other, '--clamd', path)
            tap.ok(('large', 'too-large') in unread_of(scan), 'its limits are incomplete, where it tells of them', unread_of(scan))


def main():
    tap = Tap()
    contents = {f'plain-{i}': b'text %d\n' % i for i in range(5)}
    contents.update({'small': b'x' + MARKER, 'large': bytes(3 << 20) + MARKER, 'script': b'#!/bin/sh\n'})
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as files:
        for name, content in contents.items():
            write(files, name, content)
        write(files, 'empty', b'')
        not_configured(tap, files)
        with served(folder, like_clamd) as server:
            asked(tap, folder, files, server.path, contents)
            tap.equal(sorted(set(server.seen)), sorted(contents.values()), 'every file was shown, byte for byte; empty ones need not be')
        faults(tap, folder, files, contents)
        layers(tap, folder)
        real(tap, folder, files, contents)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
