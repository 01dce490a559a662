//! The commands of the program. Each answers an exit code: 64 where the command line or the configuration is at
//! fault (`EX_USAGE` of sysexits), 1 where something else is.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what a person at a terminal reads")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tracing::field::display;

use crate::app::{self, App, StartFault};
use crate::config::{self, Config};
use crate::grpc::tls::Tls;
use crate::model::{OsEntropy, SystemClock, random, sha256};
use crate::telemetry;

const EX_USAGE: u8 = 64;

/// The four Auth.js callbacks as a gRPC authentication microservice.
#[derive(Debug, Parser)]
#[command(name = "gatepass", version, about)]
struct Arguments {
    /// The configuration file, YAML; all defaults without one.
    #[arg(long, global = true, env = "GATEPASS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT (the default).
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// Signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// The backends that may call.
    #[command(subcommand)]
    Callers(Callers),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running Gatepass on this machine whether it serves; for containers.
    Health,
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// List the signing keys.
    List,
    /// Make the next key; it is published for 25 minutes before it signs.
    Rotate {
        /// Let it sign at once, for emergencies: who caches the key set may refuse its tokens for up to 25 minutes.
        #[arg(long)]
        now: bool,
    },
    /// Revoke a key: its tokens are refused from now on. Another takes over if it was the one that signs.
    Revoke {
        /// The key's id, as `keys list` tells it.
        kid: String,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Callers {
    /// Make a caller's key; print it and the hash for `callers[].credential.key_sha256`.
    Key,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and name every fault in it.
    Check,
}

/// Runs the program with the process's arguments and environment.
pub async fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EX_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    if let Some(Command::Callers(Callers::Key)) = arguments.command {
        return make_caller_key();
    }
    let config = match config::load(arguments.config.as_deref(), variables()) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(EX_USAGE);
        }
    };
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config).await,
        Command::Migrate => migrate(&config).await,
        Command::Keys(Keys::List) => list_keys(&config).await,
        Command::Keys(Keys::Rotate { now }) => {
            said(app::rotate_keys(&config, Arc::new(SystemClock), now).await.map(|line| vec![line]))
        }
        Command::Keys(Keys::Revoke { kid }) => {
            said(app::revoke_key(&config, Arc::new(SystemClock), &kid).await)
        }
        Command::Config(ConfigCommand::Check) => check(&config),
        Command::Health => health(&config).await,
        Command::Callers(Callers::Key) => ExitCode::SUCCESS,
    }
}

/// Prints what a command did, or why it could not.
fn said(outcome: Result<Vec<String>, StartFault>) -> ExitCode {
    match outcome {
        Ok(lines) => {
            for line in lines {
                println!("{line}");
            }
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// The environment, without what is no text: no setting of ours is.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

async fn serve(config: Config) -> ExitCode {
    if let Err(fault) = app::check(&config) {
        eprintln!("{fault}");
        return ExitCode::from(EX_USAGE);
    }
    telemetry::start(&config.telemetry);
    let shutdown = CancellationToken::new();
    tokio::spawn(cancel_on_signal(shutdown.clone()));
    let served = match App::new(config).bind().await {
        Ok(bound) => {
            let (grpc, http, admin) = (bound.grpc_addr(), bound.http_addr(), bound.admin_addr());
            let (grpc, http, admin) = (grpc.map(display), http.map(display), admin.map(display));
            if let Some(tls) = bound.tls() {
                reload_on_signal(tls);
            }
            tracing::info!(grpc, http, admin, "listening");
            bound.run(shutdown).await
        }
        Err(fault) => Err(fault),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(%fault, "can't start");
            ExitCode::FAILURE
        }
    }
}

async fn cancel_on_signal(shutdown: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals can't be caught: only SIGKILL ends this process");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("draining");
    shutdown.cancel();
}

/// SIGHUP has the TLS files read at once; a Gatepass without TLS dies of it as other programs do.
fn reload_on_signal(tls: Arc<Tls>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tls.reload();
        }
    });
}

async fn migrate(config: &Config) -> ExitCode {
    match app::migrate(config).await {
        Ok(()) => {
            println!("the schema is up to date");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

async fn list_keys(config: &Config) -> ExitCode {
    let listed = match app::list_keys(config, Arc::new(SystemClock)).await {
        Ok(listed) => listed,
        Err(fault) => return said(Err(fault)),
    };
    let printed = said(Ok(listed.lines));
    listed.fault.map_or(printed, |fault| said(Err(fault.into())))
}

/// The hash is of the whole string that follows `Bearer `.
fn make_caller_key() -> ExitCode {
    let key = format!("gpk_{}", URL_SAFE_NO_PAD.encode(random::<32>(&OsEntropy)));
    println!("key:        {key}");
    println!("key_sha256: {}", hex::encode(sha256(key.as_bytes())));
    ExitCode::SUCCESS
}

fn check(config: &Config) -> ExitCode {
    match app::check(config) {
        Ok(()) => {
            println!("the configuration is sound");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(EX_USAGE)
        }
    }
}

async fn health(config: &Config) -> ExitCode {
    let mut addr = config.server.admin_addr;
    if addr.ip().is_unspecified() {
        addr.set_ip(if addr.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    let asked = async {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{addr}")).ok()?;
        let endpoint = endpoint.timeout(Duration::from_secs(2)).connect_timeout(Duration::from_secs(2));
        let request = HealthCheckRequest { service: String::new() };
        let response = HealthClient::new(endpoint.connect().await.ok()?).check(request).await.ok()?;
        Some(response.into_inner().status())
    };
    match asked.await {
        Some(ServingStatus::Serving) => {
            println!("serving");
            ExitCode::SUCCESS
        }
        Some(_) => {
            eprintln!("not serving");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("no answer on {addr}");
            ExitCode::FAILURE
        }
    }
}
