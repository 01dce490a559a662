//! The names of a certificate and its validity. They are only read here; the handshake verifies them.

use simple_asn1::{ASN1Block, from_der};
use tokio_rustls::rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::model::{San, Timestamp};

/// The parts of a certificate that are logged.
#[derive(Debug)]
pub(super) struct Certificate {
    /// Its DNS names and URIs.
    pub(super) names: Vec<String>,
    /// The first and the last moment of its validity, if they can be read.
    pub(super) validity: Option<(Timestamp, Timestamp)>,
}

impl Certificate {
    pub(super) fn read(der: &CertificateDer<'_>) -> Result<Self, webpki::Error> {
        let certificate = EndEntityCert::try_from(der)?;
        let names = certificate.valid_dns_names().chain(certificate.valid_uri_names());
        Ok(Self { names: names.map(str::to_owned).collect(), validity: validity(der) })
    }

    /// Returns true if the certificate is valid at this time.
    pub(super) fn holds_at(&self, now: Timestamp) -> bool {
        self.validity.is_none_or(|(from, to)| (from..=to).contains(&now))
    }
}

/// Returns the names in a certificate that can identify a caller.
pub(super) fn sans(der: &CertificateDer<'_>) -> Vec<San> {
    let Ok(certificate) = EndEntityCert::try_from(der) else { return Vec::new() };
    San::of_certificate(certificate.valid_dns_names(), certificate.valid_uri_names())
}

/// Reads the fifth field of the signed part of a version 3 certificate (RFC 5280 section 4.1). The webpki crate reads
/// it but does not expose it.
fn validity(der: &CertificateDer<'_>) -> Option<(Timestamp, Timestamp)> {
    let blocks = from_der(der).ok()?;
    let [from, to] = fields(fields(fields(blocks.first()?)?.first()?)?.get(4)?)? else { return None };
    Some((time(from)?, time(to)?))
}

fn fields(block: &ASN1Block) -> Option<&[ASN1Block]> {
    if let ASN1Block::Sequence(_, fields) = block { Some(fields) } else { None }
}

fn time(block: &ASN1Block) -> Option<Timestamp> {
    if let ASN1Block::UTCTime(_, time) | ASN1Block::GeneralizedTime(_, time) = block {
        Some(Timestamp::from_seconds(time.assume_utc().unix_timestamp()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(names: &[&str], to: i32) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(to, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn names_and_dates_are_read() {
        // Years from 2050 on have another encoding.
        for (year, seconds) in [(2030, 1_893_456_000), (2060, 2_840_140_800)] {
            let read = Certificate::read(&certificate(&["a.example", "10.0.0.1"], year)).unwrap();
            assert_eq!(read.names, ["a.example"]);
            let dates = (Timestamp::from_seconds(1_577_836_800), Timestamp::from_seconds(seconds));
            assert_eq!(read.validity, Some(dates));
            assert!(read.holds_at(dates.0) && read.holds_at(dates.1));
            assert!(!read.holds_at(Timestamp(dates.0.0 - 1)) && !read.holds_at(Timestamp(dates.1.0 + 1)));
        }
    }

    #[test]
    fn invalid_certificates_have_no_names() {
        let whole = certificate(&["a.example"], 2030);
        assert_eq!(sans(&whole), ["a.example".parse().unwrap()]);
        for length in 0..whole.len() {
            assert_eq!(sans(&whole[..length].to_vec().into()), []);
        }
    }
}
