//! What is asked of a solver, and what may move.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use ipwhl_packaging::{
    ExtraName, Marker, MarkerEnvironment, Platform, ProjectName, Truth, Version, VersionSpecifiers,
    specifiers_contain,
};
use jiff::Timestamp;

use super::platform_set::PlatformSet;
use crate::foundation::time::{Cooldown, UtcTime, is_too_young};
use crate::set::declaration::Declaration;
use crate::set::repository::Repository;
use crate::set::resolve::Prefer;
use crate::set::resolve::cover::is_pure;

/// The place of a wish that is typed.
pub const COMMAND_LINE: &str = "the command line";

/// The demands of a caller.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The projects that the caller asks for.
    pub asked: BTreeMap<ProjectName, Asked>,
    /// The declared projects that may get a newer version, besides those that are asked for.
    pub moving: Projects,
    /// Those of them that get the newest version, rather than keep theirs where possible.
    pub newest: Projects,
    /// Whether projects that may move may get an older version, too.
    pub may_downgrade: bool,
    /// The largest step that a project may take which is not asked for.
    pub largest_step: Step,
    /// Whether the requirements of the chosen versions must be met.
    pub with_dependencies: bool,
    /// The preferred wheels of projects that are asked for, or not declared yet; without it, native
    /// ones of new projects, and of others the kind that is declared.
    pub prefer: Option<Prefer>,
    /// The platforms on which the set offers a project, where `only` limits them.
    pub offered: BTreeMap<ProjectName, PlatformSet>,
    /// The files that are old enough to be candidates; `None` for all.
    pub uploads: Option<UploadLimit>,
    /// The projects whose files are candidates at any age.
    pub of_any_age: BTreeSet<ProjectName>,
    /// Limits on the versions of projects, also of those that only other projects need.
    pub constraints: BTreeMap<ProjectName, Vec<Wish>>,
    /// Versions that are taken before others, if possible.
    pub preferred: BTreeMap<ProjectName, Version>,
}

/// The age that a file must have. A file of unknown age is not old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadLimit {
    /// It must have reached this age at this time.
    Cooldown(Cooldown, Timestamp),
    /// It must have been uploaded before this time.
    Before(Timestamp),
}

impl UploadLimit {
    /// The limit of a set with this cooldown, as of `before` if that is past, or else `now`.
    pub fn of(
        cooldown: Option<Cooldown>,
        now: Timestamp,
        before: Option<Timestamp>,
    ) -> Option<Self> {
        match cooldown {
            Some(cooldown) => {
                let before = before.unwrap_or(now);
                Some(Self::Cooldown(cooldown, before.min(now)))
            }
            None => before.map(Self::Before),
        }
    }

    /// Whether a file that was uploaded at this time is old enough.
    pub(in crate::set::resolve) fn permits(self, uploaded: Option<UtcTime>) -> bool {
        match self {
            Self::Cooldown(cooldown, now) => !is_too_young(uploaded, now, cooldown),
            Self::Before(before) => uploaded.is_some_and(|uploaded| uploaded < UtcTime::of(before)),
        }
    }
}

impl fmt::Display for UploadLimit {
    /// The reason why a file is not old enough, as a clause.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cooldown(cooldown, _) => write!(
                formatter,
                "it is younger than the cooldown of {cooldown}, or its age is unknown"
            ),
            Self::Before(before) => write!(
                formatter,
                "it was not uploaded before {before}, or its age is unknown"
            ),
        }
    }
}

/// A demand of the caller for a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The versions that it asks for. All must contain the version.
    pub wishes: Vec<Wish>,
    /// The extras that the version must have.
    pub extras: BTreeSet<ExtraName>,
    /// The platforms that it must cover.
    pub platforms: PlatformSet,
}

impl Default for Policy {
    /// Nothing is asked for, and nothing moves.
    fn default() -> Self {
        Self {
            asked: BTreeMap::new(),
            moving: Projects::none(),
            newest: Projects::none(),
            may_downgrade: false,
            largest_step: Step::default(),
            with_dependencies: true,
            prefer: None,
            offered: BTreeMap::new(),
            uploads: None,
            of_any_age: BTreeSet::new(),
            constraints: BTreeMap::new(),
            preferred: BTreeMap::new(),
        }
    }
}

/// Versions that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Where it is written: the command line, or the line of a file.
    pub place: Arc<str>,
    /// The versions.
    pub specifiers: VersionSpecifiers,
}

impl Wish {
    /// A wish that is written at a place.
    pub fn new(place: &str, specifiers: VersionSpecifiers) -> Self {
        Self {
            place: Arc::from(place),
            specifiers,
        }
    }
}

/// Who makes a demand on a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The caller, with the place where it is written.
    Caller(Arc<str>),
    /// The set itself.
    Set,
    /// A project.
    Project(ProjectName),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(place) => formatter.write_str(place),
            Self::Set => formatter.write_str("the set"),
            Self::Project(project) => project.fmt(formatter),
        }
    }
}

impl Asked {
    /// The wishes; without any, one for any version.
    pub(super) fn wishes(&self) -> Vec<Wish> {
        if self.wishes.is_empty() {
            return vec![Wish::new(COMMAND_LINE, VersionSpecifiers::default())];
        }
        self.wishes.clone()
    }

    /// Whether all wishes contain a version.
    pub(super) fn contains(&self, version: &Version) -> bool {
        let mut wishes = self.wishes.iter();
        wishes.all(|wish| specifiers_contain(&wish.specifiers, version))
    }

    /// Whether a wish limits the versions.
    pub(super) fn limits_versions(&self) -> bool {
        let mut wishes = self.wishes.iter();
        wishes.any(|wish| !wish.specifiers.is_empty())
    }

    /// What is asked for: each place with a requirement.
    pub(super) fn text(&self, project: &ProjectName) -> String {
        let extras: Vec<&str> = self.extras.iter().map(ExtraName::as_str).collect();
        let extras = if extras.is_empty() {
            String::new()
        } else {
            format!("[{}]", extras.join(","))
        };
        let mut places: Vec<(&str, Vec<String>)> = Vec::new();
        let wishes = self.wishes();
        for wish in &wishes {
            if !places.iter().any(|(place, _)| *place == &*wish.place) {
                places.push((&wish.place, Vec::new()));
            }
            let mut known = places.iter_mut();
            if let Some((_, texts)) = known.find(|(place, _)| *place == &*wish.place)
                && !wish.specifiers.is_empty()
            {
                texts.push(wish.specifiers.to_string());
            }
        }
        let parts = places.iter().map(|(place, specifiers)| {
            format!(
                "{place} asks for `{project}{extras}{}`",
                specifiers.join(",")
            )
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// The size of a step from one version to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The first two numbers of the release stay.
    Patch,
    /// The first number of the release stays.
    Minor,
    /// Any step.
    #[default]
    Major,
}

impl Step {
    /// The size of the step between two versions.
    pub fn between(one: &Version, other: &Version) -> Self {
        let number = |version: &Version, index: usize| version.release().get(index).copied();
        let same = |index| {
            number(one, index).unwrap_or_default() == number(other, index).unwrap_or_default()
        };
        if one.epoch() != other.epoch() || !same(0) {
            Self::Major
        } else if same(1) {
            Self::Patch
        } else {
            Self::Minor
        }
    }
}

/// Some or all of the declared projects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projects {
    /// All that someone needs.
    All,
    /// These.
    Named(BTreeSet<ProjectName>),
}

impl Projects {
    /// No project.
    pub fn none() -> Self {
        Self::Named(BTreeSet::new())
    }

    /// The projects of either.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Named(mut names), Self::Named(others)) => {
                names.extend(others.iter().cloned());
                Self::Named(names)
            }
            _ => Self::All,
        }
    }

    /// Whether a project is one of them.
    pub(in crate::set::resolve) fn contain(&self, project: &ProjectName) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(project),
        }
    }
}

/// How a project may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    /// It stays as it is declared.
    Fixed,
    /// It keeps its version, and may get more wheels and extras.
    Grows,
    /// It may get a newer version.
    Rises,
    /// It may get any version.
    Free,
}

impl Movement {
    /// Whether the version stays.
    pub(super) fn stays(self) -> bool {
        matches!(self, Self::Fixed | Self::Grows)
    }
}

impl Policy {
    /// How a project may move.
    pub(super) fn movement(&self, project: &ProjectName, is_declared: bool) -> Movement {
        if !is_declared {
            return Movement::Free;
        }
        match self.asked.get(project) {
            // A named version may be older.
            Some(asked) if asked.limits_versions() => Movement::Free,
            None if !self.moving.contain(project) => Movement::Fixed,
            _ if self.may_downgrade => Movement::Free,
            _ => Movement::Rises,
        }
    }

    /// Whether the caller names a project that may move.
    pub(super) fn names(&self, project: &ProjectName) -> bool {
        let is_among = |projects: &Projects| match projects {
            Projects::All => false,
            Projects::Named(names) => names.contains(project),
        };
        let is_named = is_among(&self.moving) || is_among(&self.newest);
        is_named || self.asked.contains_key(project)
    }

    /// Whether a declared project should get its newest version.
    pub(super) fn wants_newest(&self, project: &ProjectName) -> bool {
        self.asked.contains_key(project) || self.newest.contain(project)
    }

    /// The preferred wheels of a project.
    pub(super) fn prefer(&self, project: &ProjectName, declared: Option<&Declaration>) -> Prefer {
        let is_free = declared.is_none() || self.asked.contains_key(project);
        if let (Some(prefer), true) = (self.prefer, is_free) {
            return prefer;
        }
        let pure = declared.is_some_and(|declaration| {
            let mut wheels = declaration.wheels.iter();
            wheels.all(|wheel| is_pure(&wheel.file_name))
        });
        if pure { Prefer::Pure } else { Prefer::Native }
    }
}

/// The platforms on which a repository offers each project that has an `only` for all its wheels.
pub fn offered_platforms(repository: &Repository) -> BTreeMap<ProjectName, PlatformSet> {
    let platforms = &repository.configuration.platforms;
    let mut offered = BTreeMap::new();
    for declaration in repository.declarations.values() {
        let first = declaration
            .wheels
            .first()
            .and_then(|wheel| wheel.only.as_ref());
        let Some(only) = first.map(|only| &only.value) else {
            continue;
        };
        let is_shared = declaration.wheels.iter().all(|wheel| {
            wheel
                .only
                .as_ref()
                .is_some_and(|other| other.value == *only)
        });
        if is_shared {
            let on = platforms_where(only, platforms);
            offered.insert(declaration.project.clone(), on);
        }
    }
    offered
}

/// The platforms on which a marker does not fail.
pub fn platforms_where(marker: &Marker, platforms: &[Platform]) -> PlatformSet {
    let numbered = platforms.iter().enumerate();
    numbered
        .filter(|(_, platform)| {
            let environment = MarkerEnvironment::for_platform(platform);
            marker.evaluate(&environment, None) != Truth::False
        })
        .map(|(index, _)| index)
        .collect()
}

/// What attempts of one resolution have found out. Each new fact starts another attempt.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// The projects that stay, but need more wheels or extras.
    pub(super) growing: BTreeSet<ProjectName>,
    /// The projects of which some requirement names a pre-release.
    pub(super) prereleases: BTreeSet<ProjectName>,
    /// The projects whose pre-release was chosen, though no chosen requirement names one. From then
    /// on only final versions of them are candidates.
    pub(super) finals_only: BTreeSet<ProjectName>,
}
