#!/usr/bin/env bash
# The image: the Dockerfile linted, and its last stage built and run around a program that is built already. The first
# stage takes minutes and a base image from a registry, so `docker build` alone runs it. Takes some seconds; needs root,
# and installs buildah from the system's packages where it is missing.
#
#   tests/external/image.sh target/release/gatepass
set -euo pipefail
program="$(realpath "${1:?usage: image.sh PROGRAM}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/install.sh" > /dev/null
PATH="$("$here/install.sh" chart):$PATH"
if ! command -v buildah > /dev/null || ! command -v crun > /dev/null; then
    {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends buildah crun
    } > /dev/null 2>&1 || { echo "buildah and crun are missing: apt-get install buildah crun" >&2; exit 1; }
fi
exec python3 -B "$here/deploy/image.py" "$(cd "$here/../.." && pwd)" "$program" < /dev/null
