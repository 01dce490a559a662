//! The inputs of expressions, for each callback and for profiles: variables, whose values are made when an expression
//! reads them.

use cel::common::types::{CelBool, CelList, CelNull};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;

use super::budget::Budget;
use super::names::{BUDGET, PATTERN, WHOLE};
use super::pattern::Pattern;
use super::record::{ACCOUNT, CLIENT, Record, SESSION, SESSION_USER, USER, owned, text, time};
use super::value::{View, from_map, map_weight};
use crate::auth::{Callback, JwtInput, RedirectInput, SessionInput, SignInInput, Trigger};
use crate::model::{ClaimMap, Timestamp};

/// The kind of a variable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A record with exactly these fields.
    Record(&'static [&'static str]),
    /// A JSON object.
    Json,
    /// Any other value.
    Plain,
}

/// The purpose of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Answers this callback, or sets one of its claims.
    Callback(Callback),
    /// Reads a field from a provider's profile of a person, the variable `profile`.
    Profile,
}

impl From<Callback> for Subject {
    fn from(callback: Callback) -> Self {
        Self::Callback(callback)
    }
}

/// The variables of expressions for this purpose.
pub(super) fn variables(subject: Subject) -> &'static [(&'static str, Kind)] {
    let callback = match subject {
        Subject::Callback(callback) => callback,
        Subject::Profile => return &[("profile", Kind::Json)],
    };
    match callback {
        Callback::SignIn => &[
            ("user", Kind::Record(USER)),
            ("account", Kind::Record(ACCOUNT)),
            ("profile", Kind::Json),
            (OMITTED, Kind::Plain),
            ("app_data", Kind::Json),
            ("is_new_user", Kind::Plain),
            ("client", Kind::Record(CLIENT)),
            (NOW, Kind::Plain),
        ],
        Callback::Jwt => &[
            ("user", Kind::Record(USER)),
            ("account", Kind::Record(ACCOUNT)),
            ("profile", Kind::Json),
            (OMITTED, Kind::Plain),
            ("app_data", Kind::Json),
            ("token", Kind::Json),
            ("trigger", Kind::Plain),
            ("is_new_user", Kind::Plain),
            ("client", Kind::Record(CLIENT)),
            ("update", Kind::Json),
            ("session_id", Kind::Plain),
            (NOW, Kind::Plain),
        ],
        Callback::Session => &[
            ("session", Kind::Record(SESSION)),
            ("user", Kind::Record(SESSION_USER)),
            ("token", Kind::Json),
            (NOW, Kind::Plain),
        ],
        Callback::Redirect => &[("url", Kind::Plain), ("base_url", Kind::Plain), (NOW, Kind::Plain)],
    }
}

/// The input of a callback, or a profile.
#[derive(Clone, Copy)]
pub(super) enum Inputs<'a> {
    SignIn(&'a SignInInput<'a>),
    Jwt(&'a JwtInput<'a>),
    Session(&'a SessionInput<'a>),
    Redirect(&'a RedirectInput<'a>),
    Profile(&'a ClaimMap),
}

/// A run: its input, its time if the expression may read it, and the rest of its budget.
pub(super) struct Run<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) now: Option<Timestamp>,
    pub(super) budget: Budget,
}

/// The variable that is the time.
pub(super) const NOW: &str = "now";
/// The variable that lists the omitted members of a profile.
const OMITTED: &str = "profile_omitted";

/// The variables of an expression during a run.
pub(super) struct Variables<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) patterns: &'a [Pattern],
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        if !name.starts_with('@') {
            return self.run.value(name);
        }
        if name == BUDGET {
            return Some(CowVal::Borrowed(&self.run.budget));
        }
        if let Some(name) = name.strip_prefix(WHOLE) {
            return self.run.whole(name);
        }
        // The library resolves the names that its macros make.
        let number: usize = name.strip_prefix(PATTERN)?.parse().ok()?;
        self.patterns.get(number).map(|pattern| CowVal::Borrowed(pattern as &dyn Val))
    }
}

/// A JSON object, or none at this trigger.
enum Object<'a> {
    Here(&'a ClaimMap),
    NotNow,
}

impl<'a> Run<'a> {
    /// Prepares a run of these expressions.
    pub(super) fn new(inputs: Inputs<'a>, now: Option<Timestamp>, steps: u64) -> Self {
        let profile = match inputs {
            Inputs::SignIn(input) => Some(input.profile),
            Inputs::Jwt(input) => input.profile,
            Inputs::Profile(profile) => Some(profile),
            Inputs::Session(_) | Inputs::Redirect(_) => None,
        };
        Self { inputs, now, budget: Budget::new(profile.map_or(0, map_weight), steps) }
    }

    fn value<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        if name == NOW {
            return self.now.map(|now| CowVal::Owned(time(now)));
        }
        if let Some(object) = self.json(name) {
            return Some(match object {
                Object::Here(map) => CowVal::owned(View::new(map, &self.budget)),
                Object::NotNow => CowVal::Borrowed(&CelNull),
            });
        }
        let flag = |value| CowVal::owned(CelBool::from(value));
        Some(match (self.inputs, name) {
            (Inputs::SignIn(SignInInput { user, is_new_user: true, .. }), "user") => {
                CowVal::owned(Record::NewUser(user))
            }
            (Inputs::SignIn(SignInInput { account, is_new_account: true, .. }), "account") => {
                CowVal::owned(Record::NewAccount(account))
            }
            (
                Inputs::SignIn(SignInInput { profile_omitted, .. })
                | Inputs::Jwt(JwtInput { profile_omitted, .. }),
                OMITTED,
            ) => {
                let names = profile_omitted.iter().map(|name| text(name) as Box<dyn Val>);
                CowVal::owned(CelList::from(names.collect::<Vec<_>>()))
            }
            (Inputs::SignIn(input), "user") => CowVal::owned(Record::User(input.user)),
            (Inputs::SignIn(input), "account") => CowVal::owned(Record::Account(input.account)),
            (Inputs::SignIn(input), "is_new_user") => flag(input.is_new_user),
            (Inputs::SignIn(input), "client") => CowVal::owned(Record::Client(input.origin)),
            (Inputs::Jwt(input), "user") => CowVal::owned(Record::User(input.user)),
            (Inputs::Jwt(input), "account") => match input.account {
                Some(account) => CowVal::owned(Record::Account(account)),
                None => CowVal::Borrowed(&CelNull),
            },
            (Inputs::Jwt(input), "trigger") => CowVal::Owned(text(input.trigger.name())),
            (Inputs::Jwt(input), "is_new_user") => flag(input.trigger == Trigger::SignUp),
            (Inputs::Jwt(input), "client") => CowVal::owned(Record::Client(input.origin)),
            (Inputs::Jwt(input), "session_id") => CowVal::Owned(owned(&input.session_id)),
            (Inputs::Session(input), "session") => CowVal::owned(Record::Session(input.session)),
            (Inputs::Session(input), "user") => CowVal::owned(Record::SessionUser(&input.session.user)),
            (Inputs::Redirect(input), "url") => CowVal::Owned(text(input.url)),
            (Inputs::Redirect(input), "base_url") => CowVal::Owned(text(input.base_url)),
            _ => return None,
        })
    }

    /// Returns the JSON object of this name.
    fn json(&self, name: &str) -> Option<Object<'a>> {
        Some(match (self.inputs, name) {
            (Inputs::SignIn(input), "profile") => Object::Here(input.profile),
            (Inputs::SignIn(input), "app_data") => Object::Here(input.app_data),
            (Inputs::Jwt(input), "app_data") => input.app_data.map_or(Object::NotNow, Object::Here),
            (Inputs::Jwt(input), "profile") => input.profile.map_or(Object::NotNow, Object::Here),
            (Inputs::Jwt(input), "token") => Object::Here(input.claims),
            (Inputs::Jwt(input), "update") => Object::Here(input.update),
            (Inputs::Session(input), "token") => Object::Here(input.claims),
            (Inputs::Profile(profile), "profile") => Object::Here(profile),
            _ => return None,
        })
    }

    /// Returns the whole JSON object. If the budget does not allow it, the object is not made and the run fails.
    fn whole<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        Some(match self.json(name)? {
            Object::Here(map) if self.budget.charge(map_weight(map)).is_ok() => CowVal::owned(from_map(map)),
            Object::Here(_) | Object::NotNow => CowVal::Borrowed(&CelNull),
        })
    }
}
