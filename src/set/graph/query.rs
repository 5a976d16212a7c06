//! Queries of the set on some of its platforms, with names as people type them.

use std::collections::BTreeSet;

use ipwhl_packaging::{Constraint, ExtraName, Platform, ProjectName, Requirement};
use thiserror::Error;

use super::{Graph, Relations};
use crate::foundation::diagnostic::nearest;
use crate::set::repository::{CONFIGURATION_FILE, Repository, covers_platform};

/// The reason why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// A text that is not the name of a project.
    #[error("`{text}` does not name a project")]
    NotAProject {
        /// The text.
        text: String,
    },
    /// A text with more than a project and its extras.
    #[error("`{text}` names a version or a marker, but the set has one version of each project")]
    VersionOrMarker {
        /// The text.
        text: String,
        /// The project in it.
        project: ProjectName,
    },
    /// A text with an extra, where only a project is allowed.
    #[error("`{text}` names an extra of a project")]
    NamesExtra {
        /// The text.
        text: String,
        /// The project in it.
        project: ProjectName,
    },
    /// The configuration cannot be read, so the declared projects are unknown.
    #[error(
        "`{CONFIGURATION_FILE}` cannot be read, so it is unknown whether `{project}` is in the set"
    )]
    UnknownSet {
        /// The project in the query.
        project: ProjectName,
    },
    /// The project is neither declared nor required.
    #[error("`{project}` is not in the set")]
    NotInSet {
        /// The project.
        project: ProjectName,
        /// A project of the set with a similar name.
        similar: Option<String>,
    },
    /// The project does not declare the extra, and no requirement names it.
    #[error("`{project}` has no extra `{extra}`")]
    NoExtra {
        /// The project.
        project: ProjectName,
        /// The extra.
        extra: ExtraName,
        /// The extras that it declares.
        declared: BTreeSet<ExtraName>,
    },
    /// None of several projects declares the extra.
    #[error("none of these projects has an extra `{extra}`")]
    NoExtraOfAny {
        /// The extra.
        extra: ExtraName,
        /// The extras that they declare.
        declared: BTreeSet<ExtraName>,
    },
    /// A text that names no supported platform.
    #[error("`{text}` does not name a supported platform")]
    NoSuchPlatform {
        /// The text.
        text: String,
        /// A similar word that names some platforms.
        similar: Option<String>,
    },
}

/// A project as typed, with the extras after its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedProject {
    /// The project.
    pub project: ProjectName,
    /// Its extras in the query.
    pub extras: BTreeSet<ExtraName>,
}

/// The set, limited to some of the platforms.
pub struct GraphQuery<'r> {
    /// The repository.
    pub repository: &'r Repository,
    /// Its graph on all platforms.
    pub graph: Graph<'r>,
    /// The selected platforms, as indices into the repository's.
    pub selected: BTreeSet<usize>,
    /// These platforms, in their order.
    pub platforms: Vec<Platform>,
    /// The relations on these platforms, unless all platforms are selected.
    narrowed: Option<Relations<'r>>,
}

impl<'r> GraphQuery<'r> {
    /// The set on the platforms that these texts name, as in waivers; on all if there are none.
    ///
    /// # Errors
    /// [`QueryError::NoSuchPlatform`].
    pub fn new(repository: &'r Repository, platforms: &[String]) -> Result<Self, QueryError> {
        let selected = select_platforms(repository, platforms)?;
        let graph = Graph::new(repository);
        let all = &repository.configuration.platforms;
        let is_all = selected.len() == all.len();
        Ok(Self {
            narrowed: (!is_all).then(|| graph.relations_on(&selected)),
            platforms: selected.iter().map(|index| all[*index].clone()).collect(),
            repository,
            graph,
            selected,
        })
    }

    /// The requirements that apply on the selected platforms, limited to them.
    pub fn relations(&self) -> &Relations<'r> {
        let all = self.graph.relations();
        self.narrowed.as_ref().unwrap_or(all)
    }

    /// The name of a declared or required project, with the lifetime of the set.
    pub fn project(&self, project: &ProjectName) -> Option<&'r ProjectName> {
        let declared = self.repository.declarations.get_key_value(project);
        declared
            .map(|(name, _)| name)
            .or_else(|| self.relations().name(project))
            .or_else(|| self.repository.unreadable.get(project))
    }

    /// Reads `NAME` or `NAME[EXTRA,…]`. The project must be declared or required.
    ///
    /// # Errors
    /// All errors except those about platforms.
    pub fn parse_project(&self, text: &str) -> Result<NamedProject, QueryError> {
        let named = parse_name(text)?;
        let project = &named.project;
        let is_required = self.relations().naming(project).next().is_some();
        if !is_required {
            known(self.repository, project)?;
        }
        if let Some(declaration) = self.repository.declarations.get(project) {
            // An extra that is required but not declared can be queried, too.
            let has = |extra: &ExtraName| {
                let mut wheels = declaration.wheels.iter();
                let mut asking = self.relations().naming(project);
                wheels.any(|wheel| wheel.has_extra(extra))
                    || asking.any(|relation| relation.requirement.extras.contains(extra))
            };
            if let Some(extra) = named.extras.iter().find(|extra| !has(extra)) {
                let extras = declaration.wheels.iter().flat_map(|wheel| &wheel.extras);
                return Err(QueryError::NoExtra {
                    project: named.project.clone(),
                    extra: extra.clone(),
                    declared: extras.map(|extra| extra.value.clone()).collect(),
                });
            }
        }
        Ok(named)
    }
}

/// Reads `NAME` or `NAME[EXTRA,…]`.
fn parse_name(text: &str) -> Result<NamedProject, QueryError> {
    let text = text.to_owned();
    let Ok(requirement) = text.parse::<Requirement>() else {
        return Err(QueryError::NotAProject { text });
    };
    let is_bare = matches!(&requirement.constraint, Constraint::Specifiers(all) if all.is_empty());
    if !is_bare || requirement.marker.is_some() {
        let project = requirement.name;
        return Err(QueryError::VersionOrMarker { text, project });
    }
    Ok(NamedProject {
        project: requirement.name,
        extras: requirement.extras,
    })
}

/// Reads the name of a project in the set. Its declaration may be unreadable.
///
/// # Errors
/// All errors except those about missing extras and about platforms.
pub fn member(repository: &Repository, text: &str) -> Result<ProjectName, QueryError> {
    let named = parse_name(text)?;
    if !named.extras.is_empty() {
        return Err(QueryError::NamesExtra {
            text: text.to_owned(),
            project: named.project,
        });
    }
    known(repository, &named.project)?;
    Ok(named.project)
}

/// Checks that the set has a project, even if its declaration cannot be read.
fn known(repository: &Repository, project: &ProjectName) -> Result<(), QueryError> {
    let (declared, unreadable) = (&repository.declarations, &repository.unreadable);
    let project = project.clone();
    if declared.contains_key(&project) || unreadable.contains(&project) {
        return Ok(());
    }
    if repository.has_configuration_errors() {
        return Err(QueryError::UnknownSet { project });
    }
    let names = declared.keys().chain(unreadable).map(ProjectName::as_str);
    let similar = nearest(project.as_str(), names).map(ToOwned::to_owned);
    Err(QueryError::NotInSet { project, similar })
}

/// The platforms that these texts name; all if there are none.
///
/// # Errors
/// [`QueryError::NoSuchPlatform`].
pub fn select_platforms(
    repository: &Repository,
    texts: &[String],
) -> Result<BTreeSet<usize>, QueryError> {
    let platforms = &repository.configuration.platforms;
    if texts.is_empty() {
        return Ok((0..platforms.len()).collect());
    }
    let mut selected = BTreeSet::new();
    for text in texts {
        let is_covered = |index: &usize| covers_platform(text, &platforms[*index]);
        let covered: Vec<usize> = (0..platforms.len()).filter(is_covered).collect();
        selected.extend(&covered);
        if covered.is_empty() {
            let words: BTreeSet<String> = platforms
                .iter()
                .flat_map(|platform| {
                    [
                        platform.to_string(),
                        platform.python_tag(),
                        platform.system().to_owned(),
                    ]
                })
                .collect();
            let similar = nearest(text, words.iter().map(String::as_str));
            return Err(QueryError::NoSuchPlatform {
                text: text.clone(),
                similar: similar.map(ToOwned::to_owned),
            });
        }
    }
    Ok(selected)
}
