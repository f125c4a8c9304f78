#!/usr/bin/env python3
"""regwarden beside a Harbor that keeps what it is told (tests/support/harbor_stub.py): set up by `regwarden harbor connect`, events, labels,
quarantine, release, scans; and once more through a proxy that holds every request and every answer against Harbor's API document."""
import json
import os
import pathlib
import re
import subprocess
import sys

import harness
import images
import peers
from harness import wait_for

sys.path.insert(0, str(harness.SOURCE / "tests" / "support"))
import harbor_data  # noqa: E402
import harbor_stub  # noqa: E402

POLICY = """policy: harbor
mode: enforce
scope:
  repositories: ["**", "!quarantine/**"]
rules:
  - rule: non-root
    severity: high
    on-fail: {actions}
"""
SCANS = """policy: scans
mode: enforce
scope:
  repositories: ["**", "!quarantine/**"]
rules:
  - rule: vulnerabilities
    severity: high
    on-fail: [notify]
"""


def new_harbor(bench, **options):
    harbor = bench.add(harbor_stub.Harbor(content=False, **options).start())
    harbor.add_project("team")
    return harbor


def command(bench, harbor, *arguments, status=0):
    password = bench.directory / "admin"
    password.write_text(harbor_stub.PASSWORD + "\n")
    done = subprocess.run([harness.BINARY, "harbor", "--url", harbor.url, "--password-file", str(password), *arguments],
                          capture_output=True, text=True, timeout=60)
    output = done.stdout + done.stderr
    assert done.returncode == status, (done.returncode, output)
    for robot in harbor.robots:
        assert robot["secret"] not in output
    assert harbor_stub.PASSWORD not in output
    return output


def connect(bench, harbor, *more, port=9, status=0):
    projects = () if "--projects" in more else ("--all-projects",)
    return command(bench, harbor, "connect", *projects, "--hook-url", f"http://127.0.0.1:{port}/hooks/main", "--secrets",
                   str(bench.directory), *more, status=status)


def writes(harbor):
    return [(method, path) for method, path, _ in harbor.requests if method != "GET"]


def start_daemon(bench, harbor, policy, actions):
    """The daemon with what `harbor connect` printed, and nothing else about Harbor."""
    port = harness.free_port()
    output = connect(bench, harbor, "--actions", actions, port=port)
    stanza = output.partition("For regwarden.yaml:\n\n")[2].partition("\nNot covered:")[0]
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {}, policy=policy, port=port)
    daemon.registries = ["main"]
    daemon.file.write_text(daemon.file.read_text().replace("registries:\n", stanza))
    bench.add(daemon)
    daemon.start()
    return daemon


def client(harbor):
    return images.Client(harbor.url, (harbor_stub.ADMIN, harbor_stub.PASSWORD))


def labels_of(harbor, repository, digest):
    names = {label["id"]: label["name"] for label in harbor.labels}
    return [names[number] for number in harbor.repositories[repository]["artifacts"][digest]["labels"]]


# --- setting up ---

def flow_connect(bench, harbor):
    assert connect(bench, harbor, "--actions", "label|quarantine", "--dry-run").count("would make") == 7
    assert not writes(harbor) and not harbor.robots and not list(bench.directory.glob("harbor-*"))
    first = connect(bench, harbor, "--actions", "label|quarantine")
    assert first.count("\nmade ") == 7 and "quarantine (private)" in first, first
    secrets = [bench.directory / "harbor-robot-secret", bench.directory / "harbor-hook-secret"]
    for secret in secrets:
        assert secret.stat().st_mode & 0o777 == 0o600 and secret.read_text().strip() not in first
    assert harbor.robots[0]["secret"] == secrets[0].read_text().strip()
    assert harbor.projects["quarantine"]["public"] is False and not harbor.projects["quarantine"]["webhooks"]
    policy = harbor.projects["team"]["webhooks"][0]
    assert policy["event_types"] == ["PUSH_ARTIFACT", "DELETE_ARTIFACT", "SCANNING_COMPLETED"]
    assert policy["targets"][0]["auth_header"] == "Bearer " + secrets[1].read_text().strip()
    before = len(writes(harbor))
    again = connect(bench, harbor, "--actions", "label|quarantine")
    assert "made" not in again.partition("For regwarden")[0] and len(writes(harbor)) == before, again
    changed = connect(bench, harbor, "--projects", "team")
    assert "changed  rights of robot" in changed and "projects that were not named (1): library" in changed, changed


def test_connect(bench):
    harbor = new_harbor(bench)
    flow_connect(bench, harbor)
    permissions = harbor.robots[0]["permissions"]
    assert [permission["namespace"] for permission in permissions] == ["team"]
    assert {access["action"] for access in permissions[0]["access"]} == {"list", "read", "pull"}, permissions
    assert harbor.projects["team"]["webhooks"][0]["targets"][0]["payload_format"] == "CloudEvents"


def test_connect_mends_what_was_changed(bench):
    harbor = new_harbor(bench)
    connect(bench, harbor)
    harbor.projects["team"]["webhooks"][0]["enabled"] = False
    harbor.projects["library"]["webhooks"][0]["targets"][0]["auth_header"] = "else"
    harbor.robots[0]["disable"] = True
    output = connect(bench, harbor)
    assert output.count("\nchanged ") == 3, output
    assert harbor.projects["team"]["webhooks"][0]["enabled"] and not harbor.robots[0]["disable"]


def test_connect_that_cannot_be(bench):
    harbor = new_harbor(bench)
    output = connect(bench, harbor, "--projects", "team,nowhere", status=3)
    assert "there is no project \"nowhere\"" in output and not writes(harbor)
    assert "there is no action" in connect(bench, harbor, "--actions", "label|fly", status=2)
    for option in ("--url", "--hook-url"):
        other = connect(bench, harbor, option, "http://127.example.com/hooks/main", status=2)
        assert option in other and "in the clear" in other, other
    assert "/hooks/NAME" in connect(bench, harbor, "--hook-url", "http://127.0.0.1:9/", status=2)
    assert "it can connect and status" in command(bench, harbor, "join", status=2)
    nowhere = connect(bench, harbor, "--secrets", "/nowhere/at/all", status=2)
    assert "cannot write into /nowhere/at/all" in nowhere and not writes(harbor), nowhere
    assert "--user and --password-file" in connect(bench, harbor, "--user", "nobody", status=3)
    harbor.read_only = True
    assert "read-only mode" in connect(bench, harbor, status=3)
    harbor.read_only = False
    connect(bench, harbor)
    old = harbor.robots[0]["secret"]
    (bench.directory / "harbor-robot-secret").unlink()
    assert "--new-secret" in connect(bench, harbor, status=3) and harbor.robots[0]["secret"] == old
    assert "changed  secret of robot" in connect(bench, harbor, "--new-secret")
    assert harbor.robots[0]["secret"] == (bench.directory / "harbor-robot-secret").read_text().strip() != old


def test_connect_to_an_older_harbor(bench):
    harbor = new_harbor(bench, version="v2.7.4-abcdef12")
    harbor.notification_enable = False
    output = connect(bench, harbor)
    assert "webhooks are switched off in this whole Harbor" in output
    assert "payload_format" not in harbor.asked_webhooks[0]["targets"][0]


def test_status(bench):
    harbor = new_harbor(bench)
    assert "3 of 3" in command(bench, with_mirror(harbor), "status", status=1)
    connect(bench, harbor)
    assert "every project has its webhook (3)" in command(bench, harbor, "status")
    harbor.add_project("fresh")
    output = command(bench, harbor, "status", status=1)
    assert "1 of 4 projects without webhook" in output and "fresh (new since" in output


def with_mirror(harbor):
    harbor.add_project("mirror", registry_id=7)
    return harbor


# --- at work ---

def flow_work(bench, harbor):
    daemon = start_daemon(bench, harbor, POLICY.format(actions="[quarantine]"), "quarantine")
    user, bad, good = client(harbor), images.bad(), images.good()
    user.push("team/sub/app", good, "stable")
    user.push("team/sub/app", bad, "broken")
    assert daemon.verdict("team/sub/app", "stable")["verdict"] == "pass"
    assert daemon.verdict("team/sub/app", "broken")["verdict"] == "fail"
    wait_for("the quarantine", lambda: user.digest("team/sub/app", "broken") is None)
    daemon.wait_idle()
    assert user.digest("quarantine/team/sub/app", "broken") == bad.digest
    assert list(harbor.repositories["quarantine/team/sub/app"]["tags"]) == ["broken"]
    assert user.digest("team/sub/app", "stable") == good.digest
    # Harbor keeps an artifact that has no tag any more.
    assert user.manifest("team/sub/app", bad.digest)[1] == bad.digest
    plan = next(plan for plan in daemon.plans(kind="quarantine") if plan["tag"] == "broken")
    assert plan["state"] == "done", plan
    daemon.cli("quarantine", "release", str(plan["id"]))
    assert user.digest("team/sub/app", "broken") == bad.digest
    daemon.wait_idle()
    assert not any("Cookie" in headers for _, _, headers in harbor.requests)
    return daemon, user


def flow_label(bench, harbor):
    daemon = start_daemon(bench, harbor, POLICY.format(actions="[label]"), "label")
    user, bad = client(harbor), images.bad()
    user.push("team/app", bad, "v1")
    wait_for("the label", lambda: labels_of(harbor, "team/app", bad.digest) == ["policy-fail"])
    daemon.wait_idle()
    assert user.digest("team/app", "v1") == bad.digest
    assert next(plan for plan in daemon.plans(kind="label"))["state"] == "done"
    status = daemon.cli("status")[1]
    assert "main      harbor" in status and "main can label images" in status, status
    assert "main cannot archive images" in status, status
    team = harbor.projects["team"]["project_id"]
    assert [label["name"] for label in harbor.labels if label["project_id"] == team] == ["policy-fail"]


def test_push_quarantine_release(bench):
    harbor = new_harbor(bench)
    flow_work(bench, harbor)
    assert harbor.hooks and all(status in (200, 202, 204) for status, _ in harbor.hooks), harbor.hooks


def test_push_label(bench):
    flow_label(bench, new_harbor(bench))


def flow_scan(bench, harbor):
    daemon = start_daemon(bench, harbor, SCANS, "audit")
    user, good = client(harbor), images.good()
    user.push("team/app", good, "v1")
    assert daemon.verdict("team/app", "v1")["verdict"] != "pass"
    harbor.set_scan("team/app", good.digest, "Success", harbor_data.report("Critical"))
    wait_for("the report to be judged", lambda: daemon.verdict("team/app", "v1")["verdict"] == "fail")


def test_missing_rights_are_told(bench):
    for action in ("label", "quarantine"):
        world = harness.Bench()
        bench.stack.callback(world.close)
        harbor = new_harbor(world)
        daemon = start_daemon(world, harbor, POLICY.format(actions=f"[{action}]"), "audit")
        client(harbor).push("team/app", images.bad(), "v1")
        plan = wait_for("the plan to fail", lambda: [plan for plan in daemon.plans(kind=action) if plan["state"] == "failed"])[0]
        assert "harbor connect" in plan["reason"] and "harbor connect" in daemon.process.text(), plan
        harbor.robots[0]["permissions"][0]["access"].clear()
        client(harbor).push("team/other", images.bad("other"), "v1")
        wait_for("the missing right to be told", lambda: re.search(r"gather failed: .*harbor connect", daemon.process.text()))


def test_scan_that_is_finished_later(bench):
    flow_scan(bench, new_harbor(bench))


def flow_undo(bench, harbor):
    daemon = start_daemon(bench, harbor, POLICY.format(actions="[label]"), "label")
    user, bad = client(harbor), images.bad()
    user.push("team/app", bad, "v1")
    wait_for("the label", lambda: labels_of(harbor, "team/app", bad.digest) == ["policy-fail"])
    daemon.wait_idle()
    plan = next(plan for plan in daemon.plans(kind="label") if plan["tag"] == "v1")
    daemon.cli("quarantine", "release", str(plan["id"]))
    wait_for("the label to be gone", lambda: labels_of(harbor, "team/app", bad.digest) == [])


def test_undo(bench):
    flow_undo(bench, new_harbor(bench))


def test_tag_that_no_event_announced(bench):
    """A tag that is set through Harbor's API fires no event: the sweep finds it."""
    harbor = new_harbor(bench)
    daemon = start_daemon(bench, harbor, POLICY.format(actions="[notify]"), "audit")
    user, bad = client(harbor), images.bad()
    user.push("team/app", bad, "v1")
    assert daemon.verdict("team/app", "v1")["verdict"] == "fail"
    daemon.wait_idle()
    harbor.repositories["team/app"]["tags"]["prod"] = {"id": harbor.next_id(), "digest": bad.digest, "push_time": harbor_data.now()}
    daemon.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})
    assert daemon.verdict("team/app", "prod")["verdict"] == "fail"
    assert any("/api/v2.0/repositories?" in path for _, path, _ in harbor.requests)


# --- every request and every answer is held against Harbor's own document ---

# What Harbor answers and its document leaves out.
UNDOCUMENTED = "Unable to match the returned status code"


def prism(bench, harbor):
    """A proxy that knows Harbor's API document, before the stub's own port."""
    program = peers.peer("npm/node_modules/.bin/prism", "prism")
    document = pathlib.Path(os.environ.get("REGWARDEN_SHARED_DATA", "/nonexistent")) / "harbor-swagger.yaml"
    if not document.exists():
        raise harness.Skip("Harbor's API document is not in $REGWARDEN_SHARED_DATA")
    harness.need("node")
    text = document.read_text()
    start, end = text.index("\npaths:\n"), text.index("\ndefinitions:\n")
    # prism does not look at basePath.
    paths = re.sub(r"(?m)^  '?(/[^\n:']*)'?:", r"  '/api/v2.0\1':", text[start:end])
    # It calls a scanner's report a string; Harbor answers with a document.
    report = paths.index("/additions/vulnerabilities':")
    paths = paths[:report] + paths[report:].replace("schema:\n            type: string", "schema:\n            type: object", 1)
    prefixed = bench.directory / "harbor.yaml"
    prefixed.write_text(text[:start] + paths + text[end:])
    port = harness.free_port()
    bench.add(harness.Process("prism", bench.directory, ["node", program, "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port),
                                                         str(prefixed), f"http://127.0.0.1:{harbor.backend_port}"]))
    wait_for("prism", lambda: harness.can_connect(port))
    harbor.check = port


def faults(harbor):
    found = []
    for method, path, status, told in harbor.violations:
        found += [(method, path, status, fault) for fault in json.loads(told) if UNDOCUMENTED not in fault["message"]]
    return found


def test_the_document_is_looked_at(bench):
    """The check can fail: requests that the document does not allow are seen."""
    harbor = new_harbor(bench)
    prism(bench, harbor)
    user = client(harbor)
    assert user.request("GET", "/api/v2.0/projects?page_size=1000")[0] == 422 and len(faults(harbor)) == 1
    for fault in (b'{"name": 5}', b'{"id": "x"}'):
        harbor.violations.clear()
        user.request("POST", "/api/v2.0/labels", fault, {"Content-Type": "application/json"})
        assert faults(harbor), fault
    harbor.violations.clear()
    harbor.projects["team"]["name"] = 7
    user.request("GET", "/api/v2.0/projects")
    assert any(fault["location"][0] == "response" for _, _, _, fault in faults(harbor)), harbor.violations


def test_connect_by_the_document(bench):
    harbor = new_harbor(bench)
    prism(bench, harbor)
    flow_connect(bench, harbor)
    command(bench, harbor, "status")
    connect(bench, harbor, "--new-secret")
    assert not faults(harbor), faults(harbor)


def test_label_by_the_document(bench):
    harbor = new_harbor(bench)
    prism(bench, harbor)
    flow_label(bench, harbor)
    assert not faults(harbor), faults(harbor)


def test_scan_by_the_document(bench):
    harbor = new_harbor(bench)
    prism(bench, harbor)
    flow_scan(bench, harbor)
    assert any("/additions/vulnerabilities" in path for _, path, _ in harbor.requests)
    assert not faults(harbor), faults(harbor)


def test_undo_by_the_document(bench):
    harbor = new_harbor(bench)
    prism(bench, harbor)
    flow_undo(bench, harbor)
    assert any(method == "DELETE" and "/labels/" in path for method, path, _ in harbor.requests)
    assert not faults(harbor), faults(harbor)


def test_work_by_the_document(bench):
    harbor = new_harbor(bench)
    prism(bench, harbor)
    daemon, user = flow_work(bench, harbor)
    daemon.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})
    wait_for("the sweep", lambda: all(not sweep["running"] for sweep in daemon.status()["sweeping"]))
    asked = {(method, re.sub(r"\?.*|sha256:[0-9a-f]+|\d+$", "", path)) for method, path, _ in harbor.requests if "/api/" in path}
    assert len(asked) > 8, asked
    assert not faults(harbor), faults(harbor)


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
