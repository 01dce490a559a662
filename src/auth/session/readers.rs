//! Session credentials and their readers: each kind has one of its own.

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

/// The kinds of credentials. Which access token is issued is a matter of configuration; both are read.
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
    /// The audience that the token must be for; empty: any configured one.
    pub audience: &'a str,
    /// The largest age of the known revocations, if less than configured.
    pub max_staleness: Option<Duration>,
}

/// The response of `GetSession`.
#[derive(Debug)]
pub struct SessionAnswer {
    /// The session.
    pub session: SessionView,
    /// The time until which no revocation of it is known.
    pub revocations_checked_at: Timestamp,
}

/// Reads a session from what proves it.
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
    /// The largest age of what a reader knows: of the revocations, or of a session's rows.
    pub max_staleness: Duration,
    /// The largest clock skew between replicas.
    pub clock_leeway: Duration,
    /// A `jwt` callback may have made claims from a role.
    pub role_makes_claims: bool,
}

/// The readers by the kind of credential that they read.
#[derive(Clone)]
pub struct SessionReaders(Arc<[(CredentialKind, Arc<dyn SessionReader>)]>);

impl SessionReaders {
    /// The table of these readers, those asked most often first.
    pub fn new(readers: impl IntoIterator<Item = (CredentialKind, Arc<dyn SessionReader>)>) -> Self {
        Self(readers.into_iter().collect())
    }

    /// The reader of a credential.
    pub(in crate::auth) fn of(&self, credential: SessionCredential<'_>) -> Result<&dyn SessionReader> {
        let kind = credential.kind();
        let found = self.0.iter().find(|(of, _)| *of == kind);
        found.map(|(_, reader)| &**reader).ok_or_else(|| Error::NotImplemented(kind.field()))
    }
}

impl<'a> SessionCredential<'a> {
    /// The kind of the credential, by how it begins.
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
    /// The field of `GetSessionRequest` that has it.
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
