#!/usr/bin/env bash
# The metrics of a built Gatepass as Prometheus' own promtool reads them: the page after some calls, and the README's
# alerts, whose metrics must be on that page. promtool is taken out of Debian's package into .external/: installed, the
# package would start a server.
#
#   tests/external/metrics.sh target/release/gatepass
set -euo pipefail
program="$(realpath "${1:?usage: metrics.sh PROGRAM}")"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
PATH="$("$here/install.sh"):$PATH"

folder=$(mktemp -d)
server=
end() {
    if [ -n "$server" ]; then
        kill "$server" 2> /dev/null || true
        wait "$server" || true
    fi
    rm -rf "$folder"
}
trap end EXIT

promtool="$(command -v promtool || echo "$root/.external/prometheus/usr/bin/promtool")"
if [ ! -x "$promtool" ]; then
    (
        cd "$folder"
        apt-get download prometheus > apt.log 2>&1 || { apt-get update && apt-get download prometheus; } > apt.log 2>&1 ||
            { cat apt.log && echo "metrics.sh: promtool is missing; put it on the PATH" && exit 1; } >&2
        dpkg --extract prometheus_*.deb extracted
        mkdir -p "$root/.external"
        mv extracted "$root/.external/prometheus"
    )
fi

cd "$folder"
export GATEPASS_SERVER__GRPC_ADDR=127.0.0.1:0 GATEPASS_SERVER__HTTP_ADDR=127.0.0.1:0 GATEPASS_SERVER__ADMIN_ADDR=127.0.0.1:0
"$program" 2> log < /dev/null &
server=$!
for _ in $(seq 300); do
    ! grep --quiet '"ready"' log || break
    sleep 0.1
done
grep --quiet '"ready"' log || { echo "metrics.sh: it did not become ready:" && cat log && exit 1; } >&2
address_of() {
    python3 -c '
import json, sys
lines = map(json.loads, open("log", encoding="utf-8"))
print(next(line[sys.argv[1]] for line in lines if line["message"] == "listening"))' "$1"
}
grpc=$(address_of grpc)
admin=$(address_of admin)

call() { grpcurl -plaintext -d "$2" "$grpc" "gatepass.v1.AuthService/$1" > /dev/null; }
person='{"profile": {"provider": "github", "provider_account_id": "1", "email": "mona@example.com", "email_verified": true}}'
call SignIn "$person"
call ResolveRedirect '{"url": "/"}'
! call GetSession '{"access_token": "none"}' 2> /dev/null || { echo "metrics.sh: GetSession took no token for one" && exit 1; }

python3 -c '
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode(), end="")' "http://$admin/metrics" > page
complaints=$("$promtool" check metrics < page 2>&1) || { echo "$complaints" && exit 1; }
[ -z "$complaints" ] || { echo "$complaints" && exit 1; }

sed -n '/<!-- file: gatepass-alerts.yaml -->/,/^```$/p' "$root/README.md" | sed '/^<!--/d; /^```/d' > alerts.yaml
grep --quiet "alert:" alerts.yaml || { echo "README.md: no alerts" && exit 1; }
"$promtool" check rules --lint-fatal alerts.yaml
for metric in $(grep --only-matching --extended-regexp '\b(gatepass|grpc_server)_[a-z_]+' alerts.yaml | sort --unique); do
    grep --quiet "^$metric[ {]" page || { echo "alerts.yaml: no such metric: $metric" && exit 1; }
done
echo "metrics: $(grep --count '^# TYPE' page) families, $(grep --count --invert-match '^#' page) lines; promtool complains of none"
