"""A token server of the distribution kind: checks Basic credentials, signs RS/ES tokens with the openssl command."""
import base64
import http.server
import json
import subprocess
import threading
import time
import urllib.parse


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    def __init__(self, certificate, key, users, lifetime=300):
        self.certificate, self.key, self.users, self.lifetime = certificate, key, users, lifetime
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                name, _, password = base64.b64decode(self.headers.get("Authorization", "Basic Og==")[6:]).decode().partition(":")
                if outer.users.get(name) != password:
                    self.send_response(401)
                    self.end_headers()
                    return
                access = []
                for scope in " ".join(query.get("scope", [])).split():
                    kind, rest = scope.split(":", 1)
                    target, actions = rest.rsplit(":", 1)
                    access.append({"type": kind, "name": target, "actions": actions.split(",")})
                outer.asked.append((name, query.get("scope")))
                body = json.dumps({"token": outer.issue(name, access), "expires_in": outer.lifetime}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def issue(self, subject, access):
        certificate = "".join(line for line in open(self.certificate).read().splitlines() if "-----" not in line)
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "x5c": [certificate]}
        claims = {"iss": "issuer", "sub": subject, "aud": "test", "exp": now + self.lifetime, "nbf": now - 10, "iat": now,
                  "jti": str(time.monotonic_ns()), "access": access}
        signed = _b64(json.dumps(header).encode()) + "." + _b64(json.dumps(claims).encode())
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(self.key)], input=signed.encode(), check=True,
                             capture_output=True).stdout
        return signed + "." + _b64(_raw_signature(der))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def _raw_signature(der):
    """ECDSA-Sig-Value (DER) to r || s of 32 bytes each."""
    position = 2
    numbers = []
    for _ in range(2):
        length = der[position + 1]
        numbers.append(int.from_bytes(der[position + 2:position + 2 + length], "big").to_bytes(32, "big"))
        position += 2 + length
    return b"".join(numbers)
