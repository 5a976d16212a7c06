//! Selects the version of a project for all requirers: one that they accept, with wheels and a
//! Requires-Python for the platforms.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{
    ExtraName, Marker, Platform, ProjectName, Version, VersionSpecifiers, WheelFileName,
    parse_specifiers, specifiers_contain,
};
use jiff::Timestamp;

use super::Prefer;
use super::cover::{Candidate, choose};
use super::solver::{Origin, UploadLimit, Wish};
use crate::set::graph::ProjectNeed;
use crate::set::repository::Configuration;
use crate::source::IndexFile;

/// A project to be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRequest {
    /// Its name.
    pub project: ProjectName,
    /// The requested extras.
    pub extras: BTreeSet<ExtraName>,
    /// The declared projects that require it.
    pub by: BTreeSet<ProjectName>,
    /// The constraints on its version, each with its origin.
    pub constraints: Vec<(Origin, VersionSpecifiers)>,
    /// The platforms on which it is needed, as indices.
    pub platforms: BTreeSet<usize>,
    /// Whether it is in the set only because others need it.
    pub automatic: bool,
    /// The declared version, which is kept if it fits.
    pub keep: Option<Version>,
    /// Where the set offers it from now on; `None` to keep what is declared.
    pub only: Option<Marker>,
}

impl ProjectRequest {
    /// The request for an automatic project from the needs of the set.
    pub fn automatic(needed: ProjectNeed) -> Self {
        Self {
            project: needed.project,
            extras: needed.extras,
            by: needed.by,
            constraints: needed
                .constraints
                .into_iter()
                .map(|(project, specifiers)| (Origin::Project(project), specifiers))
                .collect(),
            platforms: needed.platforms,
            automatic: true,
            keep: None,
            only: None,
        }
    }

    /// The wishes of the caller.
    pub fn wishes(&self) -> impl Iterator<Item = Wish> {
        self.constraints.iter().filter_map(|(origin, specifiers)| {
            let Origin::Caller(place) = origin else {
                return None;
            };
            Some(Wish::new(place, specifiers.clone()))
        })
    }
}

/// A wheel of a version, as the index lists it.
#[derive(Debug, Clone)]
pub struct Listed<'p> {
    /// The index's entry for the wheel.
    pub file: &'p IndexFile,
    /// Its parsed name.
    pub file_name: WheelFileName,
}

/// A version that fits.
#[derive(Debug, Clone)]
pub struct Selection<'p> {
    /// The version.
    pub version: Version,
    /// The least number of its wheels that cover the platforms.
    pub wheels: Vec<Listed<'p>>,
}

/// The criteria for selecting versions.
#[derive(Debug, Clone, Copy)]
pub struct Selector<'a> {
    /// The platforms of the set.
    pub platforms: &'a [Platform],
    /// The age that wheels need.
    pub uploads: Option<UploadLimit>,
}

impl<'a> Selector<'a> {
    /// A selector for a repository, as of `now`.
    pub fn of(configuration: &'a Configuration, now: Timestamp) -> Self {
        Self {
            platforms: &configuration.platforms,
            uploads: UploadLimit::of(configuration.cooldown, now, None),
        }
    }

    /// The kept version, or else the newest that fits. If none fits, the reasons why each was
    /// rejected, in the order of the attempts. `refused` are versions that are known to be unusable,
    /// with reasons.
    pub fn select<'p>(
        &self,
        request: &ProjectRequest,
        files: &'p [IndexFile],
        refused: &BTreeMap<Version, String>,
    ) -> Result<Selection<'p>, Vec<String>> {
        let mut versions: BTreeMap<Version, Vec<Listed<'p>>> = BTreeMap::new();
        for file in files {
            // Files that are not wheels, or have invalid names, are ignored.
            let Ok(file_name) = file.file_name.parse::<WheelFileName>() else {
                continue;
            };
            if *file_name.name() == request.project {
                let version = file_name.version().clone();
                let listed = Listed { file, file_name };
                versions.entry(version).or_default().push(listed);
            }
        }
        let mut order: Vec<Version> = versions.keys().rev().cloned().collect();
        if let Some(keep) = &request.keep {
            // A stable sort: the kept version first, then the newest.
            order.sort_by_key(|version| version != keep);
        }
        let mut reasons = Vec::new();
        for version in order {
            let Some(listed) = versions.remove(&version) else {
                continue;
            };
            if let Some(reason) = refused.get(&version) {
                reasons.push(format!("{} {version}: {reason}", request.project));
                continue;
            }
            match self.fits(request, &version, listed) {
                Ok(wheels) => {
                    return Ok(Selection { version, wheels });
                }
                Err(reason) => reasons.push(format!("{} {version}: {reason}", request.project)),
            }
        }
        Err(reasons)
    }

    /// The wheels to use of one version, or the reason why it is rejected.
    fn fits<'p>(
        &self,
        request: &ProjectRequest,
        version: &Version,
        listed: Vec<Listed<'p>>,
    ) -> Result<Vec<Listed<'p>>, String> {
        let mut constraints = request.constraints.iter();
        let is_named = constraints.any(|(_, specifiers)| specifiers.name_a_prerelease());
        if version.any_prerelease() && !is_named {
            return Err("it is not final".to_owned());
        }
        for (origin, specifiers) in &request.constraints {
            if !specifiers_contain(specifiers, version) {
                return Err(format!("{origin} requires {specifiers}"));
            }
        }
        let mut listed = listed;
        listed.retain(|listed| listed.file.yanked.is_none());
        if listed.is_empty() {
            return Err("it was yanked".to_owned());
        }
        if let Some(limit) = self.uploads {
            listed.retain(|listed| limit.permits(listed.file.uploaded));
            if listed.is_empty() {
                return Err(limit.to_string());
            }
        }
        let everywhere: BTreeSet<usize> = (0..self.platforms.len()).collect();
        let mut reason = String::new();
        for wanted in [&everywhere, &request.platforms] {
            match self.cover(wanted, &listed) {
                Ok(chosen) => {
                    let mut listed: Vec<Option<Listed<'p>>> =
                        listed.into_iter().map(Some).collect();
                    return Ok(chosen
                        .into_iter()
                        .filter_map(|index| listed[index].take())
                        .collect());
                }
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }

    fn cover(&self, wanted: &BTreeSet<usize>, listed: &[Listed<'_>]) -> Result<Vec<usize>, String> {
        let platforms: Vec<&Platform> =
            wanted.iter().map(|index| &self.platforms[*index]).collect();
        let mut candidates = Vec::new();
        let mut positions = Vec::new();
        let mut excluding = None;
        for (position, one) in listed.iter().enumerate() {
            let specifiers = match &one.file.requires_python {
                None => None,
                Some(text) => match parse_specifiers(text) {
                    Ok(specifiers) => Some(specifiers),
                    Err(_) => continue,
                },
            };
            let excluded = specifiers.as_ref().is_some_and(|specifiers| {
                platforms
                    .iter()
                    .filter(|platform| one.file_name.tags().iter().any(|tag| platform.accepts(tag)))
                    .any(|platform| !platform.satisfies(specifiers))
            });
            if excluded {
                excluding = specifiers;
                continue;
            }
            candidates.push(Candidate {
                file_name: one.file_name.clone(),
                size: one.file.size.unwrap_or(0),
            });
            positions.push(position);
        }
        let chosen = choose(&candidates, &platforms, Prefer::Native).ok_or_else(|| {
            if let Some(specifiers) = excluding {
                format!("it needs Python {specifiers}")
            } else {
                let bare = platforms.iter().find(|platform| {
                    !candidates.iter().any(|candidate| {
                        candidate
                            .file_name
                            .tags()
                            .iter()
                            .any(|tag| platform.accepts(tag))
                    })
                });
                match bare {
                    Some(platform) => format!("it has no wheel for {platform}"),
                    None => "every choice of its wheels that covers the platforms has overlapping \
                             wheels"
                        .to_owned(),
                }
            }
        })?;
        Ok(chosen.into_iter().map(|index| positions[index]).collect())
    }
}
