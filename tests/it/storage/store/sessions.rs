//! Sessions: a sign-in is written completely or not at all, a grant and a rotation have one winner, and an end is
//! final.

use std::time::Duration;

use gatepass::model::{
    AccountKey, ClaimMap, EndReason, Predecessor, Revocation, Session, SessionId, Timestamp, User,
};
use gatepass::storage::{
    AccountWrite, AuthLogStore as _, Database, Opened, SessionStore as _, UserStore as _, commands,
};

use super::at_once;
use super::sample::{
    HOUR, MINUTE, NOW, Signed, account, done, ending, ending_all, fresh_hash, hash, log, mark, redeemed,
    redemption, rotation, session, sign_in, sign_up, signed_up, told, user,
};

/// Asserts that this sign-up left no rows.
async fn left_nothing(db: &Database, opening: &commands::OpenSession, user: &User) {
    assert_eq!(db.find_user(user.id).await.unwrap(), None);
    assert_eq!(db.find_session(opening.session.id).await.unwrap(), None);
    if let Some(AccountWrite::Create(account)) = &opening.account {
        let owner = db.find_user_by_account(AccountKey::from(account)).await.unwrap();
        assert!(owner.is_none_or(|(owner, _)| owner.id != user.id));
    }
    // The log row of the sign-up would have this id.
    db.append(opening.log[0].clone()).await.expect("no row of that sign-in");
}

fn conflict(opened: &Opened) -> bool {
    matches!(opened, Opened::Conflict)
}

fn known(opened: &Opened) -> bool {
    matches!(opened, Opened::RequestKnown)
}

fn new_person(name: &str) -> (User, commands::OpenSession) {
    let user = user(name);
    let account = account(&user, "github", name);
    let session = session(&user, &account);
    let opening = sign_up(&user, &account, &session);
    (user, opening)
}

pub(super) async fn a_sign_up_writes_everything(db: &Database) {
    let (user, opening) = new_person("ada");
    assert_eq!(done(db.open_session(opening.clone()).await.unwrap()), []);
    let Some(AccountWrite::Create(account)) = opening.account.clone() else { unreachable!() };
    let found = db.find_user_by_account(AccountKey::from(&account)).await.unwrap();
    assert_eq!(found, Some((user.clone(), account)));
    assert_eq!(db.find_session(opening.session.id).await.unwrap(), Some((opening.session.clone(), user)));
    db.append(opening.log[0].clone()).await.expect_err("its row is in the log");
}

pub(super) async fn a_session_reads_back_as_it_was_written(db: &Database) {
    let (user, mut opening) = new_person("ada");
    opening.session.epoch = 3;
    opening.session.group = "wéb".into();
    opening.session.authenticated_at = Timestamp::from_seconds(1);
    opening.session.pending = Some((0..=255).collect());
    opening.session.grant.request = Some(mark("a request"));
    done(db.open_session(opening.clone()).await.unwrap());
    assert_eq!(db.find_session(opening.session.id).await.unwrap(), Some((opening.session, user)));
}

pub(super) async fn a_session_of_the_largest_values_reads_back(db: &Database) {
    let (_, mut opening) = new_person("ada");
    opening.session.pending = Some(vec![0xff; 32 * 1024]);
    opening.session.group = "g".repeat(64);
    opening.ip_address = Some("a".repeat(64));
    done(db.open_session(opening.clone()).await.unwrap());
    let claims: ClaimMap = (0..64).map(|n| (format!("claim-{n}"), "é".repeat(60).into())).collect();
    let audiences: Vec<String> = (0..16).map(|n| format!("{n}{}", "\"\\".repeat(100))).collect();
    let step = commands::RedeemGrant {
        claims: claims.clone(),
        audiences: audiences.clone(),
        expires_at: Timestamp(i64::MAX),
        ..redemption(&opening.session)
    };
    assert!(db.redeem_grant(step).await.unwrap());
    let (read, _) = db.find_session(opening.session.id).await.unwrap().unwrap();
    assert_eq!((read.claims, read.audiences, read.expires_at), (claims, audiences, Timestamp(i64::MAX)));
}

pub(super) async fn a_conflict_on_the_account_leaves_nothing(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let (eve, mut opening) = new_person("eve");
    opening.account = Some(AccountWrite::Create(account(&eve, "github", "ada")));
    assert!(conflict(&db.open_session(opening.clone()).await.unwrap()));
    left_nothing(db, &opening, &eve).await;
    let owner = db.find_user_by_account(AccountKey::from(&ada.account)).await.unwrap();
    assert_eq!(owner, Some((ada.user, ada.account)));
}

pub(super) async fn a_conflict_on_the_email_leaves_nothing(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let mut eve = user("eve");
    eve.email = ada.user.email;
    let account = account(&eve, "github", "eve");
    let opening = sign_up(&eve, &account, &session(&eve, &account));
    assert!(conflict(&db.open_session(opening.clone()).await.unwrap()));
    left_nothing(db, &opening, &eve).await;
}

pub(super) async fn a_conflict_on_the_grant_leaves_nothing(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let (eve, mut opening) = new_person("eve");
    opening.session.grant.hash = ada.session.grant.hash;
    assert!(conflict(&db.open_session(opening.clone()).await.unwrap()));
    left_nothing(db, &opening, &eve).await;
}

pub(super) async fn a_failing_log_row_leaves_nothing(db: &Database) {
    let (eve, mut opening) = new_person("eve");
    let taken = log(gatepass::model::AuthLogAction::SignIn);
    db.append(taken.clone()).await.unwrap();
    opening.log[0].id = taken.id;
    assert!(!matches!(db.open_session(opening.clone()).await, Ok(Opened::Done(_))));
    assert_eq!(db.find_user(eve.id).await.unwrap(), None);
    assert_eq!(db.find_session(opening.session.id).await.unwrap(), None);
}

pub(super) async fn a_stale_version_leaves_nothing(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let mut renamed = ada.user.clone();
    renamed.name = Some("Ada".to_owned());
    renamed.version += 1;
    for stale in [ada.user.version - 1, ada.user.version + 1] {
        let opening = sign_in(&renamed, stale, &session(&ada.user, &ada.account));
        assert!(conflict(&db.open_session(opening.clone()).await.unwrap()));
        assert_eq!(db.find_session(opening.session.id).await.unwrap(), None);
        assert_eq!(db.find_user(ada.user.id).await.unwrap(), Some(ada.user.clone()));
        db.append(opening.log[0].clone()).await.expect("no row of that sign-in");
    }
}

pub(super) async fn a_known_request_leaves_nothing(db: &Database) {
    let (_, mut first) = new_person("ada");
    first.session.grant.request = Some(mark("a request"));
    done(db.open_session(first).await.unwrap());
    let (eve, mut opening) = new_person("eve");
    opening.session.grant.request = Some(mark("a request"));
    assert!(known(&db.open_session(opening.clone()).await.unwrap()));
    left_nothing(db, &opening, &eve).await;
}

pub(super) async fn a_known_user_gets_another_session(db: &Database) {
    let first = redeemed(db, "ada").await;
    let second = first.again(db).await;
    assert_eq!(second.user.id, first.user.id);
    assert_ne!(second.session.id, first.session.id);
    assert!(first.now(db).await.ended.is_none());
    assert!(db.redeem_grant(redemption(&second.session)).await.unwrap());
}

pub(super) async fn a_changed_profile_goes_to_the_feed_and_a_mere_sign_in_does_not(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let mut user = User { last_sign_in_at: Some(NOW.plus(HOUR)), ..ada.user.clone() };
    let same = sign_in(&user, user.version, &session(&user, &ada.account));
    assert_eq!(done(db.open_session(same).await.unwrap()), []);
    user.name = Some("Ada Lovelace".to_owned());
    user.version += 1;
    let changed = sign_in(&user, ada.user.version, &session(&user, &ada.account));
    let entries = done(db.open_session(changed).await.unwrap());
    let told: Vec<_> = entries.iter().map(|entry| entry.revocation).collect();
    assert_eq!(told, [Revocation::UserChanged { id: user.id }]);
    assert_eq!(db.find_user(user.id).await.unwrap(), Some(user));
}

pub(super) async fn of_many_sign_ups_of_one_account_one_is_written(db: &Database) {
    let people = at_once(30, |number| {
        let db = db.clone();
        async move {
            let mut user = user(&format!("person-{number}"));
            user.email = None;
            user.email_verified = false;
            let account = account(&user, "github", "the same");
            let opening = sign_up(&user, &account, &session(&user, &account));
            (db.open_session(opening.clone()).await.unwrap(), opening, user)
        }
    })
    .await;
    one_was_written(db, people).await;
}

pub(super) async fn of_many_sign_ups_with_one_email_one_is_written(db: &Database) {
    let people = at_once(30, |number| {
        let db = db.clone();
        async move {
            let user = user("the-same");
            let account = account(&user, "github", &number.to_string());
            let opening = sign_up(&user, &account, &session(&user, &account));
            (db.open_session(opening.clone()).await.unwrap(), opening, user)
        }
    })
    .await;
    one_was_written(db, people).await;
}

async fn one_was_written(db: &Database, people: Vec<(Opened, commands::OpenSession, User)>) {
    let (winners, losers): (Vec<_>, Vec<_>) =
        people.into_iter().partition(|(opened, ..)| matches!(opened, Opened::Done(_)));
    assert_eq!(winners.len(), 1);
    assert!(db.find_user(winners[0].2.id).await.unwrap().is_some());
    for (opened, opening, user) in &losers {
        assert!(conflict(opened));
        left_nothing(db, opening, user).await;
    }
}

pub(super) async fn of_many_sign_ins_of_one_request_one_is_written(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let opened = at_once(30, |_| {
        let (db, mut session) = (db.clone(), session(&ada.user, &ada.account));
        session.grant.request = Some(mark("the same"));
        let opening = sign_in(&ada.user, ada.user.version, &session);
        async move { (db.open_session(opening).await.unwrap(), session.id) }
    })
    .await;
    let winners: Vec<_> = opened.iter().filter(|(opened, _)| matches!(opened, Opened::Done(_))).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(opened.iter().filter(|(opened, _)| known(opened)).count(), 29);
    let (found, _) = db.find_session_by_request(hash("the same")).await.unwrap().unwrap();
    assert_eq!(found.id, winners[0].1);
}

pub(super) async fn a_sign_in_that_was_dropped_half_way_leaves_all_or_nothing(db: &Database) {
    for polls in 0..40 {
        let (user, opening) = new_person(&format!("person-{polls}"));
        let mut writing = Box::pin(db.open_session(opening.clone()));
        for _ in 0..polls {
            if futures_util::poll!(&mut writing).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(writing);
        // The next step finds the writer free.
        signed_up(db, &format!("next-{polls}")).await;
        // A step that has begun runs to its end, even if its caller is dropped; its rows are then complete.
        let begun = polls > 0;
        let ended = async {
            while db.find_user(user.id).await.unwrap().is_some() != begun {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), ended).await.expect("it ran to its end");
        assert_eq!(db.find_session(opening.session.id).await.unwrap().is_some(), begun);
        assert_eq!(db.append(opening.log[0].clone()).await.is_err(), begun, "its row in the log");
    }
}

pub(super) async fn a_session_is_found_by_id_grant_and_request(db: &Database) {
    let (user, mut opening) = new_person("ada");
    opening.session.grant.request = Some(mark("a request"));
    done(db.open_session(opening.clone()).await.unwrap());
    signed_up(db, "eve").await;
    let wanted = Some((opening.session.clone(), user));
    assert_eq!(db.find_session(opening.session.id).await.unwrap(), wanted);
    assert_eq!(db.find_session_by_grant(opening.session.grant.hash).await.unwrap(), wanted);
    assert_eq!(db.find_session_by_request(hash("a request")).await.unwrap(), wanted);
    assert_eq!(db.find_session(super::sample::session_id()).await.unwrap(), None);
    assert_eq!(db.find_session_by_grant(fresh_hash()).await.unwrap(), None);
    assert_eq!(db.find_session_by_request(fresh_hash()).await.unwrap(), None);
}

pub(super) async fn a_redemption_reads_back(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let claims: ClaimMap =
        [("tenant".to_owned(), "é\u{0}\"".into()), ("none".to_owned(), ().into())].into_iter().collect();
    let step = commands::RedeemGrant {
        at: NOW.plus(MINUTE / 2),
        request: Some(mark("a redemption")),
        audiences: vec!["b".to_owned(), "a".to_owned()],
        claims: claims.clone(),
        ..redemption(&ada.session)
    };
    assert!(db.redeem_grant(step.clone()).await.unwrap());
    let mut wanted = ada.session.clone();
    wanted.grant.redeemed_at = Some(step.at);
    wanted.grant.redemption = step.request;
    wanted.refresh = Some(step.refresh);
    wanted.expires_at = step.expires_at;
    wanted.granted_audiences = Some(step.audiences.clone());
    wanted.audiences = step.audiences;
    wanted.claims = claims;
    wanted.claims_role = Some(step.claims_role);
    wanted.pending = None;
    wanted.version = ada.session.version + 1;
    assert_eq!(ada.now(db).await, wanted);
    db.append(step.log.unwrap()).await.expect_err("its row is in the log");
}

pub(super) async fn a_redeemed_grant_is_not_redeemed_again(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let before = ada.now(db).await;
    let again = redemption(&ada.session);
    assert!(!db.redeem_grant(again.clone()).await.unwrap());
    assert_eq!(ada.now(db).await, before);
    db.append(again.log.unwrap()).await.expect("no row of that redemption");
}

pub(super) async fn a_grant_has_one_winner(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let tries = at_once(50, |_| {
        let (db, step) = (db.clone(), redemption(&ada.session));
        async move { (db.redeem_grant(step.clone()).await.unwrap(), step) }
    })
    .await;
    let winners: Vec<_> = tries.iter().filter(|(won, _)| *won).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(ada.now(db).await.refresh, Some(winners[0].1.refresh.clone()));
    for (won, step) in tries {
        assert_eq!(db.append(step.log.unwrap()).await.is_err(), won, "the winner's row, and no other");
    }
}

pub(super) async fn a_grant_is_dead_at_the_moment_it_expires(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let at = |at| commands::RedeemGrant { at, ..redemption(&ada.session) };
    let expiry = ada.session.grant.expires_at;
    assert!(!db.redeem_grant(at(expiry)).await.unwrap());
    assert!(!db.redeem_grant(at(expiry.plus(HOUR))).await.unwrap());
    assert!(db.redeem_grant(at(Timestamp(expiry.millis() - 1))).await.unwrap());
}

pub(super) async fn a_grant_of_an_ended_session_is_dead(db: &Database) {
    let ada = signed_up(db, "ada").await;
    db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    assert!(!db.redeem_grant(redemption(&ada.session)).await.unwrap());
    let row = ada.now(db).await;
    assert_eq!((row.refresh, row.pending, row.grant.redeemed_at), (None, None, None));
}

pub(super) async fn a_grant_of_nothing_is_dead(db: &Database) {
    let (_, opening) = new_person("ada");
    assert!(!db.redeem_grant(redemption(&opening.session)).await.unwrap());
}

/// Builds a predecessor before the direct one.
fn older(number: u8) -> Predecessor {
    Predecessor {
        hash: fresh_hash(),
        salt: [number; 32],
        replaced_at: NOW.minus(Duration::from_secs(number.into())),
    }
}

pub(super) async fn a_rotation_reads_back(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let before = ada.now(db).await;
    let mut step = rotation(&before);
    step.ip_address = Some("198.51.100.1".to_owned());
    let advance = step.advance.as_mut().unwrap();
    advance.claims_role = "é".repeat(64);
    advance.claims = [("tenant".to_owned(), 7.into())].into_iter().collect();
    advance.audiences = vec!["other".to_owned()];
    advance.granted_audiences = Some(vec!["gatepass".to_owned(), "other".to_owned()]);
    advance.refresh.older = (0..7_u8).map(older).collect();
    advance.refresh.gap_at = Some(NOW.minus(MINUTE));
    let advance = advance.clone();
    assert!(db.rotate_refresh_token(step.clone()).await.unwrap());
    let wanted = Session {
        refresh: Some(advance.refresh),
        expires_at: advance.expires_at,
        audiences: advance.audiences,
        granted_audiences: advance.granted_audiences,
        claims: advance.claims,
        claims_role: Some(advance.claims_role),
        version: before.version + 1,
        ..before
    };
    assert_eq!(ada.now(db).await, wanted);
    db.append(step.log.unwrap()).await.expect_err("its row is in the log");
}

/// Asserts that a step is rejected and changes nothing.
async fn refused(db: &Database, ada: &Signed, step: commands::RotateRefreshToken) {
    let before = ada.now(db).await;
    assert!(!db.rotate_refresh_token(step.clone()).await.unwrap());
    assert_eq!(ada.now(db).await, before);
    db.append(step.log.unwrap()).await.expect("no row of that rotation");
}

pub(super) async fn a_rotation_from_another_hash_is_refused(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let first = ada.now(db).await;
    refused(db, &ada, commands::RotateRefreshToken { expected_hash: fresh_hash(), ..rotation(&first) }).await;
    assert!(db.rotate_refresh_token(rotation(&first)).await.unwrap());
    refused(db, &ada, rotation(&first)).await;
    let replay = commands::RotateRefreshToken { advance: None, ..rotation(&first) };
    refused(db, &ada, replay).await;
    let pending = signed_up(db, "eve").await;
    let step = commands::RotateRefreshToken { session_id: pending.session.id, ..rotation(&first) };
    refused(db, &pending, step).await;
}

pub(super) async fn a_rotation_from_another_version_is_refused(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let row = ada.now(db).await;
    for version in [row.version - 1, row.version + 1] {
        let mut step = rotation(&row);
        step.advance.as_mut().unwrap().expected_version = version;
        refused(db, &ada, step).await;
    }
}

pub(super) async fn a_rotation_of_an_ended_session_is_refused(db: &Database) {
    let ada = redeemed(db, "ada").await;
    db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    let row = ada.now(db).await;
    refused(db, &ada, rotation(&row)).await;
    refused(db, &ada, commands::RotateRefreshToken { advance: None, ..rotation(&row) }).await;
}

pub(super) async fn a_rotation_of_a_session_that_ran_out_is_refused(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let row = ada.now(db).await;
    refused(db, &ada, commands::RotateRefreshToken { at: row.expires_at, ..rotation(&row) }).await;
    refused(db, &ada, commands::RotateRefreshToken { at: row.expires_at, advance: None, ..rotation(&row) })
        .await;
    let last = commands::RotateRefreshToken { at: Timestamp(row.expires_at.millis() - 1), ..rotation(&row) };
    assert!(db.rotate_refresh_token(last).await.unwrap());
}

pub(super) async fn a_refused_rotation_logs_nothing(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let first = ada.now(db).await;
    let steps: Vec<_> = (0..3).map(|_| rotation(&first)).collect();
    let mut logged = Vec::new();
    for step in &steps {
        db.rotate_refresh_token(step.clone()).await.unwrap();
        logged.push(db.append(step.log.clone().unwrap()).await.is_err());
    }
    assert_eq!(logged, [true, false, false]);
}

pub(super) async fn a_replay_moves_nothing_on_and_counts(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let row = ada.now(db).await;
    let steps = at_once(20, |_| {
        let (db, step) = (db.clone(), commands::RotateRefreshToken { advance: None, ..rotation(&row) });
        async move { (db.rotate_refresh_token(step.clone()).await.unwrap(), step) }
    })
    .await;
    assert!(steps.iter().all(|(moved, _)| *moved), "replays do not race each other");
    assert_eq!(ada.now(db).await, row);
    for (_, step) in steps {
        db.append(step.log.unwrap()).await.expect_err("its row is in the log");
    }
}

pub(super) async fn a_rotation_has_one_winner(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let row = ada.now(db).await;
    let tries = at_once(100, |_| {
        let (db, step) = (db.clone(), rotation(&row));
        async move { (db.rotate_refresh_token(step.clone()).await.unwrap(), step) }
    })
    .await;
    let winners: Vec<_> = tries.iter().filter(|(won, _)| *won).collect();
    assert_eq!(winners.len(), 1);
    let next = ada.now(db).await;
    assert_eq!(next.refresh, winners[0].1.advance.as_ref().map(|advance| advance.refresh.clone()));
    assert_eq!(next.version, row.version + 1);
}

pub(super) async fn a_rotation_and_an_end_leave_an_ended_session(db: &Database) {
    for number in 0..10 {
        let ada = redeemed(db, &format!("person-{number}")).await;
        let row = ada.now(db).await;
        let (rotating, ending) = tokio::join!(
            tokio::spawn({
                let (db, step) = (db.clone(), rotation(&row));
                async move { db.rotate_refresh_token(step).await.unwrap() }
            }),
            tokio::spawn({
                let (db, step) = (db.clone(), ending(row.id));
                async move { db.end_session(step).await.unwrap() }
            }),
        );
        assert!(ending.unwrap().is_some());
        let now = ada.now(db).await;
        assert_eq!(now.ended, Some((NOW, EndReason::SignedOut)));
        assert_eq!(now.refresh != row.refresh, rotating.unwrap());
        assert!(!db.rotate_refresh_token(rotation(&now)).await.unwrap());
    }
}

pub(super) async fn a_session_is_ended_once(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let first = ending(ada.session.id);
    let revoked = db.end_session(first.clone()).await.unwrap().unwrap();
    let id = ada.session.id;
    assert_eq!(told(&revoked), (1, vec![Revocation::Session { id, reason: EndReason::SignedOut }]));
    db.append(first.log.unwrap()).await.expect_err("its row is in the log");
    let second = gatepass::storage::commands::EndSession {
        reason: EndReason::Reused,
        at: NOW.plus(HOUR),
        ..ending(id)
    };
    assert!(db.end_session(second.clone()).await.unwrap().is_none());
    db.append(second.log.unwrap()).await.expect("no row of that end");
    assert_eq!(ada.now(db).await.ended, Some((NOW, EndReason::SignedOut)));
    assert!(db.end_session(ending(super::sample::session_id())).await.unwrap().is_none());
}

pub(super) async fn of_many_ends_one_ends_it(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let ends = at_once(30, |_| {
        let (db, step) = (db.clone(), ending(ada.session.id));
        async move { db.end_session(step).await.unwrap() }
    })
    .await;
    let ended: Vec<_> = ends.iter().flatten().map(|revoked| revoked.sessions_ended).collect();
    assert_eq!(ended, [1]);
}

pub(super) async fn an_end_before_the_redemption_ends_no_live_session(db: &Database) {
    let ada = signed_up(db, "ada").await;
    let revoked = db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    assert_eq!((revoked.sessions_ended, revoked.entries.len()), (0, 1));
    let row = ada.now(db).await;
    assert_eq!((row.pending, row.ended.is_some()), (None, true));
}

pub(super) async fn an_end_of_a_session_that_ran_out_ends_no_live_session(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let at = ada.now(db).await.expires_at;
    let late = gatepass::storage::commands::EndSession { at, ..ending(ada.session.id) };
    assert_eq!(db.end_session(late).await.unwrap().unwrap().sessions_ended, 0);
}

pub(super) async fn all_sessions_end_and_the_epoch_rises(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let (pending, ended) = (ada.again(db).await, ada.again(db).await);
    db.end_session(ending(ended.session.id)).await.unwrap().unwrap();
    let (version, step) = (ada.user_now(db).await.version, ending_all(ada.user.id));
    let revoked = db.end_user_sessions(step.clone()).await.unwrap();
    let all = Revocation::User { id: ada.user.id, min_epoch: 1, reason: EndReason::Revoked };
    assert_eq!(told(&revoked), (1, vec![all]));
    let user = ada.user_now(db).await;
    assert_eq!((user.epoch, user.version > version), (1, true));
    for it in [&ada, &pending] {
        assert_eq!(it.now(db).await.ended, Some((NOW, EndReason::Revoked)));
    }
    assert_eq!(ended.now(db).await.ended, Some((NOW, EndReason::SignedOut)), "it had ended before");
    db.append(step.log.unwrap()).await.expect_err("its row is in the log");
    assert_eq!(db.end_user_sessions(ending_all(ada.user.id)).await.unwrap().sessions_ended, 0);
}

pub(super) async fn all_sessions_of_others_go_on(db: &Database) {
    let (ada, eve) = (redeemed(db, "ada").await, redeemed(db, "eve").await);
    db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    assert_eq!(eve.now(db).await.ended, None);
    assert_eq!(eve.user_now(db).await, eve.user);
}

pub(super) async fn all_but_one_end_by_name_and_the_epoch_stays(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let (live, pending) = (ada.again(db).await, ada.again(db).await);
    assert!(db.redeem_grant(redemption(&live.session)).await.unwrap());
    let step = commands::EndUserSessions { except: Some(ada.session.id), ..ending_all(ada.user.id) };
    let revoked = db.end_user_sessions(step).await.unwrap();
    let (ended, mut told_of) = told(&revoked);
    let named = |it: &Signed| Revocation::Session { id: it.session.id, reason: EndReason::Revoked };
    let mut wanted = vec![named(&live), named(&pending)];
    let place = |revocation: &Revocation| match revocation {
        Revocation::Session { id, .. } => *id,
        other => panic!("{other:?}"),
    };
    told_of.sort_by_key(place);
    wanted.sort_by_key(place);
    assert_eq!((ended, told_of), (1, wanted));
    assert_eq!(ada.user_now(db).await.epoch, 0);
    assert_eq!(ada.now(db).await.ended, None);
    for it in [&live, &pending] {
        assert_eq!(it.now(db).await.ended, Some((NOW, EndReason::Revoked)));
    }
}

pub(super) async fn all_end_only_while_the_one_that_asks_is_live(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let (pending, over) = (ada.again(db).await, ada.again(db).await);
    db.end_session(ending(over.session.id)).await.unwrap().unwrap();
    let version = ada.user_now(db).await.version;
    let by = |id: SessionId| commands::EndUserSessions {
        only_if_live: Some((id, NOW)),
        ..ending_all(ada.user.id)
    };
    let expires_at = ada.now(db).await.expires_at;
    let expired =
        commands::EndUserSessions { only_if_live: Some((ada.session.id, expires_at)), ..by(ada.session.id) };
    let steps = [by(pending.session.id), by(over.session.id), by(super::sample::session_id()), expired];
    for step in steps {
        let revoked = db.end_user_sessions(step.clone()).await.unwrap();
        assert_eq!(told(&revoked), (0, vec![]));
        db.append(step.log.unwrap()).await.expect("no row of that end");
    }
    let user = ada.user_now(db).await;
    assert_eq!((user.epoch, user.version), (0, version));
    assert_eq!((ada.now(db).await.ended, pending.now(db).await.ended), (None, None));
    assert_eq!(db.end_user_sessions(by(ada.session.id)).await.unwrap().sessions_ended, 1);
}

pub(super) async fn the_epoch_rises_without_any_session(db: &Database) {
    let ada = signed_up(db, "ada").await;
    db.end_session(ending(ada.session.id)).await.unwrap().unwrap();
    let revoked = db.end_user_sessions(ending_all(ada.user.id)).await.unwrap();
    assert_eq!((revoked.sessions_ended, revoked.entries.len()), (0, 1));
    assert_eq!(ada.user_now(db).await.epoch, 1);
}

pub(super) async fn an_unknown_user_has_no_sessions_to_end(db: &Database) {
    let step = ending_all(user("nobody").id);
    let revoked = db.end_user_sessions(step.clone()).await.unwrap();
    assert_eq!(told(&revoked), (0, vec![]));
    db.append(step.log.unwrap()).await.expect("no row of that end");
}

pub(super) async fn of_many_ends_of_all_every_one_raises_the_epoch(db: &Database) {
    let ada = redeemed(db, "ada").await;
    let ends = at_once(20, |_| {
        let (db, step) = (db.clone(), ending_all(ada.user.id));
        async move { db.end_user_sessions(step).await.unwrap() }
    })
    .await;
    assert_eq!(ends.iter().map(|revoked| revoked.sessions_ended).sum::<u64>(), 1);
    let mut epochs: Vec<_> = ends
        .iter()
        .flat_map(|revoked| &revoked.entries)
        .map(|entry| match entry.revocation {
            Revocation::User { min_epoch, .. } => min_epoch,
            other => panic!("{other:?}"),
        })
        .collect();
    epochs.sort_unstable();
    assert_eq!(epochs, (1..=20).collect::<Vec<_>>());
    assert_eq!(ada.user_now(db).await.epoch, 20);
}
