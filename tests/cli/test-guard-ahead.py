#!/usr/bin/env python3
# alone: agent
"""The guard looks ahead: what lies in the storage is known before anybody executes it, and malware is found before anybody asks for it."""
import os
import re
import resource
import shutil
import signal
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import guard as lib  # noqa: E402  pylint: disable=wrong-import-position
import taplib  # noqa: E402  pylint: disable=wrong-import-position
from guard import Agent, Container, Image, RULE, SEKISHO, script, until  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = os.path.join(lib.HERE, '..', 'tools')
OPTIONS = ('--guard-deadline', '60000')
SLEEPER = '#include <unistd.h>\nstatic const char mark[] __attribute__((used)) = "%s";\nint main(void) { for (;;) pause(); }\n'
WALKED = re.compile(r'looked ahead at (\d+) files in [0-9.]+ s, (\d+) of them were not known(.*)')
tap = taplib.Tap(dict(os.environ))


def walks(agent):
    """Of each walk that is over: files met, files looked at, and what else it says."""
    return [(int(a), int(b), rest) for a, b, rest in WALKED.findall(agent.log())]


def is_through(agent, times=1):
    return until(lambda: len(walks(agent)) >= times)


def wanted(storage):
    """How many files a walk should meet."""
    n = 0
    for folder, _, names in os.walk(storage.path):
        for name in names:
            st = os.lstat(os.path.join(folder, name))
            n += stat.S_ISREG(st.st_mode) and st.st_size > 0 and (bool(st.st_mode & 0o111) or '.so' in name)
    return n


def looks(agent):
    return int(re.search(r'after (\d+) looks', agent.log()).group(1))


def check_options(storage):
    for what, options, words in (('neither on nor off', ['--guard-ahead', 'maybe'], 'takes on or off'),
                                 ('no interval', ['--guard-rescan', '24'], 'as in 24h'), ('none at all', ['--guard-rescan', '0h'], 'as in 24h'),
                                 ('too long', ['--guard-rescan', '366d'], '365d'),
                                 ('no number', ['--guard-rescan', 'h'], 'as in 24h')):
        tap.expect('refused: ' + what, ['timeout', '-s', 'KILL', '30', SEKISHO, 'agent', '--foreground', '--guard', storage.path, *options], 2, [words])


def check_known(work, storage, image):
    """What was looked at ahead is not looked at again when it is executed, in any mode."""
    for mode in ('balanced', 'light', 'strict'):
        seen = []
        for is_used in (False, True):
            n = wanted(storage)
            agent = Agent(work, 'known-%s-%d' % (mode, is_used), [storage], '--guard-mode', mode, *OPTIONS, ahead=True)
            c = None
            try:
                tap.ok(is_through(agent) and walks(agent)[0] == (n, n, ''), mode + ': a walk meets all programs and libraries, and says so',
                       (n, agent.log()))
                if is_used:
                    c = Container(work, storage, image, 'known-' + mode)
                    tap.ok(c.start('/bin/sleep', '1000')[0] == 0 and c.run('/usr/bin/dynamic')[0] == 0 and c.run('/opt/fresh')[0] == 7,
                           mode + ': a container runs what it met', agent.log())
            finally:
                tap.ok(agent.end() == 0 and not agent.alerts(), mode + ': nothing is told', agent.alerts())
                if c:
                    c.close()
                    shutil.rmtree(os.path.join(storage.path, 'known-' + mode), ignore_errors=True)
            seen.append(looks(agent))
        # In strict mode opening asks too: data and the mount points that runc makes are looked at.
        tap.ok(seen[0] >= 4 and (seen[1] == seen[0] or mode == 'strict'), mode + ': nothing is looked at twice', seen)
    agent = Agent(work, 'off', [storage], *OPTIONS)
    tap.ok(agent.end() == 0 and looks(agent) == 0 and not walks(agent), 'switched off: nothing is looked at before it is asked for', agent.log())


def check_malware(work, storage, image):
    """Running, in a container's layer, and in the image alone: what each comes to."""
    source = os.path.join(work, 'sleeper.c')
    with open(source, 'w') as f:
        f.write(SLEEPER % lib.PAYLOAD.decode().strip())
    running = image.compile('opt/running', source, '-static')
    image.put('opt/asleep', script(b'echo RAN'))
    before = os.stat(running)
    c, other = Container(work, storage, image, 'one'), Container(work, storage, image, 'two')
    agent = None
    try:
        tap.ok(c.start('/bin/sleep', '1000')[0] == 0 and other.start('/bin/sleep', '1000')[0] == 0, 'two containers')
        for one in (c, other):
            one.sh('/opt/running >/dev/null 2>&1 </dev/null &')
        c.sh('printf "%s" > /opt/dropped; chmod 755 /opt/dropped' % lib.PAYLOAD.decode().strip())
        agent = Agent(work, 'malware', [storage], *OPTIONS, ahead=True)
        tap.ok(is_through(agent), 'a walk over malware ends', agent.log())
        tap.ok(until(lambda: len(agent.malware(guard_access='ahead')) == 3), 'each file is told once', agent.malware())
        found = {os.path.basename(a['output_fields'].get('fd.name', '')): a['output_fields'] for a in agent.malware(guard_access='ahead')}
        fields = found.get('running', {})
        tap.ok({'killed', 'quarantined', 'removed'} <= set(fields.get('guard.actions', '').split()) and fields.get('malware.rule') == RULE and
               fields.get('guard.count') == 2 and fields.get('container.id') in (c.id, other.id) and fields.get('proc.name') == 'running' and
               fields.get('fd.name') == '/opt/running', 'who runs it is killed in both containers, and one is named', fields)
        tap.ok(until(lambda: '/opt/running' not in c.sh('cat /proc/[0-9]*/cmdline')[1] + other.sh('cat /proc/[0-9]*/cmdline')[1]), 'and is gone')
        tap.ok(c.is_running() and other.is_running() and os.stat(running) == before, "the containers run on, and the image's layer is as it was")
        fields = found.get('dropped', {})
        tap.ok('removed' in fields.get('guard.actions', '') and fields.get('fd.name') == '/opt/dropped' and
               fields.get('file.host_path') == os.path.join(c.upper, 'opt/dropped') and not os.path.exists(os.path.join(c.upper, 'opt/dropped')),
               "what lies in a container's layer is taken out of it", fields)
        fields = found.get('asleep', {})
        tap.ok('removed' not in fields.get('guard.actions', '') and os.path.exists(os.path.join(image.path, 'opt/asleep')) and
               fields.get('fd.name') == os.path.join(image.path, 'opt/asleep'), "what lies in an image's layer is told, and left there", fields)
        got = c.run('/opt/asleep')
        tap.ok(got[0] != 0 and 'RAN' not in got[1], 'and denied when it is executed', got)
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        if agent:
            agent.end()
        c.close()
        other.close()
    for name in ('one', 'two'):
        shutil.rmtree(os.path.join(storage.path, name))
    os.unlink(running)
    os.unlink(os.path.join(image.path, 'opt/asleep'))


def check_traps(work, storage, image):
    """What is no file of the storage is not met; who writes a file is not disturbed."""
    outside = os.path.join(work, 'outside')
    with open(outside, 'wb') as f:
        f.write(script(b'echo RAN'))
    os.chmod(outside, 0o755)
    traps = os.path.join(storage.path, 'traps')
    os.makedirs(os.path.join(traps, *['deep'] * 400))
    os.symlink(outside, os.path.join(traps, 'link'))
    os.symlink(work, os.path.join(traps, 'directory'))
    os.symlink('.', os.path.join(traps, 'loop'))
    os.mkfifo(os.path.join(traps, 'fifo'), 0o755)
    os.mknod(os.path.join(traps, 'device'), 0o777 | stat.S_IFCHR, os.makedev(1, 3))
    elsewhere = os.path.join(traps, 'elsewhere')
    os.mkdir(elsewhere)
    lib.run('mount', '-t', 'tmpfs', 'elsewhere', elsewhere)
    again = os.path.join(traps, 'again')
    os.mkdir(again)
    lib.run('mount', '--bind', image.path, again)
    hidden = os.path.join(image.path, 'opt/hidden')  # below a directory that is bound over itself, as engines do
    os.mkdir(hidden)
    image.put('opt/hidden/mal', script(b'echo RAN'))
    lib.run('mount', '--bind', hidden, hidden)
    agent = None
    try:
        shutil.copy(outside, elsewhere)
        open_one = os.path.join(traps, 'open')
        with open(open_one, 'wb') as writer:
            writer.write(script(b'echo RAN'))
            writer.flush()
            os.chmod(open_one, 0o755)
            agent = Agent(work, 'traps', [storage], '--quarantine', 'none', *OPTIONS, ahead=True)
            tap.ok(is_through(agent) and 'could not be opened' in walks(agent)[0][2], 'a walk over traps ends, and says what it did not open', agent.log())
            tap.ok(until(agent.malware), 'it finds what a mount hides', agent.alerts())
            paths = [a['output_fields'].get('fd.name') for a in agent.malware()]
            tap.ok(paths == [os.path.join(hidden, 'mal')], 'links, devices, other file systems and what is being written are let be', paths)
        tap.ok(until(lambda: len(agent.malware()) == 2), 'what was being written is looked at when it is closed', agent.malware())
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        if agent:
            agent.end()
        for place in (elsewhere, again, hidden):
            lib.run('umount', place)
        shutil.rmtree(hidden)
        lib.run('rm', '-rf', traps)


def waits(agent):
    """The walker, if it is there, and no zombie, for longer than a walk over what is known takes."""
    def find():
        pid = agent.by_name(agent.guardian(), 'sekisho-walker')
        return pid if pid and lib.run('readlink', '/proc/%d/exe' % pid)[0] == 0 else None
    first = find()
    return first if first and not until(lambda: find() != first, 0.5) else None


def check_again(work, storage, image):
    """Again and again; and a walker that dies."""
    for i in range(60):
        image.put('opt/many%d' % i, b'#!/bin/sh\n# %d\n' % i)
    plain = [image.put('opt/plain%d' % i, b'#!/bin/sh\n# plain %d\n' % i, 0o644) for i in range(60)]
    agent = Agent(work, 'again', [storage], '--guard-rescan', '1s', *OPTIONS, ahead=True)
    try:
        tap.ok(is_through(agent, 3), 'it goes again when it is told to', agent.log())
        first, *others = walks(agent)
        tap.ok(first[1] > 60 and all(w[0] == first[0] and w[1] == 0 for w in others), 'and what has not changed is not looked at again', walks(agent))
        scanner = agent.scanner()
        os.kill(scanner, signal.SIGSTOP)  # a walker that meets more than a few unknown files has to wait
        for path in plain:
            os.chmod(path, 0o755)
        found = []
        tap.ok(until(lambda: found.append(waits(agent)) or found[-1]), 'the walker waits while the scanner does not answer', agent.log())
        os.kill(found[-1], signal.SIGKILL)
        os.kill(scanner, signal.SIGCONT)
        tap.ok(until(lambda: 'walker died' in agent.log()), 'a walker that dies is told', agent.log())
        n = len(walks(agent))
        tap.ok(is_through(agent, n + 1) and 'died' not in walks(agent)[-1][2], 'and another one goes the next time', agent.log())
        tap.ok(not agent.alerts(), 'nothing of that is an alert', agent.alerts())
        os.kill(agent.guardian(), signal.SIGKILL)
        tap.ok(until(lambda: walks(agent)[-1][1] > 60), 'after the guardian died all is looked at again', agent.log())
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        agent.end()


def check_few(work, storage, image):
    """Half of the descriptors, and no more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))  # for the rest of this test: leaves 64 descriptors for files
    agent = Agent(work, 'few', [storage], *OPTIONS, ahead=True)
    try:
        tap.ok(is_through(agent) and 'no more descriptors' in walks(agent)[0][2] and walks(agent)[0][0] < 60, 'it stops at half of the descriptors',
               agent.log())
        tap.ok(lib.run(os.path.join(image.path, 'opt/many59'))[0] == 0, 'and the rest runs as before')
        tap.ok(agent.end() == 0 and len(walks(agent)) == 1, 'which is said once', agent.log())
    finally:
        agent.end()


def test(work, storage):
    image = Image(storage)
    image.compile('opt/fresh', os.path.join(TOOLS, 'guard-victim.S'), '-nostdlib', '-static')
    check_options(storage)
    check_known(work, storage, image)
    check_malware(work, storage, image)
    check_traps(work, storage, image)
    check_again(work, storage, image)
    check_few(work, storage, image)


if __name__ == '__main__':
    sys.exit(lib.run_test(tap, test))
