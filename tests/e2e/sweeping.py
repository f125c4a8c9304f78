"""A registry of many tags (tests/bench/sweep_registry.c) and a daemon that sweeps it; for the test and for the bench."""
import json
import os
import pathlib
import urllib.request

import harness

POLICY = """policy: sweep
mode: audit
scope: {repositories: ["**"]}
rules:
  - rule: healthcheck
    on-fail: [notify]
"""


def program():
    path = pathlib.Path(harness.BINARY).resolve().parent / "tests" / "bench" / "sweep_registry"
    if not path.exists():
        raise harness.Skip("sweep_registry is not built")
    return str(path)


class ManyTags:
    def __init__(self, directory, kind, repositories, tags, images):
        self.port = harness.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.kind, self.repositories, self.tags = kind, repositories, tags
        self.process = harness.Process("sweep_registry", directory, [program(), str(self.port), kind, str(repositories), str(tags),
                                                                     str(images)])
        harness.wait_for("sweep_registry", lambda: "ready" in self.process.text(), 120)

    def counts(self):
        with urllib.request.urlopen(self.url + "/counts") as answer:
            return json.load(answer)

    def stop(self):
        self.process.stop(9)


class Sweeper(harness.Regwarden):
    def __init__(self, directory, registry, settings=None, extra=""):
        (directory / "password").write_text("secret\n")
        super().__init__(directory, {"main": registry}, policy=POLICY, extra=extra + "\nlog: {level: info}",
                         settings={"sweep-rate": "0", "sweep-interval": "1h", "username": "robot", "type": registry.kind,
                                   "password-file": directory / "password", "concurrency": "16", **(settings or {})})

    def sweeping(self):
        return self.status()["sweeping"][0]

    def wait_swept(self, seconds=600):
        harness.wait_for("the sweep", lambda: not self.sweeping()["running"], seconds, 0.05)
        assert "error" not in self.sweeping(), self.sweeping()

    def sweep_again(self):
        self.request("POST", "/api/v1/sweep", b"{}", {"Content-Type": "application/json"})

    def wait_judged(self, seconds=600):
        def judged():
            status = self.status()
            return status["events"]["open"] == 0 and status["eventsInMemory"] == 0
        harness.wait_for("all to be judged", judged, seconds, 0.1)

    def kill(self):
        os.kill(self.process.child.pid, 9)
        self.process.child.wait()
