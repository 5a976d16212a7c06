//! One member of the archive.

use crate::wheel::problems::shown;

/// How the data of a member is written: what a wheel may use of APPNOTE 4.4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wheel) enum Method {
    Stored,
    Deflate,
    /// Any other, which is refused; kept to be compared with the local header.
    Other(u16),
}

/// One entry, as the central directory has it.
#[derive(Clone, Debug)]
pub(in crate::wheel) struct Member {
    /// The path; where it is not UTF-8, an approximation.
    pub(in crate::wheel) name: String,
    /// The name's own bytes, where they are not those of `name`.
    pub(super) raw_name: Option<Vec<u8>>,
    pub(super) flags: u16,
    pub(in crate::wheel) method: Method,
    pub(in crate::wheel) crc: u32,
    pub(in crate::wheel) compressed_size: u64,
    pub(in crate::wheel) size: u64,
    /// Where the local header begins.
    pub(in crate::wheel) start: u64,
    /// Where the next entry begins, or the central directory.
    pub(in crate::wheel) end: u64,
    /// False where a problem forbids to read the data.
    pub(in crate::wheel) readable: bool,
}

impl Member {
    pub(in crate::wheel) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    pub(in crate::wheel) fn shown(&self) -> String {
        shown(&self.name)
    }

    pub(super) fn name_bytes(&self) -> &[u8] {
        self.raw_name.as_deref().unwrap_or(self.name.as_bytes())
    }
}
