//! The rows of an app's database, read and changed past the app.

use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::TestApp;

/// Reads.
impl TestApp {
    /// Returns the rows of a query, each column as text: bytes and ids in upper-case hexadecimal, null as an empty
    /// text.
    pub async fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let db = self.place.database.connect().await;
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
        let texts =
            |row: &sea_orm::QueryResult| (0..row.column_names().len()).map(|at| text(row, at)).collect();
        rows.iter().map(texts).collect()
    }

    /// Returns the auth log, oldest first: `ACTION OUTCOME REASON`.
    pub async fn log(&self) -> Vec<String> {
        let sql = "SELECT action || ' ' || outcome || ' ' || coalesce(reason, '') AS line FROM auth_logs ORDER BY rowid";
        let rows = self.query(sql).await;
        rows.into_iter().map(|mut row| row.remove(0).trim_end().to_owned()).collect()
    }

    /// Counts the users, accounts and sessions.
    pub async fn counts(&self) -> [u32; 3] {
        let sql = "SELECT (SELECT count(*) FROM users) AS users, \
                   (SELECT count(*) FROM accounts) AS accounts, \
                   (SELECT count(*) FROM sessions) AS sessions";
        let row = self.query(sql).await.remove(0);
        [0, 1, 2].map(|column| row[column].parse().unwrap())
    }

    /// Returns the ids of the sessions, oldest first.
    pub async fn session_ids(&self) -> Vec<String> {
        let rows = self.query("SELECT id AS id FROM sessions ORDER BY rowid").await;
        rows.iter().map(|row| Uuid::parse_str(&row[0]).unwrap().to_string()).collect()
    }
}

/// Changes.
impl TestApp {
    /// Changes every row of a table by these assignments.
    pub async fn set(&self, table: &str, assignments: &str) {
        self.execute(&format!("UPDATE {table} SET {assignments}")).await;
    }

    /// Changes the row with this id.
    pub async fn set_one(&self, table: &str, id: &str, assignments: &str) {
        let id = self.place.database.id(id);
        self.execute(&format!("UPDATE {table} SET {assignments} WHERE id = {id}")).await;
    }

    /// Deletes every row of a table.
    pub async fn empty(&self, table: &str) {
        self.execute(&format!("DELETE FROM {table}")).await;
    }

    /// Deletes all feed rows after this sequence number, as if the database had never had them.
    pub async fn lose_feed_after(&self, place: i64) {
        self.execute(&format!("DELETE FROM revocations WHERE seq > {place}")).await;
        self.set("revocation_counter", &format!("seq = {place}")).await;
    }

    /// Adds rows to the feed: `VALUES` or a query with the columns of a feed row.
    pub async fn add_to_feed(&self, rows: &str) {
        let columns = "seq, kind, subject, min_epoch, reason, until";
        self.execute(&format!("INSERT INTO revocations ({columns}) {rows}")).await;
    }

    /// Takes a table away, so that every statement on it fails.
    pub async fn hide(&self, table: &str) {
        self.execute(&format!("ALTER TABLE {table} RENAME TO away")).await;
    }

    /// Puts a hidden table back.
    pub async fn unhide(&self, table: &str) {
        self.execute(&format!("ALTER TABLE away RENAME TO {table}")).await;
    }

    /// Runs a statement.
    pub async fn execute(&self, sql: &str) {
        self.place.database.execute(sql).await;
    }
}

/// Converts a column of any type and database to text.
fn text(row: &sea_orm::QueryResult, at: usize) -> String {
    if let Ok(text) = row.try_get_by_index::<Option<String>>(at) {
        return text.unwrap_or_default();
    }
    if let Ok(number) = row.try_get_by_index::<Option<i64>>(at) {
        return number.map(|number| number.to_string()).unwrap_or_default();
    }
    if let Ok(yes) = row.try_get_by_index::<Option<bool>>(at) {
        return yes.map(|yes| u8::from(yes).to_string()).unwrap_or_default();
    }
    let bytes = row
        .try_get_by_index::<Option<sea_orm::prelude::Uuid>>(at)
        .map(|id| id.map(|id| id.as_bytes().to_vec()))
        .or_else(|_| row.try_get_by_index::<Option<Vec<u8>>>(at));
    bytes.unwrap().map(hex::encode_upper).unwrap_or_default()
}
