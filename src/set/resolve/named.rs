//! Requests for the projects that a user or a project file names.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{
    Constraint, ProjectName, Requirement, RequirementError, Version, VersionSpecifiers,
};

use super::selection::{COMMAND_LINE, ProjectRequest};
use super::solver::platforms_where;
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::set::requested::RequestFile;

/// The requests for the projects that a user names: `NAME`, `NAME[EXTRA]`, `NAME==VERSION`. Extras
/// that are declared or needed already stay. Projects that are not `automatic` are for all
/// platforms.
///
/// # Errors
/// When a text does not name a project of an index, or has a marker.
pub fn named_requests(
    repository: &Repository,
    projects: &[String],
    automatic: bool,
) -> Result<Vec<ProjectRequest>, Failure> {
    let everywhere: BTreeSet<usize> = (0..repository.configuration.platforms.len()).collect();
    let mut wishes = Vec::new();
    for text in projects {
        let requirement: Requirement = text.parse().map_err(|error: RequirementError| {
            Failure::usage(format!(
                "`{text}` does not name a project: {}",
                error.message
            ))
            .help("write `NAME`, `NAME[EXTRA]` or `NAME==VERSION`")
        })?;
        if let Constraint::Url(_) = requirement.constraint {
            return Err(Failure::usage(format!(
                "`{text}` names an address, and `ipwhl add` takes projects from the index only"
            )));
        }
        if requirement.marker.is_some() {
            return Err(Failure::usage(format!(
                "`{text}` has a marker, and a project is declared for all platforms"
            )));
        }
        wishes.push((requirement, everywhere.clone()));
    }
    Ok(requests(repository, wishes, automatic))
}

/// The projects of an update, and limits on versions.
#[derive(Debug, Default)]
pub struct NamedUpdates {
    /// The declared projects.
    pub projects: BTreeSet<ProjectName>,
    /// The limits, also on projects that may come into the set.
    pub limits: BTreeMap<ProjectName, Vec<VersionSpecifiers>>,
}

/// The projects that a user names for an update: `NAME` or `NAME<5`. A project with a limit need
/// not be declared.
///
/// # Errors
/// When a text is no such name.
pub fn named_updates(repository: &Repository, texts: &[String]) -> Result<NamedUpdates, Failure> {
    let mut named = NamedUpdates::default();
    for text in texts {
        let refused = |reason: &str| {
            Failure::usage(format!("`{text}` names no project to update: {reason}"))
                .help("write `NAME`, or a name with version specifiers: `NAME<5`, `NAME==4.2`")
        };
        let requirement: Requirement = text
            .parse()
            .map_err(|error: RequirementError| refused(&error.message))?;
        let Constraint::Specifiers(specifiers) = requirement.constraint else {
            return Err(refused("it has an address"));
        };
        if requirement.marker.is_some() {
            return Err(refused("it has a marker"));
        }
        if !requirement.extras.is_empty() {
            return Err(refused("it has extras, which `ipwhl add` declares"));
        }
        let is_declared = repository.declarations.contains_key(&requirement.name);
        if is_declared {
            named.projects.insert(requirement.name.clone());
        } else if specifiers.is_empty() {
            return Err(
                Failure::usage(format!("the set has no `{}`", requirement.name))
                    .help("`ipwhl list` prints the projects of the set"),
            );
        }
        if !specifiers.is_empty() {
            let limits = named.limits.entry(requirement.name).or_default();
            limits.push(specifiers);
        }
    }
    Ok(named)
}

/// The names that may be slips of the keyboard: those of requested projects that are new in the
/// set, with a declared name that differs in one letter, or in the order of two. Short names are
/// left out, since many of them are that similar.
pub fn likely_slips<'n>(
    repository: &'n Repository,
    requests: &'n [ProjectRequest],
) -> Vec<(&'n ProjectName, &'n ProjectName)> {
    let declared = &repository.declarations;
    let new = requests.iter().map(|request| &request.project);
    let new = new.filter(|name| !declared.contains_key(*name) && name.as_str().len() >= SHORT);
    new.filter_map(|name| {
        let mut known = declared.keys();
        let meant = known.find(|other| strsim::osa_distance(name.as_str(), other.as_str()) == 1)?;
        Some((name, meant))
    })
    .collect()
}

/// The length from which names are compared.
const SHORT: usize = 4;

/// What a project file asks for.
#[derive(Debug, Default)]
pub struct FileRequests {
    /// Its projects, each for the platforms where one of its entries applies.
    pub requests: Vec<ProjectRequest>,
    /// The versions that it permits of projects that something else asks for.
    pub constraints: BTreeMap<ProjectName, Vec<VersionSpecifiers>>,
    /// The versions that it has locked, and those of its projects that are declared already.
    pub preferred: BTreeMap<ProjectName, Version>,
}

/// The requests of a project file. Entries whose markers hold on no platform ask for nothing.
pub fn file_requests(repository: &Repository, file: RequestFile, automatic: bool) -> FileRequests {
    let platforms = &repository.configuration.platforms;
    let on = |requirement: &Requirement| -> BTreeSet<usize> {
        match &requirement.marker {
            None => (0..platforms.len()).collect(),
            Some(marker) => platforms_where(marker, platforms).into(),
        }
    };
    let wishes = file.requested.into_iter().map(|(requirement, _)| {
        let platforms = on(&requirement);
        (requirement, platforms)
    });
    let wishes = wishes.filter(|(_, platforms)| !platforms.is_empty());
    let requests = requests(repository, wishes.collect(), automatic);
    let mut constraints: BTreeMap<ProjectName, Vec<VersionSpecifiers>> = BTreeMap::new();
    for (requirement, _) in file.constraints {
        if let (false, Constraint::Specifiers(specifiers)) =
            (on(&requirement).is_empty(), requirement.constraint)
        {
            constraints
                .entry(requirement.name)
                .or_default()
                .push(specifiers);
        }
    }
    let mut preferred = file.preferred;
    for request in &requests {
        if let Some(declaration) = repository.declarations.get(&request.project) {
            let version = declaration.version().clone();
            preferred.entry(request.project.clone()).or_insert(version);
        }
    }
    FileRequests {
        requests,
        constraints,
        preferred,
    }
}

/// Adds requests to others, or to those for the same projects.
pub fn join_requests(requests: &mut Vec<ProjectRequest>, more: Vec<ProjectRequest>) {
    for request in more {
        let mut known = requests.iter_mut();
        match known.find(|other| other.project == request.project) {
            None => requests.push(request),
            Some(other) => {
                other.extras.extend(request.extras);
                other.platforms.extend(request.platforms);
                other.constraints.extend(request.constraints);
            }
        }
    }
}

/// A request for each project that is wished for on some platforms, together with what the set
/// needs of it.
fn requests(
    repository: &Repository,
    wishes: Vec<(Requirement, BTreeSet<usize>)>,
    automatic: bool,
) -> Vec<ProjectRequest> {
    let graph = Graph::new(repository);
    let mut requests: BTreeMap<ProjectName, ProjectRequest> = BTreeMap::new();
    for (requirement, platforms) in wishes {
        let request = requests.entry(requirement.name.clone()).or_insert_with(|| {
            let needed = graph.needed(&requirement.name);
            let mut request = ProjectRequest::automatic(needed);
            let declared = repository.declarations.get(&requirement.name);
            request
                .extras
                .extend(declared.map_or_else(BTreeSet::new, Declaration::extras));
            request.automatic = automatic;
            request
        });
        // An automatic project is for its requirers, and without any for all who wish for it.
        if !automatic || request.by.is_empty() {
            request.platforms.extend(platforms);
        }
        request.extras.extend(requirement.extras);
        if let Constraint::Specifiers(specifiers) = requirement.constraint
            && !specifiers.is_empty()
        {
            let origin = COMMAND_LINE.to_owned();
            request.constraints.push((origin, specifiers));
        }
    }
    requests.into_values().collect()
}
