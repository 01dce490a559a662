//! A backend that is allowed to call Gatepass, one call at a time.

use std::net::SocketAddr;

use gatepass::grpc::proto::v1::{self, sign_in_request, sign_in_response};

use crate::load::Connection;
use crate::person;

const KEY: &str = "gpk_a_key_for_the_benchmark_only";

/// The configuration section that allows its calls.
pub fn section() -> String {
    let hash = hex::encode(gatepass::model::sha256(KEY.as_bytes()));
    format!(
        "callers: [{{id: bench, credential: {{key_sha256: {hash}}}, allow: [sign_in, sign_in.assert, session.read]}}]\n"
    )
}

/// A connection for calls of one method.
pub async fn connect(addr: SocketAddr, method: &str) -> Connection {
    Connection::open(addr, &format!("/gatepass.v1.AuthService/{method}"), KEY).await
}

/// A connection for each method on the way to tokens.
pub struct Caller {
    sign_in: Connection,
    issue_token: Connection,
    refresh_token: Connection,
}

impl Caller {
    pub async fn of(addr: SocketAddr) -> Self {
        Self {
            sign_in: connect(addr, "SignIn").await,
            issue_token: connect(addr, "IssueToken").await,
            refresh_token: connect(addr, "RefreshToken").await,
        }
    }

    /// Signs a person in, and returns the grant.
    pub async fn sign_in(&mut self, who: &str) -> String {
        let mut request = person::signs_in(who);
        if let Some(sign_in_request::Credential::Profile(profile)) = &mut request.credential {
            profile.image = Some("https://avatars.example.com/u/1815".to_owned());
        }
        let answer: v1::SignInResponse = self.sign_in.call(&request).await;
        let Some(sign_in_response::Outcome::Allowed(allowed)) = answer.outcome else { unreachable!() };
        allowed.grant.unwrap()
    }

    pub async fn issue_token(&mut self, grant: String) -> v1::IssueTokenResponse {
        self.issue_token.call(&v1::IssueTokenRequest { grant, ..Default::default() }).await
    }

    pub async fn refresh_token(&mut self, refresh_token: String) -> v1::RefreshTokenResponse {
        self.refresh_token.call(&v1::RefreshTokenRequest { refresh_token, ..Default::default() }).await
    }
}
