//! The grant: the result of a sign-in, redeemed once by `IssueToken`. It is 256 bits behind `gpg_`; the session row
//! stores its hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::secrets::{Secrets, mac};
use crate::model::{Entropy, RequestMark, digest_of, random};

const PREFIX: &str = "gpg_";

/// A grant in the form given to the caller.
pub struct GrantToken(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for GrantToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantToken(…)")
    }
}

impl GrantToken {
    /// Creates a random grant.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random(entropy)))
    }

    /// Derives the grant of a named request; the same secret gives the same grant.
    #[must_use]
    pub fn derived(secrets: &Secrets, request: &RequestMark, session_id: &[u8; 16]) -> Self {
        Self(Zeroizing::new(mac(&secrets.current().grant, &[&request.key, &request.fingerprint, session_id])))
    }

    /// Derives the grant of a named request again, with whichever secret gives this hash.
    #[must_use]
    pub fn derived_again(
        secrets: &Secrets,
        request: &RequestMark,
        session_id: &[u8; 16],
        hash: &[u8; 32],
    ) -> Option<Self> {
        secrets
            .iter()
            .map(|secret| mac(&secret.grant, &[&request.key, &request.fingerprint, session_id]))
            .map(|bytes| Self(Zeroizing::new(bytes)))
            .find(|grant| grant.hash() == *hash)
    }

    /// Parses a grant; returns `None` if it is malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes =
            URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).filter(|rest| rest.len() == 43)?).ok()?;
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// Returns the grant as text.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// Returns the hash that the row stores and is found by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        digest_of(b"gatepass grant", &[&*self.0])
    }
}
