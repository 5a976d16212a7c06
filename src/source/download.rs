//! Downloads one file from one web address, with repeated attempts that continue an interrupted
//! download.

use reqwest::Response;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE,
};

use super::address::Address;
use super::backoff::Backoff;
use super::cache::Cache;
use super::cache_error::CacheError;
use super::client::Client;
use super::event::Reporter;
use super::problem::{MismatchKind, SourceProblem};
use super::ranges::strong_etag;
use super::sink::{Received, Sink, Stopped};
use super::transport::{RequestError, wait};
use super::verify::{Expectation, mismatch};

/// The reason why a download failed.
#[derive(Debug)]
pub(super) enum DownloadError {
    /// The source is at fault; another one may work.
    Source(SourceProblem),
    /// The local disk is at fault; no other source helps.
    Cache(CacheError),
}

impl From<SourceProblem> for DownloadError {
    fn from(problem: SourceProblem) -> Self {
        Self::Source(problem)
    }
}

impl From<CacheError> for DownloadError {
    fn from(error: CacheError) -> Self {
        Self::Cache(error)
    }
}

/// Downloads a file to the cache's unfinished files, and hashes and compares it.
pub(super) async fn download(
    client: &Client,
    cache: &Cache,
    address: &Address,
    expectation: &Expectation,
    reporter: &Reporter<'_>,
) -> Result<Received, DownloadError> {
    let sink = Sink::start(cache.clone(), expectation.clone());
    let transfer = Transfer {
        client,
        address,
        expectation,
        reporter,
        sink: &sink,
        received: 0,
        total: None,
        validator: None,
    };
    match transfer.run().await {
        // The thread itself reports why it has stopped.
        Ok(()) | Err(Break::Stopped) => Ok(sink.finish(cache).await?),
        Err(Break::RequestError(error)) => Err(error.at(address).into()),
    }
}

enum Break {
    RequestError(RequestError),
    Stopped,
}

impl From<RequestError> for Break {
    fn from(error: RequestError) -> Self {
        Self::RequestError(error)
    }
}

impl From<Stopped> for Break {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

struct Transfer<'a> {
    client: &'a Client,
    address: &'a Address,
    expectation: &'a Expectation,
    reporter: &'a Reporter<'a>,
    sink: &'a Sink,
    /// The number of bytes in the sink.
    received: u64,
    /// The size of the file, if the server states it.
    total: Option<u64>,
    /// The strong `ETag` of the bytes in the sink; without one, a download cannot be continued.
    validator: Option<HeaderValue>,
}

impl Transfer<'_> {
    async fn run(mut self) -> Result<(), Break> {
        let mut backoff = Backoff::new(self.client.limits());
        loop {
            let error = match self.attempt().await {
                Ok(()) => return Ok(()),
                Err(Break::RequestError(error)) => error,
                Err(Break::Stopped) => return Err(Break::Stopped),
            };
            backoff.reached(self.received);
            let place = self.address.to_string();
            let report = |reason: &str, delay| self.reporter.retrying(&place, reason, delay);
            wait(self.client, self.address, error, &mut backoff, &report).await?;
        }
    }

    async fn attempt(&mut self) -> Result<(), Break> {
        let mut headers = HeaderMap::new();
        if let Some(validator) = self.validator.clone().filter(|_| self.received > 0) {
            // RFC 9110, section 13.1.5: the rest is sent only if the file is unchanged.
            let range = format!("bytes={}-", self.received);
            if let Ok(range) = HeaderValue::from_str(&range) {
                headers.insert(RANGE, range);
                headers.insert(IF_RANGE, validator);
            }
        }
        let (mut response, _) = self.client.get(self.address, &headers).await?;
        match response.status().as_u16() {
            206 => {
                if let Err(reason) = self.check_rest(&response) {
                    self.restart().await?;
                    return Err(RequestError::passing(reason).into());
                }
            }
            416 => {
                self.restart().await?;
                return Err(
                    RequestError::passing("the server does not have the rest of it").into(),
                );
            }
            _ => {
                self.restart().await?;
                self.total = number(&response, CONTENT_LENGTH);
                self.validator = strong_etag(&response);
                self.check_length()?;
                self.reporter.started(self.address, self.total);
            }
        }
        self.body(&mut response).await
    }

    async fn body(&mut self, response: &mut Response) -> Result<(), Break> {
        let largest = self.largest();
        while let Some(bytes) = self.client.chunk(response).await? {
            let count = bytes.len() as u64;
            if self.received + count > largest {
                return Err(self.too_large(&format!("more than {largest}")).into());
            }
            self.sink.put(bytes).await?;
            self.received += count;
            self.reporter.bytes(count);
        }
        // A body that ends with the connection does not show whether it is complete.
        let whole = self.total.or(self.expectation.size);
        match whole {
            Some(whole) if self.received < whole => Err(RequestError::passing(format!(
                "its answer was cut after {} of {whole} bytes",
                self.received
            ))
            .into()),
            _ => Ok(()),
        }
    }

    /// Discards the received bytes.
    async fn restart(&mut self) -> Result<(), Stopped> {
        if self.received > 0 {
            self.sink.restart().await?;
            self.reporter.discarded(self.received);
        }
        self.received = 0;
        self.total = None;
        self.validator = None;
        Ok(())
    }

    /// The response must be exactly the rest of the same file (RFC 9110, sections 14.4 and 15.3.7).
    fn check_rest(&mut self, response: &Response) -> Result<(), String> {
        let range = response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let wrong = || {
            format!(
                "the server sent the range `{range}`, but the bytes from {} on were requested",
                self.received
            )
        };
        let total = range
            .rsplit_once('/')
            .and_then(|(_, total)| total.parse::<u64>().ok())
            .filter(|total| *total > self.received)
            .ok_or_else(wrong)?;
        let exact = format!("bytes {}-{}/{total}", self.received, total - 1);
        if range != exact || self.total.is_some_and(|known| known != total) {
            return Err(wrong());
        }
        let rest = number(response, CONTENT_LENGTH);
        if rest.is_some_and(|rest| rest != total - self.received) {
            return Err(wrong());
        }
        let same = response
            .headers()
            .get(ETAG)
            .is_none_or(|tag| Some(tag) == self.validator.as_ref());
        if !same {
            return Err("the file changed during the download".to_owned());
        }
        self.total = Some(total);
        Ok(())
    }

    /// Compares the announced size before the body is read.
    fn check_length(&self) -> Result<(), RequestError> {
        match (self.total, self.expectation.size) {
            (Some(total), Some(declared)) if total != declared => {
                Err(self.other_size(&declared, &total))
            }
            (Some(total), _) if total > self.client.limits().wheel_size => {
                Err(self.too_large(&total.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The most bytes that are accepted.
    fn largest(&self) -> u64 {
        let limit = self.client.limits().wheel_size;
        self.expectation.size.map_or(limit, |size| size.min(limit))
    }

    fn too_large(&self, found: &str) -> RequestError {
        match self.expectation.size {
            Some(declared) if declared <= self.client.limits().wheel_size => {
                self.other_size(&declared, &found)
            }
            _ => RequestError::Problem(SourceProblem::TooLarge {
                place: self.address.to_string(),
                reason: format!(
                    "it has {found} bytes; at most {} are accepted",
                    self.client.limits().wheel_size
                ),
            }),
        }
    }

    fn other_size(&self, declared: &dyn ToString, found: &dyn ToString) -> RequestError {
        RequestError::Problem(SourceProblem::Mismatch {
            place: self.address.to_string(),
            mismatches: vec![mismatch(MismatchKind::Size, declared, found)],
        })
    }
}

fn number(response: &Response, name: HeaderName) -> Option<u64> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}
