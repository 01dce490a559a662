//! The session that the bare server returns: equal to that of Gatepass, but built again for each call.

use gatepass::grpc::proto::v1::{self, GetSessionRequest, GetSessionResponse, get_session_request};
use jsonwebtoken::{DecodingKey, Validation};
use prost_types::Timestamp;
use tonic::async_trait;

use crate::bare::Answers;

/// The owned values of a session: seven texts and four times. If there is a key, each call also runs one `decode`.
pub struct OwnedSession {
    session_id: String,
    user_id: String,
    times: [Option<Timestamp>; 3],
    decode: Option<(DecodingKey, Validation)>,
}

impl OwnedSession {
    /// Copies the fields that differ between runs from a session of Gatepass, and asserts that all others are equal.
    pub fn like(session: &v1::Session, decode: Option<(DecodingKey, Validation)>) -> Self {
        let this = Self {
            session_id: session.id.clone().unwrap(),
            user_id: session.user.clone().unwrap().id.unwrap(),
            times: [session.expires_at, session.access_token_expires_at, session.authenticated_at],
            decode,
        };
        assert_eq!(this.session(), *session);
        this
    }

    fn session(&self) -> v1::Session {
        let [expires_at, access_token_expires_at, authenticated_at] = self.times;
        let user = v1::SessionUser {
            id: Some(self.user_id.clone()),
            name: Some("Ada Lovelace".to_owned()),
            email: Some("ada@example.com".to_owned()),
            email_verified: true,
            image: Some("https://avatars.example.com/u/1815".to_owned()),
            role: Some("user".to_owned()),
        };
        v1::Session {
            id: Some(self.session_id.clone()),
            user: Some(user),
            expires_at,
            access_token_expires_at,
            authenticated_at,
            provider: Some("github".to_owned()),
            source: v1::SessionSource::Gatepass.into(),
            claims: Some(prost_types::Struct::default()),
        }
    }
}

#[async_trait]
impl Answers for OwnedSession {
    async fn get_session(&self, request: GetSessionRequest) -> GetSessionResponse {
        if let Some((key, validation)) = &self.decode {
            let Some(get_session_request::Credential::AccessToken(token)) = &request.credential else {
                unreachable!()
            };
            jsonwebtoken::decode::<serde_json::Value>(token, key, validation).unwrap();
        }
        let revocations_checked_at = Some(Timestamp { seconds: 1_767_225_600, nanos: 123_000_000 });
        GetSessionResponse { session: Some(self.session()), revocations_checked_at }
    }
}
