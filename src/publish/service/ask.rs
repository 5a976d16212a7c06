//! A request and its answer: it is made again where the server has not taken it, and an answer
//! that says that something is wrong becomes an error.

use std::time::Duration;

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use url::Url;

use super::{Reply, RequestError, Service};

/// The largest body of an answer that says what is wrong, in bytes.
const LARGEST_COMPLAINT: usize = 64 << 10;

/// How often a request is made that a server could not take, or not yet.
const ATTEMPTS: u32 = 4;
/// The delay before the second attempt; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(500);
/// The longest delay that a server may ask for.
const LONGEST_DELAY: Duration = Duration::from_mins(1);

impl Service {
    /// Makes a request until the server has taken it: where there is no connection, and where the
    /// server says that it is too busy, it has not.
    pub(in crate::publish) async fn ask(
        &self,
        request: RequestBuilder,
    ) -> Result<Reply<'_>, RequestError> {
        let limit = self.client.limits().response_timeout;
        self.ask_within(request, limit).await
    }

    /// The same of a server that may think about it for so long.
    pub(in crate::publish) async fn ask_within(
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
    pub(super) async fn reply(
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
