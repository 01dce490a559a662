#!/usr/bin/env bash
# Tests sign-ins at certified OpenID providers (idp/) through a built Gatepass on free ports: every kind of client, invalid
# responses, key changes and outages of a provider, and a proxy before it. Installs into .external/; needs Node 20 or later.
#
#   tests/external/providers.sh target/debug/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
install_tools clients
install_npm "$here/idp"
command -v tinyproxy > /dev/null || extract_package tinyproxy-bin
drive providers.drive "$program"
