//! `callbacks.remote`: a callback service, the callbacks that it implements, and the handling of its failures.

use super::tls;
use crate::auth::{Callback, PerCallback};
use crate::config::entry::{
    Absent, AnyEntry, Choice, Described as _, EachCallback, Entry, Flag, Keys, List, Parsed,
    PerCallbackValue, Secret, Span, Text,
};
use crate::config::reader::Section;
use crate::grpc::callback_client::Credential;
use crate::net::Target as Address;
use crate::net::tls::ClientTlsFiles;
use secrecy::SecretString;
use std::time::Duration;

pub(super) static REMOTE: Entry<Keys> = Entry {
    path: "callbacks.remote",
    kind: Keys,
    absent: Absent::Means("no service is called"),
    doc: "A gRPC service that implements some of the four callbacks.",
};

static URL: Entry<Text<Address>> = Entry {
    path: "callbacks.remote.url",
    kind: Text {
        what: "URL of host and port",
        pattern: Some("^[hH][tT][tT][pP][sS]?://[^/]+/?$"),
        parse: address,
    },
    absent: Absent::Required("its address, https://HOST:PORT"),
    doc: "The address of the callback service: `https://HOST:PORT`; `http` on loopback, or with `plaintext`.",
};

static CALLBACKS: Entry<List<Choice<Callback>>> = Entry {
    path: "callbacks.remote.callbacks",
    kind: List { least: 1, most: Callback::ALL.len(), item: Choice(names), empty: None },
    absent: Absent::Required(
        "the callbacks that it implements, a list of sign_in, jwt, session and redirect",
    ),
    doc: "The callbacks that the service implements.",
};

static PLAINTEXT: Entry<Flag> = Entry {
    path: "callbacks.remote.plaintext",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "Allows `http` to a service beyond loopback, because a mesh encrypts the connection.",
};

static TIMEOUT: Entry<EachCallback<Span>> = Entry {
    path: "callbacks.remote.timeout",
    kind: EachCallback(Span(Duration::from_millis(10)..=Duration::from_mins(1))),
    absent: Absent::Default("500ms"),
    doc: "The longest time that a response may take: one for all callbacks, or a section such as \
          `{sign_in: 2s, session: 100ms}`.",
};

static ON_FAILURE: Entry<EachCallback<Choice<OnFailure>>> = Entry {
    path: "callbacks.remote.on_failure",
    kind: EachCallback(Choice(|| vec![("deny", OnFailure::Deny), ("allow", OnFailure::Allow)])),
    absent: Absent::Default("deny"),
    doc: "The outcome of a call whose callback fails: `deny`, or `allow` to go on without it, for `session` and `redirect` \
          only. One for all callbacks, or a section.",
};

static SESSION_CACHE_TTL: Entry<Span> = Entry {
    path: "callbacks.remote.session_cache_ttl",
    kind: Span(Duration::from_millis(100)..=Duration::from_mins(1)),
    absent: Absent::Means("responses are not cached"),
    doc: "The time for which a response of `session` is cached.",
};

static CREDENTIAL: Entry<Secret<Credential>> = Entry {
    path: "callbacks.remote.credential",
    kind: Secret(credential),
    absent: Absent::Means("none is sent"),
    doc: "The credential that is sent as `authorization: Bearer …`: a literal, `{env: NAME}` or `{file: PATH}`.",
};

static SHADOW: Entry<Flag> = Entry {
    path: "callbacks.remote.shadow",
    kind: Flag,
    absent: Absent::Default("false"),
    doc: "Calls the service and logs where it differs, but ignores its decisions.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    let mut entries: Vec<AnyEntry> = vec![&REMOTE, &URL, &CALLBACKS, &PLAINTEXT];
    entries.extend(tls::entries());
    entries.extend([&TIMEOUT as AnyEntry, &ON_FAILURE, &SESSION_CACHE_TTL, &CREDENTIAL, &SHADOW]);
    entries
}

/// A callback service.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The address: https, or http on loopback or with `plaintext`.
    pub address: Address,
    /// The callbacks that the service implements.
    pub callbacks: Vec<Callback>,
    /// The longest time that a response may take.
    pub timeout: PerCallback<Duration>,
    /// The outcome of a call whose callback fails; `Allow` for `session` and `redirect` only.
    pub on_failure: PerCallback<OnFailure>,
    /// The authorities of the service's certificate, and the client certificate of Gatepass.
    pub tls: ClientTlsFiles,
    /// The credential that is sent.
    pub credential: Option<Credential>,
    /// True if the service runs in shadow mode: called, compared and logged, but not obeyed.
    pub shadow: bool,
    /// The time for which a response of `session` is cached.
    pub session_cache_ttl: Option<Duration>,
}

/// The outcome of a call whose callback fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// `deny`: the call fails.
    Deny,
    /// `allow`: the call continues as if the callback were not implemented.
    Allow,
}

pub(super) fn read(section: &mut Section) -> Option<Remote> {
    let address = section.get(&URL);
    let callbacks = section.get(&CALLBACKS);
    let plaintext = section.get(&PLAINTEXT)?;
    let tls = section.optional(&tls::TLS, |section| Some(tls::read(section)));
    if let Some(address) = &address {
        encryption(section, address, plaintext, tls.is_some());
    }
    let (timeout, on_failure) = (section.get(&TIMEOUT)?, section.get(&ON_FAILURE)?);
    let session_cache_ttl = section.get(&SESSION_CACHE_TTL);
    if let Some(asked) = &callbacks {
        effects(section, asked);
    }
    failures(section, callbacks.as_deref().unwrap_or_default(), &on_failure);
    let credential = section.get(&CREDENTIAL);
    let shadow = section.get(&SHADOW)?;
    Some(Remote {
        address: address?,
        callbacks: callbacks?,
        timeout: timeout.over(&section.default_of(&TIMEOUT)?)?,
        on_failure: on_failure.over(&section.default_of(&ON_FAILURE)?)?,
        tls: tls.unwrap_or_default(),
        credential,
        shadow,
        session_cache_ttl,
    })
}

fn names() -> Vec<(&'static str, Callback)> {
    Callback::ALL.map(|callback| (callback.name(), callback)).to_vec()
}

fn address(text: &str) -> Parsed<Address> {
    Address::parse(text)
        .ok_or_else(|| "must be an https URL of host and port alone; write \"https://HOST:PORT\"".into())
}

fn credential(secret: SecretString) -> Result<Credential, String> {
    Credential::bearer(&secret).ok_or_else(|| {
        "must be visible ASCII without spaces; leave out \"Bearer\", which Gatepass adds".to_owned()
    })
}

fn encryption(section: &Section, address: &Address, plaintext: bool, tls: bool) {
    let fault = |key: &str, message: &str| section.cx.fault(&section.path_of(key), message);
    if address.is_encrypted() {
        if plaintext {
            fault("plaintext", "has no effect, since url is https; remove it");
        }
        return;
    }
    if tls {
        fault("tls", "has no effect, since url is http; write https there, or remove this");
    } else if !address.is_loopback() && !plaintext && section.cx.sound(&section.path_of("plaintext")) {
        fault(
            "url",
            "would send personal data in plaintext; write https, or set plaintext: true beside it if a mesh \
             encrypts",
        );
    }
}

/// Rejects settings for a callback that the service does not implement.
fn effects(section: &Section, asked: &[Callback]) {
    let each = [&TIMEOUT as AnyEntry, &ON_FAILURE].into_iter().flat_map(|entry| {
        Callback::ALL.map(|callback| (format!("{}.{}", entry.key(), callback.name()), callback))
    });
    for (key, callback) in each.chain([(SESSION_CACHE_TTL.key().to_owned(), Callback::Session)]) {
        let path = section.path_of(&key);
        if section.cx.given(&path) && !asked.contains(&callback) {
            let name = callback.name();
            let message = format!("has no effect; add {name} to callbacks.remote.callbacks, or remove this");
            section.cx.fault(&path, message);
        }
    }
}

/// Rejects `allow` for a callback that decides who may sign in.
fn failures(section: &Section, asked: &[Callback], on_failure: &PerCallbackValue<OnFailure>) {
    let strict = |callback: &Callback| matches!(callback, Callback::SignIn | Callback::Jwt);
    let refuse = |path: &str, instead: &str| {
        let message = format!("must not allow sign_in or jwt when the service fails; {instead}");
        section.cx.fault(path, message);
    };
    let path = section.path_of(ON_FAILURE.key());
    match on_failure {
        PerCallbackValue::All(OnFailure::Allow) if asked.iter().any(strict) => {
            let lenient = asked.iter().filter(|callback| !strict(callback));
            let lenient: Vec<_> = lenient.map(|callback| format!("{}: allow", callback.name())).collect();
            let instead = match lenient.as_slice() {
                [] => "remove this".to_owned(),
                lenient => format!("write {{{}}}", lenient.join(", ")),
            };
            refuse(&path, &instead);
        }
        PerCallbackValue::All(_) => {}
        PerCallbackValue::Each(each) => {
            for callback in Callback::ALL {
                if strict(&callback) && *each.get(callback) == Some(OnFailure::Allow) {
                    refuse(&format!("{path}.{}", callback.name()), "remove this");
                }
            }
        }
    }
}
