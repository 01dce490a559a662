//! `type`: how a provider proves people, and the addresses that this takes.

use super::addresses;
use crate::config::read::Section;
use crate::oauth::{ProviderKind, Userinfo};
use url::Url;

/// `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    GitHub,
    Oidc,
    OAuth2,
}

const TYPES: [(&str, Type); 3] = [("github", Type::GitHub), ("oidc", Type::Oidc), ("oauth2", Type::OAuth2)];

const USERINFO: [(&str, Userinfo); 3] =
    [("when_needed", Userinfo::WhenNeeded), ("always", Userinfo::Always), ("never", Userinfo::Never)];

impl Type {
    const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::Oidc => "oidc",
            Self::OAuth2 => "oauth2",
        }
    }

    /// The keys of an address, of what is found at one, and of what only some types have: those that it has.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["enterprise_url"],
            Self::Oidc => &[
                "issuer",
                "authorization_url",
                "token_url",
                "userinfo_url",
                "jwks_url",
                "userinfo",
                "audiences",
                "client_assertion_audience",
            ],
            Self::OAuth2 => &["issuer", "authorization_url", "token_url", "userinfo_url"],
        }
    }
}

/// What a provider is, and where. An address that is none is found by discovery.
pub(super) struct Endpoints {
    pub(super) kind: ProviderKind,
    pub(super) authorization_url: Option<Url>,
    pub(super) token_url: Option<Url>,
    pub(super) userinfo_url: Option<Url>,
}

/// The type, and what is wrong with keys that it has no use for.
pub(super) fn read(section: &mut Section) -> Option<Type> {
    let kind = section.take("type");
    if kind.is_none() && section.cx.sound(&section.path_of("preset")) {
        section.cx.fault(
            &section.path,
            "has no type; give github, oidc or oauth2, or a preset, of which there are more (docs/providers.md)",
        );
    }
    let kind = kind.and_then(|setting| setting.choice(&TYPES));
    // Those of OAuth 2.0 are among the first.
    for &key in Type::Oidc.keys().iter().chain(Type::GitHub.keys()) {
        match kind {
            Some(kind) if kind.keys().contains(&key) => {}
            Some(kind) => {
                if let Some(setting) = section.take(key) {
                    setting.refuse::<()>(format!("means nothing for type {}; remove it", kind.name()));
                }
            }
            // Of what type it is can't be told: nor what these would mean.
            None => drop(section.take(key)),
        }
    }
    kind
}

/// The addresses of a provider of this type.
pub(super) fn endpoints(section: &mut Section, kind: Type) -> Option<Endpoints> {
    match kind {
        Type::GitHub => github(section),
        Type::Oidc => oidc(section),
        Type::OAuth2 => oauth2(section),
    }
}

fn oidc(section: &mut Section) -> Option<Endpoints> {
    let wanted = "its issuer: the URL that its .well-known/openid-configuration is under";
    let issuer = section.require("issuer", wanted, addresses::issuer);
    let [authorization_url, token_url, userinfo_url, jwks_url] =
        ["authorization_url", "token_url", "userinfo_url", "jwks_url"]
            .map(|key| section.read(key, addresses::endpoint));
    let userinfo = section.read("userinfo", |s| s.choice(&USERINFO)).unwrap_or(Userinfo::WhenNeeded);
    if userinfo == Userinfo::Never && userinfo_url.is_some() {
        section.cx.fault(&section.path_of("userinfo_url"), "has no effect with userinfo: never; remove it");
    }
    let kind = ProviderKind::Oidc { issuer: issuer?, jwks_url, userinfo };
    Some(Endpoints { kind, authorization_url, token_url, userinfo_url })
}

fn oauth2(section: &mut Section) -> Option<Endpoints> {
    let issuer = section.read("issuer", addresses::issuer);
    let authorization_url =
        section.require("authorization_url", "the page that browsers are sent to", addresses::endpoint);
    let token_url = section.require("token_url", "where codes are redeemed", addresses::endpoint);
    let userinfo_url = section.require("userinfo_url", "where profiles are", addresses::endpoint);
    let issuer = issuer.or_else(|| Some(authorization_url.as_ref()?.origin().ascii_serialization()));
    Some(Endpoints {
        kind: ProviderKind::OAuth2 { issuer: issuer? },
        authorization_url,
        token_url,
        userinfo_url,
    })
}

fn github(section: &mut Section) -> Option<Endpoints> {
    let enterprise = section.take("enterprise_url");
    let home = match enterprise {
        Some(setting) => addresses::origin(setting)?,
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
    })
}
