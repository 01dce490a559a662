//! The contract of the stores, tested on every database: the rows that each step writes, the steps that it rejects, and
//! the winner of concurrent steps. A new database needs a function of one line and a line in `backends!`.

mod auth_log;
mod feed;
mod keys;
mod linking;
pub(crate) mod sample;
mod sessions;
mod sweep;
mod used_marks;
mod users;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepass::storage::{Database, Observer, Options};

use crate::support::databases::{Backend, TestDatabase};

/// An empty migrated database for one test, and its environment.
pub(crate) struct Store {
    pub(crate) database: Database,
    _kept: Option<TestDatabase>,
}

/// Returns the options of every test database. The timeout is long, since the tests share few processors.
pub(crate) fn options(url: String) -> Options {
    Options { url: url.into(), max_connections: 4, acquire_timeout: Duration::from_mins(1), observer: None }
}

/// Returns the same options, and collects the texts of all later statements.
pub(crate) fn watched(url: String) -> (Options, Arc<Mutex<BTreeSet<String>>>) {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let watcher = Arc::clone(&seen);
    let observer = Observer(Arc::new(move |sql: &str| {
        watcher.lock().unwrap().insert(sql.to_owned());
    }));
    (Options { observer: Some(observer), ..options(url) }, seen)
}

pub(crate) async fn open(url: String) -> Database {
    Database::connect(&options(url)).await.unwrap()
}

pub(crate) fn file_url(file: &Path) -> String {
    format!("sqlite://{}?mode=rwc", file.display())
}

async fn on(backend: Backend) -> Store {
    let kept = TestDatabase::empty(backend).await;
    let database = open(kept.url.clone()).await;
    database.migrate().await.unwrap();
    Store { database, _kept: Some(kept) }
}

async fn sqlite_file() -> Store {
    on(Backend::Sqlite).await
}

async fn sqlite_in_memory() -> Store {
    let database = open("sqlite::memory:".to_owned()).await;
    database.migrate().await.unwrap();
    Store { database, _kept: None }
}

async fn postgres() -> Store {
    on(Backend::Postgres).await
}

async fn mariadb() -> Store {
    on(Backend::Mariadb).await
}

/// Runs `task` concurrently for each number below `count`.
async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(tokio::sync::Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let (gate, task) = (Arc::clone(&gate), task(number));
            tokio::spawn(async move {
                gate.wait().await;
                task.await
            })
        })
        .collect();
    let mut answers = Vec::with_capacity(count);
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

macro_rules! case {
    ([$(#[$when:meta])*] $backend:ident $file:ident $test:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $(#[$when])*
        async fn $test() {
            let store = $crate::storage::store::$backend().await;
            $crate::storage::store::$file::$test(&store.database).await;
        }
    };
}

macro_rules! contract {
    ($when:tt $backend:ident: $($file:ident { $($test:ident),* $(,)? })*) => {
        mod $backend {
            $(mod $file {
                $(case! { $when $backend $file $test })*
            })*
        }
    };
}

macro_rules! backends {
    ($($when:tt $backend:ident),* $(,)?) => {
        $(contract! { $when $backend:
            users {
                a_user_reads_back_as_it_was_written,
                a_user_of_nothing_but_an_id_reads_back,
                a_user_of_the_largest_values_reads_back,
                an_account_reads_back_with_its_user,
                accounts_that_only_look_alike_are_two,
                accounts_of_another_issuer_are_others,
                many_users_are_found_by_their_ids,
                an_unknown_id_or_email_is_not_found,
                only_a_verified_email_finds_its_user,
                emails_that_only_look_alike_are_two,
                linked_providers_are_told_once_each,
                an_update_is_written_with_its_log_and_its_place_in_the_feed,
                an_update_of_an_old_version_writes_nothing,
                an_update_of_an_unknown_user_writes_nothing,
                of_many_updates_of_one_version_one_is_written,
                an_update_never_lowers_an_epoch_that_rose_meanwhile,
                an_update_never_takes_back_a_sign_in,
                an_update_never_moves_the_time_of_creation,
                an_update_that_ends_sessions_ends_those_with_an_open_grant_too,
                a_verified_email_of_another_user_is_refused,
                a_freed_email_can_be_another_users,
            }
            sessions {
                a_sign_up_writes_everything,
                a_session_reads_back_as_it_was_written,
                a_session_of_the_largest_values_reads_back,
                a_conflict_on_the_account_leaves_nothing,
                a_conflict_on_the_email_leaves_nothing,
                a_conflict_on_the_grant_leaves_nothing,
                a_failing_log_row_leaves_nothing,
                a_stale_version_leaves_nothing,
                a_known_request_leaves_nothing,
                a_known_user_gets_another_session,
                a_changed_profile_goes_to_the_feed_and_a_mere_sign_in_does_not,
                of_many_sign_ups_of_one_account_one_is_written,
                of_many_sign_ups_with_one_email_one_is_written,
                of_many_sign_ins_of_one_request_one_is_written,
                a_sign_in_that_was_dropped_half_way_leaves_all_or_nothing,
                a_session_is_found_by_id_grant_and_request,
                a_redemption_reads_back,
                a_redeemed_grant_is_not_redeemed_again,
                a_grant_has_one_winner,
                a_grant_is_dead_at_the_moment_it_expires,
                a_grant_of_an_ended_session_is_dead,
                a_grant_of_nothing_is_dead,
                a_rotation_reads_back,
                a_rotation_from_another_hash_is_refused,
                a_rotation_from_another_version_is_refused,
                a_rotation_of_an_ended_session_is_refused,
                a_rotation_of_a_session_that_ran_out_is_refused,
                a_refused_rotation_logs_nothing,
                a_replay_moves_nothing_on_and_counts,
                a_rotation_has_one_winner,
                a_rotation_and_an_end_leave_an_ended_session,
                a_session_is_ended_once,
                of_many_ends_one_ends_it,
                an_end_before_the_redemption_ends_no_live_session,
                an_end_of_a_session_that_ran_out_ends_no_live_session,
                all_sessions_end_and_the_epoch_rises,
                all_sessions_of_others_go_on,
                all_but_one_end_by_name_and_the_epoch_stays,
                all_end_only_while_the_one_that_asks_is_live,
                the_epoch_rises_without_any_session,
                an_unknown_user_has_no_sessions_to_end,
                of_many_ends_of_all_every_one_raises_the_epoch,
            }
            used_marks {
                a_mark_is_made_once,
                of_many_who_mark_the_same_one_does,
                a_sign_in_that_uses_what_was_used_leaves_nothing,
                of_many_sign_ins_by_the_same_marks_one_is_written,
                a_linking_that_uses_what_was_used_leaves_nothing,
                a_sign_in_that_met_another_writer_used_nothing,
                a_mark_is_swept_when_it_is_over_and_not_before,
                a_request_is_recorded_with_the_mark_of_its_flow,
                of_many_who_record_a_request_or_an_outcome_one_does,
                a_sign_in_is_written_with_its_outcome_or_not_at_all,
                an_account_is_linked_with_its_outcome_or_not_at_all,
            }
            linking {
                a_linked_account_finds_its_user,
                an_account_of_another_user_is_not_linked,
                nothing_is_linked_by_a_session_that_is_not_live,
                what_is_linked_again_takes_over_the_scope_and_uses_up_what_is_left,
                nothing_is_linked_again_that_is_not_the_users,
                nothing_is_linked_again_by_a_session_that_is_not_live,
                many_who_link_the_same_again_all_do,
                of_many_who_link_one_account_one_does,
            }
            auth_log { a_row_is_added, a_row_of_the_same_id_is_refused, many_rows_are_added_at_once }
            keys {
                a_key_reads_back,
                keys_are_told_oldest_first,
                of_many_keys_of_one_generation_one_is_kept,
                a_generation_is_unique_for_its_algorithm_only,
                a_key_id_is_unique,
                a_revoked_key_reads_back_without_its_halves,
                a_change_is_written_with_its_row_and_its_place_in_the_feed,
                a_change_of_a_key_that_changed_meanwhile_writes_nothing,
                of_many_changes_of_the_same_keys_one_is_written,
                a_key_is_sealed_anew_only_while_it_is_as_it_was_read,
                a_revoked_key_never_comes_back_by_sealing_it_anew,
                keys_that_a_later_one_followed_are_swept_and_the_last_never,
            }
            feed {
                an_empty_feed_tells_nothing,
                each_kind_of_entry_reads_back,
                what_is_after_a_place_is_told_in_order,
                places_rise_without_gaps_under_concurrent_writers,
                a_reader_who_saw_a_place_saw_all_before_it,
                a_step_that_failed_takes_no_place,
            }
            sweep {
                nothing_is_swept_of_an_empty_database,
                a_session_goes_when_its_grant_expired_unredeemed,
                a_session_goes_when_it_was_ended,
                a_session_goes_when_it_was_opened_and_would_have_ended_before,
                an_entry_of_the_feed_goes_when_it_need_not_be_remembered,
                an_entry_that_must_be_remembered_for_long_holds_up_no_other,
                a_row_of_the_log_goes_when_it_is_old,
                a_batch_is_no_larger_than_asked,
                many_sweepers_at_once_take_each_row_once_and_nothing_else,
                a_refresh_that_was_acknowledged_is_never_swept,
            }
        })*
    };
}

backends!(
    [] sqlite_file,
    [] sqlite_in_memory,
    [#[ignore = "needs PostgreSQL: just test-databases"]] postgres,
    [#[ignore = "needs MariaDB: just test-databases"]] mariadb,
);

#[tokio::test]
async fn sqlite_keeps_ids_as_16_bytes_and_digests_as_32() {
    use sea_orm::{ConnectionTrait as _, Statement};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepass.db");
    let database = open(file_url(&file)).await;
    database.migrate().await.unwrap();
    sample::redeemed(&database, "ada").await;
    database.close().await;
    let db = sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    for (table, columns, bytes) in [
        ("users", &["id"][..], 16),
        ("users", &["email_key"], 32),
        ("accounts", &["id", "user_id"], 16),
        ("accounts", &["account_key"], 32),
        ("sessions", &["id", "user_id", "account_id"], 16),
        ("sessions", &["grant_hash", "refresh_hash", "salt"], 32),
        ("auth_logs", &["id", "user_id", "session_id"], 16),
    ] {
        for column in columns {
            let sql = format!(
                "SELECT count(*) AS n FROM {table} WHERE {column} IS NOT NULL \
                 AND (typeof({column}) <> 'blob' OR length({column}) <> {bytes})"
            );
            let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
            assert_eq!(row.unwrap().try_get::<i64>("", "n").unwrap(), 0, "{table}.{column}");
        }
    }
}
