#!/usr/bin/env python3
"""Who may send notifications: client certificates, shown to nginx in front or to regwarden itself; signatures of Amazon SNS, fetched
from hosts of their true names; and what somebody with one registry's secret cannot do to another's."""
import http.client
import json
import pathlib
import ssl
import subprocess
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
        location /hooks/main {{
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


TESTS = [test_nginx_checks_client_certificates, test_own_listener_checks_client_certificates,
         test_settings_that_prove_nothing_are_refused, test_one_secret_opens_one_hook]

if __name__ == "__main__":
    harness.run(TESTS)
