//! Limits of use cases: at most seven fields, and none that holds all the rules.

use std::collections::BTreeSet;
use std::path::Path;

use super::items::item_end;
use super::tokens::Token;
use super::tree::{SRC, Source, Tree, expect_none};

const MOST_FIELDS: usize = 7;

struct Struct<'a> {
    path: &'a Path,
    name: &'a str,
    line: usize,
    fields: Vec<&'a [Token]>,
}

fn auth(tree: &Tree) -> impl Iterator<Item = (&Path, &Source)> {
    let files = tree.files.iter().map(|(path, source)| (path.as_path(), source));
    files.filter(|(_, source)| source.room() == "auth")
}

/// Finds the first of `ends` outside brackets and generics, or the enclosing bracket.
fn find(tokens: &[Token], start: usize, ends: &[&str]) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(start) {
        if depth == 0 && ends.contains(&token.text.as_str()) {
            return index;
        }
        depth += token.nesting() + isize::from(token.is("<")) - isize::from(token.is(">"));
        if depth < 0 {
            return index;
        }
    }
    tokens.len()
}

/// Lists the structs of `auth/`.
fn structs(tree: &Tree) -> impl Iterator<Item = Struct<'_>> {
    let all = auth(tree)
        .flat_map(|(path, source)| (0..source.tokens.len()).map(move |at| (path, &source.tokens, at)));
    all.filter(|(_, tokens, at)| tokens[*at].is("struct")).map(|(path, tokens, at)| {
        let Token { text: name, line } = &tokens[at + 1];
        let open = find(tokens, at + 2, &["{", "(", ";", "where"]);
        let open = if tokens[open].is("where") { find(tokens, open, &["{", ";"]) } else { open };
        let (mut fields, mut end) = (Vec::new(), open);
        while !tokens[open].is(";") && (end == open || tokens[end].is(",")) {
            let start = end + 1;
            end = find(tokens, start, &[","]);
            fields.extend(Some(&tokens[start..end]).filter(|field| !field.is_empty()));
        }
        Struct { path, name, line: *line, fields }
    })
}

/// Lists the types in a file that have a `pub async fn` or implement a reader trait.
fn use_cases(source: &Source) -> BTreeSet<&str> {
    let (tokens, mut found) = (&source.tokens, BTreeSet::new());
    let begins = |at: usize| at == 0 || ["}", "{", ";", "]"].contains(&tokens[at - 1].text.as_str());
    for start in (0..tokens.len()).filter(|at| tokens[*at].is("impl") && begins(*at)) {
        let is_generic = tokens[start + 1].is("<");
        let head = if is_generic { find(tokens, start + 2, &[">"]) + 1 } else { start + 1 };
        let middle = find(tokens, head, &["for", "where", "{"]);
        let body = find(tokens, middle, &["{"]);
        let inside = &tokens[body..item_end(tokens, body)];
        let is_trait = tokens[middle].is("for");
        let is_asked = ["pub", "async", "fn"];
        let is_use_case = if is_trait {
            reads(last_word(&tokens[head..middle]))
        } else {
            inside.windows(3).any(|window| window.iter().map(|token| token.text.as_str()).eq(is_asked))
        };
        if is_use_case {
            found.insert(last_word(&tokens[if is_trait { middle + 1 } else { head }..body]));
        }
    }
    found
}

/// Returns the name of a type, without its arguments.
fn last_word(path: &[Token]) -> &str {
    let words = path.iter().take_while(|token| !["<", "where"].contains(&token.text.as_str()));
    words.filter(|token| token.is_word()).last().map_or("", |token| token.text.as_str())
}

/// Recognises a reader trait by its name.
fn reads(name: &str) -> bool {
    let after = name.strip_prefix("Read").map(|rest| rest.chars().next());
    name.ends_with("Reader") || after.is_some_and(|next| next.is_none_or(char::is_uppercase))
}

fn wide_use_cases(tree: &Tree) -> Vec<String> {
    let named =
        auth(tree).flat_map(|(_, source)| use_cases(source).into_iter().map(|name| (&source.module, name)));
    let defined: BTreeSet<_> =
        named.filter_map(|(at, name)| Some((tree.definition(at, name)?, name))).collect();
    let wide =
        structs(tree).filter(|it| it.fields.len() > MOST_FIELDS && defined.contains(&(it.path, it.name)));
    let told = wide.map(|Struct { path, name, line, fields }| {
        format!("{}:{line}: {name} has {} fields", path.display(), fields.len())
    });
    told.collect()
}

fn holders_of_all_rules(tree: &Tree) -> Vec<String> {
    let holds = |it: &Struct<'_>| it.fields.iter().any(|field| field.iter().any(|token| token.is("Rules")));
    let holders = structs(tree).filter(|it| it.name != "Rules" && holds(it));
    holders
        .map(|Struct { path, name, line, .. }| format!("{}:{line}: {name} holds all Rules", path.display()))
        .collect()
}

#[test]
fn a_use_case_has_at_most_seven_fields() {
    let advice = "Put those that several use cases need together into a small type of its own.";
    expect_none(&wide_use_cases(&SRC), advice);
}

#[test]
fn nothing_in_auth_holds_all_the_rules() {
    expect_none(&holders_of_all_rules(&SRC), "Give it the few rules that it needs.");
}

#[test]
fn a_use_case_of_eight_fields_is_found_and_one_of_seven_is_none() {
    let eight = "{ a: A, pub b: B<C, D>, #[e(f, g)] h: Box<dyn Fn(I, J) -> K>, l: (M, N), o: [u8; 2], p: Q, r: S, t: U, }";
    let seven = eight.replace(", t: U, }", " }");
    let file = |text: &str| text.replace("EIGHT", eight).replace("SEVEN", &seven);
    let wide = file(
        "mod b; pub struct Asked<'a, T: X<Y>> EIGHT impl<'a, T: X<Y>> Asked<'a, T> { pub const fn c() {} pub async fn d() {} }
        struct Reads EIGHT #[async_trait]\nimpl super::SessionReader for Reads {}
        struct Rows EIGHT impl<T> ReadRows<T> for Rows where T: X {}
        pub struct Elsewhere EIGHT struct Tuple(A, B, C, D, E, F, G, H); impl Tuple { pub async fn d() {} }",
    );
    let narrow = file(
        "struct Seven SEVEN impl Seven { pub async fn d() {} } struct Data EIGHT impl Data { pub fn e() -> impl X {} }
        struct Shared EIGHT impl Shared { pub(super) async fn f() {} } impl ReadyTo for Shared {} struct Unit;
        #[cfg(test)] mod tests { struct Test EIGHT impl Test { pub async fn d() {} } }",
    );
    let tree = Tree::of(&[
        ("src/auth/a.rs", &wide),
        ("src/auth/a/b.rs", "use super::Elsewhere; impl Elsewhere { pub async fn g() {} }"),
        ("src/auth/c.rs", &narrow),
        ("src/app.rs", &wide),
    ]);
    let expected = [("Asked", 1), ("Reads", 2), ("Rows", 4), ("Elsewhere", 5), ("Tuple", 5)]
        .map(|(name, line)| format!("src/auth/a.rs:{line}: {name} has 8 fields"));
    assert_eq!(wide_use_cases(&tree), expected);
}

#[test]
fn a_holder_of_all_the_rules_is_found() {
    let text =
        "pub struct Rules { a: SignInRules }\nstruct B { c: Arc<Rules> }\nstruct D<'a>(&'a super::Rules);
struct E { f: SignInRules, rules: u8 }";
    let expected = ["src/auth/rules.rs:2: B holds all Rules", "src/auth/rules.rs:3: D holds all Rules"];
    assert_eq!(
        holders_of_all_rules(&Tree::of(&[("src/auth/rules.rs", text), ("src/app/a.rs", text)])),
        expected
    );
}
