//! References that were never issued: each gets its own reason, none gets a session, and none causes a statement.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepass::grpc::proto::v1::{IssueTokenResponse, SignOutRequest, sign_out_request};
use gatepass::model::SessionId;
use gatepass::tokens::{Reference, References, Secrets};
use tonic::Code;

use crate::support::{START, TestApp, builder, reason, refusal};

const MALFORMED: &str = "TOKEN_MALFORMED";
const SIGNATURE: &str = "TOKEN_SIGNATURE_INVALID";

/// The secret of every test, and a second accepted secret.
const FIRST: &str = "the first secret of a test, long enough";
const SECOND: &str = "the second secret of a test, long too";

async fn app() -> TestApp {
    let secrets = |yaml: &str| yaml.replace(&format!("['{FIRST}']"), &format!("['{FIRST}', '{SECOND}']"));
    let app = builder().config("session: {strategy: database}").start().await;
    app.restart(|yaml| secrets(&yaml)).await
}

fn bytes(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.strip_prefix("gps_").unwrap()).unwrap()
}

fn token(bytes: &[u8]) -> String {
    format!("gps_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Creates references with this secret.
fn references(secret: &str) -> References {
    References::new(Arc::new(Secrets::new(&[secret.into()]).unwrap()), Duration::ZERO)
}

/// Builds by hand the reference that belongs to a response.
fn reference(issued: &IssueTokenResponse) -> Reference {
    Reference {
        session_id: issued.session.as_ref().unwrap().id.as_ref().unwrap().parse::<SessionId>().unwrap(),
        version: 1,
        issued_at: START,
        expires_at: START.plus(Duration::from_mins(15)),
        audiences: vec!["gatepass".to_owned()],
    }
}

async fn assert_refused(app: &TestApp, rows: Vec<(String, String, &str)>) {
    app.take_statements();
    for (what, token, wanted) in rows {
        let refused = refusal(app.session(&token).await);
        assert_eq!(refused, (Code::Unauthenticated, wanted.to_owned()), "{what}");
        let credential = Some(sign_out_request::Credential::AccessToken(token));
        let request = SignOutRequest { credential, ..SignOutRequest::default() };
        assert_eq!(reason(app.auth.clone().sign_out(request).await), wanted, "sign out: {what}");
    }
    assert_eq!(app.take_statements(), [""; 0]);
}

#[tokio::test]
async fn a_reference_of_exactly_our_form_is_good() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let ours = references(FIRST);
    assert_eq!(ours.issue(&reference(&issued)).unwrap(), issued.access_token);
    // A reference with any accepted secret is valid.
    let other = references(SECOND).issue(&reference(&issued)).unwrap();
    assert_eq!(app.session(&other).await.unwrap().session, issued.session);
}

#[tokio::test]
async fn a_reference_with_any_bit_changed_is_forged() {
    let app = app().await;
    let good = bytes(&app.tokens("ada").await.access_token);
    let mut rows = Vec::new();
    for place in 0..good.len() {
        for bit in [0x01, 0x80] {
            let mut bent = good.clone();
            bent[place] ^= bit;
            rows.push((format!("byte {place}"), token(&bent), SIGNATURE));
        }
    }
    assert_refused(&app, rows).await;
}

#[tokio::test]
async fn a_reference_cut_short_or_made_longer_is_forged() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let good = bytes(&issued.access_token);
    let mut rows = Vec::new();
    for length in 0..good.len() {
        // A text shorter than a header and a MAC is malformed.
        let wanted = if length > 48 + 32 { SIGNATURE } else { MALFORMED };
        rows.push((format!("cut to {length}"), token(&good[..length]), wanted));
    }
    for more in [&[0][..], &[9, b'x'], &good] {
        rows.push(("more behind".to_owned(), token(&[&good[..], more].concat()), SIGNATURE));
        rows.push(("more before".to_owned(), token(&[more, &good[..]].concat()), SIGNATURE));
        let (body, tag) = good.split_at(good.len() - 32);
        rows.push(("more audiences".to_owned(), token(&[body, more, tag].concat()), SIGNATURE));
    }
    let text = &issued.access_token;
    for (what, bad) in [
        ("padding", format!("{text}=")),
        ("padding", format!("{text}==")),
        ("space", format!(" {text}")),
        ("space", format!("{text} ")),
        ("line", format!("{text}\n")),
        ("scheme", format!("Bearer {text}")),
        ("prefix", text.replacen("gps_", "GPS_", 1)),
        ("prefix", text.replacen("gps_", "gps-", 1)),
        ("no prefix", text.replacen("gps_", "", 1)),
        ("nothing", "gps_".to_owned()),
        ("standard alphabet", format!("gps_{}", "+/".repeat(60))),
        ("not ascii", text.replacen("gps_", "gps_é", 1)),
        ("large", format!("gps_{}", "A".repeat(4093))),
        ("larger", format!("gps_{}", "A".repeat(50_000))),
    ] {
        rows.push((what.to_owned(), bad, MALFORMED));
    }
    rows.push(("prefix twice".to_owned(), text.replacen("gps_", "gps_gps_", 1), SIGNATURE));
    rows.push(("as large as may be".to_owned(), format!("gps_{}", "A".repeat(4092)), SIGNATURE));
    assert_refused(&app, rows).await;
}

#[tokio::test]
async fn one_reference_has_one_spelling() {
    let app = app().await;
    let text = &app.tokens("ada").await.access_token;
    assert_ne!(bytes(text).len() % 3, 0, "a length that leaves bits of the last character unused");
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let rows = alphabet.chars().filter(|last| !text.ends_with(*last)).map(|last| {
        let bent = format!("{}{last}", &text[..text.len() - 1]);
        let wanted = if URL_SAFE_NO_PAD.decode(&bent[4..]).is_ok() { SIGNATURE } else { MALFORMED };
        (format!("ends in {last}"), bent, wanted)
    });
    assert_refused(&app, rows.collect()).await;
}

#[tokio::test]
async fn parts_of_genuine_references_make_no_genuine_one() {
    let app = app().await;
    let ada = app.tokens("ada").await;
    app.clock.advance(Duration::from_secs(1));
    let eve = app.tokens("eve").await;
    let (good, other) = (bytes(&ada.access_token), bytes(&eve.access_token));
    let spliced = |from: usize, to: usize| {
        let mut forged = other.clone();
        forged[from..to].copy_from_slice(&good[from..to]);
        token(&forged)
    };
    let other_secret = bytes(&references(SECOND).issue(&reference(&ada)).unwrap());
    let swapped = |from: usize, with: usize| {
        let mut forged = good.clone();
        for at in 0..8 {
            forged.swap(from + at, with + at);
        }
        token(&forged)
    };
    let of = |text: &str| bytes(&text.replacen("gpr_", "gps_", 1));
    let rows = [
        ("the session of another", spliced(8, 24)),
        ("the times of another", spliced(32, 48)),
        ("all but the MAC of another", spliced(0, good.len() - 32)),
        ("the MAC of another", spliced(good.len() - 32, good.len())),
        ("issued when it expires", swapped(32, 40)),
        ("its version for its time", swapped(24, 32)),
        ("another accepted secret's id", token(&[&other_secret[..8], &good[8..]].concat())),
        ("another accepted secret's MAC", token(&[&good[..57], &other_secret[57..]].concat())),
        ("a refresh token", token(&of(&ada.refresh_token))),
        ("the MAC of a refresh token", token(&[&good[..57], &of(&ada.refresh_token)[64..]].concat())),
    ];
    let rows = rows.map(|(what, token)| (what.to_owned(), token, SIGNATURE));
    assert_refused(&app, rows.into()).await;
    let as_refresh_token = ada.access_token.replacen("gps_", "gpr_", 1);
    assert_eq!(reason(app.refresh(&as_refresh_token).await), "REFRESH_INVALID");
    assert_eq!(reason(app.refresh(&ada.access_token).await), "REFRESH_INVALID");
    app.session(&ada.access_token).await.unwrap();
}

#[tokio::test]
async fn a_reference_of_a_foreign_secret_is_forged_whatever_its_time() {
    let app = app().await;
    let issued = app.tokens("ada").await;
    let (theirs, ours) = (references("a secret that nobody here knows of"), references(FIRST));
    let good = reference(&issued);
    let expired = Reference {
        issued_at: START,
        expires_at: START.plus(Duration::from_secs(1)),
        audiences: vec!["elsewhere".to_owned()],
        ..good.clone()
    };
    let rows =
        [("good", theirs.issue(&good).unwrap()), ("expired, for others", theirs.issue(&expired).unwrap())];
    app.clock.advance(Duration::from_mins(5));
    assert_refused(&app, rows.map(|(what, token)| (what.to_owned(), token, SIGNATURE)).into()).await;
    // The expiry is checked before the audience, as for JWTs.
    assert_eq!(reason(app.session(&ours.issue(&expired).unwrap()).await), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn the_key_of_one_installation_opens_nothing_in_another() {
    let (app, elsewhere) = (app().await, app().await);
    let token = elsewhere.tokens("ada").await.access_token;
    // The same secret by mistake: the MAC is right, and there is no such session.
    assert_eq!(refusal(app.session(&token).await), (Code::Unauthenticated, "SESSION_EXPIRED".to_owned()));
}
