//! Compares wheels of the index with the digests that project files name for them.

use std::sync::Arc;

use ipwhl_packaging::{WheelFileName, specifiers_contain};
use ipwhl_unixfs::Sha256Digest;

use crate::foundation::failure::Failure;
use crate::set::requested::{Pin, Pinned};

/// The number of digests that a message names.
const MAXIMUM_DIGESTS: usize = 3;

/// The digests that a line of a project file permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedPin {
    /// The file and the line.
    pub place: Arc<str>,
    /// The digests.
    pub pin: Pin,
}

impl PlacedPin {
    /// Whether it is about a wheel.
    fn is_about(&self, file_name: &WheelFileName) -> bool {
        match &self.pin.pinned {
            Pinned::File(name) => name == file_name.as_str(),
            Pinned::Version(project, specifiers) => {
                project == file_name.name() && specifiers_contain(specifiers, file_name.version())
            }
        }
    }
}

/// Checks the SHA-256 of a wheel. A wheel that no pin is about is accepted.
///
/// # Errors
/// When a pin permits other digests only.
pub(super) fn check_pins(
    pins: &[PlacedPin],
    file_name: &WheelFileName,
    sha256: Sha256Digest,
) -> Result<(), Failure> {
    let mut pins = pins.iter();
    let Some(PlacedPin { place, pin }) =
        pins.find(|one| one.is_about(file_name) && !one.pin.sha256.contains(&sha256))
    else {
        return Ok(());
    };
    let permitted = pin.sha256.iter().take(MAXIMUM_DIGESTS);
    let mut permitted: Vec<String> = permitted.map(|digest| format!("`{digest}`")).collect();
    let more = pin.sha256.len().saturating_sub(MAXIMUM_DIGESTS);
    if more > 0 {
        permitted.push(format!("{more} more"));
    }
    Err(Failure::finding(format!(
        "`{file_name}` of the index has the SHA-256 `{sha256}`, and {place} permits only {}",
        permitted.join(", ")
    ))
    .help(
        "one of the two files may be forged: find out which before you use it; if the file in the \
         index is right, lock the project anew",
    ))
}
