//! The size of access tokens. If the claims about the user make a token too large, `picture` is left out and `name` is
//! cut, so that a provider's profile never keeps its user from a token.

use super::claims::{AccessClaims, UserClaims};
use super::limits::MAX_TOKEN_BYTES;
use crate::jose::SigningKey;

/// The claims of a token do not fit, even without the picture and the name of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Shortens the claims about the user as far as a token of this key needs it; returns all claims as JSON.
pub(super) fn fit(claims: &mut AccessClaims, key: &SigningKey) -> Result<Vec<u8>, TooLarge> {
    shorten(claims, key.payload_room(MAX_TOKEN_BYTES))
}

fn shorten(claims: &mut AccessClaims, room: usize) -> Result<Vec<u8>, TooLarge> {
    let json = |claims: &AccessClaims| serde_json::to_vec(&claims.to_json()).map_err(|_| TooLarge);
    let mut payload = json(claims)?;
    if payload.len() > room && claims.user.picture.take().is_some() {
        payload = json(claims)?;
    }
    if payload.len() > room && claims.user.name.is_some() {
        cut_name(&mut claims.user, payload.len() - room);
        payload = json(claims)?;
    }
    if payload.len() > room { Err(TooLarge) } else { Ok(payload) }
}

/// Returns true if these claims, without the picture and the name of the user, have at most so many bytes as JSON.
#[must_use]
pub fn fits_in(mut claims: AccessClaims, room: usize) -> bool {
    shorten(&mut claims, room).is_ok()
}

/// Cuts the name so that its JSON is shorter by so many bytes, to nothing if need be.
fn cut_name(user: &mut UserClaims, excess: usize) {
    let Some(name) = user.name.take() else { return };
    let Some(mut left) = name.chars().map(escaped_size).sum::<usize>().checked_sub(excess) else { return };
    let is_kept = |c: &char| match left.checked_sub(escaped_size(*c)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let cut: String = name.chars().take_while(is_kept).collect();
    user.name = Some(cut.trim_end().to_owned()).filter(|cut| !cut.is_empty());
}

/// Returns the size of a character in a JSON string.
fn escaped_size(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, LazyLock};
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::jose::{Algorithm, generate_pem};
    use crate::model::{ClaimMap, SessionId, Timestamp, TokenId, UserId};
    use crate::tokens::TOKEN_TYPE;

    static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
        let make = |algorithm| {
            let pem = generate_pem(algorithm).unwrap();
            SigningKey::from_pem(pem.as_bytes(), algorithm, TOKEN_TYPE).unwrap()
        };
        [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256].map(make).into()
    });

    fn claims(user: UserClaims, issuer: String, audiences: Vec<String>, added: ClaimMap) -> AccessClaims {
        let at = Timestamp::from_seconds(1_767_225_600);
        AccessClaims {
            issuer,
            user_id: UserId::least_of(at),
            audiences,
            expires_at: at.plus(Duration::from_mins(15)),
            issued_at: at,
            token_id: TokenId::least_of(at),
            session_id: SessionId::least_of(at),
            authenticated_at: at,
            client_id: "local".to_owned(),
            epoch: 0,
            provider: "google".to_owned(),
            session_expires_at: at.plus(Duration::from_hours(1)),
            user,
            added: Arc::new(added),
        }
    }

    fn json_size(name: &str) -> usize {
        serde_json::to_string(name).unwrap().len() - 2
    }

    proptest! {
        #[test]
        fn what_a_provider_told_never_keeps_anybody_from_a_token(
            name in prop::option::of("\\PC{0,128}|[\"\\\\é]{0,256}"),
            picture in prop::option::of("https://a\\.example/[a-z]{0,2030}"),
            email in prop::option::of("[a-z]{1,64}@[a-z]{1,60}\\.example"),
            issuer in "https://[a-z]{1,60}\\.example/[a-z]{0,400}",
            audiences in prop::collection::vec("[a-z]{1,255}", 1..8),
            added in "[a-z]{0,1500}",
            key in 0..4_usize,
        ) {
            let key = &KEYS[key];
            let added = ClaimMap::from_iter([("added".to_owned(), added.into())]);
            let user = UserClaims { name, picture, email, email_verified: Some(true), role: Some("user".to_owned()) };
            let whole = claims(user.clone(), issuer.clone(), audiences.clone(), added.clone());
            let bare = UserClaims { name: None, picture: None, ..user.clone() };
            let room = key.payload_room(MAX_TOKEN_BYTES);
            prop_assume!(fits_in(claims(bare, issuer, audiences, added), room));
            let size = serde_json::to_vec(&whole.to_json()).unwrap().len();
            let mut fitted = whole.clone();
            let payload = fit(&mut fitted, key).unwrap();
            let token = key.sign_payload(&payload).unwrap();
            prop_assert!(token.len() <= MAX_TOKEN_BYTES);
            prop_assert_eq!(fitted == whole, size <= room);
            // Everything else stays, and the picture goes before the name is cut.
            prop_assert!(fitted.user.picture.is_none() || fitted.user == user);
            let kept = UserClaims { name: user.name.clone(), picture: user.picture.clone(), ..fitted.user.clone() };
            prop_assert_eq!(AccessClaims { user: kept, ..fitted }, whole);
        }

        #[test]
        fn a_name_loses_no_more_than_it_must(name in "\\PC{1,80}|[\"\\\\\u{1}\u{7f}é\n]{1,80}", excess in 1_usize..100) {
            let mut user = UserClaims { name: Some(name.clone()), ..UserClaims::default() };
            cut_name(&mut user, excess);
            let cut = user.name.unwrap_or_default();
            prop_assert!(name.starts_with(&cut));
            prop_assert!(json_size(&cut) + excess <= json_size(&name) || cut.is_empty());
            let next = name[cut.len()..].chars().next();
            let more: String = cut.chars().chain(next).collect();
            let is_longest = json_size(&more) + excess > json_size(&name);
            prop_assert!(is_longest || next.is_some_and(char::is_whitespace));
        }
    }
}
