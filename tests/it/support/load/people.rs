//! The callers of the load: people with complete sessions, and callers that repeat one method.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, RefreshTokenRequest, RevokeSessionRequest,
    RevokeUserSessionsRequest, SignInAllowed, SignOutRequest, get_session_request, sign_in_response,
    sign_out_request,
};
use gatepass::model::{Clock as _, SystemClock};
use tokio::task::JoinSet;

use super::STALE_LIMIT;
use super::calls::{Caller, End, Outcome};
use super::ledger::{Session, SharedSession, Way};
use crate::support::profile;

/// The time for which a grant is certainly valid.
const GRANT_TTL: Duration = Duration::from_secs(50);

/// The largest clock difference between two processes of one machine, in milliseconds.
const CLOCKS: i64 = 50;

/// The pause of a reader, and of a person between two sessions, since the load targets the database.
const PAUSE: Duration = Duration::from_millis(20);

/// Starts a caller for each method, and this number of people.
pub(super) async fn begin(caller: &Caller, name: &str, people: usize, tasks: &mut JoinSet<End>) {
    let known = async |who: &str| caller.begin_session(&format!("{name}-{who}")).await.unwrap();
    let (read, refreshed, ended) = (known("read").await, known("refreshed").await, known("ended").await);
    let own = caller.clone();
    tasks.spawn(async move {
        let newest = AtomicI64::new(i64::MAX);
        forever(|| own.read(&read, &newest)).await
    });
    let own = caller.clone();
    tasks.spawn(async move { forever(|| own.refresh(&refreshed)).await });
    for way in Way::ALL {
        let (own, ended) = (caller.clone(), Arc::clone(&ended));
        tasks.spawn(async move { forever(|| own.end(&ended, way)).await });
    }
    let (own, who) = (caller.clone(), format!("{name}-again"));
    tasks.spawn(async move { forever(|| async { own.sign_in(&who).await.map(drop) }).await });
    for person in 0..people {
        let (own, name) = (caller.clone(), format!("{name}-{person}"));
        // A different start for each person prevents lockstep.
        let turns = AtomicUsize::new(person);
        tasks.spawn(async move { forever(|| own.live(&name, &turns)).await });
    }
}

async fn forever<F: Future<Output = Result<(), End>>>(step: impl Fn() -> F) -> End {
    loop {
        if let Err(end) = step().await {
            return end;
        }
    }
}

impl Caller {
    /// Runs one session: a sign-in, a few refreshes, and one of several ends or none.
    async fn live(&self, name: &str, turns: &AtomicUsize) -> Result<(), End> {
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        let session = self.begin_session(&format!("{name}-{turn}")).await?;
        for _ in 0..3 {
            self.refresh(&session).await?;
        }
        if let Some(way) = Way::ALL.get(turn % (Way::ALL.len() + 1)) {
            self.end(&session, *way).await?;
            session.lock().unwrap().is_ended(*way);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    async fn begin_session(&self, who: &str) -> Result<SharedSession, End> {
        loop {
            let allowed = self.sign_in(who).await?;
            let (begun, grant) = (Instant::now(), allowed.grant.unwrap());
            let request =
                IssueTokenRequest { grant: grant.clone(), request_id: grant.clone(), ..Default::default() };
            let issue = || {
                let mut auth = self.auth.clone();
                let request = self.request(request.clone());
                async move { auth.issue_token(request).await }
            };
            match self.insist("IssueToken", issue).await {
                Ok(issued) => {
                    let session = Session::begun(who, &allowed.user.unwrap(), issued);
                    return Ok(self.told.lock().unwrap().begun(session, grant));
                }
                // The failure lasted longer than the grant.
                Err(End::Wrong(..)) if begun.elapsed() > GRANT_TTL => {}
                Err(end) => return Err(end),
            }
        }
    }

    async fn sign_in(&self, who: &str) -> Result<SignInAllowed, End> {
        let sign_in = || {
            let mut auth = self.auth.clone();
            let request = self.request(profile(who));
            async move { auth.sign_in(request).await }
        };
        let signed_in = self.insist("SignIn", sign_in).await?;
        let Some(sign_in_response::Outcome::Allowed(allowed)) = signed_in.outcome else {
            panic!("{who} is not allowed")
        };
        self.told.lock().unwrap().users.insert(who.to_owned());
        Ok(allowed)
    }

    async fn refresh(&self, session: &SharedSession) -> Result<(), End> {
        let refresh_token = session.lock().unwrap().asks_for_refresh();
        let refresh = || {
            let mut auth = self.auth.clone();
            let request = RefreshTokenRequest { refresh_token: refresh_token.clone(), ..Default::default() };
            let request = self.request(request);
            async move { auth.refresh_token(request).await }
        };
        let refreshed = self.insist("RefreshToken", refresh).await?;
        session.lock().unwrap().is_refreshed(refreshed);
        Ok(())
    }

    async fn end(&self, session: &SharedSession, way: Way) -> Result<(), End> {
        let (session_id, user_id, token) = session.lock().unwrap().asks_for_end();
        match way {
            Way::SignOut => {
                let credential = Some(sign_out_request::Credential::AccessToken(token));
                let message = SignOutRequest { credential, ..Default::default() };
                let call = || {
                    let mut auth = self.auth.clone();
                    let request = self.request(message.clone());
                    async move { auth.sign_out(request).await }
                };
                self.insist("SignOut", call).await.map(drop)?;
            }
            Way::RevokeSession => {
                let message = RevokeSessionRequest { session_id };
                let call = || {
                    let mut admin = self.admin.clone();
                    let request = self.request(message.clone());
                    async move { admin.revoke_session(request).await }
                };
                self.insist("RevokeSession", call).await.map(drop)?;
            }
            Way::RevokeUserSessions => {
                let message = RevokeUserSessionsRequest { user_id };
                let call = || {
                    let mut admin = self.admin.clone();
                    let request = self.request(message.clone());
                    async move { admin.revoke_user_sessions(request).await }
                };
                self.insist("RevokeUserSessions", call).await.map(drop)?;
            }
        }
        Ok(())
    }

    /// Reads a session once. No answer may rest on data older than the limit, and no rejection on newer data.
    async fn read(&self, session: &SharedSession, newest: &AtomicI64) -> Result<(), End> {
        let limit = i64::try_from(STALE_LIMIT.as_millis()).unwrap();
        let token = session.lock().unwrap().access_token.clone();
        let credential = Some(get_session_request::Credential::AccessToken(token));
        let request = GetSessionRequest { credential, ..Default::default() };
        let sent_at = SystemClock.now().millis();
        match self.once("GetSession", self.auth.clone().get_session(request)).await? {
            Outcome::Answered(answer) => {
                let checked_at = answer.revocations_checked_at.unwrap();
                let checked_at = checked_at.seconds * 1000 + i64::from(checked_at.nanos) / 1_000_000;
                assert!(sent_at - checked_at <= limit + CLOCKS, "news {} ms old", sent_at - checked_at);
                newest.store(checked_at, Ordering::Relaxed);
            }
            Outcome::Refused(reason) => {
                let age = SystemClock.now().millis() - newest.load(Ordering::Relaxed);
                assert!(reason == "REVOCATION_STALE" && age + CLOCKS > limit, "{reason} at {age} ms");
            }
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}
