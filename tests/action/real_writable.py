#!/usr/bin/env python3
"""Debian's docker-registry behind the commands of stub_writable.py: each reset starts an empty one, with or without deletion.

Says port 0 where docker-registry is not installed."""
import hashlib
import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {directory}/data}}, delete: {{enabled: {delete}}}}}
http: {{addr: "127.0.0.1:{port}", secret: test}}
"""


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def reset(self, command):
        self.stop()
        self.directory = tempfile.TemporaryDirectory()
        path = f"{self.directory.name}/config.yml"
        delete = command.get("switches", {}).get("manifest_delete", True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(directory=self.directory.name, delete=json.dumps(delete), port=self.port))
        self.process = subprocess.Popen(["docker-registry", "serve", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return {}
            time.sleep(0.02)
        raise RuntimeError("docker-registry does not listen")

    def ask(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer, data

    def blob(self, repository, data):
        answer, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        location = answer.getheader("Location").split("/v2/", 1)[1]
        answer, text = self.ask("PUT", f"/v2/{location}&digest={digest_of(data)}", data, {"Content-Type": "application/octet-stream"})
        assert answer.status == 201, text

    def put(self, repository, tag, kind, document):
        body = json.dumps(document).encode()
        answer, text = self.ask("PUT", f"/v2/{repository}/manifests/{tag or digest_of(body)}", body, {"Content-Type": kind})
        assert answer.status == 201, text
        return {"digest": digest_of(body)}

    def image(self, command):
        descriptors = []
        for text in [command.get("config", "{}")] + command.get("layers", ["layer"]):
            data = text.encode()
            self.blob(command["repository"], data)
            descriptors.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(data), "size": len(data)})
        descriptors[0]["mediaType"] = "application/vnd.oci.image.config.v1+json"
        return self.put(command["repository"], command.get("tag"), OCI_MANIFEST,
                        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptors[0], "layers": descriptors[1:]})

    def manifest(self, repository, reference):
        answer, data = self.ask("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": f"{OCI_MANIFEST}, {OCI_INDEX}"})
        return data if answer.status == 200 else None

    def index(self, command):
        children = []
        for position, digest in enumerate(command["children"]):
            data = self.manifest(command["repository"], digest)
            children.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": len(data),
                             "platform": {"os": "linux", "architecture": f"arch{position}"}})
        return self.put(command["repository"], command.get("tag"), OCI_INDEX,
                        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children})

    def tags(self, command):
        answer, data = self.ask("GET", f"/v2/{command['repository']}/tags/list")
        names = (json.loads(data).get("tags") or []) if answer.status == 200 else []
        found = {name: self.manifest(command["repository"], name) for name in names}
        return {"tags": {name: digest_of(data) for name, data in found.items() if data is not None}}

    def whole(self, command):
        return {"whole": self.is_whole(command["repository"], command["digest"])}

    def is_whole(self, repository, digest):
        data = self.manifest(repository, digest)
        if data is None or digest_of(data) != digest:
            return False
        document = json.loads(data)
        if "manifests" in document:
            return all(self.is_whole(repository, child["digest"]) for child in document["manifests"])
        return all(self.ask("HEAD", f"/v2/{repository}/blobs/{blob['digest']}")[0].status == 200
                   for blob in [document["config"]] + document["layers"])

    def run(self, command):
        table = {"reset": self.reset, "image": self.image, "index": self.index, "tags": self.tags, "whole": self.whole,
                 "peek": lambda command: {"writes": 0}}
        return table[command["do"]](command)


def main():
    if not shutil.which("docker-registry"):
        print(0, flush=True)
        return
    registry = Registry()
    print(registry.port, flush=True)
    try:
        for line in sys.stdin:
            print(json.dumps(registry.run(json.loads(line))), flush=True)
    finally:
        registry.stop()


main()
