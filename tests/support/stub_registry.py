#!/usr/bin/env python3
"""A container registry that misbehaves on purpose.

    stub_registry.py SCENARIO [--record FILE] [--port PORT]

Serves http on 127.0.0.1, a few scenarios https. Standard output: the port, then one "name value" line per thing that a test
needs to know, then "ready". Every request is written to the record as one JSON line. The stub ends
when its standard input is closed.

The repository `app` holds the tags v1 (one image), multi (an index of two images and an attestation)
and artifact; `list` prints the scenarios. Standard library only (openssl makes the certificates for https).
"""

import argparse
import base64
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import socket
import ssl
import struct
import sys
import tarfile
import tempfile
import threading
import time
import urllib.parse

import certificates

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws"

USER, PASSWORD = "robot", "correct horse"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def archive(content):
    """A layer that holds one file."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("app")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def compact(document):
    return json.dumps(document, separators=(",", ":")).encode()


class Content:
    """What the registry holds: blobs, and per repository manifests and tags."""

    def __init__(self):
        self.blobs = {}
        self.manifests = {}
        self.tags = {}

    def add_blob(self, repository, data):
        self.blobs[repository, digest_of(data)] = data
        return {"digest": digest_of(data), "size": len(data)}

    def add_manifest(self, repository, media_type, data, tag=None):
        digest = digest_of(data)
        self.manifests[repository, digest] = (media_type, data)
        if tag:
            self.tags.setdefault(repository, {})[tag] = digest
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def find(self, repository, reference):
        digest = self.tags.get(repository, {}).get(reference, reference)
        return self.manifests.get((repository, digest)), digest

    def add_image(self, repository, architecture, tag=None, media_type=OCI_MANIFEST):
        layer = archive((b"layer of " + architecture.encode()) * 1000)
        config = compact({
            "architecture": architecture, "os": "linux",
            "config": {"User": "1000", "Env": ["PATH=/usr/bin"], "Cmd": ["/app"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
            "history": [{"created_by": "COPY app /app # buildkit"}],
        })
        manifest = {
            "schemaVersion": 2, "mediaType": media_type,
            "config": {"mediaType": OCI_CONFIG, **self.add_blob(repository, config)},
            "layers": [{"mediaType": OCI_LAYER, **self.add_blob(repository, layer)}],
        }
        return self.add_manifest(repository, media_type, compact(manifest), tag)

    def add_attestation(self, repository, subject):
        statement = compact({"_type": "https://in-toto.io/Statement/v0.1"})
        empty = compact({"architecture": "unknown", "os": "unknown"})
        manifest = {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, **self.add_blob(repository, empty)},
            "layers": [{"mediaType": "application/vnd.in-toto+json", **self.add_blob(repository, statement)}],
        }
        entry = self.add_manifest(repository, OCI_MANIFEST, compact(manifest))
        return {**entry, "platform": {"architecture": "unknown", "os": "unknown"}, "annotations": {
            "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject}}

    def add_artifact(self, repository, subject=None, tag=None, kind="application/vnd.example.sbom"):
        manifest = {
            "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": kind,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", **self.add_blob(repository, b"{}")},
            "layers": [{"mediaType": kind, **self.add_blob(repository, b"material")}],
        }
        if subject:
            manifest["subject"] = subject
        entry = self.add_manifest(repository, OCI_MANIFEST, compact(manifest), tag)
        return {**entry, "artifactType": kind}

    def add_index(self, repository, children, tag=None):
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}
        return self.add_manifest(repository, OCI_INDEX, compact(index), tag)


def usual_content():
    content = Content()
    content.image = content.add_image("app", "amd64", "v1")
    arm = content.add_image("app", "arm64")
    attestation = content.add_attestation("app", content.image["digest"])
    content.index = content.add_index("app", [
        {**content.image, "platform": {"os": "linux", "architecture": "amd64"}},
        {**arm, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        attestation], "multi")
    content.artifact = content.add_artifact("app", content.image, "artifact")
    return content


class Registry:
    """A registry that does everything right. Scenarios override what they do wrong."""

    referrers_api = False
    catalog = True
    secure = False

    def __init__(self):
        self.content = usual_content()
        self.counts = {}
        self.uploads = {}
        self.lock = threading.Lock()
        self.other_port = 0

    def values(self):
        """What the test is told at the start."""
        config = json.loads(self.content.manifests["app", self.content.image["digest"]][1])["config"]
        layer = json.loads(self.content.manifests["app", self.content.image["digest"]][1])["layers"][0]
        return {"image": self.content.image["digest"], "index": self.content.index["digest"],
                "config": config["digest"], "config-size": config["size"],
                "layer": layer["digest"], "layer-size": layer["size"],
                "artifact": self.content.artifact["digest"]}

    def count(self, key):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key]

    def handle(self, request):
        if self.refuse(request):
            return
        path = request.path_only
        for pattern, handler in self.routes:
            match = re.fullmatch(pattern, path)
            if match:
                getattr(self, handler)(request, *match.groups())
                return
        request.answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})

    def refuse(self, request):
        """True when the request was answered already."""
        return False

    def base(self, request):
        request.answer(200, b"{}", {"Content-Type": "application/json"})

    def manifest(self, request, repository, reference):
        if request.command == "PUT":
            self.put_manifest(request, repository, reference)
        elif request.command == "DELETE":
            self.delete_manifest(request, repository, reference)
        else:
            found, digest = self.content.find(repository, reference)
            if found:
                self.send_manifest(request, found[0], found[1], digest)
            else:
                request.error(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    def put_manifest(self, request, repository, reference):
        data = request.read_body()
        tag = None if ":" in reference else reference
        entry = self.content.add_manifest(repository, request.headers.get("Content-Type", ""), data, tag)
        request.answer(201, b"", {"Docker-Content-Digest": entry["digest"]})

    def delete_manifest(self, request, repository, reference):
        found, digest = self.content.find(repository, reference)
        if not found:
            request.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        tags = self.content.tags.get(repository, {})
        if ":" in reference:
            del self.content.manifests[repository, digest]
            for tag in [t for t in tags if tags[t] == digest]:
                del tags[tag]
        else:
            del tags[reference]
        request.answer(202, b"")

    def blob(self, request, repository, digest):
        data = self.content.blobs.get((repository, digest))
        if data is None:
            request.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        else:
            self.send_blob(request, data, digest)

    def send_blob(self, request, data, digest):
        request.answer(200, data, {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest})

    def upload(self, request, repository, session):
        if request.command == "POST":
            self.open_upload(request, repository)
        elif request.command == "PUT":
            self.take_upload(request, repository, session)
        else:
            request.answer(405, b"")

    def mounts(self, digest):
        return True

    def open_upload(self, request, repository):
        request.read_body()
        digest, origin = request.query.get("mount"), request.query.get("from")
        data = self.content.blobs.get((origin, digest))
        if data is not None and self.mounts(digest):
            self.content.blobs[repository, digest] = data
            request.answer(201, b"", {"Location": f"/v2/{repository}/blobs/{digest}"})
            return
        self.counts["session"] = self.counts.get("session", 0) + 1
        request.answer(202, b"", {"Location": self.session_location(repository, self.counts["session"])})

    def session_location(self, repository, number):
        return f"/v2/{repository}/blobs/uploads/{number}?_state=abc%3D"

    def take_upload(self, request, repository, session):
        data = request.read_body()
        if data is None:
            return
        if digest_of(data) != request.query.get("digest"):
            request.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        self.content.blobs[repository, digest_of(data)] = data
        request.answer(201, b"")

    def tag_list(self, request, repository):
        tags = self.content.tags.get(repository)
        if tags is None:
            request.error(404, "NAME_UNKNOWN", "repository name not known to registry")
        else:
            request.json({"name": repository, "tags": sorted(tags)})

    def repositories(self, request):
        if self.catalog:
            request.json({"repositories": ["app", "team/other"]})
        else:
            request.answer(404, b"")

    def referrers(self, request, repository, digest):
        if not self.referrers_api:
            request.answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
            return
        entries = [{**self.content.artifact}] if digest == self.content.image["digest"] else []
        request.answer(200, compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}),
                       {"Content-Type": OCI_INDEX})

    def elsewhere(self, request):
        """Requests that reached the second port."""
        request.answer(404, b"")

    routes = [
        (r"/v2/", "base"),
        (r"/v2/(.+)/manifests/([^/]+)", "manifest"),
        (r"/v2/(.+)/blobs/uploads/([^/]*)", "upload"),
        (r"/v2/(.+)/blobs/([^/]+)", "blob"),
        (r"/v2/(.+)/tags/list", "tag_list"),
        (r"/v2/_catalog", "repositories"),
        (r"/v2/(.+)/referrers/([^/]+)", "referrers"),
    ]


# Bytes that are not what they should be.

class WrongDigest(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data + b"\n", {"Content-Type": media_type})

    def send_blob(self, request, data, digest):
        request.answer(200, b"x" + data[1:], {"Content-Type": "application/octet-stream"})


class WrongDigestHeader(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest_of(b"other")})


class ShortBody(Registry):
    """Announces more bytes than it sends."""

    def send_blob(self, request, data, digest):
        request.answer(200, data, {"Content-Length": str(len(data) + 10)})

    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data[:-5], {"Content-Type": media_type, "Content-Length": str(len(data))})


class SmallBlob(Registry):
    """A whole answer, but fewer bytes than the descriptor says."""

    def send_blob(self, request, data, digest):
        request.answer(200, data[:-1])


class EndlessBody(Registry):
    def stream(self, request, media_type):
        request.head(200, {"Content-Type": media_type, "Connection": "close"})
        try:
            while True:
                request.wfile.write(b"[" * 65536)
        except OSError:
            request.close_connection = True

    def send_manifest(self, request, media_type, data, digest):
        self.stream(request, media_type)

    def send_blob(self, request, data, digest):
        self.stream(request, "application/octet-stream")

    def tag_list(self, request, repository):
        self.stream(request, "application/json")


class EndlessError(EndlessBody):
    def refuse(self, request):
        request.head(500, {"Content-Type": "text/html", "Connection": "close"})
        try:
            while True:
                request.wfile.write(b"<br>" * 16384)
        except OSError:
            request.close_connection = True
        return True


class SlowBody(Registry):
    """A byte now and then: never idle for long, never done."""

    def send_manifest(self, request, media_type, data, digest):
        request.head(200, {"Content-Type": media_type, "Content-Length": str(len(data))})
        try:
            for i in range(len(data)):
                request.wfile.write(data[i:i + 1])
                time.sleep(0.1)
        except OSError:
            request.close_connection = True


class Silent(Registry):
    """Takes the request and never answers."""

    def refuse(self, request):
        time.sleep(30)
        request.close_connection = True
        return True


class ManifestTooBig(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, b" " * (5 << 20), {"Content-Type": media_type})


class TypeMismatch(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data, {"Content-Type": OCI_INDEX if media_type != OCI_INDEX else OCI_MANIFEST,
                                   "Docker-Content-Digest": digest})


class Schema1(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, b'{"schemaVersion":1}', {"Content-Type": SCHEMA1_SIGNED})


class TypeParameters(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data, {"Content-Type": media_type + "; charset=utf-8"})


class NoType(Registry):
    def send_manifest(self, request, media_type, data, digest):
        request.answer(200, data, {"Docker-Content-Digest": digest})


# Failures that pass, or do not.

class Throttled(Registry):
    seconds = "1"

    def refuse(self, request):
        if self.count("throttled") > 1:
            return False
        request.error(429, "TOOMANYREQUESTS", "slow down", {"Retry-After": self.seconds})
        return True


class ThrottledLong(Throttled):
    seconds = "3600"


class FailingTwice(Registry):
    def refuse(self, request):
        if self.count("failing") > 2:
            return False
        request.answer(500, b"")
        return True


class FailingAlways(Registry):
    def refuse(self, request):
        request.answer(503, b"")
        return True


class FailingUntilTold(Registry):
    """503 until the record's directory holds a file named `up`."""

    def refuse(self, request):
        if os.path.exists(RECORD + ".up"):
            return False
        request.answer(503, b"")
        return True


class Reset(Registry):
    def refuse(self, request):
        if self.count("reset") > 1:
            return False
        request.reset()
        return True


class ResetAlways(Registry):
    def refuse(self, request):
        request.read_body()
        request.reset()
        return True


class HtmlError(Registry):
    def refuse(self, request):
        request.answer(401, b"<html><body>Log in</body></html>", {"Content-Type": "text/html"})
        return True


class OddError(Registry):
    """An error document whose text tries to write on the reader's terminal."""

    def refuse(self, request):
        request.error(403, "DENIED", "no \x1b[31mway\x07\n" + "x" * 5000)
        return True


class EchoCredentials(Registry):
    def refuse(self, request):
        if "Authorization" not in request.headers:
            request.answer(401, b"", {"WWW-Authenticate": "Basic realm=x"})
        else:
            request.error(403, "DENIED", "you sent " + request.headers["Authorization"])
        return True


class HeadRefused(Registry):
    """HEAD is refused; GET works."""

    def refuse(self, request):
        if request.command != "HEAD":
            return False
        request.answer(405, b"")
        return True


class HeadWithoutDigest(Registry):
    def send_manifest(self, request, media_type, data, digest):
        headers = {"Content-Type": media_type}
        if request.command != "HEAD":
            headers["Docker-Content-Digest"] = digest
        request.answer(200, data, headers)


# Redirects.

class RedirectLoop(Registry):
    def refuse(self, request):
        there = "b" if request.query.get("at") == "a" else "a"
        request.answer(307, b"", {"Location": f"{request.path_only}?at={there}"})
        return True


class RedirectMany(Registry):
    def refuse(self, request):
        step = int(request.query.get("step", "0"))
        request.answer(302, b"", {"Location": f"?step={step + 1}"})
        return True


class RedirectOther(Registry):
    """Blobs and manifests stand on another origin, behind Basic credentials here."""

    def refuse(self, request):
        return require_basic(request)

    def send_blob(self, request, data, digest):
        request.answer(307, b"", {"Location": f"http://127.0.0.1:{self.other_port}/store/{digest}?signature=s3cret"})

    def send_manifest(self, request, media_type, data, digest):
        request.answer(307, b"", {"Location": f"http://127.0.0.1:{self.other_port}/store/{digest}"})

    def elsewhere(self, request):
        digest = request.path_only.rpartition("/")[2]
        for (_, known), data in self.content.blobs.items():
            if known == digest:
                request.answer(200, data)
                return
        found, _ = self.content.find("app", digest)
        request.answer(200, found[1], {"Content-Type": found[0]})


class RedirectDowngrade(RedirectOther):
    """From https to another origin without."""

    secure = True


class Secure(Registry):
    secure = True


class RedirectSame(Registry):
    """A redirect on the same origin keeps the credentials."""

    def refuse(self, request):
        if require_basic(request):
            return True
        if "hop" in request.query:
            return False
        request.answer(308, b"", {"Location": request.path_only + "?hop=1"})
        return True


class RedirectForeignDenied(RedirectOther):
    def elsewhere(self, request):
        request.answer(401, b"", {"WWW-Authenticate": "Basic realm=thief"})


class RedirectPut(Registry):
    def refuse(self, request):
        if request.command == "GET":
            return False
        request.answer(307, b"", {"Location": f"http://127.0.0.1:{self.other_port}/steal"})
        return True


class RedirectStrange(Registry):
    def refuse(self, request):
        request.answer(302, b"", {"Location": "file:///etc/passwd"})
        return True


# Layers, which are streamed.

class Layered(Registry):
    """`big` is a blob of some megabytes; parts of it can be asked for."""

    ranges = True

    def __init__(self):
        super().__init__()
        self.big = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(98304))
        self.content.add_blob("app", self.big)

    def values(self):
        return {**super().values(), "big": digest_of(self.big), "big-size": len(self.big)}

    def send_blob(self, request, data, digest):
        first = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", "bytes=0-"))[1] if self.ranges else "0"
        self.send_part(request, data, int(first))

    def begin(self, request, data, first):
        if first > 0:
            request.head(206, {"Content-Length": str(len(data) - first),
                               "Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"})
        else:
            request.head(200, {"Content-Length": str(len(data))})

    def send_part(self, request, data, first):
        self.begin(request, data, first)
        request.wfile.write(data[first:])

    def send_and_break(self, request, data, first, size):
        self.begin(request, data, first)
        request.wfile.write(data[first:first + size])
        if first + size < len(data):
            request.wfile.flush()
            time.sleep(0.05)  # a reset takes away what was not read yet
            request.reset()


class LayerBreaks(Layered):
    """Each answer breaks after a part of the blob."""

    size = 700000

    def send_part(self, request, data, first):
        self.send_and_break(request, data, first, self.size)


class LayerBreaksEarly(LayerBreaks):
    size = 1000


class LayerBreaksOnce(Layered):
    """… and knows nothing of parts."""

    ranges = False

    def send_part(self, request, data, first):
        if self.count("blob") == 1:
            self.send_and_break(request, data, first, 700000)
        else:
            super().send_part(request, data, first)


class LayerOtherPart(LayerBreaks):
    """Answers with another part than was asked for."""

    def begin(self, request, data, first):
        if first > 0:
            request.head(206, {"Content-Length": str(len(data) - first),
                               "Content-Range": f"bytes {first + 1}-{len(data) - 1}/{len(data)}"})
        else:
            super().begin(request, data, first)


class LayerFalters(Layered):
    """Slow, and never silent for long."""

    def send_part(self, request, data, first):
        self.begin(request, data, first)
        for i in range(first, len(data), len(data) // 8):
            request.wfile.write(data[i:i + len(data) // 8])
            request.wfile.flush()
            time.sleep(0.2)


class LayerFallsSilent(Layered):
    def send_part(self, request, data, first):
        self.begin(request, data, first)
        if first == 0:
            request.wfile.write(data[:1000])
            request.wfile.flush()
        time.sleep(30)


class LayerThrottled(Layered):
    def refuse(self, request):
        if "/blobs/" not in request.path or self.count("blob") > 1:
            return False
        request.error(429, "TOOMANYREQUESTS", "slow down", {"Retry-After": "1"})
        return True


# Credentials.

def require_basic(request, challenge='Basic realm="here, there"'):
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    if request.headers.get("Authorization") == wanted:
        return False
    request.error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})
    return True


class Basic(Registry):
    def refuse(self, request):
        return require_basic(request)


class Token(Registry):
    """Bearer tokens that allow exactly the scopes they were asked for."""

    field = "token"
    expires_in = 300

    def __init__(self):
        super().__init__()
        self.tokens = {}

    def realm(self):
        return f"http://127.0.0.1:{PORT}/token"

    def handle(self, request):
        if request.path_only == "/token":
            self.issue(request)
        else:
            super().handle(request)

    def grants(self, scopes):
        return scopes

    def issue(self, request):
        if require_basic(request):
            return
        value = f"token-{self.count('token')}"
        self.tokens[value] = self.grants(request.query_all.get("scope", []))
        request.json({self.field: value, "expires_in": self.expires_in})

    def valid(self, token):
        return token in self.tokens

    def scope_of(self, request):
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs|tags|referrers)/.*", request.path_only)
        if not match:
            return "registry:catalog:*" if request.path_only == "/v2/_catalog" else None
        actions = {"GET": "pull", "HEAD": "pull", "DELETE": "delete"}.get(request.command, "pull,push")
        return f"repository:{match.group(1)}:{actions}"

    def allows(self, granted, scope):
        if not scope:
            return True
        subject, _, actions = scope.rpartition(":")
        have = set()
        for item in granted:
            name, _, allowed = item.rpartition(":")
            if name == subject:
                have |= set(allowed.split(","))
        return set(actions.split(",")) <= have

    def challenge(self, scope, error):
        text = f'Bearer realm="{self.realm()}",service="stub, of tests"'
        if scope:
            text += f',scope="{scope}"'
        return text + (f',error="{error}"' if error else "")

    def refuse(self, request):
        scope = self.scope_of(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.valid(token) and self.allows(self.tokens[token], scope):
            return False
        error = "insufficient_scope" if self.valid(token) else "invalid_token" if token else ""
        if request.command in ("POST", "PUT"):
            request.read_body()
        request.error(401, "UNAUTHORIZED", "authentication required",
                      {"WWW-Authenticate": self.challenge(scope, error)})
        return True


class AccessToken(Token):
    field = "access_token"


class TokenForeignRealm(Token):
    def realm(self):
        return f"http://localhost:{PORT}/token"


class TokenNearExpiry(Token):
    """Each token works once: the client has to notice and fetch another."""

    def valid(self, token):
        return token in self.tokens and self.count(token) <= 1


class TokenNoAccess(Token):
    def grants(self, scopes):
        return []


class TokenDown(Token):
    def issue(self, request):
        request.answer(503, b"")


class TokenMissing(Token):
    def issue(self, request):
        request.error(404, "NOT_FOUND", "nothing here")


class TokenStrange(Token):
    def issue(self, request):
        request.json({"token": "two words\r\nX-Injected: yes"})


class TokenWiderScope(Token):
    """Wants more for a list of tags than its specification says."""

    def scope_of(self, request):
        if request.path_only.endswith("/tags/list"):
            return "repository:app:metadata_read"
        return super().scope_of(request)


class CatalogBasic(Token):
    """Tokens for repositories, a password for the catalogue."""

    def refuse(self, request):
        if request.path_only == "/v2/_catalog":
            return require_basic(request)
        return super().refuse(request)


# Lists.

class Pages(Registry):
    absolute = False

    def next_link(self, request, last):
        target = f"{request.path_only}?last={last}&n=2"
        return f"http://127.0.0.1:{PORT}{target}" if self.absolute else target

    def names(self):
        return [f"tag-{i}" for i in range(5)]

    def tag_list(self, request, repository):
        names = self.names()
        first = names.index(request.query["last"]) + 1 if "last" in request.query else 0
        page = names[first:first + 2]
        headers = {}
        if first + 2 < len(names):
            headers["Link"] = f'<{self.next_link(request, page[-1])}>; rel="next"'
        request.json({"name": repository, "tags": page}, headers)


class PagesAbsolute(Pages):
    absolute = True


class LinkLoop(Pages):
    def next_link(self, request, last):
        return f"{request.path_only}?last=tag-1&n=2"


class LinkForeign(Pages):
    def next_link(self, request, last):
        return f"http://127.0.0.1:{self.other_port}/v2/app/tags/list?last={last}"


class LinkEndless(Registry):
    def tag_list(self, request, repository):
        page = int(request.query.get("page", "0"))
        request.json({"tags": [f"t{page}"]}, {"Link": f'<?page={page + 1}>; rel="next"'})


class LinkCircle(Registry):
    """A circle of seven pages, which none of its pages is the first of."""

    def tag_list(self, request, repository):
        page = int(request.query.get("page", "-3"))
        request.json({"tags": [f"t{page + 3}"]}, {"Link": f'<?page={(page + 1) % 7 if page >= 0 else page + 1}>; rel="next"'})


class LinkLong(Registry):
    def tag_list(self, request, repository):
        request.json({"tags": ["a"]}, {"Link": f'<?token={"x" * 2000}>; rel="next"'})


class PagesOpaque(Pages):
    """The place is a token, not a name."""

    def tag_list(self, request, repository):
        first = int(base64.b32decode(request.query["next_page"])) if "next_page" in request.query else 0
        headers = {}
        if first + 2 < 5:
            token = base64.b32encode(b"%03d" % (first + 2)).decode()
            headers["Link"] = f'<{request.path_only}?n=2&next_page={urllib.parse.quote(token)}>; rel="next"'
        request.json({"name": repository, "tags": self.names()[first:first + 2]}, headers)


class PageGone(Pages):
    """Refuses to go on behind a name that is not there any more."""

    status = 400

    def tag_list(self, request, repository):
        if "last" in request.query:
            request.error(self.status, "NAME_INVALID", "invalid last")
        else:
            super().tag_list(request, repository)


class PageAbsent(PageGone):
    status = 404


class AllAtOnce(Registry):
    """Sends all names at once and in no order, whatever is asked."""

    def tag_list(self, request, repository):
        names = [f"t{i:05}" for i in range(12000)]
        request.json({"tags": names[1::2] + names[::2]})

    def repositories(self, request):
        names = [f"team/r{i:05}" for i in range(6000)]
        request.json({"repositories": names[::-1]})


class LinkBroken(Registry):
    def tag_list(self, request, repository):
        request.json({"tags": ["a"]}, {"Link": '<?page=1; rel="next"'})


class TagsNull(Registry):
    def tag_list(self, request, repository):
        request.json({"name": repository, "tags": None})


class TagsOdd(Registry):
    """Names that are no tags, among others."""

    def tag_list(self, request, repository):
        request.json({"tags": ["good", "../bad", "", "a b", 7, None, "x" * 129, "also-good"]})


class TagsNotAList(Registry):
    def tag_list(self, request, repository):
        request.json({"tags": "v1"})


class PageSizeRefused(Registry):
    def repositories(self, request):
        if "n" in request.query:
            request.error(400, "PAGINATION_NUMBER_INVALID", "n is too large")
        else:
            super().repositories(request)


class NoCatalog(Registry):
    catalog = False


# Kinds of registries, and what they answer to those who ask what they are.

class KindHarbor(Registry):
    routes = [*Registry.routes, (r"/api/v2\.0/ping", "ping")]

    def ping(self, request):
        request.answer(200, b"Pong", {"Content-Type": "text/plain; charset=utf-8"})


class KindHarborToken(Registry):
    """Tells by its challenge."""

    def refuse(self, request):
        if request.headers.get("Authorization", "").startswith("Bearer "):
            return False
        if request.path_only == "/service/token":
            request.json({"token": "t"})
        else:
            request.error(401, "UNAUTHORIZED", "unauthorized", {
                "WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{PORT}/service/token",service="harbor-registry"'})
        return True


class KindZot(Registry):
    routes = [*Registry.routes, (r"/v2/_oci/ext/discover", "discover")]

    def base(self, request):
        request.answer(200, b"", {"Docker-Distribution-Api-Version": "registry/2.0"})

    def discover(self, request):
        request.json({"extensions": []})


class KindDistribution(Registry):
    def base(self, request):
        request.answer(200, b"{}", {"Docker-Distribution-Api-Version": "registry/2.0"})


class KindNexus(Registry):
    def base(self, request):
        request.answer(200, b"{}", {"Docker-Distribution-Api-Version": "registry/2.0", "Server": "Nexus/3.70.1"})


class KindPages(Registry):
    """A web application that answers every other address with its start page."""

    def handle(self, request):
        if request.path_only.startswith("/v2/app/"):
            super().handle(request)
        else:
            request.answer(200, b"<html>Pong</html>", {"Content-Type": "text/html"})


class KindDenied(Registry):
    """Does not let itself be asked."""

    def refuse(self, request):
        if request.path_only.startswith("/v2/app/"):
            return False
        request.error(403, "DENIED", "requested access to the resource is denied")
        return True


class KindBusy(Registry):
    """Its first answers are no answers."""

    def refuse(self, request):
        if request.path_only != "/api/v2.0/ping":
            return False
        if self.count("ping") > 4:
            request.answer(200, b"Pong")
        else:
            request.answer(503, b"")
        return True


# Referrers.

class Referrers(Registry):
    referrers_api = True


class ReferrersPages(Registry):
    def referrers(self, request, repository, digest):
        page = int(request.query.get("page", "0"))
        headers = {"Content-Type": OCI_INDEX}
        if page < 2:
            headers["Link"] = f'<{request.path_only}?page={page + 1}>; rel="next"'
        entry = {"mediaType": OCI_MANIFEST, "digest": digest_of(str(page).encode()), "size": 10 + page}
        request.answer(200, compact({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}), headers)


class ReferrersFallback(Registry):
    def __init__(self):
        super().__init__()
        tag = self.content.image["digest"].replace(":", "-")
        self.content.add_index("app", [self.content.artifact], tag)


class ReferrersHtml(ReferrersFallback):
    """A web application that answers every address with its start page."""

    def referrers(self, request, repository, digest):
        request.answer(200, b"<html></html>", {"Content-Type": "text/html"})


class ReferrersFallbackImage(Registry):
    """The fallback tag is an image, not an index."""

    def __init__(self):
        super().__init__()
        self.content.tags["app"][self.content.image["digest"].replace(":", "-")] = self.content.image["digest"]


# Writes.

class MountRefused(Registry):
    big = os.urandom(1 << 16) * 256

    def __init__(self):
        super().__init__()
        self.content.add_blob("app", self.big)

    def values(self):
        return {**super().values(), "big": digest_of(self.big), "big-size": len(self.big)}

    def mounts(self, digest):
        return False


class MountRefusedToken(MountRefused, Token):
    pass


class SlowUpload(MountRefused):
    """Reads slowly: the download has to wait for it."""

    def take_upload(self, request, repository, session):
        request.pace = 0.002
        super().take_upload(request, repository, session)


class CopyWrongDigest(MountRefused):
    def send_blob(self, request, data, digest):
        request.answer(200, data[:-1] + b"x")


class CopyShort(MountRefused):
    def send_blob(self, request, data, digest):
        request.answer(200, data[:-1])


class CopyLong(MountRefused):
    def send_blob(self, request, data, digest):
        request.answer(200, data + b"x")


class UploadElsewhere(MountRefused):
    def session_location(self, repository, number):
        return f"http://127.0.0.1:{self.other_port}/upload/{number}"


class UploadNowhere(MountRefused):
    def open_upload(self, request, repository):
        request.read_body()
        request.answer(202, b"")


class UploadFails(MountRefused):
    def take_upload(self, request, repository, session):
        request.error(500, "UNKNOWN", "disk full")
        request.close_connection = True


class PutOtherDigest(Registry):
    def put_manifest(self, request, repository, reference):
        request.read_body()
        request.answer(201, b"", {"Docker-Content-Digest": digest_of(b"rewritten")})


class PutLost(Registry):
    """Does what it was told and loses the answer."""

    def put_manifest(self, request, repository, reference):
        request.read_body()
        request.reset()


class PutFails(Registry):
    def put_manifest(self, request, repository, reference):
        request.read_body()
        request.error(500, "UNKNOWN", "unknown error")


class DeleteUnsupported(Registry):
    def delete_manifest(self, request, repository, reference):
        request.error(405, "UNSUPPORTED", "The operation is unsupported.")


class TagDeleteUnsupported(Registry):
    def delete_manifest(self, request, repository, reference):
        if ":" not in reference:
            request.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        else:
            super().delete_manifest(request, repository, reference)


# Content that is hard to judge.

class ChildGone(Registry):
    def __init__(self):
        super().__init__()
        children = json.loads(self.content.manifests["app", self.content.index["digest"]][1])["manifests"]
        del self.content.manifests["app", children[1]["digest"]]


class ConfigGone(Registry):
    def __init__(self):
        super().__init__()
        manifest = json.loads(self.content.manifests["app", self.content.image["digest"]][1])
        del self.content.blobs["app", manifest["config"]["digest"]]


class NestedIndex(Registry):
    def __init__(self):
        super().__init__()
        self.content.add_index("app", [
            {**self.content.image, "platform": {"os": "linux", "architecture": "amd64"}},
            {**self.content.index, "platform": {"os": "linux", "architecture": "s390x"}}], "nested")


class LyingIndex(Registry):
    """Entries whose size or type is not that of the manifest."""

    def __init__(self):
        super().__init__()
        arm = self.content.add_image("app", "arm")
        self.content.add_index("app", [
            {**self.content.image, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}},
            {**arm, "mediaType": DOCKER_MANIFEST, "platform": {"os": "linux", "architecture": "arm"}}], "lying")


class HugeEntries(Registry):
    """An index that announces more bytes than one reference may take."""

    def __init__(self):
        super().__init__()
        self.content.add_index("app", [
            {**self.content.add_image("app", f"cpu{i}"), "size": 9 << 20,
             "platform": {"os": "linux", "architecture": f"cpu{i}"}} for i in range(2)], "huge")


class HugeConfig(Registry):
    def __init__(self):
        super().__init__()
        manifest = json.loads(self.content.manifests["app", self.content.image["digest"]][1])
        manifest["config"]["size"] = 5 << 20
        self.content.image = self.content.add_manifest("app", OCI_MANIFEST, compact(manifest), "v1")


class CrowdedIndex(Registry):
    def __init__(self):
        super().__init__()
        self.content.add_index("app", [
            {**self.content.add_image("app", f"cpu{i}"), "platform": {"os": "linux", "architecture": f"cpu{i}"}}
            for i in range(65)], "crowded")


class FullIndex(Registry):
    def __init__(self):
        super().__init__()
        self.content.add_index("app", [
            {**self.content.add_image("app", f"cpu{i}"), "platform": {"os": "linux", "architecture": f"cpu{i}"}}
            for i in range(64)], "full")


class ArtifactChild(Registry):
    def __init__(self):
        super().__init__()
        self.content.add_index("app", [
            {**self.content.image, "platform": {"os": "linux", "architecture": "amd64"}},
            {"mediaType": OCI_MANIFEST, "digest": self.content.artifact["digest"],
             "size": self.content.artifact["size"]}, {**self.content.image}], "mixed")


SCENARIOS = {re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): cls
             for name, cls in list(globals().items())
             if isinstance(cls, type) and issubclass(cls, Registry) and cls is not Registry}
SCENARIOS["ok"] = Registry
SCENARIOS["schema1"] = Schema1

PORT = 0
RECORD = ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry = None
    record = None
    record_lock = threading.Lock()
    is_other = False
    pace = 0
    body_read = False

    def log_message(self, *arguments):
        pass

    def head(self, status, headers):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def answer(self, status, body=b"", headers=None):
        if not self.body_read:
            self.read_body()
        self.head(status, {"Content-Length": str(len(body)), **(headers or {})})
        try:
            if self.command != "HEAD":
                self.wfile.write(body)
        except OSError:
            self.close_connection = True
        if headers and int(headers.get("Content-Length", len(body))) != len(body):
            self.close_connection = True

    def json(self, document, headers=None):
        self.answer(200, compact(document), {"Content-Type": "application/json", **(headers or {})})

    def error(self, status, code, message, headers=None):
        body = compact({"errors": [{"code": code, "message": message, "detail": None}]})
        self.answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    def read_body(self):
        """None when the client went away."""
        self.body_read = True
        left = int(self.headers.get("Content-Length", "0"))
        data = bytearray()
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                self.close_connection = True
                return None
            data += piece
            left -= len(piece)
            if self.pace:
                time.sleep(self.pace)
        return bytes(data)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
        self.wfile = open(os.devnull, "wb")

    def note(self):
        line = {"at": "other" if self.is_other else "main", "method": self.command, "path": self.path,
                "authorization": self.headers.get("Authorization", ""), "accept": self.headers.get("Accept", ""),
                "type": self.headers.get("Content-Type", ""), "headers": sorted(self.headers.keys())}
        with self.record_lock:
            if self.record:
                self.record.write(json.dumps(line) + "\n")
                self.record.flush()

    def serve(self):
        self.path_only, _, query = self.path.partition("?")
        self.query_all = urllib.parse.parse_qs(query)
        self.query = {name: values[0] for name, values in self.query_all.items()}
        self.body_read = False
        self.note()
        if self.is_other:
            self.registry.elsewhere(self)
        else:
            self.registry.handle(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve


class OtherHandler(Handler):
    is_other = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the scenarios


def secure(server):
    """Puts TLS under the server. Returns the path of the authority that signed it."""
    directory = tempfile.mkdtemp(prefix="regwarden-stub-tls-")
    certificates.make(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/server.crt", f"{directory}/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return directory


def main():
    global PORT, RECORD
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--record", default="")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.scenario == "list":
        print("\n".join(sorted(SCENARIOS)))
        return
    registry = SCENARIOS[options.scenario]()
    if registry.secure and not shutil.which("openssl"):
        print("missing openssl", flush=True)
        return
    Handler.registry = registry
    RECORD = options.record
    if RECORD:
        Handler.record = open(RECORD, "w", encoding="utf-8")
    server = Server(("127.0.0.1", options.port), Handler)
    other = Server(("127.0.0.1", 0), OtherHandler)
    PORT = server.server_address[1]
    registry.other_port = other.server_address[1]
    directory = secure(server) if registry.secure else None
    for running in (server, other):
        threading.Thread(target=running.serve_forever, daemon=True).start()
    print(PORT)
    if directory:
        print("secure-url", f"https://127.0.0.1:{PORT}")
        print("authority", f"{directory}/ca.crt")
    for name, value in registry.values().items():
        print(name, value)
    print("ready", flush=True)
    sys.stdin.read()
    if directory:
        shutil.rmtree(directory)
    os._exit(0)


if __name__ == "__main__":
    main()
