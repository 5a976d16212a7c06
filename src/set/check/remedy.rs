//! The help of findings about a requirement: the command to type, and the extra to leave out.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, ProjectName, Version};

use crate::foundation::diagnostic::{AddCommand, Finding, Help};
use crate::set::graph::{Graph, Relation, Statement};

/// The version of a project that a command requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin<'v> {
    /// The version that all requirers of the project accept.
    Accepted,
    /// This version.
    Version(&'v Version),
}

impl Graph<'_> {
    /// The command that declares a project as the set needs it. The project becomes or stays
    /// automatic unless it is wanted. `extras` are added to those that it declares.
    pub fn add_command(
        &self,
        project: &ProjectName,
        extras: &BTreeSet<ExtraName>,
        pin: Pin<'_>,
    ) -> AddCommand {
        let specifiers = match pin {
            Pin::Version(version) => format!("=={version}"),
            Pin::Accepted => {
                let demand = self.demand(project);
                demand.map_or_else(String::new, |demand| demand.specifiers.clone())
            }
        };
        let declaration = self.repository.declarations.get(project);
        AddCommand {
            project: project.clone(),
            extras: extras.clone(),
            specifiers,
            is_automatic: declaration.is_none_or(|declaration| declaration.automatic),
        }
    }
}

/// Adds to a finding the extras that can be removed to end it: all requirements behind it belong to
/// those extras, and nothing in the set requires them.
pub(super) fn or_leave_extra_out<'r>(
    graph: &Graph<'r>,
    relation: &Relation<'r>,
    statement: &Statement<'r>,
    finding: Finding,
) -> Finding {
    let Some(unasked) = graph.unasked_extras(relation, statement) else {
        return finding;
    };
    finding.help(Help::RemoveExtras {
        extras: unasked.extras.into_iter().cloned().collect(),
        places: unasked
            .places
            .into_iter()
            .map(|(file, line)| (Some(Arc::clone(file)), *line))
            .collect(),
    })
}
