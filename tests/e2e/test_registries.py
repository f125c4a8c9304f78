#!/usr/bin/env python3
"""One scenario over real registries: docker-registry 2.8, distribution v3, zot. From a push, with the registry's own notifications, to
the verdict, quarantine and release, the removal of tags as each can, what no event announced, and undo."""
import harness
import images
import peers
from harness import wait_for

POLICY = """policy: e2e
mode: enforce
scope:
  repositories: ["**", "!quarantine/**"]
  tags: ["{tags}"]
rules:
  - rule: non-root
    severity: high
    on-fail: [{action}]
"""

# What each is found to be, and what it was seen to do after the scenarios.
TABLE = {
    "docker_registry": {"start": harness.Registry, "type": "distribution", "tagDelete": "no", "manifestDelete": "yes"},
    "distribution_v3": {"start": peers.DistributionV3, "type": "distribution", "tagDelete": "yes"},
    "zot": {"start": peers.Zot, "type": "zot", "tagDelete": "yes"},
}


# What regwarden-zot(7) says that the account needs.
ACCOUNTS = {"ci": ("pusher", ["read", "create", "update", "delete"]), "regwarden": ("robot", ["read", "create", "delete"])}


def start_with_accounts(bench):
    port = harness.free_port()
    registry = bench.add(peers.Zot(bench.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"),
                                   accounts=ACCOUNTS).start())
    password = bench.directory / "password"
    password.write_text("robot")
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, policy=POLICY.format(action="quarantine", tags="*"),
                                         port=port, settings={"username": "regwarden", "password-file": password}))
    daemon.start()
    return daemon, registry.client()


def start(bench, kind, action, tags="*", notifies=True):
    """(daemon, client) with a registry of the kind that tells the daemon."""
    port = harness.free_port()
    hook = (f"http://127.0.0.1:{port}/hooks/main", "s3cret") if notifies else None
    registry = bench.add(TABLE[kind]["start"](bench.subdirectory("registry"), hook=hook).start())
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, policy=POLICY.format(action=action, tags=tags),
                               port=port, settings={"sweep-interval": "1h"})
    bench.add(daemon)
    daemon.start()
    return daemon, registry.client()


def sweep(daemon):
    daemon.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})
    wait_for("the sweep", lambda: all(not s["running"] for s in daemon.status()["sweeping"]))
    daemon.wait_idle()


def client_of(daemon):
    return daemon.status()["registryClients"][0]


def quarantine_and_release(bench, kind, accounts=False):
    daemon, client = start_with_accounts(bench) if accounts else start(bench, kind, "quarantine")
    good, bad = images.good(), images.bad()
    client.push("team/app", good, "stable")
    client.push("team/app", bad, "broken")
    assert daemon.verdict("team/app", "stable")["verdict"] == "pass"
    assert daemon.verdict("team/app", "broken")["verdict"] == "fail"
    wait_for("quarantine", lambda: client.digest("team/app", "broken") is None)
    daemon.wait_idle()
    assert client.manifest("quarantine/team/app", "broken") == (bad.manifest, bad.digest)
    assert client.tags("team/app") == ["stable"] and client.digest("team/app", "stable") == good.digest

    plan = next(plan for plan in daemon.plans(kind="quarantine") if plan["tag"] == "broken")
    assert plan["state"] == "done", plan
    daemon.cli("quarantine", "release", str(plan["id"]))
    wait_for("the release", lambda: client.manifest("team/app", "broken") == (bad.manifest, bad.digest))
    daemon.wait_idle()
    sweep(daemon)
    assert client.digest("team/app", "broken") == bad.digest, "what an operator released is not taken away again"
    assert client.digest("team/app", "stable") == good.digest

    seen = client_of(daemon)
    expected = TABLE[kind]
    assert seen["type"] == expected["type"], seen
    for ability in ("tagDelete", "manifestDelete"):
        assert seen["abilities"][ability] == expected.get(ability, seen["abilities"][ability]), seen
    assert {seen["abilities"][name] for name in ("labels", "archive", "scanReports")} == {"no"}, seen


def shared_manifest(bench, kind):
    """An index moves with its child, and the same child elsewhere stays: zot, for one, refuses to delete what an index names."""
    daemon, client = start(bench, kind, "quarantine")
    bad = images.bad()
    client.push("quarantine/elsewhere", bad, "kept")
    client.push("team/app", images.good(), "other")
    index = images.Index([bad])
    client.push("team/app", index, "multi")
    daemon.wait_idle()
    wait_for("quarantine of the index", lambda: client.digest("team/app", "multi") is None)
    daemon.wait_idle()
    assert client.digest("quarantine/elsewhere", "kept") == bad.digest
    assert client.digest("quarantine/team/app", "multi") == index.digest
    assert client.digest("quarantine/team/app", bad.digest) == bad.digest


def tag_and_undo(bench, kind):
    daemon, client = start(bench, kind, "tag")
    bad = images.bad()
    client.push("team/app", bad, "v1")
    name = "policy-fail-" + bad.digest[7:19]
    wait_for("the tag", lambda: client.digest("team/app", name) == bad.digest)
    daemon.wait_idle()
    plan = next(plan for plan in daemon.plans(kind="tag") if plan["tag"] == "v1")
    daemon.cli("quarantine", "release", str(plan["id"]))
    wait_for("the tag to be gone", lambda: client.digest("team/app", name) is None)
    daemon.wait_idle()
    assert client.manifest("team/app", "v1") == (bad.manifest, bad.digest), "the image stays"
    assert client.tags("team/app") == ["v1"]


def sweep_finds_a_retag(bench, kind):
    """No event at all: the sweep finds images, tags that moved and tags that went."""
    daemon, client = start(bench, kind, "notify", notifies=False)
    good, bad = images.good(), images.bad()
    client.push("team/app", good, "v1")
    client.push("team/app", good, "v2")
    sweep(daemon)
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"
    client.push("team/app", bad, "v1")
    sweep(daemon)
    assert daemon.verdict("team/app", "v1", digest=bad.digest)["verdict"] == "fail"
    assert daemon.verdict("team/app", "v2")["verdict"] == "pass"
    client.delete("team/app", good.digest)
    assert client.tags("team/app") == ["v1"]
    sweep(daemon)
    assert {found["tag"] for found in daemon.verdicts(repository="team/app")} == {"v1"}


def remove_one_of_two_tags(bench, kind):
    """The other tag, which no policy looks at, keeps its image, whether the registry removes tags or manifests only."""
    daemon, client = start(bench, kind, "remove", tags="v*")
    bad, alone = images.bad("shared"), images.bad("alone")
    client.push("team/app", images.good(), "stable")
    client.push("team/app", bad, "kept")
    client.push("team/app", bad, "v1")
    client.push("team/app", alone, "v2")
    wait_for("the removal", lambda: client.tags("team/app") == ["kept", "stable"])
    daemon.wait_idle()
    assert client.manifest("team/app", "kept") == (bad.manifest, bad.digest)
    assert {plan["state"] for plan in daemon.plans(kind="remove")} == {"done"}
    sweep(daemon)
    assert client.tags("team/app") == ["kept", "stable"]


SCENARIOS = (quarantine_and_release, shared_manifest, tag_and_undo, sweep_finds_a_retag, remove_one_of_two_tags)


def case(kind, scenario):
    def test(bench):
        scenario(bench, kind)
    test.__name__ = f"test_{kind}_{scenario.__name__}"
    return test


def test_zot_with_accounts(bench):
    quarantine_and_release(bench, "zot", accounts=True)


harness.run([test_zot_with_accounts] + [case(kind, scenario) for kind in TABLE for scenario in SCENARIOS])
