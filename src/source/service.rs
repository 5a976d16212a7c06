//! A web service of a target: one address, one secret, and limits for all answers.

mod ask;
mod reply;

use std::fmt;
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use super::address::redacted;
use super::client::Client;
use super::secret::Secret;
use crate::foundation::diagnostic::visible;
use crate::foundation::failure::Failure;

pub(crate) use reply::Reply;

/// The maximum number of characters to show of a server's message.
const LONGEST_WORDS: usize = 500;
/// The reason why a request failed. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestError {
    /// The status of the response, if there was one.
    pub(crate) status: Option<StatusCode>,
    /// The server's own code for it, as in `INSUFFICIENT_FUNDS`.
    pub(crate) reason: Option<String>,
    /// A sentence.
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl RequestError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            status: None,
            reason: None,
            message: message.into(),
            help: None,
        }
    }

    /// Whether the requested resource does not exist.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == Some(StatusCode::NOT_FOUND)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        Self {
            help: error.help,
            ..Self::world(error.message)
        }
    }
}

/// A service at an address. Redirects are not followed: they would send the secret, or an upload,
/// to an address that is not configured.
#[derive(Debug)]
pub(crate) struct Service {
    client: Client,
    base: Url,
    secret: Option<Secret>,
    /// The variable for the secret.
    variable: String,
}

impl Service {
    /// The service below `base`. Without encryption, a secret is sent to this machine only, and
    /// never through a proxy.
    pub(crate) fn new(
        client: Client,
        base: Url,
        secret: Option<Secret>,
        variable: String,
    ) -> Result<Self, Failure> {
        if secret.is_some() && base.scheme() == "http" && !client.stays_here(&base) {
            return Err(Failure::refused(format!(
                "the secret of this target would be sent to {} without encryption",
                redacted(&base)
            ))
            .help("use an `https://` address, or a forwarder on this machine"));
        }
        Ok(Self {
            client,
            base,
            secret,
            variable,
        })
    }

    /// Its address, in printable form.
    pub(crate) fn place(&self) -> String {
        redacted(&self.base).trim_end_matches('/').to_owned()
    }

    /// The longest time in which it may send or accept nothing.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.client.limits().idle_timeout
    }

    /// A request for the path below the address, with encoded parts.
    pub(crate) fn request<'q>(
        &self,
        method: Method,
        path: &[&str],
        query: impl IntoIterator<Item = (&'q str, String)>,
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let query: Vec<(&str, String)> = query.into_iter().collect();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.http(&url).request(method, url);
        match &self.secret {
            Some(secret) => request.header(AUTHORIZATION, secret.header().clone()),
            None => request,
        }
    }

    /// The message of an error response, in one of the forms of Kubo (`Message`), IPFS Cluster
    /// (`message`) and the Pinning Service API (`error` with `reason` and `details`).
    fn complaint(&self, body: &[u8], status: &str) -> RequestError {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(|text| self.printable(text));
        let error = &value["error"];
        let reason = text(&error["reason"]);
        let words = text(&value["Message"])
            .or_else(|| text(&value["message"]))
            .or_else(|| text(&error["details"]))
            .or_else(|| text(error))
            .or_else(|| {
                (!value.is_object()).then(|| self.printable(&String::from_utf8_lossy(body)))
            })
            .filter(|words| !words.is_empty());
        let mut message = format!("{} answered {status}", self.place());
        for said in [&reason, &words].into_iter().flatten() {
            message += &format!(": {said}");
        }
        RequestError {
            reason,
            ..RequestError::new(message)
        }
    }

    /// The printable form of a server's message: one line, shortened, without the secret and
    /// control characters.
    pub(crate) fn printable(&self, text: &str) -> String {
        let text = match &self.secret {
            Some(secret) => secret.redact(text),
            None => text.to_owned(),
        };
        let line: Vec<&str> = text.split_whitespace().collect();
        let line = visible(&line.join(" "), &[]);
        match line.char_indices().nth(LONGEST_WORDS) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }

    fn broken(&self, error: &reqwest::Error) -> RequestError {
        let mut innermost: &dyn std::error::Error = error;
        while let Some(inner) = innermost.source() {
            innermost = inner;
        }
        let place = self.place();
        let reason = self.printable(&innermost.to_string());
        if error.is_connect() {
            let mut error = RequestError::new(format!("no connection to {place}: {reason}"));
            error.help = Some("check that it is running at this address".to_owned());
            return error;
        }
        RequestError::new(format!("the connection to {place} broke: {reason}"))
    }
}
