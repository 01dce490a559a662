//! Parallel requests of one session with tokens of several ages: every one is answered, and the tokens never fork.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use gatepass::grpc::proto::v1::Rotation;
use gatepass::model::{OsEntropy, random};
use gatepass::tokens::{GenuineRefreshToken, Secrets};

use super::pair::{Pair, SECRET};
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::soak::soak;

const CLIENTS: usize = 16;
const TURNS: usize = 6;

crate::on_all!(tokens_of_all_ages_refreshed_at_once_never_fork);

async fn tokens_of_all_ages_refreshed_at_once_never_fork(backend: Backend) {
    let pair = Pair::on(backend).await;
    let secrets = Secrets::new(&[SECRET.into()]).unwrap();
    for number in 0..soak(4, 100) {
        let first = pair.replica(number).tokens(&format!("p{number}")).await.refresh_token;
        let known = Arc::new(Mutex::new(vec![first]));
        let rotated = at_once(CLIENTS, |client| {
            let (replicas, known) = ([pair.replica(0), pair.replica(1)], Arc::clone(&known));
            async move {
                let mut rotated = 0;
                for turn in 0..TURNS {
                    let token = {
                        let known = known.lock().unwrap();
                        known[usize::from(random::<1>(&OsEntropy)[0]) % known.len()].clone()
                    };
                    let answer = replicas[(client + turn) % 2].refresh(&token).await.unwrap();
                    rotated += usize::from(answer.rotation() == Rotation::Rotated);
                    known.lock().unwrap().push(answer.refresh_token);
                }
                rotated
            }
        })
        .await;
        let known = std::mem::take(&mut *known.lock().unwrap());
        let mut generations: BTreeMap<u64, BTreeSet<[u8; 32]>> = BTreeMap::new();
        for token in &known {
            let token = GenuineRefreshToken::verify(&secrets, token).unwrap();
            generations.entry(token.generation()).or_default().insert(token.hash());
        }
        let rotations = rotated.iter().sum::<usize>();
        assert!(rotations <= 8, "{rotations}");
        // Each rotation made one token, and no generation has two.
        assert_eq!(generations.len(), rotations + 1);
        assert!(generations.values().all(|tokens| tokens.len() == 1), "{generations:?}");
        let (generation, live) = generations.pop_last().unwrap();
        let rows = pair.query("SELECT refresh_hash, generation FROM sessions WHERE ended_at IS NULL").await;
        let of_row = |row: &sea_orm::QueryResult| {
            (
                row.try_get::<Option<Vec<u8>>>("", "refresh_hash").unwrap(),
                row.try_get::<i64>("", "generation").unwrap(),
            )
        };
        let wanted = (live.first().map(|hash| hash.to_vec()), i64::try_from(generation).unwrap());
        assert!(rows.iter().map(of_row).any(|row| row == wanted));
    }
    pair.finish().await;
}
