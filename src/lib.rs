//! Gatepass: the four Auth.js callbacks as a gRPC authentication microservice.
//!
//! The README tells what it does and how to run it. This page tells how the code is laid out, and where to add what.
//!
//! # Floors
//!
//! Imports go down only:
//!
//! ```text
//! app, cli, config, telemetry  →  grpc, http  →  auth, callbacks, keys  →  tokens, oauth, storage, metrics  →  model
//! ```
//!
//! | Module | Owns | Leaves to others |
//! |---|---|---|
//! | [`app`] | composition: the only place that names concrete types of every floor; start, drain, housekeeping | everything that decides |
//! | [`cli`] | commands and exit codes | what a command does |
//! | [`config`] | YAML and variables, once, into typed values; every fault with its line; schema, example, reference and print of the same entries | building things of it: [`app`] |
//! | [`telemetry`] | the log, and what is never in it | what is logged |
//! | [`grpc`] | generated code, conversion, layers, status, health, reflection, the accept loop and its TLS; the client of a callback service | decisions |
//! | [`http`] | JWKS, discovery, probes, the text of metrics, on the accept loop and health of [`grpc`] | keys |
//! | [`auth`] | use cases, one file an RPC; the [`Callbacks`](auth::Callbacks) trait; revocation; the domain error | SQL, gRPC, signatures |
//! | [`callbacks`] | the ways a callback can be given: the policy and the CEL expressions of the configuration, the chain; what can stand around any: breaker, cache, shadow, metrics; cases to test a policy by | when they are called; how a service is asked: [`grpc`] |
//! | [`keys`] | where signing keys come from: files, or managed ones, which it rotates and revokes | what they sign |
//! | [`tokens`] | access and refresh tokens, grants, the key ring, the verifier, sealing | time, randomness, rows |
//! | [`oauth`] | providers: the [`Provider`](oauth::Provider) trait and the ways to be one; HTTP towards them, metadata and keys that are kept, ID tokens, profiles | flows, accounts, what a proven person may do |
//! | [`metrics`] | durations counted without a lock, gauges that are read when asked for | which there are: a family is said next to what it measures, and [`app`] registers it |
//! | [`storage`] | the stores, their transactions, entities; the one place for database errors | what a lost race means |
//! | [`model`] | types and pure rules: ids, e-mails, claims, redirects, clock, entropy | I/O of any kind |
//! | `to_the_end` (below all) | one future: work that goes on when nobody waits for it any more | which work that is |
//!
//! The ground floors `tokens`, `oauth`, `storage` and `metrics` know nothing of each other. `migrations/` is a crate of its own, because
//! past migrations must not change their meaning when entities do.
//!
//! # How a call flows
//!
//! Decode → use case → ground → database, and back once. An RPC method in [`grpc`] decodes, calls, encodes: a few lines.
//! Around it stand the layers: metrics, request id, span, panic, deadline, caller and permission (read from the option on the
//! method in the proto). `GetSession` asks a [`SessionReader`](auth::SessionReader), of which there is one for each kind of
//! access token: that of JWTs holds a verifier, the list of revocations and a clock, and no store, so the compiler keeps
//! the database off that path.
//!
//! **One name, five places**: `rpc RefreshToken` ↔ `refresh_token()` in `grpc/auth_service.rs` ↔
//! `auth/refresh_token.rs` ↔ `tests/it/refresh_token.rs` ↔ its paragraph in the README.
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
//! - **One error**: ground floors have small enums, [`auth::Error`] is what use cases answer, and `grpc/status.rs` alone makes
//!   code, reason and message of it, and logs the cause once.
//! - **Callbacks run before anything is spent and never inside a transaction.** One that fails lets nobody in.
//! - **A written change and its row in the auth log are one transaction.**
//! - **`Arc<dyn Trait>`**, no generic services. **Caches are decorators** of the trait they implement, and so is all that
//!   stands around callbacks.
//! - **What asks others has the deadline of the call that it works for**: [`auth::CallContext`].
//! - Files have one subject and stay under 250 lines, tests aside; modules open with what they own and what they leave to
//!   others. Log messages in lower case, what one filters by in fields; never tokens, e-mail addresses or bodies.
//!
//! # Where to add what
//!
//! | To add | Touch |
//! |---|---|
//! | an RPC | the proto with its permission option; one file in `auth/`; one method in `grpc/*_service.rs` and its conversion; one file in `tests/it/` |
//! | an error reason | one value in `error_reason.proto`; a variant of [`auth::Error`]; the arms that the compiler then demands |
//! | a stored field | a migration; its entity; one conversion in `storage/convert.rs` |
//! | a setting | its entry, a field and one line in its file in `config/`; its row in the README; where it is used |
//! | a section of settings | the same, and its entries in `config/entries.rs` |
//! | a function or variable of CEL | its line in `callbacks/cel/language.rs`, or in `inputs.rs` and `record.rs`; `docs/callbacks.md` |
//! | a recipe of a policy | its section in `docs/callbacks.md`, with cases: a test runs them |
//! | a command | its file in `cli/` |
//! | a callback of yours | implement [`Callbacks`](auth::Callbacks), run [`app::serve`]: `examples/embedded.rs` |
//! | another way to give callbacks | one file in `callbacks/`; one link in the chain of `app/callbacks.rs` |
//! | something around every remote callback | a decorator in `callbacks/`; where it stands in `app/callbacks.rs` |
//! | a way to prove who somebody is | a variant of [`Credential`](auth::Credential) and its method in `auth/prove.rs`; its message in `grpc/convert/sign_in.rs` |
//! | a preset of a provider | its file in `config/providers/presets/`; what its documentation shows, in `tests/it/presets/`; its row in `docs/providers.md` |
//! | a database | a feature of sea-orm and its scheme in `config/database.rs`; how it is opened in `storage/open.rs` and locked in `storage/migrate.rs`; its error codes in `storage/error_code.rs`; a line in the contract of the stores |
//! | a metric | its family next to what it measures, with handles that are resolved once; its registration in `app/metrics.rs`; the README's table |
//! | a span field | the layer in `grpc/layers/` that sees it |
//!
//! # Decisions
//!
//! Dated paragraphs about the product are in `CHANGELOG.md`. About the layout:
//!
//! **2026-11-23 · One package.** A library and a thin binary, with `migrations` as the only other member: floors are modules
//! that clippy and review keep apart. A crate a floor lost: eight manifests, and a build no faster on two cores.
//!
//! **2026-11-23 · Managed keys are a module of the second floor.** Like callbacks they implement a trait of [`auth`]'s
//! ([`ReloadKeys`](auth::ReloadKeys)) and decide over `tokens` and `storage`, which know nothing of each other. A folder of
//! `app` lost, since `app` decides nothing.
//!
//! **2026-11-23 · `http` stands on `grpc`'s accept loop.** The limits and the drain of a listener are the same for both; a third
//! module for them lost, as it would have had these two users only.
//!
//! **2026-11-25 · What speaks gRPC to a callback service is `grpc/callback_client`.** It implements the trait of the second
//! floor, as any callback does, and knows messages, connections and what is no answer. When a service is not asked, what is
//! remembered, passed over or only compared are decorators in `callbacks/` that know no gRPC and are tested without it. A
//! module of the second floor with a client in it lost: `tonic` would have been on two floors.
//!
//! **2026-11-25 · The deadline of a call is ambient.** The layer that keeps it scopes each call in a
//! [`CallContext`](auth::CallContext) (a task-local), from which whoever asks others takes what is left, the request's id and
//! its trace. An argument lost: it would have gone through every use case for the sake of one callee, and into the inputs of
//! the callbacks trait.
//!
//! **2026-11-25 · Providers are asked over hyper-util's client.** With hyper-rustls and no more than HTTP/1.1: it follows no
//! redirect, knows no proxy, cookie or compression that would have to be switched off, and is half of what is in the tree
//! anyway. `oauth2` makes the request for a code over it. reqwest lost.
//!
//! **2026-11-29 · A step of a store runs where it is awaited.** Only what is left of one that nobody waits for any more becomes a
//! task. A task for each statement lost: it wakes another thread for nothing.
//!
//! **2026-11-23 · Protos are compiled in the build, by protox.** No `protoc` to install, and comments and method options survive.
//! Checked-in generated code lost: it drifts.

pub mod app;
pub mod auth;
pub mod callbacks;
pub mod cli;
pub mod config;
pub mod grpc;
pub mod http;
pub mod keys;
pub mod metrics;
pub mod model;
pub mod oauth;
pub mod storage;
pub mod telemetry;
mod to_the_end;
pub mod tokens;
