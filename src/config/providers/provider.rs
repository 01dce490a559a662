//! The list of providers, and the settings that all types share.

use super::parameters::Asked;
use super::people::{self, People};
use super::{addresses, client, kind, parameters, preset, profile};
use crate::auth::SyncRules;
use crate::callbacks::ProfileRules;
use crate::config::entry::{
    Absent, AnyEntry, Authorities, Described as _, Entry, Flag, Items, List, Span, Text,
};
use crate::config::outbound::Outbound;
use crate::config::reader::Section;
use crate::model::ProviderId;
use crate::oauth::{ClientAuthentication, Settings};
use std::sync::Arc;
use std::time::Duration;

/// The maximum number of providers.
const MOST: usize = 64;

static PROVIDERS: Entry<Items> = Entry {
    path: "providers",
    kind: Items(Some(MOST)),
    absent: Absent::Default("[]"),
    doc: "The identity providers. Presets, keys and mappings are in `docs/providers.md`.",
};

static ID: Entry<Text<ProviderId>> = Entry {
    path: "providers[].id",
    kind: Text {
        what: "id of a provider",
        pattern: Some("^[a-z0-9][a-z0-9_-]{0,63}$"),
        parse: |text| text.parse::<ProviderId>().map_err(Into::into),
    },
    absent: Absent::Required("its id, as used in accounts and calls"),
    doc: "The `provider` of accounts. It is part of each identity, so never change it.",
};

static REDIRECT_URIS: Entry<List<Text<String>>> = Entry {
    path: "providers[].redirect_uris",
    kind: List {
        least: 0,
        most: 64,
        item: Text { what: "URI", pattern: None, parse: addresses::redirect_uri },
        empty: None,
    },
    absent: Absent::Default("[]"),
    doc: "The redirect URIs, each exactly as registered at the provider: https, http on loopback, or an app's own \
          scheme; no fragment.",
};

static LINK_BY_VERIFIED_EMAIL: Entry<Flag> = Entry {
    path: "providers[].link_by_verified_email",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "Lets an unknown account of this provider sign in the user with the same verified e-mail address.",
};

static CA: Entry<Authorities> = Entry {
    path: "providers[].ca",
    kind: Authorities,
    absent: Absent::Means("`outbound.ca`, else the public authorities"),
    doc: "The PEM file of the authorities that sign the certificate of the provider.",
};

static PLAINTEXT: Entry<Flag> = Entry {
    path: "providers[].plaintext",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "True if requests to http addresses of the provider may leave this machine: only to private addresses, and never \
          through the proxy. The page that browsers open must still be https.",
};

static TIMEOUT: Entry<Span> = Entry {
    path: "providers[].timeout",
    kind: Span(Duration::from_millis(100)..=Duration::from_secs(30)),
    absent: Absent::Default("8s"),
    doc: "The longest total time for all responses of the provider during one call.",
};

pub(in crate::config) fn entries() -> Vec<AnyEntry> {
    let mut entries: Vec<AnyEntry> = vec![&PROVIDERS, &ID];
    entries.extend(preset::entries());
    entries.extend(kind::entries());
    entries.extend(client::entries());
    entries.extend(parameters::entries());
    entries.push(&REDIRECT_URIS);
    entries.extend(profile::entries());
    entries.extend(people::entries());
    entries.extend([&LINK_BY_VERIFIED_EMAIL as AnyEntry, &CA, &PLAINTEXT, &TIMEOUT]);
    entries
}

/// A provider, and its rules for sign-ins.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The settings of the connection.
    pub settings: Settings,
    /// The redirect URIs, each as the provider knows it.
    pub redirect_uris: Vec<String>,
    /// True if an unknown account signs in the user whose e-mail address the provider verified.
    pub link_by_verified_email: bool,
    /// The rules by which a known user follows its profile.
    pub sync: SyncRules,
    /// The claims that are left out last of a profile that is too large.
    pub keep_claims: Vec<String>,
}

/// The settings of other sections that apply to every provider.
pub(in crate::config) struct Common<'a> {
    /// The tolerated clock skew.
    pub(in crate::config) clock_leeway: Duration,
    pub(in crate::config) outbound: &'a Outbound,
}

/// Reads all providers.
pub(in crate::config) fn read(root: &mut Section, common: &Common) -> Vec<Provider> {
    let cx = root.cx;
    let items = root.items(&PROVIDERS);
    if items.len() > MOST {
        cx.fault("providers", format!("must have at most {MOST} entries, not {}", items.len()));
        return Vec::new();
    }
    let mut providers: Vec<Provider> = Vec::with_capacity(items.len());
    for item in items {
        let path = item.path.clone();
        let read = preset::lay(item).and_then(|item| item.section(|section| provider(section, common)));
        if let Some(provider) = read.flatten() {
            if providers.iter().any(|other| other.settings.id == provider.settings.id) {
                cx.fault(&format!("{path}.id"), "another provider has this id; give each its own");
            }
            providers.push(provider);
        }
    }
    providers
}

fn provider(section: &mut Section, common: &Common) -> Option<Provider> {
    let id = section.get(&ID);
    preset::read(section);
    let kind = kind::read(section);
    let client_id = section.get(&client::CLIENT_ID);
    let audiences = kind::of_oidc(section, kind, &client::AUDIENCES);
    let nonce_is_optional = kind::of_oidc(section, kind, &client::NONCE);
    let client_authentication = client::authentication(section);
    let client_assertion_audience = kind::of_oidc(section, kind, &client::ASSERTION_AUDIENCE);
    let plaintext = section.get(&PLAINTEXT)?;
    let endpoints = kind.and_then(|kind| kind::endpoints(section, kind));
    if endpoints.as_ref().is_some_and(|endpoints| !endpoints.pkce)
        && matches!(client_authentication, Some(ClientAuthentication::None))
    {
        let path = section.path_of("pkce");
        section.cx.fault(&path, "must be true without a client_secret: nothing else would protect a code");
    }
    if let Some(endpoints) = endpoints.as_ref().filter(|_| !plaintext) {
        kind::refuse_plaintext(section, endpoints);
    }
    let redirect_uris = section.get(&REDIRECT_URIS)?;
    let asked = parameters::read(section, kind, &redirect_uris);
    let profile = profile::read(section, kind);
    let link_by_verified_email = section.get(&LINK_BY_VERIFIED_EMAIL)?;
    if let Some(rules) = profile.as_ref().filter(|_| link_by_verified_email) {
        e_mails_are_verified(section, rules);
    }
    let people = people::read(section);
    let ca = section.get(&CA).or_else(|| common.outbound.ca.clone());
    let timeout = section.get(&TIMEOUT)?;
    let (endpoints, Asked { scopes, authorization_params, response_mode }) = (endpoints?, asked?);
    let settings = Settings {
        id: id?,
        kind: endpoints.kind,
        client_id: client_id?,
        audiences: audiences?,
        nonce_is_optional: nonce_is_optional?,
        client_authentication: client_authentication?,
        client_assertion_audience: client_assertion_audience?,
        scopes,
        authorization_url: endpoints.authorization_url,
        token_url: endpoints.token_url,
        userinfo_url: endpoints.userinfo_url,
        userinfo_request: endpoints.userinfo_request,
        emails_url: endpoints.emails_url,
        pkce: endpoints.pkce,
        authorization_params,
        response_mode,
        profile: Arc::new(profile?),
        ca,
        plaintext,
        proxy: common.outbound.proxy.clone(),
        timeout,
        clock_leeway: common.clock_leeway,
    };
    let People { sync, keep_claims } = people?;
    Some(Provider { settings, redirect_uris, link_by_verified_email, sync, keep_claims })
}

fn e_mails_are_verified(section: &Section, rules: &ProfileRules) {
    if rules.email.is_none() || rules.email_verified.is_none() {
        section.cx.fault(
            &section.path_of(LINK_BY_VERIFIED_EMAIL.key()),
            "has no effect, because the provider verifies no e-mail address; give profile.email and \
             profile.email_verified, or remove this",
        );
    }
}
