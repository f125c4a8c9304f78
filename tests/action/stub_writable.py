#!/usr/bin/env python3
"""A registry in memory whose abilities are switched on and off, for tests of what is written to it.

First line on standard output: the port. Then one JSON command per line on standard input, one JSON answer per line on standard output.
It is strict where real registries are: a manifest whose blobs or children are missing is refused. Every request is remembered; the
n-th one can be made to fail, to lose its answer, or to hang."""
import hashlib
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
NAME = r"[a-z0-9._/-]+?"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Repository:
    def __init__(self):
        self.blobs, self.manifests, self.tags = {}, {}, {}


class Registry:
    def __init__(self):
        self.lock = threading.RLock()
        self.reset({})

    def reset(self, command):
        self.repositories = {}
        self.uploads = {}
        self.log = []
        self.count = 0
        self.fault = None
        self.held = False
        self.switches = {"tag_delete": True, "manifest_delete": True, "mount": True, "referrers": True, "lying_delete": False,
                         "page": 1000, "read_only": "", "sparse": False, "empty_index": True, "brutal": False, "catalog": 200, "refuse": {},
                         "hang": ""}
        self.switches.update(command.get("switches", {}))
        return {}

    def repository(self, name):
        return self.repositories.setdefault(name, Repository())

    # --- commands of the test ---

    def put(self, name, tag, kind, document):
        body = json.dumps(document).encode()
        digest = digest_of(body)
        repository = self.repository(name)
        repository.manifests[digest] = (kind, body)
        if tag:
            repository.tags[tag] = digest
        return {"digest": digest}

    def image(self, command):
        repository = self.repository(command["repository"])
        descriptors = []
        for text in [command.get("config", "{}")] + command.get("layers", ["layer"]):
            data = text.encode()
            repository.blobs[digest_of(data)] = data
            descriptors.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(data), "size": len(data)})
        descriptors[0]["mediaType"] = "application/vnd.oci.image.config.v1+json"
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": descriptors[0], "layers": descriptors[1:]}
        for url in command.get("foreign", []):
            document["layers"].append({"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                                       "digest": digest_of(url.encode()), "size": 100000})
        if "subject" in command:
            document["subject"] = {"mediaType": OCI_MANIFEST, "digest": command["subject"], "size": 1}
            document["artifactType"] = "application/vnd.example.signature"
        return self.put(command["repository"], command.get("tag"), OCI_MANIFEST, document)

    def artifact(self, command):
        """Something that is no image and refers to one."""
        empty, data = b"{}", command.get("content", "{}").encode()
        repository = self.repository(command["repository"])
        repository.blobs.update({digest_of(blob): blob for blob in (empty, data)})
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": command["type"],
                    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(empty), "size": len(empty)},
                    "layers": [{"mediaType": command["type"], "digest": digest_of(data), "size": len(data)}]}
        if "subject" in command:
            document["subject"] = {"mediaType": OCI_MANIFEST, "digest": command["subject"], "size": 1}
        return self.put(command["repository"], command.get("tag"), OCI_MANIFEST, document)

    def index(self, command):
        repository = self.repository(command["repository"])
        children = [{"mediaType": repository.manifests[digest][0], "digest": digest, "size": len(repository.manifests[digest][1]),
                     "platform": {"os": "linux", "architecture": f"arch{position}"}}
                    for position, digest in enumerate(command["children"])]
        return self.put(command["repository"], command.get("tag"), OCI_INDEX,
                        {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children, **command.get("extra", {})})

    def many(self, command):
        """One image under many tags, or in many repositories."""
        for number in range(command["count"]):
            name = command["repository"] if command.get("tag") else f"{command['repository']}{number}"
            tag = f"{command['tag']}{number:05}" if command.get("tag") else "v1"
            digest = self.image({**command, "repository": name, "tag": tag})
        return digest

    def retag(self, command):
        self.repository(command["repository"]).tags[command["tag"]] = command["digest"]
        return {}

    def untag(self, command):
        self.repository(command["repository"]).tags.pop(command["tag"], None)
        return {}

    def forget(self, command):
        self.repository(command["repository"]).manifests.pop(command["digest"], None)
        return {}

    def tags(self, command):
        return {"tags": dict(self.repository(command["repository"]).tags)}

    def whole(self, command):
        """Is the manifest there, with the digest of its bytes, and everything that it names?"""
        return {"whole": self.is_whole(self.repository(command["repository"]), command["digest"])}

    def is_whole(self, repository, digest):
        if digest not in repository.manifests:
            return False
        kind, body = repository.manifests[digest]
        document = json.loads(body)
        if digest_of(body) != digest:
            return False
        if kind == OCI_INDEX:
            return all(self.is_whole(repository, child["digest"]) for child in document["manifests"])
        blobs = [document["config"]] + [layer for layer in document["layers"] if "foreign" not in layer["mediaType"]]
        return all(digest_of(repository.blobs.get(blob["digest"], b"missing")) == blob["digest"] for blob in blobs)

    def set_fault(self, command):
        """at: which request from now on, 1 the next; how: status, drop-before, drop-after, cut-after, hold-before, hold-after."""
        self.count, self.held = 0, False
        self.fault = command if command.get("at") else None
        return {}

    def read_log(self, command):
        log, self.log = self.log, []
        return {"log": log, "held": self.held, "writes": [line for line in log if not line.startswith(("GET ", "HEAD "))],
                "count": self.count}

    def peek(self, command):
        return {"writes": sum(not line.startswith(("GET ", "HEAD ")) for line in self.log), "held": self.held, "count": self.count}

    def switch(self, command):
        self.switches.update(command["switches"])
        return {}

    def on_put(self, command):
        """Somebody else is quicker: before the n-th request the tag is moved."""
        self.set_fault({"at": command["at"], "how": "move", **{key: command[key] for key in ("repository", "tag", "digest")}})
        return {}

    def run(self, command):
        table = {"reset": self.reset, "image": self.image, "index": self.index, "artifact": self.artifact,
                 "retag": self.retag, "untag": self.untag,
                 "forget": self.forget, "tags": self.tags, "whole": self.whole, "fault": self.set_fault, "log": self.read_log,
                 "peek": self.peek, "switch": self.switch, "move": self.on_put,
                 "many": self.many}
        with self.lock:
            return table[command["do"]](command)


registry = Registry()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", headers=()):
        self.response = (status, body, list(headers))

    def refuse(self, status, code):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode(),
                    [("Content-Type", "application/json")])

    def send(self):
        status, body, headers = self.response
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while registry.switches["hang"] and re.search(registry.switches["hang"], self.path):
            time.sleep(0.02)
        with registry.lock:
            registry.count += 1
            fault = registry.fault if registry.fault and registry.count == registry.fault["at"] else None
            how = fault["how"] if fault else ""
            if how == "move":
                registry.repository(fault["repository"]).tags[fault["tag"]] = fault["digest"]
            if how not in ("status", "drop-before", "hold-before"):
                registry.log.append(f"{self.command} {self.path}")
                self.route(body)
            registry.held = registry.held or how.startswith("hold")
        if how == "status":
            self.refuse(fault.get("status", 503), "UNAVAILABLE")
        if how.startswith("hold"):
            threading.Event().wait(3600)
        if how.startswith("cut"):  # half an answer: no client may take the request for one that never arrived
            self.wfile.write(f"HTTP/1.1 {self.response[0]} Cut\r\nContent-Length: 9\r\n\r\nhalf".encode())
            self.wfile.flush()
        if how.startswith(("drop", "cut")):
            self.close_connection = True
            self.connection.close()
            return
        self.send()

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = serve

    # --- the registry ---

    def route(self, body):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        path = urllib.parse.unquote(url.path)
        routes = [(rf"/v2/({NAME})/manifests/(.+)", self.manifest), (rf"/v2/({NAME})/blobs/uploads/(.*)", self.upload),
                  (rf"/v2/({NAME})/blobs/(sha256:.+)", self.blob), (rf"/v2/({NAME})/tags/list", self.list_tags),
                  (rf"/v2/({NAME})/referrers/(.+)", self.referrers)]
        if path == "/v2/":
            return self.answer(200)
        for pattern, status in registry.switches["refuse"].items():
            if re.search(pattern, f"{self.command} {path}"):
                return self.refuse(status, "UNAVAILABLE")
        if path == "/v2/_catalog":
            return self.catalog(query)
        read_only = registry.switches["read_only"]
        if read_only and self.command not in ("GET", "HEAD") and path.startswith(f"/v2/{read_only}"):
            return self.refuse(403, "DENIED")
        for pattern, handler in routes:
            match = re.fullmatch(pattern, path)
            if match:
                return handler(registry.repositories.get(match[1]), match, query, body)
        return self.refuse(404, "NOT_FOUND")

    def manifest(self, repository, match, query, body):
        reference = match[2]
        if self.command == "PUT":
            return self.put_manifest(registry.repository(match[1]), reference, body)
        if repository is None:
            return self.refuse(404, "NAME_UNKNOWN")
        if self.command == "DELETE":
            return self.delete_manifest(repository, reference)
        digest = repository.tags.get(reference, reference)
        if digest not in repository.manifests:
            return self.refuse(404, "MANIFEST_UNKNOWN")
        kind, data = repository.manifests[digest]
        return self.answer(200, data, [("Content-Type", kind), ("Docker-Content-Digest", digest), ("Content-Length", str(len(data)))])

    def put_manifest(self, repository, reference, body):
        document = json.loads(body)
        needed = [] if registry.switches["sparse"] else [item["digest"] for item in document.get("manifests", [])]
        blobs = [document["config"]] + document["layers"] if "config" in document else []
        if any(digest not in repository.manifests for digest in needed) or \
           any(blob["digest"] not in repository.blobs for blob in blobs if "foreign" not in blob["mediaType"]):
            return self.refuse(400, "MANIFEST_BLOB_UNKNOWN")
        digest = digest_of(body)
        if document.get("manifests") == [] and not registry.switches["empty_index"]:
            return self.refuse(400, "MANIFEST_INVALID")
        if ":" in reference and reference != digest:
            return self.refuse(400, "DIGEST_INVALID")
        repository.manifests[digest] = (self.headers["Content-Type"], body)
        if ":" not in reference:
            repository.tags[reference] = digest
        return self.answer(201, b"", [("Docker-Content-Digest", digest), ("Location", f"/v2/x/manifests/{digest}")])

    def delete_manifest(self, repository, reference):
        if ":" not in reference:
            if not registry.switches["tag_delete"]:
                return self.refuse(400, "DIGEST_INVALID")
            if reference not in repository.tags:
                return self.refuse(404, "MANIFEST_UNKNOWN")
            if registry.switches["brutal"]:
                reference = repository.tags[reference]
                del repository.manifests[reference]
                repository.tags = {tag: digest for tag, digest in repository.tags.items() if digest != reference}
            elif not registry.switches["lying_delete"]:
                del repository.tags[reference]
            return self.answer(202)
        if not registry.switches["manifest_delete"]:
            return self.refuse(405, "UNSUPPORTED")
        if repository.manifests.pop(reference, None) is None:
            return self.refuse(404, "MANIFEST_UNKNOWN")
        repository.tags = {tag: digest for tag, digest in repository.tags.items() if digest != reference}
        return self.answer(202)

    def blob(self, repository, match, query, body):
        data = repository.blobs.get(match[2]) if repository else None
        if data is None:
            return self.refuse(404, "BLOB_UNKNOWN")
        return self.answer(200, data, [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", match[2]),
                                       ("Content-Length", str(len(data)))])

    def upload(self, repository, match, query, body):
        repository = registry.repository(match[1])
        if self.command == "POST":
            source = registry.repositories.get(query.get("from", ""))
            if registry.switches["mount"] and source and query.get("mount") in source.blobs:
                repository.blobs[query["mount"]] = source.blobs[query["mount"]]
                return self.answer(201, b"", [("Location", f"/v2/{match[1]}/blobs/{query['mount']}")])
            session = str(len(registry.uploads) + 1)
            registry.uploads[session] = b""
            return self.answer(202, b"", [("Location", f"/v2/{match[1]}/blobs/uploads/{session}")])
        if match[2] not in registry.uploads:
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        registry.uploads[match[2]] += body
        if self.command == "PATCH":
            return self.answer(202, b"", [("Location", f"/v2/{match[1]}/blobs/uploads/{match[2]}")])
        if self.command == "DELETE":
            del registry.uploads[match[2]]
            return self.answer(204)
        data = registry.uploads.pop(match[2])
        if digest_of(data) != query.get("digest"):
            return self.refuse(400, "DIGEST_INVALID")
        repository.blobs[query["digest"]] = data
        return self.answer(201, b"", [("Location", f"/v2/{match[1]}/blobs/{query['digest']}")])

    def list_tags(self, repository, match, query, body):
        if repository is None:
            return self.refuse(404, "NAME_UNKNOWN")
        names = sorted(tag for tag in repository.tags if tag > query.get("last", ""))
        page = names[:registry.switches["page"]]
        headers = [("Content-Type", "application/json")]
        if len(page) < len(names):
            headers.append(("Link", f'</v2/{match[1]}/tags/list?last={page[-1]}>; rel="next"'))
        return self.answer(200, json.dumps({"name": match[1], "tags": page or None}).encode(), headers)

    def catalog(self, query):
        if registry.switches["catalog"] != 200:
            return self.refuse(registry.switches["catalog"], "DENIED")
        names = sorted(name for name, held in registry.repositories.items() if held.manifests and name > query.get("last", ""))
        page = names[:registry.switches["page"]]
        headers = [("Content-Type", "application/json")]
        if len(page) < len(names):
            headers.append(("Link", f'</v2/_catalog?last={page[-1]}>; rel="next"'))
        return self.answer(200, json.dumps({"repositories": page}).encode(), headers)

    def referrers(self, repository, match, query, body):
        if not registry.switches["referrers"]:
            return self.answer(404, b"404 page not found", [("Content-Type", "text/plain")])
        found = []
        for digest, (kind, data) in (repository.manifests if repository else {}).items():
            if json.loads(data).get("subject", {}).get("digest") == match[2]:
                found.append({"mediaType": kind, "digest": digest, "size": len(data)})
        return self.answer(200, json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}).encode(),
                           [("Content-Type", OCI_INDEX)])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # the tests break connections on purpose


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for line in sys.stdin:
        print(json.dumps(registry.run(json.loads(line))), flush=True)


main()
