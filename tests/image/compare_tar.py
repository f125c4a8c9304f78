#!/usr/bin/env python3
"""Our tar walk against Python's: archives of every format, written by tarfile and by GNU tar, and archives damaged at random.
What both read must be the same; we may refuse more. usage: compare_tar.py LISTER [ROUNDS]"""
import hashlib
import io
import os
import pathlib
import posixpath
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

lister = sys.argv[1]
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 400
KINDS = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.CONTTYPE: "file", tarfile.GNUTYPE_SPARSE: "file",
         tarfile.LNKTYPE: "hard", tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "device", tarfile.BLKTYPE: "device",
         tarfile.DIRTYPE: "directory", tarfile.FIFOTYPE: "fifo"}
compared = refused = python_refused = 0


def clean(name):
    return posixpath.normpath("/" + name).lstrip("/")


def hex_of(name):
    return name.encode("utf-8", "surrogateescape").hex()


def stored(archive, member):
    """The member's bytes as the archive holds them, holes left out."""
    if member.sparse is None:
        return archive.extractfile(member).read() if KINDS.get(member.type, "file") == "file" else b""
    whole = archive.extractfile(member).read()
    return b"".join(whole[offset:offset + size] for offset, size in member.sparse)


def python_list(data):
    lines = []
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errorlevel=2) as archive:
        for member in archive:
            kind = KINDS.get(member.type, "other")
            content = stored(archive, member)
            link = ""
            if kind == "hard":
                link = hex_of(clean(member.linkname))
            elif kind == "symlink":
                link = hex_of(member.linkname)
            lines.append((kind, member.mode & 0o7777, member.uid, member.gid, member.size if kind in ("file", "other") else 0,
                          hashlib.sha256(content).hexdigest(), hex_of(clean(member.name)), link))
        # a header that it cannot read ends an archive for Python, without a word
        stopped = any(data[archive.offset:archive.offset + 512])
    return lines, stopped


def our_list(data):
    run = subprocess.run([lister], input=data, capture_output=True, check=False)
    if run.returncode not in (0, 1):
        sys.exit(f"the lister died: {run.returncode}\n{run.stderr.decode()}")
    if run.returncode == 1:
        return None, run.stderr.decode().strip()
    lines = []
    for line in run.stdout.decode().splitlines():
        kind, mode, uid, gid, size, digest, path, link = line.split("\t")
        lines.append((kind, int(mode), int(uid), int(gid), int(size), digest, path, link))
    return lines, None


def compare(what, data, must_read=True):
    global compared, refused, python_refused
    ours, why = our_list(data)
    if ours is None:
        if must_read:
            sys.exit(f"{what}: refused: {why}")
        refused += 1
        return
    try:
        theirs, stopped = python_list(data)
    except (tarfile.TarError, ValueError, OSError, IndexError, OverflowError):
        if must_read:
            raise
        python_refused += 1
        return
    if stopped and ours[:len(theirs)] == theirs:
        python_refused += 1
        return
    if ours != theirs:
        pathlib.Path("compare_tar.failed.tar").write_bytes(data)
        for mine, other in zip(ours, theirs):
            if mine != other:
                sys.exit(f"{what}: {mine}\n{' ' * len(what)}  {other}")
        sys.exit(f"{what}: {len(ours)} entries, not {len(theirs)}: {ours[-1:]} {theirs[-1:]}")
    compared += 1


def random_name(chance, length):
    parts = []
    while sum(map(len, parts)) + len(parts) < length:
        parts.append("".join(chance.choice("abcdefghij.-_ é") for _ in range(chance.randint(1, 40))))
    return "/".join(part if part.strip(". ") else "x" + part for part in parts)


def add(archive, chance, name, seen):
    info = tarfile.TarInfo(name)
    info.mode = chance.choice([0o644, 0o755, 0o4755, 0o600])
    info.uid = chance.choice([0, 1000, 0o7777777 if archive.format == tarfile.USTAR_FORMAT else 2**31 - 1])
    info.gid = chance.choice([0, 5])
    info.mtime = chance.choice([0, 1700000000])
    info.type = chance.choice([tarfile.REGTYPE] * 6 + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                                        tarfile.CHRTYPE])
    content = b""
    if info.type == tarfile.REGTYPE:
        content = chance.randbytes(chance.choice([0, 1, 511, 512, 513, 3000]))
        seen.append(name)
    if info.type in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = chance.choice(seen or ["target"])
    info.size = len(content)
    if archive.format == tarfile.PAX_FORMAT and chance.random() < 0.3:
        info.pax_headers = {"SCHILY.xattr.user.x": "y" * chance.choice([1, 80, 90, 990]), "mtime": "1.25"}
    archive.addfile(info, io.BytesIO(content))


def written_by_python(chance, form):
    out = io.BytesIO()
    seen = []
    with tarfile.open(fileobj=out, mode="w:", format=form, pax_headers={"comment": "all"} if form == tarfile.PAX_FORMAT else None) \
            as archive:
        for _ in range(chance.randint(1, 12)):
            longest = 70 if form == tarfile.USTAR_FORMAT else chance.choice([20, 99, 100, 101, 160, 255, 256, 257, 3000])
            add(archive, chance, random_name(chance, longest)[:longest].rstrip("/") or "x", seen)
    return out.getvalue()


def written_by_gnu_tar(folder, arguments):
    run = subprocess.run(["tar", "-c", "-C", folder, *arguments, "."], capture_output=True, check=True)
    return run.stdout


def gnu_samples(folder):
    """Sparse files of few and many fragments, links, long names."""
    (folder / "plain").write_bytes(b"plain" * 300)
    with open(folder / "sparse", "wb") as file:
        for i in range(60):
            file.seek(i * 65536)
            file.write(b"fragment %d" % i)
        file.truncate(70 * 65536)
    with open(folder / "hole", "wb") as file:
        file.truncate(1 << 20)
    long = folder / ("d" * 120) / ("e" * 120)
    long.mkdir(parents=True)
    (long / ("f" * 50)).write_bytes(b"deep")
    os.link(folder / "plain", folder / "hard")
    os.symlink("x" * 150, folder / "link")
    samples = []
    for arguments in (["--format=gnu"], ["--format=gnu", "-S"], ["--format=pax"], ["--format=oldgnu", "-S"], ["--format=ustar"],
                      *(["--format=pax", "-S", f"--sparse-version={version}"] for version in ("0.0", "0.1", "1.0"))):
        if "--format=ustar" in arguments:
            arguments = [*arguments, "--exclude=link", "--exclude=ddd*"]
        samples.append((" ".join(arguments), written_by_gnu_tar(folder, arguments)))
    return samples


def damage(chance, data):
    """One to three bytes changed in headers, with the checksum made right again: what is left is the meaning."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        block = chance.randrange(len(data) // 512) * 512
        data[block + chance.randrange(512)] = chance.choice(b"\0\0 01237/.xgLKS\x80\xff" + bytes([chance.randrange(256)]))
        if data[block + 257:block + 262] == b"ustar":
            head = data[block:block + 148] + b" " * 8 + data[block + 156:block + 512]
            data[block + 148:block + 156] = b"%06o\0 " % sum(head)
    return bytes(data)


chance = random.Random(7)
samples = []
for _ in range(rounds // 4):
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        samples.append((f"tarfile format {form}", written_by_python(chance, form)))
with tempfile.TemporaryDirectory() as place:
    if shutil.which("tar"):
        samples += gnu_samples(pathlib.Path(place))
for what, data in samples:
    compare(what, data)
for i in range(rounds):
    what, data = chance.choice(samples)
    if len(data) < 1 << 16:
        compare(f"damaged {what}, round {i}", damage(chance, data), must_read=False)
print(f"{compared} archives read the same, {refused} refused by us, {python_refused} by Python only")
