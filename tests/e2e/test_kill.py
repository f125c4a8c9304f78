#!/usr/bin/env python3
"""Nothing is lost: the daemon killed again and again under load, and a registry that loses its queue."""
import random
import signal
import sqlite3
import threading
import time

import harness
import images
from harness import wait_for

PUSHES = 1000
KILLS = 20


def push_all(client, wanted, failures):
    """One violator in ten; each image is its own digest."""
    for number in range(PUSHES):
        make = images.bad if number % 10 == 0 else images.good
        image = make(f"image {number}")
        repository, tag = f"load/app{number % 7}", f"t{number}"
        try:
            client.push(repository, image, tag)
            wanted[(repository, tag)] = image
        except Exception as failure:  # noqa: BLE001 - reported by the test
            failures.append(failure)


def test_kill_nine(bench):
    """kill -9 of the daemon 20 times during 1 000 pushes: every tag ends up judged, no violator is acted on twice."""
    _, daemon, client = bench.pair()
    wanted, failures = {}, []
    pusher = threading.Thread(target=push_all, args=(client, wanted, failures))
    pusher.start()
    kills = 0
    while kills < KILLS:
        time.sleep(random.uniform(0.2, 0.9))
        daemon.process.child.send_signal(signal.SIGKILL)
        daemon.process.child.wait()
        kills += 1
        daemon.start()
    pusher.join()
    assert not failures and len(wanted) == PUSHES, failures[:3]
    everything_is_judged(daemon, client, wanted)


def everything_is_judged(daemon, client, wanted):
    def unjudged():
        rows = database(daemon)
        return [place for place in wanted if place not in rows] or ["none"]
    wait_for("every event to arrive", lambda: unjudged() == ["none"], 120, 0.5)
    daemon.wait_idle(120)
    rows = database(daemon)
    for (repository, tag), image in wanted.items():
        digest, status = rows[(repository, tag)]
        assert digest == image.digest and status == ("fail" if "NPM_TOKEN" in str(image.blobs) else "pass"), (repository, tag, status)
    done = quarantines(daemon)
    assert set(done.values()) == {1}, {place: count for place, count in done.items() if count != 1}
    violators = [place for place, image in wanted.items() if rows[place][1] == "fail"]
    assert sorted(done) == sorted(violators), [plan for plan in daemon.plans(kind="quarantine") if plan["state"] != "done"]
    for repository, tag in violators:
        assert client.digest("quarantine/" + repository, tag) == wanted[(repository, tag)].digest
        assert client.digest(repository, tag) is None
    assert read(daemon, "PRAGMA integrity_check") == [("ok",)]


STATUS = {0: "pass", 1: "warn", 2: "unknown", 3: "fail"}


def read(daemon, sql):
    connection = sqlite3.connect(f"file:{daemon.state}/regwarden.db?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def database(daemon):
    """(repository, tag) -> (digest, verdict), of every placement that was ever judged, gone or not."""
    rows = read(daemon, "SELECT p.repository, p.tag, hex(v.digest), v.status FROM verdicts v JOIN placements p"
                        " ON p.id = v.placement_id WHERE p.tag <> '' ORDER BY v.id")
    return {(repository, tag): ("sha256:" + digest[-64:].lower(), STATUS[status]) for repository, tag, digest, status in rows}


def quarantines(daemon):
    """(repository, tag) -> how many quarantines were done."""
    return dict(((row[0], row[1]), row[2]) for row in read(
        daemon, "SELECT p.repository, p.tag, count(*) FROM plans a JOIN placements p ON p.id = a.placement_id"
                " WHERE a.kind = 7 AND a.state = 1 GROUP BY p.id"))


def test_registry_loses_its_queue(bench):
    """The registry keeps undelivered notifications in memory only: its restart is noticed, and a sweep finds what they were about."""
    registry, daemon, client = bench.pair()
    client.push("team/app", images.good("first"), "first")
    daemon.verdict("team/app", "first")
    daemon.stop()
    lost = [f"lost{number}" for number in range(20)]
    for tag in lost:
        client.push("team/app", images.good(tag), tag)
    registry.stop()
    daemon.start()
    registry.start()
    client = registry.client()
    client.push("team/app", images.good("after"), "after")  # carries a new source.instanceID
    for tag in [*lost, "after"]:
        daemon.verdict("team/app", tag, 60)
    tags = daemon.status()["tags"]
    assert tags["judged"] == tags["known"] == 22, tags


def test_clean_stop_loses_nothing(bench):
    """SIGTERM in the middle of a burst: what was answered 2xx is judged by the next start, without a sweep."""
    _, daemon, client = bench.pair(settings={"sweep-interval": "0"})
    for number in range(60):
        client.push("team/app", images.good(f"{number}"), f"t{number}")
    assert daemon.stop() == 0
    daemon.start()
    for number in range(60):
        daemon.verdict("team/app", f"t{number}")


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
