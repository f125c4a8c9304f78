"""What the Harbor of tests holds at its start, and how its events look."""
import datetime
import hashlib
import json
import time
import uuid

from stub_registry import Content

CLOUD_TYPES = {"PUSH_ARTIFACT": "harbor.artifact.pushed", "DELETE_ARTIFACT": "harbor.artifact.deleted",
               "SCANNING_COMPLETED": "harbor.scan.completed"}
REPORT = "application/vnd.security.vulnerability.report; version=1.1"


class Refusal(Exception):
    def __init__(self, status, code, message, headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


def not_found(what):
    return Refusal(404, "NOT_FOUND", f"{what} not found")


def digest_of(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def all_access():
    """What a robot of a project can be allowed, as far as regwarden uses it."""
    rights = {"repository": "pull push list read", "artifact": "read list delete create", "tag": "list create delete",
              "artifact-addition": "read", "artifact-label": "create delete", "label": "create read list", "project": "read"}
    return [{"resource": resource, "action": action} for resource, actions in rights.items() for action in actions.split()]


def add(harbor, name, content, entry, tags):
    """An image of a Content, with its blobs."""
    media_type, body = content.manifests["app", entry["digest"]]
    for tag in tags or [entry["digest"]]:
        harbor.put_manifest(name, tag, media_type, body)
    harbor.repositories[name]["blobs"].update({digest: blob for (_, digest), blob in content.blobs.items()})


def fill(harbor):
    content = Content()
    image = content.add_image("app", "amd64")
    arm = content.add_image("app", "arm64")
    index = content.add_index("app", [{**image, "platform": {"os": "linux", "architecture": "amd64"}},
                                      {**arm, "platform": {"os": "linux", "architecture": "arm64"}}])
    other = content.add_image("app", "riscv64")
    for name in ("team", "12", "quarantine"):
        harbor.add_project(name)
    harbor.add_project("mirror", registry_id=7)
    add(harbor, "team/app", content, image, ["v1", "v2"])
    add(harbor, "team/app", content, arm, [])
    add(harbor, "team/app", content, index, ["multi"])
    add(harbor, "team/sub/tool", content, other, ["latest"])
    add(harbor, "12/app", content, other, ["latest"])
    harbor.values = {"image": image["digest"], "arm": arm["digest"], "index": index["digest"], "other": other["digest"]}


def fill_many(harbor):
    for i in range(250):
        harbor.repository(f"team/many-{i:03}", create=True)
    for i in range(230):
        manifest = json.dumps({"schemaVersion": 2, "annotations": {"n": str(i)}}).encode()
        harbor.put_manifest("team/many-000", f"t{i}", "application/vnd.oci.image.manifest.v1+json", manifest)


def report(severity="High"):
    return {"generated_at": "2026-01-02T03:04:05Z", "severity": severity,
            "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "v0.50.1"},
            "vulnerabilities": [{"id": "CVE-2024-0001", "package": "libexample", "version": "1.0", "fix_version": "1.1",
                                 "severity": severity, "description": "an example", "links": ["https://example.com/1"]}]}


def overview(artifact):
    """The scan overview of an artifact; None when it was never scanned."""
    if not artifact["scan"]:
        return None
    summary = {"report_id": str(uuid.uuid4()), "scan_status": artifact["scan"], "severity": "", "duration": 1,
               "summary": None, "start_time": artifact["push_time"], "end_time": artifact["push_time"],
               "complete_percent": 100, "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "v0.50.1"}}
    if artifact["scan"] == "Success":
        summary["severity"] = (artifact["report"] or {}).get("severity", "None")
        summary["summary"] = {"total": 0, "fixable": 0, "summary": {}}
    return {REPORT: {key: value for key, value in summary.items() if value is not None}}


def event(harbor, policy, target, kind, subject):
    """(body, content type) of one notification."""
    name, digest, tag, operator = subject
    repository = harbor.repositories[name]
    namespace, _, short = name.partition("/")
    url = f"{harbor.host}/{name}{'@' if ':' in tag else ':'}{tag}"
    resource = {"digest": digest, "tag": tag, "resource_url": url}
    about = {"date_created": int(time.time()), "name": short, "namespace": namespace, "repo_full_name": name,
             "repo_type": "public" if repository["project"]["public"] else "private"}
    if kind.startswith("SCANNING"):
        resource = {"digest": digest, "resource_url": url, "scan_overview": overview(repository["artifacts"][digest])}
        del about["date_created"]
    inner = {"resources": [resource], "repository": about}
    if target.get("payload_format") == "CloudEvents":
        project = repository["project"]["project_id"]
        document = {"specversion": "1.0", "id": str(uuid.uuid4()), "requestid": str(uuid.uuid4()),
                    "source": f"/projects/{project}/webhook/policies/{policy['id']}", "type": CLOUD_TYPES[kind],
                    "datacontenttype": "application/json", "time": now(), "data": inner, "operator": operator}
        return json.dumps(document).encode(), "application/cloudevents+json"
    document = {"type": kind, "occur_at": int(time.time()), "operator": operator, "event_data": inner}
    return json.dumps(document).encode(), "application/json"
