//! The built-in policy: the configured rules about who may sign in. Only the current data of the provider is used, and
//! only a verified e-mail address satisfies a rule about addresses.

use serde_json::Value;

use crate::auth::{
    Callback, CallbackResult, CallbackSet, Callbacks, Denial, SignInDecision, SignInInput, SignInRules,
};
use crate::model::{DenialReason, Email};

/// Implements `sign_in` by the rules of the configuration.
#[derive(Debug)]
pub struct Policy(SignInRules);

impl Policy {
    /// Makes the policy of these rules.
    #[must_use]
    pub fn new(rules: SignInRules) -> Self {
        Self(rules)
    }

    fn refuses(&self, input: &SignInInput<'_>) -> Option<DenialReason> {
        let verified = input.profile.get("email_verified") == Some(&Value::Bool(true));
        let email =
            input.profile.get("email").and_then(Value::as_str).and_then(|text| Email::parse(text).ok());
        let email = email.filter(|_| verified);
        let domains = &self.0.allowed_email_domains;
        let of_domain = email.as_ref().is_some_and(|email| domains.iter().any(|domain| domain.is_of(email)));
        if self.0.require_verified_email && email.is_none() {
            Some(DenialReason::EmailNotVerified)
        } else if !domains.is_empty() && !of_domain {
            Some(DenialReason::EmailNotAllowed)
        } else if input.is_new_user && !self.0.allow_sign_up {
            Some(DenialReason::SignUpClosed)
        } else {
            None
        }
    }
}

impl Callbacks for Policy {
    fn implemented(&self) -> CallbackSet {
        [Callback::SignIn].into()
    }

    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        let refusal = self.refuses(input).map(|reason| SignInDecision::Deny(Denial { reason, detail: None }));
        Ok(refusal.unwrap_or(SignInDecision::Allow))
    }
}
