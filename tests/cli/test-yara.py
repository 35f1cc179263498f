#!/usr/bin/env python3
"""YARA rules of the user's: the variables that public sets use, what is told of a match, rules that cost too much, and the
cache of compiled rules, which must only be believed where nobody else can write."""
import os
import re
import stat
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from scan import Scan, Tap, run  # noqa: E402  pylint: disable=wrong-import-position

ELF = b'\x7fELF\x02\x01\x01' + bytes(9) + b'\x02\0' + bytes(42) + b'\x01\0\0\0'
RULES = r"""
rule plain : T1496 { meta: description = "a test" severity = "low" strings: $a = "marker-of-plain" condition: $a }
rule by_name { condition: filename == "named.txt" and extension == ".txt" and filepath == "/sub/named.txt" and owner == "0" }
rule by_type { condition: filetype == "ELF" }
rule large { strings: $a = "marker-at-the-end" condition: $a in (filesize-100..filesize) and filesize > 2MB }
private rule hidden { strings: $a = "marker-of-plain" condition: $a }
"""
# For the eyes of no human: each of these would take days.
LOOPS = """
rule endless { condition: filename == "slow" and for all i in (1..1000000000) : (for all j in (1..1000000000) : (i + j > 0)) }
rule quick { strings: $a = "marker-of-quick" condition: $a }
"""
CROWD = 'rule crowd { strings: $many = "x" condition: #many == 1 }\n'


def write(folder, name, content):
    with open(os.path.join(folder, name), 'wb') as file:
        file.write(content)


def found_in(scan):
    return scan.report and {(f['id'], f['malware']['path']) for f in scan.report['findings'] if f['kind'] == 'malware'}


class Place:
    """Files to scan, rules, and a cache of this test's own."""

    def __init__(self, home):
        self.files, self.rules, self.home = (os.path.join(home, name) for name in ('files', 'rules', 'cache'))
        for folder in (self.files, self.rules, self.home):
            os.mkdir(folder)
        self.cache = os.path.join(self.home, 'sekisho', 'yara')

    def scan(self, *options):
        return Scan('dir:' + self.files, '-v', '--yara', self.rules, *options, env={'XDG_CACHE_HOME': self.home})

    def origin(self, *options):
        words = self.scan(*options).words
        match = re.search(r'YARA rules: (.*)', words)
        return match.group(1) if match else words

    def kept(self):
        return sorted(os.listdir(self.cache)) if os.path.isdir(self.cache) else []


def matches(tap, place):
    os.mkdir(os.path.join(place.rules, 'more'))
    write(place.rules, 'rules.yar', RULES.encode())
    write(place.rules, 'notes.txt', b'rule wrong {')
    write(os.path.join(place.rules, 'more'), 'same.yara', b'rule plain { strings: $a = "other marker" condition: $a }')
    os.mkdir(os.path.join(place.files, 'sub'))
    write(place.files, 'plain', b'1234marker-of-plain')
    write(place.files, 'sub/named.txt', b'text')
    write(place.files, 'program', ELF)
    write(place.files, 'large', bytes(3 << 20) + b'marker-at-the-end')
    write(place.files, 'empty', b'')
    with open(os.path.join(place.files, 'hole'), 'wb') as file:  # what stands behind its hole must stand there for YARA too
        file.seek(5 << 20)
        file.write(b'marker-at-the-end')
    with open(os.path.join(place.files, 'too-large'), 'wb') as file:
        file.write(b'marker-of-plain')
        file.truncate((64 << 20) + 1)
    wanted = {('plain', 'plain'), ('by_name', 'sub/named.txt'), ('by_type', 'program'), ('large', 'large'), ('large', 'hole')}
    for how in ('compiled, and kept in ', 'compiled before, from '):
        scan = place.scan()
        tap.ok(how + place.cache in scan.words, f'rules: {how}the cache', scan.words)
        tap.equal(found_in(scan), wanted, 'the rules of a directory, with the variables that public sets use')
    found = {f['malware']['path']: f for f in scan.report['findings'] if f['kind'] == 'malware'}
    tap.equal((found['plain']['malware']['offset'], found['plain']['malware']['tags'], found['plain']['severity'],
               found['plain']['malware']['engine']), (4, ['T1496'], 'low', 'yara'), 'offset, tags, severity')
    tap.equal(found['hole']['malware']['offset'], 5 << 20, 'the offset behind a hole')
    unread = {(u['path'], u['code']) for u in scan.report['coverage']['unread']}
    tap.ok(('too-large', 'too-large') in unread and scan.report['coverage']['malware_search']['incomplete'] == 1,
           'a file that is too large for YARA is said to be incomplete', unread)


def wrong_rules(tap, place):
    write(place.rules, 'bad.yar', b'rule good { condition: false }\nrule bad { condition: $nothing }\n')
    code, _, words = run('scan', '--yara', place.rules, 'dir:' + place.files, env={'XDG_CACHE_HOME': place.home})
    tap.ok(code == 3 and b'bad.yar:2: ' in words, 'a wrong rule is named with its line', words)
    tap.equal(place.kept(), [], 'and nothing is kept')
    code, _, words = run('scan', '--yara', place.files, 'dir:' + place.files, env={'XDG_CACHE_HOME': place.home})
    tap.ok(code == 3 and b'holds no *.yar' in words, 'a directory without rules is an error', words)


def cache(tap, place):
    write(place.files, 'file', b'marker-one')
    write(place.rules, 'a.yar', b'rule one { strings: $a = "marker-one" condition: $a }')
    tap.ok(place.origin().startswith('compiled, and kept in'), 'compiled at first')
    kept = place.kept()
    tap.equal(len(kept), 1, 'one file is kept, and nothing beside it')
    path = os.path.join(place.cache, kept[0])
    tap.equal((stat.S_IMODE(os.stat(path).st_mode), stat.S_IMODE(os.stat(place.cache).st_mode)), (0o600, 0o700),
              'for this user only')
    with open(path, 'rb') as file:
        good = file.read()

    # Another file of rules, other text, another name: each is another set.
    write(place.rules, 'a.yar', b'rule two { strings: $a = "marker-one" condition: $a }')
    tap.equal(found_in(place.scan()), {('two', 'file')}, 'other text is compiled anew')
    os.rename(os.path.join(place.rules, 'a.yar'), os.path.join(place.rules, 'b.yar'))
    tap.ok(place.origin().startswith('compiled, and kept in'), 'and so is another name')
    os.remove(os.path.join(place.rules, 'b.yar'))
    write(place.rules, 'a.yar', b'rule one { strings: $a = "marker-one" condition: $a }')

    damages = {'cut': good[:len(good) // 2], 'one bit': good[:-9] + bytes([good[-9] ^ 1]) + good[-8:], 'empty': b'',
               'only a head': good[:80], 'of other rules': good[:20] + bytes([good[20] ^ 1]) + good[21:]}
    for what, content in damages.items():
        write(place.cache, kept[0], content)
        scan = place.scan()
        tap.ok('what was there is ignored: ' in scan.words and found_in(scan) == {('one', 'file')},
               f'a damaged file ({what}) is compiled anew', scan.words)
        with open(path, 'rb') as file:
            tap.ok(file.read() == good, 'and is written anew')

    write(place.files, 'elsewhere', good)
    os.remove(path)
    os.symlink(os.path.join(place.files, 'elsewhere'), path)
    tap.ok('compiled, and not kept: ' in place.origin(), 'a link is not followed')
    os.remove(path)
    os.link(os.path.join(place.files, 'elsewhere'), path)
    tap.ok('compiled, and not kept: ' in place.origin(), 'nor is a file that has another name elsewhere')
    os.remove(path)
    os.remove(os.path.join(place.files, 'elsewhere'))
    write(place.cache, kept[0], good)
    for mode, what in ((0o622, 'file'), (0o602, 'file'), (0o777, 'directory'), (0o720, 'directory')):
        os.chmod(path if what == 'file' else place.cache, mode)
        tap.ok('compiled, and not kept: ' in place.origin(), f'a {what} that others may write to ({mode:o}) is not believed')
        os.chmod(path if what == 'file' else place.cache, 0o600 if what == 'file' else 0o700)
    if os.geteuid() == 0:
        for target in (path, place.cache):
            os.chown(target, 65534, 65534)
            tap.ok('compiled, and not kept: ' in place.origin(), 'nor is what belongs to another user')
            os.chown(target, 0, 0)
    tap.ok(place.origin().startswith('compiled before'), 'the file as it was is believed again')

    for number in range(12):
        write(place.rules, 'a.yar', b'rule number_%d { condition: false }' % number)
        place.scan()
    tap.equal(len(place.kept()), 8, 'no more than 8 sets are kept')
    tap.ok(kept[0] not in place.kept() and place.origin().startswith('compiled before'), 'the oldest go')

    os.mkdir(os.path.join(place.rules, 'parts'))
    write(place.rules, 'a.yar', b'include "parts/part.inc"\n')
    write(os.path.join(place.rules, 'parts'), 'part.inc', b'rule part { strings: $a = "marker-one" condition: $a }')
    scan = place.scan()
    tap.ok(found_in(scan) == {('part', 'file')} and 'they include other files' in scan.words, 'what includes others is not kept',
           scan.words)
    write(os.path.join(place.rules, 'parts'), 'part.inc', b'rule changed { strings: $a = "marker-one" condition: $a }')
    tap.equal(found_in(place.scan()), {('changed', 'file')}, 'so what they include may change')


def costs(tap, place):
    write(place.rules, 'slow.yar', LOOPS.encode())
    write(place.rules, 'quick.yar', b'rule other { strings: $a = "marker-of-quick" condition: $a }')
    write(place.files, 'slow', b'marker-of-quick')
    write(place.files, 'other', b'marker-of-quick')
    scan = place.scan()
    unread = [(path, code) for path, code, detail in scan.unread() if 'took longer than' in detail and place.rules in detail]
    tap.equal(unread, [('slow', 'budget')], 'a rule without an end is ended, and said with the file')
    tap.ok({('quick', 'other'), ('other', 'other')} <= found_in(scan), 'other files are held against all rules', scan)
    tap.equal(scan.report['coverage']['malware_search']['incomplete'], 1, 'and one is incomplete')

    for name in os.listdir(place.rules):
        os.remove(os.path.join(place.rules, name))
    write(place.rules, 'crowd.yar', CROWD.encode())
    write(place.files, 'slow', b'x' * (1 << 20) + b'y')
    scan = place.scan()
    tap.ok(any(path == 'slow' and code == 'budget' and 'rule crowd of' in detail and 'crowd.yar' in detail and '$many' in detail
               for path, code, detail in scan.unread()), 'a string that matches too often is said, with its rule and file', scan)


def main():
    tap = Tap()
    for test in (matches, wrong_rules, cache, costs):
        with tempfile.TemporaryDirectory() as home:
            test(tap, Place(home))
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
