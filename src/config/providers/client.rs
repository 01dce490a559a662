//! Client authentication at a provider: `token_endpoint_auth_method`, and the secrets that it needs. A secret that the
//! method does not use is a fault, since the operator expected it to have an effect.

use crate::config::entry::{
    Absent, AnyEntry, Choice, Described as _, Entry, Kind, List, Parsed, Secret, Text,
};
use crate::config::reader::{Section, Setting};
use crate::jose::{Algorithm, SigningKey};
use crate::oauth::{AssertionAudience, ClientAuthentication};
use secrecy::{ExposeSecret, SecretString};

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Basic,
    Post,
    None,
    PrivateKeyJwt,
    Apple,
}

const METHODS: [(&str, Method); 5] = [
    ("client_secret_basic", Method::Basic),
    ("client_secret_post", Method::Post),
    ("none", Method::None),
    ("private_key_jwt", Method::PrivateKeyJwt),
    ("apple", Method::Apple),
];

const ID: Text<String> = Text { what: "1 to 512 printable ASCII characters", pattern: None, parse: id };
const NAME: Text<String> = Text { what: "1 to 255 visible ASCII characters", pattern: None, parse: name };

pub(super) static CLIENT_ID: Entry<Text<String>> = Entry {
    path: "providers[].client_id",
    kind: ID,
    absent: Absent::Required("the client id that the provider issued"),
    doc: "The client id that the provider issued to Gatepass.",
};

pub(super) static AUDIENCES: Entry<List<Text<String>>> = Entry {
    path: "providers[].audiences",
    kind: List { least: 0, most: 16, item: ID, empty: None },
    absent: Absent::Default("[]"),
    doc: "Further client ids at this provider (type `oidc`), for ID tokens that an app obtained itself or that have \
          several audiences.",
};

pub(super) static NONCE: Entry<Choice<bool>> = Entry {
    path: "providers[].nonce",
    kind: Choice(|| vec![("required", false), ("optional", true)]),
    absent: Absent::Default("required"),
    doc: "The rule for the nonce of an ID token that an app got by itself (type `oidc`). With `optional`, one without a nonce is \
          accepted for 10 minutes, and only if the call has no nonce either.",
};

static METHOD: Entry<Choice<Method>> = Entry {
    path: "providers[].token_endpoint_auth_method",
    kind: Choice(|| METHODS.to_vec()),
    absent: Absent::Means("`client_secret_basic` with a secret, else `none`"),
    doc: "The method by which Gatepass authenticates at the token endpoint.",
};

static CLIENT_SECRET: Entry<Secret<SecretString>> = Entry {
    path: "providers[].client_secret",
    kind: Secret(Ok),
    absent: Absent::Means("none"),
    doc: "The client secret that the provider issued to Gatepass: a literal, `{env: NAME}` or `{file: PATH}`.",
};

static PRIVATE_KEY: Entry<Secret<SecretString>> = Entry {
    path: "providers[].private_key",
    kind: Secret(Ok),
    absent: Absent::Means("none"),
    doc: "For `private_key_jwt` and `apple`: a private key in PEM (P-256, P-384, Ed25519 or RSA; for Apple P-256).",
};

static KEY_ID: Entry<Text<String>> = Entry {
    path: "providers[].key_id",
    kind: NAME,
    absent: Absent::Means("none"),
    doc: "For `private_key_jwt` and `apple`: the `kid` of the private key.",
};

static TEAM_ID: Entry<Text<String>> = Entry {
    path: "providers[].team_id",
    kind: NAME,
    absent: Absent::Means("none"),
    doc: "For `apple`: the id of the team.",
};

pub(super) static ASSERTION_AUDIENCE: Entry<Choice<AssertionAudience>> = Entry {
    path: "providers[].client_assertion_audience",
    kind: Choice(|| {
        vec![("issuer", AssertionAudience::Issuer), ("token_endpoint", AssertionAudience::TokenEndpoint)]
    }),
    absent: Absent::Default("issuer"),
    doc: "The audience of assertions of `private_key_jwt` (type `oidc`). Type `oauth2` always has the token endpoint.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![
        &CLIENT_ID,
        &AUDIENCES,
        &NONCE,
        &METHOD,
        &CLIENT_SECRET,
        &PRIVATE_KEY,
        &KEY_ID,
        &TEAM_ID,
        &ASSERTION_AUDIENCE,
    ]
}

/// Parses an id of RFC 6749 appendix A.1; spaces at its ends, which are hard to see, are rejected.
fn id(text: &str) -> Parsed<String> {
    if text.len() > 512 || text.trim() != text || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err("must have 1 to 512 printable ASCII characters, and no space at its ends".into());
    }
    Ok(text.to_owned())
}

/// Reads the method, and the secrets that it needs. The default with a secret is that of `OpenID` Connect Core section
/// 9.
pub(super) fn authentication(section: &mut Section) -> Option<ClientAuthentication> {
    let written = section.take(&METHOD).map(|setting| METHOD.kind.read(setting));
    let keys = Keys {
        secret: section.take(&CLIENT_SECRET),
        private_key: section.take(&PRIVATE_KEY),
        key_id: section.take(&KEY_ID),
        team_id: section.take(&TEAM_ID),
    };
    let method = match written {
        Some(method) => method?,
        None if keys.secret.is_some() => Method::Basic,
        None if keys.private_key.is_some() => {
            let message = "needs token_endpoint_auth_method: private_key_jwt beside it";
            return keys.private_key.and_then(|setting| setting.refuse(message));
        }
        None => Method::None,
    };
    keys.authentication(section, method)
}

/// The secrets that were written.
struct Keys<'a> {
    secret: Option<Setting<'a>>,
    private_key: Option<Setting<'a>>,
    key_id: Option<Setting<'a>>,
    team_id: Option<Setting<'a>>,
}

impl Keys<'_> {
    fn authentication(mut self, section: &Section, method: Method) -> Option<ClientAuthentication> {
        let answer = self.taken(section, method);
        for setting in [self.secret, self.private_key, self.key_id, self.team_id].into_iter().flatten() {
            let method = method.name();
            setting.refuse::<()>(format!(
                "has no effect with token_endpoint_auth_method {method}; remove one of the two"
            ));
        }
        answer
    }

    /// Takes the secrets that the method needs; the rest is left.
    fn taken(&mut self, section: &Section, method: Method) -> Option<ClientAuthentication> {
        Some(match method {
            Method::None => ClientAuthentication::None,
            Method::Basic => ClientAuthentication::Basic(self.secret(section, method)?),
            Method::Post => ClientAuthentication::Post(self.secret(section, method)?),
            Method::PrivateKeyJwt => {
                let private_key = self.private_key(section, method);
                let key_id = self.key_id.take().and_then(|setting| KEY_ID.kind.read(setting));
                ClientAuthentication::PrivateKeyJwt { private_key: private_key?, key_id }
            }
            Method::Apple => {
                let private_key = self.private_key(section, method);
                let key_id = needed(section, method, &KEY_ID, "the id of the key", self.key_id.take());
                let team_id = needed(section, method, &TEAM_ID, "the id of your team", self.team_id.take());
                ClientAuthentication::Apple { private_key: private_key?, key_id: key_id?, team_id: team_id? }
            }
        })
    }

    fn secret(&mut self, section: &Section, method: Method) -> Option<SecretString> {
        let wanted = "the one that the provider made for you";
        needed(section, method, &CLIENT_SECRET, wanted, self.secret.take())
    }

    /// Reads a private key, and checks that it is usable.
    fn private_key(&mut self, section: &Section, method: Method) -> Option<SecretString> {
        let wanted = "the private key, as {file: PATH}";
        let (cx, path) = (section.cx, section.path_of(PRIVATE_KEY.key()));
        let pem = needed(section, method, &PRIVATE_KEY, wanted, self.private_key.take())?;
        let refuse = |message: String| {
            cx.fault(&path, message);
            None
        };
        match SigningKey::from_pem(pem.expose_secret().as_bytes(), Algorithm::Rs256, "JWT") {
            Ok(key) if method == Method::Apple && key.algorithm() != Algorithm::Es256 => {
                refuse("must be a key of P-256, as Apple's are".to_owned())
            }
            Ok(_) => Some(pem),
            Err(fault) => refuse(format!("is {fault}")),
        }
    }
}

impl Method {
    fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("", |(name, _)| name)
    }
}

/// Returns the value of a setting that the method requires.
fn needed<K: Kind>(
    section: &Section,
    method: Method,
    entry: &Entry<K>,
    wanted: &str,
    setting: Option<Setting>,
) -> Option<K::Value> {
    let Some(setting) = setting else {
        let (key, method) = (entry.key(), method.name());
        let message = format!("has no {key}, which token_endpoint_auth_method {method} needs; give {wanted}");
        section.cx.fault(&section.path, message);
        return None;
    };
    entry.kind.read(setting)
}

/// Parses the name of a key or a team, which becomes part of a JWT header.
fn name(text: &str) -> Parsed<String> {
    if text.len() > 255 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("must have 1 to 255 visible ASCII characters, without spaces".into());
    }
    Ok(text.to_owned())
}
