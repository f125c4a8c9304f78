#!/usr/bin/env python3
"""The manual and the README, taken literally: commands and their options are there, policies are understood, JSON is JSON, and the rights
that Amazon's policies give are those that the program asks for."""
import json
import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import harness

PAGES = sorted((harness.SOURCE / "man").glob("*.scd"))
README = harness.SOURCE / "README.md"
SOURCES = harness.SOURCE / "src"

# What ECR's registry host asks of an account for the requests of the distribution API.
BY_HOST = {"BatchGetImage", "GetDownloadUrlForLayer", "BatchCheckLayerAvailability", "ListImages", "ListImageReferrers",
           "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage", "DescribeRepositories"}


def blocks(path):
    """What stands in literal blocks, as readers see it."""
    if path == README:
        found = re.findall(r"(?:^    .*\n)+", path.read_text(), re.MULTILINE)
        return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]
    found = re.findall(r"^```\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)
    return [re.sub(r"\\(.)", r"\1", block.replace("\\\n", "\n")) for block in found]


def shell_lines(block):
    """Commands, with their continued lines; what they answer is left out."""
    lines = block.replace("\\\n", " ").splitlines()
    marked = [line[2:] for line in lines if line.startswith("$ ")]
    return marked or [line for line in lines if re.match(r"(\./)?[a-z]+ ", line)]


def regwarden(*arguments):
    return subprocess.run([harness.BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_commands_are_there(bench):
    helps, seen = {}, 0
    for page in [*PAGES, README]:
        for block in blocks(page):
            for line in shell_lines(block):
                if not re.match(r"regwarden [a-z]", line):
                    continue
                words = shlex.split(line, comments=True)
                command = words[1]
                if command not in helps:
                    done = regwarden(command, "--help")
                    assert done.returncode == 0, f"{page.name}: {line}\n{done.stderr}"
                    helps[command] = set(re.findall(r"--[a-z-]+", done.stdout)) | set(re.findall(r"(?<!\S)-[a-zA-Z](?=,)", done.stdout))
                options = {word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-zA-Z]", word)}
                assert options <= helps[command], f"{page.name}: {line}\nno option {sorted(options - helps[command])}"
                seen += 1
    assert seen >= 10, seen


def test_commands_of_several_lines_are_continued(bench):
    """A line that is indented below a command belongs to it."""
    seen = 0
    for page in PAGES:
        for block in blocks(page):
            if not re.match(r"(regwarden|aws|az|gcloud) ", block):
                continue
            lines, quoted = block.splitlines(), False
            for line, after in zip(lines, lines[1:]):
                quoted ^= line.count("'") % 2 == 1
                if after.startswith(" ") and not quoted:
                    assert line.endswith("\\"), f"{page.name}: {line}"
                    seen += 1
    assert seen >= 6, seen


def test_every_page_is_led_to(bench):
    told = "".join((harness.SOURCE / "man" / name).read_text().partition("# SEE ALSO")[2] for name in ("regwarden.1.scd", "regwarden.8.scd"))
    for page in PAGES:
        name, section = page.name.removesuffix(".scd").rsplit(".", 1)
        assert f"*{name}*({section})" in told, f"neither regwarden(1) nor regwarden(8) leads to {name}({section})"


def test_policies_are_understood(bench):
    seen = 0
    for page in [*PAGES, README]:
        for block in blocks(page):
            if not block.startswith("policy:") or "\nexamples:" in block:
                continue
            file = bench.directory / "policy.yaml"
            file.write_text(block)
            done = regwarden("policy", "lint", file)
            assert done.returncode == 0, (page.name, block, done.stdout, done.stderr)
            seen += 1
    assert seen >= 2, seen


def documents(page):
    """The JSON of a page; several in one block are separated by commas, and members of an object may stand alone."""
    found = []
    for block in blocks(harness.SOURCE / "man" / page):
        if block.startswith("{"):
            found += json.loads(f"[{block}]")
        elif block.startswith('"'):
            found += [json.loads(f"{{{block}}}")]
    return found


def statements(page):
    for document in documents(page):
        yield from document.get("Statement", [document] if "Sid" in document else [])


def allowed(page, service):
    actions = [action for statement in statements(page) if statement["Effect"] == "Allow" for action in statement["Action"]
               if isinstance(statement["Action"], list)]
    return {action.partition(":")[2] for action in actions if action.startswith(service + ":")}


def test_json_is_json(bench):
    seen = {page.name: len(documents(page.name)) for page in PAGES}
    for name, count in {"regwarden-aws.7.scd": 2, "regwarden-ecr.7.scd": 6, "regwarden-zot.7.scd": 1, "regwarden-registries.7.scd": 2}.items():
        assert seen[name] >= count, seen


def test_rights_of_amazon_are_those_that_are_asked_for(bench):
    text = "".join(path.read_text() for path in (SOURCES / "registry").glob("ecr*.c"))
    asked = set(re.findall(r'"((?:Batch|Create|Delete|Describe|Get|List|Put|Update)[A-Z]\w+)"', text))
    asked = {name for name in asked if not name.endswith("Exception")}
    assert {"GetAuthorizationToken", "BatchDeleteImage", "DescribeRepositories"} <= asked, asked
    given = allowed("regwarden-ecr.7.scd", "ecr")
    # A repository is made with a tag.
    assert given == asked | BY_HOST | {"TagResource"}, (asked | BY_HOST | {"TagResource"}) ^ given
    queue = set(re.findall(r'"AmazonSQS\.(\w+?)(?:Batch)?"', (SOURCES / "intake" / "sqs.c").read_text()))
    assert queue == allowed("regwarden-aws.7.scd", "sqs") and len(queue) == 3, queue


def test_rights_of_harbor_are_those_of_the_robot(bench):
    page = (harness.SOURCE / "man" / "regwarden-harbor.7.scd").read_text()
    rows = re.findall(r"^\|  ([a-z, -]+)\n:\[ ([a-z, ]+)\n:\[ ", page.partition("# RIGHTS")[2], re.MULTILINE)
    told = {(resource, action) for resources, actions in rows for resource in resources.split(", ") for action in actions.split(", ")}
    given = set(re.findall(r'^    \{"([a-z-]+)", "([a-z]+)", [A-Z]+\},$', (SOURCES / "cli" / "harbor_robot.c").read_text(), re.MULTILINE))
    assert told == given and len(given) >= 15, told ^ given


if __name__ == "__main__":
    harness.run([value for name, value in sorted(globals().items()) if name.startswith("test_")])
