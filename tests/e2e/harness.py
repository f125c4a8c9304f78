"""What end-to-end tests share: real processes on loopback (docker-registry, regwarden), temporary directories, waiting, and a runner
whose output tests/checks/count.py understands.

REGWARDEN_BINARY names the program under test. A test that needs a component which this machine does not have raises Skip by name."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

import images

BINARY = os.environ.get("REGWARDEN_BINARY", "out/dev/regwarden")
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent


class Skip(Exception):
    pass


def need(program):
    path = shutil.which(program)
    if not path:
        raise Skip(f"{program} is not installed")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds=30, every=0.05):
    """Returns the condition's first true value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"waited {seconds} s for {what}")


def can_connect(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child with its output in a file. Killed at the end of the test."""

    def __init__(self, name, directory, arguments, environment=None, **options):
        self.log = pathlib.Path(directory) / f"{name}.log"
        self.arguments = arguments
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                          env={**os.environ, **(environment or {})}, **options)

    def stop(self, number=signal.SIGTERM, seconds=30):
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
                raise AssertionError(f"{self.arguments[0]} did not stop within {seconds} s") from None
        return self.child.returncode

    def text(self):
        return self.log.read_text(errors="replace")

    def rss_kib(self):
        for line in open(f"/proc/{self.child.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def peak_rss_kib(self):
        for line in open(f"/proc/{self.child.pid}/status"):
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        return 0


class Registry:
    """docker-registry. hook: (url, secret) or None; htpasswd: file; token: dict for auth.token; tls: (certificate, key)."""

    def __init__(self, directory, hook=None, port=None, htpasswd=None, token=None, tls=None, delete=True, ignore=True,
                 threshold=3, backoff="1s", timeout="5s"):
        need("docker-registry")
        self.directory = pathlib.Path(directory)
        self.port = port or free_port()
        self.tls = tls
        config = {"version": 0.1, "log": {"level": "warn", "accesslog": {"disabled": True}},
                  "storage": {"filesystem": {"rootdirectory": str(self.directory / "data")},
                              "delete": {"enabled": delete}, "cache": {"blobdescriptor": "inmemory"}},
                  "http": {"addr": f"127.0.0.1:{self.port}"}}
        if hook:
            endpoint = {"name": "regwarden", "url": hook[0], "timeout": timeout, "threshold": threshold, "backoff": backoff}
            if hook[1]:
                endpoint["headers"] = {"Authorization": [f"Bearer {hook[1]}"]}
            if ignore:
                endpoint["ignoredmediatypes"] = ["application/octet-stream"]
                endpoint["ignore"] = {"mediatypes": ["application/octet-stream"], "actions": ["pull"]}
            config["notifications"] = {"endpoints": [endpoint]}
        if htpasswd:
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(htpasswd)}}
        if token:
            config["auth"] = {"token": token}
        if tls:
            config["http"]["tls"] = {"certificate": str(tls[0]), "key": str(tls[1])}
        self.file = self.directory / "registry.yml"
        self.file.write_text(json.dumps(config, indent=1))  # JSON is YAML
        self.process = None

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        self.process = Process("registry", self.directory, ["docker-registry", "serve", str(self.file)],
                               {"OTEL_TRACES_EXPORTER": "none"})
        wait_for("docker-registry", lambda: can_connect(self.port))
        return self

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.stop(number)

    def client(self, user=None, ca=None):
        return images.Client(self.url, user, ca)


POLICY = """policy: e2e
mode: {mode}
scope:
  repositories: ["**", "!quarantine/**"]
rules:
  - rule: non-root
    severity: high
    on-fail: {actions}
  - rule: secrets
    severity: critical
    on-fail: [notify]
"""


class Regwarden:
    """The daemon. registries: {name: Registry or dict of settings}; policy: YAML text; extra: lines of top-level settings."""

    def __init__(self, directory, registries, policy=None, secret="s3cret", extra="", port=None, settings=None):
        self.directory = pathlib.Path(directory)
        self.registries = list(registries)
        self.state = self.directory / "state"
        self.state.mkdir(exist_ok=True)
        self.port = port or free_port()
        self.socket = self.directory / "regwarden.sock"
        self.secret = secret
        self.policy_file = self.directory / "policy.yaml"
        self.policy_file.write_text(policy or POLICY.format(mode="enforce", actions="[quarantine]"))
        (self.directory / "hook-secret").write_text(f"Bearer {secret}\n")
        lines = [f"listen: [\"127.0.0.1:{self.port}\", \"unix:{self.socket}\"]", f"state-directory: {self.state}",
                 f"policies: [\"{self.policy_file}\"]", extra, "registries:"]
        for name, registry in registries.items():
            lines += [f"  {name}:", f"    url: {registry.url}", f"    hook-secret-file: {self.directory}/hook-secret"]
            lines += [f"    {key}: {value}" for key, value in (settings or {}).items()]
        self.file = self.directory / "regwarden.yaml"
        self.file.write_text("\n".join(lines) + "\n")
        self.process = None

    def hook(self, registry="main"):
        return f"http://127.0.0.1:{self.port}/hooks/{registry}", self.secret

    def start(self, *arguments, wait=True, environment=None, **options):
        self.process = Process("regwarden", self.directory, [BINARY, "serve", "-c", str(self.file), *arguments], environment,
                               **options)
        if wait:
            wait_for("regwarden to be ready", self.is_ready)
        return self

    def is_ready(self):
        if self.process.child.poll() is not None:
            raise AssertionError("regwarden ended:\n" + self.process.text()[-4000:])
        with contextlib.suppress(OSError):
            return self.get("/readyz")[0] == 200
        return False

    def stop(self, number=signal.SIGTERM):
        return self.process.stop(number) if self.process else 0

    def request(self, method, path, body=None, headers=None):
        connection = UnixConnection(str(self.socket))
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data

    def get(self, path):
        return self.request("GET", path)

    def json(self, path):
        status, data = self.get(path)
        assert status == 200, (status, data)
        return json.loads(data)

    def cli(self, *arguments, check=True):
        """Runs a command against this daemon; returns (exit status, output)."""
        done = subprocess.run([BINARY, *arguments, "--server", f"unix:{self.socket}"], capture_output=True, text=True,
                              timeout=60)
        if check and done.returncode:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.returncode, done.stdout + done.stderr

    def verdicts(self, **query):
        path = "/api/v1/verdicts?" + urllib.parse.urlencode({"limit": 1000, **query})
        return self.json(path)["items"]

    def verdict(self, repository, tag, seconds=30, digest=None):
        """Waits for the newest verdict of a tag; also when the tag was taken away since."""
        def look():
            for name in self.registries:
                query = urllib.parse.urlencode({"registry": name, "repository": repository, "tag": tag})
                for verdict in self.json("/api/v1/history?" + query)["items"]:
                    if not digest or verdict["digest"] == digest:
                        return verdict
            return None
        return wait_for(f"a verdict of {repository}:{tag}", look, seconds)

    def plans(self, **query):
        return self.json("/api/v1/plans?" + urllib.parse.urlencode({"limit": 1000, **query}))["items"]

    def status(self):
        return self.json("/api/v1/status")

    def wait_idle(self, seconds=60):
        """Until every event is judged and every plan carried out."""
        def idle():
            status = self.status()
            return status["events"]["open"] == 0 and status["plans"]["planned"] == 0
        wait_for("regwarden to have nothing left to do", idle, seconds, 0.1)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Bench:
    """One test's own world: a directory, and whatever it starts, stopped in reverse."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="regwarden-e2e-"))
        self.stack = contextlib.ExitStack()

    def add(self, thing):
        self.stack.callback(thing.stop)
        return thing

    def subdirectory(self, name):
        path = self.directory / name
        path.mkdir()
        return path

    def pair(self, policy=None, extra="", settings=None, **registry_options):
        """A registry that notifies a daemon, both started. Returns (registry, daemon, client)."""
        port = free_port()
        daemon_directory = self.subdirectory("daemon")
        registry = Registry(self.subdirectory("registry"), hook=(f"http://127.0.0.1:{port}/hooks/main", "s3cret"),
                            **registry_options)
        daemon = Regwarden(daemon_directory, {"main": registry}, policy=policy, extra=extra, port=port, settings=settings)
        self.add(registry)
        self.add(daemon)
        registry.start()
        daemon.start()
        return registry, daemon, registry.client()

    def close(self):
        self.stack.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def run(tests):
    """Runs test functions that take a Bench; prints a line each. Names on the command line choose."""
    failed = False
    chosen = sys.argv[1:]
    for test in tests:
        if chosen and test.__name__ not in chosen:
            continue
        bench = Bench()
        print(f"[ RUN      ] {test.__name__}", flush=True)
        try:
            test(bench)
            state = "[       OK ]"
            note = ""
        except Skip as skip:
            state, note = "[  SKIPPED ]", f": {skip}"
        except Exception:
            failed = True
            state, note = "[  FAILED  ]", ""
            traceback.print_exc(file=sys.stdout)
            for log in bench.directory.rglob("*.log"):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
        try:
            bench.close()
        except Exception:
            failed = True
            state = "[  FAILED  ]"
            traceback.print_exc(file=sys.stdout)
        print(f"{state} {test.__name__}{note}", flush=True)
    sys.exit(1 if failed else 0)
