"""Which CVE ids a Debian changelog says are fixed, and from which version of a release on.

The rules and their reasons stand in data/advisories/README.md. An item is one bullet of a stanza with its continuation lines.
"""

import datetime
import re
from dataclasses import dataclass, field

import debversion

HEADER = re.compile(r"(\S+) \(([^()\s]+)\) ([^;]+);")
TRAILER = re.compile(r" -- .*?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w* (\d{4})")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
BULLET = re.compile(r"\s+(?:[-*+~>]|[o.]\s|\[)")

# An id that goes on as a pattern (CVE-2024-2728[0-2], CVE-2024-2XXX) is not an id.
CVE = re.compile(r"CVE-(?:19|20)\d\d-\d{4,}(?![\dX?{\[])", re.IGNORECASE)
IDS = r"CVE-\d{4}-\d{4,}(?:(?:\.patch)?(?:[\s,/&]|and\b|or\b)*CVE-\d{4}-\d{4,})*"

UNTOUCHED = r"affected|vulnerable|fixed|applicable|impacted"
NOT = rf"(?:not (?:yet )?(?:{UNTOUCHED})|unaffected|(?:does not|doesn't|do not|did not) (?:affect|apply|fix|address))"
GONE = r"(?:drop|remov|delet|refresh|rebas|renam|updat|supersed)[a-z]*"

# What a mention can be other than a fix. Each expression covers the ids that it disqualifies, and no others.
NO_FIX = [re.compile(text, re.IGNORECASE) for text in (
    # "not affected by CVE-A", "CVE-A (not vulnerable)", "CVE-A does not affect"
    rf"{NOT}(?: by| to| for| in)?:? {IDS}",
    rf"{IDS}[\s:,(-]*(?:is |are |was |were |we are |debian is )?{NOT}",
    # "regression introduced by the fix for CVE-A", "CVE-A regression", but not "regression tests"
    rf"regress\w*(?! tests?\b)[^.;:()]{{0,60}}{IDS}",
    rf"{IDS}(?:'s)?(?:[ -](?:patch|fix))?[ -]regress\w*(?! tests?\b)",
    # "incomplete fix of CVE-A", "follow-up fix for CVE-A", "related to CVE-A", "tests for CVE-A"
    rf"(?:incomplete|partial|follow-?up|complete) (?:\S+ )?(?:fix(?:es)?|patch(?:es)?|change)? ?(?:for|of|to) {IDS}",
    rf"(?:related(?: to)?:?|similar to|problem as|follow-?up (?:to|of|for)) {IDS}",
    # what a description of another vulnerability tells: "The fix for CVE-A was incomplete", "Bypass of CVE-A"
    rf"(?:(?-i:The)|(?:following|containing|in|of) the)(?: \S+)? fix(?:es)? (?:for|of|in) {IDS}",
    rf"(?:bypass|variant) of (?:the )?{IDS}",
    rf"{IDS} fixed (?:this|the)\b",
    rf"tests?(?: ?cases?)? (?:for|of|from) {IDS}",
    # "Drop CVE-A.patch, applied upstream", "CVE-A.patch: refreshed"
    rf"^\W*(?:{GONE}|disabl\w*|revert\w*(?! \")|unappl\w*|re-?open\w*) (?:\S+ ){{0,4}}?[^\s(]*(?:patch|fix\b|fixes\b|CVE-\d).*",
    rf"{IDS}\S*[\s:,(-]+{GONE}(?=\s*(?:[,.;)]|$|merged|applied|fixed|included|upstream|already|as |since |because ))",
)]

# "Revert fixes for CVE-A": from here on it is not fixed any more.
UNDONE = re.compile(rf"^\W*(?:revert|remov|drop|disabl|back)\w* (?:out )?(?:the )?fix(?:es)? (?:for|of) ({IDS})", re.IGNORECASE)

# An item about an older entry: "Mention CVE-A in previous changelog entry", "Add CVE-A to 1.8.5-1 changelog entry".
PREVIOUS_ENTRY = re.compile(r"previous (?:change-?logs?|entry|entries|upload)", re.IGNORECASE)
NAMED_ENTRY = re.compile(r"change-?log (?:entry|entries)|by the \S+ upload|previously (?:backported|fixed)", re.IGNORECASE)


@dataclass(frozen=True)
class Release:
    name: str
    number: int
    frozen: datetime.date
    released: datetime.date

    def took(self, stanza):
        """Whether this upload went to the release: straight, or by way of unstable before the release was out.

        "stable" is no help: it means another release in another year, and such uploads carry the number in their version."""
        if re.search(rf"[+~]deb{self.number}u\d", stanza.version):
            return True
        ways = (self.name, "unstable", "sid", "testing") if stanza.date < self.released else (self.name,)
        return any(suite.startswith(ways) and "-backports" not in suite for suite in stanza.suites)


@dataclass
class Stanza:
    source: str
    version: str
    suites: list
    date: datetime.date = datetime.date.min
    items: list = field(default_factory=list)


def parse(text):
    """The stanzas, newest first. One without a readable last line is dropped: nothing says when it was uploaded."""
    stanzas, current = [], None
    for line in text.splitlines():
        if header := HEADER.match(line):
            current = Stanza(header[1], header[2], header[3].split())
        elif current and (trailer := TRAILER.match(line)):
            current.date = datetime.date(int(trailer[3]), MONTHS.index(trailer[2]) + 1, int(trailer[1]))
            stanzas.append(current)
            current = None
        elif current and line.strip():
            if BULLET.match(line) or not current.items:
                current.items.append(line.strip())
            else:
                current.items[-1] += " " + line.strip()
    return stanzas


def fixed_ids(item):
    """The CVE ids that an item says are fixed."""
    for expression in NO_FIX:
        item = expression.sub("", item)
    return {match.upper() for match in CVE.findall(item)}


def undone_ids(item):
    """The CVE ids whose fixes an item takes back."""
    undone = UNDONE.match(item)
    return {match.upper() for match in CVE.findall(undone[1])} if undone else set()


def entry_meant(item, stanzas, index):
    """The index of the stanza that an item is about: its own, or the older one that it corrects."""
    if NAMED_ENTRY.search(item):
        words = set(re.split(r"[\s,;:()/]+", item))
        for older in range(index + 1, len(stanzas)):
            if stanzas[older].version.rpartition(":")[2] in words:
                return older
    if PREVIOUS_ENTRY.search(item):
        return min(index + 1, len(stanzas) - 1)
    return index


def fixes(text, source, release):
    """{CVE id: the lowest version of the source in the release that has it fixed}, without what the release had from its freeze."""
    stanzas = parse(text)
    # A copy of a source under another name (linux-6.1 of linux) starts with all that its origin had fixed by then.
    own = next((i for i, stanza in enumerate(stanzas) if stanza.source != source), len(stanzas))
    stanzas = stanzas[:own]

    # For each stanza the upload that brought it to the release, and the lowest version from that upload on: what
    # a "1.2-1~deb12u1" brings was written down in the stanza of 1.2-1, which is a higher version.
    uploads, lowest = [], None
    for index, stanza in enumerate(stanzas):
        if index == 0 or release.took(stanza):
            upload = stanza
            lowest = min(lowest or stanza.version, stanza.version, key=debversion.key)
        uploads.append((upload.date, lowest))

    first = {}
    for index in range(len(stanzas) - 1, -1, -1):
        for item in stanzas[index].items:
            for cve in undone_ids(item):
                first.pop(cve, None)
            if ids := fixed_ids(item):
                about = entry_meant(item, stanzas, index)
                for cve in ids:
                    first.setdefault(cve, about)
    return {cve: uploads[index][1] for cve, index in first.items() if uploads[index][0] >= release.frozen}
