//! Reads single values of targets: addresses, durations, names.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use url::{Host, Url};

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::Spanned;
use crate::set::declaration::reader::{Reader, Table};

/// The longest lifetime of a record, in seconds: a hundred years.
const LONGEST_LIFETIME: u64 = 100 * 366 * 24 * 60 * 60;
/// The port of name servers.
const NAME_SERVER_PORT: u16 = 53;

/// Reads a target's settings.
pub(super) struct Settings<'a, 'r, 't> {
    pub(super) reader: &'a Reader,
    pub(super) table: &'a Table<'r, 't>,
}

impl Settings<'_, '_, '_> {
    pub(super) fn refuse<T>(&self, at: &Spanned<T>, message: &str, help: &str) {
        self.reader.push(
            Finding::new(Code::InvalidValue, message)
                .at(&self.reader.file, at.span.clone(), "")
                .help(help),
        );
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        let help = "remove the key, or give it a value";
        self.text_that(key, |text| !text.trim().is_empty(), help)
    }

    /// A text that meets a condition.
    pub(super) fn text_that(
        &self,
        key: &'static str,
        holds: impl Fn(&str) -> bool,
        help: &str,
    ) -> Option<String> {
        let text = self.table.string(key)?;
        if !text.value.is_empty() && !text.value.contains(char::is_control) && holds(text.value) {
            return Some(text.value.to_owned());
        }
        self.refuse(&text, &format!("`{key}` cannot have this value"), help);
        None
    }

    /// A duration: a whole number and `s`, `m`, `h`, `d` or `w`.
    pub(super) fn duration(&self, key: &'static str) -> Option<Duration> {
        let text = self.table.string(key)?;
        let digits = text.value.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.value.split_at(digits);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "w" => 7 * 24 * 60 * 60,
            _ => 0,
        };
        let number = number.parse::<u64>().ok();
        match number.and_then(|number| number.checked_mul(seconds)) {
            Some(seconds @ 1..=LONGEST_LIFETIME) => Some(Duration::from_secs(seconds)),
            _ => {
                self.refuse(
                    &text,
                    &format!("`{}` is not a duration", text.value),
                    "write a whole number and `s`, `m`, `h`, `d` or `w`, as in `36h`",
                );
                None
            }
        }
    }

    pub(super) fn address_or(&self, key: &'static str, default: &str) -> Option<Url> {
        if self.table.has(key) {
            return self.address(key);
        }
        // Read, so that it counts as a known key of this table.
        let _ = self.table.value(key);
        Url::parse(default).ok()
    }

    /// A usable address. One with a password is refused, because this text is public.
    pub(super) fn address(&self, key: &'static str) -> Option<Url> {
        let text = self.table.string(key)?;
        let url = Url::parse(text.value)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let Some(url) = url else {
            self.refuse(
                &text,
                &format!("`{key}` is not an address"),
                "write one that begins with `https://`, or on this machine with `http://`",
            );
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.refuse(
                &text,
                &format!("`{key}` contains a user name or a password"),
                "remove it: secrets come from the environment, as `IPWHL_PUBLISH_<NAME>_TOKEN` or \
                 `IPWHL_PUBLISH_<NAME>_BASIC`",
            );
            return None;
        }
        if url.query().is_some() || url.fragment().is_some() {
            // The line of the table is shown instead of the key's own, which may contain a secret.
            self.refuse(
                &Spanned::new((), self.table.span.clone()),
                &format!("`{key}` has a query or a fragment after its path"),
                "write it without `?` and `#`",
            );
            return None;
        }
        Some(url)
    }
}

/// Whether a possible address contains a password. A user name alone is normal for ssh.
pub(super) fn has_password(text: &str) -> bool {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            !url.username().is_empty() || url.password().is_some()
        }
        Ok(url) => url.password().is_some(),
        Err(_) => false,
    }
}

/// One name in a folder.
pub(super) fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '\\', '\0'])
}

/// Roughly a multiaddress; the service decides whether it is usable.
pub(super) fn is_multiaddress(text: &str) -> bool {
    let Some(parts) = text.strip_prefix('/') else {
        return false;
    };
    parts.contains('/')
        && parts
            .split('/')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Whether git accepts it as the name of a branch or tag (`git check-ref-format`); some accepted
/// names are refused.
pub(super) fn is_reference(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && part.strip_suffix(".lock").is_none()
    };
    text.split('/').all(is_part)
        && !text.contains("..")
        && !text.contains([' ', '~', '^', ':', '?', '*', '[', '\\', '{', '}'])
        && text != "@"
}

pub(super) fn is_domain(text: &str) -> bool {
    let name = text.trim_end_matches('.');
    matches!(Host::parse(name), Ok(Host::Domain(_)))
        && name.contains('.')
        && !name.starts_with("_dnslink.")
}

/// An IPNS name without the `/ipns/` prefix.
pub(super) fn without_namespace(name: &str) -> &str {
    name.strip_prefix("/ipns/").unwrap_or(name)
}

/// Roughly the text after `/ipns/`: a key as a CID, or a domain.
pub(super) fn is_ipns_name(name: &str) -> bool {
    let is_cid = name.len() > 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_cid || is_domain(name)
}

/// The address of a name server, with port 53 by default.
pub(super) fn server(text: &str) -> Option<SocketAddr> {
    let alone = text.parse::<IpAddr>().ok();
    let alone = alone.map(|address| SocketAddr::new(address, NAME_SERVER_PORT));
    alone.or_else(|| text.parse().ok())
}
