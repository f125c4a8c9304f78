#!/usr/bin/env python3
"""Images on disk as the command line meets them: layouts and archives as real tools write them, and what is wrong with others."""
import gzip
import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tarfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness
import images
from harness import need
from test_cli import policy, put_layout, run


def tool(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.strip()


def write_tar(path, members):
    """members: (name, bytes) or (name, link target)."""
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def check(bench, *references):
    return json.loads(run(bench, "check", "-o", "json", "-p", policy(bench), *references).out)["results"]


def config_of(image):
    return json.loads(image.manifest)["config"]["digest"]


def docker_save(bench, image, name="app:v1", new=True):
    """What `docker save` writes since version 25, with the image store of containerd, and what it wrote before."""
    manifest = json.loads(image.manifest)
    config = image.blobs[manifest["config"]["digest"]]
    blobs = {f"blobs/sha256/{digest[7:]}": data for digest, data in {**image.blobs, image.digest: image.manifest}.items()}
    if new:
        entry = {"Config": f"blobs/sha256/{manifest['config']['digest'][7:]}", "RepoTags": [name],
                 "Layers": [f"blobs/sha256/{layer['digest'][7:]}" for layer in manifest["layers"]]}
        index = {"schemaVersion": 2, "manifests": [{
            "mediaType": image.media_type, "digest": image.digest, "size": len(image.manifest),
            "annotations": {"io.containerd.image.name": f"docker.io/library/{name}", "org.opencontainers.image.ref.name": "v1"}}]}
        members = [*blobs.items(), ("index.json", json.dumps(index).encode()), ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'),
                   ("manifest.json", json.dumps([entry]).encode())]
        return write_tar(bench.directory / "new.tar", members)
    layers = [(f"{number:064x}/layer.tar", gzip.decompress(image.blobs[layer["digest"]]))
              for number, layer in enumerate(manifest["layers"])]
    entry = {"Config": f"{manifest['config']['digest'][7:]}.json", "RepoTags": [name], "Layers": [name for name, _ in layers]}
    return write_tar(bench.directory / "old.tar", [*layers, (entry["Config"], config), ("manifest.json", json.dumps([entry]).encode())])


def test_what_skopeo_writes(bench):
    skopeo = need("skopeo")
    layout = put_layout(bench.directory / "layout", ("good", images.good()), ("bad", images.bad()))
    for name, image in (("good", images.good()), ("bad", images.bad())):
        for target in (f"oci:{bench.directory}/copy:{name}", f"oci-archive:{bench.directory}/{name}.oci.tar:{name}",
                       f"docker-archive:{bench.directory}/{name}.docker.tar:team/app:{name}"):
            tool(skopeo, "copy", "--quiet", f"oci:{layout}:{name}", target)
            [want] = check(bench, f"oci:{layout}:{name}")
            [got] = check(bench, target)
            assert got["verdict"] == want["verdict"] == ("pass" if name == "good" else "fail"), got
            if not target.startswith("docker-archive"):
                assert got["digest"] == image.digest
            facts = json.loads(run(bench, "facts", target).expect(0).out)
            assert facts["manifest"]["config"]["digest"] == config_of(image), facts["manifest"]


def test_what_buildah_writes(bench):
    buildah = [need("buildah"), "--root", bench.directory / "root", "--runroot", bench.directory / "run", "--storage-driver", "vfs"]
    name = tool(*buildah, "from", "scratch")
    (bench.directory / "file").write_text("content")
    tool(*buildah, "copy", name, bench.directory / "file", "/file")
    tool(*buildah, "config", "--user", "1000", "--entrypoint", '["/file"]', name)
    committed = subprocess.run(list(map(str, [*buildah, "commit", "--quiet", name, "app:v1"])), capture_output=True, text=True, timeout=120)
    if committed.returncode:  # in a bare chroot
        raise harness.Skip("buildah cannot commit here: " + (committed.stderr.strip() or "no reason").splitlines()[-1])
    identity = committed.stdout.strip()
    for target in ("oci-archive:" + str(bench.directory / "built.oci.tar"), "docker-archive:" + str(bench.directory / "built.tar")):
        tool(*buildah, "push", "--quiet", identity, target)
        facts = json.loads(run(bench, "facts", target).expect(0).out)
        assert facts["config"]["user"] == "1000" and len(facts["manifest"]["layers"]) == 1, facts
    tool(*buildah, "rm", name)


def test_what_docker_saves(bench):
    image = images.bad()
    for new in (True, False):
        path = docker_save(bench, image, new=new)
        for reference in (path, f"{path}:app:v1", f"{path}:docker.io/library/app:v1", f"{path}@{config_of(image)}"):
            [got] = check(bench, f"docker-archive:{reference}")
            assert got["verdict"] == "fail", (reference, got)
            assert not new or got["digest"] == image.digest
    [got] = check(bench, f"oci-archive:{bench.directory}/new.tar:v1")
    assert got["digest"] == image.digest


def test_layouts_without_media_type(bench):
    """umoci leaves mediaType out of manifests."""
    image = images.good()
    image.manifest = json.dumps({key: value for key, value in json.loads(image.manifest).items() if key != "mediaType"}).encode()
    image.digest = images.digest_of(image.manifest)
    [got] = check(bench, f"oci:{put_layout(bench.directory / 'layout', ('v1', image))}")
    assert (got["verdict"], got["digest"]) == ("pass", image.digest), got


def test_what_is_no_archive(bench):
    path = docker_save(bench, images.good())
    wrong = bench.directory / "wrong.tar"

    def expect(reference, *texts):
        run(bench, "check", reference).expect(3, "UNKNOWN", *texts)
        facts = run(bench, "facts", reference)
        facts.expect(facts.status, *texts)
        assert facts.status in (2, 3) and not facts.out, facts

    expect(f"docker-archive:{path}:other:v2", 'no image is tagged "other:v2"', "It holds app:v1")
    wrong.write_bytes(gzip.compress(path.read_bytes()))
    expect(f"docker-archive:{wrong}", "compressed with gzip", "gunzip --keep")
    wrong.write_bytes(path.read_bytes()[:3000])
    expect(f"docker-archive:{wrong}", "cut off")
    write_tar(wrong, [("etc/passwd", b"root"), ("bin/sh", b"x")])
    expect(f"docker-archive:{wrong}", "manifest.json", "docker export")
    expect(f"oci-archive:{wrong}", "oci-layout", "docker save")
    write_tar(wrong, [("../manifest.json", b"[]")])
    expect(f"docker-archive:{wrong}", "leads out of the archive")
    expect(f"docker-archive:{bench.directory}", "is not a file")
    expect(f"docker-archive:{bench.directory}/gone.tar", "gone.tar")


# --- layers ---

def files_of(bench, reference):
    return json.loads(run(bench, "facts", reference).expect(0).out)["files"]


def test_layers_are_the_same_however_they_are_packed(bench):
    image = images.Image(files=[{"etc/passwd": b"root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", "app/.env": b"A=1\n"},
                                {"app/.wh..env": b"", "app/server": b"x" * 100000}])
    layout = put_layout(bench.directory / "layout", ("v1", image))
    want = files_of(bench, f"oci:{layout}")
    assert want["complete"] and [layer["compression"] for layer in want["layers"]] == ["gzip", "gzip"], want
    plain = files_of(bench, f"docker-archive:{docker_save(bench, image, new=False)}")
    assert [layer["compression"] for layer in plain["layers"]] == ["none", "none"], plain
    for one, other in zip(want["layers"], plain["layers"]):
        assert one["diffId"] == other["diffId"] == other["digest"], (one, other)
    assert files_of(bench, f"oci-archive:{docker_save(bench, image)}") == want
    for part in want:
        if part not in ("layers", "limits"):
            assert want[part] == plain[part], part
    without = json.loads(run(bench, "facts", "--no-layers", f"oci:{layout}").expect(0).out)
    assert "files" not in without and without["groups"]["files"]["state"] == "absent", without


def test_a_layer_that_is_not_what_its_name_says(bench):
    image = images.good()
    layout = put_layout(bench.directory / "layout", ("v1", image))
    layer = json.loads(image.manifest)["layers"][0]
    blob = layout / "blobs" / "sha256" / layer["digest"][7:]
    blob.write_bytes(b"\0" * layer["size"])
    facts = run(bench, "facts", f"oci:{layout}")
    assert facts.status in (2, 3) and layer["digest"][7:19] in facts.err and not facts.out, facts
    blob.unlink()
    facts = json.loads(run(bench, "facts", f"oci:{layout}").expect(0).out)
    assert facts["groups"]["files"]["state"] == "absent" and "layer 0" in facts["groups"]["files"]["reason"], facts["groups"]


def test_exit_statuses_with_layers(bench):
    """A user's name is looked up in the layers: 0 when it is no root, 1 when it is, 3 when that cannot be read."""
    strict = bench.directory / "non-root.yaml"
    strict.write_text("policy: strict\nmode: enforce\nrules:\n  - rule: non-root\n    severity: high\n    on-fail: [quarantine]\n")
    passwd = b"root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\n"
    made = {name: images.Image(config={"User": name}, files=[{"etc/passwd": passwd}]) for name in ("app", "toor", "1000")}
    layout = put_layout(bench.directory / "layout", *made.items())

    def check_for(name, status, *options):
        return run(bench, "check", "-p", strict, *options, f"oci:{layout}:{name}").expect(status)

    check_for("app", 0)
    check_for("toor", 1)
    check_for("1000", 0)
    check_for("app", 3, "--no-layers")
    check_for("1000", 0, "--no-layers")
    for image in made.values():
        for layer in json.loads(image.manifest)["layers"]:
            (layout / "blobs" / "sha256" / layer["digest"][7:]).unlink(missing_ok=True)
    check_for("app", 3)
    check_for("1000", 0)  # nothing is read for this one


def put_large_layout(directory, size):
    """One layer, which is a tar with one large file of zeros, and not the bytes of its digest: only its end would tell."""
    image = images.Image()
    header = tarfile.TarInfo("large")
    header.size = size - tarfile.BLOCKSIZE
    name = "sha256:" + "1" * 64
    manifest = json.loads(image.manifest)
    manifest["layers"] = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": name, "size": size}]
    image.manifest = json.dumps(manifest).encode()
    image.digest = images.digest_of(image.manifest)
    layout = put_layout(directory, ("v1", image))
    with open(layout / "blobs" / "sha256" / name[7:], "wb") as blob:
        blob.write(header.tobuf(tarfile.GNU_FORMAT))
        blob.truncate(size)
    return layout


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def start_on_terminal(bench, *arguments):
    """Standard error is a terminal. Returns the process and what reads from the terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([harness.BINARY, *map(str, arguments)], stderr=slave, stdout=subprocess.PIPE,
                               env={**os.environ, "HOME": str(bench.directory)})
    os.close(slave)
    return process, master


def read_until(master, pattern, seconds=30):
    text, end = "", time.monotonic() + seconds
    while not re.search(pattern, text):
        assert time.monotonic() < end, text
        if select.select([master], [], [], 0.1)[0]:
            text += os.read(master, 65536).decode(errors="replace")
    return text


def test_progress_and_interrupt(bench):
    layout = put_large_layout(bench.directory / "layout", 8 << 30)
    for number in (signal.SIGINT, signal.SIGTERM):
        process, terminal = start_on_terminal(bench, "facts", f"oci:{layout}")
        read_until(terminal, r"\r\x1b\[K\S*layout  layer 1 of 1, [0-9.]+ [MG]B of 8\.6 GB")
        workers = children(process.pid)
        assert workers, "no worker is running"
        process.send_signal(number)
        assert process.wait(timeout=20) == 130
        assert process.stdout.read() == b""
        harness.wait_for("workers gone", lambda: not any(pathlib.Path(f"/proc/{worker}").exists() for worker in workers))
        os.close(terminal)


def test_no_progress_without_a_terminal(bench):
    layout = put_layout(bench.directory / "layout", ("v1", images.good()))
    assert not run(bench, "facts", f"oci:{layout}").expect(0).err


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_") and value.__module__ == "__main__"])
