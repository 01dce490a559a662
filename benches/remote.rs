//! The cost of a callback service on loopback: each figure against the same Gatepass without one, in the same run.
//! Rounds alternate; the benchmark prints the median of the rounds' ratios.
//! - `SignIn` with a remote `sign_in`, on SQLite, one call at a time: at least 0.7 of without.
//! - `GetSession` with a remote `session`, and with its answers cached: figures for `docs/remote-callbacks.md`.
//! - The 99th percentile of `GetSession`, which uses no callback, while 50 sign-ins wait for theirs: at most 1.2 times
//!   that without them.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_types,
    reason = "a program for a person at a terminal"
)]

use std::time::{Duration, Instant};

use gatepass::app::App;
use gatepass::config;
use gatepass::grpc::proto::v1::auth_service_client::AuthServiceClient;
use gatepass::grpc::proto::v1::{self, get_session_request, sign_in_response};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

#[path = "../tests/it/support/callback_service.rs"]
#[expect(dead_code, clippy::expect_used, reason = "the tests use more of it")]
mod callback_service;

#[path = "support/person.rs"]
mod person;

use callback_service::{CallbackServer, shows};

const ROUNDS: usize = 9;
const SIGN_INS: usize = 200;
const READS: usize = 4000;
/// Concurrent calls of `GetSession`.
const LANES: usize = 4;
const HUNG: usize = 50;

/// A Gatepass in this process.
struct Service {
    client: AuthServiceClient<Channel>,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Starts a Gatepass with this `callbacks` section, or without one.
    async fn start(callbacks: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepass.yaml");
        let database = folder.path().join("gatepass.db").display().to_string();
        let yaml = format!(
            "server: {{grpc_addr: '127.0.0.1:0', http_addr: '127.0.0.1:0', admin_addr: '127.0.0.1:0', \
             request_timeout: 2m}}\n\
             database: {{url: 'sqlite://{database}?mode=rwc'}}\n\
             secrets: ['a secret for the benchmark and nothing else']\n{callbacks}\n"
        );
        std::fs::write(&file, yaml).unwrap();
        let bound = App::new(config::load(Some(&file), []).unwrap()).bind().await.unwrap();
        let (addr, health) = (bound.grpc_addr().unwrap(), bound.health());
        tokio::spawn(bound.run(CancellationToken::new()));
        while !health.is_ready() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
        Self { client: AuthServiceClient::new(channel), _folder: folder }
    }

    async fn sign_in(&self) -> v1::SignInAllowed {
        let signed_in = self.client.clone().sign_in(person::signs_in("ada")).await.unwrap();
        let Some(sign_in_response::Outcome::Allowed(allowed)) = signed_in.into_inner().outcome else {
            unreachable!()
        };
        allowed
    }

    async fn access_token(&self) -> String {
        let grant = self.sign_in().await.grant.unwrap();
        let request = v1::IssueTokenRequest { grant, ..Default::default() };
        self.client.clone().issue_token(request).await.unwrap().into_inner().access_token
    }

    /// Measures the duration of each of several sign-ins, made one after the other.
    async fn sign_ins(&self) -> Vec<Duration> {
        let mut took = Vec::with_capacity(SIGN_INS);
        for _ in 0..SIGN_INS {
            let begin = Instant::now();
            self.sign_in().await;
            took.push(begin.elapsed());
        }
        took
    }

    /// Measures the duration of each of several `GetSession` calls, some of them concurrent.
    async fn reads(&self, token: &str) -> Vec<Duration> {
        let mut lanes = JoinSet::new();
        for _ in 0..LANES {
            let (mut client, token) = (self.client.clone(), token.to_owned());
            lanes.spawn(async move {
                let mut took = Vec::with_capacity(READS / LANES);
                for _ in 0..READS / LANES {
                    let credential = Some(get_session_request::Credential::AccessToken(token.clone()));
                    let request = v1::GetSessionRequest { credential, ..Default::default() };
                    let begin = Instant::now();
                    client.get_session(request).await.unwrap();
                    took.push(begin.elapsed());
                }
                took
            });
        }
        lanes.join_all().await.concat()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A percentile of the durations.
fn percentile(took: &[Duration], hundredths: usize) -> f64 {
    let mut took: Vec<f64> = took.iter().map(Duration::as_secs_f64).collect();
    took.sort_by(f64::total_cmp);
    took[(took.len() - 1) * hundredths / 100]
}

fn mean(took: &[Duration]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = took.len() as f64;
    took.iter().sum::<Duration>().as_secs_f64() / count
}

fn micros(seconds: f64) -> f64 {
    seconds * 1e6
}

async fn sign_ins(callbacks: &CallbackServer) {
    let without = Service::start("").await;
    let with = Service::start(&callbacks.section("callbacks: [sign_in]")).await;
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let (without, with) = (mean(&without.sign_ins().await), mean(&with.sign_ins().await));
        // The first round warms both up.
        if round > 0 {
            rounds.push((without, with));
        }
    }
    let ratio = median(rounds.iter().map(|(without, with)| without / with).collect());
    let verdict = if ratio >= 0.7 { "ok" } else { "BELOW" };
    println!("SignIn with a remote sign_in: {ratio:.2} of without (wanted 0.7): {verdict}");
    let (without, with) = rounds.into_iter().unzip();
    let (without, with) = (micros(median(without)), micros(median(with)));
    println!("  a call takes {with:.0} us against {without:.0} us");
}

async fn reads(callbacks: &CallbackServer) {
    callbacks.rules.session.answers(|_| shows(&serde_json::json!({"greeting": "Hello, Ada Lovelace"})));
    let mut services = Vec::new();
    for (what, section) in [
        ("without", String::new()),
        ("remote", callbacks.section("callbacks: [session]")),
        ("remembered", callbacks.section("callbacks: [session], session_cache_ttl: 10s")),
    ] {
        let service = Service::start(&section).await;
        let token = service.access_token().await;
        services.push((what, service, token, Vec::new()));
    }
    for round in 0..=ROUNDS {
        for (_, service, token, rounds) in &mut services {
            let begin = Instant::now();
            let took = service.reads(token).await;
            if round > 0 {
                rounds.push((begin.elapsed().as_secs_f64(), percentile(&took, 50), percentile(&took, 99)));
            }
        }
    }
    let yardstick: Vec<f64> = services[0].3.iter().map(|(all, _, _)| *all).collect();
    println!("GetSession, {LANES} at a time:");
    for (what, _, _, rounds) in services {
        let ratio =
            median(rounds.iter().zip(&yardstick).map(|((all, _, _), without)| without / all).collect());
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let rate = median(rounds.iter().map(|(all, _, _)| READS as f64 / all).collect());
        let [p50, p99] = [
            median(rounds.iter().map(|(_, p50, _)| *p50).collect()),
            median(rounds.iter().map(|(_, _, p99)| *p99).collect()),
        ]
        .map(micros);
        println!("  {what}: {ratio:.2} of without, {rate:.0} calls/s, p50 {p50:.0} us, p99 {p99:.0} us");
    }
}

async fn hung(callbacks: &CallbackServer) {
    let section = callbacks.section("callbacks: [sign_in], timeout: 1m");
    let (without, with) = (Service::start("").await, Service::start(&section).await);
    let tokens = (without.access_token().await, with.access_token().await);
    let before = callbacks.rules.sign_in.calls();
    callbacks.rules.sign_in.hangs();
    let mut hanging = JoinSet::new();
    for _ in 0..HUNG {
        let mut client = with.client.clone();
        hanging.spawn(async move { client.sign_in(person::signs_in("eve")).await });
    }
    callbacks.rules.sign_in.until_calls(before + HUNG).await;
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let [without, with] = [without.reads(&tokens.0).await, with.reads(&tokens.1).await];
        if round > 0 {
            rounds.push((percentile(&without, 99), percentile(&with, 99)));
        }
    }
    assert!(hanging.try_join_next().is_none(), "a sign-in did not hang to the end");
    let ratio = median(rounds.iter().map(|(without, with)| with / without).collect());
    let verdict = if ratio <= 1.2 { "ok" } else { "ABOVE" };
    println!("p99 of GetSession while {HUNG} callbacks hang: {ratio:.2} of without (wanted 1.2): {verdict}");
    let (without, with) = rounds.into_iter().unzip();
    let (without, with) = (micros(median(without)), micros(median(with)));
    println!("  {with:.0} us against {without:.0} us");
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let callbacks = CallbackServer::start().await;
        sign_ins(&callbacks).await;
        reads(&callbacks).await;
        hung(&callbacks).await;
    });
}
