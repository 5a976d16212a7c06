//! A web service of a target: one address, one secret, and limits for all answers.

mod reply;
mod upload;

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::secret::Secret;
use crate::foundation::diagnostic::visible;
use crate::foundation::failure::Failure;
use crate::source::{Client, redacted};

pub(super) use reply::Reply;
pub(super) use upload::Upload;

/// The largest complete answer, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// The largest body of an error response that is read, in bytes.
const LARGEST_COMPLAINT: usize = 64 << 10;
/// How many characters of a server's message are shown.
const LONGEST_WORDS: usize = 500;
/// How often a request is made while the server is unavailable or busy.
const ATTEMPTS: u32 = 4;
/// The delay before the second attempt; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// The longest delay that a server may ask for.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

/// The reason why a request failed. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestError {
    /// The status of the response, if there was one.
    pub(super) status: Option<StatusCode>,
    /// The server's own code for it, as in `INSUFFICIENT_FUNDS`.
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

    /// Whether the requested resource does not exist.
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

/// A service at an address. Redirects are not followed: they would send the secret, or an upload,
/// to an address that is not configured.
#[derive(Debug)]
pub(super) struct Service {
    client: Client,
    base: Url,
    secret: Option<Secret>,
    /// The variable for the secret.
    variable: String,
}

impl Service {
    /// The service below `base`. Without encryption, a secret is sent to this machine only, and
    /// never through a proxy.
    pub(super) fn new(
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
    pub(super) fn place(&self) -> String {
        redacted(&self.base).trim_end_matches('/').to_owned()
    }

    /// A request for the path below the address, with encoded parts.
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

    /// Makes a request until the server has accepted it. Without a connection, or if the server is
    /// too busy, it has not.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Reply<'_>, RequestError> {
        let limit = self.client.limits().response_timeout;
        self.ask_within(request, limit).await
    }

    /// The same for a server that may take this long to answer.
    pub(super) async fn ask_within(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Reply<'_>, RequestError> {
        let mut delay = FIRST_DELAY;
        for attempt in 1.. {
            let Some(again) = request.try_clone() else {
                break;
            };
            let sent = tokio::time::timeout(limit, again.send()).await;
            let wait = match &sent {
                Ok(Ok(response)) => asks_to_wait(response, delay),
                Ok(Err(error)) if error.is_connect() => Some(delay),
                _ => None,
            };
            match wait {
                Some(wait) if attempt < ATTEMPTS && wait <= LONGEST_DELAY => {
                    tokio::time::sleep(wait).await;
                    delay *= 2;
                }
                _ => {
                    let sent = sent.map_err(|_| self.too_late(limit))?;
                    return self.reply(sent).await;
                }
            }
        }
        Err(RequestError::new("a request cannot be made twice"))
    }

    fn too_late(&self, limit: Duration) -> RequestError {
        RequestError::new(format!(
            "{} did not answer within {} s",
            self.place(),
            limit.as_secs()
        ))
    }

    /// Reads the message of an error response.
    async fn reply(
        &self,
        sent: Result<Response, reqwest::Error>,
    ) -> Result<Reply<'_>, RequestError> {
        let response = sent.map_err(|error| self.broken(&error.without_url()))?;
        let status = response.status();
        let location = location(&response);
        let path = response.url().path().to_owned();
        let mut reply = Reply::new(self, response);
        if status.is_success() {
            return Ok(reply);
        }
        if status.is_redirection() {
            // Only the host: the rest may contain credentials.
            let leads_to = location.map_or_else(
                || "another address".to_owned(),
                |url| url.origin().ascii_serialization(),
            );
            let mut error = RequestError::new(format!(
                "{} redirects to {leads_to} ({status})",
                self.place()
            ));
            error.help =
                Some("use the address that it redirects to, if that is its own".to_owned());
            error.status = Some(status);
            return Err(error);
        }
        let body = reply.all(LARGEST_COMPLAINT).await.unwrap_or_default();
        let is_shut = matches!(status.as_u16(), 401 | 403);
        let answer = if is_shut {
            format!("{status} to `{path}`")
        } else {
            status.to_string()
        };
        let mut error = self.complaint(&body, &answer);
        error.status = Some(status);
        if is_shut {
            error.help = Some(match &self.secret {
                Some(_) => format!(
                    "check that the secret in the environment is still valid, and that it may use `{path}`"
                ),
                None => format!("set `{}`, or `…_BASIC` with `user:password`", self.variable),
            });
        }
        Err(error)
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
    pub(super) fn printable(&self, text: &str) -> String {
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

/// The target of a redirect.
fn location(response: &Response) -> Option<Url> {
    let text = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = response.url().join(text).ok()?;
    url.has_host().then_some(url)
}

/// The delay that a busy server asks for; `otherwise` if it names none in seconds.
fn asks_to_wait(response: &Response, otherwise: Duration) -> Option<Duration> {
    if !matches!(response.status().as_u16(), 429 | 503) {
        return None;
    }
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok();
    let seconds = seconds.and_then(|text| text.trim().parse().ok());
    Some(seconds.map_or(otherwise, Duration::from_secs))
}
