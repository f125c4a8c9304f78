"""What goes wrong around the daemon, made on purpose: a registry that lies (tests/support/stub_registry.py), proxies that cut and
stall, a disk that fills up; and notifications written by hand."""
import contextlib
import http.client
import http.server
import json
import os
import resource
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import uuid

import harness
import images

SANITIZED = b"__asan_init" in open(harness.BINARY, "rb").read()
MEMORY_MAX_KIB = 64 * 1024
LEFT_BYTES = 128 * 1024


def check_memory(daemon):
    """The promise of README: bounded whatever is pushed or posted. Sanitizers multiply memory, so that their builds prove nothing."""
    peak = daemon.process.peak_rss_kib()
    print(f"    peak resident set {peak} KiB{' (sanitizers)' if SANITIZED else ''}", flush=True)
    assert SANITIZED or peak <= MEMORY_MAX_KIB, f"{peak} KiB, more than {MEMORY_MAX_KIB}"


STATUS = {0: "pass", 1: "warn", 2: "unknown", 3: "fail"}


def read(daemon, sql):
    connection = sqlite3.connect(f"file:{daemon.state}/regwarden.db?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def judged(daemon):
    """(repository, tag) -> (digest, verdict), straight from the database."""
    rows = read(daemon, "SELECT p.repository, p.tag, hex(v.digest), v.status FROM verdicts v JOIN placements p"
                        " ON p.id = v.placement_id WHERE p.tag <> '' ORDER BY v.id")
    return {(repository, tag): ("sha256:" + digest[-64:].lower(), STATUS[status]) for repository, tag, digest, status in rows}


def event(repository, tag=None, digest=None, media_type=images.OCI_MANIFEST, action="push", **target):
    """One event as docker-registry sends it."""
    fields = {"mediaType": media_type, "repository": repository, "tag": tag, "digest": digest, "size": 500,
              "url": f"http://127.0.0.1:1/v2/{repository}/manifests/{digest}", **target}
    return {"id": str(uuid.uuid4()), "timestamp": "2026-01-01T00:00:00Z", "action": action,
            "target": {key: value for key, value in fields.items() if value is not None},
            "request": {"id": str(uuid.uuid4()), "addr": "127.0.0.1:1", "host": "127.0.0.1:1", "method": "PUT",
                        "useragent": "test"}, "actor": {"name": "tester"},
            "source": {"addr": "test:5000", "instanceID": "11111111-2222-3333-4444-555555555555"}}


def post(daemon, events, registry="main", secret=None, headers=None):
    """Posts an envelope over TCP; returns (status, headers, body)."""
    body = events if isinstance(events, bytes) else json.dumps({"events": events}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    connection.request("POST", f"/hooks/{registry}", body,
                       {"Content-Type": "application/vnd.docker.distribution.events.v1+json",
                        "Authorization": f"Bearer {daemon.secret if secret is None else secret}", **(headers or {})})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def post_one(daemon, registry, *arguments, **fields):
    status, _, data = post(daemon, [event(*arguments, **fields)], registry)
    assert status == 202, (status, data)


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients hang up and are killed here


class Stub:
    """A registry that misbehaves; `values` holds the digests that it serves."""

    def __init__(self, directory, scenario):
        self.record = directory / f"{scenario}.jsonl"
        self.log = open(directory / f"stub-{scenario}.log", "wb")
        self.child = subprocess.Popen(
            [sys.executable, str(harness.SOURCE / "tests/support/stub_registry.py"), scenario, "--record", str(self.record)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = int(self.child.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self.values = {}
        for line in self.child.stdout:
            name, _, value = line.strip().partition(" ")
            if name == "ready":
                break
            self.values[name] = value

    def requests(self):
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def stop(self):
        self.child.stdin.close()
        self.child.wait(10)
        self.child.stdout.close()
        self.log.close()


class FatRegistry:
    """Answers every manifest with as much as a client may take: `bodies` by digest, and bytes without end for every other digest."""

    def __init__(self):
        self.bodies = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = outer.bodies.get(self.path.rpartition("/")[2])
                self.send_response_only(200)
                self.send_header("Content-Type", images.OCI_MANIFEST)
                if body:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body or b"")
                    while not body:
                        self.wfile.write(b"[" * 65536)
                self.close_connection = not body

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, body):
        self.bodies[images.digest_of(body)] = body
        return images.digest_of(body)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def reset(connection):
    """Ends a connection with RST instead of FIN."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # wakes the thread that reads, which would keep it open
    connection.close()


class CuttingProxy:
    """In front of a registry; cuts connections in the middle. budgets: how many bytes of answers each connection may carry, in turn."""

    def __init__(self, target, budgets):
        self.target, self.budgets = target, budgets
        self.accepted = self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                budget = self.budgets[self.accepted % len(self.budgets)]
                self.accepted += 1
                upstream = socket.create_connection(("127.0.0.1", self.target))
                threading.Thread(target=self.upwards, args=(connection, upstream), daemon=True).start()
                threading.Thread(target=self.downwards, args=(connection, upstream, budget), daemon=True).start()

    @staticmethod
    def upwards(connection, upstream):
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                upstream.sendall(data)
        with contextlib.suppress(OSError):
            upstream.shutdown(socket.SHUT_WR)

    def downwards(self, connection, upstream, budget):
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                connection.sendall(data[:budget])
                budget -= len(data)
                if budget < 0:
                    self.cuts += 1
                    break
        reset(connection)
        upstream.close()

    def stop(self):
        self.listener.close()


class StallingProxy:
    """In front of a registry; holds one write request back for ever, before the registry sees it or after it was carried out."""

    def __init__(self, target):
        self.stall_at = 0  # 1 is the next write; 0 is none
        self.after = False
        self.writes = []
        self.stalled = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                stall = self.command not in ("GET", "HEAD") and outer.is_next_stalled(self.command, self.path)
                if stall and not outer.after:
                    self.hang()
                    return
                upstream = http.client.HTTPConnection("127.0.0.1", target)
                upstream.request(self.command, self.path, body, dict(self.headers.items()))
                answer = upstream.getresponse()
                data = answer.read()
                upstream.close()
                if stall:
                    self.hang()
                    return
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding"):
                        self.send_header(name, value)
                if answer.getheader("Content-Length") is None and self.command != "HEAD":
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else data)

            def hang(self):
                outer.stalled.set()
                with contextlib.suppress(OSError):
                    while self.connection.recv(1):
                        pass
                self.close_connection = True

            def log_message(self, *_):
                pass

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve

        self.lock = threading.Lock()
        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def arm(self, number, after):
        self.stalled.clear()
        with self.lock:
            self.stall_at, self.after, self.writes = number, after, []

    def is_next_stalled(self, method, path):
        with self.lock:
            self.writes.append(f"{method} {path}")
            return self.stall_at == len(self.writes)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class SmallDisk:
    """A file system of its own, to be filled up. Needs root."""

    def __init__(self, path, size):
        self.path = path
        if os.geteuid() != 0:
            raise harness.Skip("mounting a file system needs root")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)], capture_output=True, text=True)
        if done.returncode:
            raise harness.Skip("this machine lets nobody mount: " + done.stderr.strip())

    def fill(self):
        """Leaves a few pages, so that some events are still taken."""
        with open(self.path / "ballast", "ab", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            file.truncate(file.tell() - LEFT_BYTES)

    def empty(self):
        (self.path / "ballast").unlink()

    def stop(self):
        subprocess.run(["umount", "-l", str(self.path)], check=True)


class FileSizeLimit:
    """For those who are not root: no file of the daemon may grow."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.before = None

    def fill(self):
        largest = max(file.stat().st_size for file in self.daemon.state.iterdir())
        self.before = resource.prlimit(self.daemon.process.child.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.daemon.process.child.pid, resource.RLIMIT_FSIZE, (largest + LEFT_BYTES, self.before[1]))

    def empty(self):
        resource.prlimit(self.daemon.process.child.pid, resource.RLIMIT_FSIZE, self.before)
