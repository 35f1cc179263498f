"""Debian's package archive through apt, kept apart from the system's own apt.

Everything lives below one cache directory: the indexes (apt checks their signatures against the keyring of the archive) and,
per binary package, the changelog taken out of it. A .deb is deleted once read, so an interrupted run starts again where it stopped.
"""

import gzip
import hashlib
import os
import re
import subprocess
import sys
import tarfile

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
APT_HELPER = "/usr/lib/apt/apt-helper"
BATCH_BYTES = 64 << 20

APT_CONF = """\
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{cache}/sources";
Dir::State "{cache}";
Dir::State::status "{cache}/status";
Dir::Cache "{cache}";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
// The release files of a suite whose support has ended are not renewed. Their signatures are still checked.
Acquire::Check-Valid-Until "false";
// The hooks belong to the system's own apt.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class Binary:
    """One binary package of an index."""

    def __init__(self, fields, base_uri):
        source = re.fullmatch(r"(\S+)(?: \((\S+)\))?", fields.get("Source", fields["Package"]))
        self.name = fields["Package"]
        self.source = source[1]
        self.source_version = source[2] or fields["Version"]
        self.uri = base_uri + fields["Filename"]
        self.size = int(fields["Size"])
        self.sha256 = fields["SHA256"]


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Archive:
    def __init__(self, cache, suites):
        """suites: pairs (path below http://deb.debian.org, suite)"""
        self.cache = os.path.abspath(cache)
        self.suites = suites
        self.conf = os.path.join(self.cache, "apt.conf")
        for folder in ("sources", "lists/partial", "archives/partial", "debs", "changelogs"):
            os.makedirs(os.path.join(self.cache, folder), exist_ok=True)
        self._write("status", "")
        self._write("apt.conf", APT_CONF.format(cache=self.cache))
        self._write("sources/derive.list", "".join(
            f"deb [signed-by={KEYRING}] http://deb.debian.org/{path} {suite} main\n" for path, suite in suites))

    def _write(self, name, text):
        with open(os.path.join(self.cache, name), "w", encoding="ascii") as f:
            f.write(text)

    def update(self):
        """Get the indexes. apt refuses one whose signature or hash is wrong."""
        subprocess.run(["apt-get", "-c", self.conf, "-q", "update"], stdout=sys.stderr, check=True)

    def release_date(self, path, suite):
        """The Date field of the suite's signed release file."""
        name = f"deb.debian.org/{path}/dists/{suite}/InRelease".replace("/", "_")
        with open(os.path.join(self.cache, "lists", name), encoding="utf-8") as f:
            return next(line[6:].strip() for line in f if line.startswith("Date: "))

    def binaries(self, suite):
        """All binary packages of one suite's index, in the order of the index."""
        targets = subprocess.run(
            ["apt-get", "-c", self.conf, "indextargets", "--format", "$(REPO_URI) $(FILENAME)",
             "Identifier: Packages", f"Release: {suite}"], capture_output=True, text=True, check=True).stdout
        base_uri, index = targets.split()
        text = subprocess.run([APT_HELPER, "-c", self.conf, "cat-file", index], capture_output=True, check=True).stdout
        for stanza in text.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
            if fields:
                yield Binary(fields, base_uri)

    def changelog(self, binary):
        """The changelog inside a package: bytes, b"" where it holds none, None where the package was not to be had."""
        try:
            with gzip.open(self._changelog_path(binary)) as f:
                return f.read()
        except FileNotFoundError:
            return None

    def fetch(self, binaries):
        """Fetch packages, take out their changelogs, delete them. What the archive does not serve is left out."""
        binaries = [b for b in binaries if not os.path.exists(self._changelog_path(b))]
        total, done = sum(b.size for b in binaries), 0
        while binaries:
            batch, size = [], 0
            while binaries and (not batch or size + binaries[-1].size <= BATCH_BYTES):
                batch.append(binaries.pop())
                size += batch[-1].size
            self._download(batch)
            for binary in batch:
                self._take_changelog(binary)
            done += size
            progress(f"  {done >> 20} of {total >> 20} MiB, {len(binaries)} packages left")

    def _changelog_path(self, binary):
        return os.path.join(self.cache, "changelogs", binary.sha256 + ".gz")

    def _deb_path(self, binary):
        return os.path.join(self.cache, "debs", binary.sha256 + ".deb")

    def _download(self, binaries):
        """One that cannot be had does not keep apt-helper from the others, so its exit code says nothing of use."""
        command = [APT_HELPER, "-c", self.conf, "-qq", "download-file"]
        for binary in binaries:
            command += [binary.uri, self._deb_path(binary), "SHA256:" + binary.sha256]
        subprocess.run(command, stdout=sys.stderr, check=False)

    def _take_changelog(self, binary):
        deb = self._deb_path(binary)
        if not os.path.exists(deb):
            return
        with open(deb, "rb") as f:
            genuine = hashlib.file_digest(f, "sha256").hexdigest() == binary.sha256
        if genuine:
            path = self._changelog_path(binary)
            with gzip.open(path + ".part", "wb") as f:
                f.write(changelog_in_deb(deb, binary.name))
            os.rename(path + ".part", path)
        os.unlink(deb)


def changelog_in_deb(deb, package):
    """The Debian changelog in a package's file; b"" where its folder of documents is only a link to another's.

    A native package calls it changelog.gz; elsewhere that name means the changelog of the authors."""
    folder = f"./usr/share/doc/{package}/"
    found = {}
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as dpkg:
        with tarfile.open(fileobj=dpkg.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile() and member.name.startswith(folder + "changelog"):
                    found[member.name[len(folder):]] = tar.extractfile(member).read()
        dpkg.stdout.read()  # the padding, lest dpkg-deb dies of a closed pipe
    if dpkg.returncode != 0:
        raise RuntimeError(f"dpkg-deb cannot read {deb}")
    for name in ("changelog.Debian.gz", "changelog.gz"):
        if name in found:
            return gzip.decompress(found[name])
    return b""
