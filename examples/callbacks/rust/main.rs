//! A callback service for Gatepass: the server for the rules, with authentication, health and shutdown.
//!
//! ```text
//! CALLBACK_TOKEN=SECRET cargo run --example callbacks [HOST:PORT]
//! ```
#![expect(clippy::print_stderr, reason = "a program for a person at a terminal")]
#![expect(clippy::disallowed_types, reason = "a separate gRPC server that returns tonic statuses")]

mod rules;

use std::env;
use std::error::Error;

use gatepass::grpc::proto::callback::v1::callback_service_server::CallbackServiceServer;
use subtle::ConstantTimeEq as _;
use tokio::signal::unix::{SignalKind, signal};
use tonic::metadata::MetadataValue;
use tonic::transport::Server;
use tonic::{Request, Status};

use rules::Rules;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = env::var("CALLBACK_TOKEN").unwrap_or_default();
    if secret.is_empty() {
        return Err("set CALLBACK_TOKEN, the secret that Gatepass sends".into());
    }
    let address = env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9000".to_owned()).parse()?;
    // Register the handlers before the first call, so that no signal is missed.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let signalled = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    // Probes have no credential, and the health service reveals nothing.
    let (_, health) = tonic_health::server::health_reporter();

    eprintln!("listening on {address}");
    // tonic ends a call at its deadline. Beyond loopback, use `tls_config`.
    Server::builder()
        .add_service(health)
        .add_service(CallbackServiceServer::with_interceptor(Rules, authenticate(&secret)))
        .serve_with_shutdown(address, signalled) // Accepts no new calls and completes open ones.
        .await?;
    Ok(())
}

/// Rejects calls without the secret. Gatepass sends it if `callbacks.remote.credential` is set.
fn authenticate(secret: &str) -> impl Fn(Request<()>) -> Result<Request<()>, Status> + Clone + use<> {
    let expected = format!("Bearer {secret}");
    move |request| {
        let given = request.metadata().get("authorization").map(MetadataValue::as_bytes).unwrap_or_default();
        // Compare in constant time. Otherwise the response time reveals how much of a guess is right.
        if bool::from(given.ct_eq(expected.as_bytes())) {
            return Ok(request);
        }
        Err(Status::unauthenticated("send `authorization: Bearer …` with the secret"))
    }
}
