#!/usr/bin/env python3
"""One payload in 69 carriers (tests/lib/carriers.py): found, or said to be incomplete; never silently clean."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import carriers
from scan import Scan, Tap

WANTED = 66


def outermost(path):
    return path.split('!')[0]


def main():
    t = Tap()
    directory = tempfile.mkdtemp(prefix='matrix.')
    try:
        made = {}
        for name, path, why in carriers.make(directory, carriers.PAYLOAD):
            if path:
                made[os.path.basename(path)] = name
            else:
                t.skip(name, why)
        scan = Scan(directory, timeout=300)
        if not t.ok(scan.report, 'the scan has a report', scan):
            return t.end()
        found = {outermost(f['proof']['path']) for f in scan.report['findings'] if f['kind'] == 'malware'}
        incomplete = {outermost(u['path']): u['code'] for u in scan.report['coverage']['unread']}
        for base, name in made.items():
            t.ok(base in found or base in incomplete, f'{name}: {"found" if base in found else incomplete.get(base, "clean")}', scan)
        missed = [name for base, name in made.items() if base not in found]
        t.ok(len(missed) <= len(made) - WANTED * len(made) // 69, f'{len(made) - len(missed)} of {len(made)} found', missed)
        clean = scan_without_payload(directory)
        t.ok(clean.report and not [f for f in clean.report['findings'] if f['kind'] == 'malware'],
             'the same carriers without the payload raise nothing', clean)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return t.end()


def scan_without_payload(directory):
    shutil.rmtree(directory)
    os.makedirs(directory)
    list(carriers.make(directory, carriers.HARMLESS))
    return Scan(directory, timeout=300)


if __name__ == '__main__':
    sys.exit(main())
