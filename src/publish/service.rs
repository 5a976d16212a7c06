//! A web service that targets ask: one address, one secret, limits for all that it answers.

mod ask;
mod reply;
mod upload;

use std::fmt;

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use super::secret::Secret;
use crate::foundation::diagnostic::visible;
use crate::foundation::failure::Failure;
use crate::source::{Client, redacted};

pub(super) use reply::Reply;
pub(super) use upload::Upload;

/// How much of a server's own words is shown, in characters.
const LONGEST_WORDS: usize = 500;
/// Why a request brought nothing. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestError {
    /// What the server answered, if it did.
    pub(super) status: Option<StatusCode>,
    /// The server's own word for it, as in `INSUFFICIENT_FUNDS`.
    pub(super) reason: Option<String>,
    /// A sentence.
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl RequestError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            status: None,
            reason: None,
            message: message.into(),
            help: None,
        }
    }

    /// Whether what was asked for is not there.
    pub(super) fn is_missing(&self) -> bool {
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

/// A service at an address. No redirect is followed: it would lead the secret, or an upload, to
/// somewhere that nobody has named.
#[derive(Debug)]
pub(super) struct Service {
    client: Client,
    base: Url,
    secret: Option<Secret>,
    /// The variable that a secret would come from.
    variable: String,
}

impl Service {
    /// The service below `base`. A secret is sent without encryption to this machine only, and past
    /// every proxy.
    pub(super) fn new(
        client: Client,
        base: Url,
        secret: Option<Secret>,
        variable: String,
    ) -> Result<Self, Failure> {
        if secret.is_some() && base.scheme() == "http" && !client.stays_here(&base) {
            return Err(Failure::refused(format!(
                "the secret of this target would go to {} for everybody on the way to read",
                redacted(&base)
            ))
            .help("name an address that begins with `https://`, or one of this machine that leads there"));
        }
        Ok(Self {
            client,
            base,
            secret,
            variable,
        })
    }

    /// Where it is, as it may be shown.
    pub(super) fn place(&self) -> String {
        redacted(&self.base).trim_end_matches('/').to_owned()
    }

    /// A request of the path below the address, its parts encoded.
    pub(super) fn request<'q>(
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

    /// What the server says of what is wrong, in one of the forms of Kubo (`Message`), IPFS Cluster
    /// (`message`) and the Pinning Service API (`error` with `reason` and `details`).
    fn complaint(&self, body: &[u8], status: &str) -> RequestError {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(|text| self.words(text));
        let error = &value["error"];
        let reason = text(&error["reason"]);
        let words = text(&value["Message"])
            .or_else(|| text(&value["message"]))
            .or_else(|| text(&error["details"]))
            .or_else(|| text(error))
            .or_else(|| (!value.is_object()).then(|| self.words(&String::from_utf8_lossy(body))))
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

    /// Words of the server that may be shown: one line, not too long, without the secret, nothing
    /// in it for a terminal to obey.
    pub(super) fn words(&self, text: &str) -> String {
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
        let reason = self.words(&innermost.to_string());
        if error.is_connect() {
            let mut trouble = RequestError::new(format!("no connection to {place}: {reason}"));
            trouble.help = Some("is it running, and is this its address?".to_owned());
            return trouble;
        }
        RequestError::new(format!("the connection to {place} broke: {reason}"))
    }
}
