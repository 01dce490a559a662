#!/usr/bin/env bash
# Tests the image: lints the Dockerfile, and builds and runs its last stage with an existing program. The first stage takes
# minutes and needs a base image from a registry, so this test skips it. Takes a few seconds; needs root, and installs
# buildah from the system's packages if it is missing.
#
#   tests/external/image.sh target/debug/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
install_tools tools chart
command -v buildah > /dev/null && command -v crun > /dev/null || install_packages buildah crun
drive deploy.image "$program"
