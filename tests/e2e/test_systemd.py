#!/usr/bin/env python3
"""The service manager's side: units, readiness, watchdog, handed-over sockets, credentials; and a whole machine with systemd as
process 1, in which the shipped unit runs."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import faults
import harness
import images
from harness import wait_for

UNITS = harness.SOURCE / "systemd"
QUIET = 'log: {level: info}\nsweep-at-start: false'
PACKAGES = ("systemd", "systemd-sysv", "dbus", "ca-certificates", "libevent-2.1-7", "libevent-openssl-2.1-7",
            "libevent-pthreads-2.1-7", "libcurl4", "libjansson4", "libssl3", "libsystemd0", "libyaml-0-2", "libsqlite3-0",
            "libzstd1", "libisal2", "libvectorscan5", "libseccomp2", "libasan8", "libubsan1", "libtsan2")


# --- the units on paper ---

def test_units_are_understood(bench):
    """systemd-analyze says unknown settings on standard error, with exit status 0."""
    analyze = harness.need("systemd-analyze")
    directory = bench.subdirectory("units")
    files = []
    for unit in sorted(UNITS.iterdir()):
        files.append(directory / unit.name)
        files[-1].write_text(unit.read_text().replace("/usr/bin/regwarden", os.path.realpath(harness.BINARY)))
    done = subprocess.run([analyze, "verify", "--man=no", *files], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert {file.suffix for file in files} == {".service", ".socket"}


def test_exposure(bench):
    analyze = harness.need("systemd-analyze")
    done = subprocess.run([analyze, "security", "--offline=yes", "--threshold=15", "--no-pager", UNITS / "regwarden.service"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


# --- notifications ---

class Manager:
    """Receives what a service manager would."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.messages = []
        threading.Thread(target=self.receive, daemon=True).start()

    def receive(self):
        with contextlib.suppress(OSError):
            while True:
                self.messages += [line for line in self.socket.recv(4096).decode().split("\n") if line]

    def count(self, message):
        return self.messages.count(message)

    def stop(self):
        self.socket.close()


def daemon_alone(bench, name="daemon", extra=QUIET, **options):
    """A daemon whose registry is not there: most of what is asked here needs none."""
    class Nowhere:
        url = "http://127.0.0.1:9"
    return bench.add(harness.Regwarden(bench.subdirectory(name), {"main": Nowhere}, extra=extra,
                                       settings={"sweep-interval": "0"}, **options))


def notifications(bench, name, address):
    manager = bench.add(Manager(address))
    daemon = daemon_alone(bench, name)
    daemon.start(environment={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    wait_for("READY=1", lambda: manager.count("READY=1") == 1)
    wait_for("the watchdog to be fed", lambda: manager.count("WATCHDOG=1") >= 3, 5)
    assert not [line for line in manager.messages if line.startswith(("RELOADING", "STOPPING"))], manager.messages
    before = time.monotonic_ns() // 1000
    daemon.process.child.send_signal(signal.SIGHUP)
    wait_for("READY=1 after the reload", lambda: manager.count("READY=1") == 2)
    reloading = manager.messages.index("RELOADING=1")
    name, _, value = manager.messages[reloading + 1].partition("=")
    assert name == "MONOTONIC_USEC" and abs(int(value) - before) < 5_000_000, manager.messages
    assert manager.messages.index("READY=1", reloading) > reloading
    assert daemon.stop() == 0
    wait_for("STOPPING=1", lambda: manager.count("STOPPING=1") == 1)


def test_notifications(bench):
    notifications(bench, "path", str(bench.directory / "notify"))
    notifications(bench, "abstract", f"@regwarden-test-{os.getpid()}")


def test_watchdog_is_not_fed_by_a_stuck_loop(bench):
    address = str(bench.directory / "notify")
    manager = bench.add(Manager(address))
    daemon = daemon_alone(bench)
    daemon.start(environment={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    wait_for("WATCHDOG=1", lambda: manager.count("WATCHDOG=1"))
    daemon.process.child.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    seen = manager.count("WATCHDOG=1")
    time.sleep(1.5)
    assert manager.count("WATCHDOG=1") == seen
    daemon.process.child.send_signal(signal.SIGCONT)
    wait_for("WATCHDOG=1", lambda: manager.count("WATCHDOG=1") > seen)


# --- sockets ---

def answer(connection, path):
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read()


def test_socket_activation(bench):
    """The manager holds the sockets and starts us on the first request, which then is served."""
    activate = harness.need("systemd-socket-activate")
    for listen in ("listen: [systemd]", ""):
        daemon = daemon_alone(bench, "named" if listen else "default")
        path = str(daemon.directory / "activated.sock")
        text = daemon.file.read_text().split("\n")
        daemon.file.write_text("\n".join([listen, *text[1:]]))
        daemon.process = harness.Process("activated", daemon.directory, [
            activate, "-l", f"127.0.0.1:{daemon.port}", "-l", path, "--fdname=hooks:local",
            *[f"--setenv={name}={value}" for name, value in os.environ.items() if name.startswith(("ASAN_", "UBSAN_", "LSAN_"))],
            harness.BINARY, "serve", "-c", str(daemon.file)])
        wait_for("the sockets", lambda: os.path.exists(path))
        assert answer(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20), "/healthz") == (200, b"ok\n")
        assert answer(harness.UnixConnection(path), "/api/v1/status")[0] == 200, "both sockets are served"
        assert faults.post(daemon, [faults.event("team/app", "v1", images.good().digest)])[0] == 202
        assert daemon.stop() == 0


def test_sockets_are_wanted_and_missing(bench):
    daemon = daemon_alone(bench)
    daemon.file.write_text(daemon.file.read_text().replace(daemon.file.read_text().split("\n")[0], "listen: [systemd]"))
    daemon.start(wait=False)
    assert daemon.process.child.wait(20) != 0
    assert "handed over no socket" in daemon.process.text() and "regwarden.socket" in daemon.process.text()


# --- credentials ---

def with_credentials(bench):
    """A registry behind a password. Returns (registry, client)."""
    harness.need("htpasswd")
    passwords = bench.subdirectory("auth") / "htpasswd"
    passwords.write_text(subprocess.run(["htpasswd", "-Bbn", "robot", "pass word"], check=True, capture_output=True,
                                        text=True).stdout)
    registry = harness.Registry(bench.subdirectory("registry"), htpasswd=passwords)
    bench.add(registry).start()
    return registry, registry.client(("robot", "pass word"))


def test_credentials(bench):
    """Secrets named without a directory come from the manager's credentials."""
    registry, client = with_credentials(bench)
    credentials = bench.subdirectory("credentials")
    (credentials / "registry-password").write_text("pass word\n")
    (credentials / "hook-secret").write_text("from the manager\n")
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, secret="from the manager",
                               settings={"username": "robot", "password-file": "registry-password", "sweep-interval": "0"})
    (daemon.directory / "hook-secret").unlink()
    daemon.file.write_text(daemon.file.read_text().replace(f"{daemon.directory}/hook-secret", "hook-secret"))
    bench.add(daemon).start(environment={"CREDENTIALS_DIRECTORY": str(credentials)})
    image = images.good()
    client.push("team/app", image, "v1")
    assert faults.post(daemon, [faults.event("team/app", "v1", image.digest)], secret="wrong")[0] == 401
    assert faults.post(daemon, [faults.event("team/app", "v1", image.digest)])[0] == 202
    assert daemon.verdict("team/app", "v1")["verdict"] == "pass"


# --- a machine ---

def debian_root():
    """A Debian with what regwarden needs, made once and kept."""
    harness.need("mmdebstrap")
    for program in ("unshare", "nsenter", "pivot_root"):
        harness.need(program)
    if os.geteuid() != 0:
        raise harness.Skip("booting a machine needs root")
    if "VERSION_CODENAME=bookworm" not in pathlib.Path("/etc/os-release").read_text():
        raise harness.Skip("what is built here runs on no Debian 12")
    cache = pathlib.Path(os.environ.get("REGWARDEN_CACHE", harness.SOURCE / "out/cache"))
    root = cache / "debian-12-systemd"
    if (root / "made").is_file() and (root / "made").read_text() == " ".join(PACKAGES):
        return root
    cache.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    fresh = tempfile.mkdtemp(dir=cache)
    done = subprocess.run(["mmdebstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), "bookworm", fresh],
                          capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise harness.Skip("mmdebstrap cannot make a Debian here: " + done.stderr.strip().splitlines()[-1])
    (pathlib.Path(fresh) / "made").write_text(" ".join(PACKAGES))
    os.chmod(fresh, 0o755)
    os.rename(fresh, root)
    return root


class Machine:
    """A booted systemd; see boot_systemd.sh. extra: a directory that is laid over its root."""

    def __init__(self, directory, root, extra):
        self.process = harness.Process("machine", directory, [str(harness.SOURCE / "tests/e2e/boot_systemd.sh"), str(root),
                                                              str(extra)])
        self.pid = wait_for("systemd to be process 1", self.find, 20)
        wait_for("the machine to be up", lambda: self.run("systemctl", "is-system-running", check=False) in
                 ("running", "degraded"), 30, 0.2)

    def find(self):
        """The process that has become systemd, below the script and unshare."""
        if self.process.child.poll() is not None:
            raise harness.Skip("this machine cannot boot another: " + self.process.text().strip().replace("\n", " "))
        todo = [self.process.child.pid]
        while todo:
            pid = todo.pop()
            with contextlib.suppress(OSError):
                todo += [int(child) for child in open(f"/proc/{pid}/task/{pid}/children").read().split()]
                if open(f"/proc/{pid}/comm").read() == "systemd\n":
                    return pid
        return None

    def run(self, *command, check=True):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "-C", "-u", "-i", "-w/", *command], text=True,
                              capture_output=True, timeout=60)
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.returncode} {done.stdout} {done.stderr}\n{self.journal()}")
        return done.stdout.strip()

    def journal(self, *matches):
        return self.run("journalctl", "-o", "cat", "--no-pager", "-u", "regwarden", *matches, check=False)

    def entries(self, *matches):
        return [json.loads(line) for line in self.run("journalctl", "-o", "json", *matches).splitlines()]

    def show(self, name, unit="regwarden"):
        return self.run("systemctl", "show", "-P", name, unit)

    def status(self):
        """The daemon's process as the kernel shows it; its number is one of the machine's own."""
        return dict(line.split(":\t", 1) for line in self.run("cat", f"/proc/{self.show('MainPID')}/status").splitlines()
                    if ":\t" in line)

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGRTMIN + 4)  # power off
        try:
            self.process.child.wait(20)
        except subprocess.TimeoutExpired:
            self.process.stop()


def furnish(bench, registry, port):
    """What is installed on top of Debian: binary, units, configuration, one small change for the test's sake."""
    extra = bench.subdirectory("extra")
    for directory in ("usr/bin", "etc/regwarden", "etc/systemd/system/regwarden.service.d",
                      "etc/systemd/system/regwarden.socket.d"):
        (extra / directory).mkdir(parents=True)
    shutil.copy(harness.BINARY, extra / "usr/bin/regwarden")
    for unit in UNITS.iterdir():
        shutil.copy(unit, extra / "etc/systemd/system" / unit.name)
    (extra / "etc/systemd/system/regwarden.service.d/test.conf").write_text(
        "[Service]\nWatchdogSec=2s\nTimeoutAbortSec=5s\nRestartSec=100ms\n"
        "Environment=ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1\n")
    (extra / "etc/systemd/system/regwarden.socket.d/test.conf").write_text(
        f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\nListenStream=/run/regwarden-socket/regwarden.sock\n")
    (extra / "etc/regwarden/regwarden.yaml").write_text(
        f"listen: [\"127.0.0.1:{port}\", \"unix:/run/regwarden/regwarden.sock\"]\n"
        f"registries:\n  main: {{url: \"{registry.url}\", sweep-interval: 0}}\n")
    return extra


class Hook:
    """What faults.post() wants to know of a daemon."""

    def __init__(self, port, secret=""):
        self.port, self.secret = port, secret


def check_sandbox(machine):
    status = machine.status()
    uid = int(status["Uid"].split()[0])
    assert 61184 <= uid <= 65519, f"user {uid} is none of the dynamic ones"
    assert machine.show("User") == "regwarden" and machine.show("DynamicUser") == "yes"
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and int(status["CapBnd"], 16) == 0, status
    pid = machine.show("MainPID")
    mounts = machine.run("cat", f"/proc/{pid}/mountinfo").splitlines()
    options = {line.split()[4]: line.split()[5].split(",")[0] for line in mounts}
    assert options["/"] == "ro" and options["/var/lib/private/regwarden"] == "rw", options
    assert "/home" in options and "/dev" in options, "the sandbox has no mounts of its own"
    modes = machine.run("stat", "-c", "%a %u", "/var/lib/private/regwarden", "/var/lib/private/regwarden/regwarden.db")
    assert modes == f"700 {uid}\n600 {uid}", modes


def check_credentials(machine, registry, client, port):
    """The shipped unit finds them in /etc/credstore, by name, and starts without them."""
    image = images.good("before credentials")
    client.push("team/app", image, "v0")
    assert faults.post(Hook(port), [faults.event("team/app", "v0", image.digest)])[0] == 202
    machine.run("sh", "-c", "mkdir -m 700 -p /etc/credstore && cd /etc/credstore && umask 077 &&"
                            " printf 'pass word\\n' >registry-password && printf 'hook word\\n' >hook-secret")
    machine.run("sh", "-c", f"""cat >/etc/regwarden/regwarden.yaml <<'END'
listen: ["127.0.0.1:{port}", "unix:/run/regwarden/regwarden.sock"]
retry: {{first: 100ms, max: 1s}}
registries:
  main:
    url: {registry.url}
    username: robot
    password-file: registry-password
    hook-secret-file: hook-secret
    sweep-interval: 0
END""")
    machine.run("systemctl", "restart", "regwarden")
    image = images.bad("with credentials")
    client.push("team/app", image, "v1")
    assert faults.post(Hook(port), [faults.event("team/app", "v1", image.digest)])[0] == 401
    assert faults.post(Hook(port, "hook word"), [faults.event("team/app", "v1", image.digest)])[0] == 202
    wait_for("the verdict in the journal", lambda: "judged fail" in machine.journal("REPOSITORY=team/app", "TAG=v1"))
    assert "pass word" not in machine.journal() and "hook word" not in machine.journal()
    return image


def check_journal(machine, image):
    entry = machine.entries("_SYSTEMD_UNIT=regwarden.service", "REPOSITORY=team/app", "TAG=v1")[0]
    expected = {"REGISTRY": "main", "REPOSITORY": "team/app", "TAG": "v1", "DIGEST": image.digest, "PRIORITY": "6",
                "SYSLOG_IDENTIFIER": "regwarden"}
    assert {name: entry.get(name) for name in expected} == expected, entry
    assert "tags judged" in machine.run("regwarden", "status"), "the command finds the daemon by itself"


def check_watchdog(machine):
    before = machine.show("MainPID")
    machine.run("systemctl", "kill", "-s", "STOP", "--kill-who=main", "regwarden")
    wait_for("the watchdog to restart the daemon", lambda: machine.show("MainPID") not in ("0", before)
             and machine.show("ActiveState") == "active", 30, 0.2)
    assert machine.show("NRestarts") == "1" and machine.show("Result") == "success"
    assert "Watchdog timeout" in machine.run("journalctl", "-o", "cat", "--no-pager", "-u", "regwarden")


def check_reload(machine):
    before = machine.show("MainPID")
    machine.run("systemctl", "reload", "regwarden")
    wait_for("the reload", lambda: "configuration reloaded" in machine.journal())
    assert machine.show("MainPID") == before and machine.show("ActiveState") == "active"


def check_socket_unit(machine, port):
    """The sockets outlive the service; a request starts it."""
    machine.run("systemctl", "stop", "regwarden")
    machine.run("sed", "-i", "/^listen:/d", "/etc/regwarden/regwarden.yaml")
    machine.run("systemctl", "start", "regwarden.socket")
    assert machine.show("ActiveState") == "inactive"
    assert answer(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "/healthz") == (200, b"ok\n")
    assert machine.show("ActiveState") == "active"
    machine.run("systemctl", "restart", "regwarden")
    assert answer(http.client.HTTPConnection("127.0.0.1", port, timeout=30), "/healthz") == (200, b"ok\n")
    assert "tags judged" in machine.run("regwarden", "status", "--server", "unix:/run/regwarden-socket/regwarden.sock")


def check_stop(machine):
    invocation = machine.show("InvocationID")
    machine.run("systemctl", "stop", "regwarden.socket", "regwarden")
    assert machine.show("ActiveState") == "inactive"
    said = [entry["MESSAGE"] for entry in machine.entries("INVOCATION_ID=" + invocation)]
    assert "regwarden.service: Deactivated successfully." in said, said
    assert not [line for line in said if "Main process exited" in line or "Failed" in line or "timed out" in line], said
    gone = machine.run("sh", "-c", "ls -d /run/regwarden /run/credentials/regwarden.service 2>/dev/null; true")
    assert gone == "", gone


def test_machine(bench):
    root = debian_root()
    registry, client = with_credentials(bench)
    port = harness.free_port()
    machine = bench.add(Machine(bench.directory, root, furnish(bench, registry, port)))
    assert machine.run("systemctl", "--failed", "--no-legend", "--plain") == ""
    machine.run("systemctl", "start", "regwarden")  # returns when it is ready
    assert machine.show("ActiveState") == "active" and machine.show("StatusText") == "Judging"
    check_sandbox(machine)
    image = check_credentials(machine, registry, client, port)
    check_journal(machine, image)
    check_watchdog(machine)
    check_reload(machine)
    check_socket_unit(machine, port)
    check_stop(machine)


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
