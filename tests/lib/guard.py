"""What the tests of the guard share: a storage of their own (a loop-mounted ext4), containers on overlays in it, the agent with its
alerts, and harmless files that the embedded rules take for malware.

Everything is undone by close(), and a watchdog ends the agent whatever happens: then the kernel answers by itself, and nothing hangs.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'cli'))
import agentlib  # noqa: E402
from agentlib import SEKISHO, WAIT_SECONDS, until  # noqa: E402

# Put together here, so that no scanner finds it in this file.
PAYLOAD = b'# donate.v2.' + b'xmrig --donate-' + b'level 1: harmless, and found by a rule of sekisho\n'
RULE = 'miner-xmrig-program'


def run(*command, timeout=WAIT_SECONDS, **more):
    """Exit code and output of both streams; 99 if it does not end."""
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, **more)
    except subprocess.TimeoutExpired:
        return 99, '(it did not end)'
    return p.returncode, p.stdout.decode('utf-8', 'replace')


def missing():
    """Why these tests cannot run here, or None."""
    if os.geteuid() != 0:
        return 'mounting and fanotify need root'
    for program in ('mkfs.ext4', 'losetup', 'mount', 'runc', 'busybox', 'cc'):
        if not shutil.which(program):
            return program + ' is not installed'
    return None


def links_of(pid):
    """What a process's descriptors lead to."""
    found, folder = [], '/proc/%d/fd' % pid
    try:
        for name in os.listdir(folder):
            found.append(os.readlink(os.path.join(folder, name)))
    except OSError:
        pass
    return found


class Storage:
    """An ext4 of its own in a file, mounted below `work`. path: where."""

    def __init__(self, work, name='storage', megabytes=256):
        self.path, self.file = os.path.join(work, name), os.path.join(work, name + '.img')
        self.mounted = False
        os.mkdir(self.path)
        with open(self.file, 'wb') as f:
            f.truncate(megabytes << 20)
        code, words = run('mkfs.ext4', '-q', '-F', '-O', '^has_journal', self.file)
        if code:
            raise RuntimeError('mkfs.ext4: ' + words)
        code, words = run('mount', '-o', 'loop', self.file, self.path)
        if code:
            raise RuntimeError('mount -o loop: ' + words)
        self.mounted = True

    def close(self):
        if self.mounted and not until(lambda: run('umount', self.path)[0] == 0, 20):
            run('umount', '-l', self.path)
        if os.path.exists(self.file):
            # The kernel lets the device go once nobody has the file system any more.
            until(lambda: not run('losetup', '-j', self.file)[1].strip(), 20)
            os.unlink(self.file)
        if os.path.isdir(self.path):
            os.rmdir(self.path)


class Image:
    """A directory that is the lower layer of containers: busybox, a test program, malware if it is asked for."""

    def __init__(self, storage, name='image', malware=()):
        self.path = os.path.join(storage.path, name)
        for folder in ('bin', 'opt', 'proc', 'dev', 'tmp', 'data', 'etc', 'lib64', 'lib/x86_64-linux-gnu', 'usr/bin'):
            os.makedirs(os.path.join(self.path, folder))
        shutil.copy(shutil.which('busybox'), os.path.join(self.path, 'bin/busybox'))
        for applet in ('sh', 'cp', 'ln', 'cat', 'chmod', 'mkdir', 'env', 'true', 'mv', 'rm', 'sleep', 'touch', 'seq', 'wc', 'dd', 'id'):
            os.symlink('busybox', os.path.join(self.path, 'bin', applet))
        for name_ in ('/lib64/ld-linux-x86-64.so.2', '/lib/x86_64-linux-gnu/libc.so.6'):
            if os.path.exists(name_):
                shutil.copy(name_, self.path + name_)
        shutil.copy('/bin/true', os.path.join(self.path, 'usr/bin/dynamic'))
        for name_ in malware:
            self.put(name_, script(b'echo RAN'))

    def put(self, name, content, mode=0o755):
        path = os.path.join(self.path, name)
        with open(path, 'wb') as f:
            f.write(content)
        os.chmod(path, mode)
        return path

    def compile(self, name, source, *options):
        path = os.path.join(self.path, name)
        code, words = run('cc', '-D_GNU_SOURCE', '-O1', *options, '-o', path, source)
        if code:
            raise RuntimeError('cc: ' + words)
        return path


@contextlib.contextmanager
def place(**storage_options):
    """A directory and a storage in it, which are gone afterwards."""
    work = os.path.realpath(tempfile.mkdtemp())
    storage = None
    try:
        storage = Storage(work, **storage_options)
        yield work, storage
    finally:
        if storage:
            storage.close()
        shutil.rmtree(work, ignore_errors=True)


def run_test(tap, test, **storage_options):
    """Runs test(work, storage), or skips all of it where it cannot be; the exit status."""
    reason = missing()
    if reason:
        print('1..0 # SKIP ' + reason)
        return 0
    with place(**storage_options) as (work, storage):
        test(work, storage)
    return tap.end()


def script(body, payload=PAYLOAD):
    """A shell script that runs `body`, and is malware by its text."""
    return b'#!/bin/sh\n' + payload + body + b'\n'


class Container:
    """A runc container on an overlay in the storage."""

    def __init__(self, work, storage, image, name, volume=None, read_only=False):
        self.id = 'sekisho-guard-%d-%s' % (os.getpid(), name)
        self.bundle = os.path.join(work, 'bundle-' + name)
        self.root = os.path.join(storage.path, name, 'merged')
        self.upper = os.path.join(storage.path, name, 'upper')
        self.volume, self.read_only = volume, read_only
        self.mounted = False
        self.image = image
        for folder in ('upper', 'work', 'merged'):
            os.makedirs(os.path.join(storage.path, name, folder))
        os.mkdir(self.bundle)
        options = 'lowerdir=%s,upperdir=%s,workdir=%s' % (image.path, self.upper, os.path.join(storage.path, name, 'work'))
        code, words = run('mount', '-t', 'overlay', 'overlay', '-o', options, self.root)
        if code:
            raise RuntimeError('overlay: ' + words)
        self.mounted = True

    def start(self, *command, detach=True):
        """Runs it; exit code and output (detached: of the start alone)."""
        config_path = os.path.join(self.bundle, 'config.json')
        if not os.path.exists(config_path):
            run('runc', 'spec', '-b', self.bundle)
        with open(config_path) as f:
            config = json.load(f)
        config['process'].update(terminal=False, args=list(command), env=['PATH=/bin:/usr/bin'])
        config['process'].pop('rlimits', None)
        for capabilities in config['process']['capabilities'].values():
            capabilities += ['CAP_DAC_OVERRIDE', 'CAP_CHOWN', 'CAP_FOWNER', 'CAP_SETFCAP', 'CAP_SYS_ADMIN']
        config['root'] = {'path': self.root, 'readonly': self.read_only}
        config['mounts'] = [m for m in config['mounts'] if m['destination'] in ('/proc', '/dev')]
        if self.volume:
            config['mounts'].append({'destination': '/data', 'type': 'bind', 'source': self.volume, 'options': ['rbind', 'rw']})
        config['linux']['namespaces'] = [n for n in config['linux']['namespaces'] if n['type'] != 'network']
        config['linux'].pop('seccomp', None)
        with open(config_path, 'w') as f:
            json.dump(config, f)
        log = os.path.join(self.bundle, 'log')
        with open(log, 'w+') as out:
            try:
                p = subprocess.run(['runc', 'run', *(['-d'] if detach else []), '-b', self.bundle, self.id], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out, timeout=WAIT_SECONDS)
                code = p.returncode
            except subprocess.TimeoutExpired:
                code = 99
            out.seek(0)
            return code, out.read()

    def run(self, *command):
        return run('runc', 'exec', self.id, *command)

    def sh(self, text, *args):
        return self.run('/bin/sh', '-c', text, 'sh', *args)

    def is_running(self):
        code, words = run('runc', 'state', self.id)
        return code == 0 and json.loads(words)['status'] == 'running'

    def pid(self):
        return json.loads(run('runc', 'state', self.id)[1])['pid']

    def delete(self):
        run('runc', 'delete', '-f', self.id)

    def close(self):
        self.delete()
        if self.mounted and not until(lambda: run('umount', self.root)[0] == 0, 20):
            run('umount', '-l', self.root)
        self.mounted = False


class Agent(agentlib.Agent):
    """With a guard over `storages`. ahead: it may look before it is asked; tests of what it does then want it not to."""

    def __init__(self, work, name, storages, *options, watchdog=300, ahead=False):
        self.quarantine = os.path.join(work, 'quarantine-' + name)
        guards = [x for s in storages for x in ('--guard', s if isinstance(s, str) else s.path)]
        kept = [] if '--quarantine' in options else ['--quarantine', self.quarantine]
        kept += [] if ahead else ['--guard-ahead', 'off']
        self.socket = os.path.join(work, name + '.sock')
        super().__init__(work, name, '--least', 'notice', '--socket', self.socket, *guards, *kept, *options, seconds=watchdog)

    def by_name(self, parent, name):
        for pid in agentlib.children_of(parent):
            try:
                with open('/proc/%d/comm' % pid) as f:
                    if f.read().strip() == name:
                        return pid
            except OSError:
                pass
        return None

    def guardian(self):
        return self.by_name(self.pid(), 'sekisho-guard')

    def scanner(self):
        guardian = self.guardian()
        return guardian and self.by_name(guardian, 'sekisho-scanner')

    def alerts(self, rule=None):
        return [a for a in agentlib.json_lines(self.alerts_path) if a['source'] == 'guard' and rule in (None, a['rule'])]

    def malware(self, **fields):
        """Alerts of malware whose fields are these."""
        return [a for a in self.alerts('Malware on access')
                if all(a['output_fields'].get(k.replace('_', '.')) == v for k, v in fields.items())]
