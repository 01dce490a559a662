//! Refreshes against the end of their session: in any order, no token is accepted after the end was acknowledged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use super::pair::Pair;
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::replica::{ENDS, End, Replica};
use crate::support::soak::soak;
use crate::support::{allowed, profile, reason};

/// The number of concurrent races.
const LANES: usize = 8;

crate::on_all!(
    nothing_is_accepted_once_the_end_of_its_session_was_acknowledged,
    no_grant_outlives_the_end_of_all_sessions,
);

async fn nothing_is_accepted_once_the_end_of_its_session_was_acknowledged(backend: Backend) {
    let pair = Pair::on(backend).await;
    let races = soak(50, 1_000);
    let lane = |lane| {
        let replicas = Arc::clone(&pair.replicas);
        async move {
            for number in (lane..races).step_by(LANES) {
                race(&replicas, number).await;
            }
        }
    };
    at_once(LANES, lane).await;
    pair.finish().await;
}

async fn no_grant_outlives_the_end_of_all_sessions(backend: Backend) {
    let pair = Pair::on(backend).await;
    let ends = [End::RevokeUserSessions, End::SignOutEverywhere, End::Ban];
    for number in 0..soak(15, 300) {
        let (end, who) = (ends[number % ends.len()], format!("p{number}"));
        let (here, there) = (pair.replica(number), pair.replica(number + 1));
        let first = here.tokens(&who).await;
        let grant = allowed(there.sign_in(profile(&who)).await).grant.unwrap();
        let (ended, redeemed) = tokio::join!(end.ask(&here, &first), there.issue(&grant, ""));
        ended.unwrap();
        match redeemed {
            Ok(issued) => {
                assert_eq!(reason(here.refresh(&issued.refresh_token).await), end.reason(), "{end:?}");
                assert_eq!(there.refuses_at_last(&issued.access_token).await, end.reason(), "{end:?}");
                assert_eq!(reason(here.issue(&grant, "").await), "GRANT_USED", "{end:?}");
            }
            refused => {
                assert_eq!(reason(refused), end.reason(), "{end:?}");
                assert_eq!(reason(here.issue(&grant, "").await), end.reason(), "{end:?}");
            }
        }
    }
    pair.finish().await;
}

/// The shared state of one race.
struct Told {
    refresh_token: Mutex<String>,
    access_tokens: Mutex<Vec<String>>,
    answers: Semaphore,
    acknowledged: AtomicBool,
}

async fn race(replicas: &Arc<[Replica; 2]>, number: usize) {
    let end = ENDS[number % ENDS.len()];
    let (here, there) = (&replicas[number % 2], &replicas[(number + 1) % 2]);
    let first = here.tokens(&format!("p{number}")).await;
    let told = Arc::new(Told {
        refresh_token: Mutex::new(first.refresh_token.clone()),
        access_tokens: Mutex::new(vec![first.access_token.clone()]),
        answers: Semaphore::new(0),
        acknowledged: AtomicBool::new(false),
    });
    // Either one client follows the chain of tokens, or four clients ask for the same answer.
    let clients: Vec<_> = if (number / 2).is_multiple_of(2) {
        vec![tokio::spawn(refresh_on(Arc::clone(replicas), Arc::clone(&told), end))]
    } else {
        let again = |client: usize| {
            let replica = replicas[client % 2].clone();
            tokio::spawn(refresh_again(replica, first.refresh_token.clone(), Arc::clone(&told), end))
        };
        (0..4).map(again).collect()
    };
    let begin = u32::try_from(number / 4 % 4).unwrap();
    told.answers.acquire_many(begin).await.unwrap().forget();
    end.ask(here, &first).await.unwrap();
    told.acknowledged.store(true, Ordering::SeqCst);

    let last = told.refresh_token.lock().unwrap().clone();
    for replica in [here, there] {
        assert_eq!(reason(replica.refresh(&last).await), end.reason(), "{end:?}");
    }
    for client in clients {
        client.await.unwrap();
    }
    let access_tokens = std::mem::take(&mut *told.access_tokens.lock().unwrap());
    for token in &access_tokens {
        assert_eq!(reason(here.session(token).await), end.reason(), "{end:?}");
    }
    for token in &access_tokens {
        assert_eq!(there.refuses_at_last(token).await, end.reason(), "{end:?}");
    }
    let last = told.refresh_token.lock().unwrap().clone();
    for replica in [here, there] {
        assert_eq!(reason(replica.refresh(&last).await), end.reason(), "{end:?}");
    }
}

/// Refreshes on both replicas in turn, each time with the latest token, until it is rejected.
async fn refresh_on(replicas: Arc<[Replica; 2]>, told: Arc<Told>, end: End) {
    for turn in 0.. {
        let token = told.refresh_token.lock().unwrap().clone();
        if !refresh(&replicas[turn % 2], &token, &told, end).await {
            return;
        }
    }
}

/// Refreshes with the same token until it is rejected.
async fn refresh_again(replica: Replica, token: String, told: Arc<Told>, end: End) {
    while refresh(&replica, &token, &told, end).await {}
}

async fn refresh(replica: &Replica, token: &str, told: &Told, end: End) -> bool {
    let late = told.acknowledged.load(Ordering::SeqCst);
    match replica.refresh(token).await {
        Ok(answer) => {
            assert!(!late, "{end:?}: refreshed after the end was acknowledged");
            *told.refresh_token.lock().unwrap() = answer.refresh_token;
            told.access_tokens.lock().unwrap().push(answer.access_token);
            told.answers.add_permits(1);
            true
        }
        refused => {
            assert_eq!(reason(refused), end.reason(), "{end:?}");
            false
        }
    }
}
