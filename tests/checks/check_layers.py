#!/usr/bin/env python3
"""Rooms and layers: which doors a room may include, and which foreign library is at home where.

The table is the architecture (README, "Architecture"). A room sees its own private headers, the doors of the rooms named
here, and nothing else of ours; a foreign library is included in its home only."""
import pathlib
import re
import sys

# room: rooms whose doors it may include (its own is understood)
LAYERS = {
    "base": "",
    "config": "base",
    "image": "base",
    "policy": "base config image",
    "loop": "base",
    "aws": "base config loop",
    "registry": "base config image loop aws",
    "scan": "base image loop",
    "store": "base config image policy loop",
    "intake": "base config image policy loop store aws",
    "gate": "base config image policy loop store",
    "action": "base config image policy loop registry store",
    "report": "base config image policy store",
    "api": "base config image policy loop store report",
    "daemon": "base config image policy loop registry scan store intake gate action report api",
    "cli": "base config image policy loop registry scan store report daemon",
}

# door: the room behind it
DOORS = {
    "base": "error memory text clock json map crypto file log systemd",
    "config": "yaml config",
    "image": "digest reference manifest image_config facts facts_files secret_text layer_facts image_files probes provenance dockerfile bases tar vulnerabilities",
    "policy": "policy verdict",
    "loop": "loop http_client http_server",
    "aws": "aws",
    "registry": "registry gather harbor",
    "scan": "scan scan_pool",
    "store": "store event",
    "intake": "intake",
    "action": "action",
    "report": "report",
    "api": "api",
    "daemon": "daemon layers",
    "cli": "cli",
}

# foreign header prefix: where it is at home
HOMES = {
    "event2/": ["src/loop/"],
    "curl/": ["src/loop/"],
    "openssl/ssl": ["src/loop/"],
    "openssl/": ["src/base/crypto", "src/loop/"],
    "jansson": ["src/base/json", "src/base/jansson_home.h"],
    "yaml.h": ["src/config/yaml.c"],
    "sqlite3": ["src/store/driver_sqlite"],
    "zstd": ["src/store/", "src/scan/zstd.c"],
    "isa-l": ["src/scan/gzip.c"],
    "seccomp": ["src/scan/sandbox.c"],
    "hs/": ["src/scan/patterns.c"],
    "hs.h": ["src/scan/patterns.c"],
    "systemd/": ["src/base/systemd.c"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)
room_of_door = {door: room for room, doors in DOORS.items() for door in doors.split()}
faults = []


def check_own(path, room, header):
    if header.startswith("regwarden/"):
        door = header[len("regwarden/"):-2]
        owner = room_of_door.get(door)
        if owner is None:
            faults.append(f"{path}: door {header} belongs to no room: name it in tests/checks/check_layers.py")
        elif owner != room and owner not in LAYERS[room].split():
            faults.append(f"{path}: room {room} may not use {header} (room {owner})")
    elif "/" in header or not (path.parent / header).exists() and header != "builtin.h":
        faults.append(f"{path}: {header} is not a private header of room {room}")


def check_foreign(path, header):
    for prefix, homes in HOMES.items():
        if header.startswith(prefix):
            if not any(str(path).startswith(home) for home in homes):
                faults.append(f"{path}: <{header}> is at home in {', '.join(homes)} only")
            return


for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
    if len(path.parts) < 3:
        continue
    room = path.parts[1]
    if room not in LAYERS:
        faults.append(f"{path}: room {room} is not in the table")
        continue
    for kind, header in INCLUDE.findall(path.read_text()):
        (check_own(path, room, header) if kind == '"' else check_foreign(path, header))

for path in sorted(pathlib.Path("include/regwarden").glob("*.h")):
    room = room_of_door.get(path.stem)
    if room is None:
        faults.append(f"{path}: belongs to no room")
        continue
    for kind, header in INCLUDE.findall(path.read_text()):
        if kind == '"':
            check_own(path, room, header)
        elif any(header.startswith(prefix) for prefix in HOMES):
            faults.append(f"{path}: a door does not include <{header}>")

print("\n".join(faults) or "layers: every include is allowed")
sys.exit(bool(faults))
