//! Signing keys: sealed records that replicas agree on by their generation.

use gatepass::model::{KeyRecord, Timestamp};
use gatepass::storage::{Database, KeyStore as _};

use super::at_once;
use super::sample::{MINUTE, NOW};

fn key(kid: &str, algorithm: &str, generation: i64, created_at: Timestamp) -> KeyRecord {
    KeyRecord {
        kid: kid.to_owned(),
        algorithm: algorithm.to_owned(),
        generation,
        not_before: created_at.plus(MINUTE),
        created_at,
        sealed: Some(kid.as_bytes().to_vec()),
    }
}

async fn kids(db: &Database) -> Vec<String> {
    db.signing_keys().await.unwrap().into_iter().map(|key| key.kid).collect()
}

pub(super) async fn a_key_reads_back(db: &Database) {
    assert!(kids(db).await.is_empty());
    let mut written = key(&"k".repeat(64), "ES256", i64::MAX, Timestamp(i64::MAX - 60_000));
    written.sealed = Some((0..=255).cycle().take(8192).collect());
    assert!(db.add_signing_key(written.clone()).await.unwrap());
    let read = db.signing_keys().await.unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", [written]));
}

pub(super) async fn keys_are_told_oldest_first(db: &Database) {
    for (kid, generation, minutes) in [("young", 3, 2), ("old", 1, 0), ("middle", 2, 1)] {
        assert!(db.add_signing_key(key(kid, "ES256", generation, NOW.plus(minutes * MINUTE))).await.unwrap());
    }
    assert_eq!(kids(db).await, ["old", "middle", "young"]);
}

pub(super) async fn of_many_keys_of_one_generation_one_is_kept(db: &Database) {
    let added = at_once(20, |number| {
        let db = db.clone();
        async move { db.add_signing_key(key(&format!("k{number}"), "ES256", 1, NOW)).await.unwrap() }
    })
    .await;
    let winner = added.iter().position(|won| *won).unwrap();
    assert_eq!(added.iter().filter(|won| **won).count(), 1);
    assert_eq!(kids(db).await, [format!("k{winner}")]);
}

pub(super) async fn a_generation_is_unique_for_its_algorithm_only(db: &Database) {
    assert!(db.add_signing_key(key("a", "ES256", 1, NOW)).await.unwrap());
    assert!(db.add_signing_key(key("b", "EdDSA", 1, NOW)).await.unwrap());
    assert!(db.add_signing_key(key("c", "ES256", 2, NOW)).await.unwrap());
    assert!(!db.add_signing_key(key("d", "EdDSA", 1, NOW)).await.unwrap());
    assert_eq!(kids(db).await.len(), 3);
}

pub(super) async fn a_key_id_is_unique(db: &Database) {
    assert!(db.add_signing_key(key("a", "ES256", 1, NOW)).await.unwrap());
    assert!(!db.add_signing_key(key("a", "ES256", 2, NOW)).await.unwrap());
    let kept = db.signing_keys().await.unwrap();
    assert_eq!(kept.iter().map(|key| key.generation).collect::<Vec<_>>(), [1]);
}
