//! A token of a key that this replica cannot look up. The token may be valid, so the client must retry.

use std::time::Duration;

use tonic::Code;

use super::variables;
use crate::support::program::{Serving, run};
use crate::support::refusal;
use crate::support::replica::Replica;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::wire::Wire;

crate::on_servers! {
    of crate::support::servers::Kind:
    a_token_of_a_key_that_can_not_be_looked_for_is_not_refused_for_good,
}

/// Starts a Gatepass that polls revocations rarely, and reads sessions for that long without news.
async fn serving(folder: &std::path::Path, url: &str) -> Serving {
    let mut variables = variables(url);
    variables.retain(|(name, _)| !name.contains("STALE"));
    variables.extend([("GATEPASS_SESSION__MAX_STALENESS", "1m"), ("GATEPASS_SESSION__STALE_LIMIT", "1m")]);
    Serving::ready(folder, &[], &variables).await
}

async fn a_token_of_a_key_that_can_not_be_looked_for_is_not_refused_for_good(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let folder = tempfile::tempdir().unwrap();
    let one = serving(folder.path(), &server.url()).await;
    let other = serving(folder.path(), &server.url_at(wire.addr)).await;
    wire.cut();
    let rotated = run(folder.path(), &["keys", "rotate", "--now"], &variables(&server.url())).await;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    one.stop().await;
    // This replica signs with the new key from its start.
    let one = serving(folder.path(), &server.url()).await;
    let token = Replica::of(&one).await.tokens("ada").await.access_token;
    let there = Replica::of(&other).await;
    // The second call causes no look-up, since the last one was a moment ago.
    for _ in 0..2 {
        let refused = refusal(there.session(&token).await);
        assert_eq!(refused, (Code::Unavailable, "STORE_UNAVAILABLE".to_owned()));
    }
    wire.heal();
    let begun = std::time::Instant::now();
    while let refused @ Err(_) = there.session(&token).await {
        assert_eq!(refusal(refused).1, "STORE_UNAVAILABLE");
        assert!(begun.elapsed() < super::NEVER, "it does not look again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    one.stop().await;
    other.stop().await;
}
