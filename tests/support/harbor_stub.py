#!/usr/bin/env python3
"""A Harbor that keeps what it is told: projects, repositories, artifacts, tags, labels, robots, webhooks, scans, and the
distribution API beside its own. Written after Harbor's handlers, so that it refuses what they refuse.

    harbor_stub.py SCENARIO [--record FILE] [--port PORT]

speaks as stub_registry.py does, for tests in C; tests in Python make a Harbor() and change it as they like. With `check` (the port
of a validating proxy whose upstream is `backend`) every request to Harbor's API goes through that first."""
import argparse
import base64
import http.client
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid

import harbor_data as data
import harbor_routes
from harbor_data import Refusal, digest_of

API = "/api/v2.0"
ADMIN, PASSWORD = "admin", "Harbor12345"


class Harbor:
    """The state, and what the API does to it. One lock around every request."""

    def __init__(self, version="v2.12.0-abcdef12", content=True):
        self.version = version
        self.notification_enable = True
        self.read_only = False
        self.lock = threading.RLock()
        self.projects, self.repositories = {}, {}
        self.labels, self.robots = [], []
        self.uploads, self.tokens = {}, {}
        self.last_id = 0
        self.immutable = set()      # (repository, tag)
        self.blocked_pulls = set()  # digests that the project's own policy refuses
        self.violations = []        # that the validating proxy saw
        self.requests = []          # (method, path, headers)
        self.asked_webhooks = []    # bodies of requests for webhooks
        self.hooks = []             # deliveries: (status, body)
        self.passed = set()         # numbers of requests that the validating proxy let through
        self.before = None          # called with (harbor, method, path) before each API request
        self.check = None
        self.server = self.backend = None
        self.add_project("library", public=True)
        if content:
            data.fill(self)

    # --- content ---

    def next_id(self):
        self.last_id += 1
        return self.last_id

    def add_project(self, name, public=False, registry_id=0):
        self.projects[name] = {"project_id": self.next_id(), "name": name, "registry_id": registry_id, "public": public,
                               "creation_time": data.now(), "webhooks": []}
        return self.projects[name]

    def repository(self, name, create=False):
        if name not in self.repositories and create:
            project = self.projects[name.partition("/")[0]]
            self.repositories[name] = {"id": self.next_id(), "project": project, "name": name, "artifacts": {}, "tags": {},
                                       "manifests": {}, "blobs": {}, "creation_time": data.now()}
        return self.repositories.get(name)

    def put_manifest(self, name, reference, media_type, body, operator="admin"):
        repository = self.repository(name, create=True)
        digest = digest_of(body)
        if ":" not in reference and (name, reference) in self.immutable and reference in repository["tags"]:
            raise Refusal(412, "PRECONDITION", f"Failed to process request due to '{name}:{reference}' configured as immutable.")
        repository["manifests"][digest] = (media_type, body)
        repository["artifacts"].setdefault(digest, {"id": self.next_id(), "digest": digest, "push_time": data.now(),
                                                    "labels": [], "scan": None, "report": None, "media_type": media_type})
        if ":" not in reference:
            repository["tags"][reference] = {"id": self.next_id(), "digest": digest, "push_time": data.now()}
        self.fire("PUSH_ARTIFACT", name, digest, reference, operator)
        return digest

    def children(self, repository):
        found = set()
        for _, body in repository["manifests"].values():
            found.update(child["digest"] for child in json.loads(body).get("manifests", []))
        return found

    def set_scan(self, name, digest, status, report=None):
        artifact = self.repositories[name]["artifacts"][digest]
        artifact["scan"], artifact["report"] = status, report
        if status == "Success":
            self.fire("SCANNING_COMPLETED", name, digest, digest, "auto")

    # --- events, as Harbor words them ---

    def fire(self, kind, name, digest, tag, operator):
        project = self.repositories[name]["project"]
        for policy in project["webhooks"]:
            if self.notification_enable and policy["enabled"] and kind in policy["event_types"]:
                for target in policy["targets"]:
                    body, content_type = data.event(self, policy, target, kind, (name, digest, tag, operator))
                    threading.Thread(target=self.deliver, args=(target, body, content_type), daemon=True).start()

    def deliver(self, target, body, content_type):
        headers = {"Content-Type": content_type}
        if target.get("auth_header"):
            headers["Authorization"] = target["auth_header"]
        request = urllib.request.Request(target["address"], data=body, headers=headers)
        for _ in range(3):
            try:
                with urllib.request.urlopen(request, timeout=3) as answer:
                    self.hooks.append((answer.status, body))
                    return
            except urllib.error.HTTPError as error:
                self.hooks.append((error.code, body))
            except OSError:
                self.hooks.append((0, body))
            time.sleep(0.3)

    # --- who may do what ---

    def account(self, header):
        """The name behind an Authorization header; None for a stranger."""
        if not header or not header.startswith("Basic "):
            return None
        name, _, password = base64.b64decode(header[6:]).decode().partition(":")
        if (name, password) == (ADMIN, PASSWORD):
            return ADMIN
        for robot in self.robots:
            if robot["name"] == name and robot["secret"] == password and not robot["disable"]:
                return name
        raise Refusal(401, "UNAUTHORIZED", "unauthorized", {"Www-Authenticate": 'Basic realm="harbor"'})

    def may(self, account, project, resource, action):
        if account == ADMIN:
            return True
        if project and self.projects.get(project, {}).get("public") and action in ("pull", "list", "read"):
            return True
        for robot in self.robots:
            if robot["name"] == account:
                for permission in robot["permissions"]:
                    if permission["kind"] == "project" and permission["namespace"] in (project, "*") and any(
                            access["resource"] == resource and access["action"] == action for access in permission["access"]):
                        return True
        return False

    def require(self, account, project, resource, action):
        if not self.may(account, project, resource, action):
            if account is None:
                raise Refusal(401, "UNAUTHORIZED", "unauthorized")
            raise Refusal(403, "FORBIDDEN", "forbidden")

    # --- running ---

    def start(self, port=0):
        self.server = serve(self, port, False)
        self.backend = serve(self, 0, True)
        self.port = self.server.server_address[1]
        self.backend_port = self.backend.server_address[1]
        self.url, self.host = f"http://127.0.0.1:{self.port}", f"127.0.0.1:{self.port}"
        return self

    def stop(self):
        for server in (self.server, self.backend):
            if server:
                server.shutdown()
                server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    harbor = None
    is_backend = False
    record = None

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"", headers=None):
        self.send_response_only(status)
        for name, value in {"Content-Length": str(len(body)), "Set-Cookie": "sid=0123456789; Path=/; HttpOnly",
                            **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def json(self, status, document, headers=None):
        self.answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})

    def refuse(self, refusal):
        document = {"errors": [{"code": refusal.code, "message": refusal.message}]}
        self.json(refusal.status, document, refusal.headers)

    def note(self):
        self.harbor.requests.append((self.command, self.path, dict(self.headers.items())))
        if Handler.record:
            Handler.record.write(json.dumps({"method": self.command, "path": self.path,
                                             "authorization": self.headers.get("Authorization", ""),
                                             "body": self.body.decode(errors="replace"),
                                             "headers": sorted(self.headers.keys())}) + "\n")
            Handler.record.flush()

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        self.query = {name: values[0] for name, values in urllib.parse.parse_qs(query).items()}
        if self.is_backend:
            self.harbor.passed.add(self.headers.get("X-Request-Id"))
        else:
            self.note()
            if path.startswith(API) and self.harbor.check:
                self.relay()
                return
        try:
            if self.headers.get("Cookie") and self.command not in ("GET", "HEAD"):
                raise Refusal(403, "FORBIDDEN", "CSRF token not found in request")
            with self.harbor.lock:
                self.route(path)
        except Refusal as refusal:
            self.refuse(refusal)

    def route(self, path):
        if path.startswith(API):
            if self.harbor.before:
                self.harbor.before(self.harbor, self.command, path)
            if self.harbor.read_only and self.command not in ("GET", "HEAD"):
                raise Refusal(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
            harbor_routes.api(self, path[len(API):])
        elif path.startswith("/v2") or path == "/service/token":
            harbor_routes.distribution(self, path)
        else:
            self.answer(404, b"404 page not found\n", {"Content-Type": "text/plain"})

    def relay(self):
        """Through the validating proxy, which asks the backend."""
        connection = http.client.HTTPConnection("127.0.0.1", self.harbor.check, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        number = headers["X-Request-Id"] = uuid.uuid4().hex
        connection.request(self.command, self.path, body=self.body or None, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        told = answer.getheader("sl-violations")
        if number not in self.harbor.passed:
            told = told or json.dumps([{"location": ["request"], "message": body.decode(errors="replace")[:400]}])
        if told:
            self.harbor.violations.append((self.command, self.path, answer.status, told))
        kept = {name: value for name, value in answer.getheaders()
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "sl-violations", "set-cookie")}
        self.answer(answer.status, body, kept)
        connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def serve(harbor, port, is_backend):
    handler = type("Bound", (Handler,), {"harbor": harbor, "is_backend": is_backend})
    server = Server(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


# --- scenarios for tests in C ---

def shrink(harbor, method, path):
    """Every page of a list is followed by deletions before it."""
    if method == "GET" and path == API + "/repositories":
        for name in sorted(harbor.repositories, key=lambda name: harbor.repositories[name]["id"])[:7]:
            del harbor.repositories[name]


def label_race(harbor, method, path):
    """Somebody else makes the same label a moment earlier."""
    if method == "POST" and path == API + "/labels" and not harbor.labels:
        harbor.labels.append({"id": harbor.next_id(), "name": "policy-fail", "scope": "p",
                              "project_id": harbor.projects["team"]["project_id"]})


def make(scenario):
    harbor = Harbor()
    robot = {"id": harbor.next_id(), "name": "robot$regwarden", "secret": "correct horse", "disable": False, "level": "system",
             "permissions": [{"kind": "project", "namespace": "*", "access": data.all_access()}]}
    harbor.robots.append(robot)
    if scenario == "read-only":
        harbor.read_only = True
    elif scenario == "many":
        data.fill_many(harbor)
    elif scenario == "heavy":  # the config of an image is as large as whoever pushes it makes it
        data.fill_many(harbor)
        artifacts = list(harbor.repositories["team/many-000"]["artifacts"].values())
        for artifact in artifacts[-30:-10] + artifacts[:3]:
            artifact["config"] = {"Labels": {"x": "y" * (1 << 20)}}
    elif scenario == "shrinking":
        data.fill_many(harbor)
        harbor.before = shrink
    elif scenario == "label-race":
        harbor.before = label_race
    elif scenario == "immutable":
        harbor.immutable.add(("team/app", "v1"))
    elif scenario == "blocked":
        harbor.blocked_pulls.add(harbor.values["image"])
    elif scenario == "scans":
        harbor.set_scan("team/app", harbor.values["image"], "Success", data.report())
        harbor.set_scan("team/app", harbor.values["arm"], "Running")
        harbor.set_scan("team/app", harbor.values["index"], "Error")
    elif scenario == "no-rights":
        robot["permissions"] = [{"kind": "project", "namespace": "team",
                                 "access": [{"resource": "artifact", "action": "read"}]}]
    elif scenario == "labels":
        for i in range(130):
            harbor.labels.append({"id": harbor.next_id(), "name": f"x-policy-fail-{i}", "scope": "p",
                                  "project_id": harbor.projects["team"]["project_id"]})
        harbor.labels.append({"id": harbor.next_id(), "name": "policy-fail", "scope": "p",
                              "project_id": harbor.projects["12"]["project_id"]})
    elif scenario != "ok":
        sys.exit(f"there is no scenario {scenario}")
    return harbor


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--record", default="")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    harbor = make(options.scenario)
    if options.record:
        Handler.record = open(options.record, "w", encoding="utf-8")
    harbor.start(options.port)
    print(harbor.port)
    for name, value in harbor.values.items():
        print(name, value)
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
