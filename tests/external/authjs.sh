#!/usr/bin/env bash
# examples/authjs as its users run it: the application with Auth.js, a certified OpenID provider and a built Gatepass,
# on free ports, and people who sign in. Installs npm's packages into .external/; needs Node 20 or later.
#
#   tests/external/authjs.sh target/release/gatepass
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
program="$(realpath "${1:?usage: authjs.sh PROGRAM}")"
install_tools tools
install_npm "$root/examples/authjs"
install_npm "$here/idp"
drive authjs.drive "$program"
