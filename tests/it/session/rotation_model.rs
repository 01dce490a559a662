//! A model of the session's row against random sequences: for any use of the tokens the answers equal those of the
//! model. At most one token of a session is live. Some rotations are those of version 0.1.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::grpc::proto::v1::{RefreshTokenResponse, Rotation};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{TestApp, builder, reason, signing_out_by_refresh};

const WINDOW: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_hours(1);
/// The largest number of rotations in a window.
const MOST: usize = 8;
/// The setting `tokens.clock_leeway`.
const LEEWAY: Duration = Duration::from_secs(10);

/// A step of a client, an administrator or the clock.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Refreshes with one of the tokens returned so far, counted from the newest.
    Refresh(usize),
    /// Rotates the live token as version 0.1 does.
    RotateByOlder,
    /// Lets time pass.
    Wait(Duration),
    /// Signs out with one of the tokens.
    SignOut(usize),
    /// Ends the session as an administrator.
    Revoke,
    /// Bans the user or lifts the ban, as an administrator.
    Ban(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..4_usize).prop_map(Step::Refresh),
        // The live token, and any other one.
        12 => Just(Step::Refresh(0)),
        4 => (0..16_usize).prop_map(Step::Refresh),
        1 => Just(Step::RotateByOlder),
        3 => (1..8_u64).prop_map(|seconds| Step::Wait(Duration::from_secs(seconds))),
        2 => Just(Step::Wait(WINDOW)),
        1 => Just(Step::Wait(IDLE)),
        1 => (0..4_usize).prop_map(Step::SignOut),
        1 => Just(Step::Revoke),
        1 => any::<bool>().prop_map(Step::Ban),
    ];
    prop::collection::vec(step, 1..50)
}

/// A token that was replaced.
#[derive(Debug)]
struct Replaced {
    token: usize,
    at: Duration,
    /// False if version 0.1 rotated the row since.
    known: bool,
}

/// The expected row: the live token, and its predecessors.
#[derive(Debug)]
struct Model {
    live: usize,
    /// The number of tokens before each token in its chain.
    generations: Vec<u64>,
    /// Newest first.
    replaced: Vec<Replaced>,
    /// Time of the last rotation by version 0.1.
    gap_at: Option<Duration>,
    expires_at: Duration,
    ended: bool,
    banned: bool,
    now: Duration,
    recover: bool,
}

#[derive(Debug, PartialEq)]
enum Wanted {
    /// A token that was never returned before.
    New(Rotation),
    /// The live token again.
    Again,
    Refused(&'static str),
}

impl Model {
    fn refresh(&mut self, token: usize) -> Wanted {
        if self.banned {
            return Wanted::Refused("USER_BANNED");
        }
        if self.ended {
            return Wanted::Refused("SESSION_REVOKED");
        }
        if self.now >= self.expires_at {
            return Wanted::Refused("SESSION_EXPIRED");
        }
        let is_recent = |at: Duration| self.now < at + WINDOW;
        if token == self.live {
            let recent = self.replaced.iter().filter(|it| it.known && is_recent(it.at)).count();
            return if recent < MOST { Wanted::New(Rotation::Rotated) } else { Wanted::Again };
        }
        let found = self.replaced.iter().position(|it| it.known && it.token == token);
        if found.is_some_and(|place| is_recent(self.replaced[place].at)) {
            Wanted::Again
        } else if found == Some(0) && self.recover {
            Wanted::New(Rotation::Recovered)
        } else if found.is_none() && self.gap_at.is_some_and(is_recent) && self.is_before_the_last(token) {
            Wanted::Refused("KEYS_UNAVAILABLE")
        } else {
            self.ended = true;
            Wanted::Refused("REFRESH_REUSED")
        }
    }

    /// Checks if a token is older than the direct predecessor, which every version knows.
    fn is_before_the_last(&self, token: usize) -> bool {
        self.generations[token] + 1 < self.generations[self.live]
    }

    fn moved_to(&mut self, new: usize, presented: usize) {
        self.generations.push(self.generations[presented] + 1);
        if presented == self.live {
            self.replaced.insert(0, Replaced { token: presented, at: self.now, known: true });
        } else {
            self.replaced[0].at = self.now;
        }
        self.live = new;
        self.expires_at = self.now + IDLE;
    }

    fn rotated_by_older(&mut self, new: usize) {
        self.replaced.iter_mut().for_each(|it| it.known = false);
        self.gap_at = Some(self.now);
        self.moved_to(new, self.live);
    }
}

fn rotated(answer: Result<RefreshTokenResponse, tonic::Status>) -> Result<(String, Rotation), tonic::Status> {
    answer.map(|answer| (answer.refresh_token.clone(), answer.rotation()))
}

async fn run(app: &TestApp, recover: bool, steps: Vec<Step>) {
    let who = format!("p{}", app.query("SELECT count(*) FROM users").await[0][0]);
    let issued = app.tokens(&who).await;
    let session = issued.session.unwrap();
    let (id, user) = (session.id.unwrap(), session.user.unwrap().id.unwrap());
    let mut tokens = vec![issued.refresh_token];
    let mut model = Model {
        live: 0,
        generations: vec![0],
        replaced: Vec::new(),
        gap_at: None,
        expires_at: IDLE,
        ended: false,
        banned: false,
        now: Duration::ZERO,
        recover,
    };
    let at = |tokens: &[String], back: usize| tokens.len() - 1 - back % tokens.len();
    for step in steps {
        match step {
            Step::Refresh(back) => {
                let token = at(&tokens, back);
                match (model.refresh(token), rotated(app.refresh(&tokens[token]).await)) {
                    (Wanted::New(wanted), Ok((answered, rotation))) => {
                        assert_eq!(rotation, wanted, "{step:?} {model:?}");
                        assert!(!tokens.contains(&answered), "{step:?} {model:?}");
                        tokens.push(answered);
                        model.moved_to(tokens.len() - 1, token);
                    }
                    (Wanted::Again, Ok((answered, rotation))) => {
                        assert_eq!(
                            (&answered, rotation),
                            (&tokens[model.live], Rotation::Replayed),
                            "{model:?}"
                        );
                    }
                    (Wanted::Refused(wanted), answer) => {
                        assert_eq!(reason(answer), wanted, "{step:?} {model:?}");
                    }
                    (wanted, answer) => panic!("{step:?}: {answer:?}, not {wanted:?}; {model:?}"),
                }
            }
            Step::RotateByOlder => {
                if !model.ended && !model.banned && model.now < model.expires_at {
                    let next = app.rotate_as_version_0_1(&tokens[model.live]).await;
                    tokens.push(next);
                    model.rotated_by_older(tokens.len() - 1);
                }
            }
            Step::Wait(time) => {
                app.clock.advance(time);
                model.now += time;
            }
            Step::SignOut(back) => {
                let request = signing_out_by_refresh(&tokens[at(&tokens, back)]);
                let ended = app.sign_out_with(request).await.unwrap();
                let live = !model.ended && model.now < model.expires_at;
                assert_eq!(ended, i32::from(live), "{step:?} {model:?}");
                // By another replica's clock the session may still be live.
                model.ended |= model.now < model.expires_at + LEEWAY;
            }
            Step::Revoke => {
                app.revoke_session(&id).await.unwrap();
                model.ended = true;
            }
            Step::Ban(banned) => {
                app.set_banned(&user, banned).await.unwrap();
                model.banned = banned;
                model.ended |= banned;
            }
        }
        assert_one_live(app, &id, &tokens, &model).await;
    }
    app.user(&user).await.unwrap();
}

/// Asserts that the row names at most one token, the one of the model.
async fn assert_one_live(app: &TestApp, id: &str, tokens: &[String], model: &Model) {
    let id = app.place.database.id(id);
    let sql = format!(
        "SELECT generation, refresh_hash, previous_hash, ended_at IS NULL AS open, \
         predecessors FROM sessions WHERE id = {id}"
    );
    let row = app.query(&sql).await.remove(0);
    assert_eq!(row[3] == "1", !model.ended, "{model:?}");
    assert_eq!(row[1], hash(&tokens[model.live]), "{model:?}");
    let previous = model.replaced.first().map(|it| hash(&tokens[it.token]));
    assert_eq!(row[2], previous.unwrap_or_default(), "{model:?}");
    assert_eq!(row[0].parse::<u64>().unwrap(), model.generations[model.live], "{model:?}");
    assert!(row[4].len() / 2 <= 520, "{model:?}");
}

/// Returns the stored hash of a token, in hexadecimal.
fn hash(token: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("gpr_").unwrap()).unwrap();
    let digest = gatepass::model::digest_of(b"gatepass refresh token", &[&bytes]);
    hex::encode_upper(digest)
}

fn check(late_retry: &'static str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let session = format!("session: {{idle_ttl: 1h, refresh_retry_window: 10s, late_retry: {late_retry}}}");
    let app = runtime.block_on(builder().config(&session).start());
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(run(&app, late_retry == "recover", steps));
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn answers_are_the_models_where_a_late_retry_revokes() {
    check("revoke");
}

#[test]
fn answers_are_the_models_where_a_late_retry_recovers() {
    check("recover");
}
