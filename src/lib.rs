//! Gatepass: the four Auth.js callbacks as a gRPC authentication microservice.
//!
//! The README tells what it does and how to run it. This page tells how the code is laid out, and where to add what.
//!
//! # Floors
//!
//! Imports go down only:
//!
//! ```text
//! cli → app → telemetry → config → grpc, http → callbacks, keys → auth → tokens, oauth, storage → net, jose → metrics → model
//! ```
//!
//! | Module | Owns | Leaves to others |
//! |---|---|---|
//! | [`app`] | composition: the only place that names concrete types of every floor; start, drain, housekeeping | everything that decides |
//! | [`cli`] | commands and exit codes | what a command does |
//! | [`config`] | YAML and variables, once, into typed values; every fault with its line; schema, example, reference and print of the same entries | building things of it: [`app`] |
//! | [`telemetry`] | the log, and what is never in it | what is logged |
//! | [`grpc`] | generated code, conversion, layers, status, health, reflection; the client of a callback service | decisions |
//! | [`http`] | JWKS, discovery, probes, the text of metrics | keys |
//! | [`auth`] | use cases, a file and a struct of at most seven parts each; the [`Callbacks`](auth::Callbacks) trait; revocation; the domain error | SQL, gRPC, signatures |
//! | [`callbacks`] | the ways a callback can be given: the policy and the CEL expressions of the configuration, the chain; what can stand around any: breaker, cache, shadow, metrics; cases to test a policy by | when they are called; how a service is asked: [`grpc`] |
//! | [`keys`] | where signing keys come from: files, or managed ones, which it rotates and revokes | what they sign |
//! | [`tokens`] | access and refresh tokens, grants, the key ring, the verifier, sealing | signatures, time, randomness, rows |
//! | [`oauth`] | providers: the [`Provider`](oauth::Provider) trait and the ways to be one; their metadata, token endpoints, ID tokens, profiles | flows, accounts, what a proven person may do |
//! | [`net`] | the accept loop and its limits, connections, both sides of TLS, readiness, the HTTP client and the cache of what it fetches, the rule of addresses, pauses, work that outlives who waits for it | the protocols, and their peers |
//! | [`jose`] | signature algorithms, keys that sign and that verify, key sets, signed tokens before anybody believes them | claims, issuers, rings |
//! | [`metrics`] | durations counted without a lock, gauges that are read when asked for | which there are: a family is said next to what it measures, and [`app`] registers it |
//! | [`storage`] | the stores, their transactions, entities; the one place for database errors | what a lost race means |
//! | [`model`] | types and pure rules: ids, e-mails, claims, redirects, clock, entropy | I/O of any kind |
//!
//! The rooms `tokens`, `oauth` and `storage` know nothing of each other. `migrations/` is a crate of its own, because
//! past migrations must not change their meaning when entities do.
//!
//! # The flow of a call
//!
//! Decode → use case → ground → database, and back once. An RPC method in [`grpc`] decodes, calls, encodes: a few lines.
//! Around it stand the layers: metrics, request id, span, panic, deadline, caller and permission (read from the option on the
//! method in the proto). `GetSession` asks a [`SessionReader`](auth::SessionReader), of which there is one for each kind of
//! access token: that of JWTs holds a verifier, the list of revocations and a clock, and no store, so the compiler keeps
//! the database off that path.
//!
//! **One name, five places**: `rpc RefreshToken` ↔ `refresh_token()` in `grpc/auth_service.rs` ↔
//! `auth/session/refresh_token.rs` ↔ `tests/it/session/refresh_token.rs` ↔ its paragraph in the README.
//!
//! # Rules
//!
//! - **Stores are atomic steps, not CRUD.** Each method is one statement or one transaction; its UPDATE carries the state
//!   that it expects, and the rows it changed decide. No transaction leaves [`storage`].
//! - **Time and randomness are arguments**: [`Clock`](model::Clock) and [`Entropy`](model::Entropy). The linter refuses the
//!   system's own elsewhere.
//! - **Foreign types stay on the floor that owns them** (`tonic::Status`, sea-orm's, jsonwebtoken's keys): `.clippy.toml`.
//!   The owning floor opens with an `expect` that says so.
//! - **The type says how far a value may be trusted**: a [`RedirectUrl`](model::RedirectUrl) can be made by the redirect rule
//!   only; what holds a secret redacts its `Debug`.
//! - **One error**: ground floors have small enums, [`auth::Error`] is what use cases answer, which knows its
//!   reason; `grpc/status.rs` alone makes code and message of it, and logs the cause once.
//! - **Callbacks run before anything is spent and never inside a transaction.** One that fails lets nobody in.
//! - **A written change and its row in the auth log are one transaction.**
//! - **`Arc<dyn Trait>`**, no generic services. **Caches are decorators** of the trait they implement, and so is all that
//!   stands around callbacks.
//! - **What asks others has the deadline of the call that it works for**: [`auth::CallContext`].
//! - Files have one subject and stay under 250 lines, tests aside; the floors, the size of files and folders, circles and the
//!   parts of a use case are kept by `tests/it/architecture/`; modules open with what they own and what they leave to
//!   others. Log messages in lower case, what one filters by in fields; never tokens, e-mail addresses or bodies.
//!
//! # Where to add what
//!
//! | To add | Touch |
//! |---|---|
//! | an RPC | the proto with its permission option; one use case in its room of `auth/`, built in `app/use_cases/build.rs`; one method in `grpc/*_service.rs` and its conversion; one file in its folder of `tests/it/` |
//! | an error reason | one value in `error_reason.proto`; a variant of [`auth::Error`]; the arms that the compiler then demands |
//! | a stored field | a migration; its entity; one conversion in `storage/convert.rs` |
//! | a setting | its entry, a field and one line in its file in `config/`; its row in the README; where it is used |
//! | a section of settings | the same, and its entries in `config/entries.rs` |
//! | a function or variable of CEL | its line in `callbacks/cel/language.rs`, or in `inputs.rs` and `record.rs`; `docs/callbacks.md` |
//! | a recipe of a policy | its section in `docs/callbacks.md`, with cases: a test runs them |
//! | a command | its file in `cli/` |
//! | a callback of yours | implement [`Callbacks`](auth::Callbacks), run [`app::serve`]: `examples/embedded.rs` |
//! | another way to give callbacks | one file in `callbacks/` that implements [`Callbacks`](auth::Callbacks); one link in the chain of `app/callbacks.rs` |
//! | something around every remote callback | a decorator in `callbacks/`, which has the one method of [`Ask`](auth::Ask); its place in `app/callbacks.rs` |
//! | a way to prove who somebody is | a variant of [`Credential`](auth::Credential) and its file in `auth/sign_in/credential/`; its message in `grpc/convert/sign_in.rs` |
//! | a preset of a provider | its file in `config/providers/presets/`; what its documentation shows, in `tests/it/oauth/presets/`; its row in `docs/providers.md` |
//! | a way to prove a session | a [`CredentialKind`](auth::CredentialKind) and its reader, in the table of `app/use_cases/readers.rs` |
//! | a database | a feature of sea-orm and its scheme in `config/database.rs`; how it is opened in `storage/connection/backends.rs` and locked in `storage/migrate.rs`; its error codes in `storage/error_code.rs`; a line in the contract of the stores |
//! | a service of another package | its specification and its mount, in one file: [`ServiceSpec`](grpc::service_spec::ServiceSpec), [`App::service`](app::App::service) |
//! | a metric | its family next to what it measures, with handles that are resolved once; its registration in `app/metrics.rs`; the README's table |
//! | a span field | the layer in `grpc/layers/` that sees it |
//!
//! Decisions, with their reasons and the rejected alternatives, are recorded in `docs/development/decisions/`.

pub mod app;
pub mod auth;
pub mod callbacks;
pub mod cli;
pub mod config;
pub mod grpc;
pub mod http;
pub mod jose;
pub mod keys;
pub mod metrics;
pub mod model;
pub mod net;
pub mod oauth;
pub mod storage;
pub mod telemetry;
pub mod tokens;
