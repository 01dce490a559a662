//! The recorded form of a failure: the parts that the response consists of. The cause was logged when it happened.

use serde::{Deserialize, Serialize};

use crate::auth::callbacks::Callback;
use crate::auth::error::{Error, FieldFault};
use crate::model::{ProviderId, Reason};
use crate::oauth::{FaultKind, ProviderFault};
use crate::storage::StoreError;

/// A recorded failure.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<(String, String, Option<String>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<(String, String)>,
}

impl Failure {
    /// Makes the record of an error.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the reason of all other errors says it all")]
    pub(super) fn of(error: &Error) -> Self {
        let mut failure = Self { reason: error.reason().name().to_owned(), ..Self::default() };
        match error {
            Error::FlowSpent(cause) | Error::Recorded(cause) => return Self::of(cause),
            Error::CredentialInvalid(provider, fault)
            | Error::ProviderUnavailable(provider, fault)
            | Error::ProviderMisconfigured(provider, fault) => {
                let kind = fault.kind.name().to_owned();
                failure.provider = Some((provider.to_string(), kind, fault.error.clone()));
            }
            Error::CallbackUnavailable(cause) => failure.callback = Some(cause.callback.to_owned()),
            Error::InvalidRequest(faults) => {
                let told = faults.iter().map(|fault| (fault.field.clone(), fault.description.clone()));
                failure.fields = told.collect();
            }
            _ => {}
        }
        failure
    }

    /// Returns the error again.
    pub(super) fn error(self) -> Error {
        let error = self.of_provider().or_else(|| self.of_callback()).or_else(|| self.by_reason());
        error.or_else(|| self.of_fields()).unwrap_or(Error::Internal(self.reason))
    }

    fn of_fields(&self) -> Option<Error> {
        let faults = self.fields.iter().map(|(field, description)| {
            let (field, description) = (field.clone(), description.clone());
            FieldFault { field, description }
        });
        (!self.fields.is_empty()).then(|| Error::InvalidRequest(faults.collect()))
    }

    fn of_provider(&self) -> Option<Error> {
        let (provider, kind, error) = self.provider.as_ref()?;
        let fault = ProviderFault::new(FaultKind::from_name(kind)?, "recorded");
        let provider: ProviderId = provider.parse().ok()?;
        Some(Error::of_provider(&provider, ProviderFault { error: error.clone(), ..fault }))
    }

    fn of_callback(&self) -> Option<Error> {
        let callback = Callback::ALL.into_iter().find(|known| Some(known.name()) == self.callback.as_deref());
        callback.map(|callback| callback.failed("recorded").into())
    }

    /// Returns the error that its reason alone describes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "no sign-in fails for another reason once its flow is used"
    )]
    fn by_reason(&self) -> Option<Error> {
        Some(match Reason::from_name(&self.reason)? {
            Reason::Conflict => Error::Conflict,
            Reason::FlowUsed => Error::FlowUsed,
            Reason::ReauthenticationRequired => Error::ReauthenticationRequired,
            Reason::SessionRevoked => Error::SessionRevoked,
            Reason::SessionExpired => Error::SessionExpired,
            Reason::UserBanned => Error::UserBanned,
            Reason::KeysUnavailable => Error::SuccessorUnknown,
            Reason::StoreUnavailable => Error::StoreUnavailable(StoreError::no_answer()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(error: &Error) -> Error {
        let json = serde_json::to_vec(&Failure::of(error)).unwrap();
        serde_json::from_slice::<Failure>(&json).unwrap().error()
    }

    #[test]
    fn a_failure_reads_back_as_the_same_error() {
        let corp: ProviderId = "corp".parse().unwrap();
        let faults = FaultKind::ALL.iter().map(|kind| {
            let fault =
                ProviderFault { error: Some("code".to_owned()), ..ProviderFault::new(*kind, "a cause") };
            Error::of_provider(&corp, fault)
        });
        let others = [
            Error::Conflict,
            Error::FlowUsed,
            Error::ReauthenticationRequired,
            Error::SessionRevoked,
            Error::SessionExpired,
            Error::UserBanned,
            Error::SuccessorUnknown,
            Error::StoreUnavailable(StoreError::no_answer()),
            Error::invalid("credential.profile.raw", "is too large"),
            Callback::SignIn.failed("a cause").into(),
            Callback::Redirect.failed("a cause").into(),
            Error::Internal("a cause".to_owned()),
        ];
        for error in faults.chain(others) {
            let error = Error::FlowSpent(Box::new(error));
            let read = Error::FlowSpent(Box::new(again(&error)));
            // The causes differ: they were logged when they happened.
            assert_eq!(read.reason(), error.reason(), "{error:?}");
            assert_eq!(
                serde_json::to_value(Failure::of(&read)).unwrap(),
                serde_json::to_value(Failure::of(&error)).unwrap()
            );
        }
    }

    #[test]
    fn a_failure_of_another_version_is_an_internal_error() {
        let failure = Failure { reason: "OF_TOMORROW".to_owned(), ..Failure::default() };
        assert!(matches!(failure.error(), Error::Internal(_)));
    }
}
