//! The largest access token that the configuration makes possible, without what callbacks and profiles may add: it must
//! fit, or some users could never hold a token.

use std::sync::Arc;

use crate::app::fault::StartFault;
use crate::auth::{Rules, Strategy};
use crate::config::Config;
use crate::jose::{SigningKey, payload_room};
use crate::model::{Email, SessionId, Timestamp, TokenId, User, UserId};
use crate::tokens::{AccessClaims, MAX_TOKEN_BYTES, Reference, TOKEN_TYPE, fits_in};

/// The longest role and the longest name of a group, in characters; JSON may write each as two.
const LONGEST_NAME: usize = 64;
/// The longest id of a provider.
const LONGEST_PROVIDER: usize = 64;
/// The latest time whose year has four digits.
const LATEST: Timestamp = Timestamp(253_402_300_799_000);

/// Rejects an issuer and audiences that do not fit into a token.
pub(super) fn check(config: &Config, rules: &Rules, keys: Option<&[SigningKey]>) -> Result<(), StartFault> {
    let fits = match rules.strategy {
        Strategy::Database => Reference::fits(&rules.audiences),
        Strategy::Jwt => {
            let room = match keys.and_then(<[_]>::first) {
                Some(key) => key.payload_room(MAX_TOKEN_BYTES),
                None => payload_room(config.tokens.algorithm, TOKEN_TYPE, MAX_TOKEN_BYTES),
            };
            fits_in(largest(config, rules), room)
        }
    };
    if fits { Ok(()) } else { Err(StartFault::TokenSize) }
}

/// Returns the largest claims: every audience, and the longest values of all others.
fn largest(config: &Config, rules: &Rules) -> AccessClaims {
    let groups = config.callers.iter().map(|caller| caller.group.as_str());
    let group = groups.max_by_key(|group| group.len()).unwrap_or("local").to_owned();
    let domain = ["d".repeat(63), "d".repeat(63), "d".repeat(61)].join(".");
    let user = User {
        id: UserId::least_of(LATEST),
        email: Email::parse(&format!("{}@{domain}", "e".repeat(64))).ok(),
        email_verified: false,
        email_source: None,
        name: None,
        image: None,
        role: "\"".repeat(LONGEST_NAME),
        ban: None,
        epoch: 0,
        version: 0,
        created_at: LATEST,
        updated_at: LATEST,
        last_sign_in_at: None,
    };
    AccessClaims {
        issuer: rules.issuer.clone(),
        user_id: user.id,
        audiences: rules.audiences.clone(),
        expires_at: LATEST,
        issued_at: LATEST,
        token_id: TokenId::least_of(LATEST),
        session_id: SessionId::least_of(LATEST),
        authenticated_at: LATEST,
        client_id: group,
        epoch: i64::MAX,
        provider: "p".repeat(LONGEST_PROVIDER),
        session_expires_at: LATEST,
        user: rules.user_claims(&user),
        added: Arc::default(),
    }
}
