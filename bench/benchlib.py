"""What the benches share: where things are, how a process and its descendants are looked at, an agent that is measured."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(ROOT, 'bench', 'cache')
BUILD = os.path.join(ROOT, 'build')
SEKISHO = os.path.join(BUILD, 'sekisho')
SYSCALLS = os.path.join(BUILD, 'bench', 'syscalls')
SHARED = os.environ.get('SEKISHO_SHARED', os.path.join(os.path.dirname(ROOT), 'shared'))
LOOK_SECONDS = 0.01
AGENT_WAIT_SECONDS = 60
IS_SHORT = '--short' in sys.argv  # a tenth of everything: does the bench work?


class Skip(Exception):
    """Why a bench cannot be run here."""


def say(words):
    print(f'-- {words}', file=sys.stderr, flush=True)


def loads():
    return ' '.join(f'{load:.2f}' for load in os.getloadavg())


def short(number):
    """How long or how often something is done."""
    return max(1, number // 10) if IS_SHORT else number


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(program + ' is not installed')


# --- processes ---

def family(pid):
    """A process and its descendants."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        try:
            for thread in os.listdir(f'/proc/{pid}/task'):
                with open(f'/proc/{pid}/task/{thread}/children', encoding='ascii') as file:
                    todo += [int(child) for child in file.read().split()]
        except OSError:
            pass
    return found


def pss(pid, field='Pss'):
    """Or 'Pss_Anon': without what is mapped of files, of which each that maps them counts his part only."""
    try:
        with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
            for line in file:
                if line.startswith(field + ':'):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def family_pss(pid, field='Pss'):
    return sum(pss(one, field) for one in family(pid))


def family_seconds(pid):
    """Processor seconds, user and system, of a process, its descendants, and those that they have waited for (proc(5), stat 14 to 17)."""
    ticks = 0
    for one in family(pid):
        try:
            with open(f'/proc/{one}/stat', encoding='utf-8', errors='replace') as file:
                ticks += sum(int(word) for word in file.read().rpartition(')')[2].split()[11:15])
        except OSError:
            pass
    return ticks / os.sysconf('SC_CLK_TCK')


# --- the agent ---

def start_agent(folder, *options, nice=None):
    """The agent with its own rules, once it watches."""
    command = [SEKISHO, 'agent', '--foreground', '-o', 'none', '--socket', 'none', '--alerts', os.path.join(folder, 'alerts'), *options]
    if nice is not None:
        command = ['nice', '-n', str(nice), *command]
    with open(os.path.join(folder, 'log'), 'w', encoding='utf-8') as log:
        agent = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    end = time.monotonic() + AGENT_WAIT_SECONDS
    while agent.poll() is None and time.monotonic() < end:
        with open(log.name, encoding='utf-8') as file:
            if 'watching:' in file.read():
                return agent
        time.sleep(LOOK_SECONDS)
    agent.kill()
    agent.wait()
    with open(log.name, encoding='utf-8') as file:
        raise Skip('the agent does not run here: ' + file.read().strip())


def end_agent(agent, folder):
    """Its processor seconds, its peak of memory, and its last words."""
    with open(f'/proc/{agent.pid}/status', encoding='utf-8') as file:
        peak = int(re.search(r'VmHWM:\s*(\d+)', file.read()).group(1)) * 1024
    agent.send_signal(signal.SIGTERM)
    _, status, usage = os.wait4(agent.pid, 0)
    agent.returncode = os.waitstatus_to_exitcode(status)
    with open(os.path.join(folder, 'log'), encoding='utf-8') as file:
        return usage.ru_utime + usage.ru_stime, peak, file.read()


def events_and_losses(words):
    """Of an agent's last words: the events, and how many of begun, forked and ended processes it was not told of."""
    numbers = [int(n) for n in re.search(r'ended: (\d+) events.*lost: (\d+) exec, (\d+) fork, (\d+) exit', words).groups()]
    return numbers[0], sum(numbers[1:])


def falco_rules():
    """Falco's own files, in the order of their maturity."""
    folder = os.path.join(SHARED, 'fixtures', 'falco-rules')
    names = ['falco_rules.yaml', 'falco-incubating_rules.yaml']
    if not all(os.path.exists(os.path.join(folder, name)) for name in names):
        raise Skip("Falco's rule files are not there: SEKISHO_SHARED says where")
    return [word for name in names for word in ('-r', os.path.join(folder, name))]
