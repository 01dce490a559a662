//! The grant: what a sign-in answers and one `IssueToken` redeems. 256 bits behind `gpg_`; the row keeps its hash.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::secrets::{Secrets, mac};
use crate::model::{Entropy, RequestMark, digest_of, random};

const PREFIX: &str = "gpg_";

/// A grant as the caller holds it.
pub struct GrantToken(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for GrantToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantToken(…)")
    }
}

impl GrantToken {
    /// A fresh grant.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random(entropy)))
    }

    /// The grant of a named request: the same again from the same secret.
    #[must_use]
    pub fn derived(secrets: &Secrets, request: &RequestMark, session_id: &[u8; 16]) -> Self {
        Self(Zeroizing::new(mac(&secrets.current().grant, &[&request.key, &request.fingerprint, session_id])))
    }

    /// The grant of a named request whose hash is this, from whichever secret made it.
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

    /// Reads a grant; none when it is not of the one form it can have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes =
            URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).filter(|rest| rest.len() == 43)?).ok()?;
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The grant as text.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// What the row keeps and is found by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        digest_of(b"gatepass grant", &[&*self.0])
    }
}
