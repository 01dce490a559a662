#!/usr/bin/env bash
# examples/authjs as its users run it: the application with Auth.js, a certified OpenID provider and a built Gatepass,
# on free ports, and people who sign in. Installs npm's packages into .external/; needs Node 20 or later.
#
#   tests/external/authjs.sh target/release/gatepass
set -euo pipefail
program="$(realpath "${1:?usage: authjs.sh PROGRAM}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
PATH="$("$here/install.sh"):$PATH"
command -v npm > /dev/null || { echo "npm is missing: install Node 20 or later" >&2; exit 1; }

# Beside the sources no folder of packages is made: they run as copies, at the same depth, so that proto/ is found.
install() {
    mkdir -p "$2"
    cp "$1"/*.mjs "$1"/package*.json "$2"
    local mark
    mark="$2/node_modules/.installed-$(cksum < "$2/package-lock.json" | tr -d ' ')"
    [[ -e "$mark" ]] || { npm ci --prefix "$2" --no-audit --no-fund --loglevel=error >&2 && touch "$mark"; }
}
install "$root/examples/authjs" "$root/.external/authjs"
install "$here/idp" "$root/.external/idp"
exec python3 -B "$here/authjs/drive.py" "$root" "$program" < /dev/null
