#!/usr/bin/env python3
"""Events of senders that do not run here, as they would send them, to the daemon beside a real registry: each proves itself in its own
way, has the image judged that the registry really has, and can neither lie about it nor speak for another registry."""
import hashlib
import hmac
import json
import urllib.parse

import harness
import images

SECRET = "Bearer s3cret"  # the whole content of the file
POLICY = """policy: e2e
mode: audit
scope:
  repositories: ["**"]
rules:
  - rule: non-root
    severity: high
"""


def signed(algorithm, body, prefix=""):
    return prefix + hmac.new(SECRET.encode(), body, algorithm).hexdigest()


def form(body):
    return urllib.parse.urlencode({"payload": body.decode()}).encode()


def dump(document):
    return json.dumps(document).encode()


# Each takes (repository, tag, digest, host) and returns (query, headers, body).
def quay(repository, tag, _digest, _host):
    body = {"name": "app", "repository": repository, "namespace": "quay", "docker_url": f"quay.example/{repository}", "updated_tags": [tag]}
    return "?secret=" + urllib.parse.quote(SECRET), {}, dump(body)


def dockerhub(repository, tag, _digest, _host):
    body = {"callback_url": "http://127.0.0.1:1/", "push_data": {"tag": tag, "pusher": "eve"}, "repository": {"repo_name": repository}}
    return "?secret=" + urllib.parse.quote(SECRET), {}, dump(body)


def gitea(repository, tag, _digest, _host):
    owner, name = repository.split("/")
    body = form(dump({"action": "created", "sender": {"login": "eve"}, "package": {
        "type": "container", "name": name, "version": tag, "owner": {"login": owner.upper()}}}))
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Gitea-Event": "package", "X-GitHub-Event": "package",
               "X-Gitea-Signature": signed("sha256", body)}
    return "", headers, body


def github(repository, tag, digest, host):
    owner, name = repository.split("/")
    body = dump({"action": "published", "sender": {"login": "eve"}, "registry_package": {
        "name": name, "package_type": "CONTAINER", "owner": {"login": owner.title()},
        "package_version": {"version": digest, "container_metadata": {"tag": {"name": tag}}, "package_url": f"{host}/{repository}:{tag}"}}})
    return "", {"X-GitHub-Event": "registry_package", "X-Hub-Signature-256": signed("sha256", body, "sha256=")}, body


def nexus(repository, tag, _digest, _host):
    holder, name = repository.split("/")
    body = dump({"timestamp": "t", "nodeId": "N", "initiator": "eve", "repositoryName": holder, "action": "CREATED",
                 "component": {"format": "docker", "name": name, "version": tag}})
    return "", {"X-Nexus-Webhook-Id": "rm:repository:component", "X-Nexus-Webhook-Signature": signed("sha1", body)}, body


def jfrog(repository, tag, digest, host):
    holder, name = repository.split("/")
    body = dump({"domain": "docker", "event_type": "pushed", "jpd_origin": f"http://{host}", "source": "jfrog/eve", "data": {
        "repo_key": holder, "image_name": name, "tag": tag, "sha256": digest.partition(":")[2]}})
    return "", {"X-JFrog-Event-Auth": signed("sha256", body)}, body


def acr(repository, tag, digest, host):
    body = dump({"id": "i", "timestamp": "t", "action": "push", "target": {"repository": repository, "tag": tag, "digest": digest},
                 "request": {"host": host}})
    return "", {"Authorization": SECRET}, body


def eventgrid(repository, tag, digest, host):
    event = {"specversion": "1.0", "id": "c", "type": "Microsoft.ContainerRegistry.ImagePushed",
             "data": json.loads(acr(repository, tag, digest, host)[2])}
    return "?code=" + urllib.parse.quote(SECRET), {"Content-Type": "application/cloudevents-batch+json"}, dump([event])


def zot(repository, tag, digest, _host):
    headers = {"Authorization": SECRET, "Content-Type": "application/json", "Ce-Specversion": "1.0", "Ce-Id": "z",
               "Ce-Type": "zotregistry.image.updated"}
    return "", headers, dump({"name": repository, "reference": tag, "digest": digest, "manifest": "{"})


def gitlab(repository, tag, digest, _host):
    event = {"action": "push", "target": {"repository": repository, "tag": tag, "digest": digest}, "actor": {"name": "eve", "user_type": "build"}}
    return "", {"Authorization": SECRET}, dump({"events": [event]})


SENDERS = (quay, dockerhub, gitea, github, nexus, jfrog, acr, eventgrid, zot, gitlab)
NAMED = (github, jfrog, acr, eventgrid)  # whose events say which registry they are of


def start(bench):
    """(daemon, registry): one registry, configured once for each dialect."""
    registry = bench.add(harness.Registry(bench.subdirectory("registry")).start())
    names = {sender.__name__: registry for sender in SENDERS}
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), names, policy=POLICY, settings={"sweep-interval": "0"}))
    text = daemon.file.read_text()
    for name in names:
        text = text.replace(f"  {name}:\n", f"  {name}:\n    dialect: {name}\n")
    daemon.file.write_text(text)
    daemon.start()
    return daemon, registry


def send(daemon, sender, message, path=None):
    query, headers, body = message
    return daemon.request("POST", f"/hooks/{path or sender.__name__}{query}", body, headers)


def letters(daemon):
    return [letter["reason"] for letter in daemon.json("/api/v1/dead-letters?limit=100")["items"]]


def test_every_sender(bench):
    daemon, registry = start(bench)
    client = registry.client()
    for sender in SENDERS:
        repository = f"{sender.__name__}/app"
        image = images.bad() if sender in (quay, zot) else images.good()
        client.push(repository, image, "v1")
        status, answer = send(daemon, sender, sender(repository, "v1", image.digest, registry.host))
        assert status == 202 and json.loads(answer)["events"] == 1, (sender.__name__, status, answer)
        verdict = daemon.verdict(repository, "v1")
        assert verdict["registry"] == sender.__name__ and verdict["digest"] == image.digest, verdict
        assert verdict["verdict"] == ("fail" if sender in (quay, zot) else "pass"), verdict
    assert letters(daemon) == []


def test_nobody_else(bench):
    daemon, registry = start(bench)
    registry.client().push("any/app", images.good(), "v1")
    for sender in SENDERS:
        query, headers, body = sender("any/app", "v1", images.good().digest, registry.host)
        for name in list(headers):
            if name.lower() in ("authorization", "x-jfrog-event-auth") or "signature" in name.lower():
                headers[name] = headers[name][:-1] + ("0" if headers[name][-1] != "0" else "1")
        status, _ = send(daemon, sender, (query[:-1], headers, body))
        assert status == 401, (sender.__name__, status)
        status, _ = send(daemon, sender, ("", {}, body))
        assert status == 401, (sender.__name__, status)
    daemon.wait_idle()
    assert daemon.verdicts() == [] and letters(daemon) == []
    # Each is told of once, not each time, with what to do.
    told = [line for line in daemon.process.text().splitlines() if "a sender of events is refused" in line]
    assert len(told) == len(SENDERS) and all("hook-secret-file" in line for line in told), told


def test_registries_of_others(bench):
    """A sender with the right secret: its event is of another registry, or of an image that is not there."""
    daemon, registry = start(bench)
    digest = images.good().digest
    registry.client().push("real/app", images.good(), "v1")
    for sender in NAMED:
        status, _ = send(daemon, sender, sender("real/app", "v1", digest, "evil.example"))
        assert status == 202, (sender.__name__, status)
    reasons = letters(daemon)
    assert len(reasons) == len(NAMED) and all("evil.example, which is not the registry" in reason for reason in reasons), reasons
    for sender in SENDERS:
        send(daemon, sender, sender("made/up", "v1", digest, registry.host))
    daemon.wait_idle()
    assert daemon.verdicts(verdict="pass") == [] and daemon.verdicts(verdict="fail") == [], daemon.verdicts()


def test_handshake_of_event_grid(bench):
    daemon, _ = start(bench)
    query, headers, _ = eventgrid("a/b", "v1", images.good().digest, "x")
    body = dump([{"id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "subject": "",
                  "data": {"validationCode": "C-1", "validationUrl": "http://127.0.0.1:1/"}}])
    headers = {"Aeg-Event-Type": "SubscriptionValidation"}
    status, answer = send(daemon, eventgrid, (query, headers, body))
    assert status == 200 and json.loads(answer) == {"validationResponse": "C-1"}, (status, answer)
    status, _ = send(daemon, eventgrid, ("", headers, body))
    assert status == 401, status


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
