//! Signing keys: sealed records that replicas agree on by their generation.

use gatepass::model::{AuthLogAction, FeedEntry, KeyRecord, Revocation, Timestamp};
use gatepass::storage::{Database, KeyStep, KeyStore as _, RevocationFeed as _, commands};

use super::at_once;
use super::sample::{HOUR, MINUTE, NOW, log};

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

/// Stores keys of these generations, which began a minute apart.
async fn kept(db: &Database, generations: std::ops::RangeInclusive<u32>) -> Vec<KeyRecord> {
    let mut keys = Vec::new();
    for generation in generations {
        let record =
            key(&format!("k{generation}"), "ES256", generation.into(), NOW.plus(generation * MINUTE));
        assert!(db.add_signing_key(record.clone()).await.unwrap());
        keys.push(record);
    }
    keys
}

fn change(steps: Vec<KeyStep>) -> commands::ChangeSigningKeys {
    commands::ChangeSigningKeys {
        steps,
        remember_until: NOW.plus(HOUR),
        log: Some(log(AuthLogAction::KeyRotated)),
    }
}

fn sealed_as(record: &KeyRecord, sealed: &str) -> KeyRecord {
    KeyRecord { sealed: Some(sealed.as_bytes().to_vec()), ..record.clone() }
}

fn moved(record: &KeyRecord) -> KeyStep {
    let after = KeyRecord { not_before: NOW, ..sealed_as(record, "moved") };
    KeyStep::Move { before: record.clone(), after }
}

pub(super) async fn a_revoked_key_reads_back_without_its_halves(db: &Database) {
    let [record] = kept(db, 1..=1).await.try_into().unwrap();
    assert!(db.change_signing_keys(change(vec![KeyStep::Revoke(record.clone())])).await.unwrap());
    assert_eq!(db.signing_keys().await.unwrap(), [KeyRecord { sealed: None, ..record }]);
}

pub(super) async fn a_change_is_written_with_its_row_and_its_place_in_the_feed(db: &Database) {
    let [first, second, third] = kept(db, 1..=3).await.try_into().unwrap();
    let added = key("k4", "EdDSA", 4, NOW.plus(HOUR));
    let row = log(AuthLogAction::KeyRotated);
    let steps = vec![
        KeyStep::Revoke(first.clone()),
        moved(&second),
        KeyStep::Withdraw(third),
        KeyStep::Add(added.clone()),
    ];
    let change = commands::ChangeSigningKeys { log: Some(row.clone()), ..change(steps) };
    assert!(db.change_signing_keys(change).await.unwrap());
    let revoked = KeyRecord { sealed: None, ..first };
    let moved = KeyRecord { not_before: NOW, ..sealed_as(&second, "moved") };
    assert_eq!(db.signing_keys().await.unwrap(), [revoked, moved, added]);
    let entry = FeedEntry { seq: 1, until: NOW.plus(HOUR), revocation: Revocation::KeysChanged };
    assert_eq!(db.revocations_after(0).await.unwrap(), [entry]);
    // The row exists, so a second row with its id is rejected.
    assert!(gatepass::storage::AuthLogStore::append(db, row).await.is_err());
}

pub(super) async fn a_change_of_a_key_that_changed_meanwhile_writes_nothing(db: &Database) {
    let [first, second] = kept(db, 1..=2).await.try_into().unwrap();
    let stale = sealed_as(&second, "before somebody sealed it anew");
    let taken = key("k3", "ES256", 2, NOW);
    let before = db.signing_keys().await.unwrap();
    for lost in [KeyStep::Revoke(stale.clone()), moved(&stale), KeyStep::Withdraw(stale), KeyStep::Add(taken)]
    {
        let row = log(AuthLogAction::KeyRotated);
        let steps = vec![KeyStep::Revoke(first.clone()), lost];
        let change = commands::ChangeSigningKeys { log: Some(row.clone()), ..change(steps) };
        assert!(!db.change_signing_keys(change).await.unwrap());
        assert_eq!(db.signing_keys().await.unwrap(), before);
        assert_eq!(db.revocations_after(0).await.unwrap(), []);
        gatepass::storage::AuthLogStore::append(db, row).await.unwrap();
    }
}

pub(super) async fn of_many_changes_of_the_same_keys_one_is_written(db: &Database) {
    let [first] = kept(db, 1..=1).await.try_into().unwrap();
    let changed = at_once(20, |number| {
        let (db, first) = (db.clone(), first.clone());
        async move {
            let next = KeyStep::Add(key(&format!("next{number}"), "ES256", 2, NOW));
            // Half of the replicas only rotate, where the generation alone decides.
            let steps = if number % 2 == 0 { vec![next] } else { vec![KeyStep::Revoke(first), next] };
            db.change_signing_keys(change(steps)).await.unwrap()
        }
    })
    .await;
    let winner = changed.iter().position(|won| *won).unwrap();
    assert_eq!(changed.iter().filter(|won| **won).count(), 1);
    let kept = db.signing_keys().await.unwrap();
    let next = kept.iter().find(|key| key.generation == 2).unwrap();
    assert_eq!((kept.len(), next.kid.as_str()), (2, format!("next{winner}").as_str()));
    let first = kept.iter().find(|key| key.generation == 1).unwrap();
    assert_eq!(first.sealed.is_none(), winner % 2 == 1);
    assert_eq!(db.revocations_after(0).await.unwrap().len(), 1);
}

pub(super) async fn a_key_is_sealed_anew_only_while_it_is_as_it_was_read(db: &Database) {
    let [record, other] = kept(db, 1..=2).await.try_into().unwrap();
    let after = sealed_as(&record, "under the first secret");
    assert!(db.reseal_signing_key(&record, &after).await.unwrap());
    assert!(!db.reseal_signing_key(&record, &sealed_as(&record, "too late")).await.unwrap());
    assert_eq!(db.signing_keys().await.unwrap(), [after, other]);
    assert_eq!(db.revocations_after(0).await.unwrap(), [], "the keys are the same");
}

pub(super) async fn a_revoked_key_never_comes_back_by_sealing_it_anew(db: &Database) {
    let [revoked, withdrawn] = kept(db, 1..=2).await.try_into().unwrap();
    let steps = vec![KeyStep::Revoke(revoked.clone()), KeyStep::Withdraw(withdrawn.clone())];
    assert!(db.change_signing_keys(change(steps)).await.unwrap());
    let gone = KeyRecord { sealed: None, ..revoked.clone() };
    for record in [&revoked, &withdrawn] {
        assert!(!db.reseal_signing_key(record, &sealed_as(record, "again")).await.unwrap());
        assert!(!db.change_signing_keys(change(vec![moved(record)])).await.unwrap());
        assert_eq!(db.signing_keys().await.unwrap(), std::slice::from_ref(&gone));
    }
}

pub(super) async fn keys_that_a_later_one_followed_are_swept_and_the_last_never(db: &Database) {
    assert_eq!(db.sweep_signing_keys(NOW).await.unwrap(), 0);
    let keys = kept(db, 1..=4).await;
    let revoked = KeyStep::Revoke(keys[1].clone());
    assert!(db.change_signing_keys(change(vec![revoked])).await.unwrap());
    let began = |generation: usize| keys[generation - 1].not_before;
    for (horizon, swept, left) in [
        (began(1), 0, &["k1", "k2", "k3", "k4"][..]),
        (Timestamp(began(3).millis() - 1), 1, &["k2", "k3", "k4"]),
        (began(3), 1, &["k3", "k4"]),
        (began(3), 0, &["k3", "k4"]),
        (Timestamp(i64::MAX), 1, &["k4"]),
        (Timestamp(i64::MAX), 0, &["k4"]),
    ] {
        assert_eq!(db.sweep_signing_keys(horizon).await.unwrap(), swept, "{horizon:?}");
        assert_eq!(kids(db).await, left);
    }
}
