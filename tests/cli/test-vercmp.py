#!/usr/bin/env python3
"""`sekisho vercmp` against the vectors of $SEKISHO_SHARED, and against the programs that define the orders."""
import glob
import os
import random
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEKISHO = os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))
SHARED = os.environ.get("SEKISHO_SHARED", os.path.join(ROOT, "..", "shared"))
PAIRS = 4000
results = []


def say(ok, name, detail=""):
    results.append(ok)
    print(f"{'ok' if ok else 'not ok'} {len(results)} - {name}")
    for line in detail.splitlines()[:20]:
        print(f"# {line}")
    sys.stdout.flush()


def skip(name, reason):
    results.append(True)
    print(f"ok {len(results)} - {name} # SKIP {reason}")


def run(*args, text=""):
    return subprocess.run([SEKISHO, "vercmp", *args], input=text, capture_output=True, text=True)


def ours(scheme, pairs):
    done = run(scheme, "-", text="".join(f"{a} {b}\n" for a, b in pairs))
    return done.stdout.split() if done.returncode == 0 else []


def filter_through(command, pairs, env=None):
    """The answers of a program that reads lines `A B` and writes a sign for each, or E where it refuses them."""
    text = "".join(f"{a} {b}\n" for a, b in pairs)
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=env)
    return done.stdout.split()


def compare(name, scheme, pairs, theirs):
    mine = ours(scheme, pairs)
    if len(mine) != len(pairs) or len(theirs) != len(pairs):
        say(False, name, f"{len(pairs)} pairs, {len(mine)} answers of ours, {len(theirs)} of the oracle")
        return
    used = [(p, m, t) for p, m, t in zip(pairs, mine, theirs) if t != "E"]
    wrong = [f"{a} {m} {b}, but the oracle says {t}" for (a, b), m, t in used if m != t]
    kinds = {t for _, _, t in used}
    say(not wrong and kinds == {"<", "=", ">"}, f"{name}: {len(used)} pairs",
        f"{len(wrong)} wrong\n" + "\n".join(wrong) if wrong else "")


class Maker:
    """Random versions: often near each other, for that is where orders differ."""

    def __init__(self, seed, pieces, length):
        self.random, self.pieces, self.length = random.Random(seed), pieces, length

    def one(self):
        r = self.random
        return r.choice(["1", "0", "2", "10"]) + "".join(r.choice(self.pieces) for _ in range(r.randint(0, self.length)))

    def near(self, v):
        r = self.random
        at = r.randint(1, len(v))
        return v[:at] + (r.choice(self.pieces) if r.random() < 0.7 else "") + v[at + r.randint(0, 2):]

    def pairs(self, n):
        made = []
        while len(made) < n:
            a = self.one()
            made.append((a, self.near(a) if self.random.random() < 0.8 else self.one()))
        return made


def test_usage():
    for scheme, a, b, sign in [("debian", "1~", "1", "<"), ("npm", "v1.0.0", "1.0.0", "="), ("Debian:12", "2", "1", ">"),
                               ("Alpine:v3.20", "1.0_rc1", "1.0", "<"), ("crates.io", "1.0.0-a", "1.0.0", "<")]:
        done = run(scheme, a, b)
        say(done.stdout == sign + "\n" and done.returncode == 0, f"{scheme}: {a} {sign} {b}", done.stdout + done.stderr)
    done = run("debain", "1", "2")
    say(done.returncode == 2 and 'did you mean "debian"' in done.stderr and "rubygems" in done.stderr and not done.stdout,
        "an unknown ecosystem: usage error, suggestion, list", done.stderr)
    say(run("debian", "1").returncode == 2, "too few arguments: usage error")
    done = run("semver", "-", text="1 2\n3\n  2\t1  \n1 2 3\n\n2 2")
    say(done.stdout == "<\n?\n>\n?\n?\n=\n" and done.returncode == 2 and "line 2:" in done.stderr and "line 5:" in done.stderr,
        "malformed lines: ?, the line's number, exit code 2", done.stdout + done.stderr)
    done = run("semver", "-", text="")
    say(done.stdout == "" and done.returncode == 0, "no input: no output")


def test_vectors():
    files = sorted(glob.glob(os.path.join(SHARED, "vectors", "versions", "*.txt")))
    if not files:
        skip("vectors", f"no vectors in {SHARED}")
    for path in files:
        scheme = os.path.basename(path)[:-4]
        with open(path, encoding="utf-8") as f:
            rows = [line.split() for line in f if line.strip()]
        mine = ours(scheme, [(a, b) for a, _, b in rows])
        wrong = [f"{a} {op} {b}, got {m}" for (a, op, b), m in zip(rows, mine) if m != op]
        say(len(mine) == len(rows) and not wrong, f"vectors of {scheme}: {len(rows)} pairs", "\n".join(wrong))


def test_dpkg():
    if not shutil.which("dpkg"):
        return skip("dpkg --compare-versions", "no dpkg here")
    pairs = Maker(1, ["1", "0", "00", ".", "-", "~", "+", "a", "Z", "~~", "-0", "9" * 30, "rc1"], 6).pairs(500)
    pairs += [(f"{e}:{a}", b) for e, (a, b) in zip(["0", "1", "00", "2"] * 25, pairs)]
    script = """while read -r a b; do
        dpkg --compare-versions "$a" lt "$b" 2>/dev/null; lower=$?
        dpkg --compare-versions "$a" eq "$b" 2>/dev/null
        case $lower$? in 0*) echo '<' ;; 10) echo '=' ;; 11) echo '>' ;; *) echo E ;; esac; done"""
    compare("dpkg --compare-versions", "debian", pairs, filter_through(["sh", "-c", script], pairs))


def test_rpm():
    if not shutil.which("rpm"):
        return skip("rpm.vercmp", "no rpm here")
    pieces = ["1", "0", "00", ".", "_", "~", "^", "a", "Z", "+", "b2", "9" * 30, ".."]
    pairs = Maker(2, pieces, 6).pairs(PAIRS)
    full = [(f"{e}:{a}-{c}", f"{f}:{b}-{d}") for e, f, (a, b), (c, d) in
            zip("0011012" * 100, "0101022" * 100, pairs, Maker(3, pieces, 3).pairs(700))]
    lua = """%{lua: for line in io.lines() do local a, b = line:match("(%S+) (%S+)")
        local r = rpm.vercmp(a, b); print((r < 0 and "< ") or (r > 0 and "> ") or "= ") end}"""
    for name, some in (("rpm.vercmp of versions", pairs), ("rpm.vercmp of epoch:version-release", full)):
        compare(name, "redhat", some, filter_through(["rpm", "--eval", lua], some))


PACKAGING = """
import sys
from packaging.version import Version, InvalidVersion
for line in sys.stdin:
    try:
        a, b = map(Version, line.split())
        print("<" if a < b else ">" if a > b else "=")
    except InvalidVersion:
        print("E")
"""


def test_packaging():
    if subprocess.run(["/usr/bin/python3", "-c", "import packaging.version"], capture_output=True).returncode != 0:
        return skip("python3-packaging", "python3-packaging is not installed")
    pieces = ["1", "0", ".0", ".1", ".", "-", "_", "a", "b1", "rc", "c2", "alpha", "beta", "pre", "preview3", "post", "rev2",
              "r", "dev", ".dev1", ".post2", "-1", "+ab", "+1", "+a.1", "1!", "RC1", "9" * 20]
    pairs = Maker(4, pieces, 5).pairs(PAIRS * 4)
    compare("packaging.version", "pypi", pairs, filter_through(["/usr/bin/python3", "-c", PACKAGING], pairs))


RUBY = """
STDIN.each_line { |l| a, b = l.split
  puts begin; { -1 => "<", 0 => "=", 1 => ">" }[Gem::Version.new(a) <=> Gem::Version.new(b)]; rescue ArgumentError; "E"; end }
"""


def test_ruby():
    if not shutil.which("ruby"):
        return skip("Gem::Version", "ruby is not installed")
    pairs = Maker(5, ["1", "0", ".0", ".1", ".", "-", "a", "b1", ".rc", "pre", "A", ".0.0", "9" * 20], 6).pairs(PAIRS * 2)
    compare("Gem::Version", "rubygems", pairs, filter_through(["ruby", "-e", RUBY], pairs))


PHP = """
while (($l = fgets(STDIN)) !== false) { [$a, $b] = explode(' ', trim($l)); $r = version_compare($a, $b);
  echo $r < 0 ? "<" : ($r > 0 ? ">" : "="), "\\n"; }
"""


def test_php():
    if not shutil.which("php"):
        return skip("version_compare", "php is not installed")
    pieces = ["1", "0", ".0", ".1", ".", "-", "_", "+", "a", "b1", "RC", "rc2", "dev", "pl", "p3", "alpha", "beta", "foo", "Rc"]
    pairs = Maker(6, pieces, 5).pairs(PAIRS)
    # Of a version that ends in a separator PHP says that it differs from itself.
    pairs = [(a, b) for a, b in pairs if a[-1] not in "._+-" and b[-1] not in "._+-"]
    compare("version_compare", "packagist", pairs, filter_through(["php", "-r", PHP], pairs))


NODE = """
const s = require('semver');
require('fs').readFileSync(0, 'utf8').trim().split('\\n').forEach(l => { const [a, b] = l.split(' ');
  console.log(s.valid(a) && s.valid(b) ? "<=>"[s.compare(a, b) + 1] : "E"); });
"""


def test_node():
    env = dict(os.environ, NODE_PATH="/usr/share/nodejs")
    if not shutil.which("node") or subprocess.run(["node", "-e", "require('semver')"], capture_output=True, env=env).returncode:
        return skip("node-semver", "node-semver is not installed")
    r = random.Random(7)
    words = ["0", "1", "10", "a", "b", "rc1", "alpha", "A", "a-b", "-", "1a"]

    def one():
        v = ".".join(r.choice("0129") for _ in range(3))
        if r.random() < 0.7:
            v += "-" + ".".join(r.choice(words) for _ in range(r.randint(1, 3)))
        return r.choice(["", "", "v"]) + v + ("+" + r.choice(words) if r.random() < 0.2 else "")
    bases = [one() for _ in range(300)]
    pairs = [(r.choice(bases), r.choice(bases)) for _ in range(PAIRS)]
    near = [(f"1.0.0-{'.'.join(r.choice(words) for _ in range(2))}", f"1.0.0-{'.'.join(r.choice(words) for _ in range(2))}")
            for _ in range(PAIRS)]
    compare("node-semver", "semver", pairs + near, filter_through(["node", "-e", NODE], pairs + near, env))


def test_maven():
    jars = ["/usr/share/java/maven-artifact-3.x.jar", "/usr/share/java/commons-lang3.jar"]
    if not shutil.which("java") or not all(map(os.path.exists, jars)):
        return skip("ComparableVersion", "java or libmaven3-core-java is not installed")
    # Debian's Maven 3.8.7 has the later rule for words after dots, so none are made here.
    r = random.Random(8)
    tails = ["-alpha", "-beta-1", "-rc1", "-RC2", "-SNAPSHOT", "-foo", "-1", "-20200101", "b2", "a1", "-m3", "-sp", "-cr1", ""]
    versions = [".".join(r.choice(["1", "2", "0", "10", "01", "9" * 25]) for _ in range(r.randint(1, 4))) +
                "".join(r.choice(tails) for _ in range(r.randint(0, 2))) for _ in range(3000)]
    versions += ["1", "1.0", "1.0.0", "1-ga", "1.0-final", "1-release"]
    main = "org.apache.maven.artifact.versioning.ComparableVersion"
    done = subprocess.run(["java", "-cp", ":".join(jars), main, *versions], capture_output=True, text=True)
    theirs = [line.split()[1].replace("==", "=") for line in done.stdout.splitlines() if line.startswith("   ")]
    compare("ComparableVersion", "maven", list(zip(versions, versions[1:])), theirs)


if not os.access(SEKISHO, os.X_OK):
    sys.exit(f"no program at {SEKISHO}")
test_usage()
test_vectors()
for test in (test_dpkg, test_rpm, test_packaging, test_ruby, test_php, test_node, test_maven):
    test()
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
