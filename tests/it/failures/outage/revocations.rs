//! A revocation is never acknowledged if the database did not commit it. The test cuts the network at any moment, and
//! checks each OK with another Gatepass that knows only the database.

use std::time::{Duration, Instant};

use gatepass::grpc::proto::v1::{
    GetSessionRequest, IssueTokenRequest, IssueTokenResponse, RefreshTokenRequest, RevokeSessionRequest,
    RevokeUserSessionsRequest, SignOutRequest, UpdateUserRequest, User, get_session_request,
    sign_out_request,
};
use gatepass::model::{OsEntropy, random};
use tonic::{Code, Status};

use super::{NEVER, serving};
use crate::support::load::measured;
use crate::support::program::Serving;
use crate::support::servers::{Kind, PrivateServer};
use crate::support::soak::soak;
use crate::support::wire::Wire;
use crate::support::{allowed, profile, reason, refusal};

crate::on_servers! { of crate::support::servers::Kind: what_is_acknowledged_is_written }

/// The number of cuts for each operation.
const CUTS: usize = 6;

/// Half of the duration of a statement, so that a random moment can hit any of them.
const DELAY: Duration = Duration::from_millis(3);

/// More than the duration of any of the calls over that proxy.
const LONGEST: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy)]
enum Revocation {
    RevokeSession,
    RevokeUserSessions,
    SignOut,
    Ban,
}

impl Revocation {
    const ALL: [Self; 4] = [Self::RevokeSession, Self::RevokeUserSessions, Self::SignOut, Self::Ban];

    async fn of(self, person: &Person, gatepass: &Serving) -> Result<(), Status> {
        let (mut auth, mut admin) = (gatepass.auth().await, gatepass.admin().await);
        let (session_id, user_id) = (person.session_id.clone(), person.user_id.clone());
        match self {
            Self::RevokeSession => admin.revoke_session(RevokeSessionRequest { session_id }).await.map(drop),
            Self::RevokeUserSessions => {
                admin.revoke_user_sessions(RevokeUserSessionsRequest { user_id }).await.map(drop)
            }
            Self::SignOut => {
                let credential = Some(sign_out_request::Credential::AccessToken(person.access_token.clone()));
                auth.sign_out(SignOutRequest { credential, ..Default::default() }).await.map(drop)
            }
            Self::Ban => {
                let user = Some(User { id: user_id, banned: true, ..Default::default() });
                let update_mask = Some(prost_types::FieldMask { paths: vec!["banned".to_owned()] });
                admin.update_user(UpdateUserRequest { user, update_mask }).await.map(drop)
            }
        }
    }
}

/// A signed-in person.
struct Person {
    session_id: String,
    user_id: String,
    access_token: String,
    refresh_token: String,
}

impl Person {
    /// Signs a person in, once calls reach the database again.
    async fn signed_in(gatepass: &Serving, who: &str) -> Self {
        let begun = Instant::now();
        loop {
            match Self::try_signed_in(gatepass, who).await {
                Ok(person) => return person,
                Err(refused) => assert_eq!(reason::<()>(Err(refused)), "STORE_UNAVAILABLE"),
            }
            assert!(begun.elapsed() < NEVER, "it does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn try_signed_in(gatepass: &Serving, who: &str) -> Result<Self, Status> {
        let mut auth = gatepass.auth().await;
        let signed_in = allowed(Ok(auth.sign_in(profile(who)).await?));
        let request = IssueTokenRequest { grant: signed_in.grant.unwrap(), ..Default::default() };
        let IssueTokenResponse { access_token, refresh_token, session, .. } =
            auth.issue_token(request).await?.into_inner();
        let (session_id, user_id) = (session.unwrap().id.unwrap(), signed_in.user.unwrap().id);
        Ok(Self { session_id, user_id, access_token, refresh_token })
    }

    /// Checks with a Gatepass, in both ways, that the session has ended.
    async fn assert_ended(self, gatepass: &Serving, how: Revocation) {
        let wanted = match how {
            Revocation::Ban => "USER_BANNED",
            Revocation::RevokeSession | Revocation::RevokeUserSessions | Revocation::SignOut => {
                "SESSION_REVOKED"
            }
        };
        let mut auth = gatepass.auth().await;
        let credential = Some(get_session_request::Credential::AccessToken(self.access_token));
        let read = auth.get_session(GetSessionRequest { credential, ..Default::default() }).await;
        assert_eq!(reason(read), wanted, "{how:?}");
        let refresh = RefreshTokenRequest { refresh_token: self.refresh_token, ..Default::default() };
        assert_eq!(reason(auth.refresh_token(refresh).await), wanted, "{how:?}");
    }
}

/// Disturbs the network.
async fn trouble(wire: &Wire, round: usize) {
    match round {
        0 => {}
        1 => wire.cut(),
        _ => {
            // The moment of the cut is random; nothing is awaited.
            let part = f64::from(u16::from_le_bytes(random(&OsEntropy))) / f64::from(u16::MAX);
            tokio::time::sleep(LONGEST.mul_f64(part)).await;
            wire.reset();
        }
    }
}

async fn what_is_acknowledged_is_written(kind: Kind) {
    let server = PrivateServer::of(kind).await;
    let wire = Wire::to(server.addr).await;
    let folder = tempfile::tempdir().unwrap();
    let gatepass = serving(&folder, &server.url_at(wire.addr)).await;
    let (mut acknowledged, mut failed) = (Vec::new(), 0);
    for round in 0..soak(CUTS, 10 * CUTS) {
        for how in Revocation::ALL {
            let person = Person::signed_in(&gatepass, &format!("{how:?}-{round}").to_lowercase()).await;
            wire.delay(DELAY);
            let (answer, ()) = tokio::join!(how.of(&person, &gatepass), trouble(&wire, round));
            wire.heal();
            match answer {
                Ok(()) => acknowledged.push((how, person)),
                Err(refused) => {
                    let wanted = (Code::Unavailable, "STORE_UNAVAILABLE".to_owned());
                    assert_eq!(refusal::<()>(Err(refused)), wanted);
                    failed += 1;
                }
            }
        }
    }
    measured(&format!("{kind:?}: {} revocations acknowledged, {failed} failed", acknowledged.len()));
    assert!(acknowledged.len() >= 4 && failed >= 4);
    gatepass.stop().await;
    let other = serving(&folder, &server.url()).await;
    for (how, person) in acknowledged {
        person.assert_ended(&other, how).await;
    }
    other.stop().await;
}
