//! Load: people and programs that use a Gatepass as fast as it lets them, whatever becomes of it or of its database.
//! Every call must end in time, with an answer or with a refusal that promises that it may be repeated; then it is.
//! What was answered stands in the [`ledger`].

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

/// People who sign in, refresh and are signed out, beside those who do one thing each.
const PEOPLE: usize = 6;

/// What the load calls.
pub const METHODS: [&str; 7] =
    ["GetSession", "IssueToken", "RefreshToken", "RevokeSession", "RevokeUserSessions", "SignIn", "SignOut"];

/// What a caller without a grant can always call, and no Gatepass can answer without its database.
pub const STORED: [&str; 5] = ["RefreshToken", "RevokeSession", "RevokeUserSessions", "SignIn", "SignOut"];

/// How long a Gatepass under load answers without news of revocations, by [`VARIABLES`].
pub const STALE_LIMIT: Duration = Duration::from_secs(3);

/// What a Gatepass under load is told: deadlines that a test can wait for, one secret for all replicas; and
/// a replay must not be told from a reuse by how fast this machine is.
pub const VARIABLES: [(&str, &str); 4] = [
    ("GATEPASS_SERVER__REQUEST_TIMEOUT", "2s"),
    ("GATEPASS_SESSION__STALE_LIMIT", "3s"),
    ("GATEPASS_SESSION__REFRESH_RETRY_WINDOW", "5m"),
    ("GATEPASS_SECRETS", "the one secret of all replicas and long enough"),
];

/// So long that what is waited for does not come.
const STUCK: Duration = Duration::from_mins(1);

/// Tells whoever runs a test with `--nocapture` what it measured: no test fails by how fast a machine is.
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
    /// Begins; the name tells this load's people from others'.
    pub async fn begin(channel: &Channel, name: &str) -> Self {
        let caller = Caller::new(channel);
        let mut tasks = JoinSet::new();
        people::begin(&caller, name, PEOPLE, &mut tasks).await;
        Self { caller, tasks }
    }

    /// How calls went since the last [`Tallies::clear`].
    pub fn tallies(&self) -> &Tallies {
        &self.caller.tallies
    }

    /// Whether something of every kind was answered so far.
    pub fn is_telling(&self) -> bool {
        self.caller.told.lock().unwrap().is_telling()
    }

    /// Waits until it went like this; no call may end as none may.
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

    /// Ends it: no call begins any more, and those under way had to end as they may.
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

    /// Waits until everybody noticed that the program is gone.
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
