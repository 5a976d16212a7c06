//! Sends a request again until the server accepts it, and turns error responses into errors.

use std::time::Duration;

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use url::Url;

use super::{Reply, RequestError, Service};

/// The largest body of an error response that is read, in bytes.
const LARGEST_COMPLAINT: usize = 64 << 10;

/// The number of attempts of a request while the server is unavailable or busy.
const ATTEMPTS: u32 = 4;
/// The delay before the second attempt; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// The longest delay that a server may ask for.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

impl Service {
    /// Makes a request until the server has accepted it. A server that cannot be reached or is too
    /// busy has not accepted it.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Reply<'_>, RequestError> {
        let limit = self.client.limits().response_timeout;
        self.ask_within(request, limit).await
    }

    /// The same for a server that may take this long to answer.
    pub(crate) async fn ask_within(
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
    pub(crate) async fn reply(
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
            let mut trouble = RequestError::new(format!(
                "{} redirects to {leads_to} ({status})",
                self.place()
            ));
            trouble.help =
                Some("use the address that it redirects to, if that is its own".to_owned());
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
                    "check that the secret in the environment is still valid, and that it may use `{path}`"
                ),
                None => format!("set `{}`, or `…_BASIC` with `user:password`", self.variable),
            });
        }
        Err(trouble)
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
