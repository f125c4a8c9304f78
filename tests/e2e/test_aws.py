#!/usr/bin/env python3
"""Events of Amazon ECR over an SQS queue, with moto as AWS and a registry beside it: nothing is lost, nothing is judged twice."""
import json
import re
import signal
import time

import aws_peer
import harness
import images
from harness import wait_for

HOST = f"{aws_peer.ACCOUNT}.dkr.ecr.{aws_peer.REGION}.amazonaws.com"


def event(repository, tag, digest, account=aws_peer.ACCOUNT, number=0):
    return {"version": "0", "id": f"13cde686-328b-6117-af20-{number:012d}", "detail-type": "ECR Image Action", "source": "aws.ecr",
            "account": account, "time": "2026-01-02T03:04:05Z", "region": aws_peer.REGION, "resources": [],
            "detail": {"result": "SUCCESS", "repository-name": repository, "image-digest": digest, "action-type": "PUSH",
                       "image-tag": tag}}


def world(bench, settings=None, environment=None, start=True):
    """A registry that tells nobody, moto with a queue, and a daemon that polls it."""
    aws = bench.add(aws_peer.Aws(bench.subdirectory("aws"))).start()
    registry = bench.add(harness.Registry(bench.subdirectory("registry"))).start()
    queue = aws.create_queue("events")
    own = {"region": aws_peer.REGION, "queue-url": queue, "credentials": "file", "credentials-file": str(aws.credentials_file()),
           "sts-endpoint": aws.url, **(settings or {})}
    daemon = harness.Regwarden(bench.subdirectory("daemon"), {"main": registry}, extra="sweep-at-start: false",
                               settings={"aws": json.dumps({key: value for key, value in own.items() if value}),
                                         "hosts": f'["{HOST}"]'})
    bench.add(daemon)
    if start:
        daemon.start(environment=environment)
    return aws, queue, registry.client(), daemon


def push(aws, queue, client, name, image, wrap=None, **more):
    repository, tag = name
    client.push(repository, image, tag)
    body = json.dumps(event(repository, tag, image.digest, **more))
    aws.sqs("SendMessage", QueueUrl=queue, MessageBody=wrap(body) if wrap else body)


def drained(aws, queue, seconds=30):
    wait_for("the queue to be empty", lambda: aws.left(queue) == (0, 0), seconds, 0.1)


def sns(body):
    return json.dumps({"Type": "Notification", "MessageId": "1", "TopicArn": f"arn:aws:sns:{aws_peer.REGION}:{aws_peer.ACCOUNT}:ecr",
                       "Message": body, "Timestamp": "2026-01-02T03:04:05.678Z", "SignatureVersion": "1", "Signature": "x",
                       "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/x.pem", "UnsubscribeURL": "https://x/"})


def test_queue(bench):
    """Bare events and events in an SNS envelope are judged and deleted; what is not understood or of another account becomes a
    dead letter and is deleted too; every request was signed rightly."""
    aws, queue, client, daemon = world(bench)
    push(aws, queue, client, ("app", "bare"), images.good("bare"))
    push(aws, queue, client, ("app", "wrapped"), images.bad("wrapped"), wrap=sns)
    aws.sqs("SendMessage", QueueUrl=queue, MessageBody="not of any dialect")
    aws.sqs("SendMessage", QueueUrl=queue, MessageBody=json.dumps(event("app", "other", "sha256:" + "0" * 64, account="999999999999")))
    assert daemon.verdict("app", "bare")["verdict"] == "pass"
    assert daemon.verdict("app", "wrapped")["verdict"] == "fail"
    drained(aws, queue)
    letters = wait_for("dead letters", lambda: len(daemon.json("/api/v1/dead-letters")["items"]) == 2)
    assert letters and not aws.faults(), aws.faults()
    assert daemon.status()["queues"][0]["messages"] == 4
    metrics = daemon.get("/metrics")[1].decode()
    assert 'regwarden_queue_deleted_total{registry="main"} 4' in metrics and 'regwarden_queue_up{registry="main"} 1' in metrics
    daemon.process.child.send_signal(signal.SIGHUP)  # another poller takes over
    wait_for("the reload", lambda: daemon.status()["queues"][0]["messages"] == 0)
    push(aws, queue, client, ("app", "later"), images.good("later"))
    assert daemon.verdict("app", "later", 100)["verdict"] == "pass"
    drained(aws, queue, 100)
    began = time.monotonic()
    assert daemon.stop() == 0  # the long poll does not hold it up
    assert time.monotonic() - began < 10


def test_topic_to_queue(bench):
    """A topic of moto's SNS that hands its messages to the queue, in the envelope that moto writes."""
    aws, queue, client, daemon = world(bench)
    topic = aws.sns("CreateTopic", Name="pushes")
    arn = f"arn:aws:sqs:{aws_peer.REGION}:{aws_peer.ACCOUNT}:events"
    aws.sns("Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=arn)
    image = images.bad("topic")
    client.push("app", image, "topic")
    aws.sns("Publish", TopicArn=topic, Message=json.dumps(event("app", "topic", image.digest)))
    assert daemon.verdict("app", "topic")["verdict"] == "fail"
    drained(aws, queue)
    assert daemon.status()["queues"][0]["messages"] == 1 and not daemon.json("/api/v1/dead-letters")["items"]


def test_signatures_by_botocore(bench):
    """AWS's own code signs what we sent, with keys of a file and of a role, in the same way."""
    aws, queue, client, daemon = world(bench, {"role-arn": f"arn:aws:iam::{aws_peer.ACCOUNT}:role/regwarden"})
    push(aws, queue, client, ("app", "role"), images.good("role"))
    assert daemon.verdict("app", "role")["verdict"] == "pass"
    drained(aws, queue)
    daemon.stop()
    services = {request["service"] for request in aws.signed}
    assert services == {"sqs", "sts"} and any(request["token"] for request in aws.signed), services
    assert not aws.botocore_faults()
    broken = {**aws.signed[-1], "body": aws.signed[-1]["body"] + " "}
    assert aws.botocore_faults([broken]) == [broken]  # the check can fail


def test_role_and_web_identity(bench):
    """Keys of a file assume a role by STS; a web identity does without keys. Both poll with the role's signature."""
    aws, queue, client, daemon = world(bench, {"role-arn": f"arn:aws:iam::{aws_peer.ACCOUNT}:role/regwarden"})
    push(aws, queue, client, ("app", "role"), images.good("role"))
    assert daemon.verdict("app", "role")["verdict"] == "pass"
    drained(aws, queue)
    daemon.stop()
    assert not aws.faults() and [target for target, _ in aws.requests].count("AssumeRole") == 1
    token = bench.directory / "token"
    token.write_text("eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YTpiIn0.c2ln\n")
    text = daemon.file.read_text().replace('"credentials": "file"', '"credentials": "web-identity"')
    daemon.file.write_text(text)
    del aws.requests[:]
    daemon.start(environment={"AWS_WEB_IDENTITY_TOKEN_FILE": str(token)})
    push(aws, queue, client, ("app", "identity"), images.good("identity"))
    assert daemon.verdict("app", "identity", 100)["verdict"] == "pass"  # the long poll of before may get it first
    drained(aws, queue, 100)
    targets = [target for target, _ in aws.requests]
    assert not aws.faults() and targets.count("AssumeRoleWithWebIdentity") == 1 and "AssumeRole" not in targets
    log = daemon.process.text()
    for secret, session in aws.secrets.values():
        assert secret not in log and (not session or session not in log)


def test_killed_between_receive_and_delete(bench):
    """kill -9 before the message is deleted: it comes again, and is judged and acted on once."""
    aws, queue, client, daemon = world(bench)
    receipts = []

    def refuse_deletes(target, body):
        if target != "AmazonSQS.DeleteMessageBatch":
            return None
        receipts.extend(entry["ReceiptHandle"] for entry in json.loads(body)["Entries"])
        return 500, b"{}"
    aws.before = refuse_deletes
    image = images.bad("killed")
    push(aws, queue, client, ("app", "killed"), image)
    daemon.verdict("app", "killed")
    wait_for("the delete", lambda: receipts)
    daemon.process.child.send_signal(signal.SIGKILL)
    daemon.process.child.wait()
    assert aws.left(queue) == (0, 1)
    aws.before = None
    aws.sqs("ChangeMessageVisibility", QueueUrl=queue, ReceiptHandle=receipts[0], VisibilityTimeout=0)  # instead of waiting
    daemon.start()
    drained(aws, queue, 100)  # the long poll of the daemon that is gone may get it first
    daemon.wait_idle()
    assert daemon.status()["queues"][0]["messages"] == 1
    done = [plan for plan in daemon.plans(kind="quarantine") if plan["state"] == "done"]
    assert len(done) == 1, done
    assert client.digest("quarantine/app", "killed") == image.digest


def test_outage(bench):
    """The daemon is away while 150 images are pushed, and the queue fails at first: all of them are judged, and said once each."""
    aws, queue, client, daemon = world(bench, start=False)
    count = 150
    for number in range(count):
        push(aws, queue, client, (f"load/app{number % 5}", f"t{number}"), images.good(f"image {number}"), number=number)
    broken = {"left": 12}

    def fail(target, body):
        if broken["left"] == 0:
            return None
        broken["left"] -= 1
        return 400, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}'
    aws.before = lambda target, body: fail(target, body) if broken["left"] > 10 else None
    daemon.start()
    wait_for("the trouble to be told", lambda: "QueueDoesNotExist" in daemon.process.text())
    drained(aws, queue, 120)
    daemon.wait_idle(120)
    passed = {(verdict["repository"], verdict["tag"]) for verdict in daemon.verdicts() if verdict["verdict"] == "pass"}
    assert len(passed) == count, len(passed)
    log = daemon.process.text()
    assert re.search(r"QueueDoesNotExist.*; look at aws.queue-url \(http.*\)", log), log[-2000:]
    assert log.count("QueueDoesNotExist") == 1 and log.count("the queue is polled again") == 1, log[-2000:]
    assert not aws.faults()


if __name__ == "__main__":
    harness.run([test_queue, test_topic_to_queue, test_signatures_by_botocore, test_role_and_web_identity,
                 test_killed_between_receive_and_delete, test_outage])
