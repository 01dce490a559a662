//! `GetSession`: what an access token says, if it still counts (Auth.js `session`). Each kind of token has a reader of
//! its own; what they have in common is here.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::ask;
use super::error::{Error, Result};
use super::session::SessionView;
use super::shared::Auth;
use crate::model::Timestamp;
use crate::tokens::References;

/// What `GetSession` asks.
pub struct GetSession<'a> {
    /// The access token.
    pub access_token: &'a str,
    /// Whom it must be for; empty: any audience of ours.
    pub audience: &'a str,
    /// How old the knowledge of revocations may be, if less than configured.
    pub max_staleness: Option<Duration>,
}

/// What `GetSession` answers.
#[derive(Debug)]
pub struct SessionAnswer {
    /// The session.
    pub session: SessionView,
    /// As of when nothing revoked it.
    pub revocations_checked_at: Timestamp,
}

/// Reads a session from what proves it.
#[async_trait]
pub trait SessionReader: Send + Sync {
    /// The session of an access token that still counts.
    async fn read(&self, request: &GetSession<'_>) -> Result<SessionAnswer>;
}

/// A reader for each kind of access token. Which kind is issued is a matter of configuration; all are read.
pub struct SessionReaders {
    /// For JWTs.
    pub jwts: Arc<dyn SessionReader>,
    /// For references, `gps_…`.
    pub references: Arc<dyn SessionReader>,
}

impl SessionReaders {
    pub(super) fn of(&self, access_token: &str) -> &dyn SessionReader {
        if References::are_meant_by(access_token) { &*self.references } else { &*self.jwts }
    }
}

/// Refuses a token for others: none of its audiences is the one that is asked for, or any of ours.
pub(super) fn check_audience(audiences: &[String], asked: &str, configured: &[String]) -> Result<()> {
    let meant = if asked.is_empty() {
        audiences.iter().any(|aud| configured.contains(aud))
    } else {
        audiences.iter().any(|aud| aud == asked)
    };
    if meant { Ok(()) } else { Err(Error::TokenAudienceMismatch) }
}

impl Auth {
    /// Reads the session of an access token.
    pub async fn get_session(&self, request: GetSession<'_>) -> Result<SessionAnswer> {
        let mut answer = self.readers.of(request.access_token).read(&request).await?;
        ask::session(&self.parts.callbacks, &mut answer.session).await?;
        Ok(answer)
    }
}
