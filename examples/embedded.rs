//! A program with Gatepass embedded and with its own callbacks. Only people of example.com may sign in, and their tokens
//! contain a tenant and permissions. Run it with `cargo run --example embedded`; `examples/README.md` shows the calls.
#![expect(clippy::print_stderr, reason = "a program for a person at a terminal")]

use std::process::ExitCode;

use gatepass::auth::{
    CallbackResult, CallbackSet, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput,
    SignInDecision, SignInInput,
};
use gatepass::model::ClaimMap;
use gatepass::{app, config, telemetry};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// The state of the callbacks: a connection pool, a client of another service or, as here, a name.
pub(crate) struct Rules {
    pub(crate) tenant: &'static str,
}

impl Callbacks for Rules {
    /// The callbacks that are implemented below. One that is not listed is never called.
    fn implemented(&self) -> CallbackSet {
        CallbackSet::ALL
    }

    /// Auth.js `signIn`. Gatepass has written nothing yet. Decide from the profile, which proves the person now: the stored
    /// user keeps the address of an earlier sign-in, perhaps by another account. Trust only a verified e-mail.
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        let verified = input.profile.get("email_verified") == Some(&json!(true));
        let email = input.profile.get("email").filter(|_| verified).and_then(|email| email.as_str());
        Ok(match email.and_then(|email| email.rsplit_once('@')) {
            Some((_, "example.com")) => SignInDecision::Allow,
            // To send the person to a URL instead: `SignInDecision::Redirect("/waiting-list".to_owned())`.
            Some(_) | None => SignInDecision::deny("only for people of example.com"),
        })
    }

    /// Auth.js `jwt`, at the first token (`SIGN_IN`, `SIGN_UP`) and at each refresh (`UPDATE`). The session keeps the added
    /// claims, and a refresh starts from them. This callback computes them again, so that a new role takes effect.
    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let permissions = match input.user.role.as_str() {
            "admin" => vec!["orders:read", "orders:write"],
            _ => vec!["orders:read"],
        };
        let mut claims = ClaimMap::new();
        claims.insert("tenant".to_owned(), json!(self.tenant));
        claims.insert("permissions".to_owned(), json!(permissions));
        Ok(JwtDecision::Claims(claims))
    }

    /// Auth.js `session`: adds claims to the response. Gatepass does not store them and calls this often, so be quick.
    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let greeting = input.session.user.name.as_deref().map(|name| json!(format!("Hello, {name}")));
        Ok(greeting.map(|text| ("greeting".to_owned(), text)).into_iter().collect())
    }

    /// Auth.js `redirect`: the dashboard is the default page. Gatepass applies its own rule to the result again.
    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        Ok((input.url == input.base_url).then(|| "/dashboard".to_owned()))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // The configuration of the program `gatepass`. Here it has only environment variables and defaults.
    let config = match config::load(None, std::env::vars_os()) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(64);
        }
    };
    telemetry::start(&config.telemetry);
    // Cancel it to make `serve` drain and return.
    let shutdown = CancellationToken::new();
    let on_signal = shutdown.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_signal.cancel();
        }
    });
    match app::serve(config, Rules { tenant: "acme" }, shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}
