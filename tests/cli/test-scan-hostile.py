#!/usr/bin/env python3
"""`sekisho scan` on input that was damaged or made to harm: each case gives a clear message or a finding, the rest of the
scan goes on where it can, nothing is written, nothing crashes. Once more with the sanitizers' build where there is one."""
import gzip
import html.parser
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import images as I  # noqa: E402
import scan as S  # noqa: E402

T = S.Tap()
MILLION = 1000000
LENIENT = ('--fail-on', 'kev')  # denies none of these images: what remains is complete or not
EVIL = '\x1b]0;owned\x07\x1b[31m\x9b2J\u202e<script>alert(1)</script>&\'"\u2028'
PACKAGES = [('curl', '7.74.0-1.3+deb11u1'), ('openssl', '1.1.1w-0+deb11u1')]


class Case:
    """Scans with one program in an empty directory; whatever appears there was not asked for."""

    def __init__(self, program, work):
        self.program, self.work = program, work
        self.label = 'sanitized: ' if 'sanitize' in program else ''
        self.temporary = os.path.join(work, 'tmp')
        os.makedirs(self.temporary, exist_ok=True)

    def scan(self, target, *options):
        s = S.Scan(target, *options, program=self.program, cwd=self.work,
                   env={'TMPDIR': self.temporary, 'ASAN_OPTIONS': 'detect_leaks=1:abort_on_error=1',
                        'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'})
        s.crashed = s.code not in (0, 1, 2, 3) or 'Sanitizer' in s.words or 'runtime error' in s.words
        s.crashed = s.crashed or any(code == 'crashed' for _, code, _ in s.unread())
        return s

    def expect(self, what, target, code, *words, packages=None, options=LENIENT):
        """The exit code; each word in the messages or among what was not read; these packages."""
        s = self.scan(target, *options)
        said = s.words + '\n'.join(' '.join(u) for u in s.unread()) + '\n'.join(f['title'] for f in s.findings('mismatch'))
        missing = [w for w in words if w not in said]
        wrong = packages is not None and s.packages() != sorted(packages)
        left = os.listdir(self.temporary)
        T.ok(s.code == code and not missing and not wrong and not s.crashed and not left, self.label + what,
             f'exit {s.code}, wanted {code}; not said: {missing}; packages {s.packages() if wrong else ""}; left {left}\n{s}')
        return s

    def path(self, name):
        return os.path.join(self.work, name)

    def archive(self, *tars, stored=None):
        return I.docker_archive(self.path('image.tar'), *tars, stored=stored)

    def layout(self, *tars, **more):
        shutil.rmtree(self.path('layout'), ignore_errors=True)
        return I.oci_layout(self.path('layout'), *tars, **more)


# --- damage ---

def damaged_layers(c):
    big = I.debian(I.entry('opt/big', os.urandom(200000)), I.entry('opt/after', b'x'))
    other = I.tar(I.entry('opt/other', b'x'))
    cut = big[:len(big) // 2]
    c.expect('a tar cut in a file', c.archive(cut, other), 3, 'opt/big truncated', packages=PACKAGES)
    at = big.index(b'opt/after')
    c.expect('a tar with a broken header', c.archive(big[:at] + b'\xff' * 512 + big[at + 512:], other), 3, 'layer 1 corrupt',
             packages=PACKAGES)
    c.expect('a layer of random bytes', c.archive(os.urandom(5000), I.debian()), 3, 'layer 1', packages=PACKAGES)
    c.expect('a layer of one byte', c.archive(b'x', I.debian()), 3, 'layer 1', packages=PACKAGES)
    c.expect('no bytes are an empty tar', c.archive(b'', I.debian()), 0, packages=PACKAGES)
    c.expect('an empty tar is no damage', c.archive(I.END, I.debian()), 0, packages=PACKAGES)
    for how in ('gzip', 'zstd'):
        whole = I.squeezed(big, how)
        c.layout(big, other, compression=how, stored=[whole[:len(whole) * 2 // 3], I.squeezed(other, how)])
        c.expect(f'a {how} that is cut', 'layout', 3, 'layer 1', packages=PACKAGES)
        spoilt = bytearray(whole)
        spoilt[len(spoilt) * 2 // 3] ^= 0x55
        c.layout(big, other, compression=how, stored=[bytes(spoilt), I.squeezed(other, how)])
        c.expect(f'a {how} that is corrupt', 'layout', 3, 'layer 1 corrupt')
        c.layout(big, other, compression=how, stored=[whole + b'garbage', I.squeezed(other, how)])
        c.expect(f'bytes after a {how}', 'layout', 3, 'layer 1', packages=PACKAGES)
    c.layout(I.debian(), other, stored=[I.squeezed(I.debian(), 'gzip'), b'\x1f\x8b\x08\xff' + b'x' * 100])
    c.expect('a gzip of a kind that nobody makes', 'layout', 3, 'layer 2', packages=PACKAGES)


def damaged_images(c):
    tars = [I.debian(), I.tar(I.entry('opt/x', b'x'))]
    manifest, config, first, second = c.layout(*tars)
    whole = {p: open(p, 'rb').read() for p in (manifest, config, first, second)}

    def spoil(path, data):
        for p, original in whole.items():
            I.write(p, original)
        if data is None:
            os.unlink(path)
        else:
            I.write(path, data)
    spoil(second, None)
    c.expect('a missing layer', 'layout', 3, 'layer 2', os.path.basename(second), packages=PACKAGES)
    spoil(first, None)
    c.expect('a missing base layer', 'layout', 3, 'layer 1', packages=[])
    spoil(second, I.squeezed(I.tar(I.entry('opt/x', b'y')), 'gzip'))
    c.expect('a layer that is another one', 'layout', 0, 'layer 2 is not what was promised', packages=PACKAGES)
    c.expect('  which the default policy denies', 'layout', 1, options=())
    for path, what in ((manifest, 'manifest'), (config, 'configuration')):
        spoil(path, whole[path].replace(b'x', b'y').replace(b'1', b'2'))
        c.expect(f'a {what} with another digest', 'layout', 3, 'digest')
        spoil(path, whole[path][:50])
        c.expect(f'half a {what}', 'layout', 3, os.path.basename(path)[:12])
        spoil(path, None)
        c.expect(f'a missing {what}', 'layout', 3, os.path.basename(path))
    spoil(first, whole[first])
    for text, what in ((b'', 'empty'), (b'{', 'cut'), (b'[' * MILLION, 'a million brackets'), (b'{"a":' * 300000, 'nested'),
                       (b'\0\xff\xfe', 'no text'), (b'[]', 'a list'), (b'{"manifests": 3}', 'of other types'),
                       (b'{"schemaVersion":2,"manifests":[' + b'{},' * 1000 + b'{}]}', 'of empty entries')):
        I.write(c.path('layout/index.json'), text)
        c.expect(f'index.json: {what}', 'layout', 3, 'layout')
    members = I.docker_members(tars)
    json_name = next(n for n in members if n.endswith('.json'))
    for name, text, what in (('manifest.json', b'[{', 'a cut manifest'), ('manifest.json', b'[' * MILLION, 'a nested manifest'),
                             ('manifest.json', b'[]', 'an empty manifest'),
                             ('manifest.json', b'[{"Config":"../../../etc/passwd","Layers":["/etc/passwd"]}]', 'a manifest of paths'),
                             ('manifest.json', b'[{"Config":"x","Layers":["0/layer.tar"]}]', 'a configuration that is not there'),
                             (json_name, b'{"rootfs":', 'a cut configuration'), (json_name, b'\x1b[31m', 'a configuration of escapes')):
        image = I.write(c.path('image.tar'), I.tar(*(I.entry(n, text if n == name else data) for n, data in members.items())))
        s = c.expect(f'docker-archive: {what}', image, 3)
        T.ok('\x1b' not in s.words and s.words.count('\n') <= 3, '  told in a line or two', s.words)
    whole_archive = I.tar(*(I.entry(n, d) for n, d in members.items()))
    squeezed = gzip.compress(whole_archive)
    for n in (1, 511, 512, 700, len(whole_archive) // 2):
        I.write(c.path('image.tar'), whole_archive[:n])
        c.expect(f'docker-archive cut after {n} bytes', 'image.tar', 3, 'image.tar')
    for n in (1, 2, 20, len(squeezed) // 2, len(squeezed) - 1):
        I.write(c.path('image.tar.gz'), squeezed[:n])
        c.expect(f'gzip of a docker-archive cut after {n} bytes', 'image.tar.gz', 3, 'truncated' if n > 20 else 'image.tar.gz')
    listing = json.loads(members['manifest.json'])
    listing[0]['Layers'].append('9/layer.tar')
    image = I.write(c.path('image.tar'), I.tar(*(I.entry(n, json.dumps(listing) if n == 'manifest.json' else d)
                                                 for n, d in members.items())))
    c.expect('docker-archive: a missing layer', image, 3, 'layer 3', packages=PACKAGES)
    I.write(c.path('image.tar.gz'), gzip.compress(open(image, 'rb').read()))
    c.expect('docker-archive, gzip: a missing layer', 'image.tar.gz', 3, 'layer 3', packages=PACKAGES)


# --- names ---

def names(c):
    marker = c.path('../escaped')
    evil = [I.entry(n, b'owned') for n in ('../escaped', '../../escaped', '/../../escaped', 'a/../../escaped', marker)]
    c.expect('names that leave the layer', c.archive(I.debian(*evil)), 0, '../escaped unsafe-path', packages=PACKAGES)
    T.ok(not os.path.exists(marker), '  and nothing is there', marker)
    loops = [I.entry('l1', kind=I.SYMLINK, link='l2'), I.entry('l2', kind=I.SYMLINK, link='l1'), I.entry('self', kind=I.SYMLINK, link='self'),
             I.entry('h1', kind=I.HARDLINK, link='h2'), I.entry('h2', kind=I.HARDLINK, link='h1'), I.entry('h3', kind=I.HARDLINK, link='h3'),
             I.entry('out', kind=I.HARDLINK, link='../../etc/shadow'), I.entry('up', kind=I.SYMLINK, link='/' * 5000)]
    c.expect('links in loops', c.archive(I.debian(*loops)), 0, 'out unsafe-path', packages=PACKAGES)
    loop = c.path('root')
    os.makedirs(loop + '/etc')
    os.symlink('loop', loop + '/loop')
    os.symlink('/etc/shadow', loop + '/etc/os-release')
    os.symlink('.', loop + '/here')
    s = c.expect('a directory of links in loops, and one out of it', 'root', 0)
    T.ok(s.report and s.report['os'] is None, '  which is not followed', s.report and s.report['os'])
    devices = [I.entry('dev/mem', kind=I.CHAR, device=(1, 1)), I.entry('dev/sda', kind=I.BLOCK, device=(8, 0)), I.entry('p', kind=I.FIFO),
               I.entry('var/lib/dpkg/status.d/x', kind=I.CHAR, device=(1, 5)), I.entry('huge', kind=I.CHAR, device=(1 << 40, -1))]
    c.expect('devices', c.archive(I.debian(*devices)), 0, packages=PACKAGES)
    c.expect('a name of 64 KiB', c.archive(I.debian(I.entry('n' * 65535, b'x'))), 0, packages=PACKAGES)
    c.expect('a name of 64 KiB and more', c.archive(I.debian(I.entry('n' * 65536, b'x'))), 3, 'layer 1 corrupt', packages=PACKAGES)
    c.expect('a pax name of 64 KiB and more', c.archive(I.debian(I.pax({'path': 'n' * 70000}), I.entry('x', b'x'))), 3, 'layer 1 corrupt',
             packages=PACKAGES)
    c.expect('a pax header of 2 MiB', c.archive(I.debian(I.pax({'comment': 'n' * (2 << 20)}), I.entry('x', b'x'))), 3, 'layer 1 corrupt',
             packages=PACKAGES)
    sizes = [I.header(b'neg', -1), I.header(b'x', 1 << 62)]
    for block in sizes:
        c.expect('a size that cannot be', c.archive(I.debian(block)), 3, packages=PACKAGES)
    odd = [I.entry(b'nul\0name', b'x'), I.entry(b'\xff\xfe\x80', b'x'), I.entry('new\nline', b'x'), I.entry('', b'x'), I.entry('.', b'x'),
           I.entry('/', b'x'), I.entry('.wh.', b''), I.entry('.wh..', b''), I.entry('.wh...', b''), I.entry('a/.wh..wh..opq', b''),
           I.entry('.wh..wh.plnk', b'')]
    c.expect('odd names', c.archive(I.debian(), I.tar(*odd)), 0, '.wh.. ambiguous', packages=PACKAGES)
    c.expect('a layer that hides all below it', c.archive(I.debian(), I.tar(I.entry('.wh..wh..opq', b''))), 0, packages=[])


def words_of_the_enemy(c):
    """Escapes and HTML in every text that an image can bring along."""
    status = I.dpkg_status((f'op{EVIL}', '1'), ('openssl', '1.1.1w-0+deb11u1'), ('x', f'1{EVIL}')).replace('a package', EVIL)
    root = I.tar(I.entry('etc/os-release', f'ID=debian\nVERSION_ID=11\nPRETTY_NAME="Debian {EVIL}"\n'),
                 I.entry('var/lib/dpkg/status', status), I.entry(f'usr/bin/{EVIL}', b'\x7fELF' + bytes(60), mode=0o4755),
                 I.entry(f'../{EVIL}', b'x'), I.entry('l', kind=I.SYMLINK, link=EVIL))
    config = json.loads(I.config_of([root]))
    config.update(architecture=EVIL, os=EVIL, history=[{'created_by': EVIL}],
                  config={'User': EVIL, 'Env': [EVIL], 'Labels': {EVIL: EVIL}, 'Cmd': [EVIL]})
    config = json.dumps(config).encode()
    manifest = json.dumps([{'Config': 'c.json', 'RepoTags': [f'x:{EVIL}'], 'Layers': ['l.tar']}])
    image = I.write(c.path('image.tar'), I.tar(I.entry('c.json', config), I.entry('l.tar', root), I.entry('manifest.json', manifest)))
    for form in ('table', 'json', 'sarif', 'cyclonedx', 'html'):
        code, out, err = S.run('scan', '--db', 'embedded', '-v', '-o', form, image, program=c.program)
        text = out.decode('utf-8', 'replace')
        bad = [ch for ch in text if (ord(ch) < 32 and ch not in '\n') or ch in '\x7f\x9b\u202e']
        good = code in (1, 3) and len(text) > 300 and '\ufffd' not in text.replace('\\ufffd', '') or form in ('table', 'html')
        if form == 'html':
            tags = Tags()
            tags.feed(text)
            bad += [a for a in tags.scripts if 'alert' in a]
        elif form != 'table':
            json.loads(text)
        T.ok(good and not bad and b'\x1b' not in err, f'{c.label}{form}: escapes and HTML do no harm', f'{code} {bad} {text[:2000]}')


class Tags(html.parser.HTMLParser):
    scripts = ()

    def handle_starttag(self, tag, attrs):
        self.last = tag

    def handle_data(self, data):
        if getattr(self, 'last', '') == 'script':
            self.scripts = self.scripts + (data,)


# --- databases ---

def databases(c):
    status = I.dpkg_status(*((f'package{i}', '1.0') for i in range(1000))).encode()
    base = I.entry('etc/os-release', I.OS_RELEASE)

    def dpkg(content, name='var/lib/dpkg/status'):
        return c.archive(I.tar(base, I.entry(name, content)))
    s = c.expect('half a dpkg status', dpkg(status[:len(status) // 2 + 20]), 3, 'var/lib/dpkg/status truncated')
    T.ok(499 <= len(s.packages()) <= 501, '  gives what is in it', len(s.packages()))
    c.expect('a dpkg status of random bytes', dpkg(os.urandom(100000)), 3, 'var/lib/dpkg/status')
    c.expect('a dpkg status of NULs', dpkg(bytes(100000)), 3, 'var/lib/dpkg/status')
    c.expect('a dpkg status that is empty', dpkg(b''), 3, 'var/lib/dpkg/status truncated')
    s = c.expect('a package whose field has 30 MB', dpkg(status.replace(b'a package', b'x' * (30 << 20), 1)), 3, 'var/lib/dpkg/status')
    T.ok(len(s.packages()) == 1000, '  and the others are there', len(s.packages()))
    c.expect('a dpkg status of 70 MB', dpkg(b'Package: ' + b'x' * (70 << 20)), 3, 'var/lib/dpkg/status too-large')
    c.expect('a stanza of a million fields', dpkg(status + b''.join(b'F%d: x\n' % i for i in range(300000))), 3, 'var/lib/dpkg/status')
    c.expect('dpkg: NULs in names', dpkg(status + b'Package: a\0b\nStatus: install ok installed\nVersion: 1\n\n'), 3, 'var/lib/dpkg/status')
    c.expect('apk: random bytes', dpkg(os.urandom(50000), 'lib/apk/db/installed'), 3, 'lib/apk/db/installed')
    for name in ('Packages', 'Packages.db', 'rpmdb.sqlite'):
        c.expect(f'rpm: {name} of random bytes', dpkg(os.urandom(50000), f'var/lib/rpm/{name}'), 3, f'var/lib/rpm/{name}')
    c.expect('rpm: a database of the right first bytes', dpkg(b'SQLite format 3\0' + os.urandom(50000), 'var/lib/rpm/rpmdb.sqlite'), 3,
             'rpmdb.sqlite')
    # A database that a later layer replaced is nobody's loss.
    c.expect('a broken database that is not there in the end', c.archive(I.tar(base, I.entry('var/lib/dpkg/status', os.urandom(1000))),
                                                                         I.debian()), 0, packages=PACKAGES)
    for text, what in ((os.urandom(5000), 'random bytes'), (b'ID=' + b'x' * 200000, '200 kB of ID'), (bytes(4000), 'NULs'),
                       (b'ID="$(reboot)`id`\nVERSION_ID=\'', 'unclosed quotes'), (b'ID=debian\nVERSION_ID=99999999999999999999', 'a huge version')):
        c.expect(f'os-release: {what}', c.archive(I.tar(I.entry('etc/os-release', text), I.entry('var/lib/dpkg/status', status))), 0)


# --- too much ---

def zeros(n):
    """A gzip of n MiB of zeros, of many members."""
    return gzip.compress(bytes(64 << 20), 9, mtime=0) * (n // 64)


def bombs(c):
    mib = 10240 if not c.label else 256
    head = gzip.compress(I.debian()[:-1024], 1)
    size = mib << 20

    def bomb(what, *parts, words=()):
        blob = b''.join(parts)
        c.layout(I.debian(), stored=[blob])
        c.expect(f'{len(blob) / 1e6:.1f} MB that inflate to {what}', 'layout', 0, *words, packages=PACKAGES)
        T.ok(c.label or peak() < 100 * 1024, '  in 100 MB of memory', f'{peak()} KiB')
    bomb(f'a file of {mib} MiB', head, gzip.compress(I.header(b'bomb', size)), zeros(mib), gzip.compress(I.END),
         words=() if c.label else ('bomb too-large',))
    bomb(f'{mib // 4} MiB of zeros after the end', head, gzip.compress(I.END), zeros(mib // 4))
    bomb('a million times the same directory', head, gzip.compress(I.header(b'x', kind=I.DIRECTORY) * 100000) * (1 if c.label else 10),
         gzip.compress(I.END))
    sparse = [I.entry(f'sparse{i}', pax_sparse(1 << 40)[1]) for i in range(3)]
    c.expect('sparse files of a terabyte', c.archive(I.debian(*(pax_sparse(1 << 40)[0] + s for s in sparse))), 0, 'too-large', packages=PACKAGES)
    inner = gzip.compress(gzip.compress(I.debian()))
    c.layout(I.debian(), stored=[inner])
    c.expect('a gzip in a gzip is no tar', 'layout', 3, 'layer 1')


def pax_sparse(size):
    """The pax header and content of a sparse file of this size with one byte in it (GNU format 1.0)."""
    table = b'1\n0\n1\n'.ljust(512, b'\0')
    return I.pax({'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.name': 'holes', 'GNU.sparse.realsize': str(size)}), table + b'x'


def peak():
    """KiB of the largest child so far, so bombs come first."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def depth(c):
    deep = [I.directory('d/' * n + 'x') for n in range(0, 32000, 500)]
    c.expect('directories 32,000 deep', c.archive(I.debian(*deep)), 0, packages=PACKAGES)
    c.expect('directories a million deep', c.archive(I.debian(I.directory('d/' * MILLION))), 3, 'layer 1 corrupt', packages=PACKAGES)
    levels, name = 50000, 'd' * 15  # long enough that paths pass the limit before their headers are a gigabyte
    at = tempfile.mkdtemp(prefix='sekisho-deep-', dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else c.work)
    try:
        os.makedirs(at + '/var/lib/dpkg')
        I.write(at + '/var/lib/dpkg/status', I.dpkg_status(*PACKAGES).encode())
        fd = os.open(at, os.O_RDONLY)
        for _ in range(levels):
            os.mkdir(name, dir_fd=fd)
            below = os.open(name, os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = below
        os.close(fd)
        c.expect(f'a tree of {levels} directories one in the other', at, 0, 'd limit', packages=PACKAGES)
    finally:
        subprocess.run(['rm', '-rf', at], check=False)


def main():
    programs = [S.SEKISHO]
    sanitized = os.path.join(S.ROOT, 'build-sanitize', 'sekisho')
    if os.access(sanitized, os.X_OK):
        programs.append(sanitized)
    wanted = sys.argv[1:]
    for program in programs:
        for part in (bombs, depth, damaged_layers, damaged_images, names, words_of_the_enemy, databases):
            if wanted and part.__name__ not in wanted:
                continue
            started = time.monotonic()
            with tempfile.TemporaryDirectory(prefix='sekisho-hostile-') as work:
                part(Case(program, work))
            print(f'# {part.__name__}: {time.monotonic() - started:.1f} s', flush=True)
    return T.end()


sys.exit(main())
