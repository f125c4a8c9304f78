#!/usr/bin/env python3
"""Reports of scanners against real and played registries: what is attached by the fallback tag (docker-registry 2.8 has no referrers
API), signed by its form or not, and what Harbor tells of a finished scan."""
import base64
import http.client
import json
import pathlib
import sys
import threading
import time

import harness
import images
from harness import wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import ecr_stub  # noqa: E402
import harbor_data  # noqa: E402
import harbor_stub  # noqa: E402

RULE = """policy: scans
mode: enforce
scope:
  repositories: ["**", "!quarantine/**"]
rules:
  - rule: vulnerabilities
    with: {with_}
    severity: high
    on-fail: [hold]
"""
TRUSTING = RULE.format(with_="{ trust: any }")
STRICT = RULE.format(with_="{}")
SARIF = "application/sarif+json"


def sarif(*numbers):
    """As Trivy writes it."""
    rules = [{"id": number, "properties": {"tags": ["vulnerability", "security"]}} for number in numbers]
    results = [{"ruleId": number, "level": "error",
                "message": {"text": f"Package: libexample\nInstalled Version: 1.0\nVulnerability {number}\nSeverity: HIGH\n"
                                    "Fixed Version: 1.1\nLink: x"}} for number in numbers]
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Trivy", "version": "0.60", "rules": rules}},
                                                     "results": results}]}).encode()


def statement(digest, *numbers):
    """As cosign attaches it: an envelope around an in-toto statement."""
    text = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://in-toto.io/attestation/vulns/v0.2",
            "subject": [{"name": "app", "digest": {"sha256": digest.partition(":")[2]}}],
            "predicate": {"scanner": {"uri": "pkg:scanner", "result": [
                {"id": number, "severity": [{"method": "nvd", "score": "high"}]} for number in numbers]}}}
    return json.dumps({"payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AAAA"}],
                       "payload": base64.b64encode(json.dumps(text).encode()).decode()}).encode()


def put(client, repository, reference, document):
    body = json.dumps(document).encode()
    client.must((201,), "PUT", f"/v2/{repository}/manifests/{reference or images.digest_of(body)}", body,
                {"Content-Type": document["mediaType"]})
    return {"mediaType": document["mediaType"], "digest": images.digest_of(body), "size": len(body)}


def artifact(client, repository, media_type, data, **more):
    empty = b"{}"
    client.push_blob(repository, empty)
    client.push_blob(repository, data)
    return {"schemaVersion": 2, "mediaType": images.OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": images.digest_of(empty), "size": 2},
            "layers": [{"mediaType": media_type, "digest": images.digest_of(data), "size": len(data)}], **more}


def attach(client, repository, image, data):
    """By the fallback tag, as clients do where there is no referrers API: the artifact, then the list of all that refers."""
    document = artifact(client, repository, SARIF, data, artifactType=SARIF,
                        subject={"mediaType": images.OCI_MANIFEST, "digest": image.digest, "size": len(image.manifest)})
    entry = {**put(client, repository, None, document), "artifactType": SARIF}
    tag = image.digest.replace(":", "-")
    listed = client.manifest(repository, tag)
    before = json.loads(listed[0])["manifests"] if listed else []
    put(client, repository, tag, {"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [*before, entry]})


def becomes(daemon, tag, status):
    return wait_for(f"{tag} to be {status}", lambda: next(
        (v for v in daemon.verdicts(repository="team/app", tag=tag) if v["verdict"] == status), None))


def scan_ended(image):
    return {**ecr_stub.event_of("PUSH", "team/app", image.digest, None), "detail-type": "ECR Image Scan", "detail": {
        "scan-status": "COMPLETE", "repository-name": "team/app", "image-digest": image.digest, "image-tags": [],
        "finding-severity-counts": {}}}


def test_attached_report(bench):
    _, daemon, client = bench.pair(policy=TRUSTING)
    scanned, other = images.good("one"), images.good("two")
    client.push("team/app", scanned, "v1")
    client.push("team/app", other, "v2")
    becomes(daemon, "v1", "unknown")
    becomes(daemon, "v2", "unknown")
    attach(client, "team/app", scanned, sarif())
    becomes(daemon, "v1", "pass")
    attach(client, "team/app", scanned, sarif("CVE-2029-0001"))
    becomes(daemon, "v1", "fail")
    finding, = daemon.verdict("team/app", "v1")["findings"]
    assert finding["message"] == "CVE-2029-0001 (high) in libexample 1.0, mended in 1.1, by Trivy 0.60", finding
    attach(client, "team/app", scanned, sarif())
    daemon.wait_idle()
    assert daemon.verdict("team/app", "v1")["verdict"] == "fail", "one that finds nothing takes nothing away"
    assert daemon.verdict("team/app", "v2")["verdict"] == "unknown"


def test_statement_under_a_tag_of_cosign(bench):
    _, daemon, client = bench.pair(policy=TRUSTING)
    image, other = images.good("one"), images.good("two")
    client.push("team/app", image, "v1")
    client.push("team/app", other, "v2")
    becomes(daemon, "v1", "unknown")
    becomes(daemon, "v2", "unknown")
    envelope = "application/vnd.dsse.envelope.v1+json"
    document = artifact(client, "team/app", envelope, statement(image.digest, "CVE-2029-0002"))
    put(client, "team/app", image.digest.replace(":", "-") + ".att", document)
    becomes(daemon, "v1", "fail")
    put(client, "team/app", other.digest.replace(":", "-") + ".att", document)  # it speaks of the first
    daemon.wait_idle()
    verdict = daemon.verdict("team/app", "v2")
    assert verdict["verdict"] == "unknown" and "speaks of another image" in verdict["findings"][0]["message"], verdict


def test_who_may_push_is_not_believed(bench):
    _, daemon, client = bench.pair(policy=STRICT)
    image = images.good()
    client.push("team/app", image, "v1")
    becomes(daemon, "v1", "unknown")
    attach(client, "team/app", image, sarif())
    wait_for("the report to be seen", lambda: "attached" in daemon.verdict("team/app", "v1")["findings"][0]["message"])
    verdict = daemon.verdict("team/app", "v1")
    assert verdict["verdict"] == "unknown" and "no scanner" in verdict["findings"][0]["message"], verdict


def test_scan_of_harbor(bench):
    """A scan ends: judged again by its report. A new scan goes on: what was found stays found."""
    harbor = bench.add(harbor_stub.Harbor(content=False).start())
    port = harness.free_port()
    harbor.add_project("team")["webhooks"].append(
        {"id": 1, "name": "regwarden", "enabled": True, "event_types": ["PUSH_ARTIFACT", "SCANNING_COMPLETED"], "targets": [
            {"type": "http", "address": f"http://127.0.0.1:{port}/hooks/main", "auth_header": "Bearer s3cret"}]})
    password = bench.directory / "password"
    password.write_text(harbor_stub.PASSWORD + "\n")
    daemon = bench.add(harness.Regwarden(
        bench.subdirectory("daemon"), {"main": harbor}, policy=STRICT, port=port,
        settings={"type": "harbor", "username": harbor_stub.ADMIN, "password-file": password})).start()
    client = images.Client(harbor.url, (harbor_stub.ADMIN, harbor_stub.PASSWORD))
    image = images.good()
    client.push("team/app", image, "v1")
    becomes(daemon, "v1", "unknown")
    message = daemon.verdict("team/app", "v1")["findings"][0]["message"]
    assert "Harbor has not scanned this image" in message, message
    harbor.set_scan("team/app", image.digest, "Success", harbor_data.report("Critical"))
    becomes(daemon, "v1", "fail")
    finding, = daemon.verdict("team/app", "v1")["findings"]
    assert finding["message"] == "CVE-2024-0001 (critical) in libexample 1.0, mended in 1.1, by Trivy v0.50.1", finding
    harbor.set_scan("team/app", image.digest, "Running")
    client.push("team/app", image, "v2")  # the same image, judged anew
    assert daemon.verdict("team/app", "v2")["verdict"] == "fail"
    messages = [finding["message"] for finding in daemon.verdict("team/app", "v2")["findings"]]
    assert any("goes on" in message for message in messages), messages
    harbor.set_scan("team/app", image.digest, "Success", {**harbor_data.report(), "vulnerabilities": []})
    becomes(daemon, "v1", "pass")
    becomes(daemon, "v2", "pass")


def test_scan_that_ends_while_the_image_is_judged(bench):
    """Its report was asked for before, and there is no verdict yet that could be made anew: the scan counts all the same."""
    world = World(bench)
    asked, go, refuse = threading.Event(), threading.Event(), world.ecr.refuse

    def hold(request):
        if "/referrers/" in request.path_only and not go.is_set():  # they are asked for after the report
            asked.set()
            go.wait(30)
        return refuse(request)
    world.ecr.refuse = hold
    image = images.good("late")
    world.client.push("team/app", image, "v1")
    world.tell(ecr_stub.event_of("PUSH", "team/app", image.digest, "v1"))
    assert asked.wait(30), "the referrers were not asked for"
    world.ecr.findings["team/app", image.digest] = ("COMPLETE", {"findings": [
        {"name": "CVE-2029-0005", "severity": "CRITICAL", "uri": "https://example.com/", "attributes": []}]})
    world.tell(scan_ended(image))
    time.sleep(1)  # until that event is worked off
    go.set()
    becomes(world.daemon, "v1", "fail")


def test_scan_of_an_image_with_many_tags(bench):
    """Whoever may push gives an image hundreds of tags before the one that matters: the scan counts for that, too."""
    world = World(bench)
    image = images.good("many")
    tags = [f"v{number}" for number in range(300)]
    for tag in tags:
        world.client.push("team/app", image, tag)
        world.tell(ecr_stub.event_of("PUSH", "team/app", image.digest, tag))
    becomes(world.daemon, tags[-1], "unknown")
    world.daemon.wait_idle()
    world.ecr.findings["team/app", image.digest] = ("COMPLETE", {"findings": [
        {"name": "CVE-2029-0004", "severity": "CRITICAL", "uri": "https://example.com/", "attributes": []}]})
    world.tell(scan_ended(image))
    becomes(world.daemon, tags[0], "fail")
    becomes(world.daemon, tags[-1], "fail")


class World:
    """A registry in ECR, beside a daemon."""

    def __init__(self, bench):
        directory = bench.subdirectory("daemon")
        (directory / "aws").write_text("[default]\naws_access_key_id = AKIDOFTHETEST\naws_secret_access_key = wJalrXUtnFEMIK7MDENG\n")
        self.ecr = ecr_stub.Ecr("ok", ecr_stub.find_model())
        self.ecr.names = {"team/app": {"mutability": "MUTABLE", "tags": []}}
        server = ecr_stub.serve(self.ecr)
        bench.stack.callback(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.ecr.passwords.append("AWS:of-this-test")
        self.client = images.Client(self.url, ("AWS", "of-this-test"))
        self.daemon = bench.add(harness.Regwarden(directory, {"main": self}, policy=STRICT, extra="sweep-at-start: false", settings={
            "type": "ecr", "hosts": f"[{ecr_stub.HOST}]",
            "aws": f"{{region: {ecr_stub.REGION}, credentials: file, credentials-file: {directory}/aws, ecr-endpoint: \"{self.url}\"}}"}))
        self.daemon.start()

    def tell(self, event):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=10)
        connection.request("POST", "/hooks/main", json.dumps(event),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {self.daemon.secret}"})
        status = connection.getresponse().status
        assert status < 300, status


def test_scan_of_ecr(bench):
    """ECR scans the images of an index one by one, and tells of each by its digest alone."""
    world = World(bench)
    one, two = images.good("a", platform="linux/amd64"), images.good("b", platform="linux/arm64")
    index = images.Index([one, two])
    world.client.push("team/app", index, "v1")
    world.tell(ecr_stub.event_of("PUSH", "team/app", index.digest, "v1"))
    becomes(world.daemon, "v1", "unknown")

    def scanned(image, *findings):
        world.ecr.findings["team/app", image.digest] = ("COMPLETE", {"findings": list(findings)})
        world.tell(scan_ended(image))

    scanned(one)
    world.daemon.wait_idle()
    verdict = world.daemon.verdict("team/app", "v1")
    assert verdict["verdict"] == "unknown" and {f["platform"] for f in verdict["findings"]} == {"linux/arm64"}, verdict
    scanned(two)
    becomes(world.daemon, "v1", "pass")
    scanned(two, {"name": "CVE-2029-0003", "severity": "HIGH", "uri": "https://example.com/", "attributes": [
        {"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "1.0"}]})
    becomes(world.daemon, "v1", "fail")
    finding, = world.daemon.verdict("team/app", "v1")["findings"]
    assert finding["message"] == "CVE-2029-0003 (high) in openssl 1.0, by Amazon ECR" and finding["platform"] == "linux/arm64", finding
    assert not world.ecr.invalid, world.ecr.invalid


harness.run([test_attached_report, test_statement_under_a_tag_of_cosign, test_who_may_push_is_not_believed, test_scan_of_harbor,
             test_scan_of_ecr, test_scan_of_an_image_with_many_tags,
             test_scan_that_ends_while_the_image_is_judged])
