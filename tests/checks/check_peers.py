#!/usr/bin/env python3
"""The page of peers: each rule, setting and choice that it names exists."""
import pathlib
import re
import sys

PAGE = pathlib.Path("man/regwarden-peers.7.scd")
# underlined words that are no settings but reasons why something is not covered, and a policy
REASONS = {"feed", "Dockerfile", "caller", "cis-docker", "NAME"}
RULES = {}
choices = set()
faults = []

for path in pathlib.Path("src/policy").glob("rule_*.c"):
    text = path.read_text()
    for name in re.findall(r"^const struct rule_type rule_\w+ = \{\s*\.name = \"([a-z0-9-]+)\"", text, re.MULTILINE):
        RULES[name] = set(re.findall(r"\{\.name = \"([a-z0-9-]+)\"", text))
for name in re.findall(r"\[CHECK_\w+\] = \"([a-z-]+)\"", pathlib.Path("src/policy/history_checks.c").read_text()):
    choices.add(name)
if len(RULES) < 20 or len(choices) < 10:
    faults.append("the tables of rules are not found where this check looks for them")

text = PAGE.read_text()
named = set()
for number, line in enumerate(text.splitlines(), 1):
    rule = None
    for bold, underlined, listed in re.findall(r"\*([a-z0-9-]+)\*|(?<!\w)_([A-Za-z-]+)_(?!\w)|\(([a-z-]+(?:, [a-z -]+)*)\)", line):
        if bold:
            rule = bold
            if bold in RULES:
                named.add(bold)
            elif line.startswith(":[") and bold != "here":
                faults.append(f"{PAGE}:{number}: there is no rule '{bold}'")
        elif underlined and underlined not in REASONS and rule and underlined not in RULES.get(rule, ()):
            faults.append(f"{PAGE}:{number}: the rule '{rule}' has no setting '{underlined}'")
        elif listed and rule == "forbidden-history":
            for choice in listed.split(", "):
                if choice not in choices and not choice.startswith("and "):
                    faults.append(f"{PAGE}:{number}: the rule forbidden-history has no check '{choice}'")
print("\n".join(faults) or f"peers: {len(named)} rules named")
sys.exit(bool(faults))
