#!/usr/bin/env bash
# Instructions a call, of this working tree against another commit (benches/against.rs says how they are counted).
#
#   benches/against.sh REV
#
# Both are built with the same settings, without link-time optimisation, and share the dependencies' builds; the other
# commit is built once. Installs valgrind from Debian where it is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rev=$(git rev-parse --verify --end-of-options "${1:?usage: benches/against.sh REV}^{commit}")
builds="$PWD/target/bench-against"

if ! command -v valgrind > /dev/null; then
    root=()
    [[ $EUID == 0 ]] || root=(sudo)
    "${root[@]}" apt-get update
    "${root[@]}" apt-get install --yes --no-install-recommends valgrind
fi

# The program of a source tree, into a file.
build() {
    CARGO_TARGET_DIR="$builds/target" CARGO_INCREMENTAL=0 CARGO_PROFILE_RELEASE_LTO=off \
        nice cargo build --locked --release --bin gatepass --manifest-path "$1/Cargo.toml"
    cp "$builds/target/release/gatepass" "$2"
}

there="$builds/$rev"
if [[ ! -e "$there/gatepass" ]]; then
    rm -rf "$there"
    mkdir -p "$there/tree"
    git archive "$rev" | tar -x -C "$there/tree"
    build "$there/tree" "$there/gatepass"
    rm -rf "$there/tree"
fi
build . "$builds/here"

echo "here: this working tree; there: $(git log -1 --format='%h %s' "$rev")"
# Of the client nothing is measured, so it is not optimised.
cargo test --quiet --locked --bench against -- "$builds/here" "$there/gatepass"
