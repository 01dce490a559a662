//! All operations that end a session.

use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::{IssueTokenResponse, SignOutRequest};
use tonic::Status;

use super::Client;
use super::answers::{ids, reason};
use super::requests::signing_out;

/// An operation that ends a session.
#[derive(Debug, Clone, Copy)]
pub enum End {
    RevokeSession,
    RevokeUserSessions,
    SignOut,
    SignOutEverywhere,
    Ban,
}

/// All operations that end a session.
pub const ENDS: [End; 5] =
    [End::RevokeSession, End::RevokeUserSessions, End::SignOut, End::SignOutEverywhere, End::Ban];

impl End {
    /// Ends the session of these tokens.
    pub async fn ask(self, client: &Client, tokens: &IssueTokenResponse) -> Result<(), Status> {
        let [session_id, user_id] = ids(tokens);
        let sign_out = signing_out(&tokens.access_token);
        match self {
            Self::RevokeSession => client.revoke_session(&session_id).await,
            Self::RevokeUserSessions => client.revoke_user_sessions(&user_id).await.map(drop),
            Self::SignOut => client.sign_out_with(sign_out).await.map(drop),
            Self::SignOutEverywhere => {
                client.sign_out_with(SignOutRequest { everywhere: true, ..sign_out }).await.map(drop)
            }
            Self::Ban => client.set_banned(&user_id, true).await.map(drop),
        }
    }

    /// Returns the reason that tokens of the session get afterwards.
    pub fn reason(self) -> &'static str {
        if matches!(self, Self::Ban) { "USER_BANNED" } else { "SESSION_REVOKED" }
    }
}

impl Client {
    /// Waits until this replica rejects an access token, and returns the reason.
    pub async fn refuses_at_last(&self, access_token: &str) -> String {
        let begin = Instant::now();
        loop {
            let answer = self.session(access_token).await;
            if answer.is_err() {
                return reason(answer);
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "this replica does not hear of the end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
