//! Newer versions in the index: the request and the messages.

use ipwhl_packaging::ProjectName;

use super::context::Context;
use super::network::NetworkArguments;
use super::words::counted;
use crate::foundation::failure::Failure;
use crate::set::declaration::Declaration;
use crate::set::graph::GraphQuery;
use crate::set::resolve::Outdated;

/// The number of failed requests that are reported in full without `-v`.
const FULL_FAILURES: usize = 3;

/// Names the projects whose newer versions are not looked up: in the index, their names may be
/// strangers'.
pub(super) fn note_not_asked<'p>(
    context: &Context<'_>,
    projects: impl Iterator<Item = &'p ProjectName>,
) {
    let names: Vec<&str> = projects.map(ProjectName::as_str).collect();
    if !names.is_empty() {
        context.say(&format!(
            "note: no `pkg:` source, so not looked up in the index: {}",
            names.join(", ")
        ));
    }
}

/// Asks the index about these projects, and reports the requests that failed.
pub(super) fn ask(
    context: &Context<'_>,
    query: &GraphQuery<'_>,
    declarations: &[&Declaration],
    arguments: &NetworkArguments,
) -> Result<Outdated, Failure> {
    if arguments.offline {
        return Err(Failure::usage(
            "`--outdated` needs the index, and `--offline` does not use the network",
        )
        .help("leave one of the two options out"));
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
            "the requests for {} failed, too (`-v` lists them)",
            counted(failures.len() - in_full, "more project")
        ));
    }
    if !failures.is_empty() {
        context.help("run the same command again; `--index-url URL` uses another index");
    }
    Ok(outdated)
}
