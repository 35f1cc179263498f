#!/usr/bin/env python3
"""sekisho coverage, and tools/frameworks/make-attack, which makes the table of ATT&CK."""
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
from scan import Tap, run  # noqa: E402

tap = Tap()
MAKE = os.path.join(ROOT, 'tools', 'frameworks', 'make-attack')


def command():
    for framework, total in (('nist', 24), ('attack', 48)):
        code, out, _ = run('coverage', framework, '--json')
        c = json.loads(out)
        counted = [row for row in c['rows'] if row['counted']]
        tap.equal((code, c['schema'], c['total'], len(counted)), (0, 'sekisho.coverage/1', total, total), f'{framework} has its rows')
        tap.equal([sum(row['state'] == state for row in counted) for state in ('covered', 'in_part')], [c['covered'], c['in_part']],
                  f'{framework}: the sums are those of the rows')
        tap.ok(0 < c['covered'] < total and not c['remarks'], f'{framework}: the default policy covers a part, with tags that lead somewhere')
        tap.ok(all((row['state'] == 'open') == (not row['rules']) for row in c['rows']), f'{framework}: what is covered has rules')
        code, table, _ = run('coverage', framework)
        tap.ok(code == 0 and all(row['id'] in table.decode() for row in c['rows']), f'{framework}: the table has every row')
        tap.equal(run('coverage', framework, '-o', 'json')[1], out, f'{framework}: -o json is --json')
        tap.equal(run('coverage', framework)[1], table, f'{framework}: the same bytes every time')
    rows = {row['id']: row['rules'] for row in json.loads(run('coverage', 'nist', '--json')[1])['rows']}
    for section, words in (('4.4.3', 'SK-COMPOSE-'), ('4.1.2', 'SK-IMAGE-'), ('4.1.2', 'DL3004'), ('4.3.1', 'SK-K8S-'), ('4.1.1', 'Serious vuln')):
        tap.ok(words in json.dumps(rows[section]), f'nist: {section} has {words}', rows[section])
    attack = run('coverage', 'attack', '-v')[1].decode()
    tap.ok('miner-stratum' in attack and 'SK-IMAGE-008' in attack, 'attack: rules for malware and checks count', attack)
    for words, hint in (([], 'nist or attack'), (['nist', '-o', 'xml'], 'there are table and json'), (['--hlep'], 'did you mean --help'), (['nits'], 'did you mean nist'), (['iso-27001'], 'there are nist and attack'),
                        (['nist', 'attack'], 'one framework')):
        code, _, err = run('coverage', *words)
        tap.ok(code == 2 and hint in err.decode(), f'usage: {words}', err)


def technique(number, name, phase, **more):
    return {'type': 'attack-pattern', 'id': f'attack-pattern--{number}', 'name': name, 'x_mitre_platforms': ['Windows', 'Linux', 'Containers'],
            'external_references': [{'source_name': 'mitre-attack', 'external_id': number}],
            'kill_chain_phases': [{'kill_chain_name': 'mitre-attack', 'phase_name': phase}], **more}


def make(text, name='source'):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        p = subprocess.run([sys.executable, MAKE, '--date', '2030-01', path], capture_output=True, text=True, timeout=60, check=False)
    return p.returncode, [line for line in p.stdout.splitlines() if not line.startswith('#')], p.stdout, p.stderr


def maker():
    bundle = {'type': 'bundle', 'objects': [
        technique('T1001', 'A', 'execution', description='prose'), technique('T1002', 'B', 'impact', revoked=True),
        technique('T1003.001', 'C', 'impact', x_mitre_deprecated=True),
        {'type': 'relationship', 'relationship_type': 'revoked-by', 'source_ref': 'attack-pattern--T1002', 'target_ref': 'attack-pattern--T1001'},
        {'type': 'malware', 'id': 'malware--1', 'name': 'x'}]}
    code, rows, text, err = make(json.dumps(bundle))
    tap.equal((code, rows), (0, ['T1001\tA\texecution\tContainers,Linux\tactive\t', 'T1002\tB\timpact\tContainers,Linux\trevoked\tT1001',
                                 'T1003.001\tC\timpact\tContainers,Linux\tdeprecated\t']), 'a STIX bundle becomes the table')
    tap.ok('prose' not in text and 'The MITRE Corporation' in text and '2030-01' in text, 'with the notice, and without prose', err)
    with open(os.path.join(ROOT, 'data', 'attack.tsv'), encoding='utf-8') as f:
        ours = f.read()
    header, body = '\n'.join(line[2:] for line in ours.splitlines() if line.startswith('# id')), ours.split('replaced_by\n', 1)[1]
    code, rows, _, _ = make(header + '\n' + body)
    tap.equal((code, rows), (0, body.splitlines()), 'the table is read back as it is')
    for what, broken in (('an id twice', header + '\nT1001\tA\tx\t\tactive\t\nT1001\tA\tx\t\tactive\t\n'),
                         ('a replacement that is not there', header + '\nT1001\tA\tx\t\trevoked\tT1002\n'),
                         ('too few columns', header + '\nT1001\tA\n')):
        code, rows, _, err = make(broken)
        tap.ok(code == 1 and not rows and err, f'{what} is refused', err)
    feed = os.environ.get('SEKISHO_SHARED') and os.path.join(os.environ['SEKISHO_SHARED'], 'feeds', 'attack-techniques.tsv')
    if feed and os.path.exists(feed):
        p = subprocess.run([sys.executable, MAKE, feed], capture_output=True, text=True, timeout=60, check=False)
        tap.ok(p.stdout == ours, 'data/attack.tsv is what the feed gives', p.stderr)
    else:
        tap.skip('data/attack.tsv is what the feed gives', 'SEKISHO_SHARED is not set, or has no feeds/attack-techniques.tsv')


command()
maker()
sys.exit(tap.end())
