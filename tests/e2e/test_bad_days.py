#!/usr/bin/env python3
"""Every sender of events by its own rules of trying again, on a bad day: notifications are lost, doubled, late and out of order, and the
daemon is out for 24 hours. After the next sweep nothing is different from a quiet day: verdicts, tags and plans."""
import json
import subprocess
import sys
import urllib.error
import urllib.request

import harness
import images
from harness import wait_for
from senders import Change, HOSTS, HOUR, KINDS, Queue, QueueSender, Sender, World, chance

POLICY = """policy: {name}
mode: enforce
scope: {{repositories: ["**/{repository}"]}}
rules:
  - rule: non-root
    on-fail: [{action}]
"""
TAGGED = POLICY.format(name="tagged", repository="app", action="tag")
MOVED = POLICY.format(name="moved", repository="q", action="quarantine")

OUT, BACK = 5 * HOUR, 29 * HOUR
# hour, what, repository, tag, image ("+" is one that passes)
SCENARIO = [
    (0.5, "push", "app", "1", "+a"), (1, "push", "app", "2", "-b"), (1.5, "push", "q", "good", "+q"),
    (2, "push", "app", "2", "+c"), (3, "push", "q", "1", "-d"), (3.5, "push", "app", "3", "+e"), (4, "push", "app", "1", "-f"),
    (6, "push", "app", "4", "-g"), (7, "push", "q", "2", "-h"), (8, "push", "app", "3", "-i"), (9, "delete", "app", "2", None),
    (10, "push", "app", "5", "+j"), (11, "delete", "app", "5", None), (12, "retag", "app", "6", "+a"), (13, "retag", "app", "8", "-g"),
    (28.9, "push", "app", "9", "-o"), (30, "push", "app", "7", "-k"), (31, "push", "app", "7", "+l"), (32, "push", "q", "3", "-m"),
    (33, "delete", "app", "9", None), (34, "push", "app", "9", "+p"),
]


class Registry:
    """tests/action/stub_writable.py, a registry in memory."""

    def __init__(self):
        self.child = subprocess.Popen([sys.executable, str(harness.SOURCE / "tests" / "action" / "stub_writable.py")],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.child.stdout.readline())}"

    def do(self, what, **command):
        self.child.stdin.write(json.dumps({"do": what, **command}) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def push(self, repository, tag, name):
        config = {"os": "linux", "architecture": "amd64", "config": {"User": "1000" if name[0] == "+" else ""},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}}
        return self.do("image", repository=repository, tag=tag, layers=[name], config=json.dumps(config))["digest"]

    def tags(self, repository):
        return self.do("tags", repository=repository)["tags"]

    def stop(self):
        self.child.kill()
        self.child.wait()


class Day:
    def __init__(self, bench, name, kind, faults):
        self.kind, self.faults, self.out = kind, faults, False
        self.queue = bench.add(Queue(faults)) if kind.is_polled else None
        self.registry = bench.add(Registry())
        self.daemon = bench.add(harness.Regwarden(
            bench.subdirectory(name), {"main": self.registry}, policy=TAGGED, extra="retry: {first: 100ms, max: 500ms}",
            settings={"sweep-rate": "0", "dialect": kind.dialect, "hook-proof": "secret", "hosts": json.dumps(HOSTS),
                      **self.polled(bench.directory)}))
        moved = self.daemon.directory / "moved.yaml"
        moved.write_text(MOVED)
        settings = self.daemon.file.read_text()
        self.daemon.file.write_text(settings.replace('policies: [', f'policies: ["{moved}", '))
        self.registry.push(self.name("app"), "old", "+old")  # so that the first sweep, which only reports, lies behind us
        self.daemon.start()
        self.swept(1)
        self.world = World()
        self.sender = QueueSender(kind, self.world, self.queue, self.taken, faults) if self.queue else \
            Sender(kind, self.world, self.post, faults)

    def polled(self, directory):
        if not self.queue:
            return {}
        keys = directory / "keys"
        keys.write_text("[default]\naws_access_key_id = AKIDOFTHETEST\naws_secret_access_key = wJalrXUtnFEMIK7MDENG\n")
        return {"aws": json.dumps({"region": "eu-west-1", "queue-url": f"{self.queue.url}/123456789012/events", "credentials": "file",
                                   "credentials-file": str(keys)})}

    def taken(self):
        if not self.out:
            wait_for("the queue to be empty", self.queue.is_empty)
            self.daemon.wait_idle()

    def name(self, repository):
        return f"{self.kind.prefix}/{repository}"

    def swept(self, count):
        """Waits for so many complete sweeps."""
        def complete():
            return [sweep for sweep in self.daemon.json("/api/v1/sweeps")["items"] if sweep["state"] == "complete"]
        wait_for(f"sweep {count}", lambda: len(complete()) >= count)
        self.daemon.wait_idle()
        return len(complete())

    def post(self, headers, body):
        if self.out:
            return None
        request = urllib.request.Request(self.daemon.hook()[0], body, {**headers, "Authorization": "Bearer s3cret"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        if not self.faults or self.faults.random() < 0.5:
            self.daemon.wait_idle()
        return status

    def change(self, what, repository, tag, image):
        name = self.name(repository)
        if what == "push":
            digest = self.registry.push(name, tag, image)
        elif what == "retag":
            digest = self.registry.push("elsewhere/images", image[1:], image)
            self.registry.do("retag", repository=name, tag=tag, digest=digest)
        else:
            digest = self.registry.tags(name)[tag]
            self.registry.do("untag", repository=name, tag=tag)
        self.sender.announce(Change("delete" if what == "delete" else "push", name, tag, digest, quiet=what == "retag"))

    def go_out(self):
        self.out = True
        self.daemon.stop(9)

    def come_back(self):
        if self.queue:
            self.queue.show_hidden()
        self.daemon.start()
        self.out = False

    def run(self):
        for hour, *change in SCENARIO:
            self.world.at(hour * HOUR, self.change, *change)
        if self.faults:
            self.world.at(OUT, self.go_out)
            self.world.at(BACK, self.come_back)
        self.world.run()
        if self.queue:
            self.taken()
        self.daemon.wait_idle()
        before = self.end()
        count = self.swept(1)
        self.daemon.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})
        self.swept(count + 1)
        return before, self.end()

    def end(self):
        """What there is in the end; of what came and went nothing."""
        prefix = self.kind.prefix + "/"
        items = [item for item in self.daemon.verdicts() if item["repository"].startswith(prefix) and "tag" in item]
        stands = {(item["repository"], item["tag"], item["digest"]) for item in items}
        failing = {item["digest"] for item in items if item["verdict"] == "fail"}
        tags = {repository: {tag: digest for tag, digest in self.registry.tags(repository.format(prefix)).items()
                             if not tag.startswith("policy-fail") or digest in failing}
                for repository in ("{}app", "{}q", "quarantine/{}q")}
        plans = [(plan["kind"], plan["repository"][len(prefix):], plan["tag"], plan["digest"], plan["state"])
                 for plan in self.daemon.plans() if plan["repository"].startswith(prefix)
                 and ((plan["repository"], plan["tag"], plan["digest"]) in stands or plan["kind"] == "quarantine")]
        moved = {plan[1:4] for plan in plans if plan[0] == "quarantine"}  # known until a sweep after that finds them gone
        verdicts = {(item["repository"][len(prefix):], item["tag"], item["digest"], item["verdict"]) for item in items}
        return {"verdicts": sorted(verdict for verdict in verdicts if verdict[:3] not in moved), "tags": tags, "plans": sorted(plans)}


QUIET = {}


def quiet_day(bench):
    if not QUIET:
        before, QUIET["end"] = Day(bench, "quiet", KINDS["distribution"], None).run()
        assert before == QUIET["end"], "on a quiet day a sweep changes nothing"
        assert [len(QUIET["end"][key]) for key in ("verdicts", "plans")] == [9, 7], QUIET["end"]
    return QUIET["end"]


def check(bench, name):
    expected = quiet_day(bench)
    day = Day(bench, name, KINDS[name], chance(name))
    before, end = day.run()
    counts = ", ".join(f"{count} {what}" for what, count in day.sender.counts.items())
    print(f"    {name}: {counts}; {'' if before != end else 'not '}needed: the last sweep", flush=True)
    for key, wanted in expected.items():
        assert end[key] == wanted, "\n".join((key, f"  {end[key]}", "in place of", f"  {wanted}"))
    assert day.sender.counts["delivered"] > 3, day.sender.counts
    letters = [letter for letter in day.daemon.json("/api/v1/dead-letters")["items"] if letter["kind"] == "hook"]
    assert not letters, letters


def of(name):
    def test(bench):
        check(bench, name)
    test.__name__ = f"test_{name}"
    return test


harness.run([of(name) for name in KINDS])
