#!/usr/bin/env python3
"""No malware rule may alarm on a file of the packages that are installed on this machine: all of /usr, /etc, /opt and
/var/lib but what is made to be found, and what is no package's."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from scan import Scan, Tap  # noqa: E402  pylint: disable=wrong-import-position

MADE_TO_BE_FOUND = ('share/clamav-testfiles/',)


def main():
    tap = Tap()
    for folder in ('/usr', '/etc', '/opt', '/var/lib/dpkg'):
        if not os.path.isdir(folder):
            continue
        scan = Scan('dir:' + folder, timeout=3000)
        if not tap.ok(scan.report is not None, f'{folder} is scanned', scan.words):
            continue
        alarms = [(f['id'], f['proof']['path']) for f in scan.report['findings']
                  if f['kind'] == 'malware' and not f['malware']['path'].startswith(MADE_TO_BE_FOUND)]
        search = scan.report['coverage']['malware_search']
        print(f'# {search["files"]} files, {search["incomplete"]} not fully read')
        tap.equal(alarms, [], f'no false alarm in {folder}')
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
