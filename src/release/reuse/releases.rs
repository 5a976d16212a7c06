//! Releases whose facts about wheels are reused.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use ipwhl_packaging::{Platform, SystemFamily};
use ipwhl_unixfs::Profile;
use ipwhl_unixfs::car::{Blocks, CarError, FileReader};

use super::wheels::WheelKey;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::{OpenRelease, ReleaseLocation, block_reason};
use crate::release::reader::ReleaseReader;
use crate::release::tree::{PlatformJson, ReleaseJson, ReleaseJsonError};
use crate::set::check::NEED_ARCHIVE;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::ReusedFacts;
use crate::source::Cache;

/// A release to be reused. The caller must check that a trusted key has signed it.
pub struct ReusableRelease {
    /// The release.
    pub release: OpenRelease,
    reused: Cell<usize>,
    copied: Cell<usize>,
}

/// A note about a release that was not reused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReuseNotice {
    /// It allowed findings that only the wheels can show: nothing of it is reused.
    Softened {
        /// The name of the release.
        release: String,
        /// The code of those findings.
        code: String,
    },
    /// It cannot be read.
    Unreadable {
        /// The name of the release.
        release: String,
        /// The reason.
        reason: String,
    },
}

impl fmt::Display for ReuseNotice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Softened { release, code } => write!(
                out,
                "{release} does not count `{code}` as an error, which only the wheels can show: \
                 nothing of it is reused"
            ),
            Self::Unreadable { release, reason } => write!(
                out,
                "{release} cannot be read; its wheels are looked for elsewhere: {reason}"
            ),
        }
    }
}

/// The facts that the releases have of these wheels, a value for each. The first release with a
/// wheel is used; unreadable ones are skipped. `tell` receives notes for the user.
///
/// # Errors
/// When a release contradicts itself.
pub fn reuse(
    releases: &[ReusableRelease],
    wheels: &[&DeclaredWheel],
    profile: Profile,
    platforms: &[Platform],
    tell: &mut dyn FnMut(ReuseNotice),
) -> Result<Vec<Option<ReusedFacts>>, Failure> {
    let mut reused: Vec<Option<ReusedFacts>> = wheels.iter().map(|_| None).collect();
    for one in releases {
        let left: Vec<usize> = (0..wheels.len())
            .filter(|position| reused[*position].is_none())
            .collect();
        if left.is_empty() {
            break;
        }
        let before = left.len();
        let mut found = |position: usize, what| reused[left[position]] = Some(what);
        let found_all = one.find_facts(wheels, &left, profile, platforms, &mut found, tell);
        let lacking = reused.iter().filter(|reused| reused.is_none());
        one.reused.set(one.reused.get() + before - lacking.count());
        match found_all {
            Ok(()) => {}
            Err(error @ (CarError::Tree { .. } | CarError::Node(_))) => {
                return Err(Failure::finding(format!(
                    "cannot reuse {}: {}",
                    one.release.shown,
                    error_chain(&error)
                ))
                .help("remove it from `--reuse`, and report this to its maintainer"));
            }
            Err(error) => tell(ReuseNotice::Unreadable {
                release: one.release.shown.clone(),
                reason: block_reason(&error),
            }),
        }
    }
    Ok(reused)
}

impl ReusableRelease {
    /// A release to be reused.
    pub fn new(release: OpenRelease) -> Self {
        Self {
            release,
            reused: Cell::new(0),
            copied: Cell::new(0),
        }
    }

    /// The number of wheels that were reused from it.
    pub fn reused(&self) -> usize {
        self.reused.get()
    }

    /// The number of wheels that were copied from it.
    pub fn copied(&self) -> usize {
        self.copied.get()
    }

    fn find_facts(
        &self,
        wheels: &[&DeclaredWheel],
        left: &[usize],
        profile: Profile,
        platforms: &[Platform],
        found: &mut dyn FnMut(usize, ReusedFacts),
        tell: &mut dyn FnMut(ReuseNotice),
    ) -> Result<(), CarError> {
        let release = &self.release;
        let published = ReleaseReader::open(release.blocks(), &release.root)?;
        let Some(about) = published.about()? else {
            return Err(CarError::Tree {
                cid: release.root,
                reason: "has no pages to read".to_owned(),
            });
        };
        let about = ReleaseJson::parse(&about).map_err(|error| CarError::Tree {
            cid: release.root,
            reason: match error {
                ReleaseJsonError::Unreadable(reason) => {
                    format!("has no `release.json` that can be read: {reason}")
                }
                ReleaseJsonError::UnknownFormat(_) => format!("has a `release.json`, and {error}"),
            },
        })?;
        let needs_archive = |code: &str| NEED_ARCHIVE.iter().any(|other| other.as_str() == code);
        let softened = about.severity.iter();
        let mut softened = softened.filter(|(code, rule)| needs_archive(code) && *rule != "error");
        if let Some((code, _)) = softened.next() {
            tell(ReuseNotice::Softened {
                release: release.shown.clone(),
                code: code.clone(),
            });
            return Ok(());
        }
        // A finding that was waived in the release may not be waived now: such a wheel is read.
        let is_waived = |project: &str| {
            let mut waivers = about.waivers.iter();
            waivers.any(|waiver| needs_archive(&waiver.code) && waiver.project == project)
        };
        // Names that conflict on some systems were checked for the release's platforms only.
        let checked: Vec<Platform> = about
            .platforms
            .iter()
            .filter_map(PlatformJson::platform)
            .collect();
        let kept: Vec<usize> = (0..left.len())
            .filter(|position| {
                let wheel = wheels[left[*position]];
                !is_waived(wheel.file_name.name().as_str())
                    && families(wheel, platforms).is_subset(&families(wheel, &checked))
            })
            .collect();
        let sought: Vec<WheelKey<'_>> = kept
            .iter()
            .map(|position| wheels[left[*position]])
            .map(|wheel| WheelKey {
                project: wheel.file_name.name().as_str(),
                file_name: wheel.file_name.as_str(),
                content_id: wheel.content_id.value,
            })
            .collect();
        published.reuse(&sought, profile, &mut |position, facts| {
            found(kept[position], facts);
        })
    }

    /// Copies those of these wheels into the cache that the release's archive has completely: it is
    /// the nearest source. They are read like any other wheel.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn supply(&self, cache: &Cache, wheels: &[&DeclaredWheel]) -> Result<(), Failure> {
        let ReleaseLocation::Archive { reader, .. } = &self.release.location else {
            return Ok(());
        };
        for wheel in wheels {
            let cid = wheel.content_id.value;
            if !reader.contains(&cid) || cache.open_wheel(&cid).is_some() {
                continue;
            }
            // A hollow archive has only the root of a wheel; damaged wheels are fetched elsewhere.
            let Ok(mut bytes) = FileReader::open(&**reader, &cid) else {
                continue;
            };
            let taken = cache.take_wheel(&cid, bytes.size(), &mut bytes);
            if taken.map_err(|error| Failure::caused(&error))? {
                self.copied.set(self.copied.get() + 1);
            }
        }
        Ok(())
    }
}

/// The kinds of systems, among these platforms, on which a wheel is installed and names are not
/// compared byte by byte.
fn families(wheel: &DeclaredWheel, platforms: &[Platform]) -> BTreeSet<SystemFamily> {
    platforms
        .iter()
        .filter(|platform| platform.family() != SystemFamily::Linux && wheel.fits(platform))
        .map(Platform::family)
        .collect()
}
