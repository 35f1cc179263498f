"""What the tests that drive `sekisho scan` share: TAP, a scan with its report, and what it may leave behind."""
import json
import os
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('SEKISHO_BUILD', os.path.join(ROOT, 'build'))
SEKISHO = os.environ.get('SEKISHO', os.path.join(BUILD, 'sekisho'))
TODAY = '2026-01-02'
NO_COMPARISON = ('target',)
DONE = {'codes': {}}


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, what, details=''):
        self.n += 1
        print(f'{"ok" if good else "not ok"} {self.n} - {what}', flush=True)
        if not good:
            self.failed += 1
            for line in str(details).splitlines()[:40]:
                print('# ' + ascii(line)[1:-1], flush=True)
        return good

    def equal(self, got, wanted, what):
        return self.ok(got == wanted, what, f'got    {got!r}\nwanted {wanted!r}')

    def skip(self, what, why):
        self.n += 1
        print(f'ok {self.n} - {what} # SKIP {why}', flush=True)

    def end(self):
        print(f'1..{self.n}')
        return 1 if self.failed else 0


def environment(**more):
    e = {k: v for k, v in os.environ.items() if not k.startswith(('SEKISHO_DB', 'DOCKER_', 'CONTAINER', 'XDG_'))}
    return {**e, 'SEKISHO_TODAY': TODAY, 'SEKISHO_LEDGER': '/proc/nonexistent/ledger.db', **more}


def run(*arguments, program=SEKISHO, timeout=120, **more):
    """Exit code, standard output and error as bytes. A program that does not end in time has the code 99."""
    try:
        p = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=timeout, env=environment(**more.pop('env', {})), **more)
    except subprocess.TimeoutExpired as e:
        return 99, e.stdout or b'', e.stderr or b''
    return p.returncode, p.stdout, p.stderr


class Scan:
    """A scan by itself: `code`, `report` (None if there is none), `words` (standard error)."""

    def __init__(self, target, *options, program=SEKISHO, **more):
        self.code, self.out, err = run('scan', '-o', 'json', '--db', 'embedded', *options, target, program=program, **more)
        self.words = err.decode('utf-8', 'replace')
        try:
            self.report = json.loads(self.out)
        except ValueError:
            self.report = None

    def __str__(self):
        unread = self.report and self.report['coverage']['unread']
        return f'exit {self.code}\n{self.words}\n{json.dumps(unread)}'

    def packages(self):
        return sorted((p['name'], p['version']) for p in self.report['packages']) if self.report else []

    def unread(self):
        """[(path, code, detail)]"""
        return [(u['path'], u['code'], u['detail']) for u in self.report['coverage']['unread']] if self.report else []

    def findings(self, kind=None):
        return [f for f in self.report['findings'] if kind in (None, f['kind'])] if self.report else []

    def comparable(self):
        """What must be the same wherever the same image is read from."""
        return {key: self.report[key] for key in ('os', 'packages', 'moves', 'counts')} if self.report else None


def ledger(target, *options):
    """Scans and returns exit code and ledger, one dict a line."""
    with tempfile.NamedTemporaryFile() as f:
        code, _, words = run('scan', '-q', '--db', 'embedded', '--ledger', f.name, *options, target)
        with open(f.name, encoding='utf-8') as lines:
            return code, [json.loads(line) for line in lines], words.decode('utf-8', 'replace')
