//! A single request: follows redirects one by one, and decides which failures may be retried.

use std::error::Error;
use std::future::Future;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderValue, IF_NONE_MATCH,
    LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{Response, StatusCode};

use super::address::Address;
use super::backoff::{Backoff, retry_after};
use super::client::Client;
use super::client_error::innermost;
use super::pace::Pace;
use super::problem::SourceProblem;
use super::reach::NotPublic;

/// The reason why an attempt failed.
#[derive(Debug)]
pub(super) enum RequestError {
    /// It may succeed next time, perhaps after the delay that the server asked for.
    Passing(String, Option<Duration>),
    /// There was no connection at all; it may succeed next time.
    Unreachable(String),
    /// It will not succeed next time either.
    Lasting(String),
    /// The server does not have the file.
    Missing(String),
    /// A problem found elsewhere, such as bytes that differ.
    Problem(SourceProblem),
}

impl RequestError {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self::Passing(reason.into(), None)
    }

    pub(super) fn at(self, place: &Address) -> SourceProblem {
        let place = place.to_string();
        match self {
            Self::Passing(reason, _) | Self::Unreachable(reason) | Self::Lasting(reason) => {
                SourceProblem::Failed { place, reason }
            }
            Self::Missing(reason) => SourceProblem::Missing { place, reason },
            Self::Problem(problem) => problem,
        }
    }
}

/// Called before an attempt is repeated, with the reason and the delay.
pub(super) type OnRetry<'a> = &'a (dyn Fn(&str, Duration) + Sync);

/// Waits before the next attempt, or returns the reason why there is none. A host that refused all
/// connections for one address is given up: its other addresses get one attempt each, so that a
/// hundred wheels of an unreachable index do not wait a hundred times.
pub(super) async fn wait(
    client: &Client,
    address: &Address,
    error: RequestError,
    backoff: &mut Backoff<'_>,
    on_retry: OnRetry<'_>,
) -> Result<(), RequestError> {
    let (reason, asked) = match error {
        RequestError::Passing(reason, asked) => (reason, asked),
        RequestError::Unreachable(reason) => {
            if client.hosts.is_given_up(address) {
                backoff.give_up();
            }
            let Some(delay) = backoff.next(None) else {
                client.hosts.give_up(address);
                return Err(RequestError::Unreachable(reason));
            };
            on_retry(&reason, delay);
            tokio::time::sleep(delay).await;
            return Ok(());
        }
        lasting => return Err(lasting),
    };
    match backoff.next(asked) {
        Some(delay) => {
            on_retry(&reason, delay);
            tokio::time::sleep(delay).await;
            Ok(())
        }
        None => Err(RequestError::Passing(reason, asked)),
    }
}

/// A small body, with the metadata to parse it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) address: Address,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Client {
    /// Requests an address, following redirects. The response is 200, or 206 or 416 for a range,
    /// or 304 for a known entity tag;
    /// the returned address is the one that answered.
    pub(super) async fn get(
        &self,
        start: &Address,
        headers: &HeaderMap,
    ) -> Result<(Response, Address), RequestError> {
        let start = &self.log_in(start).await?;
        let mut address = start.clone();
        for _ in 0..=self.limits.redirects {
            let mut request = self
                .connections(&address)
                .map_err(RequestError::Lasting)?
                .get(address.url().clone())
                .headers(headers.clone())
                .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            if let Some(credentials) = address.credentials() {
                request = request.header(AUTHORIZATION, credentials.clone());
            }
            let response = self
                .within(self.limits.response_timeout, "no answer", request.send())
                .await?;
            self.hosts.heard_of(&address);
            if !is_redirect(response.status()) {
                check_status(&response, headers)?;
                check_encoding(&response)?;
                return Ok((response, address));
            }
            address = redirect(start, &address, &response)?;
        }
        Err(RequestError::Lasting(format!(
            "it redirects more than {} times",
            self.limits.redirects
        )))
    }

    /// The address with the user's account for it, if it needs one. Redirects to other origins get
    /// none. Under `--public-only`, neither do addresses that the user has not configured.
    async fn log_in(&self, address: &Address) -> Result<Address, RequestError> {
        let is_allowed = self.public_only.is_none() || address.is_configured();
        if !address.needs_login() || !is_allowed {
            return Ok(address.clone());
        }
        let login = self.accounts.login(address).await;
        Ok(match login.map_err(RequestError::Lasting)? {
            Some(login) => address.with_login(&login),
            None => address.clone(),
        })
    }

    /// The next bytes of a body; `None` at its end.
    pub(super) async fn chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<Bytes>, RequestError> {
        let chunk = self
            .within(self.limits.idle_timeout, "no byte came", response.chunk())
            .await?;
        if let (Some(received), Some(bytes)) = (&self.received, &chunk) {
            received.add(bytes.len() as u64);
        }
        Ok(chunk)
    }

    /// Starts to check a body against the minimum rate.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(
            self.limits.slowest,
            self.limits.idle_timeout,
            Instant::now(),
        )
    }

    /// Checks a body that has received `bytes` so far against the minimum rate, or its gateway as a
    /// whole if that is counted.
    pub(super) fn check_pace(&self, pace: &mut Pace, bytes: u64) -> Result<(), RequestError> {
        let bytes = match &self.received {
            Some(received) => received.of_gateway(),
            None => bytes,
        };
        let now = Instant::now();
        pace.observe(bytes, now);
        if pace.is_behind(now) {
            return Err(RequestError::passing(format!(
                "it brought less than {} bytes a second",
                self.limits.slowest
            )));
        }
        Ok(())
    }

    /// A complete small body, with as many attempts as the limits allow.
    pub(super) async fn page(
        &self,
        address: &Address,
        headers: &HeaderMap,
        largest: u64,
    ) -> Result<Page, SourceProblem> {
        self.attempts(address, || self.page_once(address, headers, largest))
            .await
            .map_err(|error| error.at(address))
    }

    /// The result of a request, with as many attempts as the limits allow.
    pub(super) async fn attempts<T, F: Future<Output = Result<T, RequestError>>>(
        &self,
        address: &Address,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, RequestError> {
        let mut backoff = Backoff::new(&self.limits);
        loop {
            let error = match attempt().await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            wait(self, address, error, &mut backoff, &|_, _| {}).await?;
        }
    }

    pub(super) async fn page_once(
        &self,
        start: &Address,
        headers: &HeaderMap,
        largest: u64,
    ) -> Result<Page, RequestError> {
        let (mut response, address) = self.get(start, headers).await?;
        let content_type = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let mut body = Vec::new();
        let mut pace = self.pace();
        while let Some(bytes) = self.chunk(&mut response).await? {
            if body.len() as u64 + bytes.len() as u64 > largest {
                return Err(RequestError::Lasting(format!(
                    "its answer is larger than {largest} bytes"
                )));
            }
            body.extend_from_slice(&bytes);
            self.check_pace(&mut pace, body.len() as u64)?;
        }
        Ok(Page {
            address,
            content_type,
            body,
        })
    }

    async fn within<T>(
        &self,
        limit: Duration,
        what: &str,
        step: impl Future<Output = Result<T, reqwest::Error>>,
    ) -> Result<T, RequestError> {
        match tokio::time::timeout(limit, step).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.explain(error)),
            Err(_) => Err(RequestError::passing(format!(
                "{what} within {}",
                duration_text(limit)
            ))),
        }
    }

    /// The reason why a request failed, without the address, and whether to try again.
    pub(super) fn explain(&self, error: reqwest::Error) -> RequestError {
        let error = error.without_url();
        let certificate = |error: &(dyn Error + 'static)| match error.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(reason)) => Some(reason.to_string()),
            _ => None,
        };
        if let Some(reason) = cause(&error, certificate) {
            return RequestError::Lasting(format!("its certificate is refused: {reason}"));
        }
        let not_public =
            |error: &(dyn Error + 'static)| Some(error.downcast_ref::<NotPublic>()?.to_string());
        if let Some(reason) = cause(&error, not_public) {
            return RequestError::Lasting(reason);
        }
        if error.is_builder() {
            return RequestError::Lasting(format!("the request is invalid: {}", innermost(&error)));
        }
        if error.is_connect() {
            return RequestError::Unreachable(if error.is_timeout() {
                format!(
                    "no connection within {}",
                    duration_text(self.limits.connect_timeout)
                )
            } else {
                format!("no connection: {}", innermost(&error))
            });
        }
        RequestError::passing(if error.is_body() || error.is_decode() {
            format!("its answer was cut: {}", innermost(&error))
        } else {
            format!("the connection broke: {}", innermost(&error))
        })
    }
}

fn duration_text(limit: Duration) -> String {
    if limit.subsec_millis() == 0 {
        format!("{} s", limit.as_secs())
    } else {
        format!("{} ms", limit.as_millis())
    }
}

/// The kind of an error's cause, for causes that another attempt would not change.
fn cause(
    error: &(dyn Error + 'static),
    read: impl Fn(&(dyn Error + 'static)) -> Option<String>,
) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = read(error) {
            return Some(found);
        }
        // The `source` of an I/O error is that of its inner error, which would be skipped.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The target of a redirect, with the credentials of the start if it has the same origin.
fn redirect(
    start: &Address,
    current: &Address,
    response: &Response,
) -> Result<Address, RequestError> {
    let target = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| current.url().join(value).ok());
    let Some(target) = target else {
        return Err(RequestError::Lasting(
            "it redirects without a usable address".to_owned(),
        ));
    };
    match (current.url().scheme(), target.scheme()) {
        ("https", "http") => Err(RequestError::Lasting(
            "it redirects from https to http, which is refused".to_owned(),
        )),
        (_, "http" | "https") => Ok(start.lend(target)),
        (_, scheme) => Err(RequestError::Lasting(format!(
            "it redirects to an address of the scheme `{scheme}`"
        ))),
    }
}

fn check_status(response: &Response, headers: &HeaderMap) -> Result<(), RequestError> {
    let status = response.status();
    let reason = format!("the server answered {status}");
    match status.as_u16() {
        200 => Ok(()),
        206 | 416 if headers.contains_key(RANGE) => Ok(()),
        304 if headers.contains_key(IF_NONE_MATCH) => Ok(()),
        404 | 410 => Err(RequestError::Missing(reason)),
        401 | 403 | 407 => Err(RequestError::Lasting(format!(
            "{reason}: credentials are missing or not accepted"
        ))),
        // A server without a function does not have it next time either.
        501 => Err(RequestError::Lasting(reason)),
        408 | 429 | 500..=599 => {
            let asked = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| retry_after(value, SystemTime::now()));
            let reason = match asked {
                Some(delay) => format!("{reason} and asks to wait {} s", delay.as_secs()),
                None => reason,
            };
            Err(RequestError::Passing(reason, asked))
        }
        _ => Err(RequestError::Lasting(reason)),
    }
}

/// The hashed bytes must be those of the file (RFC 9110, section 8.4).
fn check_encoding(response: &Response) -> Result<(), RequestError> {
    for value in response.headers().get_all(CONTENT_ENCODING) {
        let value = value.to_str().unwrap_or("an unreadable one");
        if !value.is_empty() && !value.eq_ignore_ascii_case("identity") {
            return Err(RequestError::Lasting(format!(
                "it is sent in the encoding `{value}`, which was not requested"
            )));
        }
    }
    Ok(())
}
