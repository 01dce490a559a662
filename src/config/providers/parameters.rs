//! The parameters of an authorization request, and the response mode.

use super::addresses::is_private;
use super::kind::Type;
use crate::config::entry::{
    Absent, AnyEntry, Choice, Described as _, Entry, Kind, List, Parsed, Shape, Shaped, Text,
};
use crate::config::reader::{Section, Setting};
use crate::oauth::{MAX_AGE, ResponseMode, check_parameter, is_scope};

/// The maximum number of parameters, and the maximum size of a value in bytes.
const MAX_PARAMS: usize = 32;
const MAX_BYTES: usize = 1024;

static SCOPES: Entry<List<Text<String>>> = Entry {
    path: "providers[].scopes",
    kind: List {
        least: 0,
        most: 64,
        item: Text { what: "scope", pattern: Some(r"^[!#-\[\]-~]{1,255}$"), parse: scope },
        empty: None,
    },
    absent: Absent::Means("that of the preset; of `oidc` openid, profile and email, else none"),
    doc: "The scopes that are requested, unless BeginSignIn requests others.",
};

static AUTHORIZATION_PARAMS: Entry<Parameters> = Entry {
    path: "providers[].authorization_params",
    kind: Parameters,
    absent: Absent::Default("{}"),
    doc: "Further parameters of each authorization request, such as `{prompt: select_account}`. Parameters \
          that Gatepass sets are not allowed.",
};

static RESPONSE_MODE: Entry<Choice<ResponseMode>> = Entry {
    path: "providers[].response_mode",
    kind: Choice(|| vec![("query", ResponseMode::Query), ("form_post", ResponseMode::FormPost)]),
    absent: Absent::Default("query"),
    doc: "The way in which the response comes back: `query`, or `form_post`, for which the flow's cookie must be \
          `SameSite=None`.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&SCOPES, &AUTHORIZATION_PARAMS, &RESPONSE_MODE]
}

/// The settings of authorization requests.
pub(super) struct Asked {
    pub(super) scopes: Vec<String>,
    pub(super) authorization_params: Vec<(String, String)>,
    pub(super) response_mode: ResponseMode,
}

pub(super) fn read(section: &mut Section, kind: Option<Type>, redirect_uris: &[String]) -> Option<Asked> {
    let scopes = scopes(section, kind);
    let authorization_params = authorization_params(section, kind);
    let response_mode = response_mode(section, kind, redirect_uris);
    Some(Asked {
        scopes: scopes?,
        authorization_params: authorization_params?,
        response_mode: response_mode?,
    })
}

fn scopes(section: &mut Section, kind: Option<Type>) -> Option<Vec<String>> {
    let written = section.has(SCOPES.key());
    let scopes = section.get(&SCOPES);
    if !written {
        let default: &[&str] = if kind == Some(Type::Oidc) { &["openid", "profile", "email"] } else { &[] };
        return Some(default.iter().map(|&scope| scope.to_owned()).collect());
    }
    let scopes = scopes?;
    if kind == Some(Type::Oidc) && !scopes.iter().any(|scope| scope == "openid") {
        let path = section.path_of(SCOPES.key());
        section.cx.fault(&path, "must include openid; without it there is no ID token");
        return None;
    }
    Some(scopes)
}

/// Parses a scope of RFC 6749 section 3.3.
fn scope(text: &str) -> Parsed<String> {
    if !is_scope(text) {
        return Err("must be one scope: 1 to 255 visible ASCII characters, without spaces, \" and \\".into());
    }
    Ok(text.to_owned())
}

/// A map of names and values.
struct Parameters;

impl Shaped for Parameters {
    fn shape(&self) -> Shape {
        let value = Shape::Text { what: "text of at most 1024 bytes", pattern: None };
        Shape::Map { most: MAX_PARAMS, value: Box::new(value) }
    }
}

impl Kind for Parameters {
    type Value = Vec<(String, String)>;

    fn read(&self, setting: Setting) -> Option<Self::Value> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let entries = setting.entries()?;
        if entries.len() > MAX_PARAMS {
            cx.fault(&path, format!("must have at most {MAX_PARAMS} entries, not {}", entries.len()));
            return None;
        }
        let mut params = Vec::with_capacity(entries.len());
        for (name, setting) in entries {
            let Some(value) = setting.text() else { continue };
            if let Err(fault) = check_parameter(&name, &value) {
                setting.refuse::<()>(fault.to_string());
            } else if value.len() > MAX_BYTES || value.chars().any(char::is_control) {
                setting
                    .refuse::<()>(format!("must have at most {MAX_BYTES} bytes, and no control characters"));
            } else {
                params.push((name, value));
            }
        }
        Some(params)
    }
}

fn authorization_params(section: &mut Section, kind: Option<Type>) -> Option<Vec<(String, String)>> {
    let params = section.get(&AUTHORIZATION_PARAMS)?;
    if kind.is_some_and(|kind| kind != Type::Oidc) && params.iter().any(|(name, _)| name == MAX_AGE) {
        let path = format!("{}.{MAX_AGE}", section.path_of(AUTHORIZATION_PARAMS.key()));
        section.cx.fault(&path, "has no effect without ID tokens; remove it");
    }
    Some(params)
}

fn response_mode(
    section: &mut Section,
    kind: Option<Type>,
    redirect_uris: &[String],
) -> Option<ResponseMode> {
    let mode = section.get(&RESPONSE_MODE)?;
    let fault = |message: &str| section.cx.fault(&section.path_of(RESPONSE_MODE.key()), message);
    if mode == ResponseMode::FormPost {
        if kind == Some(Type::GitHub) {
            fault("must be query; GitHub supports no other");
        }
        if redirect_uris.iter().any(|uri| is_private(uri)) {
            fault("must be query if a redirect URI belongs to an app; form_post needs a web server");
        }
    }
    Some(mode)
}
