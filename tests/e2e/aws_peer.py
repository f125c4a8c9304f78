"""AWS on loopback: moto, and in front of it a proxy that checks every signature by a computation of its own.

moto takes any signature; the proxy does not. It knows the secret of the test's own key, and learns those of roles from STS's answers."""
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import threading
import urllib.parse

import harness
import peers

OWN_KEY = ("AKIDOFTHETEST", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ACCOUNT = "123456789012"  # moto's
REGION = "eu-central-1"


def moto_server():
    return shutil.which("moto_server") or peers.peer("venv/bin/moto_server", "moto")


def check_signature(method, path, headers, body, secrets):
    """Returns what is wrong with a signed request, or None."""
    match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                         r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", headers.get("Authorization", ""))
    if not match:
        return "no signature"
    key, day, region, service, names, signature = match.groups()
    if key not in secrets:
        return f"unknown key {key}"
    names = names.split(";")
    if names != sorted(names) or not {"host", "x-amz-date", "content-type"} <= set(names):
        return f"signs {names}"
    if "X-Amz-Target" in headers and "x-amz-target" not in names:
        return "does not sign its target"
    stamp = headers["X-Amz-Date"]
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(stamp + "+0000", "%Y%m%dT%H%M%SZ%z")
    if abs(age.total_seconds()) > 300 or not stamp.startswith(day):
        return f"of {stamp}"
    secret, token = secrets[key]
    if token and headers.get("X-Amz-Security-Token") != token:
        return "the session's token is missing or wrong"
    canonical = "\n".join([method, path, "", *(f"{name}:{' '.join(headers[name].split())}" for name in names), "", ";".join(names),
                           hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    string = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    step = ("AWS4" + secret).encode()
    for word in (day, region, service, "aws4_request"):
        step = hmac.new(step, word.encode(), hashlib.sha256).digest()
    if hmac.new(step, string.encode(), hashlib.sha256).hexdigest() != signature:
        return f"wrong signature of {canonical!r}"
    return None


def unsigned(service):
    scope = f"x/20300101/{REGION}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"}


class Aws:
    """moto behind the proxy. `requests` are (service or action, fault or None), `signed` what check_sigv4.py wants to know of them;
    `before` may answer or fail a request instead."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.moto_port = harness.free_port()
        self.secrets = {OWN_KEY[0]: (OWN_KEY[1], None)}
        self.requests = []
        self.signed = []
        self.before = None  # callable(target, body) -> (status, body) or None
        self.process = None
        self.server = None

    def start(self):
        self.process = harness.Process("moto", self.directory, [moto_server(), "-H", "127.0.0.1", "-p", str(self.moto_port)])
        harness.wait_for("moto", lambda: harness.can_connect(self.moto_port), 60)
        aws = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                try:
                    aws.forward(self)
                except (OSError, http.client.HTTPException):
                    self.close_connection = True  # one of the two has gone

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        if self.process:
            self.process.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def forward(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        form = dict(urllib.parse.parse_qsl(body.decode())) if b"Action=" in body else {}
        target = handler.headers.get("X-Amz-Target") or form.get("Action")
        fault = None
        if form.get("Action") != "AssumeRoleWithWebIdentity":
            fault = check_signature("POST", handler.path, handler.headers, body, self.secrets)
            self.keep_signed(handler, body)
        self.requests.append((target, fault))
        answer = (403, json.dumps({"__type": "InvalidSignatureException", "message": fault}).encode()) if fault else None
        if not answer and self.before:
            answer = self.before(target, body)
        if not answer:
            # moto goes on with a poll whose client has gone, and would hide a message for nobody: so its polls are short
            answer = self.ask_moto(handler.headers, body.replace(b'"WaitTimeSeconds":20', b'"WaitTimeSeconds":1'))
        self.learn(answer[1])
        handler.send_response(answer[0])
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("Content-Length", str(len(answer[1])))
        handler.end_headers()
        handler.wfile.write(answer[1])

    def ask_moto(self, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.moto_port, timeout=60)
        connection.request("POST", "/", body, {**dict(headers.items()), "Content-Length": str(len(body))})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def learn(self, body):
        text = body.decode(errors="replace")
        values = [re.search(rf"<{name}>([^<]+)</{name}>", text) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
        if all(values):
            key, secret, token = (value.group(1) for value in values)
            self.secrets[key] = (secret, token)

    def keep_signed(self, handler, body):
        scope = re.search(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/", handler.headers.get("Authorization", ""))
        if scope and scope.group(1) in self.secrets:
            key, region, service = scope.groups()
            secret, token = self.secrets[key]
            self.signed.append({"path": handler.path, "headers": dict(handler.headers.items()), "body": body.decode(), "key": key,
                                "secret": secret, "token": token, "region": region, "service": service})

    def botocore_faults(self, requests=None):
        """The requests that AWS's own code would have signed otherwise."""
        requests = requests or self.signed
        python = peers.peer("venv/bin/python", "botocore")
        told = subprocess.run([python, str(harness.SOURCE / "tests/support/check_sigv4.py")], input=json.dumps(requests),
                              stdout=subprocess.PIPE, text=True, check=True)
        return [requests[index] for index in json.loads(told.stdout)]

    def faults(self):
        return [(target, fault) for target, fault in self.requests if fault]

    def sqs(self, action, **members):
        """A call of the test's own, past the proxy."""
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}", **unsigned("sqs")}
        status, data = self.ask_moto(headers, json.dumps(members).encode())
        assert status == 200, (status, data)
        return json.loads(data or b"{}")

    def sns(self, action, **members):
        """The same for SNS, which answers in XML: returns the first ARN of the answer."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **unsigned("sns")}
        form = urllib.parse.urlencode({"Action": action, "Version": "2010-03-31", **members})
        status, data = self.ask_moto(headers, form.encode())
        assert status == 200, (status, data)
        arn = re.search(rb"Arn>([^<]+)<", data)
        return arn.group(1).decode() if arn else None

    def create_queue(self, name, **attributes):
        url = self.sqs("CreateQueue", QueueName=name, Attributes=attributes)["QueueUrl"]
        return self.url + urllib.parse.urlsplit(url).path

    def left(self, queue):
        """Messages in the queue: (visible, hidden)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        values = self.sqs("GetQueueAttributes", QueueUrl=queue, AttributeNames=names)["Attributes"]
        return tuple(int(values[name]) for name in names)

    def credentials_file(self):
        path = self.directory / "credentials"
        path.write_text(f"[default]\naws_access_key_id = {OWN_KEY[0]}\naws_secret_access_key = {OWN_KEY[1]}\n")
        return path
