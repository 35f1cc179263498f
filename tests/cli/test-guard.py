#!/usr/bin/env python3
"""The guard of containers' files, with real runc and podman containers on a loop-mounted ext4 of the test's own: what is denied in each
mode, what is done about it, what is told, what is remembered, and what happens when a part of it dies."""
import calendar
import json
import os
import shutil
import sys
import tempfile
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
    """A storage, an image and containers; closed in the end."""

    def __init__(self, work):
        self.work, self.storage, self.containers, self.n = work, Storage(work), [], 0
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

    def close(self):
        self.close_containers()
        self.storage.close()


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
        tap.expect('refused: ' + what, ['timeout', '-s', 'KILL', '30', SEKISHO, 'agent', '--foreground', *options], code, [words])


def check_responses(stage):
    """Balanced: exec, then everything that is done about it."""
    agent = Agent(stage.work, 'balanced', [stage.storage], *PATIENT)
    tap.ok(agent.is_watching and 'mode balanced' in agent.log(), 'the agent starts with a guard', agent.log())
    try:
        c = stage.container()
        tap.ok(c.sh('echo good') == (0, 'good\n'), 'a clean program runs')
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
    tap.ok(not os.path.exists(sealed), 'its content goes with the last item that has it')
    tap.expect('delete all', [SEKISHO, 'quarantine', 'delete', '--all', '--quarantine', agent.quarantine], 0, ['deleted'])
    tap.ok(os.listdir(os.path.join(agent.quarantine, 'items')) == os.listdir(os.path.join(agent.quarantine, 'objects')) == [], 'leaves none')


def main():
    reason = lib.missing()
    if reason:
        print('1..0 # SKIP ' + reason)
        return 0
    work = tempfile.mkdtemp()
    stage = None
    try:
        stage = Stage(work)
        check_start(stage)
        check_responses(stage)
    finally:
        if stage:
            stage.close()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
