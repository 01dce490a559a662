//! `providers`: who proves people to us, and how they are asked. Each is a section, laid over its preset if it has one;
//! what the types have in common is read here, the rest beside it.

mod addresses;
mod authorities;
mod client;
mod kind;
mod parameters;
mod preset;
mod profile;

#[cfg(test)]
mod tests;

use super::read::{Section, Setting};
use crate::callbacks::ProfileRules;
use crate::model::ProviderId;
use crate::oauth::{AssertionAudience, Settings};
use std::sync::Arc;
use std::time::Duration;

/// The most providers.
const MOST: usize = 64;
/// The most further clients of ours at one.
const MOST_AUDIENCES: usize = 16;
/// How long the answers of a provider may take.
const TIMEOUT: Duration = Duration::from_secs(8);

/// A provider, and what people may do with it.
#[derive(Debug, Clone)]
pub struct Provider {
    /// How it is asked, and what of its answer is which field of ours.
    pub settings: Settings,
    /// `redirect_uris`: where a browser may come back to, each as the provider knows it; 0 to 64. Default none.
    pub redirect_uris: Vec<String>,
    /// `link_by_verified_email`: whether an unknown account of it is that user's whose e-mail it verified. Default false.
    pub link_by_verified_email: bool,
}

/// `providers`; `clock_leeway` is how far their clocks may differ from ours.
pub(super) fn read(root: &mut Section, clock_leeway: Duration) -> Vec<Provider> {
    let cx = root.cx;
    let items = root.read("providers", Setting::list).unwrap_or_default();
    if items.len() > MOST {
        cx.fault("providers", format!("must have at most {MOST} entries, not {}", items.len()));
        return Vec::new();
    }
    let mut providers: Vec<Provider> = Vec::with_capacity(items.len());
    for item in items {
        let path = item.path.clone();
        let read = preset::lay(item).and_then(|item| item.section(|section| provider(section, clock_leeway)));
        if let Some(provider) = read.flatten() {
            if providers.iter().any(|other| other.settings.id == provider.settings.id) {
                cx.fault(&format!("{path}.id"), "another provider has this id; give each its own");
            }
            providers.push(provider);
        }
    }
    providers
}

fn provider(section: &mut Section, clock_leeway: Duration) -> Option<Provider> {
    let id = section.require("id", "its name, as accounts and callers know it", id);
    section.read("preset", preset::name);
    for key in ["tenant", "domain"] {
        if let Some(setting) = section.take(key) {
            setting.refuse::<()>("means nothing here: no address of this provider has it; remove it");
        }
    }
    let kind = kind::read(section);
    let client_id = section.require("client_id", "what it knows us by", client::id);
    let audiences = section.read("audiences", |s| s.distinct(0, MOST_AUDIENCES, client::id));
    let client_authentication = client::authentication(section);
    let client_assertion_audience =
        section.read("client_assertion_audience", |s| s.choice(&client::AUDIENCES));
    let endpoints = kind.and_then(|kind| kind::endpoints(section, kind));
    let scopes = parameters::scopes(section, kind);
    let authorization_params = section.read("authorization_params", |s| parameters::authorization(s, kind));
    let redirect_uris = section.read("redirect_uris", |s| s.distinct(0, 64, addresses::redirect_uri));
    let redirect_uris = redirect_uris.unwrap_or_default();
    let response_mode = parameters::response_mode(section, kind, &redirect_uris);
    let profile = profile::read(section, kind);
    let link_by_verified_email = section.read("link_by_verified_email", Setting::boolean).unwrap_or(false);
    if let Some(rules) = profile.as_ref().filter(|_| link_by_verified_email) {
        e_mails_are_verified(section, rules);
    }
    let ca = section.read("ca", authorities::file);
    let timeout =
        section.read("timeout", |s| s.duration(&(Duration::from_millis(100)..=Duration::from_secs(30))));
    let endpoints = endpoints?;
    let settings = Settings {
        id: id?,
        kind: endpoints.kind,
        client_id: client_id?,
        audiences: audiences.unwrap_or_default(),
        client_authentication: client_authentication?,
        client_assertion_audience: client_assertion_audience.unwrap_or(AssertionAudience::Issuer),
        scopes: scopes?,
        authorization_url: endpoints.authorization_url,
        token_url: endpoints.token_url,
        userinfo_url: endpoints.userinfo_url,
        authorization_params: authorization_params.unwrap_or_default(),
        response_mode,
        profile: Arc::new(profile?),
        ca,
        timeout: timeout.unwrap_or(TIMEOUT),
        clock_leeway,
    };
    Some(Provider { settings, redirect_uris, link_by_verified_email })
}

fn id(setting: Setting) -> Option<ProviderId> {
    match setting.text()?.parse() {
        Ok(id) => Some(id),
        Err(message) => setting.refuse::<ProviderId>(message),
    }
}

fn e_mails_are_verified(section: &Section, rules: &ProfileRules) {
    if rules.email.is_none() || rules.email_verified.is_none() {
        section.cx.fault(
            &section.path_of("link_by_verified_email"),
            "has no effect, since no e-mail of it counts as verified; give profile.email and profile.email_verified, or \
             remove this",
        );
    }
}
