//! Instructions a call, of two programs `gatepass`: `just bench-against REV` builds this tree's and another commit's and
//! runs this with both.
//!
//! Each program runs as its users run it, with one worker thread and SQLite, under `valgrind --tool=callgrind`; the client
//! is outside. What a call takes is the difference of two runs, a short one and a long one, by the calls that the one has
//! more than the other: so the start, the end and turning the counter on are not in it. Calls come one after the other,
//! each in one write, so that the server is woken as often in every run. Time has little part in it: the counter is
//! turned on after some calls, and what the program does now and then it does seldom.
//!
//! All is measured three times, and the least counts. What the times differ by, of the same program, is the noise: on a
//! busy machine a run takes longer, and what is done now and then is done more often in it.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for a person at a terminal"
)]

use std::path::{Path, PathBuf};

use gatepass::grpc::proto::v1::{self, get_session_request};

#[path = "support/caller.rs"]
mod caller;
#[path = "support/counted.rs"]
mod counted;
#[path = "support/load/mod.rs"]
mod load;
#[path = "support/person.rs"]
mod person;

use caller::Caller;
use counted::Counted;

/// The number of measurements of each call.
const TIMES: u32 = 3;
/// The sessions that are refreshed. None is rotated so often that the retry window holds up the next rotation.
const REFRESHED: usize = 100;
/// The calls before the counter is turned on.
const WARM_UP: u32 = 50;

#[derive(Clone, Copy, Debug)]
enum Call {
    /// Of one access token, again and again.
    GetSession,
    /// Of many sessions in turn, each with the token that the one before of it answered.
    RefreshToken,
    /// Of one person, again and again.
    SignIn,
    /// The same, and the grant redeemed.
    SignInAndIssueToken,
}

impl Call {
    const ALL: [Self; 4] = [Self::GetSession, Self::RefreshToken, Self::SignIn, Self::SignInAndIssueToken];

    /// The calls of a short and of a long run.
    const fn lengths(self) -> [u32; 2] {
        match self {
            Self::GetSession => [500, 2500],
            Self::RefreshToken | Self::SignIn | Self::SignInAndIssueToken => [100, 500],
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let programs: Vec<PathBuf> = arguments.map(|path| std::path::absolute(path).unwrap()).collect();
    let [here, there] = &programs[..] else {
        return println!("just bench-against REV");
    };
    println!("{:20} {:>10}  {:>10}  {:>5}  {:>5}", "instructions a call", "here", "there", "ratio", "noise");
    for call in Call::ALL {
        let (mut ours, mut theirs) = (Runs::default(), Runs::default());
        for _ in 0..TIMES {
            ours.more(here, call).await;
            theirs.more(there, call).await;
        }
        let (noise, [ours, theirs]) =
            (ours.noise().max(theirs.noise()), [ours, theirs].map(|runs| runs.least()));
        println!(
            "{:20} {ours:>10.0}  {theirs:>10.0}  {:>5.3}  {:>4.2}%",
            format!("{call:?}"),
            ours / theirs,
            100.0 * noise,
        );
    }
}

/// The counts of one program and one call.
#[derive(Default)]
struct Runs {
    lengths: [u32; 2],
    /// Of a short and a long run, each time.
    counted: Vec<[u64; 2]>,
}

impl Runs {
    async fn more(&mut self, program: &Path, call: Call) {
        self.lengths = call.lengths();
        let [short, long] = self.lengths;
        self.counted.push([run(program, call, short).await, run(program, call, long).await]);
    }

    /// Instructions a call, by the least of each length: what the program does besides only ever adds.
    fn least(&self) -> f64 {
        let least = |length: usize| self.counted.iter().map(|runs| runs[length]).min().unwrap();
        self.a_call([least(0), least(1)])
    }

    /// By what part of it the times differ.
    fn noise(&self) -> f64 {
        let each = || self.counted.iter().map(|runs| self.a_call(*runs));
        (each().fold(f64::MIN, f64::max) - each().fold(f64::MAX, f64::min)) / self.least()
    }

    fn a_call(&self, [fewer, more]: [u64; 2]) -> f64 {
        let [short, long] = self.lengths;
        #[expect(clippy::cast_precision_loss, reason = "less than 2^53")]
        let difference = (more - fewer) as f64;
        difference / f64::from(long - short)
    }
}

/// Counts the instructions of a run with this number of calls.
async fn run(program: &Path, call: Call, calls: u32) -> u64 {
    let server = Counted::start(program).await;
    let mut caller = Caller::of(server.addr).await;
    let mut get_session = caller::connect(server.addr, "GetSession").await;
    let (mut access_token, mut refresh_tokens) = (String::new(), Vec::new());
    for _ in 0..if matches!(call, Call::RefreshToken) { REFRESHED } else { 1 } {
        let grant = caller.sign_in("ada").await;
        let issued = caller.issue_token(grant).await;
        access_token = issued.access_token;
        refresh_tokens.push(issued.refresh_token);
    }
    for done in 0..WARM_UP + calls {
        if done == WARM_UP {
            server.count().await;
        }
        match call {
            Call::GetSession => {
                let credential = Some(get_session_request::Credential::AccessToken(access_token.clone()));
                let request = v1::GetSessionRequest { credential, ..Default::default() };
                let answer: v1::GetSessionResponse = get_session.call(&request).await;
                assert!(answer.session.is_some());
            }
            Call::RefreshToken => {
                let token = &mut refresh_tokens[done as usize % REFRESHED];
                let refreshed = caller.refresh_token(std::mem::take(token)).await;
                assert_eq!(refreshed.rotation(), v1::Rotation::Rotated);
                *token = refreshed.refresh_token;
            }
            Call::SignIn => {
                caller.sign_in("ada").await;
            }
            Call::SignInAndIssueToken => {
                let grant = caller.sign_in("ada").await;
                caller.issue_token(grant).await;
            }
        }
    }
    server.stop().await
}
