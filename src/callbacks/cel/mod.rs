//! Callbacks as expressions of the Common Expression Language, from the configuration, and what is taken from profiles. An expression is compiled at the
//! start, where everything that is wrong with it is told with line and column; when it runs it costs no more than its
//! budget, touches nothing but its input, and ends in an answer or a failure. `program` compiles and evaluates: `check`
//! looks at names and sizes, `meter` has it pay; `inputs`, `record` and `value` are what it sees, `language` what it may
//! call, `answer` what becomes of its value. `profile` is no callback: it reads fields from what a provider tells.
#![expect(clippy::needless_pass_by_value, reason = "the library hands functions a Vec of their arguments")]

mod answer;
mod budget;
mod check;
mod fault;
mod functions;
mod inputs;
mod language;
mod meter;
mod pattern;
mod profile;
mod program;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::sync::Arc;

use async_trait::async_trait;

use budget::Budget;
use inputs::{Inputs, Run};

use crate::auth::{
    Callback, CallbackResult, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput, SignInDecision,
    SignInInput,
};
use crate::model::{ClaimMap, Clock};

pub use fault::CelFault;
pub use inputs::Subject;
pub use profile::ProfileRules;
pub use program::Program;

/// The expressions of the configuration, each compiled for its callback.
#[derive(Debug, Clone, Default)]
pub struct CelRules {
    /// Answers true, false, or where the person goes first.
    pub sign_in: Option<Program>,
    /// Claim by claim: what a token says besides. Each sees the claims as they were before all of them.
    pub jwt: Vec<(String, Program)>,
    /// Claim by claim: what a session shows besides.
    pub session: Vec<(String, Program)>,
    /// Answers where a redirect goes.
    pub redirect: Option<Program>,
}

/// Callbacks that evaluate expressions.
pub struct Cel {
    rules: CelRules,
    clock: Arc<dyn Clock>,
}

impl Cel {
    /// The callbacks of these expressions, by this clock.
    #[must_use]
    pub fn new(rules: CelRules, clock: Arc<dyn Clock>) -> Self {
        Self { rules, clock }
    }

    /// Whether an expression of this callback looks at `now`. What the others answer depends on what they are asked alone.
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

    fn run<'a>(&self, inputs: Inputs<'a>) -> Run<'a> {
        Run { inputs, now: Some(self.clock.now()), budget: Budget::new() }
    }
}

/// What each expression says of its claim.
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

fn failed(callback: Callback) -> impl FnOnce(String) -> crate::auth::CallbackFailure {
    move |cause| callback.failed(format!("callbacks.cel.{}: {cause}", callback.name()))
}

#[async_trait]
impl Callbacks for Cel {
    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        let Some(program) = &self.rules.sign_in else { return Ok(SignInDecision::Allow) };
        let run = self.run(Inputs::SignIn(input));
        program.evaluate(&run, answer::decision).map_err(failed(Callback::SignIn))
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        let run = self.run(Inputs::Jwt(input));
        claims(Callback::Jwt, &self.rules.jwt, &run).map(JwtDecision::Claims)
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        claims(Callback::Session, &self.rules.session, &self.run(Inputs::Session(input)))
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        let Some(program) = &self.rules.redirect else { return Ok(None) };
        let run = self.run(Inputs::Redirect(input));
        program.evaluate(&run, answer::place).map(Some).map_err(failed(Callback::Redirect))
    }

    fn has(&self, callback: Callback) -> bool {
        match callback {
            Callback::SignIn => self.rules.sign_in.is_some(),
            Callback::Jwt => !self.rules.jwt.is_empty(),
            Callback::Session => !self.rules.session.is_empty(),
            Callback::Redirect => self.rules.redirect.is_some(),
        }
    }
}
