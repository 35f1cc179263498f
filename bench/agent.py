"""The bench `agent`: what watching costs who is watched, and what the agent itself needs."""
import concurrent.futures
import datetime
import json
import os
import re
import select
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from benchlib import (LOOK_SECONDS, ROOT, SYSCALLS, Skip, end_agent, events_and_losses, falco_rules, family, family_pss, family_seconds, loads, need,
                      say, short, start_agent)

SPAWN_SECONDS = 5
BATCHES = 1000
FLOOD_SECONDS = 60
CONTAINERS = 200
CHURN_TURNS = 8
FORGET_SECONDS = 35  # the agent looks for containers that have ended every 30 s
REST_SECONDS = 65  # and gives back then what nobody has needed since the look before
SETTLE_SECONDS = 5
IDLE_SECONDS = 30
FILES = 1000
FILE_TURNS = 20
TRIGGERS = 200
TRIGGERS_A_CONTAINER = 50  # more would be held back: serve/limit.h
TRIGGER_PAUSE_SECONDS = 0.02

# What was promised.
CALL_PERCENT = 3
CHURN_SECONDS = 60
CHURN_PERCENT = 3  # more memory than before the first turn
IDLE_PERCENT = 2
IDLE_BYTES = 60_000_000


def bar(good, words):
    """A promise and whether it was kept."""
    return f'{"" if good else "NOT "}kept: {words}'


def libraries_of_tests():
    """The containers of the tests are those of the benches."""
    for folder in ('cli', 'lib'):
        path = os.path.join(ROOT, 'tests', folder)
        if path not in sys.path:
            sys.path.insert(0, path)


# --- what a call costs ---

def calls(rounds):
    """Lean mode against nothing, in turns; each pinned to one core, the least of many batches counts."""
    kinds = {'getppid': ['getppid', str(BATCHES)], 'open+close': ['open', str(BATCHES)], 'UDP connect again': ['connect', str(BATCHES)],
             'UDP send again': ['send', str(BATCHES)], 'spawn+exec+wait': ['spawn', str(short(SPAWN_SECONDS))]}
    promised = ('getppid', 'open+close')
    figures = {kind: {False: [], True: []} for kind in kinds}
    for _ in range(rounds):
        for with_agent in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                agent = start_agent(folder) if with_agent else None
                try:
                    for kind, words in kinds.items():
                        done = subprocess.run(['taskset', '-c', '1', SYSCALLS, *words], capture_output=True, text=True, check=True)
                        figures[kind][with_agent].append(float(done.stdout.split()[0]))
                finally:
                    if agent:
                        end_agent(agent, folder)
    for kind, both in figures.items():
        without, with_it = min(both[False]), min(both[True])
        percent = 100 * (with_it / without - 1)
        promise = '   ' + bar(percent <= CALL_PERCENT, f'at most {CALL_PERCENT} %') if kind in promised else ''
        yield (f'{kind:18} {without:10.1f} ns without {with_it:10.1f} ns in lean mode   {with_it - without:+8.1f} ns {percent:+6.1f} %'
               f'{promise}')


# --- more programs than anybody runs ---

def flood(_):
    with tempfile.TemporaryDirectory() as folder:
        agent = start_agent(folder)
        seconds = short(FLOOD_SECONDS)
        try:
            all_ = [subprocess.Popen([SYSCALLS, 'spawn', str(seconds)], stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count())]
            rate = sum(float(one.communicate()[0].split()[1]) for one in all_)
        finally:
            used, peak, words = end_agent(agent, folder)
    events, lost = events_and_losses(words)
    yield (f'{rate:,.0f} programs a second on {os.cpu_count()} cores for {seconds} s: {events:,} events, {lost} lost; the agent took {used:.2f} s of '
           f'processor ({1e6 * used / max(events, 1):.1f} us an event), peak {peak / 1e6:.1f} MB   {bar(lost == 0, "nothing lost")}')


# --- containers that come and go ---

CHURN_RULE = """
- rule: A container began
  desc: of the bench
  condition: evt.type in (execve, execveat) and proc.in_container = true and proc.args contains {mark}
  output: "%container.name"
  priority: WARNING
"""


def come_and_go(bundle, name):
    quiet = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, 'timeout': 60}
    try:
        return subprocess.run(['runc', 'run', '-b', bundle, name], check=False, **quiet).returncode
    finally:
        subprocess.run(['runc', 'delete', '-f', name], check=False, **quiet)


def held_by(pid):
    """Of an agent and its children: memory, what of it is no file's, descriptors, threads."""
    all_ = family(pid)
    fds, threads = (sum(len(os.listdir(f'/proc/{one}/{what}')) for one in all_) for what in ('fd', 'task'))
    return family_pss(pid), family_pss(pid, 'Pss_Anon'), fds, threads


def churn(_):
    """Containers of runc, as many at once as there are cores: each must be told of, and the agent must forget them all. It has met one before,
    so that what is touched once and stays (code, rings) is no part of what is compared."""
    need('runc', 'busybox')
    libraries_of_tests()
    import agentlib  # pylint: disable=import-outside-toplevel
    n, mark = short(CONTAINERS), f'bench-churn-{os.getpid()}'
    with tempfile.TemporaryDirectory() as folder:
        container = agentlib.Container(folder, 'churn')
        agent = None
        try:
            why = container.start()
            if why:
                raise Skip(why)
            with open(os.path.join(container.work, 'config.json'), 'r+', encoding='utf-8') as file:
                config = json.load(file)
                config['process']['args'] = ['/bin/sh', '-c', 'exit 0', mark]  # ends by itself: whoever kills it may be faster than its exec
                file.seek(0)
                json.dump(config, file)
                file.truncate()
            rules = os.path.join(folder, 'rules.yaml')
            with open(rules, 'w', encoding='utf-8') as file:
                file.write(CHURN_RULE.format(mark=mark))
            own = [word for name in ('runtime', 'files', 'network', 'privileges') for word in ('-r', os.path.join(ROOT, 'data/rules', name + '.yaml'))]
            agent = start_agent(folder, *own, '-r', rules)
            come_and_go(container.work, mark + '-first')
            time.sleep(short(REST_SECONDS))
            held, seconds, failed = [held_by(agent.pid)], [], 0
            for turn in range(CHURN_TURNS):
                began = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
                    failed += sum(code != 0 for code in pool.map(lambda i: come_and_go(container.work, f'{mark}-{i}'), range(turn * n, turn * n + n)))
                seconds.append(time.monotonic() - began)
                time.sleep(short(REST_SECONDS if turn == CHURN_TURNS - 1 else FORGET_SECONDS))
                held.append(held_by(agent.pid))
            _, _, words = end_agent(agent, folder)
            agent = None
            with open(os.path.join(folder, 'alerts'), encoding='utf-8') as file:
                alerts = [json.loads(line) for line in file]
            told = len({a['output_fields']['container.name'] for a in alerts if a['rule'] == 'A container began'})
        finally:
            if agent:
                end_agent(agent, folder)
            container.remove()
    _, lost = events_and_losses(words)
    wanted = n * CHURN_TURNS + 1
    yield (f'{n} containers begun and ended in {seconds[0]:.1f} s, and {CHURN_TURNS - 1} times again ({failed} failed): {told} of {wanted} told of, {lost} events lost   '
           f'{bar(max(seconds) <= CHURN_SECONDS and told == wanted and not lost, f"within {CHURN_SECONDS} s, nothing lost")}')
    memory, percent = [h[0] for h in held], 100 * (held[-1][0] / held[0][0] - 1)
    yield (f'    PSS of the agent: {memory[0] / 1e6:.1f} MB before, {", ".join(f"{m / 1e6:.1f}" for m in memory[1:])} MB {FORGET_SECONDS} s after each turn, '
           f'the last one after {REST_SECONDS} s ({percent:+.1f} %)   {bar(percent <= CHURN_PERCENT, f"at most {CHURN_PERCENT} % more")}')
    yield (f'    without what is mapped of files, which changes with who else maps it: {held[0][1] / 1e6:.2f} MB before, then '
           f'{", ".join(f"{h[1] / 1e6:.2f}" for h in held[1:])} MB')
    fds, threads = ([h[i] for h in held] for i in (2, 3))
    yield (f'    descriptors {fds[0]} before, {fds[-1]} after; threads {threads[0]} and {threads[-1]}   '
           f'{bar(fds[-1] <= fds[0] and threads[-1] <= threads[0], "no more than before")}')


# --- files of a container ---

def work_on_files(root):
    """Made, written, renamed, removed, in a place that nobody watches; how many of these there were, and for how many seconds."""
    place, began = os.path.join(root, 'opt/work'), time.monotonic()
    os.makedirs(place, exist_ok=True)
    names = [os.path.join(place, str(i)) for i in range(short(FILES))]
    for _ in range(FILE_TURNS):
        for name in names:
            with open(name, 'w', encoding='utf-8') as file:
                file.write('x' * 100)
        for name in names:
            os.rename(name, name + '.b')
        for name in names:
            os.unlink(name + '.b')
    return 3 * len(names) * FILE_TURNS, time.monotonic() - began


def files(_):
    """What the agent needs where a container works on files, with its own list of what is watched and with none. The work is done from
    outside, which is the same to the kernel's file events."""
    need('runc', 'busybox')
    libraries_of_tests()
    import agentlib  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory() as folder:
        container = agentlib.Container(folder, 'files')
        try:
            why = container.start()
            if why:
                raise Skip(why)
            for name, options in (('as by default', ()), ('--watch none', ('--watch', 'none'))):
                agent = start_agent(folder, *options)
                before = family_seconds(agent.pid)
                try:
                    n, seconds = work_on_files(container.root)
                    time.sleep(short(SETTLE_SECONDS))
                    used = family_seconds(agent.pid) - before
                finally:
                    _, peak, words = end_agent(agent, folder)
                lost = re.search(r'lost (\d+) times', words)
                yield (f'{n:,} files made, renamed or removed in a container in {seconds:.1f} s, {name}: {used:.2f} s of processor, peak {peak / 1e6:.1f} MB'
                       + (f'   {bar(lost.group(1) == "0", "nothing lost")}' if lost else ''))
        finally:
            container.remove()


# --- nothing to do ---

def idle_words(name, pid):
    time.sleep(short(SETTLE_SECONDS))
    used, began = family_seconds(pid), time.monotonic()
    time.sleep(short(IDLE_SECONDS))
    percent = 100 * (family_seconds(pid) - used) / (time.monotonic() - began)
    n, size = len(family(pid)), family_pss(pid)
    return (f'{name}: {percent:.2f} % of a core, PSS {size / 1e6:.1f} MB in {n} processes   '
            f'{bar(percent <= IDLE_PERCENT and size <= IDLE_BYTES, f"{IDLE_PERCENT} %, {IDLE_BYTES // 1_000_000} MB")}')


def idle(_):
    with tempfile.TemporaryDirectory() as folder:
        agent = start_agent(folder)
        try:
            yield idle_words('idle, lean mode', agent.pid)
        finally:
            end_agent(agent, folder)
    libraries_of_tests()
    import guard  # pylint: disable=import-outside-toplevel
    reason = guard.missing()
    if reason:
        yield f'idle, full mode and guard: skipped: {reason}'
        return
    try:
        rules = falco_rules()
    except Skip:
        rules = []
    with tempfile.TemporaryDirectory() as folder:
        storage = guard.Storage(folder)
        try:
            agent = start_agent(folder, '--mode', 'full', '--guard', storage.path, '--quarantine', os.path.join(folder, 'quarantine'), *rules)
            try:
                yield idle_words(f"idle, full mode {'with Falco' + chr(39) + 's rules ' if rules else ''}and guard", agent.pid)
            finally:
                end_agent(agent, folder)
        finally:
            storage.close()


# --- from the kernel to the line in the file ---

class Lines(threading.Thread):
    """Reads lines as they come, before anybody else runs: [(when, line)]."""

    def __init__(self, fd):
        super().__init__(daemon=True)
        self.fd, self.lines, self.is_over = fd, [], False

    def run(self):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        rest = b''
        while not self.is_over:
            if not select.select([self.fd], [], [], LOOK_SECONDS)[0]:
                continue
            piece, now = os.read(self.fd, 1 << 16), time.time_ns()
            if not piece:  # the agent has not opened it yet, or has ended
                time.sleep(LOOK_SECONDS)
            *whole, rest = (rest + piece).split(b'\n')
            self.lines += [(now, line) for line in whole]


def nanoseconds(text):
    """Of a time as alerts have it, since 1970."""
    seconds, part = text.rstrip('Z').split('.')
    return int(datetime.datetime.fromisoformat(seconds + '+00:00').timestamp()) * 10**9 + int(part.ljust(9, '0'))


def latencies(nice, containers):
    """Milliseconds from each event to its line; the alerts go to a FIFO, so that the line is seen when it is written."""
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(os.path.join(folder, 'alerts'))
        reader = Lines(os.open(os.path.join(folder, 'alerts'), os.O_RDONLY | os.O_NONBLOCK))
        reader.start()
        agent = start_agent(folder, nice=nice)
        load = subprocess.Popen(['taskset', '-c', '1', SYSCALLS, 'spawn', '600'], stdout=subprocess.DEVNULL)
        try:
            script = f'i=0; while [ $i -lt {short(TRIGGERS_A_CONTAINER)} ]; do /opt/dropped true; sleep {TRIGGER_PAUSE_SECONDS}; i=$((i + 1)); done'
            for container in containers:
                container.sh(script)
            time.sleep(1)
        finally:
            load.kill()
            load.wait()
            end_agent(agent, folder)
            reader.is_over = True
            reader.join()
            os.close(reader.fd)
    all_ = [(when, json.loads(line)) for when, line in reader.lines]
    return sorted((when - nanoseconds(alert['time'])) / 1e6 for when, alert in all_ if alert['rule'] == 'Dropped program executed')


def latency(_):
    """A dropped program is run again and again, while one core begins as many programs as it can."""
    need('runc', 'busybox')
    libraries_of_tests()
    import agentlib  # pylint: disable=import-outside-toplevel
    with tempfile.TemporaryDirectory() as folder:
        containers = [agentlib.Container(folder, f'latency{i}') for i in range(TRIGGERS // TRIGGERS_A_CONTAINER)]
        try:
            for container in containers:
                why = container.start()
                if why:
                    raise Skip(why)
                container.sh('cp /bin/busybox /opt/dropped')
            wanted = short(TRIGGERS_A_CONTAINER) * len(containers)
            for nice, name in ((-10, "with the unit's Nice=-10"), (0, 'without it')):
                ms = latencies(nice, containers)
                if not ms:
                    raise RuntimeError('no alert came')
                yield (f'event to alert {name}: p50 {statistics.median(ms):.2f} ms, p99 {ms[int(len(ms) * 0.99)]:.2f} ms, max {ms[-1]:.2f} ms '
                       f'({len(ms)} of {wanted})')
        finally:
            for container in containers:
                container.remove()


def bench_agent(rounds):
    before, lines = loads(), []
    print(f'\nagent: {rounds} rounds of calls; load {before} before', flush=True)
    for part in (calls, flood, churn, files, idle, latency):
        say(part.__name__)
        try:
            for line in part(rounds):
                print(line, flush=True)
                lines.append(line)
        except Skip as reason:
            lines.append(f'{part.__name__}: skipped: {reason}')
            print(lines[-1], flush=True)
    return {'load_before': before, 'load_after': loads(), 'lines': lines}
