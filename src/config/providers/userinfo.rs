//! The requests for a profile: their method and headers, and the endpoint of e-mail addresses.

use super::addresses;
use crate::config::entry::{Absent, AnyEntry, Choice, Entry, Kind, Shape, Shaped, Text};
use crate::config::reader::Setting;
use crate::oauth::{UserinfoMethod, userinfo_header};
use http::{HeaderName, HeaderValue};
use url::Url;

/// The maximum number of headers.
const MAX_HEADERS: usize = 16;

pub(super) static METHOD: Entry<Choice<UserinfoMethod>> = Entry {
    path: "providers[].userinfo_method",
    kind: Choice(|| vec![("GET", UserinfoMethod::Get), ("POST", UserinfoMethod::Post)]),
    absent: Absent::Default("GET"),
    doc: "The method of the request to the userinfo endpoint (types `oidc` and `oauth2`). A `POST` has no body.",
};

pub(super) static HEADERS: Entry<Headers> = Entry {
    path: "providers[].userinfo_headers",
    kind: Headers,
    absent: Absent::Default("{}"),
    doc: "Constant headers of the request to the userinfo endpoint (types `oidc` and `oauth2`), such as \
          `{Notion-Version: '2022-06-28'}`. They are no secrets.",
};

pub(super) static EMAILS_URL: Entry<Text<Url>> = Entry {
    path: "providers[].emails_url",
    kind: Text { what: "URL", pattern: Some("^https?://"), parse: addresses::endpoint },
    absent: Absent::Means("none"),
    doc: "An endpoint of e-mail addresses (type `oauth2`), asked like `userinfo_url`. Its response is `profile.emails`.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&METHOD, &HEADERS, &EMAILS_URL]
}

/// A map of names and values.
pub(super) struct Headers;

impl Shaped for Headers {
    fn shape(&self) -> Shape {
        let value = Shape::Text { what: "text of at most 1024 bytes", pattern: None };
        Shape::Map { most: MAX_HEADERS, value: Box::new(value) }
    }
}

impl Kind for Headers {
    type Value = Vec<(HeaderName, HeaderValue)>;

    fn read(&self, setting: Setting) -> Option<Self::Value> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let entries = setting.entries()?;
        if entries.len() > MAX_HEADERS {
            cx.fault(&path, format!("must have at most {MAX_HEADERS} entries, not {}", entries.len()));
            return None;
        }
        let mut headers: Self::Value = Vec::with_capacity(entries.len());
        for (name, setting) in entries {
            let Some(value) = setting.text() else { continue };
            match userinfo_header(&name, &value) {
                Err(fault) => drop(setting.refuse::<()>(fault.to_string())),
                Ok((name, _)) if headers.iter().any(|(known, _)| *known == name) => {
                    setting.refuse::<()>("given twice; keep one");
                }
                Ok(header) => headers.push(header),
            }
        }
        Some(headers)
    }
}
