#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES_URL and TEST_MYSQL_URL set. If a variable is missing, starts a temporary PostgreSQL or
# MariaDB from Debian's packages, and installs a missing package. These servers do not sync to disk, which makes them
# fast; --durable turns syncing on, for measurements.
#
#   tests/external/databases.sh [--durable] cargo test --test it -- --ignored
#   tests/external/databases.sh --install       only installs the packages
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/support/suite.sh"

# Succeeds if the server has to be started, and its package is missing.
needs_postgres() { [ -z "${TEST_POSTGRES_URL:-}" ] && ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; }
needs_mariadb() { [ -z "${TEST_MYSQL_URL:-}" ] && ! { command -v mariadbd || [ -x /usr/sbin/mariadbd ]; } > /dev/null; }

if [ "$1" = --install ]; then
    ! needs_postgres || install_packages postgresql
    ! needs_mariadb || install_packages mariadb-server
    exit
fi
durable=false
if [ "$1" = --durable ]; then
    durable=true
    shift
fi
folder=$(mktemp -d)
chmod 755 "$folder"
servers=()
end() {
    # Their data is temporary, so do not wait for a clean shutdown. PostgreSQL's child processes end with the first one.
    for pid in "${servers[@]}"; do kill -QUIT "$pid" 2> /dev/null || true; done
    for pid in "${servers[@]}"; do
        timeout 10 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    rm -rf "$folder"
}
trap end EXIT

# The servers refuse to run as root: use the user of their package then. Sets `as`, the prefix of their commands.
folder_of() {
    mkdir "$folder/$1"
    as=()
    if [ "$(id -u)" = 0 ]; then
        chown "$1:$1" "$folder/$1"
        as=(setpriv --reuid "$1" --regid "$1" --clear-groups --)
    fi
}
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
# Waits until the log of a server contains a text.
await() {
    for _ in $(seq 300); do
        grep --quiet "$2" "$1" 2> /dev/null && return
        sleep 0.1
    done
    echo "databases.sh: the server did not start:" >&2
    tail -20 "$1" >&2
    return 1
}

if [ -z "${TEST_POSTGRES_URL:-}" ]; then
    ! needs_postgres || install_packages postgresql
    bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | tail -1)")
    folder_of postgres
    port=$(free_port)
    settings=(-c "port=$port" -c listen_addresses=127.0.0.1 -c "unix_socket_directories=" -c max_connections=400)
    $durable || settings+=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)
    "${as[@]}" "$bin/initdb" -D "$folder/postgres/data" -U gatepass --auth=trust --no-sync -E UTF8 > /dev/null
    "${as[@]}" "$bin/postgres" -D "$folder/postgres/data" "${settings[@]}" > "$folder/postgres.log" 2>&1 &
    servers+=($!)
    await "$folder/postgres.log" "ready to accept connections"
    export TEST_POSTGRES_URL=postgres://gatepass@127.0.0.1:$port/postgres
fi

if [ -z "${TEST_MYSQL_URL:-}" ]; then
    ! needs_mariadb || install_packages mariadb-server
    PATH=$PATH:/usr/sbin
    folder_of mysql
    port=$(free_port)
    settings=(--port="$port" --bind-address=127.0.0.1 --socket="$folder/mysql/socket" --max-connections=400)
    $durable || settings+=(--innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0)
    "${as[@]}" mariadb-install-db --no-defaults --datadir="$folder/mysql/data" --skip-test-db \
        --auth-root-authentication-method=normal > "$folder/mysql.log" 2>&1
    "${as[@]}" mariadbd --no-defaults --datadir="$folder/mysql/data" "${settings[@]}" > "$folder/mysql.log" 2>&1 &
    servers+=($!)
    await "$folder/mysql.log" "ready for connections"
    export TEST_MYSQL_URL=mysql://root@127.0.0.1:$port/mysql
fi

"$@"
