#!/usr/bin/env python3
# alone: agent
"""The guard's light mode: executions ask, what was written is looked at afterwards and its readers do not wait. And files of which the file
system gives no lease: they are looked at each time, and not taken for files that somebody writes."""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import guard as lib  # noqa: E402  pylint: disable=wrong-import-position
import taplib  # noqa: E402  pylint: disable=wrong-import-position
from guard import Agent, Container, Image, run, script, until  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = os.path.join(lib.HERE, '..', 'tools')
OPTIONS = ('--guard-deadline', '60000')
tap = taplib.Tap(dict(os.environ))


def denied(result):
    return result[0] != 0 and 'RAN' not in result[1]


def check_light(work, storage, image):
    image.put('opt/mal', script(b'echo RAN'))
    c = Container(work, storage, image, 'light')
    agent = Agent(work, 'light', [storage], '--guard-mode', 'light', *OPTIONS)
    try:
        tap.ok(agent.is_watching and 'mode light' in agent.log(), 'the agent starts in light mode', agent.log())
        tap.ok(c.start('/bin/sleep', '1000')[0] == 0 and c.sh('echo good') == (0, 'good\n'), 'what is clean runs')
        tap.ok(denied(c.run('/opt/mal')) and until(lambda: agent.malware(fd_name='/opt/mal', guard_access='exec')), 'malware is not executed',
               agent.alerts())
        tap.ok('No such file' in c.sh('ls /opt/mal')[1], 'and taken away')
        text = lib.PAYLOAD.decode().strip()
        os.kill(agent.scanner(), signal.SIGSTOP)
        got = c.sh('printf "%s" "$1" > /opt/dropped; cat /opt/dropped', text)
        tap.ok(got == (0, text), 'who reads what was just written does not wait', got)
        tap.ok(not agent.malware(fd_name='/opt/dropped'), 'it was not looked at yet')
        os.kill(agent.scanner(), signal.SIGCONT)
        tap.ok(until(lambda: agent.malware(fd_name='/opt/dropped', guard_access='written')), 'but it is, afterwards', agent.alerts())
        fields = (agent.malware(fd_name='/opt/dropped') or [{'output_fields': {}}])[0]['output_fields']
        tap.ok({'quarantined', 'removed'} <= set(fields.get('guard.actions', '').split()) and
               not os.path.exists(os.path.join(c.upper, 'opt/dropped')), 'and quarantined', fields)
        got = c.sh('printf "#!/bin/sh\\necho fine\\n" > /opt/good && chmod 755 /opt/good && /opt/good')
        tap.ok(got == (0, 'fine\n'), 'what was written and is clean runs', got)
        got = c.sh('exec 3>>/opt/good; /opt/good; echo ended $?')
        tap.ok('fine' not in got[1] and until(lambda: agent.alerts('Program executed while it can be written')),
               'but not while somebody has it open for writing', got)
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        agent.end()
        c.close()


def check_unleased(work, storage, image):
    shim = os.path.join(work, 'no-lease.so')
    code, words = run('cc', '-D_GNU_SOURCE', '-O1', '-shared', '-fPIC', '-o', shim, os.path.join(TOOLS, 'no-lease.c'))
    if code:
        tap.skip('files without leases', words[-200:])
        return
    image.compile('opt/unleased', os.path.join(TOOLS, 'guard-victim.S'), '-nostdlib', '-static')
    image.put('opt/unleased-mal', script(b'echo RAN'))
    image.put('opt/unleased-script', b'#!/bin/sh\necho fine\n')
    os.environ.update(LD_PRELOAD=shim, ASAN_OPTIONS='verify_asan_link_order=0')  # the second: of a build with sanitizers
    try:
        agent = Agent(work, 'unleased', [storage], *OPTIONS)
    finally:
        del os.environ['LD_PRELOAD'], os.environ['ASAN_OPTIONS']
    c = Container(work, storage, image, 'unleased')
    try:
        tap.ok(c.start('/bin/sleep', '1000')[0] == 0, 'a container starts', agent.log())
        ran = [c.run('/opt/unleased')[0] for _ in range(5)]
        tap.ok(ran == [7] * 5 and not agent.alerts('Program executed while it can be written'), 'a clean program without leases runs', (ran, agent.alerts()))
        with open(os.path.join(image.path, 'opt/unleased-script'), 'ab'):
            got = c.run('/opt/unleased-script')
        tap.ok(got == (0, 'fine\n'), 'also while somebody can write it: nobody can tell', got)
        tap.ok(denied(c.run('/opt/unleased-mal')) and until(agent.malware), 'malware does not', agent.alerts())
        c.sh('printf "%s" > /opt/unleased-script' % lib.PAYLOAD.decode().strip())
        tap.ok(denied(c.run('/opt/unleased-script')), 'nor what became malware since it was looked at')
        told = agent.alerts('Files looked at each time')
        tap.ok(len(told) == 1 and 'Invalid argument' in told[0]['output'] and 'unleased' in told[0]['output_fields']['fd.name'], 'which is told once', told)
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
        looks = int(re.search(r'after (\d+) looks', agent.log()).group(1))
        tap.ok(looks >= 8, 'each execution was looked at', looks)
    finally:
        agent.end()
        c.close()


def test(work, storage):
    image = Image(storage)
    check_light(work, storage, image)
    check_unleased(work, storage, image)


if __name__ == '__main__':
    sys.exit(lib.run_test(tap, test))
