//! The sealed form of a flow: JSON with short names, to save space, and with its version.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::auth::error::{Error, Result};
use crate::auth::sign_in::flow::{Flow, ProviderFlow};
use crate::model::{ClaimMap, Timestamp};
use crate::oauth::Asked;

/// The version of the record of a sign-in at a provider. Records without a version have the same form: they are older
/// than the version field. An older replica ignores the version and opens the record, too.
const PROVIDER: u8 = 1;

/// The field that holds the version of a record.
#[derive(Deserialize)]
struct Tag {
    #[serde(default = "unversioned")]
    f: u8,
}

fn unversioned() -> u8 {
    PROVIDER
}

/// A sign-in at a provider.
#[derive(Serialize, Deserialize)]
struct ProviderRecord {
    #[serde(default = "unversioned")]
    f: u8,
    i: String,
    p: String,
    v: String,
    n: String,
    s: String,
    u: String,
    t: String,
    l: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<u64>,
    #[serde(default, skip_serializing_if = "ClaimMap::is_empty")]
    d: ClaimMap,
    e: i64,
}

/// Encodes a flow for sealing.
pub(in crate::auth::sign_in) fn encode(flow: &Flow) -> Result<Vec<u8>> {
    let json = match flow {
        Flow::Provider(flow) => serde_json::to_vec(&provider_record(flow)),
    };
    json.map_err(|error| Error::Internal(error.to_string()))
}

/// Decodes an opened flow; returns `None` if its version is unknown.
pub(in crate::auth::sign_in) fn decode(json: &[u8]) -> Option<Flow> {
    let tag: Tag = serde_json::from_slice(json).ok()?;
    match tag.f {
        PROVIDER => provider_flow(serde_json::from_slice(json).ok()?).map(Flow::Provider),
        _ => None,
    }
}

fn provider_record(flow: &ProviderFlow) -> ProviderRecord {
    ProviderRecord {
        f: PROVIDER,
        i: URL_SAFE_NO_PAD.encode(flow.id),
        p: flow.provider.to_string(),
        v: flow.code_verifier.expose_secret().to_owned(),
        n: flow.nonce.expose_secret().to_owned(),
        s: URL_SAFE_NO_PAD.encode(flow.state_digest),
        u: flow.redirect_uri.clone(),
        t: flow.redirect_to.clone(),
        l: flow.link.as_ref().map(ToString::to_string),
        c: flow.asked.scope.clone(),
        a: flow.asked.max_age.map(|max_age| max_age.as_secs()),
        d: flow.app_data.clone(),
        e: flow.expires_at.millis(),
    }
}

fn provider_flow(record: ProviderRecord) -> Option<ProviderFlow> {
    Some(ProviderFlow {
        id: bytes(&record.i)?,
        provider: record.p.parse().ok()?,
        code_verifier: record.v.into(),
        nonce: record.n.into(),
        state_digest: bytes(&record.s)?,
        redirect_uri: record.u,
        redirect_to: record.t,
        link: record.l.map(|id| id.parse()).transpose().ok()?,
        asked: Asked { scope: record.c, max_age: record.a.map(Duration::from_secs) },
        app_data: record.d,
        expires_at: Timestamp(record.e),
    })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record from before records had a version.
    const UNVERSIONED: &str = r#"{"i":"AAECAwQFBgcICQoLDA0ODw","p":"github","v":"verifier","n":"nonce","s":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","u":"https://app.example/auth/callback/github","t":"/after","l":"0190163d-8694-739b-80cf-f63a7d4c5f6a","c":"read:user","a":3600,"e":1767225600000}"#;

    fn decode_text(json: &str) -> Option<ProviderFlow> {
        decode(json.as_bytes()).map(|Flow::Provider(flow)| flow)
    }

    #[test]
    fn a_flow_from_before_there_were_versions_opens() {
        let flow = decode_text(UNVERSIONED).unwrap();
        assert_eq!(flow.id, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!(flow.provider.as_str(), "github");
        assert_eq!(flow.code_verifier.expose_secret(), "verifier");
        assert_eq!(flow.nonce.expose_secret(), "nonce");
        assert_eq!(flow.state_digest, [7; 32]);
        assert_eq!(flow.redirect_uri, "https://app.example/auth/callback/github");
        assert_eq!(flow.redirect_to, "/after");
        assert_eq!(flow.link.unwrap().to_string(), "0190163d-8694-739b-80cf-f63a7d4c5f6a");
        assert_eq!(flow.asked.scope.as_deref(), Some("read:user"));
        assert_eq!(flow.asked.max_age, Some(Duration::from_hours(1)));
        assert_eq!(flow.expires_at, Timestamp(1_767_225_600_000));
        let least = r#"{"i":"AAECAwQFBgcICQoLDA0ODw","p":"github","v":"","n":"","s":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","u":"","t":"","l":null,"e":0}"#;
        let flow = decode_text(least).unwrap();
        assert_eq!((flow.link, flow.asked.scope, flow.asked.max_age), (None, None, None));
    }

    #[test]
    fn a_flow_is_sealed_with_its_version_and_is_otherwise_as_before() {
        let flow = decode(UNVERSIONED.as_bytes()).unwrap();
        let sealed = String::from_utf8(encode(&flow).unwrap()).unwrap();
        assert_eq!(sealed, UNVERSIONED.replacen('{', r#"{"f":1,"#, 1));
        assert_eq!(decode_text(&sealed).unwrap().id, decode_text(UNVERSIONED).unwrap().id);
    }

    #[test]
    fn a_flow_of_an_unknown_version_does_not_open() {
        for version in ["0", "2", "255", "256", "-1", "\"1\"", "null"] {
            let json = UNVERSIONED.replacen('{', &format!(r#"{{"f":{version},"#), 1);
            assert!(decode_text(&json).is_none(), "{version}");
        }
        for json in ["", "{}", "[]", r#"{"f":1}"#, r#"{"f":1,"f":1}"#] {
            assert!(decode_text(json).is_none(), "{json}");
        }
    }
}
