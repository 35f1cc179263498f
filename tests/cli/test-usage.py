#!/usr/bin/env python3
"""Misuse of the command line: exit status 2, words that name what is wrong and what to do, and nothing on standard output."""
import os
import sys

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
]

for what, arguments, *words in MISUSES:
    code, out, err = S.run(*arguments)
    said = err.decode('utf-8', 'replace')
    missing = [word for word in words if word not in said]
    T.ok(code == 2 and not out and not missing, what, f'exit {code}; on standard output: {out[:100]}; missing {missing} in: {said}')
sys.exit(T.end())
