//! A flow: what must be known when a browser comes back from a provider. It is sealed and kept by the browser itself, so
//! that beginning a sign-in writes nothing; `state` ties the answer to it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::model::{Entropy, ProviderId, SessionId, Timestamp, UsedMark, random, sha256};
use crate::oauth::Asked;

/// How long a flow can be used.
pub(in crate::auth) const FLOW_TTL: Duration = Duration::from_mins(15);

/// The most bytes of a flow's text: browsers keep cookies of up to 4 KiB, name and attributes included.
pub(in crate::auth) const MAX_FLOW_BYTES: usize = 3500;

/// How much of `state` names the cookie: characters that tell flows apart and prove nothing.
const STATE_IN_COOKIE: usize = 16;

/// A sign-in under way.
pub(in crate::auth) struct Flow {
    /// What it is marked by when it is used.
    pub(in crate::auth) id: [u8; 16],
    pub(in crate::auth) provider: ProviderId,
    /// RFC 7636 section 4.1: 256 bits.
    pub(in crate::auth) code_verifier: SecretString,
    pub(in crate::auth) nonce: SecretString,
    /// SHA-256 of `state`.
    state_digest: [u8; 32],
    pub(in crate::auth) redirect_uri: String,
    /// Where the person wants to go; empty: nowhere in particular.
    pub(in crate::auth) redirect_to: String,
    /// Whose session the new account is linked from.
    pub(in crate::auth) link: Option<SessionId>,
    /// What the provider was asked, beyond what is asked always.
    pub(in crate::auth) asked: Asked,
    pub(in crate::auth) expires_at: Timestamp,
}

/// As it is sealed; short names, for the size's sake.
#[derive(Serialize, Deserialize)]
struct Record {
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
    e: i64,
}

/// The name of the cookie that keeps the flow of this `state`: a backend finds it again by the `state` that comes back.
pub(in crate::auth) fn cookie_name(state: &SecretString) -> String {
    let state = state.expose_secret();
    format!("gatepass_flow_{}", &state[..STATE_IN_COOKIE.min(state.len())])
}

impl Flow {
    /// A new flow, and its `state`, which stays with nobody but the provider and the browser.
    pub(in crate::auth) fn begin(
        entropy: &dyn Entropy,
        provider: ProviderId,
        redirect_uri: String,
        redirect_to: String,
        link: Option<SessionId>,
        now: Timestamp,
    ) -> (Self, SecretString) {
        let id: [u8; 16] = random(entropy);
        let proof: [u8; 32] = random(entropy);
        let state = URL_SAFE_NO_PAD.encode([&id[..], &proof].concat());
        let flow = Self {
            id,
            provider,
            code_verifier: secret(entropy),
            nonce: secret(entropy),
            state_digest: sha256(state.as_bytes()),
            redirect_uri,
            redirect_to,
            link,
            asked: Asked::default(),
            expires_at: now.plus(FLOW_TTL),
        };
        (flow, state.into())
    }

    /// Refuses a flow that is over.
    pub(in crate::auth) fn check_time(&self, now: Timestamp) -> Result<()> {
        if now < self.expires_at { Ok(()) } else { Err(Error::FlowExpired) }
    }

    /// Refuses the `state` of another flow.
    pub(in crate::auth) fn check_state(&self, state: &str) -> Result<()> {
        let same = bool::from(sha256(state.as_bytes()).ct_eq(&self.state_digest));
        if same { Ok(()) } else { Err(Error::StateMismatch) }
    }

    /// That it was used.
    pub(in crate::auth) fn used(&self) -> UsedMark {
        UsedMark::of_flow(&self.id, self.expires_at)
    }

    fn record(&self) -> Record {
        Record {
            i: URL_SAFE_NO_PAD.encode(self.id),
            p: self.provider.to_string(),
            v: self.code_verifier.expose_secret().to_owned(),
            n: self.nonce.expose_secret().to_owned(),
            s: URL_SAFE_NO_PAD.encode(self.state_digest),
            u: self.redirect_uri.clone(),
            t: self.redirect_to.clone(),
            l: self.link.as_ref().map(ToString::to_string),
            c: self.asked.scope.clone(),
            a: self.asked.max_age.map(|max_age| max_age.as_secs()),
            e: self.expires_at.millis(),
        }
    }

    fn of_record(record: Record) -> Option<Self> {
        Some(Self {
            id: bytes(&record.i)?,
            provider: record.p.parse().ok()?,
            code_verifier: record.v.into(),
            nonce: record.n.into(),
            state_digest: bytes(&record.s)?,
            redirect_uri: record.u,
            redirect_to: record.t,
            link: record.l.map(|id| id.parse()).transpose().ok()?,
            asked: Asked { scope: record.c, max_age: record.a.map(Duration::from_secs) },
            expires_at: Timestamp(record.e),
        })
    }
}

/// 256 random bits as text.
fn secret(entropy: &dyn Entropy) -> SecretString {
    URL_SAFE_NO_PAD.encode(random::<32>(entropy)).into()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

impl Auth {
    /// Seals a flow for a group of callers. Where it is too large for a cookie, it forgets where the person wanted to go, and then
    /// which scopes were asked: those of the settings stand for them where the provider does not tell. Whatever is proven by is
    /// never forgotten.
    pub(in crate::auth) fn seal_flow(&self, group: &str, mut flow: Flow) -> Result<String> {
        let seal = |flow: &Flow| {
            let json =
                serde_json::to_vec(&flow.record()).map_err(|error| Error::Internal(error.to_string()))?;
            let sealed = self.parts.secrets.seal_flow(&*self.parts.entropy, group, &json);
            Ok::<_, Error>(URL_SAFE_NO_PAD.encode(sealed))
        };
        let text = seal(&flow)?;
        if text.len() <= MAX_FLOW_BYTES {
            return Ok(text);
        }
        flow.redirect_to = String::new();
        let text = seal(&flow)?;
        if text.len() <= MAX_FLOW_BYTES {
            return Ok(text);
        }
        flow.asked.scope = None;
        seal(&flow)
    }

    /// Opens a flow that this group of callers began, and that is not over.
    pub(in crate::auth) fn open_flow(&self, group: &str, text: &str) -> Result<Flow> {
        let flow = self.unseal_flow(group, text)?;
        flow.check_time(self.now())?;
        Ok(flow)
    }

    /// Opens a flow that this group of callers began; it may be over.
    pub(in crate::auth) fn unseal_flow(&self, group: &str, text: &str) -> Result<Flow> {
        if text.len() > MAX_FLOW_BYTES {
            return Err(Error::FlowInvalid);
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::FlowInvalid)?;
        let json = self.parts.secrets.open_flow(group, &sealed).ok_or(Error::FlowInvalid)?;
        let record = serde_json::from_slice(&json).ok();
        record.and_then(Flow::of_record).ok_or(Error::FlowInvalid)
    }
}
