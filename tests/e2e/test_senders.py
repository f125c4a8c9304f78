#!/usr/bin/env python3
"""Who may send notifications: client certificates, shown to nginx in front or to regwarden itself; signatures of Amazon SNS, fetched
from hosts of their true names; and what somebody with one registry's secret cannot do to another's."""
import base64
import http.client
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import faults
import harness
import images
from harness import wait_for

HEADERS = {"Content-Type": "application/vnd.docker.distribution.events.v1+json"}
ONLY_EVENTS = {"sweep-interval": "0"}


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=directory)


class Authority:
    """Makes certificates: for a server by its names, for clients by their subject."""

    def __init__(self, directory):
        harness.need("openssl")
        self.directory = pathlib.Path(directory)
        openssl(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
                "-keyout", "ca.key", "-out", "ca.crt")
        self.file = self.directory / "ca.crt"

    def issue(self, name, subject, names=()):
        """Returns (certificate, key)."""
        openssl(self.directory, "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{name}.key", "-out",
                f"{name}.csr")
        extra = []
        if names:
            (self.directory / f"{name}.san").write_text("subjectAltName=" + ",".join(names) + "\n")
            extra = ["-extfile", f"{name}.san"]
        openssl(self.directory, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", *extra, "-out", f"{name}.crt")
        return self.directory / f"{name}.crt", self.directory / f"{name}.key"


def send(port, authority, identity, path, body, headers=HEADERS):
    """Posts over TLS with or without a client certificate. Returns the status, None when the connection was refused."""
    context = ssl.create_default_context(cafile=str(authority.file))
    if identity:
        context.load_cert_chain(*identity)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def pushed(bench, registry, tag):
    image = images.bad(tag)
    registry.client().push("team/app", image, tag)
    return json.dumps({"events": [faults.event("team/app", tag, image.digest)]})


NGINX = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate}; ssl_certificate_key {key};
        ssl_client_certificate {authority}; ssl_verify_client on;
        location = /hooks/main {{
            if ($ssl_client_s_dn != "CN=registry.example.com") {{ return 403; }}
            proxy_set_header Authorization "Bearer s3cret";
            proxy_pass http://unix:{socket}:;
        }}
    }}
}}
"""


def test_nginx_checks_client_certificates(bench):
    nginx = harness.need("nginx")
    authority = Authority(bench.subdirectory("authority"))
    server = authority.issue("server", "/CN=front", ["IP:127.0.0.1"])
    client = authority.issue("client", "/CN=registry.example.com")
    other = authority.issue("other", "/CN=other.example.com")
    stranger = Authority(bench.subdirectory("strangers")).issue("client", "/CN=registry.example.com")
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, settings=ONLY_EVENTS)).start()
    directory = bench.subdirectory("nginx")
    port = harness.free_port()
    (directory / "nginx.conf").write_text(NGINX.format(
        directory=directory, port=port, certificate=server[0], key=server[1], authority=authority.file, socket=daemon.socket))
    bench.add(harness.Process("nginx", directory, [nginx, "-p", str(directory), "-c", str(directory / "nginx.conf")]))
    wait_for("nginx", lambda: harness.can_connect(port))

    body = pushed(bench, registry, "v1")
    for identity, statuses in ((None, (400,)), (other, (403,)), (stranger, (400, None))):
        status = send(port, authority, identity, "/hooks/main", body)
        assert status in statuses, (identity, status)
    # Its own secret does not get by without the certificate, and nothing was taken so far.
    assert send(port, authority, None, "/hooks/main", body, {**HEADERS, "Authorization": "Bearer s3cret"}) == 400
    daemon.wait_idle()
    assert not daemon.verdicts()
    assert send(port, authority, client, "/hooks/main", body) == 202
    assert daemon.verdict("team/app", "v1")["verdict"] == "fail"
    # A secret that the client writes itself is replaced, not added.
    assert send(port, authority, client, "/hooks/main", body, {**HEADERS, "Authorization": "Bearer wrong"}) == 202


def test_own_listener_checks_client_certificates(bench):
    authority = Authority(bench.subdirectory("authority"))
    server = authority.issue("server", "/CN=warden", ["IP:127.0.0.1"])
    client = authority.issue("client", "/CN=quay/O=Example")
    other = authority.issue("other", "/CN=other")
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    extra = f"tls:\n  certificate-file: {server[0]}\n  key-file: {server[1]}\n  client-ca-file: {authority.file}"
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, extra=extra, settings={
        **ONLY_EVENTS, "hook-proof": "certificate", "hook-clients": '["O=Example,CN=quay"]'})
    bench.add(daemon).start()
    body = pushed(bench, registry, "v1")
    assert send(daemon.port, authority, None, "/hooks/main", body) is None
    assert send(daemon.port, authority, other, "/hooks/main", body) == 401
    status, data = daemon.request("POST", "/hooks/main", body, {**HEADERS, "Authorization": "Bearer s3cret"})
    assert status == 401 and b"no client certificate" in data, (status, data)
    assert not daemon.verdicts()
    assert send(daemon.port, authority, client, "/hooks/main", body) == 202
    assert daemon.verdict("team/app", "v1")["verdict"] == "fail"


def test_settings_that_prove_nothing_are_refused(bench):
    registry = harness.Registry(bench.subdirectory("registry"))
    for name, settings, word in (("sns", {"hook-proof": "sns"}, "hook-topics"),
                                 ("jwt", {"hook-proof": "jwt"}, "hook-audience"),
                                 ("dialect", {"dialect": "gar"}, "hook-audience"),
                                 ("certificate", {"hook-proof": "certificate"}, "tls.client-ca-file")):
        daemon = harness.Regwarden(bench.subdirectory(name), {"main": registry}, settings=settings)
        daemon.start(wait=False)
        assert daemon.process.child.wait(30) != 0
        text = daemon.process.text()
        assert word in text and 'registry "main"' in text, text


def test_one_secret_opens_one_hook(bench):
    """Somebody with the secret of one registry does nothing to another, and has nobody asked."""
    one = bench.add(harness.Registry(bench.subdirectory("one"))).start()
    two = bench.add(harness.Registry(bench.subdirectory("two"))).start()
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"one": one, "two": two}, settings=ONLY_EVENTS)
    text = daemon.file.read_text().split("  two:")
    (daemon.directory / "other").write_text("Bearer other\n")
    daemon.file.write_text(text[0] + "  two:" + text[1].replace("/hook-secret", "/other", 1))
    bench.add(daemon).start()
    body = pushed(bench, two, "v1")
    tries = [("/hooks/two", {"Authorization": "Bearer s3cret"}),
             ("/hooks/two?secret=" + urllib.parse.quote("Bearer s3cret"), {}),
             ("/hooks/two?code=" + urllib.parse.quote("Bearer s3cret"), {"Authorization": "Bearer s3cret"}),
             ("/hooks/two?registry=one", {"Authorization": "Bearer s3cret", "X-Registry": "two"}),
             ("/hooks/two", {"Authorization": "Bearer s3cret", "X-Forwarded-Uri": "/hooks/one", "X-Original-URI": "/hooks/one"})]
    for path, headers in tries:
        status, _ = daemon.request("POST", path, body, {**HEADERS, **headers})
        assert status == 401, (path, headers, status)
    for path in ("/hooks/one/../two", "/hooks/one%2f..%2ftwo", "/hooks/one/hooks/two", "//hooks/two"):
        status, _ = daemon.request("POST", path, body, {**HEADERS, "Authorization": "Bearer s3cret"})
        assert status in (400, 404), (path, status)
    # Through its own hook the image of the other registry is looked for in its own registry, and is not there.
    event = json.loads(body)
    event["events"][0]["target"]["url"] = f"http://{two.host}/v2/team/app/manifests/v1"
    event["events"][0]["request"]["host"] = two.host
    event["events"][0]["registry"] = "two"
    status, data = daemon.request("POST", "/hooks/one", json.dumps(event), {**HEADERS, "Authorization": "Bearer s3cret"})
    assert status == 202, (status, data)
    daemon.wait_idle()
    assert not [item for item in daemon.verdicts() if item["registry"] == "two"]
    assert daemon.request("POST", "/hooks/two", body, {**HEADERS, "Authorization": "Bearer other"})[0] == 202
    wait_for("a verdict of the second registry",
             lambda: [item for item in daemon.verdicts() if item["registry"] == "two"])


SNS = "sns.eu-central-1.amazonaws.com"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:images"
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


class Publisher:
    """Amazon SNS under its own name: signs, serves its certificate, and confirms subscriptions."""

    def __init__(self, bench, authority):
        self.directory = bench.subdirectory("sns")
        openssl(self.directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sns.amazonaws.com",
                "-keyout", "sign.key", "-out", "sign.pem")
        self.asked = []
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.asked.append((self.headers["Host"], self.path))
                body = (publisher.directory / "sign.pem").read_bytes() if self.path.endswith(".pem") else b"<ok/>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("sns", "/CN=sns", [f"DNS:{SNS}"]))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()

    def message(self, kind, version="2", **changes):
        message = {"Type": kind, "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "Message": "hello",
                   "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())}
        if kind != "Notification":
            message |= {"Token": "2336412f37fb687f", "SubscribeURL":
                        f"https://{SNS}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f"}
        message |= changes
        keys = sorted(key for key in message)
        (self.directory / "text").write_text("".join(f"{key}\n{message[key]}\n" for key in keys))
        openssl(self.directory, "dgst", "-sha1" if version == "1" else "-sha256", "-sign", "sign.key", "-out", "signature", "text")
        signature = base64.b64encode((self.directory / "signature").read_bytes()).decode()
        return message | {"SignatureVersion": version, "Signature": signature,
                          "SigningCertURL": f"https://{SNS}/SimpleNotificationService-1.pem"}


def sns_under_its_own_name(bench):
    """Runs where the name of SNS is this machine, and the test's authority the only one that is trusted."""
    authority = Authority(bench.subdirectory("authority"))
    (bench.directory / "hosts").write_text(f"127.0.0.1 localhost {SNS}\n")
    for source, target in ((bench.directory / "hosts", "/etc/hosts"), (authority.file, "/etc/ssl/certs/ca-certificates.crt")):
        subprocess.run(["mount", "--bind", str(source), target], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    publisher = bench.add(Publisher(bench, authority))
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, settings={
        **ONLY_EVENTS, "type": "distribution", "dialect": "sns", "hook-topics": f"[{TOPIC}]", "hosts": f"[{ECR}]"})
    bench.add(daemon).start()

    def post(message):
        return daemon.request("POST", "/hooks/main", json.dumps(message), {"Content-Type": "text/plain; charset=UTF-8"})[0]

    foreign = "arn:aws:sns:eu-central-1:999999999999:images"
    assert post(publisher.message("SubscriptionConfirmation", TopicArn=foreign)) == 403
    assert post(publisher.message("Notification", TopicArn=foreign)) == 403
    assert publisher.asked == []
    assert post(publisher.message("SubscriptionConfirmation")) == 200
    assert [path for _, path in publisher.asked] == [
        "/SimpleNotificationService-1.pem", f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb687f"]
    assert {host for host, _ in publisher.asked} == {SNS}
    image = images.bad("v1")
    registry.client().push("team/app", image, "v1")
    event = {"version": "0", "id": "13cde686-328b-6117-af20-0e5566167482", "detail-type": "ECR Image Action", "source": "aws.ecr",
             "account": "123456789012", "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [],
             "detail": {"result": "SUCCESS", "repository-name": "team/app", "image-digest": image.digest, "action-type": "PUSH",
                        "image-tag": "v1"}}
    pushed_message = publisher.message("Notification", "1", Message=json.dumps(event))
    assert post({**pushed_message, "Message": json.dumps({**event, "account": "999999999999"})}) == 403
    assert post({**pushed_message, "SigningCertURL": f"https://{SNS}.evil.example/SimpleNotificationService-1.pem"}) == 403
    old = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 3700))
    assert post(publisher.message("Notification", Message=json.dumps(event), Timestamp=old)) == 403
    assert not daemon.verdicts()
    assert post(pushed_message) == 202
    assert daemon.verdict("team/app", "v1")["verdict"] == "fail"
    assert len(publisher.asked) == 2
    assert "was confirmed" in daemon.process.text()


def test_sns_under_its_own_name(bench):
    unshare = harness.need("unshare")
    harness.need("ip")
    if os.geteuid() != 0 or subprocess.run([unshare, "--mount", "--net", "true"], capture_output=True, check=False).returncode:
        raise harness.Skip("a network and mounts of one's own need root")
    done = subprocess.run([unshare, "--mount", "--net", sys.executable, __file__, "--inside"], capture_output=True, text=True,
                          timeout=300, check=False, env={**os.environ, "REGWARDEN_BINARY": os.path.abspath(harness.BINARY)})
    if "SKIPPED" in done.stdout:
        raise harness.Skip(done.stdout.strip().rsplit(": ", 1)[-1])
    assert done.returncode == 0, done.stdout + done.stderr


TESTS = [test_sns_under_its_own_name, test_nginx_checks_client_certificates, test_own_listener_checks_client_certificates,
         test_settings_that_prove_nothing_are_refused, test_one_secret_opens_one_hook]

if __name__ == "__main__":
    if sys.argv[1:] == ["--inside"]:
        del sys.argv[1:]
        harness.run([sns_under_its_own_name])
    harness.run(TESTS)
