#!/usr/bin/env python3
"""`sekisho scan` as processes: Ctrl-C at any time, workers that are killed, and what a worker asks the kernel for."""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import images as I  # noqa: E402
import scan as S  # noqa: E402

T = S.Tap()
ENDS = 60  # seconds within which anything must have ended
PACKAGES = [('curl', '7.74.0-1.3+deb11u1'), ('openssl', '1.1.1w-0+deb11u1')]


class Running:
    """A scan under way, in a process group and with a directory for temporary files of its own."""

    def __init__(self, work, *arguments):
        self.temporary = tempfile.mkdtemp(dir=work)
        self.mark = f'{os.getpid()}.{time.monotonic_ns()}'
        self.process = subprocess.Popen([S.SEKISHO, 'scan', '--db', 'embedded', *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                        env=S.environment(TMPDIR=self.temporary, SEKISHO_MARK=self.mark,
                                                          ASAN_OPTIONS='detect_leaks=0'))  # whose helper is a child that is killed, too

    def children(self):
        try:
            with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children', encoding='ascii') as f:
                return [int(p) for p in f.read().split()]
        except OSError:
            return []

    def await_children(self, n=1):
        """The workers, stopped as soon as there are n of them; fewer if the scan ends before."""
        end = time.monotonic() + ENDS
        while time.monotonic() < end and self.process.poll() is None:
            found = self.children()
            if len(found) >= n:
                return found
        return []

    def end(self):
        """Exit code, output, and who or what is still there. 99: it had to be killed."""
        try:
            out, err = self.process.communicate(timeout=ENDS)
            code = self.process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
            code = 99
        left = [f'process {p}' for p in os.listdir('/proc') if p.isdigit() and self.is_ours(p)]
        left += os.listdir(self.temporary)
        return code, out, err.decode('utf-8', 'replace'), left

    def is_ours(self, pid):
        try:
            with open(f'/proc/{pid}/environ', 'rb') as f:
                return f'SEKISHO_MARK={self.mark}'.encode() in f.read().split(b'\0')
        except OSError:
            return False


def slow_image(work):
    """Three layers; one of them is a file of 2 GB which takes its time to digest and is a hole on the disk."""
    zeros = 2 << 30
    top = I.tar(I.entry('opt/x', b'x' * 100000))
    path = os.path.join(work, 'slow')
    base = I.debian()
    paths = I.oci_layout(path, base, top, top + b'', compression=None)
    manifest = json.loads(open(paths[0], 'rb').read())
    large = os.path.join(path, 'blobs/sha256', 'e' * 64)
    with open(large, 'wb') as f:
        f.write(I.header(b'opt/large', zeros))
        f.truncate(512 + zeros + 1024)
    manifest['layers'][1].update(digest='sha256:' + 'e' * 64, size=os.path.getsize(large))
    text = json.dumps(manifest).encode()
    I.write(os.path.join(path, 'blobs/sha256', I.digest(text)[7:]), text)
    index = json.loads(open(os.path.join(path, 'index.json'), 'rb').read())
    index['manifests'][0].update(digest=I.digest(text), size=len(text))
    I.write(os.path.join(path, 'index.json'), json.dumps(index).encode())
    return path


def interrupts(work, image):
    many = I.tar(*(I.entry(f'usr/share/doc/{i:06}/copyright', b'x' * 10) for i in range(60000)))
    small = I.oci_layout(os.path.join(work, 'many'), I.debian(), many, compression='gzip') and os.path.join(work, 'many')
    dice = random.Random(7)
    outputs = os.path.join(work, 'outputs')
    os.mkdir(outputs)
    bad, seen = [], set()
    for i in range(24):
        target = (image, small)[i % 2]
        number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[i % 3]
        run = Running(work, '-o', f'html={outputs}/r.html', '-o', f'json={outputs}/r.json', '--ledger', f'{outputs}/ledger', target)
        time.sleep(dice.random() * 0.5)  # not a synchronisation: any moment is a good one
        asked = time.monotonic()
        if dice.random() < 0.5:
            os.killpg(run.process.pid, number)
        else:
            run.process.send_signal(number)
        code, _, words, left = run.end()
        took = time.monotonic() - asked
        files = sorted(os.listdir(outputs))
        ended_before = code in (0, 1) and len(files) == 3
        killed_early = code == -number and not files  # before it listens to signals
        seen.add(code)
        if not ended_before and not killed_early and (code != 3 or set(files) - {'r.html', 'r.json', 'ledger'} or 'interrupted' not in words):
            bad.append(f'{i}: {number.name} {target}: exit {code}, files {files}, {words}')
        if left or took > 5:
            bad.append(f'{i}: {number.name} {target}: left {left}, took {took:.1f} s')
        shutil.rmtree(outputs)
        os.mkdir(outputs)
    T.ok(not bad, 'Ctrl-C, SIGTERM and SIGHUP at 24 moments: exit 3 at once, nothing left', '\n'.join(bad))
    T.ok(3 in seen, '  and some of them did interrupt', seen)


def killed_workers(work, image):
    run = Running(work, '-o', 'json', '--fail-on', 'kev', image)
    victims = []
    end = time.monotonic() + ENDS
    while not victims and time.monotonic() < end and run.process.poll() is None:
        for pid in run.children():  # whoever has the large layer open
            try:
                if any(os.readlink(f'/proc/{pid}/fd/{fd}').endswith('e' * 64) for fd in os.listdir(f'/proc/{pid}/fd')):
                    os.kill(pid, signal.SIGKILL)
                    victims.append(pid)
            except OSError:
                pass
    code, out, words, left = run.end()
    report = json.loads(out) if out else None
    unread = report and [(u['path'], u['code']) for u in report['coverage']['unread']]
    T.ok(victims and code == 3 and not left and unread == [('layer 2', 'crashed')], 'a killed worker costs its layer, and exit is 3',
         f'victims {victims}, exit {code}, {unread}, left {left}\n{words}')
    T.ok(report and sorted((p['name'], p['version']) for p in report['packages']) == PACKAGES, '  the others are there', out[:500])
    run = Running(work, '-q', image)
    killed = []
    end = time.monotonic() + ENDS
    while run.process.poll() is None and time.monotonic() < end:
        for pid in run.children():
            try:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            except OSError:
                pass
    code, _, words, left = run.end()
    T.ok(killed and code in (1, 3) and not left, 'whoever kills all workers gets no hang and no "clean"', f'exit {code}, {left}\n{words}')
    run = Running(work, '-q', image)
    run.await_children()
    run.process.kill()
    code, _, _, _ = run.end()
    end = time.monotonic() + 10
    while (left := [p for p in os.listdir('/proc') if p.isdigit() and run.is_ours(p)]) and time.monotonic() < end:
        time.sleep(0.01)
    T.ok(code == -9 and not left and not os.listdir(run.temporary), 'kill -9 of the parent ends its workers, too', f'{code} {left}')


OPENS = re.compile(r'^(?:\[pid +\d+\] |\d+ +)?(\w+)\(')
FORBIDDEN = {'open', 'openat', 'openat2', 'creat', 'socket', 'connect', 'bind', 'execve', 'execveat', 'fork', 'vfork', 'ptrace',
             'unlink', 'unlinkat', 'rename', 'mkdir', 'mkdirat', 'mount', 'kill', 'memfd_create', 'sendto', 'sendmsg', 'pidfd_open'}


def sandboxed(work):
    if not shutil.which('strace'):
        return T.skip('workers open and connect nothing', 'strace is not installed')
    if 'sanitize' in S.SEKISHO:
        return T.skip('workers open and connect nothing', 'a sanitizer does, for itself')
    tars = [I.debian(), I.tar(I.entry('var/lib/rpm/rpmdb.sqlite', b'SQLite format 3\0' + bytes(8000)), I.entry('usr/bin/x', b'\x7fELF' * 100))]
    targets = [I.docker_archive(os.path.join(work, 'a.tar'), *tars)]
    I.oci_layout(os.path.join(work, 'layout'), *tars, compression='zstd')
    targets.append(os.path.join(work, 'layout'))
    with open(targets[0], 'rb') as f:
        targets.append(I.write(os.path.join(work, 'a.tar.gz'), I.squeezed(f.read(), 'gzip')))
    os.makedirs(os.path.join(work, 'root/var/lib/dpkg'))
    I.write(os.path.join(work, 'root/var/lib/dpkg/status'), I.dpkg_status(('x', '1')).encode())
    targets.append(os.path.join(work, 'root'))
    for target in targets:
        log = os.path.join(work, 'strace')
        p = subprocess.run(['strace', '-f', '-o', log, S.SEKISHO, 'scan', '-q', '--db', 'embedded', target], capture_output=True,
                           env=S.environment(), timeout=ENDS)
        if p.returncode not in (0, 1, 3):
            T.skip(f'{os.path.basename(target)}: workers open and connect nothing', 'strace does not run here: ' + p.stderr.decode()[-100:])
            continue
        jailed, sins = set(), []
        family = {}
        with open(log, encoding='utf-8', errors='replace') as lines:
            for line in lines:
                pid, _, call = line.rstrip('\n').partition(' ')
                call = call.strip()
                name = call.split('(')[0]
                if name == 'seccomp' and 'SECCOMP_SET_MODE_FILTER' in call or call.startswith('prctl(PR_SET_SECCOMP'):
                    jailed.add(pid)
                elif name in ('clone', 'clone3') and call.split('= ')[-1].split()[0].isdigit():
                    family[call.split('= ')[-1].split()[0]] = pid
                if (pid in jailed or family.get(pid) in jailed) and name in FORBIDDEN and not call.split('= ')[-1].startswith('-1 E'):
                    sins.append(line.rstrip())
        T.ok(jailed and not sins, f'{os.path.basename(target)}: {len(jailed)} sandboxed processes opened and connected nothing',
             '\n'.join(sins) or 'nobody entered a sandbox')


def main():
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix='sekisho-process-') as work:
        image = slow_image(work)
        for part in (interrupts, killed_workers):
            if not wanted or part.__name__ in wanted:
                part(work, image)
        if not wanted or 'sandboxed' in wanted:
            sandboxed(work)
    return T.end()


sys.exit(main())
