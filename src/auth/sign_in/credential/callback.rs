//! The callback of a provider: its flow is opened, then marked as used, then its code is redeemed.

use super::presented::OAuthCallback;
use super::proven::{Proven, Proving};
use super::refused::{provider_error, refused_or_failed};
use crate::auth::error::{Error, Result};
use crate::auth::sign_in::attempt::Attempt;
use crate::auth::sign_in::flow::ProviderFlow;
use crate::auth::sign_in::flows::Flows;
use crate::auth::sign_in::provider_deadline::provider_until;
use crate::model::Timestamp;
use crate::oauth::{AuthorizationCode, Providers, is_of_configuration};
use crate::storage::UsedMarkStore;

/// Opens the flow of a browser that came back; if the flow is invalid, the log still names its provider. A flow of
/// another provider would send a code to the wrong provider (mix-up, RFC 9700 section 4.4).
pub(super) fn open_flow(
    flows: &Flows,
    group: &str,
    callback: &OAuthCallback,
    now: Timestamp,
    attempt: &mut Attempt,
) -> Result<ProviderFlow> {
    let flow = flows.unseal(group, &callback.flow)?;
    attempt.provider = Some(flow.provider.clone());
    if callback.provider.as_ref().is_some_and(|provider| *provider != flow.provider) {
        return Err(Error::FlowInvalid);
    }
    flow.check_time(now)?;
    flow.check_state(&callback.state)?;
    Ok(flow)
}

/// Verifies the response of a provider's page. The flow is marked as used before its code is redeemed; the same statement
/// records the request, if it may be repeated.
pub(super) async fn prove(
    providers: &Providers,
    used_marks: &dyn UsedMarkStore,
    flow: ProviderFlow,
    callback: &OAuthCallback,
    attempt: &mut Attempt,
) -> Result<Proving> {
    let provider = providers.get(&flow.provider).ok_or(Error::ProviderNotFound)?;
    let of_provider = |fault| Error::of_provider(&flow.provider, fault);
    let turn = provider.turn(provider_until()).map_err(of_provider)?;
    provider.check_issuer(callback.iss.as_deref(), &turn).await.map_err(of_provider)?;
    if let Some(error) = &callback.error {
        attempt.is_reported = is_of_configuration(error);
        if attempt.is_reported {
            tracing::info!(provider = %flow.provider, code = error, "provider error reported by a browser");
        }
        return Ok(Proving::Refused(provider_error(Some(error.clone()))));
    }
    attempt.used_flow = match &attempt.claim {
        Some(claim) => used_marks.record_request(claim.record()).await?,
        None => used_marks.mark_used(flow.used()).await?,
    };
    if !attempt.used_flow {
        return Err(Error::FlowUsed);
    }
    let code = AuthorizationCode {
        code: &callback.code,
        redirect_uri: &flow.redirect_uri,
        code_verifier: &flow.code_verifier,
        nonce: &flow.nonce,
        asked: &flow.asked,
        user: callback.user.as_deref(),
    };
    match provider.redeem_code(&code, &turn).await {
        Ok(proof) => {
            let mut proven = Proven::by_provider(proof, Vec::new(), Some(flow));
            proven.claim.clone_from(&attempt.claim);
            Ok(Proving::Person(Box::new(proven)))
        }
        Err(fault) => refused_or_failed(&flow.provider, fault),
    }
}
