"""Senders of events as they are said to behave: what they send, how often they try again, and when they give up. Their time is simulated
(hours pass in an instant), what they send is not."""
import base64
import contextlib
import hashlib
import heapq
import http.server
import json
import os
import random
import threading
import time

import images

MINUTE, HOUR, DAY = 60, 3600, 86400
ACCOUNT, REGION = "123456789012", "eu-west-1"
HOSTS = [f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com", "acme.azurecr.io", "europe-docker.pkg.dev", "ghcr.io", "acme.jfrog.io"]
LONGEST_POLL = 0.3
JSON = {"Content-Type": "application/json"}


# --- what is sent. Each takes a change of a tag (what: push or delete) and gives (headers, body), or None where there is no such event ---

def distribution(change, number):
    target = {"repository": change.repository, "tag": change.tag, "mediaType": images.OCI_MANIFEST}
    if change.what == "push":
        target["digest"] = change.digest
    return ({"Content-Type": "application/vnd.docker.distribution.events.v2+json"},
            {"events": [{"id": str(number), "action": change.what, "target": target}]})


def gitlab(change, number):
    headers, body = distribution(change, number)
    body["events"][0]["actor"] = {"name": "eve", "user_type": "build"}
    return headers, body


def harbor(change, number):
    if change.quiet:  # a tag that is set through Harbor's API makes no event
        return None
    kind = {"push": "PUSH_ARTIFACT", "delete": "DELETE_ARTIFACT"}[change.what]
    return JSON, {"type": kind, "occur_at": number, "operator": "eve", "event_data": {
        "resources": [{"digest": change.digest, "tag": change.tag}],
        "repository": {"repo_full_name": change.repository, "namespace": change.repository.split("/")[0]}}}


def bridge(change, number):
    return JSON, {"version": "0", "id": str(number), "detail-type": "ECR Image Action", "source": "aws.ecr", "account": ACCOUNT,
                  "region": REGION, "detail": {"result": "SUCCESS", "action-type": change.what.upper(), "image-tag": change.tag,
                                               "repository-name": change.repository, "image-digest": change.digest}}


def sns(change, number):
    return ({"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"},
            {"Type": "Notification", "MessageId": str(number), "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:t",
             "Message": json.dumps(bridge(change, number)[1])})


def azure(change, number):
    target = {"repository": change.repository, "digest": change.digest}
    if change.what == "push":
        target["tag"] = change.tag
    return {"id": str(number), "timestamp": "2026-01-01T00:00:00Z", "action": change.what, "target": target,
            "request": {"host": "acme.azurecr.io"}}


def acr(change, number):
    return JSON, azure(change, number)


def event_grid(change, number):
    kind = {"push": "ImagePushed", "delete": "ImageDeleted"}[change.what]
    return ({**JSON, "aeg-event-type": "Notification"},
            [{"id": str(number), "eventType": f"Microsoft.ContainerRegistry.{kind}", "subject": "", "data": azure(change, number)}])


def zot(change, number):
    kind = {"push": "updated", "delete": "deleted"}[change.what]
    return ({**JSON, "ce-specversion": "1.0", "ce-id": str(number), "ce-type": f"zotregistry.image.{kind}"},
            {"name": change.repository, "reference": change.tag, "digest": change.digest})


def github(change, number):
    owner, name = change.repository.split("/", 1)
    if change.what == "delete":
        return None
    return ({**JSON, "X-GitHub-Event": "package", "X-GitHub-Delivery": str(number)},
            {"action": "published", "sender": {"login": "eve"}, "package": {
                "name": name, "package_type": "CONTAINER", "owner": {"login": owner}, "package_version": {
                    "version": change.digest, "container_metadata": {"tag": {"name": change.tag, "digest": change.digest}}}}})


def gitea(change, number):
    owner, name = change.repository.split("/", 1)
    return ({**JSON, "X-Gitea-Event": "package", "X-Gitea-Delivery": str(number)},
            {"action": {"push": "created", "delete": "deleted"}[change.what], "sender": {"login": "eve"},
             "package": {"type": "container", "name": name, "version": change.tag, "owner": {"login": owner}}})


def nexus(change, number):
    repository, name = change.repository.split("/", 1)
    return ({**JSON, "X-Nexus-Webhook-Id": "rm:repository:component", "X-Nexus-Webhook-Delivery": str(number)},
            {"timestamp": "t", "nodeId": "N", "initiator": "eve", "repositoryName": repository,
             "action": {"push": "UPDATED", "delete": "DELETED"}[change.what],
             "component": {"format": "docker", "name": name, "version": change.tag}})


def jfrog(change, number):
    key, name = change.repository.split("/", 1)
    return JSON, {"domain": "docker", "event_type": {"push": "pushed", "delete": "deleted"}[change.what], "source": "jfrog/eve",
                  "jpd_origin": "https://acme.jfrog.io/artifactory",
                  "data": {"repo_key": key, "image_name": name, "tag": change.tag, "sha256": change.digest.split(":")[1]}}


def docker_hub(change, number):
    if change.what == "delete":
        return None
    return JSON, {"push_data": {"pusher": "eve", "tag": change.tag}, "repository": {"repo_name": change.repository}}


def quay(change, number):
    if change.what == "delete":
        return None
    space, name = change.repository.split("/", 1)
    return JSON, {"repository": change.repository, "namespace": space, "name": name, "docker_url": f"quay.io/{change.repository}",
                  "updated_tags": [change.tag]}


def gar(change, number):
    host = "europe-docker.pkg.dev"
    data = {"action": {"push": "INSERT", "delete": "DELETE"}[change.what], "tag": f"{host}/{change.repository}:{change.tag}"}
    if change.what == "push":
        data["digest"] = f"{host}/{change.repository}@{change.digest}"
    return JSON, {"message": {"data": base64.b64encode(json.dumps(data).encode()).decode(), "messageId": str(number)},
                  "subscription": "projects/p/subscriptions/s"}


# --- how often it is tried. Seconds until the next attempt after the n-th that failed, None: given up ---

def for_ever(attempt):
    return 1


def once(attempt):
    return None


def times(count, pause):
    return lambda attempt: pause if attempt < count else None


def until(end, first, longest):
    """Later and later, until so much time has passed."""
    def policy(attempt):
        passed = sum(min(first * 2 ** n, longest) for n in range(min(attempt - 1, 2000)))
        return min(first * 2 ** min(attempt - 1, 30), longest) if passed < end else None
    return policy


def of_event_grid(attempt):
    schedule = [10, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR]
    return None if attempt >= 30 or sum(schedule[:attempt]) > DAY else schedule[min(attempt, len(schedule)) - 1]


class Kind:
    def __init__(self, dialect, message, policy, in_order=False, delivered=range(200, 300), retried=None, disabled_after=None,
                 prefix="hosted", is_polled=False):
        self.dialect, self.message, self.policy, self.in_order = dialect, message, policy, in_order
        self.delivered, self.retried, self.disabled_after, self.prefix = delivered, retried, disabled_after, prefix
        self.is_polled = is_polled


KINDS = {
    "distribution": Kind("distribution", distribution, for_ever, in_order=True, delivered=range(200, 400)),
    "gitlab": Kind("gitlab", gitlab, times(10, 5), in_order=True, delivered=range(200, 400)),
    "harbor": Kind("harbor", harbor, times(3, 10)),
    "eventbridge": Kind("ecr", bridge, lambda attempt: until(DAY, 1, 10 * MINUTE)(attempt) if attempt < 185 else None,
                        retried=lambda status: status == 429 or status >= 500),
    "sqs": Kind("ecr", bridge, None, is_polled=True),
    "sns": Kind("sns", sns, times(3, 20), delivered=range(200, 500)),
    "acr": Kind("acr", acr, once),
    "eventgrid": Kind("eventgrid", event_grid, of_event_grid, delivered=[200, 201, 202, 203, 204]),
    "zot": Kind("zot", zot, once),
    "github": Kind("github", github, once),
    "gitea": Kind("gitea", gitea, once),
    "nexus": Kind("nexus", nexus, once, delivered=range(200, 300)),
    "jfrog": Kind("jfrog", jfrog, once),
    "dockerhub": Kind("dockerhub", docker_hub, once),
    "quay": Kind("quay", quay, times(5, 30), disabled_after=3),
    "pubsub": Kind("gar", gar, until(7 * DAY, 10, 10 * MINUTE), delivered=[102, 200, 201, 202, 204], prefix="p/r"),
}


class Change:
    def __init__(self, what, repository, tag, digest, quiet=False):
        self.what, self.repository, self.tag, self.digest, self.quiet = what, repository, tag, digest, quiet


class World:
    """Things that happen at their times, in order."""

    def __init__(self):
        self.heap, self.number, self.now = [], 0, 0

    def at(self, when, what, *arguments):
        self.number += 1
        heapq.heappush(self.heap, (when, self.number, what, arguments))

    def run(self):
        while self.heap:
            self.now, _, what, arguments = heapq.heappop(self.heap)
            what(*arguments)


class Sender:
    """faults: None on a quiet day, or a random.Random. post(headers, body) gives a status, or None while nobody is there."""

    def __init__(self, kind, world, post, faults=None):
        self.kind, self.world, self.post, self.faults = kind, world, post, faults
        self.queue, self.number, self.failed_in_a_row = [], 0, 0
        self.counts = {"announced": 0, "lost": 0, "delivered": 0, "again": 0, "given up": 0}

    def happens(self, share):
        return self.faults is not None and self.faults.random() < share

    def announce(self, change):
        self.number += 1
        message = self.kind.message(change, self.number)
        if message is None:
            return
        self.counts["announced"] += 1
        if self.happens(0.1):  # best effort; or the queue was lost with the registry
            self.counts["lost"] += 1
        elif self.disabled():
            self.counts["given up"] += 1
        elif self.kind.in_order:
            self.queue.append(message)
            if len(self.queue) == 1:
                self.world.at(self.world.now, self.send_first, 1)
        else:
            late = self.faults.choice([0, 1, MINUTE, HOUR, 3 * HOUR]) if self.faults else 0
            self.world.at(self.world.now + late, self.send, message, 1)

    def disabled(self):
        return self.kind.disabled_after is not None and self.failed_in_a_row >= self.kind.disabled_after

    def attempt(self, message):
        """Did it arrive, as far as the sender can tell? None: it is not tried again."""
        if self.happens(0.1):
            return False
        status = self.post(message[0], json.dumps(message[1]).encode())
        if status is None or self.happens(0.15):  # nobody there; or only the answer was lost
            return False
        if status in self.kind.delivered:
            return True
        return None if self.kind.retried and not self.kind.retried(status) else False

    def ended(self, arrived):
        self.counts["delivered" if arrived else "given up"] += 1
        self.failed_in_a_row = 0 if arrived else self.failed_in_a_row + 1

    def send(self, message, attempt):
        arrived = self.attempt(message)
        pause = self.kind.policy(attempt) if arrived is False else None
        if pause is not None:
            self.counts["again"] += 1
            self.world.at(self.world.now + pause, self.send, message, attempt + 1)
            return
        self.ended(arrived)
        if arrived and self.happens(0.15):  # at least once
            self.world.at(self.world.now + self.faults.choice([1, HOUR]), self.send, message, 10**6)

    def send_first(self, attempt):
        arrived = self.attempt(self.queue[0])
        pause = self.kind.policy(attempt) if arrived is False else None
        if pause is not None:
            self.counts["again"] += 1
            self.world.at(self.world.now + (pause if attempt < 60 else HOUR / 4), self.send_first, attempt + 1)
            return
        self.ended(arrived)
        self.queue.pop(0)
        if self.queue:
            self.world.at(self.world.now, self.send_first, 1)


class Queue:
    """Amazon SQS, as far as it is polled: in no order, hidden while somebody has it, and sometimes there once more after it was deleted."""

    def __init__(self, faults):
        self.faults, self.lock, self.number = faults, threading.Lock(), 0
        self.messages, self.hidden, self.deleted = {}, {}, 0  # k: receipt -> v: body
        queue = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(getattr(queue, self.headers["X-Amz-Target"].split(".")[1])(body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(OSError):  # who asked was killed
                    self.wfile.write(answer)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def happens(self, share):
        return self.faults is not None and self.faults.random() < share

    def put(self, body):
        with self.lock:
            self.number += 1
            self.messages[str(self.number)] = body

    def is_empty(self):
        with self.lock:
            return not self.messages and not self.hidden

    def show_hidden(self):
        """Nobody deleted them in time, those included that were given to the dead."""
        time.sleep(2 * LONGEST_POLL)
        with self.lock:
            self.messages.update(self.hidden)
            self.hidden.clear()

    def ReceiveMessage(self, body):
        end = time.monotonic() + min(body.get("WaitTimeSeconds", 0), LONGEST_POLL)
        while not self.messages and time.monotonic() < end:
            time.sleep(0.01)
        with self.lock:
            receipts = list(self.messages)
            if self.faults:
                self.faults.shuffle(receipts)
            taken = receipts[:body.get("MaxNumberOfMessages", 1)]
            self.hidden.update((receipt, self.messages.pop(receipt)) for receipt in taken)
            return {"Messages": [{"MessageId": receipt, "ReceiptHandle": receipt, "Body": self.hidden[receipt],
                                  "MD5OfBody": hashlib.md5(self.hidden[receipt].encode()).hexdigest()} for receipt in taken]}

    def DeleteMessageBatch(self, body):
        with self.lock:
            for entry in body["Entries"]:
                found = self.hidden.pop(entry["ReceiptHandle"], None)
                self.deleted += found is not None
                if found and self.happens(0.15):
                    self.number += 1
                    self.messages[str(self.number)] = found
        return {"Successful": [{"Id": entry["Id"]} for entry in body["Entries"]], "Failed": []}

    def ChangeMessageVisibilityBatch(self, body):
        return {"Successful": [{"Id": entry["Id"]} for entry in body["Entries"]], "Failed": []}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class QueueSender(Sender):
    """Puts it into a queue, where it stays until it is taken. taken(): waits for that."""

    def __init__(self, kind, world, queue, taken, faults=None):
        super().__init__(kind, world, None, faults)
        self.messages, self.taken = queue, taken

    def announce(self, change):
        self.number += 1
        self.counts["announced"] += 1
        if self.happens(0.1):
            self.counts["lost"] += 1
            return
        for _ in range(2 if self.happens(0.15) else 1):
            self.counts["delivered"] += 1
            self.messages.put(json.dumps(self.kind.message(change, self.number)[1]))
        if not self.happens(0.5):
            self.taken()


def chance(name):
    """The same each time, but for who asks for another day: REGWARDEN_DAY."""
    return random.Random(f"senders {name} {os.environ.get('REGWARDEN_DAY', '')}")
