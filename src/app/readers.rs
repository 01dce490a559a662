//! Who reads sessions from access tokens, and what they remember.

use std::sync::Arc;

use crate::auth::{
    Callback, JwtReader, Parts, ReferenceReader, RememberedRows, Rules, SessionReaders, StoredRows,
};
use crate::tokens::CachingVerifier;

/// The most bytes of verified JWTs that are remembered; some 16,000 of few claims.
const REMEMBERED_TOKENS: u32 = 32 * 1024 * 1024;

/// The most bytes of sessions' rows that are remembered; some 16,000 sessions of few claims.
const REMEMBERED_ROWS: u32 = 32 * 1024 * 1024;

/// A reader for each kind of token, whichever is issued.
pub(super) fn readers(parts: &Parts, rules: &Rules) -> SessionReaders {
    let role_makes_claims = parts.callbacks.decides(Callback::Jwt);
    let jwts = JwtReader {
        verifier: Arc::new(CachingVerifier::new(parts.verifier.clone(), REMEMBERED_TOKENS)),
        keys: Arc::clone(&parts.keys),
        revocations: Arc::clone(&parts.revocations),
        clock: Arc::clone(&parts.clock),
        audiences: rules.audiences.clone(),
        stale_limit: rules.stale_limit,
        clock_leeway: rules.clock_leeway,
        role_makes_claims,
    };
    let stored = StoredRows {
        sessions: Arc::clone(&parts.sessions),
        clock: Arc::clone(&parts.clock),
        user_claims: rules.user_claims.clone(),
    };
    let references = ReferenceReader {
        references: parts.references.clone(),
        rows: Arc::new(RememberedRows::new(Arc::new(stored), REMEMBERED_ROWS)),
        revocations: Arc::clone(&parts.revocations),
        clock: Arc::clone(&parts.clock),
        audiences: rules.audiences.clone(),
        max_staleness: rules.max_staleness,
        clock_leeway: rules.clock_leeway,
        role_makes_claims,
    };
    SessionReaders { jwts: Arc::new(jwts), references: Arc::new(references) }
}
