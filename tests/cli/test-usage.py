#!/usr/bin/env python3
"""Misuse of the command line: exit status 2, words that name what is wrong and what to do, and nothing on standard output."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import scan as S  # noqa: E402

T = S.Tap()
MISUSES = [
    ('no command', [], 'Usage: sekisho COMMAND'),
    ('a command with a letter too few', ['scn', 'x'], 'did you mean "scan"?'),
    ('a topic with a letter too few', ['help', 'sorces'], 'did you mean "sources"?'),
    ('an option with a letter too few', ['scan', '--platfrm', 'linux/arm64', 'x'], 'did you mean --platform?'),
    ('an option without its value', ['scan', '-o'], '--output needs a value'),
    ('a flag with a value', ['scan', '--quiet=yes', 'x'], '--quiet takes no value'),
    ('no target', ['scan'], 'what should be scanned?'),
    ('two targets', ['scan', 'a', 'b\x1b[31m'], '"b?[31m" is one too many'),
    ('a format that is none', ['scan', '-o', 'jsn', 'x'], 'no format "jsn"; there are table, json'),
    ('a format without its file', ['scan', '-o', 'json=', 'x'], 'try -o json=report.json'),
    ('two reports on standard output', ['scan', '-o', 'json', '-o', 'sarif', 'x'], 'standard output already gets json', '-o sarif=report.sarif'),
    ('two reports in one file', ['scan', '-o', 'json=a', '-o', 'html=a', 'x'], 'a already gets json'),
    ('a severity that is none', ['scan', '--fail-on', 'hgh', 'x'], '"hgh" is not one of critical, high'),
    ('an empty policy', ['scan', '--fail-on', '', 'x'], 'is empty'),
    ('a platform that is none', ['scan', '--platform', 'arm', 'x'], 'not of the form OS/ARCH'),
    ('an explanation of nothing', ['explain', 'CVE-2024-1'], 'needs the id of a finding and the target'),
    ('a verb of db with two letters changed', ['db', 'biuld'], 'did you mean "db build"?'),
    ('an option of another verb', ['db', 'status', '--out', 'x'], 'db status has no option --out'),
    ('an ecosystem with a letter too few', ['vercmp', 'debin', '1', '2'], 'did you mean "debian"?'),
    ('one version', ['vercmp', 'debian', '1'], 'two versions'),
    ('JSON of a command that writes none', ['vercmp', '--json', 'debian', '1', '2'], 'unknown option --json'),
    ('the format of a report for words', ['policy', 'list', '-o', 'sarif'], 'no format "sarif"; there are text and json'),
]
# Commands that answer in words and as JSON: `--json` is `-o json`. Each with a key or a name that its JSON has.
DOCUMENTS = [
    (['version'], 'sekisho'),
    (['policy', 'list'], 'default'),
    (['policy', 'show', '--rules', 'default'], 'deny'),
    (['rule', 'fields'], 'evt.type'),
    (['coverage', 'nist'], 'framework'),
    (['doctor'], 'kernel'),
]

for what, arguments, *words in MISUSES:
    code, out, err = S.run(*arguments)
    said = err.decode('utf-8', 'replace')
    missing = [word for word in words if word not in said]
    T.ok(code == 2 and not out and not missing, what, f'exit {code}; on standard output: {out[:100]}; missing {missing} in: {said}')
for arguments, word in DOCUMENTS:
    long, short = S.run(*arguments, '--json')[1], S.run(*arguments, '-o', 'json')[1]
    try:
        is_there = word in json.dumps(json.loads(long))
    except ValueError:
        is_there = False
    T.ok(is_there and long == short, ' '.join(arguments) + ': JSON', long[:300])

# Options and prose keep within the width; the lines of usage and of examples are whole.
wide, commands = [], [line.split()[0] for line in S.run('help')[1].decode().split('\n\n')[2].split('\n')]
for command in commands:
    words = S.run('help', command)[1].decode().split('\nExamples:')[0].split('\n\n')[2:]
    wide += [command + ': ' + line for part in words for line in part.split('\n') if len(line) > 100]
T.ok(len(commands) > 20 and not wide, 'help keeps within 100 columns', '\n'.join(wide))

with tempfile.TemporaryDirectory() as root:
    os.makedirs(os.path.join(root, 'etc'))
    with open(os.path.join(root, 'etc', 'os-release'), 'w', encoding='utf-8') as f:
        f.write('ID=debian\nVERSION_ID="8"\nPRETTY_NAME="Debian 8"\n')
    report = json.loads(S.run('scan', '--db', 'embedded', root, '--json')[1])
    wanted = [f for f in report['findings'] if f['kind'] == 'end-of-life']
    code, out, err = S.run('explain', '--db', 'embedded', 'end-of-life', root, '--json')
    T.ok(wanted and json.loads(out) == wanted, 'explain: the objects that the report has', out[:500])
    code, out, err = S.run('explain', '--db', 'embedded', 'CVE-1999-1', root, '--json')
    T.ok(code == 3 and not out and b'is not among' in err, 'explain: no such finding, as JSON', out + err)
sys.exit(T.end())
