//! `GetSession`: returns the session of a credential, if the credential is still accepted (Auth.js `session`).

use super::readers::{GetSessionRequest, SessionAnswer, SessionReaders};
use crate::auth::callbacks::Invoke;
use crate::auth::error::Result;

/// The use case `GetSession`.
pub struct GetSession {
    /// The readers of sessions.
    pub readers: SessionReaders,
    /// The callbacks.
    pub invoke: Invoke,
}

impl GetSession {
    /// Reads the session of a credential.
    pub async fn run(&self, request: GetSessionRequest<'_>) -> Result<SessionAnswer> {
        let mut answer = self.readers.of(request.credential)?.read(&request).await?;
        self.invoke.session(&mut answer.session).await?;
        Ok(answer)
    }
}
