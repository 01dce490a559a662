//! Many concurrent redemptions of one grant: one succeeds, and every call with the same request id gets its answer.

use gatepass::grpc::proto::v1::Rotation;

use super::pair::Pair;
use crate::support::crowd::at_once;
use crate::support::databases::Backend;
use crate::support::soak::soak;
use crate::support::{allowed, profile, reason};

const AT_ONCE: usize = 50;

crate::on_all!(
    a_grant_redeemed_at_once_everywhere_has_one_winner,
    a_named_redemption_is_answered_alike_everywhere
);

async fn a_grant_redeemed_at_once_everywhere_has_one_winner(backend: Backend) {
    let pair = Pair::on(backend).await;
    for number in 0..soak(4, 50) {
        let signed_in = pair.replica(number).sign_in(profile(&format!("p{number}"))).await;
        let grant = allowed(signed_in).grant.unwrap();
        let redeem = |call| {
            let (replica, grant) = (pair.replica(call), grant.clone());
            async move { replica.issue(&grant, "").await }
        };
        let (won, lost): (Vec<_>, Vec<_>) =
            at_once(AT_ONCE, redeem).await.into_iter().partition(Result::is_ok);
        assert_eq!([won.len(), lost.len()], [1, AT_ONCE - 1]);
        assert!(lost.into_iter().all(|answer| reason(answer) == "GRANT_USED"));
        let winner = won.into_iter().next().unwrap().unwrap();
        pair.replica(number).refresh(&winner.refresh_token).await.unwrap();
    }
    pair.finish().await;
}

async fn a_named_redemption_is_answered_alike_everywhere(backend: Backend) {
    let pair = Pair::on(backend).await;
    for number in 0..soak(4, 50) {
        let signed_in = pair.replica(number).sign_in(profile(&format!("p{number}"))).await;
        let (grant, name) = (allowed(signed_in).grant.unwrap(), format!("{number:032x}"));
        let redeem = |call| {
            let (replica, grant, name) = (pair.replica(call), grant.clone(), name.clone());
            async move { replica.issue(&grant, &name).await.unwrap() }
        };
        let answers = at_once(AT_ONCE, redeem).await;
        let told = |rotation| answers.iter().filter(|answer| answer.rotation() == rotation).count();
        assert_eq!([told(Rotation::Issued), told(Rotation::Replayed)], [1, AT_ONCE - 1]);
        assert!(answers.iter().all(|answer| answer.refresh_token == answers[0].refresh_token));
    }
    pair.finish().await;
}
