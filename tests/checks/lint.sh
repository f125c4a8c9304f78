#!/bin/sh
# Static checks. Each prints one line of verdict in the form that count.py adds up. usage: lint.sh OUT JOBS
set -u

out=$1
jobs=$2
status=0
results=$out/lint.log
mkdir -p "$out/junit"
: >"$results"

check()
{
    name=$1
    shift
    if "$@" >"$out/lint-$name.log" 2>&1; then
        printf '[       OK ] lint_%s\n' "$name" | tee -a "$results"
    else
        tail -60 "$out/lint-$name.log"
        printf '[  FAILED  ] lint_%s\n' "$name" | tee -a "$results"
        status=1
    fi
}

sources()
{
    git ls-files -- "$@"
}

format()
{
    sources 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]' | xargs -r clang-format-14 --dry-run --Werror
}

compile()
{
    cmake --preset "$1" -B "$out/$2" ${3:+"$3"} -DREGWARDEN_WERROR=ON && cmake --build "$out/$2" -j "$jobs" -- --quiet
}

tidy()
{
    sources 'src/*.c' | xargs -r -P "$jobs" -n 6 clang-tidy-14 --quiet -p "$out/clang" --warnings-as-errors='*'
}

shell()
{
    shellcheck -e SC2317 dev .ci/run tests/fuzz/run.sh tests/checks/lint.sh tests/support/peers.sh
}

spelling()
{
    sources | grep -v -e '^tests/fuzz/seeds/' -e LICENSE | xargs -r codespell --ignore-words-list=hist,te,nd,ser,fo,crate,unparseable,statics,inflight,registy,forse,policys,deeep,notfy,upto,fro,chek,relase,chage,refrence,tyes
}

manual()
{
    for page in "$out"/clang/man/*.[0-9]; do
        mandoc -T lint -W error "$page" || return 1
    done
}

check format format
check gcc compile dev gcc
check clang compile clang clang
check tidy tidy
check shell shell
check spelling spelling
check manual manual

python3 - "$results" "$out/junit/lint.xml" <<'EOF'
import sys, xml.etree.ElementTree as tree
text = open(sys.argv[1]).read()
suite = tree.Element("testsuite", name="lint")
case = tree.SubElement(suite, "testcase", name="lint", status="run")
tree.SubElement(case, "system-out").text = text
if "FAILED" in text:
    tree.SubElement(case, "failure")
tree.ElementTree(suite).write(sys.argv[2])
EOF
exit $status
