#!/usr/bin/env bash
# examples/callbacks as their users run them: each is installed and unit-tested by its README's own commands, then answers
# a built Gatepass, on free ports, whose callers see every outcome of its rules, and what is left of them while it is away.
# Installs into .external/, and Go's modules from the system's packages where they are missing; needs Node 20 or later.
#
#   tests/external/callbacks.sh target/release/gatepass [python node go rust]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
program="$(realpath "${1:?usage: callbacks.sh PROGRAM [LANGUAGE...]}")"
install_tools tools clients callbacks
need_node

# Where Go finds modules without their registry: a GOPATH of Debian's.
packages=(
    golang-github-golang-protobuf-1-5-dev
    golang-google-grpc-dev
    golang-google-protobuf-dev
    protoc-gen-go
    protoc-gen-go-grpc
)
dpkg --status "${packages[@]}" > /dev/null 2>&1 || install_packages "${packages[@]}"
drive callbacks.drive "$program" "${@:2}"
