"""A certificate authority and a server certificate for 127.0.0.1, made with openssl."""

import subprocess


def run(directory, *command):
    subprocess.run(("openssl",) + command, check=True, capture_output=True, cwd=directory)


def make(directory):
    """Writes ca.crt, server.crt and server.key."""
    run(directory, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
        "-keyout", "ca.key", "-out", "ca.crt")
    run(directory, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=registry",
        "-keyout", "server.key", "-out", "server.csr")
    with open(f"{directory}/san", "w", encoding="utf-8") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    run(directory, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "2", "-extfile", "san", "-out", "server.crt")
