//! An example with every setting.

use super::outline::{Branch, outline};
use super::words;
use crate::config::entry::{Absent, Shape};
use std::fmt::Write as _;

/// The maximum number of characters of a line.
const WIDTH: usize = 100;

/// Returns an annotated YAML configuration with every setting at its default; settings without a default are comments.
#[must_use]
pub fn example() -> String {
    let mut page = Page::default();
    for branch in outline() {
        page.write(&branch, 0, false);
        page.0.push('\n');
    }
    page.0.trim_end().to_owned() + "\n"
}

#[derive(Default)]
struct Page(String);

impl Page {
    /// Writes a setting; as a comment if its section is one.
    fn write(&mut self, branch: &Branch, depth: usize, hidden: bool) {
        let (entry, shape) = (branch.entry, branch.entry.shape());
        self.comment(entry.doc(), depth, hidden);
        let kind = words::of_shape(&shape);
        let unset = match entry.absent() {
            Absent::Default(_) if hidden => format!(" Default: {}.", words::of_absent(entry.absent())),
            Absent::Default(_) => String::new(),
            Absent::Required(_) => " Required.".to_owned(),
            Absent::Means(words) => format!(" Default: {words}."),
        };
        if matches!(shape, Shape::Section) {
            self.comment(unset.trim_start(), depth, hidden);
        } else {
            self.comment(&format!("Type: {kind}.{unset}"), depth, hidden);
        }
        let key = entry.key();
        match entry.absent() {
            Absent::Default(_) if matches!(shape, Shape::Section) => {
                self.line(&format!("{key}:"), depth, hidden);
                self.children(branch, depth + 1, hidden);
            }
            Absent::Default(text) if !hidden => {
                self.line(&format!("{key}: {text}"), depth, false);
                if !branch.children.is_empty() {
                    self.block(branch, depth);
                }
            }
            _ if branch.children.is_empty() => {
                let value = match entry.absent() {
                    Absent::Default(text) => text.to_owned(),
                    Absent::Required(_) | Absent::Means(_) => words::placeholder(&shape),
                };
                self.line(&format!("{key}: {value}"), depth, true);
            }
            _ => self.block(branch, depth),
        }
    }

    /// Writes the settings in a section, or in an item of a list, as a comment.
    fn block(&mut self, branch: &Branch, depth: usize) {
        self.line(&format!("{}:", branch.entry.key()), depth, true);
        let in_list = matches!(branch.entry.shape(), Shape::List { .. });
        if in_list {
            self.line("-", depth + 1, true);
        }
        self.children(branch, depth + 1 + usize::from(in_list), true);
    }

    fn children(&mut self, branch: &Branch, depth: usize, hidden: bool) {
        for child in &branch.children {
            self.write(child, depth, hidden);
        }
    }

    /// Writes text as comments, folded.
    fn comment(&mut self, words: &str, depth: usize, hidden: bool) {
        let mut line = String::new();
        for word in words.split_whitespace() {
            if !line.is_empty() && line.len() + word.len() > WIDTH {
                self.line(&format!("# {line}"), depth, hidden);
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            self.line(&format!("# {line}"), depth, hidden);
        }
    }

    fn line(&mut self, text: &str, depth: usize, hidden: bool) {
        let sign = if hidden { "# " } else { "" };
        let _ = writeln!(self.0, "{sign}{}{text}", "  ".repeat(depth));
    }
}
