//! Which version of a project the index has for all who ask: one that they accept, with wheels and a
//! Requires-Python for the platforms.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{
    ExtraName, Platform, ProjectName, Version, VersionSpecifiers, WheelFileName, parse_specifiers,
    specifiers_contain,
};

use super::{Candidate, Prefer, choose};
use crate::set::graph::ProjectNeed;
use crate::source::IndexFile;

/// Who states a constraint that was typed.
pub(in crate::command) const COMMAND_LINE: &str = "the command line";

/// A project that is to be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::command) struct Wish {
    pub(in crate::command) project: ProjectName,
    pub(in crate::command) extras: BTreeSet<ExtraName>,
    /// The declared projects that require it.
    pub(in crate::command) by: BTreeSet<ProjectName>,
    /// What its version has to satisfy, and who says so.
    pub(in crate::command) constraints: Vec<(String, VersionSpecifiers)>,
    /// Where it has to be had, as indices into the platforms.
    pub(in crate::command) platforms: BTreeSet<usize>,
    pub(in crate::command) automatic: bool,
    /// The version that is declared now, which is kept where it fits.
    pub(in crate::command) keep: Option<Version>,
}

impl Wish {
    /// What the set needs of a project, which is to be there for its sake.
    pub(in crate::command) fn automatic(needed: ProjectNeed) -> Self {
        Self {
            project: needed.project,
            extras: needed.extras,
            by: needed.by,
            constraints: needed
                .constraints
                .into_iter()
                .map(|(project, specifiers)| (project.to_string(), specifiers))
                .collect(),
            platforms: needed.platforms,
            automatic: true,
            keep: None,
        }
    }

    /// The constraints that were typed.
    pub(in crate::command) fn typed(&self) -> impl Iterator<Item = &VersionSpecifiers> {
        let typed = self.constraints.iter();
        let typed = typed.filter(|(origin, _)| origin == COMMAND_LINE);
        typed.map(|(_, specifiers)| specifiers)
    }

    /// Who asks for what, in words; empty where nobody asks for a version.
    pub(in crate::command) fn asked(&self) -> String {
        let parts: Vec<String> = self
            .constraints
            .iter()
            .map(|(origin, specifiers)| format!("{origin} asks for {specifiers}"))
            .collect();
        parts.join(", ")
    }
}

/// A wheel of a version, as the index lists it.
pub(in crate::command) struct Listed<'p> {
    pub(in crate::command) file: &'p IndexFile,
    pub(in crate::command) file_name: WheelFileName,
}

/// A version that fits.
pub(in crate::command) struct Picked<'p> {
    pub(in crate::command) version: Version,
    /// As few of its wheels as cover the platforms.
    pub(in crate::command) wheels: Vec<Listed<'p>>,
    /// Why the versions before it were not taken.
    pub(in crate::command) passed_over: Vec<String>,
}

/// What versions are picked for.
#[derive(Clone, Copy)]
pub(in crate::command) struct Picker<'a> {
    pub(in crate::command) platforms: &'a [Platform],
    pub(in crate::command) prefer: Prefer,
    /// Versions that are known not to do, and why.
    pub(in crate::command) refused: &'a BTreeMap<Version, String>,
}

impl Picker<'_> {
    /// The version that is kept, or else the newest that fits; where none does, why each was not taken,
    /// in the order in which they were tried.
    pub(in crate::command) fn pick<'p>(
        &self,
        wish: &Wish,
        files: &'p [IndexFile],
    ) -> Result<Picked<'p>, Vec<String>> {
        let mut versions: BTreeMap<Version, Vec<Listed<'p>>> = BTreeMap::new();
        for file in files {
            // What is no wheel, or no wheel's name, is not for us.
            let Ok(file_name) = file.file_name.parse::<WheelFileName>() else {
                continue;
            };
            if *file_name.name() == wish.project {
                let version = file_name.version().clone();
                let listed = Listed { file, file_name };
                versions.entry(version).or_default().push(listed);
            }
        }
        let mut order: Vec<Version> = versions.keys().rev().cloned().collect();
        if let Some(keep) = &wish.keep {
            // A stable sort: the version that is there first, then the newest.
            order.sort_by_key(|version| version != keep);
        }
        let mut reasons = Vec::new();
        for version in order {
            let Some(listed) = versions.remove(&version) else {
                continue;
            };
            match self.fits(wish, &version, listed) {
                Ok(wheels) => {
                    return Ok(Picked {
                        version,
                        wheels,
                        passed_over: reasons,
                    });
                }
                Err(reason) => reasons.push(format!("{} {version}: {reason}", wish.project)),
            }
        }
        Err(reasons)
    }

    /// The wheels to take of one version, or why it is not to be taken.
    fn fits<'p>(
        &self,
        wish: &Wish,
        version: &Version,
        listed: Vec<Listed<'p>>,
    ) -> Result<Vec<Listed<'p>>, String> {
        if let Some(reason) = self.refused.get(version) {
            return Err(reason.clone());
        }
        let mut constraints = wish.constraints.iter();
        let is_named = constraints.any(|(_, specifiers)| specifiers.name_a_prerelease());
        if version.any_prerelease() && !is_named {
            return Err("it is not final".to_owned());
        }
        for (origin, specifiers) in &wish.constraints {
            if !specifiers_contain(specifiers, version) {
                return Err(format!("{origin} asks for {specifiers}"));
            }
        }
        let listed: Vec<Listed<'p>> = listed
            .into_iter()
            .filter(|listed| listed.file.yanked.is_none())
            .collect();
        if listed.is_empty() {
            return Err("it was yanked".to_owned());
        }
        let everywhere: BTreeSet<usize> = (0..self.platforms.len()).collect();
        let mut reason = String::new();
        for wanted in [&everywhere, &wish.platforms] {
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
        let chosen = choose(&candidates, &platforms, self.prefer).ok_or_else(|| {
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
                    None => "its wheels overlap on every way to cover the platforms".to_owned(),
                }
            }
        })?;
        Ok(chosen.into_iter().map(|index| positions[index]).collect())
    }
}
