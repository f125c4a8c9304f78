"""Images made on the spot, from nothing but the standard library: OCI layouts in memory, pushed with plain HTTP.

An Image has config, layers and manifest as bytes; push() uploads it blob by blob as a client would. Build times are fixed, so the
same call makes the same digest."""
import base64
import gzip
import hashlib
import http.client
import io
import json
import ssl
import tarfile
import urllib.parse

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(files):
    """files: {path: bytes}. Returns (compressed, diff_id)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    plain = raw.getvalue()
    return gzip.compress(plain, 6, mtime=0), digest_of(plain)


class Image:
    def __init__(self, config=None, files=None, history=None, annotations=None, platform="linux/amd64", created=None,
                 layer_sizes=None):
        os_name, architecture = platform.split("/")[:2]
        self.platform = {"os": os_name, "architecture": architecture}
        self.blobs = {}
        layers, diff_ids = [], []
        for content in files if isinstance(files, list) else [files or {"hello": b"hello\n"}]:
            data, diff_id = layer(content)
            self.blobs[digest_of(data)] = data
            layers.append({"mediaType": OCI_LAYER, "digest": digest_of(data), "size": len(data)})
            diff_ids.append(diff_id)
        document = {"architecture": architecture, "os": os_name, "created": created or "2026-01-01T00:00:00Z",
                    "config": config or {}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
                    "history": history or [{"created_by": "COPY /app / # buildkit", "comment": "buildkit.dockerfile.v0"}
                                           for _ in layers]}
        raw = json.dumps(document).encode()
        self.blobs[digest_of(raw)] = raw
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST,
                    "config": {"mediaType": OCI_CONFIG, "digest": digest_of(raw), "size": len(raw)}, "layers": layers}
        if annotations:
            manifest["annotations"] = annotations
        self.media_type = OCI_MANIFEST
        self.manifest = json.dumps(manifest).encode()
        self.digest = digest_of(self.manifest)
        self.children = []


class Index:
    def __init__(self, children, annotations=None):
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX,
                    "manifests": [{"mediaType": child.media_type, "digest": child.digest, "size": len(child.manifest),
                                   "platform": child.platform} for child in children]}
        if annotations:
            document["annotations"] = annotations
        self.media_type = OCI_INDEX
        self.manifest = json.dumps(document).encode()
        self.digest = digest_of(self.manifest)
        self.children = children
        self.blobs = {}


def good(seed="good", **changes):
    """An image that the baseline and multistage policies pass."""
    config = {"User": "10001:10001", "WorkingDir": "/app", "Entrypoint": ["/app/server"], "ExposedPorts": {"8080/tcp": {}},
              "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
              "Healthcheck": {"Test": ["CMD", "/app/server", "--health"], "Interval": 30000000000},
              "Labels": {"org.opencontainers.image.source": "https://example.com/app",
                         "org.opencontainers.image.revision": "0123456789abcdef0123456789abcdef01234567",
                         "org.opencontainers.image.version": "1.0.0"}}
    config.update(changes.pop("config", {}))
    annotations = {"org.opencontainers.image.base.name": "registry.example.com/base@sha256:" + "a" * 64,
                   "org.opencontainers.image.base.digest": "sha256:" + "a" * 64}
    return Image(config=config, files={"app/server": seed.encode()}, annotations=annotations, **changes)


def bad(seed="bad", **changes):
    """Runs as root, carries a secret in its environment, pipes curl into a shell."""
    config = {"User": "", "Entrypoint": ["/bin/sh", "-c", "node server.js"],
              "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "NODE_VERSION=20.11.1",
                      "NPM_TOKEN=npm_" + hashlib.sha256(seed.encode()).hexdigest()[:36]]}
    config.update(changes.pop("config", {}))
    history = [{"created_by": "RUN /bin/sh -c apt-get update # buildkit", "comment": "buildkit.dockerfile.v0"},
               {"created_by": "RUN /bin/sh -c curl -s https://example.com/setup | sh # buildkit",
                "comment": "buildkit.dockerfile.v0"}]
    return Image(config=config, files=[{"var/lib/apt/lists/x": b"x" * 1000}, {"app/server.js": seed.encode()}],
                 history=history, **changes)


class Client:
    """A plain registry client with one connection. user: (name, password); ca: file, for https."""

    def __init__(self, url, user=None, ca=None):
        self.url = urllib.parse.urlsplit(url)
        self.headers = {}
        if user:
            self.headers["Authorization"] = "Basic " + base64.b64encode(":".join(user).encode()).decode()
        self.context = ssl.create_default_context(cafile=ca) if self.url.scheme == "https" else None
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        for attempt in (1, 2):
            if not self.connection:
                if self.context:
                    self.connection = http.client.HTTPSConnection(self.url.netloc, context=self.context, timeout=30)
                else:
                    self.connection = http.client.HTTPConnection(self.url.netloc, timeout=30)
            try:
                self.connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
                answer = self.connection.getresponse()
                data = answer.read()
                return answer.status, answer.headers, data
            except (http.client.HTTPException, ConnectionError):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise

    def must(self, expected, method, path, body=None, headers=None):
        status, answer_headers, data = self.request(method, path, body, headers)
        if status not in expected:
            raise AssertionError(f"{method} {path}: {status} {data[:300]!r}")
        return status, answer_headers, data

    def push_blob(self, repository, data):
        digest = digest_of(data)
        status, _, _ = self.request("HEAD", f"/v2/{repository}/blobs/{digest}")
        if status == 200:
            return
        _, headers, _ = self.must((202,), "POST", f"/v2/{repository}/blobs/uploads/", b"")
        location = urllib.parse.urlsplit(headers["Location"])
        path = location.path + "?" + (location.query + "&" if location.query else "") + "digest=" + digest
        self.must((201,), "PUT", path, data, {"Content-Type": "application/octet-stream"})

    def push(self, repository, image, tag=None):
        for child in image.children:
            self.push(repository, child)
        for data in image.blobs.values():
            self.push_blob(repository, data)
        self.must((201,), "PUT", f"/v2/{repository}/manifests/{tag or image.digest}", image.manifest,
                  {"Content-Type": image.media_type})
        return image.digest

    def manifest(self, repository, reference):
        """(bytes, digest), or None when it is not there."""
        accept = ", ".join((OCI_MANIFEST, OCI_INDEX, "application/vnd.docker.distribution.manifest.v2+json",
                            "application/vnd.docker.distribution.manifest.list.v2+json"))
        status, _, data = self.request("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": accept})
        return (data, digest_of(data)) if status == 200 else None

    def digest(self, repository, reference):
        found = self.manifest(repository, reference)
        return found[1] if found else None

    def tags(self, repository):
        status, _, data = self.request("GET", f"/v2/{repository}/tags/list")
        return sorted(json.loads(data)["tags"] or []) if status == 200 else []

    def delete(self, repository, reference):
        return self.request("DELETE", f"/v2/{repository}/manifests/{reference}")[0]
