#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES_URL and TEST_MYSQL_URL set: those of the environment, else the servers of this
# machine, installed from Debian's packages and started where they are not.
#
#   tests/external/databases.sh cargo test --test it -- --ignored
set -euo pipefail

install() {
    command -v "$1" > /dev/null || ls /usr/lib/postgresql/*/bin/"$1" > /dev/null 2>&1 && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get install --yes --no-install-recommends "$2" > /dev/null ||
        { apt-get update > /dev/null && apt-get install --yes --no-install-recommends "$2" > /dev/null; }
}

# Waits until a command succeeds.
await() {
    for _ in $(seq 100); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.2
    done
    echo "databases.sh: no answer: $*" >&2
    return 1
}

if [ -z "${TEST_POSTGRES_URL:-}" ]; then
    install postgres postgresql
    if ! pg_isready --quiet --host 127.0.0.1 --port 5432; then
        pg_ctlcluster --skip-systemctl-redirect "$(ls /etc/postgresql)" main start
        await pg_isready --quiet --host 127.0.0.1 --port 5432
    fi
    # By the socket, as the server's own user, whatever the passwords are: an account of the tests' own.
    runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 postgres > /dev/null <<'SQL'
SELECT pg_advisory_lock(726563);
SELECT 'CREATE ROLE gatepass_test LOGIN SUPERUSER' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gatepass_test') \gexec
ALTER ROLE gatepass_test PASSWORD 'gatepass_test';
SQL
    export TEST_POSTGRES_URL=postgres://gatepass_test:gatepass_test@127.0.0.1:5432/postgres
fi

if [ -z "${TEST_MYSQL_URL:-}" ]; then
    install mariadbd mariadb-server
    if ! mariadb-admin --silent ping > /dev/null 2>&1; then
        mkdir -p /run/mysqld && chown mysql /run/mysqld
        start-stop-daemon --start --oknodo --background --exec /usr/sbin/mariadbd
        await mariadb-admin --silent ping
    fi
    mariadb --execute "CREATE USER IF NOT EXISTS gatepass_test@'127.0.0.1' IDENTIFIED BY 'gatepass_test';
        CREATE USER IF NOT EXISTS gatepass_test@localhost IDENTIFIED BY 'gatepass_test';
        GRANT ALL ON *.* TO gatepass_test@'127.0.0.1' WITH GRANT OPTION;
        GRANT ALL ON *.* TO gatepass_test@localhost WITH GRANT OPTION;
        CREATE DATABASE IF NOT EXISTS test;"
    export TEST_MYSQL_URL=mysql://gatepass_test:gatepass_test@127.0.0.1:3306/test
fi

exec "$@"
