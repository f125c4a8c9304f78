#!/usr/bin/env python3
"""Layers made to hurt, among plain ones, from a real registry through scan workers: each image gets the verdict that it deserves, with
the reason named, while workers are killed, stopped and the registry goes away. Nobody waits for ever, and memory stays bounded."""
import gzip
import io
import json
import os
import re
import signal
import subprocess
import tarfile
import time

import harness
import images
import test_layers
from harness import wait_for
from test_layers import BASE, children_of, metric, noise

POLICY = """policy: layers
mode: audit
scope:
  repositories: ["**"]
rules:
  - rule: build-tools
    severity: high
    on-fail: [notify]
    on-unknown: retry
  - rule: context-leak
    severity: high
    on-fail: [notify]
    on-unknown: retry
  - rule: non-root
    severity: high
    on-fail: [notify]
    on-unknown: retry
"""
ENTRIES_MAX = 5000
EXTRA = f"""max-reviews: 16
retry: {{first: 200ms, max: 1s, give-up: 15s}}
scan: {{workers: 3, max-entries: {ENTRIES_MAX}, max-layer: 4MiB, memory: 32MiB}}"""
MEMORY_MIB = 64


# --- layers that nobody should make ---

def archive(entries):
    """entries: [(name, bytes or ("link", type, target))]"""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                info.type, info.linkname = content[1], content[2]
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def zstd(command):
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=True).stdout


def zeros(size):
    """The head of an archive whose one file has so many zeros, and the archive's length."""
    info = tarfile.TarInfo("zeros")
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def ratio_bomb(bench):
    head = bench.directory / "head"
    head.write_bytes(zeros(600 << 20))
    return zstd(f"(cat '{head}'; head -c {600 << 20} /dev/zero; head -c 1024 /dev/zero) | zstd -q -3 -c")


def huge_window(bench):
    plain = bench.directory / "plain"
    plain.write_bytes(archive([("f", noise(300000, 5))]))
    return zstd(f"cat '{plain}' | zstd -q --ultra -20 --long=27 -c")


def good_gzip(seed):
    return gzip.compress(archive([("data", noise(60000, seed)), ("more", b"x" * 50000)]), 6, mtime=0)


def corrupt(data, at):
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]


LINK = ("link", tarfile.SYMTYPE)


class Layer:
    """One layer in an image, what the daemon has to say of it, and how the registry serves it."""

    def __init__(self, data, verdicts, says, diff_id=None, media_type=None, user="1000", lie=None, size=None):
        self.data, self.verdicts, self.says = data, verdicts, says
        self.diff_id, self.media_type, self.user, self.lie, self.size = diff_id, media_type, user, lie, size

    def image(self):
        image = test_layers.image(BASE, {"app": self.data[:20]}, user=self.user)
        config = json.loads(next(data for data in image.blobs.values() if data.startswith(b"{")))
        config["rootfs"]["diff_ids"][1] = self.diff_id or images.digest_of(self.data)
        raw = json.dumps(config).encode()
        manifest = json.loads(image.manifest)
        manifest["config"].update(digest=images.digest_of(raw), size=len(raw))
        layer = manifest["layers"][1]
        layer.update(digest=images.digest_of(self.data), size=self.size or len(self.data))
        layer["mediaType"] = self.media_type or layer["mediaType"]
        image.blobs = {images.digest_of(data): data for data in (raw, self.data, *image.blobs.values())}
        image.manifest = json.dumps(manifest).encode()
        image.digest = images.digest_of(image.manifest)
        return image


def plain_layer(entries, verdicts, says, **options):
    raw = archive(entries)
    return Layer(gzip.compress(raw, 6, mtime=0), verdicts, says, diff_id=images.digest_of(raw), **options)


def answer(handler, status, headers=()):
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()
    handler.close_connection = True


def other_bytes(handler, data):
    answer(handler, 200, [("Content-Length", str(len(data)))])
    handler.wfile.write(good_gzip(99)[:len(data)].ljust(len(data), b"\0"))


def never_ends(handler, data):
    """More and more of it, for as long as somebody reads."""
    answer(handler, 200, [("Connection", "close")])
    while True:
        handler.wfile.write(data)


def not_there(handler, data):
    answer(handler, 404, [("Content-Length", "0")])


def hostile(bench):
    """name -> Layer. `fail`: it is no legal image; `unknown`: nobody can say what is in it."""
    whole = good_gzip(1)
    bad, unknown = {"fail"}, {"unknown"}
    gz = "application/vnd.oci.image.layer.v1.tar+gzip"
    many = [(f"d/{number}", b"") for number in range(ENTRIES_MAX + 1000)]
    cyclic = [("etc/passwd", (*LINK, "group")), ("etc/group", (*LINK, "passwd")), ("a", (*LINK, "b")), ("b", (*LINK, "a")),
              ("loop", (*LINK, "loop/loop"))]
    return {
        "ratio": Layer(ratio_bomb(bench), unknown, "times|ratio|expands", media_type=gz.replace("gzip", "zstd")),
        "entries": plain_layer(many, unknown, "entries|files"),
        "large": Layer(noise(5 << 20, 3), unknown, "scan.max-layer"),
        "cut": Layer(whole[:-5000], bad, "layer"),
        "flipped": Layer(corrupt(whole, len(whole) // 2), bad, "layer"),
        "member": Layer(whole + corrupt(good_gzip(2), 30000), bad, "layer"),
        "checksum": Layer(corrupt(whole, len(whole) - 6), bad, "layer"),
        "cyclic": plain_layer(cyclic, unknown, "etc/passwd", user="app"),
        "name-4k": plain_layer([("n/" * 2040 + "x", b"x")], {"pass"}, ""),  # as long as a name may be
        "name-1m": plain_layer([("n" * (1 << 20), b"x")], unknown, "name"),
        "window": Layer(huge_window(bench), unknown, "window|memory", media_type=gz.replace("gzip", "zstd")),
        "junk": Layer(noise(30000, 4), bad, "layer"),
        "gzip-of-junk": Layer(gzip.compress(noise(30000, 8), mtime=0), bad, "layer"),
        "not-the-diff-id": Layer(whole + b"", bad, "diff_id|layer", diff_id="sha256:" + "1" * 64),
        "encrypted": Layer(good_gzip(6), unknown, "encrypted", media_type=gz + "+encrypted"),
        "foreign": Layer(good_gzip(7), unknown, "not to be distributed", lie=not_there,
                         media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
        "other-bytes": Layer(good_gzip(9), bad, "bytes are sha256:", lie=other_bytes),
        "never-ends": Layer(good_gzip(10), bad, "has more bytes than", lie=never_ends),
    }


def expect(daemon, name, layer, seconds=90):
    verdict = daemon.verdict("team/" + name, "v1", seconds)
    assert verdict["verdict"] in layer.verdicts, (name, verdict)
    reasons = " ".join(finding["message"] for finding in verdict["findings"] if finding["status"] in ("fail", "unknown"))
    assert re.search(layer.says, reasons), (name, reasons)
    return verdict["verdict"], reasons


def is_sanitized():
    return b"__asan_init" in open(harness.BINARY, "rb").read()


# --- the tests ---

def test_hostile_among_plain(bench):
    """Every image ends with the verdict of the table, the plain ones between them pass, the failures are counted, and the daemon
    stays small."""
    daemon, client, proxy = test_layers.world(bench, extra=EXTRA)
    daemon.policy_file.write_text(POLICY)
    daemon.stop()
    daemon.start()
    table = hostile(bench)
    made = {name: layer.image() for name, layer in table.items()}
    for name, layer in table.items():
        if layer.lie:
            proxy.lies[images.digest_of(layer.data)] = layer.lie
    for number, (name, image) in enumerate(made.items()):
        client.push("team/" + name, image, "v1")
        client.push(f"team/plain{number}", test_layers.image(BASE, {"app": f"plain {number}".encode()}), "v1")
    for name, layer in table.items():
        verdict, reasons = expect(daemon, name, layer)
        print(f"             {name:16} {verdict:8} {reasons[:150]}")
    for number in range(len(made)):
        assert daemon.verdict(f"team/plain{number}", "v1")["verdict"] == "pass", number
    daemon.wait_idle()
    status = daemon.status()["layers"]
    assert status["failed"] >= 8 and status["active"] == status["waiting"] == 0, status
    assert metric(daemon, "regwarden_layers_failed_total") == status["failed"]
    log = daemon.process.text()
    assert "the layer cannot be read" in log
    peak = daemon.process.peak_rss_kib() / 1024
    print(f"             the daemon's peak: {peak:.1f} MiB")
    assert is_sanitized() or peak < MEMORY_MIB, peak


def test_disturbed_scans(bench):
    """A worker that is killed, one that is stopped for good, and a registry that goes away and comes back: each costs its layer or
    nothing, the others pass, a layer that has cost a worker is not read again at once, and no worker is left behind."""
    daemon, client, proxy = test_layers.world(bench, extra=EXTRA)
    pid, registry = daemon.process.child.pid, bench.registry
    proxy.seconds = 6
    victims = {f"victim{number}": test_layers.image({"noise": noise(60000, 50 + number)}) for number in range(2)}
    for name, image in victims.items():
        client.push("team/" + name, image, "v1")
    wait_for("two scans", lambda: daemon.status()["layers"]["active"] == 2 and len(children_of(pid)) == 2)
    killed, stopped = children_of(pid)
    os.kill(killed, signal.SIGKILL)
    os.kill(stopped, signal.SIGSTOP)
    begun = time.monotonic()
    proxy.seconds = 3
    for number in range(4):
        client.push(f"team/slow{number}", test_layers.image({"noise": noise(60000, 80 + number)}), "v1")
    wait_for("scans", lambda: daemon.status()["layers"]["active"] >= 2)
    registry.stop()
    time.sleep(1)
    registry.start()
    proxy.seconds = 0
    for number in range(4):
        assert daemon.verdict(f"team/slow{number}", "v1")["verdict"] == "pass"
    assert time.monotonic() - begun < 55, "they waited for the worker that was stopped"
    reasons = {}
    for name in victims:
        verdict = daemon.verdict("team/" + name, "v1", 90)
        assert verdict["verdict"] == "unknown", verdict
        reasons[name] = str(verdict["findings"])
    assert sum("signal 9" in text for text in reasons.values()) == 1, reasons
    assert sum("did nothing" in text for text in reasons.values()) == 1, reasons
    wait_for("the stopped worker to go", lambda: not os.path.exists(f"/proc/{stopped}"), 10)
    proxy.blobs()
    for tag in ("v2", "v3"):
        for name, image in victims.items():
            client.push("team/" + name, image, tag)
            assert daemon.verdict("team/" + name, tag)["verdict"] == "unknown"
    assert proxy.blobs() == {}, "it was read again"
    assert daemon.status()["layers"]["failed"] >= 2
    assert metric(daemon, "regwarden_scan_workers_killed_total") >= 1
    workers = children_of(pid)
    daemon.stop()
    assert not any(os.path.exists(f"/proc/{worker}") for worker in workers)


def test_index_of_many(bench):
    """The images of an index are judged one after the other, by what is in the layers of each, and judged again under other policies
    from what is recorded of them; with thousands of paths in each the daemon stays small."""
    daemon, client, proxy = test_layers.world(bench, extra=EXTRA)
    many = {f"srv/{number}/deep/place/file": b"" for number in range(1000 if is_sanitized() else 4000)}
    leaks = {f"srv/{number}/.git/HEAD": b"ref" for number in range(100 if is_sanitized() else 900)}
    children = []
    for number in range(24):
        # the last one alone has a compiler
        extra = {"usr/bin/gcc": b"\x7fELF" + b"c" * 5000} if number == 23 else {"app": str(number).encode()}
        children.append(images.Image(config={"User": "1000"}, files=[{**many, **leaks}, extra], platform=f"linux/a{number}",
                                     annotations={"org.opencontainers.image.base.name": "scratch"}))
    for name in ("one", "two", "three"):
        client.push("team/" + name, images.Index(children, annotations={"name": name}), "v1")
    for name in ("one", "two", "three"):
        verdict = daemon.verdict("team/" + name, "v1", 90)
        assert verdict["verdict"] == "fail", verdict
        compilers = [finding for finding in verdict["findings"] if finding["rule"] == "build-tools" and finding["status"] == "fail"]
        assert [finding["platform"] for finding in compilers] == ["linux/a23"], compilers
        leaky = {finding["platform"] for finding in verdict["findings"] if finding["rule"] == "context-leak"}
        assert leaky == {f"linux/a{number}" for number in range(24)}, leaky
    # more than is read along with the rest: judged by turns, also under many tags
    large = test_layers.image({f"srv/{number}/a-deep/place/.git/HEAD": b"ref" for number in range(2000)}, {"usr/bin/gcc": b"\x7fELF"})
    for number in range(6):
        client.push(f"team/large{number % 2}", large, f"v{number}")
    for number in range(6):
        assert daemon.verdict(f"team/large{number % 2}", f"v{number}", 60)["verdict"] == "fail"
    daemon.wait_idle()
    proxy.blobs()
    daemon.policy_file.write_text(test_layers.LAYERS.replace("  - rule: context-leak\n    severity: high\n    on-fail: [notify]\n", ""))
    revision = daemon.status()["policyRevision"]
    daemon.process.child.send_signal(signal.SIGHUP)
    wait_for("the new policies", lambda: daemon.status()["policyRevision"] != revision)
    new = daemon.status()["policyRevision"]
    wait_for("all to be judged by them", lambda: all(item["policyRevision"] == new for item in daemon.verdicts()), 60)
    assert proxy.blobs() == {}
    indexes = [item for item in daemon.verdicts() if item.get("tag")]
    assert len(indexes) == 9
    for item in indexes:
        assert item["verdict"] == "fail" and test_layers.rules_of(item) == {"build-tools"}, item
    peak = daemon.process.peak_rss_kib() / 1024
    print(f"             the daemon's peak: {peak:.1f} MiB")
    assert is_sanitized() or peak < MEMORY_MIB, peak


if __name__ == "__main__":
    harness.run([test_hostile_among_plain, test_disturbed_scans, test_index_of_many])
