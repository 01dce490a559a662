//! `IssueToken.session_lifetime`: a shorter lifetime of one session, kept for all its refreshes.

use std::time::Duration;

use gatepass::grpc::proto::v1::{IssueTokenRequest, IssueTokenResponse, SessionLifetime};
use tonic::{Response, Status};

use crate::support::{START, TestApp, app, reason};
use crate::support::{fields, proto_time};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn lifetime(idle_ttl: Option<Duration>, max_age: Option<Duration>) -> SessionLifetime {
    let span = |span: Duration| prost_types::Duration::try_from(span).unwrap();
    SessionLifetime { idle_ttl: idle_ttl.map(span), max_age: max_age.map(span) }
}

async fn issue(
    app: &TestApp,
    who: &str,
    session_lifetime: Option<SessionLifetime>,
) -> Result<IssueTokenResponse, Status> {
    let grant = app.sign_in(who).await.grant.unwrap();
    let request = IssueTokenRequest { grant, session_lifetime, ..Default::default() };
    app.auth.clone().issue_token(request).await.map(Response::into_inner)
}

#[tokio::test]
async fn a_session_keeps_its_own_lifetime_at_each_refresh() {
    let app = app().await;
    let issued = issue(&app, "ada", Some(lifetime(Some(HOUR), Some(HOUR * 3)))).await.unwrap();
    assert_eq!(issued.refresh_token_expires_at, Some(proto_time(START.plus(HOUR))));
    let mut token = issued.refresh_token;
    for (minutes, ends) in [(50, 110), (100, 160), (150, 180)] {
        app.clock.set(START.plus(MINUTE * minutes));
        let refreshed = app.refresh(&token).await.unwrap();
        assert_eq!(refreshed.refresh_token_expires_at, Some(proto_time(START.plus(MINUTE * ends))));
        token = refreshed.refresh_token;
    }
    app.clock.set(START.plus(HOUR * 3));
    assert_eq!(reason(app.refresh(&token).await), "SESSION_EXPIRED");
}

#[tokio::test]
async fn an_idle_session_ends_by_its_own_lifetime() {
    let app = app().await;
    let issued = issue(&app, "ada", Some(lifetime(Some(MINUTE), None))).await.unwrap();
    assert_eq!(issued.access_token_expires_at, issued.refresh_token_expires_at);
    app.clock.advance(MINUTE);
    assert_eq!(reason(app.refresh(&issued.refresh_token).await), "SESSION_EXPIRED");
}

#[tokio::test]
async fn a_longer_lifetime_counts_as_the_configured_one() {
    let app = app().await;
    let plain = issue(&app, "ada", None).await.unwrap();
    for asked in [lifetime(Some(HOUR * 24 * 365), Some(HOUR * 24 * 3650)), lifetime(None, None)] {
        let issued = issue(&app, "ada", Some(asked)).await.unwrap();
        assert_eq!(issued.refresh_token_expires_at, plain.refresh_token_expires_at);
    }
    assert_eq!(app.query("SELECT DISTINCT idle_ttl, max_age FROM sessions").await, [["", ""]]);
}

#[tokio::test]
async fn less_than_a_minute_is_no_lifetime_and_spends_nothing() {
    let app = app().await;
    let short = lifetime(Some(Duration::from_millis(59_999)), Some(Duration::ZERO));
    let grant = app.sign_in("ada").await.grant.unwrap();
    let request =
        IssueTokenRequest { grant: grant.clone(), session_lifetime: Some(short), ..Default::default() };
    let refused = app.auth.clone().issue_token(request).await;
    assert_eq!(fields(refused), ["session_lifetime.idle_ttl", "session_lifetime.max_age"]);
    app.issue(&grant).await.unwrap();
}
