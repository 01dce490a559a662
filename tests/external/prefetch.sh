#!/usr/bin/env bash
# Installs what the other scripts of this folder need. `.ci/run` calls it in the background of a build; without it, each
# script installs its own part.
#
#   tests/external/prefetch.sh
set -euo pipefail
here="$(dirname "${BASH_SOURCE[0]}")"

for suite in databases authjs providers callbacks sign_in_with_github chart image metrics; do "$here/$suite.sh" --install; done
