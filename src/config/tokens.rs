//! `tokens`: how access tokens are signed, what they say, and how long they hold.

use super::duration::days;
use super::read::{Section, Setting};
use super::tree::Value;
use crate::auth::UserClaim;
use crate::jose::Algorithm;
use crate::keys::KeyFile;
use std::collections::BTreeSet;
use std::time::Duration;

const ALGORITHMS: [(&str, Algorithm); 5] = [
    ("ES256", Algorithm::Es256),
    ("EdDSA", Algorithm::EdDsa),
    ("ES384", Algorithm::Es384),
    ("PS256", Algorithm::Ps256),
    ("RS256", Algorithm::Rs256),
];

const USER_CLAIMS: [(&str, UserClaim); 5] = [
    ("name", UserClaim::Name),
    ("email", UserClaim::Email),
    ("email_verified", UserClaim::EmailVerified),
    ("picture", UserClaim::Picture),
    ("role", UserClaim::Role),
];

/// Access tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// `algorithm`: ES256, `EdDSA`, ES384, PS256 or RS256. Default ES256.
    pub algorithm: Algorithm,
    /// `audiences`: the `aud` that may be asked for, all of them where none is; 1 to 32 names. Default gatepass.
    pub audiences: Vec<String>,
    /// `access_ttl`: the life of an access token, whole seconds, 1s to 1h. Default 15m.
    pub access_ttl: Duration,
    /// `key_rotation`: the age at which a made key is replaced, 1h to 730d. Default 90d.
    pub key_rotation: Duration,
    /// `clock_leeway`: how far other clocks may be off when a token is verified, 0s to 1m. Default 10s.
    pub clock_leeway: Duration,
    /// `signing_keys`: PEM files, `PATH` or `{file: PATH, algorithm: RS256}`; the first signs, all verify. Default none:
    /// Gatepass makes and rotates its own.
    pub signing_keys: Vec<KeyFile>,
    /// `user_claims`: what a token tells of its user. Default name, email, `email_verified`, picture, role.
    pub user_claims: BTreeSet<UserClaim>,
}

impl Tokens {
    pub(super) fn read(section: &mut Section) -> Self {
        let seconds = Duration::from_secs;
        Self {
            algorithm: section.read("algorithm", |s| s.choice(&ALGORITHMS)).unwrap_or(Algorithm::Es256),
            audiences: section
                .read("audiences", |s| s.distinct(1, 32, audience))
                .unwrap_or_else(|| vec!["gatepass".to_owned()]),
            access_ttl: section.read("access_ttl", access_ttl).unwrap_or(seconds(900)),
            key_rotation: section
                .read("key_rotation", |s| s.duration(&(seconds(3600)..=days(730))))
                .unwrap_or(days(90)),
            clock_leeway: section
                .read("clock_leeway", |s| s.duration(&(Duration::ZERO..=seconds(60))))
                .unwrap_or(seconds(10)),
            signing_keys: section.read("signing_keys", |s| s.distinct(0, 32, key_file)).unwrap_or_default(),
            user_claims: section
                .read("user_claims", |s| s.distinct(0, 5, |item| item.choice(&USER_CLAIMS)))
                .map_or_else(|| USER_CLAIMS.iter().map(|&(_, claim)| claim).collect(), BTreeSet::from_iter),
        }
    }
}

fn audience(setting: Setting) -> Option<String> {
    let text = setting.text()?;
    if text.len() > 255 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return setting.refuse("must have at most 255 bytes and no white space");
    }
    Some(text)
}

/// A path, or a section with one, and with the algorithm of an RSA key.
fn key_file(setting: Setting) -> Option<KeyFile> {
    let setting = setting.flow_if("{", "{file: PATH, algorithm: RS256}")?;
    if !matches!(setting.value, Value::Map(_)) {
        return setting.pem_file().map(|path| KeyFile { path, algorithm: None });
    }
    setting
        .section(|section| {
            let path = section.require("file", "the path of a PEM file", Setting::pem_file);
            let algorithm = section.read("algorithm", |s| s.choice(&ALGORITHMS));
            Some(KeyFile { path: path?, algorithm })
        })
        .flatten()
}

fn access_ttl(setting: Setting) -> Option<Duration> {
    let (cx, path) = (setting.cx, setting.path.clone());
    let ttl = setting.duration(&(Duration::from_secs(1)..=Duration::from_hours(1)))?;
    if ttl.subsec_nanos() != 0 {
        cx.fault(&path, "must be whole seconds, as the dates of a JWT are");
        return None;
    }
    Some(ttl)
}
