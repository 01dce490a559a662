//! Architecture tests: the direction of imports, circles between files, sizes, use cases, and `mod.rs` files.
//!
//! Each rule is a test over the text of `src/`, beside a made-up tree that breaks it. The code uses `std` only, so that
//! it also runs without the crate, from the root of the repository:
//! `CARGO_MANIFEST_DIR=$PWD rustc --edition 2024 --test -o /tmp/architecture tests/it/architecture/mod.rs && /tmp/architecture`

mod circles;
mod floors;
mod items;
mod sizes;
mod tokens;
mod tree;
mod use_cases;
