//! Web addresses without their credentials: the printable form, and the form for requests.

use std::fmt;

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use reqwest::header::HeaderValue;
use url::Url;

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

/// A web address, separate from its credentials.
#[derive(Clone)]
pub(super) struct Address {
    url: Url,
    credentials: Option<HeaderValue>,
    /// Whether the user has configured it, as opposed to a declaration or a page.
    is_configured: bool,
    /// The port of the configured address that led to it.
    configured_port: Option<u16>,
}

impl Address {
    /// Splits the credentials from an address. They are sent as HTTP Basic (RFC 7617).
    pub(super) fn new(mut url: Url) -> Self {
        let credentials = has_credentials(&url).then(|| {
            let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
            pair.push(b':');
            pair.extend(percent_decode_str(url.password().unwrap_or_default()));
            format!("Basic {}", BASE64.encode(&pair))
        });
        let credentials = credentials.and_then(|text| {
            let mut value = HeaderValue::from_str(&text).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self {
            url,
            credentials,
            is_configured: false,
            configured_port: None,
        }
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
            if address.credentials.is_none() {
                address.credentials.clone_from(&self.credentials);
            }
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
