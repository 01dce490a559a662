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
            tracing::info!(%provider, fault = fault.kind.name(), cause = %fault.cause, "credential refused");
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
        Error::NoSigningKey => tracing::error!("no signing key that this replica can open"),
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
        Error::TokenExpired => "the access token has expired: refresh it",
        Error::TokenSignatureInvalid => "no key of this issuer signed the access token",
        Error::TokenAudienceMismatch => "the access token is for another audience",
        Error::TokenStale => "the user's role changed after the token was issued: refresh it",
        Error::SessionRevoked => "the session was ended: sign in again",
        Error::SessionExpired => "the session is over: sign in again",
        Error::UserBanned => "the user is banned",
        Error::GrantInvalid => "not a grant for this caller",
        Error::GrantExpired => "the grant's 60 seconds are over: sign in again",
        Error::GrantUsed => "the grant was redeemed before",
        Error::RefreshInvalid => "not a refresh token for this caller",
        Error::RefreshReused => "an old refresh token came back: its session was ended",
        Error::CredentialInvalid(_, fault) if fault.kind == FaultKind::IssuerMismatch => {
            "the answer's iss is not that of the flow's provider (RFC 9207)"
        }
        Error::CredentialInvalid(provider, fault) => {
            return format!("what came from {provider} proves nobody: {}", fault.kind.name()).into();
        }
        Error::StateMismatch => {
            "the state is not the flow's: the answer belongs to another sign-in of this browser, or to none"
        }
        Error::FlowInvalid => "not a flow of this caller, or not of this provider",
        Error::FlowExpired => "the flow's 15 minutes are over: begin again",
        Error::FlowUsed => "the flow was used before: begin again",
        Error::CallerUnknown => {
            "no known caller: send `authorization: Bearer <caller key>`, or the caller's client certificate"
        }
        Error::CallerNotAllowed(Some(permission)) => {
            return format!("the caller lacks the permission {permission}, or may not use it for this")
                .into();
        }
        Error::CallerNotAllowed(None) => "the session belongs to another caller group",
        Error::CallbackDenied(Some(detail)) => return detail.clone().into(),
        Error::CallbackDenied(None) => "the jwt callback refused a token",
        Error::UserNotFound => "no such user",
        Error::ProviderNotFound => "no provider of this id is configured",
        Error::SessionNotFound => "no such session",
        Error::ClaimsTooLarge(limit) => {
            return format!(
                "the claims need more than the {limit} bytes they may have: add less in the jwt callback, or take some \
                 out of tokens.user_claims"
            )
            .into();
        }
        Error::ReauthenticationRequired => {
            "linking needs a session that was signed in lately, and the same one at BeginSignIn and SignIn: sign in again"
        }
        Error::EtagMismatch => "the user was changed meanwhile: read it again",
        Error::Conflict => "others keep changing the same: try again",
        Error::ProviderUnavailable(provider, fault) => {
            return format!("{provider} gave no answer that counts: {}", fault.kind.name()).into();
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
            "sign_in" => "the sign_in callback failed; nobody was let in",
            "redirect" => "the redirect callback failed; nobody was sent anywhere",
            callback => return format!("the {callback} callback failed; nothing was spent").into(),
        },
        Error::SuccessorUnknown | Error::NoSigningKey => {
            "this replica lacks a secret that others have: try again"
        }
        Error::StoreUnavailable(_) => "the database can't be reached: try again",
        Error::RevocationStale => "what is known of revocations is older than allowed: try again",
        Error::NotImplemented(what) => return format!("{what}: not in this version").into(),
        Error::Internal(_) => "internal error",
    })
}

/// Returns the message of a failure after the flow was used: a retry can't succeed.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other messages ask for no retry")]
fn final_message(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Conflict => "no outcome, because of concurrent calls: begin the sign-in again".into(),
        Error::StoreUnavailable(_) => "the database can't be reached: begin the sign-in again".into(),
        Error::SuccessorUnknown | Error::NoSigningKey => {
            "this replica lacks a secret that others have: begin the sign-in again".into()
        }
        Error::ProviderUnavailable(..) | Error::CallbackUnavailable(_) => {
            format!("{}: begin the sign-in again", message(error)).into()
        }
        _ => message(error),
    }
}
