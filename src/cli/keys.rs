//! `keys …` and `callers key`.

use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use zeroize::Zeroizing;

use super::output::{print, printed, said};
use crate::app;
use crate::config::Config;
use crate::model::{OsEntropy, SystemClock, random, sha256};

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// List the signing keys.
    List,
    /// Create the next key; it is published for 25 minutes before it signs.
    Rotate {
        /// Sign with it at once, in emergencies; clients that cache the key set may reject its tokens for 25 minutes.
        #[arg(long)]
        now: bool,
    },
    /// Revoke a key; its tokens are rejected from now on. Another key replaces it if it was the signing key.
    Revoke {
        /// The key's id, as printed by `keys list`.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

impl Keys {
    pub(super) async fn run(self, config: &Config) -> ExitCode {
        let clock = Arc::new(SystemClock);
        match self {
            Self::List => list(config).await,
            Self::Rotate { now } => said(app::rotate_keys(config, clock, now).await.map(|line| vec![line])),
            Self::Revoke { kid } => said(app::revoke_key(config, clock, &kid).await),
        }
    }
}

async fn list(config: &Config) -> ExitCode {
    let listed = match app::list_keys(config, Arc::new(SystemClock)).await {
        Ok(listed) => listed,
        Err(fault) => return said(Err(fault)),
    };
    let code = printed(listed.lines);
    listed.fault.map_or(code, |fault| said(Err(fault.into())))
}

/// Makes a caller's key. The hash is of the whole string that follows `Bearer `.
pub(super) fn make_caller_key() -> ExitCode {
    let random = Zeroizing::new(random::<32>(&OsEntropy));
    let key = Zeroizing::new(format!("gpk_{}", *Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()))));
    let hash = hex::encode(sha256(key.as_bytes()));
    let said =
        print(format_args!("key:        {}", *key)).and_then(|()| print(format_args!("key_sha256: {hash}")));
    said.err().unwrap_or(ExitCode::SUCCESS)
}
