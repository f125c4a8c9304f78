#!/usr/bin/env python3
"""The way of an event against a real docker-registry: push, judge, record, act, undo."""
import json
import subprocess

import harness
import images
from harness import wait_for


def test_single_image(bench):
    _, daemon, client = bench.pair()
    client.push("team/good", images.good(), "v1")
    client.push("team/bad", images.bad(), "v1")
    assert daemon.verdict("team/good", "v1")["verdict"] == "pass"
    verdict = daemon.verdict("team/bad", "v1")
    assert verdict["verdict"] == "fail", verdict
    rules = {finding["rule"] for finding in verdict["findings"]}
    assert rules == {"non-root", "secrets"}, rules
    assert "npm_" + "0" not in json.dumps(verdict) and images.bad().digest == verdict["digest"]


def test_quarantine_and_release(bench):
    _, daemon, client = bench.pair()
    bad, good = images.bad(), images.good()
    client.push("team/app", good, "stable")
    client.push("team/app", bad, "broken")
    wait_for("quarantine", lambda: client.digest("team/app", "broken") is None)
    daemon.wait_idle()
    manifest, digest = client.manifest("quarantine/team/app", "broken")
    assert digest == bad.digest and manifest == bad.manifest
    assert client.digest("team/app", "stable") == good.digest and client.tags("team/app") == ["stable"]
    plan = next(plan for plan in daemon.plans(kind="quarantine") if plan["tag"] == "broken")
    assert plan["state"] == "done", plan
    daemon.cli("quarantine", "release", str(plan["id"]))
    assert client.digest("team/app", "broken") == bad.digest
    assert client.manifest("team/app", "broken")[0] == bad.manifest
    assert client.digest("team/app", "stable") == good.digest
    daemon.wait_idle()
    daemon.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})
    wait_for("the sweep", lambda: all(not s["running"] for s in daemon.status()["sweeping"]))
    daemon.wait_idle()
    assert client.digest("team/app", "broken") == bad.digest, "what an operator released is not taken away again"


def test_rollback_of_a_moved_tag(bench):
    """Where a tag cannot be deleted, a tag that moved to a violator goes back to what it last passed with."""
    _, daemon, client = bench.pair(delete=False)
    good, bad = images.good(), images.bad()
    client.push("team/app", good, "v1")
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"
    client.push("team/app", bad, "v1")
    wait_for("the tag to be put back", lambda: client.digest("team/app", "v1") == good.digest)
    daemon.wait_idle()
    assert client.digest("quarantine/team/app", "v1") == bad.digest


def test_index(bench):
    _, daemon, client = bench.pair()
    mixed = images.Index([images.good(platform="linux/amd64"), images.bad(platform="linux/arm64")])
    fine = images.Index([images.good("a", platform="linux/amd64"), images.good("b", platform="linux/arm64")])
    client.push("team/multi", fine, "fine")
    assert daemon.verdict("team/multi", "fine")["verdict"] == "pass"
    client.push("team/multi", mixed, "mixed")
    verdict = daemon.verdict("team/multi", "mixed", digest=mixed.digest)
    assert verdict["verdict"] == "fail"
    assert {finding["platform"] for finding in verdict["findings"]} == {"linux/arm64"}, verdict["findings"]
    wait_for("quarantine of the index", lambda: client.digest("team/multi", "mixed") is None)
    daemon.wait_idle()
    assert client.digest("quarantine/team/multi", "mixed") == mixed.digest
    for child in mixed.children:
        assert client.digest("quarantine/team/multi", child.digest) == child.digest
    assert client.digest("team/multi", "fine") == fine.digest
    for child in fine.children:
        assert client.digest("team/multi", child.digest) == child.digest


def test_retag_and_repush(bench):
    _, daemon, client = bench.pair()
    good = images.good()
    client.push("team/app", good, "v1")
    daemon.verdict("team/app", "v1")
    before = daemon.status()
    client.push("team/app", good, "v1")
    client.push("team/app", good, "v2")
    assert daemon.verdict("team/app", "v2")["digest"] == good.digest
    daemon.wait_idle()
    assert len([v for v in daemon.verdicts(repository="team/app") if v.get("tag")]) == 2
    assert before["tags"]["judged"] == 1 and daemon.status()["tags"]["judged"] == 2
    assert "regwarden_reviews_repeated_total 1" in daemon.get("/metrics")[1].decode()


def test_moved_tag(bench):
    _, daemon, client = bench.pair(policy=harness.POLICY.format(mode="audit", actions="[quarantine]"))
    first, second = images.good("one"), images.bad("two")
    client.push("team/app", first, "v1")
    daemon.verdict("team/app", "v1", digest=first.digest)
    client.push("team/app", second, "v1")
    verdict = daemon.verdict("team/app", "v1", digest=second.digest)
    assert verdict["verdict"] == "fail"
    daemon.wait_idle()
    assert client.digest("team/app", "v1") == second.digest, "audit mode changes nothing"
    assert all(plan["state"] == "would" for plan in daemon.plans() if plan["kind"] != "notify")
    history = daemon.json("/api/v1/history?registry=main&repository=team/app&tag=v1")["items"]
    assert [entry["verdict"] for entry in history] == ["fail", "pass"], history


def test_delete(bench):
    _, daemon, client = bench.pair()
    good = images.good()
    client.push("team/app", good, "v1")
    daemon.verdict("team/app", "v1")
    assert client.delete("team/app", good.digest) == 202
    wait_for("the placement to be gone", lambda: not daemon.verdicts(repository="team/app"))
    client.push("team/app", good, "v1")
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"


def test_shared_digest_is_kept(bench):
    """docker-registry 2.8 deletes by digest only: of a violator that another tag needs only the tag goes."""
    policy = harness.POLICY.format(mode="enforce", actions="[quarantine]").replace('"!quarantine/**"]', '"!quarantine/**"]\n  tags: ["v1"]')
    _, daemon, client = bench.pair(policy=policy)
    bad = images.bad()
    client.push("team/app", bad, "keep")
    client.push("team/app", bad, "v1")
    daemon.verdict("team/app", "v1")
    daemon.wait_idle()
    plan = daemon.plans(kind="quarantine")[0]
    assert plan["state"] == "done" and plan["undo"]["means"] == "tag-replaced", plan
    assert client.tags("team/app") == ["keep"] and client.digest("team/app", "keep") == bad.digest
    wait_for("the tag to be recorded as gone", lambda: not daemon.verdicts(repository="team/app", tag="v1"))
    daemon.cli("quarantine", "release", str(plan["id"]))
    assert client.digest("team/app", "v1") == client.digest("team/app", "keep") == bad.digest


def test_sweep_finds_what_was_there(bench):
    registry = harness.Registry(bench.subdirectory("registry"))
    bench.add(registry).start()
    client = registry.client()
    old = images.bad()
    client.push("old/app", old, "v1")
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": registry})).start()
    assert daemon.verdict("old/app", "v1")["verdict"] == "fail"
    daemon.wait_idle()
    assert client.digest("old/app", "v1") == old.digest, "what stood there before us is reported, not moved"
    tags = daemon.status()["tags"]
    assert tags["judged"] == tags["known"] == 1, tags
    client.push("old/app", images.good(), "v2")
    daemon.cli("sweep")
    assert daemon.verdict("old/app", "v2")["verdict"] == "pass"


def test_basic_authentication(bench):
    harness.need("htpasswd")
    directory = bench.subdirectory("auth")
    passwords = directory / "htpasswd"
    passwords.write_text(subprocess.run(["htpasswd", "-Bbn", "user", "pass word"], check=True, capture_output=True,
                                        text=True).stdout)
    (directory / "password").write_text("pass word\n")
    _, daemon, _ = bench.pair(htpasswd=passwords, settings={"username": "user", "password-file": directory / "password"})
    registry_url = json.loads((bench.directory / "registry" / "registry.yml").read_text())["http"]["addr"]
    client = images.Client("http://" + registry_url, ("user", "pass word"))
    client.push("team/good", images.good(), "v1")
    assert daemon.verdict("team/good", "v1")["verdict"] == "pass"
    assert daemon.verdicts(repository="team/good")[0]["pusher"] == "user"
    client.push("team/bad", images.bad(), "v1")
    wait_for("quarantine", lambda: client.digest("quarantine/team/bad", "v1"))


def make_certificate(directory, name, ca=None):
    """Returns (certificate, key); self-signed when ca is None."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.crt"
    extension = directory / f"{name}.ext"
    extension.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n" if ca else "basicConstraints=critical,CA:TRUE\n")
    request = directory / f"{name}.csr"
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", request, "-subj", f"/CN={name}"], check=True, capture_output=True)
    signer = ["-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial"] if ca else ["-signkey", key]
    subprocess.run(["openssl", "x509", "-req", "-in", request, *signer, "-days", "2", "-extfile", extension, "-out",
                    certificate], check=True, capture_output=True)
    return certificate, key


def test_tls(bench):
    harness.need("openssl")
    directory = bench.subdirectory("tls")
    ca = make_certificate(directory, "ca")
    server = make_certificate(directory, "server", ca)
    registry, daemon, _ = bench.pair(tls=server, settings={"ca-file": ca[0]})
    client = registry.client(ca=str(ca[0]))
    client.push("team/good", images.good(), "v1")
    assert daemon.verdict("team/good", "v1")["verdict"] == "pass"


def test_token_authentication(bench):
    harness.need("openssl")
    import token_server
    directory = bench.subdirectory("token")
    certificate, key = make_certificate(directory, "issuer")
    server = bench.add(token_server.TokenServer(certificate, key, {"daemon": "token pass", "pusher": "x"}))
    (directory / "password").write_text("token pass\n")
    registry, daemon, _ = bench.pair(
        token={"realm": server.url, "service": "test", "issuer": "issuer", "rootcertbundle": str(certificate)},
        settings={"username": "daemon", "password-file": directory / "password"})
    client = registry.client()
    client.headers["Authorization"] = "Bearer " + server.issue("pusher", [
        {"type": "repository", "name": "team/bad", "actions": ["pull", "push"]}])
    client.push("team/bad", images.bad(), "v1")
    assert daemon.verdict("team/bad", "v1")["verdict"] == "fail"
    daemon.wait_idle()
    assert daemon.plans(kind="quarantine")[0]["state"] == "done", daemon.plans()
    assert server.asked, "the daemon asked for tokens"


def test_skopeo_and_buildah(bench):
    """Images as real tools make and push them."""
    skopeo, buildah = harness.need("skopeo"), harness.need("buildah")
    registry, daemon, client = bench.pair(policy=harness.POLICY.format(mode="audit", actions="[tag]"))
    context = bench.subdirectory("context")
    (context / "app").write_text("hello\n")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY app /app\nUSER 1000:1000\nENTRYPOINT [\"/app\"]\n")
    storage = ["--root", str(bench.directory / "storage"), "--runroot", str(bench.directory / "run"), "--storage-driver", "vfs"]
    built = subprocess.run([buildah, *storage, "bud", "--isolation", "chroot", "-t", "localhost/app:1", str(context)],
                           capture_output=True, text=True)
    if built.returncode:
        raise harness.Skip("buildah cannot build here: " + built.stderr.strip().splitlines()[-1])
    subprocess.run([buildah, *storage, "push", "--tls-verify=false", "localhost/app:1", f"docker://{registry.host}/built/app:1"],
                   check=True, capture_output=True)
    assert daemon.verdict("built/app", "1")["verdict"] == "pass"
    subprocess.run([skopeo, "copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--format", "v2s2",
                    f"docker://{registry.host}/built/app:1", f"docker://{registry.host}/copied/app:docker"], check=True,
                   capture_output=True)
    verdict = daemon.verdict("copied/app", "docker")
    assert verdict["verdict"] == "pass" and verdict["digest"] != client.digest("built/app", "1")


def test_own_pushes_are_not_judged(bench):
    _, daemon, client = bench.pair(policy=harness.POLICY.format(mode="enforce", actions="[tag]"))
    bad = images.bad()
    client.push("team/app", bad, "v1")
    daemon.verdict("team/app", "v1")
    wait_for("the marker tag", lambda: len(client.tags("team/app")) == 2)
    daemon.wait_idle()
    assert client.tags("team/app")[0] == "policy-fail-" + bad.digest[7:19]
    assert len([v for v in daemon.verdicts(repository="team/app")]) == 1
    daemon.cli("sweep")
    wait_for("the sweep", lambda: all(not s["running"] for s in daemon.status()["sweeping"]))
    daemon.wait_idle()
    assert len(client.tags("team/app")) == 2 and len(daemon.verdicts(repository="team/app")) == 1


def test_artifacts_are_not_judged(bench):
    _, daemon, client = bench.pair()
    signature = images.Image()
    document = json.loads(signature.manifest)
    document["config"]["mediaType"] = "application/vnd.example.signature.v1+json"
    signature.manifest = json.dumps(document).encode()
    signature.digest = images.digest_of(signature.manifest)
    client.push("team/app", signature, "sig")
    client.push("team/app", images.good(), "v1")
    daemon.verdict("team/app", "v1")
    daemon.wait_idle()
    assert [v.get("tag") for v in daemon.verdicts(repository="team/app")] == ["v1"]
    assert client.digest("team/app", "sig") == signature.digest


def test_reload(bench):
    _, daemon, client = bench.pair(policy=harness.POLICY.format(mode="audit", actions="[tag]"))
    client.push("team/bad", images.bad(), "v1")
    assert daemon.verdict("team/bad", "v1")["verdict"] == "fail"
    daemon.policy_file.write_text("policy: e2e\nrules:\n  - rule: nonroot\n")
    daemon.process.child.send_signal(1)
    wait_for("the refusal", lambda: "keeping the running configuration" in daemon.process.text())
    assert "policy.yaml:3:" in daemon.process.text() and "non-root" in daemon.process.text()
    daemon.policy_file.write_text("policy: e2e\nrules:\n  - rule: workdir\n    severity: low\n")
    daemon.process.child.send_signal(1)
    wait_for("the new verdict", lambda: daemon.verdict("team/bad", "v1")["verdict"] in ("pass", "warn"))


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
