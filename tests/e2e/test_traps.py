#!/usr/bin/env python3
"""Runs `regwarden check` over the table of traps, and the traps that need a daemon."""
import datetime
import json
import os
import signal
import subprocess

import harness
import images
import traps
from harness import wait_for

POLICY = "policy: trap\nrules:\n  - {rule}\n"
EXIT = {"pass": 0, "warn": 0, "fail": 1, "unknown": 3}


def write_policy(path, *rules):
    lines = ["policy: trap", "rules:"]
    for rule in rules:
        first, *rest = rule.splitlines()
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    path.write_text("\n".join(lines) + "\n")
    return path


def check(directory, trap):
    layout = directory / "image"
    trap.make().write(layout)
    policy = write_policy(directory / "policy.yaml", trap.rule)
    done = subprocess.run([harness.BINARY, "check", "-p", str(policy), "-o", "json", f"oci:{layout}:1"], capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr


def has(finding, wanted):
    text = " ".join(str(value) for value in finding.values())
    return all(value in text if key == "text" else finding.get(key) == value for key, value in wanted.items())


def judge(directory, trap):
    """Returns what is wrong with the answer, or nothing."""
    status, output, errors = check(directory, trap)
    results = json.loads(output)["results"] if output else []
    verdicts = {result["verdict"] for result in results}
    findings = [finding for result in results for finding in result["findings"]]
    if trap.verdict not in verdicts or status != EXIT[trap.verdict]:
        return f"wanted {trap.verdict}, got {sorted(verdicts)}, exit {status}: {findings} {errors}"
    if trap.finding and not any(has(finding, trap.finding) for finding in findings):
        return f"no finding has {trap.finding}: {findings}"
    if trap.absent and trap.absent in output + errors:
        return "the output shows what it must not"
    return None


def test_the_table(bench):
    wrong = []
    for number, trap in enumerate(traps.TRAPS):
        answer = judge(bench.subdirectory(str(number)), trap)
        if answer:
            wrong.append(f"{trap.name} ({trap.peer}): {answer}")
    print(f"{len(traps.TRAPS)} traps, {len(wrong)} of them caught us")
    assert not wrong, "\n".join(wrong)


def test_every_row_names_its_peer(_):
    names = [trap.name for trap in traps.TRAPS]
    assert len(set(names)) == len(names) and all(trap.peer for trap in traps.TRAPS)
    assert {"pass", "fail", "unknown"} <= {trap.verdict for trap in traps.TRAPS}


def test_all_policies_apply(bench):
    """Anchore judges by the first mapping that matches."""
    layout = bench.directory / "image"
    traps.user("0")().write(layout)
    first = write_policy(bench.directory / "first.yaml", traps.SIZE)
    second = write_policy(bench.directory / "second.yaml", traps.ROOT)
    second.write_text(second.read_text().replace("policy: trap", "policy: other"))
    for order in ([first, second], [second, first]):
        done = subprocess.run([harness.BINARY, "check", "-p", str(order[0]), "-p", str(order[1]), f"oci:{layout}:1"], capture_output=True)
        assert done.returncode == 1, done


def test_every_waiver_has_its_own_end(bench):
    """Harbor's allow-list has one expiry for all; Kyverno's background scan honoured exceptions that had ended."""
    layout = bench.directory / "image"
    traps.config(User="0", Healthcheck={"Test": ["NONE"]})().write(layout)
    policy = write_policy(bench.directory / "policy.yaml", traps.ROOT, "rule: healthcheck\non-fail: [tag]")
    past, future = ((datetime.datetime.now() + datetime.timedelta(days=days)).strftime("%Y-%m-%d") for days in (-2, 30))
    waivers = bench.directory / "waivers.yaml"
    waivers.write_text(f"waivers:\n  - {{ id: a, rule: non-root, reason: r, owner: o, expires: {past} }}\n"
                       f"  - {{ id: b, rule: healthcheck, reason: r, owner: o, expires: {future} }}\n")
    done = subprocess.run([harness.BINARY, "check", "-p", str(policy), "--waivers", str(waivers), "-o", "json", f"oci:{layout}:1"],
                          capture_output=True, text=True)
    findings = {finding["rule"]: finding["status"] for finding in json.loads(done.stdout)["results"][0]["findings"]}
    assert done.returncode == 1 and findings == {"non-root": "fail", "healthcheck": "waived"}, (done, findings)


def test_what_no_event_announced(bench):
    """zot emits once and never again, Quay gives up after three failures, ECR's events are best effort: the sweep finds it."""
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    registry.client().push("team/app", images.bad(), "1")
    daemon = bench.add(harness.Regwarden(bench.subdirectory("daemon"), {"main": registry})).start()
    assert daemon.verdict("team/app", "1")["verdict"] == "fail"


def test_history_outlives_the_policy(bench):
    """Docker Scout deletes the history of a policy that is customised."""
    _, daemon, client = bench.pair(policy=harness.POLICY.format(mode="audit", actions="[notify]"))
    client.push("team/app", images.bad(), "1")
    before = daemon.verdict("team/app", "1")
    daemon.wait_idle()
    daemon.policy_file.write_text(harness.POLICY.format(mode="audit", actions="[notify]").replace("high", "low"))
    os.kill(daemon.process.child.pid, signal.SIGHUP)

    def judged_again():
        items = daemon.json("/api/v1/history?registry=main&repository=team/app&tag=1")["items"]
        return items if len(items) > 1 else None
    history = wait_for("the second verdict", judged_again)
    assert before["id"] in [item["id"] for item in history], (before, history)


if __name__ == "__main__":
    harness.run([test_the_table, test_every_row_names_its_peer, test_all_policies_apply, test_every_waiver_has_its_own_end,
                 test_what_no_event_announced, test_history_outlives_the_policy])
