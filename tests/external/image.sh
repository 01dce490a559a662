#!/usr/bin/env bash
# The image: the Dockerfile linted, and its last stage built and run around a program that is built already. The first
# stage takes minutes and a base image from a registry, so `docker build` alone runs it. Takes some seconds; needs root,
# and installs buildah from the system's packages where it is missing.
#
#   tests/external/image.sh target/release/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
program="$(realpath "${1:?usage: image.sh PROGRAM}")"
install_tools tools chart
command -v buildah > /dev/null && command -v crun > /dev/null || install_packages buildah crun
drive deploy.image "$program"
