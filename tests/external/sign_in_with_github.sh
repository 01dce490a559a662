#!/usr/bin/env bash
# examples/sign-in-with-github as its users run it: installed by its README's own commands, in front of a built Gatepass, on
# free ports, and people who sign in with a real Chromium. In GitHub's place stands a certified OpenID provider. Leaves a
# picture of the signed-in page. Installs into .external/, and Chromium from the system's packages where it is missing;
# needs Node 20 or later.
#
#   tests/external/sign_in_with_github.sh target/release/gatepass [signed-in.png]
set -euo pipefail
program="$(realpath "${1:?usage: sign_in_with_github.sh PROGRAM [PICTURE]}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
picture="$(realpath -m "${2:-$root/.external/signed-in.png}")"
"$here/install.sh" > /dev/null
PATH="$("$here/install.sh" browser):$PATH"
command -v npm > /dev/null || { echo "npm is missing: install Node 20 or later" >&2; exit 1; }

if ! command -v chromium > /dev/null; then
    as_root=()
    [[ "$(id -u)" == 0 ]] || as_root=(sudo -n)
    {
        "${as_root[@]}" apt-get update -qq
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            chromium fonts-dejavu-core
    } > /dev/null 2>&1 || { echo "Chromium is missing: apt-get install chromium" >&2; exit 1; }
fi

# Beside the sources nothing is installed: they are copied, and proto/ is where the README's commands look for it.
idp="$root/.external/idp"
mkdir -p "$idp"
cp "$here/idp"/*.mjs "$here/idp"/package*.json "$idp"
mark="$idp/node_modules/.installed-$(cksum < "$idp/package-lock.json" | tr -d ' ')"
[[ -e "$mark" ]] || { npm ci --prefix "$idp" --no-audit --no-fund --loglevel=error >&2 && touch "$mark"; }

copy="$root/.external/sign-in-with-github"
example=examples/sign-in-with-github
mkdir -p "$copy/$example"
ln -sfn "$root/proto" "$copy/proto"
git -C "$root" ls-files -z --cached --others --exclude-standard "$example" | (cd "$root" && xargs -0 cp -t "$copy/$example")
commands="$(sed -n '/^<!-- run -->$/,/^```$/ { /^```/d; /^<!--/d; p }' "$root/$example/README.md")"
(cd "$copy" && PIP_DISABLE_PIP_VERSION_CHECK=1 bash -euo pipefail -c "$commands") > "$copy/log" 2>&1 < /dev/null ||
    { cat "$copy/log" >&2; exit 1; }
exec python3 -B "$here/sign_in_with_github/drive.py" "$root" "$program" "$picture" < /dev/null
