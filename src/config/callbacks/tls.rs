//! `callbacks.remote.tls`: the certificates by which Gatepass and the callback service verify each other.

use crate::config::entry::{Absent, AnyEntry, Entry, Keys, Kind, Parsed, PemFile, Text};
use crate::config::reader::Section;
use crate::net::tls::ClientTlsFiles;

pub(super) static TLS: Entry<Keys> = Entry {
    path: "callbacks.remote.tls",
    kind: Keys,
    absent: Absent::Means("the public authorities, and no client certificate"),
    doc: "The TLS files for the callback service.",
};

static CA: Entry<PemFile> = Entry {
    path: "callbacks.remote.tls.ca",
    kind: PemFile,
    absent: Absent::Means("the public authorities"),
    doc: "The authorities that sign the certificate of the service.",
};

static CERT: Entry<PemFile> = Entry {
    path: "callbacks.remote.tls.cert",
    kind: PemFile,
    absent: Absent::Means("no client certificate"),
    doc: "The client certificate of Gatepass, followed by its intermediates.",
};

static KEY: Entry<PemFile> = Entry {
    path: "callbacks.remote.tls.key",
    kind: PemFile,
    absent: Absent::Means("no client certificate"),
    doc: "The private key of the client certificate.",
};

static DOMAIN_NAME: Entry<Text<String>> = Entry {
    path: "callbacks.remote.tls.domain_name",
    kind: Text { what: "DNS name or IP address", pattern: None, parse: name },
    absent: Absent::Means("the host of `url`"),
    doc: "The name that the certificate of the service must have.",
};

pub(super) fn entries() -> Vec<AnyEntry> {
    vec![&TLS, &CA, &CERT, &KEY, &DOMAIN_NAME]
}

pub(super) fn read(section: &mut Section) -> ClientTlsFiles {
    let ca = section.get(&CA);
    let identity = match (section.take(&CERT), section.take(&KEY)) {
        (Some(cert), Some(key)) => CERT.kind.read(cert).zip(KEY.kind.read(key)),
        (None, None) => None,
        (Some(alone), None) => {
            alone.refuse("has no key beside it; give the PEM file of its private key, or remove it")
        }
        (None, Some(alone)) => {
            alone.refuse("has no cert beside it; give the PEM file of its certificate, or remove it")
        }
    };
    ClientTlsFiles { ca, identity, domain_name: section.get(&DOMAIN_NAME) }
}

fn name(text: &str) -> Parsed<String> {
    if ClientTlsFiles::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("must be a DNS name or an IP address in the service's certificate".into())
    }
}
