#!/usr/bin/env python3
# alone: agent
"""The guard of containers' files, with real runc and podman containers on a loop-mounted ext4 of the test's own: what is denied in each
mode, what is done about it, what is told, what is remembered, and what happens when a part of it dies."""
import calendar
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import guard as lib  # noqa: E402  pylint: disable=wrong-import-position
import taplib  # noqa: E402  pylint: disable=wrong-import-position
from guard import Agent, Container, Image, RULE, SEKISHO, Storage, run, script, until  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = os.path.join(lib.HERE, '..', 'tools')
PATIENT = ('--guard-deadline', '60000')  # a loaded machine is slow, not broken
LIBRARY = 'static const char mark[] __attribute__((used)) = "%s"; __attribute__((constructor)) static void f(void) { _Exit(42); }'
tap = taplib.Tap(dict(os.environ))


class Stage:
    """A storage, an image and containers."""

    def __init__(self, work, storage):
        self.work, self.storage, self.containers, self.n = work, storage, [], 0
        self.image = Image(self.storage, malware=('opt/mal', 'opt/mal2', 'opt/mal3'))
        self.image.compile('usr/bin/race', os.path.join(TOOLS, 'guard-race.c'), '-static', '-pthread')
        self.image.compile('usr/bin/victim', os.path.join(TOOLS, 'guard-victim.S'), '-nostdlib', '-static')
        self.kept = script(b'echo RAN', lib.PAYLOAD.replace(b'mrig', b'mriG') + b'# ' + os.urandom(70000).hex().encode() + b'\n')
        path = self.image.put('opt/kept', self.kept)
        os.chown(path, 1234, 1235)
        os.chmod(path, 0o751)
        os.setxattr(path, 'user.note', b'a note')

    def container(self, image=None, start=True, **more):
        self.n += 1
        c = Container(self.work, self.storage, image or self.image, 'c%d' % self.n, **more)
        self.containers.append(c)
        if start:
            code, words = c.start('/bin/sleep', '1000')
            if code:
                raise RuntimeError(words)
        return c

    def close_containers(self):
        for c in self.containers:
            c.close()
        self.containers = []


def denied(result):
    """It ended with an error, and said nothing that malware says."""
    return result[0] != 0 and 'RAN' not in result[1]


def check_start(stage):
    here = stage.storage.path
    for what, options, code, words in (
            ('a directory that is not there', ['--guard', '/nonexistent'], 3, '/nonexistent'),
            ('the root file system', ['--guard', '/'], 3, '--guard-root'),
            ('an unknown mode', ['--guard', here, '--guard-mode', 'fast'], 2, 'takes balanced, light or strict'),
            ('a deadline of 0', ['--guard', here, '--guard-deadline', '0'], 2, 'from 1 to'),
            ('a quarantine that cannot be', ['--guard', here, '--quarantine', '/dev/null/q'], 3, '/dev/null/q'),
            ('a list that is not there', ['--guard', here, '--hashes', '/nonexistent'], 3, '/nonexistent')):
        tap.expect('refused: ' + what, ['timeout', '-s', 'KILL', '30', SEKISHO, 'agent', '--foreground', '--quarantine', 'none', *options], code, [words])


def check_ps(stage, agent, c):
    """What `ps` says: of a container below the storage, and of one that lies elsewhere."""
    elsewhere = lib.agentlib.Container(stage.work, 'unguarded')

    def protection():
        found = json.loads(run(SEKISHO, 'ps', '--socket', agent.socket, '-o', 'json')[1])['containers']
        return {row['name']: 'malware' in row['protection'] for row in found if row['name'] in (c.id, elsewhere.id)}
    try:
        why = elsewhere.start()
        if why:
            tap.skip('ps says whose files are guarded', why)
        else:
            tap.ok(until(lambda: protection() == {c.id: True, elsewhere.id: False}), 'ps says whose files are guarded', protection())
    finally:
        elsewhere.remove()


def check_responses(stage):
    """Balanced: exec, then everything that is done about it."""
    agent = Agent(stage.work, 'balanced', [stage.storage], *PATIENT)
    tap.ok(agent.is_watching and 'mode balanced' in agent.log(), 'the agent starts with a guard', agent.log())
    try:
        c = stage.container()
        tap.ok(c.sh('echo good') == (0, 'good\n'), 'a clean program runs')
        check_ps(stage, agent, c)
        before = os.stat(os.path.join(stage.image.path, 'opt/mal'))
        tap.ok(denied(c.run('/opt/mal')), "the image's malware is not executed")
        tap.ok(until(lambda: agent.malware(fd_name='/opt/mal')), 'and told', agent.log())
        alert = (agent.malware(fd_name='/opt/mal') or [{'output_fields': {}}])[0]
        fields = alert['output_fields']
        tap.ok(alert.get('priority') == 'Critical' and fields.get('malware.rule') == RULE and len(fields.get('file.sha256', '')) == 64 and
               fields.get('container.id') == c.id and fields.get('proc.pid', 0) > 0 and fields.get('proc.chain') and
               fields.get('guard.access') == 'exec', 'with rule, digest, container and process', alert)
        tap.ok({'denied', 'quarantined', 'removed'} <= set(fields.get('guard.actions', '').split()), 'and what was done', alert)
        tap.ok('No such file' in c.sh('ls /opt/mal || cat /opt/mal')[1], 'the file is gone from the container')
        tap.ok(os.stat(os.path.join(stage.image.path, 'opt/mal')) == before, "but the image's layer is as it was")
        tap.ok(denied(stage.container().run('/opt/mal')), 'another container of the image is denied it too')

        mark = os.path.join(c.upper, 'opt/went-on')
        code, _ = c.sh('/bin/sh -c "/opt/mal2; sleep 30; touch /opt/went-on"; sleep 30; touch /opt/went-on')
        tap.ok(code == 137 and not os.path.exists(mark), 'the processes that wanted it are killed', code)
        tap.ok(until(lambda: any('killed' in a['output_fields']['guard.actions'] for a in agent.malware(fd_name='/opt/mal2'))), 'and told so',
               agent.malware())
        tap.ok(c.is_running(), 'the container itself runs on')

        # Written, then opened: balanced watches what was written until it was looked at.
        c.sh('printf "%s" > /opt/dropped' % lib.PAYLOAD.decode().strip())
        tap.ok(until(lambda: agent.malware(fd_name='/opt/dropped')), 'what is written is looked at when it is closed', agent.alerts())
        tap.ok(until(lambda: not os.path.exists(os.path.join(c.upper, 'opt/dropped'))), 'and removed')
        check_quarantine(stage, agent, c)
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        agent.end()
        stage.close_containers()


def state_of(path):
    st = os.stat(path)
    with open(path, 'rb') as f:
        return (f.read(), st.st_mode, st.st_uid, st.st_gid, st.st_mtime_ns, {n: os.getxattr(path, n) for n in os.listxattr(path)
                                                                             if not n.startswith('trusted.overlay.')})


def check_quarantine(stage, agent, c):
    """Round trip: what comes back is what was taken, byte for byte, with all that belongs to it."""
    def quarantine(*words):
        return run(SEKISHO, 'quarantine', *words, '--quarantine', agent.quarantine)

    place = os.path.join(c.upper, 'opt/kept')
    c.sh('printf g | dd of=/opt/kept bs=1 seek=%d conv=notrunc' % (stage.kept.index(b'xmriG') + 4))
    tap.ok(until(lambda: agent.malware(fd_name='/opt/kept', guard_access='written')), 'a file that becomes malware in place is found',
           agent.alerts())
    fields = (agent.malware(fd_name='/opt/kept') or [{'output_fields': {}}])[0]['output_fields']
    item = fields.get('guard.quarantine', '?')
    tap.ok(until(lambda: not os.path.isfile(place)) and fields.get('file.host_path') == place, 'and taken', fields)

    code, words = quarantine('list', '-o', 'json')
    listed = {i['id']: i for i in json.loads(words)['items']} if code == 0 else {}
    known = listed.get(item, {})
    wanted = {'path': '/opt/kept', 'host_path': place, 'size': len(stage.kept), 'mode': 0o751, 'uid': 1234, 'gid': 1235, 'container_id': c.id,
              'rule': RULE, 'removed': True, 'sha256': fields.get('file.sha256'), 'xattrs': ['user.note=' + b'a note'.hex()]}
    tap.ok({k: known.get(k) for k in wanted} == wanted, 'the item says where it was, whose, and why it was taken', known)
    tap.expect('list for a person', [SEKISHO, 'quarantine', 'list', '--quarantine', agent.quarantine], 0, [item, '/opt/kept', RULE])
    tap.expect('show', [SEKISHO, 'quarantine', 'show', item, '--quarantine', agent.quarantine], 0, ['1234:1235 0751', fields.get('file.sha256')])
    sealed = os.path.join(agent.quarantine, 'objects', fields.get('file.sha256', ''))
    with open(sealed, 'rb') as f:
        bytes_ = f.read()
    tap.ok(b'donate' not in bytes_ and bytes_[:8] == b'SEKISHOQ' and os.stat(agent.quarantine).st_mode & 0o777 == 0o700 and
           os.stat(sealed).st_mode & 0o111 == 0, 'the content is sealed, in a place that only root enters')
    code, words = run(SEKISHO, 'scan', '--db', 'embedded', '-o', 'json', 'dir:' + agent.quarantine)
    tap.ok('"malware"' in words and RULE not in words, 'a scan of the quarantine finds nothing', words[-500:])

    c.sh('echo other > /opt/kept')
    tap.expect('restore replaces nothing', [SEKISHO, 'quarantine', 'restore', item, '--quarantine', agent.quarantine], 3, ['there already', '--force'])
    tap.expect('unless it is told to', [SEKISHO, 'quarantine', 'restore', item, '--force', '--quarantine', agent.quarantine], 0, ['/opt/kept'])
    good = stage.kept.replace(b'xmriG', b'xmri' + b'g')
    got = state_of(place)
    tap.ok(got == (good, 0o100751, 1234, 1235, calendar.timegm(time.strptime(known['mtime'], '%Y-%m-%dT%H:%M:%SZ')) * 10**9 + known['mtime_ns'], {'user.note': b'a note'}),
           'the file is back: content, mode, owner, time, attributes', (got[1:], got[0] == good))
    tap.ok(c.run('/opt/kept') == (0, 'RAN\n'), 'and runs: who restores it has decided')
    tap.ok(until(lambda: agent.alerts('Restored file used')), 'which is told', agent.alerts()[-2:])
    there = os.path.join(stage.work, 'elsewhere')
    quarantine('restore', item, '--to', there)
    tap.ok(state_of(there)[0] == good, '--to brings it elsewhere')

    with open(sealed, 'r+b') as f:
        f.seek(100)
        f.write(b'\0\0\0\0')
    code, words = quarantine('restore', item, '--to', there + '2')
    tap.ok(code == 3 and 'digest differs' in words and not os.path.exists(there + '2'), 'damaged content is not restored', words)
    tap.expect('an item that is not there', [SEKISHO, 'quarantine', 'show', 'q-999', '--quarantine', agent.quarantine], 3, ['q-999'])
    tap.expect('names that are no items', [SEKISHO, 'quarantine', 'delete', '../key', '--quarantine', agent.quarantine], 3, ['no item'])
    tap.expect('delete needs to be told what', [SEKISHO, 'quarantine', 'delete', '--quarantine', agent.quarantine], 2, ['--all'])
    tap.expect('delete one', [SEKISHO, 'quarantine', 'delete', item, '--quarantine', agent.quarantine], 0, [item])
    for other in json.loads(quarantine('list', '-o', 'json')[1])['items']:  # of the same content: it was found at two moments
        if other['sha256'] == fields.get('file.sha256'):
            quarantine('delete', other['id'])
    tap.ok(not os.path.exists(sealed), 'its content goes with the last item that has it')
    tap.expect('delete all', [SEKISHO, 'quarantine', 'delete', '--all', '--quarantine', agent.quarantine], 0, ['deleted'])
    tap.ok(os.listdir(os.path.join(agent.quarantine, 'items')) == os.listdir(os.path.join(agent.quarantine, 'objects')) == [], 'leaves none')


def looks(agent):
    return int(re.search(r'after (\d+) looks', agent.log()).group(1))


def check_cache(stage):
    """A second container of the image, and the same programs again: nothing is looked at twice."""
    seen = []
    for times in (1, 3):
        agent = Agent(stage.work, 'cache-%d' % times, [stage.storage], *PATIENT)
        try:
            for _ in range(times):
                c = stage.container()
                for _ in range(3):
                    c.sh('true; /usr/bin/dynamic; /bin/busybox true; /usr/bin/victim')
        finally:
            code = agent.end()
        seen.append(looks(agent))
        tap.ok(code == 0 and not agent.alerts(), 'nothing is told of clean containers', agent.alerts())
        stage.close_containers()
    tap.ok(seen[0] == seen[1] and seen[0] >= 3, 'what was looked at once is not looked at again, in no container', seen)


def check_strict(stage):
    """Every way to run a file that is not an execution of it."""
    image = Image(stage.storage, 'image-strict', malware=('opt/mal',))
    mark = lib.PAYLOAD.decode().strip()
    source = os.path.join(stage.work, 'evil.c')
    with open(source, 'w') as f:
        f.write(LIBRARY % mark)
    image.compile('opt/evil.so', source, '-shared', '-fPIC')
    with open(source, 'w') as f:
        f.write('#include <stdio.h>\nint main(void) { puts("RAN"); return %d - (int)sizeof("%s"); }' % (len(mark) + 1, mark))
    image.compile('opt/program', source)
    with open(os.path.join(image.path, 'opt/program'), 'ab') as f:
        f.write(lib.PAYLOAD)
    agent = Agent(stage.work, 'strict', [stage.storage], '--guard-mode', 'strict', '--quarantine', 'none', '--guard-response', 'none', *PATIENT)
    try:
        c = stage.container(image)
        ran = c.sh('/lib64/ld-linux-x86-64.so.2 /usr/bin/dynamic && LD_PRELOAD= /usr/bin/dynamic && sh -c "echo good"')
        tap.ok(ran == (0, 'good\n'), 'strict: what is clean runs', ran)
        for what, command in (('exec', '/opt/mal'), ('a shell runs the script', 'sh /opt/mal'), ('it is sourced', '. /opt/mal'),
                              ('on standard input', 'sh < /opt/mal'), ('it is read', 'cat /opt/mal && echo RAN'),
                              ('ld.so runs the program', '/lib64/ld-linux-x86-64.so.2 /opt/program'),
                              ('it is copied', 'cp /opt/mal /opt/copy && /opt/copy'), ('a hard link', 'ln /opt/mal /opt/link && sh /opt/link'),
                              ('it is renamed', 'mv /opt/mal /opt/moved; sh /opt/moved; r=$?; mv /opt/moved /opt/mal; exit $r')):
            got = c.sh(command)
            tap.ok(denied(got), 'strict: ' + what + ': denied', got)
        got = c.sh('LD_PRELOAD=/opt/evil.so /usr/bin/dynamic')
        tap.ok(got[0] != 42, 'strict: a library is not preloaded', got)
        got = c.sh('r() { printf "%s%s" "# donate.v2.xm" "' + mark.split('donate.v2.xm')[1] + '" > /opt/w; }; r; sh /opt/w && echo RAN')
        tap.ok(denied(got), 'strict: written, and run by a shell at once', got)
        got = c.sh('exec 3>/opt/open; echo "' + mark + '" >&3; echo echo RAN >&3; sh /opt/open')
        tap.ok(denied(got), 'strict: run by a shell while its writer still has it open', got)
        host = run('cat', os.path.join(image.path, 'opt/mal'))
        tap.ok(denied(host), 'strict: the host is denied it too', host)
        tap.ok(until(lambda: any(a['output_fields'].get('guard.access') == 'open' for a in agent.malware())), 'which is told', agent.alerts())
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
        tap.ok(run('cat', os.path.join(image.path, 'opt/mal'))[0] == 0, 'and nothing of it stays')
    finally:
        agent.end()
        stage.close_containers()


def check_choices(stage):
    """What options change."""
    volume = os.path.join(stage.storage.path, 'volume')
    os.mkdir(volume)
    with open(os.path.join(volume, 'mal'), 'wb') as f:
        f.write(script(b'echo RAN'))
    os.chmod(os.path.join(volume, 'mal'), 0o755)
    agent = Agent(stage.work, 'dry', [stage.storage], '--guard-dry-run', *PATIENT)
    try:
        c = stage.container(volume=volume)
        got = c.run('/opt/mal')
        tap.ok(got == (0, 'RAN\n'), 'dry run: it runs', got)
        tap.ok(until(lambda: agent.malware(fd_name='/opt/mal')), 'and is told', agent.log())
        fields = agent.malware()[0]['output_fields']
        tap.ok(fields['guard.actions'] == 'would-deny would-kill would-quarantine' and agent.malware()[0]['action'] == 'would-act' and
               os.path.exists(os.path.join(c.root, 'opt/mal')) and not os.path.exists(agent.quarantine), 'with what would have been done', fields)
    finally:
        agent.end()

    agent = Agent(stage.work, 'volume', [stage.storage], '--guard-response', 'none', *PATIENT)
    try:
        tap.ok(denied(c.run('/data/mal')) and until(lambda: agent.malware(fd_name='/data/mal')), 'on a volume: denied', agent.alerts())
        fields = (agent.malware(fd_name='/data/mal') or [{'output_fields': {}}])[0]['output_fields']
        tap.ok('removed' in fields.get('guard.actions', '') and not os.path.exists(os.path.join(volume, 'mal')) and
               fields.get('file.host_path') == os.path.join(volume, 'mal'), 'and removed, by its name in the container', fields)
        read_only = stage.container(read_only=True)
        tap.ok(denied(read_only.run('/opt/mal2')) and until(lambda: [a for a in agent.malware(fd_name='/opt/mal2', container_id=read_only.id)
                                                                     if 'not removed' in a['output_fields'].get('guard.detail', '')]),
               'a read-only root: denied, and said that it was not removed', agent.malware(fd_name='/opt/mal2'))
        tap.ok(denied(read_only.run('/opt/mal2')), 'and denied again')
    finally:
        agent.end()

    agent = Agent(stage.work, 'freeze', [stage.storage], '--guard-response', 'freeze', '--quarantine', 'none', *PATIENT)
    try:
        frozen = stage.container()
        p = subprocess.Popen(['runc', 'exec', frozen.id, '/bin/sh', '-c', '/opt/mal3; sleep 0.5; touch /opt/went-on'],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        tap.ok(until(lambda: any('frozen' in a['output_fields']['guard.actions'] for a in agent.malware())), 'the container is frozen', agent.malware())
        code, words = run(SEKISHO, 'contain', '--actions', os.path.join(stage.work, 'actions.jsonl'), 'thaw', frozen.id)
        tap.ok(code == 0 and p.wait(lib.WAIT_SECONDS) == 0 and os.path.exists(os.path.join(frozen.upper, 'opt/went-on')), 'and thawed', words)
    finally:
        agent.end()

    digest = hashlib.sha256(script(b'echo RAN')).hexdigest()
    allow = os.path.join(stage.work, 'allow')
    with open(allow, 'w') as f:
        f.write(digest + '\n')
    agent = Agent(stage.work, 'allow', [stage.storage], '--allow-hashes', allow, *PATIENT)
    try:
        got = stage.container().run('/opt/mal')
        tap.ok(got == (0, 'RAN\n') and not agent.malware(), 'content that is known to be clean runs', got)
    finally:
        agent.end()
    denied_list = os.path.join(stage.work, 'deny')
    with open(denied_list, 'w') as f:
        with open(os.path.join(stage.image.path, 'usr/bin/victim'), 'rb') as program:
            f.write(hashlib.sha256(program.read()).hexdigest() + ':' + str(os.path.getsize(program.name)) + ':Test.Listed\n')
    zipped = os.path.join(stage.image.path, 'opt/locked.zip')
    run('sh', '-c', 'cd %s && zip -q -P secret locked.zip mal' % os.path.join(stage.image.path, 'opt'))
    os.chmod(zipped, 0o755)
    agent = Agent(stage.work, 'deny', [stage.storage], '--hashes', denied_list, '--guard-incomplete', 'deny', '--quarantine', 'none', *PATIENT)
    try:
        c = stage.container()
        got = c.run('/usr/bin/victim')
        tap.ok(got[0] not in (0, 7) and until(lambda: agent.malware(malware_rule='Test.Listed')), 'a listed digest is denied', got)
        if os.path.exists(zipped):
            got = c.run('/opt/locked.zip')
            tap.ok(got[0] != 0 and 'not permitted' in got[1] and until(lambda: agent.alerts('File not wholly looked at')),
                   'what cannot be looked at in full is denied where that is asked for, and told', got)
    finally:
        agent.end()

    with open(os.path.join(stage.image.path, 'opt/packed'), 'wb') as f:  # a rule that is not sure of it
        f.write(b'\x7fELF\x02\x01\x01' + bytes(57) + b'$Info: This file is packed wi' + b'th the UPX executable packer ' + bytes(64))
    os.chmod(os.path.join(stage.image.path, 'opt/packed'), 0o755)
    agent = Agent(stage.work, 'unsure', [stage.storage], *PATIENT)
    try:
        got = stage.container().run('/opt/packed')
        tap.ok('not permitted' not in got[1] and until(lambda: agent.alerts('Suspicious file on access')) and not agent.malware(),
               'what is only suspicious is told, and not denied', got)
    finally:
        agent.end()

    c = stage.container()
    agent = Agent(stage.work, 'late', [stage.storage], '--guard-deadline', '50', '--guard-late', 'deny', '--quarantine', 'none')
    try:
        scanner = agent.scanner()
        os.kill(scanner, signal.SIGSTOP)
        got = c.run('/usr/bin/race')
        tap.ok(got[0] != 2 and until(lambda: agent.alerts('File not looked at in time')), 'what is not looked at in time is denied, and told', got)
        tap.ok(until(lambda: c.run('/usr/bin/race')[0] == 2), 'a scanner that hangs is replaced', c.run('/usr/bin/race'))
        tap.ok(agent.scanner() != scanner and agent.alerts('Guard restarted'), 'which is told', agent.alerts())
    finally:
        agent.end()
    stage.close_containers()


def check_full_disk(stage):
    """No room for what is taken: still denied, still there, and said."""
    tiny = os.path.join(stage.work, 'tiny')
    os.mkdir(tiny)
    run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tiny', tiny)
    agent = None
    try:
        agent = Agent(stage.work, 'full', [stage.storage], '--quarantine', os.path.join(tiny, 'q'), *PATIENT)
        filler = os.open(os.path.join(tiny, 'filler'), os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(filler, bytes(4096)):
                pass
        except OSError:
            os.close(filler)
        c = stage.container()
        tap.ok(denied(c.run('/opt/mal')) and until(lambda: agent.malware(fd_name='/opt/mal')), 'a full disk: denied', agent.log())
        fields = agent.malware()[0]['output_fields']
        tap.ok('quarantined' not in fields['guard.actions'] and 'No space left' in fields.get('guard.detail', '') and
               os.path.exists(os.path.join(c.root, 'opt/mal')), 'not taken away, and said why', fields)
        tap.ok(denied(c.run('/opt/mal')), 'and denied again')
    finally:
        if agent:
            agent.end()
        stage.close_containers()
        run('umount', tiny)


def check_deaths(stage):
    """kill -9 of the scanner and of the guardian, while programs begin as fast as they can."""
    agent = Agent(stage.work, 'deaths', [stage.storage], '--quarantine', 'none', '--guard-response', 'none', *PATIENT)
    try:
        c = stage.container()
        out = {}

        def work(key, text):
            out[key] = c.sh(text)
        # New files each time, so that the scanner is asked each time.
        loop = 'i=0; while [ $i -lt 150 ]; do i=$((i+1)); cp /opt/src-%s /opt/%s$i; chmod 755 /opt/%s$i; /opt/%s$i; done; echo done'
        c.sh('printf "#!/bin/sh\\necho fine\\n" > /opt/src-good')
        threads = [threading.Thread(target=work, args=('good', loop % (('good',) * 4))),
                   threading.Thread(target=work, args=('bad', 'i=0; while [ $i -lt 150 ]; do i=$((i+1)); /opt/mal; sh -c /opt/mal2; done; echo done'))]
        for t in threads:
            t.start()
        killed = 0
        while any(t.is_alive() for t in threads):
            scanner = agent.scanner()
            if scanner and killed < 30:
                try:
                    os.kill(scanner, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        for t in threads:
            t.join()
        tap.ok(killed > 3 and 'done' in out['bad'][1] and 'RAN' not in out['bad'][1],
               'the scanner is killed %d times: no malware ran' % killed, out['bad'][1][-500:])
        tap.ok(out['good'][1].count('fine') == 150, 'and every clean program did', (out['good'][1].count('fine'), out['good'][1][-300:]))
        tap.ok(until(lambda: agent.alerts('Guard restarted')), 'each death is told', agent.log())

        guardian = agent.guardian()
        os.kill(guardian, signal.SIGKILL)
        tap.ok(until(lambda: agent.guardian() not in (None, guardian)), 'the guardian is killed: another one takes over', agent.log())
        tap.ok(denied(c.run('/opt/mal')) and c.sh('echo good') == (0, 'good\n'), 'which denies and allows as before')
        tap.ok(until(lambda: any('guardian' in a['output_fields'].get('guard.detail', '') for a in agent.alerts('Guard restarted'))), 'and tells',
               agent.alerts('Guard restarted')[-3:])
        victim = agent.pid()
        guardian, scanner = agent.guardian(), agent.scanner()
        os.kill(victim, signal.SIGKILL)
        agent.process.wait(lib.WAIT_SECONDS)
        tap.ok(until(lambda: not any(os.path.exists('/proc/%d' % p) for p in (guardian, scanner))), 'the agent is killed: guardian and scanner end')
        tap.ok(c.run('/opt/mal') == (0, 'RAN\n'), 'and nothing waits: the kernel lets everything run')
    finally:
        agent.end()
        stage.close_containers()


def check_orphans(stage):
    """The guardian dies while programs wait for it: those that it had read of are denied by the next one, and nobody waits for ever."""
    agent = Agent(stage.work, 'orphans', [stage.storage], '--quarantine', 'none', '--guard-response', 'none', *PATIENT)
    scanner = None
    try:
        c = stage.container()
        c.sh('true')
        scanner, guardian = agent.scanner(), agent.guardian()
        os.kill(scanner, signal.SIGSTOP)
        c.sh('for i in 1 2 3; do printf "#!/bin/sh\\necho fine\\n" > /opt/wait$i; chmod 755 /opt/wait$i; done')
        out = []
        threads = [threading.Thread(target=lambda i=i: out.append(c.run('/opt/wait%d' % i))) for i in (1, 2, 3)]
        for t in threads:
            t.start()

        def held():
            """Each file is held once since it was written, and once for who wants to execute it."""
            return sum('/opt/wait' in link for link in lib.links_of(guardian))
        tap.ok(until(lambda: held() >= 6), 'three programs wait for the guardian', (held(), agent.log()))
        os.kill(guardian, signal.SIGKILL)
        for t in threads:
            t.join(lib.WAIT_SECONDS)
        tap.ok(len(out) == 3 and all(denied(got) and 'fine' not in got[1] for got in out), 'it dies: the next one denies them', out)
        got = [a['output'] for a in agent.alerts('Files denied without a look')]
        tap.ok(until(lambda: agent.alerts('Files denied without a look')), 'and tells', got)
        tap.ok(c.run('/opt/wait1') == (0, 'fine\n'), 'the next time they are looked at', agent.log())
    finally:
        if scanner:
            try:
                os.kill(scanner, signal.SIGKILL)
            except ProcessLookupError:
                pass
        agent.end()
        stage.close_containers()


def check_podman(stage):
    """Podman, its store on the guarded file system: container and image are named as podman names them."""
    what = "podman's container"
    if not shutil.which('podman'):
        tap.skip(what, 'podman is not installed')
        return
    storage = Storage(stage.work, 'pods', megabytes=512)
    name, tar = 'sekisho-guard-%d' % os.getpid(), os.path.join(stage.work, 'image.tar')
    settings = os.path.join(stage.work, 'storage.conf')
    with open(settings, 'w') as f:
        f.write('[storage]\ndriver = "overlay"\ngraphroot = "%s/root"\nrunroot = "%s/pods-run"\n' % (storage.path, stage.work))
    os.environ['CONTAINERS_STORAGE_CONF'] = settings
    podman = ['podman', '--runtime', 'runc', '--cgroup-manager', 'cgroupfs']
    limits = ['--ulimit', 'nofile=20000:20000', '--ulimit', 'nproc=20000:20000', '--network', 'none']
    agent = None
    try:
        image = Image(stage.storage, 'image-podman', malware=('opt/mal',))
        run('tar', '-C', image.path, '-cf', tar, '.')
        agent = Agent(stage.work, 'podman', [storage], *PATIENT)
        code, words = run(*podman, 'import', tar, 'localhost/guarded:1')
        if code == 0:
            code, words = run(*podman, 'run', '-d', '--name', name, *limits, 'localhost/guarded:1', '/bin/sleep', '1000')
        if code:
            tap.skip(what, words[-200:])
            return
        got = run(*podman, 'exec', name, '/bin/sh', '-c', 'echo good')
        tap.ok(got == (0, 'good\n'), what + ': what is clean runs', got)
        got = run(*podman, 'exec', name, '/opt/mal')
        tap.ok(denied(got), what + ': malware does not', got)
        tap.ok(until(lambda: agent.malware(fd_name='/opt/mal', container_name=name, container_image='localhost/guarded:1', container_engine='podman')),
               what + ' and its image are named', agent.malware())
    finally:
        run(*podman, 'rm', '-a', '-f', '-t', '0')
        run(*podman, 'rmi', '-a', '-f')
        if agent:
            tap.ok(agent.end() == 0, 'the agent ends', agent.log())
        with open('/proc/mounts') as f:
            points = [line.split()[1] for line in f]
        for point in reversed([p for p in points if p.startswith((storage.path + '/', stage.work + '/pods-run'))]):
            run('umount', point)
        storage.close()


def test(work, storage):
    stage = Stage(work, storage)
    try:
        check_start(stage)
        check_responses(stage)
        check_cache(stage)
        check_strict(stage)
        check_choices(stage)
        check_full_disk(stage)
        check_deaths(stage)
        check_orphans(stage)
        check_podman(stage)
    finally:
        stage.close_containers()


if __name__ == '__main__':
    sys.exit(lib.run_test(tap, test))
