#!/usr/bin/env bash
# Tests examples/sign-in-with-github: installs it with its README's own commands and runs it with a built Gatepass on free
# ports. People sign in with a real Chromium, and a certified OpenID provider replaces GitHub. Saves a picture of the
# signed-in page. Installs into .external/, and a missing Chromium from the system's packages; needs Node 20 or later.
#
#   tests/external/sign_in_with_github.sh target/debug/gatepass [signed-in.png]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"
take_program "${1:-}"
picture="$(realpath -m "${2:-$root/.external/signed-in.png}")"
install_tools tools browser
install_npm "$here/idp"
command -v chromium > /dev/null || install_packages chromium fonts-dejavu-core

# Copy the sources, so that nothing is installed beside them. A link puts proto/ where the README's commands expect it.
copy="$root/.external/sign-in-with-github"
example=examples/sign-in-with-github
mkdir -p "$copy/$example"
ln -sfn "$root/proto" "$copy/proto"
git -C "$root" ls-files -z --cached --others --exclude-standard "$example" | (cd "$root" && xargs -0 cp -t "$copy/$example")
commands="$(sed -n '/^<!-- run -->$/,/^```$/ { /^```/d; /^<!--/d; p }' "$root/$example/README.md")"
(cd "$copy" && PIP_DISABLE_PIP_VERSION_CHECK=1 bash -euo pipefail -c "$commands") > "$copy/log" 2>&1 < /dev/null ||
    { cat "$copy/log" >&2; exit 1; }
drive sign_in_with_github.drive "$program" "$picture"
