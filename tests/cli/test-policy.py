#!/usr/bin/env python3
"""The decision flow from outside: policies, waivers, the plan and its proof, and the story that the ledger tells."""
import json
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import images as I  # noqa: E402
import scan as S  # noqa: E402

T = S.Tap()
WORK = tempfile.mkdtemp(prefix='sekisho-policy-')
LEDGER = os.path.join(WORK, 'ledger.db')


def path(name):
    return os.path.join(WORK, name)


def write(name, text):
    return I.write(path(name), text.encode() if isinstance(text, str) else text)


def sekisho(*arguments, today='2026-01-02', actor='alice', **env):
    code, out, err = S.run(*arguments, env={'SEKISHO_LEDGER': LEDGER, 'SEKISHO_TODAY': today, 'SEKISHO_ACTOR': actor, **env})
    return code, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace')


def says(what, result, code, *texts):
    """Exit code, and texts that must be in the output or in what was said."""
    got, out, err = result
    missing = [t for t in texts if t not in out + err]
    return T.ok(got == code and not missing, what, f'exit {got}, wanted {code}\nmissing {missing}\n{out}\n{err}')


def report(*arguments, **more):
    code, out, err = sekisho('scan', '-o', 'json', '--no-record', *arguments, **more)
    try:
        return code, json.loads(out)
    except ValueError:
        return code, {'verdict': {'rules': []}, 'findings': [], 'waivers': [], 'words': err}


# --- a small world of our own: two advisories with a fix, one without ---

def advisory(number, package, severity, fixed=None, introduced='0'):
    events = [{'introduced': introduced}] + ([{'fixed': fixed}] if fixed else [])
    return {'id': f'CVE-2025-{number}', 'modified': '2025-12-25T00:00:00Z', 'published': '2025-12-25T00:00:00Z', 'severity': [
        {'type': 'CVSS_V3', 'score': {'high': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N', 'low': 'CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N'}[severity]}],
        'affected': [{'package': {'ecosystem': 'Debian:12', 'name': package}, 'ranges': [{'type': 'ECOSYSTEM', 'events': events}]}]}


def database(name, *advisories):
    feed = write(name + '.jsonl', ''.join(json.dumps(a) + '\n' for a in advisories))
    code, out, err = sekisho('db', 'build', '-q', '--out', path(name), f'osv:{feed}')
    if code:
        T.ok(False, f'database {name}', out + err)
    return path(name)


WORLD = [advisory(1, 'openssl', 'high', '3.0.2'), advisory(2, 'openssl', 'high', '3.0.4', '3.0.1'), advisory(3, 'zlib', 'low', '2.0'),
         advisory(4, 'curl', 'high'), advisory(5, 'openssl', 'high', '3.0.9', '3.0.6')]
OS_12 = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


def image(name, *packages, tag='registry.example/shop/web:1.2'):
    layer = I.tar(I.directory('etc'), I.entry('etc/os-release', OS_12), I.directory('var/lib/dpkg'),
                  I.entry('var/lib/dpkg/status', I.dpkg_status(*packages)))
    return write(name, I.tar(*(I.entry(n, d) for n, d in I.docker_members([layer], name=tag).items())))


BEFORE = [('libssl3', '3.0.0', 'openssl'), ('openssl', '3.0.0'), ('zlib1g', '1.0', 'zlib'), ('bash', '5.2')]


def embedded():
    """The default policy on an image of real versions, by the advisories in the program."""
    packages = (('openssl', '1.1.1w-0+deb11u1'), ('libssl1.1', '1.1.1w-0+deb11u1', 'openssl'), ('curl', '7.74.0-1.3+deb11u1'),
                ('libc6', '2.31-13+deb11u1', 'glibc'))
    first = I.docker_archive(path('first.tar'), I.debian(packages=packages))
    code, out, err = sekisho('plan', '--db', 'embedded', '-o', 'json', first)
    plan = json.loads(out)
    T.ok(code == 0 and plan['before']['decision'] == 'deny' and plan['after']['decision'] == 'allow' and plan['is_proved'],
         'the default policy denies a real image, and the plan is proved', out + err)
    to = {p['name']: p['to'] for u in plan['updates'] for p in u['packages']}
    T.ok({'openssl', 'libssl1.1'} <= set(to) and all(f' {name}={version}' in plan['commands'][0] for name, version in to.items()),
         'its command names each package with its exact version', out)
    second = I.docker_archive(path('second.tar'), I.debian(packages=[(p[0], to.get(p[0], p[1]), *p[2:]) for p in packages]))
    T.equal(S.Scan(first).code, 1, 'the image is denied')
    after = S.Scan(second)
    T.ok(after.code == 0 and after.report['verdict']['decision'] == 'allow', 'built with the planned versions, it passes', after)
    says('and nothing is left to plan', sekisho('plan', '--db', 'embedded', second), 0, 'Nothing needs to be done.')
    says('a page for a person', sekisho('plan', '--db', 'embedded', first), 0, 'update  openssl', 'apt-get install -y --only-upgrade',
         'after these moves: ALLOWED by policy "default"')


def plans(db):
    target = image('before.tar', *BEFORE)
    code, out, err = sekisho('plan', '--db', db, '-o', 'json', target)
    plan = json.loads(out)
    T.equal([(u['name'], u['from'], u['to']) for u in plan['updates']], [('openssl', '3.0.0', '3.0.4')],
            'the plan moves what denies, through what begins later, and no further')
    T.ok(code == 0 and plan['is_proved'], 'and proves it', out)
    target = image('curl.tar', *BEFORE, ('curl', '8.0'))
    code, out, err = sekisho('plan', '--policy', 'strict', '--db', db, '-o', 'json', target)
    plan = json.loads(out)
    left = {f['id']: f['to_accept'] for f in plan['left']}
    T.ok(code == 1 and 'sekisho accept CVE-2025-4' in left.get('CVE-2025-4', ''),
         'what no update closes is left to decide, with the line that accepts it', out + err)
    old = write('old.tar', I.tar(*(I.entry(n, d) for n, d in I.docker_members([I.debian(packages=(('bash', '5'),))]).items())))
    code, out, err = sekisho('plan', '--db', 'embedded', '-o', 'json', old, today='2026-11-01')
    plan = json.loads(out)
    T.ok(plan['base'] and plan['base']['to'] == 'Debian 13 (trixie)' and not plan['is_proved'],
         'an end of life asks for another base, of which nothing is proved', out + err)


def policies(db):
    target = image('before.tar', *BEFORE)
    code, r = report('--db', db, target)
    rule = r['verdict']['rules'][0]
    T.ok(code == 1 and rule['name'] == 'Serious vulnerability with a fix' and re.fullmatch(r'default\.yaml:\d+', rule['place']) and
         'T1190' in rule['tags'] and rule['why'], 'a rule is named with its place, its tags and its reason', r['verdict'])
    T.equal(report('--db', db, '--policy', 'audit', target)[0], 0, 'audit denies nothing')
    mine = write('mine.yaml', '- rule: Serious vulnerability with a fix\n  action: warn\n  override: {action: replace}\n'
                              '- rule: Root\n  desc: it runs as root\n  condition: image.runs_as_root = true\n  action: deny\n')
    code, r = report('--db', db, '--policy', 'default', '--policy', mine, target)
    names = {x['name']: x['action'] for x in r['verdict']['rules']}
    T.ok(code == 1 and names.get('Serious vulnerability with a fix') == 'warn' and names.get('Root') == 'deny',
         'a later file overrides and adds', r['verdict'])
    T.ok([f['kind'] for f in r['findings'] if f['id'] == 'root'] == ['artefact'], 'a rule about the artefact is a finding of its own', r['findings'])
    T.ok(all(f['title'].lower().startswith('root') for f in r['findings'] if f['id'] == 'root'), 'it says which rule', r['findings'])
    T.equal([x['name'] for x in report('--db', db, '--fail-on', 'low', target)[1]['verdict']['rules']], ['--fail-on low'], '--fail-on is a rule')
    code, r = report('--db', db, '--policy', 'default', '--fail-on', 'low,fixable', target)
    T.ok(len(r['verdict']['rules']) == 2, '--fail-on beside a policy adds to it', r['verdict'])
    for stage in ('build', 'admit', 'run'):
        other = report('--db', db, '--stage', stage, target)[1]
        T.ok(other['findings'] == report('--db', db, target)[1]['findings'], f'the same verdict at {stage}')
    code, r = report('--db', db, '--policy', 'strict', '--stage', 'admit', target)
    T.ok('Tag that moves' in [x['name'] for x in r['verdict']['rules']], 'but for rules that name stages', r['verdict'])
    says('explain says which parts of the condition were true', sekisho('explain', '--db', db, 'CVE-2025-1', target), 0,
         '✓ vuln.severity >= high (high)', 'default.yaml:', 'NIST-800-190:4.1.1', 'sekisho accept CVE-2025-1')
    wrong = write('wrong.yaml', '- rule: X\n  desc: x\n  condition: vuln.severty >= high\n  action: deny\n- settings: {four_eye: true}\n')
    says('mistakes come with their places, all at once', sekisho('scan', '--policy', wrong, '--db', db, target), 2, 'wrong.yaml:3:',
         'vuln.severity', 'wrong.yaml:5:', 'four_eyes')
    says('an unknown policy', sekisho('scan', '--policy', 'strikt', target), 2, 'there are default')
    says('no such file', sekisho('scan', '--policy', './none.yaml', target), 2, 'none.yaml')
    says('the list', sekisho('policy', 'list'), 0, 'strict', 'nist-800-190')
    says('a text to begin with', sekisho('policy', 'show', 'default'), 0, '- rule: Malicious package')
    says('the rules', sekisho('policy', 'show', '--rules', 'default'), 0, 'deny   Serious vulnerability with a fix  (default.yaml:')
    says('help from the real file', sekisho('help', 'policy'), 0, 'deny   Malware', 'strict')
    for name in re.findall(r'^([a-z0-9-]+) ', sekisho('policy', 'list')[1], re.M):
        code, out, err = sekisho('scan', '-q', '--no-record', '--db', db, '--policy', name, target)
        T.ok(code in (0, 1) and not err, f'policy {name} has no mistakes', err)


def waivers(db):
    target = image('curl.tar', ('curl', '8.0'), ('bash', '5.2'))
    item = '- waiver: W-1\n  finding: CVE-2025-4\n  owner: alice\n  reason: not reachable\n  until: 2026-02-01\n'
    strict = ('--policy', write('one.yaml', '- rule: High\n  desc: x\n  condition: vuln.severity >= high\n  action: deny\n'), '--db', db)
    good = write('good.yaml', item)
    T.equal(report(*strict, target)[0], 1, 'without a waiver it is denied')
    code, r = report(*strict, '--waivers', good, target)
    f = [f for f in r['findings'] if f['id'] == 'CVE-2025-4'][0]
    T.ok(code == 0 and f['waiver'] == 'W-1' and f['set_aside'] == 'waiver' and f['set_aside_why'] == 'not reachable' and f['reasons'],
         'with it, it passes; the finding stays, with its waiver and its rules', f)
    T.equal(report(*strict, '--waivers', good, target, today='2026-02-01')[0], 0, 'it holds on its last day')
    code, r = report(*strict, '--waivers', good, target, today='2026-02-02')
    T.ok(code == 1 and 'waiver-expired' in [f['id'] for f in r['findings']], 'and not on the day after, which is a finding', r['findings'])
    code, r = report(*strict, '--waivers', good, '--today', '2026-02-02', target)
    T.equal(code, 1, '--today is the clock')
    for text, word in ((item.replace('  reason: not reachable\n', ''), 'has no reason'), (item.replace('  owner: alice\n', ''), 'has no owner'),
                       (item.replace('  until: 2026-02-01\n', ''), 'has no end'), (item + '  untill: 2027-01-01\n', 'until'),
                       (item + '  until: 2027-01-01\n', 'line 5'), (item.replace('2026-02-01', 'soon'), 'is no date'),
                       (item + item, 'is that of the waiver in line 1'), (item + '  response: mitigate\n', 'give control'),
                       (item.replace('finding: CVE-2025-4', 'condition: vuln.idd = x'), 'vuln.idd'), ('{', 'line'),
                       (item + '  ends_on: [fx]\n', 'ends_on takes'), (item + '  scope: {repo: x}\n', None),
                       ('- ' * 5000 + 'x\n', 'bad.yaml'), (item + '  scope: {registry: x}\n', 'scope has no part')):
        bad = write('bad.yaml', text)
        result = sekisho('scan', '-q', '--no-record', *strict, '--waivers', bad, target)
        if word:
            says(f'refused: {word}', result, 2, word, 'bad.yaml:' if word != 'bad.yaml' else 'bad.yaml')
        else:
            T.ok(result[0] in (0, 1), 'repo is short for repository', result)
    unused = write('unused.yaml', item.replace('CVE-2025-4', 'CVE-1999-1') + item.replace('W-1', 'W-2').replace('finding: CVE-2025-4', 'condition: finding.kind exists or image.name exists'))
    code, r = report('--db', db, '--waivers', unused, target)
    ids = [f['id'] for f in r['findings']]
    T.ok('waiver-unused' in ids, 'an unused waiver is a finding', ids)
    mitigated = write('mitigated.yaml', item + '  control: waf:9301\n')
    code, r = report(*strict, '--waivers', mitigated, target)
    T.ok(code == 1 and 'control' in r['waivers'][0]['because'], 'a control that is not live waives nothing, and that is said', r['waivers'])
    T.equal(report(*strict, '--waivers', mitigated, '--control', 'waf:9301', target)[0], 0, 'one that is live does')
    eyes = write('eyes.yaml', '- settings: {four_eyes: true, max_days: {high: 10}}\n')
    code, r = report(*strict, '--policy', eyes, '--waivers', good, target)
    T.ok(code == 1 and 'not the requester' in r['waivers'][0]['because'], 'four eyes', r['waivers'])
    approved = write('approved.yaml', item + '  approver: bob\n')
    code, r = report(*strict, '--policy', eyes, '--waivers', approved, target)
    T.ok(code == 1 and 'longer than the policy allows' in r['waivers'][0]['because'], 'no longer than the policy allows', r['waivers'])
    T.equal(report(*strict, '--policy', eyes, '--waivers', approved, target, today='2026-01-23')[0], 0, 'ten days before its end it does')
    code, out, err = sekisho('explain', *strict, '--waivers', good, 'CVE-2025-4', target)
    T.ok('accepted by alice until 2026-02-01' in out and 'W-1' in out, 'explain names the waiver', out)


def story(db):
    """Accept, live with it, and see it end by the data; then read the history of it."""
    target = image('curl.tar', ('curl', '8.0'), ('bash', '5.2'))
    strict = ('--policy', write('one.yaml', '- rule: High\n  desc: x\n  condition: vuln.severity >= high\n  action: deny\n'))
    says('why?', sekisho('accept', 'CVE-2025-4', target, '--until', '2026-03-01'), 2, '--reason')
    says('until when?', sekisho('accept', 'CVE-2025-4', target, '--reason', 'x'), 2, '--until')
    says('what is not there cannot be accepted', sekisho('accept', 'CVE-1-1', target, '--reason', 'x', '--until', '2026-03-01', '--db', db), 2,
         'is not among', 'scan -v')
    says('nor for yesterday', sekisho('accept', 'CVE-2025-4', target, '--reason', 'x', '--until', '2026-01-01', '--db', db), 2)
    says('nor out of scope', sekisho('accept', 'CVE-2025-4', target, '--reason', 'x', '--until', '2026-03-01', '--scope', 'package:bash', '--db', db), 2,
         'scope does not fit')
    T.ok(not os.path.exists(LEDGER), 'what was refused left no ledger')
    says('it is denied, on record', sekisho('scan', '-q', '--record', '--db', db, *strict, target), 1)
    old = write('old.yaml', '- rule: Old\n  desc: x\n  condition: finding.first_seen_age > 10d\n  action: warn\n')
    T.equal([[x['name'] for x in report('--db', db, '--policy', old, target, today=day)[1]['verdict']['rules']] for day in ('2026-01-12', '2026-01-20')],
            [[], ['Old']], 'the ledger knows how long it has been seen here')
    says('it is accepted', sekisho('accept', 'CVE-2025-4', target, '--reason', 'behind the proxy', '--until', '2026-03-01', '--db', db,
                                   '--scope', 'repo:registry.example/shop/web'), 0, 'W-1 until 2026-03-01', 'fix,kev')
    says('it passes', sekisho('scan', '-q', '--db', db, *strict, target, today='2026-01-03'), 0)
    says('until that day', sekisho('scan', '-q', '--db', db, *strict, target, today='2026-03-01'), 0)
    says('and fails after', sekisho('scan', '-q', '--no-record', '--db', db, *strict, target, today='2026-03-02'), 1)
    other = image('other.tar', ('curl', '8.0'), tag='registry.example/shop/api:1')
    says('elsewhere it does not count', sekisho('scan', '-q', '--no-record', '--db', db, *strict, other, today='2026-01-03'), 1)
    says('the register', sekisho('risk', 'list'), 0, 'W-1', 'CVE-2025-4', 'active', 'behind the proxy', 'alice')
    code, out, err = sekisho('risk', 'show', 'W-1', '-o', 'json')
    T.ok(code == 0 and json.loads(out)['ends_on'] == 'fix,kev' and json.loads(out)['until'] == '2026-03-01', 'one entry of it', out + err)
    fixed = database('fixed.db', *[a for a in WORLD if a['id'] != 'CVE-2025-4'], advisory(4, 'curl', 'high', '8.5'))
    says('a fix in new advisories ends it', sekisho('scan', '--db', fixed, *strict, target, today='2026-02-01'), 1,
         'waiver that does not hold', 'a fix has been published')
    says('on record', sekisho('risk', 'list', '-a', today='2026-02-01'), 0, 'ended: fix')
    says('for good', sekisho('scan', '-q', '--no-record', '--db', db, *strict, target, today='2026-02-02'), 1)
    says('and the plan says what to do', sekisho('plan', '--db', fixed, *strict, target), 0, 'curl=8.5')
    says('the history tells it all', sekisho('history', 'shop/web', today='2026-02-03'), 0, 'W-1', 'behind the proxy', 'fix')
    says('the ledger is whole', sekisho('ledger', 'verify'), 0)

    eyes = write('eyes.yaml', '- settings: {four_eyes: true}\n')
    both = (*strict, '--policy', eyes)
    says('where two are wanted, one only asks', sekisho('accept', 'CVE-2025-4', target, '--reason', 'again', '--until', '2026-04-01', '--db', db, *both), 0,
         'W-2', 'risk approve W-2')
    says('which is no waiver yet', sekisho('scan', '-q', '--no-record', '--db', db, *both, target), 1)
    says('not approved by who asked', sekisho('risk', 'approve', 'W-2', '--policy', eyes), 2)
    says('but by another', sekisho('risk', 'approve', 'W-2', '--policy', eyes, actor='bob'), 0, 'bob')
    says('now it holds', sekisho('scan', '-q', '--no-record', '--db', db, *both, target), 0)
    says('why does it end?', sekisho('risk', 'end', 'W-2'), 2, '--reason')
    says('it ends', sekisho('risk', 'end', 'W-2', '--reason', 'updated'), 0)
    says('and is over', sekisho('scan', '-q', '--no-record', '--db', db, *both, target), 1)

    waiver_file = path('accepted.yaml')
    for n in (1, 2):
        says(f'to a file, {n}', sekisho('accept', 'CVE-2025-4', target, '--reason', "it's fine", '--until', '2026-03-01', '--db', db, *strict, '--to', waiver_file), 0,
             f'W-2026-01-02-{n}')
    T.equal(report('--db', db, *strict, '--waivers', waiver_file, target)[0], 0, 'which a scan reads')


try:
    embedded()
    world = database('world.db', *WORLD)
    plans(world)
    policies(world)
    waivers(world)
    story(world)
finally:
    shutil.rmtree(WORK)
sys.exit(T.end())
