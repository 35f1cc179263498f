"""python3 -m unittest, in this folder; no network."""

import datetime
import os
import tempfile
import textwrap
import unittest

import changelog
import debversion
import feeds
import tsv

RELEASE = changelog.Release("larch", 42, frozen=datetime.date(2031, 1, 12), released=datetime.date(2031, 6, 10))


def stanza(version, suite, date, *items, source="tool"):
    lines = "\n".join("  " + item for item in items)
    return f"{source} ({version}) {suite}; urgency=medium\n\n{lines}\n\n -- A Person <a@example.org>  Mon, {date} 10:00:00 +0000\n\n"


def fixes(*stanzas):
    return changelog.fixes("".join(stanzas), "tool", RELEASE)


class Versions(unittest.TestCase):
    def test_order(self):
        ordered = ["1.0~rc1-1", "1.0-1~deb42u1", "1.0-1", "1.0-1+deb42u1", "1.0-1+deb42u2", "1.0-1+deb42u10", "1.0a-1", "1.0+dfsg-1",
                   "1.0.1-1", "1.10-1", "1:0.1-1"]
        for lower, higher in zip(ordered, ordered[1:]):
            self.assertLess(debversion.key(lower), debversion.key(higher), (lower, higher))

    def test_equal(self):
        for a, b in (("1.0", "1.0-0"), ("1.0", "0:1.0"), ("1.0", "1.00"), ("1-00", "1")):
            self.assertEqual(debversion.key(a), debversion.key(b), (a, b))


class Stanzas(unittest.TestCase):
    def test_parse(self):
        first, second = changelog.parse(textwrap.dedent("""\
            tool (2:1.2-3+deb42u1) larch-security larch; urgency=high

              [ A Person ]
              * Fix a hole that
                is wide
                - a detail
              * Another

             -- A  Person <a@example.org>  Tue, 01 Jul 2031 10:00:00 +0000

            tool (2:1.2-3) unstable; urgency=low

              A line without a bullet

             -- A Person <a@example.org>  Sun,  2 Feb 2031 10:00:00 +0000
            """))
        self.assertEqual((first.source, first.version, first.suites), ("tool", "2:1.2-3+deb42u1", ["larch-security", "larch"]))
        self.assertEqual(first.items, ["[ A Person ]", "* Fix a hole that is wide", "- a detail", "* Another"])
        self.assertEqual((first.date, second.date), (datetime.date(2031, 7, 1), datetime.date(2031, 2, 2)))
        self.assertEqual(second.items, ["A line without a bullet"])

    def test_bullets(self):
        text = stanza("1-1", "larch", "01 Jul 2031", "* Fix regression", "  of the fix for", "  CVE-2031-0001", "  o detail", "*tight")
        self.assertEqual(changelog.parse(text)[0].items, ["* Fix regression of the fix for CVE-2031-0001", "o detail", "*tight"])

    def test_hostile(self):
        for text in ("", "\n\n", "tool (1) x; y\n", " -- nobody <>  Mon, 01 Jul 2031\n", "Release 1.0 of tool\n  * CVE-2031-0001\n"):
            self.assertEqual(changelog.parse(text), [])


class Items(unittest.TestCase):
    def check(self, item, *ids):
        self.assertEqual(sorted(changelog.fixed_ids(item)), sorted(ids), item)

    def test_hits(self):
        self.check("* Fix CVE-2031-0001 and CVE-2031-12345 (Closes: #1)", "CVE-2031-0001", "CVE-2031-12345")
        self.check("* d/p/CVE-2031-0001.patch: new", "CVE-2031-0001")
        self.check("* cve-2031-0001.patch: Check the length", "CVE-2031-0001")
        self.check("* Fix CVE-2031-0001 + fix regression", "CVE-2031-0001")
        self.check("* Backport the fix (CVE-2031-0001), with regression tests", "CVE-2031-0001")
        self.check("* CVE-2031-0001: drop analyzed flags from uploads", "CVE-2031-0001")
        self.check("* CVE-2031-0001: Other builds were not affected.", "CVE-2031-0001")
        self.check("* Delete cookies on cross-origin redirect (Closes: #1, CVE-2031-0001)", "CVE-2031-0001")
        self.check("* Fix a regression in the parser (CVE-2031-0001)", "CVE-2031-0001")
        self.check('* Revert "net: fix a protocol" (CVE-2031-0001)', "CVE-2031-0001")
        self.check("* CVE-2031-0002: Bypass of incomplete fix of CVE-2031-0001", "CVE-2031-0002")
        self.check("* CVE-2031-0002: Bypass of CVE-2031-0001", "CVE-2031-0002")
        self.check("* CVE-2031-0002: The fix for CVE-2031-0001 was incomplete.", "CVE-2031-0002")
        self.check("* Apply the fix for CVE-2031-0001", "CVE-2031-0001")
        self.check("* Fix issues related to CVE-2031-0001 (CVE-2031-0002)", "CVE-2031-0002")
        self.check("* Do not trust clients (CVE-2031-0001_stable-drop_headers.patch)", "CVE-2031-0001")
        self.check("* New release with the fixes previously backported: CVE-2031-0001", "CVE-2031-0001")
        self.check("* Fixes CVE-2031-0001. This version is not affected by CVE-2031-0002, CVE-2031-0003.", "CVE-2031-0001")

    def test_no_fix(self):
        for item in ("* Debian is not affected by CVE-2031-0001",
                     "* Note CVE-2031-0001 (not vulnerable)",
                     "* CVE-2031-0001 does not affect this version",
                     "* Fix regression introduced by the fix for CVE-2031-0001",
                     "* Fix CVE-2031-0001 regression in logins",
                     "* d/p/CVE-2031-0001-regression-fix.patch: new",
                     "* Drop CVE-2031-0001.patch, applied upstream",
                     "* Remove patches for CVE-2031-0001 and CVE-2031-0002",
                     "* CVE-2031-0001.patch: refreshed",
                     "* Revert fix for CVE-2031-0001",
                     "* Disable CVE-2031-0001-testcase.patch for now",
                     "* Follow-up fix for CVE-2031-0001",
                     "* Add tests for CVE-2031-0001",
                     "* The fix for CVE-2031-0001 was too strict and is now right",
                     "* Close a bypass of the CVE-2031-0001 fix",
                     "* Update documentation (related to CVE-2031-0001)",
                     "* Drop d/patches/CVE-2031-2728[0-2].patch",
                     "* Prepare CVE-2031-0XXX and CVE-31-0001"):
            self.check(item)


class Fixes(unittest.TestCase):
    def test_first_stanza_counts(self):
        self.assertEqual(fixes(
            stanza("1.2-3+deb42u2", "larch-security", "07 Jul 2031", "* Fix CVE-2031-0001 for real", "* Fix CVE-2031-0002"),
            stanza("1.2-3+deb42u1", "larch", "01 Jul 2031", "* Fix CVE-2031-0001"),
            stanza("1.2-3", "unstable", "03 Mar 2031", "* Fix CVE-2031-0003"),
            stanza("1.2-2", "unstable", "03 Mar 2030", "* Fix CVE-2030-0004")),
            {"CVE-2031-0001": "1.2-3+deb42u1", "CVE-2031-0002": "1.2-3+deb42u2", "CVE-2031-0003": "1.2-3"})

    def test_fixed_before_the_freeze_stays_fixed(self):
        self.assertEqual(fixes(
            stanza("1.2-3+deb42u1", "larch", "01 Jul 2031", "* Improve the mitigation of CVE-2030-0001"),
            stanza("1.2-2", "unstable", "03 Mar 2030", "* Fix CVE-2030-0001")), {})

    def test_not_affected_then_fixed(self):
        self.assertEqual(fixes(
            stanza("1.2-3+deb42u1", "larch", "01 Jul 2031", "* Fix CVE-2031-0001"),
            stanza("1.2-3", "unstable", "03 Mar 2031", "* Not affected by CVE-2031-0001")), {"CVE-2031-0001": "1.2-3+deb42u1"})

    def test_rebuild_of_unstable(self):
        """1.4-1 sorts after 1.4-1~deb42u1: taken literally, the updated release would be called vulnerable."""
        self.assertEqual(fixes(
            stanza("1.4-1~deb42u1", "larch-security", "09 Jul 2031", "* Rebuild for larch"),
            stanza("1.4-1", "unstable", "08 Jul 2031", "* New release, fixes CVE-2031-0001"),
            stanza("1.3-1", "unstable", "01 Jul 2031", "* New release, fixes CVE-2031-0002")),
            {"CVE-2031-0001": "1.4-1~deb42u1", "CVE-2031-0002": "1.4-1~deb42u1"})

    def test_other_suites_do_not_count(self):
        for suite in ("experimental", "UNRELEASED", "larch-backports-sloppy", "elder-security", "stable"):
            self.assertEqual(fixes(
                stanza("1.4-1", "unstable", "03 Apr 2031", "* Upload"),
                stanza("1.3-1", suite, "03 Mar 2031", "* Fix CVE-2031-0001")), {"CVE-2031-0001": "1.4-1"}, suite)

    def test_number_in_the_version_is_enough(self):
        self.assertEqual(fixes(stanza("1.3-1+deb42u1", "stable-proposed-updates", "03 Aug 2031", "* Fix CVE-2031-0001")),
                         {"CVE-2031-0001": "1.3-1+deb42u1"})

    def test_unstable_after_the_release(self):
        self.assertEqual(fixes(
            stanza("1.3-1+deb42u2", "larch", "03 Sep 2031", "* Merge"),
            stanza("1.3-2", "unstable", "03 Aug 2031", "* Fix CVE-2031-0001"),
            stanza("1.3-1+deb42u1", "larch", "03 Jul 2031", "* Fix CVE-2031-0002")),
            {"CVE-2031-0001": "1.3-1+deb42u2", "CVE-2031-0002": "1.3-1+deb42u1"})

    def test_copy_of_another_source(self):
        self.assertEqual(fixes(
            stanza("2.0-2+deb42u1", "larch", "01 Aug 2031", "* Fix CVE-2031-0001"),
            stanza("2.0-1", "unstable", "01 Jul 2031", "* Fix CVE-2031-0002", source="origin")), {"CVE-2031-0001": "2.0-2+deb42u1"})

    def test_reverted_fix(self):
        undo = "* Revert fixes for CVE-2031-0001 and CVE-2031-0002."
        first = stanza("1.2-3+deb42u1", "larch", "01 Jul 2031", "* Fix CVE-2031-0001, CVE-2031-0002, CVE-2031-0003")
        self.assertEqual(fixes(
            stanza("1.2-3+deb42u3", "larch", "01 Sep 2031", "* Fix CVE-2031-0002 better"),
            stanza("1.2-3+deb42u2", "larch", "01 Aug 2031", undo), first),
            {"CVE-2031-0002": "1.2-3+deb42u3", "CVE-2031-0003": "1.2-3+deb42u1"})

    def test_older_entry(self):
        self.assertEqual(fixes(
            stanza("1.3-3", "unstable", "03 Apr 2031", "* Add CVE-2031-0001 to 1.3-1 changelog entry.",
                   "* Mention CVE-2031-0002 in previous changelog entry",
                   "* Fixes previously backported for the release: CVE-2031-0003"),
            stanza("1.3-2", "unstable", "03 Mar 2031", "* Fix a hole"),
            stanza("1.3-1", "unstable", "03 Feb 2031", "* Fix another")),
            {"CVE-2031-0001": "1.3-1", "CVE-2031-0002": "1.3-2", "CVE-2031-0003": "1.3-3"})


class Feeds(unittest.TestCase):
    def ranges(self, *events, kind="ECOSYSTEM"):
        return list(feeds.ranges({"ranges": [{"type": kind, "events": list(events)}]}))

    def test_ranges(self):
        self.assertEqual(self.ranges({"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2.0"}, {"last_affected": "2.1"}),
                         [("0", "1.2", ""), ("2.0", "", "2.1")])
        self.assertEqual(self.ranges({"introduced": "0"}), [("0", "", "")])
        self.assertEqual(self.ranges({"introduced": "0"}, {"fixed": "c0ffee"}, kind="GIT"), [])
        self.assertEqual(list(feeds.ranges({"versions": ["1.0"]})), [])

    def test_events_out_of_order(self):
        for events in (({"introduced": "0"}, {"introduced": "2.0"}, {"fixed": "1.2"}, {"fixed": "2.1"}),
                       ({"fixed": "1.2"}, {"introduced": "0"})):
            with self.assertRaises(ValueError):
                self.ranges(*events)

    def test_cves(self):
        self.assertEqual(feeds.cves({"id": "GO-2031-1", "aliases": ["CVE-2031-0001", "GHSA-x"], "related": ["CVE-2031-0002"]}),
                         ["CVE-2031-0001"])
        self.assertEqual(feeds.cves({"id": "ALSA-2031:1", "related": ["CVE-2031-0002"]}), ["CVE-2031-0002"])

    def test_natural_order(self):
        self.assertEqual(sorted(["ALSA-2031:1234", "ALSA-2031:987", "RHBA-1"], key=feeds.natural), ["ALSA-2031:987", "ALSA-2031:1234", "RHBA-1"])


class Tables(unittest.TestCase):
    def test_write_and_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.tsv")
            tsv.write(path, [("key", "value")], ("a", "b"), [("x", "é"), ("x", ""), ("X", "1 2")])
            with open(path, "rb") as f:
                self.assertEqual(f.read().decode(), "# key: value\n# columns: a b\nX\t1 2\nx\t-\nx\té\n")
            self.assertEqual(tsv.read(path), [["X", "1 2"], ["x", "-"], ["x", "é"]])
            for bad in ("1\t2", "1\n2", "\0"):
                with self.assertRaises(ValueError):
                    tsv.write(path, [], ("a",), [(bad,)])


if __name__ == "__main__":
    unittest.main()
