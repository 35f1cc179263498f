"""Reads the text format of Prometheus as strictly as its own parser does."""
import re


def check(text):
    """Each name's lines stand together behind its HELP and TYPE, each sample is a number, none comes twice: what is wrong, what was seen."""
    types, seen, last, wrong = {}, set(), None, []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            last, kind = line.split()[2:]
            wrong += [line] if last in types else []
            types[last] = kind
        elif not line.startswith("# HELP "):
            sample = re.fullmatch(r'([a-z_]+)((?:\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"\})?) ([0-9.]+)', line)
            name = sample and re.sub("_(bucket|sum|count)$", "", sample[1]) if last and types[last] == "histogram" else sample and sample[1]
            wrong += [line] if not sample or name != last or sample[1] + sample[2] in seen else []
            wrong += [line] if sample and types[last] == "counter" and not sample[1].endswith("_total") else []
            seen.add(sample and sample[1] + sample[2])
    return wrong, seen


def value(text, name):
    """Of the sample without labels."""
    found = re.search("^%s ([0-9.]+)$" % name, text, re.M)
    return found and found[1]
