//! An identity provider of our own, on a port of its own: OpenID Connect and GitHub's API over HTTP, with keys that sign
//! and each fault that a provider can have. It is strict where clients must be right: PKCE, one use of a code, the
//! redirect URI, the client's secret.

mod endpoints;
mod keys;
mod person;
mod serve;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use gatepass::model::{ClaimMap, ManualClock};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::START;
use super::tls::Identity;

pub use keys::SigningKey;
pub use person::Person;

/// Who its one client is.
pub const CLIENT_ID: &str = "gatepass at the provider";
/// Its secret, of characters that must be escaped.
pub const CLIENT_SECRET: &str = "a secret: with + and %, é";

/// What it is asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`.
    Discovery,
    /// `/jwks`.
    Jwks,
    /// `/token`, and GitHub's `/login/oauth/access_token`.
    Token,
    /// `/userinfo`.
    Userinfo,
    /// GitHub's `/user`.
    User,
    /// GitHub's `/user/emails`.
    Emails,
}

impl Endpoint {
    const ALL: [Self; 6] =
        [Self::Discovery, Self::Jwks, Self::Token, Self::Userinfo, Self::User, Self::Emails];
}

/// What it does instead of answering.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Takes the request and says nothing, for ever.
    Hang,
    /// Sends the head of an answer and nothing more, for ever.
    HangInBody,
    /// Resets the connection.
    Reset,
    /// Promises more than it sends, and closes the connection.
    CutOff,
    /// Sends 1 GiB of JSON without telling its length.
    Gigabyte,
    /// Says that 1 GiB follows.
    GigabyteTold,
    /// A page of HTML, status 200.
    Html,
    /// This body as JSON, status 200.
    Body(&'static str),
    /// An error of OAuth (RFC 6749 section 5.2), status 400.
    OAuthError(&'static str),
    /// A redirect to here.
    Redirect(String),
    /// This status, with a page of HTML.
    Status(u16),
    /// Answers as it should once there is a permit.
    Held(Arc<Semaphore>),
}

/// What is wrong with its ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// `alg: none`, and no signature.
    Unsigned,
    /// HS256, with the client's secret.
    Symmetric,
    /// Its own `kid`, another key's signature.
    OtherSignature,
    /// Of a key that is not published.
    UnknownKey,
    /// Without `kid`: not wrong, if one key fits.
    NoKid,
    /// Another `iss`.
    OtherIssuer,
    /// Another `aud`.
    OtherAudience,
    /// Another `nonce`.
    OtherNonce,
    /// No `nonce`.
    NoNonce,
    /// It ended an hour ago.
    Expired,
    /// Issued in an hour.
    OfTheFuture,
    /// The `at_hash` of another access token.
    OtherAccessToken,
    /// There is none in the token response.
    Missing,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    /// The fields of its form, if it had one.
    pub form: HashMap<String, String>,
}

/// What a browser brings back from its page.
#[derive(Debug, Clone)]
pub struct Answer {
    pub code: String,
    pub state: String,
    pub iss: Option<String>,
}

type Edit = Arc<dyn Fn(&mut ClaimMap) + Send + Sync>;
type EditToken = Arc<dyn Fn(&mut ClaimMap, &mut ClaimMap) + Send + Sync>;

/// What a code stands for.
struct Grant {
    person: Person,
    client_id: String,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scope: String,
}

struct State {
    /// The keys that are published; the last signs.
    keys: Vec<SigningKey>,
    /// One that is not published.
    hidden: SigningKey,
    faults: HashMap<Endpoint, Fault>,
    forgery: Option<Forgery>,
    edit_metadata: Option<Edit>,
    edit_keys: Option<Edit>,
    edit_token: Option<EditToken>,
    edit_answer: Option<Edit>,
    edit_userinfo: Option<Edit>,
    /// Cache-Control of the keys.
    cache_keys: Option<&'static str>,
    takes_any_client: bool,
    sends_iss: bool,
    profile_in_userinfo_only: bool,
    codes: HashMap<String, Grant>,
    access_tokens: HashMap<String, Person>,
    seen: Vec<(Endpoint, Seen)>,
    numbers: u64,
}

struct Shared {
    origin: String,
    clock: Arc<ManualClock>,
    state: Mutex<State>,
    arrived: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// A provider that serves until it is dropped.
pub struct TestProvider {
    shared: Arc<Shared>,
    port: u16,
    _task: AbortOnDropHandle<()>,
}

impl TestProvider {
    /// One at <http://127.0.0.1>, by a clock that stands at [`START`].
    pub async fn start() -> Self {
        Self::start_by(Arc::new(ManualClock::at(START))).await
    }

    /// The same, by this clock.
    pub async fn start_by(clock: Arc<ManualClock>) -> Self {
        Self::start_on(0, clock, None).await
    }

    /// One at <https://localhost>, with this certificate.
    pub async fn start_with_tls(identity: &Identity) -> Self {
        Self::start_on(0, Arc::new(ManualClock::at(START)), Some(identity)).await
    }

    async fn start_on(port: u16, clock: Arc<ManualClock>, identity: Option<&Identity>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = match identity {
            None => format!("http://127.0.0.1:{port}"),
            Some(_) => format!("https://localhost:{port}"),
        };
        let state = State {
            keys: vec![SigningKey::generate(jsonwebtoken::Algorithm::ES256, "key-1")],
            hidden: SigningKey::generate(jsonwebtoken::Algorithm::ES256, "hidden"),
            faults: HashMap::new(),
            forgery: None,
            edit_metadata: None,
            edit_keys: None,
            edit_token: None,
            edit_answer: None,
            edit_userinfo: None,
            cache_keys: None,
            takes_any_client: false,
            sends_iss: true,
            profile_in_userinfo_only: false,
            codes: HashMap::new(),
            access_tokens: HashMap::new(),
            seen: Vec::new(),
            numbers: 0,
        };
        let shared = Arc::new(Shared { origin, clock, state: Mutex::new(state), arrived: Notify::new() });
        let task = AbortOnDropHandle::new(tokio::spawn(serve::serve(
            listener,
            identity.map(serve::acceptor),
            Arc::clone(&shared),
        )));
        Self { shared, port, _task: task }
    }

    /// Its `iss`; GitHub's API and `enterprise_url` too.
    pub fn issuer(&self) -> String {
        self.shared.origin.clone()
    }

    /// The address of one of its paths, such as `/token`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.shared.origin)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The clock that its tokens' times are of.
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.shared.clock)
    }

    /// From now on every endpoint fails so.
    #[expect(clippy::needless_pass_by_value, reason = "so that a fault stands in the call")]
    pub fn fails_with(&self, fault: Fault) {
        self.shared.state().faults = Endpoint::ALL.map(|endpoint| (endpoint, fault.clone())).into();
    }

    /// From now on this endpoint fails so.
    pub fn fails_at(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.state().faults.insert(endpoint, fault);
    }

    /// From now on none fails.
    pub fn recovers(&self) {
        self.shared.state().faults.clear();
    }

    /// From now on its ID tokens are wrong so.
    pub fn forges(&self, forgery: Forgery) {
        self.shared.state().forgery = Some(forgery);
    }

    /// From now on they are good.
    pub fn forges_no_more(&self) {
        self.shared.state().forgery = None;
    }

    /// From now on its metadata are changed by this.
    pub fn edits_metadata(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_metadata = Some(Arc::new(edit));
    }

    /// From now on its JWK Set is changed by this.
    pub fn edits_keys(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_keys = Some(Arc::new(edit));
    }

    /// From now on header and claims of its ID tokens are changed by this before they are signed.
    pub fn edits_id_tokens(&self, edit: impl Fn(&mut ClaimMap, &mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_token = Some(Arc::new(edit));
    }

    /// From now on what its token endpoint answers is changed by this.
    pub fn edits_token_response(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_answer = Some(Arc::new(edit));
    }

    /// From now on what its userinfo endpoint and `/user` answer is changed by this.
    pub fn edits_userinfo(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_userinfo = Some(Arc::new(edit));
    }

    /// From now on ID tokens tell no more than who it is; the profile is at the userinfo endpoint.
    pub fn keeps_profiles_to_userinfo(&self) {
        self.shared.state().profile_in_userinfo_only = true;
    }

    /// From now on its answers tell no `iss`, and its metadata that they don't.
    pub fn sends_no_iss(&self) {
        self.shared.state().sends_iss = false;
    }

    /// From now on it takes any client authentication, or none; [`Self::seen`] tells which it was.
    pub fn takes_any_client(&self) {
        self.shared.state().takes_any_client = true;
    }

    /// From now on its JWK Set says this of being cached.
    pub fn caches_keys(&self, cache_control: &'static str) {
        self.shared.state().cache_keys = Some(cache_control);
    }

    /// A new key signs from now on, and is published beside the older ones.
    pub fn rotates_keys(&self) {
        self.adds_key(jsonwebtoken::Algorithm::ES256);
    }

    /// The same, of this algorithm. Answers its `kid`.
    pub fn adds_key(&self, algorithm: jsonwebtoken::Algorithm) -> String {
        let mut state = self.shared.state();
        let kid = format!("key-{}", state.keys.len() + 1);
        state.keys.push(SigningKey::generate(algorithm, &kid));
        kid
    }

    /// The keys that sign no more are published no more.
    pub fn withdraws_old_keys(&self) {
        let mut state = self.shared.state();
        let last = state.keys.pop().unwrap();
        state.keys = vec![last];
    }

    /// The requests at this endpoint so far.
    pub fn seen(&self, endpoint: Endpoint) -> Vec<Seen> {
        let of = |seen: &&(Endpoint, Seen)| seen.0 == endpoint;
        self.shared.state().seen.iter().filter(of).map(|seen| seen.1.clone()).collect()
    }

    /// How many they are.
    pub fn requests(&self, endpoint: Endpoint) -> usize {
        self.seen(endpoint).len()
    }

    /// How many requests there were at all.
    pub fn all_requests(&self) -> usize {
        self.shared.state().seen.len()
    }

    /// Waits for so many requests at this endpoint.
    pub async fn until_requests(&self, endpoint: Endpoint, count: usize) {
        loop {
            let arrived = self.shared.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            if self.requests(endpoint) >= count {
                return;
            }
            arrived.await;
        }
    }

    /// A person logs in at its page and agrees. The page refuses what a browser should not have been sent with.
    pub fn log_in(&self, authorization_url: &str, person: Person) -> Answer {
        let url = Url::parse(authorization_url).expect("an URL");
        assert_eq!(url.origin().ascii_serialization(), self.shared.origin, "of this provider");
        assert!(["/authorize", "/login/oauth/authorize"].contains(&url.path()), "{url}");
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let params: HashMap<String, String> = pairs.iter().cloned().collect();
        assert_eq!(params.len(), pairs.len(), "a parameter twice (RFC 6749 section 3.1): {url}");
        let param = |name: &str| params.get(name).cloned().unwrap_or_else(|| panic!("no {name}: {url}"));
        assert_eq!(param("response_type"), "code");
        assert_eq!(param("code_challenge_method"), "S256");
        assert_eq!(param("code_challenge").len(), 43);
        let mut state = self.shared.state();
        let code = state.fresh("code");
        let grant = Grant {
            person,
            client_id: param("client_id"),
            redirect_uri: param("redirect_uri"),
            challenge: param("code_challenge"),
            nonce: params.get("nonce").cloned(),
            scope: params.get("scope").cloned().unwrap_or_default(),
        };
        assert!(grant.client_id == CLIENT_ID || state.takes_any_client, "a client that it knows");
        state.codes.insert(code.clone(), grant);
        // GitHub answers as <https://github.com/login/oauth> (since 2026).
        let path = url.path().trim_end_matches("/authorize");
        let iss = state.sends_iss.then(|| format!("{}{path}", self.shared.origin));
        Answer { code, state: param("state"), iss }
    }

    /// An ID token as a client gets one by itself, with Sign in with Google on a phone, say.
    pub fn id_token(&self, person: &Person, nonce: &str) -> String {
        let state = self.shared.state();
        state.id_token(&self.shared, person, Some(nonce), CLIENT_ID, None).expect("not Forgery::Missing")
    }
}

impl State {
    fn fresh(&mut self, what: &str) -> String {
        self.numbers += 1;
        format!("{what}-{}-of-a-test", self.numbers)
    }

    fn id_token(
        &self,
        shared: &Shared,
        person: &Person,
        nonce: Option<&str>,
        client_id: &str,
        access_token: Option<&str>,
    ) -> Option<String> {
        let now = gatepass::model::Clock::now(&*shared.clock).seconds();
        let mut claims = json!({
            "iss": shared.origin, "sub": person.id, "aud": client_id, "iat": now, "exp": now + 300,
        });
        let mut claims = std::mem::take(claims.as_object_mut().unwrap());
        if let Some(nonce) = nonce {
            claims.insert("nonce".into(), nonce.into());
        }
        if !self.profile_in_userinfo_only {
            claims.extend(person.claims());
        }
        let key = self.keys.last().unwrap();
        if let Some(access_token) = access_token {
            claims.insert("at_hash".into(), key.left_half_of_hash(access_token).into());
        }
        let mut header = ClaimMap::new();
        header.insert("alg".into(), key.name().into());
        header.insert("kid".into(), key.kid.clone().into());
        header.insert("typ".into(), "JWT".into());
        let mut set = |name: &str, value: Value| drop(claims.insert(name.into(), value));
        match self.forgery {
            Some(Forgery::Unsigned) => drop(header.insert("alg".into(), "none".into())),
            Some(Forgery::Symmetric) => drop(header.insert("alg".into(), "HS256".into())),
            Some(Forgery::UnknownKey) => drop(header.insert("kid".into(), self.hidden.kid.clone().into())),
            Some(Forgery::NoKid) => drop(header.remove("kid")),
            Some(Forgery::OtherIssuer) => set("iss", "https://other.example".into()),
            Some(Forgery::OtherAudience) => set("aud", "another client".into()),
            Some(Forgery::OtherNonce) => set("nonce", "the nonce of another flow".into()),
            Some(Forgery::NoNonce) => drop(claims.remove("nonce")),
            Some(Forgery::Expired) => {
                set("iat", (now - 3900).into());
                set("exp", (now - 3600).into());
            }
            Some(Forgery::OfTheFuture) => {
                set("iat", (now + 3600).into());
                set("exp", (now + 3900).into());
            }
            Some(Forgery::OtherAccessToken) => {
                set("at_hash", key.left_half_of_hash("another access token").into());
            }
            Some(Forgery::Missing) => return None,
            Some(Forgery::OtherSignature) | None => {}
        }
        if let Some(edit) = &self.edit_token {
            edit(&mut header, &mut claims);
        }
        Some(match self.forgery {
            Some(Forgery::Unsigned) => keys::unsigned(&header, &claims),
            Some(Forgery::Symmetric) => keys::symmetric(&header, &claims, CLIENT_SECRET),
            Some(Forgery::UnknownKey | Forgery::OtherSignature) => self.hidden.sign(&header, &claims),
            _ => key.sign(&header, &claims),
        })
    }
}
