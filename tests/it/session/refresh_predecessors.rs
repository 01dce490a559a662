//! Refresh tokens that were replaced within `session.refresh_retry_window`: each returns the live token, although
//! others were rotated after it.

use std::time::Duration;

use gatepass::grpc::proto::v1::{RefreshTokenRequest, RefreshTokenResponse, Rotation};
use prost_types::{Struct, Value, value::Kind};
use tonic::{Code, Status};

use crate::support::gate::gate;
use crate::support::refresh_tokens::{SECRET, genuine};
use crate::support::strategy::also_with_references;
use crate::support::{TestApp, app, builder, reason, refusal};

const OTHER: &str = "another secret of a test, long enough";

/// Refreshes and returns the origin of the token and the token.
async fn refresh(app: &TestApp, token: &str) -> (Rotation, String) {
    let answer = app.refresh(token).await.unwrap();
    (answer.rotation(), answer.refresh_token)
}

async fn update(app: &TestApp, token: &str, theme: &str) -> Result<RefreshTokenResponse, Status> {
    let theme = Value { kind: Some(Kind::StringValue(theme.to_owned())) };
    let update = Some(Struct { fields: [("theme".to_owned(), theme)].into() });
    let request = RefreshTokenRequest { refresh_token: token.to_owned(), update, ..Default::default() };
    app.refresh_token(request).await
}

fn theme(answer: RefreshTokenResponse) -> Option<Kind> {
    let claims = answer.session.unwrap().claims.unwrap();
    claims.fields.get("theme").and_then(|theme| theme.kind.clone())
}

fn text(value: &str) -> Kind {
    Kind::StringValue(value.to_owned())
}

/// Returns the first token of a session, and those of this many rotations.
async fn rotated(app: &TestApp, rotations: usize) -> Vec<String> {
    let mut tokens = vec![app.tokens("ada").await.refresh_token];
    for _ in 0..rotations {
        let (rotation, next) = refresh(app, tokens.last().unwrap()).await;
        assert_eq!(rotation, Rotation::Rotated);
        tokens.push(next);
    }
    tokens
}

#[tokio::test]
async fn a_parallel_request_with_an_older_token_gets_the_live_one() {
    let app = builder().config("session: {update_allow: [theme]}").start().await;
    let first = app.tokens("ada").await.refresh_token;
    let second = refresh(&app, &first).await.1;
    let third = update(&app, &second, "dark").await.unwrap().refresh_token;
    app.clock.advance(Duration::from_millis(4));
    let late = app.refresh(&first).await.unwrap();
    assert_eq!((late.rotation(), &late.refresh_token), (Rotation::Replayed, &third));
    app.session(&late.access_token).await.unwrap();
    assert_eq!(theme(late), Some(text("dark")));
    assert_eq!(app.log().await.last().unwrap(), "TOKEN_REPLAYED SUCCESS");
    // Its update is applied, and stays.
    let late = update(&app, &first, "light").await.unwrap();
    assert_eq!((late.rotation(), &late.refresh_token), (Rotation::Replayed, &third));
    assert_eq!(theme(late), Some(text("light")));
    let next = app.refresh(&third).await.unwrap();
    assert_eq!((next.rotation(), theme(next)), (Rotation::Rotated, Some(text("light"))));
}

#[tokio::test]
async fn ten_rotations_in_the_window_never_make_the_first_token_a_theft() {
    let app = app().await;
    let tokens = rotated(&app, 8).await;
    let live = &tokens[8];
    // A ninth and a tenth rotation are not made.
    for token in [live, live, &tokens[0], &tokens[4], &tokens[7]] {
        assert_eq!(refresh(&app, token).await, (Rotation::Replayed, live.clone()));
    }
    app.clock.advance(Duration::from_millis(9_999));
    for token in [live, &tokens[0]] {
        assert_eq!(refresh(&app, token).await, (Rotation::Replayed, live.clone()));
    }
    assert!(!app.log().await.iter().any(|line| line.starts_with("REFRESH_REUSED")));
    app.clock.advance(Duration::from_millis(1));
    assert_eq!(refresh(&app, live).await.0, Rotation::Rotated);
    assert_eq!(reason(app.refresh(&tokens[0]).await), "REFRESH_REUSED");
}

#[tokio::test]
async fn the_live_token_is_answered_again_with_an_update() {
    let app = builder().config("session: {update_allow: [theme]}").start().await;
    let live = rotated(&app, 8).await.remove(8);
    let answer = update(&app, &live, "dark").await.unwrap();
    assert_eq!((answer.rotation(), &answer.refresh_token), (Rotation::Replayed, &live));
    app.session(&answer.access_token).await.unwrap();
    assert_eq!(theme(answer), Some(text("dark")));
    let kept = app.refresh(&live).await.unwrap();
    assert_eq!((kept.rotation(), theme(kept)), (Rotation::Replayed, Some(text("dark"))));
}

#[tokio::test]
async fn each_token_has_the_window_of_its_own_replacement() {
    for (token, ends) in [(0, 10_000), (1, 14_000), (2, 18_000)] {
        let app = app().await;
        let mut tokens = vec![app.tokens("ada").await.refresh_token];
        for _ in 0..3 {
            tokens.push(refresh(&app, tokens.last().unwrap()).await.1);
            app.clock.advance(Duration::from_secs(4));
        }
        // The clock is now 12 seconds after the first rotation.
        let left = i64::from(ends) - 12_000;
        if left > 0 {
            app.clock.advance(Duration::from_millis(left.unsigned_abs() - 1));
            assert_eq!(refresh(&app, &tokens[token]).await, (Rotation::Replayed, tokens[3].clone()));
            app.clock.advance(Duration::from_millis(1));
        }
        assert_eq!(reason(app.refresh(&tokens[token]).await), "REFRESH_REUSED", "{token}");
        assert_eq!(reason(app.refresh(&tokens[3]).await), "SESSION_REVOKED", "{token}");
    }
}

#[tokio::test]
async fn a_recovered_session_still_treats_its_lost_token_as_stolen() {
    let app = builder().config("session: {late_retry: recover}").start().await;
    let tokens = rotated(&app, 2).await;
    app.clock.advance(Duration::from_secs(10));
    let (rotation, recovered) = refresh(&app, &tokens[1]).await;
    assert_eq!(rotation, Rotation::Recovered);
    assert_eq!(refresh(&app, &tokens[1]).await, (Rotation::Replayed, recovered.clone()));
    let next = refresh(&app, &recovered).await.1;
    // From the recovered one, and from the one before it, whose window began anew.
    for token in [&recovered, &tokens[1]] {
        assert_eq!(refresh(&app, token).await, (Rotation::Replayed, next.clone()));
    }
    assert_eq!(reason(app.refresh(&tokens[2]).await), "REFRESH_REUSED");
}

#[tokio::test]
async fn a_row_grows_by_no_more_than_600_bytes() {
    let app = builder().config("session: {refresh_retry_window: 5m}").start().await;
    let grown = async || {
        let row = app.query("SELECT predecessors, granted_audiences FROM sessions").await.remove(0);
        row[0].len() / 2 + row[1].len()
    };
    let tokens = rotated(&app, 8).await;
    let most = grown().await;
    assert!((504..=600).contains(&most), "{most}");
    assert_eq!(refresh(&app, &tokens[8]).await.0, Rotation::Replayed);
    assert_eq!(grown().await, most);
    // The next rotation drops the tokens whose window is over.
    app.clock.advance(Duration::from_mins(5));
    assert_eq!(refresh(&app, &tokens[8]).await.0, Rotation::Rotated);
    assert!(grown().await < 50);
}

fn secrets(secrets: &'static [&str]) -> impl Fn(String) -> String {
    move |yaml| yaml.replace(&format!("'{SECRET}'"), &format!("'{}'", secrets.join("', '")))
}

#[tokio::test]
async fn each_step_is_derived_with_the_secret_that_made_it() {
    let app = builder().config(&crate::support::tokens("")).start().await;
    let moved = app.replica(secrets(&[OTHER, SECRET])).await;
    let first = app.tokens("ada").await.refresh_token;
    let mut live = first.clone();
    for (number, replica) in [&app, &moved, &moved].into_iter().enumerate() {
        live = refresh(replica, &live).await.1;
        assert_eq!(refresh(&moved, &first).await, (Rotation::Replayed, live.clone()), "{number}");
    }
    // A replica without the other secret asks to be tried again, and ends nothing.
    let wanted = (Code::Unavailable, "KEYS_UNAVAILABLE".to_owned());
    assert_eq!(refusal(app.refresh(&first).await), wanted);
    assert_eq!(refresh(&moved, &live).await.0, Rotation::Rotated);
}

#[tokio::test]
async fn without_the_secret_of_a_step_between_nothing_is_derived() {
    let old = builder().config(&crate::support::tokens("")).start().await;
    let both = old.replica(secrets(&[OTHER, SECRET])).await;
    let new = old.replica(secrets(&[OTHER])).await;
    let first = both.tokens("ada").await.refresh_token;
    let back = both
        .replica(|yaml| yaml.replace(&format!("'{OTHER}', '{SECRET}'"), &format!("'{SECRET}', '{OTHER}'")));
    let second = refresh(&back.await, &first).await.1;
    let third = refresh(&both, &second).await.1;
    assert_eq!(refusal(new.refresh(&first).await), (Code::Unavailable, "KEYS_UNAVAILABLE".to_owned()));
    assert_eq!(refresh(&both, &first).await, (Rotation::Replayed, third.clone()));
    assert_eq!(refresh(&new, &third).await.0, Rotation::Rotated);
}

#[tokio::test]
async fn a_chain_that_leads_elsewhere_answers_nothing() {
    let app = app().await;
    let tokens = rotated(&app, 3).await;
    app.execute("UPDATE sessions SET salt = previous_hash").await;
    for token in &tokens[..3] {
        assert_eq!(refusal(app.refresh(token).await), (Code::Unavailable, "KEYS_UNAVAILABLE".to_owned()));
    }
    assert_eq!(refresh(&app, &tokens[3]).await.0, Rotation::Rotated);
}

#[tokio::test]
async fn a_rotation_by_an_older_version_leaves_a_gap_and_no_theft() {
    let app = app().await;
    let mut tokens = rotated(&app, 2).await;
    tokens.push(app.rotate_as_version_0_1(&tokens[2]).await);
    let unavailable = (Code::Unavailable, "KEYS_UNAVAILABLE".to_owned());
    assert_eq!(refresh(&app, &tokens[2]).await, (Rotation::Replayed, tokens[3].clone()));
    for token in &tokens[..2] {
        assert_eq!(refusal(app.refresh(token).await), unavailable);
    }
    // The gap stays after a rotation by this version.
    app.clock.advance(Duration::from_secs(5));
    tokens.push(refresh(&app, &tokens[3]).await.1);
    for token in &tokens[2..4] {
        assert_eq!(refresh(&app, token).await, (Rotation::Replayed, tokens[4].clone()));
    }
    for token in &tokens[..2] {
        assert_eq!(refusal(app.refresh(token).await), unavailable);
    }
    app.clock.advance(Duration::from_secs(5));
    assert_eq!(reason(app.refresh(&tokens[0]).await), "REFRESH_REUSED");
}

#[tokio::test]
async fn a_row_of_an_older_version_goes_on() {
    let app = app().await;
    let first = app.tokens("ada").await.refresh_token;
    let second = app.rotate_as_version_0_1(&first).await;
    let third = refresh(&app, &second).await.1;
    // The first token was the direct predecessor when this version rotated, so it is known.
    assert_eq!(refresh(&app, &first).await, (Rotation::Replayed, third.clone()));
    let fourth = app.rotate_as_version_0_1(&app.rotate_as_version_0_1(&third).await).await;
    assert_eq!(refusal(app.refresh(&third).await), (Code::Unavailable, "KEYS_UNAVAILABLE".to_owned()));
    assert_eq!(genuine(&fourth).generation(), 4);
    assert_eq!(refresh(&app, &fourth).await.0, Rotation::Rotated);
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(reason(app.refresh(&third).await), "REFRESH_REUSED");
}

#[tokio::test]
async fn a_held_request_gets_what_others_rotated_meanwhile() {
    let (gate, callbacks) = gate();
    let app = builder().callbacks(callbacks).start().await;
    let first = app.tokens("ada").await.refresh_token;
    let (mut client, refresh_token) = (app.auth.clone(), first.clone());
    let request = RefreshTokenRequest { refresh_token, ..Default::default() };
    let held = async move { client.refresh_token(request).await.map(tonic::Response::into_inner) };
    let mut live = first.clone();
    let answer = gate
        .hold(held, async {
            for _ in 0..8 {
                live = refresh(&app, &live).await.1;
            }
        })
        .await
        .unwrap();
    assert_eq!((answer.rotation(), answer.refresh_token), (Rotation::Replayed, live));
}

also_with_references!(
    a_parallel_request_with_an_older_token_gets_the_live_one,
    ten_rotations_in_the_window_never_make_the_first_token_a_theft,
    the_live_token_is_answered_again_with_an_update,
    a_rotation_by_an_older_version_leaves_a_gap_and_no_theft,
    a_held_request_gets_what_others_rotated_meanwhile,
);
