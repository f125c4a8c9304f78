#!/usr/bin/env python3
"""Sweeps of registries with many tags: how much is asked, and what is found; killed half-way they go on where they were."""
import time

from harness import run, wait_for
from sweeping import ManyTags, Sweeper

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


run([test_a_sweep_that_is_killed_goes_on_where_it_was, test_where_listings_name_digests_nothing_else_is_asked,
     test_metrics_and_status_tell_of_a_sweep])
