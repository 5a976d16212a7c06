//! Secrets of targets: sent where they belong, and in no output.

use std::fmt;

use data_encoding::BASE64;
use reqwest::header::HeaderValue;

/// What takes the place of a secret.
const STARS: &str = "***";

/// What a target is shown to let us in. It comes from the environment, and nothing that is shown
/// holds it.
#[derive(Clone)]
pub struct Secret {
    header: HeaderValue,
    /// Every text that gives it away, the longest first.
    hidden: Vec<String>,
}

/// A secret that no header can hold: with a line feed or another control character in it, or empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnusableSecret;

impl Secret {
    /// A token (RFC 6750, section 2.1).
    ///
    /// # Errors
    /// When a header cannot hold it.
    pub fn bearer(token: &str) -> Result<Self, UnusableSecret> {
        Self::new(&format!("Bearer {token}"), vec![token.to_owned()])
    }

    /// `user:password` (RFC 7617).
    ///
    /// # Errors
    /// When there is no colon in it, or a header cannot hold it.
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
        // A server may send it back as a text of JSON.
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
    pub(super) fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// A text of somebody else's, without the secret.
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
