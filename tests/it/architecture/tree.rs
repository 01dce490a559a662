//! The files of `src/`, and the imports between them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::items::{Module, Named, Segments, modules, without_tests};
use super::tokens::{Token, tokens};

/// The part of a file outside its tests.
pub struct Source {
    pub module: Segments,
    pub all_tokens: Vec<Token>,
    /// The tokens outside its tests.
    pub tokens: Vec<Token>,
    /// The number of lines outside its tests.
    pub lines: usize,
}

impl Source {
    /// Returns the first segment of its module, empty for lib.rs.
    pub fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }
}

/// A path in one file that leads to another.
pub struct Import<'a> {
    pub from: &'a Path,
    pub named: &'a Named,
    /// The rooms that the path leads through.
    pub rooms: BTreeSet<String>,
    /// The file that defines the item.
    pub to: &'a Path,
}

/// The files of a crate.
pub struct Tree {
    /// Every file, tests included.
    pub paths: Vec<PathBuf>,
    pub files: BTreeMap<PathBuf, Source>,
    modules: BTreeMap<Segments, Module>,
}

/// The end of a path: a module, or an item of one.
enum Found {
    Module(Segments),
    Item(Segments),
}

/// The tree of this crate, read once.
pub static SRC: LazyLock<Tree> = LazyLock::new(|| {
    let (root, mut texts) = (Path::new(env!("CARGO_MANIFEST_DIR")), BTreeMap::new());
    let mut paths = vec![root.join("src")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
    Tree::new(&texts)
});

/// Fails with a list of the offences and some advice, if there are any.
pub fn expect_none(offences: &[String], advice: &str) {
    assert!(offences.is_empty(), "{} offences:\n{}\n{advice}", offences.len(), offences.join("\n"));
}

fn module_of(path: &Path) -> Segments {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let mut module: Segments = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    module.pop_if(|last| last == "mod" || last == "lib");
    module
}

impl Tree {
    /// Makes a tree from paths and texts.
    pub fn of(texts: &[(&str, &str)]) -> Self {
        Self::new(&texts.iter().map(|(path, text)| (path.into(), (*text).to_owned())).collect())
    }

    fn new(texts: &BTreeMap<PathBuf, String>) -> Self {
        let (mut files, mut in_tests) = (BTreeMap::new(), Vec::new());
        for (path, text) in texts {
            let (all_tokens, module) = (tokens(text), module_of(path));
            let (tokens, test_lines, test_modules) = without_tests(&all_tokens);
            in_tests.extend(test_modules.into_iter().map(|name| [module.as_slice(), &[name]].concat()));
            let lines = text.lines().count() - test_lines;
            files.insert(path.clone(), Source { module, all_tokens, tokens, lines });
        }
        files.retain(|_, source| !in_tests.iter().any(|test| source.module.starts_with(test)));
        let read =
            files.iter().flat_map(|(path, source)| modules(path, source.module.clone(), &source.tokens));
        Self { paths: texts.keys().cloned().collect(), modules: read.collect(), files }
    }

    /// Lists the imports between files, each once. lib.rs is exempt, since it names every room.
    pub fn imports(&self) -> impl Iterator<Item = Import<'_>> {
        let named =
            self.modules.iter().flat_map(|(at, module)| module.named.iter().map(move |named| (at, named)));
        let mut told = BTreeSet::new();
        named.filter(|(at, _)| !at.is_empty()).filter_map(move |(at, named)| {
            let mut rooms = BTreeSet::new();
            let (Found::Module(found) | Found::Item(found)) = self.follow(at, &named.path, &mut rooms, 0)?;
            let (from, to) = (&self.modules[at].file, &self.modules.get(&found)?.file);
            let is_new = from != to && told.insert((from, to, rooms.clone()));
            is_new.then_some(Import { from, named, rooms, to })
        })
    }

    /// Finds the file that defines an item, by its name in a module.
    pub fn definition(&self, at: &Segments, name: &str) -> Option<&Path> {
        match self.lookup(at, name, true, &mut BTreeSet::new(), 0)? {
            Found::Item(found) => Some(&self.modules[&found].file),
            Found::Module(_) => None,
        }
    }

    /// Follows a path through modules and re-exports. Returns nothing for a path to another crate.
    fn follow(
        &self,
        from: &Segments,
        path: &[String],
        rooms: &mut BTreeSet<String>,
        steps: u8,
    ) -> Option<Found> {
        let (head, rest) = path.split_first()?;
        let mut found = match head.as_str() {
            "crate" | "gatepass" => Found::Module(Segments::new()),
            "self" => Found::Module(from.clone()),
            "super" => Found::Module(from.split_last()?.1.to_vec()),
            name => self.lookup(from, name, rest.is_empty(), rooms, steps)?,
        };
        for (index, name) in rest.iter().enumerate() {
            let Found::Module(at) = &found else { break };
            rooms.extend(at.first().cloned());
            let is_last = index + 1 == rest.len();
            found = match name.as_str() {
                "super" => Found::Module(at.split_last()?.1.to_vec()),
                name => self.lookup(at, name, is_last, rooms, steps).unwrap_or(Found::Item(at.clone())),
            };
        }
        let (Found::Module(at) | Found::Item(at)) = &found;
        rooms.extend(at.first().cloned());
        Some(found)
    }

    /// Resolves a name in a module. Only a module can be followed by more segments. The limit of `steps` ends the
    /// search for a name that re-exports itself.
    fn lookup(
        &self,
        at: &Segments,
        name: &str,
        is_last: bool,
        rooms: &mut BTreeSet<String>,
        steps: u8,
    ) -> Option<Found> {
        let (module, child) = (self.modules.get(at)?, [at.as_slice(), &[name.to_owned()]].concat());
        let is_child = self.modules.contains_key(&child);
        if is_child && !is_last {
            return Some(Found::Module(child));
        } else if module.defined.contains(name) || steps > 16 {
            return module.defined.contains(name).then(|| Found::Item(at.clone()));
        }
        for named in &module.named {
            let found = match named.name.as_deref() {
                Some(used) if used == name => self.follow(at, &named.path, rooms, steps + 1),
                Some("*") => match self.follow(at, &named.path, rooms, steps + 1) {
                    Some(Found::Module(all)) => self.lookup(&all, name, is_last, rooms, steps + 1),
                    _ => None,
                },
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        is_child.then_some(Found::Module(child))
    }
}

#[test]
fn paths_lead_through_re_exports_to_the_file_that_defines() {
    let tree = Tree::of(&[
        ("src/lib.rs", "pub mod a; pub mod b; pub mod c; pub mod d;"),
        (
            "src/a/mod.rs",
            "mod c; mod d; #[cfg(test)] mod t; pub use c::*; pub use d::E as Error; pub use std::io;",
        ),
        ("src/a/c.rs", "pub use super::d::{F}; made_by_a_macro!(G);"),
        ("src/a/d.rs", "pub enum E { V } pub struct F; pub fn d() {}"),
        ("src/a/t.rs", "use crate::b::B;"),
        ("src/a/t/u.rs", "use crate::b::B;"),
        ("src/b.rs", "use crate::a::{self, c::G};\nfn b() -> a::Error::V { a::Error::W; self::b() }"),
        ("src/c.rs", "use super::a::io::Read;\nuse std::fmt;\nfn c() { fmt::Error; d::e(); gatepass::a::F }"),
        ("src/d.rs", "use crate::a::missing;"),
    ]);
    let told = tree.imports().map(|import| {
        let Import { from, named, to, .. } = import;
        format!("{}:{} {} {}", from.display(), named.line, named.path.join("::"), to.display())
    });
    let expected = [
        "src/a/mod.rs:1 c src/a/c.rs",
        "src/a/mod.rs:1 d::E src/a/d.rs",
        "src/a/c.rs:1 super::d::F src/a/d.rs",
        "src/b.rs:1 crate::a src/a/mod.rs",
        "src/b.rs:1 crate::a::c::G src/a/c.rs",
        "src/b.rs:2 a::Error::V src/a/d.rs",
        "src/c.rs:1 super::a::io::Read src/a/mod.rs",
        "src/c.rs:3 gatepass::a::F src/a/d.rs",
        "src/d.rs:1 crate::a::missing src/a/mod.rs",
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
