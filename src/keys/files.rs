//! Keys from PEM files: the first signs, all verify, and none changes before the next start.

use std::collections::BTreeSet;
use std::path::PathBuf;

use async_trait::async_trait;

use super::fault::KeysFault;
use crate::auth::ReloadKeys;
use crate::jose::{Algorithm, KeyFault, SigningKey};
use crate::storage::StoreResult;
use crate::tokens::TOKEN_TYPE;

/// A PEM file with a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The key's signing algorithm, if configured; an RSA key itself does not name one.
    pub algorithm: Option<Algorithm>,
}

/// Reads the keys of these files, or returns the fault of each. The first key must be for `algorithm`.
pub fn keys_of_files(algorithm: Algorithm, files: &[KeyFile]) -> Result<Vec<SigningKey>, Vec<KeysFault>> {
    let (mut keys, mut faults) = (Vec::with_capacity(files.len()), Vec::new());
    for read in each(algorithm, files) {
        match read {
            Ok(key) => keys.push(key),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(keys) } else { Err(faults) }
}

fn each(algorithm: Algorithm, files: &[KeyFile]) -> impl Iterator<Item = Result<SigningKey, KeysFault>> {
    let mut kids = BTreeSet::new();
    files.iter().enumerate().map(move |(place, file)| {
        let pem = std::fs::read(&file.path).map(zeroize::Zeroizing::new);
        let pem = pem.map_err(|cause| KeysFault::Unreadable(file.path.clone(), cause))?;
        let wanted = file.algorithm.or_else(|| (place == 0).then_some(algorithm));
        match key_of(&pem, algorithm, wanted) {
            Ok(first) if place == 0 && first.algorithm() != algorithm => Err(KeyFault::OtherKind(algorithm)),
            Ok(again) if !kids.insert(again.kid().to_owned()) => Err(KeyFault::Twice),
            key => key,
        }
        .map_err(|fault| KeysFault::Pem(file.path.clone(), fault))
    })
}

/// Reads the key of a file, beside a key that signs with `signing`. The algorithm of an RSA key is not guessed. A wrong
/// guess would change its published algorithm, and its tokens would be rejected.
fn key_of(pem: &[u8], signing: Algorithm, wanted: Option<Algorithm>) -> Result<SigningKey, KeyFault> {
    let rsa = wanted.into_iter().chain([signing]).find(|algorithm| algorithm.is_rsa());
    let key = SigningKey::from_pem(pem, rsa.unwrap_or(Algorithm::Ps256), TOKEN_TYPE)?;
    match wanted {
        Some(wanted) if key.algorithm() != wanted => Err(KeyFault::OtherKind(wanted)),
        None if rsa.is_none() && key.algorithm().is_rsa() => Err(KeyFault::Unsaid),
        _ => Ok(key),
    }
}

/// Keys that do not change while the program runs.
#[derive(Debug, Clone, Copy)]
pub struct ConstantKeys;

#[async_trait]
impl ReloadKeys for ConstantKeys {
    async fn reload(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn look_for_unknown(&self) -> StoreResult<bool> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Algorithm::{EdDsa, Es256, Ps256, Rs256};

    fn file(name: &str, algorithm: Option<Algorithm>) -> KeyFile {
        let path = format!("{}/tests/it/support/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        KeyFile { path: path.into(), algorithm }
    }

    fn read(algorithm: Algorithm, files: &[KeyFile]) -> Result<Vec<Algorithm>, String> {
        let keys = keys_of_files(algorithm, files).map_err(|faults| faults[0].to_string())?;
        Ok(keys.iter().map(SigningKey::algorithm).collect())
    }

    #[test]
    fn a_key_has_the_algorithm_of_its_kind_or_the_configured_one() {
        let (es, ed) = (file("es256", None), file("eddsa", None));
        let rsa = |algorithm| file("rsa", algorithm);
        for (algorithm, files, wanted) in [
            (Es256, vec![es.clone(), ed.clone()], vec![Es256, EdDsa]),
            (EdDsa, vec![ed, es.clone(), rsa(Some(Rs256))], vec![EdDsa, Es256, Rs256]),
            (Rs256, vec![rsa(None), es.clone()], vec![Rs256, Es256]),
            (Ps256, vec![rsa(None), file("rsa_other", None)], vec![Ps256, Ps256]),
            (Ps256, vec![rsa(None), file("rsa_other", Some(Rs256))], vec![Ps256, Rs256]),
        ] {
            assert_eq!(read(algorithm, &files), Ok(wanted), "{algorithm:?}");
        }
    }

    #[test]
    fn a_duplicate_key_is_rejected_even_with_another_algorithm() {
        for (algorithm, files) in [
            (Es256, [file("es256", None), file("es256", Some(Es256))]),
            (Ps256, [file("rsa", None), file("rsa", Some(Rs256))]),
        ] {
            let report = read(algorithm, &files).unwrap_err();
            assert!(
                report.ends_with("the same key as in another file; remove one, or generate a new key"),
                "{report}"
            );
        }
    }

    #[test]
    fn the_algorithm_of_an_rsa_key_is_not_guessed() {
        let report = read(Es256, &[file("es256", None), file("rsa", None)]).unwrap_err();
        assert!(
            report.ends_with(
                "rsa.pem: an RSA key without an algorithm; write {file: PATH, algorithm: RS256}, or PS256"
            ),
            "{report}"
        );
    }

    #[test]
    fn a_key_that_does_not_fit_its_algorithm_is_rejected() {
        for (algorithm, files) in [
            (Es256, vec![file("eddsa", None)]),
            (Es256, vec![file("rsa", None)]),
            (Es256, vec![file("es256", Some(Rs256))]),
            (Es256, vec![file("eddsa", Some(EdDsa))]),
            (Rs256, vec![file("rsa", Some(Ps256))]),
            (Es256, vec![file("es256", None), file("rsa", Some(Es256))]),
            (Es256, vec![file("es256", None), file("eddsa", Some(Rs256))]),
        ] {
            let report = read(algorithm, &files).unwrap_err();
            assert!(report.contains("not a key for "), "{files:?}: {report}");
        }
    }
}
