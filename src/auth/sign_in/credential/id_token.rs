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
        None if provider.nonce_is_optional() => (None, None, Asked::default()),
        None => {
            let needed = "one of flow and nonce is required, unless the provider has nonce: optional";
            return Err(Error::invalid("credential.id_token.binding", needed));
        }
        Some(Binding::Nonce(nonce)) => (None, Some(SecretString::from(nonce.as_str())), Asked::default()),
        Some(Binding::Flow(text)) => {
            let flow = flows.open(group, text)?;
            if flow.provider != credential.provider {
                return Err(Error::FlowInvalid);
            }
            let (nonce, asked) = (flow.nonce.clone(), flow.asked.clone());
            (Some(flow), Some(nonce), asked)
        }
    };
    let until = provider_until();
    let nonce = nonce.as_ref().map(ExposeSecret::expose_secret);
    match provider.verify_id_token(&credential.token, nonce, &asked, until).await {
        Ok(proof) => {
            let used = flow.iter().map(ProviderFlow::used).collect();
            Ok(Proving::Person(Box::new(Proven::by_provider(proof, used, flow))))
        }
        Err(fault) => refused_or_failed(&credential.provider, fault),
    }
}
