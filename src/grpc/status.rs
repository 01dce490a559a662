//! The one place where a domain error becomes a gRPC status: the part of it that a client may read. It never contains
//! tokens, SQL, addresses of other systems, or the existence of an e-mail address. The error defines its reason, and
//! the cause is logged once, here.

use std::borrow::Cow;

use tonic::Status;

use super::error_details::{Extra, status};
use crate::auth::Error;
use crate::oauth::FaultKind;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        log_cause(&error);
        let (reason, message) = (error.reason(), message(&error));
        status(reason, &message, extra(error))
    }
}

/// Returns the details for the client.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors say all they know")]
fn extra(error: Error) -> Extra {
    match error {
        Error::InvalidRequest(faults) => {
            Extra::fields(faults.into_iter().map(|fault| (fault.field, fault.description)))
        }
        Error::CredentialInvalid(provider, fault)
        | Error::ProviderUnavailable(provider, fault)
        | Error::ProviderMisconfigured(provider, fault) => {
            let told = [("provider", provider.to_string()), ("fault", fault.kind.name().to_owned())];
            Extra::metadata(told.into_iter().chain(fault.error.map(|error| ("error", error))))
        }
        Error::FlowSpent(cause) | Error::Recorded(cause) => extra(*cause).of_a_final_failure(),
        _ => Extra::none(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors have no cause but the request")]
fn log_cause(error: &Error) {
    match error {
        Error::StoreUnavailable(cause) => tracing::warn!(%cause, "database unavailable"),
        Error::CredentialInvalid(provider, fault) => {
            tracing::info!(%provider, fault = fault.kind.name(), cause = %fault.cause, "credential rejected");
        }
        Error::ProviderUnavailable(provider, fault) => {
            tracing::warn!(%provider, fault = fault.kind.name(), cause = %fault.cause, "provider failed");
        }
        Error::ProviderMisconfigured(provider, fault) => {
            let (kind, code, cause) = (fault.kind.name(), fault.error.as_deref(), &fault.cause);
            tracing::error!(%provider, fault = kind, code, %cause, "provider misconfigured");
        }
        Error::FlowSpent(cause) => log_cause(cause),
        Error::CallbackUnavailable(failure) => {
            tracing::warn!(callback = failure.callback, cause = %failure.cause, "callback failed");
        }
        Error::NoSigningKey => tracing::error!("no signing key can be opened with the configured secrets"),
        Error::Internal(cause) => tracing::error!(%cause, "internal error"),
        _ => {}
    }
}

/// Returns the message for the client.
fn message(error: &Error) -> Cow<'static, str> {
    Cow::Borrowed(match error {
        Error::InvalidRequest(faults) => {
            let all: Vec<_> =
                faults.iter().map(|fault| format!("{}: {}", fault.field, fault.description)).collect();
            return all.join("; ").into();
        }
        Error::TokenMalformed => "not an access token of this issuer",
        Error::TokenExpired => "the access token has expired; refresh it",
        Error::TokenSignatureInvalid => "the access token's signature is invalid",
        Error::TokenAudienceMismatch => "the access token is for another audience",
        Error::TokenStale => "the user's role changed after the token was issued; refresh it",
        Error::SessionRevoked => "the session was revoked; sign in again",
        Error::SessionExpired => "the session has expired; sign in again",
        Error::UserBanned => "the user is banned",
        Error::GrantInvalid => "the grant is unknown, or belongs to another caller group",
        Error::GrantExpired => "the grant has expired after 60 seconds; sign in again",
        Error::GrantUsed => "the grant has already been redeemed",
        Error::RefreshInvalid => "the refresh token is unknown, or belongs to another caller group",
        Error::RefreshReused => "the refresh token was reused; its session was revoked",
        Error::CredentialInvalid(_, fault) if fault.kind == FaultKind::IssuerMismatch => {
            "the response's iss is not the issuer of the flow's provider (RFC 9207)"
        }
        Error::CredentialInvalid(provider, fault) => {
            return format!("invalid credential from {provider}: {}", fault.kind.name()).into();
        }
        Error::StateMismatch => {
            "the state does not match the flow; the response belongs to another sign-in of this browser, or to none"
        }
        Error::FlowInvalid => "the flow is invalid, or belongs to another caller group or provider",
        Error::FlowExpired => "the flow has expired after 15 minutes; call BeginSignIn again",
        Error::FlowUsed => "the flow has already been used; call BeginSignIn again",
        Error::CallerUnknown => {
            "unknown caller; send `authorization: Bearer <caller key>` or the caller's client certificate"
        }
        Error::CallerNotAllowed(Some(permission)) => {
            return format!(
                "the caller lacks the permission {permission}, or may not use it for this request"
            )
            .into();
        }
        Error::CallerNotAllowed(None) => "the session belongs to another caller group",
        Error::CallbackDenied(Some(detail)) => return detail.clone().into(),
        Error::CallbackDenied(None) => "the jwt callback denied the token",
        Error::UserNotFound => "no such user",
        Error::ProviderNotFound => "no provider with this id is configured",
        Error::SessionNotFound => "no such session",
        Error::ClaimsTooLarge(limit) => {
            return format!(
                "the claims exceed {limit} bytes; add fewer in the jwt callback, or remove some from tokens.user_claims"
            )
            .into();
        }
        Error::ReauthenticationRequired => {
            "linking requires a recent sign-in, and the same session at BeginSignIn and SignIn; sign in again"
        }
        Error::EtagMismatch => "the user has changed since it was read; read it again",
        Error::Conflict => "too many concurrent updates; retry",
        Error::ProviderUnavailable(provider, fault) => {
            return format!("no usable response from {provider}: {}", fault.kind.name()).into();
        }
        Error::ProviderMisconfigured(provider, fault) => {
            return format!(
                "sign-in at {provider} is configured incorrectly: {}; an operator must correct it",
                fault.kind.name()
            )
            .into();
        }
        Error::FlowSpent(cause) | Error::Recorded(cause) => return final_message(cause),
        // The code of an `oauth_callback` was used up before the callback was called.
        Error::CallbackUnavailable(failure) => match failure.callback {
            "sign_in" => "the sign_in callback failed; the sign-in was not completed",
            "redirect" => "the redirect callback failed; no redirect URL was chosen",
            callback => {
                return format!("the {callback} callback failed; no grant or token was used up").into();
            }
        },
        Error::SuccessorUnknown | Error::NoSigningKey => {
            "this replica lacks a secret that other replicas have; retry"
        }
        Error::StoreUnavailable(_) => "the database is unavailable; retry",
        Error::RevocationStale => "revocation data is stale; retry",
        Error::NotImplemented(what) => return format!("{what}: not implemented in this version").into(),
        Error::Internal(_) => "internal error",
    })
}

/// Returns the message of a failure after the flow was used: a retry can't succeed.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other messages ask for no retry")]
fn final_message(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Conflict => "too many concurrent calls; begin the sign-in again".into(),
        Error::StoreUnavailable(_) => "the database is unavailable; begin the sign-in again".into(),
        Error::SuccessorUnknown | Error::NoSigningKey => {
            "this replica lacks a secret that other replicas have; begin the sign-in again".into()
        }
        Error::ProviderUnavailable(..) | Error::CallbackUnavailable(_) => {
            format!("{}; begin the sign-in again", message(error)).into()
        }
        _ => message(error),
    }
}
