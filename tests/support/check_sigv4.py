"""Signs requests once more with botocore, AWS's own code, and says of which the signature is another.

Reads one JSON document from standard input: [{"path", "headers", "body", "service", "region", "key", "secret", "token"}, …], of which
body is text; writes the indexes of those that are wrong. Run by a Python that has botocore."""
import json
import re
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials


def signature_of(request):
    signed = re.search(r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", request["headers"]["Authorization"])
    names = set(signed.group(1).split(";"))
    headers = {name: value for name, value in request["headers"].items() if name.lower() in names}
    host = next(value for name, value in headers.items() if name.lower() == "host")
    again = botocore.awsrequest.AWSRequest("POST", f"http://{host}{request['path']}", headers, request["body"].encode())
    again.context["timestamp"] = next(value for name, value in headers.items() if name.lower() == "x-amz-date")
    credentials = botocore.credentials.Credentials(request["key"], request["secret"], request["token"])
    auth = botocore.auth.SigV4Auth(credentials, request["service"], request["region"])
    text = auth.string_to_sign(again, auth.canonical_request(again))
    return auth.signature(text, again), signed.group(2)


def main():
    wrong = []
    for index, request in enumerate(json.load(sys.stdin)):
        wanted, sent = signature_of(request)
        if wanted != sent:
            wrong.append(index)
    json.dump(wrong, sys.stdout)


main()
