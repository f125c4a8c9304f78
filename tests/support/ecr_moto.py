#!/usr/bin/env python3
"""moto's Amazon ECR on loopback, with some images in it. Speaks to tests like stub_registry.py; the record stays empty.

    ecr_moto.py SCENARIO --record FILE"""
import glob
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from stub_registry import OCI_MANIFEST, compact, digest_of

REGION = "eu-central-1"
PEERS = os.environ.get("REGWARDEN_PEERS") or str(pathlib.Path(__file__).resolve().parent.parent.parent / "out" / "peers")


def ask(port, operation, **parameters):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/", json.dumps(parameters), {
        "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
        "Authorization": f"AWS4-HMAC-SHA256 Credential=x/20300101/{REGION}/ecr/aws4_request, SignedHeaders=host, Signature=x"})
    answer = connection.getresponse()
    data = answer.read()
    assert answer.status == 200, (operation, answer.status, data)
    return json.loads(data)


def image(seed):
    blob = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(seed), "size": len(seed)}
    return compact({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": blob, "layers": [blob]}).decode()


def put(port, repository, seed, tag):
    manifest = image(seed)
    ask(port, "PutImage", repositoryName=repository, imageManifest=manifest, imageTag=tag, imageDigest=digest_of(manifest.encode()))
    return manifest


def main():
    open(sys.argv[sys.argv.index("--record") + 1], "w", encoding="utf-8").close()
    server = shutil.which("moto_server") or next(iter(glob.glob(f"{PEERS}/venv/bin/moto_server")), None)
    if not server:
        print("missing moto_server", flush=True)
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    moto = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        for name in ("app", "other"):
            ask(port, "CreateRepository", repositoryName=name)
        manifest = put(port, "app", b"one", "v1")
        other = put(port, "app", b"two", "v2")
        put(port, "other", b"one", "v1")
        ask(port, "StartImageScan", repositoryName="app", imageId={"imageTag": "v1"})
        print(port)
        print("host", f"123456789012.dkr.ecr.{REGION}.amazonaws.com")
        print("image", digest_of(manifest.encode()))
        print("other", digest_of(other.encode()))
        print("manifest", manifest)
        print("ready", flush=True)
        sys.stdin.read()
    finally:
        moto.terminate()
        moto.wait()


if __name__ == "__main__":
    main()
