#!/usr/bin/env python3
# alone: agent
"""Other rules for malware while the guard runs: what does not load changes nothing, what is the same neither; else another guardian takes
over, and what runs and is malware by the new rules is found. While programs begin all the time, none is lost and none slips through."""
import hashlib
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import guard as lib  # noqa: E402  pylint: disable=wrong-import-position
import taplib  # noqa: E402  pylint: disable=wrong-import-position
from guard import Agent, Container, Image, SEKISHO, run, script, until  # noqa: E402  pylint: disable=wrong-import-position

OPTIONS = ('--guard-deadline', '60000')
SLEEPER = '#include <unistd.h>\nstatic const char mark[] __attribute__((used)) = "%s";\nint main(void) { for (;;) pause(); }\n'
CHANGES = int(os.environ.get('SEKISHO_TEST_CHANGES', '6'))
tap = taplib.Tap(dict(os.environ))


def digest_of(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


class Lists:
    """The files that the agent reads its rules from."""

    def __init__(self, work):
        self.hashes, self.yara = os.path.join(work, 'hashes'), os.path.join(work, 'rules.yar')
        self.lines = [hashlib.sha256(os.urandom(8)).hexdigest()]
        self.write()
        self.rule('a text that is nowhere, ' + os.urandom(4).hex())
        self.options = ('--hashes', self.hashes, '--yara', self.yara)

    def write(self, *more):
        with open(self.hashes, 'w') as f:
            f.write(''.join(line + '\n' for line in (*self.lines, *more)))

    def rule(self, text):
        with open(self.yara, 'w') as f:
            f.write('rule Test_Reloaded { strings: $a = "%s" condition: $a }\n' % text)


def check_reload(work, storage, image):
    lists = Lists(work)
    source, mark = os.path.join(work, 'sleeper.c'), 'known later ' + os.urandom(8).hex()
    with open(source, 'w') as f:
        f.write(SLEEPER % mark)
    sleeper = image.compile('usr/bin/sleeper', source, '-static')
    agent = Agent(work, 'reload', [storage], *lists.options, *OPTIONS, ahead=True)
    c = Container(work, storage, image, 'reload')
    try:
        tap.ok(c.start('/bin/sleep', '1000')[0] == 0, 'a container starts', agent.log())
        c.sh('cp /usr/bin/sleeper /opt/sleeper; /opt/sleeper >/dev/null 2>&1 </dev/null & /usr/bin/sleeper >/dev/null 2>&1 </dev/null &')
        first = agent.guardian()

        agent.send(signal.SIGHUP)
        tap.ok(until(lambda: 'rules for malware are the same' in agent.log()), 'the same rules: it says so', agent.log())
        lists.write('this is no digest')
        agent.send(signal.SIGHUP)
        tap.ok(until(lambda: 'not loaded anew' in agent.log()) and lists.hashes in agent.log().split('not loaded anew')[1], 'rules that do not load: it says why',
               agent.log())
        lists.write()
        with open(lists.yara, 'a') as f:
            f.write('rule Broken {')
        agent.send(signal.SIGHUP)
        tap.ok(until(lambda: agent.log().count('not loaded anew') == 2), 'nor YARA rules that do not compile', agent.log())
        tap.ok(agent.guardian() == first and not agent.malware(malware_rule='Test_Reloaded') and c.run('/opt/mal')[0] != 0, 'and the old ones stay', agent.alerts())

        lists.rule(mark)
        code, words = run(SEKISHO, 'agent', 'reload', '--socket', os.path.join(work, 'reload.sock'))
        tap.ok(code == 0 and until(lambda: 'are others now' in agent.log()), 'other rules: another guardian', (words, agent.log()))
        tap.ok(until(lambda: len(agent.malware(malware_rule='Test_Reloaded', guard_access='ahead')) == 2), 'what was there is found', agent.alerts())
        found = {a['output_fields'].get('fd.name'): set(a['output_fields']['guard.actions'].split()) for a in agent.malware(malware_rule='Test_Reloaded')}
        tap.ok(all({'killed', 'quarantined', 'removed'} <= found.get(name, set()) for name in ('/opt/sleeper', '/usr/bin/sleeper')),
               'who runs it is killed, in the image as in the upper layer', found)
        tap.ok(c.is_running() and os.path.exists(sleeper) and not os.path.exists(os.path.join(c.upper, 'opt/sleeper')), 'and it is taken away')
        tap.ok(until(lambda: not os.path.exists('/proc/%d' % first)) and agent.guardian() not in (None, first), 'the guardian before has ended')
        second = agent.guardian()
        os.kill(second, signal.SIGKILL)
        tap.ok(until(lambda: agent.guardian() not in (None, second)), 'the new one dies: another one follows', agent.log())
        other = Container(work, storage, image, 'other')
        try:
            got = other.start('/usr/bin/sleeper', detach=False)
            # Whoever wanted it is killed; that may be before he has said that he was denied it.
            tap.ok(got[0] != 0 and until(lambda: any('denied' in a['output_fields']['guard.actions'].split() for a in
                                                     agent.malware(malware_rule='Test_Reloaded', guard_access='exec'))),
                   'and has the new rules', (got, agent.alerts()[-3:]))
        finally:
            other.close()
        tap.ok(c.sh('echo good') == (0, 'good\n') and agent.end() == 0, 'the agent ends', agent.log())
    finally:
        agent.end()
        c.close()


def check_gap(work, storage, image, mode):
    """Programs begin, files are written and opened, all the time, while rules change and change again."""
    lists = Lists(work)
    agent = Agent(work, 'gap-' + mode, [storage], *lists.options, '--guard-mode', mode, '--quarantine', 'none', '--guard-response', 'none', *OPTIONS, ahead=True)
    c = Container(work, storage, image, 'gap-' + mode)
    out, stop = {}, os.path.join(c.root, 'opt/stop')

    def work_on(key, text):
        out[key] = c.sh(text)
    try:
        tap.ok(c.start('/bin/sleep', '1000')[0] == 0, 'a container starts', agent.log())
        loop = 'n=0; while [ ! -e /opt/stop ]; do n=$((n+1)); %s; done; echo did $n'
        texts = {'good': loop % '/bin/busybox true || echo LOST', 'fresh': loop % 'cp /usr/bin/dynamic /opt/t; chmod 755 /opt/t; [ "$(/opt/t; echo $?)" = 0 ] || echo LOST',
                 'bad': loop % '/opt/mal'}
        if mode == 'strict':  # elsewhere its own writer may be faster than the closing of the file is heard of
            texts['written'] = loop % ('printf "%s" > /opt/w; cat /opt/w; rm /opt/w' % lib.PAYLOAD.decode().strip())
        threads = [threading.Thread(target=work_on, args=item) for item in texts.items()]
        for t in threads:
            t.start()
        for i in range(CHANGES):
            lists.write(hashlib.sha256(b'%d' % i).hexdigest())
            agent.send(signal.SIGHUP)
            if not until(lambda i=i: agent.log().count('are others now') > i):
                break
        with open(stop, 'w'):
            pass
        for t in threads:
            t.join()
        tap.ok(agent.log().count('are others now') == CHANGES, '%d other sets of rules' % CHANGES, agent.log())
        words = {'good': 'no clean program is lost', 'fresh': 'nor one that was just written', 'bad': 'no malware is executed',
                 'written': 'nor read after it was written'}
        for key in texts:
            tap.ok('did' in out[key][1] and 'LOST' not in out[key][1] and 'RAN' not in out[key][1] and 'donate' not in out[key][1],
                   mode + ': ' + words[key], out[key][1][-300:])
        tap.ok(not [a for a in agent.alerts('Guard restarted')], 'none of it died', agent.alerts('Guard restarted'))
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        agent.end()
        c.close()


def test(work, storage):
    image = Image(storage)
    image.put('opt/mal', script(b'echo RAN'))
    check_reload(work, storage, image)
    image.put('opt/mal', script(b'echo RAN'))
    check_gap(work, storage, image, 'balanced')
    check_gap(work, storage, image, 'strict')


if __name__ == '__main__':
    sys.exit(lib.run_test(tap, test))
