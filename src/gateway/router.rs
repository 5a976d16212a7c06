//! Parses a request's path.

use ipwhl_unixfs::{Cid, CidError};
use percent_encoding::percent_decode_str;

/// The target of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`
    Home,
    /// `/ipfs/<CID>`, and the rest.
    Content(ContentPath),
    /// `/ipfs/…` with an invalid CID.
    NoCid(String, CidError),
    /// Anything else.
    Nothing,
}

/// A path below a CID.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentPath {
    /// The CID, in any base.
    pub(super) cid: Cid,
    /// The names below it, percent-decoded. Impossible names, such as `..`, an empty one, or one
    /// with an encoded slash, are treated like others: no folder has them.
    pub(super) names: Vec<String>,
    /// Whether the path ends in a slash.
    pub(super) is_folder: bool,
}

/// Parses a path from the request's first line.
pub(super) fn route(path: &str) -> Route {
    if path == "/" {
        return Route::Home;
    }
    let Some(path) = path.strip_prefix("/ipfs/") else {
        return Route::Nothing;
    };
    let mut parts = path.split('/');
    let first = parts.next().unwrap_or_default();
    let Ok(text) = percent_decode_str(first).decode_utf8() else {
        return Route::Nothing;
    };
    let cid = match Cid::from_any_base(&text) {
        Ok(cid) => cid,
        Err(error) => return Route::NoCid(text.into_owned(), error),
    };
    let mut names = Vec::new();
    for part in parts {
        // Names in UnixFS are UTF-8, so no other name can exist.
        let Ok(name) = percent_decode_str(part).decode_utf8() else {
            return Route::Nothing;
        };
        names.push(name.into_owned());
    }
    let is_folder = names.last().is_some_and(String::is_empty);
    if is_folder {
        names.pop();
    }
    Route::Content(ContentPath {
        cid,
        names,
        is_folder,
    })
}

/// The value of a key in a query, percent-decoded; the first one counts. A plus sign stays one: no
/// supported value has a space, and the types of PEP 691 have plus signs that people do not escape.
pub(super) fn query_value(query: &str, key: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| Some(percent_decode_str(value).decode_utf8().ok()?.into_owned()))
}
