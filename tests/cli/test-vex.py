#!/usr/bin/env python3
"""sekisho scan --vex: what vendors state, in three formats, set aside visibly; written, and read again to the same effect."""
import copy
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'lib'))
import images  # noqa: E402
from scan import Scan, Tap, run  # noqa: E402

tap = Tap()
WORK = tempfile.TemporaryDirectory(prefix='sekisho-vex-')
PURL = 'pkg:deb/debian/openssl'
WORDS = 'The build has no TLS client, "never" called.\n\u00e9'


def path(name):
    return os.path.join(WORK.name, name)


def write(name, document):
    with open(path(name), 'w', encoding='utf-8') as f:
        f.write(document if isinstance(document, str) else json.dumps(document))
    return path(name)


def openvex(*statements, **more):
    return {'@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'https://example.org/vex-1', 'author': 'Example Vendor',
            'timestamp': '2025-06-07T08:09:10Z', 'version': 1, 'statements': list(statements), **more}


def statement(cve, product=PURL, status='not_affected', **more):
    if status == 'not_affected':
        more = {'justification': 'vulnerable_code_not_in_execute_path', 'impact_statement': WORDS, **more}
    products = product if isinstance(product, list) else [{'@id': product}]
    return {'vulnerability': {'name': cve}, 'products': products, 'status': status, **more}


def scan(*documents, target=None, more=()):
    options = [word for document in documents for word in ('--vex', document)]
    return Scan(target or IMAGE, *options, *more)


def aside(s):
    return sorted(f['id'] for f in s.findings('vulnerability') if f['set_aside'])


def state(s):
    """What must survive being written and read again."""
    return s.code, s.report['verdict']['decision'], aside(s), {r['name']: r['findings'] for r in s.report['verdict']['rules']}


def finding(s, cve):
    return next(f for f in s.findings('vulnerability') if f['id'] == cve)


IMAGE = images.docker_archive(path('image.tar'), images.debian(packages=(('openssl', '1.1.1w-0+deb11u1'),)))
PLAIN = scan()
SERIOUS = [f['id'] for f in PLAIN.findings('vulnerability') if f['severity'] in ('high', 'critical')]
DIGEST = PLAIN.report['target']['digest']
FULL = PLAIN.report['packages'][0]['purl']
assert len(SERIOUS) > 2 and PLAIN.code == 1, 'the embedded advisories know nothing serious of this openssl'


def cyclonedx(*vulnerabilities, **more):
    return {'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1, 'serialNumber': 'urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79',
            'metadata': {'timestamp': '2025-06-07T08:09:10Z', 'authors': [{'name': 'Example Vendor'}]},
            'components': [{'type': 'library', 'bom-ref': 'c', 'name': 'openssl', 'purl': PURL}],
            'vulnerabilities': list(vulnerabilities), **more}


def analysis(cve, ref='c', state='not_affected', **more):
    return {'id': cve, 'analysis': {'state': state, 'justification': 'code_not_reachable', 'detail': WORDS, **more},
            'affects': [{'ref': ref}]}


def csaf(*vulnerabilities):
    return {'document': {'category': 'csaf_vex', 'csaf_version': '2.0', 'title': 't', 'publisher':
                         {'category': 'vendor', 'name': 'Example Vendor', 'namespace': 'https://example.org'},
                         'tracking': {'id': 'EX-1', 'current_release_date': '2025-06-07T08:09:10Z', 'status': 'final', 'version': '1'}},
            'product_tree': {'full_product_names': [{'product_id': 'P', 'name': 'openssl', 'product_identification_helper':
                                                     {'purl': PURL}}]},
            'vulnerabilities': list(vulnerabilities)}


def csaf_statement(cve):
    return {'cve': cve, 'product_status': {'known_not_affected': ['P']},
            'flags': [{'label': 'vulnerable_code_not_in_execute_path', 'product_ids': ['P']}],
            'threats': [{'category': 'impact', 'details': WORDS, 'product_ids': ['P']}]}


def formats():
    one = SERIOUS[0]
    for name, document in (('openvex', openvex(statement(one))), ('cyclonedx', cyclonedx(analysis(one))),
                           ('csaf', csaf(csaf_statement(one)))):
        s = scan(write(f'{name}.json', document))
        tap.equal(aside(s), [one], f'{name}: one finding is set aside')
        f = finding(s, one)
        tap.equal((f['set_aside'], f['set_aside_by'], f['set_aside_why'], f['rule']), ('vex', 'Example Vendor', WORDS, None),
                  f'{name}: by its author, in their own words, and no rule judges it')
        tap.equal((f['vex']['status'], f['vex']['justification'], f['vex']['format']),
                  ('not_affected', 'vulnerable_code_not_in_execute_path', name), f'{name}: the statement is in the report')
        tap.equal(s.report['counts']['set_aside'], {'vex': 1, 'waiver': 0}, f'{name}: it is counted by itself')
        tap.equal(len(s.findings()), len(PLAIN.findings()), f'{name}: no finding is lost')
        moved = [i for m in s.report['moves'] for i in m['findings']]
        tap.ok(s.report['findings'].index(f) not in moved, f'{name}: there is nothing left to do about it')
    every = write('every.json', openvex(*(statement(cve) for cve in SERIOUS)))
    s = scan(every)
    tap.equal((s.code, s.report['verdict']['decision'], aside(s)), (0, 'allow', sorted(SERIOUS)),
              'a verdict passes when each finding that denied is set aside')
    s = scan(*(write(f'{i}.json', openvex(statement(cve))) for i, cve in enumerate(SERIOUS)))
    tap.equal((s.code, aside(s)), (0, sorted(SERIOUS)), '--vex can be given again and again')
    tap.equal([v['applied'] for v in s.report['vex']], [1] * len(SERIOUS), 'each document is accounted for')


def open_statements():
    one, two = SERIOUS[:2]
    s = scan(write('open.json', openvex(statement(one, status='affected', action_statement='Wait for June.'),
                                        statement(two, status='under_investigation', status_notes='Looking.'))))
    tap.equal((s.code, aside(s)), (1, []), 'affected and under_investigation set nothing aside')
    tap.equal((finding(s, one)['vex']['action'], finding(s, two)['vex']['detail']), ('Wait for June.', 'Looking.'),
              'but stand in the report with what they say')
    _, words, _ = run('scan', '--db', 'embedded', '--vex', path('open.json'), IMAGE)
    tap.ok(b'Wait for June.' in words, 'the action is in the table')
    _, words, _ = run('explain', '--db', 'embedded', '--vex', path('open.json'), one, IMAGE)
    tap.ok(b'Wait for June.' in words and b'Example Vendor' in words, 'explain tells who says what')


def newest_wins():
    one = SERIOUS[0]
    old = statement(one, timestamp='2024-01-01T00:00:00Z')
    new = statement(one, status='affected', action_statement='x', timestamp='2025-01-01T00:00:00Z')
    same = {**old, 'timestamp': new['timestamp']}
    for what, statements, wanted in (('older, then newer', [old, new], []), ('newer, then older', [new, old], []),
                                     ('a tie, not_affected last', [new, same], [one]), ('a tie, affected last', [same, new], [])):
        tap.equal(aside(scan(write('two.json', openvex(*statements)))), wanted, f'the newest statement wins: {what}')
    a, b = write('a.json', openvex(old)), write('b.json', openvex(new))
    tap.equal((aside(scan(a, b)), aside(scan(b, a))), ([], []), 'in whatever order the documents are given')


def exactness():
    one = SERIOUS[0]
    image = f'pkg:oci/test@{DIGEST.replace(":", "%3A")}'
    other = image[:-1] + ('0' if image[-1] != '0' else '1')
    part = [{'@id': PURL}]
    for what, product, wanted, said in (
            ('its purl with version and qualifiers', FULL, 1, None),
            ('another version', PURL + '@1.1.1w-0%2Bdeb11u2', 0, None),
            ('another distribution', 'pkg:deb/ubuntu/openssl', 0, None),
            ('a qualifier that the package does not have', PURL + '?arch=arm64', 0, None),
            ('the image by its digest', [{'@id': image}], 1, None),
            ('another image', [{'@id': other}], 0, None),
            ('the image and the package', [{'@id': image, 'subcomponents': part}], 1, None),
            ('another image and the package', [{'@id': other, 'subcomponents': part}], 0, None),
            ('the image and another package', [{'@id': image, 'subcomponents': [{'@id': 'pkg:deb/debian/curl'}]}], 0, None),
            ('another package that has this one in it', [{'@id': 'pkg:deb/debian/nginx', 'subcomponents': part}], 0, None),
            ('the image by the hash of its manifest', [{'@id': 'https://x', 'hashes': {'sha-256': DIGEST[7:]}, 'subcomponents': part}], 1, None),
            ('the source package', PURL + '?arch=source', 1, None),
            ('a name', 'openssl', 0, 'in words'),
            ('an image by the last part of its name', [{'@id': 'pkg:oci/test', 'subcomponents': part}], 0, 'last part'),
            ('the name and tag of the image', [{'@id': 'docker.io/library/test:latest', 'subcomponents': part}], 1, None)):
        s = scan(write('exact.json', openvex(statement(one, product))))
        doubt = finding(s, one)['vex_doubt']
        tap.ok(len(aside(s)) == wanted and (said in (doubt or '') if said else not doubt), f'a product that is {what}', f'{aside(s)} {doubt}')
        tap.equal([s.report['vex'][0][key] for key in ('applied', 'vague', 'unmatched')],
                  [wanted, int(bool(said)), int(not wanted and not said)], '  and it is counted so')
    s = scan(write('fixed.json', openvex(statement(one, status='fixed'))))
    tap.ok(not aside(s) and 'version' in finding(s, one)['vex_doubt'], 'fixed without a version sets nothing aside, and that is said')
    tap.equal(aside(scan(write('fixed.json', openvex(statement(one, FULL, status='fixed'))))), [one], 'fixed with the version does')
    s = scan(write('id.json', openvex(statement('CVE-1999-0001'))))
    tap.equal((aside(s), s.report['vex'][0]['unmatched']), ([], 1), 'a statement about what is not there is counted')


def several_packages():
    """One finding, two packages built of one source."""
    target = images.docker_archive(path('two.tar'), images.debian(packages=(('openssl', '1.1.1w-0+deb11u1'),
                                                                             ('libssl1.1', '1.1.1w-0+deb11u1', 'openssl'))))
    one = SERIOUS[0]
    s = scan(write('part.json', openvex(statement(one))), target=target)
    tap.ok(len(finding(s, one)['packages']) == 2 and not aside(s) and '1 of its 2 packages' in finding(s, one)['vex_doubt'],
           'what is said of one package does not set the finding of two aside', finding(s, one))
    both = [{'@id': PURL}, {'@id': 'pkg:deb/debian/libssl1.1'}]
    tap.equal(aside(scan(write('both.json', openvex(statement(one, both))), target=target)), [one], 'what is said of both does')
    tap.equal(aside(scan(write('src.json', openvex(statement(one, PURL + '?arch=source'))), target=target)), [one],
              'as does what is said of their source')


def round_trips():
    first, second, third = SERIOUS[:3]
    given = write('given.json', openvex(statement(first), statement(second, FULL, status='fixed', status_notes='Backported.'),
                                        statement(third, status='affected', action_statement='Wait for June.')))
    before = scan(given)
    for reporter in ('openvex', 'cyclonedx-vex', 'cyclonedx'):
        out = path(f'out-{reporter}.json')
        again = path(f'again-{reporter}.json')
        for to in (out, again):
            run('scan', '--db', 'embedded', '--vex', given, '--author', 'The Team', '-o', f'{reporter}={to}', IMAGE)
        with open(out, 'rb') as a, open(again, 'rb') as b:
            text = a.read()
            tap.ok(text == b.read(), f'{reporter}: the same bytes every time')
        after = scan(out)
        tap.equal(state(after), state(before), f'{reporter}: written and read again it has the same effect')
        document = json.loads(text)
        written = json.dumps(document, ensure_ascii=False)
        for words in (WORDS, 'Backported.', 'Wait for June.'):
            tap.ok(json.dumps(words, ensure_ascii=False)[1:-1] in written, f'{reporter}: the author\'s words are in it: {words[:12]}')
        if reporter != 'cyclonedx':
            tap.ok('"The Team"' in written, f'{reporter}: --author is the author')
    with open(path('out-openvex.json'), encoding='utf-8') as f:
        statements = {s['vulnerability']['name']: s for s in json.load(f)['statements']}
    tap.equal((statements[first]['status'], statements[first]['impact_statement'], statements[first]['timestamp']),
              ('not_affected', WORDS, '2025-06-07T08:09:10Z'), 'openvex: a decision keeps its words and its time')
    open_one = next(f for f in before.findings('vulnerability') if not f['vex'] and f['fix'])
    tap.equal((statements[open_one['id']]['status'], statements[open_one['id']]['action_statement']),
              ('affected', f'Update openssl to {open_one["fix"]}'), 'openvex: what has a fix is affected, with the update as the action')


def check_openvex():
    try:
        import jsonschema
    except ImportError:
        tap.skip('what is written is OpenVEX', 'python3-jsonschema is not installed')
        return
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, 'docs', 'format', 'openvex.schema.json'), encoding='utf-8') as f:
        validator = jsonschema.Draft202012Validator(json.load(f))
    rootfs = path('rootfs')
    os.makedirs(os.path.join(rootfs, 'etc'))
    os.makedirs(os.path.join(rootfs, 'var/lib/dpkg'))
    images.write(os.path.join(rootfs, 'etc/os-release'), images.OS_RELEASE.encode())
    images.write(os.path.join(rootfs, 'var/lib/dpkg/status'), images.dpkg_status(('openssl', '1.1.1w-0+deb11u1')).encode())
    for what, target in (('an image', IMAGE), ('a directory', rootfs)):
        out = path('checked.json')
        run('scan', '--db', 'embedded', '--vex', write('v.json', openvex(statement(SERIOUS[0]))), '-o', f'openvex={out}', target)
        with open(out, encoding='utf-8') as f:
            errors = [e.message for e in validator.iter_errors(json.load(f))]
        tap.equal(errors, [], f'what is written of {what} is OpenVEX')
        tap.equal(aside(scan(out, target=target)), [SERIOUS[0]], f'and is understood of {what}')


def reports():
    given = write('given.json', openvex(statement(SERIOUS[0])))
    _, table, _ = run('scan', '--db', 'embedded', '--vex', given, IMAGE)
    tap.ok(b'set aside by VEX: 1' in table, 'the table has a line for it', table.decode())
    _, sarif, _ = run('scan', '--db', 'embedded', '--vex', given, '-o', 'sarif', IMAGE)
    results = json.loads(sarif)['runs'][0]['results']
    suppressed = [(r['ruleId'], r['suppressions'][0]['kind']) for r in results if r['suppressions']]
    tap.equal(suppressed, [(SERIOUS[0], 'external')], 'SARIF has it as suppressed')
    _, html, _ = run('scan', '--db', 'embedded', '--vex', given, '-o', 'html', IMAGE)
    tap.ok(b'set aside by VEX' in html and b'Example Vendor' in html and b'no TLS client' in html, 'the page shows who and why')


def hostile():
    one = SERIOUS[0]
    for what, text in (('empty', ''), ('not JSON', 'hello'), ('cut short', json.dumps(openvex(statement(one)))[:-30]),
                       ('deep', '[' * 100000 + ']' * 100000), ('a key twice', '{"a":1,"a":2}'), ('another JSON', '{"a":1}'),
                       ('too large', ' ' * (33 << 20)), ('NULs', '\0' * 1000)):
        s = scan(write('bad.json', text))
        told = [u for u in s.unread() if u[0].endswith('bad.json')] if s.report else []
        tap.ok(s.code == 1 and not aside(s) and len(told) == 1 and s.report['vex'][0]['not_used_because'],
               f'a document that is {what} is told, and sets nothing aside', s)
    code, _, words = run('scan', '--db', 'embedded', '--vex', path('missing.json'), IMAGE)
    tap.ok(code == 3 and b'missing.json' in words, 'a document that is not there ends the scan', words)
    code, _, words = run('scan', '--db', 'embedded', '--vex', WORK.name, IMAGE)
    tap.ok(code == 1, 'a directory is no document', words)
    broken = copy.deepcopy(openvex(statement(one), statement(one, status='safe'), {}))
    s = scan(write('half.json', broken))
    tap.equal((aside(s), len([u for u in s.unread() if 'half.json: statement' in u[0]])), ([one], 2),
              'what is good of a document is used, what is bad is told')
    many = [{'@id': f'pkg:deb/debian/p{i}'} for i in range(270000)]
    s = scan(write('wide.json', openvex(statement(one), statement(one, many, status='affected', action_statement='x'))))
    tap.ok(not aside(s) and 'more products' in s.report['vex'][0]['not_used_because'], 'of a document past a limit nothing is used')
    evil = 'x\x1b[2J</script><script>alert(1)</script>\u202e'
    s = scan(write('evil.json', openvex(statement(one, impact_statement=evil), author=evil)))
    tap.equal(finding(s, one)['set_aside_why'], evil, 'hostile words are data')
    _, table, _ = run('scan', '--db', 'embedded', '-v', '--vex', path('evil.json'), IMAGE)
    _, html, _ = run('scan', '--db', 'embedded', '--vex', path('evil.json'), '-o', 'html', IMAGE)
    tap.ok(b'\x1b' not in table and '\u202e'.encode() not in table and b'<script>alert' not in html, 'and reach nobody as they are')


for part in (formats, open_statements, newest_wins, exactness, several_packages, round_trips, check_openvex, reports, hostile):
    part()
WORK.cleanup()
sys.exit(tap.end())
