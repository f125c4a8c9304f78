"""The hosts that publish keys, behind one unix socket with TLS: the signing certificate of Amazon SNS and the confirmation of its
subscriptions, and the key sets of Google and Entra ID. What is served lies in files of a directory that the test fills; each request
is recorded. A path without a file is 404. The scenario "untrusted" has a certificate for another host."""

import argparse
import json
import os
import shutil
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler

HOSTS = ("sns.eu-central-1.amazonaws.com", "www.googleapis.com", "login.microsoftonline.com")


def run(directory, *command):
    subprocess.run(("openssl",) + command, check=True, capture_output=True, cwd=directory)


def certificates(directory, hosts):
    run(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
        "-keyout", "ca.key", "-out", "ca.crt")
    run(directory, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=publisher", "-keyout", "server.key", "-out", "server.csr")
    with open(f"{directory}/san", "w", encoding="utf-8") as file:
        file.write("subjectAltName=" + ",".join(f"DNS:{host}" for host in hosts) + "\n")
    run(directory, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", "san", "-out", "server.crt")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    record = None
    files = None

    def do_GET(self):
        line = {"host": self.headers.get("Host"), "target": self.path, "authorization": self.headers.get("Authorization")}
        Handler.record.write(json.dumps(line) + "\n")
        Handler.record.flush()
        name = urllib.parse.urlsplit(self.path).path.strip("/").replace("/", "_") or "root"
        path = os.path.join(Handler.files, name)
        body = b""
        if os.path.exists(path):
            with open(path, "rb") as file:
                body = file.read()
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    context = None

    def get_request(self):
        connection, _ = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), ("unix", 0)

    def handle_error(self, *_):
        pass  # a client that refuses our certificate


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--record")
    options = parser.parse_args()
    if not shutil.which("openssl"):
        print("missing openssl", flush=True)
        return
    directory = tempfile.mkdtemp()
    certificates(directory, ("other.example",) if options.scenario == "untrusted" else HOSTS)
    Handler.files = f"{directory}/files"
    os.mkdir(Handler.files)
    Handler.record = open(options.record, "w", encoding="utf-8")
    Server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Server.context.load_cert_chain(f"{directory}/server.crt", f"{directory}/server.key")
    server = Server(f"{directory}/socket", Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(0)
    print("socket", f"{directory}/socket")
    print("authority", f"{directory}/ca.crt")
    print("files", Handler.files)
    print("ready", flush=True)
    sys.stdin.read()
    shutil.rmtree(directory)
    os._exit(0)


if __name__ == "__main__":
    main()
