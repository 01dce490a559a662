//! Combinations that are unsafe or impossible although each value is valid. All are reported together. A check is
//! skipped if one of its values is already at fault, because the operator did not choose the default that replaces it.

use super::issuer;
use super::reader::Context;
use super::server::is_on_loopback;
use super::settings::Config;
use crate::model::suggest;
use std::net::SocketAddr;

pub(super) fn check(config: &Config, cx: &Context) {
    // Without the file the intended settings are unknown.
    if cx.sound("") {
        beyond_loopback(config, cx);
        client_certificates(config, cx);
        listeners_apart(config, cx);
        lifetimes(config, cx);
        shared_secrets(config, cx);
        keys(config, cx);
        declared_claims(config, cx);
    }
}

fn beyond_loopback(config: &Config, cx: &Context) {
    let open: Vec<&str> = config
        .server
        .listeners()
        .into_iter()
        .filter(|(path, addr)| cx.sound(path) && !is_on_loopback(*addr))
        .map(|(path, _)| path)
        .collect();
    let Some((first, others)) = open.split_first() else { return };
    let also = if others.is_empty() { String::new() } else { format!(" (as does {})", others.join(", ")) };
    let refuse = |message: &str| cx.fault(first, format!("listens beyond loopback{also} {message}"));
    if config.callers.is_empty() && cx.sound("callers") {
        refuse("without callers: anyone who reaches it could issue tokens; configure callers");
    }
    // TLS protects the gRPC port, which receives secrets; JWKS and probes have none, and the issuer must be https.
    let encrypted = config.server.plaintext || config.server.tls.is_some();
    if !encrypted && cx.sound("server.plaintext") && cx.sound("server.tls") {
        refuse(
            "without TLS; give server.tls a certificate, or set server.plaintext: true if a proxy or mesh before it \
             encrypts",
        );
    }
    if cx.sound("issuer") {
        if config.issuer == issuer::DEFAULT {
            refuse("with the default issuer; set issuer to the https URL that clients know it by");
        } else if config.issuer.starts_with("http:") {
            cx.fault("issuer", format!("must be https, since {first} listens beyond loopback{also}"));
        }
    }
}

fn client_certificates(config: &Config, cx: &Context) {
    let asked_for = config.server.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    if asked_for || !cx.sound("server.tls") || !cx.sound("callers") {
        return;
    }
    for (index, caller) in config.callers.iter().enumerate() {
        if !caller.mtls_san.is_empty() {
            cx.fault(
                &format!("callers[{index}].credential"),
                "has an mtls_san, but client certificates are not requested; set server.tls.client_ca to the \
                 PEM file of the authority that signs them",
            );
        }
    }
}

fn listeners_apart(config: &Config, cx: &Context) {
    let listeners = config.server.listeners();
    for (index, (path, addr)) in listeners.iter().enumerate() {
        for (other, taken) in &listeners[..index] {
            if clash(*addr, *taken) && cx.sound(path) && cx.sound(other) {
                // The default gives way in the report: the written setting is the one to change.
                let (path, other) = if cx.given(path) { (path, other) } else { (other, path) };
                cx.fault(path, format!("has the address of {other}; give each its own port"));
            }
        }
    }
}

/// Returns true if the second of two listeners could not be bound: the same port, and overlapping addresses.
fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let includes = |wide: SocketAddr, narrow: SocketAddr| {
        wide.ip() == narrow.ip() || wide.ip().is_unspecified() && (wide.is_ipv6() || narrow.is_ipv4())
    };
    a.port() != 0 && a.port() == b.port() && (includes(a, b) || includes(b, a))
}

fn lifetimes(config: &Config, cx: &Context) {
    let session = &config.session;
    let sound = |paths: [&str; 2]| paths.iter().all(|path| cx.sound(path));
    if session.idle_ttl > session.max_age && sound(["session.idle_ttl", "session.max_age"]) {
        cx.fault("session.idle_ttl", "must not be longer than session.max_age");
    }
    if session.stale_limit < session.max_staleness && sound(["session.stale_limit", "session.max_staleness"])
    {
        cx.fault("session.stale_limit", "must not be shorter than session.max_staleness");
    }
}

fn shared_secrets(config: &Config, cx: &Context) {
    let none = config.secrets.is_none() && cx.sound("secrets");
    if none && !config.database.is_sqlite() && cx.sound("database.url") {
        cx.fault(
            "secrets",
            "must be set to the same value on every replica if the database is a server; \
             `openssl rand -base64 32` makes one",
        );
    }
}

fn keys(config: &Config, cx: &Context) {
    if cx.given("tokens.key_rotation") && !config.tokens.signing_keys.is_empty() {
        cx.fault(
            "tokens.key_rotation",
            "has no effect beside tokens.signing_keys: Gatepass rotates only keys it made; keep one of the two",
        );
    }
}

/// Reports claims that the configuration sets, or lets clients set, and does not declare.
fn declared_claims(config: &Config, cx: &Context) {
    if config.claims.is_empty() || !cx.sound("claims") {
        return;
    }
    let known: Vec<&str> = config.claims.iter().map(|claim| claim.name.as_str()).collect();
    let check = |path: String, name: &str| {
        if known.contains(&name) {
            return;
        }
        let remedy = match suggest::nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "give its type there".to_owned(),
        };
        cx.fault(&path, format!("is not declared in claims; {remedy}"));
    };
    for (index, name) in config.session.update_allow.iter().enumerate() {
        check(format!("session.update_allow[{index}]"), name);
    }
    let cel = &config.callbacks.cel;
    for (callback, programs) in [("jwt", &cel.jwt), ("session", &cel.session)] {
        for (name, _) in programs {
            check(format!("callbacks.cel.{callback}.{name}"), name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_clash_on_one_port_and_an_address_that_includes_the_other() {
        let addr = |text: &str| -> SocketAddr { text.parse().unwrap() };
        for (a, b, clashing) in [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:1", "127.0.0.2:1", false),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("0.0.0.0:1", "[::1]:1", false),
            ("[::]:1", "127.0.0.1:1", true),
            ("[::]:1", "0.0.0.0:1", true),
        ] {
            assert_eq!((clash(addr(a), addr(b)), clash(addr(b), addr(a))), (clashing, clashing), "{a} {b}");
        }
    }
}
