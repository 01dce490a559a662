//! `type`: the protocol of a provider, and the addresses that it needs.

use super::{addresses, client, userinfo};
use crate::config::entry::{Absent, AnyEntry, Choice, Described as _, Entry, Flag, Kind, Text};
use crate::config::reader::Section;
use crate::oauth::{ProviderKind, Userinfo, UserinfoRequest};
use url::Url;

/// `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    GitHub,
    Oidc,
    OAuth2,
}

const TYPES: [(&str, Type); 3] = [("github", Type::GitHub), ("oidc", Type::Oidc), ("oauth2", Type::OAuth2)];

const ENDPOINT: Text<Url> = Text { what: "URL", pattern: Some("^https?://"), parse: addresses::endpoint };

static TYPE: Entry<Choice<Type>> = Entry {
    path: "providers[].type",
    kind: Choice(|| TYPES.to_vec()),
    absent: Absent::Means("that of the preset; required without one"),
    doc: "The protocol by which the provider authenticates people.",
};

const PAGE: Text<Url> = Text { what: "URL", pattern: Some("^https?://"), parse: addresses::page };

static ISSUER: Entry<Text<String>> = Entry {
    path: "providers[].issuer",
    kind: Text { what: "URL", pattern: Some("^https?://"), parse: addresses::issuer },
    absent: Absent::Means(
        "that of the preset; required of `oidc`; of `oauth2` the origin of `authorization_url`",
    ),
    doc: "The issuer of the identities, which is part of each identity. Discovery starts from it.",
};

static AUTHORIZATION_URL: Entry<Text<Url>> = Entry {
    path: "providers[].authorization_url",
    kind: PAGE,
    absent: Absent::Means("of `oidc` by discovery; of `oauth2` required"),
    doc: "The authorization endpoint, to which browsers are redirected.",
};

static TOKEN_URL: Entry<Text<Url>> = Entry {
    path: "providers[].token_url",
    kind: ENDPOINT,
    absent: Absent::Means("of `oidc` by discovery; of `oauth2` required"),
    doc: "The endpoint that redeems codes.",
};

static USERINFO_URL: Entry<Text<Url>> = Entry {
    path: "providers[].userinfo_url",
    kind: ENDPOINT,
    absent: Absent::Means("of `oidc` by discovery; of `oauth2` required"),
    doc: "The endpoint that returns profiles.",
};

static JWKS_URL: Entry<Text<Url>> = Entry {
    path: "providers[].jwks_url",
    kind: ENDPOINT,
    absent: Absent::Means("by discovery"),
    doc: "The keys of the provider (type `oidc`).",
};

static DISCOVERY_URL: Entry<Text<Url>> = Entry {
    path: "providers[].discovery_url",
    kind: ENDPOINT,
    absent: Absent::Means("`/.well-known/openid-configuration` below `issuer`"),
    doc: "The discovery document (type `oidc`), if it is not below the issuer. It must name `issuer` exactly.",
};

static USERINFO: Entry<Choice<Userinfo>> = Entry {
    path: "providers[].userinfo",
    kind: Choice(|| {
        vec![("when_needed", Userinfo::WhenNeeded), ("always", Userinfo::Always), ("never", Userinfo::Never)]
    }),
    absent: Absent::Default("when_needed"),
    doc: "When the userinfo endpoint is called (type `oidc`): `when_needed`: if the ID token has no e-mail address.",
};

static ENTERPRISE_URL: Entry<Text<Url>> = Entry {
    path: "providers[].enterprise_url",
    kind: Text { what: "URL of a server", pattern: Some("^https?://"), parse: addresses::origin },
    absent: Absent::Means("`https://github.com`"),
    doc: "The address of GitHub Enterprise (type `github`).",
};

/// PKCE: with a provider of OpenID Connect the nonce would do the same.
static PKCE: Entry<Flag> = Entry {
    path: "providers[].pkce",
    kind: Flag,
    absent: Absent::Default("true"),
    doc: "True if requests have a `code_challenge` and a `code_verifier`. Type `oauth2` with a client secret may turn it off, \
          for a provider that refuses both together; a stolen code is then of use to its thief.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    let mut entries: Vec<AnyEntry> = vec![
        &TYPE,
        &ISSUER,
        &AUTHORIZATION_URL,
        &TOKEN_URL,
        &USERINFO_URL,
        &JWKS_URL,
        &DISCOVERY_URL,
        &USERINFO,
    ];
    entries.extend(userinfo::entries());
    entries.extend([&PKCE as AnyEntry, &ENTERPRISE_URL]);
    entries
}

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Oidc => "oidc",
            Self::OAuth2 => "oauth2",
        }
    }

    /// Returns the settings of this type, of those that only some types have.
    fn keys(self) -> Vec<AnyEntry> {
        match self {
            Self::GitHub => vec![&ENTERPRISE_URL],
            Self::Oidc => vec![
                &ISSUER,
                &AUTHORIZATION_URL,
                &TOKEN_URL,
                &USERINFO_URL,
                &JWKS_URL,
                &DISCOVERY_URL,
                &USERINFO,
                &userinfo::METHOD,
                &userinfo::HEADERS,
                &client::AUDIENCES,
                &client::ASSERTION_AUDIENCE,
            ],
            Self::OAuth2 => vec![
                &ISSUER,
                &AUTHORIZATION_URL,
                &TOKEN_URL,
                &USERINFO_URL,
                &userinfo::METHOD,
                &userinfo::HEADERS,
                &userinfo::EMAILS_URL,
                &PKCE,
            ],
        }
    }
}

/// The kind of a provider and its addresses. Discovery finds an address that is `None`.
pub(super) struct Endpoints {
    pub(super) kind: ProviderKind,
    pub(super) authorization_url: Option<Url>,
    pub(super) token_url: Option<Url>,
    pub(super) userinfo_url: Option<Url>,
    pub(super) userinfo_request: UserinfoRequest,
    pub(super) emails_url: Option<Url>,
    pub(super) pkce: bool,
}

/// Reads the type, and reports keys that the type does not use.
pub(super) fn read(section: &mut Section) -> Option<Type> {
    let kind = section.take(&TYPE);
    if kind.is_none() && section.cx.sound(&section.path_of("preset")) {
        section.cx.fault(
            &section.path,
            "has no type; give github, oidc or oauth2, or a preset (docs/providers.md)",
        );
    }
    let kind = kind.and_then(|setting| TYPE.kind.read(setting));
    for entry in [Type::Oidc, Type::OAuth2, Type::GitHub].into_iter().flat_map(Type::keys) {
        let own = |kind: Type| kind.keys().iter().any(|own| own.path() == entry.path());
        match kind {
            Some(kind) if own(kind) => {}
            Some(kind) => {
                if let Some(setting) = section.take(entry) {
                    setting.refuse::<()>(format!("has no effect for type {}; remove it", kind.name()));
                }
            }
            // The type is unknown, so the meaning of these keys is unknown, too.
            None => drop(section.take(entry)),
        }
    }
    kind
}

/// Returns the addresses of a provider of this type.
pub(super) fn endpoints(section: &mut Section, kind: Type) -> Option<Endpoints> {
    match kind {
        Type::GitHub => github(section),
        Type::Oidc => oidc(section),
        Type::OAuth2 => oauth2(section),
    }
}

fn userinfo_request(section: &mut Section) -> Option<UserinfoRequest> {
    let (method, headers) = (section.get(&userinfo::METHOD), section.get(&userinfo::HEADERS));
    Some(UserinfoRequest { method: method?, headers: headers? })
}

/// Returns the value of a setting of type `oidc`; other types have its default.
pub(super) fn of_oidc<K: Kind>(
    section: &mut Section,
    kind: Option<Type>,
    entry: &'static Entry<K>,
) -> Option<K::Value> {
    if kind == Some(Type::Oidc) { section.get(entry) } else { section.default_of(entry) }
}

/// Returns the value of a setting that this type requires.
fn needed<K: Kind>(section: &mut Section, entry: &'static Entry<K>, wanted: &str) -> Option<K::Value> {
    if !section.has(entry.key()) {
        section.cx.fault(&section.path, format!("has no {}; give {wanted}", entry.key()));
    }
    section.get(entry)
}

/// Rejects addresses that requests would reach in plaintext.
pub(super) fn refuse_plaintext(section: &Section, endpoints: &Endpoints) {
    let (issuer, discovery_url, jwks_url) = match &endpoints.kind {
        ProviderKind::Oidc { issuer, discovery_url, jwks_url, .. } => {
            (Url::parse(issuer).ok(), discovery_url.as_ref(), jwks_url.as_ref())
        }
        ProviderKind::OAuth2 { .. } | ProviderKind::GitHub { .. } => (None, None, None),
    };
    let urls: [(AnyEntry, Option<&Url>); 6] = [
        (&ISSUER, issuer.as_ref()),
        (&DISCOVERY_URL, discovery_url),
        (&JWKS_URL, jwks_url),
        (&TOKEN_URL, endpoints.token_url.as_ref()),
        (&USERINFO_URL, endpoints.userinfo_url.as_ref()),
        (&userinfo::EMAILS_URL, endpoints.emails_url.as_ref()),
    ];
    for (entry, url) in urls {
        if url.is_some_and(addresses::needs_plaintext) {
            section.cx.fault(&section.path_of(entry.key()), addresses::HTTPS);
        }
    }
}

fn oidc(section: &mut Section) -> Option<Endpoints> {
    let wanted = "its issuer: the URL that its .well-known/openid-configuration is under";
    let issuer = needed(section, &ISSUER, wanted);
    let authorization_url = section.get(&AUTHORIZATION_URL);
    let unused: [AnyEntry; 3] = [&USERINFO_URL, &userinfo::METHOD, &userinfo::HEADERS];
    let unused: Vec<_> = unused.into_iter().filter(|entry| section.has(entry.key())).collect();
    let (token_url, userinfo_url) = (section.get(&TOKEN_URL), section.get(&USERINFO_URL));
    let (jwks_url, discovery_url) = (section.get(&JWKS_URL), section.get(&DISCOVERY_URL));
    let userinfo_request = userinfo_request(section);
    let userinfo = section.get(&USERINFO)?;
    if userinfo == Userinfo::Never {
        for entry in unused {
            let path = section.path_of(entry.key());
            section.cx.fault(&path, "has no effect with userinfo: never; remove it");
        }
    }
    let kind = ProviderKind::Oidc { issuer: issuer?, discovery_url, jwks_url, userinfo };
    Some(Endpoints {
        kind,
        authorization_url,
        token_url,
        userinfo_url,
        userinfo_request: userinfo_request?,
        emails_url: None,
        pkce: true,
    })
}

fn oauth2(section: &mut Section) -> Option<Endpoints> {
    let issuer = section.get(&ISSUER);
    let authorization_url = needed(section, &AUTHORIZATION_URL, "the authorization endpoint");
    let token_url = needed(section, &TOKEN_URL, "the token endpoint");
    let userinfo_url = needed(section, &USERINFO_URL, "the userinfo endpoint");
    let userinfo_request = userinfo_request(section);
    let (emails_url, pkce) = (section.get(&userinfo::EMAILS_URL), section.get(&PKCE));
    let issuer = issuer.or_else(|| Some(authorization_url.as_ref()?.origin().ascii_serialization()));
    Some(Endpoints {
        kind: ProviderKind::OAuth2 { issuer: issuer? },
        authorization_url,
        token_url,
        userinfo_url,
        userinfo_request: userinfo_request?,
        emails_url,
        pkce: pkce?,
    })
}

fn github(section: &mut Section) -> Option<Endpoints> {
    let enterprise = section.take(&ENTERPRISE_URL);
    let home = match enterprise {
        Some(setting) => ENTERPRISE_URL.kind.read(setting)?,
        None => Url::parse("https://github.com").ok()?,
    };
    let api = match home.host_str()? {
        "github.com" => "https://api.github.com".to_owned(),
        // GitHub Enterprise Cloud with data residency.
        host if host.ends_with(".ghe.com") => format!("https://api.{host}"),
        _ => home.join("api/v3").ok()?.to_string(),
    };
    let issuer = home.origin().ascii_serialization();
    Some(Endpoints {
        kind: ProviderKind::GitHub { api: Url::parse(&api).ok()?, issuer },
        authorization_url: Some(home.join("login/oauth/authorize").ok()?),
        token_url: Some(home.join("login/oauth/access_token").ok()?),
        userinfo_url: None,
        userinfo_request: UserinfoRequest::default(),
        emails_url: None,
        pkce: true,
    })
}
