# Shared functions; every suite sources this file. Sets `here` (tests/external) and `root`.
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
root="$(cd "$here/../.." && pwd)"

# Sets `program`, the path of the built Gatepass. With --install the suite only installs what it needs.
take_program() {
    [[ -n "${1:-}" ]] || { echo "usage: $(basename "$0") PROGRAM | --install" >&2; exit 2; }
    program=$1
    [[ "$program" == --install ]] || program="$(realpath "$program")"
}

# Runs install.sh for each argument, and puts its folder on the PATH.
install_tools() {
    local what
    for what in "$@"; do "$here/install.sh" "$what" > /dev/null; done
    PATH="$root/.external/venv/bin:$PATH"
}

# Installs packages of the system.
install_packages() {
    local as_root=()
    [[ "$(id -u)" == 0 ]] || as_root=(sudo -n)
    {
        "${as_root[@]}" apt-get update -qq
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"
    } > /dev/null 2>&1 || { echo "missing: apt-get install $*" >&2; exit 1; }
}

# Extracts a package of the system into .external/, because its installation would start a server. Adds its programs to the
# PATH.
extract_package() {
    local folder
    PATH="$PATH:$root/.external/$1/usr/bin:$root/.external/$1/usr/sbin"
    [[ ! -d "$root/.external/$1" ]] || return 0
    folder=$(mktemp -d)
    (
        cd "$folder"
        apt-get download "$1" > apt.log 2>&1 || { apt-get update && apt-get download "$1"; } > apt.log 2>&1 ||
            { cat apt.log && echo "missing: apt-get download $1" && exit 1; } >&2
        dpkg --extract "$1"_*.deb extracted
        mv extracted "$root/.external/$1"
    )
    rm -rf "$folder"
}

need_node() {
    command -v npm > /dev/null || { echo "npm is missing: install Node 20 or later" >&2; exit 1; }
}

# Copies a Node program into .external/ and installs its packages there, so that the source folder stays clean. The copy
# has the same depth, so that the program finds proto/.
install_npm() {
    need_node
    local copy mark
    copy="$root/.external/$(basename "$1")"
    mkdir -p "$copy"
    cp "$1"/*.mjs "$1"/package*.json "$copy"
    mark="$copy/node_modules/.installed-$(cksum < "$copy/package-lock.json" | tr -d ' ')"
    [[ -e "$mark" ]] || { npm ci --prefix "$copy" --no-audit --no-fund --loglevel=error >&2 && touch "$mark"; }
}

# Continues with a Python module, unless the suite only installs.
drive() {
    [[ "$program" != --install ]] || exit 0
    cd "$here"
    exec python3 -B -m "$1" "$root" "${@:2}" < /dev/null
}
