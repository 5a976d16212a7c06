//! Secrets of targets: sent only to their target, and never shown.

use std::fmt;

use data_encoding::BASE64;
use reqwest::header::HeaderValue;

/// The text shown in place of a secret.
const STARS: &str = "***";

/// Credentials for a target. They come from the environment, and never appear in output.
#[derive(Clone)]
pub struct Secret {
    header: HeaderValue,
    /// Every text that would reveal it, the longest first.
    hidden: Vec<String>,
}

/// A secret that a header cannot contain: empty, or with a line feed or another control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusableSecret;

impl Secret {
    /// A token (RFC 6750, section 2.1).
    ///
    /// # Errors
    /// When a header cannot contain it.
    pub fn bearer(token: &str) -> Result<Self, UnusableSecret> {
        Self::new(&format!("Bearer {token}"), vec![token.to_owned()])
    }

    /// `user:password` (RFC 7617).
    ///
    /// # Errors
    /// When it has no colon, or a header cannot contain it.
    pub fn basic(pair: &str) -> Result<Self, UnusableSecret> {
        let (_, password) = pair.split_once(':').ok_or(UnusableSecret)?;
        let encoded = BASE64.encode(pair.as_bytes());
        let hidden = vec![pair.to_owned(), encoded.clone(), password.to_owned()];
        Self::new(&format!("Basic {encoded}"), hidden)
    }

    fn new(header: &str, mut hidden: Vec<String>) -> Result<Self, UnusableSecret> {
        hidden.retain(|text| !text.is_empty());
        if hidden.is_empty() {
            return Err(UnusableSecret);
        }
        // A server may send it back as JSON text.
        let escaped = hidden
            .iter()
            .filter_map(|text| serde_json::to_string(text).ok())
            .map(|text| text.trim_matches('"').to_owned());
        let escaped: Vec<String> = escaped.collect();
        hidden.extend(escaped);
        hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
        hidden.dedup();
        let mut header = HeaderValue::from_str(header).map_err(|_| UnusableSecret)?;
        header.set_sensitive(true);
        Ok(Self { header, hidden })
    }

    /// The header `Authorization`.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// A text from a server, without the secret.
    pub fn redact(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, hidden| {
            text.replace(hidden.as_str(), STARS)
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}
