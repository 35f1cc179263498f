#!/usr/bin/env python3
# alone: agent
"""Races against the guard's memory of clean files: what was changed after it was looked at, by every means, must not run. And containers
whose entry point is malware: none runs. Here in small numbers; tests/slow/test-guard-race.py runs this file with large ones."""
import os
import re
import shutil
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import guard as lib  # noqa: E402  pylint: disable=wrong-import-position
import taplib  # noqa: E402  pylint: disable=wrong-import-position
from guard import Agent, Container, Image, run  # noqa: E402  pylint: disable=wrong-import-position

TOOLS = os.path.join(lib.HERE, '..', 'tools')
CHANGES = ('write', 'mmap', 'truncate', 'rename', 'hardlink', 'copy-range', 'uring', 'hold', 'copy-up')
RACES = ('race-write', 'race-mmap', 'race-rename', 'race-uring')
ROUNDS = int(os.environ.get('SEKISHO_TEST_ROUNDS', '100'))          # of each change
CONTAINERS = int(os.environ.get('SEKISHO_TEST_CONTAINERS', '40'))
AT_ONCE = 4
OPTIONS = ('--guard-deadline', '120000', '--quarantine', 'none', '--guard-response', 'none')
tap = taplib.Tap(dict(os.environ))


def numbers(words):
    found = re.search(r'rounds (\d+) clean (\d+) denied (\d+) escaped (\d+) failed (\d+)', words)
    return [int(x) for x in found.groups()] if found else None


def check_races(work, storage, image, mode):
    for i in range(ROUNDS):
        shutil.copy(os.path.join(image.path, 'usr/bin/victim'), os.path.join(image.path, 'opt/lower-%d' % i))
    agent = Agent(work, 'race-' + mode, [storage], '--guard-mode', mode, *OPTIONS, watchdog=3600)
    container = Container(work, storage, image, 'race-' + mode)
    results = {}

    def work_on(method, rounds):
        results[method] = run('runc', 'exec', container.id, '/usr/bin/race', method, str(rounds), '/opt', '/usr/bin/victim', timeout=3000)
    try:
        code, words = container.start('/bin/sleep', '4000')
        if code:
            raise RuntimeError(words)
        todo = [(m, ROUNDS) for m in CHANGES] + [(m, max(1, ROUNDS // 64)) for m in RACES]
        while todo:
            threads = [threading.Thread(target=work_on, args=t) for t in todo[:AT_ONCE]]
            todo = todo[AT_ONCE:]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        for method in CHANGES + RACES:
            code, words = results[method]
            got = numbers(words)
            # Every changed file was denied; the clean ones ran (beside a writer none may).
            good = got and code == 0 and got[0] > 0 and got[3] == 0 and got[4] == 0
            if good and method in CHANGES:
                good = got[2] >= got[0] and (method == 'hold' or got[1] == got[0])
            tap.ok(good, '%s: changed by %s: %s' % (mode, method, words.strip()[-120:]), (code, words[-500:]))
        tap.ok(agent.end() == 0, mode + ': the agent ends', agent.log())
    finally:
        agent.end()
        container.close()


def check_entry_points(work, storage):
    """Started from an image whose entry point is malware, which would leave a mark in the container's own layer."""
    image = Image(storage, 'image-entry')
    image.put('opt/entry', lib.script(b'echo RAN > /opt/mark'))
    agent = Agent(work, 'entry', [storage], *OPTIONS, watchdog=3600)
    failures, lock, numbers_ = [], threading.Lock(), iter(range(CONTAINERS))

    def start_some():
        while True:
            with lock:
                n = next(numbers_, None)
            if n is None:
                return
            c = Container(work, storage, image, 'entry-%d' % n)
            try:
                code, words = c.start('/opt/entry', detach=False)
                if code == 0 or os.path.exists(os.path.join(c.upper, 'opt/mark')) or 'not permitted' not in words:
                    failures.append((n, code, words[-200:]))
            finally:
                c.close()
                shutil.rmtree(os.path.join(storage.path, 'entry-%d' % n), ignore_errors=True)
    try:
        threads = [threading.Thread(target=start_some) for _ in range(AT_ONCE)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        tap.ok(not failures, '%d containers whose entry point is malware: none ran' % CONTAINERS, failures[:5])
        tap.ok(lib.until(lambda: len(agent.malware(fd_name='/opt/entry')) == CONTAINERS), 'and each is told', len(agent.malware()))
        tap.ok(agent.end() == 0, 'the agent ends', agent.log())
    finally:
        agent.end()


def test(work, storage):
    image = Image(storage)
    image.compile('usr/bin/race', os.path.join(TOOLS, 'guard-race.c'), '-static', '-pthread')
    image.compile('usr/bin/victim', os.path.join(TOOLS, 'guard-victim.S'), '-nostdlib', '-static')
    check_races(work, storage, image, 'balanced')
    check_races(work, storage, image, 'strict')
    check_entry_points(work, storage)


if __name__ == '__main__':
    sys.exit(lib.run_test(tap, test, megabytes=512))
