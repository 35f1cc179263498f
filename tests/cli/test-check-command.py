#!/usr/bin/env python3
"""`sekisho check` on Dockerfiles: what it finds, says, repairs and walks, its formats and exit codes; hostile files."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from scan import ROOT, Tap, run  # noqa: E402

GOOD = os.path.join(ROOT, 'tests', 'golden', 'dockerfile', 'good')
TMP = ''  # a directory of this run
tap = Tap()


def write(name, text):
    path = os.path.join(TMP, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def check(*arguments, **more):
    code, out, err = run('check', *arguments, **more)
    return code, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace')


def findings(*arguments):
    code, out, err = check('-o', 'json', *arguments)
    try:
        return code, json.loads(out)
    except ValueError:
        return code, {'findings': [], 'unread': [], 'error': out + err}


def ids(report):
    return [f['id'] for f in report['findings']]


BAD = 'FROM debian:12\nRUN apt-get update && \\\n    apt-get install curl\nUSER root\n'


def test_answers():
    path = write('a/Dockerfile', BAD)
    code, out, _ = check(path)
    tap.equal(code, 1, 'a serious finding: exit 1')
    tap.ok(f'{path}:4:6  DL3002  high  The image runs as root' in out, 'place, id, severity, title in a line', out)
    tap.ok('DENIED (fails on high or worse), 1 file: 1 high' in out, 'the answer', out)
    tap.equal(check('--fail-on', 'critical', path)[0], 0, '--fail-on critical: exit 0')
    tap.equal(check('--fail-on', 'never', path)[0], 0, '--fail-on never: exit 0')
    tap.equal(check('--fail-on', 'soon', path)[0], 2, '--fail-on of an unknown word: exit 2')
    tap.equal(check()[0], 2, 'no file: exit 2')
    tap.equal(check(path + '.missing')[0], 3, 'no such file: exit 3')
    code, out, err = check('-q', path)
    tap.equal((code, out, err), (1, '', ''), '-q says nothing')
    code, out, _ = check('--list')
    tap.ok(code == 0 and len([line for line in out.splitlines() if line.startswith('DL')]) == 71, '--list names all rules')
    code, report = findings('--enable', 'SK-DOCKER-111', path)
    tap.ok('SK-DOCKER-111' in ids(report) and 'SK-DOCKER-111' not in ids(findings(path)[1]), '--enable')
    tap.equal(check('--enable', 'nonsense', path)[0], 2, '--enable of no rule: exit 2')
    code, report = findings('--registry', 'example.org', path)
    tap.ok('DL3026' in ids(report), '--registry')
    code, report = findings('--label', 'version:semver', path)
    tap.ok('DL3049' in ids(report), '--label')
    p = subprocess.run([os.environ.get('SEKISHO') or os.path.join(os.environ.get('SEKISHO_BUILD', os.path.join(ROOT, 'build')),
                                                                  'sekisho'), 'check', '-'],
                       input=BAD.encode(), capture_output=True, timeout=60, check=False)
    tap.ok(p.returncode == 1 and b'-:4:6  DL3002' in p.stdout, 'standard input is recognised by what it holds', p.stdout)


def test_formats():
    path = write('b c/Dockerfile', '# sekisho:ignore DL3002 it must be until=2099-01-01\n' + BAD.replace('FROM', '#\nFROM'))
    code, report = findings(path)
    tap.ok(report['schema'] == 'sekisho.check/1' and report['decision'] == 'deny', 'json')
    first = report['findings'][0]
    tap.ok({'id', 'severity', 'title', 'why', 'remedy', 'tags', 'file', 'line', 'column', 'detail', 'waived'} <= set(first), 'its fields')
    code, out, _ = check('-o', 'sarif', path)
    sarif = json.loads(out)
    results = sarif['runs'][0]['results']
    tap.ok(sarif['version'] == '2.1.0' and len(results) == len(report['findings']), 'sarif has the same findings')
    tap.ok(all('b%20c/Dockerfile' in r['locations'][0]['physicalLocation']['artifactLocation']['uri'] for r in results), 'as URIs')
    rules = sarif['runs'][0]['tool']['driver']['rules']
    tap.ok(all(rules[r['ruleIndex']]['id'] == r['ruleId'] for r in results), 'rules are where their index says')
    tap.equal(len({r['partialFingerprints']['sekishoCheck/v1'] for r in results}), len(results), 'fingerprints differ')
    path = write('w/Dockerfile', 'FROM a:1\n# sekisho:ignore DL3002 it must be until=2099-01-01\nUSER root\n')
    sarif = json.loads(check('-o', 'sarif', path)[1])
    waived = [r for r in sarif['runs'][0]['results'] if r['ruleId'] == 'DL3002']
    tap.ok(waived and waived[0]['suppressions'][0]['justification'] == 'it must be', 'a waived finding is suppressed in source')
    code, out, _ = check(path)
    tap.ok(code == 0 and 'DL3002  waived by line 2 until 2099-01-01  it must be' in out, 'and shown as waived', out)
    file = os.path.join(TMP, 'x.json')
    code, out, _ = check('-o', f'json={file}', '-o', 'table', path)
    tap.ok('PASSED' in out and json.loads(read(file))['decision'] == 'allow', 'two formats at once')


def test_walk():
    root = os.path.join(TMP, 'tree')
    for name in ('Dockerfile', 'b/Containerfile', 'c/x.Dockerfile', 'c/Dockerfile.dev', 'c/not-a-dockerfile', '.git/Dockerfile'):
        write('tree/' + name, 'FROM a:1\nUSER 1\n')
    os.symlink('Dockerfile', root + '/Dockerfile.link')
    os.symlink('/', root + '/d')
    code, report = findings(root + '/')
    names = sorted({f['file'][len(root) + 1:] for f in report['findings']})
    tap.equal(names, ['Dockerfile', 'b/Containerfile', 'c/Dockerfile.dev', 'c/x.Dockerfile'], 'a directory: those that are called so')
    told = sorted((u['path'][len(root) + 1:], u['code']) for u in report['unread'])
    tap.equal(told, [('.git', 'skipped'), ('Dockerfile.link', 'skipped')], 'what was passed over is said')
    tap.equal((code, report['complete']), (0, True), 'which is no gap')
    write('none/README', 'x')
    code, out, err = check(os.path.join(TMP, 'none'))
    tap.ok(code == 3 and 'nothing to check' in err, 'a directory without anything to check does not pass', err)
    code, out, err = check(write('none/x.bin', b'\x7fELF'))
    tap.ok(code == 3 and 'no checker knows' in out, 'nor does a file that nobody knows', out)


FIXES = '''FROM debian:12
  add  config.json  /etc/
RUN apt-get update && \\
    # a comment stays
    apt-get install curl
COPY x /x
RUN pip install  flask==1 ; apk add x=1
'''
FIXED = '''FROM debian:12
  COPY  config.json  /etc/
RUN apt-get update && \\
    # a comment stays
    apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
COPY x /x
RUN pip install --no-cache-dir  flask==1 ; apk add --no-cache x=1
'''


def test_fix():
    path = write('f/Dockerfile', FIXES)
    os.chmod(path, 0o640)
    code, out, _ = check('--diff', path)
    tap.ok(code == 0 and read(path).decode() == FIXES, '--diff changes nothing')
    p = subprocess.run(['patch', '-s', '-o', path + '.patched', path], input=out.encode(), capture_output=True, check=False) \
        if subprocess.run(['which', 'patch'], capture_output=True, check=False).returncode == 0 else None
    if p:
        tap.equal(read(path + '.patched').decode(), FIXED, '--diff is what patch reads')
    else:
        tap.skip('--diff is what patch reads', 'patch is not installed')
    code, out, err = check('--fix', path)
    tap.equal((code, read(path).decode()), (0, FIXED), '--fix writes it')
    tap.ok('repaired' in err and os.stat(path).st_mode & 0o777 == 0o640, 'and says so, and keeps the mode', err)
    code, report = findings(path)
    tap.ok(not [f for f in report['findings'] if f['fixable']], 'nothing is left to repair')
    check('--fix', path)
    tap.equal(read(path).decode(), FIXED, 'a second time changes nothing')
    tap.equal(sorted(os.listdir(os.path.dirname(path))), sorted(x for x in os.listdir(os.path.dirname(path)) if not x.startswith('.')),
              'no temporary is left')
    link = os.path.join(TMP, 'f', 'link')
    path = write('f/target', 'FROM a:1\nADD x.py /\n')
    os.symlink('target', link)
    check('--fix', link)
    tap.ok(os.path.islink(link) and b'COPY x.py' in read(path), 'a link stays a link')
    path = write('g/Dockerfile', '# sekisho:ignore-file DL3020 ours\n' + 'FROM a:1\nADD x.py /\n')
    before = read(path)
    check('--fix', path)
    tap.equal(read(path), before, 'what is waived is not repaired')


def test_good():
    code, report = findings('--fail-on', 'low', GOOD)
    tap.ok(code == 0 and not [f for f in report['findings'] if not f['waived']] and not report['unread'],
           'nothing is wrong with well-written files', json.dumps(report.get('findings'))[:3000])


def test_hostile():
    cases = {
        'a megabyte line': 'FROM a:1\nRUN ' + 'true && ' * 200000 + 'true\n',
        'a million instructions': 'FROM a:1\n' + 'RUN x\n' * 600000,
        'nested substitutions': 'FROM a:1\nRUN ' + '"$(' * 300000 + '\n',
        'nested defaults': 'FROM a:1\nENV A=' + '${A:-' * 300000 + '\n',
        'values that double': 'FROM scratch\nENV A=' + 'x' * 60000 + '\n' + 'ENV A=$A$A\n' * 2000,
        'patterns that match slowly': 'FROM scratch\nENV A=' + 'a' * 60000 + '\n' + 'ENV B=${A//*a*a*a*b/x}\n' * 50,
        'installs without end': 'FROM a:1\nRUN ' + 'apt-get install x && ' * 100000 + 'true\n',
        'comments without end': 'FROM a:1\nRUN a ' + '\\\n# sekisho:ignore DL3000\n' * 50000 + '\n',
        'heredocs without end': 'FROM a:1\nRUN ' + ' '.join(f'<<A{i}' for i in range(50000)) + '\n',
        'open parentheses': 'FROM a:1\nRUN ' + '(' * 1000000 + '\n',
        'stages without end': ''.join(f'FROM s{i - 1} AS s{i}\n' for i in range(1, 50000)),
        'bytes that are no text': b'FROM a:1\nRUN \xff\x00\xfe "\x1b[2J" | sh\nCOPY \x00 \x80\n',
        'five megabytes': 'FROM a:1\n' + '# x\n' * 1300000,
    }
    for what, text in cases.items():
        path = write('h/Dockerfile', text)
        code, out, err = check(path)
        tap.ok(code in (0, 1, 3) and 'given up' not in err and 'died' not in err, what, f'exit {code} {err[:200]}')
        tap.ok('\x1b' not in out, what + ': no escape reaches the terminal')
    code, out, _ = check(write('h/Dockerfile', cases['a million instructions']))
    tap.ok('not read' in out and 'INCOMPLETE' in out and 'PASSED' not in out, 'what was not read is said', out[-500:])
    code, out, _ = check(write('h/Dockerfile', 'FROM mcr.microsoft.com/windows/servercore:1\nRUN dir | x\n'))
    tap.ok('not cmd or PowerShell' in out and 'DL4006' not in out, 'other shells are passed over, and that is said', out)


with tempfile.TemporaryDirectory() as TMP:
    for test in (test_answers, test_formats, test_walk, test_fix, test_good, test_hostile):
        test()
sys.exit(tap.end())
