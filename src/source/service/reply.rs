//! Reads an answer piece by piece. Any line of it may be an error, and so may the trailers.

use std::time::Duration;

use http_body_util::BodyExt;
use reqwest::{Body, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{RequestError, Service};

/// The largest complete answer, in bytes.
const LARGEST_ANSWER: usize = 16 << 20;
/// The longest line of an answer, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// The trailer in which Kubo and IPFS Cluster report an error after a successful status.
const ERROR_TRAILER: &str = "x-stream-error";

/// An answer with a successful status.
pub(crate) struct Reply<'s> {
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
            idle: service.idle_timeout(),
            body: Body::from(response),
            pending: Vec::new(),
            has_ended: false,
        }
    }

    /// The same answer with a longer idle time: the server works before it answers.
    pub(crate) fn patient(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// The next piece of the body, `None` at its end.
    async fn piece(&mut self) -> Result<Option<bytes::Bytes>, RequestError> {
        loop {
            let frame = tokio::time::timeout(self.idle, self.body.frame()).await;
            let frame = frame.map_err(|_| {
                RequestError::new(format!(
                    "{} sent nothing for {} s in the middle of its answer",
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
                            .printable(&String::from_utf8_lossy(words.as_bytes()));
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
    pub(crate) async fn all(&mut self, largest: usize) -> Result<Vec<u8>, RequestError> {
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
    pub(crate) async fn json<T: DeserializeOwned>(mut self) -> Result<T, RequestError> {
        let body = self.all(LARGEST_ANSWER).await?;
        let value: Value =
            serde_json::from_slice(&body).map_err(|error| self.not_understood(&error))?;
        self.check(&value)?;
        serde_json::from_value(value).map_err(|error| self.not_understood(&error))
    }

    /// The next value of an answer with one on each line (NDJSON), `None` at its end. Errors among
    /// the values are returned, even after a successful status.
    pub(crate) async fn line<T: DeserializeOwned>(&mut self) -> Result<Option<T>, RequestError> {
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

    /// Reads the rest, because it may contain errors.
    pub(crate) async fn finish(mut self) -> Result<(), RequestError> {
        while self.line::<Value>().await?.is_some() {}
        Ok(())
    }

    /// Kubo reports errors within a stream: `{"Type":"error","Message":…}`, or `Error` for a single
    /// item, or `PinErrorMsg` for a root.
    fn check(&self, value: &Value) -> Result<(), RequestError> {
        let words = |value: &Value| value.as_str().map(|words| self.service.printable(words));
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
        let mut error = RequestError::new(format!(
            "the answer of {} does not follow its API: {}",
            self.service.place(),
            self.service.printable(&error.to_string())
        ));
        error.help = Some(
            "check that this is the address of the API, not of a gateway or a page".to_owned(),
        );
        error
    }
}
