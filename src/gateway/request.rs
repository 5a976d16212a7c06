//! Requests that are refused before any lookup.

use hyper::Version;
use hyper::header::{HOST, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;

/// The reason why a request is malformed; `None` if it is valid.
pub(super) fn fault(head: &Parts) -> Option<&'static str> {
    // RFC 9112, 6.1: beside `Content-Length` it may be an attempt to smuggle a request through a
    // proxy. hyper drops that header then, so any request with an encoded body is refused; RFC
    // 9110, 9.3.1 lets a server refuse a GET with a body.
    if head.headers.contains_key(TRANSFER_ENCODING) {
        return Some("a request with `Transfer-Encoding` is refused: requests have no body here");
    }
    // RFC 9112, 3.2.
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version == Version::HTTP_11 => {
            Some("a request of HTTP/1.1 must have a `Host` header")
        }
        (Some(_), Some(_)) => {
            Some("a request must have only one `Host` header, but this one has several")
        }
        (Some(host), None) if !is_host(host) => {
            Some("the `Host` header is not a host with an optional port")
        }
        _ => None,
    }
}

/// RFC 9110, 7.2: a host and perhaps a port; empty if the address has none.
fn is_host(value: &HeaderValue) -> bool {
    value.is_empty()
        || Authority::try_from(value.as_bytes()).is_ok_and(|host| !host.as_str().contains('@'))
}
