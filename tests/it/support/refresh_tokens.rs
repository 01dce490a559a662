//! Refresh tokens that a test derives with the secret of a Gatepass, and the rotation of version 0.1.

use gatepass::model::{Clock as _, OsEntropy, random};
use gatepass::tokens::{GenuineRefreshToken, Secrets};

use super::TestApp;

/// The secret of every test app.
pub const SECRET: &str = "the first secret of a test, long enough";

/// Verifies a refresh token of a test app.
pub fn genuine(token: &str) -> GenuineRefreshToken {
    GenuineRefreshToken::verify(&Secrets::new(&[SECRET.into()]).unwrap(), token).unwrap()
}

/// Derives a successor of a refresh token with the secret that made it. Its session never had this token, so it counts
/// as a reuse.
pub fn another_successor(token: &str, secret: &str) -> String {
    let secrets = Secrets::new(&[secret.into()]).unwrap();
    GenuineRefreshToken::verify(&secrets, token).unwrap().successor(&secrets, &[0; 32]).encode()
}

impl TestApp {
    /// Rotates the live refresh token of a session for an hour, by the statement of version 0.1. It writes neither the
    /// predecessors before the direct one nor the granted audiences.
    pub async fn rotate_as_version_0_1(&self, live: &str) -> String {
        let (salt, presented) = (random::<32>(&OsEntropy), genuine(live));
        let next = presented.successor(&Secrets::new(&[SECRET.into()]).unwrap(), &salt);
        let (now, database) = (self.clock.now().millis(), &self.place.database);
        let previous_hash = database.bytes(&presented.hash());
        self.execute(&format!(
            "UPDATE sessions SET refresh_count = refresh_count + 1, refresh_hash = {}, \
             previous_hash = {previous_hash}, generation = {}, salt = {}, rotated_at = {now}, \
             expires_at = {}, version = version + 1 \
             WHERE refresh_hash = {previous_hash} AND ended_at IS NULL AND expires_at > {now}",
            database.bytes(&next.hash()),
            next.generation(),
            database.bytes(&salt),
            now + 3_600_000,
        ))
        .await;
        let live = format!("SELECT id FROM sessions WHERE refresh_hash = {}", database.bytes(&next.hash()));
        assert_eq!(self.query(&live).await.len(), 1, "not the live token of a session");
        next.encode()
    }
}
