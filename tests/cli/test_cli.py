#!/usr/bin/env python3
"""The command line as people and CI meet it: words, exit statuses, formats, files that are broken, credentials, help."""
import base64
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness
import images
from harness import need

EXAMPLES = harness.SOURCE / "policies" / "examples"
STRICT = harness.POLICY.format(mode="enforce", actions="[quarantine]")

# What a command's help must mention, beside its examples.
COMMANDS = {
    "check": ["--policy", "--waivers", "--output", "--fail-on", "--plain-http", "--username", "--password-file", "--ca-file", "--color",
              "--no-layers", "--bases", "--schema", "Exit status"],
    "facts": ["--no-layers", "--bases", "--plain-http", "--username", "--password-file", "--ca-file", "--schema"],
    "policy": ["lint", "test", "schema", "Exit status"],
    "rules": ["--names"],
    "serve": ["--config", "--registry", "--policy", "--listen", "--state", "--dry-run", "--watch"],
    "harbor": ["connect", "status", "--url", "--user", "--password-file", "--ca-file", "--hook-url", "--projects", "--all-projects", "--actions",
               "--secrets", "--name", "--label", "--quarantine-project", "--new-secret", "--dry-run", "--plain-http"],
    "status": ["--server", "--token-file", "--server-ca", "--json", "Exit status"],
    "verdicts": ["--registry", "--tag", "--verdict", "--rule", "--limit", "--server", "--json"],
    "quarantine": ["--all", "--force", "release ID", "--server", "--json"],
    "waiver": ["--rule", "--policy", "--repository", "--tag", "--path", "--fingerprint", "--digest", "--reason", "--owner", "--expires",
               "--expiring", "revoke ID", "--server", "--json"],
    "base": ["add REF", "remove REF", "scan REF", "--server", "--json"],
    "sweep": ["[REGISTRY]", "--server", "--json"],
    "dead-letters": ["retry ID", "remove ID", "--server", "--json"],
    "report": ["--output", "--since", "--server"],
    "manual": ["completion"],
}


class Result:
    def __init__(self, done, arguments):
        self.status, self.out, self.err, self.arguments = done.returncode, done.stdout, done.stderr, arguments

    def __repr__(self):
        return f"{self.arguments}: exit {self.status}\n{self.out}{self.err}"

    def expect(self, status, *texts):
        assert self.status == status, self
        for text in texts:
            assert text in self.out + self.err, (text, self)
        return self


def run(bench, *arguments, env=None, stdin=None, **options):
    """With nothing of this machine's own settings."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(bench.directory), "TERM": "dumb"}
    clean.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})
    done = subprocess.run([harness.BINARY, *map(str, arguments)], env={**clean, **(env or {})}, input=stdin, capture_output=True,
                          text=True, errors="surrogateescape", timeout=60, **options)
    assert done.returncode >= 0, (arguments, done)
    return Result(done, arguments)


def put_layout(directory, *named, index=None):
    """named: (tag, image or index). Returns the directory."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entries = []

    def put(thing):
        for child in thing.children:
            put(child)
        for digest, data in {**thing.blobs, thing.digest: thing.manifest}.items():
            (blobs / digest.split(":")[1]).write_bytes(data)

    for tag, thing in named:
        put(thing)
        entries.append({"mediaType": thing.media_type, "digest": thing.digest, "size": len(thing.manifest),
                        **({"annotations": {"org.opencontainers.image.ref.name": tag}} if tag else {})})
    (directory / "index.json").write_text(index or json.dumps({"schemaVersion": 2, "manifests": entries}))
    return directory


def layout(bench, name="layout"):
    """Tags: good, bad, mixed (an index of both)."""
    good, bad = images.good(), images.bad()
    mixed = images.Index([images.good("a", platform="linux/amd64"), images.bad("b", platform="linux/arm64")])
    return put_layout(bench.directory / name, ("good", good), ("bad", bad), ("mixed", mixed))


def policy(bench, text=STRICT, name="policy.yaml"):
    path = bench.directory / name
    path.write_text(text)
    return path


def is_plain(text):
    return not re.search(r"[\x00-\x08\x0b-\x1f\x7f\udc80-\udcff]", text)


# --- help and words ---

def test_help_of_every_command(bench):
    general = run(bench, "--help").expect(0, "Usage:", "--help")
    listed = re.findall(r"^  ([a-z-]+) {2,}\S", general.out, re.MULTILINE)
    assert set(COMMANDS) - {"manual"} == set(listed), listed
    for name, mentions in COMMANDS.items():
        help_text = run(bench, name, "--help").expect(0, "Example", f"regwarden {name}", *mentions)
        assert not help_text.err and is_plain(help_text.out), help_text
        for line in help_text.out.splitlines():
            assert len(line) <= 100, (name, line)
        # every option in the help is one that the parser knows, and the test knows it too
        options = set(re.findall(r"(--[a-z-]+)", help_text.out)) - {"--help", "--usage"}
        examples = set(re.findall(r"(--[a-z-]+)", help_text.out.split("Example")[1]))
        known = {word for word in mentions if word.startswith("--")} | {"--server", "--token-file", "--server-ca", "--json"}
        assert options - examples - {"--registry", "--password-file"} <= known, (name, options - known)


def test_examples_in_the_help_are_words_that_exist(bench):
    for name in COMMANDS:
        text = run(bench, name, "--help").out.split("Example")[1]
        for command in re.findall(r"^  regwarden ([a-z-]+)", text, re.MULTILINE):
            assert command in COMMANDS, (name, command)
        for option in re.findall(r" (--[a-z-]+)", text):
            assert option in run(bench, name, "--help").out.split("Example")[0], (name, option)


def test_no_and_unknown_words(bench):
    run(bench).expect(2, "Usage:")
    run(bench, "--version").expect(0, "regwarden ")
    for wrong, right in {"chek": "check", "fact": "facts", "polcy": "policy", "dead-leters": "dead-letters", "statsu": "status"}.items():
        run(bench, wrong).expect(2, f'"{wrong}"', f'did you mean "{right}"?')
    far = run(bench, "frobnicate").expect(2, "--help")
    assert "did you mean" not in far.err
    run(bench, "rules", "nonroot").expect(2, 'did you mean "non-root"?')
    run(bench, "rules", "image-sise").expect(2, 'did you mean "image-size"?')
    run(bench, "quarantine", "relase").expect(2, "list and release")
    run(bench, "base", "delete").expect(2, "list, add, remove and scan")
    run(bench, "base", "scan", "oci:/nowhere").expect(2, "host/repository:tag")
    run(bench, "waiver", "delete").expect(2, "list, add and revoke")
    run(bench, "dead-letters", "show").expect(2, "list, retry and remove")
    run(bench, "policy", "check").expect(2, "lint, test")
    run(bench, "policy").expect(2, "lint, test or schema")
    run(bench, "policy", "lint").expect(2, "name a file")
    run(bench, "quarantine", "release").expect(2, "takes 1 argument")
    run(bench, "quarantine", "release", "seven").expect(2, "id")
    run(bench, "waiver", "add", "--rule", "non-root").expect(2, "--expires")
    run(bench, "waiver", "add", "--rule", "x", "--expires", "soon").expect(2, "30d")
    run(bench, "check").expect(2, "host/repository:tag")
    run(bench, "facts").expect(2, "host/repository:tag")
    run(bench, "facts", "a.b/c", "d.e/f").expect(2, "one image")
    run(bench, "check", "-o", "yaml", "a.b/c").expect(2, "table, json")
    run(bench, "check", "--fail-on", "bad", "a.b/c").expect(2, "critical")
    run(bench, "check", "--no-such-option", "a.b/c").expect(2, "no-such-option")
    run(bench, "report", "-o", "pdf").expect(2, "json or csv")
    run(bench, "sweep", "a", "b").expect(2)
    run(bench, "serve", "http://127.0.0.1:5000").expect(2, "--registry URL")
    run(bench, "serve", "--registry", "ftp://x").expect(2, "http")
    run(bench, "serve", "-c", "/nowhere/at/all").expect(3, "--registry URL")
    run(bench, "serve", "-c", "x", "--registry", "http://127.0.0.1:1").expect(2, "exclude each other")
    run(bench, "serve", "-c", "x", "--listen", "127.0.0.1:1").expect(2, "--registry")
    run(bench, "manual", "completion", "tcsh").expect(2)


def test_rules(bench):
    listed = run(bench, "rules", "--names").expect(0).out.split()
    assert len(listed) >= 15 and listed == sorted(listed)
    everything = run(bench, "rules").expect(0).out
    for rule in listed:
        assert rule in everything
        explained = run(bench, "rules", rule).expect(0, rule + ":", "Settings", "Example", "Severity", "Looks at").out
        example = explained.split("Example\n")[1].strip()
        text = "policy: example\nrules:\n  - " + example.replace("\n", "\n    ") + "\n"
        run(bench, "policy", "lint", policy(bench, text)).expect(0, "1 policy in order")


# --- check: exit statuses ---

def test_exit_statuses_of_a_layout(bench):
    where, strict = layout(bench), policy(bench)
    watching = policy(bench, harness.POLICY.format(mode="audit", actions="[tag]"), "audit.yaml")
    unknowable = policy(bench, "policy: p\nrules:\n  - rule: base-pinned\n    on-unknown: retry\n", "unknown.yaml")
    plain = images.Image(config={"User": "1000"})
    bare = put_layout(bench.directory / "bare", (None, plain))
    for status, arguments in [
            (0, ["-p", strict, f"oci:{where}:good"]),
            (1, ["-p", strict, f"oci:{where}:bad"]),
            (1, ["-p", strict, f"oci:{where}:good", f"oci:{where}:bad"]),
            (1, ["-p", strict, f"oci:{where}:mixed"]),
            (1, ["-p", watching, f"oci:{where}:bad"]),  # audit is about what is done, not about what is so
            (0, ["-p", strict, f"oci:{bare}"]),
            (3, ["-p", unknowable, f"oci:{bare}"]),
            (3, ["-p", strict, f"oci:{where}:absent"]),
            (3, ["-p", strict, f"oci:{where}:good", f"oci:{where}:absent"]),
            (1, ["-p", strict, f"oci:{where}:bad", f"oci:{where}:absent"]),
            (2, ["-p", "/nowhere/at/all", f"oci:{where}:good"]),
            (2, ["-p", strict, "--waivers", "/nowhere/at/all", f"oci:{where}:good"]),
            (2, ["-p", strict, "no-reference"]),
            (0, ["-p", strict, "--fail-on", "critical", f"oci:{where}:good"]),
            (1, ["-p", strict, "--fail-on", "critical", f"oci:{where}:bad"]),
            (0, ["-p", policy(bench, STRICT.split("  - rule: secrets")[0], "one.yaml"), "--fail-on", "critical", f"oci:{where}:bad"]),
            (1, ["-p", bench.directory / "one.yaml", "--fail-on", "info", f"oci:{where}:bad"])]:
        result = run(bench, "check", *arguments)
        assert result.status == status, (status, result)


def test_a_waiver_excuses(bench):
    where, strict = layout(bench), policy(bench)
    waivers = bench.directory / "waivers.yaml"
    entry = "  - {{id: W-{0}, rule: {0}, reason: because, owner: me, expires: {1}}}\n"
    waivers.write_text("waivers:\n" + entry.format("non-root", "2999-01-01") + entry.format("secrets", "2999-01-01"))
    run(bench, "check", "-p", strict, "--waivers", waivers, f"oci:{where}:bad").expect(0, "waived", "W-non-root")
    waivers.write_text("waivers:\n" + entry.format("non-root", "2020-01-01") + entry.format("secrets", "2020-01-01"))
    run(bench, "check", "-p", strict, "--waivers", waivers, f"oci:{where}:bad").expect(1)


def test_an_artifact_is_no_pass(bench):
    thing = images.Image()
    document = json.loads(thing.manifest)
    document["config"]["mediaType"] = "application/vnd.example.signature.v1+json"
    thing.manifest = json.dumps(document).encode()
    thing.digest = images.digest_of(thing.manifest)
    where = put_layout(bench.directory / "artifact", ("sig", thing))
    run(bench, "check", f"oci:{where}:sig").expect(3, "nothing could be judged")
    run(bench, "facts", f"oci:{where}:sig").expect(3, "there are no facts")


def test_exit_statuses_of_a_registry(bench):
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    client, strict = registry.client(), policy(bench)
    client.push("team/good", images.good(), "v1")
    client.push("team/bad", images.bad(), "v1")
    run(bench, "check", "-p", strict, f"{registry.host}/team/good:v1").expect(0, "PASS")
    run(bench, "check", "-p", strict, f"{registry.host}/team/good@{images.good().digest}").expect(0, "PASS")
    run(bench, "check", "-p", strict, f"{registry.host}/team/bad:v1").expect(1, "FAIL", "non-root")
    run(bench, "check", "-p", strict, f"{registry.host}/team/good:v2").expect(3, "UNKNOWN", "v2")
    run(bench, "check", "-p", strict, f"{registry.host}/team/none:v1").expect(3, "UNKNOWN")
    run(bench, "check", "-p", strict, f"{registry.host}/team/bad:v1", f"{registry.host}/team/good:v1").expect(1, "2 images")
    registry.stop()
    gone = run(bench, "check", "-p", strict, f"{registry.host}/team/good:v1").expect(3, "cannot connect")
    assert is_plain(gone.out + gone.err)


def test_plain_http_only_where_nobody_listens(bench):
    """https unless the host is this very machine, whatever its name begins with."""
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    registry.client().push("team/good", images.good(), "v1")
    name = socket.gethostname()
    try:
        if not socket.gethostbyname(name).startswith("127."):
            raise harness.Skip("this machine's name is no loopback address")
    except OSError:
        raise harness.Skip("this machine's name cannot be resolved") from None
    target = f"{name}:{registry.port}/team/good:v1"
    run(bench, "check", target).expect(3)
    run(bench, "check", "--plain-http", target).expect(0)


# --- formats ---

def test_formats(bench):
    where, strict = layout(bench), policy(bench)
    references = [f"oci:{where}:{tag}" for tag in ("good", "bad", "mixed")]
    table = run(bench, "check", "-p", strict, *references).expect(1, "4 images: 2 failed, 2 passed")
    assert "\x1b" not in table.out
    assert "\x1b[" in run(bench, "check", "-p", strict, "--color", *references).expect(1).out
    document = json.loads(run(bench, "check", "-p", strict, "-o", "json", *references).expect(1).out)
    assert [result["verdict"] for result in document["results"]] == ["pass", "fail", "pass", "fail"]
    assert document["schemaVersion"] == 1 and document["results"][3]["platform"] == "linux/arm64"
    markdown = run(bench, "check", "-p", strict, "-o", "markdown", *references).expect(1).out
    assert markdown.startswith("## ") and "| high | fail |" in markdown
    sarif = json.loads(run(bench, "check", "-p", strict, "-o", "sarif", *references).expect(1).out)
    assert sarif["version"] == "2.1.0"
    found = {result["ruleId"] for result in sarif["runs"][0]["results"]}
    assert any("non-root" in rule for rule in found), found
    junit = xml.etree.ElementTree.fromstring(run(bench, "check", "-p", strict, "-o", "junit", *references).expect(1).out)
    assert junit.tag == "testsuites" and len(list(junit.iter("failure"))) >= 4
    for name in ("table", "json", "markdown", "sarif", "junit"):
        text = run(bench, "check", "-p", strict, "-o", name, *references).out
        assert "npm_" + "0" not in text and is_plain(text) and text.endswith("\n")


def test_json_is_as_its_schema_says(bench):
    try:
        import jsonschema
    except ImportError:
        raise harness.Skip("python3-jsonschema is not installed") from None
    where = layout(bench)
    schema = json.loads(run(bench, "check", "--schema").expect(0).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for arguments in [["-p", policy(bench), f"oci:{where}:good", f"oci:{where}:bad", f"oci:{where}:mixed"], [f"oci:{where}:absent"],
                      ["-p", harness.SOURCE / "policies", f"oci:{where}:bad"]]:
        document = json.loads(run(bench, "check", "-o", "json", *arguments).out)
        validator.validate(document)
        assert document["results"]


def test_facts_are_as_their_schema_says(bench):
    try:
        import jsonschema
    except ImportError:
        raise harness.Skip("python3-jsonschema is not installed") from None
    where = layout(bench)
    schema = json.loads(run(bench, "facts", "--schema").expect(0).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    single = json.loads(run(bench, "facts", f"oci:{where}:bad").expect(0).out)
    validator.validate(single)
    several = json.loads(run(bench, "facts", f"oci:{where}:mixed").expect(0).out)
    assert len(several) == 2
    for document in several:
        validator.validate(document)


def test_facts_mask_secrets(bench):
    where, bad = layout(bench), images.bad()
    secret = re.search(r"NPM_TOKEN=(\w+)", str(bad.blobs)).group(1)
    text = run(bench, "facts", f"oci:{where}:bad").expect(0).out
    assert secret not in text and json.loads(text)["config"]["user"] == ""


def test_facts_are_examples(bench):
    """What `facts` prints is what `policy test` takes."""
    where, strict = layout(bench), policy(bench)
    examples = {"policy": strict.name, "examples": [
        {"name": tag, "facts": json.loads(run(bench, "facts", f"oci:{where}:{tag}").expect(0).out),
         "placement": {"repository": "team/app", "tag": "v1"}, "expect": {"verdict": verdict}}
        for tag, verdict in (("good", "pass"), ("bad", "fail"))]}
    path = policy(bench, json.dumps(examples), "examples.yaml")  # JSON is YAML
    run(bench, "policy", "test", path).expect(0, "2 passed, 0 failed")


# --- policies ---

FAULTS = {
    "policy: p\nrules:\n  - rule: nonroot\n": ("3:11", "non-root"),
    "policy: p\nrules:\n  - rule: non-root\n    severty: high\n": ("4:5", "severity"),
    "policy: p\nrules:\n  - rule: non-root\n    severity: hihg\n": ("4:15", "high"),
    "policy: p\nrules:\n  - rule: image-size\n    with: { compressed: big }\n": ("4:25", ""),
    "policy: p\nrules:\n  - rule: non-root\n    on-fail: [quarantin]\n": ("4:15", "quarantine"),
    "policy: p\nmode: enforced\nrules:\n  - rule: non-root\n": ("2:7", "enforce"),
    "policy: p\n": ("1:1", "rules"),
    "rules: []\n": (":1:1", "policy"),
    "policy: [\n": ("", ""),
    "": ("", ""),
    "policy: p\npolicy: q\nrules:\n  - rule: non-root\n": ("2:1", ""),
    "waivers:\n  - {id: W, rule: non-root}\n": ("2:", "reason"),
}


def test_lint_reports_every_fault_with_its_place(bench):
    for text, (place, hint) in FAULTS.items():
        path = policy(bench, text)
        result = run(bench, "policy", "lint", path).expect(2, str(path), place, hint, "fault")
        assert not result.out, result
        checked = run(bench, "check", "-p", path, "oci:x").expect(2, str(path), place, hint)
        assert not checked.out, checked
    many = policy(bench, "policy: p\nrules:\n" + "  - rule: wrong\n" * 3)
    run(bench, "policy", "lint", many).expect(2, ":3:11", ":4:11", ":5:11", "3 faults")
    directory = bench.subdirectory("several")
    (directory / "a.yaml").write_text("policy: a\nrules:\n  - rule: wrong\n")
    (directory / "b.yaml").write_text("policy: b\nrules:\n  - rule: wronger\n")
    run(bench, "policy", "lint", directory).expect(2, "a.yaml:3:11", "b.yaml:3:11", "2 faults")
    run(bench, "policy", "lint", bench.subdirectory("empty")).expect(2, "holds no .yaml file")
    run(bench, "policy", "lint", "/nowhere/at/all").expect(2, "/nowhere/at/all")
    big = policy(bench, "# " + "x" * (2 << 20), "big.yaml")
    run(bench, "policy", "lint", big).expect(2, "big.yaml")
    evil = policy(bench, "policy: p\nrules:\n  - rule: \"\\e]0;x\\a\"\n", "evil.yaml")
    assert is_plain(run(bench, "policy", "lint", evil).expect(2).err)


def test_shipped_policies(bench):
    names = sorted(path.name for path in (harness.SOURCE / "policies").glob("*.yaml"))
    assert len(names) >= 5
    run(bench, "policy", "lint", harness.SOURCE / "policies").expect(0, f"{len(names)} policies in order")
    passed = 0
    for path in sorted(EXAMPLES.glob("*.yaml")):
        result = run(bench, "policy", "test", path).expect(0, " 0 failed")
        passed += int(re.search(r"(\d+) passed", result.out).group(1))
    run(bench, "policy", "test", EXAMPLES).expect(0, f"{passed} passed, 0 failed")
    assert passed >= 2 * len(names)


def test_examples_that_fail_or_are_none(bench):
    policy(bench)
    wrong = policy(bench, "policy: policy.yaml\nexamples:\n  - name: root may\n    facts: { config: { user: \"\" } }\n"
                          "    expect: { verdict: pass }\n", "wrong.yaml")
    run(bench, "policy", "test", wrong).expect(1, "FAILED root may", "0 passed, 1 failed")
    none = policy(bench, "policy: policy.yaml\nexamples: []\n", "none.yaml")
    assert run(bench, "policy", "test", none).status == 2
    run(bench, "policy", "test", bench.subdirectory("empty")).expect(2, "nothing was tested")
    lost = policy(bench, "policy: no-such.yaml\nexamples: []\n", "lost.yaml")
    assert run(bench, "policy", "test", lost).expect(2, "no-such.yaml").err.count("no-such.yaml") == 1
    run(bench, "policy", "test", bench.directory / "policy.yaml").expect(2, "policy.yaml:1:1", "examples", "policy lint")


def test_policy_schema(bench):
    try:
        import jsonschema
        import yaml
    except ImportError:
        raise harness.Skip("python3-jsonschema or python3-yaml is not installed") from None
    schema = json.loads(run(bench, "policy", "schema").expect(0).out)
    validator = jsonschema.Draft202012Validator(schema)
    for path in (harness.SOURCE / "policies").glob("*.yaml"):
        validator.validate(yaml.safe_load(path.read_text()))
    assert list(validator.iter_errors(yaml.safe_load("policy: p\nrules:\n  - rule: nonroot\n")))


# --- things that cannot be read ---

def broken_layouts(bench):
    """(name, REF, status, text): what is broken about it."""
    base = layout(bench, "whole")
    good = images.good()
    blob = good.digest.split(":")[1]

    def variant(name, change):
        path = bench.directory / name
        shutil.copytree(base, path)
        change(path)
        return f"oci:{path}:good"

    yield "absent", f"oci:{bench.directory}/no-such", 3, "no-such"
    yield "a file", f"oci:{harness.BINARY}", 3, ""
    yield "empty directory", f"oci:{bench.subdirectory('nothing')}", 3, "oci-layout"
    yield "no index", variant("no-index", lambda path: (path / "index.json").unlink()), 3, "index.json"
    yield "index is no JSON", variant("garbage", lambda path: (path / "index.json").write_bytes(os.urandom(1000))), None, "index.json"
    yield "index is a list", variant("list", lambda path: (path / "index.json").write_text("[]")), None, "index.json"
    yield "index is deep", variant("deep", lambda path: (path / "index.json").write_text("[" * 100000)), None, "index.json"
    yield "index is huge", variant("huge", lambda path: (path / "index.json").write_text(" " * (64 << 20))), None, "index.json"
    yield "index is a directory", variant("directory", lambda path: ((path / "index.json").unlink(), (path / "index.json").mkdir())), None, ""
    yield "index is a pipe", variant("pipe", lambda path: ((path / "index.json").unlink(), os.mkfifo(path / "index.json"))), 3, "not a file"
    yield "index is /dev/zero", variant("zero", lambda path: ((path / "index.json").unlink(),
                                                              (path / "index.json").symlink_to("/dev/zero"))), 3, "not a file"
    yield "index points at itself", variant("loop", lambda path: ((path / "index.json").unlink(),
                                                                  (path / "index.json").symlink_to("index.json"))), None, "index.json"
    yield "other version", variant("version", lambda path: (path / "oci-layout").write_text('{"imageLayoutVersion": "9"}')), None, ""
    yield "no manifest", variant("no-manifest", lambda path: (path / "blobs/sha256" / blob).unlink()), 3, blob[:12]
    yield "other manifest", variant("other", lambda path: (path / "blobs/sha256" / blob).write_bytes(
        good.manifest.replace(b"sha256:a", b"sha256:b"))), 1, "digest"
    yield "manifest is a pipe", variant("blob-pipe", lambda path: ((path / "blobs/sha256" / blob).unlink(),
                                                                   os.mkfifo(path / "blobs/sha256" / blob))), None, "not a file"
    yield "cut manifest", variant("cut", lambda path: (path / "blobs/sha256" / blob).write_bytes(good.manifest[:-9])), 1, "descriptor says"
    yield "no such tag", f"oci:{base}:no-such", 3, "no-such"
    yield "which of them?", f"oci:{base}", None, ""
    yield "no tag at all", f"oci:{base}:", 2, ""
    yield "evil tag", f"oci:{base}:\x1b]0;x\x07", None, ""
    yield "oci-archive", f"oci-archive:{harness.BINARY}", None, "no tar header"
    yield "docker-archive", f"docker-archive:{harness.BINARY}", None, "no tar header"
    yield "evil name", "registry.example\x1b[2J/app", 2, ""
    yield "no host", "app:v1", 2, "host"
    yield "a URL", "https://registry.example/app:v1", 2, ""
    yield "half a digest", "registry.example/app@sha256:abc", 2, ""
    yield "way up", "registry.example/../../etc/passwd:v1", 2, ""


def test_what_cannot_be_read_is_told_with_a_hint(bench):
    strict = policy(bench)
    for name, reference, status, text in broken_layouts(bench):
        began = time.monotonic()
        result = run(bench, "check", "-p", strict, reference)
        assert result.status in ([status] if status else [1, 2, 3]), (name, result)
        assert is_plain(result.out + result.err), (name, result)
        assert text in result.err and result.err.startswith("regwarden"), (name, text, result)
        assert time.monotonic() - began < 15, name
        assert "PASS" not in result.out, (name, result)
        if result.status != 1:  # what is illegal is told by the finding
            lines = result.err.splitlines()
            assert any(line.startswith("  ") and len(line) > 10 for line in lines), (name, result)
        facts = run(bench, "facts", reference)
        assert facts.status in (1, 2, 3) and not facts.out and facts.err, (name, facts)


def test_files_without_permission(bench):
    if os.geteuid() == 0:
        raise harness.Skip("root may read everything")
    where, strict = layout(bench), policy(bench)
    (where / "index.json").chmod(0)
    run(bench, "check", "-p", strict, f"oci:{where}:good").expect(3, "index.json", "ermission")
    strict.chmod(0)
    run(bench, "policy", "lint", strict).expect(2, "policy.yaml", "ermission")


def test_output_that_does_not_arrive(bench):
    """A full disk, or a reader that has gone, must not look like a pass."""
    where, strict = layout(bench), policy(bench)
    for arguments in (["check", "-p", strict, f"oci:{where}:good"], ["facts", f"oci:{where}:good"], ["rules"], ["--help"],
                      ["policy", "schema"], ["check", "--schema"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([harness.BINARY, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 3 and "standard output" in done.stderr, (arguments, done)


def test_memory_is_bounded(bench):
    """An index as large as may be: refused or read, in little memory."""
    if b"__asan_init" in pathlib.Path(harness.BINARY).read_bytes():
        raise harness.Skip("the address sanitizer takes more memory than the limit gives")
    entries = [{"mediaType": images.OCI_MANIFEST, "digest": "sha256:" + "0" * 64, "size": 1}] * 30000
    where = put_layout(bench.directory / "large", index=json.dumps({"schemaVersion": 2, "manifests": entries}))
    limit = 256 << 20
    result = run(bench, "check", f"oci:{where}:x", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    assert result.status in (1, 3) and result.err.startswith("regwarden: "), result


# --- credentials ---

USER, PASSWORD = "robot", "correct: horse"


def auths(host, user=USER, password=PASSWORD, **more):
    return json.dumps({"auths": {host: {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}}, **more})


def private_registry(bench):
    need("htpasswd")
    passwords = bench.directory / "htpasswd"
    passwords.write_text(subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], check=True, capture_output=True, text=True).stdout)
    registry = bench.add(harness.Registry(bench.subdirectory("registry"), htpasswd=passwords)).start()
    registry.client((USER, PASSWORD)).push("team/good", images.good(), "v1")
    return registry


def test_credentials_that_container_tools_left(bench):
    registry = private_registry(bench)
    reference, strict = f"{registry.host}/team/good:v1", policy(bench)
    check = ["check", "-p", strict, reference]
    run(bench, *check).expect(3, "none is configured", "podman login")
    places = {"REGISTRY_AUTH_FILE": ("auth.json", lambda path: path), "XDG_RUNTIME_DIR": ("containers/auth.json", lambda path: path.parent.parent),
              "DOCKER_CONFIG": ("config.json", lambda path: path.parent), "HOME": (".docker/config.json", lambda path: path.parent.parent)}
    for variable, (name, value) in places.items():
        path = bench.directory / variable.lower() / name
        path.parent.mkdir(parents=True)
        for key in (registry.host, f"https://{registry.host}"):
            path.write_text(auths(key))
            run(bench, *check, env={variable: str(value(path))}).expect(0)
        path.write_text(auths("other.example"))
        run(bench, *check, env={variable: str(value(path))}).expect(3, "none is configured")
        path.write_text(auths(registry.host, password="wrong"))
        assert PASSWORD not in str(run(bench, *check, env={variable: str(value(path))}).expect(3, "refuses"))
    # the first file that has them counts, and what is damaged is told without its content
    path = bench.directory / "auth.json"
    both = {"REGISTRY_AUTH_FILE": str(path), "HOME": str(bench.subdirectory("empty"))}
    path.write_text(auths(registry.host))
    run(bench, *check, env={**both, "HOME": str(bench.directory / "home")}).expect(0)
    for damaged, text in [("{", "auth.json"), (json.dumps({"auths": {registry.host: {"auth": "%%%"}}}), "auth.json"),
                          (json.dumps({"auths": {registry.host: {"auth": base64.b64encode(b"s3cret-no-colon").decode()}}}), "colon")]:
        path.write_text(damaged)
        result = run(bench, *check, env=both)
        assert result.status in (2, 3) and text in result.err and "s3cret" not in result.err, result
    for harmless in ("{}", '{"auths": []}', '{"auths": {"x": 1}}', "[]", json.dumps({"auths": {registry.host: {}}})):
        path.write_text(harmless)
        run(bench, *check, env=both).expect(3, "none is configured")
    for helper in ({"credsStore": "desktop"}, {"credHelpers": {registry.host: "ecr-login"}}):
        path.write_text(json.dumps({"auths": {registry.host: {}}, **helper}))
        run(bench, *check, env=both).expect(3, "kept by a helper", "--password-file")


def test_credentials_by_option(bench):
    registry = private_registry(bench)
    strict = policy(bench)
    secret = bench.directory / "password"
    secret.write_text(PASSWORD + "\n")
    check = ["check", "-p", strict, "--username", USER, "--password-file"]
    reference = f"{registry.host}/team/good:v1"
    run(bench, *check, secret, reference).expect(0)
    run(bench, *check, "-", reference, stdin=PASSWORD + "\n").expect(0)
    run(bench, "facts", "--username", USER, "--password-file", secret, reference).expect(0, "10001")
    secret.write_text("wrong\n")
    run(bench, *check, secret, reference).expect(3, "refuses")
    run(bench, *check, "/nowhere/at/all", reference).expect(3, "/nowhere/at/all")
    # options outdo files
    path = bench.directory / "auth.json"
    path.write_text(auths(registry.host))
    run(bench, *check, secret, reference, env={"REGISTRY_AUTH_FILE": str(path)}).expect(3, "refuses")


# --- the daemon's side ---

def test_commands_without_a_daemon(bench):
    for command in (["status"], ["verdicts"], ["quarantine", "list"], ["waiver", "list"], ["sweep"], ["dead-letters"], ["report"]):
        result = run(bench, *command, "--server", f"unix:{bench.directory}/none.sock").expect(3, "none.sock", "regwarden serve")
        assert not result.out and is_plain(result.err)
        run(bench, *command, "--server", "http://127.0.0.1:1").expect(3, "does not answer")
        run(bench, *command, env={"REGWARDEN_SERVER": "http://127.0.0.1:1"}).expect(3, "127.0.0.1:1")


def test_commands_with_a_daemon(bench):
    _, daemon, client = bench.pair(policy=STRICT)
    token = bench.directory / "token"
    server = ["--server", f"unix:{daemon.socket}"]
    client.push("team/bad", images.bad(), "v1")
    harness.wait_for("the quarantine", lambda: [plan for plan in daemon.plans(kind="quarantine") if plan["state"] == "done"])
    run(bench, "status", *server).expect(0, "tags judged", "main")
    for command in (["status"], ["verdicts"], ["quarantine"], ["waiver"], ["dead-letters"], ["sweep"], ["report", "-o", "json"]):
        json.loads(run(bench, *command, *([] if command[0] == "report" else ["--json"]), *server).expect(0).out)
    run(bench, "report", "-o", "csv", *server).expect(0, ",")
    identifier = daemon.plans(kind="quarantine")[0]["id"]
    run(bench, "quarantine", *server).expect(0, "team/bad", str(identifier))
    run(bench, "quarantine", "release", identifier, *server).expect(0, "released team/bad:v1")
    again = run(bench, "quarantine", "release", identifier, *server)
    assert again.status in (2, 3) and "undone" in again.err, again
    run(bench, "quarantine", "release", "99999", *server).expect(3, "no such plan")
    run(bench, "quarantine", "--all", *server).expect(0, "undone")
    run(bench, "sweep", "nowhere", *server).expect(3, "no registry")
    run(bench, "sweep", "main", *server).expect(0, "sweeping")
    run(bench, "verdicts", "--verdict", "fial", *server).expect(2)
    run(bench, "verdicts", "team/**", "--limit", "1", *server).expect(0)
    added = run(bench, "waiver", "add", "--rule", "non-root", "--repository", "team/**", "--owner", "me", "--reason", "because",
                "--expires", "30d", *server).expect(0, "waiver ").out.split()[1]
    run(bench, "waiver", "list", *server).expect(0, added, "non-root", "active")
    assert added not in run(bench, "waiver", "list", "--expiring", "1d", *server).expect(0).out
    run(bench, "waiver", "list", "--expiring", "60d", *server).expect(0, added)
    run(bench, "waiver", "revoke", added, *server).expect(0)
    run(bench, "waiver", "revoke", "no-such", *server).expect(3)
    run(bench, "waiver", "list", *server).expect(0, "revoked")
    run(bench, "dead-letters", "retry", "4711", *server).expect(3)
    run(bench, "dead-letters", "remove", "4711", *server).expect(3)
    token.write_text("x\n")
    run(bench, "status", "--server", f"http://127.0.0.1:{daemon.port}").expect(3, "token")
    run(bench, "status", "--server", f"http://127.0.0.1:{daemon.port}", "--token-file", token).expect(3)


# --- manual and completions ---

def test_manual_pages(bench):
    scdoc = need("scdoc")
    for kind, template, mentions in (
            ("config", "regwarden.yaml.5.scd", ["state-directory", "hook-secret-file", "retry.give-up", "notifiers"]),
            ("policy", "regwarden-policy.5.scd", run(bench, "rules", "--names").out.split())):
        page = run(bench, "manual", kind, harness.SOURCE / "man" / template).expect(0, *mentions).out
        assert "@" not in re.sub(r"[^\s@]+@[^\s@]+|@sha256|\[_@", "", page) or "settings@" not in page
        roff = subprocess.run([scdoc], input=page, capture_output=True, text=True, check=True).stdout
        assert roff.startswith('.\\" Generated by scdoc') and ".SH" in roff
    pages = sorted((harness.SOURCE / "man").glob("*.scd"))
    assert len(pages) >= 11, pages
    for text in (page.read_text() for page in pages):
        assert subprocess.run([scdoc], input=text, capture_output=True, text=True, check=True).stdout
    overview = (harness.SOURCE / "man" / "regwarden.1.scd").read_text() + (harness.SOURCE / "man" / "regwarden.8.scd").read_text()
    for command in COMMANDS:
        assert command == "manual" or f"*{command}" in overview, f"{command} is in no manual page"
    run(bench, "manual", "config", "/nowhere/at/all").expect(3, "/nowhere/at/all")


def test_completions(bench):
    for shell, check in (("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])):
        text = run(bench, "manual", "completion", shell).expect(0, *[name for name in COMMANDS if name != "manual"]).out
        if shutil.which(check[0]):
            path = bench.directory / f"completion.{shell}"
            path.write_text(text)
            subprocess.run([*check, path], check=True)
    script = ('regwarden() { "$BINARY" "$@"; }; source "$1"; COMP_WORDS=(regwarden "${@:2}"); COMP_CWORD=$(($# - 1)); _regwarden;'
              ' printf "%s\\n" "${COMPREPLY[@]}"')
    for words, expected in ((["che"], ["check"]), (["quarantine", ""], ["list", "release"]), (["rules", "non"], ["non-root"]),
                            (["dead-letters", "re"], ["retry", "remove"]), (["harbor", ""], ["connect", "status"]),
                            (["harbor", "connect", "--pa"], ["--password-file"]), (["status", "--ser"], ["--server", "--server-ca"]),
                            (["harbor", "connect", "/et"], [])):
        done = subprocess.run(["bash", "-c", script, "bash", bench.directory / "completion.bash", *words], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], "BINARY": str(pathlib.Path(harness.BINARY).resolve())}, check=True)
        assert done.stdout.split() == expected, (words, done)


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
