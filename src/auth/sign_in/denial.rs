//! Sign-ins that let nobody in: denied, sent elsewhere first, or failed. Each leaves a row in the log, and nothing else.

use crate::auth::callbacks::DenialReason;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::auth::sign_in::complete::{Denied, SignInOutcome};
use crate::auth::sign_in::resolve_user::Refusal;
use crate::model::{AuthLogAction, AuthLogEntry, AuthLogOutcome, DeniedError, Email, ProviderId, UserId};

/// Whose sign-in the log tells of, as far as that is known.
#[derive(Debug, Default)]
pub(in crate::auth) struct Attempt {
    pub(in crate::auth) provider: Option<ProviderId>,
    pub(in crate::auth) email: Option<Email>,
    pub(in crate::auth) user_id: Option<UserId>,
}

impl Auth {
    /// A callback sends the person elsewhere first.
    pub(in crate::auth) async fn redirected(
        &self,
        call: &Call,
        attempt: &Attempt,
        url: &str,
    ) -> Result<SignInOutcome> {
        let url = self.redirect_to(url).await?;
        self.append_log(self.denied_log(call, attempt, AuthLogOutcome::Redirected, "REDIRECTED")).await?;
        Ok(SignInOutcome::Redirect(url))
    }

    pub(in crate::auth) async fn denied(
        &self,
        call: &Call,
        attempt: &Attempt,
        refusal: Refusal,
    ) -> Result<SignInOutcome> {
        let Refusal { denial, linked_providers, user_id } = refusal;
        let entry = self.denied_log(call, attempt, AuthLogOutcome::Denied, denial.reason.name());
        self.append_log(AuthLogEntry { user_id: user_id.or(entry.user_id), ..entry }).await?;
        let rules = &self.rules.sign_in;
        let redirect_to = match denial.reason {
            DenialReason::UserBanned => rules.banned_url.with_error(DeniedError::AccessDenied),
            DenialReason::AccountNotLinked => rules.denied_url.with_error(DeniedError::OAuthAccountNotLinked),
            DenialReason::ProviderError => rules.denied_url.with_error(DeniedError::OAuthCallbackError),
            DenialReason::AccessDenied
            | DenialReason::AccountOwnedByOther
            | DenialReason::EmailNotAllowed
            | DenialReason::EmailNotVerified
            | DenialReason::SignUpClosed
            | DenialReason::CallbackDenied => rules.denied_url.with_error(DeniedError::AccessDenied),
        };
        Ok(SignInOutcome::Denied(Denied { denial, linked_providers, redirect_to }))
    }

    pub(in crate::auth) fn denied_log(
        &self,
        call: &Call,
        attempt: &Attempt,
        outcome: AuthLogOutcome,
        reason: &'static str,
    ) -> AuthLogEntry {
        let mut entry = self.log_entry(AuthLogAction::SignInDenied, &call.origin).ended(outcome, reason);
        entry.user_id = attempt.user_id;
        entry.email = attempt.email.as_ref().map(|email| email.as_str().to_owned());
        entry.provider = attempt.provider.as_ref().map(ToString::to_string);
        entry
    }
}

/// What the log says of a sign-in that failed; nothing where the log itself can't be written, or has its row.
pub(in crate::auth) fn failure(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::CredentialInvalid(_, fault) | Error::ProviderUnavailable(_, fault) => fault.kind.name(),
        Error::StateMismatch => "STATE_MISMATCH",
        Error::FlowInvalid => "FLOW_INVALID",
        Error::FlowExpired => "FLOW_EXPIRED",
        Error::FlowUsed => "FLOW_USED",
        Error::ProviderNotFound => "PROVIDER_NOT_FOUND",
        Error::ReauthenticationRequired => "REAUTHENTICATION_REQUIRED",
        Error::TokenMalformed => "TOKEN_MALFORMED",
        Error::TokenExpired => "TOKEN_EXPIRED",
        Error::TokenSignatureInvalid => "TOKEN_SIGNATURE_INVALID",
        Error::TokenAudienceMismatch => "TOKEN_AUDIENCE_MISMATCH",
        Error::TokenStale => "TOKEN_STALE",
        Error::RevocationStale => "REVOCATION_STALE",
        Error::SessionRevoked => "SESSION_REVOKED",
        Error::SessionExpired => "SESSION_EXPIRED",
        Error::UserBanned => "USER_BANNED",
        Error::CallbackUnavailable(_) => "CALLBACK_UNAVAILABLE",
        Error::InvalidRequest(_) => "INVALID_REQUEST",
        Error::GrantUsed => "GRANT_USED",
        Error::Conflict => "CONFLICT",
        Error::SuccessorUnknown => "STORE_UNAVAILABLE",
        Error::Internal(_) => "INTERNAL",
        // The database; a caller that may not, of which there is a row of its own; and what comes from no sign-in.
        Error::StoreUnavailable(_)
        | Error::CallerNotAllowed(_)
        | Error::GrantInvalid
        | Error::GrantExpired
        | Error::RefreshInvalid
        | Error::RefreshReused
        | Error::CallerUnknown
        | Error::CallbackDenied(_)
        | Error::UserNotFound
        | Error::SessionNotFound
        | Error::ClaimsTooLarge(_)
        | Error::EtagMismatch
        | Error::NoSigningKey
        | Error::NotImplemented(_) => return None,
    })
}
