//! Web addresses without their credentials: the printable form, and the form for requests.

use std::fmt;
use std::sync::Arc;

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use reqwest::header::HeaderValue;
use url::{Host, Url};

/// The printable form of an address: no user name, password, query or fragment.
///
/// Queries are removed too, because signed download addresses have their signature there.
///
/// `https://me:secret@example.org/simple/?token=secret` becomes
/// `https://***@example.org/simple/?***`.
pub fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    let secret = has_credentials(url);
    // An address that cannot have a user name has none to hide.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    if shown.query().is_some() {
        shown.set_query(Some("***"));
    }
    let text = shown.to_string();
    if secret {
        text.replacen("://", "://***@", 1)
    } else {
        text
    }
}

/// The same for a text that may not be a valid address.
pub(super) fn redacted_text(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => redacted(&url),
        // There could be a password before the last `@`; without one there is nothing to hide.
        _ => match text.rsplit_once('@') {
            Some((_, rest)) => format!("***@{rest}"),
            None => text.to_owned(),
        },
    }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// A user name and a password. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

impl Login {
    /// The header for HTTP Basic (RFC 7617); `None` if it is no header.
    fn header(user: &[u8], password: &[u8]) -> Option<HeaderValue> {
        let pair = [user, b":", password].concat();
        let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64.encode(&pair))).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The accounts of the user that a request may use besides credentials in its address.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Lookup {
    /// None.
    None,
    /// Those for the host.
    Host,
    /// Those for the index.
    Index {
        /// The address of the index, by which a keyring knows it.
        service: Arc<str>,
        /// Whether the user has named the index, as opposed to the repository.
        is_named: bool,
    },
}

/// A web address, separate from its credentials.
#[derive(Clone)]
pub(super) struct Address {
    url: Url,
    credentials: Option<HeaderValue>,
    /// The user name, if the address has no password with it.
    user: Option<String>,
    lookup: Lookup,
    /// Whether the user has configured it, as opposed to a declaration or a page.
    is_configured: bool,
    /// The port of the configured address that led to it.
    configured_port: Option<u16>,
}

impl Address {
    /// Splits the credentials from an address.
    pub(super) fn new(mut url: Url) -> Self {
        let user: Vec<u8> = percent_decode_str(url.username()).collect();
        let password: Vec<u8> = percent_decode_str(url.password().unwrap_or_default()).collect();
        let credentials = has_credentials(&url)
            .then(|| Login::header(&user, &password))
            .flatten();
        let user = String::from_utf8(user).ok();
        let user = user.filter(|user| !user.is_empty() && url.password().is_none());
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self {
            url,
            credentials,
            user,
            lookup: Lookup::None,
            is_configured: false,
            configured_port: None,
        }
    }

    /// The same address, whose requests may use accounts of the user.
    pub(super) fn with_lookup(self, lookup: Lookup) -> Self {
        Self { lookup, ..self }
    }

    /// The same address with this account.
    pub(super) fn with_login(&self, login: &Login) -> Self {
        let mut address = self.clone();
        address.credentials = Login::header(login.user.as_bytes(), login.password.as_bytes());
        address.user = None;
        address.lookup = Lookup::None;
        address
    }

    /// Whether a request needs an account of the user: the address has no password.
    pub(super) fn needs_login(&self) -> bool {
        self.lookup != Lookup::None && (self.credentials.is_none() || self.user.is_some())
    }

    pub(super) fn lookup(&self) -> &Lookup {
        &self.lookup
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The same address, marked as configured by the user.
    pub(super) fn configured(self) -> Self {
        Self {
            is_configured: true,
            configured_port: self.url.port_or_known_default(),
            ..self
        }
    }

    pub(super) fn configured_port(&self) -> Option<u16> {
        self.configured_port
    }

    pub(super) fn is_configured(&self) -> bool {
        self.is_configured
    }

    /// Another address. If it has the same origin (scheme, host and port), it counts as configured
    /// like this one, and gets this one's credentials unless it has its own.
    pub(super) fn lend(&self, url: Url) -> Self {
        let mut address = Self::new(url);
        address.configured_port = self.configured_port;
        if address.url.origin() == self.url.origin() {
            address.is_configured = self.is_configured;
            address.lookup.clone_from(&self.lookup);
            if address.credentials.is_none() {
                address.credentials.clone_from(&self.credentials);
                address.user.clone_from(&self.user);
            }
        } else if self.lookup != Lookup::None {
            address.lookup = Lookup::Host;
        }
        address
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn credentials(&self) -> Option<&HeaderValue> {
        self.credentials.as_ref()
    }
}

/// Whether an address is one of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// As [`redacted`].
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&redacted(&self.url))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a valid address")
    }

    #[test]
    fn credentials_are_sent_to_their_own_origin_only() {
        let index = Address::new(url("https://me:p%40ss@example.org/simple/"));
        assert_eq!(
            index.credentials().map(HeaderValue::as_bytes),
            Some(b"Basic bWU6cEBzcw==".as_slice())
        );
        assert_eq!(index.url().as_str(), "https://example.org/simple/");
        let same = index.lend(url("https://example.org/files/a.whl"));
        assert_eq!(same.credentials(), index.credentials());
        for other in [
            "https://files.example.org/a.whl",
            "http://example.org/a.whl",
            "https://example.org:8443/a.whl",
        ] {
            assert_eq!(index.lend(url(other)).credentials(), None, "{other}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        assert_eq!(
            redacted(&url("https://me:secret@example.org/simple/?token=secret")),
            "https://***@example.org/simple/?***"
        );
        let index = Address::new(url("https://me:secret@example.org/a?key=secret#secret"));
        for shown in [
            format!("{index} {index:?}"),
            redacted(&url("https://me:secret@example.org/a?key=secret#secret")),
            redacted(&url("https://secret@example.org/a")),
            redacted_text("me:secret@example.org/simple"),
            redacted_text("https://me:secret@"),
        ] {
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
