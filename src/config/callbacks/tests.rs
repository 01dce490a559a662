//! The accepted and rejected forms of `callbacks.remote`.

use crate::auth::{Callback, PerCallback};
use crate::config::OnFailure::{Allow, Deny};
use crate::config::Remote;
use crate::config::tests::{accepted, all_refused};
use crate::net::tls::ClientTlsFiles;
use std::path::PathBuf;
use std::time::Duration;

const ALL: &str = "callbacks: [sign_in, jwt, session, redirect]";

fn remote(keys: &str) -> Remote {
    accepted(&format!("callbacks: {{remote: {{{keys}}}}}"), &[]).callbacks.remote.unwrap()
}

fn millis(millis: [u64; 4]) -> PerCallback<Duration> {
    let [sign_in, jwt, session, redirect] = millis.map(Duration::from_millis);
    PerCallback { sign_in, jwt, session, redirect }
}

#[test]
fn a_url_and_callbacks_are_all_that_must_be_there() {
    for text in ["", "callbacks: {}", "callbacks:"] {
        assert!(accepted(text, &[]).callbacks.remote.is_none(), "{text}");
    }
    let Remote { callbacks, timeout, on_failure, tls, credential, shadow, session_cache_ttl, address } =
        remote("url: 'https://rules.example', callbacks: [jwt]");
    assert!(address.is_encrypted());
    assert_eq!((callbacks, timeout), (vec![Callback::Jwt], millis([500; 4])));
    assert_eq!((on_failure, tls), (PerCallback::of(|_| Deny), ClientTlsFiles::default()));
    assert!(credential.is_none() && !shadow && session_cache_ttl.is_none());
}

#[test]
fn a_whole_section_is_read() {
    let read = remote(&format!(
        "url: 'https://rules.example:8443', {ALL}, timeout: {{sign_in: 2s, session: 100ms}}, \
         on_failure: {{session: allow, redirect: allow, jwt: deny}}, \
         tls: {{ca: ca.crt, cert: {{file: tls.crt}}, key: tls.key, domain_name: rules.internal}}, \
         credential: opensesame, shadow: true, session_cache_ttl: 5s"
    ));
    assert_eq!(read.timeout, millis([2000, 500, 100, 500]));
    assert_eq!(read.on_failure, PerCallback { sign_in: Deny, jwt: Deny, session: Allow, redirect: Allow });
    assert_eq!(read.tls.ca, Some(PathBuf::from("ca.crt")));
    assert_eq!(read.tls.identity, Some((PathBuf::from("tls.crt"), PathBuf::from("tls.key"))));
    assert_eq!(read.tls.domain_name.as_deref(), Some("rules.internal"));
    assert_eq!((read.shadow, read.session_cache_ttl), (true, Some(Duration::from_secs(5))));
    assert!(read.credential.is_some() && !format!("{read:?}").contains("opensesame"));
}

#[test]
fn one_value_is_for_all_callbacks() {
    let read =
        remote("url: 'http://127.0.0.1:1', callbacks: [session, redirect], timeout: 1s, on_failure: allow");
    assert_eq!(read.timeout, millis([1000; 4]));
    assert_eq!((read.on_failure.session, read.on_failure.redirect), (Allow, Allow));
    assert_eq!(remote(&format!("url: 'http://localhost', {ALL}, on_failure: deny")).on_failure.session, Deny);
}

#[test]
fn variables_override_it() {
    let yaml = format!("callbacks: {{remote: {{url: 'https://rules.example', {ALL}}}}}");
    let config = accepted(
        &yaml,
        &[
            ("GATEPASS_CALLBACKS__REMOTE__URL", "http://127.0.0.1:9000"),
            ("GATEPASS_CALLBACKS__REMOTE__CALLBACKS", "session,redirect"),
            ("GATEPASS_CALLBACKS__REMOTE__TIMEOUT", "{session: 50ms}"),
            ("GATEPASS_CALLBACKS__REMOTE__ON_FAILURE__SESSION", "allow"),
            ("GATEPASS_CALLBACKS__REMOTE__CREDENTIAL", "{env: RULES_KEY}"),
            ("RULES_KEY", "opensesame"),
        ],
    );
    let read = config.callbacks.remote.unwrap();
    assert!(read.address.is_loopback());
    assert_eq!(read.callbacks, [Callback::Session, Callback::Redirect]);
    assert_eq!(read.timeout, millis([500, 500, 50, 500]));
    assert_eq!((read.on_failure.session, read.on_failure.redirect), (Allow, Deny));
    assert!(read.credential.is_some());
}

#[test]
fn missing_keys_are_named() {
    all_refused(&[
        (
            "callbacks:\n  remote: {}",
            "g.yaml:2: callbacks.remote: has no url; give its address, https://HOST:PORT\n\
             g.yaml:2: callbacks.remote: has no callbacks; give the callbacks that it implements, a list of sign_in, jwt, \
             session and redirect",
        ),
        (
            "callbacks:\n  remote:\n    url: https://a.example\n    callbacks: []",
            "g.yaml:4: callbacks.remote.callbacks: must have 1 to 4 entries, not 0",
        ),
        (
            "callbacks:\n  remote:\n    url: https://a.example\n    callbacks: [jwt, jwt]",
            "g.yaml:4: callbacks.remote.callbacks[1]: given twice; keep one",
        ),
        (
            "callbacks:\n  remote:\n    url: https://a.example\n    callbacks: [signin]",
            "g.yaml:4: callbacks.remote.callbacks[0]: must be one of sign_in, jwt, session, redirect; did you mean \
             \"sign_in\"?",
        ),
        ("callbacks: {remote: x}", "g.yaml:1: callbacks.remote: must be a section of keys, not text"),
    ]);
}

/// Checks that each of these keys, beside a valid url and `callbacks`, is rejected with this message on the third line.
fn keys_refused(cases: &[(&str, &str)]) {
    for (keys, told) in cases {
        let yaml = format!("callbacks:\n  remote:\n    {{url: 'https://a.example', {ALL}, {keys}}}");
        all_refused(&[(&yaml, &format!("g.yaml:3: callbacks.remote.{told}"))]);
    }
}

#[test]
fn faults_of_values_say_what_to_write() {
    keys_refused(&[
        ("timeout: 5", "timeout: a duration needs its unit; write \"5s\" for seconds"),
        ("timeout: 2m", "timeout: must be from 10ms to 1m"),
        ("timeout: {jwt: 1ms}", "timeout.jwt: must be from 10ms to 1m"),
        ("timeout: {signin: 1s}", "timeout.signin: unknown key; did you mean \"sign_in\"?"),
        ("on_failure: open", "on_failure: must be one of deny, allow"),
        (
            "on_failure: allow",
            "on_failure: must not allow sign_in or jwt when the service fails; write {session: allow, \
             redirect: allow}",
        ),
        (
            "on_failure: {jwt: allow}",
            "on_failure.jwt: must not allow sign_in or jwt when the service fails; remove this",
        ),
        ("session_cache_ttl: 5m", "session_cache_ttl: must be from 100ms to 1m"),
        (
            "credential: 'Bearer x'",
            "credential: must be visible ASCII without spaces; leave out \"Bearer\", which Gatepass adds",
        ),
        ("credential: {env: NOT_SET}", "credential: the variable NOT_SET is not set"),
        ("plaintext: true", "plaintext: has no effect, since url is https; remove it"),
        (
            "tls: {cert: a.crt}",
            "tls.cert: has no key beside it; give the PEM file of its private key, or remove it",
        ),
        (
            "tls: {key: a.key}",
            "tls.key: has no cert beside it; give the PEM file of its certificate, or remove it",
        ),
        (
            "tls: {domain_name: 'a b'}",
            "tls.domain_name: must be a DNS name or an IP address in the service's certificate",
        ),
        (
            "breaker: 5",
            "breaker: unknown key; write one of url, callbacks, plaintext, tls, timeout, on_failure, session_cache_ttl, \
             credential, shadow",
        ),
    ]);
}

#[test]
fn settings_without_effect_are_rejected() {
    let beside = |callbacks: &str, keys: &str| {
        format!("callbacks: {{remote: {{url: 'https://a.example', callbacks: [{callbacks}], {keys}}}}}")
    };
    for (callbacks, keys, path, callback) in [
        ("jwt", "timeout: {session: 1s}", "timeout.session", "session"),
        ("jwt", "on_failure: {redirect: allow}", "on_failure.redirect", "redirect"),
        ("jwt", "session_cache_ttl: 1s", "session_cache_ttl", "session"),
    ] {
        let told = format!(
            "g.yaml:1: callbacks.remote.{path}: has no effect; add {callback} to callbacks.remote.callbacks, or remove this"
        );
        all_refused(&[(&beside(callbacks, keys), &told)]);
    }
}

#[test]
fn plaintext_beyond_loopback_is_rejected_for_callbacks() {
    let at = |url: &str, keys: &str| format!("callbacks: {{remote: {{url: '{url}', {ALL}{keys}}}}}");
    for url in ["http://127.0.0.1:9000", "http://localhost:9000", "http://[::1]:9000"] {
        accepted(&at(url, ""), &[]);
    }
    accepted(&at("http://rules:9000", ", plaintext: true, credential: opensesame"), &[]);
    let told = "g.yaml:1: callbacks.remote.url: would send personal data in plaintext; write https, or set \
                plaintext: true beside it if a mesh encrypts";
    all_refused(&[
        (&at("http://rules:9000", ""), told),
        (&at("http://10.0.0.1:9000", ", plaintext: false"), told),
        (
            &at("http://127.0.0.1:9000", ", tls: {ca: ca.crt}"),
            "g.yaml:1: callbacks.remote.tls: has no effect, since url is http; write https there, or remove this",
        ),
    ]);
    for url in ["rules:9000", "grpc://rules:9000", "https://user@rules", "https://rules/v1", "unix:///run/x"]
    {
        all_refused(&[(
            &at(url, ""),
            "g.yaml:1: callbacks.remote.url: must be an https URL of host and port alone; write \"https://HOST:PORT\"",
        )]);
    }
}
