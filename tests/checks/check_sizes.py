#!/usr/bin/env python3
"""Sizes of functions and files: median under 20 lines, nine in ten under 60, none over 80 unless named in EXCEPTIONS, which only
shrinks; files under 500 lines. Prints the ten longest."""
import json
import pathlib
import statistics
import subprocess
import sys

MEDIAN, NINE_IN_TEN, MOST, FILE = 20, 60, 80, 500
EXCEPTIONS = {}  # "path:function": why

files = [str(path) for path in sorted(pathlib.Path("src").rglob("*.c"))]
tags = subprocess.run(["ctags", "--languages=C", "--kinds-C=f", "--fields=+ne", "--output-format=json", "-f", "-", *files],
                      check=True, capture_output=True, text=True).stdout
functions = []
for line in tags.splitlines():
    tag = json.loads(line)
    if "end" in tag:
        functions.append((tag["end"] - tag["line"] + 1, tag["path"], tag["name"]))
functions.sort(reverse=True)
lengths = [length for length, _, _ in functions]
faults = []

for length, path, name in functions:
    if length > MOST and f"{path}:{name}" not in EXCEPTIONS:
        faults.append(f"{path}:{name} has {length} lines, more than {MOST}")
for name in EXCEPTIONS:
    if not any(name == f"{path}:{function}" and length > MOST for length, path, function in functions):
        faults.append(f"exception {name} is not needed any more: take it out")
for path in files + [str(path) for path in pathlib.Path("include").rglob("*.h")]:
    count = len(pathlib.Path(path).read_text().splitlines())
    if count >= FILE:
        faults.append(f"{path} has {count} lines, {FILE} or more")
median = statistics.median(lengths)
tenth = statistics.quantiles(lengths, n=10)[8]
if median >= MEDIAN or tenth >= NINE_IN_TEN:
    faults.append(f"median {median}, ninth decile {tenth}: over {MEDIAN} or {NINE_IN_TEN}")

print(f"{len(functions)} functions: median {median}, nine in ten up to {tenth:.0f}, longest {lengths[0]} lines")
for length, path, name in functions[:10]:
    print(f"  {length:4d}  {path}:{name}")
print("\n".join(faults))
sys.exit(bool(faults))
