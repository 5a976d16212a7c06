//! The final versions of one minor version of Python, from some patch version on.

use pep440_rs::Version;

use crate::marker::Truth;

/// The versions `major.minor.Z` for each `Z` from `floor` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patches {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) floor: u64,
}

impl Patches {
    /// Some of the versions, such that a comparison with `boundary` that has the same result for
    /// all of these has the same result for all versions.
    ///
    /// With a boundary `X.Y.K…` no operator distinguishes two versions that are both below `K`, or
    /// both above; so one of each, and `K` itself, are enough.
    pub(crate) fn around(self, boundary: &Version) -> impl Iterator<Item = Version> {
        let patch = boundary.release().get(2).copied().unwrap_or(0);
        let above = patch.max(self.floor).saturating_add(1);
        [self.floor, patch, above]
            .into_iter()
            .filter(move |candidate| *candidate >= self.floor)
            .map(move |patch| Version::new([self.major, self.minor, patch]))
    }

    /// Whether `part` is in the text of the version.
    pub(crate) fn may_contain_text(self, part: &str) -> Truth {
        if self.start_of_text().contains(part) {
            Truth::True
        } else if part
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            Truth::Unknown
        } else {
            Truth::False
        }
    }

    /// Whether the text of the version is in `whole`.
    pub(crate) fn may_be_inside_text(self, whole: &str) -> Truth {
        if whole.contains(&self.start_of_text()) {
            Truth::Unknown
        } else {
            Truth::False
        }
    }

    fn start_of_text(self) -> String {
        format!("{}.{}.", self.major, self.minor)
    }
}
