#!/usr/bin/env python3
"""The world fails, and nothing is lost, nothing passes by mistake and memory stays bounded."""
import concurrent.futures
import json
import signal
import time

import faults
import harness
import images
from faults import event, post, post_one
from harness import wait_for

QUICK = "retry: {first: 100ms, max: 300ms, give-up: 3s}"
AUDIT = harness.POLICY.format(mode="audit", actions="[tag]")
ONLY_EVENTS = {"sweep-interval": "0"}


# --- a full disk ---

def fill_and_recover(bench, daemon, client, disk):
    client.push("team/app", images.good("before"), "before")
    daemon.verdict("team/app", "before")
    digest = images.good("before").digest
    disk.fill()
    taken, refused = [], 0
    for number in range(4000):  # the store still has room inside its files
        status, headers, data = post(daemon, [event("by/hand", f"full{number}", digest)])
        if status == 202:
            taken.append(f"full{number}")
            refused = 0
            continue
        assert status == 503 and int(headers["Retry-After"]) > 0, (status, headers.items(), data)
        refused += 1
        if refused == 20:
            break
    assert refused == 20, f"the disk never was full: {len(taken)} events taken"
    pushed = [f"pushed{number}" for number in range(5)]  # the registry tries again until it may
    for tag in pushed:
        client.push("team/app", images.good(tag), tag)
    time.sleep(2)
    assert daemon.get("/healthz")[0] == 200
    assert daemon.process.child.poll() is None
    disk.empty()
    for tag in pushed:
        daemon.verdict("team/app", tag, 60)
    daemon.wait_idle(90)
    judged = {tag for repository, tag in faults.judged(daemon) if repository == "by/hand"}
    assert set(taken) <= judged, sorted(set(taken) - judged)[:10]
    assert post(daemon, [event("by/hand", "after", digest)])[0] == 202
    daemon.wait_idle()
    assert faults.read(daemon, "PRAGMA integrity_check") == [("ok",)]
    print(f"    {len(taken)} events were taken while the disk was filling up", flush=True)


def test_full_disk(bench):
    port = harness.free_port()
    registry = harness.Registry(bench.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"))
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, policy=AUDIT, port=port, extra=QUICK,
                               settings=ONLY_EVENTS)
    disk = bench.add(faults.SmallDisk(daemon.state, "4m"))
    bench.add(registry).start()
    bench.add(daemon).start()
    fill_and_recover(bench, daemon, registry.client(), disk)


def test_file_size_limit(bench):
    """The same without root: writes fail with EFBIG."""
    _, daemon, client = bench.pair(policy=AUDIT, extra=QUICK, settings=ONLY_EVENTS)
    fill_and_recover(bench, daemon, client, faults.FileSizeLimit(daemon))


# --- a registry that is not there ---

def test_unreachable_registry(bench):
    """Not there at start, there, gone again, there again: events stay open, status tells, everything is judged."""
    registry = harness.Registry(bench.subdirectory("registry"))
    bench.add(registry).start()
    client = registry.client()
    first, second = images.good("first"), images.bad("second")
    client.push("team/app", first, "first")
    client.push("team/app", second, "second")
    registry.stop()
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, policy=AUDIT,
                                         extra="retry: {first: 100ms, max: 300ms}", settings=ONLY_EVENTS)).start()
    assert daemon.get("/readyz")[0] == 200, "who cannot take events while a registry is down loses them"
    post_one(daemon, "main", "team/app", "first", first.digest)
    wait_for("status to tell", lambda: not daemon.status()["registryClients"][0]["reachable"])
    time.sleep(2)
    status = daemon.status()
    assert status["events"]["open"] == 1 and not daemon.verdicts(), status
    assert "unreachable" in daemon.cli("status")[1] or "not reachable" in daemon.cli("status")[1], daemon.cli("status")[1]
    registry.start()
    assert daemon.verdict("team/app", "first", 60)["verdict"] == "pass"
    registry.stop()
    post_one(daemon, "main", "team/app", "second", second.digest)
    wait_for("status to tell", lambda: not daemon.status()["registryClients"][0]["reachable"])
    assert daemon.status()["events"]["open"] == 1
    assert daemon.verdict("team/app", "first")["verdict"] == "pass", "the verdict in force stays"
    registry.start()
    assert daemon.verdict("team/app", "second", 60)["verdict"] == "fail"
    wait_for("status to tell", lambda: daemon.status()["registryClients"][0]["reachable"])
    assert not daemon.json("/api/v1/dead-letters")["items"]


# --- registries that lie ---

# What becomes of an image and of an index there, and what the finding says. "letter": given up as dead letter, and recorded as
# unknown; "gone": recorded as not there.
SCENARIOS = {
    "wrong-digest": ("fail", "fail", "does not match its digest"),
    "wrong-digest-header": ("fail", "fail", "Docker-Content-Digest"),
    "small-blob": ("fail", "fail", "its descriptor says"),
    "type-mismatch": ("fail", "fail", "was served as"),
    "schema1": ("fail", "fail", "schema 1"),
    "endless-body": ("fail", "fail", "larger than 4 MiB"),
    "endless-error": ("letter", "letter", "registry liar"),
    "manifest-too-big": ("fail", "fail", "larger than 4 MiB"),
    "short-body": ("letter", "letter", "registry liar"),
    "silent": ("letter", "letter", "does not answer"),
    "failing-always": ("letter", "letter", "does not answer"),
    "reset-always": ("letter", "letter", "does not answer"),
    "html-error": ("letter", "letter", "answered 401"),
    "odd-error": ("letter", "letter", "answered 403"),
    "redirect-loop": ("letter", "letter", "redirects"),
    "redirect-many": ("letter", "letter", "redirects"),
    "redirect-strange": ("letter", "letter", "redirects"),
    "child-gone": ("pass", "unknown", "answered 404"),
    "config-gone": ("unknown", "unknown", ""),
    "redirect-other": ("pass", "pass", ""),
    "throttled": ("pass", "pass", ""),
    "failing-twice": ("pass", "pass", ""),
    "reset": ("pass", "pass", ""),
    "no-type": ("pass", "pass", ""),
    "type-parameters": ("pass", "pass", ""),
}
MORE_TAGS = {"lying-index": ("lying", "fail"), "crowded-index": ("crowded", "fail"), "nested-index": ("nested", "fail"),
             "full-index": ("full", "pass"), "artifact-child": ("mixed", "pass")}


def with_password(directory):
    (directory / "password").write_text("correct horse\n")
    return {**ONLY_EVENTS, "timeout": "1s", "username": "robot", "password-file": directory / "password"}


def look_at(daemon, stub, name, directory):
    """Returns what was expected and did not come."""
    wrong = []
    found = {verdict["tag"]: verdict for verdict in daemon.verdicts(registry="liar")}
    letters = daemon.json("/api/v1/dead-letters?limit=100")["items"]
    if name in MORE_TAGS:
        tag, expected = MORE_TAGS[name]
        if found[tag]["verdict"] != expected or (expected != "pass" and not found[tag]["findings"]):
            wrong.append(f"{name} {tag}: {found[tag]}")
        return wrong
    *expected, text = SCENARIOS[name]
    for tag, outcome in zip(("v1", "multi"), expected):
        verdict = found[tag]
        said = " ".join(finding["message"] for finding in verdict["findings"])
        if verdict["verdict"] != ("unknown" if outcome == "letter" else outcome):
            wrong.append(f"{name} {tag}: {verdict['verdict']} {said}")
        if outcome != "pass" and (not said or text not in said):
            wrong.append(f"{name} {tag}: the finding says {said!r}")
        if outcome == "letter" and not any(letter["registry"] == "liar" for letter in letters):
            wrong.append(f"{name} {tag}: no dead letter")
    elsewhere = [request for request in stub.requests() if request["at"] == "other"]
    if any(request["authorization"] for request in elsewhere) or (name == "redirect-other") != bool(elsewhere):
        wrong.append(f"{name}: {elsewhere}")
    return wrong


def ask_liar(directory, name, fine):
    """One daemon for one liar, beside a registry that does as it should: facts are shared between registries by digest."""
    directory.mkdir()
    stub = faults.Stub(directory, name)
    daemon = harness.Regwarden(directory, {"liar": stub, "fine": fine}, policy=AUDIT, extra=QUICK,
                               settings=with_password(directory))
    try:
        daemon.start()
        post_one(daemon, "liar", "app", "v1", stub.values["image"])
        post_one(daemon, "liar", "app", "multi", stub.values["index"], media_type=images.OCI_INDEX)
        if name in MORE_TAGS:
            post_one(daemon, "liar", "app", MORE_TAGS[name][0], media_type=images.OCI_INDEX)
        post_one(daemon, "fine", "team/app", "v1", images.good("fine").digest)
        assert daemon.verdict("team/app", "v1", 10)["verdict"] == "pass"
        daemon.wait_idle(60)
        assert "\x1b" not in daemon.process.text(), "a registry's words reach the log as they came"
        if not faults.SANITIZED:
            assert daemon.process.peak_rss_kib() < faults.MEMORY_MAX_KIB, daemon.process.peak_rss_kib()
        return look_at(daemon, stub, name, directory)
    finally:
        daemon.stop()
        stub.stop()


def test_lying_registries(bench):
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    registry.client().push("team/app", images.good("fine"), "v1")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask_liar, bench.directory / name, name, registry) for name in [*SCENARIOS, *MORE_TAGS]]
    wrong = [line for answer in asked for line in answer.result()]
    assert not wrong, "\n".join(wrong)


def test_slow_registry_beside_others(bench):
    """A registry that sends a byte now and then keeps none of the others waiting, and is given up in the end."""
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    registry.client().push("team/app", images.good("fine"), "v1")
    stub = bench.add(faults.Stub(bench.subdirectory("stub"), "slow-body"))
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"slow": stub, "fine": registry}, policy=AUDIT,
                                         extra=QUICK, settings={**ONLY_EVENTS, "timeout": "1s"})).start()
    for number in range(100):
        post_one(daemon, "slow", "app", f"t{number}", stub.values["image"])
    post_one(daemon, "fine", "team/app", "v1", images.good("fine").digest)
    assert daemon.verdict("team/app", "v1", 15)["verdict"] == "pass"
    assert daemon.status()["events"]["open"] == 100


def test_dead_letter_is_judged_again(bench):
    """What was given up is judged as soon as it is asked for again and can be had: unknown is no verdict to repeat."""
    stub = bench.add(faults.Stub(bench.subdirectory("stub"), "failing-until-told"))
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": stub}, policy=AUDIT, extra=QUICK,
                                         settings=ONLY_EVENTS)).start()
    post_one(daemon, "main", "app", "v1", stub.values["image"])
    assert daemon.verdict("app", "v1")["verdict"] == "unknown"
    letters = daemon.json("/api/v1/dead-letters")["items"]
    assert [letter["kind"] for letter in letters] == ["event"], letters
    stub.record.with_name(stub.record.name + ".up").touch()

    def judged_again():  # the registry may count as down a little longer than an event is kept trying here
        for letter in daemon.json("/api/v1/dead-letters")["items"]:
            daemon.cli("dead-letters", "retry", str(letter["id"]))
        return daemon.verdict("app", "v1")["verdict"] == "pass"
    wait_for("the verdict", judged_again, 60, 2)
    assert not daemon.json("/api/v1/dead-letters")["items"]


def test_stop_gives_nothing_up(bench):
    """A request that our own stop has ended says nothing about the image: its event stays open, however old it is."""
    stub = bench.add(faults.Stub(bench.subdirectory("stub"), "silent"))
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": stub}, policy=AUDIT,
                                         extra="retry: {first: 100ms, max: 1s, give-up: 1s}", settings=ONLY_EVENTS)).start()
    post_one(daemon, "main", "app", "v1", stub.values["image"])
    time.sleep(2)
    assert daemon.stop() == 0
    assert faults.read(daemon, "SELECT count(*) FROM open_events") == [(1,)]
    assert faults.read(daemon, "SELECT count(*) FROM dead_letters") == [(0,)]
    assert not faults.judged(daemon)


def fat_manifest(number, values, text):
    """Just legal, out of what costs a reader most."""
    layer = {"mediaType": images.OCI_LAYER, "digest": "sha256:" + "0" * 64, "size": 0}
    manifest = {"schemaVersion": 2, "mediaType": images.OCI_MANIFEST, "n": number,
                "config": {"mediaType": images.OCI_CONFIG, "digest": "sha256:" + "1" * 64, "size": 4 << 20},
                "layers": [layer] * 100, "x": [{}] * values, "y": "a" * text}
    return json.dumps(manifest, separators=(",", ":")).encode()


def test_memory_under_hostile_bodies(bench):
    """Manifests without end, of too many values, of as many as may be, and of as many bytes as may be; each leads to a config
    without end."""
    fat = bench.add(faults.FatRegistry())
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": fat}, policy=AUDIT, extra=QUICK,
                                         settings=ONLY_EVENTS)).start()
    digests = [images.digest_of(str(number).encode()) for number in range(100)]
    digests += [fat.add(fat_manifest(number, 199000, 0)) for number in range(30)]
    digests += [fat.add(fat_manifest(number, 49000, 0)) for number in range(100)]
    digests += [fat.add(fat_manifest(number, 0, 4 * 1000 * 1000)) for number in range(30)]
    assert post(daemon, [event("team/app", f"t{number}", digest) for number, digest in enumerate(digests)])[0] == 202
    daemon.wait_idle(120)
    verdicts = daemon.verdicts()
    assert len(verdicts) == len(digests) and {verdict["verdict"] for verdict in verdicts} == {"fail"}
    faults.check_memory(daemon)


# --- connections that break ---

def test_cut_connections(bench):
    """Every third connection breaks in the middle of an answer, the others after a while: everything is judged and moved."""
    port = harness.free_port()
    registry = harness.Registry(bench.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"))
    proxy = bench.add(faults.CuttingProxy(registry.port, [4000, 100, 20000, 900, 6000, 30]))
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": proxy}, port=port, settings=ONLY_EVENTS,
                               extra="retry: {first: 100ms, max: 1s}")
    bench.add(registry).start()
    bench.add(daemon).start()
    client = registry.client()
    made = {}
    for number in range(40):
        made[f"t{number}"] = (images.bad if number % 4 == 0 else images.good)(f"cut {number}")
        client.push(f"team/app{number % 5}", made[f"t{number}"], f"t{number}")
    wait_for("everything to be judged", lambda: len(faults.judged(daemon)) == len(made), 90)
    daemon.wait_idle(120)
    assert proxy.cuts >= 10, f"only {proxy.cuts} connections were cut"
    for number, (tag, image) in enumerate(made.items()):
        repository, violates = f"team/app{number % 5}", number % 4 == 0
        assert faults.judged(daemon)[repository, tag] == (image.digest, "fail" if violates else "pass")
        assert client.digest(repository, tag) == (None if violates else image.digest), (repository, tag)
        if violates:
            assert client.manifest("quarantine/" + repository, tag) == (image.manifest, image.digest)
    assert not daemon.json("/api/v1/dead-letters")["items"]
    print(f"    {proxy.accepted} connections, {proxy.cuts} of them cut", flush=True)


# --- a flood ---

def test_flood(bench):
    """20 000 events in envelopes of a thousand, about few images: memory stays bounded, every event is finished."""
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    client = registry.client()
    made = [(images.bad if number % 2 else images.good)(f"flood {number}") for number in range(10)]
    for number, image in enumerate(made):
        client.push("team/app", image, f"t{number}")
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, policy=AUDIT,
                                         settings=ONLY_EVENTS)).start()
    begun = time.monotonic()
    for envelope in range(20):
        events = [event("team/app", f"v{envelope * 1000 + number}", made[number % 10].digest) for number in range(1000)]
        while (answer := post(daemon, events))[0] == 503:
            time.sleep(float(answer[1]["Retry-After"]))
        assert answer[0] == 202, answer
    daemon.wait_idle(300)
    print(f"    {time.monotonic() - begun:.1f} s", flush=True)
    found = faults.judged(daemon)
    assert len(found) == 20000
    for number in range(20000):
        image = made[number % 10]
        assert found["team/app", f"v{number}"] == (image.digest, "fail" if number % 2 else "pass")
    faults.check_memory(daemon)


# --- killed in the middle of a quarantine ---

def test_killed_at_each_write(bench):
    """kill -9 while the n-th write of a quarantine is under way, before and after the registry carried it out."""
    port = harness.free_port()
    registry = harness.Registry(bench.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"))
    proxy = bench.add(faults.StallingProxy(registry.port))
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": proxy}, port=port, settings=ONLY_EVENTS)
    bench.add(registry).start()
    bench.add(daemon).start()
    kills = 0
    for after in (False, True):
        number = 1
        while kill_at(daemon, registry, proxy, number, after):
            number += 1
            kills += 1
    assert kills >= 8, kills
    print(f"    {kills} kills", flush=True)


def kill_at(daemon, registry, proxy, number, after):
    """False when a quarantine has fewer writes than that."""
    client = registry.client()
    repository = f"kill/{'after' if after else 'before'}{number}"
    kept, image = images.good(f"kept {repository}"), images.bad(f"moved {repository}")
    client.push(repository, kept, "stable")
    daemon.verdict(repository, "stable")
    proxy.arm(number, after)
    client.push(repository, image, "broken")
    moved = lambda: (client.digest(repository, "broken") is None  # noqa: E731
                     and client.digest("quarantine/" + repository, "broken") == image.digest)
    wait_for("the write to be held back, or the end", lambda: proxy.stalled.is_set() or len(daemon.plans(
        kind="quarantine", state="done", repository=repository)), 30)
    stalled = proxy.stalled.is_set()
    if stalled:
        daemon.process.child.send_signal(signal.SIGKILL)
        daemon.process.child.wait()
        proxy.arm(0, False)
        daemon.start()
    wait_for(f"the quarantine to end after a kill at write {number}", moved, 30)
    daemon.wait_idle()
    assert client.manifest("quarantine/" + repository, "broken") == (image.manifest, image.digest)
    for digest in image.blobs:
        assert client.request("HEAD", f"/v2/quarantine/{repository}/blobs/{digest}")[0] == 200, digest
    assert client.tags(repository) == ["stable"] and client.manifest(repository, "stable") == (kept.manifest, kept.digest)
    assert client.tags("quarantine/" + repository) == ["broken"]
    plans = [plan["state"] for plan in daemon.plans(kind="quarantine", repository=repository)]
    assert plans == ["done"], plans
    return stalled


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
