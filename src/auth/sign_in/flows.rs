//! The creation of flows: they are begun, sealed for a group of callers, and opened again.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

use super::flow::{FLOW_TTL, Flow, ProviderFlow};
use super::sealed::flow_record;
use crate::auth::error::{Error, Result};
use crate::model::{ClaimMap, Clock, Entropy, ProviderId, SessionId, random, sha256};
use crate::oauth::Asked;
use crate::tokens::Secrets;

/// The maximum size of a sealed flow, in bytes: browsers keep cookies of up to 4 KiB, name and attributes included.
const MAX_FLOW_BYTES: usize = 3500;

/// Begins flows, seals them and opens them again.
#[derive(Clone)]
pub struct Flows {
    /// The operator's secrets, which seal flows.
    pub secrets: Arc<Secrets>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Flows {
    /// Begins a flow. Only the provider and the browser store its `state`.
    pub(super) fn begin(
        &self,
        provider: ProviderId,
        redirect_uri: String,
        redirect_to: String,
        link: Option<SessionId>,
    ) -> (ProviderFlow, SecretString) {
        let id: [u8; 16] = random(&*self.entropy);
        let proof: [u8; 32] = random(&*self.entropy);
        let state = URL_SAFE_NO_PAD.encode([&id[..], &proof].concat());
        let flow = ProviderFlow {
            id,
            provider,
            code_verifier: self.secret(),
            nonce: self.secret(),
            state_digest: sha256(state.as_bytes()),
            redirect_uri,
            redirect_to,
            link,
            asked: Asked::default(),
            app_data: ClaimMap::new(),
            expires_at: self.clock.now().plus(FLOW_TTL),
        };
        (flow, state.into())
    }

    /// Seals a flow for a group of callers. If it is too large for a cookie, it drops the requested URL, then the
    /// requested scopes. If the provider returns no scopes, the configured ones then take their place. Data that
    /// verification needs, and the application's data, are never dropped.
    pub(super) fn seal(&self, group: &str, flow: ProviderFlow) -> Result<String> {
        let mut flow = Flow::Provider(flow);
        let text = self.seal_whole(group, &flow)?;
        if text.len() <= MAX_FLOW_BYTES {
            return Ok(text);
        }
        let Flow::Provider(provider) = &mut flow;
        provider.redirect_to = String::new();
        let text = self.seal_whole(group, &flow)?;
        if text.len() <= MAX_FLOW_BYTES {
            return Ok(text);
        }
        let Flow::Provider(provider) = &mut flow;
        provider.asked.scope = None;
        self.seal_whole(group, &flow)
    }

    /// Opens a flow that this group of callers began, and that has not expired.
    pub(super) fn open(&self, group: &str, text: &str) -> Result<ProviderFlow> {
        let flow = self.unseal(group, text)?;
        flow.check_time(self.clock.now())?;
        Ok(flow)
    }

    /// Opens a flow that this group of callers began, even if it has expired.
    pub(super) fn unseal(&self, group: &str, text: &str) -> Result<ProviderFlow> {
        if text.len() > MAX_FLOW_BYTES {
            return Err(Error::FlowInvalid);
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| Error::FlowInvalid)?;
        let json = self.secrets.open_flow(group, &sealed).ok_or(Error::FlowInvalid)?;
        let Flow::Provider(flow) = flow_record::decode(&json).ok_or(Error::FlowInvalid)?;
        Ok(flow)
    }

    fn seal_whole(&self, group: &str, flow: &Flow) -> Result<String> {
        let json = flow_record::encode(flow)?;
        Ok(URL_SAFE_NO_PAD.encode(self.secrets.seal_flow(&*self.entropy, group, &json)))
    }

    /// Returns 256 random bits as text.
    fn secret(&self) -> SecretString {
        URL_SAFE_NO_PAD.encode(random::<32>(&*self.entropy)).into()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::model::{ManualClock, OsEntropy, Timestamp};

    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn flows() -> Flows {
        let secrets = Arc::new(Secrets::new(&["a".repeat(32).into()]).unwrap());
        Flows { secrets, clock: Arc::new(ManualClock::at(NOW)), entropy: Arc::new(OsEntropy) }
    }

    #[test]
    fn the_data_of_the_application_is_never_dropped() {
        let flows = flows();
        let data = ClaimMap::from_iter([("invitation".to_owned(), "x".repeat(1000).into())]);
        let begun = flow(&flows, 2000, 16_000);
        let link = SessionId::least_of(NOW);
        let begun =
            ProviderFlow { redirect_uri: "u".repeat(512), link: Some(link), app_data: data.clone(), ..begun };
        let text = flows.seal("a", begun).unwrap();
        assert!(text.len() <= MAX_FLOW_BYTES, "{}", text.len());
        let opened = flows.open("a", &text).unwrap();
        assert_eq!((opened.app_data, opened.link), (data, Some(link)));
        assert_eq!((opened.redirect_to.as_str(), opened.asked.scope), ("", None));
    }

    /// Makes a flow with a URL and a scope of these sizes in bytes.
    fn flow(flows: &Flows, redirect_to: usize, scope: usize) -> ProviderFlow {
        let provider = "github".parse().unwrap();
        let uri = "https://app.example/auth/callback/github".to_owned();
        let (flow, _) = flows.begin(provider, uri, "r".repeat(redirect_to), None);
        ProviderFlow { asked: Asked { scope: Some("s".repeat(scope)), max_age: None }, ..flow }
    }

    #[test]
    fn a_sealed_flow_opens_for_its_group_alone() {
        let flows = flows();
        let flow = flow(&flows, 10, 10);
        let (id, nonce) = (flow.id, flow.nonce.clone());
        let text = flows.seal("a", flow).unwrap();
        let opened = flows.open("a", &text).unwrap();
        assert_eq!((opened.id, opened.nonce.expose_secret()), (id, nonce.expose_secret()));
        assert!(matches!(flows.open("b", &text), Err(Error::FlowInvalid)));
    }

    #[test]
    fn a_flow_too_large_for_a_cookie_forgets_the_place_and_then_the_scopes() {
        let flows = flows();
        for (redirect_to, scope, left) in [
            (1000, 1000, (1000, Some(1000))),
            (2000, 1000, (0, Some(1000))),
            (200, 2150, (0, Some(2150))),
            (10, 4000, (0, None)),
        ] {
            let text = flows.seal("a", flow(&flows, redirect_to, scope)).unwrap();
            assert!(text.len() <= MAX_FLOW_BYTES, "{}", text.len());
            let opened = flows.open("a", &text).unwrap();
            let left_now = (opened.redirect_to.len(), opened.asked.scope.map(|scope| scope.len()));
            assert_eq!(left_now, left, "{redirect_to} {scope}");
        }
    }

    #[test]
    fn a_flow_sealed_before_there_were_versions_opens() {
        let flows = flows();
        let json = br#"{"i":"AAECAwQFBgcICQoLDA0ODw","p":"github","v":"verifier","n":"nonce","s":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","u":"https://app.example/auth/callback/github","t":"/after","l":null,"e":1767225600001}"#;
        let text = URL_SAFE_NO_PAD.encode(flows.secrets.seal_flow(&OsEntropy, "a", json));
        let flow = flows.open("a", &text).unwrap();
        assert_eq!((flow.provider.as_str(), flow.redirect_to.as_str()), ("github", "/after"));
    }
}
