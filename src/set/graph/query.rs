//! Questions about the set on some of its platforms, with names as people type them.

use std::collections::BTreeSet;

use ipwhl_packaging::{Constraint, ExtraName, Platform, ProjectName, Requirement};
use thiserror::Error;

use super::{Graph, Relations};
use crate::foundation::diagnostic::nearest;
use crate::set::repository::{CONFIGURATION_FILE, Repository, covers_platform};

/// Why a question cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// A text that names no project.
    #[error("`{text}` does not name a project")]
    NotAProject {
        /// The text.
        text: String,
    },
    /// A text that names more than a project and its extras.
    #[error("`{text}` names a version or a marker, and the set has one version of each project")]
    VersionOrMarker {
        /// The text.
        text: String,
        /// The project in it.
        project: ProjectName,
    },
    /// A text that names an extra, where a project as a whole is meant.
    #[error("`{text}` names an extra of a project")]
    NamesExtra {
        /// The text.
        text: String,
        /// The project in it.
        project: ProjectName,
    },
    /// The configuration cannot be understood, so what is declared, and where, is not known.
    #[error(
        "`{CONFIGURATION_FILE}` cannot be understood, so it is not known whether `{project}` is in the set"
    )]
    UnknownSet {
        /// The project that was asked about.
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
    /// The project does not declare the extra, and nothing asks for it.
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
    #[error("`{text}` names none of the supported platforms")]
    NoSuchPlatform {
        /// The text.
        text: String,
        /// A similar word that names some.
        similar: Option<String>,
    },
}

/// A project that was typed, with the extras behind its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedProject {
    /// The project.
    pub project: ProjectName,
    /// The extras of it that are meant.
    pub extras: BTreeSet<ExtraName>,
}

/// The set as it stands on some of the platforms.
pub struct GraphQuery<'r> {
    /// The repository.
    pub repository: &'r Repository,
    /// Its graph on all platforms.
    pub graph: Graph<'r>,
    /// The platforms that are looked at, as indices into the repository's.
    pub selected: BTreeSet<usize>,
    /// These platforms, in their order.
    pub platforms: Vec<Platform>,
    /// The relations on these alone, where they are not all platforms.
    narrowed: Option<Relations<'r>>,
}

impl<'r> GraphQuery<'r> {
    /// The set on the platforms that these texts name as waivers do; on all where there is none.
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

    /// The requirements that hold on the platforms that are looked at, each on these platforms
    /// only.
    pub fn relations(&self) -> &Relations<'r> {
        let all = self.graph.relations();
        self.narrowed.as_ref().unwrap_or(all)
    }

    /// The name of a project that is declared or required, as long as the set lives.
    pub fn project(&self, project: &ProjectName) -> Option<&'r ProjectName> {
        let declared = self.repository.declarations.get_key_value(project);
        declared
            .map(|(name, _)| name)
            .or_else(|| self.relations().name(project))
            .or_else(|| self.repository.unreadable.get(project))
    }

    /// Reads `NAME` or `NAME[EXTRA,…]`. The project has to be declared or required.
    ///
    /// # Errors
    /// All but those about platforms.
    pub fn named(&self, text: &str) -> Result<NamedProject, QueryError> {
        let named = named(text)?;
        let project = &named.project;
        let is_required = self.relations().naming(project).next().is_some();
        if !is_required {
            known(self.repository, project)?;
        }
        if let Some(declaration) = self.repository.declarations.get(project) {
            // What someone asks for in vain can be asked about, too.
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
fn named(text: &str) -> Result<NamedProject, QueryError> {
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

/// Reads the name of a project that is in the set, perhaps with a text that cannot be understood.
///
/// # Errors
/// All but those about extras that are not there, and about platforms.
pub fn member(repository: &Repository, text: &str) -> Result<ProjectName, QueryError> {
    let named = named(text)?;
    if !named.extras.is_empty() {
        return Err(QueryError::NamesExtra {
            text: text.to_owned(),
            project: named.project,
        });
    }
    known(repository, &named.project)?;
    Ok(named.project)
}

/// The set has a project, perhaps with a text that cannot be understood.
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

/// The platforms that these texts name, all of them where there is none.
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
