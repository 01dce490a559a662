//! Rows as the service would write them, in bulk: each database generates them itself.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend};

use crate::storage::store::sample::NOW;

/// The age of the oldest row. The newest row is written now.
pub(crate) const DAYS: u64 = 80;

/// The SQL expressions that differ between databases.
struct Dialect {
    series: String,
    id: &'static str,
    digest: fn(&str) -> String,
    before: &'static str,
    after: &'static str,
}

fn dialect(backend: DbBackend, rows: u64) -> Dialect {
    match backend {
        DbBackend::Postgres => Dialect {
            series: format!("SELECT n FROM generate_series(CAST(1 AS bigint), {rows}) AS s(n)"),
            id: "CAST(concat(lpad(to_hex(t), 12, '0'), '70008', lpad(to_hex(n), 15, '0')) AS uuid)",
            digest: |of| format!("sha256(CAST(concat('{of}', n) AS bytea))"),
            before: "SELECT 1",
            after: "VACUUM ANALYZE",
        },
        DbBackend::MySql => Dialect {
            series: format!("SELECT seq AS n FROM seq_1_to_{rows}"),
            id: "unhex(concat(lpad(hex(t), 12, '0'), '70008', lpad(hex(n), 15, '0')))",
            digest: |of| format!("unhex(sha2(concat('{of}', n), 256))"),
            before: "SET unique_checks = 0, foreign_key_checks = 0",
            after: "ANALYZE TABLE users, accounts, sessions, auth_logs, revocations, used_marks",
        },
        // The service never runs ANALYZE on SQLite, so this test does not either.
        _ => Dialect {
            series: format!(
                "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) SELECT n FROM s"
            ),
            id: "unhex(printf('%012x70008%015x', t, n))",
            digest: |_| "randomblob(32)".to_owned(),
            before: "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000",
            after: "PRAGMA wal_checkpoint(TRUNCATE)",
        },
    }
}

/// Inserts this number of users, accounts, sessions, log rows and marks, and a tenth of it into the feed. Of twenty
/// sessions two have ended, and the grant of a third was never redeemed.
pub(crate) async fn fill(db: &DatabaseConnection, rows: u64) {
    let Dialect { series, id, digest, before, after } = dialect(db.get_database_backend(), rows);
    let now = NOW.millis();
    let step = DAYS * 24 * 3_600_000 / rows;
    let first = now - i64::try_from(step * rows).unwrap();
    let from = format!("FROM (SELECT n, {first} + n * {step} AS t FROM ({series}) AS numbers) AS s");
    let run = async |sql: &str| db.execute_unprepared(sql).await.map(drop).unwrap();
    run(before).await;
    let email = "concat('person-', n, '@example.org')";
    run(&format!(
        "INSERT INTO users (id, email, email_key, email_verified, name, role, banned, epoch, version, created_at, \
         updated_at, last_sign_in_at) \
         SELECT {id}, {email}, {}, TRUE, concat('Person ', n), 'user', FALSE, 0, 1, t, t, t {from}",
        digest("email")
    ))
    .await;
    run(&format!(
        "INSERT INTO accounts (id, user_id, account_key, provider, provider_account_id, issuer, kind, created_at) \
         SELECT {id}, {id}, {}, 'github', concat('', n), '', 'profile', t {from}",
        digest("account")
    ))
    .await;
    let redeemed = |what: &str| format!("CASE WHEN n % 20 <> 2 THEN {what} END");
    run(&format!(
        "INSERT INTO sessions (id, user_id, account_id, provider, caller_group, epoch, authenticated_at, expires_at, \
         ended_at, end_reason, grant_hash, grant_expires_at, redeemed_at, refresh_hash, generation, salt, rotated_at, \
         audiences, claims, version, refresh_count, ip_address) \
         SELECT {id}, {id}, {id}, 'github', 'web', 0, t, t + 2592000000, \
         CASE WHEN n % 20 < 2 THEN t + 1000 END, CASE WHEN n % 20 < 2 THEN 'SIGNED_OUT' END, {}, t + 60000, {}, {}, 0, \
         {}, {}, '[\"gatepass\"]', '{{}}', 1, 0, '192.0.2.7' {from}",
        digest("grant"),
        redeemed("t"),
        redeemed(&digest("refresh")),
        redeemed(&digest("salt")),
        redeemed("t"),
    ))
    .await;
    run(&format!(
        "INSERT INTO auth_logs (id, created_at, action, outcome, user_id, email, provider, session_id, caller, \
         ip_address, user_agent, request_id) \
         SELECT {id}, t, 'SIGN_IN', 'SUCCESS', {id}, {email}, 'github', {id}, 'web', '192.0.2.7', 'a browser', \
         concat('request-', n) {from}"
    ))
    .await;
    run(&format!("INSERT INTO used_marks (mark, expires_at) SELECT {}, t {from}", digest("mark"))).await;
    let places = "(SELECT seq FROM revocation_counter)";
    run(&format!(
        "INSERT INTO revocations (seq, kind, subject, min_epoch, reason, until) \
         SELECT {places} + n, 'USER', {id}, 1, 'REVOKED', t {from} WHERE n <= {}",
        rows / 10
    ))
    .await;
    run(&format!("UPDATE revocation_counter SET seq = seq + {}", rows / 10)).await;
    run(after).await;
}
