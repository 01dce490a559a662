#!/usr/bin/env bash
# Checks the metrics of a built Gatepass with Prometheus' promtool: the page after some calls, and the README's alerts,
# whose metrics must be on that page. Extracts promtool from Debian's package into .external/, because an installation of
# the package would start a server.
#
#   tests/external/metrics.sh target/debug/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
install_tools tools
PATH="$PATH:$root/.external/prometheus/usr/bin"

if ! command -v promtool > /dev/null; then
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    (
        cd "$folder"
        apt-get download prometheus > apt.log 2>&1 || { apt-get update && apt-get download prometheus; } > apt.log 2>&1 ||
            { cat apt.log && echo "metrics.sh: promtool is missing; put it on the PATH" && exit 1; } >&2
        dpkg --extract prometheus_*.deb extracted
        mv extracted "$root/.external/prometheus"
    )
    rm -rf "$folder"
fi
drive metrics "$program"
