//! One state of a set, for comparison.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ProjectName, Version, WheelFileName, specifiers_text};
use ipwhl_unixfs::{Cid, Codec, Link, Sha256Digest};
use serde::Serialize;

use super::settings::{Settings, SettingsExtent, settings};
use crate::foundation::diagnostic::Severity;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::Graph;
use crate::set::repository::Repository;

/// A set: its settings, its projects, their wheels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Its projects.
    pub projects: BTreeMap<ProjectName, ProjectState>,
    /// The projects whose text cannot be read: only their existence is known.
    pub unreadable: BTreeSet<ProjectName>,
    /// The projects whose text can be read only in part; the rest is left out.
    pub partial: BTreeSet<ProjectName>,
    /// The supported platforms, in their order; empty if unknown.
    pub platforms: Vec<String>,
    /// Its settings.
    pub(super) settings: Settings,
}

/// A project of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProjectState {
    /// Its versions; one, unless the set is broken.
    #[serde(serialize_with = "as_texts")]
    pub versions: BTreeSet<Version>,
    /// Whether the project is wanted; `None` if unknown.
    pub wanted: Option<bool>,
    /// Its publisher, if declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    /// Whether no person has reviewed its declaration.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreviewed: bool,
    /// Its wheels by the names that installers see.
    #[serde(skip)]
    pub wheels: BTreeMap<String, WheelState>,
}

/// A wheel of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WheelState {
    /// The CID of its UnixFS file.
    pub content_id: Cid,
    /// Its SHA-256, if known.
    pub sha256: Option<Sha256Digest>,
    /// Its size in bytes, if known.
    pub size: Option<u64>,
    /// The tags of its name, sorted.
    #[serde(skip)]
    pub tags: Vec<String>,
    /// Its declaration; `None` in a release of the layout `ipwhl-1`.
    #[serde(flatten)]
    pub declared: Option<Declared>,
}

/// The declaration of a wheel, in canonical spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// Its Requires-Python.
    pub requires_python: Option<String>,
    /// The declared extras.
    pub extras: BTreeSet<String>,
    /// Its requirements.
    pub requirements: BTreeSet<String>,
    /// The supported platforms on which it is installed, in their order.
    pub platforms: Vec<String>,
    /// Its sources, in order of preference.
    pub sources: Vec<String>,
    /// The platforms on which the set offers it, as a marker, if declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// The time of its upload to the index, if declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploaded: Option<String>,
    /// The declared SHA-256 and the declared size in bytes.
    #[serde(skip)]
    pub stated: (Option<Sha256Digest>, Option<u64>),
}

fn as_texts<S: serde::Serializer>(
    versions: &BTreeSet<Version>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(versions.iter().map(ToString::to_string))
}

impl Snapshot {
    /// The state of a repository. `known` returns the SHA-256 and the size of a wheel if they are
    /// known beyond its declaration.
    pub fn of(
        repository: &Repository,
        known: &dyn Fn(&DeclaredWheel) -> Option<(Sha256Digest, u64)>,
    ) -> Self {
        let graph = Graph::new(repository);
        let state = |declaration: &Declaration| {
            let wheels = declaration.wheels.iter().enumerate().map(|(index, wheel)| {
                let platforms = graph.used_on(&declaration.project, index);
                let platforms = platforms
                    .into_iter()
                    .map(|platform| repository.configuration.platforms[platform].to_string());
                (
                    released_name(wheel),
                    wheel_state(wheel, platforms.collect(), known(wheel)),
                )
            });
            ProjectState {
                versions: declaration
                    .wheels
                    .iter()
                    .map(|wheel| wheel.file_name.version().clone())
                    .collect(),
                wanted: Some(!declaration.automatic),
                publisher: declaration
                    .provenance
                    .publisher
                    .as_ref()
                    .map(|publisher| publisher.value.clone()),
                unreviewed: declaration.provenance.unreviewed.is_some(),
                wheels: wheels.collect(),
            }
        };
        let projects: BTreeMap<ProjectName, ProjectState> = repository
            .declarations
            .iter()
            .map(|(name, declaration)| (name.clone(), state(declaration)))
            .collect();
        let mut settings = settings(&repository.configuration);
        if repository.has_configuration_errors() {
            settings.extent = SettingsExtent::Partial;
        }
        let errors = repository
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .filter_map(|finding| finding.subject.project.clone());
        Self {
            unreadable: repository
                .unreadable
                .iter()
                .filter(|name| !projects.contains_key(*name))
                .cloned()
                .collect(),
            partial: errors.filter(|name| projects.contains_key(name)).collect(),
            projects,
            platforms: repository
                .configuration
                .platforms
                .iter()
                .map(ToString::to_string)
                .collect(),
            settings,
        }
    }

    /// The same state, reduced to the data in a release, without some settings.
    #[must_use]
    pub fn into_released(self) -> Self {
        Self {
            settings: self.settings.into_released(),
            ..self
        }
    }

    /// The state of a release without declarations: names and links of wheels.
    ///
    /// # Errors
    /// The first name that is not a wheel name.
    pub fn of_wheels(wheels: impl IntoIterator<Item = (String, Link)>) -> Result<Self, String> {
        let mut snapshot = Self::default();
        for (name, link) in wheels {
            let Ok(file_name) = name.parse::<WheelFileName>() else {
                return Err(name);
            };
            let mut tags: Vec<String> = file_name.tags().iter().map(ToString::to_string).collect();
            tags.sort();
            let project = snapshot
                .projects
                .entry(file_name.name().clone())
                .or_default();
            project.versions.insert(file_name.version().clone());
            let wheel = WheelState {
                content_id: link.cid,
                sha256: None,
                // The size of the link includes the frames of blocks, so it is the file's size for
                // a raw block only.
                size: (link.cid.codec() == Codec::Raw).then_some(link.cumulative_size),
                tags,
                declared: None,
            };
            project.wheels.insert(name, wheel);
        }
        Ok(snapshot)
    }

    /// Its wheels, with their projects and names.
    pub fn wheels(&self) -> impl Iterator<Item = (&ProjectName, &String, &WheelState)> {
        self.projects.iter().flat_map(|(project, state)| {
            let wheels = state.wheels.iter();
            wheels.map(move |(name, wheel)| (project, name, wheel))
        })
    }
}

/// The wheel's name in the release.
fn released_name(wheel: &DeclaredWheel) -> String {
    match &wheel.stem {
        Some(stem) => format!("{stem}.whl"),
        None => wheel.file_name.as_str().to_owned(),
    }
}

fn wheel_state(
    wheel: &DeclaredWheel,
    platforms: Vec<String>,
    known: Option<(Sha256Digest, u64)>,
) -> WheelState {
    let mut tags: Vec<String> = wheel.tags().iter().map(ToString::to_string).collect();
    tags.sort();
    let texts = |values: &mut dyn Iterator<Item = String>| values.collect();
    WheelState {
        content_id: wheel.content_id.value,
        sha256: wheel
            .sha256
            .as_ref()
            .map(|sha256| sha256.value)
            .or(known.map(|(sha256, _)| sha256)),
        size: wheel
            .size
            .as_ref()
            .map(|size| size.value)
            .or(known.map(|(_, size)| size)),
        tags,
        declared: Some(Declared {
            requires_python: wheel
                .requires_python
                .as_ref()
                .map(|specifiers| specifiers_text(&specifiers.value)),
            extras: texts(&mut wheel.extras.iter().map(|extra| extra.value.to_string())),
            requirements: texts(&mut wheel.dependencies.iter().map(|one| one.value.to_string())),
            platforms,
            sources: wheel
                .sources
                .iter()
                .map(|source| source.value.to_string())
                .collect(),
            only: wheel.only.as_ref().map(|only| only.value.to_string()),
            uploaded: wheel
                .uploaded
                .as_ref()
                .map(|uploaded| uploaded.value.to_string()),
            stated: (
                wheel.sha256.as_ref().map(|sha256| sha256.value),
                wheel.size.as_ref().map(|size| size.value),
            ),
        }),
    }
}
