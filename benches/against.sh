#!/usr/bin/env bash
# Instructions a call, of this working tree against another commit (benches/against.rs says how they are counted).
#
#   benches/against.sh REV
#
# Both are built in the same place with the same settings, without link-time optimisation; what they depend on is built
# once, and a program that was built before is kept. Installs valgrind from Debian where it is missing.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rev=$(git rev-parse --verify --end-of-options "${1:?usage: benches/against.sh REV}^{commit}")
builds="$PWD/target/bench-against"
mkdir -p "$builds"

if ! command -v valgrind > /dev/null; then
    root=()
    [[ $EUID == 0 ]] || root=(sudo)
    "${root[@]}" apt-get update
    "${root[@]}" apt-get install --yes --no-install-recommends valgrind
fi

# The tree of the files as they are now, committed or not.
working_tree() {
    GIT_INDEX_FILE="$builds/index" git add --all
    GIT_INDEX_FILE="$builds/index" git write-tree
}

# Builds the program of a git tree, unless one of the same sources was; prints its path.
program() {
    local sources
    sources=$(git ls-tree "$1" Cargo.toml Cargo.lock build.rs build migrations proto src | git hash-object --stdin)
    local program="$builds/gatepass-$sources"
    if [[ ! -e "$program" ]]; then
        rm -rf "$builds/tree"
        mkdir "$builds/tree"
        git archive "$1" | tar -x -C "$builds/tree"
        # Cargo goes by paths and times, which say nothing here: all but the dependencies is built anew.
        rm -rf "$builds"/target/release/.fingerprint/gatepass-*
        CARGO_TARGET_DIR="$builds/target" CARGO_INCREMENTAL=0 CARGO_PROFILE_RELEASE_LTO=off \
            nice cargo build --locked --release --bin gatepass --manifest-path "$builds/tree/Cargo.toml"
        cp "$builds/target/release/gatepass" "$program"
    fi
    echo "$program"
}

here=$(program "$(working_tree)")
there=$(program "$rev^{tree}")
echo "here: this working tree; there: $(git log -1 --format='%h %s' "$rev")"
# Of the client nothing is measured, so it is not optimised.
cargo test --quiet --locked --bench against -- "$here" "$there"
