//! Requests for the projects that a user names.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{Constraint, ProjectName, Requirement, RequirementError};

use super::selection::{COMMAND_LINE, ProjectRequest};
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::graph::Graph;
use crate::set::repository::Repository;

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
    let graph = Graph::new(repository);
    let mut requests: BTreeMap<ProjectName, ProjectRequest> = BTreeMap::new();
    for text in projects {
        let requirement: Requirement = text.parse().map_err(|error: RequirementError| {
            Failure::usage(format!(
                "`{text}` does not name a project: {}",
                error.message
            ))
            .help("write `NAME`, `NAME[EXTRA]` or `NAME==VERSION`")
        })?;
        let Constraint::Specifiers(specifiers) = requirement.constraint else {
            return Err(Failure::usage(format!(
                "`{text}` names an address, and `ipwhl add` takes projects from the index only"
            )));
        };
        if requirement.marker.is_some() {
            return Err(Failure::usage(format!(
                "`{text}` has a marker, and a project is declared for all platforms"
            )));
        }
        let needed = graph.needed(&requirement.name);
        let declared = repository.declarations.get(&requirement.name);
        let mut extras = declared.map_or_else(BTreeSet::new, Declaration::extras);
        extras.extend(needed.extras.iter().cloned());
        extras.extend(requirement.extras);
        let request = requests.entry(requirement.name.clone()).or_insert_with(|| {
            let mut request = ProjectRequest::automatic(needed);
            // A project without requirers is also declared for all platforms.
            if !automatic || request.platforms.is_empty() {
                request.platforms = (0..repository.configuration.platforms.len()).collect();
            }
            request.automatic = automatic;
            request
        });
        request.extras.extend(extras);
        if !specifiers.is_empty() {
            request
                .constraints
                .push((COMMAND_LINE.to_owned(), specifiers));
        }
    }
    Ok(requests.into_values().collect())
}
