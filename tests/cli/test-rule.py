#!/usr/bin/env python3
"""`sekisho rule`: check, fields, test and explain as a person runs them; Falco's own files where $SEKISHO_SHARED has them."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from taplib import Tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEKISHO = os.environ.get("SEKISHO", os.path.join(ROOT, "build", "sekisho"))
FALCO = os.path.join(os.environ.get("SEKISHO_SHARED", os.path.join(ROOT, "..", "shared")), "fixtures", "falco-rules")
tap = Tap(dict(os.environ))

GOOD = """\
- list: shells
  items: [bash, zsh]
- macro: spawned
  condition: evt.type in (execve, execveat)
- rule: A shell
  desc: somebody started a shell
  condition: spawned and proc.name in (shells) and not proc.aname in (sshd)
  output: "shell %proc.name below %proc.aname[1] by %user.name %thread.exectime"
  priority: NOTICE
  tags: [T1059]
- rule: Other
  desc: nothing
  condition: evt.type=connect and fd.sip in (10.0.0.0/8)
  output: "connection %fd.name"
  priority: ERROR
"""

BAD = """\
- rule: Bad
  desc: two mistakes
  condition: >
    evt.type=opeen and
    proc.nmae=x
  output: o
  priority: INFO
"""

POLICY = """\
- rule: Serious with a fix
  stage: [scan, admit]
  condition: vuln.severity >= high and vuln.fixed_version exists and package.version < 1.10
  action: deny
  response: update
"""


def check(files):
    good, bad, policy, facts, findings = files
    tap.expect("check: a good file", [SEKISHO, "rule", "check", good], 0,
               ["1 file: 2 rules, 1 macro, 1 list; 0 errors, 0 warnings", "1 rule needs fields that are not delivered yet"])
    tap.expect("check: --details says of each rule which", [SEKISHO, "rule", "check", "--details", good], 0,
               ["A shell: not delivered yet: thread.exectime"])
    settings = good + ".settings"
    with open(settings, "w", encoding="utf-8") as f:
        f.write("- settings: {four_eyez: true}\n" + GOOD)
    tap.expect("check: the settings of a policy too", [SEKISHO, "rule", "check", settings], 2,
               [settings + ':1:14: error: settings: no setting is called "four_eyez"', "2 rules, 1 macro, 1 list; 1 error,"])
    tap.expect("check: all mistakes at once, with place and suggestion", [SEKISHO, "rule", "check", bad, good], 2,
               [bad + ':4:14: error: rule "Bad": evt.type is never "opeen"; did you mean open?',
                bad + ':5:5: error: rule "Bad": unknown field proc.nmae; did you mean proc.name?', "2 files: 2 errors, 0 warnings"])
    tap.expect("check: a file that is not there", [SEKISHO, "rule", "check", good + ".no"], 3, [good + ".no"])
    tap.expect("check: no file", [SEKISHO, "rule", "check"], 2, ["which rule files?"])
    tap.expect("an unknown verb", [SEKISHO, "rule", "chek"], 2, ['did you mean "rule check"?'])
    tap.expect("check: an option of another verb", [SEKISHO, "rule", "check", "--facts", "x", good], 2, ["no option --facts"])
    code, output = tap.run(SEKISHO, "rule", "check", "-o", "json", good)
    report = json.loads(output)
    needs = report["rules"][0]["needs"]
    tap.ok(code == 0 and report["errors"] == 0 and needs["events"] == ["execve", "execveat"] and "proc.aname[1]" in needs["fields"],
           "check: JSON says what each rule needs", output)
    code, output = tap.run(SEKISHO, "rule", "check", "-o", "json", bad)
    problems = json.loads(output)["problems"]
    tap.ok(code == 2 and [(p["line"], p["code"]) for p in problems] == [(4, "unknown-value"), (5, "unknown-field")],
           "check: JSON lists the problems", output)


def fields():
    tap.expect("fields: of a stage", [SEKISHO, "rule", "fields", "scan"], 0,
               ["vuln.severity", "image.labels[key]", "package.loaded"], never=["proc.name"])
    tap.expect("fields: an unknown stage", [SEKISHO, "rule", "fields", "sacn"], 2, ["did you mean scan?"])
    code, output = tap.run(SEKISHO, "rule", "fields", "syscall", "-o", "json")
    table = {f["field"]: f for f in json.loads(output)}
    tap.ok(code == 0 and table["fd.sip"]["type"] == "address" and table["evt.arg"]["argument"] == "key-required" and
           "openat" in table["evt.type"]["values"] and table["evt.dir"]["deprecated"] and not table["thread.exectime"]["delivered"],
           "fields: JSON has types, arguments, values, and what is delivered", output[:500])


def test(files):
    good, bad, policy, facts, findings = files
    tap.expect("test: which rules hit, and their output", [SEKISHO, "rule", "test", good, "--facts", facts], 2,
               ["line 1: 1 rule hits", "hit  Notice        A shell", "shell bash below systemd by root",
                "line 2: 1 rule hits", "connection 10.0.0.1:1->10.2.3.4:2", "line 3: 0 rules hit",
                "line 4: unknown field proc.nme; did you mean proc.name?", "line 5: no JSON"])
    tap.expect("test: --explain shows every part with the value seen",
               [SEKISHO, "rule", "test", good, "--facts", facts, "--explain", "--rule", "a SHELL"], 2,
               ["true    macro spawned", "true      evt.type in (execve, execveat)   (execve)",
                "false     proc.aname in (sshd)   ((systemd,init))", "false   proc.name in (bash, zsh)   (<NA>)"], never=["Other"])
    tap.expect("test: findings of a policy, versions in the order of their ecosystem",
               [SEKISHO, "rule", "test", policy, "--facts", findings], 0,
               ["line 1: 1 rule hits", "deny          Serious with a fix", "line 2: 0 rules hit", "line 3: 0 rules hit"])
    tap.expect("test: rules that do not load", [SEKISHO, "rule", "test", bad, "--facts", facts], 2, ["unknown field proc.nmae"])
    code, output = tap.run(SEKISHO, "rule", "test", policy, "--facts", findings, "-o", "json", "--explain")
    lines = [json.loads(line) for line in output.splitlines()]
    tap.ok(code == 0 and [line["rules"][0]["hit"] for line in lines] == [True, False, False] and
           lines[0]["rules"][0]["steps"][1]["seen"] == "high", "test: JSON, a line for each", output)


def explain(files):
    good = files[0]
    tap.expect("explain: a rule with everything expanded", [SEKISHO, "rule", "explain", "A shell", good], 0,
               ["events     execve, execveat", "tags       T1059",
                "condition  spawned and proc.name in (shells) and not proc.aname in (sshd)",
                "expanded   evt.type in (execve, execveat) and proc.name in (bash, zsh) and not proc.aname in (sshd)"])
    tap.expect("explain: no such rule", [SEKISHO, "rule", "explain", "A shel", good], 2, ['did you mean "A shell"?'])
    code, output = tap.run(SEKISHO, "rule", "explain", "Other", good, "-o", "json")
    expanded = json.loads(output)["expanded"]
    tap.ok(expanded == "evt.type = connect and fd.sip in (10.0.0.0/8)", "explain: JSON", output)


def falco(folder):
    names = ["falco_rules.yaml", "falco-incubating_rules.yaml"]
    files = [os.path.join(FALCO, name) for name in names]
    if not all(os.path.exists(file) for file in files):
        tap.skip("Falco's files load unmodified", "no %s" % FALCO)
        return
    tap.expect("Falco's files load unmodified", [SEKISHO, "rule", "check", *files], 0, ["2 files: 56 rules, 157 macros", "0 errors"])
    # Every rule, expanded, is a condition that loads and expands to itself.
    code, output = tap.run(SEKISHO, "rule", "check", "-o", "json", *files)
    rules = [rule["rule"] for rule in json.loads(output)["rules"]]
    wrong = []
    for name in rules[::8]:
        expanded = json.loads(tap.run(SEKISHO, "rule", "explain", name, *files, "-o", "json")[1])["expanded"]
        again = os.path.join(folder, "again.yaml")
        with open(again, "w", encoding="utf-8") as file:
            json.dump([{"rule": "again", "desc": "d", "condition": expanded, "output": "o", "priority": "INFO"}], file)
        twice = json.loads(tap.run(SEKISHO, "rule", "explain", "again", again, "-o", "json")[1])["expanded"]
        if twice != expanded:
            wrong.append(name)
    tap.ok(len(rules) == 56 and not wrong, "what explain prints parses to the same condition", wrong)


with tempfile.TemporaryDirectory() as folder:
    contents = {
        "good.yaml": GOOD, "bad.yaml": BAD, "policy.yaml": POLICY,
        "facts.jsonl":
            '{"evt.type": "execve", "proc": {"name": "bash", "aname": ["systemd", "init"]}, "user.name": "root"}\n'
            '{"evt.type": "connect", "fd": {"sip": "10.2.3.4", "name": "10.0.0.1:1->10.2.3.4:2"}}\n'
            '\n{"evt.type": "close", "fd.sip": null}\n{"proc.nme": "x"}\n{"evt.type"\n'.replace("\n\n", "\n"),
        "findings.jsonl":
            '{"vuln.severity": "high", "vuln.fixed_version": "1.10", "package.version": "1.9", "vuln.ecosystem": "Debian:12"}\n'
            '{"vuln.severity": "high", "package.version": "1.9", "vuln.ecosystem": "Debian:12"}\n'
            '{"vuln.severity": "high", "vuln.fixed_version": "1.10", "package.version": "1.10", "vuln.ecosystem": "Debian:12"}\n',
    }
    paths = []
    for name, content in contents.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w", encoding="utf-8") as file:
            file.write(content)
    check(paths)
    fields()
    test(paths)
    explain(paths)
    falco(folder)
sys.exit(tap.end())
