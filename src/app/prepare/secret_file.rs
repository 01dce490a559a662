//! The secret that Gatepass generates if none is configured. It is stored beside the database file, readable by its
//! owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::model::{Entropy, random};

/// The reason why the secret cannot be stored or read.
#[derive(Debug)]
pub enum SecretFileFault {
    /// Reading or writing the file failed.
    Io(PathBuf, io::Error),
    /// Other users than the owner may read the file.
    Exposed(PathBuf),
    /// The contents of the file are damaged.
    Damaged(PathBuf),
}

impl std::fmt::Display for SecretFileFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io(path, cause) => write!(f, "{}: {cause}", path.display()),
            Self::Exposed(path) => {
                write!(f, "{0}: is readable by other users; run `chmod 600 {0}`", path.display())
            }
            Self::Damaged(path) => {
                write!(
                    f,
                    "{}: not a secret file written by Gatepass; restore it from a backup",
                    path.display()
                )
            }
        }
    }
}

/// Returns the secret beside the database at this URL, and generates it if it is missing. For an in-memory database,
/// generates a new secret and does not store it.
pub(in crate::app) fn beside(
    url: &SecretString,
    entropy: &dyn Entropy,
) -> Result<SecretString, SecretFileFault> {
    let Some(path) = path_of(url.expose_secret()) else { return Ok(new_secret(entropy)) };
    match read(&path) {
        Err(SecretFileFault::Io(_, cause)) if cause.kind() == io::ErrorKind::NotFound => {
            keep(&path, entropy).map_err(|cause| SecretFileFault::Io(path.clone(), cause))?;
            // If two processes start at once, both read the secret that the first one stored.
            read(&path)
        }
        outcome => outcome,
    }
}

fn path_of(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (file, query) = rest.split_once('?').unwrap_or((rest, ""));
    let in_memory =
        file.is_empty() || file == ":memory:" || query.split('&').any(|pair| pair == "mode=memory");
    (!in_memory).then(|| PathBuf::from(format!("{file}.secret")))
}

fn new_secret(entropy: &dyn Entropy) -> SecretString {
    let bytes = Zeroizing::new(random::<32>(entropy));
    URL_SAFE_NO_PAD.encode(bytes.as_slice()).into()
}

fn read(path: &Path) -> Result<SecretString, SecretFileFault> {
    let io = |cause| SecretFileFault::Io(path.to_owned(), cause);
    if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
        return Err(SecretFileFault::Exposed(path.to_owned()));
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    let secret = text.trim_end();
    if secret.len() == 43 { Ok(secret.into()) } else { Err(SecretFileFault::Damaged(path.to_owned())) }
}

/// Writes the secret to a temporary file and links it to its final name. So it is stored completely or not at all, and
/// never replaces an existing one.
fn keep(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let draft = path.with_extension(format!("secret.{}", URL_SAFE_NO_PAD.encode(random::<9>(entropy))));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = writeln!(file, "{}", new_secret(entropy).expose_secret()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
        Ok(()) | Err(_) => {
            let folder =
                path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OsEntropy;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/g.db?mode=rwc", folder.path().display()).into();
        let first = beside(&url, &OsEntropy).unwrap();
        assert_eq!(beside(&url, &OsEntropy).unwrap().expose_secret(), first.expose_secret());
        let path = folder.path().join("g.db.secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(beside(&url, &OsEntropy), Err(SecretFileFault::Exposed(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "").unwrap();
        assert!(matches!(beside(&url, &OsEntropy), Err(SecretFileFault::Damaged(_))));
    }

    #[test]
    fn a_database_in_memory_keeps_no_secret() {
        for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://x?mode=memory"] {
            assert_eq!(path_of(url), None, "{url}");
        }
        assert_eq!(path_of("sqlite://gatepass.db?mode=rwc"), Some("gatepass.db.secret".into()));
        assert_eq!(path_of("sqlite:a/b.db"), Some("a/b.db.secret".into()));
    }
}
