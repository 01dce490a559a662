//! The one place where a domain error becomes a gRPC status: its code, its reason, and what a client may read of
//! it. Never tokens, SQL, addresses of other systems, or whether an e-mail exists. The cause is logged once, here.

use tonic::{Code, Status};

use super::error_details::{Extra, status};
use super::proto::v1::ErrorReason;
use crate::auth::Error;
use crate::oauth::FaultKind;

/// A reason as `ErrorInfo` and the trailer spell it: the enum's name without its prefix.
#[must_use]
pub fn reason_name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors say all they know")]
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        log_cause(&error);
        let (code, reason, message) = describe(&error);
        let extra = match error {
            Error::InvalidRequest(faults) => {
                Extra::fields(faults.into_iter().map(|fault| (fault.field, fault.description)))
            }
            Error::CredentialInvalid(provider, fault) | Error::ProviderUnavailable(provider, fault) => {
                Extra::metadata([("provider", provider.to_string()), ("fault", fault.kind.name().to_owned())])
            }
            _ => Extra::none(),
        };
        status(code, reason_name(reason), &message, extra)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors have no cause but the request")]
fn log_cause(error: &Error) {
    match error {
        Error::StoreUnavailable(cause) => tracing::warn!(%cause, "database unavailable"),
        Error::CredentialInvalid(provider, fault) => {
            tracing::info!(%provider, fault = fault.kind.name(), cause = %fault.cause, "credential refused");
        }
        Error::ProviderUnavailable(provider, fault) => {
            tracing::warn!(%provider, fault = fault.kind.name(), cause = %fault.cause, "provider failed");
        }
        Error::CallbackUnavailable(failure) => {
            tracing::warn!(callback = failure.callback, cause = %failure.cause, "callback failed");
        }
        Error::NoSigningKey => tracing::error!("no signing key that this replica can open"),
        Error::Internal(cause) => tracing::error!(%cause, "internal error"),
        _ => {}
    }
}

#[expect(clippy::too_many_lines, reason = "one exhaustive match, so that no error is without its reason")]
fn describe(error: &Error) -> (Code, ErrorReason, String) {
    let say = |code, reason, message: &str| (code, reason, message.to_owned());
    let credential = |reason, message: &str| say(Code::Unauthenticated, reason, message);
    match error {
        Error::InvalidRequest(faults) => (Code::InvalidArgument, ErrorReason::InvalidRequest, {
            let all: Vec<_> =
                faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect();
            all.join("; ")
        }),
        Error::TokenMalformed => {
            credential(ErrorReason::TokenMalformed, "not an access token of this issuer")
        }
        Error::TokenExpired => {
            credential(ErrorReason::TokenExpired, "the access token has expired: refresh it")
        }
        Error::TokenSignatureInvalid => {
            credential(ErrorReason::TokenSignatureInvalid, "no key of this issuer signed the access token")
        }
        Error::TokenAudienceMismatch => {
            credential(ErrorReason::TokenAudienceMismatch, "the access token is for another audience")
        }
        Error::TokenStale => credential(
            ErrorReason::TokenStale,
            "the user's role changed after the token was issued: refresh it",
        ),
        Error::SessionRevoked => {
            credential(ErrorReason::SessionRevoked, "the session was ended: sign in again")
        }
        Error::SessionExpired => {
            credential(ErrorReason::SessionExpired, "the session is over: sign in again")
        }
        Error::UserBanned => credential(ErrorReason::UserBanned, "the user is banned"),
        Error::GrantInvalid => credential(ErrorReason::GrantInvalid, "not a grant for this caller"),
        Error::GrantExpired => {
            credential(ErrorReason::GrantExpired, "the grant's 60 seconds are over: sign in again")
        }
        Error::GrantUsed => credential(ErrorReason::GrantUsed, "the grant was redeemed before"),
        Error::RefreshInvalid => {
            credential(ErrorReason::RefreshInvalid, "not a refresh token for this caller")
        }
        Error::RefreshReused => {
            credential(ErrorReason::RefreshReused, "an old refresh token came back: its session was ended")
        }
        Error::CredentialInvalid(_, fault) if fault.kind == FaultKind::IssuerMismatch => credential(
            ErrorReason::StateMismatch,
            "the answer's iss is not that of the flow's provider (RFC 9207)",
        ),
        Error::CredentialInvalid(provider, fault) => (
            Code::Unauthenticated,
            ErrorReason::CredentialInvalid,
            format!("what came from {provider} proves nobody: {}", fault.kind.name()),
        ),
        Error::StateMismatch => credential(
            ErrorReason::StateMismatch,
            "the state is not the flow's: the answer belongs to another sign-in of this browser, or to none",
        ),
        Error::FlowInvalid => {
            credential(ErrorReason::FlowInvalid, "not a flow of this caller, or not of this provider")
        }
        Error::FlowExpired => {
            credential(ErrorReason::FlowExpired, "the flow's 15 minutes are over: begin again")
        }
        Error::FlowUsed => credential(ErrorReason::FlowUsed, "the flow was used before: begin again"),
        Error::CallerUnknown => credential(
            ErrorReason::CallerUnknown,
            "no known caller: send `authorization: Bearer <caller key>`, or the caller's client certificate",
        ),
        Error::CallerNotAllowed(Some(permission)) => (
            Code::PermissionDenied,
            ErrorReason::CallerNotAllowed,
            format!("the caller lacks the permission {permission}, or may not use it for this"),
        ),
        Error::CallerNotAllowed(None) => say(
            Code::PermissionDenied,
            ErrorReason::CallerNotAllowed,
            "the session belongs to another caller group",
        ),
        Error::CallbackDenied(detail) => (
            Code::PermissionDenied,
            ErrorReason::CallbackDenied,
            detail.clone().unwrap_or_else(|| "the jwt callback refused a token".to_owned()),
        ),
        Error::UserNotFound => say(Code::NotFound, ErrorReason::UserNotFound, "no such user"),
        Error::ProviderNotFound => {
            say(Code::NotFound, ErrorReason::ProviderNotFound, "no provider of this id is configured")
        }
        Error::ReauthenticationRequired => say(
            Code::FailedPrecondition,
            ErrorReason::ReauthenticationRequired,
            "linking needs a session that was signed in lately, and the same one at BeginSignIn and SignIn: sign in again",
        ),
        Error::SessionNotFound => say(Code::NotFound, ErrorReason::SessionNotFound, "no such session"),
        Error::ClaimsTooLarge(limit) => (
            Code::FailedPrecondition,
            ErrorReason::ClaimsTooLarge,
            format!(
                "the claims need more than the {limit} bytes they may have: add less in the jwt callback, or take some \
                 out of tokens.user_claims"
            ),
        ),
        Error::EtagMismatch => {
            say(Code::Aborted, ErrorReason::EtagMismatch, "the user was changed meanwhile: read it again")
        }
        Error::Conflict => {
            say(Code::Aborted, ErrorReason::Conflict, "others keep changing the same: try again")
        }
        Error::ProviderUnavailable(provider, fault) => (
            Code::Unavailable,
            ErrorReason::ProviderUnavailable,
            format!("{provider} gave no answer that counts: {}", fault.kind.name()),
        ),
        Error::CallbackUnavailable(failure) => (
            Code::Unavailable,
            ErrorReason::CallbackUnavailable,
            // The code of an `oauth_callback` was spent before anybody could be asked.
            match failure.callback {
                "sign_in" => "the sign_in callback failed; nobody was let in".to_owned(),
                "redirect" => "the redirect callback failed; nobody was sent anywhere".to_owned(),
                callback => format!("the {callback} callback failed; nothing was spent"),
            },
        ),
        Error::SuccessorUnknown | Error::NoSigningKey => say(
            Code::Unavailable,
            ErrorReason::StoreUnavailable,
            "this replica lacks a secret that others have: try again",
        ),
        Error::StoreUnavailable(_) => {
            say(Code::Unavailable, ErrorReason::StoreUnavailable, "the database can't be reached: try again")
        }
        Error::RevocationStale => say(
            Code::Unavailable,
            ErrorReason::RevocationStale,
            "what is known of revocations is older than allowed: try again",
        ),
        Error::NotImplemented(what) => {
            (Code::Unimplemented, ErrorReason::NotImplemented, format!("{what}: not in this version"))
        }
        Error::Internal(_) => say(Code::Internal, ErrorReason::Internal, "internal error"),
    }
}
