#!/usr/bin/env python3
"""Everything from outside is hostile: senders, payloads, names, registries, images, requests. Nothing of it makes us connect
elsewhere, tells a secret, or lets a violator by."""
import csv
import ctypes
import ctypes.util
import hashlib
import http.client
import io
import json
import socket
import sqlite3
import subprocess
import threading
import time

import faults
import harness
import images
from faults import event, post
from harness import wait_for

ONLY_EVENTS = {"sweep-interval": "0"}
ALL = """policy: everywhere
mode: {mode}
rules:
  - {{rule: non-root, severity: high, on-fail: {actions}}}
  - {{rule: secrets, severity: critical, on-fail: [notify]}}
"""


class Canary:
    """An address that nobody may ask."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.seen = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                connection.settimeout(1)
                self.seen.append(connection.recv(4096))
                connection.close()
        except OSError:
            pass

    def stop(self):
        self.listener.close()


def stub_pair(bench, policy=None, extra="", **settings):
    """A registry that records every request, and a daemon beside it."""
    stub = bench.add(faults.Stub(bench.subdirectory("stub"), "ok"))
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": stub}, extra=extra,
                               policy=policy or ALL.format(mode="audit", actions="[tag]"), settings={**ONLY_EVENTS, **settings})
    bench.add(daemon).start()
    return stub, daemon


# --- senders ---

def test_wrong_secret(bench):
    stub, daemon = stub_pair(bench)
    body = json.dumps({"events": [event("app", "v1", stub.values["image"])]}).encode()
    wrong = [{"Authorization": "Bearer wrong"}, {"Authorization": "Bearer s3cre"}, {"Authorization": "Bearer s3cret2"},
             {"Authorization": "Bearer "}, {"Authorization": "Bearer"}, {"Authorization": ""},
             {"Authorization": "Basic czNjcmU6czNjcmU="}, {"Authorization": "Basic ===="}, {"Authorization": "x" * 5000},
             {"X-Secret": "s3cret"}, {}]
    for headers in wrong:
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        connection.request("POST", "/hooks/main", body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        assert answer.status == 401 and "s3cret" not in answer.read().decode(), (headers, answer.status)
    assert post(daemon, [event("app", "v1", stub.values["image"])], registry="other")[0] == 404
    assert daemon.status()["events"]["open"] == 0 and not daemon.verdicts() and not stub.requests()
    assert f"regwarden_hook_unauthorised_total {len(wrong)}" in daemon.get("/metrics")[1].decode()
    assert post(daemon, [event("app", "v1", stub.values["image"])])[0] == 202
    assert daemon.verdict("app", "v1")["verdict"] == "pass"


# --- payloads ---

def pointing_image(fat, host):
    """Every place of an image that can hold an address holds the same."""
    there = f"http://{host}"
    image = images.good(config={"Labels": {"org.opencontainers.image.source": there, "org.opencontainers.image.url": there}})
    manifest = json.loads(image.manifest)
    manifest["layers"][0].update(urls=[f"{there}/layer"], mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    manifest["config"]["urls"] = [f"{there}/config"]
    manifest["annotations"] = {"org.opencontainers.image.base.name": f"{host}/base/image:1",
                               "org.opencontainers.image.base.digest": "sha256:" + "b" * 64}
    for blob in image.blobs.values():
        fat.add(blob)
    return fat.add(json.dumps(manifest).encode())


def test_addresses_in_payloads_are_not_followed(bench):
    """Hosts and URLs in events, manifests and configs lead nowhere."""
    canary = bench.add(Canary())
    fat = bench.add(faults.FatRegistry())
    policy = "policy: all\nrules:\n" + "".join(f"  - rule: {rule}\n" for rule in ("non-root", "secrets", "base-pinned"))
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": fat}, policy=policy, settings=ONLY_EVENTS)).start()
    digest = pointing_image(fat, canary.host)
    there = f"http://{canary.host}"
    told = event("team/app", "told", digest, url=f"{there}/v2/team/app/manifests/{digest}",
                 fromRepository=f"{canary.host}/x", references=[{"urls": [there]}])
    told["request"]["host"] = told["request"]["addr"] = told["source"]["addr"] = canary.host
    assert post(daemon, [told], headers={"Host": canary.host, "X-Forwarded-Host": canary.host, "Referer": there})[0] == 202
    resource = {"digest": digest, "tag": "harbor", "resource_url": f"{canary.host}/team/app:harbor"}
    harbor = {"type": "PUSH_ARTIFACT", "occur_at": 1700000000, "operator": "robot",
              "event_data": {"resources": [resource],
                             "repository": {"name": "app", "namespace": "team", "repo_full_name": "team/app",
                                            "repo_type": "private"}}}
    assert post(daemon, json.dumps(harbor).encode(), headers={"Content-Type": "application/json"})[0] == 202
    for tag in ("told", "harbor"):
        assert daemon.verdict("team/app", tag)["digest"] == digest
    daemon.wait_idle()
    assert not canary.seen, canary.seen
    assert canary.host not in daemon.process.text()


def test_foreign_token_realm(bench):
    """A registry that sends us elsewhere for a token gets no password there."""
    directory = bench.subdirectory("password")
    (directory / "password").write_text("correct horse\n")
    stub = bench.add(faults.Stub(bench.subdirectory("stub"), "token-foreign-realm"))
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": stub}, extra="retry: {first: 100ms, max: 300ms, give-up: 1s}",
                               settings={**ONLY_EVENTS, "username": "robot", "password-file": directory / "password"})
    bench.add(daemon).start()
    assert post(daemon, [event("app", "v1", stub.values["image"])])[0] == 202
    assert daemon.verdict("app", "v1")["verdict"] == "unknown"
    assert not [request for request in stub.requests() if request["path"].startswith("/token")], stub.requests()


def test_registry_of_the_payload_is_not_believed(bench):
    directory = bench.subdirectory("stubs")
    main, other = (bench.add(faults.Stub(directory, name)) for name in ("ok", "type-parameters"))
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": main, "other": other}, settings=ONLY_EVENTS)
    bench.add(daemon).start()
    told = event("app", "v1", main.values["image"], registry="other")
    told["registry"] = told["target"]["registry"] = "other"
    told["request"]["host"] = told["source"]["addr"] = f"127.0.0.1:{other.port}"
    assert post(daemon, [told])[0] == 202
    daemon.verdict("app", "v1")
    assert {verdict["registry"] for verdict in daemon.verdicts()} == {"main"}
    assert not other.requests() and main.requests()


BAD_REPOSITORIES = ["../etc", "a/../b", "a/..", "./a", "a//b", "/a", "a/", "Upper/case", "a%2fb", "a%2f..%2fb", "a b", "a\nb", "a\0b",
                    "a\\b", "a?b", "a#b", "a:b", "a@b", "ä", "a" * 256, "-a", "a-", "a..b", "_a", "http://a/b", "a\r\nHost: x"]
BAD_TAGS = ["../../x", "a b", "-x", ".x", "a/b", "a%2fb", "t" * 129, "a\nb", "a:b", "ü", "a?b=c", "a#b"]
BAD_DIGESTS = ["sha256:xyz", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "md5:" + "a" * 32, "sha256:../../" + "a" * 58, "a" * 64,
               "sha256:" + "a" * 64 + "?x", "sha1:" + "a" * 40]


def test_names_that_are_none(bench):
    """Kept as dead letter, and never part of a request."""
    stub, daemon = stub_pair(bench)
    good = stub.values["image"]
    told = [event(name, "v1", good) for name in BAD_REPOSITORIES]
    told += [event("app", tag, good) for tag in BAD_TAGS]
    told += [event("app", "v1", digest) for digest in BAD_DIGESTS]
    for number, one in enumerate(told):
        status, _, data = post(daemon, [one])
        assert status == 202 and json.loads(data) == {"events": 0, "ignored": 0, "deadLetters": 1}, (one["target"], data)
    shapes = [{"events": [{"action": "push", "target": 7}]}, {"events": [{"action": ["push"], "target": {}}]}, {"events": [None]},
              {"events": [{"action": "push", "target": {"repository": ["app"], "tag": {}, "digest": good}}]}, {"events": "app"}, [], 7]
    bodies = [json.dumps(shape).encode() for shape in shapes]
    bodies += [b"", b"\0\0", b"{", b"[" * 100000, b'{"events":' * 20000, b'{"a":"\xff\xfe"}', b'{"a":1,"a":2}', b"\x1f\x8b\x08\0junk"]
    for body in bodies:
        status, _, data = post(daemon, body, headers={"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else None)
        assert status in (202, 415), (body[:50], status, data)
    assert post(daemon, b" " * (5 << 20))[0] in (202, 413)
    time.sleep(0.5)
    assert not stub.requests(), stub.requests()
    assert len(daemon.json("/api/v1/dead-letters?limit=1000")["items"]) >= len(told) + len(shapes)
    assert not daemon.verdicts() and daemon.status()["events"]["open"] == 0
    assert "\r" not in daemon.process.text() and "\0" not in daemon.process.text()
    mixed = [event("../x", "v1", good), event("app", "v1", good), event("app", "bad tag", good)]
    assert json.loads(post(daemon, mixed)[2]) == {"events": 1, "ignored": 0, "deadLetters": 1}
    assert daemon.verdict("app", "v1")["verdict"] == "pass"


# --- secrets ---

def random_text(seed, length=36):
    return hashlib.sha512(seed.encode()).hexdigest()[:length]


SECRETS = {
    "environment": "npm_" + random_text("environment"),
    "label": "ghp_" + random_text("label"),
    "history": "glpat-" + random_text("history", 20),
    "argument": "AKIA" + random_text("argument", 16).upper().replace("0", "A").replace("1", "B").replace("8", "C").replace("9", "D"),
    "entrypoint": "hunter" + random_text("entrypoint", 20),
    "named": "correct-" + random_text("named", 24),
    "url": "pw" + random_text("url", 20),
}


def leaking_image():
    return images.Image(
        config={"User": "", "Env": ["PATH=/bin", f"NPM_TOKEN={SECRETS['environment']}", f"DATABASE_PASSWORD={SECRETS['named']}",
                                    f"UPSTREAM=https://user:{SECRETS['url']}@example.com/x"],
                "Labels": {"deploy.token": SECRETS["label"]},
                "Entrypoint": ["/app", f"--password={SECRETS['entrypoint']}"]},
        history=[{"created_by": f"RUN |1 AWS_ACCESS_KEY_ID={SECRETS['argument']} /bin/sh -c make # buildkit", "comment": "buildkit.dockerfile.v0"},
                 {"created_by": f"RUN /bin/sh -c curl -H 'PRIVATE-TOKEN: {SECRETS['history']}' https://example.com # buildkit",
                  "comment": "buildkit.dockerfile.v0", "empty_layer": True}])


def unpacked(value):
    """A column as bytes; documents are compressed."""
    if not isinstance(value, bytes) or value[:4] != b"\x28\xb5\x2f\xfd":
        return str(value).encode() if not isinstance(value, bytes) else value
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    buffer = ctypes.create_string_buffer(32 << 20)
    size = library.ZSTD_decompress(buffer, ctypes.c_size_t(len(buffer)), value, ctypes.c_size_t(len(value)))
    assert size <= len(buffer), "a document of the store cannot be unpacked"
    return buffer.raw[:size]


def everything_kept(daemon):
    """Every file below the state directory, and every column of every row."""
    kept = {str(path): path.read_bytes() for path in daemon.state.rglob("*") if path.is_file()}
    connection = sqlite3.connect(f"file:{daemon.state}/regwarden.db?mode=ro", uri=True)
    for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for number, row in enumerate(connection.execute(f"SELECT * FROM {table}")):
            kept[f"{table} {number}"] = b" ".join(unpacked(value) for value in row)
    connection.close()
    return kept


def everything_told(daemon):
    paths = ["/metrics", "/api/v1/status", "/api/v1/openapi.json", "/api/v1/verdicts?limit=100", "/api/v1/plans?limit=100",
             "/api/v1/dead-letters?limit=100", "/api/v1/quarantine", "/api/v1/waivers", "/api/v1/sweeps"]
    paths += [f"/api/v1/report?format={name}" for name in ("json", "csv")]
    paths += [f"/api/v1/verdicts/{verdict['id']}" for verdict in daemon.verdicts()]
    told = {path: daemon.get(path)[1] for path in paths}
    for command in (["status"], ["verdicts"], ["verdicts", "--json"], ["report"], ["dead-letters", "list"]):
        told[" ".join(command)] = daemon.cli(*command, check=False)[1].encode()
    return told


def test_secrets_are_kept_from_everybody(bench):
    """Those in images are masked wherever they come up; our own stand nowhere at all."""
    harness.need("htpasswd")
    own = {"hook": "hook-" + random_text("hook"), "password": "pass-" + random_text("password"), "token": "api-" + random_text("token")}
    directory = bench.subdirectory("secrets")
    for name, value in own.items():
        (directory / name).write_text(value + "\n")
    (directory / "htpasswd").write_text(subprocess.run(["htpasswd", "-Bbn", "robot", own["password"]], check=True,
                                                       capture_output=True, text=True).stdout)
    registry = bench.add(harness.Registry(bench.subdirectory("registry"), htpasswd=directory / "htpasswd")).start()
    client = registry.client(("robot", own["password"]))
    client.push("team/app", leaking_image(), "v1")
    client.push("team/app", images.Index([leaking_image(), images.good()]), "v2")
    daemon = harness.Regwarden(
        bench.subdirectory("daemon"), {"main": registry}, secret=own["hook"], policy=ALL.format(mode="enforce", actions="[tag, quarantine]"),
        extra=f"log: {{level: debug}}\napi: {{token-file: {directory}/token}}",
        settings={"username": "robot", "password-file": directory / "password"})
    bench.add(daemon).start()
    verdict = daemon.verdict("team/app", "v1")
    daemon.verdict("team/app", "v2")
    post(daemon, [event("team/app", "v9", leaking_image().digest)])
    assert post(daemon, [event("team/app", "bad tag")])[0] == 202
    assert post(daemon, [event("team/app", "v1")], secret=own["hook"] + "x")[0] == 401
    daemon.wait_idle()
    found = [finding for finding in verdict["findings"] if finding["rule"] == "secrets"]
    assert len(found) >= 6, [finding["message"] for finding in found]
    told = everything_told(daemon)
    daemon.process.child.send_signal(1)
    wait_for("the reload", lambda: "configuration reloaded" in daemon.process.text())
    assert daemon.stop() == 0
    places = {**everything_kept(daemon), **told, "log": daemon.process.log.read_bytes()}
    leaks = [f"{name} in {place}" for name, value in {**SECRETS, **own}.items() for place, data in places.items()
             if value.encode() in data]
    assert not leaks, leaks
    assert b"team/app" in places["log"] and b"secrets" in told["/api/v1/verdicts?limit=100"]


# --- requests ---

def raw(port, data, seconds=3):
    """Everything that comes back on one connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass
        return answer


def test_api_without_token(bench):
    (bench.directory / "token").write_text("the-token\n")
    _, daemon = stub_pair(bench, extra=f"api: {{token-file: {bench.directory}/token}}")

    def ask(method, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        connection.request(method, path, b"{}" if method == "POST" else None,
                           {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    closed = [("GET", "/api/v1/status"), ("GET", "/api/v1/verdicts"), ("GET", "/api/v1/report?format=csv"), ("GET", "/api/v1/openapi.json"),
              ("POST", "/api/v1/sweep"), ("POST", "/api/v1/quarantine/1/release"), ("DELETE", "/api/v1/dead-letters/1"),
              ("POST", "/api/v1/dead-letters/1/retry"), ("GET", "/api/v1/dead-letters"), ("POST", "/api/v1/waivers")]
    for method, path in closed:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer the-token2"}, {"Authorization": "Basic dGhlLXRva2Vu"},
                        {"Host": "localhost"}, {"Host": "evil.example"}, {"X_Forwarded_For": "127.0.0.1"}, {"Cookie": "token=the-token"}):
            status, answered, data = ask(method, path, **headers)
            assert status == 401, (method, path, headers, status)
            assert b"the-token" not in data and answered["Access-Control-Allow-Origin"] is None
    assert ask("GET", "/api/v1/status", Authorization="Bearer the-token")[0] == 200
    assert ask("GET", "/api/v1/status?token=the-token")[0] == 401
    assert ask("GET", "/metrics")[0] == 200
    assert ask("GET", "/metrics", X_Forwarded_For="10.0.0.1")[0] == 401, "who comes through a proxy is no neighbour"
    for path in ("/api/v1/../v1/status", "/api//v1/status", "/%61pi/v1/status", "/api/v1/status/", "/API/v1/status", "/api/v1/status%00"):
        assert ask("GET", path)[0] in (400, 401, 404), path
    assert daemon.get("/api/v1/status")[0] == 200


def smuggled(stub):
    body = json.dumps({"events": [event("app", "smuggled", stub.values["image"])]})
    return (f"POST /hooks/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def test_request_smuggling(bench):
    """Where two readers could see another end of a request, it is refused and the connection closed."""
    stub, daemon = stub_pair(bench)
    hidden = smuggled(stub)
    length = f"Content-Length: {len(hidden)}\r\n".encode()
    head = b"POST /hooks/none HTTP/1.1\r\nHost: x\r\n"
    shapes = {
        "both lengths": head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "chunked behind another coding": head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden,
        "chunked is not last": head + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + hidden,
        "unknown coding": head + b"Transfer-Encoding: xchunked\r\n" + length + b"\r\n" + hidden,
        "two codings": head + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
        "two lengths": head + b"Content-Length: 0\r\n" + length + b"\r\n" + hidden,
        "a list of lengths": head + f"Content-Length: 0, {len(hidden)}\r\n\r\n".encode() + hidden,
        "a signed length": head + b"Content-Length: +0\r\n\r\n" + hidden,
        "a negative length": head + b"Content-Length: -1\r\n\r\n" + hidden,
        "a hexadecimal length": head + b"Content-Length: 0x0\r\n\r\n" + hidden,
        "a blank before the colon": head + b"Content-Length : 0\r\n\r\n" + hidden,
        "a blank before the name": head + b" Content-Length: 0\r\n\r\n" + hidden,
        "a folded line": head + b"X: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "a bare line feed": head.replace(b"\r\n", b"\n") + b"X: y\nTransfer-Encoding: chunked\n\n0\n\n" + hidden,
        "a bare carriage return": head + b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "a NUL in a name": head + b"Transfer-Encoding\0: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "a chunk that is too large": head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n" + hidden,
        "a chunk size that is none": head + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden,
        "a chunk without its end": head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n" + hidden,
        "an old version": head.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "no host": b"POST /hooks/none HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "two hosts": head + b"Host: y\r\nContent-Length: 0\r\n\r\n" + hidden,
    }
    for name, data in shapes.items():
        answer = raw(daemon.port, data)
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501", b"HTTP/1.0 4")), (name, answer[:200])
        assert answer.count(b"HTTP/1.1 ") == 1, (name, answer)
    daemon.wait_idle()
    assert not daemon.verdicts() and not stub.requests()
    assert raw(daemon.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert raw(daemon.port, hidden, 1).startswith(b"HTTP/1.1 202"), "the same bytes are fine where they are a request"
    assert daemon.verdict("app", "smuggled")["verdict"] == "pass"


# --- what people open ---

FORMULAS = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1+1", "-2+3", "\t=1", "\r=1", '"=1', "a,=1", "a\n=1", "<script>alert(1)</script>", "|x"]


def test_reports_run_nothing(bench):
    """A cell that begins like a formula is one, for the programs that open reports; and terminals obey control characters."""
    stub, daemon = stub_pair(bench, policy="policy: p\nrules:\n  - {rule: workdir, severity: low}\n")
    for number, actor in enumerate(FORMULAS):
        told = event("app", f"_{number}", stub.values["image"])
        told["actor"]["name"] = told["id"] = actor
        assert post(daemon, [told])[0] == 202
        post(daemon, [event(actor, actor, actor, media_type=images.OCI_MANIFEST)])
    daemon.wait_idle()
    assert len(daemon.verdicts()) == len(FORMULAS)
    status, data = daemon.get("/api/v1/report?format=csv")
    assert status == 200
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert len(rows) > 5 and {len(row) for row in rows} == {len(rows[0])}, rows
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "|")], rows
    for command in (["verdicts"], ["dead-letters", "list"], ["status"], ["report"]):
        said = daemon.cli(*command)[1]
        assert not [character for character in said if ord(character) < 32 and character != "\n"], (command, said)


# --- who claims to be us ---

def test_own_pushes_cannot_be_claimed(bench):
    """Names that we use for what we push do not make anybody's image ours."""
    registry, daemon, client = bench.pair(policy=ALL.format(mode="audit", actions="[tag]"), settings=ONLY_EVENTS)
    first, second, third = (images.bad(seed) for seed in ("first", "second", "third"))
    names = [("team/app", "policy-fail-" + first.digest[7:19], first), ("team/app", "policy-fail-" + "0" * 12, second),
             ("quarantine/team/app", "v1", third), ("quarantine/quarantine/x", "policy-fail-" + third.digest[7:19], third)]
    for repository, tag, image in names:
        client.push(repository, image, tag)
    for repository, tag, image in names:
        verdict = daemon.verdict(repository, tag)
        assert verdict["verdict"] == "fail" and verdict["digest"] == image.digest, verdict


def test_own_pushes_are_no_cover(bench):
    """What we pushed ourselves is known by repository, tag and digest together: another image in its place is judged."""
    registry, daemon, client = bench.pair(policy=ALL.format(mode="enforce", actions="[tag]"), settings=ONLY_EVENTS)
    first, second = images.bad("first"), images.bad("second")
    client.push("team/app", first, "v1")
    marker = "policy-fail-" + first.digest[7:19]
    wait_for("the marker", lambda: client.digest("team/app", marker) == first.digest)
    daemon.wait_idle()
    assert not [verdict for verdict in daemon.verdicts() if verdict["tag"] == marker]
    client.push("team/app", second, marker)
    assert daemon.verdict("team/app", marker, digest=second.digest)["verdict"] == "fail"
    client.push("other/app", first, marker)
    assert daemon.verdict("other/app", marker)["verdict"] == "fail", "the same name elsewhere is not ours"


def test_violator_pushed_again(bench):
    """What was moved away and is pushed again is moved away again; what takes its place in quarantine is judged."""
    policy = ALL.format(mode="enforce", actions="[quarantine]")
    registry, daemon, client = bench.pair(policy=policy, settings=ONLY_EVENTS)
    bad, worse = images.bad("bad"), images.bad("worse")
    for _ in range(2):
        client.push("team/app", bad, "v1")
        wait_for("the quarantine", lambda: client.digest("team/app", "v1") is None
                 and client.digest("quarantine/team/app", "v1") == bad.digest)
        daemon.wait_idle()
    client.push("quarantine/team/app", worse, "v1")
    assert daemon.verdict("quarantine/team/app", "v1", digest=worse.digest)["verdict"] == "fail"


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
