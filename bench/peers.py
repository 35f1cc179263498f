"""The bench `agent-calls`: system calls and programs under what watches them, ours and others', in turns."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from benchlib import AGENT_WAIT_SECONDS, LOOK_SECONDS, SEKISHO, SYSCALLS, Skip, falco_rules, loads, short

SPAWN_SECONDS = 2
BATCHES = 200
FEW_BATCHES = 3  # of what is so slow that noise does not matter
KINDS = ('getppid', 'open', 'spawn')
# What Falco's rules ask for, by those names that auditctl knows.
AUDITED = ('execve,execveat,open,openat,openat2,creat,connect,sendto,sendmsg,unlink,unlinkat,rename,renameat,renameat2,chmod,fchmod,fchmodat,link,linkat,'
           'symlink,symlinkat,mkdir,mkdirat,rmdir,ptrace,setns,unshare,mount,umount2,bpf,userfaultfd,setuid,setresuid,init_module,finit_module,memfd_create')


class Watcher:
    """Something that watches while others are measured: started, known by its words, ended by SIGINT."""

    prefix = ()  # what stands before the command that is measured
    batches = BATCHES

    def __init__(self, command, words):
        self.command, self.words = command, words

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile('w+', encoding='utf-8')
        self.child = subprocess.Popen(['stdbuf', '-oL', *self.command], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        end = time.monotonic() + AGENT_WAIT_SECONDS
        while self.child.poll() is None and time.monotonic() < end:
            if self.words in self.said():
                return self
            time.sleep(LOOK_SECONDS)
        self.end(signal.SIGKILL)
        raise Skip(f'does not run here: {" ".join(self.said().split())[:120]}')

    def said(self):
        with open(self.log.name, encoding='utf-8', errors='replace') as file:
            return file.read()

    def end(self, number):
        if self.child.poll() is None:
            self.child.send_signal(number)
        self.child.wait()

    def __exit__(self, *_):
        self.end(signal.SIGINT)


class Around:
    """Not beside what is measured but around it; without a prefix nothing at all."""

    def __init__(self, *prefix):
        self.prefix, self.batches = prefix, FEW_BATCHES if prefix else BATCHES

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Audit(Watcher):
    """auditd with a configuration and a log of its own. What it leaves in the kernel: see need_audit()."""

    batches = FEW_BATCHES

    def __init__(self):
        super().__init__(['auditd'], '')

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        path = self.folder.name
        with open(os.path.join(path, 'auditd.conf'), 'w', encoding='ascii') as file:
            file.write(f'log_file = {path}/audit.log\nwrite_logs = yes\nlog_format = RAW\nlog_group = root\nflush = INCREMENTAL_ASYNC\nfreq = 50\n'
                       'num_logs = 2\nmax_log_file = 50\nmax_log_file_action = ROTATE\nspace_left = 75\nspace_left_action = IGNORE\n'
                       'admin_space_left = 50\nadmin_space_left_action = IGNORE\ndisk_full_action = IGNORE\ndisk_error_action = IGNORE\n')
        self.command, self.words = ['auditd', '-n', '-s', 'disable', '-c', path], 'DAEMON_START'
        try:
            super().__enter__()
            audit('-D')  # "task,never", of the last time
            audit('-e', '1')
            audit('-b', '8192')
            code, words = audit('-a', 'always,exit', '-F', 'arch=b64', '-S', AUDITED)
            if code:
                self.__exit__()
                raise Skip('auditctl: ' + words.strip())
        except Skip:
            self.folder.cleanup()
            raise
        return self

    def said(self):
        try:
            with open(os.path.join(self.folder.name, 'audit.log'), encoding='utf-8', errors='replace') as file:
                return file.read(1 << 16)
        except OSError:
            return super().said()

    def __exit__(self, *_):
        audit('-D')
        audit('-e', '0')
        audit('-a', 'task,never')
        self.end(signal.SIGTERM)
        self.folder.cleanup()


def audit(*words):
    done = subprocess.run(['auditctl', *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def need_audit():
    """Once auditing was on, every program begun from then on pays for it until the machine starts anew, unless a rule says that none is
    audited; that rule is left. Nobody asks for that who does not say so."""
    if '--audit' not in sys.argv:
        raise Skip('not asked for: --audit (it leaves the rule "task,never" in the kernel)')
    if not shutil.which('auditd'):
        raise Skip('the package auditd is not installed')
    code, words = audit('-s')
    if code:
        raise Skip('the kernel does not audit here: ' + words.strip())
    if 'enabled 0' not in words or audit('-l')[1].strip() not in ('No rules', '-a never,task'):
        raise Skip('auditing is on already, by somebody else')


def bt(tool):
    """A tool of bpftrace's package. It looks for the tracepoints below debugfs, which need not be mounted: in mounts of its own."""
    return ['unshare', '-m', 'sh', '-c', 'mount -t debugfs none /sys/kernel/debug; mount -t tracefs none /sys/kernel/debug/tracing; exec "$@"', 'sh',
            *tool]


def subjects():
    """Name, and what watches; or why that is not here."""
    agent = [SEKISHO, 'agent', '--foreground', '-o', 'none', '--socket', 'none', *falco_rules()]
    all_ = {'nothing': Around(), 'sekisho, lean mode': Watcher([*agent, '--mode', 'lean'], 'watching:'),
            'sekisho, full mode': Watcher([*agent, '--mode', 'full'], 'watching:')}
    peers = {'bpftrace, openat counted': ('bpftrace', bt(['bpftrace', '-e', 'tracepoint:syscalls:sys_enter_openat { @[comm] = count(); } '
                                                          'BEGIN { printf("ready\\n"); }']), 'ready'),
             'opensnoop.bt': ('opensnoop.bt', bt(['opensnoop.bt']), 'PID'), 'execsnoop.bt': ('execsnoop.bt', bt(['execsnoop.bt']), 'PID'),
             'opensnoop (bcc)': ('opensnoop-bpfcc', ['opensnoop-bpfcc'], 'PID'), 'execsnoop (bcc)': ('execsnoop-bpfcc', ['execsnoop-bpfcc'], 'PCOMM')}
    for name, (program, command, words) in peers.items():
        all_[name] = Watcher(command, words) if shutil.which(program) else Skip(program + ' is not installed')
    all_['strace -f'] = Around('strace', '-f', '-o', '/dev/null') if shutil.which('strace') else Skip('strace is not installed')
    all_['strace -f -c'] = Around('strace', '-f', '-c', '-o', '/dev/null') if shutil.which('strace') else Skip('strace is not installed')
    try:
        need_audit()
        all_["auditd, Falco's calls"] = Audit()
    except Skip as reason:
        all_["auditd, Falco's calls"] = reason
    return all_


def measure(watcher, figures):
    with watcher:
        for kind in KINDS:
            n = short(SPAWN_SECONDS) if kind == 'spawn' else watcher.batches
            done = subprocess.run(['taskset', '-c', '1', *watcher.prefix, SYSCALLS, kind, str(n)], capture_output=True, text=True, check=True)
            figures.setdefault(kind, []).append(float(done.stdout.split()[0]))


def bench_agent_calls(rounds):
    """Each pinned to one core, the least of many batches counts."""
    before, all_ = loads(), subjects()
    figures = {name: {} for name in all_}
    print(f'\nagent-calls: {rounds} rounds in turns; load {before} before')
    for _ in range(rounds):
        for name, watcher in all_.items():
            if isinstance(watcher, Skip):
                continue
            try:
                measure(watcher, figures[name])
            except Skip as reason:
                all_[name] = reason
    heads = {'getppid': 'getppid', 'open': 'open+close', 'spawn': 'spawn+exec+wait'}
    lines = [f'{"":26}' + ' '.join(f'{heads[kind]:>24}' for kind in KINDS)]
    first = {kind: min(figures['nothing'][kind]) for kind in KINDS}
    for name, watcher in all_.items():
        if isinstance(watcher, Skip):
            lines.append(f'{name:26} skipped: {watcher}')
        else:
            lines.append(f'{name:26}' + ' '.join(f'{min(figures[name][kind]):12,.0f} ns {min(figures[name][kind]) / first[kind]:7.2f}x' for kind in KINDS))
    print('\n'.join(lines))
    return {'load_before': before, 'load_after': loads(), 'lines': lines}
