"""The stored public feeds: OSV records one a line, CISA's catalogue of exploited vulnerabilities, EPSS scores."""

import csv
import gzip
import json
import lzma
import os
import re

# In the order of trust where two feeds rate the same CVE.
OSV = ("go", "pypi", "crates", "erlang", "bitnami", "npm", "maven", "almalinux")

LICENCES = "Go, PyPI, npm and Maven (GitHub) advisories CC-BY-4.0; RustSec, Erlang CC0; Bitnami Apache-2.0; AlmaLinux MIT; KEV CC0; EPSS FIRST.org"


def records(folder, name):
    """The records of one feed that have not been withdrawn, in the order of their ids."""
    with lzma.open(os.path.join(folder, f"osv-{name}.jsonl.xz"), "rt", encoding="utf-8") as f:
        return sorted((r for r in map(json.loads, f) if "withdrawn" not in r), key=lambda r: natural(r["id"]))


def natural(identifier):
    """ALSA-2023:987 before ALSA-2023:1234."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", identifier)]


def cves(record):
    """The CVE ids of a record; an erratum of AlmaLinux is related to the CVEs that it fixes, for it is no vulnerability itself."""
    key = "related" if record["id"].startswith("ALSA-") else "aliases"
    return [i for i in [record["id"], *record.get(key, [])] if i.startswith("CVE-")]


def ranges(affected):
    """(introduced, fixed, last affected) of each stretch of affected versions, "" for none.

    OSV permits events in any order. No feed needs that so far, and to pair them would take each ecosystem's order of versions."""
    for versions in affected.get("ranges", []):
        if versions["type"] == "GIT":
            continue
        introduced = None
        for event in versions["events"]:
            if "introduced" in event:
                if introduced is not None:
                    raise ValueError("events out of order")
                introduced = event["introduced"]
            elif introduced is None:
                raise ValueError("events out of order")
            else:
                yield introduced, event.get("fixed", ""), event.get("last_affected", "")
                introduced = None
        if introduced is not None:
            yield introduced, "", ""


def newest(records_of_feed):
    """The day of the newest record. Not by `modified`: Go's records have none, and two of PyPI's lie in the future."""
    return max(r["published"] for r in records_of_feed)[:10]


def exploited(folder):
    """(date of the catalogue, {CVE id: entry})"""
    with gzip.open(os.path.join(folder, "known_exploited_vulnerabilities.json.gz"), "rt", encoding="utf-8") as f:
        catalogue = json.load(f)
    return catalogue["dateReleased"][:10], {entry["cveID"]: entry for entry in catalogue["vulnerabilities"]}


def epss(folder):
    """(date of the scores, {CVE id: (score, percentile)})"""
    with gzip.open(os.path.join(folder, "epss_scores.csv.gz"), "rt", encoding="ascii") as f:
        date = re.search(r"score_date:(\d{4}-\d\d-\d\d)", f.readline())[1]
        return date, {row["cve"]: (row["epss"], row["percentile"]) for row in csv.DictReader(f)}
