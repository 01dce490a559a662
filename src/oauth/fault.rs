//! The faults of providers.

use std::fmt;

use crate::net::FetchFault;

/// The fault of a provider, or of what came from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFault {
    /// Its kind.
    pub kind: FaultKind,
    /// More, in words: for our log. Holds no code, no token, no secret and nothing of a person.
    pub cause: String,
    /// The provider's own error code (RFC 6749 section 5.2), where it gave one of the characters that it may have.
    pub error: Option<String>,
}

impl ProviderFault {
    /// A fault of this kind.
    #[must_use]
    pub fn new(kind: FaultKind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), error: None }
    }
}

impl fmt::Display for ProviderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.cause)
    }
}

impl std::error::Error for ProviderFault {}

impl From<FetchFault> for ProviderFault {
    fn from(fault: FetchFault) -> Self {
        let kind = match fault {
            FetchFault::TimedOut => FaultKind::TimedOut,
            FetchFault::GivenUp => FaultKind::Unreachable,
        };
        Self::new(kind, fault.to_string())
    }
}

crate::model::name_enum!(
    /// The kinds of faults; their names stand in the auth log and in the details of errors.
    FaultKind {
        /// No answer in time.
        TimedOut = "PROVIDER_TIMED_OUT",
        /// No connection, or one that broke.
        Unreachable = "PROVIDER_UNREACHABLE",
        /// An HTTP status that is none of an answer.
        Status = "PROVIDER_STATUS",
        /// An answer larger than is read.
        TooLarge = "PROVIDER_RESPONSE_TOO_LARGE",
        /// An answer that is not what it should be: no JSON, or without what it must have.
        Malformed = "PROVIDER_RESPONSE_MALFORMED",
        /// Metadata or keys that can't be used: of another issuer, without an endpoint, or with an address that is not https.
        Metadata = "PROVIDER_METADATA_INVALID",
        /// The provider answered with an error of OAuth.
        ProviderError = "PROVIDER_ERROR",
        /// The code is not one, was used, or belongs to another flow (`invalid_grant`).
        CodeRejected = "CODE_REJECTED",
        /// The answer is of another issuer than the flow (RFC 9207).
        IssuerMismatch = "ISSUER_MISMATCH",
        /// There is no ID token where there must be one.
        IdTokenMissing = "ID_TOKEN_MISSING",
        /// It is no JWT that could be an ID token, `alg: none` among them.
        IdTokenMalformed = "ID_TOKEN_MALFORMED",
        /// No key of the provider's fits it.
        IdTokenKeyUnknown = "ID_TOKEN_KEY_UNKNOWN",
        /// Its signature does not hold.
        IdTokenSignature = "ID_TOKEN_SIGNATURE_INVALID",
        /// It is of another issuer.
        IdTokenIssuer = "ID_TOKEN_ISSUER_MISMATCH",
        /// It is for another client (`aud`, `azp`).
        IdTokenAudience = "ID_TOKEN_AUDIENCE_MISMATCH",
        /// It is over.
        IdTokenExpired = "ID_TOKEN_EXPIRED",
        /// It is of the future, or issued too long ago.
        IdTokenIssuedAt = "ID_TOKEN_NOT_CURRENT",
        /// Its nonce is missing, or of another flow.
        IdTokenNonce = "ID_TOKEN_NONCE_MISMATCH",
        /// It does not tell that the person proved themselves as lately as was asked (`max_age`, `auth_time`).
        IdTokenAuthTime = "ID_TOKEN_AUTH_TIME",
        /// It belongs to another access token (`at_hash`).
        IdTokenAccessToken = "ID_TOKEN_ACCESS_TOKEN_MISMATCH",
        /// It signed somebody in before.
        IdTokenUsed = "ID_TOKEN_USED",
        /// The userinfo endpoint speaks of somebody else.
        SubjectMismatch = "SUBJECT_MISMATCH",
        /// The profile tells no id, an e-mail that is none, or more than is kept.
        Profile = "PROFILE_UNUSABLE",
    }
);

/// The meaning of a fault for who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The provider gave no answer that counts: later, perhaps.
    Unavailable,
    /// The provider said no.
    Refused,
    /// What was presented proves nothing.
    NoProof,
}

impl FaultKind {
    /// Tells what it means for who signs in.
    #[must_use]
    pub const fn meaning(self) -> Meaning {
        match self {
            Self::TimedOut
            | Self::Unreachable
            | Self::Status
            | Self::TooLarge
            | Self::Malformed
            | Self::Metadata => Meaning::Unavailable,
            Self::ProviderError => Meaning::Refused,
            Self::CodeRejected
            | Self::IssuerMismatch
            | Self::IdTokenMissing
            | Self::IdTokenMalformed
            | Self::IdTokenKeyUnknown
            | Self::IdTokenSignature
            | Self::IdTokenIssuer
            | Self::IdTokenAudience
            | Self::IdTokenExpired
            | Self::IdTokenIssuedAt
            | Self::IdTokenNonce
            | Self::IdTokenAuthTime
            | Self::IdTokenAccessToken
            | Self::IdTokenUsed
            | Self::SubjectMismatch
            | Self::Profile => Meaning::NoProof,
        }
    }
}
