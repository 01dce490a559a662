//! The write of a sign-in: user, account, pending session and log row, in one transaction or not at all.

use futures_util::FutureExt;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};

use super::{auth_log, feed, used_marks, user_row};
use crate::model::Revocation;
use crate::storage::commands::{AccountWrite, OpenSession, Opened, UserWrite};
use crate::storage::connection::Pool;
use crate::storage::entity::{account, session, user};
use crate::storage::error::{Duplicate, StoreResult, duplicate, is_deadlock};
use crate::storage::{convert, transaction};

pub(super) async fn open(pool: &Pool, opening: OpenSession) -> StoreResult<Opened> {
    match transaction::write(pool, opening, |tx, opening| insert_all(tx, opening).boxed()).await {
        Ok(opened) => Ok(opened),
        Err(DbErr::RecordNotInserted) => Ok(Opened::Used),
        Err(DbErr::RecordNotUpdated) => Ok(Opened::Conflict),
        Err(error) if used_marks::is_outcome_known(&error) => Ok(Opened::OutcomeKnown),
        Err(error) => match duplicate(&error) {
            Some(Duplicate::Request) => Ok(Opened::RequestKnown),
            Some(Duplicate::Other) => Ok(Opened::Conflict),
            // If several transactions wait for a unique key whose writer rolls back, MariaDB continues one of them and
            // ends the others. A retry of the same rows would wait again; reading again finds the cause of the
            // rollback.
            None if is_deadlock(&error) => Ok(Opened::Conflict),
            None => Err(error.into()),
        },
    }
}

async fn insert_all(tx: &DatabaseTransaction, opening: &OpenSession) -> Result<Opened, DbErr> {
    used_marks::insert_outcome(tx, opening.outcome.as_ref()).await?;
    used_marks::insert(tx, &opening.used).await?;
    let changed = match &opening.user {
        UserWrite::Create(user) => {
            user::Entity::insert(convert::user_row(user)).exec_without_returning(tx).await?;
            None
        }
        UserWrite::Update { user, expected_version } => {
            // A ban, deletion or change of the user in between made another version. Then the decision is void, and the
            // single-use values stay unused.
            if !user_row::update(tx, convert::user_row(user), *expected_version).await? {
                return Err(DbErr::RecordNotUpdated);
            }
            (user.version != *expected_version).then_some(user.id)
        }
    };
    match &opening.account {
        Some(AccountWrite::Create(account)) => {
            account::Entity::insert(convert::account_row(account)).exec_without_returning(tx).await?;
        }
        Some(AccountWrite::Scope { id, scope }) => {
            account::Entity::update_many()
                .col_expr(account::Column::Scope, Expr::value(scope.clone()))
                .filter(account::Column::Id.eq(id.0))
                .exec(tx)
                .await?;
        }
        None => {}
    }
    let session = convert::pending_session_row(&opening.session, opening.ip_address.clone());
    session::Entity::insert(session).exec_without_returning(tx).await?;
    auth_log::insert(tx, opening.log.clone()).await?;
    let revocations: Vec<_> = changed.into_iter().map(|id| Revocation::UserChanged { id }).collect();
    Ok(Opened::Done(feed::append(tx, &revocations, opening.remember_until).await?))
}
