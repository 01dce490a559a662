//! A tokenizer of Rust source that leaves out comments, literals and lifetimes.

/// A word, a mark of one character, or one of `::`, `->`, `=>`.
#[derive(Debug, Clone)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub fn is_word(&self) -> bool {
        self.text.starts_with(in_word)
    }

    /// Returns the change of depth: 1 at an opening bracket, -1 at a closing one.
    pub fn nesting(&self) -> isize {
        match self.text.as_str() {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        }
    }
}

/// Splits a source text into its tokens.
pub fn tokens(text: &str) -> Vec<Token> {
    let (mut rest, mut line, mut tokens) = (text, 1, Vec::new());
    while !rest.is_empty() {
        let (length, is_token) = lexeme(rest);
        let (text, after) = rest.split_at(length);
        tokens.extend(is_token.then(|| Token { text: text.to_owned(), line }));
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

fn in_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Measures the lexeme at the start of `rest`, and says if it is a token.
fn lexeme(rest: &str) -> (usize, bool) {
    let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    let first = rest.chars().next().unwrap();
    if rest.starts_with("//") {
        (until("\n"), false)
    } else if rest.starts_with("/*") {
        (until("*/"), false)
    } else if let Some(length) = raw_string(rest).or_else(|| quoted(rest)) {
        (length, false)
    } else if in_word(first) {
        (rest.find(|char| !in_word(char)).unwrap_or(rest.len()), !first.is_ascii_digit())
    } else if ["::", "->", "=>"].iter().any(|mark| rest.starts_with(mark)) {
        (2, true)
    } else {
        (first.len_utf8(), !first.is_whitespace())
    }
}

/// Measures a raw string.
fn raw_string(rest: &str) -> Option<usize> {
    let hashes = rest.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let inner = hashes.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes.len() - inner.len() - 1));
    Some(rest.len() - inner.len() + inner.find(&end)? + end.len())
}

/// Measures a string, a character or a lifetime.
fn quoted(rest: &str) -> Option<usize> {
    let text = rest.trim_start_matches(['b', 'c']);
    let mark = text.chars().next().filter(|char| ['"', '\''].contains(char))?;
    let (before, inner) = (rest.len() - text.len() + 1, &text[1..]);
    let mut ahead = inner.chars();
    if mark == '\'' && ahead.next() != Some('\\') && ahead.next() != Some('\'') {
        return Some(before + inner.find(|char| !in_word(char)).unwrap_or(inner.len()));
    }
    let mut is_escaped = false;
    let end = inner.find(|char| {
        let ends = char == mark && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        ends
    });
    Some(before + end? + 1)
}

#[test]
fn comments_literals_and_lifetimes_are_no_tokens() {
    let texts = |source| tokens(source).into_iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
    for (source, expected) in [
        ("a // use b\n/// use c\n//! d\ne /* f \n é */ g", "a e g"),
        (r##"a "b\"" c b"d\\" r#"e"f"# br"g" h"##, "a c h"),
        (r"'a' b '\'' c b'\\' d '\u{1F}' e '(' f 'é'", "b c d e f"),
        ("fn a<'b>(c: &'b str) -> crate::d { 1.5e3 }", "fn a < > ( c : & str ) -> crate :: d { . }"),
    ] {
        assert_eq!(texts(source), expected, "{source}");
    }
    assert_eq!(tokens("\"\n\n\" /*\n*/ a\nb").iter().map(|token| token.line).collect::<Vec<_>>(), [4, 5]);
}
