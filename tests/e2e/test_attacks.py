#!/usr/bin/env python3
"""Somebody with the right to push tries to get an image past its policies, against a real docker-registry."""
import copy
import http.client
import http.server
import json
import signal
import threading

import harness
import images
from harness import wait_for

LINUX = """policy: linux
mode: enforce
scope:
  platforms: ["linux/amd64"]
rules:
  - rule: non-root
    severity: high
    on-fail: [quarantine]
"""


def rewritten(image, change):
    """The image with another manifest or index."""
    image = copy.copy(image)
    document = json.loads(image.manifest)
    change(document)
    image.manifest = json.dumps(document).encode()
    image.digest = images.digest_of(image.manifest)
    return image


def with_config(image, change):
    """The image with another config: a document, or bytes."""
    image = copy.copy(image)
    manifest = json.loads(image.manifest)
    document = json.loads(image.blobs[manifest["config"]["digest"]])
    raw = change(document)
    raw = raw if isinstance(raw, bytes) else json.dumps(document).encode()
    image.blobs = {**image.blobs, images.digest_of(raw): raw}
    manifest["config"].update(digest=images.digest_of(raw), size=len(raw))
    image.manifest = json.dumps(manifest).encode()
    image.digest = images.digest_of(image.manifest)
    return image


def gone(daemon, client, repository, tag):
    """Waits until nothing is left to do; tells whether the tag is out of reach."""
    daemon.verdict(repository, tag)
    daemon.wait_idle()
    return client.digest(repository, tag) is None


def test_the_same_image_again(bench):
    _, daemon, client = bench.pair()
    bad = images.bad()
    for _ in range(3):
        client.push("team/app", bad, "v1")
        wait_for("quarantine", lambda: client.digest("team/app", "v1") is None, 15)
        daemon.wait_idle()


def test_two_tags_on_one_image(bench):
    """A registry that deletes only by digest is no reason to leave both where they are."""
    _, daemon, client = bench.pair()
    bad = images.bad()
    client.push("team/app", bad, "v1")
    client.push("team/app", bad, "v2")
    wait_for("quarantine of both", lambda: not client.tags("team/app"))
    daemon.wait_idle()
    for plan in daemon.plans(kind="quarantine"):
        assert plan["state"] == "done", plan
        daemon.cli("quarantine", "release", str(plan["id"]))
    assert client.tags("team/app") == ["v1", "v2"]


def test_platforms_in_other_words(bench):
    """Runtimes read "Linux" and "x86_64" as "linux" and "amd64", and take what is not said for their own."""
    _, daemon, client = bench.pair(policy=LINUX)
    words = [{"architecture": "amd64"}, {"os": "", "architecture": "amd64"}, {"os": "Linux", "architecture": "amd64"},
             {"os": "linux", "architecture": "x86_64"}, {"os": "linux", "architecture": "x86-64"},
             {"os": "unknown", "architecture": "amd64"}, None]
    for number, platform in enumerate(words):
        child = images.bad(str(number))
        child.platform = platform

        def drop(document):
            if document["manifests"][0]["platform"] is None:
                del document["manifests"][0]["platform"]
        index = rewritten(images.Index([child]), drop)
        client.push("team/multi", index, f"v{number}")
        assert daemon.verdict("team/multi", f"v{number}")["verdict"] == "fail", platform
    for number, config in enumerate([{"os": "Linux"}, {"architecture": "x86_64"}, {"os": ""}, {"architecture": ""}, {"os": "unknown"}]):
        client.push("team/single", with_config(images.bad(f"s{number}"), lambda document: document.update(config)), f"v{number}")
        assert daemon.verdict("team/single", f"v{number}")["verdict"] == "fail", config


DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def disguises():
    """Images that say they are something else."""
    def docker_format(document):
        document["mediaType"] = DOCKER_MANIFEST
        document["config"]["mediaType"] = "application/vnd.example.config.v1+json"
        for layer in document["layers"]:
            layer["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    docker = rewritten(images.bad("docker"), docker_format)
    docker.media_type = DOCKER_MANIFEST
    found = {"docker": docker}
    for name, config_type in {"octets": "application/octet-stream", "html": "text/html"}.items():
        found[name] = rewritten(images.bad(name), lambda document: document["config"].update(mediaType=config_type))
    found["artifact"] = rewritten(images.bad("artifact"), lambda document: document.update(
        artifactType="application/vnd.docker.attestation.manifest.v1+json"))
    found["child"] = rewritten(images.Index([images.bad("child")]), lambda document: document["manifests"][0].update(
        mediaType="application/vnd.oci.artifact.manifest.v1+json"))
    found["attestation"] = rewritten(images.Index([images.bad("attestation")]), lambda document: document["manifests"][0].update(
        annotations={"vnd.docker.reference.type": "attestation-manifest"}))
    return found


def test_disguises(bench):
    """What a runtime would run is judged, whatever it calls itself."""
    _, daemon, client = bench.pair()
    for name, image in disguises().items():
        client.push("team/" + name, image, "v1")
        assert daemon.verdict("team/" + name, "v1")["verdict"] == "fail", name
        wait_for("quarantine of " + name, lambda: client.digest("team/" + name, "v1") is None)


def test_pushed_into_quarantine(bench):
    """What regwarden did not put there is judged, and somebody is told."""
    _, daemon, client = bench.pair(policy=harness.POLICY.format(mode="enforce", actions="[quarantine, notify]").replace(
        '"!quarantine/**"', '"**"'))
    client.push("quarantine/team/app", images.bad(), "v1")
    assert daemon.verdict("quarantine/team/app", "v1")["verdict"] == "fail"
    daemon.wait_idle()
    assert {plan["kind"] for plan in daemon.plans(repository="quarantine/team/app")} == {"notify", "hold"}, daemon.plans()
    assert client.digest("quarantine/team/app", "v1")


def test_name_too_long_for_quarantine(bench):
    _, daemon, client = bench.pair(settings={"quarantine-prefix": "quarantine/" + "q" * 80})
    name = "team/" + "a" * 180
    bad = images.bad()
    client.push(name, bad, "v1")
    assert gone(daemon, client, name, "v1"), daemon.plans()
    plan = daemon.plans(kind="quarantine")[0]
    assert client.digest(*plan["detail"]["to"].rsplit(":", 1)) == bad.digest, plan
    daemon.cli("quarantine", "release", str(plan["id"]))
    assert client.digest(name, "v1") == bad.digest


def test_names_in_quarantine_are_taken(bench):
    _, daemon, client = bench.pair()
    bad, other, more = images.bad(), images.good("other"), images.good("more")
    second = "v1-" + bad.digest[7:19]
    client.push("quarantine/team/app", other, "v1")
    client.push("quarantine/team/app", more, second)
    client.push("team/app", bad, "v1")
    assert gone(daemon, client, "team/app", "v1"), daemon.plans()
    assert client.digest("quarantine/team/app", "v1") == other.digest
    assert client.digest("quarantine/team/app", second) == more.digest
    plan = daemon.plans(kind="quarantine")[0]
    daemon.cli("quarantine", "release", str(plan["id"]))
    assert client.digest("team/app", "v1") == bad.digest


def post(daemon, body):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port)
    connection.request("POST", "/hooks/main", json.dumps(body),
                       {"Content-Type": "application/json", "Authorization": f"Bearer {daemon.secret}"})
    status = connection.getresponse().status
    connection.close()
    assert status // 100 == 2, status


def test_deletes_that_were_none(bench):
    """The blob of a manifest can be uploaded and deleted like any blob: its event looks like that of the manifest."""
    _, daemon, client = bench.pair(policy=harness.POLICY.format(mode="audit", actions="[tag]"))
    bad = images.bad()
    client.push("team/app", bad, "v1")
    daemon.verdict("team/app", "v1")
    post(daemon, {"events": [{"action": "delete", "target": {"repository": "team/app", "digest": bad.digest}},
                             {"action": "delete", "target": {"repository": "team/app", "tag": "v1"}}]})
    daemon.wait_idle()
    assert [v["tag"] for v in daemon.verdicts(repository="team/app") if v.get("tag")] == ["v1"]
    client.push_blob("team/app", bad.manifest)
    client.must((202,), "DELETE", f"/v2/team/app/blobs/{bad.digest}")
    assert client.digest("team/app", "v1") == bad.digest
    daemon.wait_idle()
    assert [v["tag"] for v in daemon.verdicts(repository="team/app") if v.get("tag")] == ["v1"]


def test_too_much_to_judge(bench):
    """Counts and sizes beyond what is read are no way around a policy."""
    _, daemon, client = bench.pair()
    bad = images.bad()
    nested = b"[" * 90 + b"]" * 90
    cases = {
        "deep": with_config(bad, lambda document: json.dumps(document).encode()[:-1] + b',"x":' + nested + b"}"),
        "large": with_config(bad, lambda document: json.dumps({**document, "x": "y" * (5 << 20)}).encode()),
        "many": with_config(bad, lambda document: json.dumps({**document, "x": [0] * 300000}).encode()),
        "steps": with_config(bad, lambda document: document.update(
            history=[{"created_by": "RUN x", "empty_layer": True}] * 5000 + document["history"])),
    }
    for tag, image in cases.items():
        client.push("team/app", image, tag)
        assert daemon.verdict("team/app", tag)["verdict"] == "fail", tag
        assert gone(daemon, client, "team/app", tag), (tag, daemon.plans())

    def multiply(document):
        entry = document["manifests"][0]
        document["manifests"] = [{**entry, "annotations": {"n": str(n)}} for n in range(1100)]
    client.push("team/app", rewritten(images.Index([bad]), multiply), "index")
    assert daemon.verdict("team/app", "index")["verdict"] == "fail"


class RefusingProxy(http.server.ThreadingHTTPServer):
    """In front of a registry; answers writes with 503 while `refuses`."""
    daemon_threads = True

    def __init__(self, port):
        self.refuses = True
        super().__init__(("127.0.0.1", 0), self.handler(port))
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handler(self, port):
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if proxy.refuses and self.command not in ("GET", "HEAD"):
                    self.send_response(503)
                    self.end_headers()
                    return
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)
                connection.close()

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = forward

            def log_message(self, *arguments):
                pass
        return Handler

    def stop(self):
        self.shutdown()
        self.server_close()


def test_plans_of_a_policy_that_was_withdrawn(bench):
    """A policy that asks for too much is mended while its plans still wait: they are not carried out."""
    port = harness.free_port()
    registry = harness.Registry(bench.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"))
    bench.add(registry).start()
    proxy = bench.add(RefusingProxy(registry.port))
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": proxy}, port=port))
    daemon.start()
    client = registry.client()
    bad, worse = images.bad(), images.bad("worse")
    client.push("team/app", bad, "v1")
    daemon.verdict("team/app", "v1")
    wait_for("the first attempt", lambda: "quarantine failed" in daemon.process.text())
    daemon.policy_file.write_text(harness.POLICY.format(mode="audit", actions="[quarantine]"))
    daemon.process.child.send_signal(signal.SIGHUP)
    wait_for("the new policy", lambda: "is in force" in daemon.process.text())
    proxy.refuses = False
    daemon.wait_idle()
    assert client.digest("team/app", "v1") == bad.digest, daemon.plans()
    assert "skipped" in {plan["state"] for plan in daemon.plans(kind="quarantine")}, daemon.plans()

    # another one is still asked for when the policies change again: it is carried out
    daemon.policy_file.write_text(harness.POLICY.format(mode="enforce", actions="[quarantine]"))
    daemon.process.child.send_signal(signal.SIGHUP)
    wait_for("the new policy", lambda: daemon.process.text().count("is in force") >= 2)
    proxy.refuses = True
    before = daemon.process.text().count("quarantine failed")
    client.push("team/app", worse, "v2")
    wait_for("the first attempt", lambda: daemon.process.text().count("quarantine failed") > before)
    daemon.stop(signal.SIGKILL)
    daemon.policy_file.write_text(harness.POLICY.format(mode="enforce", actions="[quarantine]") + "description: changed\n")
    proxy.refuses = False
    daemon.start()
    wait_for("quarantine", lambda: client.digest("team/app", "v2") is None)
    daemon.wait_idle()
    assert client.digest("quarantine/team/app", "v2") == worse.digest
    assert client.digest("team/app", "v1") == bad.digest, "judged before under other policies: reported only"


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
