# A developer runs the same recipes as the checks of a merge: `.ci/run` calls them one after the other.
# `tests/external/install.sh` brings the tools that cargo does not (buf, grpcurl, cargo-deny, just itself).

# The profile of cargo for every build: `dev`, `ci` (as in `.ci/run`) or `release`.
profile := "dev"
program := "target" / (if profile == "dev" { "debug" } else { profile }) / "gatepass"

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
    tests/prose/check.py
    buf lint --config .buf.yaml
    buf format --config .buf.yaml --diff --exit-code
    cargo deny --config .deny.toml check bans licenses sources
    cargo clippy --locked --profile {{ profile }} --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --profile {{ profile }} --workspace --no-deps --document-private-items

# The tests that need only Rust and a C compiler.
test:
    cargo test --locked --profile {{ profile }}

# The tests on PostgreSQL and MariaDB. Starts temporary servers unless TEST_POSTGRES_URL and TEST_MYSQL_URL are set.
test-databases:
    tests/external/databases.sh just profile={{ profile }} _on-databases

# The tests whose calls read or write rows: they run on each server, too. Nothing of the skipped ones reaches SQL that the
# others do not.
apps := "admin:: session:: sign_in:: storage::statements --skip session::reference_forgery --skip session::token_forgery --skip sign_in::begin"


_on-databases:
    cargo test --locked --profile {{ profile }} --test it -- --ignored
    TEST_DATABASE=postgres cargo test --locked --profile {{ profile }} --test it -- {{ apps }}
    TEST_DATABASE=mariadb cargo test --locked --profile {{ profile }} --test it -- {{ apps }}

# The long form of the tests that race and fail things, on every database; and a million rows of each kind. Takes hours.
soak:
    SOAK=1 tests/external/databases.sh cargo test --locked --test it -- --include-ignored --nocapture
    TEST_GROWTH_ROWS=1000000 tests/external/databases.sh cargo test --locked --release --test it growth -- --include-ignored --nocapture --test-threads=1

# The suites of tests/external with the program as it is released.
release-check:
    @just profile=release test-program

# All suites of tests/external.
test-program: readme metrics authjs providers callbacks example chart image

# The tests' build of the program serves `ci`: without the features that tests add, cargo would build the dependencies again.
more_targets := if profile == "ci" { "--bins --tests" } else { "" }

# Build the program.
build:
    cargo build --locked --profile {{ profile }} {{ more_targets }}

# The README's commands.
readme: build
    tests/external/readme.sh {{ program }}

# The metrics, and the README's alerts.
metrics: build
    tests/external/metrics.sh {{ program }}

# The example with Auth.js.
authjs: build
    tests/external/authjs.sh {{ program }}

# Sign-ins at certified OpenID providers.
providers: build
    tests/external/providers.sh {{ program }}

# The callback services in other languages.
callbacks *languages: build
    tests/external/callbacks.sh {{ program }} {{ languages }}

# The example that signs people in with GitHub, with Chromium.
example: build
    tests/external/sign_in_with_github.sh {{ program }}

# The picture of the signed-in page for the documentation.
screenshot: build
    tests/external/sign_in_with_github.sh {{ program }} docs/signed-in.png

# The Helm chart.
chart: build
    tests/external/chart.sh {{ program }}

# The image.
image: build
    tests/external/image.sh {{ program }}

# Start Gatepass on this machine, without configuration.
run *arguments:
    cargo run --release -- {{ arguments }}

# Measure speed, as ratios to a yardstick in the same run.
bench:
    cargo bench --locked --bench get_session
    cargo bench --locked --bench remote
    cargo bench --locked --bench cel
    tests/external/databases.sh --durable cargo bench --locked --bench writes
    tests/external/databases.sh --durable cargo bench --locked --bench staleness

# Count the instructions of a call, and compare with another commit.
bench-against rev:
    benches/against.sh {{ quote(rev) }}
