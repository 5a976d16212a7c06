//! The host names that a gateway accepts.
//!
//! A browser sends the host name of the page. Otherwise a malicious page whose name temporarily
//! resolves to this machine (DNS rebinding) could read a private set.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::header::HOST;
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

/// The name of a host: lower case, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostName(String);

/// A text that is not a host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a name without scheme, port and path: `mirror.example.org`")]
pub struct NoHostName;

impl FromStr for HostName {
    type Err = NoHostName;

    fn from_str(text: &str) -> Result<Self, NoHostName> {
        let is_part = |part: &str| {
            let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !part.is_empty() && part.bytes().all(is_sign)
        };
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.split('.').all(is_part) {
            Ok(Self(name.to_ascii_lowercase()))
        } else {
            Err(NoHostName)
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The accepted names.
#[derive(Debug, Clone, Default)]
pub(super) struct Hosts {
    pub(super) named: BTreeSet<HostName>,
}

impl Hosts {
    /// The host name of a well-formed request, if the gateway does not accept it. An address is
    /// always accepted: no name was resolved, so rebinding is impossible. A request without a host
    /// is accepted too, because no browser sends one.
    pub(super) fn unknown(&self, head: &Parts) -> Option<String> {
        // RFC 9112, 3.2.2: a complete address in the first line takes precedence over `Host`.
        let authority = match head.uri.authority() {
            Some(authority) => authority.clone(),
            None => Authority::try_from(head.headers.get(HOST)?.as_bytes()).ok()?,
        };
        let host = authority.host();
        let address = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            // A link-local address names its interface (RFC 6874).
            .map(|address| address.split('%').next().unwrap_or_default());
        if address.unwrap_or(host).parse::<IpAddr>().is_ok() {
            return None;
        }
        let is_known = host.parse().is_ok_and(|name: HostName| {
            // RFC 6761, 6.3: these always resolve to this machine.
            name.0 == "localhost" || name.0.ends_with(".localhost") || self.named.contains(&name)
        });
        (!is_known).then(|| host.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::HostName;

    #[test]
    fn names_have_one_spelling() {
        let name = |text: &str| text.parse::<HostName>().map(|name| name.to_string());
        assert_eq!(
            name("Mirror.Example.ORG.").as_deref(),
            Ok("mirror.example.org")
        );
        for wrong in [
            "",
            ".",
            "a..b",
            "https://a",
            "a:80",
            "a/b",
            "[::1]",
            "a b",
            "*",
        ] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
