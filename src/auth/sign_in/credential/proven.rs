//! The result of verifying a credential.

use crate::auth::callbacks::Denial;
use crate::auth::error::Error;
use crate::auth::sign_in::flow::ProviderFlow;
use crate::auth::sign_in::repeat::claim::Claim;
use crate::model::{ClaimMap, Profile, SessionId, UsedMark};
use crate::oauth::{FaultKind, Proof, ProviderFault, ProviderTokens};

/// The result of verifying a credential.
pub(in crate::auth::sign_in) enum Proving {
    /// The person is verified.
    Person(Box<Proven>),
    /// The provider denied the sign-in.
    Refused(Denial),
}

/// A verified person.
pub(in crate::auth::sign_in) struct Proven {
    pub(in crate::auth::sign_in) profile: Profile,
    /// The marks that the transaction of the sign-in writes.
    pub(in crate::auth::sign_in) used: Vec<UsedMark>,
    /// True if the flow's mark is among them.
    uses_flow: bool,
    pub(in crate::auth::sign_in) tokens: Option<ProviderTokens>,
    /// The claim on the flow, whose outcome the transaction of the sign-in writes.
    pub(in crate::auth::sign_in) claim: Option<Claim>,
    /// The URL that the person requested, from the flow.
    pub(in crate::auth::sign_in) redirect_to: String,
    /// The data of the application, from the flow.
    pub(in crate::auth::sign_in) app_data: ClaimMap,
    /// The purpose of the flow; `None` without a flow.
    begun: Option<BegunFor>,
}

/// The purpose of a flow: the session to link the account from, or `None` to sign in.
#[derive(Clone, Copy)]
struct BegunFor(Option<SessionId>);

impl Proven {
    /// Makes the person of a profile that a caller vouches for.
    pub(super) fn vouched(profile: Profile) -> Self {
        Self {
            profile,
            used: Vec::new(),
            uses_flow: false,
            tokens: None,
            claim: None,
            redirect_to: String::new(),
            app_data: ClaimMap::new(),
            begun: None,
        }
    }

    /// Makes the person that a provider verified; `used` are the marks of the flow that the sign-in writes.
    pub(super) fn by_provider(proof: Proof, mut used: Vec<UsedMark>, flow: Option<ProviderFlow>) -> Self {
        let uses_flow = !used.is_empty();
        let token = proof.id_token;
        used.extend(token.map(|token| UsedMark::of_id_token(&token.digest, token.expires_at)));
        let begun = flow.as_ref().map(|flow| BegunFor(flow.link));
        let (redirect_to, app_data) = flow.map(|flow| (flow.redirect_to, flow.app_data)).unwrap_or_default();
        let (profile, tokens) = (proof.profile, proof.tokens);
        Self { profile, used, uses_flow, tokens, claim: None, redirect_to, app_data, begun }
    }

    /// Rejects a flow that another session began: the person who came back may be another one.
    pub(in crate::auth::sign_in) fn check_begun_from(&self, session: Option<SessionId>) -> Result<(), Error> {
        let same = self.begun.is_none_or(|begun| begun.0 == session);
        if same { Ok(()) } else { Err(Error::ReauthenticationRequired) }
    }

    /// Returns the error for a mark that has already been used.
    pub(in crate::auth::sign_in) fn used_before(&self) -> Error {
        if self.uses_flow {
            return Error::FlowUsed;
        }
        let fault = ProviderFault::new(FaultKind::IdTokenUsed, "the ID token has already been used");
        Error::CredentialInvalid(self.profile.identity.provider.clone(), fault)
    }
}
