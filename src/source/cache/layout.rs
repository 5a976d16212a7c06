//! The folders of a cache, and the names of the files in them.

use ipwhl_unixfs::{Cid, Sha256Digest};

pub(super) const WHEELS: &str = "wheels";
pub(super) const FACTS: &str = "facts";
pub(in crate::source) const BLOCKS: &str = "blocks";
pub(super) const HASHES: &str = "by-sha256";
pub(super) const METADATA: &str = "metadata";
pub(super) const ADVISORIES: &str = "advisories";
pub(super) const PARTIAL: &str = "partial";
/// Every folder of a cache.
pub(super) const FOLDERS: [&str; 7] =
    [WHEELS, FACTS, BLOCKS, HASHES, METADATA, ADVISORIES, PARTIAL];

/// The CID in version 1 and base32, which is safe as a file name on every system.
pub(in crate::source) fn canonical(cid: &Cid) -> Cid {
    Cid::v1(cid.codec(), cid.digest())
}

/// A safe file name: the name itself, or its SHA-256.
pub(super) fn file_name(name: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if !name.is_empty() && name.len() <= 100 && name.bytes().all(plain) {
        format!("{name}.json")
    } else {
        format!("{}.json", Sha256Digest::of(name.as_bytes()))
    }
}
