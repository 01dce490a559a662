//! The configuration: a YAML file with variables over it, read once into plain sections, or every fault in it at once.
//! One file here a section; `tree`, `yaml` and `overrides` make one tree of both sources, `read` and `value` take typed
//! values from it, `check` looks at combinations. A new setting is a field with its doc and one line in its section;
//! a new section is also a name in `overrides`. Nothing here reads the process environment: it is an argument.
#![expect(
    clippy::needless_pass_by_value,
    clippy::wildcard_enum_match_arm,
    reason = "a setting is used up by reading it; whatever is not of the wanted kind is at fault alike"
)]

mod auth_log;
mod callbacks;
mod callers;
mod check;
mod database;
mod duration;
mod expression;
mod fault;
mod issuer;
mod overrides;
mod providers;
mod read;
mod secrets;
mod server;
mod session;
mod sign_in;
mod telemetry;
mod tokens;
mod tree;
mod value;
mod yaml;

#[cfg(test)]
mod tests;

pub use auth_log::AuthLog;
pub use callbacks::{Callbacks, OnFailure, Remote};
pub use callers::Caller;
pub use database::Database;
pub use fault::{Fault, Faults};
pub use providers::Provider;
pub use server::Server;
pub use session::Session;
pub use sign_in::SignIn;
pub use telemetry::{LogFormat, LogLevel, Telemetry};
pub use tokens::Tokens;

use fault::Origin;
use overrides::Variable;
use read::{Context, Section};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use tree::{Node, Value};
use zeroize::Zeroizing;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// `server`: listeners and their limits.
    pub server: Server,
    /// `database`: where things are kept.
    pub database: Database,
    /// `secrets`: the first makes tokens and seals, all accept; 32 to 4096 bytes each, 1 to 16 of them. Default
    /// (`None`): one is generated and kept beside the database.
    pub secrets: Option<Vec<SecretString>>,
    /// `issuer`: the `iss` of every token, a URL without a slash at its end. Default <http://localhost:8080>.
    pub issuer: String,
    /// `base_urls`: origins that may be redirected to, 1 to 64, the first the default; not yet parsed here. Default
    /// <http://localhost:3000>.
    pub base_urls: Vec<String>,
    /// `tokens`: access tokens.
    pub tokens: Tokens,
    /// `session`: sessions.
    pub session: Session,
    /// `sign_in`: who may sign in.
    pub sign_in: SignIn,
    /// `providers`: who proves people to us; 0 to 64. Default none.
    pub providers: Vec<Provider>,
    /// `callbacks`: what is asked at sign-in, and what tokens and sessions say besides. Default nothing.
    pub callbacks: Callbacks,
    /// `callers`: who may call. Default none.
    pub callers: Vec<Caller>,
    /// `auth_log`: the log of what happened.
    pub auth_log: AuthLog,
    /// `telemetry`: log and metrics.
    pub telemetry: Telemetry,
}

impl Config {
    /// Whether calls need no credential: no caller is configured and every listener is on loopback.
    #[must_use]
    pub fn open_on_loopback(&self) -> bool {
        self.callers.is_empty() && self.server.listeners().iter().all(|(_, addr)| addr.ip().is_loopback())
    }

    fn read(root: &mut Section) -> Self {
        root.not_yet("authjs");
        let tokens = root.section("tokens", Tokens::read);
        let providers = providers::read(root, tokens.clock_leeway);
        Self {
            server: root.section("server", Server::read),
            database: root.section("database", Database::read),
            secrets: secrets::read(root),
            issuer: issuer::read(root),
            base_urls: root
                .read("base_urls", |s| s.texts(1, 64))
                .unwrap_or_else(|| vec!["http://localhost:3000".to_owned()]),
            tokens,
            session: root.section("session", Session::read),
            sign_in: root.section("sign_in", SignIn::read),
            providers,
            callbacks: root.section("callbacks", Callbacks::read),
            callers: callers::read(root),
            auth_log: root.section("auth_log", AuthLog::read),
            telemetry: root.section("telemetry", Telemetry::read),
        }
    }
}

/// The configuration of `file` (none: all defaults) with the variables of `env` over it. Relative paths in it, and
/// `file` itself, are taken from the working directory. `GATEPASS_CONFIG` is the caller's to read.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Config, Faults> {
    let text = file.map(|path| (path.display().to_string(), std::fs::read(path).map(Zeroizing::new)));
    assemble(text, named(env))
}

/// The variables by name. Of a name that is no text enough is kept to tell whether it is meant for us.
fn named(env: impl IntoIterator<Item = (OsString, OsString)>) -> BTreeMap<String, OsString> {
    env.into_iter().map(|(name, value)| (name.to_string_lossy().into_owned(), value)).collect()
}

/// The file's name, and its bytes if they can be read.
type Source = (String, std::io::Result<Zeroizing<Vec<u8>>>);

fn assemble(file: Option<Source>, variables: BTreeMap<String, OsString>) -> Result<Config, Faults> {
    let cx = Context::new(variables);
    let mut root = file.and_then(|source| file_tree(&cx, source)).unwrap_or(Node::EMPTY);
    set_variables(&cx, &mut root);
    let mut whole = Section::of_root(&cx, root);
    let config = Config::read(&mut whole);
    whole.refuse_what_is_left();
    check::check(&config, &cx);
    let faults = cx.into_faults();
    if faults.is_empty() { Ok(config) } else { Err(Faults::new(faults)) }
}

fn file_tree(cx: &Context, (name, bytes): Source) -> Option<Node> {
    let name: Arc<str> = name.into();
    let at = |line| Some(Origin::File { name: Arc::clone(&name), line });
    let parsed = match &bytes {
        Ok(bytes) => yaml::parse(bytes, &at).map_err(|wrong| (wrong.line, wrong.message)),
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
    for (name, value) in &cx.variables {
        let origin = Some(Origin::Variable(name.as_str().into()));
        match (overrides::variable(name), value.to_str()) {
            (Variable::Ignored, _) => {}
            (Variable::Misnamed(path, message), _) => cx.fault_at(origin, &path, message),
            // Passed over, it would leave in force what it was to override.
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
