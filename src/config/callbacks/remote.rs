//! `callbacks.remote`: a callback service, which callbacks it answers, and what becomes of a call where it does not.

use super::super::read::{Section, Setting};
use super::super::tree::Value;
use crate::auth::{Callback, PerCallback};
use crate::grpc::callback_client::Credential;
use crate::net::Target as Address;
use crate::net::tls::ClientTlsFiles;
use std::time::Duration;

const NAMES: [(&str, Callback); 4] = [
    ("sign_in", Callback::SignIn),
    ("jwt", Callback::Jwt),
    ("session", Callback::Session),
    ("redirect", Callback::Redirect),
];

/// A callback service.
#[derive(Debug, Clone)]
pub struct Remote {
    /// `url`: where it is, `https://HOST[:PORT]`; `http` on loopback, or with `plaintext`.
    pub address: Address,
    /// `callbacks`: those it is asked, one or more of `sign_in`, `jwt`, `session`, `redirect`.
    pub callbacks: Vec<Callback>,
    /// `timeout`: how long an answer may take, 10ms to 1m; one for all, or a section with one for some. Default 500ms.
    pub timeout: PerCallback<Duration>,
    /// `on_failure`: deny or allow, one for all or a section; `allow` for `session` and `redirect` only. Default deny.
    pub on_failure: PerCallback<OnFailure>,
    /// `tls`: whom to take for the service, and our own certificate. Default: the public authorities, and none.
    pub tls: ClientTlsFiles,
    /// `credential`: what is sent as `authorization: Bearer …`. Default none.
    pub credential: Option<Credential>,
    /// `shadow`: ask, compare and log, and obey nothing. Default false.
    pub shadow: bool,
    /// `session_cache_ttl`: how long an answer of `session` is remembered, 100ms to 1m. Default (`None`) not at all.
    pub session_cache_ttl: Option<Duration>,
}

/// What becomes of a call whose callback fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// `deny`: it fails.
    Deny,
    /// `allow`: it goes on as if the callback had nothing to say.
    Allow,
}

pub(super) fn read(setting: Setting) -> Option<Remote> {
    setting.section(remote).flatten()
}

fn remote(section: &mut Section) -> Option<Remote> {
    let address = section.require("url", "its address, https://HOST:PORT", address);
    let wanted = "the callbacks that it answers, a list of sign_in, jwt, session and redirect";
    let callbacks = section.require("callbacks", wanted, |s| s.distinct(1, 4, |item| item.choice(&NAMES)));
    let plaintext = section.read("plaintext", Setting::boolean);
    let tls = section.read("tls", |s| s.section(tls));
    if let Some(address) = &address {
        encryption(section, address, plaintext, tls.is_some());
    }
    let asked = callbacks.as_deref();
    let most = Duration::from_mins(1);
    let timeout = per_callback(section, "timeout", asked, Duration::from_millis(500), |_, s| {
        s.duration(&(Duration::from_millis(10)..=most))
    });
    let on_failure = per_callback(section, "on_failure", asked, OnFailure::Deny, |callback, s| {
        on_failure(callback, asked, s)
    });
    let session_cache_ttl =
        section.read("session_cache_ttl", |s| s.duration(&(Duration::from_millis(100)..=most)));
    if session_cache_ttl.is_some() && asked.is_some_and(|asked| !asked.contains(&Callback::Session)) {
        no_effect(section, "session_cache_ttl", Callback::Session);
    }
    let credential = section.read("credential", credential);
    let shadow = section.read("shadow", Setting::boolean).unwrap_or(false);
    Some(Remote {
        address: address?,
        callbacks: callbacks?,
        timeout,
        on_failure,
        tls: tls.unwrap_or_default(),
        credential,
        shadow,
        session_cache_ttl,
    })
}

fn address(setting: Setting) -> Option<Address> {
    let address = Address::parse(&setting.text()?);
    address.or_else(|| {
        setting.refuse("must be an https URL of host and port alone; write \"https://HOST:PORT\"")
    })
}

fn encryption(section: &Section, address: &Address, plaintext: Option<bool>, tls: bool) {
    let fault = |key: &str, message: &str| section.cx.fault(&section.path_of(key), message);
    if address.is_encrypted() {
        if plaintext == Some(true) {
            fault("plaintext", "has no effect, since url is https; remove it");
        }
        return;
    }
    if tls {
        fault("tls", "has no effect, since url is http; write https there, or remove this");
    } else if !address.is_loopback()
        && plaintext != Some(true)
        && section.cx.sound(&section.path_of("plaintext"))
    {
        fault(
            "url",
            "would tell other machines of people in plaintext; write https, or set plaintext: true beside it if a mesh \
             encrypts",
        );
    }
}

fn tls(section: &mut Section) -> ClientTlsFiles {
    let ca = section.read("ca", Setting::pem_file);
    let cert = section.take("cert");
    let key = section.take("key");
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => cert.pem_file().zip(key.pem_file()),
        (None, None) => None,
        (Some(alone), None) => {
            alone.refuse("has no key beside it; give the PEM file of its private key, or remove it")
        }
        (None, Some(alone)) => {
            alone.refuse("has no cert beside it; give the PEM file of its certificate, or remove it")
        }
    };
    let domain_name = section.read("domain_name", |setting| {
        let text = setting.text()?;
        if ClientTlsFiles::is_name(&text) {
            Some(text)
        } else {
            setting.refuse("must be a DNS name or an IP address in the service's certificate")
        }
    });
    ClientTlsFiles { ca, identity, domain_name }
}

fn credential(setting: Setting) -> Option<Credential> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let credential = Credential::bearer(&setting.secret()?);
    if credential.is_none() {
        cx.fault(&path, "must be visible ASCII without spaces; leave out \"Bearer\", which Gatepass adds");
    }
    credential
}

/// A setting that is one for all callbacks, or a section with one for some.
fn per_callback<T: Copy>(
    section: &mut Section,
    key: &'static str,
    asked: Option<&[Callback]>,
    default: T,
    mut read: impl FnMut(Option<Callback>, Setting) -> Option<T>,
) -> PerCallback<T> {
    let all = |value: T| PerCallback::of(|_| value);
    let written = section.take(key).and_then(|setting| setting.flow_if("{", "a section of callbacks"));
    let Some(setting) = written else { return all(default) };
    if !matches!(setting.value, Value::Map(_)) {
        return all(read(None, setting).unwrap_or(default));
    }
    let read = setting.section(|section| {
        PerCallback::of(|callback| {
            let name = callback.name();
            let Some(setting) = section.take(name) else { return default };
            if asked.is_some_and(|asked| !asked.contains(&callback)) {
                no_effect(section, name, callback);
            }
            read(Some(callback), setting).unwrap_or(default)
        })
    });
    read.unwrap_or(all(default))
}

fn no_effect(section: &Section, key: &str, callback: Callback) {
    let message =
        format!("has no effect; add {} to callbacks.remote.callbacks, or remove this", callback.name());
    section.cx.fault(&section.path_of(key), message);
}

fn on_failure(callback: Option<Callback>, asked: Option<&[Callback]>, setting: Setting) -> Option<OnFailure> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let written = setting.choice(&[("deny", OnFailure::Deny), ("allow", OnFailure::Allow)])?;
    let strict = |callback: Callback| matches!(callback, Callback::SignIn | Callback::Jwt);
    let covered: Vec<Callback> = callback.map_or_else(|| asked.unwrap_or_default().to_vec(), |one| vec![one]);
    if written == OnFailure::Deny || !covered.iter().copied().any(strict) {
        return Some(written);
    }
    let lenient: Vec<String> = covered
        .iter()
        .filter(|callback| !strict(**callback))
        .map(|callback| format!("{}: allow", callback.name()))
        .collect();
    let instead = if lenient.is_empty() {
        "remove this".to_owned()
    } else {
        format!("write {{{}}}", lenient.join(", "))
    };
    cx.fault(
        &path,
        format!("would let people in when the service fails: sign_in and jwt only deny; {instead}"),
    );
    None
}
