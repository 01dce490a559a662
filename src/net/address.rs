//! The one rule for addresses: it decides which lead to this machine or a private network. It uses only the written
//! form of an address and resolves no name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

/// The destination of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressKind {
    /// This machine: `127.0.0.0/8`, `::1`, and the names `localhost` and those below it (RFC 6761 section 6.3).
    Loopback,
    /// The unspecified address, by which systems also reach this machine: `0.0.0.0/8` and `::`.
    Unspecified,
    /// The local link, where clouds serve their metadata: `169.254.0.0/16` and `fe80::/10`.
    LinkLocal,
    /// A private network (RFC 1918, RFC 4193, RFC 6598).
    Private,
    /// Any other address.
    Public,
    /// A name, which may resolve to any address.
    Name,
}

/// Classifies an IP address. An IPv4 address that is mapped to IPv6 (`::ffff:127.0.0.1`) counts as IPv4.
#[must_use]
pub fn kind_of_ip(ip: IpAddr) -> AddressKind {
    match ip.to_canonical() {
        IpAddr::V4(ip) => kind_of_v4(ip),
        IpAddr::V6(ip) => kind_of_v6(ip),
    }
}

/// Classifies the host of a URL. The case of a name and its trailing dot are ignored.
#[must_use]
pub fn kind_of_host(host: &Host<&str>) -> AddressKind {
    match host {
        Host::Ipv4(ip) => kind_of_ip(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => kind_of_ip(IpAddr::V6(*ip)),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let last = name.rsplit('.').next().unwrap_or(name);
            if last.eq_ignore_ascii_case("localhost") { AddressKind::Loopback } else { AddressKind::Name }
        }
    }
}

/// Classifies the host of a `http::Uri`, which is not parsed as that of a URL is. A host that is none counts as
/// [`AddressKind::Unspecified`].
#[must_use]
pub fn kind_of_authority(host: &str) -> AddressKind {
    Host::parse(host).map_or(AddressKind::Unspecified, |host| kind_of_host(&borrowed(&host)))
}

fn borrowed(host: &Host<String>) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name),
        Host::Ipv4(ip) => Host::Ipv4(*ip),
        Host::Ipv6(ip) => Host::Ipv6(*ip),
    }
}

fn kind_of_v4(ip: Ipv4Addr) -> AddressKind {
    let [first, second, ..] = ip.octets();
    if ip.is_loopback() {
        AddressKind::Loopback
    } else if first == 0 {
        AddressKind::Unspecified
    } else if ip.is_link_local() {
        AddressKind::LinkLocal
    } else if ip.is_private() || first == 100 && (64..128).contains(&second) {
        AddressKind::Private
    } else {
        AddressKind::Public
    }
}

fn kind_of_v6(ip: Ipv6Addr) -> AddressKind {
    if ip.is_loopback() {
        AddressKind::Loopback
    } else if ip.is_unspecified() {
        AddressKind::Unspecified
    } else if ip.is_unicast_link_local() {
        AddressKind::LinkLocal
    } else if ip.is_unique_local() {
        AddressKind::Private
    } else {
        AddressKind::Public
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::AddressKind::{LinkLocal, Loopback, Name, Private, Public, Unspecified};
    use super::*;

    #[test]
    fn all_spellings_of_an_address_are_equal() {
        for (host, wanted) in [
            ("127.0.0.1", Loopback),
            ("127.255.0.9", Loopback),
            ("127.1", Loopback),
            ("0x7f000001", Loopback),
            ("2130706433", Loopback),
            ("[::1]", Loopback),
            ("[::ffff:127.0.0.1]", Loopback),
            ("[::ffff:7f00:1]", Loopback),
            ("localhost", Loopback),
            ("LOCALHOST", Loopback),
            ("localhost.", Loopback),
            ("app.localhost", Loopback),
            ("a.b.LocalHost.", Loopback),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("[::]", Unspecified),
            ("[::ffff:0.0.0.0]", Unspecified),
            ("169.254.169.254", LinkLocal),
            ("[fe80::1]", LinkLocal),
            ("[febf::1]", LinkLocal),
            ("[::ffff:169.254.169.254]", LinkLocal),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.1.1", Private),
            ("100.64.0.1", Private),
            ("100.127.255.255", Private),
            ("[fc00::1]", Private),
            ("[fdff::1]", Private),
            ("[::ffff:10.0.0.1]", Private),
            ("1.1.1.1", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("172.15.255.255", Public),
            ("172.32.0.0", Public),
            ("169.253.0.1", Public),
            ("[2606:4700::1111]", Public),
            ("[::ffff:1.1.1.1]", Public),
            ("[fec0::1]", Public),
            ("idp.example", Name),
            ("idp.example.", Name),
            ("localhost.example", Name),
            ("notlocalhost", Name),
            ("localhost..", Name),
        ] {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            assert_eq!(kind_of_host(&url.host().unwrap()), wanted, "{host}");
        }
    }
}
