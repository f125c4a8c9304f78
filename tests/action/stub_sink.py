#!/usr/bin/env python3
"""A receiver of notifications that answers as it is told. Speaks as stub_writable.py does: port, then one JSON command per line."""
import http.server
import json
import sys
import threading


class Sink:
    def __init__(self):
        self.lock = threading.Lock()
        self.prefix = ""
        self.reset({})

    def reset(self, command):
        """answers: what the next requests get, a status, "drop", "hang" or "huge"; the last one stays. prefix: of the paths that
        count from now on, so that stragglers of an earlier test do not."""
        self.prefix = command.get("prefix", self.prefix)
        self.answers = command.get("answers", [200])
        self.headers = command.get("headers", {})
        self.posts = []
        return {}

    def read_log(self, command):
        return {"posts": list(self.posts)}

    def run(self, command):
        with self.lock:
            return {"reset": self.reset, "log": self.read_log}[command["do"]](command)


sink = Sink()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with sink.lock:
            if not self.path.startswith(sink.prefix):
                self.close_connection = True
                return
            sink.posts.append({"path": self.path[len(sink.prefix):], "headers": {name.lower(): value for name, value in self.headers.items()},
                               "body": body.decode()})
            answer = sink.answers.pop(0) if len(sink.answers) > 1 else sink.answers[0]
            headers = dict(sink.headers)
        if answer == "hang":
            threading.Event().wait(3600)
        if answer == "drop":
            self.close_connection = True
            self.connection.close()
            return
        text = b"x" * (5 << 20) if answer == "huge" else b"<html>thank you</html>"
        self.send_response(200 if answer == "huge" else answer)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST


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
        print(json.dumps(sink.run(json.loads(line))), flush=True)


main()
