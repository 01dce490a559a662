//! Circles of imports between files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::sizes::definitions;
use super::tree::{Import, SRC, Tree, expect_none};

/// The files that each file imports.
type Edges<'a> = BTreeMap<&'a Path, BTreeSet<&'a Path>>;

/// Lists the imports that count. Entities are exempt, since they name each other in their relations. A `mod.rs` that
/// only declares is not a node: paths lead through it.
fn imports(tree: &Tree) -> Vec<Import<'_>> {
    let is_mod = |path: &Path| path.ends_with("mod.rs");
    let is_table = |path: &Path| is_mod(path) && definitions(path, &tree.files[path]).is_empty();
    let tables: BTreeSet<_> = tree.files.keys().map(PathBuf::as_path).filter(|path| is_table(path)).collect();
    let is_entity = |path: &Path| path.starts_with("src/storage") && path.iter().any(|part| part == "entity");
    let is_kept = |Import { from, to, .. }: &Import<'_>| {
        !(tables.contains(from) || tables.contains(to) || is_entity(from) && is_entity(to))
    };
    tree.imports().filter(is_kept).collect()
}

/// Finds the files that can be reached from one.
fn reached<'a>(edges: &Edges<'a>, from: &'a Path) -> BTreeSet<&'a Path> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        next.extend(edges.get(at).into_iter().flatten().filter(|to| reached.insert(**to)));
    }
    reached
}

/// Lists the imports of each set of files that all reach each other.
fn circles(tree: &Tree) -> Vec<String> {
    let (imports, mut edges, mut circles) = (imports(tree), Edges::new(), BTreeMap::<&Path, Vec<_>>::new());
    for Import { from, to, .. } in &imports {
        edges.entry(from).or_default().insert(to);
    }
    let reached: Edges<'_> = tree.files.keys().map(|path| (path.as_path(), reached(&edges, path))).collect();
    for Import { from, named, to, .. } in
        imports.iter().filter(|import| reached[import.to].contains(import.from))
    {
        let first = reached[from].iter().find(|other| reached[**other].contains(from)).unwrap();
        let (from, to, path) = (from.display(), to.display(), named.path.join("::"));
        circles.entry(first).or_default().push(format!("\n  {from}:{} → {to}: {path}", named.line));
    }
    circles.into_values().map(|imports| format!("a circle:{}", imports.concat())).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let advice = "Move what several of them need into a file that imports none of them.";
    expect_none(&circles(&SRC), advice);
}

#[test]
fn a_circle_of_files_is_found_through_re_exports_but_not_of_entities() {
    let entity = "use super::other::X; pub struct X;";
    let tree = Tree::of(&[
        ("src/lib.rs", ""),
        ("src/a/mod.rs", "mod b; mod c; mod d; mod e;\npub use b::B; pub use c::C;"),
        ("src/a/b.rs", "use super::C;\npub struct B(super::e::E);"),
        ("src/a/c.rs", "\nuse super::d::D;\npub struct C;"),
        ("src/a/d.rs", "pub struct D; fn d() -> crate::a::B {}"),
        ("src/a/e.rs", "pub struct E; #[cfg(test)] use super::B;"),
        ("src/storage/entity/one.rs", entity),
        ("src/storage/entity/other.rs", "use super::one::X; pub struct X;"),
    ]);
    let expected = "a circle:\n  src/a/b.rs:1 → src/a/c.rs: super::C\n  src/a/c.rs:2 → src/a/d.rs: super::d::D\n  \
        src/a/d.rs:1 → src/a/b.rs: crate::a::B";
    assert_eq!(circles(&tree), [expected]);
}
