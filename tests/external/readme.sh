#!/usr/bin/env bash
# Runs the README's commands against a built Gatepass, in a folder of its own and on free ports, and compares what each
# prints with what the README shows: the keys of JSON and the words of texts, not the values.
#
#   tests/external/readme.sh target/release/gatepass
set -euo pipefail
program="$(realpath "${1:?usage: readme.sh PROGRAM}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
PATH="$("$here/install.sh"):$(dirname "$program"):$PATH"
exec python3 "$here/readme.py" "$here/../../README.md" "$program" < /dev/null
