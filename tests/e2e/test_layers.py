#!/usr/bin/env python3
"""Layers of real images, from a real registry through scan workers: what is found, that each layer is read once, and that nothing is
lost when the daemon dies in the middle."""
import gzip
import http.client
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time

import harness
import images
from harness import wait_for

LAYERS = """policy: layers
mode: audit
scope:
  repositories: ["**", "!plain/**", "!users/**"]
rules:
  - rule: build-tools
    severity: high
    on-fail: [notify]
  - rule: context-leak
    severity: high
    on-fail: [notify]
"""
PLAIN = """policy: plain
mode: audit
layers: false
scope:
  repositories: ["plain/**"]
rules:
  - rule: non-root
    severity: high
    on-fail: [notify]
"""
USERS = """policy: users
mode: audit
scope:
  repositories: ["users/**"]
rules:
  - rule: non-root
    severity: high
    on-fail: [notify]
"""


class Proxy:
    """In front of a registry: counts what is asked for, and passes bytes of blobs as slowly as it is told."""

    def __init__(self, port):
        self.gets, self.lock = [], threading.Lock()
        self.seconds = 0.0  # that a blob of some size takes
        self.lies = {}  # blob -> function(handler, bytes) that answers in its place
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def relay(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with proxy.lock:
                    proxy.gets.append((self.command, self.path))
                onward = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                onward.request(self.command, self.path, body=body or None, headers=headers)
                answer = onward.getresponse()
                data = answer.read()
                lie = proxy.lies.get(self.path.rpartition("/")[2]) if self.command == "GET" else None
                if lie:
                    onward.close()
                    lie(self, data)
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", answer.headers.get("Content-Length", str(len(data))))
                self.end_headers()
                onward.close()
                self.give(data if self.command != "HEAD" else b"")

            def give(self, data):
                pieces = 20 if "/blobs/" in self.path and len(data) > 10000 and proxy.seconds else 1
                size = len(data) // pieces + 1
                for start in range(0, len(data), size):
                    self.wfile.write(data[start:start + size])
                    self.wfile.flush()
                    if pieces > 1:
                        time.sleep(proxy.seconds / pieces)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = relay

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()

    def blobs(self):
        """digest -> how often it was asked for, since the last call."""
        with self.lock:
            found = [re.search(r"/blobs/(sha256:[0-9a-f]{64})$", path) for command, path in self.gets if command == "GET"]
            self.gets.clear()
        counts = {}
        for match in filter(None, found):
            counts[match[1]] = counts.get(match[1], 0) + 1
        return counts


def world(bench, extra=""):
    """A registry behind a counting proxy, which the daemon asks and which notifies the daemon. Returns (daemon, client, proxy)."""
    port = harness.free_port()
    registry = harness.Registry(bench.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"))
    bench.add(registry)
    registry.start()
    bench.registry = registry
    proxy = bench.add(Proxy(registry.port))
    directory = bench.subdirectory("daemon")
    (directory / "plain.yaml").write_text(PLAIN)
    (directory / "users.yaml").write_text(USERS)
    daemon = harness.Regwarden(directory, {"main": proxy}, policy=LAYERS, port=port, extra=extra,
                               settings={"hosts": f'["127.0.0.1:{registry.port}"]'})
    text = daemon.file.read_text().replace('policies: ["', f'policies: ["{directory}/plain.yaml", "{directory}/users.yaml", "')
    daemon.file.write_text(text)
    bench.add(daemon)
    daemon.start()
    return daemon, registry.client(), proxy


def noise(size, seed):
    """Bytes that do not compress."""
    state, out = seed, bytearray()
    while len(out) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += state.to_bytes(8, "little")
    return bytes(out[:size])


BASE = {"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n", "usr/lib/noise": noise(200000, 7)}
LEAKY = {"usr/bin/gcc": b"\x7fELF" + b"c" * 5000, "root/.git/HEAD": b"ref: refs/heads/main\n",
         "root/.git/config": b"[core]\n"}


def image(*layers, user="1000"):
    # all of the layers are its own: there was nothing before the first
    return images.Image(config={"User": user, "Entrypoint": ["/app"]}, files=list(layers),
                        annotations={"org.opencontainers.image.base.name": "scratch"})


def rules_of(verdict):
    return {finding["rule"] for finding in verdict.get("findings", []) if finding["status"] in ("fail", "warn")}


def metric(daemon, name):
    for line in daemon.get("/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


def test_what_is_in_layers_is_judged(bench):
    """A compiler and a .git directory in a layer, also when a later layer takes them away, fail the image; a clean one passes."""
    daemon, client, proxy = world(bench)
    leaky = image(BASE, LEAKY, {"root/.wh..git": b""})
    client.push("team/leaky", leaky, "v1")
    verdict = daemon.verdict("team/leaky", "v1")
    assert verdict["verdict"] == "fail", verdict
    assert {"build-tools", "context-leak"} <= rules_of(verdict), verdict["findings"]
    clean = image(BASE, {"app": b"#!/bin/true\n"})
    client.push("team/clean", clean, "v1")
    assert daemon.verdict("team/clean", "v1")["verdict"] == "pass", daemon.verdict("team/clean", "v1")
    assert metric(daemon, "regwarden_layers_scanned_total") == 4
    assert daemon.status()["layers"]["scanned"] == 4


def test_each_layer_is_fetched_once(bench):
    """Images that share a base, at once and later and after a restart, cost their own layers only."""
    daemon, client, proxy = world(bench)
    first = [image(BASE, {"app": f"one {number}".encode()}) for number in range(5)]
    for number, each in enumerate(first):
        client.push(f"team/app{number}", each, "v1")
    for number in range(5):
        assert daemon.verdict(f"team/app{number}", "v1")["verdict"] == "pass"
    counts = proxy.blobs()
    assert set(counts.values()) == {1}, counts
    assert len(counts) == 5 * 2 + 1, counts  # a config and a layer each, and the base
    daemon.stop()
    daemon.start()
    wait_for("the sweep at start", lambda: daemon.status()["events"]["open"] == 0)
    proxy.blobs()
    second = image(BASE, {"app": b"two"})
    client.push("team/app9", second, "v1")
    assert daemon.verdict("team/app9", "v1")["verdict"] == "pass"
    assert sorted(proxy.blobs().values()) == [1, 1]  # config and own layer


def test_layers_are_read_where_they_tell_something(bench):
    """A user by number is no reason to read layers; one by name is looked up in them."""
    daemon, client, proxy = world(bench)
    client.push("users/number", image(BASE, {"app": b"n"}), "v1")
    assert daemon.verdict("users/number", "v1")["verdict"] == "pass"
    assert len(proxy.blobs()) == 1  # the config
    assert daemon.status()["layers"]["scanned"] == 0
    client.push("users/name", image(BASE, {"app": b"a"}, user="app"), "v1")
    assert daemon.verdict("users/name", "v1")["verdict"] == "pass"
    assert len(proxy.blobs()) == 3
    toor = {"etc/passwd": b"root:x:0:0:root:/root:/bin/sh\napp:x:00:0::/:/bin/sh\n"}
    client.push("users/toor", image(BASE, toor, user="app"), "v1")
    verdict = daemon.verdict("users/toor", "v1")
    assert verdict["verdict"] == "fail", verdict
    assert "it is root" in str(verdict["findings"]), verdict


def test_other_policies_cost_what_is_new(bench):
    """Policies that come to want files read the layers, not manifest and config again; those that ask for other files read layers
    once more; and going back costs nothing where all is known."""
    daemon, client, proxy = world(bench)
    daemon.policy_file.write_text(LAYERS.replace("mode: audit", "mode: audit\nlayers: false")
                                  .replace("  - rule: context-leak\n    severity: high\n    on-fail: [notify]\n", ""))
    daemon.stop()
    daemon.start()
    app = image(BASE, {"app": b"one"})
    client.push("team/app", app, "v1")
    daemon.verdict("team/app", "v1")
    assert len(proxy.blobs()) == 1  # the config
    layers = set(images_layers(app))

    def change(policy):
        daemon.policy_file.write_text(policy)
        revision = daemon.status()["policyRevision"]
        daemon.process.child.send_signal(signal.SIGHUP)
        wait_for("the new policies", lambda: daemon.status()["policyRevision"] != revision)
        new = daemon.status()["policyRevision"]
        wait_for("all to be judged by them", lambda: all(item["policyRevision"] == new for item in daemon.verdicts()))
        return proxy.blobs()

    assert change(LAYERS) == {digest: 1 for digest in layers}
    asking = LAYERS + "  - rule: files\n    with: {forbidden: [\"etc/nobody-has-this\"]}\n"
    assert change(asking) == {digest: 1 for digest in layers}
    assert change(LAYERS) == {}
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"


def images_layers(image):
    return [layer["digest"] for layer in json.loads(image.manifest)["layers"]]


def test_what_layers_are_not(bench):
    """A layer that is no archive, or not what the config names, fails the image and never passes; the next image is judged."""
    daemon, client, proxy = world(bench)
    junk = image(BASE, {"app": b"x"})
    other = image(BASE, {"app": b"y"})
    layer = gzip.compress(b"this is no archive" * 1000, mtime=0)
    for broken, name in ((junk, "junk"), (other, "other")):
        document = json.loads(broken.manifest)
        data = layer if broken is junk else images.layer({"app": b"not y"})[0]
        document["layers"][1].update(digest=images.digest_of(data), size=len(data))
        broken.blobs[images.digest_of(data)] = data
        broken.manifest = json.dumps(document).encode()
        broken.digest = images.digest_of(broken.manifest)
        client.push(f"team/{name}", broken, "v1")
        verdict = daemon.verdict(f"team/{name}", "v1")
        assert verdict["verdict"] == "fail", verdict
        assert "layer" in str(verdict["findings"]), verdict
    client.push("team/clean", image(BASE, {"app": b"z"}), "v1")
    assert daemon.verdict("team/clean", "v1")["verdict"] == "pass"


def test_slow_layers_hold_up_nobody(bench):
    """While images wait for slow layers, one that is judged by its config alone is judged at once; a stop does not wait for them."""
    daemon, client, proxy = world(bench, extra="max-reviews: 4\nscan: {workers: 1}")
    proxy.seconds = 20
    for number in range(8):
        client.push(f"team/slow{number}", image({"noise": noise(50000, number)}), "v1")
    wait_for("a scan", lambda: daemon.status()["layers"]["active"] > 0)
    client.push("plain/app", image({"app": b"plain"}), "v1")
    assert daemon.verdict("plain/app", "v1", seconds=10)["verdict"] == "pass"
    assert not daemon.verdicts(repository="team/**")
    begun = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - begun < 8, time.monotonic() - begun
    proxy.seconds = 0
    daemon.start()
    for number in range(8):
        assert daemon.verdict(f"team/slow{number}", "v1", seconds=60)["verdict"] == "pass"


def test_kill_while_scanning(bench):
    """kill -9 in the middle of scans: no worker is left behind, and after a restart everything is judged."""
    daemon, client, proxy = world(bench)
    proxy.seconds = 20
    for number in range(3):
        client.push(f"team/app{number}", image({"noise": noise(50000, 100 + number)}, LEAKY), "v1")
    wait_for("a scan", lambda: daemon.status()["layers"]["active"] > 0)
    workers = children_of(daemon.process.child.pid)
    assert workers
    daemon.process.child.send_signal(signal.SIGKILL)
    daemon.process.child.wait()
    wait_for("workers to end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), 10)
    proxy.seconds = 0
    daemon.start()
    for number in range(3):
        assert daemon.verdict(f"team/app{number}", "v1", seconds=60)["verdict"] == "fail"
    daemon.wait_idle()


def children_of(pid):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


if __name__ == "__main__":
    harness.run([test_what_is_in_layers_is_judged, test_each_layer_is_fetched_once,
                 test_layers_are_read_where_they_tell_something, test_other_policies_cost_what_is_new, test_what_layers_are_not,
                 test_slow_layers_hold_up_nobody, test_kill_while_scanning])
