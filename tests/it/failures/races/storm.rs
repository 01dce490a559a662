//! All kinds of concurrent calls on a few people. No call may report a database problem.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use gatepass::grpc::proto::v1::{
    IssueTokenResponse, RevokeSessionRequest, RevokeUserSessionsRequest, SignOutRequest, User,
    sign_in_response, sign_out_request,
};
use gatepass::model::{OsEntropy, random};
use tonic::Status;
use uuid::Uuid;

use super::pair::Pair;
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::replica::{Replica, ids};
use crate::support::soak::soak;
use crate::support::{profile, reason};

const PEOPLE: u8 = 4;
const CLIENTS: usize = 24;

/// The reasons that calls may get while other calls sign the same people out, ban and change them.
const REFUSALS: [&str; 4] = ["CONFLICT", "REFRESH_REUSED", "SESSION_REVOKED", "USER_BANNED"];

crate::on_all!(everything_at_once_on_a_few_people_keeps_every_promise);

async fn everything_at_once_on_a_few_people_keeps_every_promise(backend: Backend) {
    let pair = Pair::on(backend).await;
    let turns = soak(15, 400);
    let known = Arc::new(Mutex::new(Vec::new()));
    for person in 0..PEOPLE {
        let tokens = pair.replica(0).tokens(&format!("p{person}")).await;
        known.lock().unwrap().push(tokens);
    }
    let client = |number| {
        let (replica, known) = (pair.replica(number), Arc::clone(&known));
        async move {
            for _ in 0..turns {
                if let Err(status) = act(&replica, &known).await {
                    let reason = reason::<()>(Err(status.clone()));
                    assert!(REFUSALS.contains(&reason.as_str()), "{status:?}");
                }
            }
        }
    };
    at_once(CLIENTS, client).await;
    assert_eq!(pair.count("SELECT count(*) FROM users").await, i64::from(PEOPLE));
    let known = std::mem::take(&mut *known.lock().unwrap());
    assert_known_alike(&pair, &known).await;
    // After the storm, everybody can sign in again.
    for person in 0..PEOPLE {
        let [_, user_id] = ids(&known[usize::from(person)]);
        pair.replica(1).ban(&user_id, false).await.unwrap();
        let tokens = pair.replica(0).tokens(&format!("p{person}")).await;
        pair.replica(1).refresh(&tokens.refresh_token).await.unwrap();
    }
    pair.finish().await;
}

/// Checks that both replicas reject exactly the ended sessions, once they know of them.
async fn assert_known_alike(pair: &Pair, known: &[IssueTokenResponse]) {
    let live = pair.query("SELECT id FROM sessions WHERE ended_at IS NULL").await;
    let live: HashSet<_> =
        live.iter().map(|row| row.try_get::<Uuid>("", "id").unwrap().to_string()).collect();
    for tokens in known {
        let [session_id, _] = ids(tokens);
        for replica in &*pair.replicas {
            if live.contains(&session_id) {
                replica.session(&tokens.access_token).await.unwrap();
            } else {
                replica.refuses_at_last(&tokens.access_token).await;
            }
        }
    }
}

/// Makes one random call on a session that some call opened.
async fn act(replica: &Replica, known: &Mutex<Vec<IssueTokenResponse>>) -> Result<(), Status> {
    let [action, which, person, name] = random(&OsEntropy);
    let tokens = {
        let known = known.lock().unwrap();
        // Recent sessions are more likely to be live.
        known[known.len() - 1 - usize::from(which) % known.len().min(16)].clone()
    };
    let [session_id, user_id] = ids(&tokens);
    let (mut auth, mut admin) = (replica.auth.clone(), replica.admin.clone());
    let sign_out = |everywhere, except_current| SignOutRequest {
        credential: Some(sign_out_request::Credential::RefreshToken(tokens.refresh_token.clone())),
        everywhere,
        except_current,
        ..Default::default()
    };
    match action % 16 {
        0..4 => {
            let answer = replica.sign_in(profile(&format!("p{}", person % PEOPLE))).await?.into_inner();
            if let Some(sign_in_response::Outcome::Allowed(allowed)) = answer.outcome {
                let issued = replica.issue(&allowed.grant.unwrap(), "").await?;
                known.lock().unwrap().push(issued);
            }
        }
        4..7 => drop(replica.refresh(&tokens.refresh_token).await?),
        7 => drop(replica.session(&tokens.access_token).await?),
        8 => drop(auth.sign_out(sign_out(false, false)).await?),
        9 => drop(auth.sign_out(sign_out(true, false)).await?),
        10 => drop(auth.sign_out(sign_out(true, true)).await?),
        11 => drop(admin.revoke_session(RevokeSessionRequest { session_id }).await?),
        12 => drop(admin.revoke_user_sessions(RevokeUserSessionsRequest { user_id }).await?),
        13 => drop(replica.ban(&user_id, true).await?),
        14 => drop(replica.ban(&user_id, false).await?),
        _ => {
            let user = User { id: user_id, name: Some(format!("name {name}")), ..Default::default() };
            drop(replica.update(user, "name").await?);
        }
    }
    Ok(())
}
