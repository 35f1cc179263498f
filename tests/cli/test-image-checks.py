#!/usr/bin/env python3
"""The checks of an image itself: each hits an image that is made for it, and none a careful one."""
import json
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import images  # noqa: E402
from images import directory, entry, pax, tar  # noqa: E402
from scan import Scan, Tap, run  # noqa: E402

tap = Tap()
RAW, SETUID = 13, 7  # CAP_NET_RAW, CAP_SETUID


def capability(*bits):
    """security.capability, version 2 (linux/capability.h): magic and the effective bit, then two pairs of words."""
    permitted = sum(1 << b for b in bits)
    return struct.pack('<IIIII', 0x02000001, permitted & 0xffffffff, 0, permitted >> 32, 0)


def capable(name, *bits):
    body = b' SCHILY.xattr.security.capability=' + capability(*bits) + b'\n'
    n = len(body) + 2
    body = str(n).encode() + body
    assert len(body) == n
    return images.header(b'pax', len(body), b'x') + images.padded(body) + entry(name, b'x', mode=0o755)


def archive(path, *layers, config=None, name='registry.example.org/shop:1.2', history=None, created='2025-12-01T00:00:00Z'):
    members = images.docker_members(layers, name=name)
    document = {'architecture': 'amd64', 'os': 'linux', 'created': created, 'config': config or {},
                'rootfs': {'type': 'layers', 'diff_ids': [images.digest(t) for t in layers]},
                'history': [{'created_by': h} for h in (history or ['step'] * len(layers))]}
    old = next(k for k in members if k.endswith('.json') and k != 'manifest.json')
    new = images.digest(json.dumps(document).encode())[7:] + '.json'
    del members[old]
    members[new] = json.dumps(document).encode()
    members['manifest.json'] = members['manifest.json'].replace(old.encode(), new.encode())
    return images.write(path, tar(*(entry(n, data) for n, data in members.items())))


def misconfigurations(path):
    scan = Scan(path)
    return {f['id']: f for f in scan.findings('misconfiguration')}, scan


CAREFUL = {'User': '10001', 'Healthcheck': {'Test': ['CMD', '/app/server', '-health']}, 'Entrypoint': ['/app/server'],
           'Env': ['PATH=/app', 'TOKEN_FILE=/run/secrets/token', 'EMPTY_PASSWORD='], 'ExposedPorts': {'8080/tcp': {}}}


def main(tmp):
    path = os.path.join(tmp, 'image.tar')
    careful = images.debian(directory('tmp', mode=0o1777), directory('app'), entry('app/server', b'\x7fELF', mode=0o755))
    archive(path, careful, config=CAREFUL)
    found, scan = misconfigurations(path)
    tap.equal(sorted(found), ['SK-IMAGE-020'], 'a careful image: only what a read-only root needs')
    tap.equal(found['SK-IMAGE-020']['check']['detail'], 'can run read-only with 1 mount: /tmp', 'namely one mount')

    layer = images.debian(
        directory('tmp', mode=0o1777), directory('open', mode=0o777), directory('run'),
        directory('var/lib/app', uid=101), directory('shared', mode=0o777),
        entry('bin/su', b'x', mode=0o4755), entry('opt/way-in', b'x', mode=0o4755), entry('etc/free', b'x', mode=0o666),
        capable('usr/bin/ping', RAW, SETUID), entry('usr/bin/apt-get', b'x', mode=0o755), entry('usr/bin/gcc', b'x', mode=0o755),
        entry('bin/sh', kind=images.SYMLINK, link='dash'), entry('usr/bin/curl', b'x', mode=0o755),
        entry('var/lib/dpkg/info/openssl.list', '/bin/su\n'), entry('gone', b'x', mode=0o4755))
    second = tar(entry('.wh.gone'), directory('shared', mode=0o755))
    config = {'Env': ['DB_PASSWORD=hunter' + '2', 'A=b'], 'ExposedPorts': {'22/tcp': {}, '80/tcp': {}}, 'Volumes': {'/data': {}},
              'Entrypoint': ['/docker-entrypoint.sh'], 'Cmd': ['nginx', '-g', 'daemon off;']}
    archive(path, layer, second, config=config, name='shop:latest', created='2024-01-01T00:00:00Z',
            history=['ADD https://example.org/x / # buildkit', 'RUN /bin/sh -c curl -fsSL https://example.org/x | bash -s # buildkit'])
    found, scan = misconfigurations(path)
    wanted = {
        'SK-IMAGE-001': 'no User is set', 'SK-IMAGE-002': '/opt/way-in', 'SK-IMAGE-003': '/bin/su', 'SK-IMAGE-004': '/open',
        'SK-IMAGE-005': '/etc/free', 'SK-IMAGE-006': '/usr/bin/ping (setuid net_raw)', 'SK-IMAGE-007': '/usr/bin/apt-get',
        'SK-IMAGE-008': '/usr/bin/gcc', 'SK-IMAGE-009': '/bin/sh', 'SK-IMAGE-010': '/usr/bin/curl', 'SK-IMAGE-011': '22/tcp (SSH)',
        'SK-IMAGE-012': 'DB_PASSWORD', 'SK-IMAGE-013': None, 'SK-IMAGE-014': 'layer 1', 'SK-IMAGE-015': 'layer 2',
        'SK-IMAGE-016': 'created 2024-01-01, 732 days ago', 'SK-IMAGE-017': 'docker.io/library/shop:latest',
        'SK-IMAGE-020': 'can run read-only with 5 mounts: /data, /var/cache/nginx, /run, /tmp, /var/lib/app; '
                        'docker-entrypoint.sh may write elsewhere: try it'}
    tap.equal(sorted(found), sorted(wanted), 'a careless image: every check')
    for name, detail in wanted.items():
        if name in found and name != 'SK-IMAGE-017':
            tap.equal(found[name]['check']['detail'], detail, f'{name}: what it found')
    tap.ok('latest' in found['SK-IMAGE-017']['check']['detail'], 'SK-IMAGE-017: what it found')
    tap.ok('hunter' + '2' not in json.dumps([f for f in scan.report['findings']]), 'no value of a variable is in a finding')
    rules = {r['name']: r for r in scan.report['verdict']['rules']}
    hits = rules.get('Weak configuration', {'action': None, 'findings': []})
    tap.equal((hits['action'], sorted(scan.report['findings'][i]['id'] for i in hits['findings'])),
              ('warn', ['SK-IMAGE-002', 'SK-IMAGE-012', 'SK-IMAGE-015']), 'the default policy warns of the serious ones, and denies none')
    for form, text in (('table', b'settings  17 misconfigurations: '), ('sarif', b'"ruleId": "SK-IMAGE-006"'), ('html', b'SK-IMAGE-006'),
                       ('cyclonedx', b'"id": "SK-IMAGE-006"')):
        _, out, _ = run('scan', '--db', 'embedded', '-o', form, path)
        tap.ok(text in out, f'{form} shows them', out[-3000:].decode('utf-8', 'replace'))
    _, out, _ = run('explain', '--db', 'embedded', 'SK-IMAGE-006', path)
    tap.ok(b'CWE-250' in out and b'setcap -r' in out, 'explain tells why and what to do', out.decode())

    archive(path, careful, config={**CAREFUL, 'Entrypoint': ['/sbin/init']})
    found, _ = misconfigurations(path)
    tap.ok('not likely' in found['SK-IMAGE-020']['check']['detail'], 'a system with an init: no read-only root')
    archive(path, careful, config=CAREFUL, created='1970-01-01T00:00:00Z')
    tap.ok('SK-IMAGE-016' not in misconfigurations(path)[0], 'a date that says nothing is no age')
    many = tar(*(entry(f'opt/{i:05}', b'x', mode=0o4755) for i in range(3000)))
    archive(path, careful, many, config=CAREFUL)
    found, _ = misconfigurations(path)
    tap.ok(found['SK-IMAGE-002']['check']['detail'].endswith('/opt/00004 and 2995 more'), 'many files are one finding',
           found['SK-IMAGE-002']['check'])
    bad = tar(pax({'SCHILY.xattr.security.capability': 'x\n'}) + entry('usr/bin/x', b'x'))
    archive(path, careful, bad, config=CAREFUL)
    found, _ = misconfigurations(path)
    tap.equal(found['SK-IMAGE-006']['check']['detail'], '/usr/bin/x (malformed)', 'an attribute that makes no sense')


with tempfile.TemporaryDirectory() as d:
    main(d)
sys.exit(tap.end())
