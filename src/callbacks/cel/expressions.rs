//! The callbacks that expressions of the configuration implement.

use std::sync::Arc;

use super::answer;
use super::inputs::{Inputs, Run};
use super::program::Program;
use crate::auth::{
    Callback, CallbackFailure, CallbackResult, CallbackSet, Callbacks, JwtDecision, JwtInput, RedirectInput,
    SessionInput, SignInDecision, SignInInput,
};
use crate::model::{ClaimMap, Clock};

/// The compiled expressions of the configuration, by callback.
#[derive(Debug, Clone, Default)]
pub struct CelRules {
    /// Returns true, false, or the URL to which the person is redirected first.
    pub sign_in: Option<Program>,
    /// Returns claims to add to a token. Each expression sees the claims as they were before all of them.
    pub jwt: Vec<(String, Program)>,
    /// Returns claims to add to a session.
    pub session: Vec<(String, Program)>,
    /// Returns the URL of a redirect.
    pub redirect: Option<Program>,
}

/// Callbacks that evaluate expressions.
pub struct Cel {
    rules: CelRules,
    clock: Arc<dyn Clock>,
}

impl Cel {
    /// Makes the callbacks of these expressions, by this clock.
    #[must_use]
    pub fn new(rules: CelRules, clock: Arc<dyn Clock>) -> Self {
        Self { rules, clock }
    }

    /// Returns true if an expression of this callback reads `now`. The answers of other expressions depend only on
    /// their input.
    #[must_use]
    pub fn asks_the_time(&self, callback: Callback) -> bool {
        let CelRules { sign_in, jwt, session, redirect } = &self.rules;
        match callback {
            Callback::SignIn => sign_in.iter().any(Program::asks_the_time),
            Callback::Jwt => jwt.iter().any(|(_, program)| program.asks_the_time()),
            Callback::Session => session.iter().any(|(_, program)| program.asks_the_time()),
            Callback::Redirect => redirect.iter().any(Program::asks_the_time),
        }
    }

    fn run<'a, 'p>(&self, inputs: Inputs<'a>, programs: impl IntoIterator<Item = &'p Program>) -> Run<'a> {
        Run::new(inputs, Some(self.clock.now()), programs.into_iter().map(Program::steps).sum())
    }
}

/// Evaluates the expression of each claim.
fn claims(callback: Callback, rules: &[(String, Program)], run: &Run<'_>) -> CallbackResult<ClaimMap> {
    let mut claims = ClaimMap::new();
    for (name, program) in rules {
        let said = program.evaluate(run, answer::claim);
        let said = said
            .map_err(|cause| callback.failed(format!("callbacks.cel.{}.{name}: {cause}", callback.name())))?;
        if let Some(value) = said {
            claims.insert(name.clone(), value);
        }
    }
    Ok(claims)
}

fn failed(callback: Callback) -> impl FnOnce(String) -> CallbackFailure {
    move |cause| callback.failed(format!("callbacks.cel.{}: {cause}", callback.name()))
}

impl Callbacks for Cel {
    fn implemented(&self) -> CallbackSet {
        CallbackSet::of(|callback| match callback {
            Callback::SignIn => self.rules.sign_in.is_some(),
            Callback::Jwt => !self.rules.jwt.is_empty(),
            Callback::Session => !self.rules.session.is_empty(),
            Callback::Redirect => self.rules.redirect.is_some(),
        })
    }

    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        let Some(program) = &self.rules.sign_in else { return Ok(SignInDecision::Allow) };
        let run = self.run(Inputs::SignIn(input), [program]);
        program.evaluate(&run, answer::decision).map_err(failed(Callback::SignIn))
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let run = self.run(Inputs::Jwt(input), self.rules.jwt.iter().map(|(_, program)| program));
        claims(Callback::Jwt, &self.rules.jwt, &run).map(JwtDecision::Claims)
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        let run = self.run(Inputs::Session(input), self.rules.session.iter().map(|(_, program)| program));
        claims(Callback::Session, &self.rules.session, &run)
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let Some(program) = &self.rules.redirect else { return Ok(None) };
        let run = self.run(Inputs::Redirect(input), [program]);
        program.evaluate(&run, answer::place).map(Some).map_err(failed(Callback::Redirect))
    }
}
