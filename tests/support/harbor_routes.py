"""The addresses of the Harbor of tests: its own API, and the distribution API with tokens."""
import json
import re
import secrets
import urllib.parse

import harbor_data as data
from harbor_data import REPORT, Refusal, not_found

def segments(path):
    """As the proxy before Harbor and its router decode: once the whole, then each part."""
    return [urllib.parse.unquote(part) for part in urllib.parse.unquote(path).split("/")[1:]]


def page(request, items):
    number, size = int(request.query.get("page", 1)), int(request.query.get("page_size", 10))
    if size > 100:
        raise Refusal(422, "UNPROCESSABLE_ENTITY", "page_size in query should be less than or equal to 100")
    request.json(200, items[(number - 1) * size:number * size], {"X-Total-Count": str(len(items))})


def document(request):
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "unsupported media type")
    return json.loads(request.body)


def api(request, path):
    harbor = request.harbor
    parts = segments(path)
    if parts == ["ping"]:
        request.answer(200, b"Pong", {"Content-Type": "text/plain; charset=utf-8"})
        return
    account = harbor.account(request.headers.get("Authorization"))
    handler = {"systeminfo": systeminfo, "projects": projects, "repositories": repositories, "labels": labels,
               "robots": robots, "configurations": configurations}.get(parts[0])
    if not handler:
        raise not_found("path")
    handler(request, account, parts[1:])


def systeminfo(request, account, parts):
    harbor = request.harbor
    told = {"auth_mode": "db_auth"}
    if account:
        told.update(harbor_version=harbor.version, external_url=harbor.url, registry_url=harbor.host,
                    notification_enable=harbor.notification_enable, read_only=harbor.read_only)
    request.json(200, told)


def configurations(request, account, parts):
    if account != "admin":
        raise Refusal(403 if account else 401, "FORBIDDEN", "forbidden")
    request.json(200, {"robot_name_prefix": {"value": "robot$", "editable": True}})


def project_json(project):
    told = {"project_id": project["project_id"], "name": project["name"], "creation_time": project["creation_time"],
            "metadata": {"public": "true" if project["public"] else "false"}, "repo_count": 0}
    if project["registry_id"]:
        told["registry_id"] = project["registry_id"]
    return told


def projects(request, account, parts):
    harbor = request.harbor
    if not parts and request.command == "POST":
        if account != "admin":
            raise Refusal(403, "FORBIDDEN", "forbidden")
        wanted = document(request)
        if wanted["project_name"] in harbor.projects:
            raise Refusal(409, "CONFLICT", f"The project named {wanted['project_name']} already exists")
        project = harbor.add_project(wanted["project_name"], wanted.get("metadata", {}).get("public") == "true")
        request.answer(201, b"", {"Location": f"/api/v2.0/projects/{project['project_id']}"})
        return
    if not parts:
        page(request, [project_json(project) for project in harbor.projects.values()
                       if account == "admin" or harbor.may(account, project["name"], "project", "read")])
        return
    project = harbor.projects.get(parts[0])
    if not project and request.headers.get("X-Is-Resource-Name") != "true" and parts[0].isdigit():
        project = next((p for p in harbor.projects.values() if p["project_id"] == int(parts[0])), None)
    if not project:
        harbor.require(account, parts[0], "project", "read")
        raise not_found(f"project {parts[0]}")
    if len(parts) == 1:
        harbor.require(account, project["name"], "project", "read")
        request.json(200, project_json(project))
    elif parts[1:3] == ["webhook", "policies"]:
        webhooks(request, account, project, parts[3:])
    elif parts[1] == "repositories" and parts[3:4] == ["artifacts"]:
        artifacts(request, account, f"{project['name']}/{urllib.parse.unquote(parts[2])}", parts[4:])
    else:
        raise not_found("path")


def webhooks(request, account, project, parts):
    harbor = request.harbor
    harbor.require(account, project["name"], "notification-policy", "list" if request.command == "GET" else "create")
    if request.command == "GET":
        page(request, project["webhooks"])
        return
    policy = document(request)
    harbor.asked_webhooks.append(json.loads(request.body))
    for target in policy["targets"]:
        if target["type"] not in ("http", "slack") or target.setdefault("payload_format", "Default") not in ("Default", "CloudEvents"):
            raise Refusal(400, "BAD_REQUEST", "unsupported target")
    policy = {"id": harbor.next_id(), "project_id": project["project_id"], "creation_time": data.now(),
              "update_time": data.now(), **policy}
    if request.command == "POST":
        if any(known["name"] == policy["name"] for known in project["webhooks"]):
            raise Refusal(409, "CONFLICT", "notification policy named that already exists")
        project["webhooks"].append(policy)
        request.answer(201, b"", {"Location": f"{request.path}/{policy['id']}"})
        return
    for known in project["webhooks"]:
        if known["id"] == int(parts[0]):
            known.update({**policy, "id": known["id"], "creation_time": known["creation_time"]})
            request.answer(200)
            return
    raise not_found("policy")


def repositories(request, account, parts):
    harbor = request.harbor
    seen = [r for r in harbor.repositories.values() if harbor.may(account, r["project"]["name"], "repository", "list")]
    if request.query.get("sort") == "repository_id":
        seen.sort(key=lambda repository: repository["id"])
    else:
        seen.sort(key=lambda repository: repository["creation_time"], reverse=True)
    page(request, [{"id": r["id"], "name": r["name"], "project_id": r["project"]["project_id"],
                    "artifact_count": len(r["artifacts"]), "creation_time": r["creation_time"]} for r in seen])


# --- artifacts ---

def artifact_json(request, repository, artifact):
    harbor, query = request.harbor, request.query
    told = {"id": artifact["id"], "type": "IMAGE", "digest": artifact["digest"], "push_time": artifact["push_time"],
            "project_id": repository["project"]["project_id"], "repository_id": repository["id"],
            "repository_name": repository["name"], "manifest_media_type": artifact["media_type"], "size": 1000,
            "pull_time": "0001-01-01T00:00:00.000Z"}
    if artifact.get("config"):
        told["extra_attrs"] = {"config": artifact["config"]}
    if query.get("with_tag", "true") == "true":
        told["tags"] = [{"id": tag["id"], "name": name, "push_time": tag["push_time"], "artifact_id": artifact["id"],
                         "repository_id": repository["id"], "immutable": (repository["name"], name) in harbor.immutable}
                        for name, tag in repository["tags"].items() if tag["digest"] == artifact["digest"]]
        if not told["tags"]:
            del told["tags"]
    if query.get("with_label") == "true":
        told["labels"] = [label for label in harbor.labels if label["id"] in artifact["labels"]]
    if query.get("with_scan_overview") == "true" and artifact["scan"]:
        told["scan_overview"] = data.overview(artifact)
    return told


def find_artifact(harbor, name, reference):
    repository = harbor.repository(name)
    if not repository:
        raise not_found(f"repository {name}")
    digest = repository["tags"].get(reference, {}).get("digest", reference)
    if digest not in repository["artifacts"]:
        raise not_found(f"artifact {name}:{reference}")
    return repository, repository["artifacts"][digest]


def artifacts(request, account, name, parts):
    harbor = request.harbor
    project = name.partition("/")[0]
    if not parts:
        harbor.require(account, project, "artifact", "list")
        repository = harbor.repository(name)
        if not repository:
            raise not_found(f"repository {name}")
        children = harbor.children(repository)
        tagged = {tag["digest"] for tag in repository["tags"].values()}
        seen = [a for d, a in repository["artifacts"].items() if d not in children or d in tagged]
        seen.sort(key=lambda artifact: artifact["id"], reverse=request.query.get("sort") != "id")
        page(request, [artifact_json(request, repository, artifact) for artifact in seen])
        return
    repository, artifact = find_artifact(harbor, name, parts[0])
    if len(parts) == 1 and request.command == "GET":
        harbor.require(account, project, "artifact", "read")
        request.json(200, artifact_json(request, repository, artifact))
    elif len(parts) == 1 and request.command == "DELETE":
        harbor.require(account, project, "artifact", "delete")
        delete_artifact(request, repository, artifact, account)
    elif parts[1] == "tags" and request.command == "DELETE":
        harbor.require(account, project, "tag", "delete")
        delete_tag(request, repository, artifact, parts[2])
    elif parts[1] == "labels":
        artifact_labels(request, account, repository, artifact, parts[2:])
    elif parts[1:] == ["additions", "vulnerabilities"]:
        harbor.require(account, project, "artifact-addition", "read")
        request.json(200, {REPORT: artifact["report"]} if artifact["report"] else {})
    else:
        raise not_found("path")


def delete_artifact(request, repository, artifact, account):
    harbor = request.harbor
    tags = [name for name, tag in repository["tags"].items() if tag["digest"] == artifact["digest"]]
    if artifact["digest"] in harbor.children(repository):
        raise Refusal(412, "PRECONDITION", "the deleting artifact is referenced by others")
    for tag in tags:
        if (repository["name"], tag) in harbor.immutable:
            raise Refusal(412, "PRECONDITION", f"the tag {tag} configured as immutable, cannot be deleted")
    harbor.fire("DELETE_ARTIFACT", repository["name"], artifact["digest"], (tags or [artifact["digest"]])[0], account)
    for tag in tags:
        del repository["tags"][tag]
    del repository["artifacts"][artifact["digest"]]
    del repository["manifests"][artifact["digest"]]
    request.answer(200)


def delete_tag(request, repository, artifact, tag):
    if repository["tags"].get(tag, {}).get("digest") != artifact["digest"]:
        raise not_found(f"tag {tag} attached to artifact {artifact['id']}")
    if (repository["name"], tag) in request.harbor.immutable:
        raise Refusal(412, "PRECONDITION", f"the tag {tag} configured as immutable, cannot be deleted")
    del repository["tags"][tag]
    request.answer(200)


def artifact_labels(request, account, repository, artifact, parts):
    harbor = request.harbor
    project = repository["project"]
    if request.command == "DELETE":
        harbor.require(account, project["name"], "artifact-label", "delete")
        if int(parts[0]) not in artifact["labels"]:
            raise not_found("label")
        artifact["labels"].remove(int(parts[0]))
        request.answer(200)
        return
    harbor.require(account, project["name"], "artifact-label", "create")
    number = document(request)["id"]
    label = next((label for label in harbor.labels if label["id"] == number), None)
    if not label or (label["scope"] == "p" and label["project_id"] != project["project_id"]):
        raise not_found(f"project id {project['project_id']}, label {number}")
    if number in artifact["labels"]:
        raise Refusal(409, "CONFLICT", f"label {number} is already added to the artifact {artifact['id']}")
    artifact["labels"].append(number)
    request.answer(200)


def labels(request, account, parts):
    harbor = request.harbor
    if request.command == "POST":
        label = document(request)
        project = next((p for p in harbor.projects.values() if p["project_id"] == label.get("project_id")), {"name": ""})
        harbor.require(account, project["name"], "label", "create")
        if any(known["name"] == label["name"] and known["project_id"] == label["project_id"] for known in harbor.labels):
            raise Refusal(409, "CONFLICT", f"label {label['name']} already exists")
        harbor.labels.append({"id": harbor.next_id(), **label})
        request.answer(201, b"", {"Location": f"/api/v2.0/labels/{harbor.labels[-1]['id']}"})
        return
    wanted = int(request.query.get("project_id", 0))
    project = next((p for p in harbor.projects.values() if p["project_id"] == wanted), None)
    if request.query.get("scope") not in ("p", "g") or (request.query["scope"] == "p" and not project):
        raise Refusal(400, "BAD_REQUEST", "must with project ID when to query project labels")
    if project:
        harbor.require(account, project["name"], "label", "list")
    known = sorted(harbor.labels, key=lambda label: label["id"], reverse=request.query.get("sort") == "-id")
    page(request, [label for label in known if label["scope"] == request.query["scope"]
                   and label.get("project_id", 0) == wanted and request.query.get("name", "").lower() in label["name"].lower()])


# --- robots ---

def robot_json(robot):
    return {key: value for key, value in robot.items() if key != "secret"}


def robots(request, account, parts):
    harbor = request.harbor
    if account != "admin":
        raise Refusal(403, "FORBIDDEN", "forbidden")
    if not parts and request.command == "GET":
        page(request, [robot_json(robot) for robot in harbor.robots])
        return
    if not parts:
        create_robot(request)
        return
    robot = next((robot for robot in harbor.robots if robot["id"] == int(parts[0])), None)
    if not robot:
        raise not_found("robot")
    wanted = document(request)
    if request.command == "PATCH":
        robot["secret"] = wanted.get("secret") or new_secret()
        request.json(200, {"secret": robot["secret"] if not wanted.get("secret") else ""})
        return
    if wanted["name"] != robot["name"] or wanted["level"] != robot["level"]:
        raise Refusal(400, "BAD_REQUEST", "cannot update the level or name of robot")
    check_permissions(wanted)
    robot.update(permissions=wanted["permissions"], disable=wanted.get("disable", False))
    request.answer(200)


def new_secret():
    return "Aa1" + secrets.token_urlsafe(24)


def check_permissions(robot):
    known = {(access["resource"], access["action"]) for access in data.all_access()} | {("accessory", "list"), ("scan", "read"),
                                                                                       ("scan", "create"), ("repository", "delete")}
    if not robot.get("permissions") or not isinstance(robot.get("duration"), int) or robot["duration"] == 0:
        raise Refusal(400, "BAD_REQUEST", "bad request empty permission")
    for permission in robot["permissions"]:
        for access in permission["access"]:
            if permission["kind"] != "project" or (access["resource"], access["action"]) not in known:
                raise Refusal(400, "BAD_REQUEST", f"bad request permission: {access['resource']}:{access['action']}")


def create_robot(request):
    harbor = request.harbor
    wanted = document(request)
    if not re.fullmatch(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", wanted["name"]):
        raise Refusal(400, "BAD_REQUEST", "robot name is not in lower case or contains illegal characters")
    check_permissions(wanted)
    name = "robot$" + wanted["name"]
    if any(robot["name"] == name for robot in harbor.robots):
        raise Refusal(409, "CONFLICT", f"robot {name} already exists")
    robot = {"id": harbor.next_id(), "name": name, "secret": new_secret(), "disable": False, "level": wanted["level"],
             "editable": True, "duration": wanted["duration"], "description": wanted.get("description", ""),
             "permissions": wanted["permissions"], "creation_time": data.now(), "expires_at": -1}
    harbor.robots.append(robot)
    request.json(201, {"id": robot["id"], "name": name, "secret": robot["secret"], "creation_time": robot["creation_time"],
                       "expires_at": -1}, {"Location": f"/api/v2.0/robots/{robot['id']}"})


# --- the distribution API ---

ROUTES = [(r"/v2/(.+)/manifests/([^/]+)", "manifest"), (r"/v2/(.+)/blobs/uploads/([^/]*)", "upload"),
          (r"/v2/(.+)/blobs/([^/]+)", "blob"), (r"/v2/(.+)/tags/list", "tags"), (r"/v2/(.+)/referrers/([^/]+)", "referrers")]
ACTIONS = {"GET": "pull", "HEAD": "pull", "POST": "push", "PUT": "push", "PATCH": "push", "DELETE": "delete"}


def grants(request):
    """Who asks: (account, scopes of a token or None)."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return request.harbor.tokens.get(header[7:], ("", []))
    return request.harbor.account(header), None


def token(request):
    harbor = request.harbor
    account = harbor.account(request.headers.get("Authorization"))
    _, _, query = request.path.partition("?")
    allowed = []
    for scope in urllib.parse.parse_qs(query).get("scope", []):
        for one in scope.split():
            _, name, actions = one.split(":", 2)
            allowed += [(name, action) for action in actions.split(",")
                        if harbor.may(account, name.partition("/")[0], "repository", action)]
    value = secrets.token_hex(16)
    harbor.tokens[value] = (account, allowed)
    request.json(200, {"token": value, "access_token": value, "expires_in": 1800})


def challenge(request, scope=""):
    if request.headers.get("Authorization"):
        return {"Www-Authenticate": 'Basic realm="harbor"'}
    told = f'Bearer realm="{request.harbor.url}/service/token",service="harbor-registry"'
    return {"Www-Authenticate": told + (f',scope="{scope}"' if scope else "")}


def authorize(request, name, action):
    harbor = request.harbor
    project = name.partition("/")[0]
    anonymous = not request.headers.get("Authorization")
    if anonymous and request.command in ("GET", "HEAD"):
        raise Refusal(401, "UNAUTHORIZED", "authorize header needed to send HEAD to repository",
                      challenge(request, f"repository:{name}:{action}"))
    if project not in harbor.projects:
        raise Refusal(401, "UNAUTHORIZED", f"project {project} not found", {"Www-Authenticate": ""})
    account, scopes = grants(request)
    allowed = (name, action) in scopes if scopes is not None else harbor.may(account, project, "repository", action)
    if not allowed:
        raise Refusal(401, "UNAUTHORIZED", f"unauthorized to access repository: {name}, action: {action}",
                      challenge(request, f"repository:{name}:{action}"))
    return account


def distribution(request, path):
    harbor = request.harbor
    if path == "/service/token":
        token(request)
        return
    if path in ("/v2", "/v2/"):
        if not grants(request)[0]:
            raise Refusal(401, "UNAUTHORIZED", "unauthorized", challenge(request))
        request.answer(200, b"{}", {"Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0"})
        return
    for pattern, kind in ROUTES:
        match = re.fullmatch(pattern, path)
        if match:
            name = match.group(1)
            account = authorize(request, name, ACTIONS[request.command])
            if ACTIONS[request.command] == "push" and harbor.projects[name.partition("/")[0]]["registry_id"]:
                raise Refusal(405, "UNSUPPORTED", "can not push artifact to a proxy project: " + name)
            globals()["v2_" + kind](request, account, *match.groups())
            return
    raise Refusal(404, "NOT_FOUND", "page not found")


def v2_manifest(request, account, name, reference):
    harbor = request.harbor
    if request.command == "PUT":
        digest = harbor.put_manifest(name, reference, request.headers.get("Content-Type", ""), request.body, account or "admin")
        request.answer(201, b"", {"Docker-Content-Digest": digest, "Location": f"/v2/{name}/manifests/{digest}"})
        return
    repository = harbor.repository(name)
    digest = repository and repository["tags"].get(reference, {}).get("digest", reference)
    if not repository or digest not in repository["manifests"]:
        raise not_found(f"artifact {name}:{reference}")
    if request.command == "DELETE":
        if ":" not in reference:
            raise Refusal(400, "UNSUPPORTED", "the reference must be a digest")
        delete_artifact(request, repository, repository["artifacts"][digest], account)
        return
    if digest in harbor.blocked_pulls:
        raise Refusal(412, "PROJECTPOLICYVIOLATION", "current image without vulnerability scanning cannot be pulled due to "
                      "configured policy in 'Prevent images with vulnerability severity of \"High\" or higher from running.'")
    media_type, body = repository["manifests"][digest]
    request.answer(200, body, {"Content-Type": media_type, "Docker-Content-Digest": digest})


def v2_blob(request, account, name, digest):
    repository = request.harbor.repository(name)
    if not repository or digest not in repository["blobs"]:
        raise Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
    request.answer(200, repository["blobs"][digest], {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest})


def v2_upload(request, account, name, session):
    harbor = request.harbor
    if request.command == "POST":
        origin = harbor.repository(request.query.get("from", ""))
        mount = request.query.get("mount")
        if origin and mount in origin["blobs"]:
            harbor.repository(name, create=True)["blobs"][mount] = origin["blobs"][mount]
            request.answer(201, b"", {"Location": f"/v2/{name}/blobs/{mount}", "Docker-Content-Digest": mount})
            return
        session = secrets.token_hex(8)
        harbor.uploads[session] = b""
        request.answer(202, b"", {"Location": f"/v2/{name}/blobs/uploads/{session}?_state=x"})
        return
    if session not in harbor.uploads:
        raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    harbor.uploads[session] += request.body
    if request.command == "PATCH":
        request.answer(202, b"", {"Location": f"/v2/{name}/blobs/uploads/{session}?_state=x"})
        return
    content = harbor.uploads.pop(session)
    if data.digest_of(content) != request.query.get("digest"):
        raise Refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
    harbor.repository(name, create=True)["blobs"][request.query["digest"]] = content
    request.answer(201, b"", {"Location": f"/v2/{name}/blobs/{request.query['digest']}"})


def v2_tags(request, account, name):
    repository = request.harbor.repository(name)
    if not repository:
        raise Refusal(404, "NAME_UNKNOWN", "repository name not known to registry")
    request.json(200, {"name": name, "tags": sorted(repository["tags"]) or None})


def v2_referrers(request, account, name, digest):
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
    request.json(200, index, {"Content-Type": index["mediaType"]})
