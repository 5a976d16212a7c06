//! One member of the archive.

use crate::wheel::problems::shown;

/// The compression of a member: the methods of APPNOTE 4.4.5 that a wheel may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wheel) enum Method {
    Stored,
    Deflate,
    /// Any other, which is refused; kept for the comparison with the local header.
    Other(u16),
}

/// One entry of the central directory.
#[derive(Clone, Debug)]
pub(in crate::wheel) struct Member {
    /// The path; an approximation if it is not UTF-8.
    pub(in crate::wheel) name: String,
    /// The name's own bytes, if they differ from those of `name`.
    pub(super) raw_name: Option<Vec<u8>>,
    pub(super) flags: u16,
    pub(in crate::wheel) method: Method,
    pub(in crate::wheel) crc: u32,
    pub(in crate::wheel) compressed_size: u64,
    pub(in crate::wheel) size: u64,
    /// The position of the local header.
    pub(in crate::wheel) start: u64,
    /// The position of the next entry, or of the central directory.
    pub(in crate::wheel) end: u64,
    /// False if a problem prevents reading the data.
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
