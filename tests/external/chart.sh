#!/usr/bin/env bash
# The Helm chart: linted and rendered by Helm's own engine, validated by Kubernetes' schemas, its refusals, and its pods
# as a built Gatepass meets them. No cluster and no network. Takes some seconds.
#
#   tests/external/chart.sh target/release/gatepass
set -euo pipefail
program="$(realpath "${1:?usage: chart.sh PROGRAM}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/install.sh" > /dev/null
PATH="$("$here/install.sh" chart):$PATH"
exec python3 -B "$here/deploy/chart.py" "$(cd "$here/../.." && pwd)" "$program" < /dev/null
