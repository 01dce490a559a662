//! An ID token that the client obtained itself.

use secrecy::{ExposeSecret, SecretString};

use super::presented::{Binding, IdTokenCredential};
use super::proven::{Proven, Proving};
use super::refused::refused_or_failed;
use crate::auth::error::{Error, Result};
use crate::auth::sign_in::flow::ProviderFlow;
use crate::auth::sign_in::flows::Flows;
use crate::auth::sign_in::provider_deadline::provider_until;
use crate::oauth::{Asked, Providers};

/// Verifies an ID token. Token and flow are marked as used with the sign-in, so that a failed sign-in can be retried.
pub(super) async fn prove(
    providers: &Providers,
    flows: &Flows,
    group: &str,
    credential: &IdTokenCredential,
) -> Result<Proving> {
    let provider = providers.get(&credential.provider).ok_or(Error::ProviderNotFound)?;
    if !provider.has_id_tokens() {
        return Err(Error::invalid("credential.id_token.provider", "must be an OpenID provider"));
    }
    let (flow, nonce, asked) = match &credential.binding {
        Binding::Nonce(nonce) => (None, SecretString::from(nonce.as_str()), Asked::default()),
        Binding::Flow(text) => {
            let flow = flows.open(group, text)?;
            if flow.provider != credential.provider {
                return Err(Error::FlowInvalid);
            }
            let (nonce, asked) = (flow.nonce.clone(), flow.asked.clone());
            (Some(flow), nonce, asked)
        }
    };
    let until = provider_until();
    match provider.verify_id_token(&credential.token, nonce.expose_secret(), &asked, until).await {
        Ok(proof) => {
            let used = flow.iter().map(ProviderFlow::used).collect();
            Ok(Proving::Person(Box::new(Proven::by_provider(proof, used, flow))))
        }
        Err(fault) => refused_or_failed(&credential.provider, fault),
    }
}
