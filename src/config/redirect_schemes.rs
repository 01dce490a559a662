//! `redirect_schemes`: the apps that may be redirected to.

use super::entry::{Absent, Entry, List, Text};
use crate::model::RedirectScheme;

pub(super) static REDIRECT_SCHEMES: Entry<List<Text<RedirectScheme>>> = Entry {
    path: "redirect_schemes",
    kind: List {
        least: 0,
        most: 64,
        item: Text {
            what: "scheme of an app",
            pattern: None,
            parse: |text| text.parse::<RedirectScheme>().map_err(Into::into),
        },
        empty: None,
    },
    absent: Absent::Default("[]"),
    doc: "The schemes of apps that may be redirected to, such as `com.example.app`, by `com.example.app:/path` or \
          `com.example.app://host/path`. A sign-in comes back to an app only by the provider's `redirect_uris`.",
};
