//! Sign-ins that let nobody in: denied, sent elsewhere first, or failed. Each leaves a row in the log, and nothing else.

use super::callbacks::DenialReason;
use super::caller::Call;
use super::error::{Error, Result};
use super::person::Refusal;
use super::shared::Auth;
use super::sign_in::{Denied, SignInOutcome};
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, DeniedError, Email, LogNote, LogReason, ProviderId, UserId,
};

/// Whose sign-in the log tells of, as far as that is known.
#[derive(Debug, Default)]
pub(super) struct Attempt {
    pub(super) provider: Option<ProviderId>,
    pub(super) email: Option<Email>,
    pub(super) user_id: Option<UserId>,
}

impl Auth {
    /// A callback sends the person elsewhere first.
    pub(super) async fn redirected(
        &self,
        call: &Call,
        attempt: &Attempt,
        url: &str,
    ) -> Result<SignInOutcome> {
        let url = self.redirect_to(url).await?;
        self.append_log(self.denied_log(call, attempt, AuthLogOutcome::Redirected, LogNote::Redirected))
            .await?;
        Ok(SignInOutcome::Redirect(url))
    }

    pub(super) async fn denied(
        &self,
        call: &Call,
        attempt: &Attempt,
        refusal: Refusal,
    ) -> Result<SignInOutcome> {
        let Refusal { denial, linked_providers, user_id } = refusal;
        let entry = self.denied_log(call, attempt, AuthLogOutcome::Denied, denial.reason);
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

    pub(super) fn denied_log(
        &self,
        call: &Call,
        attempt: &Attempt,
        outcome: AuthLogOutcome,
        reason: impl Into<LogReason>,
    ) -> AuthLogEntry {
        let mut entry = self.log_entry(AuthLogAction::SignInDenied, &call.origin).ended(outcome, reason);
        entry.user_id = attempt.user_id;
        entry.email = attempt.email.as_ref().map(|email| email.as_str().to_owned());
        entry.provider = attempt.provider.as_ref().map(ToString::to_string);
        entry
    }
}

/// The reason that the log tells of a sign-in that failed; none where the log itself can't be written, or has its row.
pub(super) fn failure(error: &Error) -> Option<LogReason> {
    Some(match error {
        Error::CredentialInvalid(_, fault) | Error::ProviderUnavailable(_, fault) => fault.kind.into(),
        Error::StateMismatch
        | Error::FlowInvalid
        | Error::FlowExpired
        | Error::FlowUsed
        | Error::ProviderNotFound
        | Error::ReauthenticationRequired
        | Error::TokenMalformed
        | Error::TokenExpired
        | Error::TokenSignatureInvalid
        | Error::TokenAudienceMismatch
        | Error::TokenStale
        | Error::RevocationStale
        | Error::SessionRevoked
        | Error::SessionExpired
        | Error::UserBanned
        | Error::CallbackUnavailable(_)
        | Error::InvalidRequest(_)
        | Error::GrantUsed
        | Error::Conflict
        | Error::SuccessorUnknown
        | Error::Internal(_) => error.reason().into(),
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
