//! The cost of callbacks: calls with callbacks against the same calls without them, in the same run.
//!
//! Each Gatepass has its own worker thread and its own SQLite file; the client has another runtime. Rounds alternate,
//! and so does the order within a round, so that noise affects both alike. The benchmark compares calls per second by
//! the clock and by the worker thread's processor time (`/proc/thread-self/schedstat`). The processor time shows the
//! cost that callbacks add to the service. For a sign-in it overstates what a caller notices, since the database takes
//! most of the time. The benchmark prints the median of the rounds' ratios.
//! - `SignIn` with a CEL `sign_in`: at least 0.95 of without, by the clock.
//! - `GetSession` with a CEL `session`: at least 0.9 of without, by processor time, since the client is slower than the
//!   service. It reads one token repeatedly, and the answer is cached.
//! - The same with an expression that uses `now`, so that each call evaluates it: printed, without a limit.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program for a person at a terminal"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepass::app::App;
use gatepass::config;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{self, get_session_request, sign_in_request, sign_in_response};
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

#[path = "support/processor_time.rs"]
mod processor_time;

const ROUNDS: usize = 21;

/// A measured call, and the callbacks that it is measured with.
struct Comparison {
    name: &'static str,
    call: Call,
    callbacks: &'static str,
    wanted: Option<Wanted>,
}

/// The lower limit of a ratio.
#[derive(Clone, Copy)]
enum Wanted {
    ByTheClock(f64),
    ByProcessorTime(f64),
}

const COMPARISONS: &[Comparison] = &[
    Comparison {
        name: "SignIn with a CEL sign_in",
        call: Call::SignIn,
        callbacks: "callbacks:
  cel:
    sign_in: |
      profile.email_verified && profile.email.endsWith('@example.com')
        && profile.?organizations.orValue([]).exists(o, o.login == 'acme')
",
        wanted: Some(Wanted::ByTheClock(0.95)),
    },
    Comparison {
        name: "GetSession with a CEL session",
        call: Call::GetSession,
        callbacks: "callbacks:
  cel:
    session:
      greeting: \"'Hello, ' + user.name\"
      may_write: user.role in ['admin', 'editor']
",
        wanted: Some(Wanted::ByProcessorTime(0.9)),
    },
    Comparison {
        name: "GetSession with a CEL session that looks at now",
        call: Call::GetSession,
        callbacks: "callbacks:
  cel:
    session:
      greeting: \"'Hello, ' + user.name\"
      ends_soon: session.expires_at < now + duration('24h')
",
        wanted: None,
    },
];

#[derive(Clone, Copy)]
enum Call {
    SignIn,
    GetSession,
}

impl Call {
    /// The number of calls, connections and concurrent calls per connection of a round. SQLite has one writer.
    const fn load(self) -> (usize, usize, usize) {
        match self {
            Self::SignIn => (1000, 1, 4),
            Self::GetSession => (20_000, 4, 16),
        }
    }
}

/// A measured Gatepass, and the requests to it.
struct Measured {
    runtime: Runtime,
    clients: Vec<AuthServiceClient<Channel>>,
    access_token: Arc<str>,
    _folder: tempfile::TempDir,
}

fn one_worker() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

impl Measured {
    fn start(client: &Runtime, callbacks: &str, connections: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.yaml");
        let yaml = format!(
            "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0'}}\n\
             database: {{url: 'sqlite://{}/gatepass.db?mode=rwc'}}\n{callbacks}",
            folder.path().display(),
        );
        std::fs::write(&file, yaml).unwrap();
        let config = config::load(Some(&file), []).unwrap();
        let runtime = one_worker();
        let bound = runtime.block_on(App::new(config).bind()).unwrap();
        let (addr, health) = (bound.grpc_addr().unwrap(), bound.health());
        runtime.spawn(bound.run(CancellationToken::new()));
        while !health.is_ready() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let clients: Vec<_> = client.block_on(async {
            let mut clients = Vec::new();
            for _ in 0..connections {
                let channel =
                    Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
                clients.push(AuthServiceClient::new(channel));
            }
            clients
        });
        let access_token = client.block_on(issue(&clients[0])).access_token.into();
        Self { runtime, clients, access_token, _folder: folder }
    }

    /// Calls per second of the worker thread's time, and of the clock's.
    fn round(&self, client: &Runtime, call: Call) -> (f64, f64) {
        let (calls, connections, in_flight) = call.load();
        let [before, _] = processor_time::of(&self.runtime);
        let begin = Instant::now();
        client.block_on(async {
            let lanes = connections * in_flight;
            let tasks: Vec<_> = (0..lanes)
                .map(|lane| {
                    let client = self.clients[lane % connections].clone();
                    tokio::spawn(lane_of(client, call, calls / lanes, lane, Arc::clone(&self.access_token)))
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
        let by_clock = begin.elapsed();
        let [after, _] = processor_time::of(&self.runtime);
        let spent = Duration::from_nanos(after - before);
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let calls = calls as f64;
        (calls / spent.as_secs_f64(), calls / by_clock.as_secs_f64())
    }
}

async fn lane_of(
    mut client: AuthServiceClient<Channel>,
    call: Call,
    calls: usize,
    lane: usize,
    access_token: Arc<str>,
) {
    for _ in 0..calls {
        match call {
            Call::SignIn => {
                let answer = client.sign_in(sign_in(&format!("lane{lane}"))).await.unwrap().into_inner();
                assert!(matches!(answer.outcome, Some(sign_in_response::Outcome::Allowed(_))));
            }
            Call::GetSession => {
                let credential = Some(get_session_request::Credential::AccessToken(access_token.to_string()));
                client.get_session(v1::GetSessionRequest { credential, ..Default::default() }).await.unwrap();
            }
        }
    }
}

/// A sign-in with a profile like GitHub's, and a few organisations.
fn sign_in(who: &str) -> v1::SignInRequest {
    let value = |kind| Value { kind: Some(kind) };
    let text = |text: &str| value(Kind::StringValue(text.to_owned()));
    let organization = |login: &str| {
        let fields = [("login".to_owned(), text(login)), ("id".to_owned(), value(Kind::NumberValue(1815.0)))];
        value(Kind::StructValue(Struct { fields: fields.into() }))
    };
    let organizations = ["rust-lang", "hyperium", "tokio-rs", "acme"].map(organization);
    let raw = [
        ("organizations".to_owned(), value(Kind::ListValue(ListValue { values: organizations.into() }))),
        ("login".to_owned(), text(who)),
        ("html_url".to_owned(), text("https://github.com/octocat")),
        ("bio".to_owned(), text("Writes about the Analytical Engine")),
        ("public_repos".to_owned(), value(Kind::NumberValue(8.0))),
    ];
    let profile = v1::ProfileCredential {
        provider: "github".to_owned(),
        provider_account_id: who.to_owned(),
        email: Some(format!("{who}@example.com")),
        email_verified: true,
        name: Some("Ada Lovelace".to_owned()),
        image: Some("https://avatars.example.com/u/1815".to_owned()),
        raw: Some(Struct { fields: raw.into() }),
    };
    let credential = Some(sign_in_request::Credential::Profile(profile));
    v1::SignInRequest { credential, ..Default::default() }
}

async fn issue(client: &AuthServiceClient<Channel>) -> v1::IssueTokenResponse {
    let mut client = client.clone();
    let signed_in = client.sign_in(sign_in("warm")).await.unwrap().into_inner();
    let Some(sign_in_response::Outcome::Allowed(allowed)) = signed_in.outcome else { unreachable!() };
    let request = v1::IssueTokenRequest { grant: allowed.grant.unwrap(), ..Default::default() };
    client.issue_token(request).await.unwrap().into_inner()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn compare(client: &Runtime, Comparison { name, call, callbacks, wanted }: &Comparison) {
    let (_, connections, _) = call.load();
    let with = Measured::start(client, callbacks, connections);
    let without = Measured::start(client, "", connections);
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let pair = if round % 2 == 0 {
            let with = with.round(client, *call);
            [with, without.round(client, *call)]
        } else {
            let without = without.round(client, *call);
            [with.round(client, *call), without]
        };
        // The first round warms both up.
        if round > 0 {
            rounds.push(pair);
        }
    }
    let middle = |pick: fn(&[(f64, f64); 2]) -> f64| median(rounds.iter().map(pick).collect());
    let (ratio, by_clock) =
        (middle(|[with, without]| with.0 / without.0), middle(|[with, without]| with.1 / without.1));
    let verdict = wanted.map_or_else(String::new, |wanted| {
        let (ratio, wanted) = match wanted {
            Wanted::ByTheClock(wanted) => (by_clock, wanted),
            Wanted::ByProcessorTime(wanted) => (ratio, wanted),
        };
        format!(" (wanted {wanted}: {})", if ratio >= wanted { "ok" } else { "BELOW" })
    });
    println!("{name}: {by_clock:.3} of without by the clock, {ratio:.3} by processor time{verdict}");
    let (with, without) = (middle(|[with, _]| with.0), middle(|[_, without]| without.0));
    println!("  calls per second of processor time: {with:.0} against {without:.0}");
}

fn main() {
    // The default log level is info, where an OK answer has no line.
    gatepass::telemetry::start(&config::load(None, []).unwrap().telemetry);
    let client = one_worker();
    for comparison in COMPARISONS {
        compare(&client, comparison);
    }
}
