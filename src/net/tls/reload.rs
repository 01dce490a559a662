//! The files of one side of TLS, and their replacement while connections live. Their content is compared, since a
//! mounted Secret changes by a symbolic link, which dates and inodes do not show. New connections use the new files. If
//! they are invalid, the old ones stay in use and loading is retried.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::pem::{Pem, TlsFault};
use crate::model::{Clock, digest_of};

/// The pause between two reads of the files.
pub(super) const POLL: Duration = Duration::from_secs(2);

/// The files of one side, as configured.
pub(super) trait Files: Clone + Send + Sync + 'static {
    /// The configuration made from the files.
    type Made: Send + Sync + 'static;

    /// Returns each file, with the key of its setting.
    fn paths(&self) -> [(&'static str, Option<&Path>); 3];

    /// Makes the configuration from the files in that order, each present if its path is. The peer's certificate must
    /// be valid by this clock; `setting` contains all of them.
    fn make(setting: &str, pems: [Option<Pem>; 3], clock: Arc<dyn Clock>) -> Result<Self::Made, TlsFault>;
}

/// The configuration made from the last valid version of the files.
pub(super) struct Reloading<F: Files> {
    setting: &'static str,
    files: F,
    clock: Arc<dyn Clock>,
    in_use: ArcSwap<InUse<F::Made>>,
    asked: Notify,
}

struct InUse<T> {
    made: Arc<T>,
    /// The digest that detects a change.
    digest: [u8; 32],
}

impl<F: Files> Reloading<F> {
    /// Reads the files of this setting. If that fails, returns every fault: of each unreadable file, or else of their
    /// content.
    pub(super) fn load(
        setting: &'static str,
        files: F,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Vec<TlsFault>> {
        let (made, digest) =
            make(setting, &files, &clock).map_err(|fault| all_faults(setting, &files, fault))?;
        let in_use = ArcSwap::from_pointee(InUse { made: Arc::new(made), digest });
        Ok(Self { setting, files, clock, in_use, asked: Notify::new() })
    }

    /// Returns the files, as configured.
    pub(super) fn files(&self) -> &F {
        &self.files
    }

    /// Returns the configuration for new connections.
    pub(super) fn in_use(&self) -> Arc<F::Made> {
        Arc::clone(&self.in_use.load().made)
    }

    /// Requests an immediate read of the files.
    pub(super) fn reload(&self) {
        self.asked.notify_one();
    }

    /// Follows the files forever, and reports after each read if they were replaced.
    pub(super) async fn follow(&self, mut after: impl FnMut(bool) + Send) {
        let mut told = None;
        loop {
            let asked = tokio::time::timeout(POLL, self.asked.notified()).await.is_ok();
            let changed = match self.refresh().await {
                Ok(changed) => {
                    if !changed && (asked || told.is_some()) {
                        tracing::info!("TLS files unchanged");
                    }
                    told = None;
                    changed
                }
                Err(fault) => {
                    if asked || told.as_ref() != Some(&fault) {
                        tell(&fault);
                    }
                    told = Some(fault);
                    false
                }
            };
            after(changed);
        }
    }

    /// Reads the files for one connection, and logs invalid ones.
    pub(super) async fn refreshed(&self) -> Arc<F::Made> {
        if let Err(fault) = self.refresh().await {
            tell(&fault);
        }
        self.in_use()
    }

    /// Loads the files if they differ from those in use; returns true if they do.
    async fn refresh(&self) -> Result<bool, TlsFault> {
        let (setting, files, clock) = (self.setting, self.files.clone(), Arc::clone(&self.clock));
        let in_use = self.in_use.load().digest;
        let read = tokio::task::spawn_blocking(move || {
            let pems = read(setting, &files)?;
            let digest = digest(&pems);
            if digest == in_use {
                return Ok(None);
            }
            let made = Arc::new(F::make(setting, pems, clock)?);
            Ok(Some(InUse { made, digest }))
        });
        // The task ends early only with the runtime.
        let changed = read.await.unwrap_or(Ok(None))?;
        let is_changed = changed.is_some();
        if let Some(changed) = changed {
            self.in_use.store(Arc::new(changed));
        }
        Ok(is_changed)
    }
}

fn tell(fault: &TlsFault) {
    tracing::error!(%fault, "failed to reload TLS files; keeping the previous certificate");
}

fn make<F: Files>(setting: &str, files: &F, clock: &Arc<dyn Clock>) -> Result<(F::Made, [u8; 32]), TlsFault> {
    let pems = read(setting, files)?;
    let digest = digest(&pems);
    Ok((F::make(setting, pems, Arc::clone(clock))?, digest))
}

/// Returns every fault of files that could not be loaded because of `fault`.
fn all_faults<F: Files>(setting: &str, files: &F, fault: TlsFault) -> Vec<TlsFault> {
    let paths = files.paths().into_iter();
    let unreadable: Vec<_> = paths.filter_map(|(key, path)| of(setting, key, path?).err()).collect();
    if unreadable.is_empty() { vec![fault] } else { unreadable }
}

fn of(setting: &str, key: &str, path: &Path) -> Result<Pem, TlsFault> {
    Pem::read(format!("{setting}.{key}"), path)
}

fn read<F: Files>(setting: &str, files: &F) -> Result<[Option<Pem>; 3], TlsFault> {
    let [first, second, third] =
        files.paths().map(|(key, path)| path.map(|path| of(setting, key, path)).transpose());
    Ok([first?, second?, third?])
}

fn digest(pems: &[Option<Pem>; 3]) -> [u8; 32] {
    let parts = pems.each_ref().map(|pem| pem.as_ref().map_or(&b""[..], Pem::bytes));
    digest_of(b"gatepass tls files", &parts)
}
