#!/usr/bin/env python3
"""YARA rules that cost too much for file after file: they are given up, and each file that this concerns is counted. Takes
half a minute, as each of the first files takes as long as a rule may."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from scan import Scan, Tap  # noqa: E402  pylint: disable=wrong-import-position

RULE = 'rule endless { condition: for all i in (1..1000000000) : (for all j in (1..1000000000) : (i + j > 0)) }\n'


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as home:
        files, rules = os.path.join(home, 'files'), os.path.join(home, 'slow.yar')
        os.mkdir(files)
        for number in range(20):
            with open(os.path.join(files, f'file-{number}'), 'w', encoding='ascii') as file:
                file.write('text\n')
        with open(rules, 'w', encoding='ascii') as file:
            file.write(RULE)
        scan = Scan('dir:' + files, '--yara', rules, env={'XDG_CACHE_HOME': home})
        late = [detail for _, code, detail in scan.unread() if code == 'budget' and 'took longer than' in detail]
        tap.equal(len(late), 3, 'three files are tried')
        rest = [(path, detail) for path, code, detail in scan.unread() if code == 'budget' and 'more files' in detail]
        tap.ok(len(rest) == 1 and rest[0][0] == '(yara)' and '17 more files' in rest[0][1] and rules in rest[0][1],
               'the others are counted, and the rules are named', scan)
        tap.equal(scan.report['coverage']['malware_search']['incomplete'], 20, 'all of them are incomplete')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
