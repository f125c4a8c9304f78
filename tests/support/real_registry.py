#!/usr/bin/env python3
"""Debian's docker-registry with the stub's usual content, spoken to like the stub.

    real_registry.py plain|htpasswd|tls|no-mount [--record FILE]

Standard output: the port, "name value" lines, "ready"; or "missing PROGRAM". Ends with its standard
input. `no-mount` puts a proxy in front that takes the mount out of requests, so that a copy has to
stream.
"""

import argparse
import base64
import http.client
import http.server
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import certificates
import stub_registry

CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {directory}/data}}
  delete: {{enabled: true}}
http:
  addr: 127.0.0.1:{port}
  secret: test
{more}
"""


def need(program):
    if not shutil.which(program):
        print("missing", program, flush=True)
        sys.exit(0)


def make_htpasswd(directory):
    with open(f"{directory}/htpasswd", "wb") as file:
        file.write(subprocess.run(["htpasswd", "-Bbn", stub_registry.USER, stub_registry.PASSWORD],
                                  check=True, capture_output=True).stdout)
    return f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}"


def make_certificates(directory):
    certificates.make(directory)
    return f"  tls: {{certificate: {directory}/server.crt, key: {directory}/server.key}}"


class Pusher:
    """Puts content into a registry with plain requests."""

    def __init__(self, port, authority, with_password):
        if authority:
            context = ssl.create_default_context(cafile=authority)
            self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
        else:
            self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.headers = {}
        if with_password:
            pair = f"{stub_registry.USER}:{stub_registry.PASSWORD}".encode()
            self.headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()

    def ask(self, method, path, body=b"", headers=None, expect=201):
        self.connection.request(method, path, body, {**self.headers, **(headers or {})})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {text!r}")
        return answer

    def blob(self, repository, digest, data):
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/", expect=202)
        location = answer.getheader("Location").split("/v2/", 1)[1]
        self.ask("PUT", f"/v2/{location}&digest={digest}", data, {"Content-Type": "application/octet-stream"})

    def content(self, content):
        for (repository, digest), data in content.blobs.items():
            self.blob(repository, digest, data)
        for (repository, digest), (media_type, data) in content.manifests.items():
            self.ask("PUT", f"/v2/{repository}/manifests/{digest}", data, {"Content-Type": media_type})
        for repository, tags in content.tags.items():
            for tag, digest in tags.items():
                media_type, data = content.manifests[repository, digest]
                self.ask("PUT", f"/v2/{repository}/manifests/{tag}", data, {"Content-Type": media_type})


class Proxy(http.server.BaseHTTPRequestHandler):
    """Everything but the mount goes through."""

    protocol_version = "HTTP/1.1"
    target = 0

    def log_message(self, *arguments):
        pass

    def serve(self):
        path = self.path.partition("?")[0] if "mount=" in self.path else self.path
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        upstream = http.client.HTTPConnection("127.0.0.1", self.target)
        upstream.request(self.command, path, body, dict(self.headers.items()))
        answer = upstream.getresponse()
        data = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if not answer.getheader("Content-Length") and self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        upstream.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve


def start_proxy(port):
    Proxy.target = port
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_open(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("docker-registry does not listen")


def serve(mode, directory):
    port = free_port()
    more = make_htpasswd(directory) if mode == "htpasswd" else make_certificates(directory) if mode == "tls" else ""
    with open(f"{directory}/config.yml", "w", encoding="utf-8") as file:
        file.write(CONFIG.format(directory=directory, port=port, more=more))
    with open(f"{directory}/log", "wb") as log:
        registry = subprocess.Popen(["docker-registry", "serve", f"{directory}/config.yml"],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until_open(port)
        authority = f"{directory}/ca.crt" if mode == "tls" else None
        content = stub_registry.usual_content()
        big = os.urandom(1 << 16) * 128
        content.add_blob("app", big)
        Pusher(port, authority, mode == "htpasswd").content(content)
        registry_values = stub_registry.Registry().values()
        registry_values["big"] = stub_registry.digest_of(big)
        registry_values["big-size"] = len(big)
        print(start_proxy(port) if mode == "no-mount" else port)
        print("secure-url", f"https://127.0.0.1:{port}")
        print("authority", f"{directory}/ca.crt")
        for name, value in registry_values.items():
            print(name, value)
        print("ready", flush=True)
        sys.stdin.read()
    finally:
        registry.send_signal(signal.SIGKILL)
        registry.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["plain", "htpasswd", "tls", "no-mount"])
    parser.add_argument("--record", default="")
    options = parser.parse_args()
    need("docker-registry")
    if options.mode == "htpasswd":
        need("htpasswd")
    if options.mode == "tls":
        need("openssl")
    with tempfile.TemporaryDirectory() as directory:
        serve(options.mode, directory)


if __name__ == "__main__":
    main()
