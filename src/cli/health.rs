//! `health`: checks a running Gatepass on this machine; for containers without a shell.

use std::process::ExitCode;
use std::time::Duration;

use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::output::printed;
use crate::config::Config;

pub(super) async fn health(config: &Config) -> ExitCode {
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
        Some(ServingStatus::Serving) => printed(["serving"]),
        Some(_) => {
            eprintln!("not serving");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("no response from {addr}");
            ExitCode::FAILURE
        }
    }
}
