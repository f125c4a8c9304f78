#!/bin/sh
# Runs every fuzz target for SECONDS each, JOBS at a time, from its seeds and from what earlier runs found (kept in OUT/corpus).
# What anybody can send, and every image has, runs three times as long.
# usage: run.sh OUT SECONDS JOBS
set -eu
out=$1
seconds=$2
jobs=$3
here=$(dirname "$0")
thorough="envelope proofs sns jwt manifest index image_config history reference policy"
mkdir -p "$out/junit" "$out/fuzz-logs"

one()
{
    name=$1
    corpus=$out/corpus/$name
    mkdir -p "$corpus" "$out/crashes"
    seeds=$here/seeds/$name
    [ -d "$seeds" ] || seeds=
    case " $thorough " in
    *" $name "*) seconds=$((seconds * 3)) ;;
    esac
    # shellcheck disable=SC2086 # may be empty
    if ASAN_OPTIONS=detect_leaks=1 "$out/fuzz/tests/$2" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=10 \
        -print_final_stats=1 -artifact_prefix="$out/crashes/$name-" "$corpus" $seeds >"$out/fuzz-logs/$name.log" 2>&1; then
        printf '[       OK ] fuzz_%s: %s runs in %s s\n' "$name" \
            "$(sed -n 's/stat::number_of_executed_units: *//p' "$out/fuzz-logs/$name.log")" "$seconds"
    else
        tail -30 "$out/fuzz-logs/$name.log"
        printf '[  FAILED  ] fuzz_%s\n' "$name"
    fi
}

if [ "${4:-}" = one ]; then
    one "$5" "$6"
    exit 0
fi

results=$out/fuzz-logs/results
(cd "$out/fuzz/tests" && find . -name 'fuzz_*' -type f -perm -u+x | sort) |
    sed 's,^\./\(.*/fuzz_\([a-z0-9_]*\)\)$,\2 \1,' |
    xargs -P "$jobs" -L 1 sh "$0" "$out" "$seconds" "$jobs" one | tee "$results"

python3 - "$results" "$out/junit/fuzz.xml" <<'EOF'
import sys, xml.etree.ElementTree as tree
text = open(sys.argv[1]).read()
suite = tree.Element("testsuite", name="fuzz")
case = tree.SubElement(suite, "testcase", name="fuzz", status="run")
tree.SubElement(case, "system-out").text = text
if "FAILED" in text:
    tree.SubElement(case, "failure")
tree.ElementTree(suite).write(sys.argv[2])
EOF
grep -q '\[       OK' "$results" || { echo "no fuzz target ran" >&2; exit 1; }
! grep -q FAILED "$results"
