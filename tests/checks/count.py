#!/usr/bin/env python3
"""Adds up JUnit files of ctest: each cmocka or end-to-end case counts, not each program.

A program that prints "[       OK ] name", "[  FAILED  ] name" or "[  SKIPPED ] name" lines is counted by them; any other
program is one case. Skipped cases are named. With --last only the closing line is printed."""
import re
import sys
import xml.etree.ElementTree

LINE = re.compile(r"^\[\s*(OK|FAILED|SKIPPED)\s*\] (\S+)(.*)$", re.MULTILINE)


def cases(path):
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        output = case.findtext("system-out") or ""
        seen = {}
        for state, inner, _ in LINE.findall(output):
            if not inner.isdigit():  # cmocka's closing summary: "[  FAILED  ] 2 test(s)"
                seen[inner.rstrip(":,")] = state
        crashed = case.find("failure") is not None and "FAILED" not in seen.values()
        for inner, state in seen.items():
            yield f"{name}/{inner}", state
        if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            yield name, "SKIPPED"
        elif crashed or (not seen and case.get("status") == "fail"):
            yield name, "FAILED"
        elif not seen:
            yield name, "OK"


def main():
    last = "--last" in sys.argv
    totals = {"OK": 0, "FAILED": 0, "SKIPPED": 0}
    for path in sys.argv[1:]:
        if path.startswith("--"):
            continue
        for name, state in cases(path):
            totals[state] += 1
            if state != "OK" and not last:
                print(f"{state.lower()}: {name}")
    print(f"{totals['OK']} passed, {totals['FAILED']} failed, {totals['SKIPPED']} skipped")
    return 1 if totals["FAILED"] or not totals["OK"] else 0


sys.exit(main())
