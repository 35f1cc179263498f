#!/usr/bin/env python3
"""The ledger from outside: scans are remembered, asked for, compared again and verified; what is damaged is said."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import images as I  # noqa: E402
import scan as S  # noqa: E402

T = S.Tap()
WORK = tempfile.mkdtemp(prefix='sekisho-ledger-')
LEDGER = f'{WORK}/state/ledger.db'
OLD = (('openssl', '1.1.1w-0+deb11u1'), ('curl', '7.74.0-1.3+deb11u1'))
NEW = (('openssl', '1.1.1w-0+deb11u9'), ('curl', '7.74.0-1.3+deb11u1'))


def sekisho(*words, day='2026-01-02T10:00:00Z', **more):
    code, out, err = S.run(*words, env={'SEKISHO_LEDGER': LEDGER, 'SEKISHO_ACTOR': 'alice', 'SEKISHO_TODAY': day, 'TZ': 'UTC', **more},
                           cwd=WORK)
    return code, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace')


def scan(*words, **more):
    return sekisho('scan', '-q', '--db', 'embedded', *words, **more)


def document(*words, **more):
    return json.loads(sekisho(*words, '-o', 'json', **more)[1])


def says(what, run, code, *texts):
    missing = [text for text in texts if text not in run[1] + run[2]]
    T.ok(run[0] == code and not missing, what, f'exit {run[0]}, wanted {code}; missing {missing}\n{run[1]}{run[2]}')


def forge(path, *statements):
    """As somebody with another tool would."""
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def test_begin():
    says('without a ledger there is nothing to ask', sekisho('inventory'), 3, 'there is no ledger at', 'scan --record begins one')
    says('a scan does not begin one by itself', scan('old.tar'), 1)
    T.ok(not os.path.exists(LEDGER), 'and nothing was made')
    says('--record begins one', scan('old.tar', '--record'), 1)
    T.equal((os.stat(f'{WORK}/state').st_mode & 0o777, os.stat(LEDGER).st_mode & 0o777), (0o700, 0o600), 'for its owner only')
    says('--record and --no-record exclude each other', scan('old.tar', '--record', '--no-record'), 2, 'exclude each other')


def test_again():
    size = document('ledger', 'status')['size']
    says('from then on it is recorded without being asked', scan('old.tar', day='2026-01-03T10:00:00Z'), 1)
    says('but for --no-record', scan('old.tar', '--no-record'), 1)
    status = document('ledger', 'status')
    T.equal((status['records'], status['artefacts'], status['package_lists']), (2, 1, 1), 'the same outcome is a small record more')
    T.equal(status['size'], size, 'that needs no more room than was there')
    says('another image', scan('new.tar', day='2026-01-04T10:00:00Z'), 1)
    says('in a ledger of its own', scan('new.tar', '--ledger-db', 'other.db'), 1)
    T.equal(document('ledger', 'status', '--ledger', 'other.db')['records'], 1, 'it is there')
    says('the list of files is another thing', scan('new.tar', '--ledger', 'files.jsonl', '--no-record'), 1)
    T.ok('"path"' in open(f'{WORK}/files.jsonl', encoding='utf-8').read(), 'and is written as before')


def test_inventory():
    report = S.Scan(f'{WORK}/old.tar', '--no-record').report
    artefacts = {a['name']: a for a in document('inventory')['artefacts']}
    T.equal(sorted(artefacts), ['new.tar', 'old.tar'], 'the inventory has both images')
    old = artefacts['old.tar']
    T.equal((old['first_seen'], old['last_seen'], old['scans'], old['os']),
            ('2026-01-02T10:00:00Z', '2026-01-03T10:00:00Z', 2, 'debian 11'), 'when it was seen')
    T.equal((old['packages'], old['findings'], old['verdict'], old['digest']),
            (len(report['packages']), len(report['findings']), 'deny', report['target']['digest']), 'and what the scan said')
    T.equal(sum(old['counts'][s] for s in ('critical', 'high', 'medium', 'low', 'none', 'unknown')), old['findings'], 'counts add up')
    T.equal([(t['reference'], t['current']) for a in ('old.tar', 'new.tar') for t in artefacts[a]['tags']],
            [('test:latest', False), ('test:latest', True)], 'the tag has moved')
    says('as a table', sekisho('inventory'), 0, '2 artefacts, 2 denied', 'old.tar', 'debian 11', 'DENIED')


def test_history():
    digest = document('inventory')['artefacts'][1]['digest']
    says('by name', sekisho('history', 'old.tar'), 0, '2 records', '2026-01-02 10:00  alice scans: DENIED by "default"')
    says('by digest', sekisho('history', digest), 0, 'old.tar')
    says('by the beginning of a digest', sekisho('history', digest[7:15]), 0, 'old.tar')
    says('by a tag that two images had', sekisho('history', 'test:latest'), 0, '3 records', 'it has moved')
    T.equal([(r['sequence'], r['kind'], r['actor']) for r in document('history', 'old.tar')['records']],
            [(1, 'scan', 'alice'), (2, 'scan', 'alice')], 'as JSON')
    says('a word that is nearly one', sekisho('history', 'old.tr'), 2, 'knows no artefact "old.tr" (did you mean "old.tar"?)')
    says('nothing', sekisho('history'), 2, 'of what?')
    root = f'{WORK}/root'
    for packages, day in ((OLD, '05'), (NEW, '06')):
        I.write(f'{root}/etc/os-release', I.OS_RELEASE.encode())
        I.write(f'{root}/var/lib/dpkg/status', I.dpkg_status(*packages).encode())
        scan(root, day=f'2026-01-{day}T10:00:00Z')
    gone = [line for line in sekisho('history', root)[1].splitlines() if ' gone: ' in line]
    T.ok(len(gone) == 1 and 'openssl' in gone[0] and 'curl' not in gone[0], 'what an update closed is told', gone)


def test_set_aside():
    """What a VEX statement set aside is recorded as such."""
    vex = {'@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'https://example.org/1', 'author': 'Vendor', 'version': 1,
           'timestamp': '2026-01-01T00:00:00Z', 'statements': [{
               'vulnerability': {'name': 'CVE-2023-27533'}, 'products': [{'@id': 'pkg:deb/debian/curl'}], 'status': 'not_affected',
               'justification': 'vulnerable_code_not_present'}]}
    I.write(f'{WORK}/vex.json', json.dumps(vex).encode())
    scan('new.tar', '--vex', 'vex.json', '--ledger-db', 'vex.db')
    db = sqlite3.connect(f'{WORK}/vex.db')
    states = dict(db.execute('SELECT state, count(*) FROM finding GROUP BY state'))
    named = db.execute("SELECT key FROM finding WHERE state = 'vex'").fetchall()
    db.close()
    T.ok(named == [('CVE-2023-27533 curl',)] and len(states) > 1, 'what a VEX statement set aside is recorded as such', (states, named))


def test_story():
    """All kinds of records, told."""
    digest = next(a['key'] for a in document('inventory')['artefacts'] if a['name'] == 'new.tar')
    code, _, words = S.run(LEDGER, digest, 'shop:1', program=os.path.join(S.BUILD, 'tests', 'write-ledger'))
    T.equal((code, words), (0, b''), 'a waiver from its request to its end')
    told = sekisho('history', 'shop:1')
    says('the story', told, 0, '2026-01-06 12:00  agent sees it in container c0ffee?[31m on web-1 as shop:1',
         'bob asks for waiver W-1 of CVE-2023-27533, digest sha256:', 'mitigate until 2026-01-07 12:00, owner team "web": telnet is off?HACKED',
         'while waf:9301 is live', 'carol approves waiver W-1', 'gate decides: Allow at admit by "default": waived; waivers W-1',
         'sweep ends waiver W-1: expired')
    T.ok('\x1b' not in told[1] and '\nHACKED' not in told[1], 'nothing hostile reaches the terminal')
    T.equal([r['kind'] for r in document('history', 'W-1')['records']],
            ['waiver-requested', 'waiver-approved', 'decision', 'waiver-ended'], "a waiver's own story")
    T.equal(document('history', 'shop:1')['records'][-1]['body'], {'why': 'expired'}, 'as JSON')


def test_rematch():
    says('nothing is new for the same advisories', sekisho('rematch', '--db', 'embedded'), 0, '0 of 3 artefacts are affected')
    record = {'id': 'X-2026-1', 'aliases': ['CVE-2026-99991'], 'modified': '2026-01-05T00:00:00Z', 'affected': [
        {'package': {'ecosystem': 'Debian:11', 'name': 'openssl'},
         'ranges': [{'type': 'ECOSYSTEM', 'events': [{'introduced': '0'}, {'fixed': '1.1.1w-0+deb11u5'}]}]}]}
    I.write(f'{WORK}/feed.json', json.dumps(record).encode())
    code, out, err = S.run('db', 'build', '--out', f'{WORK}/new.db', f'{WORK}/feed.json')
    T.ok(code == 0, 'a database with a new advisory', out + err)
    answer = document('rematch', '--db', 'new.db')
    keys = {a['name']: a['key'] for a in document('inventory')['artefacts']}
    T.equal([(f['id'], f['package'], f['fix'], f['artefacts']) for f in answer['found']],
            [('CVE-2026-99991', 'openssl', '1.1.1w-0+deb11u5', [keys['old.tar']])], 'affects one of the three, for it is new')
    says('by any of its names', sekisho('rematch', '--db', 'new.db', '--id', 'x-2026-1'), 1, '1 of 3 artefacts', 'old.tar')
    says('one that is known already is not new, but can be asked for', sekisho('rematch', '--db', 'embedded', '--id', 'CVE-2023-27533'),
         1, 'curl')
    says('one that nobody knows is not "clean"', sekisho('rematch', '--db', 'embedded', '--id', 'CVE-1999-1'), 3, 'do not know CVE-1999-1')
    says('its history tells', sekisho('history', 'old.tar'), 0, 'new advisories affect it: CVE-2026-99991 openssl')
    T.equal([r['kind'] for r in document('history', 'old.tar')['records']].count('rematch'), 3, 'each time')


def vulnerabilities(name, db):
    found = S.Scan(f'{WORK}/{name}', '--db', db).findings('vulnerability')
    return {(f['id'], f['vulnerability']['name']) for f in found}


def test_rematch_is_a_scan():
    """What is found anew in stored lists is what a scan with the new advisories finds, no more and no less."""
    for name in ('old.tar', 'new.tar'):
        scan(name, '--db', 'new.db', '--ledger-db', 'blind.db')
        digest = document('inventory', '--ledger', 'blind.db')['artefacts'][0]['key']
        known, wanted = (vulnerabilities(name, db) for db in (f'{WORK}/new.db', 'embedded'))
        wanted -= known
        found = document('rematch', '--db', 'embedded', '--ledger', 'blind.db')['found']
        got = {(f['id'], f['package']) for f in found if digest in f['artefacts']}
        T.ok(got == wanted and wanted, f'{name}: {len(wanted)} advisories, as a scan finds them', sorted(got ^ wanted))
        os.unlink(f'{WORK}/blind.db')


def test_ledger():
    status = document('ledger', 'status')
    checkpoint = status['checkpoint']
    says('verify', sekisho('ledger', 'verify'), 0, 'whole', checkpoint)
    says('with its checkpoint', sekisho('ledger', 'verify', '--checkpoint', checkpoint), 0, 'whole')
    says('with none', sekisho('ledger', 'verify', '--checkpoint', '7'), 2, 'NUMBER:HASH')
    says('rebuild', sekisho('ledger', 'rebuild'), 0, 'was right')
    says('a wrong verb', sekisho('ledger', 'verfy'), 2, 'did you mean "ledger verify"?')
    shutil.copy(LEDGER, f'{WORK}/forged.db')
    forge(f'{WORK}/forged.db', 'DROP TRIGGER record_no_update', "UPDATE record SET actor = 'mallory' WHERE sequence = 2")
    says('a changed record is named', sekisho('ledger', 'verify', '--ledger', 'forged.db'), 1, 'BROKEN at record 2: scan of sha256:',
         'by mallory, 2026-01-03 10:00', 'its content was changed', 'The records before it fit together')
    flaw = document('ledger', 'verify', '--ledger', 'forged.db')
    T.equal((flaw['whole'], flaw['record']['sequence']), (False, 2), 'as JSON')
    says('and nothing is derived from it', sekisho('ledger', 'rebuild', '--ledger', 'forged.db'), 1, 'record 2')
    shutil.copy(LEDGER, f'{WORK}/cut.db')
    forge(f'{WORK}/cut.db', 'DROP TRIGGER record_no_delete', 'DELETE FROM record WHERE sequence > 3')
    says('a log that was cut', sekisho('ledger', 'verify', '--ledger', 'cut.db'), 1, 'BROKEN at record 3', 'were cut off')
    says('is not written to', scan('old.tar', '--ledger-db', 'cut.db'), 3, 'is damaged', 'left as it is')
    shutil.copy(LEDGER, f'{WORK}/derived.db')
    forge(f'{WORK}/derived.db', "UPDATE artefact SET verdict = 'allow'")
    says('a changed verdict', sekisho('ledger', 'verify', '--ledger', 'derived.db'), 1, 'BROKEN', 'the table artefact', 'ledger rebuild')
    says('is made right', sekisho('ledger', 'rebuild', '--ledger', 'derived.db'), 0, 'was made anew')
    says('again', sekisho('ledger', 'verify', '--ledger', 'derived.db'), 0, 'whole')
    shutil.copy(LEDGER, f'{WORK}/newer.db')
    forge(f'{WORK}/newer.db', 'PRAGMA user_version = 99')
    says('one of a newer sekisho', sekisho('inventory', '--ledger', 'newer.db'), 3, 'made by a newer sekisho (schema 99', 'update sekisho')
    I.write(f'{WORK}/empty.db', b'')
    says('an empty file', scan('old.tar', '--ledger-db', 'empty.db'), 3, 'it is empty')
    T.equal(os.path.getsize(f'{WORK}/empty.db'), 0, 'is left as it is')
    if os.geteuid() == 0 and shutil.which('setpriv'):
        # As after `sudo -u nobody`: the home is root's, and may not be looked into. Nor may WORK, so the image comes open.
        with open(f'{WORK}/old.tar', 'rb') as image:
            os.fchmod(image.fileno(), 0o644)
            p = subprocess.run(['setpriv', '--reuid=65534', '--clear-groups', S.SEKISHO, 'scan', '-q', '--db', 'embedded', '/proc/self/fd/0'],
                               stdin=image, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=S.environment(HOME=WORK), check=False)
        T.ok(p.returncode == 1, 'a home that may not be looked into is no place of a ledger', f'exit {p.returncode}: {p.stderr}')
    says('a damaged one at the usual place', scan('old.tar', SEKISHO_LEDGER=f'{WORK}/empty.db'), 3, '--no-record scans without it')


def test_oracle():
    """What another reader of the format makes of it: docs/format/ledger-db.md says how."""
    import hashlib
    db = sqlite3.connect(LEDGER)
    previous = db.execute('SELECT id FROM head').fetchone()[0]
    fits = []
    for sequence, time, behind, *texts, before, digest in db.execute(
            'SELECT sequence, time, behind, kind, subject, actor, body, previous, hash FROM record ORDER BY sequence'):
        h = hashlib.sha256(b'sekisho ledger record 1\0')
        for number in (sequence, time, behind):
            h.update(number.to_bytes(8, 'big', signed=True))
        for text in texts:
            h.update(len(text.encode()).to_bytes(8, 'big') + text.encode())
        h.update(previous)
        fits.append(before == previous and digest == h.digest())
        previous = digest
    db.close()
    T.ok(len(fits) > 5 and all(fits), 'the chain fits as the format says, computed by Python', fits)
    tool = shutil.which('sqlite3')
    if not tool:
        return T.skip('the sqlite3 program finds no fault', 'it is not installed')
    found = subprocess.run([tool, LEDGER, 'PRAGMA integrity_check; PRAGMA foreign_key_check; PRAGMA journal_mode'], capture_output=True,
                           text=True, check=False)
    return T.equal(found.stdout, 'ok\nwal\n', 'the sqlite3 program finds no fault')


def main():
    I.docker_archive(f'{WORK}/old.tar', I.debian(packages=OLD))
    I.docker_archive(f'{WORK}/new.tar', I.debian(packages=NEW))
    for test in (test_begin, test_again, test_inventory, test_history, test_set_aside, test_story, test_rematch, test_rematch_is_a_scan, test_ledger, test_oracle):
        test()
    shutil.rmtree(WORK)
    return T.end()


if __name__ == '__main__':
    sys.exit(main())
