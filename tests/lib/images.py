"""Makes tar archives, layers and images in memory, the good ones and those that no tool would write."""
import collections
import gzip
import hashlib
import json
import os
import subprocess

MEDIA = 'application/vnd.oci.image.'
FILE, HARDLINK, SYMLINK, CHAR, BLOCK, DIRECTORY, FIFO = b'0', b'1', b'2', b'3', b'4', b'5', b'6'
END = bytes(1024)

STATUS = '''Package: {0}
Status: install ok installed
Maintainer: Nobody <nobody@example.org>
Architecture: amd64
{3}Version: {1}
Description: {2}

'''
OS_RELEASE = 'ID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\nPRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n'


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


# --- tar ---

def octal(n, width):
    """A number field; what does not fit in octal digits is written as GNU tar does, in base 256."""
    if 0 <= n < 8 ** (width - 1):
        return b'%0*o\0' % (width - 1, n)
    return (n + (1 << 8 * width - 1)).to_bytes(width, 'big') if n >= 0 else n.to_bytes(width, 'big', signed=True)


def header(name, size=0, kind=FILE, link=b'', mode=0o644, uid=0, gid=0, mtime=0, device=(0, 0), magic=b'ustar\00000'):
    block = bytearray(b''.join((
        name[:100].ljust(100, b'\0'), octal(mode, 8), octal(uid, 8), octal(gid, 8), octal(size, 12), octal(mtime, 12), b' ' * 8,
        kind, link[:100].ljust(100, b'\0'), magic, bytes(64), octal(device[0], 8), octal(device[1], 8), bytes(155))).ljust(512, b'\0'))
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


def padded(content):
    return content + bytes(-len(content) % 512)


def raw(name):
    return name.encode('utf-8', 'surrogateescape') if isinstance(name, str) else name


def entry(name, content=b'', kind=FILE, link=b'', **more):
    """One member, with GNU long names where the header has no room."""
    name, link, content = raw(name), raw(link), raw(content)
    out = b''
    for letter, text in ((b'K', link), (b'L', name)):
        if len(text) > 100:
            out += header(b'././@LongLink', len(text) + 1, letter, magic=b'ustar  \0') + padded(text + b'\0')
    return out + header(name, len(content), kind, link, **more) + padded(content)


def pax(records, kind=b'x'):
    """An extended header for the member after it."""
    body = b''
    for key, value in records.items():
        text = b' ' + raw(key) + b'=' + raw(value) + b'\n'
        n = len(text)
        while len(str(n)) + len(text) != n:
            n = len(str(n)) + len(text)
        body += str(n).encode() + text
    return header(b'pax', len(body), kind) + padded(body)


def directory(name, **more):
    return entry(name, kind=DIRECTORY, **{'mode': 0o755, **more})


def tar(*members):
    return b''.join(members) + END


def dpkg_status(*packages):
    """(name, version[, source]) of each package."""
    return ''.join(STATUS.format(p[0], p[1], 'a package', f'Source: {p[2]}\n' if len(p) > 2 else '') for p in packages)


def debian(*more, packages=(('openssl', '1.1.1w-0+deb11u1'), ('curl', '7.74.0-1.3+deb11u1')), version='11'):
    """A layer that says it is Debian, with some packages that have advisories."""
    return tar(directory('etc'), entry('etc/os-release', OS_RELEASE.replace('11', version)), directory('var/lib/dpkg'),
               entry('var/lib/dpkg/status', dpkg_status(*packages)), *more)


def squeezed(data, how):
    if how == 'gzip':
        return gzip.compress(data, 1, mtime=0)
    return subprocess.run([how, '-qc'], input=data, stdout=subprocess.PIPE, check=True).stdout if how else data


# --- images ---

def config_of(tars, **more):
    return json.dumps({'architecture': 'amd64', 'os': 'linux', 'created': '2024-05-06T07:08:09Z', 'config': {'Cmd': ['/bin/true']},
                       'rootfs': {'type': 'layers', 'diff_ids': [digest(t) for t in tars]},
                       'history': [{'created_by': f'step {i + 1}'} for i in range(len(tars))], **more}).encode()


def docker_members(tars, name='test:latest', stored=None):
    """The members of a docker-archive, in order; `stored`: the layers' bytes where they are not the tars themselves."""
    config = config_of(tars)
    members = collections.OrderedDict()
    names = []
    for i, data in enumerate(stored or tars):
        names.append(f'{i}/layer.tar')
        members[names[-1]] = data
    members[digest(config)[7:] + '.json'] = config
    members['manifest.json'] = json.dumps([{'Config': digest(config)[7:] + '.json', 'RepoTags': [name], 'Layers': names}]).encode()
    return members


def write(path, data):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    return path


def docker_archive(path, *tars, stored=None):
    return write(path, tar(*(entry(name, data) for name, data in docker_members(tars, stored=stored).items())))


def oci_layout(path, *tars, compression='gzip', stored=None, tag='latest'):
    """Writes a layout directory. Returns its blobs in order: manifest, config, layers, as paths."""
    blobs = [squeezed(t, compression) for t in tars] if stored is None else stored
    config = config_of(tars)
    layer_type = MEDIA + 'layer.v1.tar' + ('+' + compression if compression else '')

    def described(media_type, data):
        return {'mediaType': media_type, 'digest': digest(data), 'size': len(data)}
    manifest = json.dumps({'schemaVersion': 2, 'mediaType': MEDIA + 'manifest.v1+json',
                           'config': described(MEDIA + 'config.v1+json', config),
                           'layers': [described(layer_type, b) for b in blobs]}).encode()
    index = {'schemaVersion': 2, 'manifests': [{**described(MEDIA + 'manifest.v1+json', manifest),
                                                'annotations': {'org.opencontainers.image.ref.name': tag}}]}
    write(f'{path}/oci-layout', b'{"imageLayoutVersion":"1.0.0"}')
    write(f'{path}/index.json', json.dumps(index).encode())
    return [write(f'{path}/blobs/sha256/{digest(data)[7:]}', data) for data in [manifest, config, *blobs]]
