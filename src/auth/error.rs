//! The one domain error. Its variants state the fact; `grpc/status.rs` maps them to codes and reasons.

use crate::model::{NotAnId, Permission, ProviderId, Reason};
use crate::oauth::{FaultKind, Meaning, ProviderFault};
use crate::storage::StoreError;
use crate::tokens::{IssueFault, MAX_TOKEN_BYTES, RefreshFault, TokenFault};

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

/// The cause why a call fails.
#[derive(Debug)]
pub enum Error {
    /// Fields of the request are invalid.
    InvalidRequest(Vec<FieldFault>),
    /// The token does not have the form that Gatepass issues.
    TokenMalformed,
    /// The token has expired.
    TokenExpired,
    /// No signing key of Gatepass verifies the token.
    TokenSignatureInvalid,
    /// The token is for another audience.
    TokenAudienceMismatch,
    /// The user's role changed after the token was issued, or may have changed: its row can't be read.
    TokenStale,
    /// The session has been ended.
    SessionRevoked,
    /// The session has expired, or never existed.
    SessionExpired,
    /// The user is banned.
    UserBanned,
    /// The grant does not belong to this caller's group.
    GrantInvalid,
    /// The grant has expired, after one minute.
    GrantExpired,
    /// The grant has already been redeemed.
    GrantUsed,
    /// The refresh token does not belong to this caller's group.
    RefreshInvalid,
    /// An old refresh token was reused; its session was ended.
    RefreshReused,
    /// The credential from this provider is invalid.
    CredentialInvalid(ProviderId, ProviderFault),
    /// The `state` does not match the flow.
    StateMismatch,
    /// The flow does not belong to this caller's group, or to this provider.
    FlowInvalid,
    /// The flow has expired, after fifteen minutes.
    FlowExpired,
    /// The flow has already been used.
    FlowUsed,
    /// The caller presented no credential, or an unknown one.
    CallerUnknown,
    /// The caller lacks this permission, or may not use it on this object.
    CallerNotAllowed(Option<Permission>),
    /// The `jwt` callback denied the token.
    CallbackDenied(Option<String>),
    /// No user has this id or e-mail address.
    UserNotFound,
    /// No provider has this id.
    ProviderNotFound,
    /// No session has this id.
    SessionNotFound,
    /// The token or the claims of the session exceed this size in bytes.
    ClaimsTooLarge(usize),
    /// Linking an account needs a session whose user authenticated recently; it must stay the same session to the end.
    ReauthenticationRequired,
    /// The user has changed since the caller read it.
    EtagMismatch,
    /// Too many concurrent updates of the same object.
    Conflict,
    /// The provider gave no usable response.
    ProviderUnavailable(ProviderId, ProviderFault),
    /// The provider rejects the configuration, or its metadata does not match it.
    ProviderMisconfigured(ProviderId, ProviderFault),
    /// A callback failed.
    CallbackUnavailable(CallbackFailure),
    /// The live token was made with a secret that this replica does not have yet, or by a version that does not store
    /// its predecessors.
    SuccessorUnknown,
    /// This replica can open no signing key whose tokens are accepted.
    NoSigningKey,
    /// The database is unavailable.
    StoreUnavailable(StoreError),
    /// Revocation data is older than the caller, or the configuration, allows.
    RevocationStale,
    /// This version does not implement the method.
    NotImplemented(&'static str),
    /// A sign-in failed after its flow was used, so that a retry can't succeed.
    FlowSpent(Box<Error>),
    /// The failure of an earlier call with the same `request_id`, which logged it.
    Recorded(Box<Error>),
    /// A bug.
    Internal(String),
}

/// The fault of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The path of the field in the request, for example `credential.profile.email`.
    pub field: String,
    /// The requirement that the field violates.
    pub description: String,
}

/// The failure of a callback to give a usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackFailure {
    /// The name of the callback.
    pub callback: &'static str,
    /// The cause; it goes to the log, never to clients.
    pub cause: String,
    /// The kind of the failure.
    pub kind: FailureKind,
}

crate::model::name_enum!(
    /// The kinds of failures of callbacks.
    FailureKind {
        /// The callback reported a failure, or its answer was invalid.
        Failed = "FAILED",
        /// The callback did not answer before its timeout, or can't be reached.
        Unanswered = "UNANSWERED",
        /// The call ended before the callback had used its whole timeout.
        CutShort = "CUT_SHORT",
        /// The callback was not called, because the circuit breaker is open.
        NotAsked = "NOT_ASKED",
    }
);

impl Error {
    /// Makes the error for a request with one invalid field.
    #[must_use]
    pub fn invalid(field: &str, description: impl Into<String>) -> Self {
        Self::InvalidRequest(vec![FieldFault { field: field.to_owned(), description: description.into() }])
    }

    /// Maps the fault of a provider to an error.
    #[must_use]
    pub fn of_provider(provider: &ProviderId, fault: ProviderFault) -> Self {
        match fault.kind.meaning() {
            Meaning::NoProof => Self::CredentialInvalid(provider.clone(), fault),
            Meaning::Misconfigured => Self::ProviderMisconfigured(provider.clone(), fault),
            Meaning::Unavailable | Meaning::Refused => Self::ProviderUnavailable(provider.clone(), fault),
        }
    }

    /// Returns the reason, by which programs distinguish errors.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidRequest(_) => Reason::InvalidRequest,
            Self::TokenMalformed => Reason::TokenMalformed,
            Self::TokenExpired => Reason::TokenExpired,
            Self::TokenSignatureInvalid => Reason::TokenSignatureInvalid,
            Self::TokenAudienceMismatch => Reason::TokenAudienceMismatch,
            Self::TokenStale => Reason::TokenStale,
            Self::SessionRevoked => Reason::SessionRevoked,
            Self::SessionExpired => Reason::SessionExpired,
            Self::UserBanned => Reason::UserBanned,
            Self::GrantInvalid => Reason::GrantInvalid,
            Self::GrantExpired => Reason::GrantExpired,
            Self::GrantUsed => Reason::GrantUsed,
            Self::RefreshInvalid => Reason::RefreshInvalid,
            Self::RefreshReused => Reason::RefreshReused,
            Self::CredentialInvalid(_, fault) if fault.kind == FaultKind::IssuerMismatch => {
                Reason::StateMismatch
            }
            Self::CredentialInvalid(..) => Reason::CredentialInvalid,
            Self::StateMismatch => Reason::StateMismatch,
            Self::FlowInvalid => Reason::FlowInvalid,
            Self::FlowExpired => Reason::FlowExpired,
            Self::FlowUsed => Reason::FlowUsed,
            Self::CallerUnknown => Reason::CallerUnknown,
            Self::CallerNotAllowed(_) => Reason::CallerNotAllowed,
            Self::CallbackDenied(_) => Reason::CallbackDenied,
            Self::UserNotFound => Reason::UserNotFound,
            Self::ProviderNotFound => Reason::ProviderNotFound,
            Self::SessionNotFound => Reason::SessionNotFound,
            Self::ClaimsTooLarge(_) => Reason::ClaimsTooLarge,
            Self::ReauthenticationRequired => Reason::ReauthenticationRequired,
            Self::EtagMismatch => Reason::EtagMismatch,
            Self::Conflict => Reason::Conflict,
            Self::ProviderUnavailable(..) => Reason::ProviderUnavailable,
            Self::ProviderMisconfigured(..) => Reason::ProviderMisconfigured,
            Self::CallbackUnavailable(_) => Reason::CallbackUnavailable,
            Self::SuccessorUnknown | Self::NoSigningKey => Reason::KeysUnavailable,
            Self::StoreUnavailable(_) => Reason::StoreUnavailable,
            Self::RevocationStale => Reason::RevocationStale,
            Self::NotImplemented(_) => Reason::NotImplemented,
            Self::FlowSpent(cause) | Self::Recorded(cause) => cause.reason(),
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// Makes the error for a field that is not a valid id.
    #[must_use]
    pub fn not_an_id(field: &str) -> Self {
        Self::invalid(field, NotAnId.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            unavailable @ StoreError::Unavailable(_) => Self::StoreUnavailable(unavailable),
            StoreError::Broken(what) => Self::Internal(what),
        }
    }
}

impl From<TokenFault> for Error {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Malformed => Self::TokenMalformed,
            TokenFault::Signature | TokenFault::UnknownKey => Self::TokenSignatureInvalid,
            TokenFault::Expired => Self::TokenExpired,
        }
    }
}

impl From<IssueFault> for Error {
    fn from(fault: IssueFault) -> Self {
        match fault {
            IssueFault::ClaimsTooLarge => Self::ClaimsTooLarge(MAX_TOKEN_BYTES),
            IssueFault::NoKey => Self::NoSigningKey,
        }
    }
}

impl From<RefreshFault> for Error {
    fn from(_: RefreshFault) -> Self {
        Self::RefreshInvalid
    }
}

impl From<CallbackFailure> for Error {
    fn from(failure: CallbackFailure) -> Self {
        Self::CallbackUnavailable(failure)
    }
}
