//! Upgrade from commit a79457a: its database, secret, flow, grants and tokens continue to work, and nobody is signed
//! out.
//!
//! `gatepass.sqlite`, `postgres.sql` and `mariadb.sql` are databases of that commit after several calls at the start
//! time of the tests. The JSON file of each database contains the answers.

use std::path::Path;

use gatepass::grpc::proto::v1::{
    DenialReason, IssueTokenRequest, OAuthCallbackCredential, Rotation, SignInRequest,
};
use serde_json::Value;

use crate::support::databases::Backend;
use crate::support::people::denied;
use crate::support::signing_in::of_callback;
use crate::support::{TestApp, allowed, builder_on_a_copy_of, builder_on_a_dump, profile, reason};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/storage/made_before");

/// The configuration of that commit's Gatepass.
const CONFIG: &str = "providers: [{id: github, client_id: made-before, client_secret: of a provider}]\n\
                      base_urls: ['http://localhost:3000']";

/// The output of `pg_dump --inserts --no-owner`, without the commands of psql.
const POSTGRES: &str = include_str!("postgres.sql");
/// The output of `mariadb-dump --hex-blob`, without the settings of the session.
const MARIADB: &str = include_str!("mariadb.sql");

crate::on_all!(
    access_tokens_of_an_older_version_are_read,
    a_ban_of_an_older_version_holds,
    refresh_tokens_of_an_older_version_are_rotated,
    an_answer_that_an_older_version_lost_is_given_again,
    a_grant_of_an_older_version_is_redeemed,
    a_request_that_an_older_version_answered_gets_the_same_answer,
    a_flow_of_an_older_version_is_opened,
    a_user_of_an_older_version_signs_in_again,
);

struct MadeBefore {
    app: TestApp,
    values: Value,
}

impl MadeBefore {
    /// Starts this version on a copy of that database.
    async fn upgraded(backend: Backend) -> Self {
        let folder = Path::new(FOLDER);
        let (builder, answers) = match backend {
            Backend::Sqlite => (builder_on_a_copy_of(&folder.join("gatepass.sqlite")), "sqlite.json"),
            Backend::Postgres => (builder_on_a_dump(backend, POSTGRES).await, "postgres.json"),
            Backend::Mariadb => (builder_on_a_dump(backend, MARIADB).await, "mariadb.json"),
        };
        let values = std::fs::read_to_string(folder.join(answers)).unwrap();
        let app = builder.config(CONFIG).start().await;
        Self { app, values: serde_json::from_str(&values).unwrap() }
    }

    fn value(&self, name: &str) -> &str {
        self.values[name].as_str().unwrap()
    }
}

async fn access_tokens_of_an_older_version_are_read(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    for name in ["access_token", "reference"] {
        let answer = made.app.session(made.value(name)).await.unwrap();
        assert!(answer.session.unwrap().user.unwrap().email.is_some(), "{name}");
    }
}

async fn a_ban_of_an_older_version_holds(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    assert_eq!(reason(made.app.session(made.value("banned_access_token")).await), "USER_BANNED");
}

async fn refresh_tokens_of_an_older_version_are_rotated(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    for name in ["refresh_token", "live", "reference_refresh_token", "named_refresh_token"] {
        let answer = made.app.refresh(made.value(name)).await.unwrap();
        assert_eq!(answer.rotation(), Rotation::Rotated, "{name}");
    }
}

async fn an_answer_that_an_older_version_lost_is_given_again(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    let again = made.app.refresh(made.value("spent")).await.unwrap();
    assert_eq!((again.rotation(), again.refresh_token.as_str()), (Rotation::Replayed, made.value("live")));
}

async fn a_grant_of_an_older_version_is_redeemed(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    let issued = made.app.issue(made.value("grant")).await.unwrap();
    assert_eq!(issued.session.unwrap().user.unwrap().email.as_deref(), Some("barbara@example.com"));
}

async fn a_request_that_an_older_version_answered_gets_the_same_answer(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    let (grant, request_id) = (made.value("named_grant").to_owned(), "i".repeat(32));
    let request = IssueTokenRequest { grant, request_id, ..Default::default() };
    let again = made.app.auth.clone().issue_token(request).await.unwrap().into_inner();
    assert_eq!(
        (again.rotation(), again.refresh_token.as_str()),
        (Rotation::Replayed, made.value("named_refresh_token"))
    );
}

async fn a_flow_of_an_older_version_is_opened(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    let callback = |state: &str| {
        of_callback(OAuthCallbackCredential {
            flow: made.value("flow").to_owned(),
            state: state.to_owned(),
            error: Some("access_denied".to_owned()),
            ..Default::default()
        })
    };
    assert_eq!(reason(made.app.try_sign_in(callback("another state")).await), "STATE_MISMATCH");
    let refused = denied(made.app.try_sign_in(callback(made.value("state"))).await);
    assert_eq!(refused.reason(), DenialReason::ProviderError);
}

async fn a_user_of_an_older_version_signs_in_again(backend: Backend) {
    let made = MadeBefore::upgraded(backend).await;
    let again = SignInRequest { request_id: "t".repeat(32), ..profile("ada") };
    assert!(!allowed(made.app.try_sign_in(again).await).is_new_user);
}
