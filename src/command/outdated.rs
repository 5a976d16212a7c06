//! What the index has that is newer than the set, asked and told.

use ipwhl_packaging::ProjectName;

use super::context::Context;
use super::network::NetworkArguments;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::graph::GraphQuery;
use crate::set::resolve::Outdated;

/// How many projects that could not be asked about are told of, unless `-v` wants all.
const FULL_FAILURES: usize = 3;

/// Asks the index about these projects, and says which it could not be asked about.
pub(super) fn ask(
    context: &Context<'_>,
    query: &GraphQuery<'_>,
    declarations: &[&Declaration],
    arguments: &NetworkArguments,
) -> Result<Outdated, Failure> {
    if arguments.offline {
        return Err(Failure::usage(
            "`--outdated` asks the index, and `--offline` asks nobody",
        ));
    }
    let outdated = Outdated::ask(
        &context.session,
        &arguments.network(),
        query.repository,
        &query.graph,
        declarations,
    )?;
    if !outdated.unknown.is_empty() {
        let unknown: Vec<&str> = outdated.unknown.iter().map(ProjectName::as_str).collect();
        context.say(&format!(
            "note: the index does not have {}",
            unknown.join(", ")
        ));
    }
    let failures = &outdated.failures;
    let in_full = if context.verbose > 0 {
        failures.len()
    } else {
        FULL_FAILURES
    };
    for (project, failure) in failures.iter().take(in_full) {
        context.error(&format!("{project}: {failure}"));
    }
    if failures.len() > in_full {
        context.error(&format!(
            "the index could not be asked about {} either (`-v` names them)",
            counted(failures.len() - in_full, "more project")
        ));
    }
    Ok(outdated)
}
