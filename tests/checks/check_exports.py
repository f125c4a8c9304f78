#!/usr/bin/env python3
"""A function that is not static is declared in a header and used outside its own file: anything else is static or dead."""
import json
import pathlib
import re
import subprocess
import sys

sources = sorted(pathlib.Path("src").rglob("*.c"))
headers = sorted(pathlib.Path("include").rglob("*.h")) + sorted(pathlib.Path("src").rglob("*.h"))
users = sources + sorted(pathlib.Path("tests").rglob("*.c"))
words = {path: set(re.findall(r"\w+", path.read_text())) for path in users + headers}
tags = subprocess.run(["ctags", "--languages=C", "--kinds-C=f", "--fields=+n", "--extras=+F", "--output-format=json", "-f", "-",
                       *map(str, sources)], check=True, capture_output=True, text=True).stdout
# the clean-up words of the doors (AUTO_X) name a function in a macro: that is its use
in_macros = set()
for header in headers:
    for line in header.read_text().replace("\\\n", " ").splitlines():
        if line.startswith("#define"):
            in_macros.update(re.findall(r"\w+", line))
faults = []
for line in tags.splitlines():
    tag = json.loads(line)
    if tag.get("file") or tag["kind"] != "function" or tag["name"] == "main":
        continue
    path, name = pathlib.Path(tag["path"]), tag["name"]
    if not any(name in words[header] for header in headers):
        faults.append(f"{path}: {name} is in no header: make it static")
    elif name not in in_macros and not any(name in words[user] for user in users if user != path):
        faults.append(f"{path}: {name} is used in no other file: make it static, or take it out")
print("\n".join(faults) or "exports: every one is declared and used elsewhere")
sys.exit(bool(faults))
