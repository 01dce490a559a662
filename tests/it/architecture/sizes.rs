//! Limits of folders and files, and the content of a `mod.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use super::items::{after_attributes, item_end};
use super::tree::{SRC, Source, Tree, expect_none};

const MOST_FILES: usize = 20;
const MOST_LINES: usize = 400;

fn large_folders(tree: &Tree) -> Vec<String> {
    let mut folders = BTreeMap::new();
    for path in &tree.paths {
        *folders.entry(path.parent().unwrap()).or_insert(0) += 1;
    }
    let large = folders.into_iter().filter(|(_, files)| *files > MOST_FILES);
    large.map(|(folder, files)| format!("{}:1: {files} files side by side", folder.display())).collect()
}

fn long_files(tree: &Tree) -> Vec<String> {
    let long = tree.files.iter().filter(|(_, source)| source.lines > MOST_LINES);
    long.map(|(path, source)| {
        format!("{}:{MOST_LINES}: {} lines without its tests", path.display(), source.lines)
    })
    .collect()
}

/// Lists the items of a file besides attributes, declared modules and imports.
pub fn definitions(path: &Path, source: &Source) -> Vec<String> {
    let (tokens, mut at, mut found) = (&source.all_tokens, 0, Vec::new());
    while at < tokens.len() {
        let start = after_attributes(tokens, at);
        at = item_end(tokens, start).max(start + 1);
        let item = &tokens[start.min(tokens.len())..at.min(tokens.len())];
        let keyword =
            item.iter().position(|token| ["mod", "use", "!", "{", "="].contains(&token.text.as_str()));
        let declares = match keyword.map(|keyword| item[keyword].text.as_str()) {
            Some("use") => true,
            Some("mod") => item.last().is_some_and(|last| last.is(";")),
            _ => item.iter().all(|token| token.is(";")),
        };
        if !declares {
            let text: Vec<_> = item.iter().take(4).map(|token| token.text.as_str()).collect();
            found.push(format!("{}:{}: {} …", path.display(), item[0].line, text.join(" ")));
        }
    }
    found
}

fn defining_mods(tree: &Tree) -> Vec<String> {
    let declares_only = |path: &Path| path.ends_with("mod.rs") || path == Path::new("src/lib.rs");
    let mods = tree.files.iter().filter(|(path, _)| declares_only(path));
    mods.flat_map(|(path, source)| definitions(path, source)).collect()
}

#[test]
fn no_folder_has_more_than_twenty_files_side_by_side() {
    expect_none(&large_folders(&SRC), "Part it into folders by subject.");
}

#[test]
fn no_file_is_longer_than_400_lines_without_its_tests() {
    expect_none(&long_files(&SRC), "Part it into files of one subject each.");
}

#[test]
fn a_mod_file_declares_and_defines_nothing() {
    expect_none(&defining_mods(&SRC), "Move each to a file of its own, and re-export it.");
}

#[test]
fn a_folder_of_21_files_is_found_and_one_of_20_is_none() {
    let names: Vec<_> =
        (0..41).map(|file| format!("src/{}/f{file}.rs", if file < 21 { "a" } else { "b" })).collect();
    let tree = Tree::of(&names.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>());
    assert_eq!(large_folders(&tree), ["src/a:1: 21 files side by side"]);
}

#[test]
fn a_file_of_401_lines_is_found_and_tests_are_not_counted() {
    let (long, test) = ("\n".repeat(401), "#[cfg(test)]\nmod tests {\n\n}\n");
    let tested = format!("{}{test}", "\n".repeat(400));
    let declared = format!("#[cfg(test)]\nmod c;\n{}", "\n".repeat(400));
    let tree = Tree::of(&[
        ("src/a.rs", &long),
        ("src/b.rs", &tested),
        ("src/b2.rs", &declared),
        ("src/b2/c.rs", &long),
    ]);
    assert_eq!(long_files(&tree), ["src/a.rs:400: 401 lines without its tests"]);
}

#[test]
fn a_definition_in_a_mod_file_is_found() {
    let declares =
        "//! Doc.\n#![expect(x, reason = \"y\")]\n/// Doc.\n#[cfg(test)]\nmod a;\npub(crate) mod b;
        pub use a::{b, c::{self, D}};\n#[cfg(unix)] pub(super) use e::*;\n#[macro_use]\nmod f;\n";
    let defines = "mod a;\nconst B: [u8; 2] = [1, 2];\n#[derive(X)]\npub struct C { d: E }\nuse f::G;\nimpl C {\n fn h() {}\n}
mod i { }\ntonic::include_proto!(\"j\");\npub type K = u8;\n#[cfg(test)]\nmod tests { use super::*; }";
    let tree =
        Tree::of(&[("src/a/mod.rs", declares), ("src/b/mod.rs", defines), ("src/lib.rs", "fn a() {}")]);
    let expected = [
        "src/b/mod.rs:2: const B : [ …",
        "src/b/mod.rs:4: pub struct C { …",
        "src/b/mod.rs:6: impl C { fn …",
        "src/b/mod.rs:9: mod i { } …",
        "src/b/mod.rs:10: tonic :: include_proto ! …",
        "src/b/mod.rs:11: pub type K = …",
        "src/b/mod.rs:13: mod tests { use …",
        "src/lib.rs:1: fn a ( ) …",
    ];
    assert_eq!(defining_mods(&tree), expected);
}
