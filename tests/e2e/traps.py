"""THE table of traps: what existing tools get wrong about images, each as one small image, one rule and the answer that is right. A row names
the peer that falls for it, or the specification that is easily misread. test_traps.py runs `regwarden check` over all of them."""
import base64
import dataclasses
import gzip
import hashlib
import io
import json
import struct
import tarfile
import typing

import images

TAR = "application/vnd.oci.image.layer.v1.tar"
KEY = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dF3gH5"  # looks like a token, and is none


# --- layers, byte by byte ---

def tar(entries, trailer=b""):
    """entries: (path, content) or (path, content, TarInfo changes). Content None: no data."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content, *changes in entries:
            info = tarfile.TarInfo(path)
            info.mode = 0o755
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            if content is not None:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content or b""))
    return raw.getvalue() + trailer


def directory(path):
    return path, None, {"type": tarfile.DIRTYPE}


def link(path, target, kind=tarfile.SYMTYPE):
    return path, None, {"type": kind, "linkname": target}


def zipped(*members):
    return b"".join(gzip.compress(member, 6, mtime=0) for member in members)


def zstd_frame(data):
    """A frame of raw blocks: no compressor needed."""
    frame = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data))
    blocks = [data[i:i + 65536] for i in range(0, len(data), 65536)] or [b""]
    for number, block in enumerate(blocks):
        frame += struct.pack("<I", len(block) << 3 | (number == len(blocks) - 1))[:3] + block
    return frame


class Made:
    """An image from layers as they are: each plain tar bytes, or (served bytes, unpacked bytes, media type)."""

    def __init__(self, layers, config=None, history=None, annotations=None, manifest=None, document=None):
        self.blobs, descriptors, diff_ids = {}, [], []
        for layer in layers:
            served, plain, kind = layer if isinstance(layer, tuple) else (zipped(layer), layer, TAR + "+gzip")
            self.blobs[images.digest_of(served)] = served
            descriptors.append({"mediaType": kind, "digest": images.digest_of(served), "size": len(served)})
            diff_ids.append(images.digest_of(plain))
        steps = history if history is not None else [{"created_by": "COPY . / # buildkit", "comment": "buildkit.dockerfile.v0"}
                                                     for _ in layers]
        raw = document or json.dumps({"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
                                      "config": config or {}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
                                      "history": steps}).encode()
        self.blobs[images.digest_of(raw)] = raw
        content = {"schemaVersion": 2, "mediaType": images.OCI_MANIFEST,
                   "config": {"mediaType": images.OCI_CONFIG, "digest": images.digest_of(raw), "size": len(raw)}, "layers": descriptors}
        if annotations:
            content["annotations"] = annotations
        content.update(manifest or {})
        self.manifest = json.dumps(content).encode()
        self.media_type = images.OCI_MANIFEST

    def write(self, path):
        """As an OCI layout with the tag 1."""
        blobs = path / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for digest, data in {**self.blobs, images.digest_of(self.manifest): self.manifest}.items():
            (blobs / digest[7:]).write_bytes(data)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [
            {"mediaType": self.media_type, "digest": images.digest_of(self.manifest), "size": len(self.manifest),
             "annotations": {"org.opencontainers.image.ref.name": "1"}}]}))


class MadeIndex:
    def __init__(self, children, manifest=None):
        self.children = children
        self.blobs = {}
        for child in children:
            self.blobs.update({**child.blobs, images.digest_of(child.manifest): child.manifest})
        content = {"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
            {"mediaType": child.media_type, "digest": images.digest_of(child.manifest), "size": len(child.manifest),
             "platform": {"os": "linux", "architecture": "amd64"}} for child in children]}
        content.update(manifest or {})
        self.manifest = json.dumps(content).encode()
        self.media_type = images.OCI_INDEX

    write = Made.write


PASSWD = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/false\ntoor:x:0:0::/root:/bin/sh\napp:x:0:0::/:/bin/sh\n"


def user(name, *layers):
    return lambda: Made(list(layers) or [tar([("etc/passwd", PASSWD)])], {"User": name})


def config(**members):
    return lambda: Made([tar([("app", b"x")])], members)


def history(*steps, layers=None, **members):
    """Steps of BuildKit; those that begin with a blank made no layer."""
    def make():
        entries = [{"created_by": step.strip(), "comment": "buildkit.dockerfile.v0", **({"empty_layer": True} if step[0] == " " else {})}
                   for step in steps]
        count = sum(step[0] != " " for step in steps)
        return Made((layers or [tar([(f"file{i}", b"x")]) for i in range(count)]), members, entries)
    return make


def files(*layers, **members):
    return lambda: Made([tar(layer) if isinstance(layer, list) else layer for layer in layers], members)


@dataclasses.dataclass
class Trap:
    name: str
    peer: str  # who falls for it, or what is easily misread
    rule: str  # YAML of one rule, without its dash
    verdict: str
    make: typing.Callable
    finding: typing.Optional[dict] = None  # members that one finding must have; a string is looked for in the text
    absent: typing.Optional[str] = None    # text that nothing in the output may have


ROOT = "rule: non-root\nseverity: high\non-fail: [tag]"
NUMERIC = "rule: non-root\nwith: { numeric: true }\non-fail: [tag]"
SECRETS = "rule: secrets\non-fail: [tag]"
SETUID = "rule: setuid-files\non-fail: [tag]"
LEAKS = "rule: context-leak\non-fail: [tag]"
TOOLS = "rule: build-tools\non-fail: [tag]"
ALL_LEAKS = "rule: context-leak\nwith: { include-base: true }\non-fail: [tag]"
ALL_TOOLS = "rule: build-tools\nwith: { include-base: true }\non-fail: [tag]"
PINNED = "rule: base-pinned\non-fail: [tag]"
PORTS = "rule: exposed-ports\nwith: { deny: [22] }\non-fail: [tag]"
SIZE = "rule: image-size\nwith: { compressed: 1GB }\non-fail: [tag]"

USERS = [
    Trap("USER 0", "dockle, docker-bench-security#358", ROOT, "fail", user("0")),
    Trap("USER 0:0", "dockle", ROOT, "fail", user("0:0")),
    Trap("USER root:root", "dockle", ROOT, "fail", user("root:root")),
    Trap("USER root", "Kyverno's non-root sample", ROOT, "fail", user("root")),
    Trap("USER 00", "regular expressions for 0", ROOT, "fail", user("00")),
    Trap("USER +0", "regular expressions for 0", ROOT, "fail", user("+0")),
    Trap("USER -0", "regular expressions for 0", ROOT, "fail", user("-0")),
    Trap("USER :1000 names no user, which is root", "whoever splits at the colon", ROOT, "fail", user(":1000")),
    Trap("no user", "Anchore before its config check", ROOT, "fail", user("")),
    Trap("a name with the user id 0", "dockle, Trivy, check-image: names are believed", ROOT, "fail", user("toor")),
    Trap("the first line of a name counts", "whoever lets the last line win", ROOT, "pass", user("app")),
    Trap("a name that nobody has does not start", "whoever takes any name for non-root", ROOT, "fail", user("ghost")),
    Trap("a name without any passwd file", "whoever takes any name for non-root", ROOT, "fail", user("app", tar([("app", b"x")]))),
    Trap("a number that passwd does not know", "whoever asks passwd only", ROOT, "pass", user("65532")),
    Trap("0x0 is a name, not a number", "strtol with base 0", ROOT, "fail", user("0x0")),
    Trap("a name where the cluster wants a number", "Kubernetes: cannot verify user is non-root", NUMERIC, "fail", user("app")),
    Trap("an id that is no number is 0", "moby reads it so; peers skip the line", ROOT, "fail",
         user("app", tar([("etc/passwd", b"app:x:abc:1000::/:/bin/sh\n")]))),
    Trap("passwd is the topmost layer's", "whoever reads the first layer that has one", ROOT, "fail",
         user("app", tar([("etc/passwd", PASSWD)]), tar([("etc/passwd", b"app:x:0:0::/:/bin/sh\n")]))),
    Trap("passwd that a whiteout took away", "whoever overlooks whiteouts", ROOT, "fail",
         user("app", tar([("etc/passwd", PASSWD)]), tar([("etc/.wh.passwd", b"")]))),
    Trap("passwd under a ./ path", "anchore-engine#209", ROOT, "pass", user("app", tar([("./etc/passwd", PASSWD)]))),
    Trap("passwd under an absolute path", "whoever compares paths as they are written", ROOT, "pass",
         user("app", tar([("/etc/passwd", PASSWD)]))),
    Trap("passwd that is a symbolic link to a file that is not read", "whoever takes an unread file for a missing one", ROOT, "unknown",
         user("app", tar([("etc/real", PASSWD), link("etc/passwd", "real")]))),
]

LAYERS = [
    Trap("a secret that a later layer deletes", "whoever scans the merged file system", SECRETS, "fail",
         files([("app/key.txt", KEY.encode())], [("app/.wh.key.txt", b"")]), {"path": "app/key.txt", "text": "github-token"}),
    Trap("a secret in a file of 200 kB", "Anchore: ignores secret files over 10 kB by default", SECRETS, "fail",
         files([("app/big.txt", b"x\n" * 100000 + KEY.encode() + b"\n")]), {"path": "app/big.txt"}),
    Trap("a secret that is in the first of two entries of one path", "extractors: the last entry wins", SECRETS, "fail",
         files([("app/a.txt", KEY.encode()), ("app/a.txt", b"nothing")]), {"path": "app/a.txt"}),
    Trap("the secret itself is nowhere in the output", "dockle#268: the report printed it", SECRETS, "fail",
         files([("app/a.txt", KEY.encode())]), {"path": "app/a.txt"}, absent=KEY),
    Trap("gzip of several members", "one inflate loop that stops at the end of the first", SECRETS, "fail",
         lambda: Made([(zipped(*(lambda t: (t[:512], t[512:600], t[600:], b""))(tar([("app/a.txt", KEY.encode())]))),
                        tar([("app/a.txt", KEY.encode())]), TAR + "+gzip")])),
    Trap("zstd that begins with a skippable frame", "detectors that look at four bytes", SECRETS, "fail",
         lambda: Made([(struct.pack("<II", 0x184D2A50, 4) + b"meta" + zstd_frame(tar([("app/a.txt", KEY.encode())])),
                        tar([("app/a.txt", KEY.encode())]), TAR + "+zstd")])),
    Trap("compression that the media type does not tell", "whoever trusts media types", SECRETS, "fail",
         lambda: Made([(zipped(tar([("app/a.txt", KEY.encode())])), tar([("app/a.txt", KEY.encode())]), TAR)])),
    Trap("bytes behind the end of the archive belong to the diff_id", "hashing what the tar reader consumed", LEAKS, "pass",
         files(tar([("app/a", b"x")], trailer=b"\0" * 512 + b"tail".ljust(512, b"\0")))),
    Trap("a description of a package in apt's lists is no secret", "rules on all content: http://foo:foobar@host", SECRETS, "pass",
         files([("var/lib/apt/lists/deb_i18n_Translation-en", b"such as http://foo:foobar@host\n")])),
    Trap("usr/src/app is an application's place", "whoever takes all of usr/src for the system's", LEAKS, "fail",
         files([("usr/src/app/.git/HEAD", b"ref: x\n")]), {"path": "usr/src/app/.git"}),
    Trap("a diff_id that is not that of the layer", "whoever believes the config", LEAKS, "fail",
         lambda: Made([(zipped(tar([("a", b"x")])), tar([("b", b"y")]), TAR + "+gzip")])),
    Trap("the index of eStargz is no leak", "name rules on all entries", LEAKS, "pass",
         files([(".prefetch.landmark", b"\x0f"), ("app/a", b"x"), ("stargz.index.json", b"{}")])),
    Trap("an opaque mark behind the files of its own layer", "whoever applies marks in order of the archive", ROOT, "pass",
         user("app", tar([("etc/passwd", b"app:x:0:0::/:/bin/sh\n")]), tar([("etc/passwd", PASSWD), ("etc/.wh..wh..opq", b"")]))),
    Trap("the same empty layer twice", "whoever takes layer digests for unique", SIZE, "pass",
         lambda: Made([b"\0" * 1024, tar([("a", b"x")]), b"\0" * 1024], {"User": "1"})),
    Trap("a hard link is not counted twice", "sizes from headers", "rule: wasted-space\nwith: { max-share: 10 }\non-fail: [tag]", "pass",
         files([("app/a", b"x" * 100000), link("app/b", "app/a", tarfile.LNKTYPE)])),
    Trap("a .git that a later layer deletes", "dive shows waste, and no leak", ALL_LEAKS, "fail",
         files([directory("src/.git"), ("src/.git/HEAD", b"ref: x\n")], [("src/.wh..git", b"")]), {"path": "src/.git"}),
    Trap("a compiler that the same step purges is in no layer", "naive history rules: wrong for 54 % of official images", TOOLS, "pass",
         history("RUN /bin/sh -c apk add --virtual .d gcc && make && apk del .d # buildkit",
                 layers=[tar([("app/server", b"\x7fELF" + b"\0" * 100)])])),
    Trap("a list of tools in the environment is no tool", "rules on the text of PHPIZE_DEPS", TOOLS, "pass",
         files([("usr/local/bin/php", b"\x7fELF")], Env=["PHP_VERSION=8.3.1", "PHPIZE_DEPS=autoconf dpkg-dev file g++ gcc libc-dev make"])),
    Trap("gcc that COPY brought", "whoever reads RUN steps only", ALL_TOOLS, "fail",
         history("COPY /out / # buildkit", layers=[tar([("usr/bin/gcc", b"\x7fELF" + b"x" * 5000)])]), {"path": "usr/bin/gcc", "step": 0}),
    Trap("COPY of another stage looks like COPY of the context", "BuildKit writes no --from", TOOLS, "pass",
         history("COPY /app/app /app # buildkit", layers=[tar([("app/app", b"\x7fELF")])])),
    Trap("a layer that is damaged is unknown, not clean", "Harbor's gate fails open without a scanner", SECRETS, "fail",
         lambda: Made([(zipped(tar([("a", b"x")]))[:-6], tar([("a", b"x")]), TAR + "+gzip")])),
]

HISTORY = [
    Trap("BuildKit's EXPOSE", "Trivy drops it: DS-0004 cannot fire", PORTS, "fail",
         history(" EXPOSE [22/tcp]", "COPY a / # buildkit", ExposedPorts={"22/tcp": {}})),
    Trap("BuildKit's VOLUME", "Trivy drops it", "rule: volumes\nwith: { deny: [/proc] }\non-fail: [tag]", "fail",
         history(" VOLUME [/proc]", "COPY a / # buildkit", Volumes={"/proc": {}})),
    Trap("BuildKit's WORKDIR", "Trivy drops it: DS-0009 cannot fire", "rule: workdir\non-fail: [tag]", "fail",
         history(" WORKDIR app", "COPY a / # buildkit", WorkingDir="app")),
    Trap("BuildKit's CMD has no commas", "parsers of JSON lists", "rule: entrypoint\non-fail: [tag]", "pass",
         history('COPY a / # buildkit', ' ENTRYPOINT ["/app" "serve"]', Entrypoint=["/app", "serve"])),
    Trap("a secret in a build argument", "trufflehog#2881: history is not searched", SECRETS, "fail",
         history(f"RUN |1 TOKEN={KEY} /bin/sh -c make # buildkit"), absent=KEY),
    Trap("*GPG_KEY is no secret", "dockle: 73 of 76 hits in official images", SECRETS, "pass",
         config(Env=["GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", "PYTHON_SHA256=" + "ab" * 32])),
    Trap("libcrypto3=… is no secret", "dockle#250", "rule: secrets\non-fail: [tag]", "pass",
         history("RUN /bin/sh -c apk add libcrypto3=3.1.4-r5 # buildkit")),
    Trap("a health check that is switched off", "whoever looks for the key only", "rule: healthcheck\non-fail: [tag]", "fail",
         config(Healthcheck={"Test": ["NONE"]})),
    Trap("no created_by at all", "rules_oci images, and parsers that expect it", SIZE, "pass",
         lambda: Made([tar([("a", b"x")])], history=[{"created": "0001-01-01T00:00:00Z"}])),
    Trap("an image of the year 1", "age rules on reproducible builds", "rule: image-age\nwith: { max-age: 90d }\non-fail: [tag]", "unknown",
         lambda: Made([], document=json.dumps({"architecture": "amd64", "os": "linux", "created": "0001-01-01T00:00:00Z", "config": {},
                                               "rootfs": {"type": "layers", "diff_ids": []}, "history": []}).encode())),
]

BASES = [
    Trap("nothing says what it was built from", "anchore-engine#127: FROM not_in scratch passes ubuntu",
         "rule: base-allowed\nwith: { allow: [scratch] }\non-fail: [tag]", "unknown",
         files([("etc/os-release", b"ID=ubuntu\n"), ("bin/sh", b"x")])),
    Trap("a base digest in an annotation does not make FROM pinned", "whoever reads base.digest as a pin", PINNED, "unknown",
         lambda: Made([tar([("a", b"x")])], annotations={"org.opencontainers.image.base.name": "docker.io/library/alpine:3",
                                                         "org.opencontainers.image.base.digest": "sha256:" + "a" * 64})),
    Trap("buildah's name with a digest is a pinned FROM", "whoever compares base.digest", PINNED, "pass",
         lambda: Made([tar([("a", b"x")])], annotations={"org.opencontainers.image.base.name": "docker.io/library/alpine@sha256:" + "b" * 64,
                                                         "org.opencontainers.image.base.digest": "sha256:" + "a" * 64})),
]

BASE = "pkg:docker/debian@12?platform=linux%2Famd64"
PINNED_BASE = f"pkg:docker/debian?digest=sha256:{'b' * 64}&platform=linux%2Famd64&tag=12"
FRONTEND = f"pkg:docker/docker/dockerfile?digest=sha256:{'d' * 64}&platform=linux%2Famd64&tag=1"
SCANNER = "pkg:docker/docker/buildkit-syft-scanner@stable-1?platform=linux%2Famd64"


def attested(*materials, subject=None, llb=(), dockerfile=None, **parameters):
    """An index as BuildKit writes it: an image, and beside it what BuildKit says of its build."""
    def make():
        image = Made([tar([("a", b"x")])])
        digest = images.digest_of(image.manifest)
        kind = "https://slsa.dev/provenance/v0.2"
        source = {"infos": [{"filename": "Dockerfile", "language": "Dockerfile", "data": base64.b64encode((dockerfile or "").encode()).decode()}]}
        statement = json.dumps({
            "_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind,
            "subject": [{"name": "_", "digest": {"sha256": (subject or digest)[-64:]}}],
            "predicate": {"builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1",
                          "materials": [{"uri": uri, "digest": {"sha256": "b" * 64}} for uri in materials],
                          "invocation": {"configSource": {"entryPoint": "Dockerfile"}, "environment": {"platform": "linux/amd64"},
                                         "parameters": {"frontend": "dockerfile.v0", **parameters}},
                          **({"metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"source": source}}} if dockerfile else {}),
                          **({"buildConfig": {"llbDefinition": list(llb)}} if llb else {})}}).encode()
        plain = (statement, statement, "application/vnd.in-toto+json")
        attestation = Made([plain], manifest={"layers": [{
            "mediaType": plain[2], "digest": images.digest_of(statement), "size": len(statement),
            "annotations": {"in-toto.io/predicate-type": kind}}]})
        index = MadeIndex([image, attestation])
        content = json.loads(index.manifest)
        content["manifests"][1].update(platform={"os": "unknown", "architecture": "unknown"}, annotations={
            "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest})
        index.manifest = json.dumps(content).encode()
        return index
    return make


FROM = "FROM debian:12\nCOPY a /\n"
LLB = [{"id": "step0", "op": {"Op": {"source": {"identifier": f"docker-image://docker.io/library/debian:12@sha256:{'b' * 64}"}},
                              "platform": {"Architecture": "amd64", "OS": "linux"}}}]
DEEP_LLB = LLB + [{"id": f"step{i}", "inputs": [f"step{i - 1}:0"], "op": {"Op": {"exec": {"meta": {"args": ["x"]}}}}}
                  for i in range(1, 3000)]

PROVENANCE = [
    Trap("a material without digest= is a FROM without one", "whoever reads the digest that BuildKit adds to each material", PINNED,
         "fail", attested(BASE, dockerfile=FROM)),
    Trap("a material may be of a stage that is not the last", "whoever takes the only material for the base: FROM scratch has none",
         PINNED, "unknown", attested(BASE)),
    Trap("BuildKit's graph is pinned although FROM was not", "whoever reads llbDefinition for what was written", PINNED, "fail",
         attested(BASE, llb=LLB, dockerfile=FROM)),
    Trap("digest= in a material's purl is a pinned FROM", "whoever takes purls for names", PINNED, "pass", attested(PINNED_BASE)),
    Trap("a provenance of another image tells nothing", "whoever does not compare subjects", PINNED, "unknown",
         attested(PINNED_BASE, subject="e" * 64)),
    Trap("frontend and scanner are no bases", "whoever takes all materials for bases: pinned ones excuse, others accuse", PINNED, "pass",
         attested(FRONTEND, SCANNER, PINNED_BASE, source="docker/dockerfile:1")),
    Trap("a pinned frontend does not pin the base", "whoever looks for any digest", PINNED, "fail",
         attested(FRONTEND, BASE, source="docker/dockerfile:1", dockerfile=FROM)),
    Trap("a graph of three thousand steps", "whoever follows it by recursion", PINNED, "fail", attested(BASE, llb=DEEP_LLB, dockerfile=FROM)),
]

HOSTILE = [
    Trap("an index that is a manifest too", "CVE-2021-41190", SIZE, "fail",
         lambda: Made([tar([("a", b"x")])], manifest={"manifests": [
             {"mediaType": images.OCI_MANIFEST, "digest": "sha256:" + "c" * 64, "size": 5}]})),
    Trap("layers that call themselves statements", "whoever tells evidence by the types of layers; podman unpacks them all the same", ROOT,
         "fail", lambda: Made([(zipped(tar([("a", b"x")])), tar([("a", b"x")]), "application/vnd.in-toto+json")], {"User": "0"})),
    Trap("the same as a child of an index", "whoever leaves out what looks like an attestation", ROOT, "fail",
         lambda: MadeIndex([user("1000")(), Made([(zipped(tar([("a", b"x")])), tar([("a", b"x")]), "application/vnd.in-toto+json")],
                                                 {"User": "0"})])),
    Trap("schema 1", "clients that convert it", SIZE, "fail", lambda: Made([tar([("a", b"x")])], manifest={"fsLayers": [{"blobSum": "x"}]})),
    Trap("the same key in two spellings", "Go matches keys in any case and takes the last", SIZE, "fail",
         lambda: Made([tar([("a", b"x")])], manifest={"Layers": []})),
    Trap("urls of a descriptor are never followed", "foreign layers", SIZE, "pass",
         lambda: Made([tar([("a", b"x")])], manifest={"annotations": {"urls": "http://127.0.0.1:1/x"}})),
    Trap("an empty long name does not count", "Go's reader takes the short one, GNU tar none", ROOT, "fail",
         user("app", tar([("etc/passwd", b"app:x:0:0::/:/bin/sh\n")]),
              tar([("x", b"\0", {"type": b"L"}), ("etc/passwd", b"app:x:1:1::/:/bin/sh\n")]))),
    Trap("a global header takes away the file of its name", "Docker and containerd, after Go's reader hands it out", ROOT, "fail",
         user("app", tar([("etc/passwd", b"app:x:0:0::/:/bin/sh\n")]),
              tar([("etc/passwd", b"app:x:1:1::/:/bin/sh\n"), ("etc/passwd", b"11 a=bcdef\n", {"type": b"g"})]))),
    Trap("a hard link keeps a setuid program that is deleted", "whoever looks at visible names of files only", SETUID, "fail",
         files([("bin/su", b"x", {"mode": 0o4755}), link("keep/su", "bin/su", tarfile.LNKTYPE)], [("bin/.wh.su", b"")]),
         {"path": "keep/su"}),
    Trap("who deletes a link leaves what was written through it", "merges by path", SETUID, "fail",
         files([link("tools", "usr/lib"), ("tools/su", b"x", {"mode": 0o4755})], [(".wh.tools", b"")])),
    Trap("five thousand warnings do not hide a secret", "findings with a bound", SECRETS, "unknown",
         files([(f"app/{number}/.env", b"A=1\n") for number in range(5000)] + [("app/z.txt", KEY.encode())]), absent=KEY),
    Trap("one failing child fails the index", "first matching platform only", ROOT, "fail",
         lambda: MadeIndex([user("1000")(), user("0")()])),
    Trap("two policies both count", "Anchore's mappings: only the first match applies", ROOT, "fail", user("0")),
]

TRAPS = USERS + LAYERS + HISTORY + BASES + PROVENANCE + HOSTILE
