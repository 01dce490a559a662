//! What a browser carries to a provider's page besides who asks, and how it comes back.

use super::addresses::is_private;
use super::kind::Type;
use crate::config::read::{Section, Setting};
use crate::oauth::{MAX_AGE, ResponseMode, check_parameter, is_scope};

/// The most parameters, and the most bytes of the value of one.
const MAX_PARAMS: usize = 32;
const MAX_BYTES: usize = 1024;

/// `scopes`. Default for type oidc openid, profile and email; else none.
pub(super) fn scopes(section: &mut Section, kind: Option<Type>) -> Option<Vec<String>> {
    let written = section.take("scopes");
    let Some(setting) = written else {
        let default: &[&str] = if kind == Some(Type::Oidc) { &["openid", "profile", "email"] } else { &[] };
        return Some(default.iter().map(|&scope| scope.to_owned()).collect());
    };
    let (cx, path) = (setting.cx, setting.path.clone());
    let scopes = setting.distinct(0, 64, scope)?;
    if kind == Some(Type::Oidc) && !scopes.iter().any(|scope| scope == "openid") {
        cx.fault(&path, "must have openid, without which there is no ID token");
        return None;
    }
    Some(scopes)
}

/// A scope of RFC 6749 section 3.3.
fn scope(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    if !is_scope(&text) {
        return setting
            .refuse("must be one scope: 1 to 255 visible ASCII characters, without spaces, \" and \\");
    }
    Some(text)
}

/// `authorization_params`.
pub(super) fn authorization(setting: Setting, kind: Option<Type>) -> Option<Vec<(String, String)>> {
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
        } else if name == MAX_AGE && kind.is_some_and(|kind| kind != Type::Oidc) {
            setting.refuse::<()>("means nothing without ID tokens, which would prove it; remove it");
        } else if value.len() > MAX_BYTES || value.chars().any(char::is_control) {
            setting.refuse::<()>(format!("must have at most {MAX_BYTES} bytes, and no control characters"));
        } else {
            params.push((name, value));
        }
    }
    Some(params)
}

/// `response_mode`. Default query.
pub(super) fn response_mode(
    section: &mut Section,
    kind: Option<Type>,
    redirect_uris: &[String],
) -> ResponseMode {
    let choices = [("query", ResponseMode::Query), ("form_post", ResponseMode::FormPost)];
    let mode = section.read("response_mode", |s| s.choice(&choices)).unwrap_or(ResponseMode::Query);
    let fault = |message: &str| section.cx.fault(&section.path_of("response_mode"), message);
    if mode == ResponseMode::FormPost {
        if kind == Some(Type::GitHub) {
            fault("must be query: GitHub knows no other");
        }
        if redirect_uris.iter().any(|uri| is_private(uri)) {
            fault("must be query where an app is called back: a form is posted to web servers only");
        }
    }
    mode
}
