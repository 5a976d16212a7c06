//! Requests for the projects that a user or a project file names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipwhl_packaging::{Constraint, ProjectName, Requirement, RequirementError, Version};

use super::pins::PlacedPin;
use super::selection::ProjectRequest;
use super::solver::{COMMAND_LINE, Origin, Wish, platforms_where};
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::graph::Graph;
use crate::set::repository::Repository;
use crate::set::requested::{Place, RequestFile};

/// The requests for the projects that a user names: `NAME`, `NAME[EXTRA]`, `NAME==VERSION`,
/// `NAME; MARKER`. Extras that are declared or needed already stay. Projects that are not
/// `automatic` are for all platforms where their marker holds.
///
/// # Errors
/// When a text does not name a project of an index, or has a marker that holds on no platform.
pub fn named_requests(
    repository: &Repository,
    projects: &[String],
    automatic: bool,
) -> Result<Vec<ProjectRequest>, Failure> {
    let mut requirements = Vec::new();
    for text in projects {
        let requirement: Requirement = text.parse().map_err(|error: RequirementError| {
            Failure::usage(format!(
                "`{text}` does not name a project: {}",
                error.message
            ))
            .help("write `NAME`, `NAME[EXTRA]`, `NAME==VERSION` or `NAME; MARKER`")
        })?;
        if let Constraint::Url(_) = requirement.constraint {
            return Err(Failure::usage(format!(
                "`{text}` names an address, and `ipwhl add` takes projects from the index only"
            )));
        }
        if platforms_of(repository, &requirement).is_empty() {
            return Err(Failure::usage(format!(
                "the marker of `{text}` holds on no platform of the set"
            ))
            .help("`[platforms]` in `ipwhl.toml` names the platforms"));
        }
        requirements.push((requirement, Arc::from(COMMAND_LINE)));
    }
    Ok(requests(repository, requirements, automatic))
}

/// The projects of an update, and limits on versions.
#[derive(Debug, Default)]
pub struct NamedUpdates {
    /// The projects to update. One that is not in the set is ignored.
    pub projects: BTreeSet<ProjectName>,
    /// The limits, also on projects that may come into the set.
    pub limits: BTreeMap<ProjectName, Vec<Wish>>,
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
        if is_declared || specifiers.is_empty() {
            named.projects.insert(requirement.name.clone());
        }
        if !specifiers.is_empty() {
            let limits = named.limits.entry(requirement.name).or_default();
            limits.push(Wish::new(COMMAND_LINE, specifiers));
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
    pub constraints: BTreeMap<ProjectName, Vec<Wish>>,
    /// The versions that it has locked, and those of its projects that are declared already.
    pub preferred: BTreeMap<ProjectName, Version>,
    /// The digests of wheels that it names.
    pub pins: Vec<PlacedPin>,
}

/// The requests of a project file. Entries whose markers hold on no platform ask for nothing.
pub fn file_requests(repository: &Repository, file: RequestFile, automatic: bool) -> FileRequests {
    let texts = file.texts;
    let written = |place: &Place| -> Arc<str> {
        let line = texts.get(&place.file);
        let line = line.map_or(1, |text| text.line(place.span.start));
        Arc::from(format!("{}:{line}", place.file))
    };
    let applies =
        |(requirement, _): &(Requirement, Place)| !platforms_of(repository, requirement).is_empty();
    let requested = file.requested.into_iter().filter(applies);
    let requested = requested.map(|(requirement, place)| (requirement, written(&place)));
    let requests = requests(repository, requested.collect(), automatic);
    let mut constraints: BTreeMap<ProjectName, Vec<Wish>> = BTreeMap::new();
    for (requirement, place) in file.constraints.into_iter().filter(applies) {
        if let Constraint::Specifiers(specifiers) = requirement.constraint {
            let wishes = constraints.entry(requirement.name).or_default();
            wishes.push(Wish::new(&written(&place), specifiers));
        }
    }
    let mut preferred = file.preferred;
    for request in &requests {
        if let Some(declaration) = repository.declarations.get(&request.project) {
            let version = declaration.version().clone();
            preferred.entry(request.project.clone()).or_insert(version);
        }
    }
    let pins = file.pins.into_iter().map(|pin| PlacedPin {
        place: written(&pin.place),
        pin,
    });
    FileRequests {
        requests,
        constraints,
        preferred,
        pins: pins.collect(),
    }
}

/// Adds requests to others, or to those for the same projects.
pub fn join_requests(
    repository: &Repository,
    requests: &mut Vec<ProjectRequest>,
    more: Vec<ProjectRequest>,
) {
    for request in more {
        let mut known = requests.iter_mut();
        match known.find(|other| other.project == request.project) {
            None => requests.push(request),
            Some(other) => {
                other.extras.extend(request.extras);
                other.platforms.extend(request.platforms);
                other.constraints.extend(request.constraints);
                let markers = other.only.take().zip(request.only);
                other.only = markers.map(|(one, other)| one.or(&other));
                forget_wide_marker(repository, other);
            }
        }
    }
}

/// The platforms where a requirement applies.
fn platforms_of(repository: &Repository, requirement: &Requirement) -> BTreeSet<usize> {
    let platforms = &repository.configuration.platforms;
    match &requirement.marker {
        None => (0..platforms.len()).collect(),
        Some(marker) => platforms_where(marker, platforms).into(),
    }
}

/// A request for all platforms has no marker.
fn forget_wide_marker(repository: &Repository, request: &mut ProjectRequest) {
    if request.platforms.len() == repository.configuration.platforms.len() {
        request.only = None;
    }
}

/// A request for each project that is named at some places, together with what the set needs of
/// it.
fn requests(
    repository: &Repository,
    requirements: Vec<(Requirement, Arc<str>)>,
    automatic: bool,
) -> Vec<ProjectRequest> {
    let graph = Graph::new(repository);
    let mut requests: BTreeMap<ProjectName, ProjectRequest> = BTreeMap::new();
    for (requirement, place) in requirements {
        let platforms = platforms_of(repository, &requirement);
        let is_first = !requests.contains_key(&requirement.name);
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
        // What the set needs elsewhere is not only for these platforms. Who requires an automatic
        // project says where.
        let is_enough = !automatic && request.platforms.is_subset(&platforms);
        request.only = match (requirement.marker, request.only.take()) {
            (marker, None) if is_first => marker.filter(|_| is_enough),
            (Some(marker), Some(other)) => Some(other.or(&marker)),
            _ => None,
        };
        // An automatic project is for its requirers, and without any for all who wish for it.
        if !automatic || request.by.is_empty() {
            request.platforms.extend(platforms);
        }
        request.extras.extend(requirement.extras);
        if let Constraint::Specifiers(specifiers) = requirement.constraint {
            let origin = Origin::Caller(place);
            request.constraints.push((origin, specifiers));
        }
    }
    for request in requests.values_mut() {
        forget_wide_marker(repository, request);
    }
    requests.into_values().collect()
}
