#!/usr/bin/env python3
"""Sweeps of registries with many tags: how much is asked, and what is found; killed half-way they go on where they were."""
import json
import pathlib
import sys
import time

import harness
import images
from harness import run, wait_for
from sweeping import ManyTags, Sweeper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import harbor_stub  # noqa: E402

REPOSITORIES, TAGS, IMAGES = 5, 1000, 20
ALL = REPOSITORIES * TAGS
BATCHES = 2 * 128  # what may be under way when a sweep is killed


def all_found_once(daemon, registry):
    status = daemon.status()["tags"]
    assert (status["known"], status["judged"]) == (ALL, ALL), status
    assert "oldestUnjudgedAt" not in status, status
    sweep = daemon.json("/api/v1/sweeps")["items"][-1]
    assert (sweep["state"], sweep["seen"], sweep["wanted"]) == ("complete", ALL, ALL), sweep
    history = daemon.json(f"/api/v1/history?registry=main&repository=bench/r000000&tag=t{TAGS - 1:06}")["items"]
    assert len(history) == 1, history


def check_kill(bench, kind):
    registry = bench.add(ManyTags(bench.directory, kind, REPOSITORIES, TAGS, IMAGES))
    # slow enough to be met half-way: 3 pages a second show 300 tags as Harbor lists them here, or 500 HEADs
    rate = {"oci": "1000", "harbor": "8"}[kind]
    daemon = bench.add(Sweeper(bench.subdirectory("daemon"), registry, {"sweep-rate": rate}))
    daemon.start()
    half = wait_for("half of the sweep", lambda: ALL / 3 < daemon.sweeping()["tags"] < ALL and daemon.sweeping(), 60, 0.02)
    daemon.kill()
    assert half["repository"].startswith("bench/r"), half
    before = registry.counts()
    daemon.start()
    daemon.wait_swept()
    daemon.wait_judged()
    after = registry.counts()
    assert "goes on where it broke off" in daemon.process.text()
    pages = after["pages"]
    least = {"oci": 1 + REPOSITORIES, "harbor": 1 + REPOSITORIES}[kind]
    assert before["pages"] < pages <= least + 4, (before, after)
    assert after["heads"] <= {"oci": ALL + BATCHES, "harbor": 0}[kind], (before, after)
    all_found_once(daemon, registry)
    # nothing new: the pages again, and where they name no digests the HEADs
    daemon.sweep_again()
    daemon.wait_swept()
    again = registry.counts()
    assert again["pages"] - pages == least, (after, again)
    assert again["heads"] - after["heads"] == {"oci": ALL, "harbor": 0}[kind], (after, again)
    assert again["others"] == after["others"], (after, again)
    sweeps = daemon.json("/api/v1/sweeps")["items"]
    assert [sweep["wanted"] for sweep in sweeps] == [0, ALL], sweeps


def test_a_sweep_that_is_killed_goes_on_where_it_was(bench):
    check_kill(bench, "oci")


def test_where_listings_name_digests_nothing_else_is_asked(bench):
    check_kill(bench, "harbor")


def test_metrics_and_status_tell_of_a_sweep(bench):
    registry = bench.add(ManyTags(bench.directory, "oci", 2, 300, 3))
    daemon = bench.add(Sweeper(bench.subdirectory("daemon"), registry, {"sweep-rate": "200"}))
    start = time.monotonic()
    daemon.start()
    wait_for("a sweep", lambda: daemon.sweeping()["tags"] > 50, 20, 0.02)
    assert "sweeping main:" in daemon.cli("status")[1]
    daemon.wait_swept()
    assert time.monotonic() - start > 600 / 200 * 0.8, "the pace was not kept"
    daemon.wait_judged()
    metrics = daemon.get("/metrics")[1].decode()
    for line in ("regwarden_sweep_tags_total{registry=\"main\"} 600", "regwarden_sweep_found_total{registry=\"main\"} 600",
                 "regwarden_sweep_requests_total{registry=\"main\"} 603", "regwarden_sweep_running{registry=\"main\"} 0"):
        assert line in metrics, (line, [found for found in metrics.splitlines() if "sweep" in found])
    assert "600 of 600 tags judged" in daemon.cli("status")[1]


def complete_sweeps(daemon):
    return len([item for item in daemon.json("/api/v1/sweeps")["items"] if item["state"] == "complete"])


def sweep(daemon):
    """One more, to its end, with all that follows from it."""
    count = complete_sweeps(daemon)
    daemon.cli("sweep")
    wait_for("the sweep", lambda: complete_sweeps(daemon) > count)
    daemon.wait_idle()


class HarborOnly:
    """A Harbor that tells of nothing, and a daemon whose first sweep lies behind it."""

    def __init__(self, bench, actions):
        self.harbor = bench.add(harbor_stub.Harbor(content=False).start())
        self.harbor.add_project("team")
        (bench.directory / "password").write_text(harbor_stub.PASSWORD + "\n")
        self.client = images.Client(self.harbor.url, (harbor_stub.ADMIN, harbor_stub.PASSWORD))
        self.client.push("team/app", images.good(), "good")
        self.daemon = bench.add(harness.Regwarden(
            bench.subdirectory("daemon"), {"main": self.harbor}, policy=harness.POLICY.format(mode="enforce", actions=actions),
            settings={"type": "harbor", "username": harbor_stub.ADMIN, "password-file": bench.directory / "password"})).start()
        self.daemon.verdict("team/app", "good")
        wait_for("the first sweep", lambda: complete_sweeps(self.daemon))

    def artifact(self, digest):
        return self.harbor.repositories["team/app"]["artifacts"][digest]

    def labels(self, digest):
        names = {label["id"]: label["name"] for label in self.harbor.labels}
        return [names[number] for number in self.artifact(digest)["labels"]]


def test_a_label_that_was_taken_off_comes_back(bench):
    """Harbor fires no event for labels; and whoever may label may take labels off."""
    world = HarborOnly(bench, "[label]")
    bad, good = images.bad(), images.good()
    world.client.push("team/app", bad, "bad")
    sweep(world.daemon)
    assert world.labels(bad.digest) == ["policy-fail"], world.labels(bad.digest)
    sweep(world.daemon)
    assert [plan["attempts"] for plan in world.daemon.plans(kind="label")] == [1], world.daemon.plans()
    number, = world.artifact(bad.digest)["labels"]
    world.artifact(bad.digest)["labels"].clear()
    world.artifact(good.digest)["labels"].append(number)  # somebody's own: it passes, and keeps it
    sweep(world.daemon)
    assert world.labels(bad.digest) == ["policy-fail"] and world.labels(good.digest) == ["policy-fail"]
    plan, = world.daemon.plans(kind="label")
    assert plan["state"] == "done", plan


def test_tags_that_are_set_behind_the_api(bench):
    """Harbor's own API adds tags without an event, and moves none: new, untagged and deleted ones."""
    world = HarborOnly(bench, "[notify]")
    repository = world.harbor.repositories["team/app"]
    bad = images.bad()
    world.client.push("team/app", bad)  # by digest
    with world.harbor.lock:
        repository["tags"]["again"] = dict(repository["tags"]["good"])
    sweep(world.daemon)
    found = {item.get("tag"): item["verdict"] for item in world.daemon.verdicts()}
    assert found == {"good": "pass", "again": "pass", None: "fail"}, found
    with world.harbor.lock:
        repository["tags"]["again"] = {**repository["tags"]["good"], "digest": bad.digest}
        del repository["tags"]["good"]
    sweep(world.daemon)
    found = {item["tag"]: item["verdict"] for item in world.daemon.verdicts() if "tag" in item}
    assert found == {"again": "fail"}, found
    ours = [request for request in world.harbor.requests if request[2].get("User-Agent", "").startswith("regwarden")]
    assert any("/artifacts" in path for _, path, _ in ours), ours
    asked = [path for method, path, _ in ours if method == "HEAD" and path.split("/")[-1] in ("good", "again")]
    assert not asked, f"asked for digests that the list had named: {asked}"


def write_to_storage(registry, repository, image, tag):
    """As a backup that is put back, or another registry on the same storage: the files themselves, behind the registry's back."""
    root = registry.directory / "data" / "docker" / "registry" / "v2"

    def link(path, digest):
        path.mkdir(parents=True, exist_ok=True)
        (path / "link").write_text(digest)
    home = root / "repositories" / repository
    for data in [*image.blobs.values(), image.manifest]:
        digest = images.digest_of(data)
        blob = root / "blobs" / "sha256" / digest[7:9] / digest[7:]
        blob.mkdir(parents=True, exist_ok=True)
        (blob / "data").write_bytes(data)
        if data is not image.manifest:
            link(home / "_layers" / "sha256" / digest[7:], digest)
    link(home / "_manifests" / "revisions" / "sha256" / image.digest[7:], image.digest)
    link(home / "_manifests" / "tags" / tag / "current", image.digest)
    link(home / "_manifests" / "tags" / tag / "index" / "sha256" / image.digest[7:], image.digest)


def test_what_is_written_to_the_storage_is_found(bench):
    """docker-registry cannot tell of what it does not see itself: new and moved tags, and a repository that was not there."""
    registry, daemon, client = bench.pair(policy=harness.POLICY.format(mode="enforce", actions="[tag]"))
    client.push("team/app", images.good(), "v1")
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"
    sweep(daemon)
    moved, new = images.bad("moved"), images.bad("new")
    write_to_storage(registry, "team/app", moved, "v1")
    write_to_storage(registry, "other/app", new, "v1")
    assert client.digest("other/app", "v1") == new.digest, "this docker-registry keeps its files in another way"
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"
    sweep(daemon)
    for repository, image in (("team/app", moved), ("other/app", new)):
        verdict = daemon.verdict(repository, "v1", digest=image.digest)
        assert verdict["verdict"] == "fail", verdict
        assert f"policy-fail-{image.digest[7:19]}" in client.tags(repository), client.tags(repository)
    assert daemon.status()["tags"]["unjudged"] == 0, json.dumps(daemon.status()["tags"])


run([test_a_sweep_that_is_killed_goes_on_where_it_was, test_where_listings_name_digests_nothing_else_is_asked,
     test_metrics_and_status_tell_of_a_sweep, test_a_label_that_was_taken_off_comes_back, test_tags_that_are_set_behind_the_api,
     test_what_is_written_to_the_storage_is_found])
