//! A flow: the state that is needed when a browser comes back from a provider. It is sealed and the browser stores it,
//! so that beginning a sign-in writes nothing; `state` binds the response to it.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::auth::error::{Error, Result};
use crate::model::{ClaimMap, ProviderId, SessionId, Timestamp, UsedMark, sha256};
use crate::oauth::Asked;

/// The lifetime of a flow.
pub(super) const FLOW_TTL: Duration = Duration::from_mins(15);

/// The length of the part of `state` that names the cookie: it distinguishes flows and proves nothing.
const STATE_IN_COOKIE: usize = 16;

/// A sign-in in progress, by how it began.
pub(super) enum Flow {
    /// The sign-in is at a provider's page.
    Provider(ProviderFlow),
}

/// A sign-in at a provider's page.
pub(super) struct ProviderFlow {
    /// The id that is marked when the flow is used.
    pub(super) id: [u8; 16],
    pub(super) provider: ProviderId,
    /// RFC 7636 section 4.1: 256 bits.
    pub(super) code_verifier: SecretString,
    pub(super) nonce: SecretString,
    /// SHA-256 of `state`.
    pub(super) state_digest: [u8; 32],
    pub(super) redirect_uri: String,
    /// The URL that the person requested; empty if none.
    pub(super) redirect_to: String,
    /// The session that the new account is linked from.
    pub(super) link: Option<SessionId>,
    /// The scopes and the age that the provider was asked for.
    pub(super) asked: Asked,
    /// Data of the application for the callbacks; empty if none.
    pub(super) app_data: ClaimMap,
    pub(super) expires_at: Timestamp,
}

/// Returns the name of the cookie that stores the flow of this `state`. A backend finds the cookie by the `state` that
/// comes back.
pub(super) fn cookie_name(state: &SecretString) -> String {
    let state = state.expose_secret();
    format!("gatepass_flow_{}", &state[..STATE_IN_COOKIE.min(state.len())])
}

impl ProviderFlow {
    /// Rejects an expired flow.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<()> {
        if now < self.expires_at { Ok(()) } else { Err(Error::FlowExpired) }
    }

    /// Rejects the `state` of another flow.
    pub(super) fn check_state(&self, state: &str) -> Result<()> {
        let same = bool::from(sha256(state.as_bytes()).ct_eq(&self.state_digest));
        if same { Ok(()) } else { Err(Error::StateMismatch) }
    }

    /// Returns the mark of a used flow.
    pub(super) fn used(&self) -> UsedMark {
        UsedMark::of_flow(&self.id, self.expires_at)
    }
}
