//! The result of proving a credential.

use crate::auth::callbacks::Denial;
use crate::auth::error::Error;
use crate::auth::sign_in::flow::ProviderFlow;
use crate::model::{Profile, SessionId, UsedMark};
use crate::oauth::{FaultKind, Proof, ProviderFault, ProviderTokens};

/// The result of proving a credential.
pub(in crate::auth::sign_in) enum Proving {
    /// A person.
    Person(Box<Proven>),
    /// The provider said no.
    Refused(Denial),
}

/// Somebody, proven.
pub(in crate::auth::sign_in) struct Proven {
    pub(in crate::auth::sign_in) profile: Profile,
    /// The marks that the transaction of the sign-in uses up.
    pub(in crate::auth::sign_in) used: Vec<UsedMark>,
    /// The flow's mark is among them.
    uses_flow: bool,
    pub(in crate::auth::sign_in) tokens: Option<ProviderTokens>,
    /// The place the person wants to go to, by the flow.
    pub(in crate::auth::sign_in) redirect_to: String,
    /// The purpose of the flow; none without a flow.
    begun: Option<BegunFor>,
}

/// The purpose of a flow: the session to link the account from, or none to sign in.
#[derive(Clone, Copy)]
struct BegunFor(Option<SessionId>);

impl Proven {
    /// The person that a caller vouches for.
    pub(super) fn vouched(profile: Profile) -> Self {
        Self {
            profile,
            used: Vec::new(),
            uses_flow: false,
            tokens: None,
            redirect_to: String::new(),
            begun: None,
        }
    }

    /// The person that a provider proved; `used` are marks of the flow that are left to the sign-in.
    pub(super) fn by_provider(proof: Proof, mut used: Vec<UsedMark>, flow: Option<ProviderFlow>) -> Self {
        let uses_flow = !used.is_empty();
        let token = proof.id_token;
        used.extend(token.map(|token| UsedMark::of_id_token(&token.digest, token.expires_at)));
        let begun = flow.as_ref().map(|flow| BegunFor(flow.link));
        let redirect_to = flow.map(|flow| flow.redirect_to).unwrap_or_default();
        Self { profile: proof.profile, used, uses_flow, tokens: proof.tokens, redirect_to, begun }
    }

    /// Rejects a flow that another session than this began: whoever comes back is not known to be who went.
    pub(in crate::auth::sign_in) fn check_begun_from(&self, session: Option<SessionId>) -> Result<(), Error> {
        let same = self.begun.is_none_or(|begun| begun.0 == session);
        if same { Ok(()) } else { Err(Error::ReauthenticationRequired) }
    }

    /// The error where something that it uses up was used before.
    pub(in crate::auth::sign_in) fn used_before(&self) -> Error {
        if self.uses_flow {
            return Error::FlowUsed;
        }
        let fault = ProviderFault::new(FaultKind::IdTokenUsed, "it signed somebody in before");
        Error::CredentialInvalid(self.profile.provider.clone(), fault)
    }
}
