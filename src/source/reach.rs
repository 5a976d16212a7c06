//! `--public-only`: the allowed addresses when a stranger's change names them.
//!
//! Public means globally reachable by IANA's special-purpose address registries (RFC 6890). Names
//! are checked when a connection is made, by their addresses at that moment, and each redirect is
//! checked again.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::Host;

use super::address::Address;

/// The port of https.
const HTTPS: u16 = 443;

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// IANA IPv4 Special-Purpose Address Registry, and multicast.
const SPECIAL_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// A network by the first half of its first 64 bits, which is enough for all networks here.
const fn v6(start: u32, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits((start as u128) << 96), length)
}

/// Only this part of IPv6 is global unicast (IANA IPv6 Address Space).
const GLOBAL_V6: Ipv6Net = v6(0x2000_0000, 3);

/// The part of IANA's IPv6 Special-Purpose Address Registry inside it: protocol assignments with
/// Teredo and ORCHID, documentation, 6to4.
const SPECIAL_V6: [Ipv6Net; 4] = [
    v6(0x2001_0000, 23),
    v6(0x2001_0db8, 32),
    v6(0x2002_0000, 16),
    v6(0x3fff_0000, 20),
];

/// IPv4 addresses as seen from an IPv6-only network (NAT64, RFC 6052).
const NAT64: Ipv6Net = v6(0x0064_ff9b, 96);

/// Whether an address belongs to the public Internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|special| special.contains(&address)),
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address)
                && !SPECIAL_V6.iter().any(|special| special.contains(&address))
        }
    }
}

/// The restrictions of a run under `--public-only`.
pub(super) struct PublicOnly {
    /// The connections for requests: names without a public address are refused.
    pub(super) http: reqwest::Client,
    /// The hosts of configured proxies, which may have any address.
    pub(super) proxies: BTreeSet<String>,
    /// Whether the maintainers have reviewed the index of `ipwhl.toml`.
    pub(super) trusts_repository: bool,
}

impl PublicOnly {
    /// The reason why an address is refused, as a clause.
    pub(super) fn refusal(&self, address: &Address) -> Option<String> {
        let url = address.url();
        if url.scheme() != "https" {
            return Some(NotPublic::Scheme.to_string());
        }
        let port = url.port_or_known_default().unwrap_or(HTTPS);
        if port != HTTPS && address.configured_port() != Some(port) {
            return Some(NotPublic::Port(port).to_string());
        }
        let host = match url.host()? {
            Host::Ipv4(address) => (!is_public(address.into())).then(|| address.to_string()),
            Host::Ipv6(address) => (!is_public(address.into())).then(|| address.to_string()),
            // The name is that of a proxy, which may have any address.
            Host::Domain(name) => self.proxies.contains(name).then(|| name.to_owned()),
        };
        host.map(|host| NotPublic::Host(host).to_string())
    }
}

/// The reason why an address is refused.
#[derive(Debug, Error)]
pub(super) enum NotPublic {
    #[error(
        "it is not used: `--public-only` allows https to public addresses only, and this is not https"
    )]
    Scheme,
    #[error(
        "it is not used: `--public-only` allows https to public addresses only, on port 443 or \
         that of the configured index, and this is port {0}"
    )]
    Port(u16),
    #[error(
        "it is not used: `--public-only` allows https to public addresses only, and `{0}` has none"
    )]
    Host(String),
}

/// Resolves names like the system does, and returns only public addresses.
pub(super) struct PublicResolver {
    pub(super) proxies: Arc<BTreeSet<String>>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let is_proxy = self.proxies.contains(&name);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found
                .filter(|address| is_proxy || is_public(address.ip()))
                .collect();
            if found.is_empty() {
                return Err(
                    Box::new(NotPublic::Host(name)) as Box<dyn std::error::Error + Send + Sync>
                );
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn what_is_public_is_what_the_registries_call_globally_reachable() {
        for (address, expected) in [
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("127.0.0.1", false),
            ("127.255.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.20.0.1", true),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("1.1.1.1", true),
            ("8.8.8.8", true),
            ("::", false),
            ("::1", false),
            ("::7f00:1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("64:ff9b::127.0.0.1", false),
            ("64:ff9b::1.1.1.1", true),
            ("64:ff9b:1::1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("2606:4700:4700::1111", true),
            ("3fff::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd12:3456::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            let parsed = address.parse().expect(address);
            assert_eq!(is_public(parsed), expected, "{address}");
        }
    }
}
