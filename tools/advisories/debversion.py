"""Debian's order of versions (deb-version(7)) as a sort key."""

import re


def key(version):
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return int(epoch), _part(upstream), _part(revision)


def _part(text):
    return [(tuple(map(_weight, word)) + (0,), int(digits or 0)) for word, digits in re.findall(r"(\D*)(\d*)", text or "0")]


def _weight(char):
    """A tilde sorts before the end of the word (0), letters before everything else."""
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256
