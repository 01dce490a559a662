//! `sync` and `keep_claims`: the rules by which users follow the profiles of a provider.

use crate::auth::{AttributeSync, EmailSync, SyncRules};
use crate::config::entry::{Absent, AnyEntry, Choice, Entry, Keys, List, Parsed, Text};
use crate::config::reader::Section;

/// The maximum number of claims to keep.
const MOST: usize = 32;

static SYNC: Entry<Keys> = Entry {
    path: "providers[].sync",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "The changes of a profile that a known user follows at a sign-in.",
};

static EMAIL: Entry<Choice<EmailSync>> = Entry {
    path: "providers[].sync.email",
    kind: Choice(|| vec![("keep", EmailSync::Keep), ("follow", EmailSync::Follow)]),
    absent: Absent::Default("keep"),
    doc: "The rule for a verified e-mail address when the account that it came from has another verified one.",
};

static NAME: Entry<Choice<AttributeSync>> = Entry {
    path: "providers[].sync.name",
    kind: Choice(attribute),
    absent: Absent::Default("follow"),
    doc: "The rule for the name: each sign-in replaces it, or the first one stays.",
};

static IMAGE: Entry<Choice<AttributeSync>> = Entry {
    path: "providers[].sync.image",
    kind: Choice(attribute),
    absent: Absent::Default("follow"),
    doc: "The rule for the picture: each sign-in replaces it, or the first one stays.",
};

static KEEP_CLAIMS: Entry<List<Text<String>>> = Entry {
    path: "providers[].keep_claims",
    kind: List {
        least: 0,
        most: MOST,
        item: Text { what: "name of a claim", pattern: None, parse: claim },
        empty: None,
    },
    absent: Absent::Default("[]"),
    doc: "The members that are left out last where a profile is too large for callbacks: list those that your rules read.",
};

fn attribute() -> Vec<(&'static str, AttributeSync)> {
    vec![("follow", AttributeSync::Follow), ("first", AttributeSync::First)]
}

fn claim(text: &str) -> Parsed<String> {
    if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
        return Err("must have 1 to 255 bytes and no control characters".into());
    }
    Ok(text.to_owned())
}

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&SYNC, &EMAIL, &NAME, &IMAGE, &KEEP_CLAIMS]
}

/// The rules of a provider for the users who sign in with it.
pub(super) struct People {
    pub(super) sync: SyncRules,
    pub(super) keep_claims: Vec<String>,
}

pub(super) fn read(section: &mut Section) -> Option<People> {
    let sync = section.section(&SYNC, |sync| {
        let (email, name, image) = (sync.get(&EMAIL), sync.get(&NAME), sync.get(&IMAGE));
        Some(SyncRules { email: email?, name: name?, image: image? })
    });
    Some(People { keep_claims: section.get(&KEEP_CLAIMS)?, sync: sync? })
}
