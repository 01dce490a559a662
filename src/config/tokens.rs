//! `tokens`: the signature, content and lifetime of access tokens.

use super::entry::{
    Absent, AnyEntry, Choice, Entry, Keys, Kind, List, Parsed, PemFile, Shape, Shaped, Span, Text,
};
use super::reader::{Section, Setting, Value, days};
use crate::auth::UserClaim;
use crate::jose::Algorithm;
use crate::keys::KeyFile;
use std::collections::BTreeSet;
use std::time::Duration;

const ALGORITHMS: [(&str, Algorithm); 5] = [
    ("ES256", Algorithm::Es256),
    ("EdDSA", Algorithm::EdDsa),
    ("ES384", Algorithm::Es384),
    ("PS256", Algorithm::Ps256),
    ("RS256", Algorithm::Rs256),
];

const USER_CLAIM_NAMES: [(&str, UserClaim); 5] = [
    ("name", UserClaim::Name),
    ("email", UserClaim::Email),
    ("email_verified", UserClaim::EmailVerified),
    ("picture", UserClaim::Picture),
    ("role", UserClaim::Role),
];

pub(super) static TOKENS: Entry<Keys> = Entry {
    path: "tokens",
    kind: Keys,
    absent: Absent::Default("{}"),
    doc: "Access tokens and the keys that sign them.",
};

static ALGORITHM: Entry<Choice<Algorithm>> = Entry {
    path: "tokens.algorithm",
    kind: Choice(|| ALGORITHMS.to_vec()),
    absent: Absent::Default("ES256"),
    doc: "The algorithm that access tokens are signed with.",
};

static AUDIENCES: Entry<List<Text<String>>> = Entry {
    path: "tokens.audiences",
    kind: List {
        least: 1,
        most: 32,
        item: Text {
            what: "at most 255 bytes without white space",
            pattern: Some(r"^\S+$"),
            parse: audience,
        },
        empty: None,
    },
    absent: Absent::Default("[gatepass]"),
    doc: "The `aud` values that may be asked for. If none is asked for, a token has all of them.",
};

static ACCESS_TTL: Entry<WholeSeconds> = Entry {
    path: "tokens.access_ttl",
    kind: WholeSeconds(Span(Duration::from_secs(1)..=Duration::from_hours(1))),
    absent: Absent::Default("15m"),
    doc: "The life of an access token, in whole seconds.",
};

static KEY_ROTATION: Entry<Span> = Entry {
    path: "tokens.key_rotation",
    kind: Span(Duration::from_hours(1)..=days(730)),
    absent: Absent::Default("90d"),
    doc: "The age at which a key that Gatepass made is replaced.",
};

static CLOCK_LEEWAY: Entry<Span> = Entry {
    path: "tokens.clock_leeway",
    kind: Span(Duration::ZERO..=Duration::from_mins(1)),
    absent: Absent::Default("10s"),
    doc: "The largest clock skew that is tolerated when a token is verified. On PostgreSQL and MariaDB a replica starts only \
          while its clock is within half of it, so do not go below 1s.",
};

static SIGNING_KEYS: Entry<List<OneKeyFile>> = Entry {
    path: "tokens.signing_keys",
    kind: List { least: 0, most: 32, item: OneKeyFile, empty: None },
    absent: Absent::Default("[]"),
    doc: "PEM files of signing keys, `PATH` or `{file: PATH, algorithm: RS256}`: the first signs, all verify. If the list is \
          empty, Gatepass makes and rotates its own keys.",
};

static SIGNING_KEY_FILE: Entry<PemFile> = Entry {
    path: "tokens.signing_keys[].file",
    kind: PemFile,
    absent: Absent::Required("the path of a PEM file"),
    doc: "The PEM file of a private key.",
};

static SIGNING_KEY_ALGORITHM: Entry<Choice<Algorithm>> = Entry {
    path: "tokens.signing_keys[].algorithm",
    kind: Choice(|| ALGORITHMS.to_vec()),
    absent: Absent::Means("the algorithm of the key's kind; for the first key, `tokens.algorithm`"),
    doc: "The algorithm that the key signs with, or has signed with. An RSA key needs it unless RSA keys sign anyway.",
};

static USER_CLAIMS: Entry<List<Choice<UserClaim>>> = Entry {
    path: "tokens.user_claims",
    kind: List {
        least: 0,
        most: USER_CLAIM_NAMES.len(),
        item: Choice(|| USER_CLAIM_NAMES.to_vec()),
        empty: None,
    },
    absent: Absent::Default("[name, email, email_verified, picture, role]"),
    doc: "The claims about the user that a token has. Without `role`, and with a `jwt` callback, all tokens of a changed user \
          that were issued until `clock_leeway` after the change are TOKEN_STALE.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![
        &TOKENS,
        &ALGORITHM,
        &AUDIENCES,
        &ACCESS_TTL,
        &KEY_ROTATION,
        &CLOCK_LEEWAY,
        &SIGNING_KEYS,
        &SIGNING_KEY_FILE,
        &SIGNING_KEY_ALGORITHM,
        &USER_CLAIMS,
    ]
}

/// Access tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The algorithm that access tokens are signed with.
    pub algorithm: Algorithm,
    /// The `aud` values that may be requested.
    pub audiences: Vec<String>,
    /// The lifetime of an access token.
    pub access_ttl: Duration,
    /// The age at which a key that Gatepass made is replaced.
    pub key_rotation: Duration,
    /// The largest clock skew that is tolerated.
    pub clock_leeway: Duration,
    /// PEM files of signing keys; the first one signs.
    pub signing_keys: Vec<KeyFile>,
    /// The claims about the user in a token.
    pub user_claims: BTreeSet<UserClaim>,
}

impl Tokens {
    pub(super) fn read(section: &mut Section) -> Option<Self> {
        let tokens = Self {
            algorithm: section.get(&ALGORITHM)?,
            audiences: section.get(&AUDIENCES)?,
            access_ttl: section.get(&ACCESS_TTL)?,
            key_rotation: section.get(&KEY_ROTATION)?,
            clock_leeway: section.get(&CLOCK_LEEWAY)?,
            signing_keys: section.get(&SIGNING_KEYS)?,
            user_claims: section.get(&USER_CLAIMS)?.into_iter().collect(),
        };
        if !tokens.signing_keys.is_empty() {
            section.cx.without_effect(KEY_ROTATION.path);
        }
        Some(tokens)
    }
}

fn audience(text: &str) -> Parsed<String> {
    if text.len() > 255 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("must have at most 255 bytes and no white space".into());
    }
    Ok(text.to_owned())
}

/// A PEM file: its path, or a section with the path and the algorithm of an RSA key.
struct OneKeyFile;

impl Shaped for OneKeyFile {
    fn shape(&self) -> Shape {
        Shape::Either(Box::new(Shape::File), Box::new(Shape::Section))
    }
}

impl Kind for OneKeyFile {
    type Value = KeyFile;

    fn read(&self, setting: Setting) -> Option<KeyFile> {
        let setting = setting.flow_if("{", "{file: PATH, algorithm: RS256}")?;
        if !matches!(setting.value, Value::Map(_)) {
            return setting.pem_file().map(|path| KeyFile { path, algorithm: None });
        }
        let read = |section: &mut Section| {
            let (path, algorithm) = (section.get(&SIGNING_KEY_FILE), section.get(&SIGNING_KEY_ALGORITHM));
            Some(KeyFile { path: path?, algorithm })
        };
        setting.section(read).flatten()
    }
}

/// A duration without a fraction of a second.
struct WholeSeconds(Span);

impl Shaped for WholeSeconds {
    fn shape(&self) -> Shape {
        self.0.shape()
    }
}

impl Kind for WholeSeconds {
    type Value = Duration;

    fn read(&self, setting: Setting) -> Option<Duration> {
        let (cx, path) = (setting.cx, setting.path.clone());
        let duration = self.0.read(setting)?;
        if duration.subsec_nanos() != 0 {
            cx.fault(&path, "must be whole seconds, as the dates of a JWT are");
            return None;
        }
        Some(duration)
    }
}
