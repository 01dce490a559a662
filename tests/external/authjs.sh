#!/usr/bin/env bash
# Tests examples/authjs: people sign in at the application, with a certified OpenID provider and a built Gatepass on free
# ports. Installs npm packages into .external/; needs Node 20 or later.
#
#   tests/external/authjs.sh target/debug/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
install_tools tools
install_npm "$root/examples/authjs"
install_npm "$here/idp"
drive authjs.drive "$program"
