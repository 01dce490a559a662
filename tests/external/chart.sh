#!/usr/bin/env bash
# The Helm chart: linted and rendered by Helm's own engine, validated by Kubernetes' schemas, its refusals, and its pods
# as a built Gatepass meets them. No cluster and no network. Takes some seconds.
#
#   tests/external/chart.sh target/release/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
program="$(realpath "${1:?usage: chart.sh PROGRAM}")"
install_tools tools chart
drive deploy.chart "$program"
