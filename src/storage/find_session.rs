//! A session with its user, in one statement. It selects every column of both, and making its text takes as long as reading
//! the rows does: so its texts are made once for each database.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryResult,
    QueryTrait, Statement, Value,
};

use super::entity::{session, user};
use super::pool::Pool;

/// The columns that name one session.
const UNIQUE: [session::Column; 3] =
    [session::Column::Id, session::Column::GrantHash, session::Column::RequestKey];

/// The statements' texts, in the order of the columns.
#[derive(Debug)]
pub(super) struct FindSession([String; UNIQUE.len()]);

/// What is found. The names of its columns are those that sea-orm gives to two entities in one statement.
struct Found(session::Model, Option<user::Model>);

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        let session = session::Model::from_query_result(row, "A_")?;
        Ok(Self(session, Option::from_query_result(row, "B_")?))
    }
}

impl FindSession {
    /// The statements in this dialect.
    pub(super) fn new(backend: DbBackend) -> Self {
        Self(UNIQUE.map(|column| {
            // Any value: only its place is in the text.
            let of_one = session::Entity::find().filter(column.eq(Vec::<u8>::new()));
            of_one.find_also_related(user::Entity).build(backend).sql
        }))
    }

    /// The session whose id this is.
    pub(super) async fn by_id(&self, pool: &Pool, id: sea_orm::prelude::Uuid) -> Result<Rows, DbErr> {
        self.find(0, pool, id.into()).await
    }

    /// The session of the grant with this hash.
    pub(super) async fn by_grant(&self, pool: &Pool, hash: [u8; 32]) -> Result<Rows, DbErr> {
        self.find(1, pool, hash.to_vec().into()).await
    }

    /// The session that the request with this key opened.
    pub(super) async fn by_request(&self, pool: &Pool, key: [u8; 32]) -> Result<Rows, DbErr> {
        self.find(2, pool, key.to_vec().into()).await
    }

    async fn find(&self, place: usize, pool: &Pool, value: Value) -> Result<Rows, DbErr> {
        let backend = pool.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, &self.0[place], [value]);
        let found = Found::find_by_statement(statement).one(pool).await?;
        Ok(found.and_then(|Found(session, user)| Some((session, user?))))
    }
}

/// A session's row and its user's, if they are there.
type Rows = Option<(session::Model, user::Model)>;
