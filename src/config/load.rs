//! Loading: a file and variables become a configuration, or a list of every fault in them.

use super::check;
use super::entries;
use super::output::Effective;
use super::reader::{Context, Faults, Node, Origin, Section, Value, Variable, parse, variable};
use super::settings::Config;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Loads the configuration of `file` (`None`: all defaults), overridden by the variables of `env`. Relative paths are
/// resolved from the working directory. The caller reads `GATEPASS_CONFIG`.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Config, Faults> {
    let text = file.map(|path| (path.display().to_string(), std::fs::read(path).map(Zeroizing::new)));
    assemble(text, named(env))
}

/// Returns the variables by name. Of a name that is not valid text, it keeps enough to tell whether the variable is
/// meant for Gatepass.
pub(super) fn named(env: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<String, OsString> {
    env.into_iter().map(|(name, value)| (name.to_string_lossy().into_owned(), value)).collect()
}

/// The file's name, and its bytes if they can be read.
pub(super) type Source = (String, std::io::Result<Zeroizing<Vec<u8>>>);

pub(super) fn assemble(
    file: Option<Source>,
    variables: BTreeMap<String, OsString>,
) -> Result<Config, Faults> {
    let cx = Context::new(variables);
    let config = read(file, &cx);
    let (faults, effective) = cx.into_outcome();
    match config {
        Some(config) if faults.is_empty() => Ok(Config { effective: Effective::of(effective), ..config }),
        _ => Err(Faults::new(faults)),
    }
}

/// Reads and checks everything. Without a fault there is a configuration, since every default is valid.
pub(super) fn read(file: Option<Source>, cx: &Context) -> Option<Config> {
    let mut root = file.and_then(|source| file_tree(cx, source)).unwrap_or(Node::EMPTY);
    set_variables(cx, &mut root);
    let mut whole = Section::of_root(cx, root);
    let config = Config::read(&mut whole)?;
    whole.refuse_what_is_left();
    check::check(&config, cx);
    Some(config)
}

fn file_tree(cx: &Context, (name, bytes): Source) -> Option<Node> {
    let name: Arc<str> = name.into();
    let at = |line| Some(Origin::File { name: Arc::clone(&name), line });
    let parsed = match &bytes {
        Ok(bytes) => parse(bytes, &at).map_err(|wrong| (wrong.line, wrong.message)),
        Err(error) => Err((0, format!("cannot be read: {}", error.kind()))),
    };
    match parsed {
        Ok(Some(Node { value: Value::Null, .. }) | None) => None,
        Ok(Some(root)) if matches!(root.value, Value::Map(_)) => Some(root),
        Ok(Some(root)) => {
            cx.fault_at(root.origin, "", format!("must be a section of keys, not {}", root.value.kind()));
            None
        }
        Err((line, message)) => {
            cx.fault_at(at(line), "", message);
            None
        }
    }
}

fn set_variables(cx: &Context, root: &mut Node) {
    let roots = entries::roots();
    for (name, value) in &cx.variables {
        let origin = Some(Origin::Variable(name.as_str().into()));
        match (variable(name, &roots), value.to_str()) {
            (Variable::Ignored, _) => {}
            (Variable::Misnamed(path, message), _) => cx.fault_at(origin, &path, message),
            // If it were ignored, the setting that it was to override would stay in force.
            (Variable::Setting(path), None) => cx.fault_at(origin, &path.join("."), "is not UTF-8 text"),
            (Variable::Setting(path), Some(text)) => {
                let value = Value::Variable(text.to_owned().into());
                let node = Node { origin: origin.clone(), value, first_line: None };
                if let Err(message) = root.set(&path, node) {
                    cx.fault_at(origin, &path.join("."), message);
                }
            }
        }
    }
}
