#!/usr/bin/env python3
"""The multi-stage lesson on four runtimes, built by buildah on bases made from Debian packages: what one stage leaves behind is found, with
step and bytes, and what several stages make passes. lesson.py prints the same for people."""
import harness
import lesson

RUNTIMES = {"node": "node", "dotnet": "dotnet", "go": "go", "python": "python"}


def failing(result, rule, *statuses):
    return [finding for finding in result["findings"] if finding["rule"] == rule and finding["status"] in (statuses or ("fail",))]


def check_single(application, result):
    assert result["verdict"] == "fail", result
    assert result["facts"]["runtime"] == RUNTIMES[application], result["facts"]
    for rule in ("build-tools", "image-size", "non-root"):
        assert failing(result, rule), (application, rule, result["findings"])
    for finding in failing(result, "build-tools") + failing(result, "image-size"):
        assert finding["bytes"] > 0, finding
    named = [finding for finding in failing(result, "build-tools") if finding.get("step") is not None and finding.get("layer")]
    assert named, (application, failing(result, "build-tools"))
    assert all("FROM" in finding["remedy"] for finding in named), named


def check_leaks(application, result):
    """COPY . brought .git along, and the finding says with which step."""
    leaks = [finding for finding in failing(result, "context-leak", "fail", "warn") if ".git" in (finding.get("path") or "")]
    assert leaks and leaks[0]["bytes"] >= 200_000 and leaks[0]["origin"] == "own", (application, result["findings"])


def check_multi(application, result):
    assert result["verdict"] == "pass", (application, result["verdict"], result["findings"])
    assert result["facts"]["runtime"] == RUNTIMES[application], (application, result["facts"])


def test_four_runtimes(bench):
    built = bench.add(lesson.Lesson(bench.directory / "lesson"))
    pairs = built.build_all()
    results = built.judge([reference for ways in pairs.values() for reference in ways.values()])
    print(lesson.size_table(pairs, results))
    for application, ways in pairs.items():
        check_single(application, results[ways["single"]])
        check_leaks(application, results[ways["single"]])
        check_multi(application, results[ways["multi"]])
        sizes = [results[ways[way]]["facts"]["compressedBytes"] for way in ("single", "multi")]
        assert sizes[1] < sizes[0] / 2, (application, sizes)


if __name__ == "__main__":
    harness.run([test_four_runtimes])
