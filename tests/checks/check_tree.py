#!/usr/bin/env python3
"""The repository as a whole: what stands at its top, sources that are built, tests that are run, and words that do not belong in it."""
import pathlib
import re
import subprocess
import sys

TOP = {"src", "include", "policies", "systemd", "tests", "man", "cmake", "CMakeLists.txt", "CMakePresets.json", "README.md",
       "NEWS.md", "LICENSE", "dev", ".ci", ".clang-format", ".clang-tidy", ".gitignore"}
LEFT_OPEN = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
faults = []

files = subprocess.run(["git", "ls-files"], capture_output=True, text=True).stdout.split()
if not files:  # an unpacked archive
    files = [str(path) for path in pathlib.Path(".").rglob("*") if path.is_file() and not str(path).startswith(("out/", ".git/"))]
for name in sorted({path.split("/")[0] for path in files} - TOP):
    faults.append(f"{name}: nothing stands at the top without a reason in README and here")
for path in files:
    if not path.endswith((".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt")) or path.endswith("check_tree.py"):
        continue
    if not pathlib.Path(path).exists():
        continue
    text = pathlib.Path(path).read_text(errors="replace")
    if LEFT_OPEN.search(text):
        faults.append(f"{path}: {LEFT_OPEN.search(text).group()} left open")
    if path.endswith((".c", ".h")) and re.search(r"(^|[^:\"'*/])//[^\"]*$", text, re.MULTILINE) and "://" not in text:
        faults.append(f"{path}: comments are /* */")
for path in sorted(pathlib.Path("src").rglob("*.c")):
    if len(path.parts) == 3 and path.name not in (path.parent / "CMakeLists.txt").read_text():
        faults.append(f"{path} is not listed in {path.parent}/CMakeLists.txt")
    if not path.read_text().lstrip().startswith("/*"):
        faults.append(f"{path} does not open with a comment that says what it is for")
for path in sorted(pathlib.Path("tests").glob("*/test_*.[cp]*")):
    listed = (path.parent / "CMakeLists.txt").read_text()
    if not re.search(rf"(?<!\w)(test_)?{path.stem.removeprefix('test_')}(?!\w)", listed):
        faults.append(f"{path} is a test that nobody runs: {path.parent}/CMakeLists.txt does not list it")
print("\n".join(faults) or "tree: in order")
sys.exit(bool(faults))
