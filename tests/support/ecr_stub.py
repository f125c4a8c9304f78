#!/usr/bin/env python3
"""Amazon ECR, as far as regwarden asks it: the API and the registry host's /v2/ over the same content, with the manners that ECR has.

    ecr_stub.py SCENARIO [--record FILE] [--port PORT]

Speaks to tests like stub_registry.py. A scenario is a list of words with commas between them, "ok" for none:

    OPERATION=ERROR[*N]   the operation answers that error, N times (otherwise always); ERROR is a type, a status or "lost"
    moved                 the tag moves between the look and the removal
    expired               the registry host takes only every second password that was handed out
    other-registry        the password is said to be for another registry
    short-lived           passwords expire a minute after they are handed out
    immutable             tags of every repository are immutable
    mounts                blobs can be mounted
    pages=N               pages have at most N entries, whatever is asked for
    crowded=N             an image in a large page has N tags
    long-cursors          names of pages have 3000 letters
    clock=SECONDS         the API's clock is so far ahead, and signatures of another time are refused

With botocore at hand (REGWARDEN_PEERS, or out/peers of the source tree), every request is held against the service model of AWS, and a
request that is against it is answered with 599 and noted as "invalid". Standard library only otherwise.
"""

import argparse
import base64
import datetime
import email.utils
import glob
import json
import os
import pathlib
import re
import sys
import threading
import time

import stub_registry
from stub_registry import compact, digest_of

ACCOUNT, REGION = "123456789012", "eu-central-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
PEERS = os.environ.get("REGWARDEN_PEERS") or str(pathlib.Path(__file__).resolve().parent.parent.parent / "out" / "peers")


def find_model():
    """What AWS itself says about the API's requests, or None."""
    sys.path += glob.glob(f"{PEERS}/venv/lib/python3*/site-packages")
    try:
        import botocore.loaders
        import botocore.model
        import botocore.validate
    except ImportError:
        return None
    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecr", "service-2"))
    validator = botocore.validate.ParamValidator()

    def check(operation, parameters):
        """What is wrong with the request, or ""."""
        shape = model.operation_model(operation).input_shape
        report = validator.validate(parameters, shape)
        unknown = unknown_members(parameters, shape, "")
        values = wrong_values(parameters, shape, "")
        return "; ".join([part for part in [report.generate_report(), *unknown, *values] if part])
    return check


def unknown_members(value, shape, path):
    """The validator of botocore passes over members that the model does not have."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in value:
            if name in shape.members:
                yield from unknown_members(value[name], shape.members[name], f"{path}.{name}")
            else:
                yield f"unknown member {path}.{name}"
    if shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from unknown_members(item, shape.member, f"{path}[]")


def wrong_values(value, shape, path):
    """... and over patterns and enumerations."""
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in set(value) & set(shape.members):
            yield from wrong_values(value[name], shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from wrong_values(item, shape.member, f"{path}[]")
    elif isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{path} is none of {shape.enum}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            yield f"{path} does not match {pattern}"


class Refusal(Exception):
    def __init__(self, kind, message="refused by the stub", status=400):
        super().__init__(kind)
        self.kind, self.message, self.status = kind, message, status


class Ecr(stub_registry.Registry):
    referrers_api = True

    def __init__(self, scenario="ok", check=None):
        super().__init__()
        self.words = [word for word in scenario.split(",") if word != "ok"]
        self.faults = {}
        for word in self.words:
            if "=" in word and word[0].isupper():
                operation, _, error = word.partition("=")
                error, _, times = error.partition("*")
                self.faults[operation] = [error, int(times or 1000000)]
        self.check = check
        self.guard = threading.RLock()
        self.names = {"app": {"mutability": "IMMUTABLE" if "immutable" in self.words else "MUTABLE", "tags": []},
                      "team/other": {"mutability": "MUTABLE", "tags": []}}
        self.states = {}      # (repository, digest): ARCHIVED or ACTIVATING
        self.pushed = {}      # (repository, digest): seconds
        self.findings = {}    # (repository, digest): (status, {"findings": [...], ...})
        self.passwords = []
        self.calls = []       # (operation, input)
        self.test_password = "AWS:of-the-test"
        self.invalid = []
        self.activation_looks = 1  # until a restored image is active; negative: at once
        self.before = {}      # operation: called with the registry before it is carried out, once
        self.on_event = None  # called with (action, repository, digest, tag)
        self.page_max = next((int(word[6:]) for word in self.words if word.startswith("pages=")), 1000)
        if "moved" in self.words:
            self.before["BatchDeleteImage"] = lambda registry: self.content.tags["app"].update(v1=self.content.index["digest"])
        self.crowd = next((int(word[8:]) for word in self.words if word.startswith("crowded=")), 0)
        self.skew = next((int(word[6:]) for word in self.words if word.startswith("clock=")), 0)

    def values(self):
        return {**super().values(), "host": HOST, "model": "yes" if self.check else "no"}

    # --- the registry's host ---

    def takes(self, authorization):
        if not authorization.startswith("Basic "):
            return False
        password = base64.b64decode(authorization[6:]).decode()
        if password not in self.passwords:
            return password == self.test_password
        return "expired" not in self.words or self.passwords.index(password) % 2 == 1

    def refuse(self, request):
        if request.command == "POST" and request.headers.get("X-Amz-Target"):
            self.api(request)
            return True
        if not self.takes(request.headers.get("Authorization", "")):
            request.answer(401, b"Not Authorized\n", {
                "Content-Type": "text/plain; charset=utf-8", "Docker-Distribution-Api-Version": "registry/2.0",
                "Www-Authenticate": f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"'})
            return True
        match = re.match(r"/v2/(.+)/(manifests|blobs|tags|referrers)/", request.path_only)
        if match and match.group(1) not in self.names:
            request.error(404, "NAME_UNKNOWN", f"The repository with name '{match.group(1)}' does not exist in the registry with id '{ACCOUNT}'")
            return True
        return False

    def manifest(self, request, repository, reference):
        found, digest = self.content.find(repository, reference)
        if request.command in ("GET", "HEAD") and found and self.states.get((repository, digest)):
            request.error(404, "MANIFEST_UNKNOWN", "Requested image not found")
        elif request.command == "DELETE":
            request.error(405, "UNSUPPORTED", "The operation is unsupported.")
        else:
            super().manifest(request, repository, reference)

    def put_manifest(self, request, repository, reference):
        data = request.read_body()
        tag = None if ":" in reference else reference
        self.push(repository, request.headers.get("Content-Type", ""), data, tag)
        request.answer(201, b"", {"Docker-Content-Digest": digest_of(data)})

    def send_manifest(self, request, media_type, data, digest):
        headers = {"Content-Type": media_type}
        if request.command == "HEAD":
            headers["Docker-Content-Digest"] = digest
        request.answer(200, data, headers)

    def mounts(self, digest):
        return "mounts" in self.words

    def repositories(self, request):
        request.json({"repositories": sorted(self.names)})

    def referrers(self, request, repository, digest):
        entries = []
        for (name, own), (media_type, data) in list(self.content.manifests.items()):
            document = json.loads(data)
            if name == repository and document.get("subject", {}).get("digest") == digest:
                entries.append({"mediaType": media_type, "digest": own, "size": len(data),
                                "artifactType": document.get("artifactType") or document["config"]["mediaType"]})
        request.answer(200, compact({"schemaVersion": 2, "mediaType": stub_registry.OCI_INDEX, "manifests": entries}),
                       {"Content-Type": stub_registry.OCI_INDEX})

    # --- content ---

    def push(self, repository, media_type, data, tag):
        with self.guard:
            digest = digest_of(data)
            self.content.add_manifest(repository, media_type, data, tag)
            self.content.tags.setdefault(repository, {})
            self.pushed[repository, digest] = time.time()
            self.states.pop((repository, digest), None)
        if self.on_event:
            self.on_event("PUSH", repository, digest, tag)

    def tags_of(self, repository, digest):
        return sorted(tag for tag, own in self.content.tags.get(repository, {}).items() if own == digest)

    def digests_of(self, repository):
        return sorted(digest for name, digest in self.content.manifests if name == repository)

    def find_image(self, repository, image):
        """The digest; Refusal when there is none."""
        tag, digest = image.get("imageTag"), image.get("imageDigest")
        own = self.content.tags.get(repository, {}).get(tag) if tag else digest
        if not own or (repository, own) not in self.content.manifests:
            raise Refusal("ImageNotFoundException", f"The image with imageId {image} does not exist within the repository")
        if tag and digest and own != digest:
            raise Refusal("ImageTagDoesNotMatchDigest", "the tag does not match the digest")
        return own

    def need_repository(self, name):
        if name not in self.names:
            raise Refusal("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")

    # --- the API ---

    def signed_at(self, request):
        text = request.headers.get("X-Amz-Date", "")
        try:
            return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        except ValueError:
            return 0

    def api(self, request):
        target = request.headers["X-Amz-Target"]
        operation = target.rpartition(".")[2]
        body = request.read_body() or b""
        headers = {"Content-Type": "application/x-amz-json-1.1", "Date": email.utils.formatdate(time.time() + self.skew, usegmt=True)}
        try:
            self.check_request(request, target)
            parameters = json.loads(body)
            self.calls.append((operation, parameters))
            problem = self.check(operation, parameters) if self.check else ""
            if problem:
                self.invalid.append((operation, problem))
                request.record_line({"invalid": operation, "problem": problem})
                raise Refusal("StubSaysInvalid", problem, 599)
            fault = self.faults.get(operation)
            if fault and fault[1] > 0:
                fault[1] -= 1
                self.fail(request, fault[0])
                return
            with self.guard:
                self.before.pop(operation, lambda registry: None)(self)
                answer = getattr(self, "call_" + operation)(parameters)
        except Refusal as refusal:
            request.answer(refusal.status, compact({"__type": refusal.kind, "message": refusal.message}), headers)
            return
        request.answer(200, compact(answer), headers)

    def fail(self, request, error):
        if error == "lost":
            request.reset()
        elif error.isdigit():
            request.answer(int(error), b"")
        else:
            status = 500 if error == "ServerException" else 400
            kind = f"com.amazonaws.ecr#{error}" if error.startswith("Throttling") else error
            request.answer(status, compact({"__type": kind, "message": "said by the stub"}))

    def check_request(self, request, target):
        authorization = request.headers.get("Authorization", "")
        if not re.match(rf"AWS4-HMAC-SHA256 Credential=[A-Z0-9]+/\d{{8}}/{REGION}/ecr/aws4_request, ?SignedHeaders=", authorization):
            raise Refusal("MissingAuthenticationTokenException", "not signed for ECR")
        if not target.startswith("AmazonEC2ContainerRegistry_V20150921."):
            raise Refusal("UnknownOperationException", target)
        if request.headers.get("Content-Type") != "application/x-amz-json-1.1":
            raise Refusal("SerializationException", "not JSON 1.1")
        if self.skew and abs(self.signed_at(request) - time.time() - self.skew) > 300:
            raise Refusal("InvalidSignatureException", "Signature expired")

    def call_GetAuthorizationToken(self, parameters):
        number = len(self.passwords) + 1
        self.passwords.append(f"AWS:password-{number}")
        account = "999999999999" if "other-registry" in self.words else (parameters.get("registryIds") or [ACCOUNT])[0]
        return {"authorizationData": [{
            "authorizationToken": base64.b64encode(self.passwords[-1].encode()).decode(),
            "expiresAt": time.time() + (60 if "short-lived" in self.words else 43200),
            "proxyEndpoint": f"https://{account}.dkr.ecr.{REGION}.amazonaws.com"}]}

    def page(self, parameters, items):
        start = 0
        if parameters.get("nextToken"):
            match = re.fullmatch(r"page(\d+)x*", parameters["nextToken"])
            if not match or int(match.group(1)) > len(items):
                raise Refusal("InvalidParameterException", "Invalid parameter at 'nextToken'")
            start = int(match.group(1))
        end = start + min(parameters.get("maxResults", 100), self.page_max)
        cursor = f"page{end}" + ("x" * 3000 if "long-cursors" in self.words else "")
        return items[start:end], {"nextToken": cursor} if end < len(items) else {}

    def call_DescribeRepositories(self, parameters):
        items, more = self.page(parameters, sorted(self.names))
        return {"repositories": [{"repositoryName": name, "registryId": ACCOUNT, "repositoryUri": f"{HOST}/{name}",
                                  "createdAt": 1.7e9, "imageTagMutability": self.names[name]["mutability"]} for name in items], **more}

    def describe(self, repository, digest):
        state = self.states.get((repository, digest), "ACTIVE")
        document = json.loads(self.content.manifests[repository, digest][1])
        detail = {"registryId": ACCOUNT, "repositoryName": repository, "imageDigest": digest, "imageStatus": state,
                  "imagePushedAt": self.pushed.get((repository, digest), 1.7e9), "imageSizeInBytes": 1000,
                  "imageManifestMediaType": self.content.manifests[repository, digest][0]}
        if self.tags_of(repository, digest):
            detail["imageTags"] = self.tags_of(repository, digest)
        if document.get("subject"):
            detail["subjectManifestDigest"] = document["subject"]["digest"]
        return detail

    def call_DescribeImages(self, parameters):
        repository = parameters["repositoryName"]
        self.need_repository(repository)
        wanted = parameters.get("filter", {}).get("imageStatus", "ACTIVE")
        if "imageIds" in parameters:
            if "maxResults" in parameters or "nextToken" in parameters:
                raise Refusal("InvalidParameterException", "pages of named images")
            digests, more = [self.find_image(repository, image) for image in parameters["imageIds"]], {}
        else:
            digests, more = self.page(parameters, self.digests_of(repository))
        details = [self.describe(repository, digest) for digest in digests]
        details = [detail for detail in details if wanted in ("ANY", detail["imageStatus"])]
        if self.crowd and parameters.get("maxResults", 0) > 20:
            details[0]["imageTags"] = [f"{number:05x}" for number in range(self.crowd)]
        if "imageIds" in parameters and not details:
            raise Refusal("ImageNotFoundException", "not of that status")
        for digest in digests:
            self.come_back(repository, digest)
        return {"imageDetails": details, **more}

    def come_back(self, repository, digest):
        if self.states.get((repository, digest)) == "ACTIVATING":
            self.activation_looks -= 1
            if self.activation_looks <= 0:
                del self.states[repository, digest]

    def parents_of(self, repository, digest):
        return [own for (name, own), (_, data) in self.content.manifests.items()
                if name == repository and any(child["digest"] == digest for child in json.loads(data).get("manifests", []))]

    def remove_image(self, repository, digest):
        tags = self.tags_of(repository, digest)
        for tag in tags:
            del self.content.tags[repository][tag]
        del self.content.manifests[repository, digest]
        self.states.pop((repository, digest), None)
        return tags

    def remove_one(self, repository, image, removed):
        digest = self.find_image(repository, image)
        last = self.tags_of(repository, digest) == [image.get("imageTag")]
        if ("imageTag" not in image or last) and self.parents_of(repository, digest):
            raise Refusal("ImageReferencedByManifestList", "Requested image referenced by manifest list: [...]")
        if "imageTag" in image and not last:
            del self.content.tags[repository][image["imageTag"]]
            removed.append({"imageDigest": digest, "imageTag": image["imageTag"]})
            return
        tags = self.remove_image(repository, digest)
        removed += [{"imageDigest": digest, "imageTag": tag} for tag in tags] or [{"imageDigest": digest}]

    def call_BatchDeleteImage(self, parameters):
        repository = parameters["repositoryName"]
        self.need_repository(repository)
        removed, failures = [], []
        for image in parameters["imageIds"]:
            try:
                self.remove_one(repository, image, removed)
            except Refusal as refusal:
                failures.append({"imageId": image, "failureCode": refusal.kind.replace("NotFoundException", "NotFound"),
                                 "failureReason": refusal.message})
        return {"imageIds": removed, "failures": failures}

    def call_PutImage(self, parameters):
        repository, tag = parameters["repositoryName"], parameters.get("imageTag")
        self.need_repository(repository)
        data = parameters["imageManifest"].encode()
        digest = digest_of(data)
        document = json.loads(data)
        if parameters.get("imageDigest", digest) != digest:
            raise Refusal("ImageDigestDoesNotMatchException", "the digest does not match")
        for child in document.get("manifests", []):
            if (repository, child["digest"]) not in self.content.manifests:
                raise Refusal("ReferencedImagesNotFoundException", child["digest"])
        for blob in [*document.get("layers", []), *([document["config"]] if "config" in document else [])]:
            if (repository, blob["digest"]) not in self.content.blobs:
                raise Refusal("LayersNotFoundException", blob["digest"])
        own = self.content.tags.get(repository, {}).get(tag)
        if own == digest or (tag is None and (repository, digest) in self.content.manifests):
            raise Refusal("ImageAlreadyExistsException", "Image with digest already exists")
        if own and self.names[repository]["mutability"] == "IMMUTABLE":
            raise Refusal("ImageTagAlreadyExistsException", "The image tag already exists and cannot be overwritten because the repository is immutable.")
        media_type = parameters.get("imageManifestMediaType") or document.get("mediaType")
        if not media_type:
            raise Refusal("InvalidParameterException", "no media type")
        self.push(repository, media_type, data, tag)
        return {"image": {"registryId": ACCOUNT, "repositoryName": repository, "imageManifest": parameters["imageManifest"],
                          "imageId": {"imageDigest": digest, **({"imageTag": tag} if tag else {})}}}

    def call_CreateRepository(self, parameters):
        name = parameters["repositoryName"]
        if name in self.names:
            raise Refusal("RepositoryAlreadyExistsException", f"The repository with name '{name}' already exists")
        self.names[name] = {"mutability": parameters.get("imageTagMutability", "MUTABLE"), "tags": parameters.get("tags", [])}
        return {"repository": {"repositoryName": name, "registryId": ACCOUNT}}

    def call_UpdateImageStorageClass(self, parameters):
        repository = parameters["repositoryName"]
        self.need_repository(repository)
        digest = self.find_image(repository, parameters["imageId"])
        archive = parameters["targetStorageClass"] == "ARCHIVE"
        state = self.states.get((repository, digest))
        if archive == (state == "ARCHIVED"):
            raise Refusal("ValidationException", "The image is in that storage class already")
        self.states[repository, digest] = "ARCHIVED" if archive else "ACTIVATING"
        answer = {"registryId": ACCOUNT, "repositoryName": repository, "imageId": {"imageDigest": digest},
                  "imageStatus": self.states[repository, digest]}
        if not archive and self.activation_looks < 0:
            del self.states[repository, digest]
            answer["imageStatus"] = "ACTIVE"
        return answer

    def call_DescribeImageScanFindings(self, parameters):
        repository = parameters["repositoryName"]
        self.need_repository(repository)
        digest = self.find_image(repository, parameters["imageId"])
        if (repository, digest) not in self.findings:
            raise Refusal("ScanNotFoundException", "Image scan does not exist for the image")
        status, found = self.findings[repository, digest]
        head = {"registryId": ACCOUNT, "repositoryName": repository, "imageId": {"imageDigest": digest},
                "imageScanStatus": {"status": status, "description": "said by the stub"}}
        if status not in ("COMPLETE", "ACTIVE"):
            return head
        result, more = {"imageScanCompletedAt": 1.7e9}, {}
        for kind in ("findings", "enhancedFindings"):
            if kind in found:
                result[kind], more = self.page(parameters, found[kind])
        return {**head, "imageScanFindings": result, **more}


def event_of(action, repository, digest, tag):
    """What EventBridge tells of it."""
    detail = {"result": "SUCCESS", "repository-name": repository, "image-digest": digest, "action-type": action}
    if tag:
        detail["image-tag"] = tag
    return {"version": "0", "id": os.urandom(16).hex(), "detail-type": "ECR Image Action", "source": "aws.ecr", "account": ACCOUNT,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "region": REGION, "resources": [], "detail": detail}


def record_line(self, line):
    with self.record_lock:
        if self.record:
            self.record.write(json.dumps(line) + "\n")
            self.record.flush()


def note_target(self, _note=stub_registry.Handler.note):
    _note(self)
    if self.headers.get("X-Amz-Target"):
        self.record_line({"api": self.headers["X-Amz-Target"].rpartition(".")[2]})


def serve(registry, port=0):
    """Runs it in this process. Returns the server, whose server_address[1] is the port."""
    handler = type("EcrHandler", (stub_registry.Handler,), {"registry": registry, "record_line": record_line, "note": note_target})
    server = stub_registry.Server(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def add_findings(registry):
    """For tests of the client: one image of each state."""
    image, index = registry.content.image["digest"], registry.content.index["digest"]
    registry.findings["app", image] = ("COMPLETE", {"findings": [
        {"name": f"CVE-2024-{number:04}", "severity": "HIGH" if number % 2 else "LOW", "uri": "https://example.com/",
         "description": "long " * 50, "attributes": [{"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "1.0"}]}
        for number in range(450)]})
    registry.findings["app", index] = ("IN_PROGRESS", {})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario")
    parser.add_argument("--record", default="")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    registry = Ecr(options.scenario, find_model())
    add_findings(registry)
    if options.record:
        stub_registry.Handler.record = open(options.record, "w", encoding="utf-8")
    server = serve(registry, options.port)
    print(server.server_address[1])
    for name, value in registry.values().items():
        print(name, value)
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
