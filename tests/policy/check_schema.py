#!/usr/bin/env python3
"""The schema of policy files is a schema, takes every policy that ships, and refuses what the compiler refuses.

check_schema.py PRINT_SCHEMA SOURCE_DIR; exits 77 (skipped) without jsonschema and yaml."""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError:
    sys.exit(77)

REFUSED = [
    "policy: p",
    "policy: p\nrules: []",
    "policy: p\nrules: [{ rule: nonsense }]",
    "policy: p\nrules: [{ rule: volumes, with: { nonsense: true } }]",
    "policy: p\nrules: [{ rule: non-root, with: { numeric: maybe } }]",
    "policy: p\nrules: [{ rule: volumes, severity: grave }]",
    "policy: p\nrules: [{ rule: volumes, on-fail: promote }]",
    "policy: p\nmode: off\nrules: [{ rule: volumes }]",
    "policy: p\nscope: { repository: [a] }\nrules: [{ rule: volumes }]",
    "policy: p\nrules: [{ rule: required-labels, with: {} }]",
    "waivers: [{ id: w }]",
]
TAKEN = [
    "policy: p\nrules: [{ rule: volumes }]",
    "policy: p\nscope: { tags: v* }\nrules: [{ rule: volumes, on-fail: tag }]",
    "policy: p\non-pass: [promote]\nrules: [{ rule: image-size, with: { compressed: 5MB, by-runtime: { go: 1MB } } }]",
    "waivers: [{ id: w, rule: '*', reason: r, owner: o, expires: '2030-01-31' }]",
]


class Text(yaml.SafeLoader):
    """Days stay text, as they do in regwarden."""


Text.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}

schema = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
shipped = sorted(pathlib.Path(sys.argv[2], "policies").glob("*.yaml"))
faults = []
if not shipped:
    faults.append("no policy ships")
for name, text in [(str(path), path.read_text()) for path in shipped] + [(text, text) for text in TAKEN]:
    faults += [f"{name}: {error.message}" for error in validator.iter_errors(yaml.load(text, Text))]
faults += [f"taken, but should be refused: {text}" for text in REFUSED if validator.is_valid(yaml.load(text, Text))]
print("\n".join(faults) or f"schema: {len(shipped)} policies that ship are valid, {len(REFUSED)} faulty ones are not")
sys.exit(1 if faults else 0)
