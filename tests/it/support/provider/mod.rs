//! A test identity provider on its own port: OpenID Connect and GitHub's API over HTTP, with signing keys and every
//! kind of fault. It strictly checks what clients must get right: PKCE, single use of a code, the redirect URI and the
//! client's secret.

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

/// The id of its only client.
pub const CLIENT_ID: &str = "gatepass at the provider";
/// The client's secret, with characters that need escaping.
pub const CLIENT_SECRET: &str = "a secret: with + and %, é";

/// An endpoint of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The path `/.well-known/openid-configuration`.
    Discovery,
    /// The path `/jwks`.
    Jwks,
    /// The path `/token`, and GitHub's `/login/oauth/access_token`.
    Token,
    /// The path `/userinfo`.
    Userinfo,
    /// GitHub's path `/user`.
    User,
    /// GitHub's path `/user/emails`.
    Emails,
}

impl Endpoint {
    const ALL: [Self; 6] =
        [Self::Discovery, Self::Jwks, Self::Token, Self::Userinfo, Self::User, Self::Emails];
}

/// The fault that replaces a response.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Accepts the request and never responds.
    Hang,
    /// Sends the head of a response and then nothing more.
    HangInBody,
    /// Resets the connection.
    Reset,
    /// Announces a longer body than it sends, and closes the connection.
    CutOff,
    /// Sends 1 GiB of JSON without a content length.
    Gigabyte,
    /// Announces a body of 1 GiB.
    GigabyteTold,
    /// Sends an HTML page with status 200.
    Html,
    /// Sends this body as JSON with status 200.
    Body(&'static str),
    /// Sends an OAuth error (RFC 6749 section 5.2) with status 400.
    OAuthError(&'static str),
    /// Redirects to this URL.
    Redirect(String),
    /// Sends this status with an HTML page.
    Status(u16),
    /// Responds normally once the semaphore has a permit.
    Held(Arc<Semaphore>),
}

/// A defect of its ID tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// The token has `alg: none` and no signature.
    Unsigned,
    /// The token is signed with HS256 and the client's secret.
    Symmetric,
    /// The token has the right `kid` and the signature of another key.
    OtherSignature,
    /// The token is signed with an unpublished key.
    UnknownKey,
    /// The token has no `kid`. This is valid if one key fits.
    NoKid,
    /// The token has another `iss`.
    OtherIssuer,
    /// The token has another `aud`.
    OtherAudience,
    /// The token has another `nonce`.
    OtherNonce,
    /// The token has no `nonce`.
    NoNonce,
    /// The token expired an hour ago.
    Expired,
    /// The token was issued an hour in the future.
    OfTheFuture,
    /// The token has the `at_hash` of another access token.
    OtherAccessToken,
    /// The token response contains no ID token.
    Missing,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: http::Method,
    pub path: String,
    pub headers: HeaderMap,
    /// The fields of its form, if it has one.
    pub form: HashMap<String, String>,
}

/// The parameters that a browser brings back from the provider's page.
#[derive(Debug, Clone)]
pub struct Answer {
    pub code: String,
    pub state: String,
    pub iss: Option<String>,
}

type Edit = Arc<dyn Fn(&mut ClaimMap) + Send + Sync>;
type EditToken = Arc<dyn Fn(&mut ClaimMap, &mut ClaimMap) + Send + Sync>;

/// The data behind a code.
struct Grant {
    person: Person,
    client_id: String,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scope: String,
}

/// The treatment of PKCE (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pkce {
    Required,
    Refused,
}

struct State {
    /// The published keys; the last one signs.
    keys: Vec<SigningKey>,
    /// An unpublished key.
    hidden: SigningKey,
    faults: HashMap<Endpoint, Fault>,
    forgery: Option<Forgery>,
    edit_metadata: Option<Edit>,
    edit_keys: Option<Edit>,
    edit_token: Option<EditToken>,
    edit_answer: Option<Edit>,
    edit_userinfo: Option<Edit>,
    /// Signs the responses of its userinfo endpoint after this edit: with its key, or with an unpublished one.
    signs_userinfo: Option<(Edit, bool)>,
    /// The content type of its JSON.
    content_type: &'static str,
    /// The Cache-Control header of the keys.
    cache_keys: Option<&'static str>,
    takes_any_client: bool,
    sends_iss: bool,
    profile_in_userinfo_only: bool,
    pkce: Pkce,
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
    /// Starts a provider at <http://127.0.0.1>, with a clock that stands at [`START`].
    pub async fn start() -> Self {
        Self::start_by(Arc::new(ManualClock::at(START))).await
    }

    /// Starts a provider with this clock.
    pub async fn start_by(clock: Arc<ManualClock>) -> Self {
        Self::start_on(0, clock, None).await
    }

    /// Starts a provider at <https://localhost>, with this certificate.
    pub async fn start_with_tls(identity: &Identity) -> Self {
        Self::start_named("localhost", identity).await
    }

    /// Starts it over TLS under another name, which only a proxy leads to.
    pub async fn start_named(name: &str, identity: &Identity) -> Self {
        Self::start_on(0, Arc::new(ManualClock::at(START)), Some((name, identity))).await
    }

    async fn start_on(port: u16, clock: Arc<ManualClock>, tls: Option<(&str, &Identity)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let origin = match tls {
            None => format!("http://127.0.0.1:{port}"),
            Some((name, _)) => format!("https://{name}:{port}"),
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
            signs_userinfo: None,
            content_type: "application/json; charset=utf-8",
            cache_keys: None,
            takes_any_client: false,
            sends_iss: true,
            profile_in_userinfo_only: false,
            pkce: Pkce::Required,
            codes: HashMap::new(),
            access_tokens: HashMap::new(),
            seen: Vec::new(),
            numbers: 0,
        };
        let shared = Arc::new(Shared { origin, clock, state: Mutex::new(state), arrived: Notify::new() });
        let task = AbortOnDropHandle::new(tokio::spawn(serve::serve(
            listener,
            tls.map(|(_, identity)| serve::acceptor(identity)),
            Arc::clone(&shared),
        )));
        Self { shared, port, _task: task }
    }

    /// Returns its `iss`, which is also the base of GitHub's API and the `enterprise_url`.
    pub fn issuer(&self) -> String {
        self.shared.origin.clone()
    }

    /// Returns the URL of a path such as `/token`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.shared.origin)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the clock for the times in its tokens.
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.shared.clock)
    }

    /// Makes every endpoint fail with this fault.
    #[expect(clippy::needless_pass_by_value, reason = "so that a fault stands in the call")]
    pub fn fails_with(&self, fault: Fault) {
        self.shared.state().faults = Endpoint::ALL.map(|endpoint| (endpoint, fault.clone())).into();
    }

    /// Makes this endpoint fail with this fault.
    pub fn fails_at(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.state().faults.insert(endpoint, fault);
    }

    /// Removes all faults.
    pub fn recovers(&self) {
        self.shared.state().faults.clear();
    }

    /// Gives later ID tokens this defect.
    pub fn forges(&self, forgery: Forgery) {
        self.shared.state().forgery = Some(forgery);
    }

    /// Makes later ID tokens valid again.
    pub fn forges_no_more(&self) {
        self.shared.state().forgery = None;
    }

    /// Applies this edit to its metadata.
    pub fn edits_metadata(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_metadata = Some(Arc::new(edit));
    }

    /// Applies this edit to its JWK Set.
    pub fn edits_keys(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_keys = Some(Arc::new(edit));
    }

    /// Applies this edit to the header and the claims of its ID tokens before it signs them.
    pub fn edits_id_tokens(&self, edit: impl Fn(&mut ClaimMap, &mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_token = Some(Arc::new(edit));
    }

    /// Applies this edit to the responses of its token endpoint.
    pub fn edits_token_response(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_answer = Some(Arc::new(edit));
    }

    /// Applies this edit to the responses of its userinfo endpoint and of `/user`.
    pub fn edits_userinfo(&self, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().edit_userinfo = Some(Arc::new(edit));
    }

    /// Signs its userinfo responses after this edit, with its key or with an unpublished one.
    pub fn signs_userinfo(&self, by_its_key: bool, edit: impl Fn(&mut ClaimMap) + Send + Sync + 'static) {
        self.shared.state().signs_userinfo = Some((Arc::new(edit), by_its_key));
    }

    /// Labels its JSON with this content type.
    pub fn labels_json(&self, content_type: &'static str) {
        self.shared.state().content_type = content_type;
    }

    /// Limits ID tokens to the subject; the profile is only at the userinfo endpoint.
    pub fn keeps_profiles_to_userinfo(&self) {
        self.shared.state().profile_in_userinfo_only = true;
    }

    /// Removes `iss` from its callbacks, and the support for it from its metadata.
    pub fn sends_no_iss(&self) {
        self.shared.state().sends_iss = false;
    }

    /// Accepts any client authentication, or none. [`Self::seen`] shows which one the client used.
    pub fn takes_any_client(&self) {
        self.shared.state().takes_any_client = true;
    }

    /// Refuses PKCE, as `LinkedIn` does beside a client's secret.
    pub fn refuses_pkce(&self) {
        self.shared.state().pkce = Pkce::Refused;
    }

    /// Sets the Cache-Control header of its JWK Set.
    pub fn caches_keys(&self, cache_control: &'static str) {
        self.shared.state().cache_keys = Some(cache_control);
    }

    /// Adds a key that signs from now on. The older keys stay published.
    pub fn rotates_keys(&self) {
        self.adds_key(jsonwebtoken::Algorithm::ES256);
    }

    /// Adds such a key with this algorithm, and returns its `kid`.
    pub fn adds_key(&self, algorithm: jsonwebtoken::Algorithm) -> String {
        let mut state = self.shared.state();
        let kid = format!("key-{}", state.keys.len() + 1);
        state.keys.push(SigningKey::generate(algorithm, &kid));
        kid
    }

    /// Withdraws the keys that no longer sign.
    pub fn withdraws_old_keys(&self) {
        let mut state = self.shared.state();
        let last = state.keys.pop().unwrap();
        state.keys = vec![last];
    }

    /// Returns the requests at this endpoint so far.
    pub fn seen(&self, endpoint: Endpoint) -> Vec<Seen> {
        let of = |seen: &&(Endpoint, Seen)| seen.0 == endpoint;
        self.shared.state().seen.iter().filter(of).map(|seen| seen.1.clone()).collect()
    }

    /// Counts the requests at this endpoint so far.
    pub fn requests(&self, endpoint: Endpoint) -> usize {
        self.seen(endpoint).len()
    }

    /// Counts the requests at all endpoints so far.
    pub fn all_requests(&self) -> usize {
        self.shared.state().seen.len()
    }

    /// Waits for this number of requests at this endpoint. After a minute it fails the test.
    pub async fn until_requests(&self, endpoint: Endpoint, count: usize) {
        let arrive = tokio::time::timeout(std::time::Duration::from_mins(1), self.arrive(endpoint, count));
        arrive.await.unwrap_or_else(|_| panic!("{} of {count} requests", self.requests(endpoint)));
    }

    async fn arrive(&self, endpoint: Endpoint, count: usize) {
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

    /// Logs a person in at its page, with consent. The page rejects parameters that a client should not have sent.
    pub fn log_in(&self, authorization_url: &str, person: Person) -> Answer {
        let url = Url::parse(authorization_url).expect("an URL");
        assert_eq!(url.origin().ascii_serialization(), self.shared.origin, "of this provider");
        assert!(["/authorize", "/login/oauth/authorize"].contains(&url.path()), "{url}");
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let params: HashMap<String, String> = pairs.iter().cloned().collect();
        assert_eq!(params.len(), pairs.len(), "a parameter twice (RFC 6749 section 3.1): {url}");
        let param = |name: &str| params.get(name).cloned().unwrap_or_else(|| panic!("no {name}: {url}"));
        assert_eq!(param("response_type"), "code");
        let mut state = self.shared.state();
        let challenge = if state.pkce == Pkce::Refused {
            assert!(!params.keys().any(|name| name.starts_with("code_challenge")), "{url}");
            String::new()
        } else {
            assert_eq!(param("code_challenge_method"), "S256");
            assert_eq!(param("code_challenge").len(), 43);
            param("code_challenge")
        };
        let code = state.fresh("code");
        let grant = Grant {
            person,
            client_id: param("client_id"),
            redirect_uri: param("redirect_uri"),
            challenge,
            nonce: params.get("nonce").cloned(),
            scope: params.get("scope").cloned().unwrap_or_default(),
        };
        assert!(grant.client_id == CLIENT_ID || state.takes_any_client, "a client that it knows");
        state.codes.insert(code.clone(), grant);
        // GitHub sends <https://github.com/login/oauth> as `iss` (since 2026).
        let path = url.path().trim_end_matches("/authorize");
        let iss = state.sends_iss.then(|| format!("{}{path}", self.shared.origin));
        Answer { code, state: param("state"), iss }
    }

    /// Issues an ID token to a client directly, for example for Sign in with Google on a phone.
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
