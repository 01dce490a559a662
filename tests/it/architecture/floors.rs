//! The direction of imports: down, from floor to floor.

use super::tree::{Import, SRC, Tree, expect_none};

/// The rooms of each floor, from the top.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["app"],
    &["telemetry"],
    &["config"],
    &["grpc", "http"],
    &["callbacks", "keys"],
    &["auth"],
    &["tokens", "oauth", "storage"],
    &["net", "jose"],
    &["metrics"],
    &["model"],
];

/// Rooms of one floor that may import each other.
const NEIGHBOURS: &[[&str; 2]] = &[["net", "jose"], ["callbacks", "keys"]];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn rooms_without_floor(tree: &Tree) -> Vec<String> {
    let without =
        tree.files.iter().filter(|(_, source)| !source.module.is_empty() && floor(source.room()).is_none());
    without.map(|(path, source)| format!("{}:1: {} has no floor", path.display(), source.room())).collect()
}

/// Lists the imports from a room through another for which `is_wrong(room, other)` holds.
fn imports(tree: &Tree, is_wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let told = |import: Import<'_>| {
        let room = tree.files[import.from].room();
        let other = import.rooms.iter().find(|other| *other != room && is_wrong(room, other))?;
        let (path, line, named) = (import.from.display(), import.named.line, import.named.path.join("::"));
        Some(format!("{path}:{line}: {room} imports {other}: {named} ({})", import.to.display()))
    };
    tree.imports().filter_map(told).collect()
}

fn upward(tree: &Tree) -> Vec<String> {
    imports(tree, |room, other| floor(room).zip(floor(other)).is_some_and(|(room, other)| other < room))
}

fn sideways(tree: &Tree) -> Vec<String> {
    let may =
        |room: &str, other: &str| NEIGHBOURS.iter().any(|pair| pair.contains(&room) && pair.contains(&other));
    imports(tree, |room, other| floor(room) == floor(other) && floor(room).is_some() && !may(room, other))
}

#[test]
fn every_room_has_a_floor() {
    expect_none(&rooms_without_floor(&SRC), "Give each a floor in FLOORS, and in src/lib.rs.");
}

#[test]
fn no_import_points_upwards() {
    let advice = "Move what both need down, or let the upper floor pass it in as an argument or a trait.";
    expect_none(&upward(&SRC), advice);
}

#[test]
fn rooms_of_one_floor_do_not_import_each_other() {
    expect_none(&sideways(&SRC), "Move what both need to a floor below.");
}

#[test]
fn a_room_without_a_floor_is_found() {
    let tree =
        Tree::of(&[("src/lib.rs", ""), ("src/model/mod.rs", ""), ("src/attic.rs", ""), ("src/main.rs", "")]);
    assert_eq!(rooms_without_floor(&tree), ["src/attic.rs:1: attic has no floor"]);
}

#[test]
fn an_import_upwards_or_sideways_is_found_and_one_down_is_none() {
    let tree = Tree::of(&[
        ("src/lib.rs", "pub use grpc::Server;"),
        ("src/main.rs", "fn main() { gatepass::grpc::serve() }"),
        ("src/grpc.rs", "use crate::net::Address; use crate::auth::Error;"),
        ("src/auth/mod.rs", "mod error;\npub use error::Error;\npub use crate::model::Id;"),
        ("src/auth/error.rs", "#[cfg(test)] use crate::grpc::A; /// [b](crate::grpc::B)\npub enum Error {}"),
        ("src/tokens.rs", "use crate::jose::Key;\n\nfn a() -> crate::auth::Error { super::oauth::ask() }"),
        ("src/oauth.rs", "use crate::{auth::Id, model};"),
        ("src/net.rs", "use crate::jose::Key; pub struct Address;"),
        ("src/jose.rs", "use crate::net::Address; pub struct Key;"),
        ("src/model.rs", "pub struct Id;"),
    ]);
    let expected = [
        "src/oauth.rs:1: oauth imports auth: crate::auth::Id (src/model.rs)",
        "src/tokens.rs:3: tokens imports auth: crate::auth::Error (src/auth/error.rs)",
    ];
    assert_eq!(upward(&tree), expected);
    assert_eq!(sideways(&tree), ["src/tokens.rs:3: tokens imports oauth: super::oauth::ask (src/oauth.rs)"]);
}
