#!/bin/sh
# Installs what tests use beside Debian's packages: other registries, and what stands in for services of others. What cannot be had
# is named and left out; its tests are skipped by name. What is there already, in the right version, is left as it is.
#
#   peers.sh DIRECTORY
set -u

directory=$1
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
patience=${REGWARDEN_PEERS_SECONDS:-900} # for each

distribution=v3.0.0
moto=5.2.5
boto3=1.44.8
prism=5.14.2
sns_validator=0.3.5

left_out()
{
    printf 'dev: warning: %s is left out: %s\n' "$1" "$2" >&2
    if [ -s "$directory/log" ]; then
        tail -n 3 "$directory/log" | sed 's/^/    /' >&2
    fi
}

# runs PROGRAM OPTION: a program that is there may still lack what it is made of (a library of another version, an interpreter).
runs()
{
    timeout 60 "$1" "$2" </dev/null
}

# is_there NAME VERSION PROGRAM OPTION: installed before, and whole.
is_there()
{
    [ -x "$3" ] && [ "$(cat "$directory/$1.version" 2>/dev/null)" = "$2" ] && runs "$3" "$4" >/dev/null 2>&1
}

# try NAME VERSION PROGRAM OPTION COMMAND…
try()
{
    name=$1
    version=$2
    program=$3
    option=$4
    shift 4
    printf 'dev: installing %s %s\n' "$name" "$version" >&2
    if timeout "$patience" "$@" >"$directory/log" 2>&1 </dev/null && runs "$program" "$option" >"$directory/log" 2>&1; then
        printf '%s\n' "$version" >"$directory/$name.version"
    else
        rm -f "$directory/$name.version"
        rm -f "$program"
        left_out "$name" "it could not be installed (no network?), or does not run"
    fi
    rm -f "$directory/log"
}

install_distribution()
{
    program=$directory/bin/registry
    is_there distribution "$distribution" "$program" --version && return
    command -v go >/dev/null || { left_out distribution "there is no go"; return; }
    try distribution "$distribution" "$program" --version env "GOBIN=$directory/bin" GOFLAGS=-mod=mod \
        go install "github.com/distribution/distribution/v3/cmd/registry@$distribution"
}

install_moto()
{
    version="$moto, boto3 $boto3"
    program=$directory/venv/bin/moto_server
    is_there moto "$version" "$program" --help && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || { left_out moto "there is no python3-venv"; return; }
    # shellcheck disable=SC2016 # the inner shell's
    try moto "$version" "$program" --help sh -c 'python3 -m venv --clear "$1/venv" &&
        "$1/venv/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$2" "boto3==$3"' \
        sh "$directory" "$moto" "$boto3"
}

install_npm()
{
    version="$prism, sns-validator $sns_validator"
    program=$directory/npm/node_modules/.bin/prism
    is_there prism "$version" "$program" --version && return
    command -v npm >/dev/null || { left_out prism "there is no npm"; return; }
    mkdir -p "$directory/npm"
    [ -f "$directory/npm/package.json" ] || printf '{"private": true}\n' >"$directory/npm/package.json"
    try prism "$version" "$program" --version npm --prefix "$directory/npm" install --no-audit --no-fund --silent --save-exact \
        "@stoplight/prism-cli@$prism" "sns-validator@$sns_validator"
}

install_distribution
install_moto
install_npm
[ -n "${REGWARDEN_ZOT:-}" ] || command -v zot >/dev/null ||
    left_out zot "it is neither on PATH nor named by REGWARDEN_ZOT, and in no package registry"
exit 0
