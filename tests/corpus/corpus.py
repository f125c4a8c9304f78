#!/usr/bin/env python3
"""Scores the judgement on several hundred public images: per source and question how often it was right, wrong or silent.

usage: corpus.py BINARY (with $REGWARDEN_SHARED_DATA, where corpus/ lies; without it everything is skipped)
$REGWARDEN_CORPUS_WRONG=QUESTION (or "all") lists what was not right.

A record is turned into a manifest and a config of an OCI layout without layers, and judged by the program as any image is. What is
true of a record is told by what stands in it beside the config (labels), by layers that it shares with its base, or by how it was
made here: a few records get a secret or a build step planted, because the public ones hold none. Silent is an answer, wrong is not:
exit status 1 when a score falls below its floor, or when an image is blamed for what is known to be no fault."""
import collections
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# (source, question): (right at least, wrong at most). Raised when scores rise; never lowered.
FLOORS = {
    ("donaldrich80", "runtime"): (6, 0),
    ("donaldrich80", "user"): (51, 0),
    ("donaldrich80", "secrets"): (53, 0),
    ("planted", "build-tools"): (10, 0),
    ("planted", "secrets"): (20, 0),
    ("repo-info", "runtime"): (241, 0),
    ("repo-info", "base"): (73, 10),
    ("repo-info", "user"): (272, 0),
    ("repo-info", "build-tools"): (13, 0),
    ("repo-info", "secrets"): (283, 0),
    ("snyk-snapshots", "secrets"): (17, 0),
}

POLICY = """policy: corpus
mode: audit
layers: false
rules:
  - rule: non-root
    on-unknown: warn
  - rule: build-tools
    on-unknown: warn
  - rule: secrets
    on-unknown: warn
"""
QUESTIONS = ("runtime", "base", "user", "build-tools", "secrets")
KNOWN_RUNTIMES = {"node", "go", "python", "dotnet", "java", "ruby", "rust", "php"}
BY_FROM = {"python": "python", "node": "node", "golang": "go", "ruby": "ruby", "php": "php", "rust": "rust", "openjdk": "java"}
REMOVES = re.compile(r"apk\s+(--\S+\s+)*del|apt-get\s+(-\S+\s+)*(purge|remove|autoremove)|apt\s+(-\S+\s+)*(purge|remove)|"
                     r"(yum|dnf|microdnf)\s+(-\S+\s+)*(remove|erase|autoremove)|rpm\s+-e|zypper\s+(-\S+\s+)*(rm|remove)")
NO_SECRET = re.compile(r"GPG_?KEYS?|SHA(1|256|512)|MD5|CHECKSUM|DIGEST|FINGERPRINT", re.IGNORECASE)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Case:
    """A record and what is true of it: truth[question] is the right answer, or missing when nobody knows."""

    def __init__(self, source, name, record, truth):
        self.source, self.name, self.record, self.truth = source, name, record, truth
        self.steps = [entry.get("created_by") or "" for entry in record.get("history") or []]


# --- what is true ---

def truth_of(source, record):
    labels = record.get("labels") or {}
    named = [entry.partition("=") for entry in record.get("env") or []]
    truth = {"secrets": any(key.endswith("_PASSWORD") and value for key, _, value in named)}
    if record.get("base_prefix_layers") is not None and record.get("history"):
        truth["base"] = record["base_prefix_layers"]
    if "root_user" in labels:
        truth["user"] = labels["root_user"]
    if source == "repo-info" and "runtime" in labels:
        # of "none" and of languages that have no name here, nothing is to be said
        truth["runtime"] = labels["runtime"] if labels["runtime"] in KNOWN_RUNTIMES else "unknown"
    if source == "donaldrich80" and labels.get("dockerfile_stages") == 1:
        base = (labels.get("dockerfile_final_from") or "").split(":")[0].split("/")[-1]
        if base in BY_FROM:
            truth["runtime"] = BY_FROM[base]
    if "has_sdk" in labels and record.get("history"):
        truth["build-tools"] = labels["has_sdk"]
    return truth


def records(folder):
    for source in ("repo-info", "snyk-snapshots", "donaldrich80"):
        for path in sorted((folder / source).glob("*.json")):
            record = json.loads(path.read_text())
            yield Case(source, path.stem, record, truth_of(source, record))


def planted(cases):
    """Positives that the public records do not hold. The texts are made up."""
    def made(length, alphabet="0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        seed = hashlib.sha512(f"{length}".encode()).digest() * 4
        return "".join(alphabet[byte % len(alphabet)] for byte in seed[:length])

    secrets = [("GITHUB_TOKEN", "ghp_" + made(36)), ("AWS_SECRET_ACCESS_KEY", made(40)), ("NPM_TOKEN", "npm_" + made(36)),
               ("DATABASE_URL", f"postgres://app:{made(16)}@db.example.com/app"), ("STRIPE_KEY", "sk_live_" + made(24))]
    builds = [("RUN /bin/sh -c apt-get update && apt-get install -y gcc make # buildkit", True),
              ("RUN /bin/sh -c apk add --no-cache build-base # buildkit", True),
              ("RUN /bin/sh -c apt-get update && apt-get install -y gcc make && make && apt-get purge -y gcc make # buildkit", False),
              ("RUN /bin/sh -c apk add --virtual .build gcc musl-dev && make && apk del .build # buildkit", False)]
    hosts = [case for case in cases if case.source == "repo-info" and case.truth.get("runtime") == "unknown"][:20]
    for number, host in enumerate(hosts):
        key, value = secrets[number % len(secrets)]
        record = json.loads(json.dumps(host.record))
        record["env"] = (record.get("env") or []) + [f"{key}={value}"]
        yield Case("planted", f"{host.name}+{key}", record, {"secrets": True})
        text, blamed = builds[number % len(builds)]
        record = json.loads(json.dumps(host.record))
        record["history"].append({"created": "2018-02-01T00:00:00Z", "created_by": text, "comment": "buildkit.dockerfile.v0"})
        record["layers"].append({"digest": digest_of(text.encode()), "size": 1000000})
        yield Case("planted", f"{host.name}+build{number % len(builds)}", record, {"build-tools": blamed})


# --- a record as an image ---

def documents(record):
    """The config and the manifest, as bytes."""
    members = {"env": "Env", "entrypoint": "Entrypoint", "cmd": "Cmd", "user": "User", "working_dir": "WorkingDir",
               "labels_cfg": "Labels"}
    layers, diff_ids = [], []
    for number, layer in enumerate(record.get("layers") or []):
        digest = layer.get("digest") or digest_of(f"layer {number} {layer.get('diff_id')}".encode())
        layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": layer.get("size") or 1000})
        diff_ids.append(layer.get("diff_id") or digest_of(digest.encode()))
    config = json.dumps({"architecture": "amd64", "os": "linux", "created": record.get("created"),
                         "config": {to: record[key] for key, to in members.items() if record.get(key)},
                         "rootfs": {"type": "layers", "diff_ids": diff_ids},
                         "history": [{key: entry[key] for key in ("created", "created_by", "comment", "author", "empty_layer")
                                      if entry.get(key)} for entry in record.get("history") or []]}).encode()
    manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(config),
                                      "size": len(config)}, "layers": layers}).encode()
    return config, manifest


def judge(binary, cases):
    """The program's results, in order."""
    with tempfile.TemporaryDirectory(prefix="regwarden-corpus-") as folder:
        folder = pathlib.Path(folder)
        blobs = folder / "layout" / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        (folder / "layout" / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (folder / "policy.yaml").write_text(POLICY)
        entries = []
        for number, case in enumerate(cases):
            config, manifest = documents(case.record)
            for data in (config, manifest):
                (blobs / digest_of(data)[7:]).write_bytes(data)
            entries.append({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest_of(manifest),
                            "size": len(manifest), "annotations": {"org.opencontainers.image.ref.name": f"r{number}"}})
        (folder / "layout" / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
        done = subprocess.run([binary, "check", "--no-layers", "-o", "json", "-p", folder / "policy.yaml",
                               *[f"oci:{folder}/layout:r{number}" for number in range(len(cases))]], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{binary}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)["results"]


# --- scores ---

def answer(question, result):
    """What the program says: None when it is silent."""
    facts = result["facts"]
    if question == "runtime":
        return facts["runtime"] if facts["runtime"] != "static" else "unknown"
    if question == "base":
        return facts["base"].get("layers")
    rule = {"user": "non-root"}.get(question, question)
    status = {finding["status"] for finding in result["findings"] if finding["rule"] == rule}
    return True if status & {"fail", "warn"} else None if "unknown" in status else False


def score(truth, said):
    if said == truth:
        return "right"
    return "silent" if said is None or said == "unknown" else "wrong"


def is_no_fault(case, finding):
    """What nobody may be blamed for, whatever the rest says. Returns why, or None."""
    step = finding.get("step")
    if finding["status"] not in ("fail", "warn") or finding["rule"] not in ("build-tools", "secrets"):
        return None
    if finding["rule"] == "secrets" and NO_SECRET.search(finding.get("path") or ""):
        return "a public key or checksum is no secret"
    if finding["rule"] == "build-tools" and step is not None and not (case.record.get("labels") or {}).get("has_sdk"):
        if step < len(case.steps) and REMOVES.search(case.steps[step]) and case.source != "planted":
            return "the step takes its tools away again"
    return None


def print_table(counts):
    print(f"{'SOURCE':16} {'QUESTION':12} {'ASKED':>5} {'RIGHT':>5} {'WRONG':>5} {'SILENT':>6}  FLOOR")
    for (source, question), got in counts.items():
        floor = FLOORS.get((source, question))
        print(f"{source:16} {question:12} {sum(got.values()):5} {got['right']:5} {got['wrong']:5} {got['silent']:6}  "
              + (f"right >= {floor[0]}, wrong <= {floor[1]}" if floor else "none yet"))


def main():
    folder = pathlib.Path(os.environ.get("REGWARDEN_SHARED_DATA", "/nonexistent")) / "corpus"
    if not folder.is_dir():
        print("skipped: $REGWARDEN_SHARED_DATA names no folder with corpus/ in it")
        return 77
    cases = list(records(folder))
    cases += planted(cases)
    results = judge(sys.argv[1], cases)
    counts, faults = {}, []
    verbose = os.environ.get("REGWARDEN_CORPUS_WRONG")
    for case, result in zip(cases, results):
        for question in QUESTIONS:
            if question not in case.truth:
                continue
            said = answer(question, result)
            how = score(case.truth[question], said)
            counts.setdefault((case.source, question), collections.Counter())[how] += 1
            if how != "right" and verbose in (question, "all"):
                print(f"{how}: {case.source} {case.name}: {question} is {case.truth[question]}, said {said}")
        faults += [f"{case.source} {case.name}: {finding['rule']}: {finding['message']}: {why}"
                   for finding in result["findings"] for why in [is_no_fault(case, finding)] if why]
    counts = dict(sorted(counts.items(), key=lambda item: (item[0][0], QUESTIONS.index(item[0][1]))))
    print_table(counts)
    for (source, question), (right, wrong) in FLOORS.items():
        got = counts.get((source, question), collections.Counter())
        if got["right"] < right or got["wrong"] > wrong:
            faults.append(f"{source} {question}: right {got['right']} of at least {right}, wrong {got['wrong']} of at most {wrong}")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
