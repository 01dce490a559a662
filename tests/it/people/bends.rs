//! A provider bends each document member by member. One table says which members a sign-in needs: those refuse, and all
//! others harm nothing.

use std::fmt;

use gatepass::auth::SignInDecision;
use gatepass::grpc::proto::v1::sign_in_response::Outcome;
use gatepass::model::{ClaimMap, Email};
use serde_json::{Value, json};
use tonic::Code;

use crate::support::TestApp;
use crate::support::hooks::{Hooks, on_sign_in};
use crate::support::provider::{Person, TestProvider};
use crate::support::signing_in::{begin, come_back, entry, with_providers};

/// The size of a huge value, in bytes.
const HUGE: usize = 100_000;

/// The change of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bend {
    Null,
    True,
    Number,
    List,
    Object,
    Missing,
    Huge,
}

impl Bend {
    const ALL: [Self; 7] =
        [Self::Null, Self::True, Self::Number, Self::List, Self::Object, Self::Missing, Self::Huge];

    fn apply(self, document: &mut ClaimMap, member: &str) {
        let value = match self {
            Self::Missing => return drop(document.remove(member)),
            Self::Null => Value::Null,
            Self::True => true.into(),
            Self::Number => json!(-1.5),
            Self::List => json!([]),
            Self::Object => json!({"a": "b"}),
            Self::Huge => "x".repeat(HUGE).into(),
        };
        document.insert(member.to_owned(), value);
    }
}

/// The bends that harm nothing, of a member.
type Harmless = &'static [Bend];

/// The member identifies the person or proves it.
const IDENTITY: Harmless = &[];
/// The member proves something only if it is there.
const IF_PRESENT: Harmless = &[Bend::Null, Bend::Missing];
/// The member must not be there in any form.
const NEVER: Harmless = &[Bend::Missing];
/// The member must be a text of a few known ones, if it is text.
const KNOWN_TEXT: Harmless = &[Bend::Null, Bend::True, Bend::Number, Bend::List, Bend::Object, Bend::Missing];
/// The member must be text, if it is there.
const TEXT: Harmless = &[Bend::Null, Bend::Missing, Bend::Huge];
/// Anything harms nothing.
const FREE: Harmless = &Bend::ALL;

const DISCOVERY: &[(&str, Harmless)] = &[
    ("issuer", IDENTITY),
    ("authorization_endpoint", IDENTITY),
    ("token_endpoint", IDENTITY),
    ("jwks_uri", IDENTITY),
    ("userinfo_endpoint", FREE),
    ("response_types_supported", FREE),
    ("id_token_signing_alg_values_supported", FREE),
    ("authorization_response_iss_parameter_supported", FREE),
];

const KEY_SET: &[(&str, Harmless)] = &[("keys", IDENTITY)];

const KEY: &[(&str, Harmless)] = &[
    ("kty", IDENTITY),
    ("crv", IDENTITY),
    ("x", IDENTITY),
    ("y", IDENTITY),
    // Tokens of this provider name their key.
    ("kid", IDENTITY),
    ("alg", IF_PRESENT),
    ("use", IF_PRESENT),
    ("key_ops", IF_PRESENT),
];

const TOKEN_RESPONSE: &[(&str, Harmless)] = &[
    ("access_token", IDENTITY),
    ("id_token", IDENTITY),
    ("token_type", KNOWN_TEXT),
    ("expires_in", FREE),
    ("refresh_token", FREE),
    ("scope", FREE),
    ("not_before_policy", FREE),
];

const HEADER: &[(&str, Harmless)] =
    &[("alg", IDENTITY), ("kid", IF_PRESENT), ("typ", TEXT), ("crit", NEVER), ("jku", FREE), ("x5c", FREE)];

const ID_TOKEN: &[(&str, Harmless)] = &[
    ("iss", IDENTITY),
    ("sub", IDENTITY),
    ("aud", IDENTITY),
    ("exp", IDENTITY),
    ("iat", IDENTITY),
    ("nonce", IDENTITY),
    ("nbf", IF_PRESENT),
    ("azp", IF_PRESENT),
    ("at_hash", IF_PRESENT),
    ("auth_time", FREE),
    ("acr", FREE),
    ("amr", FREE),
    ("tid", FREE),
    ("email", FREE),
    ("email_verified", FREE),
    ("name", FREE),
    ("picture", FREE),
    ("groups", FREE),
    ("address", FREE),
];

const USERINFO: &[(&str, Harmless)] = &[
    ("sub", IDENTITY),
    ("email", FREE),
    ("email_verified", FREE),
    ("name", FREE),
    ("picture", FREE),
    ("groups", FREE),
    ("locale", FREE),
];

/// A case: a member, its bend, and whether the sign-in goes on.
#[derive(Clone, Copy)]
struct Case {
    member: &'static str,
    bend: Bend,
    is_harmless: bool,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.member, self.bend)
    }
}

fn cases(table: &[(&'static str, Harmless)]) -> Vec<Case> {
    let of = |(member, harmless): &(&'static str, Harmless)| {
        let (member, harmless) = (*member, *harmless);
        Bend::ALL.map(|bend| Case { member, bend, is_harmless: harmless.contains(&bend) })
    };
    table.iter().flat_map(of).collect()
}

/// Fails if a policy reads a value that Gatepass does not keep of a new user.
pub(super) fn checks_what_policies_see() -> Hooks {
    on_sign_in(|input| {
        let text = |name: &str| input.profile.get(name).map(|value| value.as_str().expect("a text"));
        assert_eq!(text("sub"), Some(input.account.provider_account_id.as_str()));
        assert_eq!(text("email"), input.user.email.as_ref().map(Email::as_str));
        assert_eq!(text("name"), input.user.name.as_deref());
        assert_eq!(text("picture"), input.user.image.as_deref());
        assert_eq!(input.profile["email_verified"], input.user.email_verified);
        Ok(SignInDecision::Allow)
    })
}

/// Signs a new person in at a provider of this id, and checks the outcome.
async fn check(app: &TestApp, id: &str, provider: &TestProvider, person: &str, case: Case) {
    let allowed = match app.begin(begin(id)).await {
        Err(status) => Err(status),
        Ok(begun) => {
            let answer = provider.log_in(&begun.authorization_url, Person::named(person));
            app.try_sign_in(come_back(&begun.flow, answer)).await
        }
    };
    match allowed {
        Ok(answer) => {
            let outcome = answer.into_inner().outcome;
            assert!(
                case.is_harmless && matches!(outcome, Some(Outcome::Allowed(_))),
                "{case:?}: {outcome:?}"
            );
        }
        Err(status) => {
            assert!(!case.is_harmless, "{case:?}: {status:?}");
            // A bad credential, or a provider that has to be mended.
            let refusals =
                [Code::Unauthenticated, Code::Unavailable, Code::Aborted, Code::FailedPrecondition];
            assert!(refusals.contains(&status.code()), "{case:?}: {status:?}");
        }
    }
}

/// Runs the cases of a document that is read again at each sign-in.
async fn each(table: &[(&'static str, Harmless)], more: &str, edit: impl Fn(&TestProvider, Case)) {
    let provider = TestProvider::start().await;
    let app = with_providers(&[entry("corp", &provider, more)]).callbacks(checks_what_policies_see());
    let app = app.start().await;
    for (number, case) in cases(table).into_iter().enumerate() {
        edit(&provider, case);
        check(&app, "corp", &provider, &format!("person-{number}"), case).await;
    }
}

/// Runs the cases of a document that is cached, each at a provider of its own.
async fn each_apart(table: &[(&'static str, Harmless)], edit: impl Fn(&TestProvider, Case)) {
    let mut providers = Vec::new();
    for case in cases(table) {
        let provider = TestProvider::start().await;
        edit(&provider, case);
        providers.push((format!("p{}", providers.len()), provider, case));
    }
    let entries: Vec<_> = providers.iter().map(|(id, provider, _)| entry(id, provider, "")).collect();
    let app = with_providers(&entries).callbacks(checks_what_policies_see()).start().await;
    for (id, provider, case) in &providers {
        check(&app, id, provider, id, *case).await;
    }
}

#[test]
fn there_are_many_cases() {
    let tables = [DISCOVERY, KEY_SET, KEY, TOKEN_RESPONSE, HEADER, ID_TOKEN, USERINFO];
    let count: usize = tables.iter().map(|table| cases(table).len()).sum();
    assert!(count >= 300, "{count}");
}

#[tokio::test]
async fn metadata_are_bent_member_by_member() {
    each_apart(DISCOVERY, |provider, Case { member, bend, .. }| {
        provider.edits_metadata(move |document| bend.apply(document, member));
    })
    .await;
}

#[tokio::test]
async fn key_sets_are_bent_member_by_member() {
    each_apart(KEY_SET, |provider, Case { member, bend, .. }| {
        provider.edits_keys(move |document| bend.apply(document, member));
    })
    .await;
}

#[tokio::test]
async fn keys_are_bent_member_by_member() {
    each_apart(KEY, |provider, Case { member, bend, .. }| {
        provider.edits_keys(move |document| {
            bend.apply(document["keys"][0].as_object_mut().unwrap(), member);
        });
    })
    .await;
}

#[tokio::test]
async fn token_responses_are_bent_member_by_member() {
    each(TOKEN_RESPONSE, "", |provider, Case { member, bend, .. }| {
        provider.edits_token_response(move |document| bend.apply(document, member));
    })
    .await;
}

#[tokio::test]
async fn headers_of_id_tokens_are_bent_member_by_member() {
    each(HEADER, "", |provider, Case { member, bend, .. }| {
        provider.edits_id_tokens(move |header, _| bend.apply(header, member));
    })
    .await;
}

#[tokio::test]
async fn claims_of_id_tokens_are_bent_one_by_one() {
    for more in ["userinfo: never", "userinfo: always"] {
        each(ID_TOKEN, more, |provider, Case { member, bend, .. }| {
            provider.edits_id_tokens(move |_, claims| bend.apply(claims, member));
        })
        .await;
    }
}

#[tokio::test]
async fn userinfo_is_bent_member_by_member() {
    each(USERINFO, "userinfo: always", |provider, Case { member, bend, .. }| {
        provider.edits_userinfo(move |document| bend.apply(document, member));
    })
    .await;
    // The ID token has no attributes of its own.
    each(USERINFO, "userinfo: always", |provider, Case { member, bend, .. }| {
        provider.keeps_profiles_to_userinfo();
        provider.edits_userinfo(move |document| bend.apply(document, member));
    })
    .await;
}
