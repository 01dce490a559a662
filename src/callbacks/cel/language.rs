//! The functions that expressions may call: those of the library, under the names of cel-go, and replacements for
//! costly ones. Other functions do not compile.

use std::sync::{Arc, LazyLock};

use cel::common::types::{DYN_TYPE, INT_TYPE, LIST_TYPE, STRING_TYPE};
use cel::{DeclarationError, Env, extensions};

use super::functions::{add, each, has, spend};
use super::names::{BUDGET_TYPE, PATTERN_TYPE};
use super::pattern::matches;
use super::text::{join, replace, split};

/// A function, and the numbers of arguments that it takes.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// The numbers of arguments in the form `name(a, b)`.
    pub(super) global: &'static [usize],
    /// The numbers of arguments in the form `x.name(a, b)`.
    pub(super) member: &'static [usize],
}

const fn global(name: &'static str, counts: &'static [usize]) -> Function {
    Function { name, global: counts, member: &[] }
}

const fn member(name: &'static str, counts: &'static [usize]) -> Function {
    Function { name, global: &[], member: counts }
}

/// Every function.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "size", global: &[1], member: &[0] },
    Function { name: "matches", global: &[2], member: &[1] },
    global("string", &[1]),
    global("int", &[1]),
    global("uint", &[1]),
    global("double", &[1]),
    global("bool", &[1]),
    global("timestamp", &[1]),
    global("duration", &[1]),
    global("type", &[1]),
    member("contains", &[1]),
    member("startsWith", &[1]),
    member("endsWith", &[1]),
    member("lowerAscii", &[0]),
    member("upperAscii", &[0]),
    member("trim", &[0]),
    member("split", &[1, 2]),
    member("replace", &[2, 3]),
    member("join", &[0, 1]),
    member("substring", &[1, 2]),
    member("getFullYear", &[0, 1]),
    member("getMonth", &[0, 1]),
    member("getDate", &[0, 1]),
    member("getDayOfMonth", &[0, 1]),
    member("getDayOfWeek", &[0, 1]),
    member("getDayOfYear", &[0, 1]),
    member("getHours", &[0, 1]),
    member("getMinutes", &[0, 1]),
    member("getSeconds", &[0, 1]),
    member("getMilliseconds", &[0, 1]),
    member("hasValue", &[0]),
    member("value", &[0]),
    member("or", &[1]),
    member("orValue", &[1]),
];

/// Functions of the name `optional.…`.
pub(super) const OPTIONAL: &[Function] = &[global("of", &[1]), global("none", &[0])];

/// Macros: calls that the parser has already expanded if they were written correctly.
pub(super) const MACROS: &[(&str, &str)] = &[
    ("has", "has(x.field)"),
    ("all", "list.all(x, condition)"),
    ("exists", "list.exists(x, condition)"),
    ("exists_one", "list.exists_one(x, condition)"),
    ("existsOne", "list.existsOne(x, condition)"),
    ("map", "list.map(x, value)"),
    ("filter", "list.filter(x, condition)"),
];

/// The names of the same functions in other languages.
pub(super) const SYNONYMS: &[(&str, &str)] = &[
    ("lower", "x.lowerAscii()"),
    ("toLowerCase", "x.lowerAscii()"),
    ("upper", "x.upperAscii()"),
    ("toUpperCase", "x.upperAscii()"),
    ("len", "size(x)"),
    ("length", "size(x)"),
    ("includes", "y in x for a list, x.contains(y) for a string"),
    ("any", "x.exists(y, condition)"),
    ("some", "x.exists(y, condition)"),
    ("every", "x.all(y, condition)"),
    ("now", "now, without parentheses"),
    ("regex", "x.matches('pattern')"),
    ("test", "x.matches('pattern')"),
];

/// Types that an expression may name, to compare with `type(x)`.
pub(super) const TYPES: &[&str] =
    &["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"];

/// `+`, which charges for its result.
pub(super) const ADD: &str = "@add";
/// Charges for a value, and returns it.
pub(super) const SPEND: &str = "@spend";
/// Charges for a loop over a value, and returns the value.
pub(super) const EACH: &str = "@each";
/// Returns true if a field is set.
pub(super) const HAS: &str = "@has";
pub(super) const MATCHES: &str = "@matches";
pub(super) const SPLIT: &str = "@split";
pub(super) const REPLACE: &str = "@replace";
pub(super) const JOIN: &str = "@join";

/// The language, made once; it has no state.
pub(super) static LANGUAGE: LazyLock<Result<Arc<Env>, DeclarationError>> =
    LazyLock::new(|| language().map(Arc::new));

fn language() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.add_extension(extensions::strings)?;
    env.add_overload(
        MATCHES,
        "matches",
        vec![BUDGET_TYPE.to_owned(), STRING_TYPE, PATTERN_TYPE.to_owned()],
        matches,
    )?;
    env.add_overload(ADD, "add", vec![BUDGET_TYPE.to_owned(), DYN_TYPE, DYN_TYPE], add)?;
    env.add_overload(SPEND, "spend", vec![BUDGET_TYPE.to_owned(), DYN_TYPE], spend)?;
    env.add_overload(EACH, "each", vec![BUDGET_TYPE.to_owned(), DYN_TYPE, INT_TYPE], each)?;
    env.add_overload(HAS, "has", vec![DYN_TYPE, STRING_TYPE], has)?;
    for (id, more) in [("split", vec![]), ("split_most", vec![INT_TYPE])] {
        let types =
            [vec![BUDGET_TYPE.to_owned(), STRING_TYPE, STRING_TYPE], more].into_iter().flatten().collect();
        env.add_overload(SPLIT, id, types, split)?;
    }
    for (id, more) in [("replace", vec![]), ("replace_most", vec![INT_TYPE])] {
        let types = [BUDGET_TYPE.to_owned(), STRING_TYPE, STRING_TYPE, STRING_TYPE].into_iter().chain(more);
        env.add_overload(REPLACE, id, types.collect(), replace)?;
    }
    env.add_overload(JOIN, "join", vec![BUDGET_TYPE.to_owned(), LIST_TYPE], join)?;
    env.add_overload(JOIN, "join_separator", vec![BUDGET_TYPE.to_owned(), LIST_TYPE, STRING_TYPE], join)?;
    Ok(env)
}
