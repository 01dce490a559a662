//! Sign-ins with a new profile against administrators who read, change and write: no change is lost.

use gatepass::grpc::proto::v1::{ProfileCredential, User, sign_in_response};

use super::pair::Pair;
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::replica::Replica;
use crate::support::soak::soak;
use crate::support::{allowed, credential, profile, reason};

const ADMINISTRATORS: usize = 8;
const SIGN_INS: usize = 16;

crate::on_all!(no_change_of_a_user_is_lost);

async fn no_change_of_a_user_is_lost(backend: Backend) {
    let pair = Pair::on(backend).await;
    let user = allowed(pair.replica(0).sign_in(profile("ada")).await).user.unwrap();
    let rounds = soak(3, 50);
    let work = |number: usize| {
        let (replica, id) = (pair.replica(number), user.id.clone());
        async move {
            let mut names = Vec::new();
            for round in 0..rounds {
                if number < ADMINISTRATORS {
                    count_one(&replica, &id).await;
                } else {
                    names.extend(sign_in_as(&replica, &id, format!("ada {number} {round}")).await);
                }
            }
            names
        }
    };
    let names = at_once(ADMINISTRATORS + SIGN_INS, work).await.concat();
    let after = pair.replica(0).user(&user.id).await.unwrap();
    assert_eq!(count_of(&after), ADMINISTRATORS * rounds, "a change was lost");
    assert!(names.contains(after.name.as_ref().unwrap()), "the name is of a sign-in that was refused");
    // Each acknowledged change made one version, and each sign-in one session.
    let versions = i64::try_from(1 + ADMINISTRATORS * rounds + names.len()).unwrap();
    assert_eq!(pair.count("SELECT version FROM users").await, versions);
    let sessions = i64::try_from(names.len() + 1).unwrap();
    assert_eq!(pair.count("SELECT count(*) FROM sessions").await, sessions);
    pair.finish().await;
}

/// Increments a counter in the user's picture, and repeats from a new read on each conflict.
async fn count_one(replica: &Replica, id: &str) {
    loop {
        let before = replica.user(id).await.unwrap();
        let image = Some(format!("https://example.com/{}", count_of(&before) + 1));
        match replica.update(User { image, ..before }, "image").await {
            Ok(_) => return,
            refused => assert_eq!(reason(refused), "ETAG_MISMATCH"),
        }
    }
}

fn count_of(user: &User) -> usize {
    user.image.as_ref().map_or(0, |image| image.rsplit('/').next().unwrap().parse().unwrap())
}

/// Signs in with this name. Returns nothing if other calls kept changing the user.
async fn sign_in_as(replica: &Replica, id: &str, name: String) -> Option<String> {
    let request = credential(ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: "ada".to_owned(),
        email: Some("ada@example.com".to_owned()),
        email_verified: true,
        name: Some(name.clone()),
        ..Default::default()
    });
    match replica.sign_in(request).await {
        Ok(answer) => match answer.into_inner().outcome {
            Some(sign_in_response::Outcome::Allowed(allowed)) => {
                assert_eq!(allowed.user.unwrap().id, id);
                Some(name)
            }
            other => panic!("{other:?}"),
        },
        refused => {
            assert_eq!(reason(refused), "CONFLICT");
            None
        }
    }
}
