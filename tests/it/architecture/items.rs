//! The items and modules of a file, and the paths that it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::tokens::{Token, tokens};

/// The path of a module or of an item.
pub type Segments = Vec<String>;

/// A path in the code. A `use` also binds a name to it, `*` if it is a glob.
#[derive(Debug)]
pub struct Named {
    pub path: Segments,
    pub name: Option<String>,
    pub line: usize,
}

/// A module: a file, or a block in one.
#[derive(Debug)]
pub struct Module {
    pub file: PathBuf,
    pub named: Vec<Named>,
    pub defined: BTreeSet<String>,
}

/// Finds the end of an item: the index after it, or that of the enclosing bracket.
pub fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        depth += token.nesting();
        if depth < 0 {
            return index;
        } else if depth == 0 && (token.is("}") || token.is(";")) {
            return index + 1;
        }
    }
    tokens.len()
}

/// Skips attributes and returns the index after them.
pub fn after_attributes(tokens: &[Token], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while tokens.get(at).is_some_and(|token| depth > 0 || ["#", "!", "["].contains(&token.text.as_str())) {
        depth += tokens[at].nesting();
        at += 1;
    }
    at
}

/// Removes the items under `#[cfg(test)]`. Returns the other tokens, the number of lines removed, and the names of the
/// modules declared so.
pub fn without_tests(tokens: &[Token]) -> (Vec<Token>, usize, Segments) {
    let (mut kept, mut lines, mut modules, mut at) = (Vec::new(), 0, Segments::new(), 0);
    while at < tokens.len() {
        let item = if tokens[at].is("#") { after_attributes(tokens, at) } else { at };
        let has = |word: &str| tokens[at..item].iter().any(|token| token.is(word));
        let is_test = has("cfg") && has("test") && !has("not");
        let end = if is_test { item_end(tokens, item) } else { item.max(at + 1) };
        if !is_test {
            kept.extend_from_slice(&tokens[at..end]);
        } else if let [.., keyword, name, semicolon] = &tokens[at..end] {
            lines += semicolon.line + 1 - tokens[at].line;
            modules.extend((keyword.is("mod") && semicolon.is(";")).then(|| name.text.clone()));
        }
        at = end;
    }
    (kept, lines, modules)
}

const DEFINING: &[&str] =
    &["struct", "enum", "union", "trait", "type", "fn", "const", "static", "macro_rules"];

/// Reads the module of a file, and those in its blocks.
pub fn modules(file: &Path, path: Segments, tokens: &[Token]) -> Vec<(Segments, Module)> {
    let module = || Module { file: file.to_owned(), named: Vec::new(), defined: BTreeSet::new() };
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let (mut closed, mut outer, mut current, mut floor) = (Vec::new(), Vec::new(), (path, module()), 0);
    let (mut depth, mut at) = (0, 0);
    while at < tokens.len() {
        depth += tokens[at].nesting();
        if depth < floor {
            let (parent, its_floor) = outer.pop().unwrap();
            closed.push(std::mem::replace(&mut current, parent));
            floor = its_floor;
        } else if text(at) == "mod" && text(at + 2) == "{" {
            let block = [current.0.as_slice(), &[text(at + 1).to_owned()]].concat();
            outer.push((std::mem::replace(&mut current, (block, module())), floor));
            (floor, depth, at) = (depth + 1, depth + 1, at + 2);
        } else if text(at) == "use" && text(at + 1) != "<" {
            let end = (at..tokens.len()).find(|at| text(*at) == ";").unwrap();
            current.1.named.extend(uses(&tokens[at + 1..=end]));
            at = end;
        } else if depth == floor && DEFINING.contains(&text(at)) {
            let name = tokens[at + 1..].iter().find(|token| token.is_word() && !token.is("mut"));
            current.1.defined.extend(name.map(|name| name.text.clone()));
        } else if text(at) == "(" && text(at + 1) == "in" {
            // `pub(in path)` imports nothing.
            at = (at..tokens.len()).find(|at| text(*at + 1) == ")").unwrap();
        } else if tokens[at].is_word() && text(at + 1) == "::" {
            let (line, mut path) = (tokens[at].line, vec![text(at).to_owned()]);
            while text(at + 1) == "::" && tokens[at + 2].is_word() {
                path.push(text(at + 2).to_owned());
                at += 2;
            }
            current.1.named.extend((path.len() > 1).then_some(Named { path, name: None, line }));
        }
        at += 1;
    }
    closed.push(current);
    closed
}

/// Reads the paths of a `use` from the tokens after that word, with the semicolon.
fn uses(tokens: &[Token]) -> Vec<Named> {
    let (mut prefixes, mut path, mut named) = (vec![Segments::new()], Segments::new(), Vec::new());
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" => prefixes.push(path.clone()),
            "," | "}" | ";" => {
                if path.len() > prefixes.last().unwrap().len() {
                    named.push(used(std::mem::take(&mut path), tokens[index - 1].line));
                }
                if token.is("}") {
                    prefixes.pop();
                }
                path.clone_from(prefixes.last().unwrap());
            }
            // A path that begins with `::` is of another crate.
            "::" if path.is_empty() => path.push(String::new()),
            "::" => {}
            word => path.push(word.to_owned()),
        }
    }
    named
}

fn used(mut path: Segments, line: usize) -> Named {
    let mut name = path.pop().unwrap();
    if path.pop_if(|last| last == "as").is_none() && name != "*" {
        path.push(name.clone());
    }
    if path.len() > 1 && path.pop_if(|last| last == "self").is_some() && name == "self" {
        name.clone_from(path.last().unwrap());
    }
    Named { path, name: Some(name), line }
}

#[test]
fn imports_are_read_from_uses_and_inline_paths_but_not_of_tests() {
    let told = |named: &Named| match &named.name {
        Some(name) if named.path.last() != Some(name) => format!("{} as {name}", named.path.join("::")),
        _ => named.path.join("::"),
    };
    for (source, expected) in [
        ("use crate::a::B; pub use c::D as E;", &["crate::a::B", "c::D as E"] as &[_]),
        (
            "use a::{self, b::{C, d as e},\n F,}; use g::*;",
            &["a", "a::b::C", "a::b::d as e", "a::F", "g as *"],
        ),
        (
            "use a::{self as b}; pub(super) use super::{a, b::{C}}; x::Y",
            &["a as b", "super::a", "super::b::C", "x::Y"],
        ),
        (
            "fn a() -> super::super::b::C { use self::d as _; e::f::<g::H>() }",
            &["super::super::b::C", "self::d as _", "e::f", "g::H"],
        ),
        ("pub(in super::super) struct A; use ::b::C; a.collect::<B>()", &["::b::C"]),
        ("#[cfg(test)] mod tests { use a::B; } use c::D; #[cfg(test)]\n#[expect(x)]\nuse e::F;", &["c::D"]),
        (
            "#[cfg(test)] mod tests; #[cfg(not(test))] use a::B; mod b { c::D } e::F",
            &["c::D", "a::B", "e::F"],
        ),
        ("// use a::B;\n/// [c](d::E)\nconst F: &str = \"use g::H;\";", &[]),
    ] {
        let found = modules(Path::new(""), Segments::new(), &without_tests(&tokens(source)).0);
        let paths: Vec<_> = found.iter().flat_map(|(_, module)| module.named.iter().map(told)).collect();
        assert_eq!(paths, expected, "{source}");
    }
}
