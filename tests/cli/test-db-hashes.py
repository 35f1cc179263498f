#!/usr/bin/env python3
"""`db hashes`: two million digests are compiled, mapped and found; what is damaged, or no list, is refused with words."""
import hashlib
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
from scan import Scan, Tap, run  # noqa: E402  pylint: disable=wrong-import-position

MANY = 2_000_000
HEADER, ROW_MD5, ROW_SHA256 = 56, 28, 44
BAD, GOOD = b'content that is listed', b'content that is not'


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, 'wb') as file:
        file.write(content)
    return path


def found_in(scan):
    return {(f['id'], f['malware']['path']) for f in scan.report['findings'] if f['kind'] == 'malware'}


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as files:
        write(files, 'bad', BAD)
        write(files, 'good', GOOD)
        digits = os.urandom(32 * MANY).hex()
        own = f'{hashlib.sha256(BAD).hexdigest()}  Family.Name\n'
        many = write(folder, 'many', ('\n'.join(digits[i:i + 64] for i in range(0, 64 * MANY, 64)) + '\n' + own).encode())
        few = write(folder, 'few.hdb', f'{hashlib.md5(GOOD).hexdigest()}:{len(GOOD)}:Other.Name\n'.encode())
        out = os.path.join(folder, 'compiled')
        code, words, err = run('db', 'hashes', '-o', out, many, few)
        tap.ok(code == 0 and f'{MANY + 2} hashes'.encode() in words, f'{MANY + 2} hashes are compiled', words + err)
        tap.equal(os.path.getsize(out), HEADER + (MANY + 1) * ROW_SHA256 + ROW_MD5 + 1 + 12 + 11, 'into as many bytes as rows need')
        scan = Scan('dir:' + files, '--hashes', out)
        tap.equal(found_in(scan), {('Family.Name', 'bad'), ('Other.Name', 'good')}, 'and found, with their names')
        tap.equal(scan.report['coverage']['malware_search']['hashes'], MANY + 2, 'the report says how many there are')
        scan = Scan('dir:' + files, '--hashes', out, '--allow-hashes', out)
        tap.equal(found_in(scan), set(), 'a compiled list allows, too')
        scan = Scan('dir:' + files, '--hashes', out, '--hashes', few)
        tap.equal(len(found_in(scan)), 2, 'beside a text')

        code, _, err = run('db', 'hashes', '-o', os.path.join(folder, 'again'), out)
        tap.ok(code == 3 and b'is compiled already' in err and not os.path.exists(os.path.join(folder, 'again')),
               'it is not compiled once more', err)
        wrong = write(folder, 'wrong', b'# list\nnot a digest\n')
        code, _, err = run('db', 'hashes', '-o', os.path.join(folder, 'again'), wrong)
        tap.ok(code == 3 and b'wrong:2: no digest' in err and not os.path.exists(os.path.join(folder, 'again')),
               'a wrong line is named, and nothing is written', err)
        for arguments in ([many], ['-o', out]):
            code, _, err = run('db', 'hashes', *arguments)
            tap.ok(code == 2 and b'needs --out FILE and at least one LIST' in err, 'usage', err)
        code, _, err = run('db', 'hashes', '--json', '-o', out, many)
        tap.ok(code == 2 and b'no option --json' in err, 'options of the other verbs are none of its', err)

        os.truncate(out, os.path.getsize(out) - 1)
        code, _, err = run('scan', '--db', 'embedded', '--hashes', out, 'dir:' + files)
        tap.ok(code == 3 and b'compiled: damaged' in err, 'a cut one is refused', err)
        # rows that are out of order: the largest first
        small = write(folder, 'small', b''.join(b'%064x\n' % (i << 240) for i in range(1, 9)))
        run('db', 'hashes', '-o', out, small)
        with open(out, 'r+b') as file:
            content = file.read()
            rows = [content[HEADER + i * ROW_SHA256:HEADER + (i + 1) * ROW_SHA256] for i in range(8)]
            file.seek(HEADER)
            file.write(b''.join(reversed(rows)))
        scan = Scan('dir:' + files, '--hashes', out)
        unread = {(u['path'], u['code']) for u in scan.report['coverage']['unread']}
        tap.ok(unread == {('bad', 'corrupt'), ('good', 'corrupt')}, 'where the order is wrong, files are incomplete', unread)
    return tap.end()


if __name__ == '__main__':
    sys.exit(main())
