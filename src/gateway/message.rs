//! Requests and answers, reduced to the parts that this server uses.

use bytes::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, StatusCode};

use super::router;
use super::store::FileRange;

/// The relevant parts of a request.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
}

/// A response whose body is still to be read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

/// The body of an answer.
pub(super) enum Content {
    /// These bytes; empty for an answer without a body.
    Bytes(Bytes),
    /// The first block, already read, and then the rest of a file.
    File(Bytes, FileRange),
}

impl Asked {
    /// All lines of a header as one list; empty if there is none. A line that is not ASCII counts
    /// as absent.
    pub(super) fn header(&self, name: HeaderName) -> String {
        let lines = self
            .headers
            .get_all(name)
            .iter()
            .filter_map(|line| line.to_str().ok());
        lines.collect::<Vec<_>>().join(",")
    }

    pub(super) fn query_value(&self, key: &str) -> Option<String> {
        router::query_value(self.query.as_deref()?, key)
    }
}

/// An answer in one sentence.
pub(super) fn text_answer(status: StatusCode, sentence: &str) -> Answer {
    let bytes = Bytes::from(format!("{sentence}\n"));
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Answer {
        status,
        headers,
        content: Content::Bytes(bytes),
    }
}

/// A header value from our own text, or from a part of a request's first line; empty if it contains
/// an invalid byte.
pub(super) fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_bytes(text.as_bytes()).unwrap_or(HeaderValue::from_static(""))
}
