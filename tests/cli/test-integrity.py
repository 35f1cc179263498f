#!/usr/bin/env python3
"""Integrity of files, of a directory of this host and of a real container: by the command, and by the agent, which says who changed what,
what changed while it did not run, and what no event told of."""
import json
import os
import random
import shutil
import sys
import tempfile
import time

import agentlib
import runclib
import taplib

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("SEKISHO_BUILD", os.path.join(HERE, "../../build")))
SEKISHO = os.path.join(BUILD, "sekisho")
tap = taplib.Tap(dict(os.environ))


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def changes(work, *targets):
    code, output = tap.run(SEKISHO, "integrity", "check", "--config", work + "/config.yaml", "--baseline", work + "/base", "-o", "json", *targets)
    try:
        return code, {c["path"].replace(work, ""): (c["change"], c["words"]) for c in json.loads(output)}
    except ValueError:
        return code, output


# What is done to the files of TREE, and what must be told: path, change, words.
STEPS = [
    ("append", lambda p: write(p + "/a", "one\ntwo\n"), {"/tree/a": ("changed", "content (4 -> 8 bytes)")}),
    ("same size", lambda p: write(p + "/b", "eno\n"), {"/tree/b": ("changed", "content (4 -> 4 bytes)")}),
    ("mode", lambda p: os.chmod(p + "/a", 0o4755), {"/tree/a": ("changed", "mode 0644 -> 4755")}),
    ("owner", lambda p: os.chown(p + "/a", 5, 6), {"/tree/a": ("changed", "owner 0:0 -> 5:6")}),
    ("attribute", lambda p: os.setxattr(p + "/a", "user.x", b"1"), {"/tree/a": ("changed", "extended attributes")}),
    ("added", lambda p: write(p + "/deep/new", ""), {"/tree/deep/new": ("added", "added")}),
    ("removed", lambda p: os.unlink(p + "/b"), {"/tree/b": ("removed", "removed")}),
    ("link", lambda p: (os.unlink(p + "/link"), os.symlink("/other", p + "/link")), {"/tree/link": ("changed", "link to a -> /other")}),
    ("became a link", lambda p: (os.unlink(p + "/a"), os.symlink("/dev/null", p + "/a")), {"/tree/a": ("changed", "a file became a link")}),
    ("excluded", lambda p: (write(p + "/x.swp", "1"), write(p + "/skip/x", "1")), {}),
    ("time only", lambda p: os.utime(p + "/a", (1, 1)), {}),
    ("special file", lambda p: os.mkfifo(p + "/fifo"), {"/tree/fifo": ("added", "added")}),
    ("odd name", lambda p: write(p + "/a\tb\\c\n", "x"), {"/tree/a\tb\\c\n": ("added", "added")}),
]


def make_tree(work):
    shutil.rmtree(work + "/tree", ignore_errors=True)
    for name in ("a", "b", "deep/c", "skip/y"):
        write("%s/tree/%s" % (work, name), "one\n")
    os.symlink("a", work + "/tree/link")


def command(work):
    base = ["--config", work + "/config.yaml", "--baseline", work + "/base"]
    write(work + "/config.yaml", "- path: %s/tree\n  exclude: [\"*.swp\", %s/tree/skip]\n" % (work, work))
    tap.expect("without a baseline it says how to make one", [SEKISHO, "integrity", "check", *base], 3, ["sekisho integrity baseline"])
    for what, do, wanted in STEPS:
        make_tree(work)
        tap.run(SEKISHO, "integrity", "baseline", *base)
        before = changes(work)
        do(work + "/tree")
        code, got = changes(work)
        # The directory itself is no change: what is in it is not what it is.
        tap.ok(before == (0, {}) and got == wanted and code == (1 if wanted else 0), "check: " + what, "%s %d %r" % (before, code, got))
    tap.expect("in words", [SEKISHO, "integrity", "check", *base], 1, ["added", "1 change since"])
    tap.expect("list", [SEKISHO, "integrity", "list", "--baseline", work + "/base"], 0, ["/tree/deep/c", "host  "])
    for text, why in (("- path: etc", "line 1, column 9"), ("- pat: /etc", "unknown key"), ("- path: /a/../b", "without"), ("[]", "one list"), ("- path: /a\n  compare: [size]", "line 2"),
                      ("- path: /a\n  recursive: maybe", "true or false"), ("- path: /a\n  exclude: [x]", "absolute"), ("- exclude: []", "no path")):
        write(work + "/bad.yaml", text)
        tap.expect("refused: " + text.replace("\n", " "), [SEKISHO, "integrity", "check", "--config", work + "/bad.yaml"], 3, [why])
    write(work + "/bad", "sekisho.integrity/1\t5\nhost\tx\n")
    tap.expect("a baseline that is none", [SEKISHO, "integrity", "list", "--baseline", work + "/bad"], 3, ["line 2"])


def diffs(work):
    """What the command shows of what changed."""
    base = ["--config", work + "/config.yaml", "--baseline", work + "/base"]
    tree = work + "/tree"
    make_tree(work)
    write(tree + "/long", "".join("line %d\n" % i for i in range(5000)))
    write(tree + "/binary", "a\0b")
    write(tree + "/large", "x" * 70000)
    write(tree + "/host.key", "one\n")
    write(tree + "/pem", "-----BEGIN %s KEY-----\n" % "PRIVATE")
    tap.run(SEKISHO, "integrity", "baseline", *base)
    write(tree + "/a", "one\ntwo\n\x1b[31m\n")
    write(tree + "/long", "".join("other %d\n" % i for i in range(5000)))
    write(tree + "/binary", "b\0b")
    write(tree + "/large", "y" * 70000)
    write(tree + "/host.key", "two\n")
    write(tree + "/pem", "-----BEGIN %s KEY-----\nx\n" % "PRIVATE")
    write(tree + "/b", "one\n" + "z" * 70000)
    code, output = tap.run(SEKISHO, "integrity", "check", *base, "-o", "json")
    got = {os.path.basename(c["path"]): (c["diff"], c["no_diff"]) for c in json.loads(output)}
    tap.ok(got["a"] == ("@@ -1,1 +1,3 @@\n one\n+two\n+\x1b[31m\n", None), "check shows a diff", got["a"])
    tap.ok(got["long"][0].endswith("[cut: there is more]\n") and len(got["long"][0]) < 4200, "a long one is cut, and says so", got["long"])
    wanted = {"binary": "what it held before was not kept", "large": "the file is larger than 64 KiB", "host.key": "the file is secret by nature",
              "pem": "the file is secret by nature", "b": "the file is larger than 64 KiB"}
    tap.ok({k: got[k] for k in wanted} == {k: (None, why) for k, why in wanted.items()}, "where there is none it says why", got)
    code, output = tap.run(SEKISHO, "integrity", "check", *base)
    tap.ok("         +two\n" in output and "\x1b" not in output and "(no diff: the file is secret by nature)" in output, "the same for a person, without what moves a terminal", output)
    tap.ok(len(os.listdir(work + "/base.contents")) == 3, "each content is kept once, and only text", os.listdir(work + "/base.contents"))
    write(tree + "/deep/c", "two\n")
    shutil.rmtree(work + "/base.contents")
    code, output = tap.run(SEKISHO, "integrity", "check", *base, "-o", "json")
    tap.ok(code == 1 and {os.path.basename(c["path"]): c["no_diff"] for c in json.loads(output)}["c"] == "what it held before was not kept", "without what was kept the change is told all the same", output)


SCOPES = ["host"]  # other tests have containers too


def told(agent):
    return {(a["output_fields"]["fd.name"], a["output_fields"]["integrity.change"]): a for a in agent.alerts()
            if a["rule"] == "File changed" and a["output_fields"]["container.id"] in SCOPES}


def wait_told(agent, *wanted):
    return agentlib.until(lambda: all(any(w == k or (w[0] == k[0] and k[1].startswith(w[1])) for k in told(agent)) for w in wanted), 30)


def write_slowly(path):
    """By one process, the agent looks meanwhile; how many bytes the file has in the end."""
    with open(path, "wb", buffering=0) as f:
        for i in range(12):
            f.write(b"line %d\n" % i)
            time.sleep(0.02)
    return os.stat(path).st_size


def the_agent(work, c):
    tree = work + "/tree"
    SCOPES.append(c.id)
    make_tree(work)
    write(work + "/agent.yaml", "- path: %s\n- path: container:/etc\n- path: container:/usr/bin\n  compare: [content, mode]\n" % tree)
    options = ("--integrity", work + "/agent.yaml", "--baseline", work + "/agent.base")
    agent = agentlib.Agent(work, "agent", *options)
    if not agent.is_watching:
        agent.end()
        tap.skip("the agent", "it does not run here: " + agent.log()[-200:])
        return
    looked = lambda a, words: agentlib.until(lambda: all(w in a.log() for w in words), 30)
    tap.ok(looked(agent, ["baseline of host taken: 8 files", "baseline of %s taken" % c.id]), "the agent takes a baseline where there is none", agent.log())
    c.run("/bin/sh", "-c", "echo evil:x:0:0::/:/bin/sh >> /etc/passwd")
    c.run("/bin/sh", "-c", "chmod 4755 /usr/bin/tool; rm /etc/removed; echo x > /etc/added; echo x > /usr/other")
    held = open(tree + "/deep/c", "ab", buffering=0)  # and not closed: that it was written is told nevertheless
    held.write(b"more\n")
    ok = wait_told(agent, ("/etc/passwd", "content"), ("/usr/bin/tool", "mode 0755 -> 4755"), ("/etc/removed", "removed"), ("/etc/added", "added"), (tree + "/deep/c", "content (4 -> 9"))
    held.close()
    tap.ok(ok, "it tells what changed in a container and on the host", "%s\n%s" % (sorted(told(agent)), agent.log()))
    passwd = [a for (path, _), a in told(agent).items() if path == "/etc/passwd"]
    tap.ok(len(passwd) == 1 and passwd[0]["output_fields"]["container.id"] == c.id and passwd[0]["output_fields"]["proc.exepath"] == "/bin/busybox" and passwd[0]["output_fields"]["user.uid"] == 0,
           "once, with who did it and where", passwd)
    tap.ok(not any(path == "/usr/other" for path, _ in told(agent)), "and nothing else")
    tap.ok(passwd[0]["output_fields"]["integrity.diff"] == "@@ -1,1 +1,2 @@\n one\n+evil:x:0:0::/:/bin/sh\n", "with a diff", passwd)
    c.run("/bin/sh", "-c", "ln /etc/passwd /tmp/second; echo more >> /tmp/second")
    ok = wait_told(agent, ("/etc/passwd", "content (26 -> 31 bytes)"))
    second = [a["output_fields"]["proc.pid"] for (path, change), a in told(agent).items() if path == "/etc/passwd" and "31" in change]
    tap.ok(ok and all(second), "what is changed by another of its names is told of", sorted(told(agent)))
    secret = "AKIA" + "".join(random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))  # made here: no scanner finds it in the tree
    c.run("/bin/sh", "-c", "echo 'aws_access_key_id = %s''%s' > /etc/aws; echo new > /etc/shadow" % (secret[:9], secret[9:]))  # commands are told as they are
    wait_told(agent, ("/etc/aws", "content"), ("/etc/shadow", "content"))

    def redacted():  # who looks between the emptying and the writing tells of each
        return [a for (path, _), a in told(agent).items() if path == "/etc/aws" and "(20 characters)>" in (a["output_fields"]["integrity.diff"] or "")]

    agentlib.until(redacted, 30)
    fields = {path: a["output_fields"] for (path, change), a in told(agent).items() if change.startswith("content")}
    text = json.dumps(agent.alerts())
    tap.ok(secret not in text and redacted(), "a secret in a diff is redacted", fields["/etc/aws"])
    tap.ok(not fields["/etc/shadow"].get("integrity.diff") and fields["/etc/shadow"]["integrity.no_diff"] == "the file is secret by nature", "of a file that is secret by nature there is none, and why",
           fields["/etc/shadow"])
    kept = work + "/agent.base.contents"
    modes = {os.stat(kept).st_mode & 0o7777} | {os.stat(kept + "/" + name).st_mode & 0o7777 for name in os.listdir(kept)}
    tap.ok(modes == {0o700, 0o600} and not any(open(kept + "/" + name, "rb").read() in (b"new\n", b"hashes\n") for name in os.listdir(kept)), "what files held is for root only, and what is secret is not there", modes)
    tap.ok(all(a["time"] > "2020" for a in told(agent).values()), "and when", told(agent))
    os.system("echo once > %s/b" % tree)  # from now on its directory is watched for writing
    wait_told(agent, (tree + "/b", "content (4 -> 5 bytes)"))
    bytes_of = write_slowly(tree + "/b")
    ok = agentlib.until(lambda: any(path == tree + "/b" and change.endswith("-> %d bytes)" % bytes_of) for path, change in told(agent)), 10)
    last = [a["output_fields"] for (path, _), a in told(agent).items() if path == tree + "/b"]
    tap.ok(ok and all(f["proc.pid"] for f in last), "who writes on after the agent looked is told of, with what it came to", last)
    tap.ok(agent.end() == 0, "it ends", agent.log())

    write(tree + "/b", "two\n")
    agent = agentlib.Agent(work, "again", *options)
    looked(agent, ["host compared with its baseline: 2 changes", c.id + " compared with its baseline"])
    seen = told(agent)
    tap.ok((tree + "/b", "content (4 -> 4 bytes)") in seen and (tree + "/deep/c", "content (4 -> 9 bytes)") in seen and any(p == "/etc/passwd" for p, _ in seen),
           "started again, it tells what is not as the baseline says, whoever looked", sorted(seen))
    tap.ok(all("nobody saw" in a["output"] for a in seen.values()), "and that nobody saw who did it")
    os.rename(tree + "/deep", work + "/moved")
    tap.ok(wait_told(agent, (tree + "/deep/c", "removed")), "a directory that is moved away takes its files along", sorted(told(agent)))
    agent.end()
    code, output = tap.run(SEKISHO, "integrity", "baseline", "--config", work + "/agent.yaml", "--baseline", work + "/agent.base")
    code2, output2 = tap.run(SEKISHO, "integrity", "baseline", "--config", work + "/agent.yaml", "--baseline", work + "/agent.base", "container:" + c.id)
    agent = agentlib.Agent(work, "approved", *options)
    looked(agent, ["host compared with its baseline: 0 changes", c.id + " compared with its baseline: 0 changes"])
    tap.ok(code == code2 == 0 and not told(agent), "what was approved is told no more", output + output2 + str(told(agent)))
    agent.end()
    tap.expect("a container is checked by name", [SEKISHO, "integrity", "check", "--config", work + "/agent.yaml", "--baseline", work + "/agent.base", "container:" + c.id], 0, ["0 changes"])
    tap.expect("one that does not run is told", [SEKISHO, "integrity", "check", "--config", work + "/agent.yaml", "--baseline", work + "/agent.base", "container:no-such"], 3, ["no container"])


def main():
    work = tempfile.mkdtemp(prefix="sekisho-integrity-")
    c = None
    try:
        if os.geteuid() != 0:
            tap.skip("the command", "owners are changed: needs root")
        else:
            command(work)
            diffs(work)
        why = runclib.missing()
        if not why:
            c = runclib.Container(work, "integrity")
            for path in ("etc/passwd", "etc/removed", "usr/bin/tool"):
                c.add(path, "one\n", 0o755 if "bin" in path else 0o644)
            c.add("etc/shadow", "hashes\n", 0o600)
            c.add("etc/aws", "region = x\n", 0o600)
            why = c.start("/bin/sleep", "600")
        if why:
            tap.skip("the agent", why)
        else:
            the_agent(work, c)
    finally:
        agentlib.end_agents()
        if c:
            c.end()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


sys.exit(main())
