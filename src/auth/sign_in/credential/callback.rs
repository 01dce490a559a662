//! Proving who somebody is by what `SignIn` was given: a profile that the caller vouches for, the answer of a provider's
//! page, or an ID token.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::auth::call_context::CallContext;
use crate::auth::callbacks::{Denial, DenialReason};
use crate::auth::caller::Call;
use crate::auth::error::{Error, Result};
use crate::auth::rules::Auth;
use crate::auth::sign_in::denial::Attempt;
use crate::auth::sign_in::flow::Flow;
use crate::model::{Profile, ProviderId, SessionId, UsedMark};
use crate::oauth::{Asked, AuthorizationCode, FaultKind, Meaning, Proof, ProviderFault, ProviderTokens};

/// What is left of the call when a provider has had its time: enough to write that it did not answer.
const LEFT_TO_TELL: Duration = Duration::from_millis(500);

/// How long a provider has where no deadline is known.
const NO_DEADLINE: Duration = Duration::from_secs(10);

/// What proves who somebody is.
pub enum Credential {
    /// The caller vouches.
    Profile(Box<Profile>),
    /// A provider's page answered.
    OAuthCallback(OAuthCallback),
    /// A client got an ID token by itself.
    IdToken(IdTokenCredential),
}

/// The answer of a provider's page (RFC 6749 section 4.1.2).
pub struct OAuthCallback {
    /// The sealed flow.
    pub flow: String,
    /// The code; empty with `error`.
    pub code: String,
    /// What came back of `state`.
    pub state: String,
    /// Who answered (RFC 9207).
    pub iss: Option<String>,
    /// The provider's error.
    pub error: Option<String>,
    /// The JSON that Apple posts at the first sign-in.
    pub user: Option<String>,
    /// The provider whose route the browser came back to, if the caller tells.
    pub provider: Option<ProviderId>,
}

/// An ID token that the client got by itself.
pub struct IdTokenCredential {
    /// The provider.
    pub provider: ProviderId,
    /// The token.
    pub token: String,
    /// What ties it to this sign-in.
    pub binding: Binding,
}

/// What ties an ID token to a sign-in.
pub enum Binding {
    /// A sealed flow, whose nonce it must have.
    Flow(String),
    /// A nonce that the caller kept.
    Nonce(String),
}

/// Somebody, proven.
pub(in crate::auth) struct Proven {
    pub(in crate::auth) profile: Profile,
    /// What is used up in the transaction of the sign-in.
    pub(in crate::auth) used: Vec<UsedMark>,
    /// Whether the flow is among that.
    uses_flow: bool,
    pub(in crate::auth) tokens: Option<ProviderTokens>,
    /// Where the flow says that the person wants to go.
    pub(in crate::auth) redirect_to: String,
    /// What the flow was begun for; none without a flow.
    pub(in crate::auth) begun: Option<BegunFor>,
}

/// What a flow was begun for: the session to link the account from, or none to sign in.
#[derive(Clone, Copy)]
pub(in crate::auth) struct BegunFor(pub(super) Option<SessionId>);

/// What a credential comes to.
pub(in crate::auth) enum Proving {
    /// A person.
    Person(Box<Proven>),
    /// The provider said no.
    Refused(Denial),
}

impl Credential {
    /// The provider, where it is known without opening anything.
    pub(in crate::auth) fn provider(&self) -> Option<&ProviderId> {
        match self {
            Self::Profile(profile) => Some(&profile.provider),
            Self::OAuthCallback(callback) => callback.provider.as_ref(),
            Self::IdToken(credential) => Some(&credential.provider),
        }
    }
}

/// Until when a provider may take: the call's deadline, less what it takes to tell of a failure.
pub(in crate::auth) fn provider_until() -> Instant {
    let due = CallContext::current().and_then(|call| call.due);
    let now = Instant::now();
    let due = due.unwrap_or(now + NO_DEADLINE);
    let left = due.saturating_duration_since(now);
    due.checked_sub(LEFT_TO_TELL.min(left / 10)).unwrap_or(due)
}

impl Auth {
    /// Proves a flow to be whose it is; whatever is wrong with it, the log names its provider. The flow of another provider than
    /// the browser came back from would send a code to who should not have it (mix-up, RFC 9700 section 4.4).
    pub(in crate::auth) fn returned_flow(
        &self,
        call: &Call,
        callback: &OAuthCallback,
        attempt: &mut Attempt,
    ) -> Result<Flow> {
        let flow = self.unseal_flow(&call.caller.group, &callback.flow)?;
        attempt.provider = Some(flow.provider.clone());
        if callback.provider.as_ref().is_some_and(|provider| *provider != flow.provider) {
            return Err(Error::FlowInvalid);
        }
        flow.check_time(self.now())?;
        flow.check_state(&callback.state)?;
        Ok(flow)
    }

    /// Proves who came back from a provider's page. The flow is used up before its code is.
    pub(in crate::auth) async fn prove_by_callback(
        &self,
        flow: Flow,
        callback: &OAuthCallback,
    ) -> Result<Proving> {
        let provider = Arc::clone(self.provider(&flow.provider)?);
        let of_provider = |fault| Error::of_provider(&flow.provider, fault);
        let turn = provider.turn(provider_until()).map_err(of_provider)?;
        provider.check_issuer(callback.iss.as_deref(), &turn).await.map_err(of_provider)?;
        if let Some(error) = &callback.error {
            return Ok(Proving::Refused(provider_error(Some(error.clone()))));
        }
        if !self.parts.used_marks.mark_used(flow.used()).await? {
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
        let proof = match provider.redeem_code(&code, &turn).await {
            Ok(proof) => proof,
            Err(fault) => return refused_or_failed(&flow.provider, fault),
        };
        Ok(Proving::Person(Box::new(Proven::of(proof, Vec::new(), Some(flow)))))
    }

    /// Proves whose an ID token is. Token and flow are used up with the sign-in, so that one that failed can be made again.
    pub(in crate::auth) async fn prove_by_id_token(
        &self,
        call: &Call,
        credential: &IdTokenCredential,
    ) -> Result<Proving> {
        let provider = Arc::clone(self.provider(&credential.provider)?);
        if !provider.has_id_tokens() {
            return Err(Error::invalid("credential.id_token.provider", "is no OpenID provider"));
        }
        let (flow, nonce, asked) = match &credential.binding {
            Binding::Nonce(nonce) => (None, SecretString::from(nonce.as_str()), Asked::default()),
            Binding::Flow(text) => {
                let flow = self.open_flow(&call.caller.group, text)?;
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
                let used = flow.iter().map(Flow::used).collect();
                Ok(Proving::Person(Box::new(Proven::of(proof, used, flow))))
            }
            Err(fault) => refused_or_failed(&credential.provider, fault),
        }
    }
}

impl Proven {
    /// Who a caller vouches for.
    pub(in crate::auth) fn vouched(profile: Profile) -> Self {
        Self {
            profile,
            used: Vec::new(),
            uses_flow: false,
            tokens: None,
            redirect_to: String::new(),
            begun: None,
        }
    }

    /// What is to be said where something that it uses up was used before.
    pub(in crate::auth) fn used_before(&self) -> Error {
        if self.uses_flow {
            return Error::FlowUsed;
        }
        let fault = ProviderFault::new(FaultKind::IdTokenUsed, "it signed somebody in before");
        Error::CredentialInvalid(self.profile.provider.clone(), fault)
    }

    fn of(proof: Proof, mut used: Vec<UsedMark>, flow: Option<Flow>) -> Self {
        let uses_flow = !used.is_empty();
        let token = proof.id_token;
        used.extend(token.map(|token| UsedMark::of_id_token(&token.digest, token.expires_at)));
        let begun = flow.as_ref().map(|flow| BegunFor(flow.link));
        let redirect_to = flow.map(|flow| flow.redirect_to).unwrap_or_default();
        Self { profile: proof.profile, used, uses_flow, tokens: proof.tokens, redirect_to, begun }
    }
}

fn provider_error(detail: Option<String>) -> Denial {
    Denial { reason: DenialReason::ProviderError, detail }
}

/// A provider's no is an answer; all else is an error.
fn refused_or_failed(provider: &ProviderId, fault: ProviderFault) -> Result<Proving> {
    match fault.kind.meaning() {
        Meaning::Refused => {
            tracing::warn!(%provider, %fault, "the provider refused");
            Ok(Proving::Refused(provider_error(fault.error)))
        }
        Meaning::Unavailable | Meaning::NoProof => Err(Error::of_provider(provider, fault)),
    }
}
