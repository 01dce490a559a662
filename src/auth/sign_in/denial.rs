//! Sign-ins that do not succeed: denied, redirected first, or failed. Each writes a row in the log, and nothing else.

use std::sync::Arc;

use super::attempt::Attempt;
use super::outcome::{Denied, SignInOutcome};
use crate::auth::audit::Audit;
use crate::auth::callbacks::Denial;
use crate::auth::callbacks::Invoke;
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::model::DenialReason;
use crate::model::{
    AuthLogAction, AuthLogEntry, AuthLogOutcome, Ban, DeniedError, DeniedUrl, LogNote, LogReason, ProviderId,
    Reason, RedirectUrl, UserId,
};

/// Answers sign-ins that do not succeed.
pub struct Denials {
    /// The auth log.
    pub audit: Arc<Audit>,
    /// The URLs that denied persons are sent to.
    pub urls: DenialUrls,
    /// True if a banned user is told the administrator's reason.
    pub tell_ban_reason: bool,
    /// The callbacks, which decide redirects.
    pub invoke: Invoke,
}

/// The URLs that denied persons are sent to.
#[derive(Debug, Clone)]
pub struct DenialUrls {
    /// The URL for a person whose user is banned.
    pub banned: DeniedUrl,
    /// The URL for every other person.
    pub denied: DeniedUrl,
}

/// The refusal of a sign-in.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) denial: Denial,
    /// The providers by which the owner of the e-mail address signs in.
    pub(super) linked_providers: Vec<ProviderId>,
    /// The user of the account, if known.
    pub(super) user_id: Option<UserId>,
    /// The ban of that user, if it is the reason.
    pub(super) ban: Option<Ban>,
}

impl Denials {
    /// Answers that the sign-in is denied.
    pub(super) async fn denied(
        &self,
        call: &Call,
        attempt: &Attempt,
        refusal: Refusal,
    ) -> Result<SignInOutcome> {
        let Refusal { denial, linked_providers, user_id, ban } = refusal;
        let entry = self.entry(call, attempt, AuthLogOutcome::Denied, denial.reason);
        self.audit.append(AuthLogEntry { user_id: user_id.or(entry.user_id), ..entry }).await?;
        Ok(self.answer(denial, linked_providers, ban))
    }

    /// Makes the response of a denied sign-in.
    pub(super) fn answer(
        &self,
        denial: Denial,
        linked_providers: Vec<ProviderId>,
        ban: Option<Ban>,
    ) -> SignInOutcome {
        let redirect_to = denial_url(denial.reason, &self.urls);
        let ban = ban.map(|ban| Ban { reason: ban.reason.filter(|_| self.tell_ban_reason), ..ban });
        SignInOutcome::Denied(Denied { denial, ban, linked_providers, redirect_to })
    }

    /// Answers that a callback redirects the person first.
    pub(super) async fn redirected(
        &self,
        call: &Call,
        attempt: &Attempt,
        url: &str,
    ) -> Result<SignInOutcome> {
        let url = self.invoke.redirect_of_sign_in(url).await?;
        self.audit.append(self.entry(call, attempt, AuthLogOutcome::Redirected, LogNote::Redirected)).await?;
        Ok(SignInOutcome::Redirect(url))
    }

    /// Logs that a sign-in failed.
    pub(super) async fn failed(&self, call: &Call, attempt: &Attempt, error: &Error) -> Result<()> {
        if matches!(error, Error::CallerNotAllowed(_)) {
            if self.audit.samples_denial(true) {
                self.audit.caller_denied(&call.origin, Reason::CallerNotAllowed).await;
            }
            return Ok(());
        }
        match failure(error) {
            Some(reason) => {
                self.audit.append(self.entry(call, attempt, AuthLogOutcome::Failed, reason)).await
            }
            None => Ok(()),
        }
    }

    fn entry(
        &self,
        call: &Call,
        attempt: &Attempt,
        outcome: AuthLogOutcome,
        reason: impl Into<LogReason>,
    ) -> AuthLogEntry {
        let mut entry = self.audit.entry(AuthLogAction::SignInDenied, &call.origin).ended(outcome, reason);
        entry.user_id = attempt.user_id;
        entry.email = attempt.email.as_ref().map(|email| email.as_str().to_owned());
        entry.provider = attempt.provider.as_ref().map(ToString::to_string);
        entry
    }
}

impl Refusal {
    /// Makes a refusal that tells nothing more about the person.
    pub(super) fn new(denial: Denial, user_id: Option<UserId>) -> Self {
        Self { denial, linked_providers: Vec::new(), user_id, ban: None }
    }

    /// Makes a refusal for a built-in reason, without a detail.
    pub(super) fn by(reason: DenialReason, user_id: Option<UserId>) -> Self {
        Self::new(Denial { reason, detail: None }, user_id)
    }
}

/// Chooses the URL for a denied person, with the reason in the words of Auth.js.
fn denial_url(reason: DenialReason, urls: &DenialUrls) -> RedirectUrl {
    match reason {
        DenialReason::UserBanned => urls.banned.with_error(DeniedError::AccessDenied),
        DenialReason::AccountNotLinked => urls.denied.with_error(DeniedError::OAuthAccountNotLinked),
        DenialReason::ProviderError => urls.denied.with_error(DeniedError::OAuthCallbackError),
        DenialReason::AccessDenied
        | DenialReason::AccountOwnedByOther
        | DenialReason::EmailNotAllowed
        | DenialReason::EmailNotVerified
        | DenialReason::SignUpClosed
        | DenialReason::CallbackDenied => urls.denied.with_error(DeniedError::AccessDenied),
    }
}

/// Returns the log reason of a failed sign-in; `None` if the log itself can't be written, or already has a row.
fn failure(error: &Error) -> Option<LogReason> {
    Some(match error {
        Error::CredentialInvalid(_, fault)
        | Error::ProviderUnavailable(_, fault)
        | Error::ProviderMisconfigured(_, fault) => fault.kind.into(),
        Error::FlowSpent(cause) => return failure(cause),
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
        // The database; a failure that was logged; a caller without permission, which has its own row; and errors that
        // no sign-in returns.
        Error::StoreUnavailable(_)
        | Error::Recorded(_)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BaseUrls;

    #[test]
    fn a_denial_redirects_to_its_url_with_the_auth_js_error_code() {
        let bases = BaseUrls::parse(&["https://app.example".to_owned()]).unwrap();
        let url = |path| DeniedUrl::parse(&bases, path).unwrap();
        let urls = DenialUrls { banned: url("/banned"), denied: url("/denied") };
        let denied = "https://app.example/denied?error=AccessDenied";
        for (reason, to) in [
            (DenialReason::UserBanned, "https://app.example/banned?error=AccessDenied"),
            (DenialReason::AccountNotLinked, "https://app.example/denied?error=OAuthAccountNotLinked"),
            (DenialReason::ProviderError, "https://app.example/denied?error=OAuthCallbackError"),
            (DenialReason::AccessDenied, denied),
            (DenialReason::AccountOwnedByOther, denied),
            (DenialReason::EmailNotAllowed, denied),
            (DenialReason::EmailNotVerified, denied),
            (DenialReason::SignUpClosed, denied),
            (DenialReason::CallbackDenied, denied),
        ] {
            assert_eq!(denial_url(reason, &urls).as_str(), to, "{reason:?}");
        }
    }

    #[test]
    fn a_failure_without_a_log_reason_or_already_logged_writes_no_row() {
        assert_eq!(failure(&Error::FlowUsed), Some(Reason::FlowUsed.into()));
        assert_eq!(failure(&Error::CallerNotAllowed(None)), None);
        let unavailable = Error::StoreUnavailable(crate::storage::StoreError::no_answer());
        assert_eq!(failure(&unavailable), None);
    }
}
