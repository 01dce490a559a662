#!/usr/bin/env bash
# examples/callbacks as their users run them: each is installed and unit-tested by its README's own commands, then answers
# a built Gatepass, on free ports, whose callers see every outcome of its rules, and what is left of them while it is away.
# Installs into .external/, and Go's modules from the system's packages where they are missing; needs Node 20 or later.
#
#   tests/external/callbacks.sh target/release/gatepass [python node go rust]
set -euo pipefail
program="$(realpath "${1:?usage: callbacks.sh PROGRAM [LANGUAGE...]}")"
shift
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
"$here/install.sh" > /dev/null
"$here/install.sh" clients > /dev/null
PATH="$("$here/install.sh" callbacks):$PATH"
command -v npm > /dev/null || { echo "npm is missing: install Node 20 or later" >&2; exit 1; }

# Where Go finds modules without their registry: a GOPATH of Debian's.
packages=(
    golang-github-golang-protobuf-1-5-dev
    golang-google-grpc-dev
    golang-google-protobuf-dev
    protoc-gen-go
    protoc-gen-go-grpc
)
if ! dpkg --status "${packages[@]}" > /dev/null 2>&1; then
    {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}"
    } > /dev/null 2>&1 || { echo "Go's modules are missing: apt-get install ${packages[*]}" >&2; exit 1; }
fi
exec python3 -B "$here/callbacks/drive.py" "$root" "$program" "$@" < /dev/null
