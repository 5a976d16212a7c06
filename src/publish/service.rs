//! A web service that targets ask: one address, one secret, limits for all that it answers.

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

/// The largest answer that is read whole, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// The largest body of an answer that says what is wrong, in bytes.
const LARGEST_COMPLAINT: usize = 64 << 10;
/// How much of a server's own words is shown, in characters.
const LONGEST_WORDS: usize = 500;
/// How often a request is made that a server could not take, or not yet.
const ATTEMPTS: u32 = 4;
/// The delay before the second attempt; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// The longest delay that a server may ask for.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

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

    /// Makes a request until the server has taken it: where there is no connection, and where the
    /// server says that it is too busy, it has not.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Reply<'_>, RequestError> {
        let limit = self.client.limits().response_timeout;
        self.ask_within(request, limit).await
    }

    /// The same of a server that may think about it for so long.
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

    /// Reads what an answer says where it says that something is wrong.
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
            // Not the whole of it: what is behind the host may let others in.
            let leads_to = location.map_or_else(
                || "another address".to_owned(),
                |url| url.origin().ascii_serialization(),
            );
            let mut trouble = RequestError::new(format!(
                "{} redirects to {leads_to} ({status})",
                self.place()
            ));
            trouble.help =
                Some("write the address that it redirects to, if that is its own".to_owned());
            trouble.status = Some(status);
            return Err(trouble);
        }
        let body = reply.all(LARGEST_COMPLAINT).await.unwrap_or_default();
        let is_shut = matches!(status.as_u16(), 401 | 403);
        let answer = if is_shut {
            format!("{status} to `{path}`")
        } else {
            status.to_string()
        };
        let mut trouble = self.complaint(&body, &answer);
        trouble.status = Some(status);
        if is_shut {
            trouble.help = Some(match &self.secret {
                Some(_) => format!(
                    "is the secret in the environment still the right one, and may it use `{path}`?"
                ),
                None => format!("set `{}`, or `…_BASIC` with `user:password`", self.variable),
            });
        }
        Err(trouble)
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

/// Where a redirect leads.
fn location(response: &Response) -> Option<Url> {
    let text = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = response.url().join(text).ok()?;
    url.has_host().then_some(url)
}

/// The delay that a server asks for that is too busy; `otherwise` where it says none in seconds.
fn asks_to_wait(response: &Response, otherwise: Duration) -> Option<Duration> {
    if !matches!(response.status().as_u16(), 429 | 503) {
        return None;
    }
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok();
    let seconds = seconds.and_then(|text| text.trim().parse().ok());
    Some(seconds.map_or(otherwise, Duration::from_secs))
}
