//! An answer, read piece by piece: every line of it may be an error, and so may what comes behind
//! the last.

use std::time::Duration;

use http_body_util::BodyExt;
use reqwest::{Body, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{RequestError, Service};

/// The largest answer that is read whole, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// The longest line of an answer, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Where Kubo and IPFS Cluster write, behind a body that has begun as a success, that it was none.
const ERROR_TRAILER: &str = "x-stream-error";

/// An answer that says that all is well so far.
pub(in crate::publish) struct Reply<'s> {
    service: &'s Service,
    body: Body,
    pending: Vec<u8>,
    has_ended: bool,
    idle: Duration,
}

impl<'s> Reply<'s> {
    pub(super) fn new(service: &'s Service, response: Response) -> Self {
        Self {
            service,
            idle: service.client.limits().idle_timeout,
            body: Body::from(response),
            pending: Vec::new(),
            has_ended: false,
        }
    }

    /// The same answer, which may be silent for so long: the server works before it says a word.
    pub(in crate::publish) fn patient(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// The next piece of the body, `None` at its end.
    async fn piece(&mut self) -> Result<Option<bytes::Bytes>, RequestError> {
        loop {
            let frame = tokio::time::timeout(self.idle, self.body.frame()).await;
            let frame = frame.map_err(|_| {
                RequestError::new(format!(
                    "{} said nothing for {} s in the middle of its answer",
                    self.service.place(),
                    self.idle.as_secs()
                ))
            })?;
            let frame = match frame {
                None => return Ok(None),
                Some(frame) => frame.map_err(|error| self.service.broken(&error.without_url()))?,
            };
            match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    for words in trailers.get_all(ERROR_TRAILER) {
                        let words = self
                            .service
                            .words(&String::from_utf8_lossy(words.as_bytes()));
                        if !words.is_empty() {
                            return Err(self.failed(&words));
                        }
                    }
                }
            }
        }
    }

    fn failed(&self, words: &str) -> RequestError {
        RequestError::new(format!("{} failed: {words}", self.service.place()))
    }

    /// The whole body.
    pub(in crate::publish) async fn all(
        &mut self,
        largest: usize,
    ) -> Result<Vec<u8>, RequestError> {
        let mut body = std::mem::take(&mut self.pending);
        while let Some(piece) = self.piece().await? {
            if body.len() + piece.len() > largest {
                return Err(RequestError::new(format!(
                    "the answer of {} is larger than {largest} bytes",
                    self.service.place()
                )));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The whole body as JSON.
    pub(in crate::publish) async fn json<T: DeserializeOwned>(mut self) -> Result<T, RequestError> {
        let body = self.all(LARGEST_ANSWER).await?;
        let value: Value =
            serde_json::from_slice(&body).map_err(|error| self.not_understood(&error))?;
        self.check(&value)?;
        serde_json::from_value(value).map_err(|error| self.not_understood(&error))
    }

    /// The next value of an answer that has one on each line (NDJSON), `None` at its end. A value
    /// that is an error is one, whatever the status of the answer was.
    pub(in crate::publish) async fn line<T: DeserializeOwned>(
        &mut self,
    ) -> Result<Option<T>, RequestError> {
        loop {
            let end = self.pending.iter().position(|byte| *byte == b'\n');
            let line: Vec<u8> = match end {
                Some(end) => self.pending.drain(..=end).collect(),
                None if self.has_ended => std::mem::take(&mut self.pending),
                None if self.pending.len() > LONGEST_LINE => {
                    return Err(RequestError::new(format!(
                        "a line of the answer of {} is longer than {LONGEST_LINE} bytes",
                        self.service.place()
                    )));
                }
                None => {
                    match self.piece().await? {
                        Some(piece) => self.pending.extend_from_slice(&piece),
                        None => self.has_ended = true,
                    }
                    continue;
                }
            };
            if line.trim_ascii().is_empty() {
                if self.has_ended && self.pending.is_empty() {
                    return Ok(None);
                }
                continue;
            }
            let value: Value =
                serde_json::from_slice(&line).map_err(|error| self.not_understood(&error))?;
            self.check(&value)?;
            return serde_json::from_value(value)
                .map(Some)
                .map_err(|error| self.not_understood(&error));
        }
    }

    /// Reads the rest, for the errors that may be in it.
    pub(in crate::publish) async fn finish(mut self) -> Result<(), RequestError> {
        while self.line::<Value>().await?.is_some() {}
        Ok(())
    }

    /// Kubo says so in the middle of a stream: `{"Type":"error","Message":…}`, or `Error` of a
    /// single thing, or `PinErrorMsg` of a root.
    fn check(&self, value: &Value) -> Result<(), RequestError> {
        let words = |value: &Value| value.as_str().map(|words| self.service.words(words));
        let error = if value["Type"] == "error" {
            words(&value["Message"]).or_else(|| Some("no reason is given".to_owned()))
        } else {
            words(&value["Error"]).or_else(|| words(&value["Root"]["PinErrorMsg"]))
        };
        match error {
            Some(error) if !error.is_empty() => Err(self.failed(&error)),
            _ => Ok(()),
        }
    }

    fn not_understood(&self, error: &serde_json::Error) -> RequestError {
        let mut trouble = RequestError::new(format!(
            "the answer of {} is not what its API promises: {}",
            self.service.place(),
            self.service.words(&error.to_string())
        ));
        trouble.help =
            Some("is this the address of the API, and not of a gateway or a page?".to_owned());
        trouble
    }
}
