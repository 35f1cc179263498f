#!/usr/bin/env python3
"""The golden reports against the published schemas.

report.schema.json is checked with Debian's python3-jsonschema. The schemas and checkers of others are not ours to carry
and come from npm; where they are not installed, those tests are skipped. To have them:

    npm install --prefix build --ignore-scripts @cyclonedx/cyclonedx-library @microsoft/sarif-multitool-linux

(or name another node_modules directory in SEKISHO_NODE_MODULES).
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
NODE_MODULES = os.environ.get("SEKISHO_NODE_MODULES") or os.path.join(ROOT, "build", "node_modules")
GOLDEN = os.path.join(ROOT, "tests", "golden", "report")
count = 0
failed = False


def result(name, why_not=None, skip=None):
    global count, failed
    count += 1
    failed |= why_not is not None
    print(f"{'not ' if why_not else ''}ok {count} - {name}" + (f" # SKIP {skip}" if skip else ""))
    if why_not:
        print("\n".join("# " + line for line in why_not.splitlines()[:20]))


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def strict(schema):
    """The schema as it is tested: a field that it does not name is a mistake."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            strict(value)
    elif isinstance(schema, list):
        for value in schema:
            strict(value)
    return schema


def first_error(validator, document):
    for error in validator.iter_errors(document):
        return f"{'/'.join(map(str, error.absolute_path))}: {error.message[:500]}"
    return None


def own_schema(jsonschema):
    schema = load(os.path.join(ROOT, "docs", "format", "report.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(strict(copy.deepcopy(schema)))
    for name in ("full.json", "empty.json"):
        document = load(os.path.join(GOLDEN, name))
        result(f"{name} is what report.schema.json says", first_error(validator, document))
    for wrong in (("findings", 0, "severity"), ("verdict", "decision"), ("coverage", "by_state", "unknown")):
        document = load(os.path.join(GOLDEN, "full.json"))
        at = document
        for key in wrong[:-1]:
            at = at[key]
        at[wrong[-1]] = "wrong"
        error = first_error(validator, document)
        result(f"a wrong {'.'.join(map(str, wrong))} is seen", None if error else "the schema lets it pass")


def openvex_schema(jsonschema):
    """Our own, out of the specification's text: the project's is not ours to carry."""
    schema = load(os.path.join(ROOT, "docs", "format", "openvex.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for name in ("full.openvex.json", "empty.openvex.json"):
        result(f"{name} is OpenVEX 0.2.0", first_error(validator, load(os.path.join(GOLDEN, name))))
    for key, value in (("status", "safe"), ("products", []), ("justification", "because"), ("unheard_of", 1)):
        document = load(os.path.join(GOLDEN, "full.openvex.json"))
        document["statements"][0][key] = value
        result(f"a wrong {key} of OpenVEX is seen", None if first_error(validator, document) else "the schema lets it pass")
    document = load(os.path.join(GOLDEN, "full.openvex.json"))
    affected = next(s for s in document["statements"] if s["status"] == "affected")
    del affected["action_statement"]
    result("affected without an action is seen", None if first_error(validator, document) else "the schema lets it pass")


def cyclonedx_schema(jsonschema):
    folder = os.path.join(NODE_MODULES, "@cyclonedx", "cyclonedx-library", "res", "schema")
    if not os.path.isdir(folder):
        result("CycloneDX schema", skip="@cyclonedx/cyclonedx-library is not in " + NODE_MODULES)
        return
    schema = load(os.path.join(folder, "bom-1.6.SNAPSHOT.schema.json"))
    others = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    store = {"http://cyclonedx.org/schema/" + name: load(os.path.join(folder, name)) for name in others}
    warnings.simplefilter("ignore")
    validator = jsonschema.Draft7Validator(schema, resolver=jsonschema.RefResolver(schema["$id"], schema, store=store))
    for name in ("full.cdx.json", "empty.cdx.json", "full.vex.cdx.json", "empty.vex.cdx.json"):
        result(f"{name} is CycloneDX 1.6", first_error(validator, load(os.path.join(GOLDEN, name))))
    document = load(os.path.join(GOLDEN, "full.cdx.json"))
    document["components"][0]["type"] = "wrong"
    result("a wrong type of component is seen", None if first_error(validator, document) else "it passes")


def sarif_errors(tool, path):
    environment = dict(os.environ, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1")
    done = subprocess.run([tool, "validate", path], env=environment, capture_output=True, text=True, timeout=100)
    if "Analysis completed successfully" not in done.stdout:
        return "the checker failed: " + done.stdout + done.stderr
    return "\n".join(line for line in done.stdout.splitlines() if re.search(r": error [A-Z]+[0-9]+:", line)) or None


def sarif_schema():
    tool = os.path.join(NODE_MODULES, "@microsoft", "sarif-multitool-linux", "Sarif.Multitool")
    if not os.access(tool, os.X_OK):
        result("SARIF schema", skip="@microsoft/sarif-multitool-linux is not (or not executable) in " + NODE_MODULES)
        return
    for name in ("full.sarif", "empty.sarif"):
        result(f"{name} is SARIF 2.1.0", sarif_errors(tool, os.path.join(GOLDEN, name)))
    document = load(os.path.join(GOLDEN, "full.sarif"))
    document["runs"][0]["results"][0]["unheardOf"] = 1
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "wrong.sarif")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(document, f)
        result("a property that SARIF does not have is seen", None if sarif_errors(tool, path) else "it passes")


def sarif_sense():
    """What no schema can tell."""
    run = load(os.path.join(GOLDEN, "full.sarif"))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    wrong = [r["ruleId"] for r in run["results"] if rules[r["ruleIndex"]]["id"] != r["ruleId"]]
    result("every ruleIndex leads to its rule", ", ".join(wrong) or None)
    marks = [r["partialFingerprints"]["sekishoFinding/v1"] for r in run["results"]]
    result("fingerprints differ", None if len(set(marks)) == len(marks) else "two are the same")
    kinds = [[s["kind"] for s in r["suppressions"]] for r in run["results"]]
    result("what is set aside is suppressed, and nothing else", None if kinds.count(["external"]) == 2 and
           kinds.count([]) == len(kinds) - 2 else str(kinds))
    uris = [loc["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"] for loc in r["locations"]
            if "physicalLocation" in loc]
    wrong = [uri for uri in uris if not re.fullmatch(r"(?!/)([A-Za-z0-9._~/!-]|%[0-9A-F]{2})+", uri)]
    result("every location is a relative URI", ", ".join(wrong) or (None if uris else "there is none"))


ANALYSES = {
    "state": {"resolved", "exploitable", "in_triage", "not_affected"},
    "justification": {"code_not_present", "code_not_reachable", "requires_configuration", "requires_dependency",
                      "requires_environment", "protected_by_compiler", "protected_at_runtime", "protected_at_perimeter",
                      "protected_by_mitigating_control"},
}


def cyclonedx_sense():
    for name in ("full.cdx.json", "full.vex.cdx.json"):
        document = load(os.path.join(GOLDEN, name))
        refs = [document["metadata"]["component"]["bom-ref"]] + [c["bom-ref"] for c in document["components"]]
        result(f"every bom-ref of {name} is there once", None if len(set(refs)) == len(refs) else "one is there twice")
        wrong = [a["ref"] for v in document["vulnerabilities"] for a in v["affects"] if a["ref"] not in refs]
        result(f"every vulnerability of {name} points to a component", ", ".join(wrong) or None)
        analyses = [v["analysis"] for v in document["vulnerabilities"] if "analysis" in v]
        wrong = [a[key] for a in analyses for key, words in ANALYSES.items() if key in a and a[key] not in words]
        result(f"the analyses of {name} have CycloneDX's words", ", ".join(wrong) or (None if analyses else "there is none"))
    result("as VEX every vulnerability has an analysis", None if len(analyses) == len(document["vulnerabilities"]) else "not all")


def main():
    sarif_sense()
    cyclonedx_sense()
    sarif_schema()
    try:
        import jsonschema
    except ImportError:
        result("JSON schemas", skip="python3-jsonschema is not installed")
    else:
        own_schema(jsonschema)
        openvex_schema(jsonschema)
        cyclonedx_schema(jsonschema)
    print(f"1..{count}")
    return failed


sys.exit(main())
