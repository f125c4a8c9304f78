#!/usr/bin/env python3
"""Images on disk as the command line meets them: layouts and archives as real tools write them, and what is wrong with others."""
import gzip
import io
import json
import pathlib
import subprocess
import sys
import tarfile

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
    identity = tool(*buildah, "commit", "--quiet", name, "app:v1")
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


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_") and value.__module__ == "__main__"])
