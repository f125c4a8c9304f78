#!/usr/bin/env python3
"""Amazon ECR from the push to the release: an event of EventBridge, the verdict, quarantine by archive and by copy, sweeps.

AWS is played by tests/support/ecr_stub.py, which keeps the registry host and the API together; with botocore (./dev peers) it holds every
request against AWS's own service model."""
import http.client
import json
import pathlib
import sys
import threading

import harness
import images
from harness import wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import ecr_stub  # noqa: E402

READS = {"GetAuthorizationToken", "DescribeRepositories", "DescribeImages", "DescribeImageScanFindings"}


class World:
    """A registry in ECR that tells a daemon of every push."""

    def __init__(self, bench, scenario="ok", means="auto", policy=None, events=True, extra="", names=("team/app",)):
        directory = bench.subdirectory("daemon")
        (directory / "aws").write_text("[default]\naws_access_key_id = AKIDOFTHETEST\naws_secret_access_key = wJalrXUtnFEMIK7MDENG\n")
        self.ecr = ecr_stub.Ecr(scenario, ecr_stub.find_model())
        self.ecr.names = {name: {"mutability": "MUTABLE", "tags": []} for name in names}
        self.server = ecr_stub.serve(self.ecr)
        bench.stack.callback(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        if events:
            self.ecr.on_event = self.tell
        self.client = images.Client(self.url, tuple(self.ecr.test_password.split(":")))
        self.daemon = bench.add(harness.Regwarden(directory, {"main": self}, policy=policy, extra="sweep-at-start: false\n" + extra, settings={
            "type": "ecr", "hosts": f"[{ecr_stub.HOST}]", "quarantine-means": means,
            "aws": f"{{region: {ecr_stub.REGION}, credentials: file, credentials-file: {directory}/aws, ecr-endpoint: \"{self.url}\"}}"}))
        self.daemon.start()

    def tell(self, action, repository, digest, tag):
        if tag and not repository.startswith("quarantine/"):
            threading.Thread(target=self.send, args=(ecr_stub.event_of(action, repository, digest, tag),), daemon=True).start()

    def send(self, event):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=10)
        connection.request("POST", "/hooks/main", json.dumps(event),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {self.daemon.secret}"})
        assert connection.getresponse().status < 300

    def did(self, operation):
        return [parameters for name, parameters in self.ecr.calls if name == operation]

    def plan(self, tag, kind="quarantine"):
        return next(plan for plan in self.daemon.plans(kind=kind) if plan["tag"] == tag)

    def sweep(self):
        self.daemon.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})

    def check(self):
        """At the end: everything that was asked is as AWS wants it."""
        assert not self.ecr.invalid, self.ecr.invalid
        assert self.ecr.check or not (pathlib.Path(ecr_stub.PEERS) / "venv").exists(), "botocore is there and was not used"


def test_archived_and_restored(bench):
    world = World(bench)
    good, bad = images.good(), images.bad()
    world.client.push("team/app", good, "stable")
    world.client.push("team/app", bad, "broken")
    wait_for("the archive", lambda: world.ecr.states.get(("team/app", bad.digest)) == "ARCHIVED")
    world.daemon.wait_idle()
    assert world.plan("broken")["state"] == "done", world.plan("broken")
    assert world.client.digest("team/app", "broken") is None
    assert world.client.digest("team/app", "stable") == good.digest
    # A restore takes its time: the release says so, and is done by whoever asks again.
    _, output = world.daemon.cli("quarantine", "release", str(world.plan("broken")["id"]), check=False)
    assert "restoring" in output, output
    del world.ecr.states["team/app", bad.digest]
    world.daemon.cli("quarantine", "release", str(world.plan("broken")["id"]))
    assert world.client.digest("team/app", "broken") == bad.digest
    assert not world.did("BatchDeleteImage") and not world.did("PutImage") and not world.did("CreateRepository")
    world.check()


def test_copied_and_released(bench):
    world = World(bench, means="copy")
    bad = images.bad()
    world.client.push("team/app", bad, "broken")
    wait_for("quarantine", lambda: world.client.digest("team/app", "broken") is None)
    world.daemon.wait_idle()
    assert world.plan("broken")["state"] == "done", world.plan("broken")
    assert world.client.digest("quarantine/team/app", "broken") == bad.digest
    assert world.ecr.names["quarantine/team/app"]["tags"] == [{"Key": "regwarden", "Value": "quarantine"}]
    # It was the last tag and nothing else needed the image: it was removed as an image, never with its tag.
    assert [call["imageIds"] for call in world.did("BatchDeleteImage")] == [[{"imageDigest": bad.digest}]], world.did("BatchDeleteImage")
    world.daemon.cli("quarantine", "release", str(world.plan("broken")["id"]))
    assert world.client.manifest("team/app", "broken")[0] == bad.manifest
    world.check()


def test_two_tags_of_an_image(bench):
    """The first one is removed by its name and its digest together, the last one with the image."""
    world = World(bench, means="copy", events=False)
    bad = images.bad()
    world.client.push("team/app", bad, "v1")
    world.client.push("team/app", bad, "v2")
    world.tell("PUSH", "team/app", bad.digest, "v1")
    wait_for("the first tag to go", lambda: world.client.digest("team/app", "v1") is None)
    world.daemon.wait_idle()
    assert world.client.digest("team/app", "v2") == bad.digest
    assert world.did("BatchDeleteImage")[-1]["imageIds"] == [{"imageTag": "v1", "imageDigest": bad.digest}]
    world.tell("PUSH", "team/app", bad.digest, "v2")
    wait_for("the second tag to go", lambda: world.client.digest("team/app", "v2") is None)
    world.daemon.wait_idle()
    assert world.client.digest("team/app", bad.digest) is None
    world.check()


def test_tag_that_moved_is_left_alone(bench):
    """Between the last look and the removal somebody pushes what mends it."""
    world = World(bench, means="copy", events=False)
    good, bad = images.good(), images.bad()
    world.client.push("team/app", bad, "v1")
    world.client.push("team/app", bad, "v2")
    world.client.push("team/app", good, "stable")
    world.ecr.before["BatchDeleteImage"] = lambda ecr: ecr.content.tags["team/app"].update(v1=good.digest)
    world.tell("PUSH", "team/app", bad.digest, "v1")
    wait_for("the plan to end", lambda: [plan for plan in world.daemon.plans(kind="quarantine") if plan["state"] != "planned"])
    assert len(world.did("BatchDeleteImage")) == 1, world.did("BatchDeleteImage")
    assert world.client.digest("team/app", "v1") == good.digest
    assert world.client.digest("team/app", "v2") == bad.digest
    world.check()


def test_image_of_an_index_stays(bench):
    """Its only tag goes, and the image, which an index names, does not."""
    world = World(bench, means="copy", events=False)
    bad = images.bad()
    index = images.Index([bad, images.good(platform="linux/arm64")])
    world.client.push("team/app", index, "multi")
    world.client.push("team/app", bad, "amd64")
    world.tell("PUSH", "team/app", bad.digest, "amd64")
    wait_for("the tag to go", lambda: world.client.digest("team/app", "amd64") is None)
    world.daemon.wait_idle()
    assert world.plan("amd64")["state"] == "done", world.plan("amd64")
    assert world.client.digest("team/app", bad.digest) == bad.digest
    assert world.client.digest("team/app", "multi") == index.digest
    assert all(image.get("imageDigest") != bad.digest for call in world.did("BatchDeleteImage") for image in call["imageIds"])
    world.check()


def test_needed_image_is_not_archived(bench):
    """Archiving would take it away under its other tags, too: only the one tag goes."""
    world = World(bench, events=False, names=("team/app", "quarantine/team/app"))
    bad = images.bad()
    world.client.push("team/app", bad, "v1")
    world.client.push("team/app", bad, "v2")
    world.tell("PUSH", "team/app", bad.digest, "v1")
    wait_for("the tag to go", lambda: world.client.digest("team/app", "v1") is None)
    world.daemon.wait_idle()
    assert not world.ecr.states and world.client.digest("team/app", "v2") == bad.digest
    assert world.client.digest("quarantine/team/app", "v1") == bad.digest
    assert not world.did("CreateRepository"), "only with quarantine-means: copy"
    world.check()


def test_sweep_and_audit(bench):
    """What no event told is found page by page; whoever only audits writes nothing."""
    world = World(bench, scenario="pages=2", policy=harness.POLICY.format(mode="audit", actions="[quarantine]"), events=False,
                  names=("team/app", "team/b", "team/c", "team/d", "team/e"))
    for number in range(5):
        world.client.push("team/app", images.bad(seed=f"bad {number}"), f"v{number}")
    world.client.push("team/e", images.good(), "v1")
    world.sweep()
    for number in range(5):
        assert world.daemon.verdict("team/app", f"v{number}")["verdict"] == "fail"
    assert world.daemon.verdict("team/e", "v1")["verdict"] == "pass"
    world.daemon.wait_idle()
    assert {name for name, _ in world.ecr.calls} <= READS, {name for name, _ in world.ecr.calls}
    assert len(world.did("DescribeImages")) >= 3 and len(world.did("DescribeRepositories")) >= 3
    world.check()


def test_throttling_storm(bench):
    world = World(bench, scenario="GetAuthorizationToken=ThrottlingException*9,UpdateImageStorageClass=ThrottlingException*9",
                  extra="retry: {first: 1s}")
    bad = images.bad()
    world.client.push("team/app", bad, "broken")
    wait_for("the archive", lambda: world.ecr.states.get(("team/app", bad.digest)) == "ARCHIVED", 90)
    world.daemon.wait_idle()
    assert world.plan("broken")["state"] == "done", world.plan("broken")
    world.check()


def test_missing_right_is_named(bench):
    world = World(bench, scenario="UpdateImageStorageClass=AccessDeniedException,CreateRepository=AccessDeniedException", means="archive")
    world.client.push("team/app", images.bad(), "broken")
    wait_for("the plan to fail", lambda: [plan for plan in world.daemon.plans(kind="quarantine") if plan["state"] == "failed"])
    assert "AccessDenied" in json.dumps(world.plan("broken")), world.plan("broken")
    assert world.client.digest("team/app", "broken"), "nothing was done"
    world.check()


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
