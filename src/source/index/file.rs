//! A file that an index offers, and the rules that its pages in both formats follow.

use std::fmt;

use ipwhl_unixfs::Sha256Digest;
use url::Url;

use crate::source::address::redacted;

/// The major version of the API that is understood (PEP 629).
const MAJOR_VERSION: &str = "1";

/// A file that an index offers.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its name.
    pub file_name: String,
    /// Its address, without a fragment. It may hold credentials; show it by [`redacted`].
    pub url: Url,
    /// Its SHA-256, where the index names one.
    pub sha256: Option<Sha256Digest>,
    /// The number of its bytes, where the index says it (PEP 700).
    pub size: Option<u64>,
    /// Requires-Python, as the index has it (PEP 503).
    pub requires_python: Option<String>,
    /// Why it was yanked (PEP 592), if it was; perhaps without words.
    pub yanked: Option<String>,
    /// Whether its METADATA can be had by itself.
    pub core_metadata: CoreMetadataFile,
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
    /// It does not.
    Absent,
    /// It does, and says nothing that the bytes could be compared with.
    Unverifiable,
    /// It does, with this SHA-256.
    Sha256(Sha256Digest),
}

/// PEP 629: another major version may mean anything.
pub(super) fn check_api_version(version: &str) -> Result<(), String> {
    let major = version.trim().split('.').next().unwrap_or_default();
    if major == MAJOR_VERSION {
        Ok(())
    } else {
        Err(format!(
            "its page is of version {version} of the API, and only {MAJOR_VERSION}.x is understood"
        ))
    }
}

/// An address on a page, relative to the page's own; and its fragment apart.
pub(super) fn resolve(base: &Url, href: &str) -> Option<(Url, Option<String>)> {
    let mut url = base.join(href.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    Some((url, fragment))
}
