#!/usr/bin/env python3
"""The page of registries: each dialect has a section, which names the proof that the decoder names."""
import pathlib
import re
import sys

PAGE = pathlib.Path("man/regwarden-registries.7.scd")
faults = []
proofs = {}

for path in pathlib.Path("src/intake").glob("decode_*.c"):
    for name, rest in re.findall(r"^const struct decoder decoder_\w+ = \{\s*\.name = \"([a-z]+)\"(.*?)^\};", path.read_text(),
                                 re.MULTILINE | re.DOTALL):
        proofs[name] = re.search(r"HOOK_PROOF_(\w+)", rest).group(1).lower()
if len(proofs) < 10:
    faults.append("the decoders are not found where this check looks for them")

sections = {}
for section in PAGE.read_text().split("\n# ")[1:]:
    for name in re.findall(r"^Dialect \*([a-z]+)\*", section, re.MULTILINE):
        if name in sections:
            faults.append(f"{PAGE}: the dialect {name} has two sections")
        sections[name] = section

for name in sorted(proofs.keys() - sections.keys()):
    faults.append(f"{PAGE}: the dialect {name} has no section")
for name in sorted(sections.keys() - proofs.keys()):
    faults.append(f"{PAGE}: there is no dialect {name}")
for name in proofs.keys() & sections.keys():
    if not re.search(rf"Proof: \*{proofs[name]}\*", sections[name]):
        faults.append(f"{PAGE}: the section of {name} does not say that its proof is {proofs[name]}")
print("\n".join(faults) or f"registries: {len(sections)} dialects described")
sys.exit(bool(faults))
