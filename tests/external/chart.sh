#!/usr/bin/env bash
# Tests the Helm chart: lints and renders it with Helm's own engine, validates it against Kubernetes' schemas, and checks
# the rejected values. Runs its pods with a built Gatepass: one on SQLite, and all replicas in parallel on PostgreSQL
# (TEST_POSTGRES_URL, else its own server). Needs no cluster and no network. Takes a few seconds.
#
#   tests/external/chart.sh target/debug/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
[[ -n "${TEST_POSTGRES_URL:-}" || "$program" == --install ]] || exec "$here/databases.sh" "$here/chart.sh" "$program"
install_tools tools chart
drive deploy.chart "$program"
