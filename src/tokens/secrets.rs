//! The operator's secrets. No secret is used directly: HKDF (RFC 5869) derives a key for each purpose. All derived or
//! sealed values carry the 8-byte id of their secret, so that secrets can be rotated. The first secret makes values,
//! all secrets accept them.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// The id of the secret that made a value.
pub(super) type SecretId = [u8; 8];

/// The shortest accepted secret, in bytes.
const MIN_BYTES: usize = 32;

/// The reason why the secrets are unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsFault {
    /// There is no secret.
    None,
    /// The secret at this index is shorter than 32 bytes.
    Short(usize),
    /// The secret at this index is a duplicate.
    Repeated(usize),
}

impl std::fmt::Display for SecretsFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("no secret is given"),
            Self::Short(place) => write!(f, "secret {place} has fewer than {MIN_BYTES} bytes"),
            Self::Repeated(place) => write!(f, "secret {place} is listed twice"),
        }
    }
}

/// The keys derived from one secret, one for each purpose.
pub(super) struct Secret {
    pub(super) id: SecretId,
    pub(super) reference: hmac::Key,
    pub(super) refresh_mac: hmac::Key,
    pub(super) refresh_successor: hmac::Key,
    pub(super) refresh_first: hmac::Key,
    pub(super) grant: hmac::Key,
    pub(super) seal: hmac::Key,
}

/// All accepted secrets; the first one is current.
pub struct Secrets(Vec<Secret>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

struct Bytes<const N: usize>;

impl<const N: usize> KeyType for Bytes<N> {
    fn len(&self) -> usize {
        N
    }
}

impl Secrets {
    /// Derives the keys of each secret.
    pub fn new(secrets: &[SecretString]) -> Result<Self, SecretsFault> {
        if secrets.is_empty() {
            return Err(SecretsFault::None);
        }
        let mut all: Vec<Secret> = Vec::with_capacity(secrets.len());
        for (place, secret) in secrets.iter().enumerate() {
            let bytes = secret.expose_secret().as_bytes();
            if bytes.len() < MIN_BYTES {
                return Err(SecretsFault::Short(place));
            }
            let secret = Secret::derive(bytes);
            if all.iter().any(|known| known.id == secret.id) {
                return Err(SecretsFault::Repeated(place));
            }
            all.push(secret);
        }
        Ok(Self(all))
    }

    /// Returns the current secret.
    pub(super) fn current(&self) -> &Secret {
        &self.0[0]
    }

    /// Returns the secret with this id, if it is still accepted.
    pub(super) fn find(&self, id: SecretId) -> Option<&Secret> {
        self.0.iter().find(|secret| secret.id == id)
    }

    /// Returns all accepted secrets.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter()
    }
}

impl Secret {
    fn derive(bytes: &[u8]) -> Self {
        let prk = Salt::new(HKDF_SHA256, b"gatepass v1").extract(bytes);
        let key = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, &expand::<32>(&prk, label));
        Self {
            id: expand(&prk, "secret id"),
            reference: key("session reference mac"),
            refresh_mac: key("refresh token mac"),
            refresh_successor: key("refresh token successor"),
            refresh_first: key("refresh token first"),
            grant: key("grant"),
            seal: key("seal"),
        }
    }
}

#[expect(clippy::expect_used, reason = "HKDF fails only for more than 255 blocks of output")]
fn expand<const N: usize>(prk: &Prk, label: &str) -> [u8; N] {
    let mut out = [0; N];
    let info = [b"gatepass v1 ", label.as_bytes()];
    prk.expand(&info, Bytes::<N>).and_then(|okm| okm.fill(&mut out)).expect("a short output");
    out
}

/// Computes HMAC-SHA-256 over length-prefixed parts.
pub(super) fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}
