#!/usr/bin/env python3
"""Integrity of files, of a directory of this host and of a real container: by the command, and by the agent, which says who changed what,
what changed while it did not run, and what no event told of."""
import json
import os
import shutil
import sys
import tempfile

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


SCOPES = ["host"]  # other tests have containers too


def told(agent):
    return {(a["output_fields"]["fd.name"], a["output_fields"]["integrity.change"]): a for a in agent.alerts()
            if a["rule"] == "File changed" and a["output_fields"]["container.id"] in SCOPES}


def wait_told(agent, *wanted):
    return agentlib.until(lambda: all(any(w == k or (w[0] == k[0] and k[1].startswith(w[1])) for k in told(agent)) for w in wanted), 30)


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
    tap.ok("baseline of host taken: 8 files" in agent.log() and "baseline of %s taken" % c.id in agent.log(), "the agent takes a baseline where there is none", agent.log())
    c.run("/bin/sh", "-c", "echo evil:x:0:0::/:/bin/sh >> /etc/passwd")
    c.run("/bin/sh", "-c", "chmod 4755 /usr/bin/tool; rm /etc/removed; echo x > /etc/added; echo x > /usr/other")
    os.system("echo more >> %s/deep/c" % tree)
    ok = wait_told(agent, ("/etc/passwd", "content"), ("/usr/bin/tool", "mode 0755 -> 4755"), ("/etc/removed", "removed"), ("/etc/added", "added"), (tree + "/deep/c", "content (4 -> 9"))
    tap.ok(ok, "it tells what changed in a container and on the host", "%s\n%s" % (sorted(told(agent)), agent.log()))
    passwd = [a for (path, _), a in told(agent).items() if path == "/etc/passwd"]
    tap.ok(len(passwd) == 1 and passwd[0]["output_fields"]["container.id"] == c.id and passwd[0]["output_fields"]["proc.exepath"] == "/bin/busybox" and passwd[0]["output_fields"]["user.uid"] == 0,
           "once, with who did it and where", passwd)
    tap.ok(not any(path == "/usr/other" for path, _ in told(agent)), "and nothing else")
    tap.ok(all(a["time"] > "2020" for a in told(agent).values()), "and when", told(agent))
    tap.ok(agent.end() == 0, "it ends", agent.log())

    write(tree + "/b", "two\n")
    agent = agentlib.Agent(work, "again", *options)
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
        why = runclib.missing()
        if not why:
            c = runclib.Container(work, "integrity")
            for path in ("etc/passwd", "etc/removed", "usr/bin/tool"):
                c.add(path, "one\n", 0o755 if "bin" in path else 0o644)
            why = c.start("/bin/sleep", "600")
        if why:
            tap.skip("the agent", why)
        else:
            the_agent(work, c)
    finally:
        if c:
            c.end()
        shutil.rmtree(work, ignore_errors=True)
    return tap.end()


sys.exit(main())
