//! What a request's path asks for.

use ipwhl_unixfs::{Cid, CidError};
use percent_encoding::percent_decode_str;

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`
    Home,
    /// `/ipfs/<CID>`, and what follows.
    Content(ContentPath),
    /// `/ipfs/…` with something that is no CID.
    NoCid(String, CidError),
    /// Anything else.
    Nothing,
}

/// A path below a CID.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentPath {
    /// The CID that was asked for, whatever base it was written in.
    pub(super) cid: Cid,
    /// The names below it, percent-decoded. A name that no folder can have, such as `..`, an empty
    /// one, or one with an encoded slash, is a name like any other here: no folder has it.
    pub(super) names: Vec<String>,
    /// Whether the path ends in a slash.
    pub(super) is_folder: bool,
}

/// Reads a path as it stands in the request's first line.
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
        // Names in UnixFS are UTF-8, so that nothing else can be there.
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
/// value that is understood here has a space, and the types of PEP 691 have plus signs that people
/// do not escape.
pub(super) fn query_value(query: &str, key: &str) -> Option<String> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| Some(percent_decode_str(value).decode_utf8().ok()?.into_owned()))
}
