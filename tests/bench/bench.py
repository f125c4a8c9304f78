#!/usr/bin/env python3
"""Speed, each figure beside its limit measured in the same run. usage: bench.py BUILD-DIRECTORY [--quick]

Medians of several rounds with their spread. The load generator shares the machine: figures are lower bounds."""
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
BUILD = pathlib.Path(sys.argv[1])
os.environ["REGWARDEN_BINARY"] = str(BUILD / "regwarden")

import harness  # noqa: E402
import images  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
QUICK = "--quick" in sys.argv
CONNECTIONS = 64  # of the load; as many events are under way at once, here and in the store's own figure
ROUNDS = 3 if QUICK else 5
SECONDS = 2 if QUICK else 4
IMAGES = 2000 if QUICK else 8000
REAL_IMAGES = 100 if QUICK else 300
POLICY = (HERE.parent.parent / "policies" / "baseline.yaml").read_text()


def show(what, values, limit=None, limit_name="", reach=None, unit="/s"):
    median = statistics.median(values)
    line = f"{what:44s} {median:12,.0f}{unit}  [{min(values):,.0f} .. {max(values):,.0f}]"
    if limit:
        share = median / limit * 100
        line += f"   {share:5.0f} % of {limit:,.0f}{unit} ({limit_name})"
        if reach:
            line += f"  reach {reach} %: {'met' if share >= reach else 'NOT met'}"
    print(line, flush=True)
    return median


def wrk(url, seconds, connections=64, script=None, environment=None):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url]
    if script:
        command[1:1] = ["-s", str(script)]
    output = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})}, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if bad:
        print("  answers other than 2xx:", bad.group(1))
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output).group(1))


class Fixed:
    """Stands in for harness.Registry where the daemon only needs a URL."""

    def __init__(self, port):
        self.port, self.url, self.host = port, f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"


class BenchRegistry(Fixed):
    def __init__(self, directory, count):
        super().__init__(harness.free_port())
        self.digests = directory / "digests"
        self.child = subprocess.Popen([str(BUILD / "tests/bench/bench_registry"), str(self.port), str(count)],
                                      stdout=open(self.digests, "w"))
        harness.wait_for("bench_registry", lambda: "ready" in self.digests.read_text()[-10:], 60)
        self.names = [line.split()[0] for line in self.digests.read_text().splitlines() if line.startswith("sha256")]

    def stop(self):
        self.child.kill()
        self.child.wait()


class Silent:
    """Accepts connections and never answers: reviews wait, so that intake is measured alone."""

    def __init__(self):
        import socket
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.kept = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                self.kept.append(self.socket.accept()[0])
            except OSError:
                return

    def stop(self):
        self.socket.close()


def daemon(directory, registry, extra=""):
    directory.mkdir()
    return harness.Regwarden(directory, {"main": registry}, policy=POLICY, extra=extra + "\nlog: {level: error}",
                             settings={"sweep-interval": "0", "concurrency": 64, "timeout": "60s"})


def envelope(names, first, repository="bench/app"):
    events = ",".join(
        '{"id":"%d","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s",'
        '"repository":"%s","tag":"t%d"},"source":{"instanceID":"bench"}}' % (first + i, name, repository, first + i)
        for i, name in enumerate(names))
    return ('{"events":[' + events + "]}").encode()


def post_all(regwarden, names, repository="bench/app"):
    client = images.Client(f"http://127.0.0.1:{regwarden.port}")
    client.headers["Authorization"] = "Bearer s3cret"
    for first in range(0, len(names), 200):
        client.must((200, 202, 204), "POST", "/hooks/main", envelope(names[first:first + 200], first, repository),
                    {"Content-Type": "application/vnd.docker.distribution.events.v1+json"})


def counter(regwarden, name):
    text = regwarden.get("/metrics")[1].decode()
    return float(re.search(rf"^{name}(?:_total)? ([0-9.e+]+)$", text, re.MULTILINE).group(1))


def drain(regwarden, seconds=300):
    harness.wait_for("the daemon to finish", lambda: regwarden.status()["events"]["open"] == 0, seconds, 0.02)


def bench_store():
    """Group commit of the store by itself, as its own program measures it."""
    output = subprocess.run([str(BUILD / "tests/store/bench_store")], capture_output=True, text=True, check=True).stdout
    print(output.rstrip())
    return float(re.search(rf"^events\s+{CONNECTIONS} under way\s+([0-9.]+)/s", output, re.MULTILINE).group(1))


def bench_intake(directory, limit):
    silent = Silent()
    regwarden = daemon(directory / "intake", Fixed(silent.port), "max-reviews: 1").start()
    idle = regwarden.process.rss_kib()
    rates = []
    for _ in range(ROUNDS):
        before, start = counter(regwarden, "regwarden_events"), time.monotonic()
        wrk(f"http://127.0.0.1:{regwarden.port}/hooks/main", SECONDS, CONNECTIONS, HERE / "post.lua", {"BENCH_SECRET": "s3cret"})
        rates.append((counter(regwarden, "regwarden_events") - before) / (time.monotonic() - start))
    rate = show("durable intake, events", rates, limit, "the store alone, as many under way", 70)
    peak = regwarden.process.peak_rss_kib()
    regwarden.process.child.kill()
    silent.stop()
    return rate, idle, peak


def bench_new_images(directory, registry, name, limit, limit_name):
    rates = []
    peak = 0
    for round_number in range(ROUNDS):
        regwarden = daemon(directory / f"new-{name}-{round_number}", registry).start()
        start = time.monotonic()
        post_all(regwarden, registry.names)
        drain(regwarden)
        rates.append(len(registry.names) / (time.monotonic() - start))
        peak = max(peak, regwarden.process.peak_rss_kib())
        judged = regwarden.status()["tags"]["judged"]
        assert judged == len(registry.names), (judged, len(registry.names))
        if round_number + 1 < ROUNDS:
            regwarden.stop()
    show(f"new images judged ({name})", rates, limit, limit_name, 90 if limit else None)
    return regwarden, peak


def bench_repeats(regwarden, registry, intake):
    rates = []
    for _ in range(ROUNDS):
        before, start = counter(regwarden, "regwarden_reviews_repeated"), time.monotonic()
        events = counter(regwarden, "regwarden_events")
        wrk(f"http://127.0.0.1:{regwarden.port}/hooks/main", SECONDS, CONNECTIONS, HERE / "post.lua",
            {"BENCH_SECRET": "s3cret", "BENCH_DIGESTS": str(registry.digests)})
        drain(regwarden)
        elapsed = time.monotonic() - start
        rates.append((counter(regwarden, "regwarden_events") - events) / elapsed)
        assert counter(regwarden, "regwarden_reviews_repeated") > before
    show("known digests pushed again, verdicts", rates, intake, "durable intake", 80)


def bench_real_registry(directory):
    registry = harness.Registry(directory / "docker-registry")
    registry.start()
    client = registry.client()
    pushed = [images.good(f"bench {number}") for number in range(REAL_IMAGES)]
    for number, image in enumerate(pushed):
        client.push("bench/app", image, f"t{number}")
    registry.names = [image.digest for image in pushed]
    manifest = wrk(f"{registry.url}/v2/bench/app/manifests/{registry.names[0]}", SECONDS, 16,
                   HERE / "accept.lua")
    config = next(digest for digest, data in pushed[0].blobs.items() if data.startswith(b"{"))
    blob = wrk(f"{registry.url}/v2/bench/app/blobs/{config}", SECONDS, 16)
    limit = 1 / (1 / manifest + 1 / blob)
    print(f"docker-registry by itself (wrk): {manifest:,.0f} manifests/s, {blob:,.0f} configs/s")
    regwarden, peak = bench_new_images(directory, registry, "docker-registry", limit, "its two GETs with wrk")
    regwarden.stop()
    registry.stop()
    return peak


def main():
    directory = pathlib.Path(tempfile.mkdtemp(prefix="regwarden-bench-"))
    try:
        (directory / "docker-registry").mkdir()
        limit = bench_store()
        intake, idle, flood = bench_intake(directory, limit)
        stub = BenchRegistry(directory, IMAGES)
        pair = wrk(f"{stub.url}/v2/bench/app/manifests/{stub.names[0]}", SECONDS, 16) / 2
        regwarden, loaded = bench_new_images(directory, stub, "stub registry", pair, "the stub's own two GETs with wrk")
        bench_repeats(regwarden, stub, intake)
        loaded = max(loaded, regwarden.process.peak_rss_kib(), flood)
        regwarden.stop()
        stub.stop()
        loaded = max(loaded, bench_real_registry(directory))
        print(f"memory: idle {idle / 1024:.1f} MiB (reach 24), highest under any load here {loaded / 1024:.1f} MiB (reach 64)")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
