//! Session credentials and their readers: each kind of credential has its own reader.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::view::SessionView;
use crate::auth::error::{Error, Result};
use crate::model::Timestamp;
use crate::tokens::References;

/// A credential that proves a session.
#[derive(Clone, Copy)]
pub enum SessionCredential<'a> {
    /// An access token.
    AccessToken(&'a str),
    /// The `cookie` header of a browser.
    Cookie(&'a str),
}

/// The kinds of credentials. The configuration chooses which access token is issued; both are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access token that is a JWT.
    Jwt,
    /// An access token that is a reference, `gps_…`.
    Reference,
    /// A `cookie` header.
    Cookie,
}

/// The request of `GetSession`.
pub struct GetSessionRequest<'a> {
    /// The credential.
    pub credential: SessionCredential<'a>,
    /// The audience that the token must be for; if empty, any configured one.
    pub audience: &'a str,
    /// The largest age of the revocation data, if less than configured.
    pub max_staleness: Option<Duration>,
}

/// The response of `GetSession`.
#[derive(Debug)]
pub struct SessionAnswer {
    /// The session.
    pub session: SessionView,
    /// The time of the last complete read of the revocation feed.
    pub revocations_checked_at: Timestamp,
}

/// Reads a session from its credential.
#[async_trait]
pub trait SessionReader: Send + Sync {
    /// Reads the session of a credential that is still accepted.
    async fn read(&self, request: &GetSessionRequest<'_>) -> Result<SessionAnswer>;
}

/// The configured rules of reading sessions.
#[derive(Debug, Clone)]
pub struct ReaderRules {
    /// Every configured audience.
    pub audiences: Vec<String>,
    /// The largest age of the reader's data: of the revocation data, or of the rows of a session.
    pub max_staleness: Duration,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
    /// True if a `jwt` callback may have made claims from a role.
    pub role_makes_claims: bool,
}

/// The readers by the kind of credential that they read.
#[derive(Clone)]
pub struct SessionReaders(Arc<[(CredentialKind, Arc<dyn SessionReader>)]>);

impl SessionReaders {
    /// Makes the table of these readers, the most frequently used first.
    pub fn new(readers: impl IntoIterator<Item = (CredentialKind, Arc<dyn SessionReader>)>) -> Self {
        Self(readers.into_iter().collect())
    }

    /// Returns the reader of a credential.
    pub(in crate::auth) fn of(&self, credential: SessionCredential<'_>) -> Result<&dyn SessionReader> {
        let kind = credential.kind();
        let found = self.0.iter().find(|(of, _)| *of == kind);
        found.map(|(_, reader)| &**reader).ok_or_else(|| Error::NotImplemented(kind.field()))
    }
}

impl<'a> SessionCredential<'a> {
    /// Returns the kind of the credential, by its prefix.
    #[must_use]
    pub fn kind(self) -> CredentialKind {
        match self {
            Self::AccessToken(token) if References::are_meant_by(token) => CredentialKind::Reference,
            Self::AccessToken(_) => CredentialKind::Jwt,
            Self::Cookie(_) => CredentialKind::Cookie,
        }
    }

    /// The credential as it was sent.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::AccessToken(text) | Self::Cookie(text) => text,
        }
    }
}

impl CredentialKind {
    /// Returns the field of `GetSessionRequest` that holds it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Jwt | Self::Reference => "access_token",
            Self::Cookie => "cookie_header",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that finds no session.
    struct Never;

    #[async_trait]
    impl SessionReader for Never {
        async fn read(&self, _: &GetSessionRequest<'_>) -> Result<SessionAnswer> {
            Err(Error::SessionExpired)
        }
    }

    #[test]
    fn a_credential_has_the_reader_of_its_kind_or_none() {
        let readers = SessionReaders::new([(CredentialKind::Jwt, Arc::new(Never) as _)]);
        for (credential, kind, missing) in [
            (SessionCredential::AccessToken("eyJ"), CredentialKind::Jwt, None),
            (SessionCredential::AccessToken(""), CredentialKind::Jwt, None),
            (SessionCredential::AccessToken("gps_x"), CredentialKind::Reference, Some("access_token")),
            (SessionCredential::Cookie("gps_x=y"), CredentialKind::Cookie, Some("cookie_header")),
        ] {
            assert_eq!(credential.kind(), kind);
            match readers.of(credential) {
                Ok(_) => assert_eq!(missing, None),
                Err(Error::NotImplemented(field)) => assert_eq!(missing, Some(field)),
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}
