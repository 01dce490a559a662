//! The SQL statements that an app has sent.

use super::TestApp;

impl TestApp {
    /// Returns the SQL statements since the last call, without the ends of transactions and the background reads.
    /// Background reads are the feed with the users that it names, the database's clock, the signing keys and the pages
    /// of the sweeper.
    pub fn take_statements(&self) -> Vec<String> {
        let by_itself = |sql: &String| {
            reads(sql, "signing_keys")
                || reads(sql, "users") && sql.contains(" IN (")
                || sql.ends_with(" AS reads_only")
                || sql.ends_with(" AS millis")
                || sql.contains(" ORDER BY ") && sql.contains(" LIMIT ")
        };
        self.take_all_statements().into_iter().filter(|sql| !by_itself(sql)).collect()
    }

    /// Counts the reads of the signing keys since the last call, by a poll or for a request.
    pub fn take_readings_of_keys(&self) -> usize {
        self.take_all_statements().iter().filter(|sql| reads(sql, "signing_keys")).count()
    }

    fn take_all_statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().unwrap())
    }
}

fn reads(sql: &str, table: &str) -> bool {
    ["\"", "`"].iter().any(|quote| sql.contains(&format!("FROM {quote}{table}{quote}")))
}
