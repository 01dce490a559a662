//! Look-ups of one user, account, session or used mark by a unique key. Such a statement selects every column, and building its
//! text takes as long as reading the row, so each text is built once per database. They have no LIMIT, which unique
//! columns do not need: SQLite would plan again for every bound value.

use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult,
    QueryTrait, Statement, Value,
};

use crate::storage::entity::{account, session, used_mark, user};

/// The texts of the statements.
#[derive(Debug)]
pub(in crate::storage) struct Lookups {
    user_by_id: String,
    user_by_email: String,
    user_by_account: String,
    session_by_id: String,
    session_by_grant: String,
    session_by_request: String,
    used_mark: String,
}

/// A row and its user, if they exist.
type WithUser<M> = Option<(M, user::Model)>;

impl Lookups {
    /// Builds the statements for this dialect.
    pub(in crate::storage) fn new(backend: DbBackend) -> Self {
        // Any value: only its placeholder is in the text.
        let any = Vec::<u8>::new;
        let user = |column: user::Column| user::Entity::find().filter(column.eq(any())).build(backend).sql;
        let session = |column: session::Column| {
            let of_one = session::Entity::find().filter(column.eq(any()));
            of_one.find_also_related(user::Entity).build(backend).sql
        };
        let used_mark = used_mark::Entity::find().filter(used_mark::Column::Mark.eq(any()));
        let of_account = account::Entity::find().filter(account::Column::AccountKey.eq(any()));
        Self {
            user_by_id: user(user::Column::Id),
            user_by_email: user(user::Column::EmailKey),
            user_by_account: of_account.find_also_related(user::Entity).build(backend).sql,
            session_by_id: session(session::Column::Id),
            session_by_grant: session(session::Column::GrantHash),
            session_by_request: session(session::Column::RequestKey),
            used_mark: used_mark.build(backend).sql,
        }
    }

    /// Finds the user with this id.
    pub(in crate::storage) async fn user_by_id(
        &self,
        connection: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<Option<user::Model>, DbErr> {
        one(connection, &self.user_by_id, id.into()).await
    }

    /// Finds the user whose e-mail address has this digest.
    pub(in crate::storage) async fn user_by_email(
        &self,
        connection: &impl ConnectionTrait,
        key: [u8; 32],
    ) -> Result<Option<user::Model>, DbErr> {
        one(connection, &self.user_by_email, bytes(key)).await
    }

    /// Finds the account whose key has this digest.
    pub(in crate::storage) async fn user_by_account(
        &self,
        connection: &impl ConnectionTrait,
        key: [u8; 32],
    ) -> Result<WithUser<account::Model>, DbErr> {
        with_user(connection, &self.user_by_account, bytes(key)).await
    }

    /// Finds the session with this id.
    pub(in crate::storage) async fn session_by_id(
        &self,
        connection: &impl ConnectionTrait,
        id: Uuid,
    ) -> Result<WithUser<session::Model>, DbErr> {
        with_user(connection, &self.session_by_id, id.into()).await
    }

    /// Finds the session of the grant with this hash.
    pub(in crate::storage) async fn session_by_grant(
        &self,
        connection: &impl ConnectionTrait,
        hash: [u8; 32],
    ) -> Result<WithUser<session::Model>, DbErr> {
        with_user(connection, &self.session_by_grant, bytes(hash)).await
    }

    /// Finds the session that the request with this key opened.
    pub(in crate::storage) async fn session_by_request(
        &self,
        connection: &impl ConnectionTrait,
        key: [u8; 32],
    ) -> Result<WithUser<session::Model>, DbErr> {
        with_user(connection, &self.session_by_request, bytes(key)).await
    }

    /// Finds the mark with this key.
    pub(in crate::storage) async fn used_mark(
        &self,
        connection: &impl ConnectionTrait,
        key: [u8; 32],
    ) -> Result<Option<used_mark::Model>, DbErr> {
        one(connection, &self.used_mark, bytes(key)).await
    }
}

fn bytes(key: [u8; 32]) -> Value {
    key.to_vec().into()
}

async fn one<M: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    value: Value,
) -> Result<Option<M>, DbErr> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, [value]);
    M::find_by_statement(statement).one(connection).await
}

async fn with_user<M: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    value: Value,
) -> Result<WithUser<M>, DbErr> {
    let found = one::<Both<M>>(connection, sql, value).await?;
    Ok(found.and_then(|Both(row, user)| Some((row, user?))))
}

/// Two entities in one row, with the column names that sea-orm gives them.
struct Both<M>(M, Option<user::Model>);

impl<M: FromQueryResult> FromQueryResult for Both<M> {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        Ok(Self(M::from_query_result(row, "A_")?, Option::from_query_result(row, "B_")?))
    }
}
