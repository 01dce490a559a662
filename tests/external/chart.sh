#!/usr/bin/env bash
# The Helm chart: linted and rendered by Helm's own engine, validated by Kubernetes' schemas, its refusals, and its pods
# as a built Gatepass meets them: one on SQLite, all replicas at once on PostgreSQL (TEST_POSTGRES_URL, else one of its
# own). No cluster and no network. Takes some seconds.
#
#   tests/external/chart.sh target/release/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
program="$(realpath "${1:?usage: chart.sh PROGRAM}")"
[[ -n "${TEST_POSTGRES_URL:-}" ]] || exec "$here/databases.sh" "$here/chart.sh" "$program"
install_tools tools chart
drive deploy.chart "$program"
