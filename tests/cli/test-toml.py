#!/usr/bin/env python3
"""TOML 1.0 (read/toml.h) against Python's tomllib: what it accepts, what it refuses, and every value in it."""
import datetime
import json
import math
import os
import random
import subprocess
import sys
import tomllib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from taplib import Tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READ = os.path.join(os.path.dirname(os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))), "tests", "read-toml")
tap = Tap(dict(os.environ))

DOCUMENT = r'''# a lock file and a configuration, and what the specification shows
title = "TOML \u00e9 \"x\" \t \U0001F600"
"quoted key" = 1
'literal.key' = 2
bare-key_1 = 3
a.b."c.d" = 4
a.b.e = 5
3.14 = "pi"
[owner]
dob = 1979-05-27T07:32:00-08:00
local = 1979-05-27 07:32:00.999999
day = 1979-05-27
time = 07:32:00
[ints]
a = +99
b = 0
c = -17
d = 1_000_000
e = 0xDEAD_beef
f = 0o755
g = 0b1101_0110
h = 9223372036854775807
i = -9223372036854775808
[floats]
a = +1.0
b = 3.1415
c = -0.01
d = 5e+22
e = 1e06
f = -2E-2
g = 6.626e-34
h = 224_617.445_991_228
i = [inf, +inf, -inf]
z = -0.0
[strings]
ml = """
Roses are red
Violets are blue"""
cont = """\
  The quick brown \


  fox.\
  """
q = """Here are two quotes: "". And """""
lit = 'C:\Users\nodejs'
mll = @@@
first ' ''
@@@
mlq = @@@'that' he said@@@''
[arrays]
a = [ 1, 2, # comment
  3, ]
b = [ [ 1, 2 ], ["a", 'b', """c"""] ]
c = []
d = [ { x = 1, y.z = 2 }, {} ]
[[package]]
name = "aho"
version = "1.0"
dependencies = ["memchr"]
[[package]]
name = "b"
[package.metadata]
x = 1
[[package.more]]
y = 1
[[package.more]]
[x.y.z.w]
[x]
q = true
[x.y]
no = false
'''.replace("@@@", "'" * 3)

GOOD = [DOCUMENT, "", "\n", "# c", "a=1\r\nb=2\r\n", "a = 1 # c", "[ j . \"k\" . 'l' ]\n", "[a]\n[a.b]\n[c]\n[[a.d]]\n",
        "[fruit]\napple.color = 1\napple.taste.sweet = true\n[fruit.apple.texture]\nsmooth = true\n",
        "'' = 1\n", '"" = 1\n', "a = ['x',]", "x = {a.b = 1, a.c = 2}", "a = \"\"\"\r\nx\r\n\"\"\"", "d = 2024-02-29", "t = 23:59:59.1",
        "[a.b]\nx=1\n[a]\ny=2\n", "a.b=1\na.c=2\n", "\xef\xbb\xbfa=1" if False else "a=1"]

BAD = ["a", "a =", "= 1", "a = 1 b = 2", "a = 1\na = 2", "[a]\n[a]", "a = 'x", 'a = "x', "a = \"\\q\"", "a = \"\\ud800\"", "a = 01",
       "a = 1__0", "a = _1", "a = 1_", "a = 0x", "a = 1.", "a = .1", "a = 1e", "a = +0x1", "a = tru", "a = [1 2]", "a = [1", "a = {b = 1,}",
       "a = {b = 1\n}", "a = 1979-13-01", "a = 2023-02-29", "a = 25:00:00", "a = 1979-05-27T", "[a", "[[a]\n", "[a]]\n", "[]", "[a..b]", "a..b = 1",
       "[[a]]\n[a]", "[a]\n[[a]]", "a = []\n[[a]]", "a = {}\n[a.b]", "a = {x = 1}\na.y = 2", "a.b = 1\n[a]\n", "a.b = 1\na.b.c = 2",
       "[a]\nb.c = 1\n[a.b]\n", "a = \"\x01\"", "# \x01", "a = 1 \r b", "a = '''x", "x = {a = 1, a = 2}", "x = {a.b = 1, a.b.c = 2}", "a = 'x\ny'",
       "[a.b]\n[a]\nb.c = 1", "a = 9223372036854775808", "\x00", "a = \"\x7f\"", "key\n= 1", "[a] b = 1", "a = [[[1]]"]


def tagged(v):
    if isinstance(v, bool):
        return {"type": "bool", "value": str(v).lower()}
    if isinstance(v, int):
        return {"type": "integer", "value": str(v)}
    if isinstance(v, float):
        return {"type": "float", "value": v}
    if isinstance(v, str):
        return {"type": "string", "value": v}
    if isinstance(v, list):
        return [tagged(x) for x in v]
    if isinstance(v, dict):
        return {k: tagged(x) for k, x in v.items()}
    return {"type": "datetime", "value": v}


def same(ours, theirs):
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, dict) and "type" in theirs and not isinstance(theirs["type"], dict):
        if theirs["type"] != ours.get("type"):
            return False
        if theirs["type"] == "float":
            a, b = float(ours["value"]), theirs["value"]
            return a == b and math.copysign(1, a) == math.copysign(1, b) or math.isnan(a) and math.isnan(b)
        if theirs["type"] == "datetime":
            return tomllib.loads("x = " + ours["value"])["x"] == theirs["value"]
        return ours["value"] == theirs["value"]
    return isinstance(ours, dict) and list(ours) == list(theirs) and all(same(ours[k], theirs[k]) for k in theirs)


def ours(data):
    p = subprocess.run([READ], input=data, capture_output=True, timeout=20)
    if p.returncode not in (0, 1):
        return "crash", p.stderr
    return (json.loads(p.stdout) if p.returncode == 0 else None), p.stderr.decode(errors="replace")


def theirs(data):
    try:
        text = data.decode()
        v = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    return tagged(v)


def too_large(v):
    """tomllib takes integers of any size, TOML does not."""
    if isinstance(v, list):
        return any(map(too_large, v))
    if isinstance(v, dict):
        if v.get("type") == "integer" and isinstance(v["value"], str):
            return not -2**63 <= int(v["value"]) < 2**63
        return any(map(too_large, v.values()))
    return False


for text in GOOD:
    mine, words = ours(text.encode())
    tap.ok(mine is not None and same(mine, theirs(text.encode())), "read as tomllib reads it: %r" % text[:30], words)
for text in BAD:
    mine, words = ours(text.encode())
    tap.ok(mine is None and words.startswith("line "), "refused, with the line: %r" % text[:40], (mine, words))

# Mutations of the document: pieces moved, bytes changed. Both must agree each time.
rng = random.Random(5)
seeds = [DOCUMENT] + GOOD[1:] + BAD
differ = []
tried = 0
for i in range(1500):
    lines = rng.choice(seeds if i % 2 else [DOCUMENT]).splitlines(True) or [""]
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines))
        how = rng.randrange(5)
        if how == 0:
            lines.insert(at, rng.choice(DOCUMENT.splitlines(True)))
        elif how == 1 and len(lines) > 1:
            del lines[at]
        else:
            s = lines[at]
            k = rng.randrange(len(s) + 1)
            lines[at] = s[:k] + rng.choice("\"'[]{}=,.#\n_-+e0x19:TZ \\a") + s[k + (how == 2):]
    data = "".join(lines).encode()
    want, (mine, words) = theirs(data), ours(data)
    tried += 1
    if want is not None and too_large(want):
        continue
    if mine == "crash" or (mine is None) != (want is None) or (want is not None and not same(mine, want)):
        differ.append((data.decode(), words, want is not None))
tap.ok(not differ, "%d mutations: the same as tomllib" % tried, "\n".join(map(repr, differ[:5])))

mine, words = ours(b"a = \"\xff\"")
tap.ok(mine is None and "UTF-8" in words, "not UTF-8: refused", words)
mine, words = ours(b"a = " + b"[" * 100000)
tap.ok(mine is None and "nest" in words, "nested too deeply: refused", words)
mine, words = ours(b".".join([b"a"] * 100) + b" = 1")
tap.ok(mine is None and "parts" in words, "a key of too many parts: refused", words)
mine, words = ours(b"".join(b"[a%d]\nx = [1, 2, 3]\n" % i for i in range(20000)))
tap.ok(mine is not None and len(mine) == 20000, "20,000 tables", words)
sys.exit(tap.end())
