"""A Debian of a test's own: its package database, and advisories for packages that nobody else has."""
import hashlib
import os

OS = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'


def advisory(number, package):
    return {"id": "CVE-2025-%d" % number, "modified": "2025-12-25T00:00:00Z", "published": "2025-12-25T00:00:00Z",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}],
            "affected": [{"package": {"ecosystem": "Debian:12", "name": package},
                          "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}


def packages(container, owned):
    """The package database of the image: {name: paths}; of what is not there a digest is promised all the same."""
    status = ""
    for name, paths in sorted(owned.items()):
        status += "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n\n" % name
        sums = ""
        for path in paths:
            full = os.path.join(container.image, path)
            content = open(full, "rb").read() if os.path.exists(full) else b"gone"
            sums += "%s  %s\n" % (hashlib.md5(content).hexdigest(), path)
        container.add("var/lib/dpkg/info/%s.md5sums" % name, sums)
        container.add("var/lib/dpkg/info/%s.list" % name, "/.\n" + "".join("/%s\n" % p for p in paths))
    container.add("var/lib/dpkg/status", status)
