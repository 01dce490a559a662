#!/usr/bin/env bash
# Runs the README's commands against a built Gatepass, in a temporary folder and on free ports. Compares each output with
# the README: the keys of JSON and the words of texts, not the values.
#
#   tests/external/readme.sh target/debug/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
install_tools tools
PATH="$(dirname "$program"):$PATH"
drive readme "$program"
