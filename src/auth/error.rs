//! The one domain error. Its variants state the fact; `grpc/status.rs` says which code and reason that is.

use crate::model::{NotAnId, Permission, ProviderId, Reason};
use crate::oauth::{FaultKind, Meaning, ProviderFault};
use crate::storage::StoreError;
use crate::tokens::{IssueFault, MAX_TOKEN_BYTES, RefreshFault, TokenFault};

/// What a use case answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call can't be done.
#[derive(Debug)]
pub enum Error {
    /// Fields of the request are not as they must be.
    InvalidRequest(Vec<FieldFault>),
    /// The token is not of the form that we issue.
    TokenMalformed,
    /// The token's time is over.
    TokenExpired,
    /// No key of ours signed the token.
    TokenSignatureInvalid,
    /// The token is for somebody else.
    TokenAudienceMismatch,
    /// The user's role changed after the token was issued, or may have: its row can't be read.
    TokenStale,
    /// The session was ended.
    SessionRevoked,
    /// The session is over, or was never there.
    SessionExpired,
    /// The user is banned.
    UserBanned,
    /// Not a grant of this caller's group.
    GrantInvalid,
    /// The grant's minute is over.
    GrantExpired,
    /// The grant was redeemed before.
    GrantUsed,
    /// Not a refresh token of this caller's group.
    RefreshInvalid,
    /// An old refresh token came back; its session was ended.
    RefreshReused,
    /// What was presented, as of this provider, proves nothing.
    CredentialInvalid(ProviderId, ProviderFault),
    /// The `state` is not the flow's.
    StateMismatch,
    /// Not a flow of this caller's group, or not of this provider.
    FlowInvalid,
    /// The flow's quarter of an hour is over.
    FlowExpired,
    /// The flow was used before.
    FlowUsed,
    /// Nobody known presented a credential, or not one that is known.
    CallerUnknown,
    /// The caller lacks this permission, or may not do it to this.
    CallerNotAllowed(Option<Permission>),
    /// The `jwt` callback refused.
    CallbackDenied(Option<String>),
    /// No user of this id or e-mail.
    UserNotFound,
    /// No provider of this id.
    ProviderNotFound,
    /// No session of this id.
    SessionNotFound,
    /// The token or the session's claims would have more bytes than they may.
    ClaimsTooLarge(usize),
    /// Linking an account needs a session whose person proved lately who they are, and the same one to the end.
    ReauthenticationRequired,
    /// The user is no longer as the caller saw it.
    EtagMismatch,
    /// Somebody else keeps changing the same thing.
    Conflict,
    /// The provider gave no answer that counts.
    ProviderUnavailable(ProviderId, ProviderFault),
    /// A callback failed.
    CallbackUnavailable(CallbackFailure),
    /// The successor was made with a secret that this replica does not have yet.
    SuccessorUnknown,
    /// This replica can open no signing key whose tokens count.
    NoSigningKey,
    /// The database can't be asked.
    StoreUnavailable(StoreError),
    /// What is known of revocations is older than the caller, or the configuration, allows.
    RevocationStale,
    /// Not in this version.
    NotImplemented(&'static str),
    /// A bug.
    Internal(String),
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Its path in the request, `credential.profile.email` say.
    pub field: String,
    /// What it must be.
    pub description: String,
}

/// Why a callback gave no answer that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackFailure {
    /// Which callback.
    pub callback: &'static str,
    /// What happened; for the log, not for clients.
    pub cause: String,
    /// Of which kind that is.
    pub kind: FailureKind,
}

crate::model::name_enum!(
    /// The kinds of failures of callbacks.
    FailureKind {
        /// It said that it failed, or answered what can't be taken.
        Failed = "FAILED",
        /// It did not answer in the time that it has, or can't be reached.
        Unanswered = "UNANSWERED",
        /// The call that it was asked for ended before it had the time that it has.
        CutShort = "CUT_SHORT",
        /// It was not asked, since it did not answer those before.
        NotAsked = "NOT_ASKED",
    }
);

impl Error {
    /// A request with one bad field.
    #[must_use]
    pub fn invalid(field: &str, description: impl Into<String>) -> Self {
        Self::InvalidRequest(vec![FieldFault { field: field.to_owned(), description: description.into() }])
    }

    /// What a provider's fault is to who signs in.
    #[must_use]
    pub fn of_provider(provider: &ProviderId, fault: ProviderFault) -> Self {
        match fault.kind.meaning() {
            Meaning::NoProof => Self::CredentialInvalid(provider.clone(), fault),
            Meaning::Unavailable | Meaning::Refused => Self::ProviderUnavailable(provider.clone(), fault),
        }
    }

    /// Its reason, by which programs tell errors apart.
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
            Self::CallbackUnavailable(_) => Reason::CallbackUnavailable,
            Self::SuccessorUnknown | Self::NoSigningKey => Reason::KeysUnavailable,
            Self::StoreUnavailable(_) => Reason::StoreUnavailable,
            Self::RevocationStale => Reason::RevocationStale,
            Self::NotImplemented(_) => Reason::NotImplemented,
            Self::Internal(_) => Reason::Internal,
        }
    }

    /// A request with an id that is none.
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
