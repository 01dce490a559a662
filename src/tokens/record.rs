//! The record of a managed signing key. Both halves are sealed together, bound to name, algorithm and time. So a writer
//! of the database can neither insert a key nor change its time.

use zeroize::Zeroizing;

use super::limits::TOKEN_TYPE;
use super::seal::{self, Purpose};
use super::secrets::Secrets;
use crate::jose::{Algorithm, KeyFault, SigningKey, generate_pem};
use crate::model::{Entropy, KeyRecord, Timestamp};

impl SigningKey {
    /// Creates a key of this generation and its sealed record.
    pub fn make(
        secrets: &Secrets,
        entropy: &dyn Entropy,
        algorithm: Algorithm,
        generation: i64,
        [created_at, not_before]: [Timestamp; 2],
    ) -> Result<(Self, KeyRecord), KeyFault> {
        let pem = Zeroizing::new(generate_pem(algorithm).ok_or(KeyFault::NotMade)?);
        let key = Self::of_kind(pem.as_bytes(), algorithm, TOKEN_TYPE).ok_or(KeyFault::NotMade)?;
        let record = KeyRecord {
            kid: key.kid().to_owned(),
            algorithm: algorithm.name().to_owned(),
            generation,
            not_before,
            created_at,
            sealed: None,
        };
        Ok((key, sealed(secrets, entropy, record, pem.as_bytes())?))
    }

    /// Opens a record, if its columns are those that it was sealed with.
    pub fn open(secrets: &Secrets, record: &KeyRecord) -> Result<Self, KeyFault> {
        let algorithm = Algorithm::of_ours(&record.algorithm).ok_or(KeyFault::Sealed)?;
        let pem = opened(secrets, record)?;
        let key = Self::of_kind(&pem, algorithm, TOKEN_TYPE).filter(|key| key.kid() == record.kid);
        key.ok_or(KeyFault::OtherKind(algorithm))
    }

    /// Creates a record of the same key, sealed with the current secret, with a new `not_before`.
    pub fn reseal(
        secrets: &Secrets,
        entropy: &dyn Entropy,
        record: &KeyRecord,
        not_before: Timestamp,
    ) -> Result<KeyRecord, KeyFault> {
        let pem = opened(secrets, record)?;
        sealed(secrets, entropy, KeyRecord { not_before, ..record.clone() }, &pem)
    }
}

impl Secrets {
    /// Returns the index of the secret that sealed a record; `None` if it is not in the list.
    #[must_use]
    pub fn sealer(&self, record: &KeyRecord) -> Option<usize> {
        let id = seal::secret_id(record.sealed.as_deref()?)?;
        self.iter().position(|secret| secret.id == id)
    }
}

fn opened(secrets: &Secrets, record: &KeyRecord) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let sealed = record.sealed.as_deref().ok_or(KeyFault::Sealed)?;
    let pem = seal::open(secrets, Purpose::SigningKey, &context(record), sealed);
    pem.map(Zeroizing::new).ok_or(KeyFault::Sealed)
}

fn sealed(
    secrets: &Secrets,
    entropy: &dyn Entropy,
    record: KeyRecord,
    pem: &[u8],
) -> Result<KeyRecord, KeyFault> {
    let sealed = seal::seal(secrets, entropy, Purpose::SigningKey, &context(&record), pem);
    if sealed.is_empty() { Err(KeyFault::NotMade) } else { Ok(KeyRecord { sealed: Some(sealed), ..record }) }
}

fn context(record: &KeyRecord) -> Vec<u8> {
    format!("{}\n{}\n{}", record.kid, record.algorithm, record.not_before.millis()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OsEntropy;

    fn secrets(list: &[&str]) -> Secrets {
        Secrets::new(&list.iter().map(|text| text.repeat(32).into()).collect::<Vec<_>>()).unwrap()
    }

    fn make(secrets: &Secrets, algorithm: Algorithm) -> KeyRecord {
        SigningKey::make(secrets, &OsEntropy, algorithm, 1, [Timestamp(7), Timestamp(7)]).unwrap().1
    }

    #[test]
    fn a_made_key_opens_again_for_every_algorithm() {
        let secrets = secrets(&["a"]);
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.signs()) {
            let record = make(&secrets, algorithm);
            let again = SigningKey::open(&secrets, &record).unwrap();
            assert_eq!((again.kid(), again.algorithm()), (record.kid.as_str(), algorithm));
        }
    }

    #[test]
    fn a_record_is_bound_to_its_columns_and_its_secret() {
        let ours = secrets(&["a"]);
        let record = make(&ours, Algorithm::Es256);
        let open = |secrets: &Secrets, record: KeyRecord| SigningKey::open(secrets, &record).map(drop);
        assert_eq!(open(&ours, record.clone()), Ok(()));
        for moved in [
            KeyRecord { not_before: Timestamp(8), ..record.clone() },
            KeyRecord { kid: "other".to_owned(), ..record.clone() },
            KeyRecord { algorithm: "ES384".to_owned(), ..record.clone() },
            KeyRecord { algorithm: "none".to_owned(), ..record.clone() },
            KeyRecord { sealed: None, ..record.clone() },
        ] {
            assert_eq!(open(&ours, moved), Err(KeyFault::Sealed));
        }
        assert_eq!(open(&secrets(&["b"]), record), Err(KeyFault::Sealed));
    }

    #[test]
    fn a_resealed_record_has_the_first_secret_and_a_new_time() {
        let [old, both, new] = [&["a"][..], &["b", "a"], &["b"]].map(secrets);
        let record = make(&old, Algorithm::EdDsa);
        assert_eq!([&old, &both, &new].map(|it| it.sealer(&record)), [Some(0), Some(1), None]);
        let moved = SigningKey::reseal(&both, &OsEntropy, &record, Timestamp(9)).unwrap();
        assert_eq!([&old, &both, &new].map(|it| it.sealer(&moved)), [None, Some(0), Some(0)]);
        assert_eq!(moved.not_before, Timestamp(9));
        assert_eq!(SigningKey::open(&new, &moved).unwrap().kid(), record.kid);
        assert_eq!(SigningKey::reseal(&new, &OsEntropy, &record, Timestamp(9)), Err(KeyFault::Sealed));
    }
}
