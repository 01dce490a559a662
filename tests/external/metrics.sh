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
command -v promtool > /dev/null || extract_package prometheus
drive metrics "$program"
