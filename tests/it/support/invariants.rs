//! Invariants of a database that hold after any concurrent calls, crashes and aborts: each step is written completely
//! or not at all. Each query counts rows that must not exist. They need a complete feed and log, so they hold only
//! while nothing has been swept, as in the first hour.

use sea_orm::DatabaseConnection;

use super::databases::query;

const NEVER: [(&str, &str); 20] = [
    (
        "a redeemed session without a live refresh token, or the other way round",
        "SELECT count(*) FROM sessions WHERE (redeemed_at IS NULL) <> (refresh_hash IS NULL)",
    ),
    (
        "one refresh token that is live in two sessions",
        "SELECT count(refresh_hash) - count(DISTINCT refresh_hash) FROM sessions",
    ),
    (
        "a live refresh token that was spent",
        "SELECT count(*) FROM sessions a JOIN sessions b ON a.refresh_hash = b.previous_hash",
    ),
    (
        "a predecessor of a first refresh token, or none of a later one",
        "SELECT count(*) FROM sessions WHERE (generation = 0) <> (previous_hash IS NULL)",
    ),
    ("a refresh that was not counted", "SELECT count(*) FROM sessions WHERE refresh_count < generation"),
    (
        "an end without its reason or its time",
        "SELECT count(*) FROM sessions WHERE (ended_at IS NULL) <> (end_reason IS NULL)",
    ),
    (
        "a pending record that is of no use any more",
        "SELECT count(*) FROM sessions WHERE pending IS NOT NULL AND (redeemed_at IS NOT NULL OR ended_at IS NOT NULL)",
    ),
    (
        "a session that goes on below its user's epoch",
        "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.epoch < u.epoch AND s.ended_at IS NULL",
    ),
    (
        "a session above its user's epoch",
        "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.epoch > u.epoch",
    ),
    (
        "a banned user's session that goes on",
        "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE u.banned AND u.ban_expires_at IS NULL AND s.ended_at IS NULL",
    ),
    (
        "an end that the feed does not tell of",
        "SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.ended_at IS NOT NULL \
         AND s.epoch = u.epoch AND NOT EXISTS (SELECT 1 FROM revocations r WHERE r.subject = s.id)",
    ),
    (
        "a session of another user's account",
        "SELECT count(*) FROM sessions s LEFT JOIN accounts a ON a.id = s.account_id AND a.user_id = s.user_id \
         WHERE a.id IS NULL",
    ),
    (
        "a user without an account",
        "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.user_id = u.id)",
    ),
    (
        "a sign-up without its row in the log, or the other way round",
        "SELECT (SELECT count(*) FROM users) - (SELECT count(*) FROM auth_logs WHERE action = 'SIGN_UP')",
    ),
    (
        "a redemption without its row in the log, or the other way round",
        "SELECT (SELECT count(*) FROM sessions WHERE redeemed_at IS NOT NULL) \
         - (SELECT count(DISTINCT session_id) FROM auth_logs WHERE action = 'TOKEN_ISSUED')",
    ),
    (
        "a grant that was redeemed twice",
        "SELECT count(*) - count(DISTINCT session_id) FROM auth_logs WHERE action = 'TOKEN_ISSUED'",
    ),
    (
        "a gap in the feed, or a place beyond its counter",
        "SELECT abs(c.seq - (SELECT count(*) FROM revocations WHERE seq >= 1)) \
         + abs(c.seq - coalesce((SELECT max(seq) FROM revocations), 0)) FROM revocation_counter c",
    ),
    (
        "an epoch that the feed tells of after a higher one",
        "SELECT count(*) FROM revocations a JOIN revocations b ON b.subject = a.subject \
         WHERE a.seq < b.seq AND a.min_epoch >= b.min_epoch",
    ),
    (
        "an epoch that the feed tells of and the user has not",
        "SELECT count(*) FROM revocations r JOIN users u ON u.id = r.subject WHERE r.min_epoch > u.epoch",
    ),
    (
        "an epoch that the feed does not tell of",
        "SELECT count(*) FROM users u \
         WHERE u.epoch <> (SELECT count(r.min_epoch) FROM revocations r WHERE r.subject = u.id)",
    ),
];

/// Runs every query and fails if one finds a row.
pub async fn check(db: &DatabaseConnection) {
    let mut found = Vec::new();
    for (what, sql) in NEVER {
        let count: i64 = query(db, sql).await[0].try_get_by_index(0).unwrap();
        if count != 0 {
            found.push(format!("{what}: {count}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
