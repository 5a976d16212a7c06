//! A file that an index offers, and the rules that its pages in both formats follow.

use std::fmt;

use ipwhl_unixfs::Sha256Digest;
use url::Url;

use crate::foundation::time::UtcTime;
use crate::source::address::redacted;

/// The supported major version of the API (PEP 629).
const MAJOR_VERSION: &str = "1";

/// A file that an index offers.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its name.
    pub file_name: String,
    /// Its address, without a fragment. It may contain credentials; show it by [`redacted`].
    pub url: Url,
    /// Its SHA-256, if the index states it.
    pub sha256: Option<Sha256Digest>,
    /// Its size in bytes, if the index states it (PEP 700).
    pub size: Option<u64>,
    /// The time of its upload, if the index states it (PEP 700); `None` also for an invalid one.
    pub uploaded: Option<UtcTime>,
    /// Its Requires-Python in the index (PEP 503).
    pub requires_python: Option<String>,
    /// The reason for its yank (PEP 592), which may be empty; `None` if it was not yanked.
    pub yanked: Option<String>,
    /// Whether its METADATA is available as a separate file.
    pub core_metadata: CoreMetadataFile,
    /// The address of its provenance (PEP 740), if the index offers it. Show it by [`redacted`].
    pub provenance: Option<Url>,
}

impl fmt::Debug for IndexFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "IndexFile({} at {})",
            self.file_name,
            redacted(&self.url)
        )
    }
}

/// Whether an index serves METADATA beside a wheel (PEP 658 and 714).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreMetadataFile {
    /// No.
    Absent,
    /// Yes, but without a digest to verify it with.
    Unverifiable,
    /// Yes, with this SHA-256.
    Sha256(Sha256Digest),
}

/// PEP 629: another major version may be incompatible.
pub(super) fn check_api_version(version: &str) -> Result<(), String> {
    let major = version.trim().split('.').next().unwrap_or_default();
    if major == MAJOR_VERSION {
        Ok(())
    } else {
        Err(format!(
            "its page is of version {version} of the API, but only {MAJOR_VERSION}.x is supported"
        ))
    }
}

/// An address on a page, relative to the page's own, and its fragment separately.
pub(super) fn resolve(base: &Url, href: &str) -> Option<(Url, Option<String>)> {
    let mut url = base.join(href.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    Some((url, fragment))
}
