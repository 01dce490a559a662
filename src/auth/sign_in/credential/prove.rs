//! The choice of the verification for a credential of `SignIn`.

use std::sync::Arc;

use super::presented::Credential;
use super::proven::Proving;
use super::{callback, id_token, profile};
use crate::auth::caller::Call;
use crate::auth::error::Result;
use crate::auth::sign_in::attempt::Attempt;
use crate::auth::sign_in::dropped_attributes::DroppedAttributes;
use crate::auth::sign_in::flows::Flows;
use crate::model::{Clock, Profile};
use crate::oauth::Providers;
use crate::storage::UsedMarkStore;

/// Verifies each kind of credential.
pub struct Credentials {
    /// The configured providers.
    pub providers: Arc<Providers>,
    /// Opens flows.
    pub flows: Flows,
    /// The marks of used flows.
    pub used_marks: Arc<dyn UsedMarkStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Counts the attributes that are dropped.
    pub dropped: DroppedAttributes,
}

impl Credentials {
    /// Verifies a credential, and records its provider and account for the log.
    pub(in crate::auth::sign_in) async fn prove(
        &self,
        call: &Call,
        credential: Credential,
        attempt: &mut Attempt,
    ) -> Result<Proving> {
        let proving = self.prove_kind(call, credential, attempt).await?;
        if let Proving::Person(proven) = &proving {
            let Profile { identity, dropped, .. } = &proven.profile;
            let configured = self.providers.contains_key(&identity.provider).then_some(&identity.provider);
            self.dropped.count(configured, dropped);
        }
        Ok(proving)
    }

    async fn prove_kind(
        &self,
        call: &Call,
        credential: Credential,
        attempt: &mut Attempt,
    ) -> Result<Proving> {
        let group = &call.caller.group;
        match credential {
            Credential::Profile(profile) => {
                attempt.email.clone_from(&profile.email);
                profile::prove(&call.caller, *profile)
            }
            Credential::OAuthCallback(callback) => {
                let flow = callback::open_flow(&self.flows, group, &callback, self.clock.now(), attempt)?;
                callback::prove(&self.providers, &*self.used_marks, flow, &callback, attempt).await
            }
            Credential::IdToken(credential) => {
                id_token::prove(&self.providers, &self.flows, group, &credential).await
            }
        }
    }
}
