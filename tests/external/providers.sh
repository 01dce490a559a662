#!/usr/bin/env bash
# People sign in at certified OpenID providers (idp/) by a built Gatepass, on free ports: every kind of client, what is
# refused, and what happens while keys change and a provider is away. Installs into .external/; needs Node 20 or later.
#
#   tests/external/providers.sh target/release/gatepass
set -euo pipefail
program="$(realpath "${1:?usage: providers.sh PROGRAM}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
PATH="$("$here/install.sh" clients):$PATH"
command -v npm > /dev/null || { echo "npm is missing: install Node 20 or later" >&2; exit 1; }

# Beside the sources no folder of packages is made: the provider runs as a copy.
idp="$root/.external/idp"
mkdir -p "$idp"
cp "$here"/idp/*.mjs "$here"/idp/package*.json "$idp"
mark="$idp/node_modules/.installed-$(cksum < "$idp/package-lock.json" | tr -d ' ')"
[[ -e "$mark" ]] || { npm ci --prefix "$idp" --no-audit --no-fund --loglevel=error >&2 && touch "$mark"; }
exec python3 -B "$here/providers/drive.py" "$root" "$program" < /dev/null
