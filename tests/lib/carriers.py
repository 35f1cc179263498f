"""The format matrix: one synthetic payload in 69 carriers, made by the tools that people use.

    for name, path in carriers.make(directory, payload): ...      a file for each; path None: its tool is missing here

The payload is a short text with a marker in it, and nothing that could run by accident. Numbers and names follow the
table that scanners are compared with: archives, packages, disk images, documents, text that hides something, limits.
"""
import base64
import bz2
import gzip
import io
import json
import lzma
import os
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib

import images

# In parts: this file must not look like what the rules look for.
PAYLOAD = b'# donate.v2.' + b'xmrig --donate-' + b'level 1: a synthetic payload that does nothing\n'
HARMLESS = PAYLOAD.replace(b'donate', b'rotate')
FILLER = bytes((i * 7 + (i >> 8)) % 251 for i in range(64 << 10))
ELF = '/bin/true'
LIMIT_BYTES = 120 << 20
LARGE_BYTES = 450 << 20
MEMBERS = 12000

_carriers = []


class Missing(Exception):
    """A tool that is not here."""


def carrier(name, *arguments):
    """Registers a function (maker, *arguments) under a name."""
    def register(function):
        _carriers.append((name, function, arguments))
        return function
    return register


def carriers(table):
    """The same for several names of one function: {name: arguments}."""
    def register(function):
        for name, arguments in table.items():
            _carriers.append((name, function, arguments if isinstance(arguments, tuple) else (arguments,)))
        return function
    return register


class Maker:
    def __init__(self, directory, payload):
        self.directory, self.payload = directory, payload
        self.work = os.path.join(directory, 'work')

    def tool(self, *command, stdin=None):
        if not shutil.which(command[0]):
            raise Missing(f'{command[0]} is not here')
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.work, check=False)
        if done.returncode:
            raise Missing(f'{command[0]} failed: {done.stderr.decode("utf-8", "replace").strip()[-200:]}')
        return done.stdout

    def file(self, name, content):
        return images.write(os.path.join(self.work, name), content)

    def read(self, name):
        with open(os.path.join(self.work, name), 'rb') as file:
            return file.read()

    def elf(self):
        with open(ELF, 'rb') as file:
            return file.read()

    def tree(self):
        """A directory with the payload and something beside it."""
        self.file('tree/README', b'nothing here\n' * 50)
        self.file('tree/bin/payload', self.payload)
        return 'tree'


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members, form=tarfile.GNU_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=form) as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def beside(m):
    return [('README', b'nothing here\n' * 50), ('bin/payload', m.payload)]


# --- plain ---

@carrier('plain ELF')
def plain_elf(m):
    return m.elf() + FILLER + m.payload + FILLER


@carrier('plain text')
def plain_text(m):
    return b'some text\n' * 100 + m.payload + b'more text\n' * 100


# --- zip and 7z ---

@carriers({'zip stored': zipfile.ZIP_STORED, 'zip deflate': zipfile.ZIP_DEFLATED, 'zip bzip2': zipfile.ZIP_BZIP2,
           'zip LZMA': zipfile.ZIP_LZMA})
def zip_method(m, method):
    return zipped(beside(m), method)


@carriers({'7z LZMA2': 'lzma2', '7z PPMd': 'ppmd'})
def seven_zip(m, method):
    m.tree()
    if method == 'lzma2':
        method = 'lzma2' if b'lzma2' in m.tool('bsdtar', '--help') else 'lzma1'
    return m.tool('bsdtar', '-c', '-f', '-', '--format=7zip', f'--options=7zip:compression={method}', '-C', 'tree', '.')


@carrier('zip encrypted, password "infected"')
def zip_encrypted(m):
    m.tree()
    m.tool('zip', '-q', '-r', '-P', 'infected', 'encrypted.zip', 'tree')
    return m.read('encrypted.zip')


@carriers({f'zip in zip, depth {n}': n for n in (3, 8, 12, 16, 20, 40)})
def zip_nested(m, depth):
    content, name = m.payload, 'payload'
    for i in range(depth):
        content, name = zipped([(name, content)]), f'{i}.zip'
    return content


# --- tar, compressed files, cpio ---

@carriers({'tar GNU': tarfile.GNU_FORMAT, 'tar pax': tarfile.PAX_FORMAT})
def plain_tar(m, form):
    return tarred(beside(m), form)


@carriers({'tar.gz': ('gzip', '-c'), 'tar.bz2': ('bzip2', '-c'), 'tar.xz': ('xz', '-c'), 'tar.lz4': ('lz4', '-c'),
           'tar.lzma': ('xz', '--format=lzma', '-c'), 'tar.zst': ('zstd', '-qc'), 'tar.br': ('brotli', '-c')})
def compressed_tar(m, *command):
    return m.tool(*command, stdin=tarred(beside(m)))


@carrier('gzip of two members')
def two_members(m):
    return gzip.compress(FILLER) + gzip.compress(m.payload)


@carrier('raw zlib')
def raw_zlib(m):
    return zlib.compress(FILLER + m.payload)


def cpio(m):
    m.tree()
    return m.tool('bsdtar', '-c', '-f', '-', '--format=newc', '-C', 'tree', '.')


@carrier('cpio newc')
def cpio_newc(m):
    return cpio(m)


@carrier('initrd.gz')
def initrd(m):
    return gzip.compress(cpio(m))


# --- container images ---

@carrier('docker-save tar')
def docker_save(m):
    return images.tar(*(images.entry(n, d) for n, d in images.docker_members([tarred(beside(m))]).items()))


@carriers({'OCI layout tar, gzip layer': 'gzip', 'OCI layout tar, zstd layer': 'zstd'})
def oci_tar(m, how):
    layout = os.path.join(m.work, 'layout')
    images.oci_layout(layout, tarred(beside(m)), compression=how)
    return m.tool('bsdtar', '-c', '-f', '-', '-C', 'layout', '.')


# --- packages ---

@carriers({f'deb {how}': how for how in ('none', 'gzip', 'xz', 'zstd')})
def deb(m, how):
    m.file('deb/DEBIAN/control', b'Package: carrier\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <n@example.org>\n'
           b'Description: a carrier\n')
    m.file('deb/usr/share/carrier/payload', m.payload)
    m.tool('dpkg-deb', f'-Z{how}', '--root-owner-group', '-b', 'deb', 'carrier.deb')
    return m.read('carrier.deb')


@carriers({'rpm gzip': 'w6.gzdio', 'rpm xz': 'w2.xzdio', 'rpm zstd': 'w3.zstdio'})
def rpm(m, payload):
    source = m.file('payload', m.payload)
    m.file('carrier.spec', f'''Name: carrier
Version: 1
Release: 1
Summary: a carrier
License: none
BuildArch: noarch
%description
A carrier.
%install
mkdir -p %{{buildroot}}/usr/share/carrier
cp {source} %{{buildroot}}/usr/share/carrier/payload
%files
/usr/share/carrier/payload
'''.encode())
    m.tool('rpmbuild', '-bb', '--define', f'_topdir {m.work}/rpm', '--define', f'_binary_payload {payload}', '--define',
           f'_dbpath {m.work}/db', 'carrier.spec')
    return m.read('rpm/RPMS/noarch/carrier-1-1.noarch.rpm')


# --- file systems and disks ---

@carrier('ISO 9660')
def iso(m):
    m.tree()
    return m.tool('bsdtar', '-c', '-f', '-', '--format=iso9660', '-C', 'tree', '.')


@carriers({'EROFS plain': (), 'EROFS lz4': ('-zlz4',)})
def erofs(m, *options):
    m.tool('mkfs.erofs', *options, 'image', m.tree())
    return m.read('image')


@carrier('ext4 image')
def ext4(m):
    m.tree()
    m.tool('mkfs.ext4', '-q', '-F', '-d', 'tree', 'image', '4M')
    return m.read('image')


def disk(m, *options):
    m.file('disk', FILLER * 8 + m.payload.ljust(65536, b'\0') + bytes(1 << 20))
    m.tool('qemu-img', 'convert', '-f', 'raw', *options, 'disk', 'image')
    return m.read('image')


@carrier('VMDK')
def vmdk(m):
    return disk(m, '-O', 'vmdk')


@carrier('qcow2 compressed')
def qcow2(m):
    return disk(m, '-c', '-O', 'qcow2')


@carriers({'squashfs gzip': 'gzip', 'squashfs zstd': 'zstd'})
def squashfs(m, how):
    m.tree()
    m.tool('mksquashfs', 'tree', 'image', '-comp', how, '-noappend', '-quiet', '-no-progress')
    return m.read('image')


# --- appended ---

def png():
    def chunk(kind, body):
        return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
    rows = b''.join(b'\0' + bytes((x * y) % 256 for x in range(64)) for y in range(64))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 64, 64, 8, 0, 0, 0, 0)) + \
        chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


@carrier('ELF with text appended')
def elf_text(m):
    return m.elf() + m.payload


@carrier('ELF with zip appended')
def elf_zip(m):
    return m.elf() + zipped(beside(m))


@carrier('ELF with gzip appended')
def elf_gzip(m):
    return m.elf() + gzip.compress(m.payload)


@carrier('PNG with text appended')
def png_text(m):
    return png() + m.payload


@carrier('PNG with zip appended')
def png_zip(m):
    return png() + zipped(beside(m))


@carrier('shell self-extractor')
def self_extractor(m):
    return b'#!/bin/sh\ntail -n +4 "$0" | tar xz -C "${TMPDIR:-/tmp}"\nexit $?\n' + gzip.compress(tarred(beside(m)))


# --- programs and documents ---

@carrier('war with a jar with a class')
def war(m):
    jar = zipped([('META-INF/MANIFEST.MF', b'Manifest-Version: 1.0\n'),
                  ('org/example/Main.class', b'\xca\xfe\xba\xbe\0\0\0\x34' + FILLER[:500] + m.payload)])
    return zipped([('index.jsp', b'<html/>'), ('WEB-INF/lib/app.jar', jar)])


def vba_chunk(source):
    tokens = b''.join(b'\0' + source[i:i + 8] for i in range(0, len(source), 8))
    return b'\1' + struct.pack('<H', 0xb000 | (len(tokens) - 1)) + tokens


def compound_file(name, stream):
    """A compound file of version 3 with one stream, in sectors of its own."""
    stream = stream.ljust(4096, b'\0')
    stream += bytes(-len(stream) % 512)
    n, end = len(stream) // 512, 0xfffffffe
    fat = [0xfffffffd, end] + [i + 3 for i in range(n - 1)] + [end]

    def entry(text, kind, first, size, child=0xffffffff):
        encoded = text.encode('utf-16le')
        return encoded.ljust(64, b'\0') + struct.pack('<HBBIII', len(encoded) + 2, kind, 1, 0xffffffff, 0xffffffff, child) + \
            bytes(36) + struct.pack('<IQ', first, size)
    head = b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(16) + struct.pack('<HHHHH', 0x3e, 3, 0xfffe, 9, 6) + bytes(6) + \
        struct.pack('<IIIIIIIII', 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack('<109I', 0, *[0xffffffff] * 108)
    directory = entry('Root Entry', 5, end, 0, 1) + entry(name, 2, 2, len(stream)) + bytes(256)
    return head + struct.pack('<128I', *fat, *[0xffffffff] * (128 - len(fat))) + directory + stream


@carrier('docx with vbaProject')
def docx(m):
    source = b'Attribute VB_Name = "Module1"\r\nSub AutoOpen()\r\n\'' + m.payload.replace(b'\n', b"\r\n'") + b'\r\nEnd Sub\r\n'
    return zipped([('[Content_Types].xml', b'<Types/>'), ('word/document.xml', b'<w:document/>'),
                   ('word/vbaProject.bin', compound_file('Module1', FILLER[:300] + vba_chunk(source)))])


@carrier('npm tgz')
def npm(m):
    return gzip.compress(tarred([('package/package.json', b'{"name":"carrier","version":"1.0.0"}'),
                                 ('package/index.js', b'module.exports = 1\n' + m.payload)]))


@carrier('PDF Flate')
def pdf(m):
    body = zlib.compress(b'BT ' + m.payload + b' ET')
    return b'%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n2 0 obj\n<< /Length ' + str(len(body)).encode() + \
        b' /Filter /FlateDecode >>\nstream\n' + body + b'\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n'


@carrier('mail base64')
def mail(m):
    return b'From: a@example.org\nTo: b@example.org\nMIME-Version: 1.0\nContent-Type: application/octet-stream\n' \
        b'Content-Transfer-Encoding: base64\n\n' + base64.encodebytes(FILLER[:1000] + m.payload) + b'\n'


@carrier('asar')
def asar(m):
    index = json.dumps({'files': {'main.js': {'size': len(m.payload), 'offset': '0'}}}).encode()
    index += bytes(-len(index) % 4)
    return struct.pack('<IIII', 4, len(index) + 8, len(index) + 4, len(index)) + index + m.payload


@carrier('pyc')
def pyc(m):
    import importlib.util
    import marshal
    code = compile(f'x = {m.payload.decode()!r}', 'carrier.py', 'exec')
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


# --- scripts that hide something ---

@carrier('script base64')
def script_base64(m):
    return b'#!/bin/sh\necho ' + base64.b64encode(m.payload) + b' | base64 -d | sh\n'


@carrier('script base64 of gzip')
def script_base64_gzip(m):
    return b'import base64,gzip\nexec(gzip.decompress(base64.b64decode("' + base64.b64encode(gzip.compress(m.payload)) + b'")))\n'


@carrier('script hex escapes')
def script_hex(m):
    return b'#!/bin/bash\nprintf "' + b''.join(b'\\x%02x' % c for c in m.payload) + b'" | bash\n'


@carrier('script reversed')
def script_reversed(m):
    return b"#!/usr/bin/env python3\nexec('''" + m.payload[::-1] + b"'''[::-1])\n"


@carrier('script XOR one byte')
def script_xor(m):
    return bytes(c ^ 0x5a for c in b'#!/bin/sh\n' + m.payload)


@carrier('script UTF-16LE')
def script_utf16(m):
    return b'\xff\xfe' + (b'@echo off\r\n' + m.payload).decode().encode('utf-16le')


# --- limits ---

def large(m, size):
    block = FILLER * 16
    for _ in range(size // len(block)):
        yield block
    yield m.payload


def squeezed_large(m, size):
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
    for block in large(m, size):
        yield squeeze.compress(block)
    yield squeeze.flush()


@carrier('120 MB file, payload at its end')
def large_file(m):
    return large(m, LIMIT_BYTES)


@carriers({'120 MB file as gzip': LIMIT_BYTES, '450 MB file as gzip': LARGE_BYTES})
def large_gzip(m, size):
    return squeezed_large(m, size)


@carrier('tar of 12,000 members, payload last')
def many_members(m):
    return tarred([(f'member-{i}', b'nothing %d\n' % i) for i in range(MEMBERS)] + [('payload', m.payload)])


# The ends that names have where nothing else tells what a file is.
SUFFIXES = {'tar.br': '.tar.br', 'tar.lzma': '.tar.lzma'}


def make(directory, payload, only=None):
    """Writes each carrier; yields its name, its path, and why there is none (path None)."""
    for number, (name, function, arguments) in enumerate(_carriers):
        if only and name not in only:
            continue
        m = Maker(directory, payload)
        shutil.rmtree(m.work, ignore_errors=True)
        os.makedirs(m.work)
        path = os.path.join(directory, f'{number:02}-' + name.split(',')[0].replace(' ', '-') + SUFFIXES.get(name, ''))
        try:
            content = function(m, *arguments)
        except Missing as why:
            yield name, None, str(why)
            continue
        finally:
            shutil.rmtree(m.work, ignore_errors=True)
        with open(path, 'wb') as file:
            for piece in [content] if isinstance(content, bytes) else content:
                file.write(piece)
        yield name, path, ''


assert len(_carriers) == 69, len(_carriers)
