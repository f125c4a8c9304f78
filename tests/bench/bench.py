#!/usr/bin/env python3
"""Speed, each figure beside its limit measured in the same run. usage: bench.py BUILD-DIRECTORY [--quick] [PART…]

Parts: intake, images, registry, policy, scan, layers, sweep (all when none is named).

Machines are shared, and their disks and processors change from minute to minute: limit and measurement take turns (A B A B), each
round gives one share, and the median of the shares counts. The load generators run on the same processors as the daemon, so rates are
lower bounds; the daemon's own processor time per event says what it would cost elsewhere."""
import gzip
import hashlib
import json
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
import sweeping  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
QUICK = "--quick" in sys.argv
CHOSEN = [argument for argument in sys.argv[2:] if not argument.startswith("-")]
CONNECTIONS = 64  # of the load; as many events are under way at once, here and in the store's own figure
FETCHES = 16      # connections to the registry
ROUNDS = 5 if QUICK else 9  # many short ones: what stands beside each other is measured close together
SECONDS = 1 if QUICK else 2
IMAGES = 4000 if QUICK else 10000
REAL_IMAGES = 500 if QUICK else 1000
BATCH = 50        # events per notification, where a sender collects them
LAYER_BYTES = (100 if QUICK else 300) << 20
IMAGE_BYTES = (500 if QUICK else 5000) * 1000000
SMALL_IMAGES = 200 if QUICK else 500
SWEPT_TAGS = 20000 if QUICK else 100000
BACK_TEST = 20000 if QUICK else 100000
POLICY = (HERE.parent.parent / "policies" / "baseline.yaml").read_text()
TICK = os.sysconf("SC_CLK_TCK")


# --- figures ---

def spread(values):
    return f"{statistics.median(values):10,.0f}/s  [{min(values):,.0f} .. {max(values):,.0f}]"


def show(what, values):
    print(f"  {what:58s}{spread(values)}", flush=True)


def share(what, values, limits, reach=None):
    """The median of the rounds' own shares: what slows a round down slows its limit down too."""
    shares = [100 * value / limit for value, limit in zip(values, limits)]
    median = statistics.median(shares)
    verdict = "" if reach is None else f"  reach {reach} %: {'met' if median >= reach else 'NOT met'}"
    print(f"  = {what:56s}{median:9.0f} %  [{min(shares):.0f} .. {max(shares):.0f}]{verdict}", flush=True)


def heading(text):
    print(f"{text}  (load {os.getloadavg()[0]:.1f})", flush=True)


class Processor:
    """Processor time of a daemon's threads, per item, between two moments."""

    def __init__(self, pid):
        self.pid = pid
        self.start = self.read()

    def read(self):
        times = {}
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            line = (task / "stat").read_text()
            name, fields = line[line.index("(") + 1:line.rindex(")")], line[line.rindex(")") + 2:].split()
            times[name] = times.get(name, 0) + (int(fields[11]) + int(fields[12])) / TICK
        return times

    def per_item(self, count):
        now = self.read()
        return {name: 1e6 * (now[name] - self.start.get(name, 0)) / count for name in now}


def show_processor(what, samples):
    loop = statistics.median(sample["regwarden"] for sample in samples)
    store = statistics.median(sum(value for name, value in sample.items() if name.startswith("store-")) for sample in samples)
    print(f"  {what:58s}{loop:7.0f} µs loop + {store:.0f} µs store", flush=True)


def wrk(url, connections=CONNECTIONS, script=None, **environment):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", url]
    if script:
        command[1:1] = ["-s", str(HERE / script)]
    output = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=True).stdout
    failed = re.search(r"Socket errors: (.*)", output)
    if failed:
        print(f"  socket errors: {failed.group(1)}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output).group(1)), int(refused.group(1)) if refused else 0


def wrk_must(*arguments, **options):
    rate, refused = wrk(*arguments, **options)
    assert refused == 0, f"{refused} answers were not 2xx"
    return rate


# --- what stands beside the daemon ---

class BenchRegistry:
    """Answers from memory, so that the daemon is the slower one."""

    def __init__(self, directory, count):
        self.port = harness.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.list = directory / "images"
        with open(self.list, "w") as output:
            self.child = subprocess.Popen([str(BUILD / "tests/bench/bench_registry"), str(self.port), str(count)], stdout=output)
        self.pid = self.child.pid
        harness.wait_for("bench_registry", lambda: "ready" in self.list.read_text()[-10:], 60)
        self.names = [line.split()[0] for line in self.list.read_text().splitlines() if line.startswith("sha256")]

    def stop(self):
        self.child.kill()
        self.child.wait()


class RealRegistry(harness.Registry):
    @property
    def pid(self):
        return self.process.child.pid

    def fill(self, count, layers=False):
        self.list = self.directory / "images"
        self.names = []
        client = self.client()
        with open(self.list, "w") as output:
            for number in range(count):
                image = images.good(f"bench {number}")
                client.push("bench/app", image, f"t{number}")
                config = next(digest for digest, data in image.blobs.items() if data.startswith(b"{"))
                self.names.append(image.digest)
                layer = next(digest for digest in image.blobs if digest != config) if layers else ""
                print(image.digest, len(image.manifest), config, layer, file=output)


class Silent:
    """Accepts connections and never answers: reviews wait, so that intake is measured alone."""

    def __init__(self):
        import socket
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
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


class Daemon(harness.Regwarden):
    def __init__(self, directory, registry, extra="", policy=POLICY):
        directory.mkdir()
        super().__init__(directory, {"main": registry}, policy=policy, extra=extra + "\nlog: {level: error}",
                         settings={"sweep-interval": "0", "concurrency": FETCHES, "timeout": "60s"})
        self.start()

    def hook_url(self, registry="main"):
        return f"http://127.0.0.1:{self.port}/hooks/{registry}"

    def counter(self, name):
        text = self.get("/metrics")[1].decode()
        return float(re.search(rf"^{name}(?:_total)? ([0-9.e+]+)$", text, re.MULTILINE).group(1))

    def drain(self):
        """The status counts rows of the store: it is asked only when nothing is left in memory."""
        def done():
            return self.counter("regwarden_events_in_memory") == 0 and self.status()["events"]["open"] == 0
        harness.wait_for("the daemon to finish", done, 600, 0.02)

    def post_all(self, names):
        client = images.Client(f"http://127.0.0.1:{self.port}")
        client.headers["Authorization"] = f"Bearer {self.secret}"
        for first in range(0, len(names), 200):
            client.must((202,), "POST", "/hooks/main", envelope(names[first:first + 200], first),
                        {"Content-Type": "application/vnd.docker.distribution.events.v1+json"})

    def flood(self, **environment):
        """Events per second that were answered 2xx, and what each cost."""
        before, processor, start = self.counter("regwarden_events"), Processor(self.process.child.pid), time.monotonic()
        wrk_must(self.hook_url(), script="post.lua", BENCH_SECRET=self.secret, **environment)
        seconds = time.monotonic() - start
        count = self.counter("regwarden_events") - before
        return count / seconds, processor.per_item(count)

    def kill(self):
        self.process.child.kill()
        self.process.child.wait()


def envelope(names, first):
    events = ",".join(
        '{"id":"%d","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s",'
        '"repository":"bench/app","tag":"t%d"},"source":{"instanceID":"bench"}}' % (first + i, name, first + i)
        for i, name in enumerate(names))
    return ('{"events":[' + events + "]}").encode()


def bench_store(what, under_way):
    output = subprocess.run([str(BUILD / "tests/store/bench_store"), what, str(under_way), str(SECONDS * 500)],
                            capture_output=True, text=True, check=True).stdout
    return float(re.search(r"under way\s+([0-9.]+)/s", output).group(1))


# --- the parts ---

def bench_intake(directory):
    heading(f"durable intake, {CONNECTIONS} connections, one event per notification unless said otherwise")
    silent = Silent()
    flooded = Daemon(directory / "intake", silent, "max-reviews: 1")
    idle = flooded.process.rss_kib()
    stub = BenchRegistry(directory, 2000)
    known = Daemon(directory / "known", stub)
    known.post_all(stub.names)
    known.drain()
    store, http, single, batched, repeats, costs, repeat_costs = [], [], [], [], [], [], []
    for _ in range(ROUNDS):
        store.append(bench_store("events", CONNECTIONS))
        rate, cost = flooded.flood()
        single.append(rate)
        costs.append(cost)
        repeats.append(bench_repeats(known, stub, repeat_costs))
        http.append(wrk(flooded.hook_url("none"), script="post.lua", BENCH_SECRET="")[0])
        batched.append(flooded.flood(BENCH_BATCH=str(BATCH))[0])
    show(f"limit: the store alone, {CONNECTIONS} events under way", store)
    show("limit: the same requests, answered 404 unread", http)
    show("events made durable", single)
    show_processor("  each", costs)
    share("of the store alone", single, store, 70)
    both = [1 / (1 / a + 1 / b) for a, b in zip(store, http)]
    share("of both limits one after the other", single, both)
    show(f"events made durable, {BATCH} per notification", batched)
    share("of the store alone", batched, store, 70)
    show("known digests pushed again, verdicts", repeats)
    show_processor("  each", repeat_costs)
    share("of durable intake", repeats, single, 80)
    peaks = [flooded.process.peak_rss_kib(), known.process.peak_rss_kib()]
    flooded.kill()
    known.stop()
    stub.stop()
    silent.stop()
    return idle, max(peaks)


def bench_repeats(daemon, registry, costs):
    before, events = daemon.counter("regwarden_reviews_repeated"), daemon.counter("regwarden_events")
    start = time.monotonic()
    costs.append(daemon.flood(BENCH_DIGESTS=str(registry.list))[1])
    daemon.drain()
    seconds = time.monotonic() - start
    assert daemon.counter("regwarden_reviews_repeated") > before
    return (daemon.counter("regwarden_events") - events) / seconds


def bench_new_images(directory, registry, name, reach):
    """The registry's own rate of manifest and config, every image once more each time, and the daemon, in turns."""
    limits, rates, costs, peaks, alone, together = [], [], [], [], [], []
    for number in range(ROUNDS):
        own = Processor(registry.pid)
        limits.append(wrk_must(registry.url, FETCHES, "fetch.lua", BENCH_DIGESTS=str(registry.list)) / 2)
        alone.append(own.per_item(limits[-1] * SECONDS))
        own = Processor(registry.pid)
        daemon = Daemon(directory / f"{name}-{number}", registry)
        processor, start = Processor(daemon.process.child.pid), time.monotonic()
        daemon.post_all(registry.names)
        daemon.drain()
        rates.append(len(registry.names) / (time.monotonic() - start))
        costs.append(processor.per_item(len(registry.names)))
        together.append(own.per_item(len(registry.names)))
        judged = daemon.status()["tags"]["judged"]
        assert judged == len(registry.names), (judged, len(registry.names))
        peaks.append(daemon.process.peak_rss_kib())
        daemon.stop()
    show(f"limit: its manifests and configs in pairs, {FETCHES} connections", limits)
    show("new images judged, verdicts", rates)
    show_processor("  each", costs)
    busy = [statistics.median(sum(sample.values()) for sample in samples) for samples in (alone, together, costs)]
    print(f"  {'  the registry itself, each':58s}{busy[0]:7,.0f} µs under wrk, {busy[1]:,.0f} µs under the daemon")
    share("of the limit", rates, limits, reach)
    if reach:
        print(f"  = {'what the processor times leave of it on one machine':56s}{100 * busy[0] / (busy[1] + busy[2]):9.0f} %")
    return max(peaks)


def bench_images(directory):
    heading(f"new images, a registry that answers from memory, {IMAGES:,} images")
    stub = BenchRegistry(directory, IMAGES)
    peak = bench_new_images(directory, stub, "stub", None)
    stub.stop()
    return peak


def bench_registry(directory):
    heading(f"new images, docker-registry, {REAL_IMAGES} images")
    (directory / "docker-registry").mkdir()
    registry = RealRegistry(directory / "docker-registry")
    registry.start()
    registry.fill(REAL_IMAGES)
    peak = bench_new_images(directory, registry, "real", 90)
    registry.stop()
    return peak


def bench_policy():
    heading("policy back-test, twenty rules, one thread")
    found = {}
    for _ in range(ROUNDS):
        output = subprocess.run([str(BUILD / "tests/bench/bench_policy"), str(BACK_TEST)], capture_output=True, text=True, check=True)
        for name, rate in re.findall(r"^(.*\S)\s+([0-9.]+) images/s", output.stdout, re.MULTILINE):
            found.setdefault(name, []).append(float(rate))
    for name, rates in found.items():
        show(name, rates)
        seconds = 100000 / statistics.median(rates)
        print(f"  = {'100,000 images take':56s}{seconds:9.1f} s  reach 10 s: {'met' if seconds < 10 else 'NOT met'}", flush=True)


def make_layer(directory):
    """A sample of this machine's /usr, as tar, gzip -6 and zstd -3: every so-manieth file of it, in the order of a real layer."""
    names, total = [], 0
    for at, _, files in sorted(os.walk("/usr")):
        for name in sorted(files):
            path = os.path.join(at, name)
            names.append(path[1:])
            total += os.lstat(path).st_size
    if (directory / "layer.tar").exists():
        return directory / "layer.tar"
    listed = directory / "files"
    listed.write_text("".join(name + "\n" for name in names[::max(1, total // LAYER_BYTES)] if "\n" not in name))
    layer = directory / "layer.tar"
    subprocess.run(["tar", "-C", "/", "-cf", layer, "-T", listed], check=True)
    subprocess.run(["gzip", "-6", "-k", layer], check=True)
    subprocess.run(["zstd", "-q", "-3", layer, "-o", f"{layer}.zst"], check=True)
    return layer


def scan_rate(what, layer):
    """MB of unpacked bytes per second of the clock, the same per processor second, and the peak of a worker in KiB."""
    output = subprocess.run([str(BUILD / "tests/bench/bench_scan"), what, layer, str(BUILD / "regwarden")],
                            capture_output=True, text=True, check=True).stdout
    return [float(word) for word in output.split()]


def pipe_rate(command, layer, size):
    start = time.monotonic()
    subprocess.run(f"{command} '{layer}' | tar t >/dev/null", shell=True, check=True)
    return size / 1e6 / (time.monotonic() - start)


def show_rates(what, values):
    print(f"  {what:58s}{statistics.median(values):10,.0f} MB/s  [{min(values):,.0f} .. {max(values):,.0f}]", flush=True)


def bench_scan(directory):
    layer = make_layer(directory)
    size = layer.stat().st_size
    heading(f"looking into one layer of {size / 1e6:.0f} MB, MB of unpacked bytes per second")
    for packing, command in (("gz", "gzip -dc"), ("zst", "zstd -dc")):
        packed = f"{layer}.{packing}"
        rates = {what: [] for what in ("limit", "scan", "1", "2", "pipe")}
        for _ in range(ROUNDS):
            for what in ("limit", "scan", "1", "2"):
                rates[what].append(scan_rate(what, packed))
            rates["pipe"].append([pipe_rate(command, packed, size)])
        clock = {what: [rate[0] for rate in values] for what, values in rates.items()}
        processor = {what: [rate[1] for rate in rates[what]] for what in ("limit", "scan", "1")}
        show_rates(f"{packing}: {command} | tar t", clock["pipe"])
        show_rates(f"{packing}: limit: unpacked and hashed on both sides", clock["limit"])
        show_rates(f"{packing}: scanned in this process", clock["scan"])
        share("of the limit, by processor time", processor["scan"], processor["limit"], 80)
        show_rates(f"{packing}: through a pool of one worker", clock["1"])
        share("of the limit, by processor time", processor["1"], processor["limit"], 80)
        share("of the limit, by the clock", clock["1"], clock["limit"], 80)
        show_rates(f"{packing}: through a pool of two workers, two layers", clock["2"])
        peak = max(rate[2] for what in ("1", "2") for rate in rates[what])
        print(f"  highest peak of a worker {peak / 1024:.1f} MiB, reach 24: {'met' if peak < 24 * 1024 else 'NOT met'}", flush=True)


# --- whole images with their layers, from a real registry ---

READS_LAYERS = """policy: layers
mode: audit
scope: {repositories: ["**"]}
rules:
  - rule: build-tools
  - rule: context-leak
"""


class Peaks(threading.Thread):
    """The highest memory of a daemon's workers, looked at while they work. In KiB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.highest, self.stopped = pid, 0, threading.Event()

    def run(self):
        while not self.stopped.wait(0.05):
            for child in pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                try:
                    found = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{child}/status").read_text())
                except OSError:
                    continue  # it has ended
                self.highest = max(self.highest, int(found.group(1)) if found else 0)

    def stop(self):
        self.stopped.set()
        self.join()
        return self.highest


def entry(name, content):
    import tarfile
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf(tarfile.GNU_FORMAT) + content + b"\0" * (-len(content) % 512)


def push_large(client, repository, sample, count, own=None):
    """An image of so many layers of the sample, each with a file of its own before it, and a small one on top."""
    tar, packed = sample.read_bytes(), pathlib.Path(f"{sample}.gz").read_bytes()
    image = images.Image(config={"User": "1000"}, files=[{"own": (own or "app").encode()}])
    config, manifest = json.loads(image.blobs[image_config(image)]), json.loads(image.manifest)
    stored = 0
    for number in range(count):
        head = entry(f"number-{number}", str(number).encode())
        data = gzip.compress(head, 1, mtime=0) + packed
        client.push_blob(repository, data)
        plain = hashlib.sha256(head)
        plain.update(tar)
        config["rootfs"]["diff_ids"].insert(number, "sha256:" + plain.hexdigest())
        config["history"].insert(number, {"created_by": f"COPY {number} /"})
        manifest["layers"].insert(number, {"mediaType": images.OCI_LAYER, "digest": images.digest_of(data), "size": len(data)})
        stored += len(data)
    raw = json.dumps(config).encode()
    manifest["config"].update(digest=images.digest_of(raw), size=len(raw))
    own_layer = next(data for data in image.blobs.values() if not data.startswith(b"{"))
    image.blobs = {images.digest_of(data): data for data in (raw, own_layer)}
    image.manifest = json.dumps(manifest).encode()
    client.push(repository, image, "v1")
    return image, stored


def image_config(image):
    return json.loads(image.manifest)["config"]["digest"]


def tell(daemon, image, repository):
    client = images.Client(f"http://127.0.0.1:{daemon.port}")
    client.headers["Authorization"] = f"Bearer {daemon.secret}"
    client.must((202,), "POST", "/hooks/main", envelope([images.digest_of(image.manifest)], 0).replace(b"bench/app", repository.encode())
                .replace(b"t0", b"v1"), {"Content-Type": "application/vnd.docker.distribution.events.v1+json"})


def judge_large(daemon, image, repository):
    """(seconds, bytes of layers that were fetched, the workers' peak in KiB)"""
    before, peaks = daemon.counter("regwarden_layers_received_bytes"), Peaks(daemon.process.child.pid)
    peaks.start()
    start = time.monotonic()
    tell(daemon, image, repository)
    verdict = daemon.verdict(repository, "v1", 3600)
    seconds = time.monotonic() - start
    assert verdict["verdict"] != "unknown", verdict
    return seconds, daemon.counter("regwarden_layers_received_bytes") - before, peaks.stop()


def bench_large(directory, registry):
    sample = make_layer(directory)
    size = sample.stat().st_size
    count = max(1, round(IMAGE_BYTES / size))
    heading(f"one image of {count * size / 1e9:.1f} GB in {count} layers, docker-registry, two workers")
    client = registry.client()
    image, stored = push_large(client, "large/one", sample, count)
    daemon = Daemon(directory / "large", registry, "scan: {workers: 2}", policy=READS_LAYERS)
    seconds, fetched, workers = judge_large(daemon, image, "large/one")
    print(f"  judged in {seconds:.1f} s: {count * size / 1e6 / seconds:,.0f} MB/s unpacked, {fetched / 1e6 / seconds:,.0f} MB/s as stored"
          f" ({fetched / 1e6:,.0f} of {stored / 1e6:,.0f} MB fetched)", flush=True)
    limit = scan_rate("limit", f"{sample}.gz")
    print(f"  limit: unpacked and hashed on both sides, one processor {limit[0]:,.0f} MB/s ({limit[1]:,.0f} by processor time)")
    image, stored = push_large(client, "large/two", sample, count, own="another")
    seconds, fetched, _ = judge_large(daemon, image, "large/two")
    print(f"  a second image on the same base: {fetched:,.0f} bytes of layers fetched of {stored:,}, {seconds * 1000:.0f} ms", flush=True)
    assert fetched < 10000, "the base was read again"
    peak = daemon.process.peak_rss_kib()
    print(f"  peak of the daemon {peak / 1024:.1f} MiB, reach 64: {'met' if peak < 64 * 1024 else 'NOT met'};"
          f" of a worker {workers / 1024:.1f} MiB, reach 24: {'met' if workers < 24 * 1024 else 'NOT met'}", flush=True)
    daemon.stop()
    return peak


def bench_small_layers(directory, registry):
    """Images that share nothing, each with one small layer, beside the registry's own rate of the same three GETs."""
    heading(f"new images whose layers are read, docker-registry, {SMALL_IMAGES} images of one small layer each")
    registry.fill(SMALL_IMAGES, layers=True)
    limits, rates, costs, peaks = [], [], [], []
    for number in range(ROUNDS):
        limits.append(wrk_must(registry.url, FETCHES, "fetch.lua", BENCH_DIGESTS=str(registry.list)) / 3)
        daemon = Daemon(directory / f"small-{number}", registry, policy=READS_LAYERS)
        processor, start = Processor(daemon.process.child.pid), time.monotonic()
        daemon.post_all(registry.names)
        daemon.drain()
        rates.append(len(registry.names) / (time.monotonic() - start))
        costs.append(processor.per_item(len(registry.names)))
        assert daemon.counter("regwarden_layers_scanned") == len(registry.names)
        peaks.append(daemon.process.peak_rss_kib())
        daemon.stop()
    show(f"limit: manifests, configs and layers, {FETCHES} connections", limits)
    show("new images judged, verdicts", rates)
    show_processor("  each, without its worker", costs)
    share("of the limit", rates, limits)
    return max(peaks)


def bench_layers(directory):
    (directory / "layers-registry").mkdir()
    registry = RealRegistry(directory / "layers-registry")
    registry.start()
    peaks = [bench_large(directory, registry), bench_small_layers(directory, registry)]
    registry.stop()
    return max(peaks)


# --- sweeps of many tags ---

def show_sweep(what, seconds, before, after):
    counts = {kind: after[kind] - before[kind] for kind in after}
    print(f"  {what:58s}{seconds:10.1f} s  {SWEPT_TAGS / seconds:,.0f} tags/s; requests: {counts['pages']} pages, {counts['heads']} HEADs,"
          f" {counts['others']} others", flush=True)


def sweep_once(daemon, registry, what, begin):
    before, start = registry.counts(), time.monotonic()
    begin()
    daemon.wait_swept()
    seconds = time.monotonic() - start
    daemon.wait_judged()
    show_sweep(what, seconds, before, registry.counts())
    if time.monotonic() - start > seconds + 0.5:
        print(f"  {'  until all of it was judged':58s}{time.monotonic() - start:10.1f} s", flush=True)
    return seconds


def sweep_killed(directory, registry):
    daemon = sweeping.Sweeper(directory, registry)
    before, start = registry.counts(), time.monotonic()
    daemon.start()
    harness.wait_for("half of the sweep", lambda: daemon.sweeping()["tags"] > SWEPT_TAGS / 2, 600, 0.02)
    daemon.kill()
    daemon.start()
    daemon.wait_swept()
    show_sweep("the first one, killed half-way and started again", time.monotonic() - start, before, registry.counts())
    daemon.wait_judged()
    tags = daemon.status()["tags"]
    assert tags["known"] == tags["judged"] == SWEPT_TAGS, tags
    assert daemon.json("/api/v1/sweeps")["items"][0]["wanted"] == SWEPT_TAGS
    daemon.stop()


def bench_sweep_of(directory, kind, repositories, pictures):
    heading(f"sweep of {SWEPT_TAGS} tags in {repositories} repositories, listed as by "
            + {"oci": "any registry: names alone", "harbor": "Harbor: with digests"}[kind])
    directory.mkdir()
    registry = sweeping.ManyTags(directory, kind, repositories, SWEPT_TAGS // repositories, pictures // repositories)
    (directory / "killed").mkdir()
    (directory / "whole").mkdir()
    if kind == "oci":
        limit = wrk_must(registry.url, 8, "tags.lua", BENCH_REPOSITORIES=str(repositories), BENCH_TAGS=str(SWEPT_TAGS // repositories))
        print(f"  {'limit: GETs of tags (wrk cannot HEAD), 8 connections':58s}{limit:10,.0f}/s: {SWEPT_TAGS / limit:.1f} s", flush=True)
    else:
        limit = wrk_must(f"{registry.url}/api/v2.0/projects/bench/repositories/r000000/artifacts?page=1&page_size=100", 1)
        print(f"  {'limit: pages, 1 connection':58s}{limit:10,.0f}/s", flush=True)
    daemon = sweeping.Sweeper(directory / "whole", registry)
    sweep_once(daemon, registry, "the first one, which finds all of it", daemon.start)
    processor = Processor(daemon.process.child.pid)
    seconds = sweep_once(daemon, registry, "another one, which finds nothing new", daemon.sweep_again)
    show_processor("  each tag", [processor.per_item(SWEPT_TAGS)])
    if kind == "oci":
        share("of the limit", [SWEPT_TAGS / seconds], [limit])
    peak = daemon.process.peak_rss_kib()
    print(f"  peak {peak / 1024:.1f} MiB, reach 64: {'met' if peak < 64 * 1024 else 'NOT met'}", flush=True)
    daemon.stop()
    sweep_killed(directory / "killed", registry)
    registry.stop()
    return peak


def bench_sweep(directory):
    peaks = [bench_sweep_of(directory / "names", "oci", 10, 1000), bench_sweep_of(directory / "one", "oci", 1, 100),
             bench_sweep_of(directory / "digests", "harbor", 10, 10000)]
    return max(peaks)


def main():
    chosen = CHOSEN or ["intake", "images", "registry", "policy", "scan", "layers", "sweep"]
    directory = pathlib.Path(tempfile.mkdtemp(prefix="regwarden-bench-"))
    load = os.getloadavg()
    print(f"{os.cpu_count()} processors, load {load[0]:.1f} {load[1]:.1f} {load[2]:.1f} at the start"
          + (": others use this machine, figures are lower bounds" if load[0] > 0.5 else "")
          + f"; {ROUNDS} rounds, medians and [least .. most]", flush=True)
    idle, peaks = None, []
    try:
        if "intake" in chosen:
            idle, peak = bench_intake(directory)
            peaks.append(peak)
        if "images" in chosen:
            peaks.append(bench_images(directory))
        if "registry" in chosen:
            peaks.append(bench_registry(directory))
        if "policy" in chosen:
            bench_policy()
        if "scan" in chosen:
            bench_scan(directory)
        if "layers" in chosen:
            peaks.append(bench_layers(directory))
        if "sweep" in chosen:
            peaks.append(bench_sweep(directory))
        if idle and peaks:
            print(f"memory\n  idle {idle / 1024:.1f} MiB, reach 24: {'met' if idle < 24 * 1024 else 'NOT met'};"
                  f" highest in all of the above {max(peaks) / 1024:.1f} MiB, reach 64: {'met' if max(peaks) < 64 * 1024 else 'NOT met'}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
