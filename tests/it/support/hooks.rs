//! Callbacks made from closures. A callback without a closure is not implemented.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatepass::auth::{
    Callback, CallbackResult, CallbackSet, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput,
    SignInDecision, SignInInput,
};
use gatepass::model::ClaimMap;

type OnSignIn = dyn Fn(&SignInInput<'_>) -> CallbackResult<SignInDecision> + Send + Sync;
type OnJwt = dyn Fn(&JwtInput<'_>) -> CallbackResult<JwtDecision> + Send + Sync;
type OnSession = dyn Fn(&SessionInput<'_>) -> CallbackResult<ClaimMap> + Send + Sync;
type OnRedirect = dyn Fn(&RedirectInput<'_>) -> CallbackResult<Option<String>> + Send + Sync;

/// Closures that implement the callbacks.
#[derive(Default)]
pub struct Hooks {
    sign_in: Option<Box<OnSignIn>>,
    jwt: Option<Box<OnJwt>>,
    session: Option<Box<OnSession>>,
    redirect: Option<Box<OnRedirect>>,
}

impl Hooks {
    /// Adds those callbacks of `other` that are missing here.
    pub fn and(self, other: Self) -> Self {
        Self {
            sign_in: self.sign_in.or(other.sign_in),
            jwt: self.jwt.or(other.jwt),
            session: self.session.or(other.session),
            redirect: self.redirect.or(other.redirect),
        }
    }
}

/// Builds a `sign_in` callback.
pub fn on_sign_in(
    hook: impl Fn(&SignInInput<'_>) -> CallbackResult<SignInDecision> + Send + Sync + 'static,
) -> Hooks {
    Hooks { sign_in: Some(Box::new(hook)), ..Hooks::default() }
}

/// Builds a `sign_in` callback that fails until the test sets the flag.
pub fn fails_until_mended() -> (Hooks, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let well = Arc::clone(&mended);
    let hooks = on_sign_in(move |_| {
        if well.load(Ordering::Relaxed) {
            Ok(SignInDecision::Allow)
        } else {
            Err(Callback::SignIn.failed("down"))
        }
    });
    (hooks, mended)
}

/// Builds a `jwt` callback.
pub fn on_jwt(hook: impl Fn(&JwtInput<'_>) -> CallbackResult<JwtDecision> + Send + Sync + 'static) -> Hooks {
    Hooks { jwt: Some(Box::new(hook)), ..Hooks::default() }
}

/// Builds a `session` callback.
pub fn on_session(
    hook: impl Fn(&SessionInput<'_>) -> CallbackResult<ClaimMap> + Send + Sync + 'static,
) -> Hooks {
    Hooks { session: Some(Box::new(hook)), ..Hooks::default() }
}

/// Builds a `redirect` callback.
pub fn on_redirect(
    hook: impl Fn(&RedirectInput<'_>) -> CallbackResult<Option<String>> + Send + Sync + 'static,
) -> Hooks {
    Hooks { redirect: Some(Box::new(hook)), ..Hooks::default() }
}

/// Converts a JSON object to claims.
pub fn object(json: serde_json::Value) -> ClaimMap {
    serde_json::from_value(json).expect("an object")
}

/// Builds the answer of a `jwt` callback that adds claims.
pub fn claims(claims: serde_json::Value) -> JwtDecision {
    JwtDecision::Claims(object(claims))
}

impl Callbacks for Hooks {
    fn implemented(&self) -> CallbackSet {
        CallbackSet::of(|callback| match callback {
            Callback::SignIn => self.sign_in.is_some(),
            Callback::Jwt => self.jwt.is_some(),
            Callback::Redirect => self.redirect.is_some(),
            Callback::Session => self.session.is_some(),
        })
    }

    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.sign_in.as_ref().map_or(Ok(SignInDecision::Allow), |hook| hook(input))
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.jwt.as_ref().map_or_else(|| Ok(claims(serde_json::json!({}))), |hook| hook(input))
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.session.as_ref().map_or_else(|| Ok(ClaimMap::new()), |hook| hook(input))
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.redirect.as_ref().map_or(Ok(None), |hook| hook(input))
    }
}
