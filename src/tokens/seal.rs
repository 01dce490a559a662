//! Sealing: AES-256-GCM with a separate key for each record, so that random nonces do not run out (NIST SP 800-38D
//! section 8). Layout: secret id (8) ‖ salt (16) ‖ nonce (12) ‖ ciphertext and tag.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use super::secrets::{Secret, SecretId, Secrets, mac};
use crate::model::{Entropy, random};

const ID: usize = 8;
const SALT: usize = 16;
const NONCE: usize = 12;

/// The purpose of a sealed record; it cannot be opened for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Account and profile of a pending session.
    Pending,
    /// A signing key.
    SigningKey,
    /// The state of a sign-in flow, until the browser returns.
    Flow,
    /// The outcome of a sign-in, until it can't be repeated any more.
    Outcome,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Pending => b"pending session",
            Self::SigningKey => b"signing key",
            Self::Flow => b"sign-in flow",
            Self::Outcome => b"sign-in outcome",
        }
    }
}

/// Seals `plain` for a purpose and a context; both must match to open it.
pub(super) fn seal(
    secrets: &Secrets,
    entropy: &dyn Entropy,
    purpose: Purpose,
    aad: &[u8],
    plain: &[u8],
) -> Vec<u8> {
    let secret = secrets.current();
    let salt: [u8; SALT] = random(entropy);
    let nonce: [u8; NONCE] = random(entropy);
    let mut body = plain.to_vec();
    let sealed = record_key(secret, purpose, &salt).and_then(|key| {
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut body).ok()
    });
    // If sealing fails, the result is an empty record, which can never be opened.
    if sealed.is_none() {
        return Vec::new();
    }
    [&secret.id[..], &salt, &nonce, &body].concat()
}

/// Opens a record that any accepted secret sealed for the same purpose and context.
pub(super) fn open(secrets: &Secrets, purpose: Purpose, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (id, rest) = sealed.split_first_chunk::<ID>()?;
    let (salt, rest) = rest.split_first_chunk::<SALT>()?;
    let (nonce, body) = rest.split_first_chunk::<NONCE>()?;
    let key = record_key(secrets.find(*id)?, purpose, salt)?;
    let mut body = body.to_vec();
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut body).ok()?;
    Some(plain.to_vec())
}

/// Returns the id of the secret that sealed a record.
pub(super) fn secret_id(sealed: &[u8]) -> Option<SecretId> {
    sealed.first_chunk::<ID>().copied()
}

fn record_key(secret: &Secret, purpose: Purpose, salt: &[u8; SALT]) -> Option<LessSafeKey> {
    let key = mac(&secret.seal, &[purpose.label(), salt]);
    UnboundKey::new(&AES_256_GCM, &key).ok().map(LessSafeKey::new)
}

impl Secrets {
    /// Seals the data of a pending session; it opens only for the same session.
    #[must_use]
    pub fn seal_pending(&self, entropy: &dyn Entropy, session_id: &[u8; 16], plain: &[u8]) -> Vec<u8> {
        seal(self, entropy, Purpose::Pending, session_id, plain)
    }

    /// Seals the state of a sign-in flow; it opens only for this group of callers.
    #[must_use]
    pub fn seal_flow(&self, entropy: &dyn Entropy, group: &str, plain: &[u8]) -> Vec<u8> {
        seal(self, entropy, Purpose::Flow, group.as_bytes(), plain)
    }

    /// Opens the state of a sign-in flow.
    #[must_use]
    pub fn open_flow(&self, group: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        open(self, Purpose::Flow, group.as_bytes(), sealed)
    }

    /// Seals the outcome of a sign-in; it opens only for the same flow.
    #[must_use]
    pub fn seal_outcome(&self, entropy: &dyn Entropy, flow: &[u8; 32], plain: &[u8]) -> Vec<u8> {
        seal(self, entropy, Purpose::Outcome, flow, plain)
    }

    /// Opens the outcome of a sign-in.
    #[must_use]
    pub fn open_outcome(&self, flow: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
        open(self, Purpose::Outcome, flow, sealed)
    }

    /// Opens the data of a pending session.
    #[must_use]
    pub fn open_pending(&self, session_id: &[u8; 16], sealed: &[u8]) -> Option<Vec<u8>> {
        open(self, Purpose::Pending, session_id, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OsEntropy;

    fn secrets(list: &[&str]) -> Secrets {
        Secrets::new(&list.iter().map(|text| text.repeat(32).into()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_record_opens_for_its_purpose_and_context_only() {
        let secrets = secrets(&["a"]);
        let sealed = seal(&secrets, &OsEntropy, Purpose::Pending, b"one", b"plain");
        assert_eq!(open(&secrets, Purpose::Pending, b"one", &sealed).as_deref(), Some(&b"plain"[..]));
        assert_eq!(open(&secrets, Purpose::Pending, b"two", &sealed), None);
        assert_eq!(open(&secrets, Purpose::SigningKey, b"one", &sealed), None);
        for place in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[place] ^= 1;
            assert_eq!(open(&secrets, Purpose::Pending, b"one", &bent), None, "byte {place}");
            assert_eq!(open(&secrets, Purpose::Pending, b"one", &sealed[..place]), None, "cut at {place}");
        }
    }

    #[test]
    fn every_accepted_secret_opens_and_a_removed_one_does_not() {
        let sealed = seal(&secrets(&["a"]), &OsEntropy, Purpose::Pending, b"", b"plain");
        assert!(open(&secrets(&["b", "a"]), Purpose::Pending, b"", &sealed).is_some());
        assert!(open(&secrets(&["b"]), Purpose::Pending, b"", &sealed).is_none());
    }
}
