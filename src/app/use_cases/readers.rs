//! The session readers for each kind of credential, and their caches.

use std::sync::Arc;
use std::time::Duration;

use super::resources::Resources;
use crate::auth::{
    Callback, CredentialKind, JwtReader, ReaderRules, ReferenceReader, RememberedRows, Rules, SessionReader,
    SessionReaders, StoredRows,
};
use crate::tokens::{CachingVerifier, References, Verifier};

/// The cache size for verified JWTs, in bytes; about 16,000 JWTs with few claims.
const REMEMBERED_TOKENS: u32 = 32 * 1024 * 1024;

/// The cache size for session rows, in bytes; about 16,000 sessions with few claims.
const REMEMBERED_ROWS: u32 = 32 * 1024 * 1024;

/// Builds a reader for each kind of token, including those not issued now.
pub(super) fn readers(
    has: &Resources,
    rules: &Rules,
    verifier: &Verifier,
    references: &References,
) -> SessionReaders {
    let jwts = JwtReader {
        verifier: Arc::new(CachingVerifier::new(verifier.clone(), REMEMBERED_TOKENS)),
        keys: Arc::clone(&has.keys),
        index: Arc::clone(&has.index),
        clock: Arc::clone(&has.clock),
        rules: reader_rules(has, rules, rules.stale_limit),
    };
    let stored = StoredRows {
        sessions: Arc::clone(&has.stores) as _,
        clock: Arc::clone(&has.clock),
        user_claims: rules.user_claims.clone(),
    };
    let references = ReferenceReader {
        references: references.clone(),
        rows: Arc::new(RememberedRows::new(Arc::new(stored), REMEMBERED_ROWS)),
        index: Arc::clone(&has.index),
        clock: Arc::clone(&has.clock),
        rules: reader_rules(has, rules, rules.max_staleness),
    };
    SessionReaders::new([
        (CredentialKind::Jwt, Arc::new(jwts) as Arc<dyn SessionReader>),
        (CredentialKind::Reference, Arc::new(references)),
    ])
}

fn reader_rules(has: &Resources, rules: &Rules, max_staleness: Duration) -> ReaderRules {
    ReaderRules {
        audiences: rules.audiences.clone(),
        max_staleness,
        clock_leeway: rules.clock_leeway,
        role_makes_claims: has.callbacks.decides(Callback::Jwt),
    }
}
