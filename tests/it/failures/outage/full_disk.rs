//! A full disk under SQLite. Writes are rejected and sessions stay readable. When there is room again, everything
//! continues with all answered changes, in an intact file.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sea_orm::Database;
use tonic_health::pb::health_check_response::ServingStatus;

use super::{as_promised, health, variables};
use crate::support::databases::query;
use crate::support::invariants;
use crate::support::load::{Load, METHODS, STALE_LIMIT, STORED, measured};
use crate::support::program::Serving;
use crate::support::soak::soak;

/// The size of the disk, with room for the database of a minute of load.
const SIZE: &str = "64m";

/// The methods that always write. An end of a session that has already ended needs no write.
const WRITTEN: [&str; 3] = ["RefreshToken", "RevokeUserSessions", "SignIn"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "mounts a file system: just test-databases"]
async fn a_full_disk_refuses_and_room_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let url = format!("sqlite://{}/gatepass.db?mode=rwc", data.display());
    let mut gatepass = Serving::start_in_little_room(folder.path(), SIZE, &variables(&url)).await;
    gatepass.until("ready").await;
    let disk = File::open(gatepass.sees(&data)).unwrap();
    let mut load = Load::begin(&gatepass.channel().await, "load").await;
    load.until("all is well", |load| load.tallies().answered(&METHODS) && load.is_telling()).await;

    let (filler, mut recoveries) = (inside(&disk).join("filler"), Vec::new());
    for _ in 0..soak(1, 15) {
        load.tallies().clear();
        fill(&filler);
        load.until("everything is refused", |load| load.tallies().refused(&WRITTEN)).await;
        measured(&format!("filling:\n{}", load.tallies()));
        load.tallies().clear();
        let full = Instant::now();
        load.until("a while", |_| full.elapsed() > 2 * STALE_LIMIT).await;
        measured(&format!("full:\n{}", load.tallies()));
        assert!(!load.tallies().refused(&["GetSession"]), "news of revocations needs no room");
        assert_eq!(health(&gatepass, "gatepass.v1.AuthService").await, ServingStatus::Serving);

        std::fs::remove_file(&filler).unwrap();
        load.tallies().clear();
        load.until("recovery", |load| load.tallies().answered(&METHODS)).await;
        measured(&format!("room:\n{}", load.tallies()));
        recoveries.push(load.tallies().answered_after(&STORED).0);
    }
    as_promised("a full disk", &mut recoveries);
    let told = load.end().await;
    gatepass.stop().await;

    // The disk is no longer mounted, so another program finds its files in the folder below the mount point.
    for file in std::fs::read_dir(inside(&disk)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), data.join(file.file_name())).unwrap();
    }
    let db = Database::connect(&url).await.unwrap();
    let found: String = query(&db, "PRAGMA integrity_check").await[0].try_get_by_index(0).unwrap();
    assert_eq!(found, "ok");
    let other = Serving::ready(folder.path(), &[], &variables(&url)).await;
    told.check(&other.channel().await).await;
    other.stop().await;
    told.check_log(&db).await;
    invariants::check(&db).await;
}

/// Returns the path of the files of an open folder, even if no other path leads there any more.
fn inside(folder: &File) -> PathBuf {
    Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string())
}

/// Writes until not a single byte is free.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        loop {
            match file.write_all(&vec![0; size]) {
                Ok(()) => {}
                Err(full) if full.kind() == ErrorKind::StorageFull => break,
                Err(other) => panic!("{other}"),
            }
        }
    }
}
