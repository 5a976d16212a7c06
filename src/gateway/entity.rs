//! Content with an entity tag: its headers, and the results of conditions.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MATCH, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use ipwhl_unixfs::Cid;

use super::condition;
use super::message::{Answer, Asked, Content, header_value, text_answer};

const X_IPFS_PATH: HeaderName = HeaderName::from_static("x-ipfs-path");
const X_IPFS_ROOTS: HeaderName = HeaderName::from_static("x-ipfs-roots");

/// Content with an entity tag.
pub(super) struct Entity {
    pub(super) tag: String,
    pub(super) cache: &'static str,
    pub(super) path: String,
    pub(super) roots: Vec<Cid>,
    pub(super) content_type: String,
    /// Whether another `Accept` would have given other content.
    pub(super) is_negotiated: bool,
}

impl Entity {
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, header_value(&self.content_type));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(ETAG, header_value(&self.tag));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache));
        headers.insert(X_IPFS_PATH, header_value(&self.path));
        let roots: Vec<String> = self.roots.iter().map(Cid::to_string).collect();
        headers.insert(X_IPFS_ROOTS, header_value(&roots.join(",")));
        if self.is_negotiated {
            headers.insert(VARY, HeaderValue::from_static("Accept"));
        }
        headers
    }

    /// The answer to a condition of the request, in the order of RFC 9110, 13.2.2.
    pub(super) fn precondition(&self, asked: &Asked) -> Option<Answer> {
        let condition = asked.header(IF_MATCH);
        if !condition.is_empty() && !condition::match_names(&condition, &self.tag) {
            return Some(text_answer(
                StatusCode::PRECONDITION_FAILED,
                "the content has another entity tag",
            ));
        }
        let condition = asked.header(IF_NONE_MATCH);
        if !condition.is_empty() && condition::none_match_names(&condition, &self.tag) {
            let mut headers = self.headers();
            headers.remove(CONTENT_TYPE);
            let content = Content::Bytes(Bytes::new());
            return Some(Answer {
                status: StatusCode::NOT_MODIFIED,
                headers,
                content,
            });
        }
        None
    }

    /// The complete response with these bytes.
    pub(super) fn bytes(&self, asked: &Asked, bytes: Bytes) -> Answer {
        if let Some(answer) = self.precondition(asked) {
            return answer;
        }
        let mut headers = self.headers();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        Answer {
            status: StatusCode::OK,
            headers,
            content: Content::Bytes(bytes),
        }
    }
}
