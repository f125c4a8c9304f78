#!/usr/bin/env python3
"""`./dev run`: a registry on this machine, regwarden beside it, a clean and a violating image made on the spot and pushed.
usage: demo.py REGWARDEN [--once]   (--once ends after the verdicts, for tests)"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib

import harness
import images

POLICY = """# Written by ./dev run: the shipped baseline watches (audit), this one acts.
policy: demo
description: Violators leave their place, and everybody is told where they went.
mode: enforce
scope:
  repositories: ["**", "!quarantine/**"]
rules:
  - rule: non-root
    severity: high
    on-fail: [quarantine]
  - rule: secrets
    severity: critical
    on-fail: [quarantine]
"""


def say(text):
    print(f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text, flush=True)


def npm_token(text):
    """A token with the checksum that npm gives its own, so that it is known for what it is."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    checksum, sum_text = zlib.crc32(text.encode()), ""
    for _ in range(6):
        checksum, digit = divmod(checksum, 62)
        sum_text = digits[digit] + sum_text
    return "npm_" + text + sum_text


def step(text):
    return {"created_by": text, "comment": "buildkit.dockerfile.v0"}


def program(mebibytes):
    """As large as a program, and as hard to compress."""
    return b"\x7fELF" + random.Random(mebibytes).randbytes(mebibytes << 20)


def clean_image():
    runtime = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.10/System.Private.CoreLib.dll"
    return images.Image(
        config={"User": "1654:1654", "WorkingDir": "/app", "Entrypoint": ["dotnet", "/app/shop.dll"],
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "DOTNET_VERSION=8.0.10", "ASPNET_VERSION=8.0.10", "APP_UID=1654"]},
        files=[{"usr/share/dotnet/dotnet": program(1), runtime: program(2)}, {"app/shop.dll": program(1)}],
        history=[step("COPY /dotnet /usr/share/dotnet # buildkit"), step("COPY /app . # buildkit")])


def violating_image():
    return images.Image(
        config={"WorkingDir": "/src", "Entrypoint": ["/usr/local/bin/shop"],
                "Env": ["PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin", "GOLANG_VERSION=1.22.4", "GOPATH=/go",
                        "NPM_TOKEN=" + npm_token("a1B2c3" * 5)]},
        files=[{"usr/local/go/VERSION": b"go1.22.4\n", "usr/local/go/bin/go": program(3),
                "usr/local/go/pkg/tool/linux_amd64/compile": program(5)},
               {"src/main.go": b"package main\n", "src/.git/HEAD": b"ref: refs/heads/main\n", "src/.git/objects/pack": program(1)},
               {"usr/local/bin/shop": program(2)}],
        history=[step("COPY /target/ / # buildkit"), step("COPY . . # buildkit"),
                 step("RUN /bin/sh -c go build -o /usr/local/bin/shop . # buildkit")])


def start(directory, binary):
    port = harness.free_port()
    registry = harness.Registry(directory, hook=(f"http://127.0.0.1:{port}/hooks/demo", "demo"), threshold=3)
    (directory / "hook-secret").write_text("Bearer demo\n")
    (directory / "demo.yaml").write_text(POLICY)
    (directory / "regwarden.yaml").write_text("\n".join([
        f"listen: [\"127.0.0.1:{port}\", \"unix:{directory}/regwarden.sock\"]",
        f"state-directory: {directory}/state",
        f"policies: [{harness.SOURCE}/policies/baseline.yaml, {harness.SOURCE}/policies/multistage.yaml, {directory}/demo.yaml]",
        "log: {level: warning}",
        "registries:",
        "  demo:",
        f"    url: {registry.url}",
        "    hook-secret-file: hook-secret", ""]))
    registry.start()
    say(f"A registry runs on {registry.host}, regwarden on 127.0.0.1:{port}; everything is in {directory}\n")
    daemon = subprocess.Popen([binary, "serve", "-c", str(directory / "regwarden.yaml"), "--watch"])
    harness.wait_for("regwarden", lambda: harness.can_connect(port))
    return registry, daemon


def show(binary, directory, registry):
    command = f"{os.path.relpath(binary)}"
    server = f"--server unix:{directory}/regwarden.sock"
    say("\nPush your own image")
    print(f"  skopeo copy --dest-tls-verify=false docker-archive:IMAGE.tar docker://{registry.host}/team/app:1\n"
          f"  docker push {registry.host}/team/app:1")
    say("Where to look")
    print(f"  {command} status {server}\n"
          f"  {command} verdicts {server}\n"
          f"  {command} quarantine list {server}      (and `quarantine release ID`)\n"
          f"  {command} report {server} -o csv\n"
          f"  {command} check --plain-http {registry.host}/team/good:1\n"
          f"  curl --unix-socket {directory}/regwarden.sock http://localhost/metrics\n")


def main():
    binary, once = sys.argv[1], "--once" in sys.argv
    directory = pathlib.Path(tempfile.mkdtemp(prefix="regwarden-demo-"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    registry = daemon = None
    status = 1
    try:
        registry, daemon = start(directory, binary)
        client = registry.client()
        say("Pushing team/good:1: a .NET application on a runtime base, with a user of its own")
        client.push("team/good", clean_image(), "1")
        say("Pushing team/bad:1: a Go service that brought its compiler and its .git along, runs as root, with a token in its environment\n")
        client.push("team/bad", violating_image(), "1")
        harness.wait_for("the violator to leave its place", lambda: client.digest("team/bad", "1") is None
                         and client.digest("quarantine/team/bad", "1"), 60)
        time.sleep(0.5)
        say(f"\nteam/bad: tags {client.tags('team/bad')}; quarantine/team/bad: tags {client.tags('quarantine/team/bad')}; "
            f"team/good: tags {client.tags('team/good')}")
        status = 0
        show(binary, directory, registry)
        if not once:
            say("Serving until Ctrl-C")
            daemon.wait()
    except KeyboardInterrupt:
        print()
    finally:
        if daemon and daemon.poll() is None:
            daemon.terminate()
            daemon.wait()
        if registry:
            registry.stop()
        shutil.rmtree(directory, ignore_errors=True)
    return status


sys.exit(main())
