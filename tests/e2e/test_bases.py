#!/usr/bin/env python3
"""What images are built on, against a real docker-registry: bases are added, followed and superseded, children are judged by their
layers, whatever they say."""
import json
import shutil
import subprocess

import harness
import images
from harness import wait_for

POLICY = """policy: bases
mode: audit
rules:
  - rule: base-known
    severity: high
  - rule: base-fresh
    severity: medium
    with: { grace: 0 }
  - rule: base-allowed
    severity: high
    with: { allow: ["127.0.0.1:*/base/**"], min-evidence: layers }
"""
# the pause before everything is judged again after a change of bases is never longer
EXTRA = "retry: { first: 200ms, max: 500ms }\n"


def base(seed, *more):
    return images.Image(files=[{"etc/base": seed.encode()}, *more])


def child(parent_seed, *more, annotations=None, config=None):
    """Begins with the layers of base(parent_seed)."""
    return images.Image(files=[{"etc/base": parent_seed.encode()}, *more, {"app": b"app\n"}], annotations=annotations,
                        config=config)


def rules_of(daemon, repository, tag, digest=None):
    verdict = daemon.verdict(repository, tag, digest=digest)
    return verdict["verdict"], {finding["rule"]: finding for finding in verdict["findings"]}


def wait_for_rules(daemon, repository, tag, wanted, seconds=60):
    """Until exactly these rules have findings."""
    return wait_for(f"findings of {sorted(wanted)} on {repository}:{tag}",
                    lambda: set(rules_of(daemon, repository, tag)[1]) == set(wanted) or None, seconds, 0.2)


def test_added_by_an_operator(bench):
    registry, daemon, client = bench.pair(policy=POLICY, extra=EXTRA)
    client.push("base/os", base("one"), "1")
    client.push("team/app", child("one"), "v1")
    _, before = rules_of(daemon, "team/app", "v1")
    assert {"base-known", "base-fresh"} <= set(before), before
    assert "no bases are known" in before["base-known"]["message"] or before["base-known"]["status"] == "unknown", before
    daemon.cli("base", "add", "main/base/os:1")
    wait_for_rules(daemon, "team/app", "v1", [])
    _, table = daemon.cli("base", "list")
    assert f"127.0.0.1:{registry.port}/base/os:1" in table, table

    # a claim that the layers contradict, and an image that is built on nothing known
    client.push("base/other", base("other"), "1")
    daemon.cli("base", "add", "main/base/other:1")
    lie = {"org.opencontainers.image.base.name": f"127.0.0.1:{registry.port}/base/other:1"}
    client.push("team/liar", child("one", annotations=lie), "v1")
    _, found = rules_of(daemon, "team/liar", "v1")
    assert set(found) == {"base-known"}, found
    assert "but its layers begin with those of" in found["base-known"]["message"], found
    client.push("team/alien", child("unheard of"), "v1")
    _, found = rules_of(daemon, "team/alien", "v1")
    assert found["base-known"]["status"] == "fail" and found["base-allowed"]["status"] == "unknown", found

    # the tag moves on, and the event of it is enough to notice
    client.push("base/os", base("two"), "1")
    wait_for_rules(daemon, "team/app", "v1", ["base-fresh"])
    _, found = rules_of(daemon, "team/app", "v1")
    assert "names another image" in found["base-fresh"]["message"], found
    whole = daemon.json(f"/api/v1/verdicts/{daemon.verdict('team/app', 'v1')['id']}")
    assert [finding["evidence"] for finding in whole["findings"]] == ["layers"], whole
    client.push("team/app", child("two"), "v2")
    assert rules_of(daemon, "team/app", "v2")[1] == {}

    daemon.cli("base", "remove", "main/base/os:1")
    wait_for_rules(daemon, "team/app", "v2", ["base-known", "base-fresh", "base-allowed"])
    status, text = daemon.cli("base", "remove", "main/base/os:1", check=False)
    assert status == 3 and "no such base" in text, (status, text)


def test_followed_by_the_configuration(bench):
    """Patterns; and a tag that moves without any event is seen at the next refresh. Bases outlive a restart."""
    registry, daemon, client = bench.pair(policy=POLICY,
                                          extra=EXTRA + "bases: [\"main/base/*:*\"]\nbase-refresh: 2s\n")
    index = images.Index([base("one"), images.Image(files=[{"etc/base": b"arm"}], platform="linux/arm64")])
    client.push("base/os", index, "1")
    client.push("other/os", base("elsewhere"), "1")
    client.push("team/app", child("one"), "v1")
    wait_for_rules(daemon, "team/app", "v1", [])
    document = daemon.json("/api/v1/bases")
    names = {name["name"] for one in document["bases"] for name in one["names"]}
    assert names == {f"127.0.0.1:{registry.port}/base/os:1"}, names
    assert len(document["bases"]) == 2 and document["bases"][0]["names"][0]["index"] == index.digest, document

    daemon.stop()
    client.push("base/os", base("two"), "1")  # nobody hears of it
    daemon.start()
    wait_for_rules(daemon, "team/app", "v1", ["base-fresh"])
    status, text = daemon.cli("base", "remove", "main/base/*:*", check=False)
    assert status == 2 and "followed by the configuration" in text, (status, text)


def test_what_is_refused(bench):
    _, daemon, client = bench.pair(policy=POLICY, extra=EXTRA)
    client.push("base/os", base("one"), "1")
    for reference, word in [("elsewhere.example/base/os:1", "configured registry"), ("main/base/os:2", "absent"),
                            ("main", "registry/repository:tag"), ("main/base/os@sha256:" + "0" * 64, "registry/repository:tag")]:
        status, text = daemon.cli("base", "add", reference, check=False)
        assert status in (2, 3), (reference, status, text)
        assert daemon.json("/api/v1/bases")["bases"] == [], reference
    status, body = daemon.request("POST", "/api/v1/bases", b"{}", {"Content-Type": "application/json"})
    assert status == 400 and b"reference" in body, (status, body)
    status, body = daemon.request("DELETE", "/api/v1/bases")
    assert status == 400, (status, body)


def test_check_with_a_catalogue(bench):
    """The daemon's catalogue, and one made without a daemon, serve `check`."""
    registry, daemon, client = bench.pair(policy=POLICY, extra=EXTRA)
    client.push("base/os", base("one"), "1")
    client.push("team/app", child("one"), "v1")
    daemon.cli("base", "add", f"127.0.0.1:{registry.port}/base/os:1")
    exported = daemon.directory / "exported.json"
    exported.write_text(daemon.cli("base", "list", "--json")[1])
    scanned = daemon.directory / "scanned.json"
    done = subprocess.run([harness.BINARY, "base", "scan", f"{registry.host}/base/os:1"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    scanned.write_text(done.stdout)
    for path in exported, scanned:
        done = subprocess.run([harness.BINARY, "check", "-p", str(daemon.policy_file), "--bases", str(path), "--no-layers", "-o", "json",
                               f"{registry.host}/team/app:v1"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done
        result = json.loads(done.stdout)["results"][0]
        assert result["facts"]["base"]["name"] == f"{registry.host}/base/os:1", result["facts"]
        assert result["facts"]["base"]["evidence"] == "layers", result["facts"]
    scanned.write_text("{}")
    done = subprocess.run([harness.BINARY, "check", "--bases", str(scanned), f"{registry.host}/team/app:v1"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 2 and "base scan" in done.stderr, done


def test_built_by_buildah(bench):
    """buildah with --layers annotates the digest of an intermediate image."""
    harness.need("buildah")
    registry, daemon, client = bench.pair(policy=POLICY + "    on-unknown: warn\n", extra=EXTRA)
    client.push("base/os", base("one"), "1")
    daemon.cli("base", "add", "main/base/os:1")
    context = bench.subdirectory("context")
    (context / "Dockerfile").write_text(f"FROM {registry.host}/base/os:1\nCOPY a /a\nCOPY b /b\nLABEL x=y\n")
    for name in "ab":
        (context / name).write_text(name)
    buildah = ["buildah", "--root", str(bench.directory / "root"), "--runroot", str(bench.directory / "run"), "--storage-driver", "vfs"]
    name = f"{registry.host}/team/built:v1"
    build = subprocess.run([*buildah, "bud", "--isolation", "chroot", "--tls-verify=false", "--layers", "-t", name, str(context)],
                           capture_output=True, text=True, timeout=300)
    if build.returncode:
        raise harness.Skip(f"buildah cannot build here: {build.stderr[-200:]}")
    subprocess.run([*buildah, "push", "--tls-verify=false", name], check=True, capture_output=True, timeout=300)
    shutil.rmtree(bench.directory / "root", ignore_errors=True)
    _, found = rules_of(daemon, "team/built", "v1")
    assert found == {}, found


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
