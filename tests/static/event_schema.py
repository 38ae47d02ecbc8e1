#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The published schema and the documentation name the same 83 leaves in the same order; the schema forbids what it does
# not name and requires all it names, at every depth; a line with one leaf taken away is refused.
import copy
import json
import os
import re
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

ROOT = os.environ.get("MLDEFENDER_SOURCE_DIR", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def leaves(node, path=()):
    if "properties" not in node:
        return [".".join(path)]
    assert node["additionalProperties"] is False, path
    assert node["required"] == list(node["properties"]), path
    return [leaf for name, inner in node["properties"].items() for leaf in leaves(inner, path + (name,))]


def example(node):
    """The smallest text or number the schema of a leaf accepts, from a few candidates."""
    if "properties" in node:
        return {name: example(inner) for name, inner in node["properties"].items()}
    candidates = [node.get("const"), *node.get("enum", []), False, [], 1, "", "::1", "00", "x", "0.1.0", "0" * 32,
                  "2026-11-20T22:10:00.123456+0000", "1:" + "A" * 27 + "=", "00000000-0000-7000-8000-000000000000"]
    return next(c for c in candidates if c is not None and jsonschema.Draft202012Validator(node).is_valid(c))


with open(os.path.join(ROOT, "docs", "event.schema.json"), encoding="utf-8") as f:
    schema = json.load(f)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
names = leaves(schema)
assert len(names) == len(set(names)) == 83, len(names)
with open(os.path.join(ROOT, "docs", "events.md"), encoding="utf-8") as f:
    documented = re.findall(r"^\| `([a-z0-9_.]+)` \|", f.read(), re.MULTILINE)
assert documented == names, set(documented) ^ set(names)

good = example(schema)
assert validator.is_valid(good), [e.message for e in validator.iter_errors(good)]
for name in names:
    bad = copy.deepcopy(good)
    *path, last = name.split(".")
    holder = bad
    for part in path:
        holder = holder[part]
    del holder[last]
    assert not validator.is_valid(bad), name
    holder[last] = {}
    assert not validator.is_valid(bad), name
print("83 leaves, documented, required and closed")
