//! Every step of the stores, in the order in which a person's calls use them, and the duration of each.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gatepass::model::{
    Account, AccountId, AccountKey, AuthLogAction, EmailKey, EndReason, ManualClock, OsEntropy, UsedMark,
    User, UserId,
};
use gatepass::storage::commands::RecordOutcome;
use gatepass::storage::{
    AuthLogStore as _, Database, DatabaseClock as _, FeedConnection, KeyStore as _, Linked,
    RevocationFeed as _, SessionStore as _, Sweep as _, Sweepable, UsedMarkStore as _, UserStore as _,
    commands,
};

use crate::storage::store::sample::{
    self, HOUR, NOW, account, done, ending, ending_all, log, mark, redemption, rotation, session, sign_in,
    sign_up, update, user,
};
use crate::support::databases::Backend;

/// The batch size of the service's own sweeper.
pub(super) const BATCH: u64 = 100;

/// The durations of each step.
pub(super) type Times = BTreeMap<&'static str, Vec<Duration>>;

/// A person with rows in the database.
pub(super) struct Person {
    user: UserId,
    account: AccountKey,
    email: EmailKey,
}

/// Creates people whose rows are spread among later rows.
pub(super) async fn sign_up_all(db: &Database, count: u32) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 0..count {
        let clock = ManualClock::at(NOW.minus(8 * HOUR * number));
        let user = User { id: UserId::mint(&clock, &OsEntropy), ..user(&format!("sampled-{number}")) };
        let account = Account {
            id: AccountId::mint(&clock, &OsEntropy),
            ..account(&user, "github", &format!("sampled-{number}"))
        };
        done(db.open_session(sign_up(&user, &account, &session(&user, &account))).await.unwrap());
        let email = EmailKey::from(user.email.as_ref().unwrap());
        people.push(Person { user: user.id, account: AccountKey::from(&account), email });
    }
    people
}

/// Runs every step for each person.
pub(super) async fn run(db: &Database, watch: &FeedConnection, people: &[Person]) -> Times {
    let (mut times, mut last) = (Times::new(), 0);
    while let Some(entry) = watch.revocations_after(last).await.unwrap().last() {
        last = entry.seq;
    }
    macro_rules! timed {
        ($name:literal, $step:expr) => {{
            let begin = Instant::now();
            let answer = $step.await.unwrap();
            times.entry($name).or_default().push(begin.elapsed());
            answer
        }};
    }
    for (number, person) in people.iter().enumerate() {
        // The steps of `SignIn` and `IssueToken`.
        let (user, account) =
            timed!("find_user_by_account", db.find_user_by_account(person.account)).unwrap();
        timed!("find_user_by_email", db.find_user_by_email(person.email)).unwrap();
        timed!("linked_providers", db.linked_providers(person.user));
        let request = mark(&format!("request {number} of {}", user.version));
        let mut opened = session(&user, &account);
        opened.grant.request = Some(request);
        done(timed!("open_session", db.open_session(sign_in(&user, user.version, &opened))));
        timed!("find_session_by_request", db.find_session_by_request(request.key)).unwrap();
        timed!("find_session_by_grant", db.find_session_by_grant(opened.grant.hash)).unwrap();
        assert!(timed!("redeem_grant", db.redeem_grant(redemption(&opened))));
        // The steps of `RefreshToken`: logged, not logged, and a replay.
        let (found, _) = timed!("find_session", db.find_session(opened.id)).unwrap();
        assert!(timed!(
            "rotate",
            db.rotate_refresh_token(commands::RotateRefreshToken { log: None, ..rotation(&found) })
        ));
        let (found, _) = db.find_session(opened.id).await.unwrap().unwrap();
        let address = Some("192.0.2.8".to_owned());
        let step = commands::RotateRefreshToken { ip_address: address, ..rotation(&found) };
        assert!(timed!("rotate and log", db.rotate_refresh_token(step)));
        let (found, _) = db.find_session(opened.id).await.unwrap().unwrap();
        let step = commands::RotateRefreshToken { advance: None, log: None, ..rotation(&found) };
        assert!(timed!("rotate nothing", db.rotate_refresh_token(step)));
        // The steps of a sign-in at a provider, and of an account that is linked twice.
        let flow = format!("flow {number} of {}", user.version);
        assert!(timed!("mark_used", db.mark_used(UsedMark::of_flow(flow.as_bytes(), NOW.plus(HOUR)))));
        let request = sample::recording(&format!("recorded {flow}"));
        let recorded = RecordOutcome { mark: request.mark.key, outcome: vec![1] };
        assert!(timed!("record_request", db.record_request(request.clone())));
        assert!(timed!("record_outcome", db.record_outcome(recorded)));
        assert!(timed!("find_request", db.find_request(request.mark.key)).is_some());
        let linking = commands::LinkAccount {
            account: sample::account(&user, "gitlab", &flow),
            again: false,
            session_id: opened.id,
            epoch: user.epoch,
            at: NOW,
            outcome: None,
            used: vec![UsedMark::of_flow(format!("link {flow}").as_bytes(), NOW.plus(HOUR))],
            log: None,
        };
        let again = commands::LinkAccount { again: true, ..linking.clone() };
        assert_eq!(timed!("link_account", db.link_account(linking)), Linked::Done);
        assert_eq!(timed!("link_account again", db.link_account(again)), Linked::Done);
        // The steps of `SignOut` for one session, for all but one and for all, and of an administrator's change.
        let other = session(&user, &account);
        done(db.open_session(sign_in(&user, user.version, &other)).await.unwrap());
        timed!("end_session", db.end_session(ending(other.id))).unwrap();
        let but_one = gatepass::storage::commands::EndUserSessions {
            except: Some(opened.id),
            only_if_live: Some((opened.id, NOW)),
            ..ending_all(person.user)
        };
        timed!("end_user_sessions, but one", db.end_user_sessions(but_one));
        timed!("end_user_sessions", db.end_user_sessions(ending_all(person.user)));
        let before = timed!("find_user", db.find_user(person.user)).unwrap();
        let mut change = update(&before, |user| user.epoch += 1);
        change.end_sessions = Some(EndReason::Banned);
        timed!("update_user", db.update_user(change)).unwrap();
        // The steps of a sign-up and of a denial.
        let name = format!("new-{number}-{}", before.version);
        let new = sample::user(&name);
        let its = sample::account(&new, "github", &name);
        done(timed!(
            "open_session of a new user",
            db.open_session(sign_up(&new, &its, &session(&new, &its)))
        ));
        timed!("append", db.append(log(AuthLogAction::SignInDenied)));
        // The steps of the feed.
        let news = timed!("revocations_after", watch.revocations_after(last));
        last = news.last().unwrap().seq;
        timed!("revocations_after, nothing new", watch.revocations_after(last));
        timed!("find_users", watch.find_users(&[person.user, new.id]));
    }
    db.signing_keys().await.unwrap();
    watch.database_time().await.unwrap();
    times
}

fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Prints the durations of the steps with many rows beside those with few rows.
#[expect(clippy::print_stdout, reason = "for a person at a terminal")]
pub(super) fn tell(backend: Backend, rows: u64, filled: Duration, few: &Times, many: &Times) {
    println!("{backend:?}: {rows} rows of each table, made in {filled:.0?}; medians in microseconds");
    println!("{:30} {:>9} {:>9} {:>6}", "", "few", "many", "ratio");
    for (name, few) in few {
        let (few, many) = (median(few), median(&many[name]));
        println!("{name:30} {few:9.0} {many:9.0} {:6.2}", many / few);
    }
}

/// Lists everything that can be swept, by name.
fn over() -> [(&'static str, Sweepable); 6] {
    let days = |days: u32| NOW.minus(24 * HOUR * days);
    [
        ("unredeemed", Sweepable::Unredeemed(days(1))),
        ("ended", Sweepable::Ended(days(1))),
        ("outlived", Sweepable::Outlived { opened_before: days(70), expired_before: days(1) }),
        ("revocations", Sweepable::Revocations(NOW.plus(2 * HOUR))),
        ("auth_logs", Sweepable::AuthLog(days(60))),
        ("used_marks", Sweepable::UsedMarks(days(1))),
    ]
}

/// Sweeps one batch of each kind, and returns the number of removed rows.
pub(super) async fn sweep_once(db: &Database, batch: u64) -> u64 {
    let mut all = 0;
    for (_, what) in over() {
        all += db.sweep(what, batch).await.unwrap();
    }
    all
}

/// Sweeps all expired rows, prints the duration of the batches, and returns the number of removed rows.
#[expect(clippy::print_stdout, reason = "for a person at a terminal")]
pub(super) async fn sweep(db: &Database, backend: Backend, tell: bool) -> u64 {
    let mut all = 0;
    for (name, what) in over() {
        let mut batches = Vec::new();
        loop {
            let begin = Instant::now();
            let removed = db.sweep(what, BATCH).await.unwrap();
            if removed == 0 {
                break;
            }
            batches.push(begin.elapsed());
            all += removed;
        }
        if tell && let Some(longest) = batches.iter().max() {
            let (count, median) = (batches.len(), median(&batches) / 1e3);
            println!(
                "{backend:?}: sweep of {name}: {count} batches, median {median:.1} ms, longest {longest:.1?}"
            );
        }
    }
    all
}
