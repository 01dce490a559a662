//! Callbacks that record the order of their calls and the database rows at that time. They prove that nothing was spent
//! yet.

use std::sync::{Arc, Mutex};

use gatepass::auth::{
    CallbackResult, CallbackSet, Callbacks, JwtDecision, JwtInput, RedirectInput, SessionInput,
    SignInDecision, SignInInput,
};
use gatepass::model::ClaimMap;
use sea_orm::{ConnectionTrait as _, Statement};

use super::Builder;
use super::databases::TestDatabase;
use super::hooks::Hooks;

/// The number of users, sessions, redeemed grants, rotations of the most refreshed session, and log rows.
pub type Written = [i64; 5];

/// The recorded calls of the callbacks, in order.
#[derive(Clone)]
pub struct Asked(Arc<Mutex<Vec<(String, Written)>>>);

impl Asked {
    /// Returns all calls since the last time.
    pub fn take(&self) -> Vec<(String, Written)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Builds one entry of [`Asked`].
pub fn asked(what: &str, written: Written) -> (String, Written) {
    (what.to_owned(), written)
}

impl Builder {
    /// Adds all four callbacks, which record their calls and answer as these do.
    pub fn witness(self, answers: Hooks) -> (Self, Asked) {
        let asked = Asked(Arc::default());
        let witness = Witness { answers, asked: asked.clone(), database: Arc::clone(&self.place.database) };
        (self.callbacks(witness), asked)
    }
}

struct Witness {
    answers: Hooks,
    asked: Asked,
    database: Arc<TestDatabase>,
}

impl Witness {
    async fn note(&self, what: String) {
        let db = self.database.connect().await;
        // This is a write on another connection. If a transaction were open, SQLite would block it and then fail it.
        db.execute_unprepared("DELETE FROM auth_logs WHERE action = 'NONE'").await.unwrap();
        let sql = "SELECT (SELECT count(*) FROM users) AS users, \
                   (SELECT count(*) FROM sessions) AS sessions, \
                   (SELECT count(*) FROM sessions WHERE redeemed_at IS NOT NULL) AS redeemed, \
                   (SELECT coalesce(max(generation), 0) FROM sessions) AS rotations, \
                   (SELECT count(*) FROM auth_logs) AS logged";
        let statement = Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(statement).await.unwrap().unwrap();
        let written = std::array::from_fn(|column| row.try_get_by_index(column).unwrap());
        self.asked.0.lock().unwrap().push((what, written));
    }
}

impl Callbacks for Witness {
    fn implemented(&self) -> CallbackSet {
        CallbackSet::ALL
    }

    async fn sign_in(&self, input: &SignInInput<'_>) -> CallbackResult<SignInDecision> {
        self.note(format!("sign_in {}", if input.is_new_user { "of a new user" } else { "of a known user" }))
            .await;
        self.answers.sign_in(input).await
    }

    async fn jwt(&self, input: &JwtInput<'_>) -> CallbackResult<JwtDecision> {
        self.note(format!("jwt {}", input.trigger.name())).await;
        self.answers.jwt(input).await
    }

    async fn session(&self, input: &SessionInput<'_>) -> CallbackResult<ClaimMap> {
        self.note("session".to_owned()).await;
        self.answers.session(input).await
    }

    async fn redirect(&self, input: &RedirectInput<'_>) -> CallbackResult<Option<String>> {
        self.note(format!("redirect {}", input.url)).await;
        self.answers.redirect(input).await
    }
}
