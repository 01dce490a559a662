//! Many concurrent refreshes of one token: one successor, returned to every call.

use std::collections::HashMap;

use gatepass::grpc::proto::v1::Rotation;
use gatepass::tokens::{GenuineRefreshToken, Secrets};
use uuid::Uuid;

use super::pair::{Pair, SECRET};
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::soak::soak;

const AT_ONCE: usize = 100;

crate::on_all!(a_token_refreshed_at_once_everywhere_has_one_successor);

async fn a_token_refreshed_at_once_everywhere_has_one_successor(backend: Backend) {
    let pair = Pair::on(backend).await;
    let secrets = Secrets::new(&[SECRET.into()]).unwrap();
    let mut successors = HashMap::new();
    for number in 0..soak(5, 200) {
        let first = pair.replica(number).tokens(&format!("p{number}")).await.refresh_token;
        let refresh = |call| {
            let (replica, token) = (pair.replica(call), first.clone());
            async move { replica.refresh(&token).await.unwrap() }
        };
        let answers = at_once(AT_ONCE, refresh).await;
        let successor = answers[0].refresh_token.clone();
        assert!(answers.iter().all(|answer| answer.refresh_token == successor), "two successors");
        let told = |rotation| answers.iter().filter(|answer| answer.rotation() == rotation).count();
        assert_eq!([told(Rotation::Rotated), told(Rotation::Replayed)], [1, AT_ONCE - 1]);
        let successor = GenuineRefreshToken::verify(&secrets, &successor).unwrap();
        successors.insert(successor.session_id().0, successor.hash().to_vec());
    }
    for row in pair.query("SELECT id, refresh_hash, generation, refresh_count FROM sessions").await {
        let live: Option<Vec<u8>> = row.try_get("", "refresh_hash").unwrap();
        assert_eq!(live, successors.remove(&row.try_get::<Uuid>("", "id").unwrap()));
        let counts: [i64; 2] = ["generation", "refresh_count"].map(|name| row.try_get("", name).unwrap());
        assert_eq!(counts, [1, i64::try_from(AT_ONCE).unwrap()]);
    }
    assert!(successors.is_empty(), "sessions are gone");
    pair.finish().await;
}
