"""The form of the files in data/advisories: comment lines `# key: value`, then sorted rows of columns separated by tabs."""

import re

COLUMNS = ("ecosystem", "package", "introduced", "fixed", "last_affected", "ids")


def cve_order(cve):
    """CVE-2021-3156 before CVE-2021-20001."""
    return [int(number) for number in cve.split("-")[1:]]


def write(path, comments, columns, rows):
    rows = list(rows)
    for row in rows:
        if any(re.search(r"[\x00-\x1f\x7f]", value) for value in row):
            raise ValueError(f"a control character in {row}")
    lines = sorted("\t".join(value or "-" for value in row) for row in rows)
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.writelines(f"# {key}: {value}\n" for key, value in comments)
        f.write("# columns: " + " ".join(columns) + "\n")
        f.writelines(line + "\n" for line in lines)


def read(path):
    with open(path, encoding="utf-8") as f:
        return [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
