"""Registries beside Debian's docker-registry, each with its own notifications to the daemon. `./dev peers` installs what can be had;
zot is taken from $REGWARDEN_ZOT or PATH."""
import json
import os
import pathlib
import shutil
import subprocess

import harness
import images

PEERS = pathlib.Path(os.environ.get("REGWARDEN_PEERS") or harness.SOURCE / "out" / "peers")


def peer(path, name):
    """A program that ./dev peers installed."""
    program = PEERS / path
    if not program.exists():
        raise harness.Skip(f"{name} is not installed (./dev peers)")
    return str(program)


class DistributionV3(harness.Registry):
    """The successor of docker-registry, with the same configuration file."""

    def __init__(self, directory, **options):
        self.program = peer("bin/registry", "distribution v3")
        super().__init__(directory, **options)

    def start(self):
        self.process = harness.Process("registry", self.directory, [self.program, "serve", str(self.file)],
                                       {"OTEL_TRACES_EXPORTER": "none"})
        harness.wait_for("distribution v3", lambda: harness.can_connect(self.port))
        return self


class Zot:
    """zot with its events, set up as regwarden-registries(7) says. hook: (url, secret); accounts: {name: (password, rights)}."""

    def __init__(self, directory, hook=None, port=None, accounts=None):
        self.program = os.environ.get("REGWARDEN_ZOT") or shutil.which("zot")
        if not self.program or not os.access(self.program, os.X_OK):
            raise harness.Skip("zot is neither named by REGWARDEN_ZOT nor on PATH")
        self.directory = pathlib.Path(directory)
        self.port = port or harness.free_port()
        config = {"distSpecVersion": "1.1.1", "storage": {"rootDirectory": str(self.directory / "data"), "gc": False},
                  "http": {"address": "127.0.0.1", "port": str(self.port)}, "log": {"level": "warn"}}
        if hook:
            config["extensions"] = {"events": {"enable": True, "sinks": [
                {"type": "http", "address": hook[0], "timeout": "5s", "credentials": {"token": hook[1]}}]}}
        self.accounts = accounts or {}
        if accounts:
            config["http"]["auth"] = {"htpasswd": {"path": str(self.htpasswd())}}
            config["http"]["accessControl"] = {"repositories": {"**": {"policies": [
                {"users": [name], "actions": rights} for name, (_, rights) in accounts.items()]}}}
        self.file = self.directory / "zot.json"
        self.file.write_text(json.dumps(config, indent=1))
        self.process = None

    def htpasswd(self):
        program = harness.need("htpasswd")
        lines = [subprocess.run([program, "-Bbn", name, password], check=True, capture_output=True, text=True).stdout.strip()
                 for name, (password, _) in self.accounts.items()]
        file = self.directory / "htpasswd"
        file.write_text("\n".join(lines) + "\n")
        return file

    url = harness.Registry.url
    host = harness.Registry.host
    tls = None

    def start(self):
        self.process = harness.Process("zot", self.directory, [self.program, "serve", str(self.file)])
        harness.wait_for("zot", lambda: harness.can_connect(self.port))
        return self

    stop = harness.Registry.stop

    def client(self):
        name = next(iter(self.accounts), None)
        return images.Client(self.url, (name, self.accounts[name][0]) if name else None)
