#!/usr/bin/env bash
# People sign in at certified OpenID providers (idp/) by a built Gatepass, on free ports: every kind of client, what is
# refused, and what happens while keys change and a provider is away. Installs into .external/; needs Node 20 or later.
#
#   tests/external/providers.sh target/release/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
program="$(realpath "${1:?usage: providers.sh PROGRAM}")"
install_tools clients
install_npm "$here/idp"
drive providers.drive "$program"
