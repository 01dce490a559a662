#!/usr/bin/env bash
# Tests examples/callbacks: installs and unit-tests each service with its README's own commands, then runs it with a built
# Gatepass on free ports. Callers see every outcome of its rules, and the effect of an outage. Installs into .external/,
# and missing Go modules from the system's packages; needs Node 20 or later.
#
#   tests/external/callbacks.sh target/debug/gatepass [python node go rust]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
install_tools tools clients callbacks
need_node

# The packages that form a GOPATH, so that Go needs no module registry.
packages=(
    golang-github-golang-protobuf-1-5-dev
    golang-google-grpc-dev
    golang-google-protobuf-dev
    protoc-gen-go
    protoc-gen-go-grpc
)
dpkg --status "${packages[@]}" > /dev/null 2>&1 || install_packages "${packages[@]}"
# The folder of the program names the profile of cargo. The Rust service is built with it, too, so that nothing is built twice.
export PROFILE_FOLDER="$(basename "$(dirname "$program")")"
drive callbacks.drive "$program" "${@:2}"
