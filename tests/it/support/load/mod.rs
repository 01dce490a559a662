//! Load: people and programs that call a Gatepass as fast as possible, also while it or its database fails. Every call
//! must end in time, with an answer or with a retryable rejection, which is then retried. The [`ledger`] records the
//! answers.

mod calls;
pub mod ledger;
mod people;
mod tally;

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::transport::Channel;

use self::calls::{Caller, End};
use self::ledger::Told;
use self::tally::Tallies;

/// The number of people who sign in, refresh and are signed out, besides the callers of a single method.
const PEOPLE: usize = 6;

/// The methods that the load calls.
pub const METHODS: [&str; 7] =
    ["GetSession", "IssueToken", "RefreshToken", "RevokeSession", "RevokeUserSessions", "SignIn", "SignOut"];

/// The methods that need no grant, and that Gatepass cannot answer without its database.
pub const STORED: [&str; 5] = ["RefreshToken", "RevokeSession", "RevokeUserSessions", "SignIn", "SignOut"];

/// The time for which Gatepass answers without news of revocations, set by [`VARIABLES`].
pub const STALE_LIMIT: Duration = Duration::from_secs(3);

/// The settings of a Gatepass under load: short deadlines and one secret for all replicas. The difference between a
/// replay and a reuse must not depend on the speed of the machine.
pub const VARIABLES: [(&str, &str); 4] = [
    ("GATEPASS_SERVER__REQUEST_TIMEOUT", "2s"),
    ("GATEPASS_SESSION__STALE_LIMIT", "3s"),
    ("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "5m"),
    ("GATEPASS_SECRETS", "the one secret of all replicas and long enough"),
];

/// A timeout that only a stuck test reaches.
const STUCK: Duration = Duration::from_mins(1);

/// Prints a measurement for `--nocapture`. No test fails because of the speed of the machine.
#[expect(clippy::print_stdout, reason = "it is for people")]
pub fn measured(what: &str) {
    println!("{what}");
}

/// Load on one Gatepass.
pub struct Load {
    caller: Caller,
    tasks: JoinSet<End>,
}

impl Load {
    /// Starts the load. The name separates its people from those of other loads.
    pub async fn begin(channel: &Channel, name: &str) -> Self {
        let caller = Caller::new(channel);
        let mut tasks = JoinSet::new();
        people::begin(&caller, name, PEOPLE, &mut tasks).await;
        Self { caller, tasks }
    }

    /// Returns the results of the calls since the last [`Tallies::clear`].
    pub fn tallies(&self) -> &Tallies {
        &self.caller.tallies
    }

    /// Checks if something of every kind has been answered so far.
    pub fn is_telling(&self) -> bool {
        self.caller.told.lock().unwrap().is_telling()
    }

    /// Waits until a condition holds. No call may end in a forbidden way.
    pub async fn until(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is(self) {
            if let Some(end) = self.tasks.try_join_next() {
                end.unwrap().panic();
            }
            assert!(begun.elapsed() < STUCK, "not in time: {what}\n{}", self.tallies());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends the load: no new call begins, and open calls must end in an allowed way.
    pub async fn end(mut self) -> Told {
        self.caller.stop();
        while let Some(end) = self.tasks.join_next().await {
            match end.unwrap() {
                End::Stopped => {}
                end @ End::Wrong(..) => end.panic(),
            }
        }
        self.caller.take_told()
    }

    /// Waits until every caller has noticed that the program is gone.
    pub async fn orphaned(mut self) -> Told {
        while let Some(end) = self.tasks.join_next().await {
            match end.unwrap() {
                End::Wrong(_, status) if status.metadata().get("gatepass-reason").is_none() => {}
                end => end.panic(),
            }
        }
        self.caller.take_told()
    }
}
